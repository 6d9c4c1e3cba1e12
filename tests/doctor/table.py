"""The table of causes on the page about ``caedsl doctor``; ``python -m tests.doctor.table`` regenerates it."""

import re

from caedsl.rules.engine import catalogue
from caedsl.rules.engine.causes import KNOWN
from caedsl.rules.engine.symptoms import CAUSES, DOCTOR_SYMPTOMS
from tests.conftest import ROOT

PAGE = ROOT / "docs" / "doctor.md"


def causes() -> str:
    rows = [f"| {_linked(cause.name)} | {cause.what} | {cause.evidence} | {cause.remedy} |" for cause in KNOWN.values()]
    return "\n".join(["| cause | what it is | evidence | remedy |", "| --- | --- | --- | --- |", *rows])


def symptoms() -> str:
    rows = [f"| {_symptom(symptom)} | {', '.join(map(_linked, names))} |" for symptom, names in CAUSES.items()]
    return "\n".join(["| symptom | possible causes, the most likely first |", "| --- | --- |", *rows])


def _linked(name: str) -> str:
    return f"[{name}](rules/{name}.md)" if name in catalogue.all_names() else name


def _symptom(name: str) -> str:
    return f"{name}: {DOCTOR_SYMPTOMS[name]}" if name in DOCTOR_SYMPTOMS else f"[{name}](monitors/{name}.md)"


def regenerated(text: str) -> str:
    """Return the page with its tables regenerated."""
    for name, table in (("causes", causes()), ("symptoms", symptoms())):
        text = re.sub(rf"(<!-- generated: {name} -->\n).*?(<!-- end -->)", rf"\1\n{table}\n\n\2", text, flags=re.DOTALL)
    return text


if __name__ == "__main__":
    PAGE.write_text(regenerated(PAGE.read_text("utf-8")), "utf-8")
