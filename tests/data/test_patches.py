"""Patches of large images: places that never change, pairs that show the same place, images that stay in one part."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from caedsl.api import SpecError
from caedsl.api import load as model_of
from caedsl.data.errors import DataError
from caedsl.data.images import Images
from caedsl.data.loading import load
from caedsl.data.patches import patches_of
from caedsl.data.split import split_validation
from caedsl.data.survey import survey
from caedsl.inference.samples import from_array, from_path

SPEC = """autoencoder patches
input {input}
{target}
data folder "low" patches=5 {options}
encoder {{ conv 4 relu }}
bottleneck
decoder {{ {decoder}conv 1 sigmoid }}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with images of different sizes, and in ``high`` the same at twice the size in another format."""
    numbers = np.random.RandomState(0)
    for place, (height, width) in enumerate([(20, 31), (9, 40), (8, 8), (33, 12)]):
        high = numbers.randint(0, 256, (2 * height, 2 * width), dtype=np.uint8)
        _save(tmp_path / f"high/{place % 2}/im.{place}.png", high)
        _save(tmp_path / f"low/{place % 2}/im.{place}.bmp", high[::2, ::2])
    return tmp_path


def _save(path: Path, pixels: "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def _images(folder: Path, options: str = "", memory: int | None = None, **parts: str) -> Images:
    spec = SPEC.format(**{"input": "1x8x8", "target": "", "options": options, "decoder": ""} | parts)
    (folder / "spec.cae").write_text(spec)
    return load(model_of(folder / "spec.cae"), memory=memory)


def test_patches_are_parts_of_their_image_at_its_own_scale(folder: Path) -> None:
    images = _images(folder)
    assert len(images) == 20
    for number, patch in enumerate(images.train):
        name, _, _ = images.name_of("train", number).partition("#")
        whole = torch.from_numpy(np.array(Image.open(folder / "low" / name)) / np.float32(255))
        windows = whole.unfold(0, 8, 1).unfold(1, 8, 1)
        assert (windows == patch[0]).all(-1).all(-1).any(), name
    assert images.labels is not None
    assert images.labels.tolist() == [0] * 10 + [1] * 10
    assert "20 patches of 4 images" in images.notes


@pytest.mark.parametrize("memory", [None, 500])
def test_the_places_are_the_same_in_every_run_and_differ_within_an_image(folder: Path, memory: int | None) -> None:
    once, again = _images(folder).train, _images(folder, memory=memory).train_pixels
    assert again.everything().equal(once)
    assert len({patch.numpy().tobytes() for patch in once[:5]}) > 2


@pytest.mark.parametrize(("size", "target", "step"), [("1x8x8", "1x16x16", 2), ("1x6x8", "1x12x16", 2)])
def test_an_input_and_its_target_show_the_same_place(folder: Path, size: str, target: str, step: int) -> None:
    images = _images(folder, 'target="high"', input=size, target=f"target {target}", decoder="upsample 2; ")
    assert images.train_targets is not None
    assert images.train_targets.everything()[:, :, ::step, ::step].equal(images.train)


@pytest.mark.parametrize(
    ("stored", "other", "ratio"),
    [
        ((20, 31), (40, 63), (4, 8)),
        ((21, 30), (10, 15), (8, 4)),
        ((64, 64), (48, 48), (8, 6)),
        ((8, 8), (8, 8), (8, 8)),
    ],
)
def test_places_of_a_pair_agree_for_every_ratio(
    stored: tuple[int, int], other: tuple[int, int], ratio: tuple[int, int]
) -> None:
    one, two = ((size, size) for size in ratio)
    first, second = patches_of(3, one, two), patches_of(3, two, one)
    assert first is not None
    assert second is not None
    for number in range(50):
        start, partner = first.start("a", number, stored), second.start("a", number, other)
        assert [a * ratio[1] for a in start] == [b * ratio[0] for b in partner]
        assert all(0 <= at <= side - own for at, side, own in zip(start, stored, one, strict=True))


def test_patches_of_an_image_are_in_one_part(folder: Path) -> None:
    images = _images(folder)
    train, validation = split_validation(images, 0.25)
    assert len(train) == 15
    assert {number // 5 for number in train.tolist()}.isdisjoint(number // 5 for number in validation.tolist())
    shown = survey(model_of(folder / "spec.cae"), 0.25)
    assert {part.part: part.samples for part in shown.parts} == {"train": 15, "validation": 5}


def test_one_image_is_split_by_its_patches(folder: Path) -> None:
    for name in ("0/im.2", "1/im.1", "1/im.3"):
        (folder / f"low/{name}.bmp").unlink()
    images = _images(folder)
    assert [len(part) for part in split_validation(images, 0.2)] == [4, 1]
    assert any("held-out patches may overlap" in note for note in images.notes)


def test_smaller_images_are_named_once_and_can_be_skipped(folder: Path) -> None:
    with pytest.raises(
        DataError, match=r"5 of 20 samples .*\n.*im.2.bmp is 8x8, smaller than the patches of 9x9: "
    ) as e:
        _images(folder, input="1x9x9")
    assert str(e.value).count("im.2.bmp") == 1
    images = _images(folder, "skip=broken", input="1x9x9")
    assert len(images) == 15
    assert len(images.skipped) == 1
    assert images.groups is not None
    assert set(images.groups.tolist()) == {0, 2, 3}


def test_targets_of_another_scale_are_named(folder: Path) -> None:
    with pytest.raises(DataError, match=r"im.0.bmp is 20x31, and its target .*im.0.png 40x62: patches of 8x8 and 8x8"):
        _images(folder, 'target="high"')


def test_resizing_and_patches_contradict_each_other(folder: Path) -> None:
    with pytest.raises(SpecError, match=r"`patches=` cuts parts of an image at its own scale, but `resize=` scales"):
        _images(folder, "resize=stretch")


def test_other_images_of_a_run_are_cut_from_their_middle(folder: Path) -> None:
    _images(folder)
    model = model_of(folder / "spec.cae")
    ((_, x),) = from_path(folder / "low/0/im.0.bmp", model).batches(4)
    whole = np.array(Image.open(folder / "low/0/im.0.bmp"))
    assert torch.equal(x[0, 0], torch.from_numpy(whole[6:14, 12:20] / np.float32(255)))
    ((_, y),) = from_array(whole[None], model).batches(4)
    assert torch.equal(x, y)
    with pytest.raises(DataError, match="each sample of the array is 4x31, smaller than the patches of 8x8"):
        list(from_array(whole[None, :4], model).batches(4))
