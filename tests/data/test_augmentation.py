"""Random changes to input and target alike."""

from collections.abc import Iterable

import pytest
import torch
from torch.nn import functional

from caedsl.backends.torch.draws import Draws
from caedsl.data.augmentation import DrawnChange, apply, apply_to_target, draw
from caedsl.model.data import InputRange
from caedsl.model.settings import Augment
from caedsl.vocabulary.augmentations import AUGMENTATIONS, AugmentationKind
from caedsl.vocabulary.option import Type

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


def drawn(x: torch.Tensor, settings: Augment, seed: int = 0) -> list[DrawnChange]:
    return draw(x, settings, Draws(seed).begin(0, len(x)))


def augment(x: torch.Tensor, settings: Augment, values: InputRange, seed: int = 0) -> torch.Tensor:
    return apply(x, drawn(x, settings, seed), values)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def images(count: int = 64, height: int = 9, width: int = 12) -> torch.Tensor:
    return torch.rand(count, 3, height, width, generator=seeded(9))


@ALL
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_the_original_the_shape_the_type_and_the_values_are_kept(settings: Augment, dtype: torch.dtype) -> None:
    original = images().to(dtype)
    before = original.clone()
    changed = augment(original, settings, InputRange())
    assert torch.equal(original, before)
    assert (changed.shape, changed.dtype) == (original.shape, original.dtype)
    assert original.min() <= changed.min() <= changed.max() <= original.max()


