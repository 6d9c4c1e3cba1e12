"""The report of a run: its contents, that it needs no other files, and how a browser shows it."""

import html
import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import caedsl
from caedsl.evaluation.reevaluation import finished_run
from caedsl.evaluation.schema import read_anomalies, read_evaluation, read_scored_samples
from caedsl.report import anomaly_pictures
from caedsl.report.anomaly_pictures import anomaly_groups
from caedsl.report.code_pictures import _interpolations, _traversals
from caedsl.report.held_out import chosen_places
from caedsl.report.shown import picture_uri
from caedsl.report.verdict import verdicts
from caedsl.training.reporter import Reporter

Run = Callable[..., tuple[int, str, str]]
SPEC = """autoencoder <b>digits
input 1x8x8
data digits limit=300
encoder { conv 8 relu; maxpool 2 }
bottleneck dense 6
decoder mirror
train { epochs 3; batch 32; validation 20%; corrupt gaussian=0.1; optimizer adam lr=1e-2 }
""".replace("<b>", "")
WIDTHS = (1280, 768, 390)
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report") / "run"
    caedsl.train(SPEC, out=str(folder), device="cpu", pictures=False)
    return folder


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "run"))


class Tags(HTMLParser):
    """The tags of a page, in pairs, and the addresses that they name."""

    EMPTY = ("meta", "img", "br", "link", "input", "hr", "source")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.addresses: list[str] = []
        self.ids: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "xlink:href", "action")]
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.EMPTY:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_page_shows_the_run_and_loads_nothing(run: Path, run_caedsl: Run) -> None:
    code, out, err = run_caedsl("report", run)
    assert (code, out) == (0, f"wrote {run / 'report.html'}\n"), err
    page = (run / "report.html").read_text("utf-8")
    tags = Tags(page)
    assert not tags.open
    assert "script" not in tags.seen
    assert all(address.startswith(("data:", "#")) for address in tags.addresses)
    assert not re.search(r"url\((?!#)", page)
    assert len(tags.ids) == len(set(tags.ids))
    assert 'class="samples sharp"' in page
    assert "prefers-color-scheme: dark" in page and "@media print" in page
    scores = json.loads((run / "metrics.json").read_text())["scores"]
    for name, score in scores.items():
        assert f"<td>{name}</td><td>{score['mse']:.5f}</td>" in page
    environment = json.loads((run / "environment.json").read_text())
    assert environment["data"]["sha256"] in page
    assert (run / "spec.cae").read_text().strip() in page
    for part in ("Best", "Median", "Worst", "corrupted", "Codes", "validation"):
        assert part in page


