"""Every command that reads specs handles mutated ones within seconds, with an exit code and no crash.

``pytest tests/cli/test_fuzzed_specs.py -n 0 --fuzz-specs 20000 --fuzz-seed 7`` tries 20,000 specs from another seed. It
continues after a failure, and reports all failures at the end.
"""

import ast
import re
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random

import numpy as np
import pytest

from caedsl.facts.cost import total_macs, total_parameters
from caedsl.model.autoencoder import Autoencoder
from caedsl.model.settings import Train
from caedsl.rules.engine import catalogue
from caedsl.rules.engine.checking import examined
from caedsl.rules.engine.compiling import compiled
from caedsl.rules.engine.example import examples, whole_spec
from tests.cli.spec_writer import written_spec
from tests.conftest import SPECS, Ran

MOST_SECONDS = 1.0
"""Processor time of one command, the best of three: a loaded machine takes longer now and then."""
MOST_BYTES = 500_000_000

SWEPT = """autoencoder swept
input 1x16x16
data digits
let width = 16
encoder { conv width relu; maxpool 2 }
bottleneck dense 16
decoder mirror
train { loss mse; optimizer adam lr=1e-3; batch 32; epochs 40 }
sweep { let.width 8 16; train.optimizer.lr 1e-4..1e-2 log x3; bottleneck.noise 0.1 0.2; data.limit 100 200 }
"""
CORPUS = [
    SWEPT,
    SWEPT,
    *(path.read_text("utf-8") for path in SPECS),
    *(
        whole_spec(fragment)
        for entry in catalogue.every()
        for heading in ("Example", "Instead")
        for fragment in examples(entry.documentation, heading)
    ),
]
TOKEN = re.compile(r"[A-Za-z_]\w*|[0-9.]+[A-Za-z%0-9]*|\"[^\"\n]*\"|\s+|.", re.DOTALL)
WORDS = sorted({token for text in CORPUS for token in TOKEN.findall(text) if not token.isspace()})
NUMBERS = [
    "0",
    "1",
    "-1",
    "2",
    "3",
    "7",
    "1000000",
    "1e300",
    "1e-300",
    "1e300G",
    "1e39",
    ".5",
    "5.",
    "0.3333333333333333333333333333333333",
    "99999999999999999999",
    "999999999999999999999999999999999999999999999999",
    "100%",
    "1e300%",
    "0x10",
    "1x1",
    "0x0",
    "65536x65536",
    "1x1x1x1",
    "3x3",
    "k0",
    "k99999",
    "s9",
    "d9",
    "x2000",
    "x3",
    "g7",
    "0..1",
    "1..0",
    "0..1e300",
    "-1e300..1e300",
    "real",
    "auto",
    "/0",
    "/2",
    "1/3",
    "(1+2)*3",
    "1/0",
]
HOSTILE = [
    "\x00",
    "\x1b[31m",
    "\u202e",
    "\ufeff",
    "\r",
    "\t",
    "#",
    "/*",
    "//",
    '"',
    "{",
    "}",
    "(",
    ")",
    ";",
    "=",
    "..",
    "é",
    "漢",
]


def mutated(random: Random, corpus: Sequence[str]) -> str:
    """Return a spec of the corpus with a few tokens replaced, doubled, moved, deleted or wrapped into blocks."""
    tokens = TOKEN.findall(random.choice(corpus))
    for _ in range(random.choice((1, 1, 2, 3, 5, 12))):
        at = random.randrange(len(tokens)) if tokens else 0
        match random.randrange(9):
            case 0:
                tokens[at : at + 1] = [random.choice(WORDS)]
            case 1:
                tokens[at : at + 1] = [random.choice(NUMBERS)]
            case 2:
                tokens.insert(at, f" {random.choice(WORDS)} ")
            case 3:
                tokens.insert(at, f" {random.choice(NUMBERS)} ")
            case 4:
                del tokens[at : at + random.choice((1, 1, 2, 5, 20))]
            case 5:
                tokens[at:at] = tokens[at : at + random.choice((1, 3, 10, 40))] * random.choice((1, 1, 2, 30))
            case 6:
                tokens.insert(at, random.choice(HOSTILE))
            case 7:
                group = random.choice(("repeat 3 {", "residual {", "stage a {", "repeat 2000 {", "residual relu {"))
                tokens[at:at] = [f" {group} "]
                tokens.insert(min(len(tokens), at + random.randrange(1, 12)), " } ")
            case _:
                other = TOKEN.findall(random.choice(CORPUS))
                place = random.randrange(len(other))
                tokens[at:at] = other[place : place + random.randrange(1, 20)]
    return "".join(tokens)[:20_000]


