"""Measure how often `caedsl doctor` names the right cause and its repairs hold, against random search and monitors.

    python benchmarks/faults/doctor.py [--draw mended|held-back|digits] [--steps 4000] [--parents 5] [--each 1] [--controls 40]
        [--only hidden|healthy|spec] [--parts examine train watch] [--kept FILE]

Hidden faults are injected into images, weights or data of small healthy specs; faults of the spec are those of
`run.py` that affect training. Repairs, and the best of random search with as many steps, are then trained in full, and
so are the controls: one that leaves more than 1.5 times what its parent leaves is not healthy, and is not counted. The
budget is a number of training steps, so that the figures do not depend on the machine. Cases run in a random order and
are saved one by one: an interrupted run has figures too, and can be resumed.
"""

import argparse
import json
import random
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.faults import peers
from benchmarks.faults.cases import draw
from benchmarks.faults.digit_parents import DIGITS
from benchmarks.faults.doctor_scores import print_scores
from benchmarks.faults.held_back_parents import HELD_BACK
from benchmarks.faults.hidden_faults import CONTROLS, HIDDEN, Hidden, subject
from benchmarks.faults.random_search import search
from benchmarks.faults.small_parents import SMALL
from benchmarks.faults.training import outcome
from caedsl.doctor.budget import StepsBudget
from caedsl.doctor.examine import examine
from caedsl.doctor.subject import Subject
from caedsl.resolve.merging.overrides import override
from caedsl.rules.engine.checking import check_source
from caedsl.source import Source

DRAWS = {"mended": (SMALL, 0), "held-back": (HELD_BACK, 100), "digits": (DIGITS, 200)}
"""The parents of each draw, and the first of its seeds."""
Row = dict[str, Any]
Kept = dict[str, Row]
OUTCOMES = (7, 8)
"""Seeds of the full training runs, which no examination uses."""


class DoctorCase(NamedTuple):
    """A case: a spec and its ``whole`` parent, the fault hidden in its data or weights, its seed, and the right causes.

    A control has none.
    """

    name: str
    parent: str
    whole: str
    text: str
    seed: int
    hidden: Hidden | None
    expected: list[str]

    def subject(self) -> Subject | None:
        """Return the examined subject, or None if the fault cannot be injected, or if a control has an error itself."""
        if not self.expected and check_source(Source(self.text)).has_errors:
            return None
        return subject(self.text, self.seed, self.hidden)


def main() -> None:
    """Run the cases that are not saved yet, and print the scores."""
    arguments = _arguments()
    kept: Kept = json.loads(arguments.kept.read_text("utf-8")) if arguments.kept.exists() else {}
    if "watch" in arguments.parts and peers.missing():
        sys.exit(f"not installed: {', '.join(peers.missing())} (or leave out the part `watch`)")
    parents, first_seed = DRAWS[arguments.draw]
    cases = _cases(parents, first_seed, arguments)
    for case in cases:
        for part in arguments.parts:
            row = kept.setdefault(case.name, {"expected": case.expected})
            if PARTS[part].key not in row:
                row |= PARTS[part].run(case, row, kept, arguments.steps)
                arguments.kept.write_text(json.dumps(kept, indent=1), "utf-8")
                print(f"{part} {case.name}: {row[PARTS[part].key]}", flush=True)
    print_scores(kept)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draw", choices=tuple(DRAWS), default="held-back", help="which parents and seeds")
    parser.add_argument("--steps", type=int, default=4000, help="training steps that an examination may take")
    parser.add_argument(
        "--parents",
        type=int,
        default=5,
        help="number of parents that each hidden fault is injected into, if possible",
    )
    parser.add_argument("--each", type=int, default=1, help="cases of each strength of a fault of the spec")
    parser.add_argument("--controls", type=int, default=40, help="healthy specs")
    parser.add_argument("--parts", nargs="*", choices=PARTS, default=["examine", "train"], help="what to do")
    parser.add_argument("--only", choices=("hidden", "healthy", "spec"), help="cases of this kind alone")
    parser.add_argument(
        "--kept", type=Path, default=Path("doctor.json"), help="file of the results so far, to resume from"
    )
    return parser.parse_args()