def test_labelled_anomalies_and_the_threshold_are_on_the_page(
    run: Path, tmp_path: Path, run_caedsl: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = np.random.default_rng(0)
    for kind in ("good", "noise", "dark"):
        (tmp_path / "test" / kind).mkdir(parents=True)
        for number in range(6):
            pixels = drawn.integers(0, 256, (8, 8)) if kind == "noise" else np.full((8, 8), 40 * (kind == "good"))
            Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / "test" / kind / f"{number}.png")
    assert run_caedsl("calibrate", run, "--fpr", "5%")[0] == 0
    assert run_caedsl("evaluate", run, "--test", tmp_path / "test")[0] == 0
    assert run_caedsl("report", run, "-o", tmp_path / "r.html")[0] == 0
    page = (tmp_path / "r.html").read_text("utf-8")
    assert f"$ caedsl evaluate {run}-again --test {tmp_path / 'test'} --score mse\n" in page
    Tags(page)
    told = json.loads((run / "anomalies.json").read_text())["detectors"]["model"]
    assert f"finds {told['found']} of 12 anomalies and rejects {told['rejected']} of 6 normal samples" in page
    assert "By type" in page and "threshold" in page
    assert ("Found" in page) == (told["found"] > 0)
    assert ("Missed" in page) == (told["found"] < 12)
    opened, found, samples = caedsl.open(run), read_anomalies(run), read_scored_samples(run)
    assert found is not None
    (tmp_path / "test" / "table.csv").write_text("path,label\n")
    of_table = found.model_copy(update={"test": str(tmp_path / "test" / "table.csv")})
    groups = anomaly_groups(opened, found, samples, opened.values)
    assert anomaly_groups(opened, of_table, samples, opened.values) == groups
    looked_up: list[Path] = []
    monkeypatch.setattr(
        anomaly_pictures, "_is_file_in", lambda path, folder: not looked_up.append(path) and path.is_file()
    )
    gone = [row._replace(name=f"gone/{number}") for row in samples for number in range(5000)]
    anomaly_groups(opened, found, gone, opened.values)
    assert len(looked_up) <= 3000
    auroc = found.detectors["model"].auroc.model_copy(update={"value": 0.52, "low": 0.4, "high": 0.6})
    chance = {"model": found.detectors["model"].model_copy(update={"auroc": auroc})}
    _, sentence, *_ = verdicts(read_evaluation(run), found.model_copy(update={"detectors": chance}), None, 0, "image")
    assert sentence.mood == "bad"
    assert "may be chance (95 % interval 0.400 to 0.600)" in sentence.text
    close = {"model": (0.8, 0.7, 0.9), "PCA-6": (0.75, 0.65, 0.85)}
    of = found.detectors["model"]
    detectors = {
        name: of.model_copy(
            update={"auroc": of.auroc.model_copy(update=dict(zip(("value", "low", "high"), at, strict=True)))}
        )
        for name, at in close.items()
    }
    _, sentence, *_ = verdicts(
        read_evaluation(run), found.model_copy(update={"detectors": detectors}), None, 0, "image"
    )
    assert sentence.mood == "doubtful"
    assert sentence.text.endswith("has 0.750, within its 95 % interval.")


@pytest.mark.parametrize("test", ["array", "own"])
def test_anomalies_that_are_no_files_are_shown_too(test: str, tmp_path: Path, run_caedsl: Run) -> None:
    draw = np.random.default_rng(0).integers(0, 256, (50, 8, 8), np.uint8)
    kinds = np.array(["good"] * 6 + ["noise"] * 4)
    np.savez(tmp_path / "x.npz", a=draw[10:], t=draw[:10], kinds=kinds)
    for number, pixels in enumerate(draw):
        place = tmp_path / "parts" / ("train/good" if number >= 10 else f"test/{kinds[number]}")
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(place / f"{number}.png")
    data = f'npz "{tmp_path / "x.npz"}" key=a' if test == "array" else f'folder "{tmp_path / "parts"}" only="good"'
    given = ["--test", f'npz "{tmp_path / "x.npz"}" key=t labels=kinds'] if test == "array" else []
    caedsl.train(SPEC.replace("digits limit=300", data), out=str(tmp_path / "run"), device="cpu", pictures=False)
    assert run_caedsl("evaluate", tmp_path / "run", *given)[0] == 0
    opened, found = caedsl.open(tmp_path / "run"), read_anomalies(tmp_path / "run")
    assert found is not None
    samples = read_scored_samples(tmp_path / "run")
    groups = anomaly_groups(opened, found, samples, opened.values)
    assert [len(shown) for shown in groups.values()] == [4, 4, 4]
    highest = max((row for row in samples if row.anomalous), key=lambda row: row.score)
    first = groups["Highest scores of anomalies"][0]
    assert first.caption == f"{highest.name}, score {highest.score:.3g}"
    pixels = draw[int(re.findall(r"\d+", highest.name)[-1])]
    assert first.pictures["original"] == picture_uri(torch.from_numpy(pixels)[None] / 255, opened.values)


def test_the_verdict_on_a_denoiser_begins_with_its_gain(run: Path) -> None:
    metrics = read_evaluation(run)
    gain, *others = verdicts(metrics, None, None, 0, "image")
    assert gain.text.startswith(("It raises the PSNR of corrupted samples", "It lowers the PSNR of corrupted samples"))
    assert "PCA-6" in others[-1].text


