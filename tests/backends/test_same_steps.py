"""``emit --training`` and ``caedsl train`` take the same steps, word by word of the vocabulary."""

import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from caedsl.api import SpecError, load
from caedsl.backends.torch.instantiate import build
from caedsl.backends.torch.lower import lower
from caedsl.backends.torch.render import class_name, emit
from caedsl.data.stacks.pixels import Held
from caedsl.model.autoencoder import Autoencoder
from caedsl.training.prepare import Targets, prepare
from caedsl.training.preprocessing import fit_preprocessing
from caedsl.vocabulary.augmentations import AUGMENTATIONS
from caedsl.vocabulary.corruptions import CORRUPTIONS
from caedsl.vocabulary.losses import LOSSES
from caedsl.vocabulary.optimizers import OPTIMIZERS
from caedsl.vocabulary.option import REQUIRED, Option, Type, Written
from caedsl.vocabulary.schedules import SCHEDULES

SPEC = """
autoencoder same
input {shape} in {range}
{target}
{data}
encoder {{ conv 4 s2 elu l2=1e-3; conv 3 s2 tanh norm=batch l1=1e-4 }}
bottleneck {code}
decoder mirror output={output}
train {{
  epochs 5
  precision fp32
  seed 3
  {lines}
}}
"""
SAMPLES = 22
"""Four batches of 6, 6, 6 and 4: five epochs are 20 steps."""


def example(option: Option) -> str:
    """Return an option that changes what is done, as a spec writes it."""
    if option.written is Written.REST:
        return "2 4"
    values = {
        Type.FLAG: option.name,
        Type.COUNT: f"{option.name}=2",
        Type.SHARE: f"{option.name}=30%",
        Type.NUMBER: f"{option.name}={0.3 if option.domain.holds(0.3) else 3}",
    }
    return values[option.type]


def required(options: tuple[Option, ...]) -> str:
    """Return the options that a line cannot do without, as a spec writes them."""
    return " ".join(example(option) for option in options if option.default is REQUIRED)


