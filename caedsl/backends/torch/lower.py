"""Lower an ``Autoencoder`` to the program of torch modules that compute it."""

from collections.abc import Iterator, Sequence

from caedsl.backends.torch.program import (
    CODE,
    RAW_INPUT,
    WEIGHTED,
    JoinKept,
    Keep,
    LayerModules,
    Link,
    ModuleStep,
    Penalty,
    Program,
    WeightInitialisation,
)
from caedsl.model.autoencoder import Autoencoder
from caedsl.vocabulary.bottlenecks import BY_NAME
from caedsl.vocabulary.call import Call, call
from caedsl.vocabulary.code_kinds import CAPACITY
from caedsl.vocabulary.form import CODE_L1
from caedsl.vocabulary.joining import FROM, INPUT, Join, Joining
from caedsl.vocabulary.kernel_options import BIAS, BIAS_INIT, L1, L2, WEIGHT_NORM, ZEROS
from caedsl.vocabulary.kind import Role
from caedsl.vocabulary.layer import Layer
from caedsl.vocabulary.layer_initialisation import scheme, weight_call
from caedsl.vocabulary.shape import text
from caedsl.vocabulary.term import Term


class _Lowering:
    """Lowering of one model, which collects the modules of its layers."""

    def __init__(self) -> None:
        self.weighted: list[tuple[str, Layer]] = []
        """Layers with a kernel, with the paths of their modules."""
        self.origins: list[LayerModules] = []
        self.links: dict[str, list[Link]] = {"encoder": [], CODE: [], "decoder": []}
        self.read: set[str] = set()
        """Names of the outputs that layers read as they are."""
        self.names_of_code: set[str] = set()
        """Names by which the decoder reads the code."""
        self.depth = 1
        """Depth of the residuals whose layers are written out in the sequence around them."""
        self.kept_by: dict[str, tuple[str, Call]] = {}
        """What is kept of a layer's input, by the layer's name: its own name, and the call that computes it."""

    def find_outputs(self, model: Autoencoder) -> None:
        """Find the outputs that are read, the names by which the decoder reads the code, and what else is kept."""
        for part, layer in model.layers():
            if isinstance(layer.kind, Join):
                name, call = layer.options[FROM], layer.kind.keeping(layer.options)
                if part == "decoder" and model.reads_code(layer):
                    self.names_of_code.add(name)
                elif call is None:
                    self.read.add(name)
                else:
                    self.kept_by[name] = layer.kind.kept(layer.options), call

    def sequence(self, layers: Sequence[Layer], path: str, count: int = 0) -> tuple[ModuleStep, ...]:
        """Return the steps of ``layers``, which follow ``count`` others in the ``Sequential`` at ``path``."""
        lowered: list[ModuleStep] = []
        for layer in layers:
            place = count + len(lowered)
            if isinstance(layer.kind, Join):
                joined = JoinKept(place, layer.kind.kept(layer.options), layer.kind.joining(layer))
                self.links[path].append(joined)
            if layer.named in self.kept_by:
                self.links[path].append(Keep(place, *self.kept_by[layer.named]))
            lowered.extend(self._layer(layer, path, place))
            if layer.named in self.read:
                self.links[path].append(Keep(count + len(lowered), layer.named))
        return tuple(lowered)

    def _layer(self, layer: Layer, path: str, index: int) -> tuple[ModuleStep, ...]:
        if layer.kind.role is Role.GROUPING:
            inside = self.sequence(layer.children, path, index)
            if not inside:
                return ()
            return (_headed(inside[0], layer.label), *inside[1:])
        shape = text(layer.out_shape)
        if layer.children and self._is_linked(layer):
            return self._written_out(layer, path, index)
        if layer.children:
            branches = [self.sequence(layer.children, f"{path}.{index}.body")]
            if layer.shortcut:
                branches.append(self.sequence(layer.shortcut, f"{path}.{index}.shortcut"))
            operation, *finish = layer.kind.calls(layer)
            self._note(layer, path, index, 1 + len(finish))
            return (ModuleStep(operation, tuple(branches), shape), *(ModuleStep(c) for c in finish))
        calls = layer.kind.calls(layer)
        main = len(layer.kind.operation(layer)) - 1
        for offset, c in enumerate(calls):
            if c.name in WEIGHTED:
                self.weighted.append((f"{path}.{index + offset}", layer))
        self._note(layer, path, index, len(calls))
        return tuple(ModuleStep(c, shape=shape if i == main else "") for i, c in enumerate(calls))

    def _is_linked(self, layer: Layer) -> bool:
        """Return whether a layer inside reads an output by its name, or is read by its name."""
        inside = (inner for outer in (*layer.children, *layer.shortcut) for inner in outer.walk())
        return any(isinstance(each.kind, Join) or each.named in self.read | self.kept_by.keys() for each in inside)

    def _written_out(self, layer: Layer, path: str, index: int) -> tuple[ModuleStep, ...]:
        """Return the steps of a residual in the sequence around it, where links can reach them.

        The names of its input and of the body's output are free again after the sum: residuals in a row share them, so
        that no map is kept for longer than that.
        """
        links = self.links[path]
        given, returned = (f"{what} of residual {self.depth}" for what in ("input", "output"))
        links.append(Keep(index, given))
        self.depth += 1
        steps = self.sequence(layer.children, path, index)
        other = given
        if layer.shortcut:
            links += (Keep(index + len(steps), returned), JoinKept(index + len(steps), given, Joining.INSTEAD))
            steps += self.sequence(layer.shortcut, path, index + len(steps))
            other = returned
        self.depth -= 1
        end = index + len(steps)
        links.append(JoinKept(end, other, Joining.SUM))
        finish = tuple(map(ModuleStep, layer.kind.finish(layer)))
        self._note(layer, path, end, len(finish))
        return (*((_headed(steps[0], layer.label), *steps[1:]) if steps else ()), *finish)

    def _note(self, layer: Layer, path: str, index: int, count: int) -> None:
        if count:
            self.origins.append(LayerModules(layer, tuple(f"{path}.{index + offset}" for offset in range(count))))


