"""Measure the advice in rules: train every alternative of every sentence that begins with "use" or "try".

    python benchmarks/faults/advice.py [--list] [--only RULE …] [--seeds 2] [--kept FILE]

The sentences are those that `caedsl check` prints for the faults that affect training, in small parents. Each
alternative of a sentence ("use A, or B") is applied to the faulty spec and trained in full. It holds if it leaves at most
0.85 times what the faulty spec leaves. ``--list`` trains nothing and lists the trainings.
"""

import argparse
import json
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from statistics import median
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.faults.cases import Case, draw
from benchmarks.faults.operators import OPERATORS
from benchmarks.faults.random_search import hidden_layers, on_every
from benchmarks.faults.small_parents import SMALL
from caedsl.diagnostics.edits import apply_edits
from caedsl.diagnostics.finding import Edit, Finding
from caedsl.model.autoencoder import Autoencoder
from caedsl.resolve.overrides import OverrideError, override
from caedsl.rules.engine.checking import check_source
from caedsl.source import Source
from caedsl.vocabulary.activations import ACTIVATION
from caedsl.vocabulary.norms import NORM
from caedsl.vocabulary.option import Option
from caedsl.vocabulary.weights import INIT, L2

HOLDS = 0.85
"""What an alternative may leave of the faulty spec's error."""
DRAWN = 6
"""Cases of each operator: enough for all of its strengths."""
_ADVICE = re.compile(r"(use|try)\b")
_BETWEEN = re.compile(r", or |; ")


class Advised(NamedTuple):
    """An alternative of a sentence about a faulty spec; ``text`` is the spec that follows it, None where none is read."""

    case: Case
    finding: Finding
    alternative: str
    text: str | None

    @property
    def key(self) -> str:
        """Return what distinguishes it from every other."""
        return f"{self.finding.name} in {self.case.parent} ({self.case.operator.name}, {self.case.strength}): {self.alternative}"


def advised(seed: int = 0) -> Iterator[Advised]:
    """Yield every alternative once for each rule and wording, numbers apart."""
    seen: set[tuple[str, str]] = set()
    for case in draw(SMALL, DRAWN, seed, [operator for operator in OPERATORS if operator.trained]):
        if case.harmless:
            continue
        checked = check_source(Source(case.text))
        for finding in checked.findings:
            advice = finding.advice or ""
            if finding.name not in case.operator.rules or not _ADVICE.match(advice) or checked.model is None:
                continue
            for number, alternative in enumerate(_BETWEEN.split(_ADVICE.sub("", advice, count=1).strip())):
                key = (finding.name, re.sub(r"[\d.e-]+", "#", alternative))
                text = (
                    _fixed(finding, case.text) if number == 0 and finding.fix else followed(checked.model, alternative)
                )
                if key not in seen and not _COMMENT.search(alternative):
                    seen.add(key)
                    yield Advised(case, finding, alternative, text)


def _fixed(finding: Finding, text: str) -> str:
    assert finding.fix is not None
    return apply_edits(text, finding.fix.edits)


_COMMENT = re.compile(r"may stay as it is|may keep|often works|without ")
"""What follows a semicolon and proposes nothing."""


def followed(model: Autoencoder, alternative: str) -> str | None:
    """Return the spec that follows an alternative, or None if it cannot be parsed."""
    for pattern, follow in _READERS:
        if found := re.search(pattern, alternative):
            return follow(model, found)
    return None


def _set(
    name: str, value: Callable[[Autoencoder, re.Match[str]], str]
) -> Callable[[Autoencoder, re.Match[str]], str | None]:
    def follow(model: Autoencoder, found: re.Match[str]) -> str | None:
        try:
            return override(model.source, {name: value(model, found)}).text
        except OverrideError:
            return None

    return follow


def _hidden(option: Option) -> Callable[[Autoencoder, re.Match[str]], str | None]:
    def follow(model: Autoencoder, found: re.Match[str]) -> str | None:
        edits: Sequence[Edit] = on_every(hidden_layers(model), option, found[1])
        return apply_edits(model.source.text, edits) if edits else None

    return follow


def _more(times: int) -> Callable[[Autoencoder, re.Match[str]], str]:
    def value(model: Autoencoder, found: re.Match[str]) -> str:
        assert model.train is not None
        return str(int(model.train.epochs) * times)

    return value


def _larger(model: Autoencoder, found: re.Match[str]) -> str:
    assert model.train is not None
    return str(max(32, 8 * int(model.train.batch)))


def _first(model: Autoencoder, found: re.Match[str]) -> str:
    return found[1]


_READERS: Sequence[tuple[str, Callable[[Autoencoder, re.Match[str]], str | None]]] = (
    (r"`optimizer ([^`]+)`", _set("train.optimizer", _first)),
    (
        r"SGD with momentum=([\d.]+) and lr=(\S+)",
        _set("train.optimizer", lambda model, m: f"sgd lr={m[2]} momentum={m[1]}"),
    ),
    (r"^`?lr=([^`\s]+)`?$", _set("train.optimizer.lr", _first)),
    (r"`weight_decay=([^`]+)`", _set("train.optimizer.weight_decay", _first)),
    (r"`batch (\d+)`", _set("train.batch", _first)),
    (r"larger batch", _set("train.batch", _larger)),
    (r"`epochs (\d+)`", _set("train.epochs", _first)),
    (r"more epochs", _set("train.epochs", _more(4))),
    (r"`loss ([^`]+)`", _set("train.loss", _first)),
    (r"`(norm=\w+)`", _hidden(NORM)),
    (r"`(init=\w+)`", _hidden(INIT)),
    (r"`(l2=[^`]+)`", _hidden(L2)),
    (r"`(leaky_relu|relu)`", _hidden(ACTIVATION)),
)
"""How each form of an alternative is followed, the first that fits."""


def main() -> None:
    """Train the missing alternatives, and print which ones hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true", help="train nothing")
    parser.add_argument("--only", nargs="*", help="rules whose advice is trained")
    parser.add_argument("--seeds", type=int, default=2, help="trainings of each spec")
    parser.add_argument("--kept", type=Path, default=Path("advice.json"), help="results so far, to go on from")
    arguments = parser.parse_args()
    kept: dict[str, list[float]] = json.loads(arguments.kept.read_text("utf-8")) if arguments.kept.exists() else {}
    for each in advised():
        if arguments.only and each.finding.name not in arguments.only:
            continue
        if each.text is not None and each.key not in kept and not arguments.list:
            kept[each.key] = [
                _left(text, arguments.seeds) for text in (SMALL[each.case.parent], each.case.text, each.text)
            ]
            arguments.kept.write_text(json.dumps(kept, indent=1), "utf-8")
        print(f"{_verdict(each, kept.get(each.key))}  {each.key}", flush=True)


@cache
def _left(text: str, seeds: int) -> float:
    # torch is only imported if something is trained.
    from benchmarks.faults.training import outcome

    return median(outcome(text, range(7, 7 + seeds)))


def _verdict(each: Advised, left: list[float] | None) -> str:
    if left is None:
        return "not read   " if each.text is None else "not trained"
    parent, faulty, following = left
    return f"{'holds' if following <= HOLDS * faulty else 'FAILS'} {parent:.3f} {faulty:.3f} {following:.3f}"


if __name__ == "__main__":
    main()