WEIGHED = {"data": 'data npy "x.npy" weights="w.npy"'}
LINES = {
    **{f"loss {name}": {} for name in LOSSES},
    **{f"loss {name} {example(option)}": {} for name, kind in LOSSES.items() for option in kind.own},
    **{f"loss {name} worst=25% reduction=sum": {} for name, kind in LOSSES.items() if kind.pixelwise},
    **{f"loss {name} {required(kind.own)}; clip 6": WEIGHED for name, kind in LOSSES.items()},
    **{f"loss {name} worst=25%; clip 6": WEIGHED for name, kind in LOSSES.items() if kind.pixelwise},
    "batch 6 accumulate=4; loss mse + 0.5 ssim": {**WEIGHED, "target": "target 1x12x12 in -1..1"},
    "loss mse; clip 7": {"data": 'data npy "x.npy" weights="w.npy" normalize=gcn', "code": "variational 3"},
    "loss 0.5 mse + 0.2 ssim": {"range": "real", "output": "linear"},
    **{f"optimizer {name} {required(kind.own)}": {} for name, kind in OPTIMIZERS.items()},
    "optimizer adam eps_hat=1e-2": {},
    "optimizer sgd momentum=0.9 nesterov weight_decay=0.1": {},
    **{f"schedule {name} {required(kind.options)}": {} for name, kind in SCHEDULES.items()},
    **{f"schedule {name} {required(kind.options)} warmup=30% min_lr=5e-4": {} for name, kind in SCHEDULES.items()},
    "schedule plateau patience=1 warmup=10%; optimizer sgd lr=1e-9": {},
    **{f"corrupt {example(kind.option)}": {} for kind in CORRUPTIONS.values()},
    **{f"corrupt {example(kind.option)} ": {"range": "real", "output": "linear"} for kind in CORRUPTIONS.values()},
    **{f"corrupt {name}=0.1..0.3": {} for name, kind in CORRUPTIONS.items() if kind.option.ranged},
    **{f"augment {example(kind.option)}": {} for kind in AUGMENTATIONS.values()},
    "augment flip rot90; corrupt gaussian=0.1": {"range": "-1..1", "output": "tanh", "shape": "2x9x12"},
    **{f"augment {example(kind.option)} ": {"target": "target 2x24x24 in -1..1"} for kind in AUGMENTATIONS.values()},
    "loss mae reduction=sum; augment shift=2 jitter=0.1 contrast=20%": {
        "target": "target 2x18x18 in real",
        "code": "variational 3",
    },
    "batch 6 accumulate=4; loss ssim": {"target": "target 1x12x12 in -1..1"},
    "loss mse + 0.5 ssim": {"shape": "2x12x12", "data": 'data npy "x.npy" normalize=standard', "output": "linear"},
    "loss bce ": {"range": "real", "data": 'data npy "x.npy" normalize=minmax'},
    "loss mse ": {"shape": "2x12x12", "data": 'data npy "x.npy" normalize=gcn'},
    "loss mae  ": {"shape": "2x12x12", "data": 'data npy "x.npy" normalize=instance', "output": "linear"},
    "loss bce reduction=sum; corrupt gaussian=0.1": {"data": 'data npy "x.npy" normalize=gcn', "code": "variational 3"},
    # The changes of the images take some of their normalised values out of 0..1.
    **{
        f"loss {name}; augment rotate=30 scale=30%": {"data": 'data npy "x.npy" normalize=gcn'}
        for name, kind in LOSSES.items()
        if kind.probabilities
    },
    "loss mse + 0.5 ssim; ema 0.9": {"data": 'data npy "x.npy" normalize=gcn', "output": "sigmoid skips=concat"},
    "loss mae ": {"shape": "3x12x12", "data": 'data npy "x.npy" normalize=imagenet', "output": "linear"},
    "loss bce; augment flip": {
        "target": "target 2x24x24 in 0..1",
        "data": 'data npy "x.npy" normalize=standard',
        "output": "sigmoid",
    },
    "loss mse; augment flip": {"target": "target 1x12x12 in 0..1", "data": 'data npy "x.npy" normalize=gcn'},
    "loss mae; augment flip": {
        "target": "target 1x24x24 in -1..1",
        "data": 'data npy "x.npy" target="y.npy" normalize=standard',
    },
    "clip 0.1": {},
    "loss mse": {"code": "variational 3 beta=0.5 free_bits=0.2"},
    "loss mse; corrupt mean=0.5 awgn=0.2": {"code": "variational 3 free_nats=4"},
    "loss mse; clip 8": {"code": "variational 3 beta=30 capacity=2 warmup=70%"},
    "loss mae reduction=sum ": {"code": "variational conv 2 capacity=5"},
    "loss mae reduction=sum": {"code": "variational 3 warmup=70%"},
    "loss mse reduction=sum": {"code": "variational conv 2"},
    "loss huber": {"code": "conv 2 noise=0.5"},
    # Of six drawn vectors two would be equal here, and rounding would decide which of them is nearest.
    "loss mae": {"code": "quantized 4x4 commit=0.5 ema=0.9"},
    "loss mse + 0.1 mae": {"code": "quantized 6x4 commit=0.5 update=gradient"},
    "loss mse; clip 1": {"code": "dense 6 topk=2"},
    "loss bce; clip 9": {"code": "conv 3 topk=5"},
    "loss bce reduction=sum": {"code": "conv 3 sigmoid sparsity=10%"},
    "loss mse; clip 2": {"code": "dense 6 sigmoid sparsity=10% sparsity_weight=2 l1=1e-3"},
    "loss mse; clip 3": {"code": "dense 6 sigmoid sparsity=10% l1=1e-3", "output": "sigmoid skips=concat"},
    "loss mse; clip 4": {"code": "variational 3", "output": "sigmoid skips=add"},
    "loss mse; clip 5": {"code": "dense 3 l1=1e-3", "output": "sigmoid skips=add"},
    "ema 0.9": {},
    "loss mae; ema 0.9": {"code": "dense 5 dropout=0.3 noise=0.1"},
    "batch 6 accumulate=3; corrupt hole=20% masking=0.2; augment jitter=0.1": {"code": "variational 3"},
    "batch 6 accumulate=4; corrupt gaussian=0.1; augment flip": {},
    "batch 6 accumulate=4; loss mse reduction=sum ": {"code": "variational 3 warmup=70%"},
}
"""Lines of a train block, each with what differs from the usual spec."""
OTHER_SETTINGS = ("optimizer", "schedule", "corrupt", "augment", "clip", "ema")
DATA = sorted({place["data"] for place in LINES.values() if "data" in place})


