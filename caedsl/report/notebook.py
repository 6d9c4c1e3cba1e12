"""Runs as Python and notebooks show them: one line, and the head of their report."""

from dataclasses import dataclass, fields
from typing import Any

from caedsl.evaluation.evaluated_run import EvaluatedRun
from caedsl.inference.trained_run import TrainedRun
from caedsl.public import PublicNames
from caedsl.vocabulary.shape import text


class OpenedRun(TrainedRun):
    """Trained run that a notebook shows as the head of its report."""

    def _repr_html_(self) -> str:
        from caedsl.report.head import head

        return head(self.path, self.model)


@dataclass(frozen=True, repr=False)
class ReportedRun(PublicNames, EvaluatedRun):
    """Run that was just trained, which a notebook shows as the head of its report."""

    def __repr__(self) -> str:
        model, scores = self.run.model, self.evaluation.model
        return (
            f"<run {self.run.folder.path}: {model.name}, {text(model.input.shape)} -> {text(model.code_shape)}, "
            f"PSNR {scores.psnr:.2f} dB>"
        )

    def _repr_html_(self) -> str:
        from caedsl.report.head import head

        return head(self.run.folder.path, self.run.model)


def opened(run: TrainedRun) -> OpenedRun:
    """Return the same run as one that a notebook can show."""
    return OpenedRun(run.path, run.model, run.module, run.device)


def reported(run: EvaluatedRun) -> ReportedRun:
    """Return the same run as one that a notebook can show."""
    values: dict[str, Any] = {field.name: getattr(run, field.name) for field in fields(run)}
    return ReportedRun(**values)
