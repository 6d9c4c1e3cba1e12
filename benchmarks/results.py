"""Compare the results of the shipped specs on real images with their goals.

    python benchmarks/results.py [TARGET …] [--whole | --epochs N] [--runs DIR]

Each target trains a shipped spec as `caedsl train` does, for as few epochs as necessary unless --whole is given, reads
the metrics from its run folder and prints the reached number, the goal, and whether it is met. Runs are kept in --runs:
finished ones are read again, interrupted ones are resumed. CAEDSL_DATA names the folder that holds MNIST and
Fashion-MNIST.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.reached.runs import Runs, images
from benchmarks.reached.targets import TARGETS, Row
from caedsl.data.errors import DataError


def main() -> None:
    arguments = _arguments()
    names = arguments.targets or list(TARGETS)
    try:
        # Check this before hours of training, and so that no spec falls back on another source.
        for source in sorted({source for name in names for source in TARGETS[name].sources}):
            images(source)
    except DataError as error:
        sys.exit(str(error))
    runs, rows = Runs(arguments.runs, arguments.epochs, arguments.whole), []
    for name in names:
        print(f"\n{name}: {TARGETS[name].summary}", flush=True)
        for row in TARGETS[name].measure(runs):
            rows.append(row)
            print(f"  {row.what:<58}{row.reached:>9.5g}  {_goal(row)}", flush=True)
    missed = sum(row.met is False for row in rows)
    print(f"\n{missed or 'no'} goal{'s' * (missed != 1)} missed")
    sys.exit(missed > 0)


def _arguments() -> argparse.Namespace:
    listed = "\n".join(f"  {name:<20}{target.summary}" for name, target in TARGETS.items())
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, epilog=f"targets:\n{listed}"
    )
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="all by default")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--whole", action="store_true", help="train the specs as they stand, not for fewer epochs")
    length.add_argument("--epochs", type=int, metavar="N", help="train each for N epochs")
    parser.add_argument("--runs", type=Path, default=Path("runs/results"), metavar="DIR", help="where runs are kept")
    arguments = parser.parse_args()
    for name in arguments.targets:
        if name not in TARGETS:
            parser.error(f"there is no target {name}: they are {', '.join(TARGETS)}")
    return arguments


def _goal(row: Row) -> str:
    if row.met is None:
        return ""
    ends = (("at least", row.low), ("at most", row.high))
    goal = ", ".join(f"{words} {end:.5g}" for words, end in ends if end is not None)
    return f"{goal}: {'met' if row.met else 'MISSED'}"


if __name__ == "__main__":
    main()
