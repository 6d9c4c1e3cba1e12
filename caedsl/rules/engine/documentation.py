"""Documentation of the rules: for a terminal, as Markdown, for SARIF, and the pages of ``docs/rules``.

``python -m caedsl.rules.engine.documentation`` writes the pages of a checkout; with ``--check`` it only reports stale
ones.
"""

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

from caedsl.diagnostics import Applicability, RuleText
from caedsl.diagnostics.colour import OutputStyle, paint
from caedsl.diagnostics.text import wrap
from caedsl.rules.engine import catalogue
from caedsl.rules.engine.checking import check_source
from caedsl.rules.engine.example import examples, whole_spec
from caedsl.rules.engine.rule import Entry
from caedsl.source import Source

INDEX = "README.md"
_PAGES = Path(__file__).parents[3] / "docs" / "rules"
_COMMAND = "python -m caedsl.rules.engine.documentation"

_REPAIRS = {
    Applicability.SAFE: "`--fix` repairs the example",
    Applicability.UNSAFE: "`--fix --unsafe-fixes` repairs the example",
    Applicability.DISPLAY: "the fix is only shown, not applied",
    None: "no automatic fix",
}


def summary_of(entry: Entry) -> str:
    """Return the first line of a rule's documentation."""
    return entry.documentation.strip().partition("\n")[0]


def rule_text(entry: Entry) -> RuleText:
    """Return the text of a rule that renderers show."""
    rule = entry.rule
    return RuleText(rule.code, rule.name, rule.severity, summary_of(entry), entry.documentation.strip() + "\n")


@cache
def repair_of(entry: Entry) -> str:
    """Describe how the rule's own example is repaired, by checking the example."""
    for fragment in examples(entry.documentation, "Example"):
        for finding in check_source(Source(whole_spec(fragment))).findings:
            if finding.name == entry.rule.name:
                return _REPAIRS[finding.fix.applicability if finding.fix else None]
    return _REPAIRS[None]


def page(entry: Entry) -> str:
    """Return the documentation of a rule as a Markdown page."""
    rule = entry.rule
    summary, _, body = entry.documentation.strip().partition("\n")
    facts = f"{rule.severity.value} · {entry.family} · {repair_of(entry)}"
    return f"# {rule.code} {rule.name}\n\n{summary}\n\n{facts}\n\n{body.strip()}\n"


def index(entries: Sequence[Entry]) -> str:
    """Return the table of all rules, by family."""
    lines = [
        "# Rules",
        "",
        f"The rules of `caedsl check`. Generated from the rules by `{_COMMAND}`; `caedsl rule NAME` prints a page.",
    ]
    for family in catalogue.FAMILIES:
        rows = [entry for entry in entries if entry.family == family]
        if rows:
            lines += ["", f"## {family}", "", "| code | name | severity | what it finds |", "| --- | --- | --- | --- |"]
            lines += [_row(entry) for entry in rows]
    return "\n".join(lines) + "\n"


def _row(entry: Entry) -> str:
    rule = entry.rule
    return f"| {rule.code} | [{rule.name}]({rule.name}.md) | {rule.severity.value} | {summary_of(entry)} |"


def for_terminal(page: str, width: int, colour: bool) -> str:
    """Return a Markdown page for a terminal, wrapped and without markup other than the quotes around code."""
    lines: list[str] = []
    for kind, text in _blocks(page):
        if kind == "heading":
            lines += [*([""] if lines else []), paint(text, OutputStyle.HEADLINE, colour)]
        elif kind == "code":
            lines += ["", *(f"    {line}".rstrip() for line in text.split("\n")), ""]
        elif kind == "item":
            first, *others = wrap(text, width - 4)
            lines += [f"  - {first}", *(f"    {line}" for line in others)]
        else:
            lines += [*([] if not lines or lines[-1] == "" else [""]), *wrap(text, width)]
    shown = "\n".join(lines) + "\n"
    return re.sub(r"\n{3,}", "\n\n", shown)


def _blocks(markdown: str) -> Iterator[tuple[str, str]]:
    """Yield headings, code, list items and paragraphs, with the text of all but code on one line."""
    pending: list[str] = []
    kind = "paragraph"
    fenced = False
    for line in [*markdown.splitlines(), ""]:
        starts_item = line.startswith(("- ", "* ")) and not fenced
        fence, heading = line.startswith("```"), line.startswith("#") and not fenced
        if pending and not fenced and (not line.strip() or fence or heading or starts_item):
            yield kind, " ".join(pending)
            pending = []
        if fence:
            if fenced:
                yield "code", "\n".join(pending)
                pending = []
            fenced = not fenced
        elif heading:
            yield "heading", line.lstrip("# ")
        elif fenced:
            pending.append(line)
        elif line.strip():
            kind = ("item" if starts_item else "paragraph") if not pending else kind
            pending.append(line[2:].strip() if starts_item else line.strip())


def pages() -> Mapping[str, str]:
    """Return every page of ``docs/rules`` by its file name."""
    entries = catalogue.every()
    return {INDEX: index(entries), **{f"{entry.rule.name}.md": page(entry) for entry in entries}}


def stale_pages(folder: Path = _PAGES, wanted: Mapping[str, str] | None = None) -> list[str]:
    """Return the pages in ``folder`` that are missing, outdated or superfluous."""
    wanted = pages() if wanted is None else wanted
    there = {path.name: path.read_text("utf-8") for path in folder.glob("*.md")}
    return sorted(name for name in {*wanted, *there} if wanted.get(name) != there.get(name))


def write_pages(folder: Path = _PAGES, wanted: Mapping[str, str] | None = None) -> None:
    """Write the pages ``wanted``, and remove all others."""
    wanted = pages() if wanted is None else wanted
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("*.md"):
        if path.name not in wanted:
            path.unlink()
    for name, text in wanted.items():
        (folder / name).write_text(text, "utf-8")


def maintain(folder: Path, wanted: Mapping[str, str], command: str, arguments: Sequence[str]) -> int:
    """Write the pages of a checkout, or report stale ones with ``--check``; return the exit code of ``command``."""
    if not folder.parent.is_dir():
        print(f"{folder.parent} does not exist: run this in a checkout", file=sys.stderr)
        return 2
    if "--check" not in arguments:
        write_pages(folder, wanted)
        return 0
    stale = stale_pages(folder, wanted)
    if stale:
        print(f"stale: {', '.join(stale)}; run `{command}`", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(maintain(_PAGES, pages(), _COMMAND, sys.argv[1:]))
