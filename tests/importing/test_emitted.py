"""``import(emit(spec))`` gives the same model."""

import re
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings

import caedsl
from caedsl.backends.torch.lower import lower
from caedsl.backends.torch.program import steps
from caedsl.importing import imported
from caedsl.importing.errors import ImportFailure
from caedsl.importing.imported import ImportedModel
from caedsl.model.autoencoder import Autoencoder
from caedsl.rules.engine.checking import check_source
from caedsl.source import Source
from caedsl.vocabulary.layers import KINDS
from tests.conftest import ROOT
from tests.generated import light, spec_texts
from tests.importing.rebuilt import again, emitted, unsettled

FOLDERS = ("specs", "tests/fidelity/specs", "caedsl/cli/templates")
SPECS = sorted(path for folder in FOLDERS for path in (ROOT / folder).glob("*.cae"))
REFUSED = {
    "superres": "output-shape",
    "efficient_ad": "output-shape",
    "pytorch_super_resolution": "output-shape",
    "antixk_vq_vae": "has 2 sets of weights",
    "deep_svdd": "encoder.*: it preprocesses samples, which a spec states in its `data` line",
    "deep_svdd_cifar": "encoder.*: it preprocesses samples, which a spec states in its `data` line",
}
"""Specs that a module alone does not give back: its target and its data are not part of it.

``antixk_vq_vae`` could: the importer puts the encoder's own last convolution on the line of the codebook.
"""
NOT_READ = re.compile(r"sparsity|target|normalize|bottleneck [^\n]*\{")
"""What a module does not hold, or where the importer finds the code elsewhere: in a block of layers."""


def same(model: Autoencoder, module: torch.nn.Module, made: ImportedModel) -> None:
    assert made.model.code_shape == model.code_shape
    assert made.model.input.range == model.input.range
    numbers = [sum(each.numel() for each in own.parameters()) for own in (module, made.module)]
    assert numbers[0] == numbers[1]
    assert made.model.bottleneck.noise == model.bottleneck.noise
    x = torch.rand(2, *model.input.shape, generator=torch.Generator().manual_seed(4))
    with torch.no_grad():
        torch.testing.assert_close(made.module.encode(x), module.eval().encode(x), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_every_spec_comes_back(path: Path) -> None:
    model = caedsl.load(path)
    small = 0.02 if "fidelity" in path.parts else 0.05  # deep residual networks overflow otherwise
    module = unsettled(emitted(model), small)
    if path.stem in REFUSED:
        with pytest.raises(ImportFailure, match=REFUSED[path.stem]) as failure:
            again(module, model)
        assert failure.value.was_read
        return
    made = again(module, model)
    same(model, module, made)
    assert any("variational code" in note for note in made.notes) == model.bottleneck.form.startswith("variational")


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(text=spec_texts())
def test_generated_specs_come_back(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # Wrong weights differ by far more than 1e-4, which the rounding of large volumes can nearly reach. It is magnified by
    # `norm=instance` on a nearly flat map and by `norm=rms` where all channels are nearly 0, and it decides which of two
    # nearly equal numbers is kept.
    monkeypatch.setattr(imported, "TOLERANCE", 1e-4)
    assume(not NOT_READ.search(text) and not re.search("norm=(instance|rms)|topk=", text))
    checked = check_source(Source(text))
    assume(checked.model is not None and not checked.has_errors)
    assert checked.model is not None
    assume(light(checked.model) and not checked.model.paired and checked.model.preprocessing is None)
    module = unsettled(emitted(checked.model))
    same(checked.model, module, again(module, checked.model))


@pytest.mark.parametrize("sizes", ["9", "9x8", "5x4x4"])
def test_unpools_come_back(sizes: str) -> None:
    text = f"autoencoder a; input 2x{sizes}; encoder {{ conv 4 relu; maxpool 2; conv 4; maxpool 2 }}; bottleneck conv 3"
    model = caedsl.load(f"{text}\ndecoder mirror upsample=unpool")
    made = again(unsettled(emitted(model)), model)
    assert made.spec.count("unpool ") == 2


LINES = sorted(
    {
        kind.example
        for name, kind in KINDS.items()
        if name not in ("shortcut", "stage", "as", "add", "concat", "from", "multiply", "reshape", "unpool")
    }
    | {
        "hardsigmoid 0.2",
        "softcap 3",
        "tanh 2",
        "norm rms",
        "norm instance",
        "norm group groups=2",
        "gdn inverse",
        "scale -1",
    }
    | {
        "conv 8 pad=reflect",
        "conv 8 pad=replicate",
        "conv 8 k5x3 pad=circular",
        "conv 8 s2 pad=0..1",
        "conv 8 s2 k4 pad=2x1",
        "conv 32 depthwise",
        "conv 8 k5x3 d1x2 pad=valid",
    }
    | {"deconv 8 k3 s2 pad=same_upper", "deconv 8 k2 d3", "deconv 8 s2 pad=1 output_pad=1", "maxpool 3 s2 pad=1 ceil"}
    | {
        "upsample to 13x9 bilinear",
        "upsample to 13x9 bilinear align_corners",
        "dropout 20% elementwise",
        "conv 8 norm=batch affine=off eps=1e-3 momentum=0.01",
        "conv 8 s2 weight_norm",
    }
)


def calls(model: Autoencoder) -> list[str]:
    program = lower(model)
    return [str(step.call) for step in steps((*program.encoder, *program.bottleneck, *program.decoder))]


@pytest.mark.parametrize("line", LINES)
def test_every_word_comes_back(line: str) -> None:
    model = caedsl.load(
        f"autoencoder a; input 4x8x8 in real; encoder {{ conv 32 relu; {line}; dense 5 }}; bottleneck\n"
        "decoder { dense 256; reshape 4x8x8 }"
        if line != "globalpool"
        else "autoencoder a; input 4x8x8 in real; encoder { globalpool; dense 3 }; bottleneck\ndecoder { dense 256; reshape 4x8x8 }"
    )
    made = again(unsettled(emitted(model)), model)
    expected = calls(model)
    if line == "clip -1..1":
        expected = [call.replace("args=(-1.0, 1.0)", "args=()") for call in expected]
    assert calls(made.model) == expected


@pytest.mark.parametrize(
    "form",
    [
        "dense 4",
        "dense 8 topk=3",
        "conv 4",
        "conv 4 topk=9",
        "variational 4",
        "quantized 8x4",
        "quantized 8x4 update=gradient",
        "variational conv 4",
    ],
)
def test_every_code_comes_back(form: str) -> None:
    model = caedsl.load(
        f"autoencoder a; input 1x8x8 in real; encoder {{ conv 4 s2 relu }}; bottleneck {form}\ndecoder mirror"
    )
    module = unsettled(emitted(model))
    same(model, module, again(module, model))
