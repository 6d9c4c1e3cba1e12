"""The regularisation rules: penalties compared with the possible gain, dropout, and normalisation over few images."""

import pytest

from caedsl.diagnostics import Applicability, Severity
from tests.rules.fragments import fixed, found, place, the


def dense(l2: float, loss: str = "mse", optimizer: str = "adam lr=1e-3", data: str = "mnist") -> str:
    return (
        f"data {data}\ndefaults conv relu l2={l2}\nencoder {{ conv 16 k4 s2; conv 32 k4 s2 }}\n"
        f"bottleneck dense 32 l2={l2}\ntrain {{ loss {loss}; optimizer {optimizer} }}"
    )


def article(l2: float, lr: float, output: str = "") -> str:
    return (
        f"data mnist\nencoder {{ conv 64 relu l2={l2}; conv 32 relu l2={l2}; maxpool 2 }}\nbottleneck\n"
        f"decoder {{ deconv 32 relu l2={l2}; upsample 2; conv 64 relu l2={l2}; conv 1 sigmoid {output} }}\n"
        f"train {{ loss mse; optimizer adam lr={lr}; epochs 200 }}"
    )


def decayed(decay: float, loss: str = "mse", optimizer: str = "adam", data: str = "mnist") -> str:
    return dense(0, loss, f"{optimizer} lr=1e-3 weight_decay={decay}", data)


class TestStrongL2:
    @pytest.mark.parametrize("l2", [5e-4, 1e-3, 1e-2])
    def test_a_dense_code_gets_a_warning(self, l2: float) -> None:
        assert the(dense(l2), "strong-l2").severity is Severity.WARNING

    @pytest.mark.parametrize("lr", [1e-4, 1e-3])
    def test_the_article_is_only_slowed(self, lr: float) -> None:
        finding = the(article(1e-3, lr), "strong-l2")
        assert finding.severity is Severity.INFO
        assert "2%" in finding.message
        assert "slows" in finding.message

    @pytest.mark.parametrize("lr", [1e-4, 1e-3])
    def test_ten_times_the_articles_is_too_much(self, lr: float) -> None:
        assert the(article(1e-2, lr), "strong-l2").severity is Severity.WARNING

    def test_a_penalised_output_cannot_make_up_for_the_others(self) -> None:
        assert the(article(3e-3, 1e-3), "strong-l2").severity is Severity.INFO
        assert the(article(3e-3, 1e-3, "l2=3e-3"), "strong-l2").severity is Severity.WARNING

    def test_weights_of_zero_are_the_best_solution(self) -> None:
        assert "drives all weights to 0" in the(dense(1e-2), "strong-l2").message

    @pytest.mark.parametrize(
        ("data", "decay", "warned"),
        [
            ("mnist", 1e-4, False),
            ("mnist", 1e-3, True),
            ("fashion_mnist", 1e-3, False),
            ("mnist", 1e-2, True),
            ("fashion_mnist", 1e-2, True),
        ],
    )
    def test_the_weight_decays_of_the_pilot(self, data: str, decay: float, warned: bool) -> None:
        findings = found(decayed(decay, data=data), "strong-l2")
        assert any(finding.severity is Severity.WARNING for finding in findings) is warned

    def test_a_summed_loss_outweighs_the_penalty(self) -> None:
        assert not found(decayed(1e-3, "mse reduction=sum"), "strong-l2")

    def test_decoupled_decay_is_none(self) -> None:
        assert not found(decayed(1e-2, optimizer="adamw"), "strong-l2")

    def test_a_normalisation_frees_the_scale(self) -> None:
        assert not found(dense(1e-3).replace("relu l2", "relu norm=batch l2"), "strong-l2")

    @pytest.mark.parametrize("fragment", [dense(1e-5), dense(0), dense(1e-3).replace("train", "# train")])
    def test_silent(self, fragment: str) -> None:
        assert not found(fragment, "strong-l2")

    def test_every_penalty_is_lowered(self) -> None:
        text = fixed(dense(3e-3), "strong-l2")
        assert text.count("l2=1e-5") == 3
        assert "weight_decay=1e-5" in fixed(decayed(1e-2), "strong-l2")

    def test_a_penalty_beyond_all_numbers(self) -> None:
        assert the(dense(1e300), "strong-l2").severity is Severity.WARNING


class TestDropout:
    @pytest.mark.parametrize(
        ("line", "repaired"),
        [
            ("conv 8 relu dropout=90%", "conv 8 relu dropout=10%"),
            ("conv 8 relu; dropout 0.6", "conv 8 relu; dropout 10%"),
        ],
    )
    def test_most_is_dropped(self, line: str, repaired: str) -> None:
        fragment = f"encoder {{ {line}; maxpool 2 }}"
        assert the(fragment, "heavy-dropout").severity is Severity.WARNING
        assert repaired in fixed(fragment, "heavy-dropout")

    def test_a_repeated_line_is_one_finding(self) -> None:
        assert len(found("encoder { conv 8 relu dropout=90% x3; maxpool 2 }", "heavy-dropout")) == 1

    @pytest.mark.parametrize(
        "fragment",
        [
            "bottleneck dense 16 dropout=10%",
            "decoder { conv 8 relu dropout=50%; upsample 2; conv 1 sigmoid }",
            "decoder { dropout 10%; conv 8 relu; upsample 2; conv 1 sigmoid }",
        ],
    )
    def test_a_decoder_that_drops_is_informed_of(self, fragment: str) -> None:
        assert the(fragment, "decoder-dropout").severity is Severity.INFO
        assert not found(fragment, "heavy-dropout")

    def test_too_much_in_the_decoder_is_one_finding(self) -> None:
        fragment = "decoder { conv 8 relu dropout=80%; upsample 2; conv 1 sigmoid }"
        assert found(fragment, "heavy-dropout")
        assert not found(fragment, "decoder-dropout")

    @pytest.mark.parametrize("name", ["heavy-dropout", "decoder-dropout"])
    def test_a_little_in_the_encoder_is_silent(self, name: str) -> None:
        assert not found("encoder { conv 8 relu dropout=50%; maxpool 2; dropout 10% }", name)


