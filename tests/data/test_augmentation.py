"""Random changes to input and target alike."""

import pytest
import torch

from caedsl.data.augmentation import augment
from caedsl.model.data import InputRange
from caedsl.model.settings import Augment

ALL = pytest.mark.parametrize(
    "settings",
    [
        Augment({"flip": True}),
        Augment({"shift": 2}),
        Augment({"rotate": 20}),
        Augment({"flip": True, "shift": 2, "rotate": 20}),
    ],
    ids=str,
)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def images(count: int = 64, height: int = 9, width: int = 12) -> torch.Tensor:
    return torch.rand(count, 3, height, width, generator=seeded(9))


@ALL
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_the_original_the_shape_the_type_and_the_values_are_kept(settings: Augment, dtype: torch.dtype) -> None:
    original = images().to(dtype)
    before = original.clone()
    changed = augment(original, settings, InputRange(), seeded())
    assert torch.equal(original, before)
    assert (changed.shape, changed.dtype) == (original.shape, original.dtype)
    assert original.min() <= changed.min() <= changed.max() <= original.max()


@ALL
def test_the_seed_decides_and_each_image_has_its_own_draw(settings: Augment) -> None:
    same = images(1).expand(64, -1, -1, -1).contiguous()
    first, again, other = (augment(same, settings, InputRange(), seeded(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert len(first.unique(dim=0)) > 1


def test_about_half_of_the_images_are_flipped_left_to_right() -> None:
    original = images(1000)
    changed = augment(original, Augment({"flip": True}), InputRange(), seeded())
    same = (changed == original).flatten(1).all(1)
    flipped = (changed == original.flip(-1)).flatten(1).all(1)
    assert bool((same ^ flipped).all())
    assert 430 < flipped.sum() < 570


def test_shifts_reach_every_offset_and_repeat_the_border() -> None:
    original = images(1).expand(400, -1, -1, -1).contiguous()
    changed = augment(original, Augment({"shift": 2}), InputRange(), seeded())
    padded = torch.nn.functional.pad(original[:1], (2, 2, 2, 2), mode="replicate")
    windows = {
        (down, right): padded[0, :, 2 - down : 11 - down, 2 - right : 14 - right]
        for down in range(-2, 3)
        for right in range(-2, 3)
    }
    reached = {place for image in changed for place, window in windows.items() if torch.equal(image, window)}
    assert reached == set(windows)
    assert all(any(torch.equal(image, window) for window in windows.values()) for image in changed)


@pytest.mark.parametrize(("height", "width"), [(41, 41), (41, 81), (81, 41)])
def test_rotation_keeps_lengths_and_stays_within_its_angle(height: int, width: int) -> None:
    """A bright spot right of the centre moves along a circle of pixels, whatever the sides of the image."""
    original = torch.zeros(300, 1, height, width)
    centre_y, centre_x, radius = height // 2, width // 2, 15
    original[:, 0, centre_y - 1 : centre_y + 2, centre_x + radius - 1 : centre_x + radius + 2] = 1
    changed = augment(original, Augment({"rotate": 30}), InputRange(), seeded())
    rows = torch.arange(height).view(-1, 1) - centre_y
    columns = torch.arange(width).view(1, -1) - centre_x
    mass = changed.sum(dim=(1, 2, 3))
    y = (changed[:, 0] * rows).sum(dim=(1, 2)) / mass
    x = (changed[:, 0] * columns).sum(dim=(1, 2)) / mass
    angles = torch.rad2deg(torch.atan2(y, x))
    assert (torch.hypot(x, y) - radius).abs().max() < 0.3
    assert angles.abs().max() <= 30.5
    assert angles.max() > 25
    assert angles.min() < -25


def test_nothing_asked_for_changes_nothing() -> None:
    assert torch.equal(augment(images(), Augment(), InputRange(), seeded()), images())
