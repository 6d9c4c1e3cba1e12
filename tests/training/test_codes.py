"""Codes with a loss of their own: their terms, the warm-up, and their statistics."""

from math import exp, log

import pytest
import torch
from torch import Tensor
from torch.distributions import Bernoulli, Normal, kl_divergence

from caedsl import check
from caedsl.api import load
from caedsl.backends.torch.draws import Draws
from caedsl.backends.torch.instantiate import ConvolutionalAutoencoder, build
from caedsl.backends.torch.lower import lower
from caedsl.backends.torch.modules import Quantizer
from caedsl.data.sample import Sample, joined
from caedsl.facts.code import code_terms
from caedsl.training.batches import Batches
from caedsl.training.code_use import code_use, measure_of
from caedsl.training.loop import Callback, Training
from caedsl.training.prepare import prepare

SPEC = """autoencoder codes
input 1x8x8 in 0..1
encoder {{ conv 4 s2 relu }}
bottleneck {code}
decoder mirror output=sigmoid
train {{ loss bce reduction={reduction}; optimizer adam lr=1e-2; batch 8; epochs 5; precision fp32 {more} }}
"""


def training(code: str, reduction: str = "mean", held_out: int = 0, more: str = "") -> Training:
    model = load(SPEC.format(code=code, reduction=reduction, more=more))
    assert model.train is not None
    torch.manual_seed(0)
    images = torch.rand(32, 1, 8, 8)
    index = torch.arange(32)
    return prepare(
        build(model),
        images,
        model.train,
        train=index[held_out:],
        validation=index[:held_out],
        code=lower(model).terms,
    )


@pytest.mark.parametrize("code", ["variational 3", "variational conv 2"])
def test_free_nats_are_free_for_the_whole_code_of_each_sample(code: str) -> None:
    torch.manual_seed(0)
    module = build(load(SPEC.format(code=f"{code} free_nats=4", reduction="mean", more="")))
    h = module.bottleneck[:-1](module.encoder(torch.rand(6, 1, 8, 8))).detach() * torch.logspace(-1, 0.7, 6).view(
        6, *[1] * (1 if code == "variational 3" else 3)
    )
    mean, log_variance = h.chunk(2, dim=1)
    each = kl_divergence(Normal(mean, (log_variance / 2).exp()), Normal(0.0, 1.0)).flatten(1).sum(1)
    assert (each < 4).any() and (each > 4).any()
    divergence: Tensor = module.bottleneck[-1].divergence(h)  # type: ignore[operator]
    torch.testing.assert_close(divergence, each.clamp(min=4).mean())


@pytest.mark.parametrize("code", ["variational 5", "variational conv 2"])
@pytest.mark.parametrize(("reduction", "divided_by"), [("sum", 1), ("mean", 64)])
def test_beta_of_one_is_the_evidence_lower_bound(code: str, reduction: str, divided_by: int) -> None:
    run = training(code, reduction)
    module = run.module
    assert isinstance(module, ConvolutionalAutoencoder)
    x = torch.rand(6, 1, 8, 8)
    with run.stepping():
        torch.manual_seed(3)
        prediction = module.train()(x)
        sample = run.sample(Sample.of(x), Draws(0).begin(0, len(x)), run.processes.share_of_batch(x))
        losses = run.objective(module, prediction, sample)
    mean, log_variance = module.bottleneck[:-1](module.encoder(x)).chunk(2, dim=1)
    posterior = Normal(mean, (log_variance / 2).exp())
    divergence = kl_divergence(posterior, Normal(0.0, 1.0)).flatten(1).sum(1)
    likelihood = Bernoulli(prediction, validate_args=False).log_prob(x).flatten(1).sum(1)
    torch.testing.assert_close(losses.total, (divergence - likelihood).mean() / divided_by)
    torch.testing.assert_close(losses.terms["kl"], divergence.mean() / divided_by)