def _headed(step: ModuleStep, heading: str) -> ModuleStep:
    joined = f"{heading}, {step.heading}" if step.heading else heading
    return ModuleStep(step.call, step.branches, step.shape, joined)


def lower(model: Autoencoder) -> Program:
    """Return the program of a complete model."""
    assert model.complete, "a model with errors has no program"
    lowering = _Lowering()
    lowering.find_outputs(model)
    first, last = _preprocessing(model)
    own_contrast = bool(last) and model.preprocessing is not None and model.preprocessing.by_sample
    if own_contrast:
        lowering.links["encoder"].append(Keep(0, RAW_INPUT))
    if INPUT in lowering.read:
        lowering.links["encoder"].append(Keep(len(first), INPUT))
    encoder = (*first, *lowering.sequence(model.encoder, "encoder", len(first)))
    bottleneck = lowering.sequence(model.bottleneck.layers, CODE)
    noise = (ModuleStep(call("GaussianNoise", model.bottleneck.noise)),) if model.bottleneck.noise else ()
    lowering.links["decoder"] += (Keep(len(noise), name) for name in sorted(lowering.names_of_code))
    inverse = lowering.sequence(model.bottleneck.inverse, "decoder", len(noise))
    decoder = (*noise, *inverse, *lowering.sequence(model.decoder, "decoder", len(noise) + len(inverse)))
    if own_contrast:
        lowering.links["decoder"].append(JoinKept(len(decoder), RAW_INPUT, Joining.BEHIND))
    return Program(
        model.input.shape,
        model.target.shape,
        encoder,
        bottleneck,
        (*decoder, *last),
        _initialisations(lowering.weighted),
        tuple(p for p, layer in lowering.weighted if layer.options[BIAS] and layer.options[BIAS_INIT] == ZEROS),
        tuple(_penalties(lowering.weighted)),
        _terms(model, len(bottleneck)),
        tuple(lowering.origins),
        tuple(lowering.links["encoder"]),
        tuple(lowering.links[CODE]),
        tuple(lowering.links["decoder"]),
        tuple(path for path, layer in lowering.weighted if layer.options[WEIGHT_NORM]),
        (*model.bypasses, *([RAW_INPUT] if own_contrast else [])),
    )


def _preprocessing(model: Autoencoder) -> tuple[tuple[ModuleStep, ...], tuple[ModuleStep, ...]]:
    """Return the modules that normalise the input and, if the input is the target, those that undo it at the end."""
    kind = model.preprocessing
    if kind is None:
        return (), ()
    channels = model.input.shape[0]
    undone = model.target is model.input and model.out_shape[0] == channels  # else the spec has an error
    if kind.by_sample:
        own = {"by_channel": True} if kind.by_channel else {}
        undo = ModuleStep(call("SampleNormalise", undo=True, **own))
        return (ModuleStep(call("SampleNormalise", **own)),), (
            undo,
        ) if undone and model.out_shape == model.input.shape else ()
    known = (kind.offsets, kind.scales) if len(kind.offsets) == channels else ()
    undo = ModuleStep(call("Normalise", channels, *known, undo=True))
    return (ModuleStep(call("Normalise", channels, *known)),), (undo,) if undone else ()


def _penalties(weighted: Sequence[tuple[str, Layer]]) -> Iterator[Penalty]:
    for path, layer in weighted:
        if layer.options[L1] or layer.options[L2]:
            # The squares of a kernel's numbers add up to the square of its length.
            name = "parametrizations.weight.original0" if layer.options[WEIGHT_NORM] else "weight"
            yield Penalty(f"{path}.{name}", layer.options[L1], layer.options[L2])


def _terms(model: Autoencoder, modules: int) -> tuple[Term, ...]:
    """Return what the code adds to the loss; the last module of a bottleneck computes its own loss."""
    weights = {name: weight for name, weight in model.bottleneck.weights.items() if weight}
    form, source = BY_NAME[model.bottleneck.form], f"{CODE}.{modules - 1}"
    methods, warmup = form.methods(), model.bottleneck.warmup
    layers = model.bottleneck.layers
    capacity = layers[-1].options.get(CAPACITY, 0.0) if layers else 0.0
    return tuple(
        Term(name, weight, CODE)
        if name == CODE_L1.name
        else Term(name, weight, source, warmup, methods.get(name, "divergence"), form.averages, capacity)
        for name, weight in weights.items()
    )


def _initialisations(weighted: Sequence[tuple[str, Layer]]) -> tuple[WeightInitialisation, ...]:
    """Group the modules with the same initialisation, in the order of the first of each."""
    paths: dict[tuple[Call, str], list[str]] = {}
    for path, layer in weighted:
        start = weight_call(layer)
        if start is not None:
            paths.setdefault((start, scheme(layer).title), []).append(path)
    return tuple(WeightInitialisation(function, tuple(where), title) for (function, title), where in paths.items())
