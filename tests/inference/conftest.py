from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

import caedsl

GREY = """autoencoder grey
input 1x8x8
encoder { conv 4 relu; maxpool 2 }
bottleneck dense 6
decoder mirror
"""
COLOUR = """autoencoder colour
input 3x16x12
encoder { conv 4 relu; maxpool 2 }
bottleneck
decoder mirror
"""


def write_run(folder: Path, spec: str) -> Path:
    """Write a folder that holds a spec and weights alone, as one from elsewhere may."""
    folder.mkdir()
    (folder / "spec.cae").write_text(spec, "utf-8")
    torch.manual_seed(0)
    save_file(caedsl.build(spec).state_dict(), folder / "weights.safetensors")
    return folder


@pytest.fixture
def grey(tmp_path: Path) -> Path:
    return write_run(tmp_path / "grey", GREY)


@pytest.fixture
def colour(tmp_path: Path) -> Path:
    return write_run(tmp_path / "colour", COLOUR)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run that was trained briefly on scikit-learn's digits."""
    folder = tmp_path_factory.mktemp("trained") / "run"
    text = f"{GREY.replace('input', 'data digits; input')}train {{ epochs 6; batch 64; validation 20% }}\n"
    caedsl.train(text, out=str(folder), device="cpu", pictures=False)
    return folder


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Return images of several sizes, depths and formats."""
    drawn = np.random.default_rng(0)
    folder = tmp_path / "photos"
    (folder / "deep").mkdir(parents=True)
    Image.fromarray(drawn.integers(0, 256, (8, 8), np.uint8)).save(folder / "a.png")
    Image.fromarray(drawn.integers(0, 256, (20, 31), np.uint8)).save(folder / "b.jpg")
    Image.fromarray(drawn.integers(0, 65536, (9, 7), np.uint16)).save(folder / "deep" / "c.tif")
    return folder
