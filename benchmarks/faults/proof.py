"""The proof by training: parent, faulty and repaired spec of the faults that affect training."""

import json
import os
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from statistics import median

from benchmarks.faults.cases import Case, Result, draw, examine
from benchmarks.faults.small_parents import SMALL

BROKEN, RESTORED = 1.5, 1.1
"""Times the parent's median FVU: above the first a fault has done harm, up to the second a repair has undone it."""

WORKERS = 2


@dataclass(frozen=True)
class Proof:
    """The FVU of every seed for the three specs of a case; ``repaired`` is None if nothing was repaired."""

    result: Result
    parent: list[float]
    faulty: list[float]
    repaired: list[float] | None

    @property
    def harm(self) -> float:
        """Return the median of the faulty spec divided by the parent's."""
        return median(self.faulty) / median(self.parent)

    @property
    def harms(self) -> bool:
        return self.harm > BROKEN

    @property
    def restores(self) -> bool:
        return self.rest is not None and self.rest <= RESTORED

    @property
    def rest(self) -> float | None:
        """Return the median of the repaired spec divided by the parent's."""
        return None if self.repaired is None else median(self.repaired) / median(self.parent)


def parents() -> dict[str, str]:
    """Return the small parents, on real MNIST if CAEDSL_DATA names a folder that holds it."""
    if not os.environ.get("CAEDSL_DATA"):
        return dict(SMALL)
    return {name: text.replace("data digits", "data mnist limit=4000") for name, text in SMALL.items()}


def prove(seed: int, each: int, kept: Path | None = None) -> list[Proof]:
    """Train all cases, in two processes of one thread each.

    Every strength of every operator is trained in ``each`` parents, in one if it is harmless. ``kept`` is a file of
    outcomes, which are not trained again.
    """
    healthy = parents()
    cases = [case for case in draw(healthy, len(healthy) * 3, seed) if case.operator.trained]
    results = [examine(case) for case in _few(cases, each)]
    texts = dict.fromkeys(text for result in results for text in _specs(healthy, result))
    known = _outcomes(list(texts), kept)
    return [
        Proof(
            result,
            known[healthy[result.case.parent]],
            known[result.case.text],
            known[result.repair] if _is_repaired(result) else None,
        )
        for result in results
    ]


def _few(cases: Iterable[Case], each: int) -> list[Case]:
    """Return the first ``each`` cases of every operator and strength, but only one harmless case."""
    counts: dict[tuple[str, str], int] = {}
    chosen = []
    for case in cases:
        key = case.operator.name, case.strength
        counts[key] = counts.get(key, 0) + 1
        if counts[key] <= (1 if case.harmless else each):
            chosen.append(case)
    return chosen


def _is_repaired(result: Result) -> bool:
    return not result.case.harmless and result.repaired


def _specs(healthy: dict[str, str], result: Result) -> Sequence[str]:
    specs = [healthy[result.case.parent], result.case.text]
    return [*specs, result.repair] if _is_repaired(result) else specs


def _outcomes(texts: Sequence[str], kept: Path | None) -> dict[str, list[float]]:
    known: dict[str, list[float]] = json.loads(kept.read_text("utf-8")) if kept and kept.exists() else {}
    with ProcessPoolExecutor(WORKERS, get_context("spawn"), _one_thread) as pool:
        waiting = {pool.submit(_outcome, text): text for text in texts if text not in known}
        for count, done in enumerate(as_completed(waiting), 1):
            known[waiting[done]] = done.result()
            if kept:
                kept.write_text(json.dumps(known), "utf-8")
            print(f"trained {count} of {len(waiting)} specs", end="\r", file=sys.stderr)
    return known


def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)


def _outcome(text: str) -> list[float]:
    # Only the workers import torch, so that the check is timed without it.
    from benchmarks.faults.training import outcome

    return outcome(text)
