"""Sample weights in the loss, in training and in validation."""

from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image

import caedsl
from caedsl.data.errors import DataError
from caedsl.data.in_memory import images_of
from caedsl.data.loading import load
from caedsl.data.sample import Sample, joined
from caedsl.data.store import Store
from caedsl.model.settings import Loss, LossTerm
from caedsl.training.losses import reconstruction_terms, sum_of
from caedsl.training.train import train
from caedsl.vocabulary.losses import LOSSES

from .tiny import model_of

DRAW = np.random.default_rng(0)
IMAGES = DRAW.integers(0, 256, (40, 8, 8), dtype=np.uint8)
WEIGHTS = np.arange(40) % 4 / 2
SPEC = """
autoencoder small
input 1x8x8
data {data}
encoder {{ conv 2 relu; maxpool 2 }}
bottleneck dense 3
decoder mirror
train {{ {loss}; batch 9{more}; epochs 1; precision fp32; threads 1 }}
"""


def spec(data: str = "digits", loss: str = "loss mse", more: str = "") -> str:
    return SPEC.format(data=data, loss=loss, more=more)


@pytest.mark.parametrize("worst", [None, 0.5])
@pytest.mark.parametrize("name", LOSSES)
def test_each_loss_weighs_samples(name: str, worst: float | None) -> None:
    """A whole weight equals as many copies of a sample, and the weight 1 changes nothing."""
    kind = LOSSES[name]
    if worst is not None and not kind.pixelwise:
        return
    loss = Loss((LossTerm(name, options={option.name: option.default for option in kind.own}),), worst=worst)
    generator = torch.Generator().manual_seed(0)
    target, noise = (torch.rand(3, 1, 12, 12, generator=generator, dtype=torch.float64) for _ in range(2))
    prediction = (target + noise / 4).clamp(max=1)
    copies = torch.tensor([1, 2, 0])
    repeated = [x.repeat_interleave(copies, 0) for x in (prediction, target)]
    plain = sum_of(list(reconstruction_terms(loss, *repeated, 1.0).values()))
    weighted = sum_of(list(reconstruction_terms(loss, prediction, target, 1.0, copies.float()).values()))
    torch.testing.assert_close(weighted, plain)
    ones = sum_of(list(reconstruction_terms(loss, prediction, target, 1.0, torch.ones(3)).values()))
    torch.testing.assert_close(ones, sum_of(list(reconstruction_terms(loss, prediction, target, 1.0).values())))
    prediction.requires_grad_()
    sum_of(list(reconstruction_terms(loss, prediction, target, 1.0, copies.float()).values())).backward()
    assert prediction.grad is not None and prediction.grad[2].abs().max() == 0 < prediction.grad[1].abs().max()


class Weighted(Store):
    weights = WEIGHTS.tolist()

    def __len__(self) -> int:
        return 40

    def read(self, index: np.ndarray) -> np.ndarray:
        return IMAGES[index]


def sources(folder: Path) -> dict[str, str]:
    np.save(folder / "x.npy", IMAGES)
    np.save(folder / "w.npy", WEIGHTS)
    np.savez(folder / "x.npz", x=IMAGES, w=WEIGHTS)
    column = pyarrow.array(IMAGES.tolist(), pyarrow.list_(pyarrow.list_(pyarrow.uint8())))
    pq.write_table(pyarrow.table({"x": column, "w": WEIGHTS}), folder / "x.parquet")
    lines = [f"{number}.png,{weight:g}" for number, weight in enumerate(WEIGHTS)]
    for number, image in enumerate(IMAGES):
        Image.fromarray(image).save(folder / f"{number}.png")
    (folder / "x.csv").write_text("\n".join(["path,weight", *lines]))
    return {
        "npy": 'npy "x.npy" weights="w.npy"',
        "npz": 'npz "x.npz" key=x weights=w',
        "parquet": 'parquet "x.parquet" key=x weights=w',
        "manifest": 'manifest "x.csv"',
    }


