"""The loop as a whole: what it computes, records, repeats and refuses."""

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from caedsl.backends.torch.averaging import WeightAverage
from caedsl.backends.torch.program import Penalty
from caedsl.data.sample import Sample, joined
from caedsl.model.settings import Augment, Corrupt, Loss, LossTerm, Optimizer, Schedule, Stop, Train
from caedsl.runs.errors import TrainingError
from caedsl.runs.history import Step
from caedsl.training.batches import Batches
from caedsl.training.errors import NotFiniteError, memory_errors
from caedsl.training.loop import Callback, Training
from caedsl.training.prepare import prepare
from caedsl.vocabulary.optimizers import OPTIMIZERS
from caedsl.vocabulary.term import Term

from .tiny import QUICK, TinyAutoencoder, blobs, tiny

SPLIT = {"train": torch.arange(40), "validation": torch.arange(40, 50)}


def run(settings: Train, module: nn.Module | None = None, **options: object) -> Training:
    training = prepare(module or tiny(), blobs(), settings, **{**SPLIT, **options})  # type: ignore[arg-type]
    training.run()
    return training


def test_training_lowers_the_error_and_keeps_the_best_weights() -> None:
    training = run(replace(QUICK, epochs=30))
    rows = training.history.epochs
    best = min(rows, key=lambda row: row.validation or math.inf)
    assert best.validation is not None
    assert best.validation < 0.5 * (rows[0].validation or 0)
    assert training.history.best == best
    module = training.module
    assert not module.training
    with torch.no_grad():
        held_out = blobs()[40:]
        assert functional.mse_loss(module(held_out), held_out).item() == pytest.approx(best.validation, rel=1e-5)


def test_best_and_last_weights_differ_where_training_gets_worse() -> None:
    training = run(replace(QUICK, epochs=4, optimizer=Optimizer("sgd", lr=0.0)))
    assert training.history.best is not None
    assert training.history.best.epoch == 1
    spoiled = prepare(tiny(), blobs(), replace(QUICK, epochs=2), **SPLIT)

    class Spoil(Callback):
        def on_epoch(self, training: Training) -> None:
            with torch.no_grad():
                training.module.get_parameter("decoder.1.bias").add_(50)

    spoiled.callbacks = [Spoil()]
    spoiled.run()
    assert spoiled.history.best is spoiled.history.epochs[0]
    assert spoiled.last_weights["decoder.1.bias"].item() > 40
    assert spoiled.module.get_parameter("decoder.1.bias").item() < 10


DISTURBED = replace(
    QUICK,
    corrupt=Corrupt({"gaussian": 0.3, "masking": 0.1}),
    augment=Augment({"flip": True, "shift": 1}),
    ema=0.9,
    clip=1.0,
)


@pytest.mark.parametrize("settings", [QUICK, DISTURBED, replace(QUICK, precision="bf16")])
def test_the_same_seed_gives_the_same_run_bit_for_bit(settings: Train) -> None:
    class Dropping(TinyAutoencoder):
        def __init__(self) -> None:
            super().__init__()
            self.dropout = nn.Dropout(0.2)

        def forward(self, x: Tensor) -> Tensor:
            return super().forward(self.dropout(x))

    def once(seed: int) -> tuple[list[tuple[float, float, float | None]], dict[str, Tensor]]:
        module = Dropping()
        module.load_state_dict(tiny().state_dict())
        torch.rand(seed + 1)
        training = run(replace(settings, seed=seed), module)
        rows = [(row.loss, row.reconstruction, row.validation) for row in training.history.epochs]
        return rows, training.last_weights

    rows, weights = once(0)
    again, same = once(0)
    other, _ = once(1)
    assert rows == again
    assert rows != other
    assert all(torch.equal(weights[name], same[name]) for name in weights)


def test_the_global_random_state_is_left_as_it_was() -> None:
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    run(QUICK)
    assert torch.equal(torch.rand(2), expected)


def test_the_last_batch_is_kept_and_counts_by_its_images() -> None:
    still = replace(QUICK, batch=16, epochs=1, optimizer=Optimizer("sgd", lr=0.0))
    training = run(still)
    assert training.step == 3
    with torch.no_grad():
        images = blobs()[:40]
        expected = functional.mse_loss(tiny()(images), images).item()
    assert training.history.epochs[0].reconstruction == pytest.approx(expected, rel=1e-5)