def _cases(parents: Mapping[str, str], first_seed: int, arguments: argparse.Namespace) -> list[DoctorCase]:
    """Return the cases in a random but fixed order."""
    made = [*_hidden(parents, first_seed, arguments.parents), *_controls(parents, first_seed, arguments.controls)]
    made += _of_the_spec(parents, first_seed, arguments.each)
    chosen = [case for case in made if arguments.only is None or case.name.startswith(arguments.only)]
    random.Random(first_seed).shuffle(chosen)
    return chosen


def _hidden(parents: Mapping[str, str], first_seed: int, count: int) -> Iterator[DoctorCase]:
    for number, hidden in enumerate(HIDDEN):
        for seed, (parent, text) in enumerate(list(parents.items())[:count], first_seed + 10 * number):
            yield DoctorCase(
                f"hidden {hidden.name} in {parent}", parent, text, text, seed, hidden, sorted(hidden.causes)
            )


def _controls(parents: Mapping[str, str], first_seed: int, count: int) -> Iterator[DoctorCase]:
    variants = [(parent, variant) for variant in CONTROLS for parent in parents]
    for number, (parent, variant) in enumerate(variants[:: max(1, len(variants) // count)]):
        text = override(Source(parents[parent]), CONTROLS[variant]).text
        yield DoctorCase(f"healthy {variant} of {parent}", parent, parents[parent], text, first_seed + number, None, [])


def _of_the_spec(parents: Mapping[str, str], first_seed: int, each: int) -> Iterator[DoctorCase]:
    counts: dict[tuple[str, str], int] = {}
    for case in draw(parents, 3 * len(parents), first_seed):
        key = (case.operator.name, case.strength)
        if not case.operator.trained or case.harmless or counts.get(key, 0) >= each:
            continue
        counts[key] = counts.get(key, 0) + 1
        right = sorted(case.operator.rules | case.operator.also)
        yield DoctorCase(f"spec {case}", case.parent, parents[case.parent], case.text, first_seed, None, right)


def _examined(case: DoctorCase, row: Row, kept: Kept, steps: int) -> Row:
    """Return the doctor's answer, without a verdict if there is no such subject."""
    examined = case.subject()
    if examined is None:
        return {"verdict": None}
    budget = StepsBudget(steps)
    diagnosis = examine(examined, budget)
    return {
        "causes": [one.cause for one in diagnosis.causes],
        "verdict": diagnosis.verdict.value,
        "symptoms": list(diagnosis.symptoms),
        "repair": diagnosis.best.text if diagnosis.best is not None else None,
        "title": diagnosis.best.title if diagnosis.best is not None else None,
        "trial": diagnosis.trained[0].steps if diagnosis.trained else 300,
        "spent": steps - int(budget.left),
        "seconds": diagnosis.seconds,
    }


def _watched(case: DoctorCase, row: Row, kept: Kept, steps: int) -> Row:
    """Return the causes that each third-party monitor names."""
    examined = case.subject()
    return dict.fromkeys(peers.PEERS) if examined is None else dict(peers.watched(examined))


def _trained(case: DoctorCase, row: Row, kept: Kept, steps: int) -> Row:
    """Return the median FVU after full training of parent, faulty spec, repair and best random change.

    Random search uses training runs as long as the doctor's, and as many steps in total as the doctor and its probes.
    Hidden faults are not trained, because no change of a spec undoes them. Of a control, only the parent and the control
    itself are trained: one that leaves far more than its parent is not healthy.
    """
    if case.hidden is not None or "causes" not in row:
        return {"faulty": None}
    texts = {"parent": case.whole, "faulty": case.text}
    if case.expected:
        examined = case.subject()
        assert examined is not None
        luck = search(examined, row["trial"], max(2, row["spent"] // row["trial"]), seed=case.seed)
        texts |= {"repaired": row["repair"], "searched": luck.text}
    left: dict[str | None, float | None] = {None: None, case.whole: kept.get("parents", {}).get(case.parent)}
    for text in texts.values():
        if left.get(text) is None and text is not None:
            left[text] = median(outcome(text, OUTCOMES))
    kept.setdefault("parents", {})[case.parent] = left[case.whole]
    return {name: left[text] for name, text in texts.items()}


class Part(NamedTuple):
    """A part of the work: what it adds to the row of a case, and the ``key`` that marks it as done."""

    run: Callable[[DoctorCase, Row, Kept, int], Row]
    key: str


PARTS = {
    "examine": Part(_examined, "verdict"),
    "train": Part(_trained, "faulty"),
    "watch": Part(_watched, "neuraldbg"),
}


if __name__ == "__main__":
    main()
