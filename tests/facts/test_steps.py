"""Steps, and the distance that weights can move in them."""

import pytest

from caedsl.facts.steps import better_batch, mean_factor, sgd_rate, steps, steps_per_epoch, travel
from caedsl.model.autoencoder import Autoencoder
from tests.resolve.written import model


def trained(settings: str, data: str = "data mnist", more: str = "") -> Autoencoder:
    return model(f"{data}\n{more}\ntrain {{ {settings} }}")


def test_the_last_batch_counts() -> None:
    spec = trained("batch 128; epochs 20")
    assert (steps_per_epoch(spec), steps(spec)) == (422, 8_440)


def test_unknown_images_make_unknown_steps() -> None:
    spec = trained("batch 128", 'data folder "x/"')
    assert (steps(spec), travel(spec), better_batch(spec)) == (None, None, None)


@pytest.mark.parametrize(
    "schedule",
    [
        "constant",
        "constant warmup=10%",
        "cosine",
        "cosine warmup=5%",
        "onecycle",
        "onecycle warmup=60%",
        "step at=5",
        "step at=12 factor=0.5 warmup=20%",
        "step at=19",
        "inverse decay=1e-3",
        "inverse decay=1e-5",
        "exponential gamma=0.9",
        "milestones 5 12",
    ],
)
@pytest.mark.parametrize("batch", [16, 128, 2048])
def test_the_mean_factor_is_that_of_the_schedule(schedule: str, batch: int) -> None:
    spec = trained(f"schedule {schedule}; epochs 20; batch {batch}")
    count, an_epoch, train = steps(spec), steps_per_epoch(spec), spec.train
    assert train is not None and count is not None and an_epoch is not None
    in_training = train.schedule.factors(range(count), count, an_epoch)
    assert mean_factor(spec) == pytest.approx(sum(in_training) / count, abs=2e-3)


def test_the_mean_factor_without_a_number_of_images_is_that_of_a_usual_run() -> None:
    spec = trained("schedule cosine; epochs 20", 'data folder "x/"')
    assert mean_factor(spec) == pytest.approx(0.5, abs=1e-3)


def test_travel_is_the_sum_of_the_rates() -> None:
    assert travel(trained("batch 128; epochs 20; optimizer adam lr=1e-3")) == pytest.approx(8.44)
    assert travel(trained("batch 128; epochs 20; optimizer adam lr=1e-3; schedule cosine")) == pytest.approx(
        4.22, rel=1e-3
    )


@pytest.mark.parametrize(
    ("settings", "output", "rate"),
    [
        ("loss mse; optimizer sgd lr=0.1", "sigmoid", 0.1),
        ("loss mse reduction=sum; optimizer sgd lr=0.1", "sigmoid", 78.4),
        ("loss mse; optimizer sgd lr=0.1 momentum=0.9", "sigmoid", 1.0),
        ("loss 2 mse; optimizer sgd lr=0.1", "sigmoid", 0.2),
        ("loss bce; optimizer sgd lr=0.1", "sigmoid", 0.3),
        ("loss mse; optimizer sgd lr=0.1", "linear", 1.6),
        ("loss mae; optimizer sgd lr=0.1", "sigmoid", None),
        ("loss mse + 0.1 ssim; optimizer sgd lr=0.1", "sigmoid", None),
    ],
)
def test_the_rate_of_sgd_on_one_scale(settings: str, output: str, rate: float | None) -> None:
    spec = trained(settings, more=f"decoder {{ upsample 2; conv 1 {output} }}")
    assert spec.train is not None
    assert sgd_rate(spec, spec.train) == (rate if rate is None else pytest.approx(rate))


@pytest.mark.parametrize(
    ("settings", "batch"),
    [
        ("batch 4000; epochs 4", 32),
        ("batch 4000; epochs 1", 8),
        ("batch 4000; epochs 200", None),
        ("batch 4000; epochs 2", 16),
        ("batch 100; epochs 1", None),
    ],
)
def test_the_largest_batch_that_gives_enough_steps(settings: str, batch: int | None) -> None:
    assert better_batch(trained(settings, "data mnist limit=8000")) == batch