def test_every_source_of_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = sources(tmp_path)
    given = {name: load(model_of(spec(line))) for name, line in found.items()}
    given["store"] = images_of(Weighted(), model_of(spec()))
    given["array"] = images_of(IMAGES, model_of(spec()), weights=WEIGHTS)
    for name, images in given.items():
        assert images.weights.tolist() == WEIGHTS.tolist(), name
        assert any("has a weight in the loss, 0 to 1.5; the metrics" in x for x in images.notes), name
    assert given["npy"].sha256 != images_of(IMAGES, model_of(spec())).sha256
    some = load(model_of(spec('npy "x.npy" weights="w.npy" limit=7')))
    numbers = [int((image == IMAGES).all((1, 2)).argmax()) for image in (some.train[:, 0] * 255).round().numpy()]
    assert some.weights.tolist() == WEIGHTS[numbers].tolist()


def learned(tmp_path: Path, name: str, images: np.ndarray, weights: np.ndarray | None, **changes: str) -> torch.Tensor:
    text = spec(**changes)
    model = model_of(text)
    run = train(model, spec_text=text, out=tmp_path / name, images=images_of(images, model, weights=weights))
    return torch.cat([value.flatten() for value in run.module.state_dict().values()])


@pytest.mark.parametrize("more", ["", " accumulate=2"])
def test_training_goes_by_the_weights(more: str, tmp_path: Path) -> None:
    """Weights are scaled to a mean of 1, and samples of weight 0 have no influence, whatever they contain."""
    weights = np.ones(40)
    weights[::2] = 0
    others = IMAGES.copy()
    others[::2] = 255 - others[::2]
    changes = {"loss": "loss mse; validation 0", "more": more}
    first = learned(tmp_path, "a", IMAGES, weights, **changes)
    assert torch.equal(first, learned(tmp_path, "b", IMAGES, 7 * weights, **changes))
    torch.testing.assert_close(first, learned(tmp_path, "c", others, weights, **changes))
    assert not torch.allclose(first, learned(tmp_path, "d", IMAGES, None, **changes))


def test_validation_goes_by_the_weights(tmp_path: Path) -> None:
    text = spec(loss="loss mse; validation 50%")
    model = model_of(text)
    given = images_of(IMAGES, model, weights=WEIGHTS)
    run = train(model, spec_text=text, out=tmp_path / "run", images=given)
    mean = WEIGHTS[run.train.index.numpy()].mean()
    total = 0.0
    with torch.no_grad():
        for number in run.validation.index.tolist():
            x = given.train[number : number + 1]
            total += WEIGHTS[number] / mean * float((run.module(x) - x).square().mean())
    assert run.history.epochs[-1].validation == pytest.approx(total / len(run.validation), rel=1e-4)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.ones(39), "39 weights for 40 samples: give each sample one"),
        (np.ones((40, 2)), "weights are one number per sample, but this array is 40 x 2 float64"),
        (np.array(["a"] * 40), "weights are one number per sample"),
        (
            np.where(np.arange(40) == 3, np.nan, 1),
            r"sample 3 \(counted from 0\) has the weight nan: write 0 or more",
        ),
        (np.where(np.arange(40) == 5, -2.0, 1), r"sample 5 \(counted from 0\) has the weight -2"),
    ],
)
def test_wrong_weights_are_named(weights: np.ndarray, message: str) -> None:
    with pytest.raises(DataError, match=message):
        images_of(IMAGES, model_of(spec()), weights=weights)


def test_weights_of_0_alone_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="the weights of all training samples are zero"):
        learned(tmp_path, "run", IMAGES, np.zeros(40))


def test_a_weight_of_a_manifest_is_a_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.csv").write_text("path,weight\na.png,much\n")
    with pytest.raises(DataError, match='line 2: the weight "much" is not a number'):
        load(model_of(spec('manifest "x.csv"')))


def test_samples_keep_their_weights() -> None:
    whole = Sample(torch.rand(5, 1, 2, 2), torch.rand(5, 1, 2, 2), weight=torch.arange(5.0))
    parts = list(whole.split([2, 3]))
    assert [part.weight.tolist() for part in parts] == [[0, 1], [2, 3, 4]]
    assert torch.equal(joined(parts).weight, whole.weight)


def test_the_python_interface_takes_weights(tmp_path: Path) -> None:
    run = caedsl.train(
        spec(), images=IMAGES, sample_weights=WEIGHTS, out=tmp_path / "run", baselines=False, pictures=False
    )
    assert any(
        "has a weight in the loss" in note
        for note in run.run.folder.path.joinpath("environment.json").read_text().split('"')
    )