@st.composite
def combinations(draw: st.DrawFn) -> str:
    """Return a whole spec whose data, target, code and lines of training are those of different examples."""

    def drawn(*choices: str) -> str:
        return draw(st.sampled_from(choices))

    place = draw(st.sampled_from(list(LINES.values())))
    values = place.get("range", "0..1")
    loss = drawn(*(line for line in LINES if line.startswith("loss") and ";" not in line)).strip()
    rest = [drawn("", *(line for line in LINES if line.startswith(word))).strip() for word in OTHER_SETTINGS]
    if place.get("target"):
        target = drawn(place["target"], f"target {place.get('shape', '1x12x12')} in {values}")
    else:
        target = drawn("", "target 2x12x12 in 0..1")
    needs_sigmoid = any(name in loss for name, kind in LOSSES.items() if kind.probabilities)
    return SPEC.format(
        shape=place.get("shape", "1x12x12"),
        range=values,
        target=target,
        data=drawn("", *DATA),
        code=drawn(*(each["code"] for each in LINES.values() if "code" in each)),
        output="sigmoid" if needs_sigmoid else drawn("linear", "linear skips=concat", "linear skips=add"),
        lines="\n".join(["batch 6", loss, *(line.partition(";")[0] for line in rest)]),
    ).replace("epochs 5", "epochs 1")


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(combinations())
def test_any_combination_takes_the_same_steps(text: str) -> None:
    try:
        model = load(text)
    except SpecError:
        assume(False)
    hold_same_steps(model, steps=4)


@pytest.mark.parametrize("line", LINES)
def test_twenty_steps_are_the_same(line: str) -> None:
    place = {
        "shape": "1x12x12",
        "range": "0..1",
        "output": "linear" if "target" in LINES[line] else "sigmoid",
        "target": "",
        "data": "",
        "code": "dense 5 l1=1e-3 noise=0.1",
        **LINES[line],
    }
    hold_same_steps(load(SPEC.format(lines=line if "batch" in line else f"batch 6; {line}", **place)), steps=20)


def hold_same_steps(model: Autoencoder, steps: int) -> None:
    """Hold that training and the emitted loop take the same steps from the same weights."""
    assert model.train is not None
    generator = torch.Generator().manual_seed(1)
    images = torch.rand(SAMPLES, *model.input.shape, generator=generator)
    targets = torch.rand(SAMPLES, *model.target.shape, generator=generator) if model.paired else None
    weights = torch.rand(SAMPLES, generator=generator).double() if model.weighted else None
    torch.manual_seed(0)
    module = build(model)
    fit_preprocessing(module, model, Held(images), torch.arange(SAMPLES))
    start = {name: value.clone() for name, value in module.state_dict().items()}

    training = prepare(
        module,
        images,
        model.train,
        input_range=model.input.range,
        targets=Targets(None if targets is None else Held(targets), None, model.target.range),
        weights=weights,
        penalties=lower(model).penalties,
        code=lower(model).terms,
    )
    training.run()

    namespace: dict[str, object] = {"__name__": "emitted"}
    exec(compile(emit(model, training=True), "emitted.py", "exec"), namespace)
    emitted = namespace[class_name(model.name)]()  # type: ignore[operator]
    emitted.load_state_dict(start)
    given = [values for values in (images, targets, weights) if values is not None]
    namespace["train"](emitted, *given)  # type: ignore[operator]

    assert training.step == steps
    moved = False
    for name, value in emitted.state_dict().items():
        torch.testing.assert_close(value, training.last_weights[name], rtol=1e-3, atol=2e-5)
        moved = moved or not torch.equal(value, start[name])
    assert moved
