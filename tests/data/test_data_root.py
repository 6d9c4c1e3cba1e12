"""``--data-root`` confines what the paths of a spec, and of a run folder, may read."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from caedsl.data.errors import DataError
from caedsl.data.loading import load
from tests.training.tiny import model_of

SPEC = """
autoencoder a
input 1x8x8
data {source}
encoder {{ conv 2 relu; maxpool 2 }}
bottleneck
decoder mirror
train {{ epochs 1 }}
"""


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    """Return a folder that may be read, and one outside; each with an array and a folder of images."""
    folders = tmp_path / "inside", tmp_path / "outside"
    for folder in folders:
        (folder / "images").mkdir(parents=True)
        np.save(folder / "x.npy", np.arange(256, dtype=np.uint8).reshape(4, 8, 8))
        for number in range(3):
            Image.new("L", (8, 8), 80 * number).save(folder / "images" / f"{number}.png")
    return folders


@pytest.mark.parametrize("source", ['npy "{0}/x.npy"', 'folder "{0}/images"', 'npy "{0}/../inside/x.npy"'])
def test_data_inside_the_root_are_read_as_usual(source: str, places: tuple[Path, Path]) -> None:
    inside, _ = places
    assert len(load(model_of(SPEC.format(source=source.format(inside))), root=inside).train_pixels) in (3, 4)


@pytest.mark.parametrize(
    "source", ['npy "{1}/x.npy"', 'folder "{1}/images"', 'folder "/"', 'folder "~"', 'npy "{0}/../outside/x.npy"']
)
def test_outside_is_refused(source: str, places: tuple[Path, Path]) -> None:
    with pytest.raises(DataError, match=r"outside .*inside: move the data into that folder"):
        load(model_of(SPEC.format(source=source.format(*places))), root=places[0])


@pytest.mark.parametrize("linked", ["x.npy", "images", "images/0.png"])
def test_links_lead_nowhere_else(linked: str, places: tuple[Path, Path]) -> None:
    inside, outside = places
    link = inside / "link.npy" if linked == "x.npy" else inside / "images" / "link.png"
    link.symlink_to(outside / linked)
    source = f'npy "{link}"' if linked == "x.npy" else f'folder "{inside}/images"'
    with pytest.raises(DataError, match=r"leads to .*outside/.*--data-root"):
        load(model_of(SPEC.format(source=source)), root=inside)


def test_a_folder_that_a_run_recorded_is_confined_and_not_written(places: tuple[Path, Path]) -> None:
    inside, outside = places
    model = model_of(SPEC.format(source="digits limit=9"))
    assert len(load(model, recorded=outside).train_pixels) == 9
    with pytest.raises(DataError, match=r"leads to .*, outside "):
        load(model, recorded=outside, root=inside)


def manifest(inside: Path, path: str) -> None:
    (inside / "table.csv").write_text(f"path\nimages/0.png\n{path}\n")


def parquet(inside: Path, path: str) -> None:
    pq.write_table(pa.table({"file": ["images/0.png", path]}), inside / "table.parquet")


@pytest.mark.parametrize(
    ("source", "write"),
    [
        ('manifest "{0}/table.csv"', manifest),
        ('parquet "{0}/table.parquet" key=file', parquet),
        ('npy "{0}/x.npy" labels="{1}/x.npy"', None),
        ('npy "{0}/x.npy" weights="{1}/x.npy"', None),
        ('npy "{0}/x.npy" target="{1}/x.npy"', None),
        ('npy "{0}/x.npy" validation="{1}/x.npy"', None),
        ('folder "{0}/images" test="{1}/images"', None),
        ('folder "{0}/images" target="{1}/images"', None),
    ],
)
def test_other_files_that_a_source_names_are_confined(
    source: str, write: Callable[[Path, str], None] | None, places: tuple[Path, Path]
) -> None:
    if write is not None:
        write(places[0], "../outside/images/1.png")
    with pytest.raises(DataError, match=r"leads to .*outside.*, outside "):
        load(model_of(SPEC.format(source=source.format(*places))), root=places[0])
