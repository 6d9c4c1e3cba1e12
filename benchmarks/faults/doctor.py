"""How often `caedsl doctor` names the right cause, and whether its repairs hold, against random search.

    python benchmarks/faults/doctor.py [--budget 40] [--parents 2] [--each 2] [--controls 16] [--only KIND] [--kept FILE]

Hidden faults are injected into images, weights or data of small healthy specs; faults of the spec are those of
`run.py` that training shows. Repairs and the best of random search with as many trainings are then trained in full.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.faults.cases import draw
from benchmarks.faults.hidden_faults import CONTROLS, HIDDEN, subject
from benchmarks.faults.random_search import search
from benchmarks.faults.scores import Share
from benchmarks.faults.small_parents import SMALL
from benchmarks.faults.training import outcome
from caedsl.doctor.diagnosis import Diagnosis
from caedsl.doctor.examine import examine
from caedsl.doctor.subject import Subject
from caedsl.resolve.overrides import override
from caedsl.source import Source

HOLDS, RESTORED, HARM = 0.85, 1.1, 1.5
"""What a repair may leave of the faulty spec's error, in full trainings, and of the parent's; and what harm is."""


def main() -> None:
    """Examine every case that is not kept yet, and print the scores."""
    arguments = _arguments()
    kept: dict[str, Any] = json.loads(arguments.kept.read_text("utf-8")) if arguments.kept.exists() else {}
    for name, examined, expected in _cases(arguments):
        if name in kept or (arguments.only and not name.startswith(arguments.only)):
            continue
        diagnosis = examine(examined, arguments.budget)
        kept[name] = _row(diagnosis, expected)
        if name.startswith("spec") and not arguments.examine:
            kept[name] |= _trained(name, examined, diagnosis, kept)
        arguments.kept.write_text(json.dumps(kept, indent=1), "utf-8")
        print(f"{name}: {', '.join(kept[name]['causes']) or kept[name]['verdict']}", flush=True)
    print_scores(kept)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--budget", type=float, default=40, help="seconds an examination may take")
    parser.add_argument("--parents", type=int, default=2, help="parents that each hidden fault is injected into")
    parser.add_argument("--each", type=int, default=1, help="cases of each strength of a fault of the spec")
    parser.add_argument("--controls", type=int, default=16, help="healthy specs")
    parser.add_argument("--examine", action="store_true", help="train no spec in full")
    parser.add_argument("--only", choices=("hidden", "healthy", "spec"), help="cases of this kind alone")
    parser.add_argument("--kept", type=Path, default=Path("doctor.json"), help="results so far, to go on from")
    return parser.parse_args()


def _cases(arguments: argparse.Namespace) -> Iterator[tuple[str, Subject, list[str]]]:
    """Yield the name of each case, its subject and the right causes: none for a control."""
    for hidden in HIDDEN:
        found = 0
        for seed, (name, text) in enumerate(SMALL.items()):
            made = subject(text, seed, hidden) if found < arguments.parents else None
            if made is not None:
                found += 1
                yield f"hidden {hidden.name} in {name}", made, sorted(hidden.causes)
    controls = [(parent, variant) for variant in CONTROLS for parent in SMALL]
    for number, (parent, variant) in enumerate(controls[:: max(1, len(controls) // arguments.controls)]):
        text = override(Source(SMALL[parent]), CONTROLS[variant]).text
        made = subject(text, number)
        assert made is not None
        yield f"healthy {variant} of {parent}", made, []
    counts: dict[tuple[str, str], int] = {}
    for case in draw(SMALL, 2 * len(SMALL), 0):
        key = (case.operator.name, case.strength)
        counts[key] = counts.get(key, 0) + 1
        if case.operator.trained and not case.harmless and counts[key] <= arguments.each:
            made = subject(case.text, 0)
            assert made is not None
            yield f"spec {case}", made, sorted(case.operator.rules | case.operator.also)


def _row(diagnosis: Diagnosis, expected: list[str]) -> dict[str, Any]:
    return {
        "expected": expected,
        "causes": [one.cause for one in diagnosis.causes],
        "verdict": diagnosis.verdict.value,
        "repair": diagnosis.best.title if diagnosis.best is not None else None,
        "seconds": diagnosis.seconds,
    }


def _trained(name: str, examined: Subject, diagnosis: Diagnosis, kept: dict[str, Any]) -> dict[str, Any]:
    """Train parent, faulty spec, repair and the best of random search in full: the median of what is left."""
    parent = name.rpartition(" in ")[2]
    tried = diagnosis.trained
    steps = tried[0].steps if tried else 200
    trainings = sum(len(repair.after) for repair in tried) or 4
    luck = search(examined, steps, trainings, seed=0)
    key = f"parent {parent}"
    if key not in kept:
        kept[key] = {"left": median(outcome(SMALL[parent]))}
    return {
        "parent": kept[key]["left"],
        "faulty": median(outcome(examined.model.source.text)),
        "repaired": median(outcome(diagnosis.best.text)) if diagnosis.best is not None else None,
        "searched": median(outcome(luck.text)),
        "trainings": trainings,
    }


def print_scores(kept: dict[str, Any]) -> None:
    """Print the shares with their intervals, and every case that went wrong."""
    rows = {name: row for name, row in kept.items() if "causes" in row}
    hidden = {name: row for name, row in rows.items() if name.startswith("hidden")}
    spec = {name: row for name, row in rows.items() if name.startswith("spec") and _harmed(row)}
    controls = [row for name, row in rows.items() if name.startswith("healthy")]
    for title, part in (("hidden faults", hidden), ("faults of the spec", spec), ("all", {**hidden, **spec})):
        first = Share(
            sum(row["causes"][:1] != [] and row["causes"][0] in row["expected"] for row in part.values()), len(part)
        )
        three = Share(sum(bool(set(row["causes"]) & set(row["expected"])) for row in part.values()), len(part))
        unsaid = sum(row["verdict"] == "cannot say" for row in part.values())
        print(f"{title}: first-named cause right {first}; in the first three {three}; cannot say {unsaid}")
    print(f"healthy, no cause named: {Share(sum(not row['causes'] for row in controls), len(controls))}")
    trained = [row for row in spec.values() if "faulty" in row]
    offered = [row for row in trained if row["repaired"] is not None]
    print(f"repairs that hold: {Share(sum(row['repaired'] <= HOLDS * row['faulty'] for row in offered), len(offered))}")
    for who in ("repaired", "searched"):
        back = sum(row[who] is not None and row[who] <= RESTORED * row["parent"] for row in trained)
        print(f"{who} to {RESTORED} times the parent: {Share(back, len(trained))}")
    for name, row in rows.items():
        wrong = row["causes"][:1] != row["expected"][:1] and not (row["causes"] and row["causes"][0] in row["expected"])
        if wrong and (not name.startswith("spec") or _harmed(row)):
            print(f"  {name}: {', '.join(row['causes']) or row['verdict']}")


def _harmed(row: dict[str, Any]) -> bool:
    """Whether a fault has done harm, as far as that is known."""
    return "faulty" not in row or bool(row["faulty"] > HARM * row["parent"])


if __name__ == "__main__":
    main()
