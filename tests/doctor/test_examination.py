"""Whole examinations: the verdict and the first cause for faults made on purpose, and for healthy specs."""

from dataclasses import replace

import pytest
import torch
from torch import nn

import caedsl
from caedsl.doctor.budget import StepsBudget
from caedsl.doctor.certainty import MOST, NAMED, POSSIBLE
from caedsl.doctor.diagnosis import Diagnosis, Verdict
from caedsl.doctor.examine import after_repair, examine, ranked_suspicions
from caedsl.doctor.probes.data import DataProbe
from caedsl.doctor.probes.first_steps import FirstStepsProbe
from caedsl.doctor.probes.memorise import MemoriseEvidence
from caedsl.doctor.probes.rate import RateEvidence
from caedsl.doctor.repairs import Repair
from caedsl.doctor.stepping import ErrorCurve
from caedsl.doctor.suspects import steps
from caedsl.doctor.suspicion import ProbesSoFar, Suspicion
from caedsl.rules.engine.symptoms import RATES
from tests.training.tiny import model_of

from .subjects import HEALTHY, digits, subject

DEEP = """autoencoder deep
input 1x8x8 in 0..1
data digits
encoder { conv 8 relu; maxpool 2; conv 8 relu x24 init=torch }
bottleneck dense 16
decoder { dense 64 relu; dense 64 sigmoid; reshape 1x8x8 }
train { loss mse; optimizer adam lr=3e-3; batch 64; epochs 20 }
"""


def of(text: str, *, budget: int = 1500, train: torch.Tensor | None = None) -> Diagnosis:
    return examine(subject(text, train), StepsBudget(budget))


@pytest.fixture(scope="module")
def healthy() -> Diagnosis:
    return of(HEALTHY, budget=1000)


def test_a_healthy_spec_has_no_cause(healthy: Diagnosis) -> None:
    assert healthy.verdict is Verdict.HEALTHY
    assert healthy.causes == ()
    assert {one.cause for one in healthy.ruled_out} >= {"image-scale", "fading-signal", "low-learning-rate"}


@pytest.mark.parametrize(
    ("old", "new", "cause"),
    [
        ("adam lr=3e-3", "adam lr=1e-6", "low-learning-rate"),
        ("adam lr=3e-3", "adam lr=1", "high-learning-rate"),
        ("adam lr=3e-3", "sgd lr=0.001", "mismatched-sgd-rate"),
        (
            "dense 64 sigmoid; reshape 1x8x8 }\ntrain { loss mse; optimizer adam lr=3e-3",
            "dense 64; reshape 1x8x8 }\ntrain { loss mse; optimizer sgd lr=3",
            "mismatched-sgd-rate",
        ),
    ],
    ids=["slow", "fast", "slow sgd", "fast sgd"],
)
def test_rates(old: str, new: str, cause: str) -> None:
    found = of(HEALTHY.replace(old, new))
    assert [one.cause for one in found.causes] == [cause], str(found)
    assert found.best is not None, str(found)
    assert found.best.cause == cause
    assert {one.cause for one in found.ruled_out}.isdisjoint(RATES), "one rate is not both to blame and ruled out"


def test_tiny_steps_after_a_rate_that_was_too_high() -> None:
    """Large first steps saturate the output, so that all later steps are tiny."""
    examined = subject(HEALTHY.replace("lr=3e-3", "lr=0.1"))
    black = MemoriseEvidence(16, 2.3, 2.3, 600, ErrorCurve((0, 300, 600), (4.0, 2.3, 2.3)), {10: 3e-6, 60: 3e-6}, True)
    seen = ProbesSoFar(examined, DataProbe().run(examined), memorise=black)
    tested = RateEvidence(own=0.1, suited=0.003, lowest=0.01, rates=(), losses=())
    (low,), (high,) = steps.suspect(seen), steps.suspect(replace(seen, rate=tested))
    assert (low.cause, high.cause) == ("low-learning-rate", "high-learning-rate")
    assert high.changes[0].title == "`lr=0.003`" and "% is normal" not in high.evidence
    assert POSSIBLE < high.sure < NAMED, "a trial decides"


