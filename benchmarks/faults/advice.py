"""Measure the advice of rules and monitors: train every alternative of every sentence.

    python benchmarks/faults/advice.py [--monitors] [--list] [--only NAME …] [--seeds 2] [--kept FILE]

The sentences are those that `caedsl check` prints for the faults that affect training, in small parents, if they begin
with "use" or "try". With ``--monitors`` they are the remedies that monitors name while they watch the training of their
own examples. Each alternative of a sentence ("use A, or B") is applied to the faulty spec and trained in full. It holds
if it leaves at most 0.85 times what the faulty spec leaves. ``--list`` lists the training runs, and trains only what
monitors must see.
"""

import argparse
import json
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import chdir, suppress
from functools import cache
from pathlib import Path
from statistics import median
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.faults.cases import draw
from benchmarks.faults.following import followed, of_monitor, of_rule
from benchmarks.faults.operators import OPERATORS
from benchmarks.faults.small_parents import SMALL
from caedsl.diagnostics.edits import apply_edits
from caedsl.diagnostics.finding import Finding
from caedsl.rules.engine.checking import check_source
from caedsl.rules.engine.example import examples
from caedsl.source import Source

HOLDS = 0.85
"""What an alternative may leave of the faulty spec's error."""
DRAWN = 6
"""Cases of each operator: enough for all of its strengths."""
_ADVICE = re.compile(r"(use|try)\b")


class Advised(NamedTuple):
    """An alternative of a sentence about a ``faulty`` spec with a ``whole`` counterpart.

    ``by`` is the rule or monitor, ``where`` describes the spec. ``text`` follows the alternative; it is None if the
    alternative cannot be read.
    """

    by: str
    where: str
    whole: str
    faulty: str
    alternative: str
    text: str | None

    @property
    def key(self) -> str:
        """Return what distinguishes it from every other."""
        return f"{self.by} in {self.where}: {self.alternative}"


def advised(seed: int = 0) -> Iterator[Advised]:
    """Yield every alternative of rules once for each rule and wording, numbers apart."""
    seen: set[tuple[str, str]] = set()
    for case in draw(SMALL, DRAWN, seed, [operator for operator in OPERATORS if operator.trained]):
        if case.harmless:
            continue
        checked = check_source(Source(case.text))
        where = f"{case.parent} ({case.operator.name}, {case.strength})"
        for finding in checked.findings:
            advice = finding.advice or ""
            if finding.name not in case.operator.rules or not _ADVICE.match(advice) or checked.model is None:
                continue
            for number, alternative in enumerate(of_rule(_ADVICE.sub("", advice, count=1).strip())):
                key = (finding.name, re.sub(r"[\d.e-]+", "#", alternative))
                text = (
                    _fixed(finding, case.text) if number == 0 and finding.fix else followed(checked.model, alternative)
                )
                if key not in seen:
                    seen.add(key)
                    yield Advised(finding.name, where, SMALL[case.parent], case.text, alternative, text)


def advised_by_monitors() -> Iterator[Advised]:
    """Train the example of every monitor, and yield every alternative that it then names."""
    from caedsl.runs.errors import TrainingError
    from caedsl.runs.schema import read_troubles
    from caedsl.training.monitors.engine.catalogue import in_order_of_names
    from caedsl.training.train import train

    for monitor in in_order_of_names():
        (faulty,), (whole,) = examples(monitor.documentation, "Example"), examples(monitor.documentation, "Instead")
        model = check_source(Source(faulty)).model
        assert model is not None
        with tempfile.TemporaryDirectory() as folder, chdir(folder):
            write_pairs(Path(folder))
            with suppress(TrainingError):
                train(model, spec_text=faulty, out=Path(folder) / "run")
            remedies = {trouble.monitor: trouble.remedy for trouble in read_troubles(Path(folder) / "run")}
        for alternative in of_monitor(remedies.get(monitor.name, "")):
            yield Advised(monitor.name, "its example", whole, faulty, alternative, followed(model, alternative))


def write_pairs(folder: Path) -> None:
    """Write the images and targets that the examples of monitors name."""
    import numpy as np
    from sklearn.datasets import load_digits

    images = load_digits().images / 16
    for name, values in (("digits", images), ("shuffled", images[::-1]), ("inverted", 1 - images)):
        np.save(folder / f"{name}.npy", values.astype(np.float32))


def _fixed(finding: Finding, text: str) -> str:
    assert finding.fix is not None
    return apply_edits(text, finding.fix.edits)


def main() -> None:
    """Train the missing alternatives, and print which ones hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--monitors", action="store_true", help="the advice of monitors instead of that of rules")
    parser.add_argument("--list", action="store_true", help="train no alternative")
    parser.add_argument("--only", nargs="*", help="rules or monitors whose advice is trained")
    parser.add_argument("--seeds", type=int, default=2, help="number of training runs of each spec")
    parser.add_argument(
        "--kept", type=Path, default=Path("advice.json"), help="file of the results so far, to resume from"
    )
    arguments = parser.parse_args()
    kept: dict[str, list[float]] = json.loads(arguments.kept.read_text("utf-8")) if arguments.kept.exists() else {}
    for each in advised_by_monitors() if arguments.monitors else advised():
        if arguments.only and each.by not in arguments.only:
            continue
        if each.text is not None and each.key not in kept and not arguments.list:
            kept[each.key] = [_left(text, arguments.seeds) for text in (each.whole, each.faulty, each.text)]
            arguments.kept.write_text(json.dumps(kept, indent=1), "utf-8")
        print(f"{_verdict(each, kept.get(each.key))}  {each.key}", flush=True)


@cache
def _left(text: str, seeds: int) -> float:
    # torch is only imported if something is trained.
    from benchmarks.faults.training import outcome

    return median(outcome(text, range(7, 7 + seeds)))


def _verdict(each: Advised, left: list[float] | None) -> str:
    if left is None:
        return "not read   " if each.text is None else "not trained"
    parent, faulty, following = left
    return f"{'holds' if following <= HOLDS * faulty else 'FAILS'} {parent:.3f} {faulty:.3f} {following:.3f}"


if __name__ == "__main__":
    main()
