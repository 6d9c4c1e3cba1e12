"""The output of a run, on a terminal and elsewhere."""

import io

import pytest
from rich.console import Console

from caedsl.console.formats import duration, loss_text
from caedsl.console.progress import Live, Plain, make_reporter
from caedsl.console.status import Status, TimeLeft
from caedsl.runs.history import Epoch, Step
from caedsl.training.reporter import Reporter

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
        "epoch 2/5  loss 0.25000  validation 0.12500  with penalties 0.50000  1,234 samples/s  0:15 left",
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
        "1,234 samples/s",
    ):
        assert words in shown
    assert shown.rindex("\x1b[?25h") > shown.rindex("epoch 2/5"), "the cursor is there again"


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def shown(status: Status, width: int) -> list[str]:
    text = io.StringIO()
    Console(file=text, width=width, force_terminal=False).print(status)
    return text.getvalue().splitlines()


def status_at(clock: Clock, where: str = "NVIDIA H100 80GB HBM3, bf16") -> Status:
    status = Status(60, where, clock)
    for step in (10, 20):
        clock.now += 5
        status.advance(12, step, 100)
    status.loss, status.validation, status.images_per_second = 0.01234, 0.013, 12345.6
    return status


@pytest.mark.parametrize("width", [20, 40, 60, 70, 80, 120])
def test_two_lines_fit_any_terminal(width: int) -> None:
    status = status_at(Clock())
    lines = shown(status, width)
    assert len(lines) == 2
    assert all(len(line) <= width for line in lines)
    assert lines[0].startswith("epoch 12/60")
    assert ("0:40 left" in lines[0]) == (width >= 40)
    assert ("━" in lines[0]) == (width >= 40)
    assert ("loss 0.01234" in lines[1], "validation 0.01300" in lines[1]) == (True, width >= 40)
    assert ("12,346 samples/s" in lines[1]) == (width >= 60)
    assert ("NVIDIA H100" in lines[1], "HBM3, bf16" in lines[1]) == (width >= 70, width >= 80)


def test_nothing_moves_sideways() -> None:
    clock = Clock()
    status = status_at(clock)
    before = [line.rstrip() for line in shown(status, 120)]
    status.loss, status.images_per_second, clock.now = 0.5, 7.0, clock.now + 35
    after = shown(status, 120)
    assert "0:05 left" in after[0] and "7 samples/s" in after[1]
    assert after[0].index("%") == before[0].index("%")
    assert after[1].index("NVIDIA") == before[1].index("NVIDIA")


def test_the_first_line_names_the_device_and_where_a_run_resumes() -> None:
    status = Status(5, "CPU, bf16", Clock())
    status.move(3, 50, 100)
    lines = shown(status, 60)
    assert lines[0].startswith("epoch 3/5") and "50%" in lines[0] and "left" not in lines[0]
    assert lines[1] == "CPU, bf16"


def test_the_time_left_is_of_the_steps_taken_here_and_with_validation() -> None:
    pace = TimeLeft()
    assert pace.left(1000, 0.0) is None
    pace.at(500, 60.0)  # a resumed run, after a slow start
    assert pace.left(1000, 60.0) is None
    pace.at(510, 61.0)
    assert pace.left(1000, 61.0) == pytest.approx(49.0)
    assert pace.left(1000, 63.0) == pytest.approx(47.0)
    pace.at(520, 64.0, epoch_over=True)  # validation took two seconds
    assert pace.left(1000, 64.0) == pytest.approx(96.0)


def test_the_pace_is_that_of_the_last_epochs() -> None:
    pace = TimeLeft()
    for epoch in range(11):
        pace.at(10 * epoch, 100.0 * epoch, epoch_over=True)
    for epoch in range(11, 14):
        pace.at(10 * epoch, 1000.0 + 20.0 * (epoch - 10), epoch_over=True)
    assert pace.left(140, 1060.0) == pytest.approx(20.0)


def test_short_epochs_do_not_make_the_pace_jump() -> None:
    pace = TimeLeft()
    for epoch in range(100):
        pace.at(epoch, epoch * 0.1, epoch_over=True)
    pace.at(100, 10.9, epoch_over=True)
    assert pace.left(200, 10.9) == pytest.approx(10.9)


def test_a_long_epoch_prints_a_line_every_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr("caedsl.console.progress.time.monotonic", clock)
    progress, _, *pair = consoles(terminal=False)
    reporter = Plain(*pair)
    reporter.start("net", 5, "CPU, bf16")
    for seconds in (1, 58, 2, 30, 40):
        clock.now += seconds
        reporter.step(Step(1, int(clock.now), 5000, 0.5, 1000.0))
    assert progress.getvalue().splitlines()[1:] == [
        "epoch 1/5, step 161 of 5,000  loss 0.50000  1,000 samples/s",
        "epoch 1/5, step 231 of 5,000  loss 0.50000  1,000 samples/s",
    ]


def test_resuming_is_reported() -> None:
    progress, _, *pair = consoles(terminal=False)
    Plain(*pair).resumed(3, 1200, 5000)
    assert progress.getvalue() == "note: resuming in epoch 3 after step 1,200 of 5,000\n"


def test_only_a_terminal_gets_lines_that_move(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setattr("sys.stderr", io.StringIO())
    assert type(make_reporter()) is Plain
    monkeypatch.setattr("sys.stderr", Terminal())
    monkeypatch.setenv("TERM", "xterm")
    assert type(make_reporter()) is Live
    assert type(make_reporter(quiet=True)) is Reporter
    monkeypatch.setenv("TERM", "dumb")
    assert type(make_reporter()) is Plain


def test_losses_show_digits_that_matter() -> None:
    assert [loss_text(loss) for loss in (0.0, 0.01234, 5432.1, 12345.678, 0.000012344)] == [
        "0.00000",
        "0.01234",
        "5432.10000",
        "1.235e+04",
        "1.234e-05",
    ]


def test_markup_in_what_is_reported_is_text() -> None:
    progress, results, *pair = consoles(terminal=False)
    reporter = Plain(*pair)
    reporter.note("[/oops] [bold]x")
    reporter.result("[/oops]")
    assert progress.getvalue() == "note: [/oops] [bold]x\n"
    assert results.getvalue() == "[/oops]\n"


def test_markup_in_the_task_of_a_bar_is_text() -> None:
    progress, _, *pair = consoles(terminal=True)
    reporter = Live(*pair)
    reporter.loading("reading [/oops] [bold]x", 1, 4, "images")
    reporter.end()
    assert "reading [/oops] [bold]x" in progress.getvalue()


def test_durations_read_as_clocks_do() -> None:
    assert [duration(s) for s in (0.4, 59.6, 61, 3723)] == ["0:00", "1:00", "1:01", "1:02:03"]