def test_a_penalty_is_named_only_if_the_same_network_learns_faster_without_it() -> None:
    """A code without a penalty compensates for the convolutions, so that `check` alone cannot say whether one does harm."""
    examined = subject(
        HEALTHY.replace("conv 8 relu", "conv 8 relu l2=0.03").replace("conv 16 relu", "conv 16 relu l2=0.03")
    )
    seen = ProbesSoFar(examined, DataProbe().run(examined), first=FirstStepsProbe(60).run(examined))
    assert seen.first is not None
    (found,) = (one for one in steps.suspect(seen) if one.cause == "strong-l2")
    assert POSSIBLE < found.sure < NAMED
    assert found.changes[0].title == "`l2` divided by 100"
    assert [edit.text for edit in found.changes[0].edits] == ["l2=0.0003", "l2=0.0003"]
    before, after = (ErrorCurve((60,), (left,)) for left in (0.5, 0.3))
    won = Repair("strong-l2", "", "", "", 60, (0, 1), (before, before), (after, after))
    lost = Repair("strong-l2", "", "", "", 60, (0, 1), (before, before), (before, before))
    assert after_repair(found, won, least=won.gain).sure >= NAMED
    assert after_repair(found, lost, least=0.0).sure < POSSIBLE
    weak = replace(seen, first=replace(seen.first, penalty=0.3 * seen.first.loss))
    assert not [one for one in steps.suspect(weak) if one.cause == "strong-l2"]


@pytest.mark.parametrize(("cost", "unproven"), [(1.1, False), (1.67, True)])
def test_a_trial_decides_whether_background_with_a_large_loss_is_the_cause(cost: float, unproven: bool) -> None:
    """A black image has 1.67 times the squared error of the mean image on MNIST, and networks still stay there."""
    examined = subject(HEALTHY)
    first = FirstStepsProbe(1).run(examined)
    black = replace(first, steps=600, curve=ErrorCurve((0, 600), (3.0, cost)), background=(cost, cost))
    seen = ProbesSoFar(examined, DataProbe().run(examined), first=black)
    (found,) = (one for one in ranked_suspicions(seen) if one.cause == "empty-background")
    assert (found.sure < NAMED) is unproven
    before, after = ErrorCurve((600,), (cost,)), ErrorCurve((600,), (0.1,))
    won = Repair("empty-background", "", "", "", 600, (0, 1), (before, before), (after, after))
    lost = Repair("empty-background", "", "", "", 600, (0, 1), (before, before), (before, before))
    assert after_repair(found, won, least=won.gain).sure >= NAMED
    assert after_repair(found, lost, least=0.0).sure < NAMED
    learning = replace(seen, first=replace(black, curve=ErrorCurve((0, 600), (3.0, 0.5))))
    assert "empty-background" not in {one.cause for one in ranked_suspicions(learning)}


@pytest.mark.parametrize(
    ("old", "new", "cause"),
    [
        ("epochs 20", "epochs 1", "too-few-steps"),
        ("batch 64; epochs 20", "batch 512; epochs 10", "oversized-batch"),
    ],
)
def test_a_run_of_images_in_memory_that_is_too_short(old: str, new: str, cause: str) -> None:
    """Only the doctor knows how many images there are."""
    text = HEALTHY.replace("data digits\n", "").replace(old, new)
    found = of(text, budget=800)
    assert [one.cause for one in found.causes] == [cause], str(found)
    assert found.best is not None and found.best.cause == cause, str(found)


def blobs() -> torch.Tensor:
    """Return bright spots before a black background."""
    centres = 1 + 6 * torch.rand(600, 2, 1, 1, generator=torch.Generator().manual_seed(0))
    place = torch.stack(torch.meshgrid(torch.arange(8.0), torch.arange(8.0), indexing="ij"))
    return (-(place - centres).square().sum(dim=1, keepdim=True) / 0.7).exp()


@pytest.mark.parametrize(
    ("old", "new", "train", "cause"),
    [
        ("", "", digits() / 16, "image-scale"),  # 12 of 16 bits
        ("batch 64; epochs 20", "batch 8; epochs 200", digits(24), "tiny-dataset"),
        ("", "", blobs(), "empty-background"),
        ("encoder {", "defaults conv init=normal std=2\nencoder {", digits(), "exploding-signal"),
        ("adam lr=3e-3", "adamw lr=3e-3 weight_decay=10", digits(), "strong-weight-decay"),
    ],
    ids=["12 bits", "few", "background", "weights", "decay"],
)
def test_causes_that_only_a_trial_shows(old: str, new: str, train: torch.Tensor, cause: str) -> None:
    found = of(HEALTHY.replace(old, new, 1), train=train)
    assert found.causes[0].cause == cause, str(found)
    assert (found.best is None) is (cause in ("image-scale", "tiny-dataset")), str(found)


def test_a_signal_that_fades() -> None:
    found = of(DEEP, budget=500)
    assert found.causes[0].cause == "fading-signal", str(found)


def test_conclusive_data_end_the_examination() -> None:
    found = of(HEALTHY, train=digits() / 255)
    assert found.verdict is Verdict.ILL
    assert list(found.evidence) == ["data"]
    assert found.causes[0].cause == "image-scale"
    assert found.best is None


