"""The monitors in any loop: silent if it is healthy, and in agreement with those of caedsl's own loop."""

import math
import re
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn

import caedsl
from caedsl.training.any_loop.layers import layout_of
from caedsl.training.any_loop.loop_watch import LoopWatch


def digits() -> Tensor:
    return torch.from_numpy(load_digits().images[:, None] / 16).float()


class Net(nn.Module):
    """An autoencoder as people write them, for images of 8x8."""

    def __init__(self, activation: Callable[[], nn.Module] = nn.ReLU, output: nn.Module | None = None) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(1, 8, 3, stride=2, padding=1),
            activation(),
            nn.Conv2d(8, 16, 3, stride=2, padding=1),
            activation(),
            nn.Flatten(),
            nn.Linear(64, 16),
        )
        self.decoder = nn.Sequential(
            nn.Linear(16, 64),
            activation(),
            nn.Unflatten(1, (16, 2, 2)),
            nn.ConvTranspose2d(16, 8, 2, stride=2),
            activation(),
            nn.ConvTranspose2d(8, 1, 2, stride=2),
            output or nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        made: Tensor = self.decoder(self.encoder(x))
        return made


def trained(net: nn.Module, optimizer: torch.optim.Optimizer, steps: int, watched: bool = True) -> LoopWatch:
    """Run a custom training loop with three lines of caedsl."""
    torch.manual_seed(1)
    images, said = digits(), []
    watch = caedsl.watch(net, optimizer, say=said.append)
    for step in range(steps):
        x = images[torch.randint(len(images), (64,))]
        loss = nn.functional.mse_loss(net(x), x)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if watched:
            watch.step(loss, x)
        if step % 28 == 27:
            watch.epoch()
    watch.said = said  # type: ignore[attr-defined]
    return watch


def net(seed: int = 0, **options: object) -> Net:
    torch.manual_seed(seed)
    return Net(**options)  # type: ignore[arg-type]


def test_a_healthy_loop_says_nothing() -> None:
    module = net()
    watch = trained(module, torch.optim.Adam(module.parameters(), 3e-3), 700)
    assert watch.troubles == () and watch.said == []  # type: ignore[attr-defined]


def test_nothing_of_the_loop_changes() -> None:
    """Weights, running statistics and random numbers are the same with and without monitors."""
    ends: list[Sequence[Tensor]] = []
    for watched in (False, True):
        module = net()
        module.encoder.insert(1, nn.BatchNorm2d(8))
        module.encoder.insert(2, nn.Dropout(0.2))
        module.decoder[0].eval()  # a part that the author keeps in eval mode
        trained(module, torch.optim.Adam(module.parameters(), 3e-3), 20, watched)
        assert not module.decoder[0].training and module.encoder[1].training
        ends.append([*module.state_dict().values(), torch.rand(3)])
    assert all(torch.equal(one, other) for one, other in zip(*ends, strict=True))


def test_the_same_picture_of_every_image_is_found_and_explained() -> None:
    module = net(activation=nn.Sigmoid)
    watch = trained(module, torch.optim.SGD(module.parameters(), 0.01), 600)
    found = {trouble.monitor: trouble for trouble in watch.troubles}
    assert "constant-output" in found
    trouble = found["constant-output"]
    assert trouble.layer is not None and trouble.layer.startswith(("encoder.", "decoder."))
    assert "the mean image" in trouble.message or "mean image" in trouble.message
    # Consistent with `check`, which reports that the spec of this module trains too slowly.
    assert "of `caedsl check`" in trouble.remedy and "smaller learning rate" not in trouble.remedy


def test_dead_layers_are_found() -> None:
    module = net()
    with torch.no_grad():
        module.encoder[2].bias.fill_(-100.0)
    watch = trained(module, torch.optim.Adam(module.parameters(), 1e-4), 270)
    found = [trouble for trouble in watch.troubles if trouble.monitor == "dead-layer"]
    assert [trouble.layer for trouble in found] == ["encoder.2"]
    assert "its 16 channels output 0" in found[0].message


class Functional(nn.Module):
    """The same network with activations that are functions."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.Conv2d(1, 8, 3, stride=2, padding=1), nn.Conv2d(8, 16, 3, stride=2, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.code, self.back = nn.Linear(64, 16), nn.Linear(16, 64)
        self.three, self.four = nn.ConvTranspose2d(16, 8, 2, stride=2), nn.ConvTranspose2d(8, 1, 2, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        x = nn.functional.leaky_relu(self.norm(self.one(x)), 0.2)
        x = self.code(torch.relu_(self.two(x)).flatten(1))
        x = self.back(x).relu().view(-1, 16, 2, 2)
        return torch.sigmoid(self.four(nn.functional.relu(self.three(x))))


def test_activations_that_are_functions_are_seen() -> None:
    layout = layout_of(Functional(), digits()[:2], digits()[:2], None)
    assert [layer.facts.words for layer in layout.layers] == [
        "conv 8 norm=batch leaky_relu",
        "conv 16 relu",
        "dense 16",
        "dense 64 relu",
        "deconv 8 relu",
        "deconv 1 sigmoid",
    ]
    module = Functional()
    with torch.no_grad():
        module.two.bias.fill_(-100.0)
        module.four.bias.fill_(40.0)
    watch = trained(module, torch.optim.Adam(module.parameters(), 1e-4), 270)
    assert [trouble.layer for trouble in watch.troubles if trouble.monitor == "dead-layer"] == ["two"]
    flat = watch._seen.probes[-1].flat
    assert flat is not None and flat > 0.9


class Detached(Net):
    def forward(self, x: Tensor) -> Tensor:
        made: Tensor = self.decoder(self.encoder(x).detach())
        return made


@pytest.mark.parametrize("activation", [nn.ReLU, nn.Sigmoid])
def test_an_encoder_that_is_cut_off_is_found(activation: Callable[[], nn.Module]) -> None:
    """Its decoder learns, so that no error gives it away; other findings do not explain it."""
    torch.manual_seed(0)
    module = Detached(activation)
    watch = trained(module, torch.optim.Adam(module.parameters(), 3e-3), 420)
    (found,) = (each for each in watch.troubles if each.monitor == "vanishing-gradient")
    assert found.layer == "encoder.5"
    assert "no gradient of the reconstruction reaches this layer or any before it" in found.message
    assert found.remedy.startswith("remove `detach`")


@pytest.mark.parametrize(("part", "layer"), [("decoder", "encoder.0"), ("encoder", "decoder.0")])
def test_weights_that_are_missing_from_the_optimizer_are_found(part: str, layer: str) -> None:
    """No other monitor gives advice then, since none of it would help."""
    torch.manual_seed(0)
    module = net()
    watch = trained(module, torch.optim.Adam(module.get_submodule(part).parameters(), 1e-3), 600)
    (found,) = watch.troubles
    assert (found.monitor, found.layer) == ("vanishing-gradient", layer)
    assert found.message.startswith("the optimizer does not have the weights of this layer, and 2 other layers")


def test_weights_that_another_optimizer_trains_are_not_reported() -> None:
    torch.manual_seed(0)
    module = net()
    first, other = (torch.optim.Adam(part.parameters(), 3e-3) for part in (module.encoder, module.decoder))
    watch = caedsl.watch(module, first, say=lambda line: None)
    for _ in range(420):
        images = digits()[torch.randint(600, (64,))]
        loss = nn.functional.mse_loss(module(images), images)
        module.zero_grad()
        loss.backward()
        first.step()
        other.step()
        watch.step(loss, images)
    assert watch.troubles == ()


def test_an_exploding_loop_is_reported_where_it_broke() -> None:
    module = net(output=nn.Identity())
    watch = trained(module, torch.optim.SGD(module.parameters(), 50.0), 60)
    assert watch.troubles[-1].monitor == "not-finite"
    assert watch.troubles[-1].layer == "decoder.5" and "SGD with lr=50 diverges" in watch.troubles[-1].remedy
    assert any("not-finite at step" in line for line in watch.said)  # type: ignore[attr-defined]


def test_an_odd_output_of_several_tensors_is_understood() -> None:
    class Variational(Net):
        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:  # type: ignore[override]
            code = self.encoder(x)
            return self.decoder(code), code

    module = Variational()
    watch = caedsl.watch(module, torch.optim.Adam(module.parameters()))
    assert watch.step(0.5, digits()[:32]) == ()


def test_a_target_of_its_own_is_compared_with() -> None:
    module = net()
    watch = caedsl.watch(module, torch.optim.Adam(module.parameters()))
    images = digits()[:64]
    watch.step(torch.tensor(0.1), images, torch.zeros_like(images))
    assert watch._seen.probes[-1].image_spread == 0


@pytest.mark.parametrize(("scale", "expected"), [(255, "0..255"), (1, "0..1"), (16, "real")])
def test_samples_have_the_range_that_a_spec_would_declare(scale: float, expected: str) -> None:
    module = net()
    watch = caedsl.watch(module, torch.optim.Adam(module.parameters()))
    watch.step(0.5, scale * digits()[:32])
    assert str(watch._range) == expected


def test_an_output_that_is_an_object_is_understood() -> None:
    class Returned:
        def __init__(self, sample: Tensor) -> None:
            self.sample = sample

    class Wrapped(Net):
        def forward(self, x: Tensor) -> Returned:  # type: ignore[override]
            return Returned(super().forward(x))

    module = Wrapped()
    watch = caedsl.watch(module, torch.optim.Adam(module.parameters()))
    assert watch.step(0.5, digits()[:32]) == ()


def test_a_module_without_layers_or_another_output_is_one_clear_error() -> None:
    module = nn.Linear(4, 4)
    optimizer = torch.optim.Adam(module.parameters())
    with pytest.raises(ValueError, match="but should return"):
        caedsl.watch(nn.Linear(4, 3), optimizer).step(0.1, torch.rand(8, 4))
    with pytest.raises(ValueError, match="is not a module that returns one tensor"):
        caedsl.watch(net(), optimizer, code="middle").step(0.1, digits()[:8])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"samples": digits().numpy()}, "`samples` is a ndarray, but must be a tensor"),
        ({"samples": None}, "`samples` is a NoneType"),
        ({"samples": torch.tensor(3.0)}, "`samples` is a single number, but must be a tensor with one row"),
        ({"samples": digits().to_sparse()}, "`samples` is a sparse tensor, but must be a tensor"),
        ({"samples": digits().to("meta")}, "`samples` is a meta tensor, which has no values"),
        (
            {"samples": torch.nested.nested_tensor(list(digits()[:2]), layout=torch.jagged)},
            "`samples` is a nested tensor",
        ),
        ({"target": digits().to_sparse()}, "`target` is a sparse tensor"),
        ({"module": net().to("meta")}, "the module fails on samples of 1x8x8"),
        ({"target": digits().numpy()}, "`target` is a ndarray"),
        ({"samples": digits().double()}, "the module fails on samples of 1x8x8 of type torch.float64"),
        ({"samples": digits()[:, 0]}, "the module fails on samples of 8x8"),
        ({"loss": "mse"}, "`loss` is 'mse', but must be a function"),
        ({"optimizer": torch.optim.Adam}, "but must be the torch.optim.Optimizer"),
        ({"optimizer": None}, "`optimizer` is None"),
        ({"module": nn.Linear}, "but must be a torch.nn.Module"),
    ],
    ids=range(15),
)
def test_what_does_not_belong_to_a_loop_is_one_clear_error(changes: dict[str, Any], message: str) -> None:
    module = changes.get("module", net())
    optimizer = changes.get("optimizer", torch.optim.SGD(net().parameters(), 0.1))
    with pytest.raises(ValueError, match=re.escape(message)):
        caedsl.watch(module, optimizer, loss=changes.get("loss")).step(
            0.1, changes.get("samples", digits()), changes.get("target")
        )


def test_a_gradient_that_is_no_number_has_not_grown() -> None:
    module = net()
    watch = caedsl.watch(module, torch.optim.SGD(module.parameters(), 0.1), say=lambda line: None)
    for _ in range(40):
        watch.step(0.1, digits()[:64] * math.nan)
    assert "exploding-gradient" not in {trouble.monitor for trouble in watch.troubles}


def test_batches_and_modules_that_cannot_be_probed_end_no_loop() -> None:
    """Batches are empty, images have two sizes, and a module that is used twice has no layer of its own."""
    shared = nn.Conv2d(1, 1, 3, padding=1)
    module = nn.Sequential(shared, nn.ReLU(), shared)
    watch = caedsl.watch(module, torch.optim.SGD(module.parameters(), lr=0.1), say=str)
    for step in range(12):
        x = torch.rand(0 if step % 4 == 2 else 6, 1, 8 + step % 2, 8)
        assert watch.step(0.1, x) == ()
    assert watch.epoch() == ()
    with pytest.raises(ValueError, match="pass their mean"):
        watch.step(torch.zeros(3), x)
    for unreal in (torch.tensor(1j), torch.tensor(0.1, device="meta")):
        with pytest.raises(ValueError, match="but the loss of a step is a real number"):
            watch.step(unreal, x)
    for loss in (None, "low", 10**400, 1j):
        with pytest.raises(ValueError, match="but the loss of a step is a number or a tensor with one"):
            watch.step(loss, x)
    with pytest.raises(ValueError, match="pass one for each"):
        watch.step(0.1, x, x[:2])


@pytest.mark.parametrize(("returned", "given"), [(None, "a NoneType"), (0.5, "a float"), (torch.ones(3), "3 numbers")])
def test_a_loss_function_returns_one_number(returned: object, given: str) -> None:
    module = net()
    watch = caedsl.watch(module, torch.optim.Adam(module.parameters()), loss=lambda prediction, target: returned)
    with pytest.raises(ValueError, match=f"the function `loss` returns {given}"):
        watch.step(0.1, digits()[:8])


@pytest.mark.parametrize(
    "after", [nn.Unflatten(1, (1, 8, 8)), nn.Sequential(nn.Unflatten(1, (4, 4, 4)), nn.PixelShuffle(2))]
)
def test_no_remedy_concerns_the_activation_of_an_output_that_is_reshaped(after: nn.Module) -> None:
    """The range of the images asks for the sigmoid, whatever rearranges its values afterwards."""
    torch.manual_seed(0)
    images = digits()
    ends = nn.Sequential(nn.Flatten(), nn.Linear(64, 4), nn.Linear(4, 64), nn.Sigmoid(), after)
    optimizer = torch.optim.SGD(ends.parameters(), lr=0.01)
    watch = caedsl.watch(ends, optimizer, say=str)
    for _ in range(600):
        x = images[torch.randint(len(images), (64,))]
        loss = nn.functional.mse_loss(ends(x), x)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        watch.step(loss, x)
    assert [one.monitor for one in watch.troubles] == ["constant-output"]
    assert "instead of `sigmoid`" not in watch.troubles[0].remedy


def test_a_loss_function_without_a_gradient_is_one_clear_error() -> None:
    module = net()
    loss = torch.no_grad()(nn.functional.mse_loss)
    watch = caedsl.watch(module, torch.optim.Adam(module.parameters()), loss=loss)
    with pytest.raises(ValueError, match="the function `loss` returns a number without a gradient"):
        watch.step(0.1, digits()[:8])


def test_a_step_may_be_recorded_where_gradients_are_off() -> None:
    module = net()
    watch = caedsl.watch(module, torch.optim.Adam(module.parameters()), say=str)
    with torch.no_grad():
        watch.step(0.1, digits()[:8])
    with torch.inference_mode():
        samples = digits()[:8].clone()
    with pytest.raises(ValueError, match=re.escape("`samples` is a tensor of `torch.inference_mode`")):
        watch.step(0.1, samples)


def test_layers_have_the_authors_names_and_our_words() -> None:
    layout = layout_of(net(), digits()[:2], digits()[:2], None)
    words = [
        (layer.paths[0], layer.facts.words)
        for layer in layout.layers
        if layer.facts.words.split()[0] in ("conv", "deconv", "dense")
    ]
    assert words == [
        ("encoder.0", "conv 8 relu"),
        ("encoder.2", "conv 16 relu"),
        ("encoder.5", "dense 16"),
        ("decoder.0", "dense 64 relu"),
        ("decoder.3", "deconv 8 relu"),
        ("decoder.5", "deconv 1 sigmoid"),
    ]
    assert layout.code_path == "encoder.5" and layout.code_size == 16
    assert layout.output is not None and layout.layers[layout.output].paths[0] == "decoder.5"
    assert layout_of(net(), digits()[:2], digits()[:2], "encoder").code_path == "encoder"


def test_the_cost_is_that_of_caedsl_train() -> None:
    """Of 1,000 training samples, at most as many are examined as in a run."""
    module = net()
    watch = caedsl.watch(module, torch.optim.Adam(module.parameters()))
    watch.step(0.1, digits()[:64])
    due = [step for step in range(1, 2001) if watch._schedule.due(step)]
    assert len(due) * watch._images <= 0.0075 * 2000 * 64 + math.log2(2000) * watch._images
