"""The compiler's findings for faulty specs: golden texts, one per subject, reviewed by eye."""

from collections.abc import Callable

import pytest

from caedsl.diagnostics.finding import Report
from caedsl.diagnostics.full import render_full
from caedsl.resolve.resolve import resolve
from caedsl.source import Source
from caedsl.syntax.parser import parse

WRONG = {
    "names": """autoencoder wrong
inptu 1x28x28 in 0..1
let width = 16
let depth = wdth*2
encoder {
  cnov width k3 sigmod
  Conv2d 8 kernel=3 strides=2
  conv 8 padding=same activation=relu groups=2
  depthwise 3
}
bottleneck dens 32
decoder mirror outptu=tanh
train { epoch 3; lr 1e-3; optimizer adm lr=1; loss mes; schedule cosin }
""",
    "values": """autoencoder wrong
input 28x28 in 1..0
encoder {
  conv 0 k3 relu
  conv 8.5 s0
  conv 8 k3x3x3 dropout=150%
  conv 8 pad=mirror norm=bach
  maxpool
  conv 16 32
  conv 8 l2=1e-3 l2=1e-4
  conv 8 relu=3 leaky_relu=no
  upsample 2 to 7x7
  conv 8 affine=off
  conv 8 norm=group momentum=0.01
}
bottleneck 3x3
decoder mirror channels=2
train { batch 0; epochs 2.5; validation 100%; clip -1; stop; stop after=10; precision fp8; seed 1e99 }
""",
    "statements": """input 1x8x8
autoencoder late
encoder { conv 4 relu }
encoder { conv 8 }
bottleneck
decoder
require { compresion 4..8; parameters 5; macs < 10%; memory 9..1 }
data photos else
defaults 3
allow overcomplete
train
""",
    "shapes": """autoencoder wrong
input 3x20x14
encoder {
  conv 8 s2 g3 relu
  conv 9 s2 g3 relu
}
bottleneck
decoder mirror
""",
    "kernels": """autoencoder wrong
input 1x12x10
encoder {
  maxpool 4
  conv 8 k5 pad=valid
}
bottleneck
decoder mirror
""",
    "dense": """autoencoder wrong
input 1x8x8
encoder {
  dense 32 relu
  conv 8
}
bottleneck
decoder { reshape 2x4x5 }
""",
    "reshape": """autoencoder wrong
input 1x8x8
encoder { conv 4; maxpool 2 }
bottleneck 4x8x8
decoder { reshape 2x4x5 }
""",
    "residual": """autoencoder wrong
input 1x9x9
encoder { residual { conv 4; maxpool 2 } }
bottleneck
decoder mirror
""",
    "mirror": """autoencoder wrong
input 1x9x9
encoder { conv 6 relu; maxpool 2; conv 9 relu; pixelshuffle 3 }
bottleneck
decoder mirror channels=/4 upsample=pixelshuffle
""",
    "transposed": """autoencoder wrong
input 1x9x9
encoder { conv 6 relu s2 }
bottleneck
decoder { deconv 4 s2 output_pad=1; deconv 1 k3 s2 pad=1 output_pad=2 }
""",
    "empty": "",
    "quantized": """autoencoder wrong
input 1x8x8
encoder { conv 4 s2 }
bottleneck quantized 512x4x4 commit=0.25
decoder mirror
""",
}


@pytest.mark.parametrize("subject", WRONG)
def test_golden_findings(subject: str, golden: Callable[[str, str], None]) -> None:
    source = Source(WRONG[subject], f"{subject}.cae")
    spec, syntax_findings = parse(source)
    assert not syntax_findings
    _, findings = resolve(spec, source)
    assert findings
    golden(render_full([Report(source, findings)], colour=False), f"{subject}.txt")
