"""The scores of the doctor benchmark, from its saved rows."""

from collections.abc import Mapping
from typing import Any

from benchmarks.faults.peers import PEERS, causes_meant
from benchmarks.faults.scores import Share

HOLDS, RESTORED, HARM = 0.85, 1.1, 1.5
"""What a repair may leave of the faulty spec's error, after full training, and of the parent's; and what harm is."""

Row = Mapping[str, Any]
Rows = Mapping[str, Row]


def print_scores(kept: Rows) -> None:
    """Print the shares with their intervals, and every case that went wrong."""
    rows = {name: row for name, row in kept.items() if "causes" in row}
    hidden = {name: row for name, row in rows.items() if name.startswith("hidden")}
    spec = {name: row for name, row in rows.items() if name.startswith("spec") and harmed(row)}
    controls = [row for name, row in rows.items() if name.startswith("healthy") and trains(row)]
    ill = [name for name, row in rows.items() if name.startswith("healthy") and not trains(row)]
    for title, part in (("hidden faults", hidden), ("faults of the spec", spec), ("all", {**hidden, **spec})):
        _print_named(title, part)
    print(f"healthy, no cause named: {Share(sum(not row['causes'] for row in controls), len(controls))}")
    print(f"not counted, as they leave {HARM} times what their parents leave: {', '.join(ill) or 'none'}")
    for peer in PEERS:
        watched = [row for row in controls if row.get(peer) is not None]
        print(f"healthy, {peer} says nothing: {Share(sum(not row[peer] for row in watched), len(watched))}")
    _print_repairs([row for row in spec.values() if row.get("faulty") is not None])
    for name, row in rows.items():
        if wrong(row) and (harmed(row) if name.startswith("spec") else trains(row)):
            print(f"  {name}: {', '.join(row['causes']) or row['verdict']}")


def harmed(row: Row) -> bool:
    """Return whether a fault has done harm, as far as that is known."""
    return row.get("faulty") is None or bool(row["faulty"] > HARM * row["parent"])


def trains(row: Row) -> bool:
    """Return whether a control trains about as well as its parent, as far as that is known."""
    return row.get("faulty") is None or not harmed(row)


def wrong(row: Row) -> bool:
    """Return whether the first cause is not a right one; for a control, whether there is a first cause."""
    return bool(row["causes"]) if not row["expected"] else not set(row["causes"][:1]) & set(row["expected"])


def _print_named(title: str, part: Rows) -> None:
    """Print how often the doctor and each peer name a right cause first, and among the first three."""
    first = Share(sum(not wrong(row) for row in part.values()), len(part))
    three = Share(sum(bool(set(row["causes"]) & set(row["expected"])) for row in part.values()), len(part))
    unsaid = sum(row["verdict"] == "cannot say" for row in part.values())
    print(f"{title}: first-named cause right {first}; in the first three {three}; cannot say {unsaid}")
    for peer in PEERS:
        said = [(causes_meant(row[peer]), set(row["expected"])) for row in part.values() if row.get(peer) is not None]
        first = Share(sum(any(names & right for names in meant[:1]) for meant, right in said), len(said))
        three = Share(sum(any(names & right for names in meant[:3]) for meant, right in said), len(said))
        print(f"  {peer}: first {first}; in the first three {three}; nothing {sum(not meant for meant, _ in said)}")


def _print_repairs(trained: list[Row]) -> None:
    offered = [row for row in trained if row["repaired"] is not None]
    print(f"repairs that hold: {Share(sum(row['repaired'] <= HOLDS * row['faulty'] for row in offered), len(offered))}")
    for who in ("repaired", "searched"):
        back = sum(row[who] is not None and row[who] <= RESTORED * row["parent"] for row in trained)
        better = sum(row[who] is not None and row[who] <= HOLDS * row["faulty"] for row in trained)
        print(
            f"{who}: to {RESTORED} times the parent {Share(back, len(trained))}; "
            f"to {HOLDS} times the faulty {Share(better, len(trained))}"
        )
