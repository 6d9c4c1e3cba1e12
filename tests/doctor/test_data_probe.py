"""The probe of the images: what each fault of the data shows, and that healthy images show none."""

import pytest
import torch

from caedsl.diagnostics.edits import apply_edits
from caedsl.doctor.certainty import NAMED
from caedsl.doctor.probes.data import DataProbe
from caedsl.doctor.suspects.data import suspect
from caedsl.doctor.suspicion import ProbesSoFar

from .subjects import HEALTHY, digits, subject

VARIATIONAL = HEALTHY.replace("dense 16", "variational 8 beta=1")


def named(*, text: str = HEALTHY, train: torch.Tensor | None = None, test: torch.Tensor | None = None) -> list[str]:
    examined = subject(text, train, test)
    return [one.cause for one in suspect(ProbesSoFar(examined, DataProbe().run(examined))) if one.sure >= NAMED]


def test_healthy_images_show_nothing() -> None:
    assert named(train=digits(400), test=digits()[400:]) == []


def test_baselines_are_those_of_the_images() -> None:
    found = DataProbe().run(subject())
    x = digits()
    assert found.grey_error == pytest.approx(float((x - x.mean()).square().mean()), rel=0.05)
    assert found.mean_error == pytest.approx(float((x - x.mean(dim=0)).square().mean()), rel=0.05)
    few, many = found.needed[50], found.needed[80]
    assert few is not None
    assert many is not None
    assert 3 < few < many < 30
    assert found.code_left == pytest.approx(0.15, abs=0.05)


def test_values_divided_twice() -> None:
    assert named(train=digits() / 255) == ["image-scale"]


def test_real_values_that_were_not_standardised() -> None:
    assert named(text=HEALTHY.replace("0..1", "real"), train=digits() * 255) == ["image-scale"]


@pytest.mark.parametrize(
    ("text", "causes"),
    [
        (VARIATIONAL, ["strong-divergence"]),
        (VARIATIONAL.replace("beta=1", "beta=0.1"), []),
        (VARIATIONAL.replace("loss mse", "loss 10 mse"), []),
        (VARIATIONAL.replace("loss mse", "loss bce"), []),
        (VARIATIONAL.replace("variational 8", "variational 1"), ["code-too-small"]),
    ],
    ids=["beta 1", "beta 0.1", "ten times the error", "bce", "one number"],
)
def test_a_divergence_that_leaves_the_code_nothing_to_gain(text: str, causes: list[str]) -> None:
    """The bound of the best linear code tells it from a rate that is too low: both leave the mean image."""
    assert named(text=text) == causes


def test_the_repair_of_a_divergence_makes_room_for_the_first_component() -> None:
    examined = subject(VARIATIONAL.replace(" beta=1", ""))
    (one,) = suspect(ProbesSoFar(examined, DataProbe().run(examined)))
    (edit,) = one.changes[0].edits
    assert edit.text == " beta=0.1"
    assert "variational 8 beta=0.1\n" in apply_edits(examined.model.source.text, [edit])


def test_copies() -> None:
    assert "duplicate-images" in named(train=digits(40).repeat(15, 1, 1, 1))


def test_constant_images() -> None:
    assert named(train=torch.full((100, 1, 8, 8), 0.5)) == ["constant-images"]


def test_held_out_images_that_are_trained_on() -> None:
    assert named(train=digits(400), test=digits(200)) == ["leaking-split"]


def test_held_out_images_that_hardly_differ_from_training_images() -> None:
    noise = 0.01 * torch.randn(200, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    assert named(train=digits(400), test=(digits(200) + noise).clamp(0, 1)) == ["leaking-split"]


def test_images_that_all_have_a_twin_are_nearer_to_training_images_than_usual() -> None:
    noise = 0.02 * torch.randn(600, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    twins = torch.cat([digits(), (digits() + noise).clamp(0, 1)])[torch.randperm(1200)]

    def nearest(train: torch.Tensor, test: torch.Tensor) -> float:
        return DataProbe().run(subject(train=train, test=test)).splits[-1].nearest

    assert nearest(twins[:1000], twins[1000:]) < 0.1
    assert 0.2 < nearest(digits()[:500], digits()[500:]) < 0.6


@pytest.mark.parametrize("wrong", [lambda x: x / 255, lambda x: 1 - x, lambda x: 0.5 + x / 8])
def test_other_preprocessing_of_the_test_images(wrong: "torch.nn.Module") -> None:
    assert named(train=digits(400), test=wrong(digits()[400:])) == ["evaluation-preprocessing"]


def test_a_shifted_test_set() -> None:
    assert named(train=digits(400), test=(digits()[400:] + 0.3).clamp(max=1)) == ["shifted-split"]


def test_a_code_that_is_too_small_for_these_images() -> None:
    examined = subject(HEALTHY.replace("dense 16", "dense 1"))
    (one,) = suspect(ProbesSoFar(examined, DataProbe().run(examined)))
    assert one.cause == "code-too-small"
    (change,) = one.changes
    assert int(change.edits[0].text) >= 8
