"""Signals, images and volumes: their layouts in arrays, their sizes, and the message if an array has another rank."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from caedsl.data.errors import DataError
from caedsl.data.loading import load
from caedsl.data.sample_format import SampleFormat, interpolated, resized
from caedsl.model.data import DataSource, InputRange
from caedsl.vocabulary.shape import Shape

from .conftest import spec

SHAPES = ((2, 7), (2, 5, 7), (2, 4, 5, 7))
DRAW = np.random.default_rng(0)


def arrays(shape: Shape) -> dict[str, np.ndarray]:
    """Return the same samples in every layout."""
    values = DRAW.integers(0, 256, (6, *shape), dtype=np.uint8)
    return {"first": values, "last": np.moveaxis(values, 1, -1), "none": values[:, :1]}


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("layout", ["first", "last", "none"])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("kind", ["npy", "npz"])
def test_every_layout_is_read_in_memory_and_from_its_file(
    shape: Shape, layout: str, order: str, kind: str, tmp_path: Path
) -> None:
    values = arrays(shape)[layout]
    expected = (np.moveaxis(values, -1, 1) if layout == "last" else values).astype(np.float32) / 255
    stored = np.asarray(values[:, 0] if layout == "none" else values, order=order)
    np.save(tmp_path / "x.npy", stored)
    np.savez(tmp_path / "x.npz", x=stored)
    own = (1, *shape[1:]) if layout == "none" else shape
    model = spec(DataSource(kind, path=f"x.{kind}"), shape=own, folder=tmp_path)
    for memory in (None, 100):
        images = load(model, tmp_path, memory=memory)
        assert images.train_pixels.shape == own
        np.testing.assert_array_equal(images.train.numpy(), expected)
        assert images.train.is_contiguous()


@pytest.mark.parametrize(
    ("stored", "shape", "message"),
    [
        ((5, 28, 28), (1, 288), r"x.npy is 5 x 28 x 28, but the input is 1x288.*write `input 1x28x28` for images"),
        ((5, 288), (1, 28, 28), r"x.npy is 5 x 288.*the input is 1x28x28; write `input 1x288` for signals"),
        (
            (5, 4, 6, 8, 9),
            (1, 288),
            r"5 x 4 x 6 x 8 x 9: signals are N x L, N x L x C or N x C x L, but the input is 1x288",
        ),
        (
            (5, 9, 9),
            (1, 9, 9, 9),
            "volumes are N x D x H x W, .*, but the input is 1x9x9x9; write `input 1x9x9` for images",
        ),
        ((5, 288), (2, 288), "so a signal has one channel, but the input is 2x288: write `input 1x288`"),
        ((5, 1, 288), (2, 288), "the signals have one channel: write `input 1x288`"),
        ((5, 4, 9, 9, 9), (2, 9, 9, 9), "neither dimension 2 nor dimension 5 is 2, the number of channels"),
        ((5, 2, 9, 9, 2), (2, 9, 9, 2), "can be read as N x C x D x H x W and as N x D x H x W x C"),
        ((0, 9), (1, 9), "contains no signals"),
        ((5, 0), (1, 9), "has signals without values"),
    ],
)
def test_an_array_of_another_rank_is_explained_with_both_shapes(stored, shape, message, tmp_path: Path, read) -> None:
    np.save(tmp_path / "x.npy", np.zeros(stored, np.uint8))
    with pytest.raises(DataError, match=message):
        read("npy", path="x.npy", shape=shape)


@pytest.mark.parametrize("name", ["digits", "mnist", "cifar10", "folder"])
@pytest.mark.parametrize("shape", [(1, 64), (1, 4, 8, 8)])
def test_images_are_not_made_signals_or_volumes(name: str, shape: Shape, read) -> None:
    with pytest.raises(DataError, match=r"contains images, but the input .* is for (signals|volumes)"):
        read(name, shape=shape, **({"path": "."} if name == "folder" else {}))


def test_messages_name_the_sample_by_its_rank(tmp_path: Path, read) -> None:
    array = np.zeros((4, 9))
    array[2, 3] = 7
    np.save(tmp_path / "x.npy", array)
    with pytest.raises(DataError, match=r"signal 2 \(counted from 0\) has the value 7"):
        read("npy", path="x.npy", shape=(1, 9))
    array[2, 3] = np.nan
    np.save(tmp_path / "x.npy", array[:, None, None])
    with pytest.raises(DataError, match="1 of 4 volumes contains NaN or infinity"):
        read("npy", path="x.npy", shape=(1, 1, 1, 9))


@pytest.mark.parametrize("resize", ["stretch", "fit", "crop"])
@pytest.mark.parametrize("length", [5, 9, 31])
def test_a_signal_is_resized_as_an_image_of_one_row(resize: str, length: int) -> None:
    x = torch.rand(3, 2, length, generator=torch.Generator().manual_seed(length))
    as_signal = resized(x, SampleFormat((2, 9), InputRange(), False, resize))
    as_image = resized(x.unsqueeze(2), SampleFormat((2, 1, 9), InputRange(), False, "stretch"))
    assert torch.equal(as_signal, as_image.squeeze(2))


def test_a_volume_is_enlarged_trilinearly_and_averaged_where_it_shrinks() -> None:
    x = torch.rand(2, 3, 4, 5, 6, generator=torch.Generator().manual_seed(0))
    size = (8, 10, 9)
    expected = functional.interpolate(x, size, mode="trilinear", align_corners=False)
    torch.testing.assert_close(interpolated(x, size), expected)
    stripes = torch.tensor([0.0, 1.0]).repeat(16).view(1, 1, 32, 1, 1).expand(1, 1, 32, 32, 32)
    assert (resized(stripes, SampleFormat((1, 4, 4, 4), InputRange(), False, "stretch")) - 0.5).abs().max() < 0.05


def test_fit_pads_and_crop_cuts_every_axis() -> None:
    x = torch.ones(1, 1, 4, 8, 8)
    whole = resized(x, SampleFormat((1, 8, 8, 8), InputRange(-1, 1), False, "fit"))
    assert whole[0, 0, :, 4, 4].tolist() == [-1, -1, 1, 1, 1, 1, -1, -1]
    ramp = torch.arange(8.0).view(1, 1, 1, 1, 8).expand(1, 1, 4, 4, 8)
    middle = resized(ramp, SampleFormat((1, 4, 4, 4), InputRange(None, None), False, "crop"))
    assert middle[0, 0, 0, 0].tolist() == [2, 3, 4, 5]
    assert resized(
        torch.arange(8.0).view(1, 1, 8), SampleFormat((1, 4), InputRange(None, None), False, "stretch")
    ).shape == (
        1,
        1,
        4,
    )


@pytest.mark.parametrize("shape", [(1, 9), (2, 3, 4, 5)], ids=str)
def test_resized_arrays_are_streamed_as_they_are_held(shape: Shape, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", DRAW.random((20, shape[0], *(side + 2 for side in shape[1:]))))
    model = spec(DataSource("npy", path="x.npy"), shape=shape, folder=tmp_path)
    held, streamed = load(model, tmp_path), load(model, tmp_path, memory=100)
    assert torch.equal(held.train, streamed.train)
    assert "resized from " in held.notes[0]
    assert any("a file in" in note for note in streamed.notes)
