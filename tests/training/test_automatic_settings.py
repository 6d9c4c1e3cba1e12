"""Settings that are determined before training, and the run that uses them."""

import json
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from caedsl.data.sample import Sample
from caedsl.evaluation.evaluated_run import train_and_evaluate
from caedsl.evaluation.reevaluation import evaluate_again
from caedsl.model.settings import Optimizer, Schedule, Train
from caedsl.resolve.merging.overrides import override
from caedsl.runs.errors import TrainingError
from caedsl.source import Source
from caedsl.syntax.formatter import format_source
from caedsl.training.batches import Batches
from caedsl.training.errors import OutOfMemoryError
from caedsl.training.loop import Training
from caedsl.training.objective import Losses
from caedsl.training.prepare import prepare
from caedsl.training.reporter import Reporter
from caedsl.training.resume import resume
from caedsl.training.run import Run
from caedsl.training.search.batch import Candidates, candidates, find_batch
from caedsl.training.search.learning_rate import STEPS, FoundRate, Point, _lowest_good_rate, _next, chosen, find_rate
from caedsl.training.train import train
from caedsl.vocabulary.term import Term

from .test_resume import assert_same, killed_at
from .tiny import QUICK, always_keep, blobs, model_of, tiny

SPEC = """autoencoder found
input 1x8x8
data digits limit=200
encoder { conv 3 relu l2=1e-4 norm=batch dropout=0.1; maxpool 2 }
bottleneck dense 4 l1=1e-4
decoder mirror
train {
  optimizer adam lr=auto  # as found
  schedule  onecycle
  batch     20
  epochs    2
  corrupt   gaussian=0.1
  augment   shift=1
  ema       0.9
  precision fp32
}
"""


class Listening(Reporter):
    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


def run(out: Path, text: str, reporter: Reporter | None = None) -> Run:
    return train(model_of(text), spec_text=text, out=out, reporter=reporter)