class TestUnregularised:
    LARGE = "data mnist limit=1500\nencoder { conv 64 k4 s2 relu; conv 128 k4 s2 relu }\nbottleneck dense 256\ntrain { epochs 50%s }"

    def test_a_thousand_weights_an_image(self) -> None:
        assert the(self.LARGE % "", "unregularised").severity is Severity.INFO

    @pytest.mark.parametrize(
        "limit",
        [
            "augment flip",
            "corrupt gaussian=0.1",
            "stop patience=5",
            "optimizer adamw",
            "optimizer adam weight_decay=1e-4",
        ],
    )
    def test_any_limit_is_enough(self, limit: str) -> None:
        assert not found(self.LARGE % f"; {limit}", "unregularised")

    @pytest.mark.parametrize("data", ["mnist", "mnist limit=900", 'folder "x/"'])
    def test_silent(self, data: str) -> None:
        assert not found((self.LARGE % "").replace("mnist limit=1500", data), "unregularised")


class TestSmallBatchNorm:
    NORMED = "data %s\nencoder { conv 8 relu norm=batch; maxpool 2 }\ntrain { batch %d; epochs 60 }"
    SINGLE = "data %s\nencoder { conv 8 relu; maxpool 2; dense 16 relu norm=batch }\ntrain { batch %d; epochs 60 }"

    @pytest.mark.parametrize("batch", [1, 2, 3])
    def test_few_images(self, batch: int) -> None:
        fragment = self.NORMED % ("mnist", batch)
        assert the(fragment, "small-batch-norm").severity is Severity.INFO
        assert "norm=layer" in fixed(fragment, "small-batch-norm")

    @pytest.mark.parametrize(("batch", "severity"), [(1, Severity.WARNING), (3, Severity.WARNING), (2, Severity.INFO)])
    def test_few_numbers_a_channel(self, batch: int, severity: Severity) -> None:
        kernel = "k7 s7" if severity is Severity.INFO else "k14 s14"
        fragment = (self.NORMED % ("mnist", batch)).replace("relu norm=batch", f"{kernel} relu norm=batch")
        numbers = batch * (16 if severity is Severity.INFO else 4)
        finding = the(fragment.replace("; maxpool 2", ""), "small-batch-norm")
        assert finding.severity is severity
        assert f"{numbers} numbers per channel" in finding.message

    def test_one_number_a_channel_cannot_be_normalised(self) -> None:
        fragment = self.SINGLE % ("mnist", 1)
        assert the(fragment, "small-batch-norm").severity is Severity.ERROR
        assert "norm=layer" in fixed(fragment, "small-batch-norm")

    def test_a_larger_batch_is_offered_where_another_norm_would_change_what_is_required(self) -> None:
        required = (self.SINGLE % ("mnist", 1)).replace("norm=batch", "norm=batch affine=off eps=1e-3 momentum=0.2")
        assert "batch 32" in fixed(required, "small-batch-norm")

    def test_a_last_batch_of_one_image(self) -> None:
        fragment = self.SINGLE % ("mnist limit=1000", 31)
        assert 900 % 31 == 1
        assert the(fragment, "small-batch-norm").severity is Severity.ERROR
        assert "batch 30" in fixed(fragment, "small-batch-norm")

    @pytest.mark.parametrize(
        "fragment",
        [
            NORMED % ("mnist", 4),
            NORMED % ("mnist limit=1000", 31),
            SINGLE % ("mnist", 128),
            SINGLE % ('folder "x/"', 31),
            (NORMED % ("mnist", 2)).replace("norm=batch", "norm=group"),
        ],
    )
    def test_silent(self, fragment: str) -> None:
        assert not found(fragment, "small-batch-norm")


class TestUselessBias:
    @pytest.mark.parametrize("norm", ["batch", "instance"])
    def test_a_bias_that_is_taken_off(self, norm: str) -> None:
        fragment = f"encoder {{ conv 8 relu norm={norm} bias=on; maxpool 2 }}"
        assert place(fragment, the(fragment, "useless-bias")) == "bias=on"
        assert f"conv 8 relu norm={norm};" in fixed(fragment, "useless-bias", Applicability.SAFE)

    def test_it_is_taken_from_the_defaults(self) -> None:
        text = fixed("defaults conv norm=batch bias=on relu", "useless-bias", Applicability.SAFE)
        assert "defaults conv norm=batch relu\n" in text

    @pytest.mark.parametrize("options", ["norm=batch", "norm=layer bias=on", "norm=group groups=4 bias=on", "bias=on"])
    def test_silent(self, options: str) -> None:
        assert not found(f"encoder {{ conv 8 relu {options}; maxpool 2 }}", "useless-bias")


class TestStrongWeightDecay:
    def test_decoupled_decay(self) -> None:
        fragment = decayed(10, optimizer="adamw")
        assert the(fragment, "strong-weight-decay").severity is Severity.WARNING
        assert "weight_decay=0.01" in fixed(fragment, "strong-weight-decay")

    @pytest.mark.parametrize(
        "fragment",
        [
            decayed(0.01, optimizer="adamw"),
            decayed(10, optimizer="adamw", data='folder "x/"'),
            decayed(10, optimizer="adamw").replace("lr=1e-3", "lr=1e-5"),
        ],
    )
    def test_silent(self, fragment: str) -> None:
        assert not found(fragment, "strong-weight-decay")
