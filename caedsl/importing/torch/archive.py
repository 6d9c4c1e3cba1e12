"""Read files of ``torch.export`` (``.pt2``) as data: the graph from its JSON, the weights from their bytes.

``torch.export.load`` unpickles what an archive declares to be a pickle and evaluates its symbolic expressions. None
of that happens here.
"""

import io
import zipfile
from collections.abc import Iterator, Mapping
from math import prod
from typing import Any

import torch
from torch import Tensor

from caedsl.importing.errors import ImportFailure
from caedsl.importing.expansion import expands_too_much, largest_arrays, parsed_json
from caedsl.importing.operators.graph import AtenGraph, AtenNode, Ref
from caedsl.importing.zip_damage import damage_as_bad_zip
from caedsl.vocabulary.shape import text

_SCHEMA = 8
"""Major version of the format that PyTorch 2.7 to 2.13 write."""
_MOST_JSON = 32 * 2**20
_DTYPES = {
    2: torch.int8,
    3: torch.int16,
    4: torch.int32,
    5: torch.int64,
    6: torch.float16,
    7: torch.float32,
    8: torch.float64,
    12: torch.bool,
    13: torch.bfloat16,
}
"""Numbers of the types in the archive's JSON."""
_AGAIN = "export it again: `torch.export.save(torch.export.export(model, (example,)), 'model.pt2')`"


def read_archive(content: bytes, name: str) -> AtenGraph:
    """Return the graph in the bytes of a ``.pt2`` file; raise ``ImportFailure`` if it is invalid or unsafe to read."""
    try:
        with damage_as_bad_zip():
            archive = zipfile.ZipFile(io.BytesIO(content))
        return _graph(archive, name, largest_arrays(len(content)))
    except zipfile.BadZipFile:
        raise ImportFailure(f"{name} is not a file of torch.export, or is truncated; {_AGAIN}") from None
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, RecursionError, RuntimeError) as error:
        if isinstance(error, ImportFailure):
            raise
        reason = f"{type(error).__name__}: {error}".splitlines()[0][:120]
        raise ImportFailure(f"{name} is a damaged file of torch.export ({reason}); {_AGAIN}") from None


def _graph(archive: zipfile.ZipFile, name: str, largest: int) -> AtenGraph:
    names = archive.namelist()
    if any(each.endswith(("serialized_state_dict.pt", "serialized_state_dict.json")) for each in names):
        raise ImportFailure(
            f"{name} was written by PyTorch 2.6 or older, which kept weights as a pickle, and a pickle runs code when "
            f"it is read; with a newer PyTorch {_AGAIN}"
        )
    if any(each.endswith(("data.pkl", "constants.pkl")) for each in names) and not _model(names):
        raise ImportFailure(pickled(name))
    path = _model(names)
    if path is None:
        raise ImportFailure(f"{name} has no graph of torch.export in it; {_AGAIN}")
    program = _json(archive, path)
    version = program["schema_version"]["major"]
    if version != _SCHEMA:
        raise ImportFailure(
            f"{name} has version {version} of the format of torch.export, but only {_SCHEMA} can be read; with PyTorch "
            f"{torch.__version__.partition('+')[0]} {_AGAIN}"
        )
    root = path.rpartition("models/")[0]
    return _Reader(archive, name, root, program["graph_module"], largest).read()


def pickled(name: str) -> str:
    """Return why a pickle is rejected, and the safe alternative."""
    return (
        f"{name} is a pickle, which can run any code when it is read, and usually holds weights without the network; "
        "import the class from its own file, `caedsl import model.py:Net --input 1x28x28`, or save the network as "
        "data: `torch.export.save(torch.export.export(model, (example,)), 'model.pt2')`"
    )


def _model(names: list[str]) -> str | None:
    found = [each for each in names if each.endswith(".json") and "models/" in each and each.count("/") <= 2]
    return found[0] if len(found) == 1 else None


def _json(archive: zipfile.ZipFile, path: str) -> Any:
    return parsed_json(_member(archive, path, _MOST_JSON))


