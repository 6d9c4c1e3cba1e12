"""Real samples that an exported file is tested on."""

from pathlib import Path

from torch import Tensor

from caedsl.data.errors import DataError
from caedsl.export.files import MOST_SAMPLES, ExportError
from caedsl.inference.own_data import PARTS, own_data
from caedsl.inference.trained_run import TrainedRun
from caedsl.runs.errors import RunError
from caedsl.training.reporter import Reporter


def real_samples(run: TrainedRun, given: Path | list[Path] | None, data_dir: Path | None) -> tuple[Tensor, str]:
    """Return a batch of samples, and what they are: those ``given``, or else held-out samples of the run's own data.

    Raise ``ExportError`` if the run's own data are not available.
    """
    if given is not None:
        _, batch = next(run.samples(given).batches(MOST_SAMPLES))
        return batch, "the files given" if isinstance(given, list) else str(given)
    try:
        parts = own_data(run.path, data_dir, Reporter())
    except (DataError, RunError) as error:
        raise ExportError(
            "the file is tested on real samples before it is kept, and those of the run are not available: name some "
            f"with --samples PATH, or their folder with --data-dir ({str(error).splitlines()[0]})"
        ) from None
    name = next(part for part in reversed(PARTS) if part in parts)
    _, batch = next(parts[name].batches(MOST_SAMPLES))
    return batch, f"the run's own {name} data"
