"""A diagnosis as JSON."""

import json
from dataclasses import asdict
from typing import Any

from caedsl.diagnostics.json import finite
from caedsl.doctor.diagnosis import Diagnosis
from caedsl.doctor.repairs import Repair

VERSION = 1
"""Version of the format; it increases when a field is removed, renamed or means something else.

New fields do not increase it.
"""


def as_json(diagnosis: Diagnosis) -> str:
    """Return the diagnosis as one object; non-finite numbers are null."""
    content = {
        "version": VERSION,
        "name": diagnosis.name,
        "path": diagnosis.path,
        "verdict": diagnosis.verdict.value,
        "summary": diagnosis.headline,
        "symptoms": list(diagnosis.symptoms),
        "causes": [
            {
                "cause": one.cause,
                "what": one.what,
                "sure": round(one.sure, 3),
                "place": one.place,
                "evidence": one.evidence,
                "remedy": one.remedy,
            }
            for one in diagnosis.causes
        ],
        "repairs": [_repair(one) for one in diagnosis.repairs],
        "tried": [_repair(one) for one in diagnosis.tried],
        "faster": _repair(diagnosis.faster) if diagnosis.faster is not None else None,
        "ruled_out": [asdict(one) for one in diagnosis.ruled_out],
        "evidence": {name: asdict(found) for name, found in diagnosis.evidence.items()},
        "notes": list(diagnosis.notes),
        "seed": diagnosis.seed,
        "seconds": diagnosis.seconds,
    }
    return json.dumps(finite(content), indent=2)


def _repair(repair: Repair) -> dict[str, Any]:
    return {
        "cause": repair.cause,
        "title": repair.title,
        "outcome": repair.outcome,
        "diff": repair.diff,
        "steps": repair.steps,
        "steps_before": repair.steps if repair.steps_before is None else repair.steps_before,
        "seeds": list(repair.seeds),
        "left_before": [curve.end for curve in repair.before],
        "left_after": [curve.end for curve in repair.after],
    }
