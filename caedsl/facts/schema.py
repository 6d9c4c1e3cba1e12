"""JSON of the model's dataclasses, through pydantic: the only file of ``facts`` that imports it."""

import json
from typing import Any

from pydantic import TypeAdapter

from caedsl.facts.model_summary import Summary
from caedsl.model.settings import Augment, Corrupt, Optimizer, Schedule, Train

_CHOSEN: dict[str, Any] = {"optimizer": Optimizer, "schedule": Schedule, "corrupt": Corrupt, "augment": Augment}
"""Settings whose options are declared in the vocabulary."""


def summary_json(summary: Summary) -> str:
    """Return the output of ``caedsl show --json``."""
    return TypeAdapter(Summary).dump_json(summary, indent=2).decode() + "\n"


def settings_json(settings: Train) -> str:
    """Return the resolved settings, as a run folder keeps them."""
    return TypeAdapter(Train).dump_json(settings, indent=2).decode() + "\n"


def read_settings(text: str) -> Train:
    """Return the settings of a run folder; raise ``pydantic.ValidationError`` if the text is not settings."""
    try:
        settings = json.loads(text)
    except (ValueError, RecursionError):
        return TypeAdapter(Train).validate_json(text)  # raises with what is wrong with the text
    if isinstance(settings, dict):
        settings |= {word: _with_options(word, settings[word]) for word in _CHOSEN if word in settings}
    # Settings are read back as JSON, where a tuple is a list.
    return TypeAdapter(Train).validate_json(json.dumps(settings), strict=True)


def _with_options(word: str, value: Any) -> Any:
    """Return a setting of version 0.1, whose options were stored next to its name, in today's form; keep others."""
    if not isinstance(value, dict) or "options" in value:
        return value
    own = {key: value[key] for key in ("name", "lr") if key in value}
    try:
        declared = _CHOSEN[word].declared(str(own.get("name", "")))
    except ValueError:
        return value  # an unknown name, which the reader rejects
    return {
        **own,
        "options": {option.name: value[option.name] for option in declared if value.get(option.name) is not None},
    }


def summary_schema() -> dict[str, Any]:
    """Return the JSON Schema of ``caedsl show --json``."""
    return TypeAdapter(Summary).json_schema(mode="serialization")
