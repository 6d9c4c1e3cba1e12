"""JSON of the model's dataclasses, through pydantic: the one file of this room that imports it."""

from typing import Any

from pydantic import TypeAdapter

from caedsl.facts.summary import Summary
from caedsl.model.settings import Train


def summary_json(summary: Summary) -> str:
    """``caedsl show --json``."""
    return TypeAdapter(Summary).dump_json(summary, indent=2).decode() + "\n"


def settings_json(settings: Train) -> str:
    """The resolved settings, as a run folder keeps them."""
    return TypeAdapter(Train).dump_json(settings, indent=2).decode() + "\n"


def read_settings(text: str) -> Train:
    """The settings of a run folder; raises ``pydantic.ValidationError`` for a text that is none."""
    return TypeAdapter(Train).validate_json(text)


def summary_schema() -> dict[str, Any]:
    """The JSON Schema of ``caedsl show --json``."""
    return TypeAdapter(Summary).json_schema(mode="serialization")