def test_an_epoch_takes_every_image_once_in_a_new_order() -> None:
    batches = Batches(torch.arange(10.0).view(10, 1, 1, 1), torch.tensor([1, 3, 5, 7, 9]))
    first = joined(batches.shuffled(2, seed=1)).seen.flatten().tolist()
    second = joined(batches.shuffled(2, seed=2)).seen.flatten().tolist()
    assert sorted(first) == sorted(second) == [1, 3, 5, 7, 9]
    assert first != second
    assert joined(batches.in_order(2)).seen.flatten().tolist() == [1, 3, 5, 7, 9]
    assert batches.spread(3).index.tolist() == [1, 5, 9]


def test_penalties_are_in_the_loss_and_not_in_the_reconstruction() -> None:
    still = replace(QUICK, epochs=1, optimizer=Optimizer("sgd", lr=0.0))
    plain = run(still).history.epochs[0]
    penalised = run(
        still, penalties=[Penalty("encoder.0.weight", 0.0, 0.5)], code=[Term("l1", 0.01, "bottleneck")]
    ).history.epochs[0]
    module = tiny()
    with torch.no_grad():
        weights = 0.5 * module.encoder[0].weight.square().sum().item()
        code = 0.01 * module.encoder(blobs()[:40]).abs().flatten(1).sum(1).mean().item()
    assert plain.loss == plain.reconstruction
    assert penalised.reconstruction == pytest.approx(plain.reconstruction, rel=1e-6)
    assert penalised.validation == pytest.approx(plain.validation, rel=1e-6)
    assert penalised.loss - penalised.reconstruction == pytest.approx(weights + code, rel=1e-5)


def test_a_code_penalty_makes_codes_smaller_and_leaves_no_hook() -> None:
    free, sparse = (
        run(replace(QUICK, epochs=10)).module,
        run(replace(QUICK, epochs=10), code=[Term("l1", 0.1, "bottleneck")]).module,
    )
    with torch.no_grad():
        assert sparse.encoder(blobs()).abs().sum() < 0.5 * free.encoder(blobs()).abs().sum()
    assert not sparse.bottleneck._forward_hooks


def test_a_step_is_the_one_that_plain_pytorch_takes() -> None:
    settings = replace(QUICK, batch=40, epochs=1, clip=0.01, loss=Loss((LossTerm("bce", 2.0),), "sum"))
    training = prepare(tiny(), blobs(), settings, penalties=[Penalty("decoder.1.weight", 0.0, 1e-2)])
    reference = tiny()
    optimizer = torch.optim.Adam(reference.parameters(), lr=1e-2)
    for _ in range(5):
        training.module.train()
        training.take_step(Sample.of(blobs()[:40]))
        optimizer.zero_grad()
        x = blobs()[:40]
        loss = 2 * 36 * functional.binary_cross_entropy(reference(x), x)
        (loss + 1e-2 * reference.decoder[1].weight.square().sum()).backward()
        nn.utils.clip_grad_norm_(reference.parameters(), 0.01)
        optimizer.step()
    for mine, theirs in zip(training.module.parameters(), reference.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-5)


