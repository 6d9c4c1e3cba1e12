"""Measure how many injected faults `caedsl check` finds by the right rule and `--fix --unsafe-fixes` repairs.

    python benchmarks/faults/run.py [--train] [--proofs 2] [--kept FILE] [--json FILE] [--each 10] [--seed 0]

Every case is one fault in one healthy spec. `--train` also trains parent, faulty and repaired spec of the faults that
affect training: on scikit-learn's digits, or on MNIST if CAEDSL_DATA names a folder that holds it.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.faults.cases import Result, alarms, draw, examine
from benchmarks.faults.controls import CONTROLS
from benchmarks.faults.parents import PARENTS
from benchmarks.faults.proof import BROKEN, RESTORED, Proof, prove
from benchmarks.faults.scores import Share, by_family, scores

PUBLISHED = """\
published, each on a set of its own: NeuraLint recall 70.5 %, precision 100 % (Nikanjam et al. 2021);
AutoTrainer repairs 97.33 % (Zhang et al. 2021), but only after the failure, by training again.
Thresholds come from the rule catalogue (a pilot on MNIST and Fashion-MNIST); no part of these cases was held back."""


def main() -> None:
    arguments = _arguments()
    results = [examine(case) for case in draw(PARENTS, arguments.each, arguments.seed)]
    healthy = {name: alarms(text) for name, text in {**PARENTS, **CONTROLS}.items()}
    print_table(results, healthy)
    print_details(results, healthy)
    proofs = prove(arguments.seed, arguments.proofs, arguments.kept) if arguments.train else []
    if proofs:
        print_proofs(proofs)
    if arguments.json:
        Path(arguments.json).write_text(json.dumps(_data(results, healthy, proofs), indent=1) + "\n", "utf-8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", action="store_true", help="show harm and repair by training")
    parser.add_argument(
        "--kept", metavar="FILE", type=Path, help="keep the outcomes of training there, and use them again"
    )
    parser.add_argument("--proofs", type=int, default=2, help="parents that each fault is trained in")
    parser.add_argument("--json", metavar="FILE", help="write every case to this file")
    parser.add_argument("--each", type=int, default=10, help="largest number of cases per operator")
    parser.add_argument("--seed", type=int, default=0, help="seed of the random choice of cases")
    return parser.parse_args()


def print_table(results: Sequence[Result], healthy: Mapping[str, Sequence[str]]) -> None:
    """Print recall, precision and repair by family and in total, with 95 % intervals."""
    print(f"{'family':<16}{'specs':>6}  {'recall':<26}{'precision':<26}{'repair':<26}")
    false = sum(len(names) for names in healthy.values())
    rows = [*((name, part, 0) for name, part in by_family(results).items()), ("all", results, false)]
    for name, part, alarmed in rows:
        recall, precision, repair = (str(share) for share in scores(part, alarmed))
        print(f"{name:<16}{len(part):>6}  {recall:<26}{precision:<26}{repair:<26}")
    quiet = Share(sum(not healthy[name] for name in CONTROLS), len(CONTROLS))
    clean = Share(sum(not healthy[name] for name in PARENTS), len(PARENTS))
    borne = [result for result in results if result.case.harmless]
    still = Share(sum(not result.false for result in borne), len(borne))
    print(f"silent: controls {quiet}; parents {clean}; faults too weak to harm {still}")
    times = sorted(1000 * result.seconds for result in results[1:])
    print(
        f"time a spec: median {median(times):.1f} ms, 95 % below {times[len(times) * 95 // 100]:.1f} ms (fixes verified)"
    )
    print(PUBLISHED)


def print_details(results: Sequence[Result], healthy: Mapping[str, Sequence[str]]) -> None:
    """Print every miss, every failed repair and every false alarm."""
    counted = [result for result in results if result.case.counted]
    _list("missed", [f"{result.case}" for result in counted if not result.found])
    unrepaired = (result for result in counted if result.case.operator.fixable and not result.repaired)
    _list("not repaired", [f"{result.case}: left {', '.join(result.left) or 'nothing'}" for result in unrepaired])
    beside = [f"{result.case}: {', '.join(result.false)}" for result in results if result.false]
    _list("false alarms", [*beside, *(f"{name}: {', '.join(names)}" for name, names in healthy.items() if names)])
    hidden = [result for result in results if not result.case.operator.visible and not result.case.harmless]
    _list(
        "not visible in the spec, and not counted",
        [f"{result.case}: {'found' if result.found else 'silent'}" for result in hidden],
    )


def _list(heading: str, lines: Sequence[str]) -> None:
    print(f"\n{heading}: {len(lines)}")
    for line in lines:
        print(f"  {line}")


def print_proofs(proofs: Sequence[Proof]) -> None:
    """Print the FVU medians, those of faulty and repaired specs also as multiples of the parent's."""
    print(f"\n{'trained: fault in parent':<72}{'parent':>7}{'faulty':>17}{'repaired':>17}")
    for proof in proofs:
        faulty = f"{median(proof.faulty):.3f} {_times(proof.harm)}"
        rest = f"{median(proof.repaired):.3f} {_times(proof.rest)}" if proof.repaired is not None else "-"
        print(f"{proof.result.case!s:<72}{median(proof.parent):>7.3f}{faulty:>17}{rest:>17}  {_verdict(proof)}")
    harmed = [proof for proof in proofs if proof.harms and proof.result.case.operator.visible]
    found = Share(sum(proof.result.found for proof in harmed), len(harmed))
    mended = [proof for proof in harmed if proof.repaired is not None]
    back = Share(sum(proof.restores for proof in mended), len(mended))
    spared = [proof for proof in proofs if not proof.harms]
    print(f"harm shown by training (over {BROKEN} times the parent's FVU) of faults that show, and found: {found}")
    print(f"repaired to at most {RESTORED} times the parent's FVU, of the repairs of such faults: {back}")
    print(f"warned of without such harm: {Share(sum(proof.result.found for proof in spared), len(spared))}")


def _times(ratio: float | None) -> str:
    return f"({ratio:6.2f}x)" if ratio is not None else ""


def _verdict(proof: Proof) -> str:
    words = []
    if proof.harms is proof.result.case.harmless:
        words.append("harms, labelled harmless" if proof.result.case.harmless else "no harm")
    if proof.repaired is not None and not proof.restores:
        words.append("NOT RESTORED")
    return ", ".join(words)


def _data(results: Sequence[Result], healthy: Mapping[str, Sequence[str]], proofs: Sequence[Proof]) -> dict[str, Any]:
    return {
        "cases": [_case(result) for result in results],
        "healthy": healthy,
        "trained": [
            {
                **_case(proof.result),
                "parent_fvu": proof.parent,
                "faulty_fvu": proof.faulty,
                "repaired_fvu": proof.repaired,
            }
            for proof in proofs
        ],
    }


def _case(result: Result) -> dict[str, Any]:
    case = result.case
    return {
        "operator": case.operator.name,
        "family": case.operator.family,
        "strength": case.strength,
        "parent": case.parent,
        "harmless": case.harmless,
        "visible": case.operator.visible,
        "found": result.found,
        "true": result.true,
        "false": result.false,
        "repaired": result.repaired,
        "left": result.left,
        "text": case.text,
        "repair": result.repair,
    }


if __name__ == "__main__":
    main()
