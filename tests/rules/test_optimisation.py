"""The optimisation rules: rates, steps and batches that cannot work, and folklore that no rule enforces."""

import pytest

from caedsl.diagnostics import Severity
from tests.rules.fragments import checked, fixed, found, place, the


def train(
    optimizer: str = "adam lr=1e-3", data: str = "mnist", batch: int = 128, epochs: int = 20, more: str = ""
) -> str:
    source = f"data {data}\n" if data else ""
    return f"{source}train {{\n  loss mse {more}\n  optimizer {optimizer}\n  batch {batch}\n  epochs {epochs}\n}}"


RULES = {"high-learning-rate", "low-learning-rate", "mismatched-sgd-rate", "too-few-steps", "oversized-batch"}


def names(fragment: str) -> set[str]:
    return {finding.name for finding in checked(fragment).findings} & RULES


@pytest.mark.parametrize(
    "optimizer",
    [
        "adam lr=0.03",
        "adam lr=1e-2",
        "adam lr=1e-4",
        "adamw lr=3e-3",
        "rmsprop lr=1e-3",
        "sgd lr=10",
        "sgd lr=1 momentum=0.9",
    ],
)
def test_rates_that_train_are_silent(optimizer: str) -> None:
    assert not names(train(optimizer))


def test_a_summed_loss_is_no_matter_to_adam() -> None:
    assert not names(train(more="reduction=sum"))


class TestHighLearningRate:
    @pytest.mark.parametrize("optimizer", ["adam lr=0.1", "adamw lr=0.05", "rmsprop lr=1"])
    def test_a_rate_that_throws_weights_away(self, optimizer: str) -> None:
        finding = the(train(optimizer), "high-learning-rate")
        assert finding.severity is Severity.WARNING
        assert place(train(optimizer), finding) == optimizer.split()[1]

    def test_the_rate_is_lowered(self) -> None:
        assert "adam lr=1e-3" in fixed(train("adam lr=0.1"), "high-learning-rate")

    def test_it_needs_no_data(self) -> None:
        assert found(train("adam lr=0.1", data=""), "high-learning-rate")

    def test_sgd_is_another_matter(self) -> None:
        assert not found(train("sgd lr=0.1"), "high-learning-rate")


class TestLowLearningRate:
    def test_steps_that_lead_nowhere(self) -> None:
        finding = the(train("adam lr=1e-6"), "low-learning-rate")
        assert finding.severity is Severity.WARNING
        assert finding.notes == ("1e-6 · 8,440 steps = 0.00844",)

    def test_the_rate_is_raised(self) -> None:
        assert "adam lr=1e-3" in fixed(train("adam lr=1e-6"), "low-learning-rate")

    def test_the_schedule_counts(self) -> None:
        border = "adam lr=2e-5\n  schedule"
        assert not found(train(f"{border} constant"), "low-learning-rate")
        assert found(train(f"{border} cosine"), "low-learning-rate")
        assert found(train(f"{border} step at=5"), "low-learning-rate")

    def test_a_schedule_that_falls_at_once_is_named(self) -> None:
        finding = the(train("adam lr=1e-3\n  schedule step at=1 factor=1e-9", "mnist limit=7000"), "low-learning-rate")
        assert "schedule" in finding.help
        assert finding.fix is None

    @pytest.mark.parametrize("data", ['folder "x/"', 'npy "x.npy"', ""])
    def test_an_unknown_number_of_images_is_silent(self, data: str) -> None:
        assert not found(train("adam lr=1e-9", data), "low-learning-rate")

    def test_a_limit_makes_it_known(self) -> None:
        assert found(train("adam lr=1e-6", 'folder "x/" limit=50000'), "low-learning-rate")