@ALL
def test_the_seed_decides_and_each_image_has_its_own_draw(settings: Augment) -> None:
    same = images(1).expand(64, -1, -1, -1).contiguous()
    first, again, other = (augment(same, settings, InputRange(), seed) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert len(first.unique(dim=0)) > 1


def test_about_half_of_the_images_are_flipped_left_to_right() -> None:
    original = images(1000)
    changed = augment(original, Augment({"flip": True}), InputRange())
    same = (changed == original).flatten(1).all(1)
    flipped = (changed == original.flip(-1)).flatten(1).all(1)
    assert bool((same ^ flipped).all())
    assert 430 < flipped.sum() < 570


def test_shifts_reach_every_offset_and_repeat_the_border() -> None:
    original = images(1).expand(400, -1, -1, -1).contiguous()
    changed = augment(original, Augment({"shift": 2}), InputRange())
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
    changed = augment(original, Augment({"rotate": 30}), InputRange())
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
    assert torch.equal(augment(images(), Augment(), InputRange()), images())


AMOUNTS = {"scale": 0.3, "crop": 0.3, "brightness": 0.2, "contrast": 0.5, "jitter": 0.1, "rotate": 20.0, "shift": 2}


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_every_augmentation_changes_samples_of_its_ranks(name: str, rank: int) -> None:
    if rank not in AUGMENTATIONS[name].ranks:
        return
    x = torch.rand(16, 2, *(9, 10, 12)[-rank:], generator=seeded(9))
    settings = Augment({name: AMOUNTS.get(name, True)})
    changed = augment(x, settings, InputRange())
    assert changed.shape == x.shape
    assert not torch.equal(changed, x)
    assert 0 <= changed.min() <= changed.max() <= 1
    assert torch.equal(changed, augment(x, settings, InputRange()))
    assert augment(x[:0], settings, InputRange()).shape == x[:0].shape


@pytest.mark.parametrize("name", [name for name, kind in AUGMENTATIONS.items() if kind.moves])
def test_pairs_move_alike(name: str) -> None:
    x = images()
    changes = drawn(x, Augment({name: AMOUNTS.get(name, True)}))
    one, other = (apply(each, changes, InputRange()) for each in (x, 1 - x))
    torch.testing.assert_close(one, 1 - other)


def test_vflip_turns_half_of_the_images_upside_down() -> None:
    x = images(200)
    changed = augment(x, Augment({"vflip": True}), InputRange())
    turned = [torch.equal(after, before.flip(-2)) for after, before in zip(changed, x, strict=True)]
    assert all(t or torch.equal(after, before) for t, after, before in zip(turned, changed, x, strict=True))
    assert 70 < sum(turned) < 130


@pytest.mark.parametrize(("width", "turns"), [(9, range(4)), (12, (0, 2))])
def test_rot90_turns_by_all_the_quarters_that_keep_the_shape(width: int, turns: Iterable[int]) -> None:
    x = images(200, 9, width)
    changed = augment(x, Augment({"rot90": True}), InputRange())
    found = [
        [turn for turn in turns if torch.equal(after, before.rot90(turn, (-2, -1)))]
        for after, before in zip(changed, x, strict=True)
    ]
    assert all(len(each) == 1 for each in found)
    assert {turn for each in found for turn in each} == set(turns)


def test_scale_and_crop_show_a_window_of_the_image() -> None:
    ramp = torch.linspace(0, 1, 101).expand(50, 1, 101, 101).contiguous()
    scaled = augment(ramp, Augment({"scale": 0.5}), InputRange())
    slopes = (scaled[:, 0, 50, 60] - scaled[:, 0, 50, 40]) / 0.2
    assert ((slopes > 1 / 1.51) & (slopes < 1 / 0.49)).all()
    assert slopes.min() < 0.8 < 1.2 < slopes.max()
    torch.testing.assert_close(scaled[:, 0, 50, 50], torch.full((50,), 0.5))
    cropped = augment(ramp, Augment({"crop": 0.5}), InputRange())
    widths = cropped[:, 0, 50, -1] - cropped[:, 0, 50, 0]
    assert ((widths > 0.48) & (widths <= 1.001)).all()
    assert cropped[:, 0, 50, 0].std() > 0.02


def test_brightness_and_contrast_are_in_units_of_the_range() -> None:
    x = torch.rand(400, 1, 4, 4, generator=seeded(3)) * 2 - 1
    real = InputRange(None, None)
    added = (augment(x, Augment({"brightness": 0.3}), real) - x).flatten(1)
    torch.testing.assert_close(added, added[:, :1].expand_as(added), atol=1e-6, rtol=0)
    assert 0.29 < added.abs().max() < 0.3
    wide = augment(0.1 * x, Augment({"brightness": 0.3}), InputRange(-1.0, 1.0)) - 0.1 * x
    torch.testing.assert_close(wide.flatten(1), 2 * added, atol=1e-6, rtol=0)
    contrasted = augment(x, Augment({"contrast": 0.5}), real).flatten(1)
    torch.testing.assert_close(contrasted.mean(1), x.flatten(1).mean(1), atol=1e-6, rtol=0)
    factors = contrasted.std(1) / x.flatten(1).std(1)
    assert 0.5 <= factors.min() < 0.55
    assert 1.45 < factors.max() <= 1.5


def test_jitter_is_noise_of_the_given_deviation_on_input_and_target() -> None:
    x = torch.full((50, 1, 40), 0.5)
    noise = augment(x, Augment({"jitter": 0.05}), InputRange()) - x
    assert noise.std().item() == pytest.approx(0.05, rel=0.05)


@pytest.mark.parametrize("kind", [kind for kind in AUGMENTATIONS.values() if kind.moves], ids=lambda kind: kind.name)
def test_a_target_of_another_size_moves_as_its_input_does(kind: AugmentationKind) -> None:
    """Amounts in pixels are scaled; shares and angles stay the same."""
    x = torch.rand(8, 1, 12, 12, generator=seeded(1))
    large = x.repeat_interleave(2, 2).repeat_interleave(2, 3)
    amount = True if kind.option.type is Type.FLAG else 2 if kind.option.type is Type.COUNT else 0.25
    changes = drawn(x, Augment({kind.name: amount}))
    moved = apply(x, changes, InputRange())
    target = apply_to_target(large, x, changes, InputRange())
    assert not torch.equal(moved, x)
    seen = functional.avg_pool2d(target, 2)
    assert (seen - moved).abs().mean() < 0.25 * (moved - x).abs().mean()


def test_noise_is_on_the_input_alone_and_light_on_both() -> None:
    x, target = images(), images()
    for name, changed in (("jitter", False), ("brightness", True), ("contrast", True)):
        changes = drawn(x, Augment({name: 0.2}))
        assert torch.equal(apply_to_target(target, x, changes, InputRange()), target) is not changed
