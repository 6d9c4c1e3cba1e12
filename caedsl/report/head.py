"""The head of a report: name, verdicts and numbers of a run."""

from contextlib import suppress
from html import escape
from pathlib import Path

from caedsl.evaluation.schema import read_anomalies, read_evaluation
from caedsl.inference.schema import read_calibration
from caedsl.model.autoencoder import Autoencoder
from caedsl.report.contents import facts
from caedsl.report.verdict import VerdictSentence, verdicts
from caedsl.runs.errors import RunError
from caedsl.runs.history import best_and_last
from caedsl.runs.schema import RecordError, read_epochs, read_troubles
from caedsl.vocabulary.shape import noun, text

_MARKS = {"good": "✓", "doubtful": "!", "bad": "✗"}
_CELL = "padding: 2px 12px 2px 0; border: 0; text-align: left"


def head(path: Path, model: Autoencoder) -> str:
    """Return the head of the report of a run as HTML: name, verdicts and numbers, as far as its folder has them."""
    found: list[VerdictSentence] = []
    figures = [("input", text(model.input.shape)), ("code", text(model.code_shape))]
    with suppress(RunError, RecordError, OSError):
        metrics, (_, last) = read_evaluation(path), best_and_last(read_epochs(path))
        troubles = sum(1 for _ in read_troubles(path))
        found = verdicts(metrics, read_anomalies(path), read_calibration(path), troubles, noun(model.input.shape))
        figures = facts(model, metrics, last.seconds if last is not None else 0.0)
    sentences = "".join(f"<li>{_MARKS[verdict.mood]} {escape(verdict.text)}</li>" for verdict in found)
    names = "".join(f'<th style="{_CELL}">{escape(name)}</th>' for name, _ in figures)
    values = "".join(f'<td style="{_CELL}">{escape(value)}</td>' for _, value in figures)
    verdict_list = f'<ul style="list-style: none; padding: 0">{sentences}</ul>' if sentences else ""
    table = f'<table style="border-collapse: collapse"><tr>{names}</tr><tr>{values}</tr></table>'
    return f"<div><p><b>{escape(model.name)}</b> {escape(str(path))}</p>{verdict_list}{table}</div>"