def test_the_weight_rises_over_the_warmup() -> None:
    run = training("variational 5 beta=0.5 warmup=40%")
    (term,) = run.objective.code
    assert [term.factor(step, 20) for step in (0, 3, 7, 8, 19)] == [1 / 8, 0.5, 1.0, 1.0, 1.0]
    assert [training("variational 5").objective.code[0].factor(step, 20) for step in (0, 19)] == [1.0, 1.0]
    still, rising = training("variational 5"), training("variational 5 warmup=40%")
    x = torch.rand(8, 1, 8, 8)
    rising.module.load_state_dict(still.module.state_dict())
    first = []
    for run in (still, rising):
        with run.stepping():
            first.append(run.take_step(Sample.of(x)).terms["kl"])
    torch.testing.assert_close(first[1], first[0] / 8)


def test_the_capacity_rises_over_the_warmup_and_its_distance_costs() -> None:
    run = training("variational 5 beta=3 capacity=7 warmup=40%", "sum")
    plain = training("variational 5", "sum")
    plain.module.load_state_dict(run.module.state_dict())
    x = torch.rand(8, 1, 8, 8)
    for rising in (1 / 8, 2 / 8):
        plain.module.load_state_dict(run.module.state_dict())
        with plain.stepping():
            divergence = plain.take_step(Sample.of(x)).terms["kl"]
        with run.stepping():
            term = run.take_step(Sample.of(x)).terms["kl"]
        torch.testing.assert_close(term, 3 * (divergence - 7 * rising).abs(), rtol=1e-3, atol=1e-3)


def test_a_code_takes_its_capacity() -> None:
    spec = SPEC.replace("epochs 5", "epochs 100").format(
        code="variational 5 beta=100 capacity=2", reduction="sum", more=""
    )
    model = load(spec)
    assert model.train is not None
    run = prepare(build(model), torch.rand(32, 1, 8, 8), model.train, code=lower(model).terms)
    assert run.run().epochs[-1].code["kl_nats"] == pytest.approx(2, abs=0.5)
    assert code_terms(model) == "100 |kl - 2|"
    warming = load(spec.replace("capacity=2", "capacity=2 warmup=20%"))
    assert code_terms(warming) == "100 |kl - 2|, the capacity rising from 0 over 20% of the steps"


@pytest.mark.parametrize("held_out", [0, 12])
@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("variational 5", ("code_loss", "kl_nats", "active_units")),
        ("quantized 8x3", ("code_loss", "perplexity", "used_codes")),
        ("dense 5 l1=1e-3", ("code_loss",)),
        ("dense 5", ()),
    ],
)
def test_the_history_tells_what_the_code_carries(code: str, names: tuple[str, ...], held_out: int) -> None:
    run = training(code, held_out=held_out)
    history = run.run()
    assert history.code == names
    assert all(tuple(row.code) == names for row in history.epochs)
    header, *lines = history.to_csv().splitlines()
    assert header.split(",")[len(header.split(",")) - len(names) :] == list(names)
    assert all(len(line.split(",")) == len(header.split(",")) for line in lines)


@pytest.mark.parametrize("held_out", [0, 12])
def test_the_best_epoch_is_evaluated_with_the_divergence_at_its_full_weight(held_out: int) -> None:
    run = training("variational 5 beta=4 warmup=99%", "sum", held_out)
    module = run.module
    assert isinstance(module, ConvolutionalAutoencoder)
    kept = []

    class Keeping(Callback):
        def on_epoch(self, training: Training) -> None:
            images = joined((training.validation or training.train).in_order(32)).seen
            with torch.no_grad():
                h = module.bottleneck[:-1](module.encoder(images))
            mean, log_variance = h.chunk(2, dim=1)
            posterior = Normal(mean, (log_variance / 2).exp())
            kept.append(4 * kl_divergence(posterior, Normal(0.0, 1.0)).flatten(1).sum(1).mean().item())

    run.callbacks = [Keeping()]
    history = run.run()
    assert [row.code["code_loss"] for row in history.epochs] == pytest.approx(kept, rel=1e-5)
    for row in history.epochs:
        reconstruction = row.validation if held_out else row.reconstruction
        assert reconstruction is not None
        assert row.selection_loss == reconstruction + row.code["code_loss"]
    assert history.best == min(history.epochs, key=lambda row: row.selection_loss)