@pytest.fixture
def short_search(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let ``lr=auto`` try each rate for fewer steps, and ``batch auto`` each size for a shorter time."""
    monkeypatch.setattr("caedsl.training.search.learning_rate.STEPS", 30)
    monkeypatch.setattr("caedsl.training.search.batch.SECONDS_A_SIZE", 0.0)


@pytest.mark.usefixtures("short_search")
def test_a_found_rate_gives_the_run_that_the_same_rate_by_hand_gives(tmp_path: Path) -> None:
    state = torch.get_rng_state()
    reporter = Listening()
    found = run(tmp_path / "found", SPEC, reporter)
    assert torch.equal(torch.get_rng_state(), state)
    text = (tmp_path / "found" / "spec.cae").read_text()
    rate = json.loads((tmp_path / "found" / "settings.json").read_text())["optimizer"]["lr"]
    assert text == SPEC.replace("lr=auto", f"lr={rate:g}".replace("e-0", "e-"))
    assert found.settings.optimizer.lr == rate

    run(tmp_path / "by-hand", SPEC.replace("lr=auto", f"lr={rate!r}"))
    assert_same(tmp_path / "by-hand", tmp_path / "found")

    said = next(note for note in reporter.notes if note.startswith("lr auto"))
    assert json.loads((tmp_path / "found" / "environment.json").read_text())["notes"][-1] == said
    assert "range test" in said


def test_the_range_test_trains_as_the_run_will(monkeypatch: pytest.MonkeyPatch) -> None:
    """The search uses real batches of the run's size and the run's penalties.

    The rate rises, then follows the run's schedule; the run's own state is unchanged.
    """
    settings = replace(QUICK, optimizer=Optimizer(lr=1.0), schedule=Schedule("onecycle", {"warmup": 0.3}))
    trial = prepare(tiny(), blobs(70), settings, code=[Term("l1", 1e-2, "bottleneck")])
    before = trial.weights()
    rates: list[float] = []
    sizes: list[int] = []
    penalties: list[float] = []
    take_step = Training.take_step

    def seen(self: Training, *x: Any) -> Losses:
        sizes.append(len(x[0]))
        losses = take_step(self, *x)
        rates.append(self.optimizer.param_groups[0]["lr"])
        penalties.append(float(losses[0] - losses[1]))
        return losses

    monkeypatch.setattr(Training, "take_step", seen)
    find_rate(trial)
    assert penalties[0] > 0
    assert set(sizes) == {16, 70 % 16}
    assert all(torch.equal(value, before[name]) for name, value in trial.weights().items())
    ended = next(place for place in range(1, STEPS + 1) if rates[place] <= rates[place - 1])
    steps = [later / rate for rate, later in pairwise(rates[:ended])]
    assert max(steps) == pytest.approx(min(steps))
    shape = [settings.schedule.factor(step * trial.steps // STEPS, trial.steps, 5) for step in range(STEPS)]
    tried = rates[ended : ended + STEPS]
    assert tried == pytest.approx([max(tried) * part for part in shape])
    assert min(tried) < 0.1 * max(tried)


def curve(*, lowest: float, fall: float = 0.1) -> list[Point]:
    """Return a loss that stays at 0.2 at low rates, falls around ``lowest`` / 10, and grows from there on."""
    rates = [10 ** (-5 + place / 20) for place in range(101)]
    fallen = [fall / (1 + (0.1 * lowest / rate) ** 2) for rate in rates]
    return [Point(rate, 0.2 - part + 0.02 * (rate / lowest) ** 2) for rate, part in zip(rates, fallen, strict=True)]


@pytest.mark.parametrize("lowest", [1e-3, 3e-2])
def test_the_rate_lies_between_the_fall_and_the_growth_of_the_loss(lowest: float) -> None:
    found = chosen(curve(lowest=lowest))
    assert lowest / 20 < found.rate < lowest / 2
    assert lowest / 4 < found.bottom < 4 * lowest


def searched(
    monkeypatch: pytest.MonkeyPatch, *, deadly: Callable[[int, float], bool], schedule: Schedule = Schedule()
) -> FoundRate:
    """Search with a loss that shrinks by 100 times the rate per step, and gets stuck after 20 ``deadly`` steps."""

    def take_step(training: Training, clean: Sample) -> Losses:
        state = training.__dict__.setdefault("state", {"loss": 0.2, "step": 0, "deadly": 0})
        state["deadly"] += deadly(state["step"], training.lr)
        state["step"] += 1
        alive = state["deadly"] < 20
        state["loss"] = max(0.01, state["loss"] * (1 - min(0.5, 100 * training.lr))) if alive else 0.2
        loss = torch.tensor(state["loss"])
        return Losses(loss, loss, {})

    monkeypatch.setattr(Training, "take_step", take_step)
    return find_rate(prepare(tiny(), blobs(), replace(QUICK, optimizer=Optimizer(lr=1.0), schedule=schedule)))


def test_a_rate_at_which_layers_die_is_lowered(monkeypatch: pytest.MonkeyPatch) -> None:
    found = searched(monkeypatch, deadly=lambda step, rate: rate > 1e-3)
    assert 1e-4 < found.rate <= 1e-3


def test_a_warm_up_allows_a_higher_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    def deadly(step: int, rate: float) -> bool:
        return step < 30 and rate > 1e-4

    constant = searched(monkeypatch, deadly=deadly)
    warmed_up = searched(monkeypatch, deadly=deadly, schedule=Schedule("cosine", {"warmup": 0.8}))
    assert constant.rate <= 1e-4 < warmed_up.rate


def test_of_rates_that_do_as_well_the_lowest_is_taken() -> None:
    ends = {3e-4: 0.05, 9e-4: 0.031, 2.7e-3: 0.03}
    assert _lowest_good_rate(ends) == 9e-4
    assert _next(ends) is None
    assert _lowest_good_rate({**ends, 9e-4: 0.034}) == 2.7e-3


def test_rates_are_tried_until_the_one_to_take_has_one_on_either_side() -> None:
    assert _next({9e-4: 0.03}) == 3e-4
    assert _next({9e-4: 0.03, 3e-4: 0.02}) == 1e-4
    assert _next({9e-4: 0.03, 3e-4: 0.05}) == 2.7e-3
    assert _next({9e-4: math.inf, 3e-4: math.inf}) == 1e-4


def test_a_rate_above_one_at_which_the_model_dies_is_not_chosen() -> None:
    """`mnist_mirror` with Adam is dead at 0.0085, and at 0.026 after the trial."""
    losses = {9.3e-4: 0.052, 2.8e-3: 0.0375, 8.5e-3: 0.11, 2.6e-2: 0.039}
    ends: dict[float, float] = {}
    rate: float | None = 8.5e-3
    while rate is not None:
        ends[rate] = losses[rate]
        rate = _next(ends)
    assert _lowest_good_rate(ends) == 2.8e-3


def test_a_loss_that_falls_at_no_rate_is_an_error() -> None:
    with pytest.raises(TrainingError, match=r"no rate at which the loss falls: write one, such as `lr=1e-3`"):
        chosen(curve(lowest=1e-2, fall=1e-3))
    with pytest.raises(TrainingError, match="no rate"):
        chosen([])


BOTH = SPEC.replace("batch     20", "batch     auto").replace("epochs    2", "epochs    4")


@pytest.mark.usefixtures("short_search")
def test_what_was_found_is_what_the_run_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    always_keep(monkeypatch)
    train_and_evaluate(model_of(BOTH), spec_text=BOTH, out=tmp_path / "whole")
    text = (tmp_path / "whole" / "spec.cae").read_text()
    settings = json.loads((tmp_path / "whole" / "settings.json").read_text())
    assert "lr=auto" not in text
    assert f"batch     {settings['batch']}\n" in text
    assert evaluate_again(tmp_path / "whole").differences == ()

    killed_at(9, monkeypatch, lambda: run(tmp_path / "again", text))
    resume(tmp_path / "again")
    assert_same(tmp_path / "whole", tmp_path / "again")


def test_auto_from_outside_the_spec() -> None:
    spec = override(Source(SPEC.replace("lr=auto", "lr=1e-3")), {"train.optimizer.lr": "auto", "train.batch": "auto"})
    settings = model_of(spec.text).train
    assert settings is not None
    assert (settings.optimizer.lr, settings.batch) == ("auto", "auto")
    laid_out, _ = format_source(spec)
    assert laid_out is not None
    assert "  batch     auto\n" in laid_out


# --- batch auto --------------------------------------------------------------------------------------------------


def wanted(text: str, images: int) -> Candidates:
    model = model_of(text)
    assert model.train is not None
    return candidates(model, model.train, images, on_cpu=False)


def with_epochs(epochs: int, more: str = "") -> str:
    return f"autoencoder a; input 1x8x8; data digits; encoder {{ conv 4 relu }}; bottleneck dense 4; decoder mirror; train {{ batch auto; epochs {epochs} }}{more}"


def test_a_batch_leaves_enough_steps() -> None:
    sizes, end = wanted(with_epochs(20), 10_000)
    assert sizes == (8, 16, 32, 64, 128)
    assert end == "with 256 the run would have 800 steps, fewer than 1,000"
    sizes, end = wanted(with_epochs(1000), 200)
    assert sizes == (8, 16)
    assert end == "with 32 an epoch would have 7 steps, fewer than 10"
    assert wanted(with_epochs(1), 5).sizes == (5,)


def test_no_batch_leaves_one_image_for_the_last() -> None:
    sizes, _ = wanted(with_epochs(1000), 321)
    assert sizes == (7, 15, 31)
    assert all(321 % size != 1 for size in sizes)


def test_a_batch_keeps_the_memory_that_the_spec_requires() -> None:
    sizes, end = wanted(with_epochs(1000, "; require { memory < 100k }"), 60_000)
    assert sizes[-1] < 128
    assert "`memory < 100k`" in end


class Machine:
    """Device that takes a step in ``seconds(images)`` and has room for so many images; it replaces the step itself."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, room: int, overhead: float, a_image: float) -> None:
        self.now = 0.0
        self.tried: list[int] = []

        def take_step(training: Training, clean: Sample) -> Losses:
            images = len(clean)
            self.tried.append(images)
            if images > room:
                raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes")
            self.now += overhead + a_image * images
            return Losses(clean.seen.sum(), clean.seen.sum(), {})

        monkeypatch.setattr(Training, "take_step", take_step)

    def clock(self) -> float:
        return self.now


SIZES = Candidates((8, 16, 32, 64), "with 128 the run would have 10 steps, fewer than 1,000")


def test_the_largest_batch_that_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch, room=1000, overhead=1.0, a_image=0.001)
    found = find_batch(prepare(tiny(), blobs(), QUICK), SIZES, clock=machine.clock)
    assert found.batch == 64
    assert found.note.startswith(
        "batch auto: 64, because with 128 the run would have 10 steps, fewer than 1,000 (samples/s"
    )


