"""Render a diagnosis as one page of HTML, with the curves that support it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from markupsafe import Markup

from caedsl.doctor.diagnosis import Diagnosis, Verdict, symptom_text
from caedsl.doctor.evidence import Evidence
from caedsl.doctor.probes.first_steps import FirstStepsEvidence
from caedsl.doctor.probes.memorise import FAILED, MemoriseEvidence
from caedsl.doctor.probes.rate import RateEvidence
from caedsl.doctor.repairs import Repair
from caedsl.report.charts import lines
from caedsl.report.page import page_templates

_PAGE = "diagnosis.html.jinja"
_MOODS = {Verdict.HEALTHY: "good", Verdict.SLOW: "doubtful", Verdict.UNKNOWN: "doubtful", Verdict.ILL: "bad"}
Lines = Mapping[str, tuple[Sequence[float], Sequence[float]]]


def page(diagnosis: Diagnosis) -> str:
    """Return the page as HTML that loads nothing and has no scripts."""
    template = page_templates(Path(__file__).parent).get_template(_PAGE)
    charts = {name: Markup(drawn) for name, drawn in _all_charts(diagnosis).items()}
    words = {"headline": diagnosis.headline, "mood": _MOODS[diagnosis.verdict]}
    symptoms = [symptom_text(symptom) for symptom in diagnosis.symptoms]
    return template.render(diagnosis=diagnosis, charts=charts, symptoms=symptoms, **words) + "\n"


def _all_charts(diagnosis: Diagnosis) -> dict[str, str]:
    """Return the charts by their headings: repairs compared with the original, and measurements of the probes."""
    drawn = {}
    for number, repair in enumerate(diagnosis.trained):
        drawn[f"Tried for {repair.cause}: {repair.title}"] = lines(
            _trial(repair), "steps", "share of the variance left", f"repair{number}"
        )
    for number, evidence in enumerate(diagnosis.evidence.values()):
        drawn |= _probe_chart(evidence, f"probe{number}")
    return drawn


def _trial(repair: Repair) -> Lines:
    both = (("original", repair.before), ("changed", repair.after))
    curves = {
        f"{name}, seed {seed}": (curve.steps, curve.left)
        for name, curves in both
        for seed, curve in zip(repair.seeds, curves, strict=True)
    }
    return _with_mean_image(curves, repair.steps)


def _with_mean_image(curves: Lines, steps: int) -> Lines:
    """Add the mean image, which leaves all of the variance: without it, a flat curve could look steep."""
    return {**curves, "mean image": ((0, steps), (1.0, 1.0))}


def _probe_chart(evidence: Evidence, name: str) -> dict[str, str]:
    if isinstance(evidence, MemoriseEvidence):
        limit = ((0, evidence.curve.steps[-1]), (FAILED, FAILED))
        curves: Lines = {
            "memorised images": (evidence.curve.steps, evidence.curve.left),
            f"limit ({FAILED:.0%})": limit,
        }
        heading = f"Memorising {evidence.images} images"
        return {heading: lines(curves, "steps", "share of the variance left", name)}
    if isinstance(evidence, RateEvidence) and evidence.rates:
        own = ((evidence.own, evidence.own), (min(evidence.losses), max(evidence.losses)))
        curves = {"loss": (evidence.rates, evidence.losses), "rate of the spec": own}
        return {"Range test of the learning rate": lines(curves, "learning rate", "loss", name)}
    if isinstance(evidence, FirstStepsEvidence):
        curves = {"held-out images": (evidence.curve.steps, evidence.curve.left)}
        shown = _with_mean_image(curves, evidence.steps)
        return {"First steps": lines(shown, "steps", "share of the variance left", name)}
    return {}