def _module(code: str) -> ConvolutionalAutoencoder:
    return build(load(SPEC.format(code=code, reduction="mean", more=""))).eval()


def test_active_units_are_those_whose_mean_differs_between_images() -> None:
    module = _module("variational 3")
    dense = module.bottleneck[-2]
    weight, bias = dense.get_parameter("weight"), dense.get_parameter("bias")
    with torch.no_grad():
        weight[1], weight[3:], bias[3:] = 0.0, 0.0, 0.0
        weight[0] *= 10
        weight[2] *= 1e-6
    images = torch.rand(40, 1, 8, 8)
    use = code_use(module, Batches(images), 16)
    code = module.encode(images)
    assert use["active_units"] == float((code.var(0, correction=0) > 0.01).sum()) == 1.0
    nats = kl_divergence(Normal(code, 1.0), Normal(0.0, 1.0)).sum(1).mean()
    assert use["kl_nats"] == pytest.approx(nats.item(), rel=1e-4)


def test_perplexity_counts_the_vectors_that_are_used() -> None:
    module = _module("quantized 4x2")
    with torch.no_grad():
        module.get_buffer("bottleneck.1.codebook").copy_(torch.tensor([[0.0, 0], [9, 0], [0, 9], [9, 9]]))
    images = torch.rand(20, 1, 8, 8)
    for bias, used in (([0.0, 0.0], 0.25), ([9.0, 9.0], 0.25)):
        convolution = module.bottleneck[0]
        with torch.no_grad():
            convolution.get_parameter("weight").zero_()
            convolution.get_parameter("bias").copy_(torch.tensor(bias))
        use = code_use(module, Batches(images), 7)
        assert (use["perplexity"], use["used_codes"]) == (pytest.approx(1.0), used)
    quantizer, h = module.bottleneck[-1], torch.tensor([[0.0, 0], [0, 0], [0, 0], [9, 9]]).view(4, 2, 1)
    indices: Tensor = quantizer.indices(h)  # type: ignore[operator]
    assert indices.flatten().tolist() == [0, 0, 0, 3]
    shares = (0.75, 0.25)
    measure = measure_of(module)
    assert measure is not None
    perplexity, part = measure.of(quantizer, [h[:3], h[3:]])
    assert perplexity == pytest.approx(exp(-sum(share * log(share) for share in shares)))
    assert part == 0.5


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("vectors", [6, 600])
def test_training_finds_the_same_vectors_of_which_the_first_is_taken(vectors: int, dtype: torch.dtype) -> None:
    quantizer = Quantizer(vectors, 3).to(dtype)
    quantizer.codebook.copy_(torch.randn(vectors, 3))
    quantizer.codebook[vectors // 2 :] = quantizer.codebook[: vectors // 2].clone()
    h = torch.randn(3, 3, 20, 20, dtype=dtype)
    found = [quantizer.train(trains).indices(h) for trains in (True, False)]
    assert torch.equal(*found)
    assert found[0].max() < vectors // 2
    assert len(found[0].unique()) > 0.4 * vectors


def test_a_codebook_that_is_trained_moves_by_its_own_gradient() -> None:
    module = _module("quantized 8x3 update=gradient").train()
    quantizer, h = module.bottleneck[-1], torch.rand(4, 3, 2, 2, requires_grad=True)
    codebook = quantizer.get_parameter("codebook")
    assert [*quantizer.state_dict()] == ["codebook"]
    nearest = codebook[quantizer.indices(h)].movedim(-1, 1)  # type: ignore[operator]
    squared = (h - nearest).square().mean()
    for method, moved, kept in (("distance", codebook, h), ("divergence", h, codebook)):
        value: Tensor = getattr(quantizer, method)(h)
        torch.testing.assert_close(value, squared)
        gradient, nothing = torch.autograd.grad(value, (moved, kept), allow_unused=True, retain_graph=True)
        assert nothing is None
        torch.testing.assert_close(gradient, torch.autograd.grad(squared, moved, retain_graph=True)[0])
    before = codebook.detach().clone()
    quantizer(h)
    assert torch.equal(codebook, before)


def test_both_distances_are_terms_of_the_loss() -> None:
    run = training("quantized 8x3 commit=0.5 update=gradient")
    assert [(term.name, term.weight) for term in run.objective.code] == [("commitment", 0.5), ("codebook", 1.0)]
    assert {"commitment", "codebook"} <= set(run.objective.names)
    run.run()


@pytest.mark.parametrize(("reduction", "values"), [("mean", 1), ("sum", 64)])
def test_the_distances_are_means_over_the_code_scaled_as_the_reconstruction(reduction: str, values: int) -> None:
    run = training("quantized 8x3 commit=0.5 update=gradient", reduction)
    module, x = run.module, torch.rand(6, 1, 8, 8)
    assert isinstance(module, ConvolutionalAutoencoder)
    with run.stepping():
        prediction = module.train()(x)
        sample = run.sample(Sample.of(x), Draws(0).begin(0, len(x)), run.processes.share_of_batch(x))
        losses = run.objective(module, prediction, sample)
    h = module.bottleneck[0](module.encoder(x))
    distance = (h - module.bottleneck[1].nearest(h)).square().mean()  # type: ignore[operator]
    torch.testing.assert_close(losses.terms["commitment"], 0.5 * values * distance)
    torch.testing.assert_close(losses.terms["codebook"], values * distance)


def test_the_share_of_used_vectors_is_of_those_that_the_positions_could_use() -> None:
    quantizer, positions = _module("quantized 512x2").bottleneck[-1], torch.tensor([[1.0, 2], [3, 4], [5, 6]])
    with torch.no_grad():
        quantizer.get_buffer("codebook")[:3] = positions
    measure = measure_of(_module("quantized 512x2"))
    assert measure is not None
    assert measure.of(quantizer, [positions.view(3, 2, 1)]) == (pytest.approx(3.0), 1.0)


def test_the_vectors_of_a_trained_codebook_start_as_far_apart_as_the_spec_says() -> None:
    codebook = _module("quantized 64x3 update=gradient spread=0.3 init=torch").bottleneck[-1].get_parameter("codebook")
    assert 0.25 < codebook.abs().max() < 0.3


@pytest.mark.parametrize(("options", "way"), [("update=gradient ema=0.9", "ema"), ("spread=0.3", "gradient")])
def test_an_option_of_the_other_way_to_learn_has_no_effect(options: str, way: str) -> None:
    spec = SPEC.format(code=f"quantized 8x3 {options}", reduction="mean", more="")
    (found,) = [finding for finding in check(spec) if finding.name == "option-without-effect"]
    assert found.message.endswith(f"has no effect on this line: it belongs to `update={way}`")


@pytest.mark.parametrize("code", ["dense 12 topk=4", "conv 3 topk=7"])
def test_exactly_so_many_numbers_of_a_code_stay(code: str) -> None:
    module, x = _module(code), torch.rand(5, 1, 8, 8)
    before = torch.randn_like(module.encode(x)).requires_grad_()
    chosen = module.bottleneck[-1](before)
    kept = 4 if "dense" in code else 7
    assert (chosen.flatten(1) != 0).sum(1).tolist() == [kept] * 5
    left = torch.where(chosen == 0, before, -torch.inf).flatten(1)
    assert bool((left.amax(1) <= torch.where(chosen == 0, torch.inf, chosen).flatten(1).amin(1)).all())
    weights = torch.rand_like(chosen)
    (gradient,) = torch.autograd.grad((chosen * weights).sum(), before)
    assert torch.equal(gradient, torch.where(chosen != 0, weights, 0.0))
    made = module.bottleneck[:-1](module.encoder(x))
    assert torch.equal(module.encode(x), module.bottleneck[-1](made))
    assert torch.equal(module.decode(module.encode(x)), module(x))


@pytest.mark.parametrize(("code", "axes"), [("dense 12 sigmoid", (0,)), ("conv 3 sigmoid", (0, 2, 3))])
def test_sparsity_is_the_divergence_of_the_means_of_units(code: str, axes: tuple[int, ...]) -> None:
    module, x = _module(f"{code} sparsity=5%"), torch.rand(5, 1, 8, 8)
    h = module.encode(x)
    mean = h.mean(axes)
    expected = kl_divergence(Bernoulli(0.05 * torch.ones_like(mean)), Bernoulli(mean)).sum()
    divergence: Tensor = module.bottleneck[-1].divergence(h)  # type: ignore[operator]
    torch.testing.assert_close(divergence, expected)


def test_a_sparse_code_becomes_sparse_and_its_term_is_named() -> None:
    means = []
    for more in ("", " sparsity=5% sparsity_weight=20"):
        run = training(f"dense 12 sigmoid{more}", reduction="sum")
        run.run()
        assert isinstance(run.module, ConvolutionalAutoencoder)
        means.append(float(run.module.encode(torch.rand(32, 1, 8, 8)).detach().mean()))
    assert run.objective.names[-1] == "sparsity_kl"
    assert means[1] < 0.5 * means[0]


@pytest.mark.parametrize(
    ("code", "name", "message"),
    [
        ("dense 12 topk=12", "out-of-domain", "`topk=12` keeps all of a code of 12 numbers"),
        ("dense 12 topk=0", "out-of-domain", "`topk` is `0`"),
        ("dense 12 sparsity=5%", "contradicting-options", "`linear` returns numbers beyond 0..1"),
        ("dense 12 sigmoid topk=2 sparsity=5%", "contradicting-options", "`topk=` sets numbers to 0, but"),
        ("dense 12 sigmoid sparsity_weight=3", "option-without-effect", "it belongs to `sparsity=`"),
        ("variational 4 free_bits=1 free_nats=4", "contradicting-options", "`free_nats=` is free for their sum"),
        ("variational 4 free_nats=4 capacity=9", "contradicting-options", "`capacity=` is the only divergence"),
        (
            "variational 4 capacity=9 free_bits=1 free_nats=4",
            "contradicting-options",
            "`free_bits=` is free for each number of the code, `free_nats=` is free for their sum, but `capacity=` is",
        ),
        ("dense 12 sigmoid sparsity=1", "out-of-domain", "`sparsity` is `1`"),
        ("dense 12 sparse=0.1", "unknown-option", 'unknown option "sparse"'),
        ("variational 12 topk=3", "unknown-option", 'unknown option "topk"'),
    ],
)
def test_a_sparse_code_that_cannot_be_is_one_finding(code: str, name: str, message: str) -> None:
    findings = check(SPEC.format(code=code, reduction="mean", more=""))
    found = [finding for finding in findings if finding.severity.value == "error" or finding.name == name]
    assert [finding.name for finding in found] == [name]
    assert message in found[0].message


def test_a_code_of_an_encoder_that_joins_outputs_is_measured() -> None:
    spec = SPEC.replace("conv 4 s2 relu", "conv 4 as a; conv 4; concat a; conv 4 s2 relu")
    spec = spec.replace("decoder mirror output=sigmoid", "decoder {{ upsample 2; conv 1 sigmoid }}")
    model = load(spec.format(code="variational conv 3", reduction="mean", more=""))
    use = code_use(build(model).eval(), Batches(torch.rand(9, 1, 8, 8)), 4)
    assert set(use) == {"kl_nats", "active_units"}