def test_a_batch_that_is_no_faster_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch, room=1000, overhead=0.002, a_image=0.01)
    found = find_batch(prepare(tiny(), blobs(), QUICK), SIZES, clock=machine.clock)
    assert found.batch == 8
    assert "hardly faster" in found.note
    assert max(machine.tried) == 32


def test_a_batch_that_does_not_fit_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch, room=20, overhead=1.0, a_image=0.001)
    found = find_batch(prepare(tiny(), blobs(), QUICK), SIZES, clock=machine.clock)
    assert found.batch == 16
    assert "32 do not fit into memory" in found.note


def test_no_batch_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch, room=3, overhead=1.0, a_image=0.001)
    with pytest.raises(OutOfMemoryError, match=r"with batch 8: 2 fit"):
        find_batch(prepare(tiny(), blobs(), QUICK), SIZES, clock=machine.clock)


def test_settings_that_are_not_found_yet_make_no_run() -> None:
    with pytest.raises(TrainingError, match="must be replaced by a number"):
        prepare(tiny(), blobs(), Train(batch="auto"))


def test_taking_the_images_is_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow disk, or a long index, must not make small batches look slow."""
    machine = Machine(monkeypatch, room=64, overhead=1.0, a_image=1.0)
    in_order = Batches.in_order

    def slow(self: Batches, size: int) -> Iterator[Sample]:
        machine.now += 1000.0
        return in_order(self, size)

    monkeypatch.setattr(Batches, "in_order", slow)
    found = find_batch(prepare(tiny(), blobs(), QUICK), SIZES, clock=machine.clock)
    assert found.rates[0] == (8, pytest.approx(8 / 9))


def test_only_the_first_of_the_timed_steps_allocates_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is kept from step to step as in a run; new memory for each step would make every rate too low."""
    machine = Machine(monkeypatch, room=64, overhead=1.0, a_image=1.0)
    stepping = Training.stepping

    @contextmanager
    def slow_at_first(self: Training) -> Iterator[None]:
        with stepping(self):
            machine.now += 1000.0
            yield

    monkeypatch.setattr(Training, "stepping", slow_at_first)
    found = find_batch(prepare(tiny(), blobs(), QUICK), SIZES, clock=machine.clock)
    assert found.rates[0] == (8, pytest.approx(8 / 9))


def test_an_index_is_cut_as_batches_are_taken() -> None:
    """The first batch of a million images does not wait until the others are formed."""
    batches = Batches(torch.zeros(1, 1, 1, 1), torch.zeros(2_000_000, dtype=torch.int64))
    cut: list[int] = []
    parts = batches._parts

    def counted(index: Tensor, size: int) -> Iterator[Tensor]:
        for part in parts(index, size):
            cut.append(len(part))
            yield part

    batches._parts = counted  # type: ignore[method-assign]
    assert len(next(batches.shuffled(8, seed=0))) == 8
    assert len(cut) == 1


@pytest.mark.usefixtures("short_search")
def test_a_found_batch_keeps_its_parts(tmp_path: Path) -> None:
    text = SPEC.replace("batch     20", "batch auto accumulate=2").replace("lr=auto", "lr=1e-3")
    assert "accumulate" in text
    found = run(tmp_path / "run", text)
    assert f"batch     {found.settings.batch} accumulate=2" in (tmp_path / "run" / "spec.cae").read_text()
    assert (found.settings.accumulate, found.settings.images_at_once) == (2, -(-found.settings.batch // 2))
