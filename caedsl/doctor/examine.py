"""Examine a subject: run probes from cheap to expensive until the cause is certain, then try repairs."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from math import ceil
from statistics import median

from caedsl.diagnostics.finding import Edit
from caedsl.doctor import ruled_out as exclusion
from caedsl.doctor.budget import Budget
from caedsl.doctor.certainty import CERTAIN, MOST, NAMED, UNPROVEN, with_lost_repair, with_symptom, with_won_repair
from caedsl.doctor.diagnosis import Diagnosis, Verdict
from caedsl.doctor.evidence import Evidence, Found, Probe, StepProgress
from caedsl.doctor.probes.data import DataProbe
from caedsl.doctor.probes.first_steps import FirstStepsProbe
from caedsl.doctor.probes.memorise import STEPS, MemoriseProbe
from caedsl.doctor.probes.rate import RateProbe
from caedsl.doctor.probes.start import StartProbe
from caedsl.doctor.probes.stretched import StretchedProbe, fills_the_range
from caedsl.doctor.probes.targets import TargetProbe
from caedsl.doctor.repairs import CLEARLY, LADDER, SEEDS, Repair, Trials, affordable
from caedsl.doctor.ruled_out import RuledOut
from caedsl.doctor.subject import Subject
from caedsl.doctor.suspects import data, network, spec, steps, targets
from caedsl.doctor.suspicion import ENOUGH, POOR, ProbesSoFar, ProposedChange, Suspicion
from caedsl.rules.engine.symptoms import CAUSES, RATES
from caedsl.training.reporter import Reporter
from caedsl.training.search.learning_rate import STEPS as RANGE_TEST_STEPS

CONCLUSIVE = ("constant-images", "image-scale", "label-target", "unrelated-target", "frozen-layer")
"""Causes that make all other evidence meaningless: no change of the spec fixes them."""
MOST_NAMED, MOST_TRIED, CHANGES = 3, 4, 2
"""Number of causes that are named, of changes that are tried in all, and of changes that are tried per cause."""
MEMORISING, FIRST, REPAIRS = 0.3, 0.25, 0.9
"""Shares of the remaining budget for memorising, the first steps, and then the training of repairs."""
DECISIVE_BUDGET = STEPS + RANGE_TEST_STEPS + ceil(min(count for count in LADDER if count >= ENOUGH) / FIRST)
"""Steps of the budget from which a network that memorises takes ``ENOUGH`` first steps."""


def examine(subject: Subject, budget: Budget, reporter: Reporter | None = None) -> Diagnosis:
    """Examine a subject within a budget, and try repairs in what is left of it."""
    return _Examination(subject, budget, reporter or Reporter()).run()


class _Examination:
    """Examination in progress."""

    def __init__(self, subject: Subject, budget: Budget, reporter: Reporter) -> None:
        self.subject, self.budget, self.reporter = subject, budget, reporter
        self.started = time.monotonic()
        self.evidence: dict[str, Evidence] = {}
        self.step_cost = 0.0
        """Cost of a step, measured before the first long training."""

    def run(self) -> Diagnosis:
        """Run probes, stop as soon as the cause is certain, and try repairs."""
        seen = ProbesSoFar(self.subject, self._take(DataProbe()))
        if self.subject.train.targets is not None:
            seen = replace(seen, targets=self._take(TargetProbe()))
        if self._conclusive(seen):
            return self._diagnosis(seen, ranked_suspicions(seen), ())
        seen = replace(seen, start=self._take(StartProbe()))
        if self._conclusive(seen):
            return self._diagnosis(seen, ranked_suspicions(seen), ())
        memorised = self._take(MemoriseProbe(MEMORISING * self.budget.left, self.budget.known_step_cost))
        self.budget.spend(memorised.taken)
        seen = replace(seen, memorise=memorised)
        if seen.fails and seen.targets is None and not fills_the_range(seen.data):
            seen = replace(seen, stretched=self._take(StretchedProbe(seen.data)))
            self.budget.spend(STEPS)
        seen = replace(seen, rate=self._take(RateProbe()))
        self.budget.spend(RANGE_TEST_STEPS)
        self.step_cost = self.budget.step_cost(self.subject)
        first = self._take(FirstStepsProbe(min(self._steps(FIRST, 1), self.subject.baseline.steps)))
        self.budget.spend(first.steps)
        seen = replace(seen, first=first)
        return self._diagnosis(seen, *self._repaired(seen, ranked_suspicions(seen)))

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
        return any(one.cause in CONCLUSIVE and one.sure >= CERTAIN for one in ranked_suspicions(seen))

    def _steps(self, share: float, runs: int) -> int:
        """Return how many steps each of ``runs`` training runs may take in a share of the remaining budget."""
        return affordable(share * self.budget.left, self.step_cost, runs)

    def _repaired(
        self, seen: ProbesSoFar, suspicions: Sequence[Suspicion]
    ) -> tuple[Sequence[Suspicion], Sequence[Repair]]:
        """Try the changes of the most likely suspicions; a change that does not help makes its cause less likely."""
        assert seen.first is not None
        changes = {change.edits for one in suspicions for change in one.changes[:CHANGES]}
        steps = self._steps(REPAIRS, SEEDS * (1 + min(MOST_TRIED, len(changes))))
        reusable = seen.first.steps == min(steps, self.subject.baseline.steps)
        trials = Trials(self.subject, steps, seen.first.curve if reusable else None)
        repairs: list[Repair] = []
        best_repairs: list[Repair | None] = []
        tried: set[tuple[Edit, ...]] = set()
        for suspicion in suspicions:
            own_repairs = self._tried(seen, trials, suspicion, tried)
            repairs += own_repairs
            best_repairs.append(min(own_repairs, key=lambda repair: repair.gain, default=None))
        if (background := _also_background(seen, suspicions, repairs)) is not None:
            suspicions, best_repairs = [*suspicions, background], [*best_repairs, None]
        least = min((repair.gain for repair in repairs if repair.wins), default=0.0)
        ranked = [
            after_repair(suspicion, repair, least) for suspicion, repair in zip(suspicions, best_repairs, strict=True)
        ]
        return _winners_first(ranked, best_repairs), repairs

    def _tried(
        self, seen: ProbesSoFar, trials: Trials, suspicion: Suspicion, tried: set[tuple[Edit, ...]]
    ) -> list[Repair]:
        """Try changes that are not ``tried`` yet; one that ends in plain background is tried with another loss, too."""
        repairs: list[Repair] = []
        changes = list(suspicion.changes[:CHANGES])
        while changes:
            change = changes.pop(0)
            late = bool(tried) and not self.budget.left
            if change.edits in tried or len(tried) == MOST_TRIED or late:
                continue
            tried.add(change.edits)
            repair = trials.repair(suspicion.cause, change, self._step_progress)
            self.budget.spend(SEEDS * trials.steps)
            self.reporter.end()
            if repair is not None:
                repairs.append(repair)
                changes[:0] = with_another_loss(seen, change, repair)
        return repairs

    def _diagnosis(self, seen: ProbesSoFar, suspicions: Sequence[Suspicion], repairs: Sequence[Repair]) -> Diagnosis:
        symptoms = tuple(seen.symptoms())
        causes = tuple(suspicion for suspicion in suspicions if suspicion.sure >= NAMED)[:MOST_NAMED]
        named = {suspicion.cause for suspicion in causes}
        # A rate that is to blame is not ruled out under another name.
        settled = named if named.isdisjoint(RATES) else named.union(RATES)
        won = ([repair for repair in repairs if repair.cause == cause.cause and repair.wins] for cause in causes)
        best_repairs = [min(of_cause, key=lambda repair: repair.gain) for of_cause in won if of_cause]
        others = [repair for repair in repairs if repair.cause not in named and _wins_clearly(repair)]
        faster = min(others, key=lambda repair: repair.gain, default=None)
        excluded = {one.cause: one for one in exclusion.ruled_out(seen)}
        excluded |= {
            repair.cause: RuledOut(repair.cause, f"{repair.title} was tried: {repair.numbers}")
            for repair in repairs
            if repair.decided and not repair.wins
        }
        undecided = "" if causes or symptoms else undecided_after(seen, repairs)
        return Diagnosis(
            name=self.subject.model.name,
            path=self.subject.path,
            verdict=Verdict.UNKNOWN if undecided else _verdict(causes, symptoms),
            symptoms=symptoms,
            causes=causes,
            ruled_out=tuple(one for cause, one in excluded.items() if cause not in settled),
            repairs=tuple(best_repairs),
            tried=tuple(repair for repair in repairs if repair not in best_repairs and repair is not faster),
            faster=faster,
            evidence=self.evidence,
            seed=self.subject.settings.seed,
            seconds=round(time.monotonic() - self.started, 1),
            notes=(*self.subject.notes, *self.subject.images.notes),
            undecided=undecided,
        )


def undecided_after(seen: ProbesSoFar, repairs: Sequence[Repair]) -> str:
    """Return why the examined steps do not show that the network learns, or nothing if they do.

    The trials of repairs also train the original, often for more steps than the probe of the first steps.
    """
    first = seen.first
    if first is None:
        return ""
    trained = ((one.before[0].steps[-1], median(curve.end for curve in one.before)) for one in repairs)
    steps, left = max(((first.steps, first.left), *trained), key=lambda run: run[0])
    if left <= POOR:
        return ""
    worse = "worse" if left > 1 else "hardly better"
    so_far = f"after {steps:,} of {first.whole:,} steps, the network is {worse} than the mean image"
    if steps >= ENOUGH or first.ended:
        return f"{so_far}, but no known cause explains it"
    return f"{so_far}, and so few steps decide nothing: `--budget {DECISIVE_BUDGET}steps` takes enough of them"


def _in_background(seen: ProbesSoFar, repair: Repair) -> bool:
    background = seen.first.background if seen.first is not None else None
    return background is not None and repair.ends_at(background[0])


def with_another_loss(seen: ProbesSoFar, change: ProposedChange, repair: Repair) -> list[ProposedChange]:
    """Return a change together with a loss that avoids background, if it ends there and does not change the loss."""
    if not _in_background(seen, repair):
        return []
    return [
        ProposedChange(
            f"{change.title} and {loss.title}", tuple(sorted((*change.edits, *loss.edits), key=lambda edit: edit.span))
        )
        for loss in steps.other_losses(seen)[:1]
        if not {edit.span for edit in change.edits} & {edit.span for edit in loss.edits}
    ]


def _also_background(seen: ProbesSoFar, suspicions: Sequence[Suspicion], repairs: Sequence[Repair]) -> Suspicion | None:
    """Return the suspicion that background is a cheap optimum, if a repair of a named cause ends in background."""
    surest = max((one.sure for one in suspicions), default=0.0)
    back = next((repair for repair in repairs if _in_background(seen, repair)), None)
    if back is None or surest < NAMED or "empty-background" in {one.cause for one in suspicions}:
        return None
    evidence = f"after {back.steps:,} steps with {back.title}, the output is the same background for every image"
    suspicion = steps.empty_background(seen, evidence)
    return replace(suspicion, sure=min(suspicion.sure, surest))


def after_repair(suspicion: Suspicion, repair: Repair | None, least: float) -> Suspicion:
    """Return a suspicion with its certainty adjusted by the result of its repair.

    ``least`` is the smallest ``gain`` of the repairs that win. A repair that wins, but far less than another, says
    nothing about its cause: a higher learning rate, for example, also speeds up networks that learn slowly for another
    reason, and even healthy ones. A healthy network's own rate is therefore too low only if its whole run would end
    clearly above what the higher rate has reached. If a changed learning rate does not win, the rate is not the cause,
    however small the steps are.
    """
    if repair is None or not repair.decided or (repair.wins and repair.gain * CLEARLY > least):
        return suspicion
    if suspicion.cause == "low-learning-rate" and suspicion.sure < NAMED and not repair.out_of_reach:
        return suspicion
    if repair.wins:
        return replace(suspicion, sure=with_won_repair(suspicion.sure))
    lost = with_lost_repair(suspicion.sure)
    return replace(suspicion, sure=min(UNPROVEN, lost) if suspicion.cause in RATES else lost)


def _winners_first(suspicions: Sequence[Suspicion], repairs: Sequence[Repair | None]) -> list[Suspicion]:
    """Return suspicions, the most likely first; one that is not certain and whose repair lost follows the winners.

    A run, for example, is not too short if another change trains well in as many steps.
    """
    tried = list(zip(suspicions, repairs, strict=True))
    won = [suspicion for suspicion, repair in tried if _wins_clearly(repair)]
    limit = max((suspicion.sure for suspicion in won if suspicion.sure >= NAMED), default=MOST)
    ranked = []
    for suspicion, repair in tried:
        lost = repair is not None and not repair.wins
        capped = lost and suspicion.sure < CERTAIN
        ranked.append(replace(suspicion, sure=min(suspicion.sure, limit)) if capped else suspicion)
    winners = {suspicion.cause for suspicion in won}
    return sorted(ranked, key=lambda one: (-one.sure, one.cause not in winners, one.cause not in CONCLUSIVE))


def _wins_clearly(repair: Repair | None) -> bool:
    return repair is not None and repair.wins and repair.gain <= CLEARLY


def ranked_suspicions(seen: ProbesSoFar) -> list[Suspicion]:
    """Return the suspected causes, the most likely first; a cause that explains a symptom is more likely.

    Suspicions of the same cause from the spec and the probes are merged. A learning rate that is too low and one that
    is too high count as the same cause, and a finding of ``caedsl check`` about it takes precedence.
    """
    symptoms = seen.symptoms()
    found: dict[str, Suspicion] = {}
    for suspicion in _suspicions(seen):
        fits = any(suspicion.cause in CAUSES[symptom] for symptom in symptoms if symptom in CAUSES)
        surer = replace(suspicion, sure=with_symptom(suspicion.sure)) if fits else suspicion
        key = "rate" if suspicion.cause in RATES else suspicion.cause
        found[key] = _merged(found[key], surer) if key in found else surer
    return sorted(found.values(), key=lambda one: (-one.sure, one.cause not in CONCLUSIVE))


def _merged(first: Suspicion, other: Suspicion) -> Suspicion:
    """Merge two suspicions of the same cause."""
    return replace(
        first,
        sure=max(first.sure, other.sure),
        evidence=f"{first.evidence}; {other.evidence}",
        changes=(*first.changes, *other.changes),
    )


def _suspicions(seen: ProbesSoFar) -> Iterable[Suspicion]:
    for suspect in (spec.suspect, data.suspect, targets.suspect, network.suspect, steps.suspect):
        yield from suspect(seen)


def _verdict(causes: Sequence[Suspicion], symptoms: Sequence[str]) -> Verdict:
    if tuple(symptoms) == ("slow-start",) and {one.cause for one in causes} <= {"low-learning-rate"}:
        return Verdict.SLOW
    if causes:
        return Verdict.ILL
    return Verdict.UNKNOWN if symptoms else Verdict.HEALTHY
