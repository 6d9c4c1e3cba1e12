"""Declaration of a data source."""

from dataclasses import dataclass

from caedsl.vocabulary.option import Option
from caedsl.vocabulary.presets import Preset


@dataclass(frozen=True, kw_only=True)
class SourceKind:
    """Source of samples.

    - ``options`` are those of its line.
    - ``reader`` names the module of ``caedsl.data.readers`` that reads it, and its function.
    - ``ranks`` are the numbers of axes that its samples may have: 1 for signals, 2 for images, 3 for volumes.
    - ``arrays``: it holds bare arrays, of any numbers.
    - ``labels`` is what to write or to do if it has no labels.
    - ``target_field`` is the field of a source that ``target=`` replaces when targets are read; empty if none is.
    - ``generated``: samples are generated at the requested size, so no sample exists in two sizes.
    - ``always``: it needs neither files nor a network.
    - ``weight_column``: its table may hold the weights of the samples.
    - ``preset`` is what is known of a published dataset.
    - ``endings`` are those of its files, in lower case. ``folders``: a folder of them is read, too. ``configured``: how
      they are read depends on the options of the line, so that only a run with this source can read others.
    - ``lists_files``: each row of its table names the file of a sample.
    """

    name: str
    options: tuple[Option, ...]
    reader: tuple[str, str]
    ranks: tuple[int, ...]
    arrays: bool
    labels: str
    target_field: str = ""
    generated: bool = False
    always: bool = False
    weight_column: bool = False
    preset: Preset | None = None
    endings: tuple[str, ...] = ()
    folders: bool = False
    configured: bool = False
    lists_files: bool = False

    @property
    def has_target_options(self) -> bool:
        """Whether the targets of validation and test samples have options of their own."""
        return any(option.name == "test_target" for option in self.options)
