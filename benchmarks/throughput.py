"""Measure how many specs per second one process checks.

The specs are generated: valid ones, and the same with a misspelt word or a changed number.

    python benchmarks/throughput.py [--specs 1000] [--profile]

The aim is 300 per second, and 10 ms for 95 % of the faulty specs. Processor time is measured, so that other work on the
machine matters less. It includes verifying the fixes of the faulty specs, but not reading the files.
"""

import argparse
import random
import re
import time
from statistics import median, quantiles

from caedsl.rules.engine.checking import check_source
from caedsl.source import Source

_NUMBER = re.compile(r"\b\d+\b")
_WORD = re.compile(r"[a-z_]{4,}")
_AIM = 300


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--specs", type=int, default=1000)
    parser.add_argument("--profile", action="store_true", help="show where the time goes")
    arguments = parser.parse_args()
    draw = random.Random(0)
    sound = [_sound(draw) for _ in range(arguments.specs)]
    faulty = [_faulty(text, draw) for text in sound]
    mixed = [draw.choice(pair) for pair in zip(sound, faulty, strict=True)]
    for text in faulty:
        check_source(Source(text))  # the first of a process builds the parser and imports the rules
    for name, texts in {"sound": sound, "mixed": mixed, "faulty": faulty}.items():
        sources = [Source(text, f"{place}.cae") for place, text in enumerate(texts)]
        if arguments.profile:
            profile(sources)
        taken = [seconds(source) for source in sources]
        rate = len(taken) / sum(taken)
        slow = quantiles(taken, n=20)[-1]
        print(
            f"{name:<8}{rate:6.0f} specs a second (the aim is {_AIM}); median {median(taken) * 1000:.2f} ms, "
            f"95 % below {slow * 1000:.2f} ms"
        )


def _sound(draw: random.Random) -> str:
    """Return an autoencoder of one to three levels with its training, some thirty lines long."""
    activation = draw.choice(["relu", "leaky_relu", "gelu", "elu"])
    layers = []
    for _ in range(levels := draw.randint(1, 3)):
        width = draw.choice([16, 24, 32, 48, 64])
        layers += [f"  conv {width} k3 {activation}"] * draw.randint(1, 3)
        layers.append("  maxpool 2" if draw.random() < 0.5 else f"  conv {width} k4 s2 {activation}")
    side = draw.choice([16, 32, 48]) * 2 ** (levels - 1)
    encoder = "\n".join(layers)
    return f"""\
# A generated autoencoder.
autoencoder generated

input {draw.choice([1, 3])}x{side}x{side} in 0..1
data folder "images/" resize=crop

defaults conv norm=batch

encoder {{
{encoder}
}}

bottleneck dense {draw.choice([16, 32, 64, 128])}

decoder mirror

train {{
  loss      mse
  optimizer adamw lr=1e-3
  schedule  onecycle
  batch     {draw.choice([32, 64, 128])}
  epochs    {draw.randint(20, 60)}
}}
"""


def _faulty(text: str, draw: random.Random) -> str:
    """Return the same with two letters of a word swapped, or another number."""
    if draw.random() < 0.5:
        word = draw.choice(list(_WORD.finditer(text, text.index("\nencoder"))))
        at = draw.randrange(word.start(), word.end() - 1)
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    number = draw.choice(list(_NUMBER.finditer(text)))
    return text[: number.start()] + draw.choice(["1", "3", "7", "1000"]) + text[number.end() :]


def seconds(source: Source) -> float:
    start = time.process_time()
    check_source(source)
    return time.process_time() - start


def profile(sources: list[Source]) -> None:
    from cProfile import Profile
    from pstats import Stats

    with Profile() as measured:
        for source in sources:
            check_source(source)
    Stats(measured).sort_stats("tottime").print_stats(25)


if __name__ == "__main__":
    main()
