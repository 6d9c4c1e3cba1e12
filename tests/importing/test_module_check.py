"""``caedsl.check`` of PyTorch modules."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader

import caedsl
from caedsl.doctor.errors import DoctorError
from caedsl.importing.errors import ImportFailure
from caedsl.importing.torch.settings import loss_text, optimizer_text


class Net(nn.Module):
    def __init__(self, last: nn.Module, kernel: int = 2) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Conv2d(1, 8, 3, 2, 1), nn.ReLU(), nn.Conv2d(8, 4, 3, 2, 1), nn.ReLU())
        self.decoder = nn.Sequential(
            nn.ConvTranspose2d(4, 8, 2, 2), nn.ReLU(), nn.ConvTranspose2d(8, 1, kernel, 2), last
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.decoder(self.encoder(x))  # type: ignore[no-any-return]


SPEC = """autoencoder small
input 1x8x8 in 0..1
encoder { conv 4 relu; maxpool 2 }
bottleneck dense 4
decoder mirror
train { epochs 1 }
"""


def found(module: nn.Module, **given: Any) -> dict[str, Any]:
    return {finding.name: finding for finding in caedsl.check(module, **given)}


def test_findings_name_the_layers_of_the_author() -> None:
    finding = found(Net(nn.ReLU()), loss="mse")["final-relu"]
    assert finding.layers == ("decoder.2", "decoder.3")
    assert str(finding).startswith("decoder.2, decoder.3: warning[CAE403 final-relu]: ")
    assert "help: end the decoder with `sigmoid`" in str(finding)


def test_sizes_that_do_not_come_back_are_an_error_at_a_layer() -> None:
    finding = found(Net(nn.Sigmoid(), kernel=3))["output-shape"]
    assert finding.severity.value == "error"
    assert finding.layers == ("decoder.2", "decoder.3")
    assert "29x29" in finding.message


def test_findings_are_those_of_the_spec() -> None:
    module = Net(nn.Sigmoid())
    settings = {"loss": nn.MSELoss(), "optimizer": torch.optim.Adam(module.parameters(), lr=1.0)}
    own = caedsl.check(module, data="mnist", **settings)
    text = caedsl.from_torch(module).spec.replace("\nencoder {", "\ndata mnist\nencoder {", 1)
    same = caedsl.check(f"{text}train {{ loss mse; optimizer adam lr=1 }}\n")
    assert [finding.name for finding in own] == [finding.name for finding in same]
    assert found(module, data="mnist", **settings)["high-learning-rate"].layers == ("optimizer",)


def test_a_loss_on_logits_ends_with_its_sigmoid() -> None:
    assert "bce-range" not in found(Net(nn.Identity()), loss=nn.BCEWithLogitsLoss())
    assert "bce-range" in found(Net(nn.Identity()), loss=nn.BCELoss())


def test_samples_must_suit_the_input() -> None:
    assert found(Net(nn.Sigmoid()), data=np.random.default_rng(0).random((4, 1, 28, 28), dtype=np.float32)) == {}


@pytest.mark.parametrize(
    ("samples", "declared"),
    [
        (torch.full((4, 1, 28, 28), 200.0), "0..255"),
        (np.linspace(-2, 2, 4 * 784, dtype=np.float32).reshape(4, 1, 28, 28), "real numbers without bounds"),
        (torch.linspace(-1, 1, 4 * 784).reshape(4, 1, 28, 28), "-1..1"),
    ],
)
def test_real_samples_outside_the_range_are_a_finding(samples: Any, declared: str) -> None:
    """They are what the module gets, whatever range was meant; here, the default of 0..1."""
    finding = found(Net(nn.Sigmoid()), data=samples)["output-range"]
    assert f"the images are {'in ' if '..' in declared else ''}{declared}" in finding.message
    assert finding.layers == ("decoder.2", "decoder.3")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (torch.zeros(4, 1, 14, 14), "its samples are 1x14x14, but the input is 1x28x28"),
        (torch.zeros(4, 3, 28, 28), "is 4 x 3 x 28 x 28, but the input is 1x28x28"),
        (torch.zeros(4, 784), "is 4 x 784"),
        (torch.zeros(0, 1, 28, 28), "contains no images"),
        (torch.full((4, 1, 28, 28), float("nan")), "4 of 4 images contain NaN"),
        (torch.zeros(4, 1, 28, 28) + 1j, "of type complex64"),
        ([np.zeros((28, 28)), np.zeros((14, 14))], "the items of a list differ in shape"),
        (DataLoader([torch.zeros(1, 28, 28)]), "is a DataLoader: pass an array of samples"),
        ({"x": torch.zeros(4, 1, 28, 28)}, "is a dict: pass an array of samples"),
    ],
    ids=range(9),
)
def test_samples_that_do_not_suit_are_one_clear_error(data: Any, message: str) -> None:
    with pytest.raises(ImportFailure, match=message):
        caedsl.check(Net(nn.Sigmoid()), data=data)


def test_diagnose_takes_arrays_of_any_kind_and_no_module() -> None:
    """Tensors and lists are read like arrays, so that the number of samples is the first thing that is wrong."""
    for few in (torch.zeros(3, 1, 8, 8), [np.zeros((8, 8))] * 3):
        with pytest.raises(DoctorError, match="has 3 training images, but at least 16 are needed"):
            caedsl.diagnose(SPEC, images=few)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"pass caedsl.from_torch\(module, input=\.\.\.\) instead"):
        caedsl.diagnose(Net(nn.Sigmoid()))  # type: ignore[arg-type]


WEIGHTS = [nn.Parameter(torch.zeros(1))]
OPTIMIZERS: dict[str, torch.optim.Optimizer] = {
    "adam lr=0.001": torch.optim.Adam(WEIGHTS),
    "adam lr=0.01 beta1=0.5 weight_decay=1e-5": torch.optim.Adam(
        WEIGHTS, lr=0.01, betas=(0.5, 0.999), weight_decay=1e-5
    ),
    "adamw lr=0.001": torch.optim.AdamW(WEIGHTS),
    "sgd lr=0.1 momentum=0.9 nesterov": torch.optim.SGD(WEIGHTS, lr=0.1, momentum=0.9, nesterov=True),
    "rmsprop lr=0.01": torch.optim.RMSprop(WEIGHTS),
    "rmsprop lr=0.01 alpha=0.9": torch.optim.RMSprop(WEIGHTS, alpha=0.9),
    "adadelta lr=1": torch.optim.Adadelta(WEIGHTS),
    "adagrad lr=0.01": torch.optim.Adagrad(WEIGHTS),
    "adamax lr=0.002": torch.optim.Adamax(WEIGHTS),
    "nadam lr=0.002": torch.optim.NAdam(WEIGHTS),
    "radam lr=0.001": torch.optim.RAdam(WEIGHTS),
}


@pytest.mark.parametrize("words", OPTIMIZERS)
def test_optimizers(words: str) -> None:
    assert optimizer_text(OPTIMIZERS[words]) == words
    text = f"autoencoder a; input 1x8x8; data digits; encoder {{ conv 4 s2 relu }}; bottleneck\ndecoder mirror\ntrain {{ optimizer {words} }}"
    assert caedsl.load(text).train is not None


@pytest.mark.parametrize(
    ("optimizer", "message"),
    [
        (torch.optim.Adam(WEIGHTS, amsgrad=True), "amsgrad=True"),
        (torch.optim.SGD(WEIGHTS, lr=0.1, momentum=0.9, dampening=0.1), "dampening=0.1"),
        (torch.optim.RMSprop(WEIGHTS, centered=True), "centered=True"),
        (torch.optim.Rprop(WEIGHTS), "the optimizer Rprop is not supported"),
        (
            torch.optim.SGD([{"params": WEIGHTS}, {"params": [nn.Parameter(torch.ones(1))], "lr": 1.0}], lr=0.1),
            "2 parameter groups",
        ),
        (3, "the optimizer int is not supported"),
    ],
)
def test_optimizers_without_words_are_refused(optimizer: object, message: str) -> None:
    with pytest.raises(ImportFailure, match=message):
        optimizer_text(optimizer)


def test_losses() -> None:
    assert loss_text(nn.MSELoss()) == "mse"
    assert loss_text(nn.functional.l1_loss) == "mae"
    assert loss_text(nn.BCELoss(reduction="sum")) == "bce reduction=sum"
    assert loss_text(nn.HuberLoss(delta=0.5)) == "huber delta=0.5"
    assert loss_text("mse + 0.2 ssim") == "mse + 0.2 ssim"
    with pytest.raises(ImportFailure, match="the loss KLDivLoss is not supported"):
        loss_text(nn.KLDivLoss())
    with pytest.raises(ImportFailure, match="weights its terms"):
        loss_text(nn.BCELoss(weight=torch.ones(1)))