@pytest.mark.parametrize(("shape", "space"), [("2x32", (32,)), ("1x8x8x8", (8, 8, 8))])
def test_signals_and_volumes_are_pictures_too(
    shape: str, space: tuple[int, ...], tmp_path: Path, run_caedsl: Run
) -> None:
    channels = int(shape[0])
    np.save(tmp_path / "x.npy", np.random.default_rng(0).random((30, channels, *space), np.float32))
    spec = f'autoencoder a; input {shape}; data npy "x.npy"; encoder {{ conv 4 s2 k4 }}; bottleneck dense 4; decoder mirror'
    (tmp_path / "a.cae").write_text(spec + "\ntrain { epochs 1; batch 8; validation 20% }")
    caedsl.train(str(tmp_path / "a.cae"), out=str(tmp_path / "run"), device="cpu", pictures=False)
    code, _, err = run_caedsl("report", tmp_path / "run")
    assert code == 0, err
    page = (tmp_path / "run" / "report.html").read_text("utf-8")
    assert Tags(page).seen.count("img") > 12
    assert f"mean {'signal' if len(space) == 1 else 'volume'}</td>" in page
    assert "mean image" not in page and "<th>SSIM</th>" not in page
    assert ('class="samples curves"' in page) is (len(space) == 1), "dark pages invert curves, not slices"


def test_words_of_the_run_are_text_on_the_page(run: Path, run_caedsl: Run) -> None:
    line = {"step": 1, "epoch": 2, "monitor": "dead-layer", "layer": "<script>alert(1)</script>", "setting": None}
    line |= {"line": 4, "message": "</style><b>\x1b\u202e", "remedy": "& less"}
    spec = (run / "spec.cae").read_text()
    (run / "spec.cae").write_text(f"{spec}# \u202e\u2066\n")
    (run / "trouble.jsonl").write_text(json.dumps(line) + "\n")
    assert run_caedsl("report", run)[0] == 0
    page = (run / "report.html").read_text("utf-8")
    assert "script" not in Tags(page).seen
    assert "&lt;script&gt;alert(1)&lt;/script&gt; (line 4): &lt;/style&gt;&lt;b&gt;" in page
    assert "Monitors reported 1 problem" in page
    assert not set("\x1b\u202e\u2066") & set(page)


