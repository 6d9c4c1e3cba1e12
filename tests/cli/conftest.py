"""A tiny spec that trains in a second."""

from pathlib import Path

import pytest

TINY = """autoencoder tiny
input 1x8x8
data digits limit=30
encoder { conv 2 relu; maxpool 2 }
bottleneck dense 2
decoder mirror
train { epochs 2; batch 10; precision fp32 }
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.cae"
    path.write_text(TINY)
    return path
