"""Examine a subject: run probes from cheap to expensive until the cause is certain, then try repairs."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import replace

from caedsl.diagnostics.finding import Edit
from caedsl.doctor import ruled_out as exclusion
from caedsl.doctor.budget import Budget
from caedsl.doctor.diagnosis import Diagnosis, Verdict
from caedsl.doctor.evidence import Evidence, Found, Probe, StepProgress
from caedsl.doctor.probes.data import DataProbe
from caedsl.doctor.probes.first_steps import FirstStepsProbe
from caedsl.doctor.probes.memorise import STEPS, MemoriseProbe
from caedsl.doctor.probes.rate import RateProbe
from caedsl.doctor.probes.start import StartProbe
from caedsl.doctor.probes.stretched import StretchedProbe, fills_the_range
from caedsl.doctor.probes.targets import TargetProbe
from caedsl.doctor.repairs import CLEARLY, SEEDS, Repair, Trials, affordable
from caedsl.doctor.ruled_out import RuledOut
from caedsl.doctor.subject import Subject
from caedsl.doctor.suspects import data, network, spec, steps, targets
from caedsl.doctor.suspicion import CERTAIN, MOST, NAMED, UNPROVEN, ProbesSoFar, Suspicion
from caedsl.rules.engine.symptoms import CAUSES, RATES
from caedsl.training.reporter import Reporter
from caedsl.training.search.learning_rate import STEPS as RANGE_TEST_STEPS

CONCLUSIVE = ("constant-images", "image-scale", "label-target", "unrelated-target", "frozen-layer")
"""Causes that make all other evidence meaningless: no change of the spec fixes them."""
MOST_NAMED, MOST_TRIED, CHANGES = 3, 4, 2
"""Number of causes that are named, of changes that are tried in all, and of changes that are tried per cause."""
MEMORISING, FIRST, REPAIRS = 0.3, 0.25, 0.9
"""Shares of the remaining budget for memorising, the first steps, and then the training of repairs."""


def examine(subject: Subject, budget: Budget, reporter: Reporter | None = None) -> Diagnosis:
    """Examine a subject within a budget, and try repairs in what is left of it."""
    return _Examination(subject, budget, reporter or Reporter()).run()


class _Examination:
    """Examination in progress."""

    def __init__(self, subject: Subject, budget: Budget, reporter: Reporter) -> None:
        self.subject, self.budget, self.reporter = subject, budget, reporter
        self.started = time.monotonic()
        self.evidence: dict[str, Evidence] = {}
        self.price = 0.0
        """Cost of a step, measured before the first long training."""

    def run(self) -> Diagnosis:
        """Run probes, stop as soon as the cause is certain, and try repairs."""
        seen = ProbesSoFar(self.subject, self._take(DataProbe()))
        if self.subject.train.targets is not None:
            seen = replace(seen, targets=self._take(TargetProbe()))
        if self._conclusive(seen):
            return self._diagnosis(seen, suspicions(seen), ())
        seen = replace(seen, start=self._take(StartProbe()))
        if self._conclusive(seen):
            return self._diagnosis(seen, suspicions(seen), ())
        memorised = self._take(MemoriseProbe(MEMORISING * self.budget.left, self.budget.step))
        self.budget.spend(memorised.taken)
        seen = replace(seen, memorise=memorised)
        if seen.fails and seen.targets is None and not fills_the_range(seen.data):
            seen = replace(seen, stretched=self._take(StretchedProbe(seen.data)))
            self.budget.spend(STEPS)
        seen = replace(seen, rate=self._take(RateProbe()))
        self.budget.spend(RANGE_TEST_STEPS)
        self.price = self.budget.price(self.subject)
        first = self._take(FirstStepsProbe(min(self._steps(FIRST, 1), self.subject.baseline.steps)))
        self.budget.spend(first.steps)
        seen = replace(seen, first=first)
        return self._diagnosis(seen, *self._repaired(seen, suspicions(seen)))

    def _take(self, probe: Probe[Found]) -> Found:
        """Run a probe, and report its purpose while it runs."""
        try:
            found = probe.run(self.subject, self._step_progress(probe.purpose))
        finally:
            self.reporter.end()
        self.evidence[probe.name] = found
        return found

    def _step_progress(self, task: str) -> StepProgress:
        return lambda done, total: self.reporter.loading(task, done, total, "steps")

    def _conclusive(self, seen: ProbesSoFar) -> bool:
        return any(one.cause in CONCLUSIVE and one.sure >= CERTAIN for one in suspicions(seen))

    def _steps(self, share: float, runs: int) -> int:
        """Return how many steps each of ``runs`` training runs may take in a share of the remaining budget."""
        return affordable(share * self.budget.left, self.price, runs)

    def _repaired(self, seen: ProbesSoFar, found: Sequence[Suspicion]) -> tuple[Sequence[Suspicion], Sequence[Repair]]:
        """Try the changes of the most likely suspicions; a change that does not help makes its cause less likely."""
        assert seen.first is not None
        changes = {change.edits for one in found for change in one.changes[:CHANGES]}
        steps = self._steps(REPAIRS, SEEDS * (1 + min(MOST_TRIED, len(changes))))
        same = seen.first.steps == min(steps, self.subject.baseline.steps)
        trials = Trials(self.subject, steps, seen.first.curve if same else None)
        made: list[Repair] = []
        best: list[Repair | None] = []
        done: set[tuple[Edit, ...]] = set()
        for suspicion in found:
            own: list[Repair] = []
            for change in suspicion.changes[:CHANGES]:
                late = bool(done) and not self.budget.left
                if change.edits in done or len(done) == MOST_TRIED or late:
                    continue
                done.add(change.edits)
                repair = trials.repair(suspicion.cause, change, self._step_progress)
                self.budget.spend(SEEDS * steps)
                self.reporter.end()
                own += [repair] if repair is not None else []
            made += own
            best.append(min(own, key=lambda repair: repair.gain, default=None))
        least = min((repair.gain for repair in made if repair.wins), default=0.0)
        ranked = [after_repair(suspicion, repair, least) for suspicion, repair in zip(found, best, strict=True)]
        return _winners_first(ranked, best), made

    def _diagnosis(self, seen: ProbesSoFar, found: Sequence[Suspicion], made: Sequence[Repair]) -> Diagnosis:
        symptoms = tuple(seen.symptoms())
        causes = tuple(one for one in found if one.sure >= NAMED)[:MOST_NAMED]
        named = {one.cause for one in causes}
        best = {one: min(of, key=lambda repair: repair.gain) for one in named if (of := _won(made, one))}
        offered = list(best.values())
        others = [repair for repair in made if repair.cause not in named and repair.wins and repair.gain <= CLEARLY]
        faster = min(others, key=lambda repair: repair.gain, default=None)
        excluded = {one.cause: one for one in exclusion.ruled_out(seen)}
        excluded |= {
            repair.cause: RuledOut(repair.cause, f"{repair.title} was tried: {repair.numbers}")
            for repair in made
            if repair.decided and not repair.wins
        }
        return Diagnosis(
            name=self.subject.model.name,
            path=self.subject.path,
            verdict=_verdict(causes, symptoms),
            symptoms=symptoms,
            causes=causes,
            ruled_out=tuple(one for cause, one in excluded.items() if cause not in named),
            repairs=tuple(sorted(offered, key=lambda repair: _rank(repair.cause, causes))),
            tried=tuple(repair for repair in made if repair not in offered and repair is not faster),
            faster=faster,
            evidence=self.evidence,
            seed=self.subject.settings.seed,
            seconds=round(time.monotonic() - self.started, 1),
            notes=self.subject.images.notes,
        )


def _won(made: Sequence[Repair], cause: str) -> list[Repair]:
    return [repair for repair in made if repair.cause == cause and repair.wins]


def _rank(cause: str, causes: Sequence[Suspicion]) -> int:
    return [one.cause for one in causes].index(cause)


def after_repair(suspicion: Suspicion, repair: Repair | None, least: float) -> Suspicion:
    """Return a suspicion with its certainty adjusted by the result of its repair.

    ``least`` is the best result of all repairs. A repair that wins, but far less than another, says nothing about its
    cause: a higher rate, for example, also speeds up networks that learn slowly for another reason. It speeds up
    healthy networks too: it shows that theirs is too low only if the run would end before they come as far. A learning
    rate that another one does not beat is not the cause, however small its steps are.
    """
    if repair is None or not repair.decided or (repair.wins and repair.gain * CLEARLY > least):
        return suspicion
    if suspicion.cause == "low-learning-rate" and suspicion.sure < NAMED and not repair.out_of_reach:
        return suspicion
    if repair.wins:
        return replace(suspicion, sure=min(MOST, suspicion.sure + 0.2)) if suspicion.sure >= UNPROVEN else suspicion
    most = UNPROVEN if suspicion.cause in RATES else 1.0
    return replace(suspicion, sure=min(most, 0.5 * suspicion.sure))


def _winners_first(found: Sequence[Suspicion], repairs: Sequence[Repair | None]) -> list[Suspicion]:
    """Sort suspicions after their repairs: one that is only likely, and whose change did not win, follows the winners.

    A run, for example, is not too short if another change trains well in as many steps.
    """
    tried = list(zip(found, repairs, strict=True))
    best = max((one.sure for one, repair in tried if _wins_clearly(repair) and one.sure >= NAMED), default=MOST)
    behind = [
        replace(one, sure=min(one.sure, best)) if repair is not None and not repair.wins and one.sure < CERTAIN else one
        for one, repair in tried
    ]
    won = {one.cause for one, repair in tried if _wins_clearly(repair)}
    return sorted(behind, key=lambda one: (-one.sure, one.cause not in won, one.cause not in CONCLUSIVE))


def _wins_clearly(repair: Repair | None) -> bool:
    return repair is not None and repair.wins and repair.gain <= CLEARLY


def suspicions(seen: ProbesSoFar) -> list[Suspicion]:
    """Return what may be wrong, the most likely first.

    Suspicions of one cause from the spec and the probes are merged. The learning rate is one cause, whatever its name,
    and what ``caedsl check`` says about it takes precedence.
    """
    symptoms = seen.symptoms()
    found: dict[str, Suspicion] = {}
    for suspicion in _all(seen):
        fits = any(suspicion.cause in CAUSES[symptom] for symptom in symptoms if symptom in CAUSES)
        surer = replace(suspicion, sure=min(MOST, suspicion.sure + 0.1)) if fits else suspicion
        key = "rate" if suspicion.cause in RATES else suspicion.cause
        found[key] = _together(found[key], surer) if key in found else surer
    return sorted(found.values(), key=lambda one: (-one.sure, one.cause not in CONCLUSIVE))


def _together(first: Suspicion, other: Suspicion) -> Suspicion:
    """Merge two suspicions of the same cause."""
    return replace(
        first,
        sure=max(first.sure, other.sure),
        evidence=f"{first.evidence}; {other.evidence}",
        changes=(*first.changes, *other.changes),
    )


def _all(seen: ProbesSoFar) -> Iterable[Suspicion]:
    for suspect in (spec.suspect, data.suspect, targets.suspect, network.suspect, steps.suspect):
        yield from suspect(seen)


def _verdict(causes: Sequence[Suspicion], symptoms: Sequence[str]) -> Verdict:
    if tuple(symptoms) == ("slow-start",) and {one.cause for one in causes} <= {"low-learning-rate"}:
        return Verdict.SLOW
    if causes:
        return Verdict.ILL
    return Verdict.UNKNOWN if symptoms else Verdict.HEALTHY