def test_many_epochs_and_findings_make_no_large_page(run: Path, run_caedsl: Run) -> None:
    assert run_caedsl("report", run)[0] == 0
    few = (run / "report.html").stat().st_size
    epoch = json.loads((run / "history.jsonl").read_text().splitlines()[0])
    epochs = [{**epoch, "epoch": number, "validation": 1 / number} for number in range(1, 10_001)]
    line = {"step": 1, "epoch": 2, "monitor": "dead-layer", "layer": "conv 8", "setting": None, "line": 4}
    troubles = [{**line, "message": "it is dead", "remedy": "a smaller rate"}] * 5000
    for name, rows in (("history.jsonl", epochs), ("trouble.jsonl", troubles)):
        (run / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert run_caedsl("report", run, "--overwrite")[0] == 0
    page = (run / "report.html").read_text("utf-8")
    assert len(page) < 2 * few
    assert "Monitors reported 5,000 problems" in page
    assert "4,900 more in <code>trouble.jsonl</code>" in page


def test_without_its_data_the_page_says_what_is_missing(run: Path, run_caedsl: Run) -> None:
    record = json.loads((run / "environment.json").read_text())
    record["data"]["sha256"] = "0" * 64
    (run / "environment.json").write_text(json.dumps(record))
    code, _, err = run_caedsl("report", run)
    assert code == 0
    assert "the data are not those of the run" in err
    page = (run / "report.html").read_text("utf-8")
    assert "No reconstructions and no codes: the data are not those of the run" in page
    assert "Median" not in page


def without_model(path: Path) -> None:
    metrics = json.loads(path.read_text())
    del metrics["scores"]["model"]
    path.write_text(json.dumps(metrics))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda run: (run / "metrics.json").unlink(), "the run did not finish (`caedsl train --resume "),
        (lambda run: (run / "weights.safetensors").unlink(), "no weights.safetensors: the run ended before it saved"),
        (lambda run: (run / "metrics.json").write_text("{}"), "metrics.json is damaged (evaluated_on"),
        (
            lambda run: without_model(run / "metrics.json"),
            "metrics.json is damaged (scores: value error, it has no scores",
        ),
        (lambda run: (run / "environment.json").unlink(), "environment.json cannot be read"),
        (lambda run: (run / "history.jsonl").unlink(), "has no epoch in its history"),
        (lambda run: (run / "weights.safetensors").write_bytes(b"x"), "weights.safetensors"),
        (lambda run: (run / "anomalies.json").write_text("[]"), "anomalies.json is damaged"),
        (lambda run: (run / "report.html").write_text("mine"), "report.html already exists"),
        (lambda run: shutil.rmtree(run), "name the folder of a trained run"),
    ],
)
def test_what_cannot_be_reported_is_one_error_and_no_page(
    run: Path, run_caedsl: Run, damage: Callable[[Path], object], message: str
) -> None:
    damage(run)
    before = sorted(run.iterdir()) if run.exists() else []
    code, out, err = run_caedsl("report", run)
    assert (code, out) == (2, "")
    assert message in err
    assert sorted(run.iterdir() if run.exists() else []) == before


def test_output_is_a_page_and_replaced_only_on_request(run: Path, run_caedsl: Run, tmp_path: Path) -> None:
    assert run_caedsl("report", run, "-o", tmp_path / "page.pdf")[0] == 2
    page = tmp_path / "page.html"
    assert run_caedsl("report", run, "-o", page)[0] == 0
    assert run_caedsl("report", run, "-o", page)[0] == 2
    first = page.read_bytes()
    assert run_caedsl("report", run, "-o", page, "--overwrite")[0] == 0
    assert page.read_bytes() == first


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
@pytest.mark.parametrize("width", WIDTHS)
def test_browser_shows_the_page_within_its_width(run: Path, run_caedsl: Run, tmp_path: Path, width: int) -> None:
    assert run_caedsl("report", run, "-o", tmp_path / "r.html")[0] == 0
    # A frame can be as narrow as required; a window has a minimum width.
    probe = """<script>onload = () => {
        const page = document.querySelector("iframe").contentDocument, all = page.documentElement;
        const outside = [...page.querySelectorAll("body *")].filter(
            (e) => !e.closest("pre") && e.getBoundingClientRect().right > all.clientWidth + 1);
        const broken = [...page.images].filter((e) => !e.naturalWidth);
        document.title = [all.scrollWidth, all.clientWidth, outside.length, broken.length, page.images.length].join(" ");
    }</script>"""
    frame = f'<iframe src="r.html" style="border:0;width:{width}px;height:3000px"></iframe>'
    (tmp_path / "frame.html").write_text(f"<!doctype html><body style='margin:0'>{frame}{probe}</body>")
    told = _chromium(tmp_path, "--dump-dom", "--allow-file-access-from-files", (tmp_path / "frame.html").as_uri())
    found = re.search(r"<title>([\d ]+)</title>", told)
    assert found is not None, told[-2000:]
    across, visible, outside, broken, images = map(int, found[1].split())
    assert visible == width
    assert across <= visible
    assert (outside, broken) == (0, 0)
    assert images > 40


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
def test_browser_draws_it_dark_where_that_is_wanted(run: Path, run_caedsl: Run, tmp_path: Path) -> None:
    assert run_caedsl("report", run, "-o", tmp_path / "r.html")[0] == 0
    papers = []
    for scheme in (1, 0):
        picture = tmp_path / f"{scheme}.png"
        page = (tmp_path / "r.html").as_uri()
        options = (
            f"--blink-settings=preferredColorScheme={scheme}",
            "--window-size=800,600",
            f"--screenshot={picture}",
        )
        _chromium(tmp_path, *options, page)
        papers.append(Image.open(picture).convert("L").getpixel((2, 300)))
    light, dark = papers
    assert light > 200
    assert dark < 50


