"""Preprocessing of the data line: measured on the training samples, kept with the weights, undone at the end."""

from pathlib import Path

import numpy as np
import pytest
import torch

from caedsl import check
from caedsl.api import build, load, train
from caedsl.api import open as open_run
from caedsl.backends.torch.modules import Normalise, SampleNormalise
from caedsl.runs.errors import RunError

SPEC = """autoencoder prepared
input 2x8x8 in real
data npy "x.npy" normalize={kind}
encoder {{ conv 8 relu; maxpool 2 }}
bottleneck conv 6
decoder mirror
train {{ loss mse; epochs 3; batch 16; validation 25% }}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    x = np.random.default_rng(0).normal([[[[5.0]], [[-300.0]]]], [[[[0.5]], [[20.0]]]], (80, 2, 8, 8))
    np.save(tmp_path / "x.npy", x.astype(np.float32))
    return tmp_path


@pytest.mark.parametrize("kind", ["standard", "minmax"])
def test_training_samples_alone_decide_and_the_original_values_come_back(folder: Path, kind: str) -> None:
    (folder / "spec.cae").write_text(SPEC.format(kind=kind))
    done = train(folder / "spec.cae", out=folder / "run", device="cpu")
    learned = torch.from_numpy(np.load(folder / "x.npy"))[done.run.train.index]
    first, last = done.run.module.encoder[0], done.run.module.decoder[-1]  # type: ignore[index]
    assert isinstance(first, Normalise) and isinstance(last, Normalise) and last.undo
    seen = first(learned)
    if kind == "standard":
        torch.testing.assert_close(seen.mean((0, 2, 3)), torch.zeros(2), atol=1e-4, rtol=0)
        torch.testing.assert_close(seen.std((0, 2, 3), correction=0), torch.ones(2), atol=1e-3, rtol=0)
    else:
        assert (float(seen.min()), float(seen.max())) == (0, 1)
    torch.testing.assert_close(last(seen), learned, atol=1e-3, rtol=1e-5)
    made = open_run(folder / "run").reconstruct(np.load(folder / "x.npy")[:5])
    assert abs(made[:, 0].mean() - 5) < 1 and abs(made[:, 1].mean() + 300) < 20
    again = train(folder / "spec.cae", device="cpu", weights=folder / "run", out=folder / "again")
    assert torch.equal(again.run.module.encoder[0].offset, first.offset)  # type: ignore[index, union-attr]


def test_each_sample_has_its_own_contrast_and_gets_it_back(folder: Path) -> None:
    x = np.load(folder / "x.npy") * np.linspace(0.1, 9, 80, dtype=np.float32)[:, None, None, None]
    x[7] = 3  # a sample without contrast
    np.save(folder / "x.npy", x)
    (folder / "spec.cae").write_text(SPEC.format(kind="gcn"))
    done = train(folder / "spec.cae", out=folder / "run", device="cpu")
    module, learned = done.run.module, torch.from_numpy(x)[done.run.train.index]
    first, last = module.encoder[0], module.decoder[-1]  # type: ignore[index]
    assert isinstance(first, SampleNormalise) and isinstance(last, SampleNormalise) and last.undo
    centred = learned - learned.mean((1, 2, 3), keepdim=True)
    spread = centred.abs().mean((1, 2, 3), keepdim=True)
    contrast = centred / spread.where(spread > 0, torch.ones(()))
    low, high = contrast.aminmax()
    seen = first(learned)
    torch.testing.assert_close(seen, (contrast - low) / (high - low), atol=1e-5, rtol=0)
    torch.testing.assert_close(last(torch.cat((seen, learned), dim=1)), learned, atol=1e-2, rtol=1e-4)
    given = torch.from_numpy(x[:8])
    with torch.no_grad():
        made = module(given)
        brighter = module(4 * given + 50)
    assert (made[7] - 3).abs().max() < 10  # in the units of the data
    torch.testing.assert_close(brighter[:7], 4 * made[:7] + 50, atol=0.05, rtol=1e-3)
    torch.testing.assert_close(
        torch.from_numpy(open_run(folder / "run").reconstruct(x[:8])), made, atol=1e-2, rtol=1e-3
    )
    again = train(folder / "spec.cae", device="cpu", weights=folder / "run", out=folder / "again")
    assert torch.equal(again.run.module.encoder[0].scale, first.scale)  # type: ignore[index, union-attr]


def test_each_channel_of_a_sample_has_its_own_deviation_and_gets_it_back(folder: Path) -> None:
    x = np.load(folder / "x.npy") * np.linspace(0.1, 9, 80, dtype=np.float32)[:, None, None, None]
    x[7, 1] = 3  # a channel without contrast
    np.save(folder / "x.npy", x)
    (folder / "spec.cae").write_text(SPEC.format(kind="instance"))
    done = train(folder / "spec.cae", out=folder / "run", device="cpu")
    module, given = done.run.module, torch.from_numpy(x)
    first, last = module.encoder[0], module.decoder[-1]  # type: ignore[index]
    assert isinstance(first, SampleNormalise) and isinstance(last, SampleNormalise) and last.undo
    seen = first(given)
    torch.testing.assert_close(seen.mean((2, 3)), torch.zeros(80, 2), atol=1e-3, rtol=0)
    deviation = torch.ones(80, 2)
    deviation[7, 1] = 0
    torch.testing.assert_close(seen.std((2, 3), correction=0), deviation, atol=1e-3, rtol=0)
    torch.testing.assert_close(last(torch.cat((seen, given), dim=1)), given, atol=1e-2, rtol=1e-4)
    factors = torch.tensor([4.0, 0.5]).view(2, 1, 1)
    with torch.no_grad():
        made, changed = module(given[:7]), module(given[:7] * factors + 50)
    torch.testing.assert_close(changed, made * factors + 50, atol=0.05, rtol=1e-3)
    torch.testing.assert_close(
        torch.from_numpy(open_run(folder / "run").reconstruct(x[:7])), made, atol=1e-2, rtol=1e-3
    )


@pytest.mark.parametrize("value", [0.0, 0.1, 0.3, 0.7, 100.1, -1e6])
@pytest.mark.parametrize("by_channel", [False, True])
def test_a_sample_of_equal_values_has_no_contrast_although_its_mean_is_rounded(value: float, by_channel: bool) -> None:
    sample = torch.full((1, 2, 8, 8), value)
    normalised = SampleNormalise(by_channel=by_channel)(sample)
    assert normalised.abs().max() <= 1e-6 * abs(value)
    restored = SampleNormalise(undo=True, by_channel=by_channel)(torch.cat((normalised, sample), dim=1))
    torch.testing.assert_close(restored, sample)


def test_a_code_alone_has_no_contrast() -> None:
    module = build(SPEC.replace("2x8x8 in real", "1x8x8").format(kind="gcn"))
    code, maps = module.encode_with_maps(torch.rand(2, 1, 8, 8))
    assert list(maps) == ["raw input"]
    with pytest.raises(ValueError, match="raw input"):
        module.decode(code)
    assert module.decode(code, maps).shape == (2, 1, 8, 8)


@pytest.mark.parametrize(("kind", "output"), [("gcn", "sigmoid"), ("standard", "linear skips=concat")])
def test_no_samples_are_drawn_where_the_decoder_reads_the_encoder(tmp_path: Path, kind: str, output: str) -> None:
    spec = SPEC.format(kind=kind).replace("2x8x8 in real", "1x8x8").replace('npy "x.npy"', "digits limit=100")
    spec = spec.replace("mirror", f"mirror output={output}").replace("conv 6", "variational 3")
    (tmp_path / "spec.cae").write_text(spec)
    train(tmp_path / "spec.cae", out=tmp_path / "run", device="cpu")
    with pytest.raises(RunError, match="cannot make new samples: its decoder reads"):
        open_run(tmp_path / "run").sample(2)


def test_the_output_reaches_what_preprocessing_makes() -> None:
    spec = SPEC.replace("2x8x8 in real", "3x8x8")
    for kind in ("minmax", "gcn"):
        assert load(spec.format(kind=kind)).decoder[-1].activation.name == "sigmoid"
    for kind in ("standard", "instance"):
        assert load(spec.format(kind=kind)).decoder[-1].activation.name == "linear"
    findings = check(spec.replace("decoder mirror", "decoder mirror output=sigmoid").format(kind="standard"))
    assert "output-range" in [finding.name for finding in findings]


def test_constants_of_imagenet_are_in_the_network() -> None:
    first = build(SPEC.replace("2x8x8 in real", "3x8x8").format(kind="imagenet")).encoder[0]
    assert isinstance(first, Normalise)
    torch.testing.assert_close(first(torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)), torch.zeros(1, 3, 1, 1))


@pytest.mark.parametrize(
    ("data", "shape", "names"),
    [
        ('npy "x.npy" normalize=imagenet', "3x8x8", []),
        ('npy "x.npy" normalize=imagenet', "3x8x8 in 0..255", ["preprocessing-range"]),
        ('npy "x.npy" normalize=imagenet', "1x8x8", ["preprocessing-range"]),
        ('npy "x.npy" normalize=standard else digits', "1x8x8", ["preprocessing-range"]),
        ('npy "x.npy" target="y.npy" else digits', "1x8x8", ["unequal-pairs"]),
    ],
)
def test_preprocessing_is_held_against_the_input(data: str, shape: str, names: list[str]) -> None:
    spec = SPEC.replace("2x8x8 in real", shape).replace('npy "x.npy" normalize={kind}', data).format(kind="")
    own = ("preprocessing-range", "unequal-pairs")
    assert [finding.name for finding in check(spec) if finding.name in own] == names


@pytest.mark.parametrize(
    ("kind", "shape", "found"),
    [
        ("instance", "3x1x1 in real", True),
        ("instance", "3x1x2 in real", False),
        ("gcn", "1x1x1", True),
        ("gcn", "3x1x1", False),
        ("standard", "1x1x1 in real", False),
    ],
)
def test_a_single_value_cannot_be_normalised_by_itself(kind: str, shape: str, found: bool) -> None:
    spec = (
        f'autoencoder one\ninput {shape}\ndata npy "x.npy" normalize={kind}\n'
        "encoder { conv 4 k1 relu }\nbottleneck dense 1\ndecoder mirror\n"
    )
    assert ("preprocessing-range" in [finding.name for finding in check(spec)]) == found


def test_pairs_of_other_proportions_are_found() -> None:
    spec = SPEC.replace("2x8x8 in real", "1x8x8\ntarget 1x8x16").replace(" normalize={kind}", "").format()
    found = {finding.name: finding.severity.value for finding in check(spec)}
    assert found["unequal-pairs"] == "warning"
    found = {finding.name: finding.severity.value for finding in check(spec.replace("batch", "augment flip; batch"))}
    assert found["unequal-pairs"] == "error"
