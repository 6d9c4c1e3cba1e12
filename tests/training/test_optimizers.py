"""Optimizers of a run: PyTorch's own steps (see test_same_steps.py), without the import of PyTorch's compiler."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.torch

STEPS = """
import sys
import torch
from caedsl.model.settings import SettledOptimizer
from caedsl.training.optimizers import make_optimizer
from caedsl.vocabulary.optimizers import OPTIMIZERS

for name in OPTIMIZERS:
    weight = torch.nn.Parameter(torch.ones(3))
    optimizer = make_optimizer(SettledOptimizer(name), [weight])
    weight.square().sum().backward()
    optimizer.step()
    optimizer.zero_grad()
    optimizer.load_state_dict(optimizer.state_dict())
    assert weight.grad is None and weight.requires_grad and not torch.equal(weight, torch.ones(3)), name
    print(name, type(optimizer).__name__)
assert "torch._dynamo" not in sys.modules
"""


def test_no_optimizer_imports_the_compiler() -> None:
    done = subprocess.run([sys.executable, "-c", STEPS], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "adam Adam\n" in done.stdout