def _chromium(folder: Path, *arguments: str) -> str:
    assert CHROMIUM is not None
    options = (
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--hide-scrollbars",
        f"--user-data-dir={folder / 'profile'}",
    )
    ended = subprocess.run(
        [CHROMIUM, *options, *arguments], capture_output=True, text=True, timeout=120, check=True, cwd=folder
    )
    return ended.stdout


def test_codes_are_shown_in_pictures(run: Path, run_caedsl: Run) -> None:
    assert run_caedsl("report", run)[0] == 0
    text = (run / "report.html").read_text("utf-8")
    for heading in (
        "Traversals of the units that vary most",
        "Interpolations between the codes of two samples",
        "Nearest neighbours by code",
    ):
        assert heading in text
    assert re.search(r"\d dead of 6 code units; the effective rank of the codes is \d\.\d\.", text)
    assert "values mapped from" not in text


def test_a_sweep_of_noise_is_drawn(run: Path, run_caedsl: Run) -> None:
    assert run_caedsl("evaluate", run, "--sweep", "gaussian=0.05..0.2/3")[0] == 0
    assert run_caedsl("report", run)[0] == 0
    assert "More and less noise" in (run / "report.html").read_text("utf-8")
    (run / "sweep.json").write_text('{"rows": []}')
    code, _, err = run_caedsl("report", run, "--overwrite")
    assert code == 2
    assert "sweep.json is damaged" in err


def test_neighbours_are_the_nearest_and_traversals_start_from_the_mean() -> None:
    codes = np.array([[0.0, 0.0], [0.1, 0.0], [5.0, 5.0], [5.1, 5.0], [9.0, 1.0], [9.0, 1.2]])
    _, rows = _traversals(codes, vector=True)
    assert list(rows) == ["unit 0", "unit 1"]
    assert list(rows["unit 0"]) == ["\N{MINUS SIGN}2 σ", "\N{MINUS SIGN}1 σ", "mean", "+1 σ", "+2 σ"]
    np.testing.assert_allclose(rows["unit 1"]["mean"], codes.mean(axis=0))
    np.testing.assert_allclose(rows["unit 0"]["+2 σ"] - codes.mean(axis=0), [2 * codes[:, 0].std(), 0])
    between = _interpolations(codes, list("abcdef"))["a to d"]
    np.testing.assert_allclose(between["50%"], (codes[0] + codes[3]) / 2)


def test_a_model_with_skips_has_a_report(tmp_path: Path, run_caedsl: Run) -> None:
    text = SPEC.replace("bottleneck dense 6", "bottleneck conv 2").replace("mirror", "mirror skips=concat")
    caedsl.train(text, out=str(tmp_path / "unet"), device="cpu", pictures=False)
    code, _, err = run_caedsl("report", tmp_path / "unet")
    assert code == 0, err
    page = (tmp_path / "unet" / "report.html").read_text("utf-8")
    assert "Nearest neighbours by code" in page
    assert "Traversals" not in page
    assert re.search(r"<dt>compression</dt><dd>[\d.]+× larger</dd>", page)