def test_frozen_weights_are_named() -> None:
    frozen = [name for name, _ in caedsl.build(model_of(HEALTHY)).named_parameters() if name.startswith("encoder")]
    found = examine(subject(HEALTHY, frozen=frozen), StepsBudget(1000))
    assert found.causes[0].cause == "frozen-layer"
    assert frozen[0] in found.causes[0].evidence


@pytest.mark.parametrize(
    ("targets", "cause"),
    [
        (digits().roll(7, dims=0), "unrelated-target"),
        (digits().mean(dim=(1, 2, 3), keepdim=True).round(decimals=1).expand(-1, 1, 8, 8).contiguous(), "label-target"),
    ],
    ids=["shuffled", "labels"],
)
def test_targets_that_are_wrong(targets: torch.Tensor, cause: str) -> None:
    found = examine(subject(HEALTHY, targets=targets), StepsBudget(1000))
    assert [one.cause for one in found.causes] == [cause], str(found)
    assert list(found.evidence) == ["data", "targets"]


def test_pairs_that_belong_together_are_healthy() -> None:
    found = examine(subject(HEALTHY, targets=1 - digits()), StepsBudget(1000))
    assert found.verdict is Verdict.HEALTHY, str(found)


def test_the_same_seed_gives_the_same_diagnosis(healthy: Diagnosis) -> None:
    again = of(HEALTHY, budget=1000)
    assert healthy.evidence == again.evidence
    assert healthy.causes == again.causes


def test_from_python() -> None:
    pixels = digits().numpy()[:, 0] / 255
    found = caedsl.diagnose(HEALTHY, images=pixels, budget="500 steps")
    assert found.causes[0].cause == "image-scale"
    assert "image-scale" in str(found)


def test_a_module_that_was_imported() -> None:
    encoder = nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.ReLU())
    module = nn.Sequential(encoder, nn.Linear(16, 64), nn.Sigmoid(), nn.Unflatten(1, (1, 8, 8)))
    made = caedsl.from_torch(module, input=(1, 8, 8))
    found = caedsl.diagnose(made, images=digits().numpy()[:, 0] / 255, budget=5)
    assert found.causes[0].cause == "image-scale", str(found)


def test_weights_that_an_imported_module_does_not_train() -> None:
    encoder = nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.ReLU())
    module = nn.Sequential(encoder, nn.Linear(16, 64), nn.Sigmoid(), nn.Unflatten(1, (1, 8, 8)))
    encoder.requires_grad_(False)
    made = caedsl.from_torch(module, input=(1, 8, 8))
    assert any("not trained in the original: 0.1.bias, 0.1.weight;" in note for note in made.notes)
    found = caedsl.diagnose(made, images=digits().numpy()[:, 0], budget="500steps")
    assert found.causes[0].cause == "frozen-layer", str(found)
    assert "not trained: 0.1.weight, 0.1.bias" in found.causes[0].evidence
    assert found.causes[0].place == "0.1.weight"
    encoder.requires_grad_(True)
    assert all(weight.requires_grad for weight in caedsl.from_torch(module, input=(1, 8, 8)).module.parameters())


def test_a_repair_that_wins_far_less_than_another_says_nothing_about_its_cause() -> None:
    """A higher rate also speeds up a network that learns slowly because of its dropout."""
    suspicion = Suspicion("low-learning-rate", 0.85, "", "", "")

    def repair(left: float) -> Repair:
        before, after = (ErrorCurve((300,), (value,)) for value in (0.66, left))
        return Repair("low-learning-rate", "", "", "", 300, (0, 1), (before, before), (after, after))

    little, much = repair(0.55), repair(0.3)
    assert little.wins
    assert after_repair(suspicion, little, least=much.gain) == suspicion
    assert after_repair(suspicion, little, least=little.gain).sure == MOST
    assert after_repair(suspicion, much, least=much.gain).sure == MOST


def test_a_rate_that_another_does_not_beat_is_not_named() -> None:
    """However surely the probes suggest it: otherwise the doctor advises a rate that it saw fail."""
    before, after = (ErrorCurve((300,), (value,)) for value in (0.5, 2.1))
    lost = Repair("low-learning-rate", "", "", "", 300, (0, 1), (before, before), (after, after))
    assert not lost.wins
    assert after_repair(Suspicion("low-learning-rate", 1.0, "", "", ""), lost, least=0.0).sure < NAMED
    assert after_repair(Suspicion("code-too-small", 1.0, "", "", ""), lost, least=0.0).sure >= NAMED
