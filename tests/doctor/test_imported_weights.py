"""Models of other frameworks whose weights are not trained, or are a bad start."""

from collections.abc import Callable

import pytest
import torch
from torch import nn

import caedsl
from caedsl.doctor.probes.data import DataProbe
from caedsl.doctor.probes.start import StartProbe
from caedsl.doctor.reading import of_imported
from caedsl.doctor.suspects import network
from caedsl.doctor.suspicion import ProbesSoFar
from caedsl.training.reporter import Reporter

from .subjects import digits, images


def test_layers_before_a_detach_are_not_trained() -> None:
    class Detached(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encoder = nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.ReLU(), nn.BatchNorm1d(16))
            self.decoder = nn.Sequential(nn.Linear(16, 64), nn.Sigmoid(), nn.Unflatten(1, (1, 8, 8)))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.decoder(self.encoder(x).detach())  # type: ignore[no-any-return]

    made = caedsl.from_torch(Detached(), input=(1, 8, 8))
    assert "not trained in the original: encoder.1, encoder.3; a spec trains every weight" in made.notes
    found = caedsl.diagnose(made, images=digits().numpy()[:, 0], budget="500steps")
    assert found.causes[0].cause == "frozen-layer", str(found)
    assert "encoder.1.weight" in found.causes[0].evidence


class Variational(nn.Module):
    def __init__(self, output: nn.Module) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU())
        self.mean, self.logvar = nn.Linear(32, 8), nn.Linear(32, 8)
        self.decoder = nn.Sequential(nn.Linear(8, 64), output, nn.Unflatten(1, (1, 8, 8)))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        features = self.encoder(x)
        mean, logvar = self.mean(features), self.logvar(features)
        return self.decoder(mean + torch.exp(0.5 * logvar) * torch.randn_like(mean))  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("output", "range_", "loss"),
    [(nn.Sigmoid(), (0, 1), "bce"), (nn.Identity(), (0, 1), "mse"), (nn.Sigmoid(), (0, 255), "mse")],
    ids=["sigmoid", "linear", "other range"],
)
def test_the_loss_of_a_variational_module_that_has_none(output: nn.Module, range_: tuple[int, int], loss: str) -> None:
    """Otherwise the doctor would blame the model for a divergence that outweighs a loss of its own choice."""
    made = caedsl.from_torch(Variational(output), input=(1, 8, 8), range=range_)
    pixels = images(digits() * range_[1])
    examined = of_imported(made, "net", {}, images=pixels, device="cpu", reporter=Reporter())
    assert [term.name for term in examined.settings.loss.terms] == [loss]


@pytest.mark.parametrize(
    ("start", "cause", "evidence"),
    [
        (nn.init.zeros_, "dead-start", "is 0 for every image"),
        (lambda weight: nn.init.normal_(weight, std=60.0), "exploding-signal", "times as large"),
        (nn.init.kaiming_uniform_, None, ""),
    ],
    ids=["zeros", "huge", "healthy"],
)
def test_weights_of_an_imported_module_that_are_a_bad_start(
    start: Callable[[torch.Tensor], object], cause: str | None, evidence: str
) -> None:
    torch.manual_seed(0)
    encoder = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 16))
    module = nn.Sequential(encoder, nn.Linear(16, 64), nn.Sigmoid(), nn.Unflatten(1, (1, 8, 8)))
    start(encoder[1].weight)  # type: ignore[arg-type]
    nn.init.zeros_(encoder[1].bias)  # type: ignore[arg-type]
    examined = of_imported(
        caedsl.from_torch(module, input=(1, 8, 8)),
        "net",
        {},
        images=images(digits()),
        device="cpu",
        reporter=Reporter(),
    )
    seen = ProbesSoFar(examined, DataProbe().run(examined), StartProbe().run(examined))
    found = list(network.suspect(seen))
    assert [one.cause for one in found] == ([cause] if cause is not None else [])
    assert all(evidence in one.evidence and "0.1" in one.place for one in found)
