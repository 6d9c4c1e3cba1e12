"""A watch for a run that has a folder and a reporter."""

from collections.abc import Sequence

from caedsl.model.autoencoder import Autoencoder
from caedsl.runs.folder import RunFolder
from caedsl.runs.trouble import Trouble
from caedsl.training.loop import Training
from caedsl.training.monitors.engine.places import Places
from caedsl.training.monitors.engine.watch import Watch
from caedsl.training.reporter import Reporter


def watch_over(
    training: Training, model: Autoencoder, kept_text: str, shown_path: str, folder: RunFolder, reporter: Reporter
) -> None:
    """Give ``training`` the monitors; what they say goes to ``reporter`` and into the folder as it is said.

    ``kept_text`` is the spec in the folder, whose lines the record names; the terminal names those of ``model.source``
    under ``shown_path``.
    """

    def say(trouble: Trouble, shown: Sequence[str]) -> None:
        folder.append_trouble(trouble)
        if shown:
            reporter.trouble(shown)

    places = Places.of(model, kept_text, shown_path)
    training.watch = Watch(places, training.settings.on.trouble == "stop", say)
