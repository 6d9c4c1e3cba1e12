"""Read a run folder: its model, its settings, and the images that it was trained on."""

from dataclasses import dataclass, replace
from pathlib import Path

from torch import nn

from caedsl.data.images import Images
from caedsl.data.split import split_sha256
from caedsl.diagnostics.explanation import is_error
from caedsl.facts.schema import read_settings
from caedsl.facts.settings_text import fault_of
from caedsl.model.autoencoder import Autoencoder
from caedsl.model.settings import Settled, settled
from caedsl.resolve.resolve import resolve
from caedsl.runs.confined import has, read_file
from caedsl.runs.errors import RunError
from caedsl.runs.file_names import BEST, ENVIRONMENT, SETTINGS, SPEC, START
from caedsl.runs.listing import not_a_run
from caedsl.runs.schema import EnvironmentRecord, RecordError, read_environment, reason_of
from caedsl.source import Source
from caedsl.syntax.parser import parse
from caedsl.syntax.reading import MAX_BYTES
from caedsl.training.batches import Batches
from caedsl.training.reporter import Reporter
from caedsl.training.train import load_images
from caedsl.training.weights import Weights, largest_file


@dataclass(frozen=True)
class StoredRun:
    """Run read from its folder; ``model.train`` equals ``settings``."""

    path: Path
    model: Autoencoder
    settings: Settled
    spec_text: str
    settings_text: str
    environment: EnvironmentRecord

    def images(self, data_dir: str | Path | None, reporter: Reporter, root: str | Path | None = None) -> Images:
        """Return the images of the run. Raise ``RunError`` if they are not those that it was trained on.

        They are looked up in ``data_dir`` first and in their recorded folder last; no path of the run may leave
        ``root``.
        """
        before = self.environment.data
        images = load_images(self.model, data_dir, reporter, before.data_dir, root)
        if images.sha256 != before.sha256:
            other = "" if images.name == before.name else f", but the data are now {images.name}"
            raise RunError(
                f"the data are not those of the run in {self.path}: it was trained on {before.name}{other} (SHA-256 "
                f"{before.sha256[:12]}… then, {images.sha256[:12]}… now); restore the data, name their folder with "
                "--data-dir, or start a new run"
            )
        return images

    @property
    def split_seed(self) -> int:
        """Seed of the validation split; for older runs, whose split had no seed of its own, the seed of the run."""
        seed = self.environment.data.split_seed
        return self.settings.seed if seed is None else seed

    def check_split(self, validation: Batches | None) -> None:
        """Raise ``RunError`` if the held-out images are not those from the start of the run."""
        before = self.environment.data.split_sha256
        if before is not None and validation is not None and before != split_sha256(validation.index):
            raise RunError(
                f"the held-out samples are not those of the run in {self.path}, which used another version of PyTorch: "
                f"install torch {self.environment.torch}, or start a new run from {self.path / SPEC}"
            )

    def start_weights(self) -> Weights | None:
        """Return the weights that the run started from, or None if they were newly initialised."""
        return self._weights(START) if has(self.path, START) else None

    def load_weights(self, module: nn.Module) -> None:
        """Load the weights of the best epoch into ``module`` and switch it to eval mode."""
        self._weights(BEST).give(module)
        module.eval()

    def _weights(self, name: str) -> Weights:
        return Weights.of_run(self.path, name, largest_file(self.model))


def open_run(path: Path, data_dir: str | Path | None = None) -> StoredRun:
    """Read a run folder. Raise ``RunError`` if it is not one, or is incomplete.

    Relative paths in its spec are resolved against the original folder of the spec, or against ``data_dir`` if that
    folder no longer exists.
    """
    spec_text, settings_text = _read(path, SPEC), _read(path, SETTINGS)
    environment = _environment(path)
    spec_folder = Path(environment.data.spec_folder)
    if not _is_folder(spec_folder) and data_dir is not None:
        spec_folder = Path(data_dir)
    source = Source(spec_text, str(spec_folder / SPEC))
    spec, _ = parse(source)
    model, findings = resolve(spec, source)
    faulty = any(map(is_error, findings))
    if model is None or not model.complete or model.train is None or not model.data or faulty:
        raise RunError(
            f"{path / SPEC} cannot be trained (`caedsl check {path / SPEC}` shows its errors; it needs a `data` line "
            "and a `train` block): restore the file, or start a new run"
        )
    settings = _settings(path, settings_text)
    return StoredRun(path, replace(model, train=settings), settings, spec_text, settings_text, environment)


def _environment(path: Path) -> EnvironmentRecord:
    try:
        return read_environment(path)
    except FileNotFoundError:
        raise not_a_run(path, f"has no {ENVIRONMENT}") from None
    except OSError as error:
        raise _unreadable(path, ENVIRONMENT, error) from error
    except RecordError as error:
        raise _damaged(path, ENVIRONMENT, error) from error


def _settings(path: Path, text: str) -> Settled:
    """Return the settings in ``text``. Raise ``RunError`` if one has a value that the language does not allow."""
    try:
        settings = settled(read_settings(text))
        if settings is None:
            raise ValueError("it has `auto` instead of a number")
        problem = fault_of(settings)
        if problem is not None:
            raise ValueError(problem)
    except ValueError as error:
        raise _damaged(path, SETTINGS, error) from error
    return settings


def _read(path: Path, name: str) -> str:
    if not _is_folder(path):
        raise RunError(f"there is no run folder {path}: `caedsl runs` lists those below runs/")
    try:
        return read_file(path, name, MAX_BYTES).decode()
    except FileNotFoundError:
        raise not_a_run(path, f"has no {name}") from None
    except UnicodeDecodeError as error:
        raise _damaged(path, name, error) from error
    except OSError as error:
        raise _unreadable(path, name, error) from error


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def _unreadable(path: Path, name: str, error: OSError) -> RunError:
    return RunError(f"{path / name} cannot be read: {error.strerror or error}")


def _damaged(path: Path, name: str, error: ValueError) -> RunError:
    return RunError(
        f"{path / name} is damaged, or from another version of caedsl ({reason_of(error)}): restore the file, or start "
        f"a new run from {path / SPEC}"
    )
