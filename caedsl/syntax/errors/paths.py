"""Explanations for paths without double quotes, and for the sources that they are."""

import re
from collections.abc import Iterator

from caedsl.diagnostics.finding import Edit, Finding
from caedsl.source import Span
from caedsl.syntax.errors.wording import before_pattern, candidate_fix, error, quoted
from caedsl.syntax.heads import Fault
from caedsl.syntax.keywords import ENDINGS, FOLDERS
from caedsl.syntax.tokens import FOREIGN_COMMENT, span_of

_PATH = re.compile(r"'(?P<quoted>[^'\"\r\n]*)'|[^\s\"'#;{}=]*[./\\][^\s\"'#;{}=]*")
_NUMBER = re.compile(r"-?[\d.]+(?:e[+-]?\d+)?\W?")
_OF_A_PACKAGE = re.compile(r"(?:\w+\.)*datasets\.(\w+)(?:\.load_data)?(?:\(\))?")
"""Match ``torchvision.datasets.MNIST`` and ``keras.datasets.mnist.load_data``."""


def path(fault: Fault) -> Finding | None:
    """Explain ``data npy images.npy``, ``data './photos'`` and ``data folder in/ target=out/``."""
    found = fault.found
    if not fault.place or (fault.tokens[0] != "data" and fault.tokens[fault.place - 1] != "extends"):
        return None
    place = span_of(found).start if found is not None else fault.span.end - 1
    is_colon = found == ":" and fault.text[place + 1 : place + 2] in ("/", "\\")
    if found == "=" and fault.tokens[fault.place - 2] == "/":  # the end of `noisy/ target=`
        place = span_of(fault.tokens[fault.place - 2]).start
    elif found is not None and found in "()[],:=" and not is_colon:
        return None
    start = place
    while start > fault.span.start and fault.text[start - 1] not in " \t=":
        start -= 1
    match = _PATH.match(fault.text, start)
    is_comment = found is not None and found.type == FOREIGN_COMMENT and start == place
    if match is None or is_comment or not match.start() <= place < match.end():
        return None
    return _unquoted(fault, match)


def _unquoted(fault: Fault, match: re.Match[str]) -> Finding:
    """Return the finding about a path of ``data`` or ``extends`` that is not in double quotes."""
    span, text = Span(*match.span()), _text_of(match)
    before = fault.text[fault.span.start : span.start].split()
    named = before[1] if len(before) > 1 else _kind_of(text)
    source = [] if len(before) > 1 else [named]
    is_pattern = "*" in text
    of_a_file = is_pattern and named in ENDINGS and named not in FOLDERS
    written = before_pattern(text, f"images.{named}" if of_a_file else "") if is_pattern else text
    if "://" in text:
        line = f'data {" ".join((*before[1:], *source))} "{written.rpartition("/")[2] or "images/"}"'
        return error("a source is a path on this machine", span, help=f"download it, and write `{line}`")
    if of_package := _OF_A_PACKAGE.fullmatch(text):
        return error("a source is named without its package", span, help=f"write `data {of_package[1].lower()}`")
    line = " ".join((*source, f'"{written}"'))
    space = "" if fault.text[span.start - 1].isspace() or not before or before[-1].endswith("=") else " "
    others = (Edit(Span(*other.span()), f'"{_text_of(other)}"') for other in _others(fault, match))
    fix = candidate_fix(f"write {quoted(line)}", Edit(span, space + line), *others)
    help_line = f"write `{' '.join(before)}{'' if before[-1].endswith('=') else ' '}{line}`"
    if is_pattern:
        help_line += ", with the name of one file" if of_a_file else ", which reads all images in it"
    return error("paths are written in double quotes", span, help=help_line, fix=None if of_a_file else fix)


def _kind_of(path: str) -> str:
    """Return the kind of source that ``path`` most likely is."""
    return next((kind for kind, endings in ENDINGS.items() if path.endswith(endings)), "folder")


def _text_of(match: re.Match[str]) -> str:
    return match[0] if match["quoted"] is None else match["quoted"]


def _others(fault: Fault, first: re.Match[str]) -> Iterator[re.Match[str]]:
    """Yield the paths after the first one that lack their quotes too."""
    starts = {span_of(token).start for token in fault.tokens}
    for match in _PATH.finditer(fault.text, first.end(), fault.span.end):
        if match.start() in starts and not _NUMBER.fullmatch(match[0]):
            yield match