COMMANDS = (
    ("check", "--output-format", "json"),
    ("check", "--diff", "--unsafe-fixes"),
    ("check", "--fix"),
    ("fmt", "--diff"),
    ("show",),
    ("show", "--variant", "2"),
    ("graph", "-o", "a.svg"),
    ("graph", "--style", "blocks", "-o", "a.mmd"),
    ("emit", "--training"),
    ("emit",),
)


class Fuzzing:
    """A series of mutated specs, and what every command on each of them is held to."""

    def __init__(self, config: pytest.Config, caedsl: Callable[..., Ran], capsys: pytest.CaptureFixture[str]) -> None:
        self.seconds, self.seed = config.getoption("--fuzz-seconds"), config.getoption("--fuzz-seed")
        self.specs = config.getoption("--fuzz-specs")
        self.caedsl, self.capsys = caedsl, capsys
        self.tried, self.slowest, self.largest = 0, 0.0, 0
        self.failures: list[str] = []

    def drawn(self, corpus: Sequence[str], writer: Callable[[Random], str] | None = None) -> Iterator[str]:
        """Yield mutated specs until there are enough of them, or the time is over where no number is given.

        With a ``writer``, every second one is a spec that it wrote, or a mutation of that.
        """
        end = time.monotonic() + self.seconds
        while self.tried < self.specs or (not self.specs and time.monotonic() < end):
            self.tried += 1
            if self.specs and self.tried % 500 == 0:
                self.report()
            random = Random(f"{self.seed}/{self.tried}")
            if writer is None or self.tried % 2:
                yield mutated(random, corpus)
            else:
                text = writer(random)
                yield text if random.randrange(2) else mutated(random, [text])

    @contextmanager
    def case(self, text: str, *command: str) -> Iterator[None]:
        """Name the spec and the command of a failure in the context; with a number of specs, collect it and go on."""
        try:
            yield
        except Exception as error:
            told = f"spec {self.tried} of seed {self.seed}, {' '.join(command)}: {error}\n{text}"
            if not self.specs:
                raise AssertionError(told) from error
            self.failures.append(told)
            self.report(told)

    def report(self, told: str = "") -> None:
        """Print what was tried so far, and a new failure, past pytest's capture."""
        took = f"at most {self.slowest:.2f} s and {self.largest >> 20} MB a command"
        with self.capsys.disabled():
            print(
                f"{told}\n{self.tried} specs from seed {self.seed}: {took}, {len(self.failures)} failures", flush=True
            )

    def run(self, text: str, *command: str, most_seconds: float = MOST_SECONDS) -> Ran:
        """Run a command on the spec ``a.cae``, which holds ``text``.

        A command that exceeds a limit is measured again, because the first time includes its imports. Nothing is cached.
        """
        spec = Path("a.cae")
        for _ in range(3):
            if not spec.exists() or spec.read_bytes() != text.encode():
                spec.write_bytes(text.encode())
            examined.cache_clear()
            compiled.cache_clear()
            before, start = reset_peak_memory(), time.process_time()
            ran = self.caedsl(command[0], "a.cae", *command[1:])
            seconds, memory = time.process_time() - start, peak_memory() - before
            if seconds < most_seconds and memory < MOST_BYTES:
                break
        told = f"exit code {ran.code}, {seconds:.1f} s, {memory:,} bytes\n{ran.err[:2000]}"
        assert ran.code in (0, 1, 2), told
        assert seconds < most_seconds, told
        assert memory < MOST_BYTES, told
        assert len(ran.out) + len(ran.err) < 2_000_000, told
        self.slowest, self.largest = max(self.slowest, seconds), max(self.largest, memory)
        return ran


def reset_peak_memory() -> int:
    """Let the peak of this process's memory start from what it holds now, where the system can; return that."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    return peak_memory()


def peak_memory() -> int:
    """Return the most bytes that this process has held since ``reset_peak_memory``; 0 where the system does not say."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return 0
    return 1024 * int(status.partition("VmHWM:")[2].split(maxsplit=1)[0])


@pytest.fixture
def fuzzing(
    pytestconfig: pytest.Config,
    caedsl: Callable[..., Ran],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Fuzzing]:
    monkeypatch.chdir(tmp_path)
    fuzzing = Fuzzing(pytestconfig, caedsl, capsys)
    yield fuzzing
    if fuzzing.specs:
        fuzzing.report()
    if fuzzing.failures:
        pytest.fail("\n\n".join(fuzzing.failures), pytrace=False)


