"""Write the parse tables of ``cae.lark`` into the package, where ``caedsl check`` loads them as they are.

python grammars/generate.py            # after every change to cae.lark, and after an update of Lark
python grammars/generate.py --check    # exit code 1 where the tables in the package are out of date
"""

import argparse
import sys
from pathlib import Path
from pprint import pformat
from typing import Any

import lark
from lark.grammar import Rule
from lark.lexer import TerminalDef

GRAMMAR = Path(__file__).with_name("cae.lark")
TABLES = GRAMMAR.parents[1] / "caedsl" / "syntax" / "grammar_tables.py"

LONGEST = 2**32 - 1
"""Width of a pattern without a longest match; what Python itself calls it depends on its version."""

HEADER = '''\
"""Parse tables of ``grammars/cae.lark``, written by ``python grammars/generate.py``; do not edit."""

from typing import Any

'''


def main() -> int:
    """Write the tables, or compare them; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing, and compare")
    arguments = parser.parse_args()
    text = tables()
    if not arguments.check:
        TABLES.write_text(text, "utf-8", newline="\n")
    elif text != TABLES.read_text("utf-8"):
        print(f"{TABLES.name} is out of date: run `python grammars/generate.py`", file=sys.stderr)
        return 1
    return 0


def tables() -> str:
    """Return the module's text."""
    parser = lark.Lark(
        GRAMMAR.read_text("utf-8"),
        parser="lalr",
        lexer="basic",
        start=["spec", "head", "unreadable"],
        maybe_placeholders=False,
    )
    data, memo = parser.memo_serialize([TerminalDef, Rule])
    data["parser"]["parser"] = ordered(data["parser"]["parser"])
    for symbol in memo.values():
        if "pattern" in symbol and "_width" in symbol["pattern"]:
            symbol["pattern"]["_width"] = [min(width, LONGEST) for width in symbol["pattern"]["_width"]]
    named = {"DATA": data, "MEMO": memo}
    return HEADER + "\n".join(
        f"{name}: dict[Any, Any] = {pformat(value, indent=0, width=118, compact=True, sort_dicts=False)}\n"
        for name, value in named.items()
    )


def ordered(table: dict[str, Any]) -> dict[str, Any]:
    """Return the same automaton with its states in the order in which they are reached.

    Lark numbers tokens and states in the order of sets, which differs from process to process.
    """
    names = sorted(table["tokens"].values())
    number = {name: index for index, name in enumerate(names)}
    reached = list(table["start_states"].values())
    place = {state: index for index, state in enumerate(reached)}
    states: dict[int, dict[int, Any]] = {}
    for index, state in enumerate(reached):  # the list grows while it is read
        row = {table["tokens"][token]: action for token, action in table["states"][state].items()}
        states[index] = {}
        for name in sorted(row):
            kind, target = row[name]
            if not isinstance(target, dict):
                if target not in place:
                    place[target] = len(reached)
                    reached.append(target)
                target = place[target]
            states[index][number[name]] = (kind, target)
    assert len(states) == len(table["states"])
    return {
        **table,
        "tokens": dict(enumerate(names)),
        "states": states,
        "start_states": {name: place[state] for name, state in table["start_states"].items()},
        "end_states": {name: place[state] for name, state in sorted(table["end_states"].items())},
    }


if __name__ == "__main__":
    sys.exit(main())
