"""A run folder read back: its model, its settings, and the images that it was trained on."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import nn

from caedsl.data.images import Images
from caedsl.facts.schema import read_settings
from caedsl.model.autoencoder import Autoencoder
from caedsl.model.settings import Settled, settled
from caedsl.resolve.resolve import resolve
from caedsl.runs.errors import RunError
from caedsl.runs.files import BEST, ENVIRONMENT, SETTINGS, SPEC, START
from caedsl.source import Source
from caedsl.syntax.parser import parse
from caedsl.training.reporter import Reporter
from caedsl.training.train import load_images
from caedsl.training.weights import Weights


@dataclass(frozen=True)
class KeptRun:
    """What a run folder says of its run; ``model.train`` is ``settings``."""

    path: Path
    model: Autoencoder
    settings: Settled
    spec_text: str
    settings_text: str
    environment: Mapping[str, Any]

    def images(self, data_dir: str | Path | None, reporter: Reporter) -> Images:
        """The images of the run; a ``RunError`` where what is found now is not what it was trained on.

        They are looked for in ``data_dir``, or without one where they were.
        """
        before = self.environment["data"]
        images = load_images(self.model, self.data_dir(data_dir), reporter)
        if images.sha256 != before["sha256"]:
            other = "" if images.name == before["name"] else f", and {images.name} is what is there now"
            raise RunError(
                f"the data are not those of the run in {self.path}: it was trained on {before['name']}{other} "
                f"(SHA-256 {before['sha256'][:12]}… then, {images.sha256[:12]}… now); "
                "put the data back, name their folder with --data-dir, or start a new run"
            )
        return images

    def start_weights(self) -> Weights | None:
        """The weights that the run started from, None where they were fresh."""
        path = self.path / START
        return Weights.read(path) if path.exists() else None

    def load_weights(self, module: nn.Module) -> None:
        """Give ``module`` the weights of the best epoch; it is then in eval mode."""
        Weights.read(self.path / BEST).give(module)
        module.eval()

    def data_dir(self, chosen: str | Path | None) -> str | Path | None:
        """``chosen``, or else the folder that data sets were looked for in when the run began."""
        kept: str | None = self.environment["data"].get("data_dir")
        return chosen if chosen is not None else kept


def open_run(path: Path, data_dir: str | Path | None = None) -> KeptRun:
    """Read a run folder; a ``RunError`` where it is none, or not whole.

    Relative paths of its spec start where they did; in ``data_dir`` where that folder is no longer there.
    """
    texts = {name: _read(path, name) for name in (SPEC, SETTINGS, ENVIRONMENT)}
    try:
        environment = json.loads(texts[ENVIRONMENT])
        settings = settled(read_settings(texts[SETTINGS]))
        if settings is None:
            raise ValueError("it leaves numbers to be found")
        spec_folder = Path(environment["data"]["spec_folder"])
        environment["data"]["sha256"], environment["caedsl"], environment["device"], environment["precision"]
    except (ValueError, KeyError, TypeError) as error:
        raise RunError(
            f"{path} is damaged, or of another version of caedsl: {SETTINGS} and {ENVIRONMENT} are not what this version "
            f"writes ({str(error).splitlines()[0]}); start a new run from its {SPEC}"
        ) from error
    if not spec_folder.is_dir() and data_dir is not None:
        spec_folder = Path(data_dir)
    source = Source(texts[SPEC], str(spec_folder / SPEC))
    spec, _ = parse(source)
    model, _ = resolve(spec, source)
    if model is None or not model.complete:
        raise RunError(f"{path / SPEC} is not a spec that can be trained: see `caedsl check {path / SPEC}`")
    return KeptRun(path, replace(model, train=settings), settings, texts[SPEC], texts[SETTINGS], environment)


def _read(path: Path, name: str) -> str:
    if not path.is_dir():
        raise RunError(f"there is no run folder {path}: `caedsl runs` lists those below runs/")
    try:
        return (path / name).read_bytes().decode()
    except FileNotFoundError:
        raise RunError(f"{path} is not the folder of a run that began: it has no {name}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise RunError(f"{path / name} cannot be read: {error}") from error