OTHER_VALUES = {
    "momentum": 0.5,
    "beta1": 0.8,
    "beta2": 0.9,
    "eps": 1e-6,
    "weight_decay": 0.1,
    "rho": 0.7,
    "alpha": 0.7,
    "lr_decay": 0.2,
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_takes_its_settings(name: str) -> None:
    own = {option.name for option in OPTIMIZERS[name].own}
    assert own <= {*OTHER_VALUES, "nesterov", "eps_hat"}
    given = {option: value for option, value in OTHER_VALUES.items() if option in own}
    settings = Optimizer(name, 1e-3, {**given, "nesterov": True} if "nesterov" in own else given)
    group = run(replace(QUICK, epochs=1, optimizer=settings)).optimizer.param_groups[0]
    assert group["lr"] == 1e-3
    assert group["weight_decay"] == 0.1
    if "beta1" in own:
        assert group["betas"] == (0.8, 0.9)
    for option in given.keys() - {"beta1", "beta2"}:
        assert group[option] == given[option]
    assert group.get("nesterov", False) == ("nesterov" in own)


def test_the_schedule_moves_the_rate_and_is_recorded() -> None:
    training = run(replace(QUICK, epochs=4, schedule=Schedule("step", {"at": 2, "factor": 0.1})))
    assert [row.lr for row in training.history.epochs] == pytest.approx([1e-2, 1e-2, 1e-3, 1e-3])


def test_plateau_follows_the_validation_loss() -> None:
    stuck = replace(
        QUICK, epochs=6, optimizer=Optimizer("sgd", lr=1e-30), schedule=Schedule("plateau", {"patience": 1})
    )
    rates = [row.lr for row in run(stuck).history.epochs]
    assert rates == pytest.approx([1e-30, 1e-30, 1e-30, 1e-31, 1e-31, 1e-32])


def test_averaged_weights_lag_behind_and_are_the_ones_kept() -> None:
    plain, averaged = run(replace(QUICK, epochs=1)), run(replace(QUICK, epochs=1, ema=0.999))
    assert averaged.average is not None
    start, name = tiny().state_dict(), "decoder.1.bias"
    moved = (plain.last_weights[name] - start[name]).abs().item()
    lagging = (averaged.last_weights[name] - start[name]).abs().item()
    assert 0 < lagging < moved
    assert averaged.module.state_dict()[name].item() == averaged.best_weights[name].item()


def test_averages_are_the_recurrence_with_a_short_memory_at_first() -> None:
    module = nn.Linear(1, 1, bias=False)
    module.weight.data.fill_(1.0)
    average = WeightAverage(module, 0.25)
    expected = 1.0
    for update, value in enumerate((2.0, 4.0, 8.0), start=1):
        module.weight.data.fill_(value)
        average.update()
        decay = min(0.25, (1 + update) / (10 + update))
        expected = decay * expected + (1 - decay) * value
    average.swap()
    assert module.weight.item() == pytest.approx(expected)
    average.swap()
    assert module.weight.item() == 8.0


def test_averages_include_the_statistics_of_a_normalisation() -> None:
    module = nn.BatchNorm1d(1)
    average = WeightAverage(module, 0.25)
    for value in (2.0, 4.0):
        module.running_mean.fill_(value)
        average.update()
    average.swap()
    first = (1 - 2 / 11) * 2.0
    assert module.running_mean.item() == pytest.approx(3 / 12 * first + (1 - 3 / 12) * 4.0)
    assert module.num_batches_tracked.item() == 0


def test_patience_ends_a_run_that_does_not_get_better() -> None:
    training = run(replace(QUICK, epochs=50, stop=Stop(patience=3), optimizer=Optimizer("sgd", lr=0.0)))
    assert training.history.ended == "patience"
    assert len(training.history.epochs) == 4


def test_time_ends_a_run_after_the_step_it_is_in() -> None:
    training = run(replace(QUICK, epochs=50, stop=Stop(after=1e-9)))
    assert training.history.ended == "time"
    assert [row.step for row in training.history.epochs] == [1]


def test_an_interruption_ends_the_run_after_its_step_and_keeps_what_was_learned() -> None:
    training = prepare(tiny(), blobs(), QUICK, **SPLIT)

    class Interrupting(Callback):
        def on_step(self, training: Training, step: Step) -> str | None:
            return "interrupted" if step.step >= 4 else None

    training.callbacks = [Interrupting()]
    history = training.run()
    assert history.ended == "interrupted"
    assert [row.step for row in history.epochs] == [3, 4]
    assert history.epochs[-1].validation is not None


def test_without_validation_images_the_training_error_decides() -> None:
    training = run(replace(QUICK, epochs=2), validation=None)
    assert [row.validation for row in training.history.epochs] == [None, None]
    assert training.history.best is training.history.epochs[1]


def test_the_validation_of_a_denoiser_sees_the_same_noise_each_time() -> None:
    training = prepare(tiny(), blobs(), replace(QUICK, corrupt=Corrupt({"gaussian": 0.5})), **SPLIT)
    clean = prepare(tiny(), blobs(), QUICK, **SPLIT)
    assert training.validate() == training.validate()
    assert training.validate() != clean.validate()


@pytest.mark.parametrize(("clip", "remedy"), [(None, "`clip 1.0`"), (1.0, "smaller learning rate")])
def test_a_loss_that_is_not_finite_ends_the_run_at_its_step(clip: float | None, remedy: str) -> None:
    class Exploding(TinyAutoencoder):
        calls = 0

        def forward(self, x: Tensor) -> Tensor:
            self.calls += self.training
            return super().forward(x) * (math.nan if self.calls >= 5 else 1)

    training = prepare(Exploding(), blobs(), replace(QUICK, clip=clip), **SPLIT)
    with pytest.raises(NotFiniteError) as error:
        training.run()
    assert "nan at step 5 (epoch 2)" in str(error.value)
    assert remedy in str(error.value)
    assert ("`clip 1.0`" in str(error.value)) == (clip is None)
    assert training.history.ended == "failed"
    assert all(weight.isfinite().all() for weight in training.best_weights.values())


def test_non_finite_weights_after_the_last_step_are_noticed() -> None:
    training = prepare(tiny(), blobs(), QUICK, **SPLIT)
    nn.init.constant_(training.module.get_parameter("decoder.1.bias"), math.nan)
    with pytest.raises(NotFiniteError, match="validation loss is nan after step 0"):
        training.validate()


class Normalising(TinyAutoencoder):
    """A batch normalisation on a 1x1 map."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Conv2d(1, 4, 6), nn.BatchNorm2d(4))
        self.decoder = nn.Sequential(nn.ConvTranspose2d(4, 1, 6), nn.Sigmoid())


def test_a_last_batch_of_one_image_is_refused_where_it_cannot_be_normalised() -> None:
    with pytest.raises(TrainingError, match=r"41 images in batches of 20.*`batch 19`"):
        prepare(Normalising(), blobs(), replace(QUICK, batch=20), train=torch.arange(41))
    with pytest.raises(TrainingError, match="only one training image"):
        prepare(Normalising(), blobs(), QUICK, train=torch.arange(1))
    prepare(Normalising(), blobs(), replace(QUICK, batch=19, epochs=1), train=torch.arange(41)).run()
    prepare(tiny(), blobs(), replace(QUICK, batch=20, epochs=1), train=torch.arange(41)).run()


def test_no_image_to_train_on_is_refused() -> None:
    with pytest.raises(TrainingError, match="no training images"):
        prepare(tiny(), blobs(), QUICK, train=torch.arange(0))
    with pytest.raises(TrainingError, match="no weights to train"):
        prepare(nn.MaxPool2d(2), blobs(), QUICK)


def test_out_of_memory_names_the_batch() -> None:
    with pytest.raises(TrainingError, match=r"batch 64.*train.batch=32"), memory_errors(64):
        raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried 1 byte")
    with pytest.raises(RuntimeError, match="something else"), memory_errors(64):
        raise RuntimeError("something else")


@pytest.mark.parametrize("accumulate", [2, 3, 16, 50])
def test_accumulated_gradients_are_those_of_the_whole_batch(accumulate: int) -> None:
    """This includes the last batch, of 8 images, and penalties on weights and code."""
    settings = replace(QUICK, clip=0.5, loss=Loss((LossTerm("mse"), LossTerm("ssim", 0.3)), "sum"))
    options = {"penalties": [Penalty("encoder.0.weight", 0.0, 0.5)], "code": [Term("l1", 0.01, "bottleneck")]}
    whole, parts = run(settings, **options), run(replace(settings, accumulate=accumulate), **options)
    assert parts.step == whole.step == 9
    for name, value in whole.last_weights.items():
        torch.testing.assert_close(parts.last_weights[name], value, rtol=1e-4, atol=1e-5)
    for one, other in zip(whole.history.epochs, parts.history.epochs, strict=True):
        assert list(other.terms.values()) == pytest.approx(list(one.terms.values()), rel=1e-4)
        assert (other.loss, other.validation) == pytest.approx((one.loss, one.validation), rel=1e-4)


def test_accumulating_computes_parts_of_the_batch() -> None:
    sizes: list[int] = []

    class Counting(TinyAutoencoder):
        def forward(self, x: Tensor) -> Tensor:
            sizes.append(len(x))
            return super().forward(x)

    run(replace(QUICK, epochs=1, accumulate=3), Counting(), validation=None)
    assert sizes == [5, 5, 6, 5, 5, 6, 2, 3, 3]


def test_a_part_of_one_image_is_refused_where_it_cannot_be_normalised() -> None:
    with pytest.raises(TrainingError, match=r"one of the 20 parts of a batch.*`batch 4\d`"):
        prepare(Normalising(), blobs(), replace(QUICK, batch=20, accumulate=20), train=torch.arange(40))


class NormalisingEach(TinyAutoencoder):
    """An instance normalisation between two convolutions."""

    def __init__(self) -> None:
        super().__init__()
        norm = nn.InstanceNorm2d(4, affine=True)
        self.encoder = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), norm, nn.Conv2d(4, 2, 3, 2, 1))
        self.decoder = nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(2, 1, 3, padding=1), nn.Sigmoid())


def test_a_single_image_is_normalised_with_the_right_gradient() -> None:
    """PyTorch's instance normalisation has a wrong one where channels are last in memory."""
    torch.manual_seed(0)
    whole, single = NormalisingEach(), NormalisingEach()
    single.load_state_dict(whole.state_dict())
    settings = replace(QUICK, optimizer=Optimizer("sgd", lr=0.5))
    expected, found = run(settings, whole).last_weights, run(replace(settings, accumulate=16), single).last_weights
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, rtol=1e-4, atol=1e-5)
    assert "forward" not in vars(single.encoder[1])
