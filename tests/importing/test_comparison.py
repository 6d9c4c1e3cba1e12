"""What an imported model may differ by from the original, and what is said of one that will not learn."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

import caedsl
from caedsl.importing.errors import ImportFailure
from caedsl.importing.imported import imported
from caedsl.importing.network import Array
from caedsl.importing.torch.modules import module_network


def far_away_and_back() -> nn.Sequential:
    """Return a module whose output is its input, after a detour through numbers that 32 bits round."""
    there, back = nn.Conv2d(1, 1, 1), nn.Conv2d(1, 1, 1)
    for layer, bias in ((there, 1000.0), (back, -1000.0)):
        nn.init.ones_(layer.weight)
        nn.init.constant_(layer.bias, bias)  # type: ignore[arg-type]
    return nn.Sequential(there, nn.ReLU(), back)


@pytest.mark.parametrize(
    ("run", "faithful"), [(lambda x: x, True), (lambda x: x + np.float32(2e-3), False)], ids=["rounding", "more"]
)
def test_outputs_may_differ_by_what_32_bits_round_away(run: Callable[[Array], Array], faithful: bool) -> None:
    network = replace(module_network(far_away_and_back(), (1, 4, 4)), run=run)
    if faithful:
        made = imported(network)
        assert made.difference > 1e-5
        assert any("rounding to 32 bits changes its outputs by up to" in note for note in made.notes)
    else:
        with pytest.raises(ImportFailure, match=r"differ from the original's by 0\.002"):
            imported(network)


def test_a_network_that_will_not_learn_is_imported_and_its_error_noted() -> None:
    """Otherwise the doctor could not examine it, although such a network is why people ask."""
    module = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.ReLU(), nn.Conv2d(2, 1, 3, padding=1), nn.Sigmoid())
    made = caedsl.from_torch(module, input=(1, 4, 4), range=(0, 255))
    assert made.difference == 0
    assert any("will not learn (output-range)" in note for note in made.notes)
    assert torch.equal(made.module(torch.ones(1, 1, 4, 4)), module(torch.ones(1, 1, 4, 4)))