def test_validation_samples_of_ones_own_have_no_labels(tmp_path: Path, run_caedsl: Run) -> None:
    draw = np.random.default_rng(0)
    np.savez(tmp_path / "x.npz", a=draw.random((20, 8, 8)), y=np.arange(20) % 2, v=draw.random((40, 8, 8)))
    text = SPEC.replace("digits limit=300", f'npz "{tmp_path / "x.npz"}" key=a labels=y validation=v')
    caedsl.train(text, out=str(tmp_path / "own"), device="cpu", pictures=False)
    assert run_caedsl("report", tmp_path / "own")[0] == 0
    code, _, err = run_caedsl("evaluate", tmp_path / "own", "--probe")
    assert code == 2
    assert "have no labels" in err


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 12, 40])
def test_no_sample_is_shown_twice(count: int) -> None:
    chosen = chosen_places(-np.arange(count, dtype=float))
    places = [int(place) for group in chosen.values() for place in group]
    assert len(set(places)) == len(places)
    assert places[0] == 0
    if count > 1:
        assert int(chosen["Worst"][0]) == count - 1
    if count > 2:
        middle = chosen["Median"]
        assert abs(float(np.mean(middle)) - (count - 1) / 2) <= 1
        assert len({len(group) for group in chosen.values()}) == 1


@pytest.mark.parametrize("start", [False, True])
def test_the_commands_of_the_page_repeat_its_numbers(
    start: bool, tmp_path: Path, run_caedsl: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "specs" / "good").mkdir(parents=True)
    for number, pixels in enumerate(np.random.default_rng(0).integers(0, 256, (40, 8, 8), np.uint8)):
        Image.fromarray(pixels).save(tmp_path / "specs" / "good" / f"{number}.png")
    (tmp_path / "specs" / "a.cae").write_text(SPEC.replace("digits limit=300", 'folder "good"'))
    monkeypatch.chdir(tmp_path)
    if start:
        assert run_caedsl("train", "specs/a.cae", "--epochs", "1", "--out", "first", "--quiet")[0] == 0
    given = ("--weights", "first") if start else ()
    options = ("--set", "train.batch=16", "--seed", "3", "--out", "runs/a", *given)
    assert run_caedsl("train", "specs/a.cae", "--epochs", "2", *options, "--quiet")[0] == 0
    assert run_caedsl("evaluate", "runs/a", "--sweep", "gaussian=0.1..0.3/2", "--quiet")[0] == 0
    assert run_caedsl("calibrate", "runs/a", "--fpr", "20%")[0] == 0
    assert run_caedsl("report", "runs/a")[0] == 0
    page = html.unescape((tmp_path / "runs" / "a" / "report.html").read_text("utf-8"))
    lines = re.findall(r"\$ (.*)$", page.partition("How to reproduce")[2], re.MULTILINE)
    assert [line.split()[0] for line in lines] == ["cp", "caedsl", "caedsl", "caedsl", "caedsl"]
    for line in lines:
        program, *words = shlex.split(line)
        if program == "cp":
            shutil.copy(*words)
        else:
            assert run_caedsl(*words)[0] == 0
    for name in ("metrics.json", "sweep.json"):
        assert (tmp_path / "runs" / "a-again" / name).read_text() == (tmp_path / "runs" / "a" / name).read_text()
    first, again = (caedsl.open(f"runs/{name}").calibration for name in ("a", "a-again"))
    assert first is not None and again is not None
    assert first.threshold == again.threshold


def test_neighbours_of_corrupted_samples_are_shown_as_originals(run: Path, run_caedsl: Run) -> None:
    assert run_caedsl("report", run)[0] == 0
    page = (run / "report.html").read_text("utf-8")
    (captioned,) = re.findall(r"<h3>(Nearest neighbours[^<]*)</h3>", page)
    assert captioned == "Nearest neighbours by code, shown as originals"
    pictures = re.findall(r'src="(data:[^"]*)" alt="sample"', page.partition(captioned)[2])
    run_of, images = finished_run(run, "cpu", None, Reporter())
    name = re.findall(r"<figcaption>sample (\d+)", page.partition(captioned)[2])[0]
    (place,) = (number for number in range(300) if images.name_of("train", number) == name)
    original = images.train_pixels.finish(images.train_pixels.take(torch.tensor([place])))[0]
    assert pictures[0] == picture_uri(original, run_of.pixels)