class TestMismatchedSgdRate:
    @pytest.mark.parametrize(("lr", "slow"), [(0.005, True), (0.02, True), (0.04, False), (0.3, False)])
    def test_small_images_need_fewer_steps(self, lr: float, slow: bool) -> None:
        """The sums are 52, 208, 416 and 3,120; on 28x28 images, the least is 800."""
        digits = "input 1x8x8\nencoder { conv 16 relu; conv 32 k4 s2 relu }\nbottleneck dense 8\n"
        text = digits + f"data digits\ntrain {{ loss mse; optimizer sgd lr={lr} momentum=0.9; batch 64; epochs 40 }}"
        assert bool(found(text, "mismatched-sgd-rate")) is slow

    @pytest.mark.parametrize("optimizer", ["sgd lr=1e-3", "sgd lr=1e-2", "sgd lr=1e-3 momentum=0.9"])
    def test_a_mean_is_too_low(self, optimizer: str) -> None:
        finding = the(train(optimizer), "mismatched-sgd-rate")
        assert finding.severity is Severity.WARNING
        assert "too low" in finding.message

    def test_a_sum_is_too_high(self) -> None:
        finding = the(train("sgd lr=0.1", more="reduction=sum"), "mismatched-sgd-rate")
        assert "a sum over 784 pixels has large gradients" in finding.message

    def test_the_scale_of_the_loss_does_not_matter_to_adam(self) -> None:
        assert "optimizer adam lr=1e-3" in fixed(train("sgd lr=1e-3"), "mismatched-sgd-rate")

    def test_a_linear_output_diverges_for_certain(self) -> None:
        linear = f"{train('sgd lr=1.1')}\ndecoder mirror output=linear"
        assert the(linear, "mismatched-sgd-rate").severity is Severity.ERROR
        assert not [
            f
            for f in found(linear.replace("1.1", "1.1 momentum=0.5"), "mismatched-sgd-rate")
            if f.severity is Severity.ERROR
        ]

    def test_the_proof_does_not_hold_where_the_rate_falls(self) -> None:
        cosine = f"{train('sgd lr=3')}\ndecoder mirror output=linear".replace("loss mse", "schedule cosine\n  loss mse")
        assert the(cosine, "mismatched-sgd-rate").severity is Severity.WARNING

    @pytest.mark.parametrize(
        "fragment",
        [
            train("sgd lr=0.1\n  clip 1", more="reduction=sum"),
            train("sgd lr=0.01", more="reduction=sum"),
            train("sgd lr=1e-3", data='folder "x/"'),
            train("sgd lr=1e-3").replace("loss mse", "loss mae"),
        ],
    )
    def test_silent(self, fragment: str) -> None:
        assert not found(fragment, "mismatched-sgd-rate")

    def test_unscaled_images_are_the_cause(self) -> None:
        fragment = f"input 1x28x28 in 0..255\n{train('sgd lr=1e-3')}\ndecoder mirror output=linear"
        assert not found(fragment, "mismatched-sgd-rate")
        assert found(fragment, "unscaled-data")


class TestTooFewSteps:
    def test_a_short_run(self) -> None:
        finding = the(train(data="mnist limit=1000", batch=32, epochs=3), "too-few-steps")
        assert finding.severity is Severity.WARNING
        assert finding.notes == ("ceil(900 images / 32) · 3 epochs = 29 · 3 = 87",)

    def test_the_epochs_are_raised(self) -> None:
        assert "epochs 35" in fixed(train(data="mnist limit=1000", batch=32, epochs=3), "too-few-steps")

    def test_epochs_that_are_not_written_are_added(self) -> None:
        fragment = "data mnist limit=100\ntrain {\n  loss mse\n  batch 8\n}"
        assert "  batch 8\n  epochs 84\n" in fixed(fragment, "too-few-steps")
        assert "batch 8; epochs 84 }" in fixed("data mnist limit=100\ntrain { loss mse; batch 8 }", "too-few-steps")

    def test_the_classes_are_counted(self) -> None:
        # 5,923 zeros minus 592 are 42 batches per epoch, 6,742 ones minus 674 are 48.
        assert the(train(data="mnist only=0", epochs=7), "too-few-steps").message.startswith("294 steps")
        assert not found(train(data="mnist only=1", epochs=7), "too-few-steps")

    def test_a_short_run_is_one_finding(self) -> None:
        assert names(train("adam lr=1e-4", "mnist limit=1000", 32, 3)) == {"too-few-steps"}
        assert names(train("sgd lr=1e-3", "mnist limit=1000", 32, 3)) == {"too-few-steps"}

    @pytest.mark.parametrize(
        "fragment", [train(epochs=1), train(data="", epochs=1), train(data='folder "x/"', epochs=1)]
    )
    def test_silent(self, fragment: str) -> None:
        assert not found(fragment, "too-few-steps")


class TestOversizedBatch:
    def test_a_batch_that_leaves_few_steps(self) -> None:
        fragment = train(data="mnist limit=8000", batch=4000, epochs=4)
        assert names(fragment) == {"oversized-batch"}
        assert "batch 32" in fixed(fragment, "oversized-batch")

    def test_the_smaller_the_data_the_smaller_the_batch(self) -> None:
        assert "batch 8\n" in fixed(train(data="digits limit=300", batch=256, epochs=10), "oversized-batch")

    def test_a_batch_larger_than_the_data_is_informed_of(self) -> None:
        finding = the(train(data="mnist limit=100", batch=128, epochs=500), "oversized-batch")
        assert finding.severity is Severity.INFO

    @pytest.mark.parametrize(
        "fragment",
        [train(data="digits", batch=256, epochs=100), train(batch=6000, epochs=100), train(data="", batch=10**6)],
    )
    def test_silent(self, fragment: str) -> None:
        assert not found(fragment, "oversized-batch")


@pytest.mark.parametrize("fixed_number", ["adam lr=1", "adam lr=1e-9", "sgd lr=1e-5"])
def test_nothing_is_reported_of_a_rate_that_is_found(fixed_number: str) -> None:
    assert names(train(fixed_number))
    assert not names(train(fixed_number.partition("=")[0] + "=auto"))


def test_nothing_is_reported_of_a_batch_that_is_found() -> None:
    wasteful = train(batch=60_000, epochs=4)
    assert names(wasteful)
    assert not names(wasteful.replace("batch 60000", "batch auto"))
    assert "too-few-steps" in names(train("adam lr=auto", epochs=1, batch=512))