def test_mutated_specs_are_answered(fuzzing: Fuzzing) -> None:
    for text in fuzzing.drawn(CORPUS, written_spec):
        for command in COMMANDS:
            with fuzzing.case(text, *command):
                ran = fuzzing.run(text, *command)
                if command[0] == "emit" and ran.code == 0:
                    ast.parse(ran.out)


TINY = """autoencoder tiny
input 1x8x8
data digits limit=30
encoder { conv 2 relu; maxpool 2; residual { conv 2 k3 relu norm=batch } }
bottleneck dense 2
decoder mirror output=sigmoid
train { loss mse; optimizer adam lr=1e-2; epochs 1; batch 10; corrupt gaussian=0.1; augment flip; ema 0.9 }
"""

GROWN = (
    ("data digits limit=30", 'data npy "images.npy" normalize=standard'),
    ("data digits limit=30", 'target 1x8x8\ndata npy "images.npy" target="images.npy"'),
    ("1x8x8\ndata digits limit=30", '1x32\ndata npy "signals.npy"'),
    ("1x8x8\ndata digits limit=30", '1x4x4x4\ndata npy "volumes.npy"'),
    ("bottleneck dense 2", "bottleneck variational 2 beta=0.5 warmup=0.5"),
    ("bottleneck dense 2", "bottleneck variational conv 2"),
    ("bottleneck dense 2", "bottleneck quantized 4x2"),
    ("bottleneck dense 2", "bottleneck dense 4 topk=2"),
    ("bottleneck dense 2", "bottleneck dense 4 sigmoid sparsity=5%"),
    ("bottleneck dense 2", "bottleneck { dense 4 relu; dense 2; dense 4 relu }"),
    ("maxpool 2;", "attention heads=2; se 2; gdn;"),
    ("decoder mirror output=sigmoid", "decoder { dense 16; reshape 1x4x4; upsample 2; conv 1 }"),
    ("decoder mirror output=sigmoid", "decoder { dense 32; reshape 2x4x4; unpool p1; conv 1 }"),
    ("maxpool 2;", "maxpool 2 as p1;"),
    ("loss mse", "loss huber + 0.1 ssim"),
    ("optimizer adam lr=1e-2", "optimizer sgd lr=0.1 momentum=0.9; schedule cosine warmup=0.5"),
    ("encoder {", "block body n=2 { conv n relu norm=layer }\nencoder { body x2;"),
    ("norm=batch", "norm=group groups=2"),
)
"""Parts of ``TINY``, and what takes their places."""
MOST_STEPS, MOST_MACS = 200, 1_000_000
MOST_TRAINING_SECONDS = 30.0


def grown(random: Random) -> str:
    """Return ``TINY`` with other words of the language in place of a few parts."""
    text = TINY
    for part, other in random.sample(GROWN, random.choice((1, 1, 2, 4))):
        text = text.replace(part, other)
    return text


def test_mutated_specs_train(fuzzing: Fuzzing) -> None:
    """Every small variant of a tiny spec is trained, valid or not."""
    chance = np.random.default_rng(0)
    for name, shape in (("images", (20, 8, 8)), ("signals", (20, 32)), ("volumes", (20, 4, 4, 4))):
        np.save(f"{name}.npy", chance.random(shape, np.float32))
    trained = 0
    for text in fuzzing.drawn([TINY], grown):
        with fuzzing.case(text, "train"):
            model = compiled(text, "a.cae").model
            if model is not None and (not model.complete or is_small(model)):
                shutil.rmtree("run", ignore_errors=True)
                words = ("--out", "run", "--epochs", "1", "--quiet", "--no-pictures", "--no-baselines")
                ran = fuzzing.run(text, "train", *words, most_seconds=MOST_TRAINING_SECONDS)
                trained += ran.code == 0
    assert trained


def is_small(model: Autoencoder) -> bool:
    """Return whether one epoch takes a moment, with the 1,797 digits that scikit-learn has at most."""
    settings = model.train or Train()
    limits = [source.limit or 2000 for source in model.data]
    steps = max(limits, default=0) / (settings.batch if isinstance(settings.batch, int) else 1)
    return total_macs(model) < MOST_MACS and total_parameters(model) < MOST_MACS and steps < MOST_STEPS