def _member(archive: zipfile.ZipFile, path: str, most: int | None = None) -> bytes:
    """Return a member of the archive; a zip bomb is rejected before it is unpacked."""
    info = archive.getinfo(path)
    size = info.file_size
    if (most is not None and size > most) or expands_too_much(size, info.compress_size):
        raise ValueError(f"{path} is too large: {size:,} bytes from {info.compress_size:,}")
    with damage_as_bad_zip():
        return archive.read(info)


class _Reader:
    """Reader of the graph in one archive, whose arrays may have ``left`` bytes."""

    def __init__(self, archive: zipfile.ZipFile, name: str, root: str, module: Mapping[str, Any], left: int) -> None:
        self.archive, self.name, self.root, self.left = archive, name, root, left
        self.graph, self.signature = module["graph"], module["signature"]
        self.weights = self._config("weights/model_weights_config.json")
        self.constants = self._config("constants/model_constants_config.json")
        self.written: dict[str, str] = {}
        """For each tensor that an operator has changed in place, the name of its current value."""

    def _config(self, path: str) -> Mapping[str, Any]:
        whole = f"{self.root}data/{path}"
        found: Mapping[str, Any] = _json(self.archive, whole)["config"] if whole in self.archive.namelist() else {}
        return found

    def read(self) -> AtenGraph:
        tensors: dict[str, Tensor] = {}
        parameters: dict[str, str] = {}
        inputs: list[str] = []
        for spec in self.signature["input_specs"]:
            ((kind, content),) = spec.items()
            if kind == "user_input":
                inputs.append(self._input(content["arg"]))
                continue
            if kind not in ("parameter", "buffer", "tensor_constant"):
                raise ImportFailure(f"{self.name} contains a custom object ({kind}), which could run code")
            placeholder, own = content["arg"]["name"], content[f"{kind}_name"]
            tensors[placeholder], parameters[placeholder] = self._tensor(own), own
        if len(inputs) != 1:
            raise ImportFailure(
                f"{self.name} takes {len(inputs)} inputs, but an autoencoder takes one: export a module that does"
            )
        shapes = {name: tuple(self._size(each) for each in meta["sizes"]) for name, meta in self._values()}
        nodes = tuple(self._node(node) for node in self.graph["nodes"])
        specs = [spec["user_output"]["arg"] for spec in self.signature["output_specs"] if "user_output" in spec]
        outputs = [self._now(arg["as_tensor"]["name"]) for arg in specs if "as_tensor" in arg]
        scopes = [node.scopes[0][1] for node in nodes if node.scopes]
        class_name = scopes[0].rpartition(".")[2] if scopes else "imported"
        return AtenGraph(
            class_name, nodes, shapes, tuple(inputs), tuple(outputs), tensors, parameters, self._note(inputs[0])
        )

    def _values(self) -> Iterator[tuple[str, Any]]:
        yield from self.graph["tensor_values"].items()

    def _input(self, arg: Mapping[str, Any]) -> str:
        if "as_tensor" not in arg:
            raise ImportFailure(
                f"{self.name} takes an input that is not a tensor: export a module whose forward takes x"
            )
        name: str = arg["as_tensor"]["name"]
        return name

    def _note(self, name: str) -> str:
        sizes = self.graph["tensor_values"][name]["sizes"][1:]
        if all("as_int" in size for size in sizes):
            return ""
        return f"the file takes several sizes; the spec states {text(tuple(map(self._size, sizes)))}, of its example"

    @staticmethod
    def _size(size: Mapping[str, Any]) -> int:
        return int(size["as_int"] if "as_int" in size else size["as_expr"]["hint"]["as_int"])

    def _tensor(self, name: str) -> Tensor:
        folder, entry = ("weights", self.weights[name]) if name in self.weights else ("constants", self.constants[name])
        if entry["use_pickle"]:
            raise ImportFailure(
                f"{self.name} keeps {name} as a pickle, which could run code when it is read; make it a plain tensor "
                f"and {_AGAIN}"
            )
        meta = entry["tensor_meta"]
        sizes, strides = ([self._size(each) for each in meta[key]] for key in ("sizes", "strides"))
        content = bytearray(_member(self.archive, f"{self.root}data/{folder}/{entry['path_name']}"))
        self.left -= len(content)
        if self.left < 0:
            raise ValueError(f"its arrays up to {name} have more bytes than the whole file can contain")
        dtype = _DTYPES[meta["dtype"]]
        if prod(sizes) * dtype.itemsize > len(content):
            raise ValueError(f"{name} has {len(content):,} bytes, and its sizes are {sizes}")
        if not prod(sizes):
            return torch.empty(sizes, dtype=dtype)
        return torch.frombuffer(content, dtype=dtype).as_strided(sizes, strides, self._size(meta["storage_offset"]))

    def _node(self, node: Mapping[str, Any]) -> AtenNode:
        target = node["target"].removeprefix("torch.ops.")
        namespace, _, op = target.partition(".")
        outputs = tuple(name for each in node["outputs"] for name in _output_names(each))
        given = {each["name"]: self._argument(each["arg"]) for each in node["inputs"]}
        operator = _operator(op) if namespace == "aten" else None
        if operator is not None:
            for argument in operator._schema.arguments:
                if argument.has_default_value():
                    given.setdefault(argument.name, argument.default_value)
            first = operator._schema.arguments[0] if operator._schema.arguments else None
            if first is not None and first.alias_info is not None and first.alias_info.is_write and outputs:
                self._overwrite(given[first.name], outputs[0])
        return AtenNode(op if operator is not None else target, given, outputs, _scopes(node["metadata"]), operator)

    def _overwrite(self, changed: Any, now: str) -> None:
        if (
            isinstance(changed, Ref) and now != changed.name and now not in self.written
        ):  # otherwise names would form a cycle
            self.written[changed.name] = now

    def _now(self, name: str) -> str:
        passed = []
        while name in self.written:
            passed.append(name)
            name = self.written[name]
        self.written |= dict.fromkeys(passed, name)  # so that a long chain is followed only once
        return name

    def _argument(self, argument: Mapping[str, Any]) -> Any:
        ((kind, value),) = argument.items()
        match kind:
            case "as_none":
                return None
            case "as_tensor":
                return Ref(self._now(value["name"]))
            case "as_tensors":
                return [Ref(self._now(each["name"])) for each in value]
            case "as_optional_tensor":
                return self._argument(value)
            case "as_optional_tensors":
                return [self._argument(each) for each in value]
            case "as_sym_int":
                return self._whole(value)
            case "as_sym_ints":
                return [self._whole(each) for each in value]
            case "as_scalar_type":
                return _DTYPES.get(value)
            case "as_int" | "as_ints" | "as_float" | "as_floats" | "as_bool" | "as_bools" | "as_string" | "as_strings":
                return value
            case _:
                return None

    def _whole(self, value: Mapping[str, Any]) -> int:
        return int(value["as_int"]) if "as_int" in value else self._size(self.graph["sym_int_values"][value["as_name"]])


def _output_names(output: Mapping[str, Any]) -> list[str]:
    if "as_tensor" in output:
        return [output["as_tensor"]["name"]]
    if "as_tensors" in output:
        return [each["name"] for each in output["as_tensors"]]
    return []


def _operator(op: str) -> Any:
    """Return an operator of ``torch.ops.aten``; None if it does not exist."""
    base, _, overload = op.partition(".")
    try:
        return getattr(getattr(torch.ops.aten, base), overload or "default")
    except (AttributeError, RuntimeError):
        return None


def _scopes(metadata: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    entries = [entry.split(",") for entry in metadata.get("nn_module_stack", "").split(";") if entry]
    return tuple((entry[1], entry[2]) for entry in entries if len(entry) >= 3 and not entry[0].startswith("_empty"))
