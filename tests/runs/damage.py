"""Ways to damage a file of a run folder, as a disk, a person or an attacker may; none affects other files."""

import json
import os
import random
import shutil
import socket
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

Damage = Callable[[Path, random.Random, Path], None]
"""Damages the file at a path, whose folder exists; the last argument is a folder outside, with ``kept.txt`` in it."""

WRONG: tuple[Any, ...] = (None, True, -1, 0, 10**40, 1e308, "", "zzz", "\x1b[31m", "x" * 5000, [], [[]], {}, {"a": 1})


def truncate(path: Path, chance: random.Random, outside: Path) -> None:
    content = content_of(path)
    put(path, content[: chance.randrange(len(content) + 1)])


def flip(path: Path, chance: random.Random, outside: Path) -> None:
    content = bytearray(content_of(path) or b"x")
    for _ in range(chance.choice((1, 1, 20))):
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    put(path, bytes(content))


def zeros(path: Path, chance: random.Random, outside: Path) -> None:
    put(path, bytes(len(content_of(path))))


def garbage(path: Path, chance: random.Random, outside: Path) -> None:
    put(path, chance.randbytes(chance.choice((1, 100, 10_000))))


def empty(path: Path, chance: random.Random, outside: Path) -> None:
    put(path, b"")


def deep(path: Path, chance: random.Random, outside: Path) -> None:
    put(path, chance.choice((b"[", b'{"a":', b"(", b"{")) * 200_000)


def huge(path: Path, chance: random.Random, outside: Path) -> None:
    put(path, content_of(path))
    os.truncate(path, 1 << 40)


def repeated(path: Path, chance: random.Random, outside: Path) -> None:
    put(path, content_of(path) * chance.choice((2, 50)))


def missing(path: Path, chance: random.Random, outside: Path) -> None:
    remove(path)


def forbidden(path: Path, chance: random.Random, outside: Path) -> None:
    put(path, content_of(path))
    path.chmod(0)


def folder(path: Path, chance: random.Random, outside: Path) -> None:
    remove(path)
    path.mkdir()
    (path / "inside").write_text("x")


def pipe(path: Path, chance: random.Random, outside: Path) -> None:
    remove(path)
    os.mkfifo(path)


def unix_socket(path: Path, chance: random.Random, outside: Path) -> None:
    remove(path)
    before = Path.cwd()
    os.chdir(path.parent)  # the whole path may be too long for one
    try:
        with socket.socket(socket.AF_UNIX) as end:
            end.bind(path.name)
    finally:
        os.chdir(before)


def link_to_a_copy(path: Path, chance: random.Random, outside: Path) -> None:
    content = content_of(path)
    remove(path)
    (outside / "copy").write_bytes(content)
    path.symlink_to(outside / "copy")


def link_outside(path: Path, chance: random.Random, outside: Path) -> None:
    remove(path)
    path.symlink_to(chance.choice((outside, outside / "kept.txt", outside / "nowhere")))


def link_to_a_device(path: Path, chance: random.Random, outside: Path) -> None:
    remove(path)
    path.symlink_to(chance.choice(("/dev/zero", "/dev/null", "/dev/full")))


def link_to_itself(path: Path, chance: random.Random, outside: Path) -> None:
    remove(path)
    path.symlink_to(path.name)


def hard_link(path: Path, chance: random.Random, outside: Path) -> None:
    remove(path)
    os.link(outside / "kept.txt", path)


def other_value(path: Path, chance: random.Random, outside: Path) -> None:
    """Give one value in a JSON text, or in each line of one, another value or type; damage other files as ``flip``."""
    try:
        text = content_of(path).decode()
        values = [json.loads(line) for line in ([text] if path.suffix == ".json" else text.splitlines())]
    except (UnicodeDecodeError, ValueError):
        flip(path, chance, outside)
        return
    places = [place for value in values for place in _places(value)]
    for holder, key in chance.sample(places, min(len(places), chance.choice((1, 1, 3)))):
        if chance.random() < 0.2 and isinstance(holder, dict):
            holder.pop(key, None)
        else:
            holder[key] = deepcopy(chance.choice((*WRONG, float("nan"), float("inf"))))
    put(path, "".join(json.dumps(value) + "\n" for value in values).encode())


def forge(state: dict[str, Any], chance: random.Random) -> str:
    """Change a run's state, in tensors by name or in JSON; return a description of the change."""
    holder, key = chance.choice([place for place in _places(state) if not isinstance(place[0], Tensor)])
    before = holder[key]
    if not isinstance(before, Tensor):
        many = [0.5] * 300_000
        holder[key] = deepcopy(chance.choice((*WRONG, float("nan"), float("inf"), 3, before, many, [many])))
        return f"{key}: {before} -> {holder[key]!r:.200}"
    ways: dict[str, Callable[[], Any]] = {
        "missing": lambda: holder.pop(key),
        "renamed": lambda: holder.update({f"{key}.more": holder.pop(key)}),
        "longer": lambda: holder.update({key: torch.cat([before.reshape(-1)] * 2)}),
        "empty": lambda: holder.update({key: before.reshape(-1)[:0].clone()}),
        "of bytes": lambda: holder.update({key: before.to(torch.uint8)}),
        "of 64 bits": lambda: holder.update({key: before.double()}),
        "random": lambda: holder.update({key: torch.randint(0, 255, before.shape).to(before.dtype)}),
        "negative": lambda: holder.update({key: -before if before.is_floating_point() else before}),
        "infinite": lambda: holder.update({key: before / 0 if before.is_floating_point() else before}),
        "nested": lambda: holder.update(
            {f"optimizer.9999.{key}": before.clone(), f"optimizer.x.{key}": before.clone()}
        ),
    }
    way = chance.choice(list(ways))
    ways[way]()
    return f"{key} {way}"


def _places(value: Any) -> list[tuple[Any, Any]]:
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return [place for key in keys for place in ((value, key), *_places(value[key]))]


DAMAGES: tuple[Damage, ...] = (
    truncate,
    flip,
    zeros,
    garbage,
    empty,
    deep,
    huge,
    repeated,
    missing,
    forbidden,
    folder,
    pipe,
    unix_socket,
    link_to_a_copy,
    link_outside,
    link_to_a_device,
    link_to_itself,
    hard_link,
    other_value,
    other_value,
    other_value,
)


def content_of(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() and not path.is_symlink() else b""


def put(path: Path, content: bytes) -> None:
    remove(path)
    path.write_bytes(content)


def remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
