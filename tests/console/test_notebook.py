"""Models, diagrams and tables in notebooks and in Python."""

import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
import torch

import caedsl
from caedsl.doctor.diagnosis import Diagnosis, Verdict
from caedsl.facts.cost import total_parameters
from caedsl.figures.errors import FigureError
from caedsl.inference.trained_run import TrainedRun
from tests.conftest import ROOT, SPECS, Ran

SPEC = ROOT / "specs" / "mnist_mirror.cae"


class Cells(HTMLParser):
    """The texts of a page's cells, and whether its tags are closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.cells: list[str] = []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("td", "th"):
            self.cells[-1] += data


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_a_model_renders_as_its_diagram_and_its_table(path: Path) -> None:
    model = caedsl.load(path)
    html = model._repr_html_()  # type: ignore[attr-defined]
    assert html.count("<svg ") == 1
    cells = Cells(re.sub(r"<svg .*?</svg>", "", html, flags=re.DOTALL)).cells
    assert f"{total_parameters(model):,}" in cells
    assert ("schedule" in cells) == (model.train is not None)
    assert len(cells) > 7 * sum(not layer.children for _, layer in model.layers())


def test_a_diagram_in_a_notebook_is_legible_whatever_the_page() -> None:
    for shown in (caedsl.load(SPEC), caedsl.graph(SPEC)):
        text = shown._repr_svg_()  # type: ignore[union-attr]
        assert ElementTree.fromstring(text).get("style") == "background: #ffffff"
        assert "prefers-color-scheme" not in text


def test_repr_is_one_line() -> None:
    model = caedsl.load(SPEC)
    assert repr(model) == "<autoencoder mnist_mirror: 1×28×28 → 32 → 1×28×28, 32,785 parameters>"
    for shown in (model, caedsl.graph(model), caedsl.show(model)):
        assert re.fullmatch(r"<.*mnist_mirror.*>", repr(shown))


def test_show_prints_what_the_command_prints(capsys: pytest.CaptureFixture[str]) -> None:
    from caedsl.cli.main import main

    assert main(["show", str(SPEC)]) == 0
    assert Ran(0, str(caedsl.show(SPEC)), "") == Ran(0, *capsys.readouterr())
    assert caedsl.show(SPEC).summary.parameters == 32785


def test_graph_draws_what_the_command_draws(tmp_path: Path) -> None:
    from caedsl.cli.main import main

    assert main(["graph", str(SPEC), "-o", str(tmp_path / "command.svg"), "--width", "12", "--grey", "--no-title"]) == 0
    diagram = caedsl.graph(SPEC, width=12, grey=True, title=False)
    diagram.save(tmp_path / "python.svg")
    assert (tmp_path / "python.svg").read_bytes() == (tmp_path / "command.svg").read_bytes()
    assert str(diagram) == (tmp_path / "python.svg").read_text("utf-8")
    caedsl.graph(caedsl.load(SPEC), style="blocks").save(tmp_path / "blocks.dot")
    assert "digraph" in (tmp_path / "blocks.dot").read_text("utf-8")


def test_a_figure_that_cannot_be_drawn_says_why(tmp_path: Path) -> None:
    with pytest.raises(FigureError, match="needs"):
        caedsl.graph(SPEC, width=1).save(tmp_path / "figure.svg")
    with pytest.raises(FigureError, match="names no format"):
        caedsl.graph(SPEC).save(tmp_path / "figure.jpeg")


def test_findings_are_a_tuple_that_is_shown_as_frames() -> None:
    found = caedsl.check("autoencoder <a>; input 1x8x8; encoder { cnov 2 }; bottleneck; decoder mirror")
    assert isinstance(found, tuple)
    assert repr(found) == f"<findings: {len(found)} error{'s' * (len(found) > 1)}>"
    html = found._repr_html_()  # type: ignore[attr-defined]
    assert html.count("<pre") == len(found)
    assert "&lt;a&gt;" in html
    assert "<a>" not in html
    assert all(finding.message in str(found) for finding in found)
    fine = caedsl.check(SPEC.read_text())
    assert "error" not in repr(fine)


def test_objects_of_the_interface_show_what_is_public_and_print_one_line() -> None:
    module = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 4), torch.nn.Linear(4, 64))
    optimizer = torch.optim.Adam(module.parameters())
    model = caedsl.load(SPEC)
    assert "<table" in model._repr_html_()  # computes facts
    shown = (
        model,
        caedsl.show(SPEC),
        caedsl.graph(SPEC),
        caedsl.watch(module, optimizer),
        caedsl.from_torch(module, (1, 8, 8)),
        TrainedRun(Path(), caedsl.load(SPEC), caedsl.build(SPEC), torch.device("cpu")),
        Diagnosis("net", "net.cae", Verdict.HEALTHY, (), (), (), (), (), {}, 0, 1.0),
    )
    for thing in shown:
        assert dir(thing)
        assert not any(name.startswith("_") or not name.isidentifier() for name in dir(thing)), thing
        assert "\n" not in repr(thing)
        assert len(repr(thing)) < 160


def test_a_run_is_one_line_and_the_head_of_its_report(tmp_path: Path) -> None:
    text = (
        "autoencoder tiny; input 1x8x8; data digits limit=60; encoder { conv 2 relu; maxpool 2 }; bottleneck dense 3; "
        "decoder mirror; train { epochs 1; batch 20 }"
    )
    trained = caedsl.train(text, out=tmp_path / "run", pictures=False)
    opened = caedsl.open(tmp_path / "run")
    for run in (trained, opened):
        assert "\n" not in repr(run)
        html = run._repr_html_()  # type: ignore[union-attr]
        assert {"input", "PSNR", "1x8x8"} <= set(Cells(html).cells)
        assert "<li>" in html
    (tmp_path / "run" / "metrics.json").unlink()
    assert Cells(opened._repr_html_()).cells == ["input", "code", "1x8x8", "3"]  # type: ignore[attr-defined]
