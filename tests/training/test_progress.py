"""What a run says, on a terminal and elsewhere."""

import io

from rich.console import Console

from caedsl.training.durations import duration
from caedsl.training.history import Epoch
from caedsl.training.loop import Step
from caedsl.training.progress import Live, Plain, Reporter

ROW = Epoch(2, 20, 0.5, 0.25, 0.125, 1e-3, 10.0, 1234.5)


def consoles(terminal: bool) -> tuple[io.StringIO, io.StringIO, Console, Console]:
    progress, results = io.StringIO(), io.StringIO()
    kind = {"force_terminal": terminal, "width": 150, "highlight": False}
    return progress, results, Console(file=progress, **kind), Console(file=results, **kind)


def tell(reporter: Reporter) -> None:
    reporter.loading("reading photos", 1, 4, "images")
    reporter.loading("reading photos", 4, 4, "images")
    reporter.note("digits are used instead of mnist")
    reporter.start("net", 5, "CPU, bf16")
    reporter.step(Step(1, 5, 50, 0.75, 1000.0))
    reporter.epoch(ROW)
    reporter.end()
    reporter.table(["", "MSE"], [["model", "0.1"], ["PCA-2", "0.2"]])
    reporter.result("run  runs/net")


def test_plain_is_one_line_an_epoch_and_results_go_elsewhere() -> None:
    progress, results, *pair = consoles(terminal=False)
    tell(Plain(*pair))
    assert progress.getvalue().splitlines() == [
        "reading photos",
        "note: digits are used instead of mnist",
        "training net on CPU, bf16",
        "epoch 2/5  loss 0.25000  validation 0.12500  with penalties 0.50000  1,234 images/s  0:15 left",
    ]
    lines = [line.split() for line in results.getvalue().splitlines()]
    assert lines == [["MSE"], ["model", "0.1"], ["PCA-2", "0.2"], ["run", "runs/net"]]


def test_a_terminal_sees_a_bar_with_the_losses_and_the_speed() -> None:
    progress, _, *pair = consoles(terminal=True)
    tell(Live(*pair))
    shown = progress.getvalue()
    for words in (
        "digits are used instead of mnist",
        "epoch 2/5",
        "loss 0.25000  validation 0.12500",
        "1,234 images/s",
    ):
        assert words in shown


def test_markup_in_what_is_said_is_text() -> None:
    progress, results, *pair = consoles(terminal=False)
    reporter = Plain(*pair)
    reporter.note("[/oops] [bold]x")
    reporter.result("[/oops]")
    assert progress.getvalue() == "note: [/oops] [bold]x\n"
    assert results.getvalue() == "[/oops]\n"


def test_durations_read_as_clocks_do() -> None:
    assert [duration(s) for s in (0.4, 59.6, 61, 3723)] == ["0:00", "1:00", "1:01", "1:02:03"]
