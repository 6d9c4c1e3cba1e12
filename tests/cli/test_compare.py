"""``train --seeds`` and ``compare``, as a user types them."""

import csv
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from statistics import fmean, stdev

import numpy as np
import pytest

from caedsl.cli.seeds import SeedError, read_seeds
from tests.conftest import Ran

Run = Callable[..., Ran]

SPEC = """autoencoder tiny
input 1x8x8
data digits limit=60
encoder { conv 2 relu; maxpool 2 }
bottleneck dense 3
decoder mirror
train { epochs 1; batch 20; optimizer adam lr=1e-2; validation 20%; precision fp32 }
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from caedsl.cli.main import main

    home = tmp_path_factory.mktemp("compare")
    (home / "tiny.cae").write_text(SPEC)
    common = ("--quiet", "--device", "cpu", "--no-pictures")
    assert main(["train", str(home / "tiny.cae"), "--seeds", "0..2", "--out", str(home / "small"), *common]) == 0
    wide = ("--set", "bottleneck=dense 6", "--set", "train.batch=10")
    assert main(["train", str(home / "tiny.cae"), "--seeds", "0,4", "--out", str(home / "wide"), *wide, *common]) == 0
    return home


def mse(folder: Path) -> float:
    value: float = json.loads((folder / "metrics.json").read_text())["scores"]["model"]["mse"]
    return value


def test_a_run_for_each_seed_and_a_row_for_each_setting(trained: Path, caedsl: Run) -> None:
    assert sorted(path.name for path in (trained / "small").iterdir()) == ["seed-0", "seed-1", "seed-2"]
    seeds = [json.loads((trained / "wide" / f"seed-{n}" / "environment.json").read_text())["seed"] for n in (0, 4)]
    assert seeds == [0, 4]
    ran = caedsl("compare", trained / "small", trained / "wide", "--csv")
    assert ran.code == 0, ran.err
    rows = list(csv.DictReader(ran.out.splitlines()))
    assert [(row["bottleneck"], row["batch"], row["seeds"]) for row in rows] == [
        ("dense 3", "20", "0..2"),
        ("dense 6", "10", "0,4"),
    ]
    assert set(rows[0]) >= {"runs", "MSE", "MSE deviation", "PSNR dB", "SSIM"}
    assert not {"epochs", "encoder", "optimizer.lr"} & set(rows[0])
    values = [mse(trained / "small" / f"seed-{n}") for n in range(3)]
    assert float(rows[0]["MSE"]) == pytest.approx(fmean(values))
    assert float(rows[0]["MSE deviation"]) == pytest.approx(stdev(values))


def test_a_table_too_wide_for_the_terminal_has_a_column_for_each_setting(
    trained: Path, caedsl: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = ("compare", trained / "small", trained / "wide")
    monkeypatch.setenv("COLUMNS", "60")
    turned = caedsl(*runs).out.splitlines()
    monkeypatch.setenv("COLUMNS", "160")
    wide = caedsl(*runs).out.splitlines()
    assert [line.split()[0] for line in turned[:4]] == wide[0].split()[:4] == ["runs", "bottleneck", "batch", "seeds"]
    assert sorted(" ".join(turned).split()) == sorted(" ".join(wide).split())


def test_a_limit_leaves_the_test_samples_comparable(tmp_path: Path, caedsl: Run) -> None:
    drawn = np.random.default_rng(0).integers(0, 256, (2, 60, 8, 8), np.uint8)
    np.savez(tmp_path / "x.npz", train=drawn[0], test=drawn[1])
    source = f'npz "{tmp_path / "x.npz"}" key=train'
    for name, data in {
        "all": f"{source} test=test",
        "few": f"{source} test=test limit=40",
        "own": source,
        "cut": f"{source} limit=40",
    }.items():
        (tmp_path / "tiny.cae").write_text(SPEC.replace("digits limit=60", data))
        ran = caedsl("train", tmp_path / "tiny.cae", "--out", tmp_path / name, "--quiet", "--no-pictures")
        assert ran.code == 0, ran.err
    assert "different samples" not in caedsl("compare", tmp_path / "all", tmp_path / "few").out
    assert "different samples" in caedsl("compare", tmp_path / "own", tmp_path / "cut").out
    assert "different samples" in caedsl("compare", tmp_path / "all", tmp_path / "own").out


def test_the_runs_of_seeds_are_found_from_above(trained: Path, caedsl: Run) -> None:
    listed = json.loads(caedsl("runs", trained, "--json").out)
    assert {run["folder"] for run in listed} == {
        str(trained / name) for name in ("small/seed-0", "small/seed-1", "small/seed-2", "wide/seed-0", "wide/seed-4")
    }
    assert (
        caedsl("compare", trained, "--csv").out == caedsl("compare", trained / "small", trained / "wide", "--csv").out
    )


def test_a_run_and_its_copy_count_once(trained: Path, tmp_path: Path, caedsl: Run) -> None:
    small = trained / "small"
    (tmp_path / "link").symlink_to(small)
    shutil.copytree(small / "seed-1", tmp_path / "copy")
    alone = caedsl("compare", small, trained / "wide", "--csv")
    assert (
        caedsl("compare", small, small / ".." / "small" / "seed-0", tmp_path / "link", trained / "wide", "--csv")
        == alone
    )
    ran = caedsl("compare", small, tmp_path / "copy", trained / "wide", "--csv")
    assert ran.out == alone.out
    said = f"skipped: {tmp_path / 'copy'} has the seed, the settings and the results of {small / 'seed-1'}\n"
    assert ran.err == said
    assert said in caedsl("compare", small, tmp_path / "copy", trained / "wide").out


def test_the_best_is_marked_in_every_form(trained: Path, caedsl: Run) -> None:
    means = {name: fmean(map(mse, (trained / name).iterdir())) for name in ("small", "wide")}
    best = f"{min(means.values()):.5f}"
    shown = caedsl("compare", trained / "small", trained / "wide").out
    assert f"*{best} ±" in shown
    assert shown.count("*") == 4
    markdown = caedsl("compare", trained / "small", trained / "wide", "--markdown").out
    assert f"**{best} ±" in markdown
    header, rule, *rows = markdown.splitlines()
    assert len({line.count("|") for line in (header, rule, *rows)}) == 1
    latex = caedsl("compare", trained / "small", trained / "wide", "--latex").out
    assert rf"\textbf{{{best} $\pm$" in latex
    assert latex.startswith(r"\begin{tabular}{llll")
    assert r"MSE / PCA's" in latex


def test_names_are_no_markup(trained: Path, tmp_path: Path, caedsl: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, escaped in (("a|b", r"a\|b"), ("<b>`c`", r"\<b>\`c\`"), ("*[d](e)*", r"\*\[d](e)\*")):
        shutil.copytree(trained / "small" / "seed-0", name)
        table = caedsl("compare", name, trained / "wide", "--markdown").out
        assert f"\n| {escaped} | " in table


def test_long_values_are_letters_that_are_explained(trained: Path, tmp_path: Path, caedsl: Run) -> None:
    other = tmp_path / "other"
    shutil.copytree(trained / "small" / "seed-0", other)
    spec = (other / "spec.cae").read_text().replace("conv 2 relu", "conv 2 k5 relu  # wider\n  dropout 0.1")
    (other / "spec.cae").write_text(spec)
    shown = caedsl("compare", trained / "small" / "seed-0", other).out
    assert "encoder A: { conv 2 relu; maxpool 2 }" in shown
    assert "encoder B: { conv 2 k5 relu; dropout 0.1" in shown
    assert "wider" not in shown


def test_a_setting_that_one_run_lacks_is_none_beside_a_long_value(trained: Path, tmp_path: Path, caedsl: Run) -> None:
    other = Path(shutil.copytree(trained / "small" / "seed-0", tmp_path / "other"))
    reason = "this code is as small as the parts that it is for"
    with (other / "spec.cae").open("a") as spec:
        spec.write(f'\nallow code-too-small "{reason}"\n')
    shown = caedsl("compare", trained / "small" / "seed-0", other).out
    assert "allow A: none\n" in shown
    assert f'allow B: code-too-small "{reason}"\n' in shown


def test_labelled_anomalies_are_compared_too(trained: Path, tmp_path: Path, caedsl: Run) -> None:
    runs = []
    for number, auroc in enumerate((0.75, 0.875)):
        runs.append(Path(shutil.copytree(trained / "small" / "seed-0", tmp_path / str(number))))
        write_anomalies(runs[-1], auroc, score=("mse", "top=1%")[number])
    rows = list(csv.DictReader(caedsl("compare", *runs, "--csv").out.splitlines()))
    assert [(row["score"], row["AUROC"], row["found %"], row["rejected %"]) for row in rows] == [
        ("mse", "0.75", "75.0", "2.0"),
        ("top=1%", "0.875", "75.0", "2.0"),
    ]


def write_anomalies(run: Path, auroc: float, test: str = "t", score: str = "mse") -> None:
    estimate = {"value": 0.9, "low": 0.8, "high": 1.0}
    detector = {"auroc": {**estimate, "value": auroc}, "average_precision": estimate, "fpr_at_95_tpr": estimate}
    detector |= {"pixel_auroc": None, "pro": None, "threshold": None, "found": 3, "rejected": 1, "by_type": {}}
    record = {"test": test, "score": score, "normal_class": "good", "normals": 50, "anomalies": 4}
    (run / "anomalies.json").write_text(json.dumps({**record, "detectors": {"model": detector}, "notes": []}))


@pytest.mark.parametrize("differing", ["images", "split", "corruption"])
def test_no_best_is_marked_among_runs_on_different_samples(
    trained: Path, tmp_path: Path, caedsl: Run, differing: str
) -> None:
    one, other = (Path(shutil.copytree(trained / "small" / "seed-0", tmp_path / name)) for name in ("one", "other"))
    environment, settings = (json.loads((other / f"{name}.json").read_text()) for name in ("environment", "settings"))
    if differing == "corruption":
        settings["corrupt"]["options"]["gaussian"] = 0.1
    else:
        settings["batch"] = 3
        environment["data"]["sha256" if differing == "images" else "split_sha256"] = "0" * 64
    (other / "environment.json").write_text(json.dumps(environment))
    (other / "settings.json").write_text(json.dumps(settings))
    write_anomalies(one, 0.75)
    write_anomalies(other, 0.875)
    shown = caedsl("compare", one, other).out
    assert "different samples: MSE, PSNR dB, SSIM, MSE / PCA's\n" in shown
    assert re.findall(r"\*[0-9.]+", shown) == ["*75.0", "*2.0", "*0.875", "*75.0", "*2.0"]
    assert "**0.875**" in caedsl("compare", one, other, "--markdown").out
    assert ("corrupt.gaussian" if differing == "corruption" else "batch") in shown.split("\n")[0].split()
    (one / "anomalies.json").unlink()
    assert "*" not in caedsl("compare", one, other).out


def test_no_best_is_marked_among_detectors_on_different_samples(trained: Path, tmp_path: Path, caedsl: Run) -> None:
    one, other = (Path(shutil.copytree(trained / name / "seed-0", tmp_path / name)) for name in ("small", "wide"))
    write_anomalies(one, 0.75)
    write_anomalies(other, 0.875, test="another")
    shown = caedsl("compare", one, other).out
    assert "different samples: AUROC, found %, rejected %\n" in shown
    assert shown.count("*") == 4


@pytest.mark.parametrize("missing", ["metrics.json", "settings.json", "environment.json"])
def test_a_folder_of_runs_leaves_out_those_that_are_not_whole(
    trained: Path, tmp_path: Path, caedsl: Run, missing: str
) -> None:
    runs = Path(shutil.copytree(trained / "small", tmp_path / "runs"))
    (runs / "seed-1" / missing).unlink()
    ran = caedsl("compare", runs)
    assert ran.code == 0
    assert "skipped:" in ran.out and "seed-1" in ran.out
    assert "Errno" not in ran.out
    assert caedsl("compare", runs / "seed-1").code == 2


@pytest.mark.parametrize("form", [[], ["--csv"], ["--markdown"], ["--latex"]])
def test_names_of_others_stay_in_their_line_and_off_the_terminal(
    form: list[str], trained: Path, tmp_path: Path, caedsl: Run
) -> None:
    """The names are those of a folder, of a setting in a forged file, and of a run that is left out."""
    hostile = "red\x1b[31m\u202e\nb\r"
    runs = Path(shutil.copytree(trained / "small", tmp_path / hostile))
    (runs / "seed-1" / "metrics.json").unlink()
    plain = caedsl("compare", trained / "small" / "seed-0", trained / "wide" / "seed-0", *form).out
    settings = json.loads((runs / "seed-0" / "settings.json").read_text())
    (runs / "seed-0" / "settings.json").write_text(json.dumps({**settings, hostile: hostile, "batch": 3}))
    (runs / "seed-2").rename(tmp_path / "seed-2")
    ran = caedsl("compare", runs, tmp_path / "seed-2", *form)
    assert ran.code == 0, ran.err
    assert "red" in ran.out
    assert not set("\x1b\u202e\r") & set(ran.out)
    assert ran.out.count("\n") <= plain.count("\n") + 3  # two values and a note are explained below the table


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nowhere",), "there is no run folder nowhere"),
        (("empty",), "empty contains no runs"),
        (("small/seed-0", "--csv", "--latex"), "choose one"),
    ],
)
def test_what_cannot_be_compared(
    trained: Path, caedsl: Run, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], message: str
) -> None:
    monkeypatch.chdir(trained)
    Path("empty").mkdir(exist_ok=True)
    ran = caedsl("compare", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err


def test_seeds_that_are_none_and_folders_that_are_taken(trained: Path, caedsl: Run, tmp_path: Path) -> None:
    spec = trained / "tiny.cae"
    assert "write a range such as 0..4" in caedsl("train", spec, "--seeds", "four").err
    assert "remove one of them" in caedsl("train", spec, "--seeds", "0..1", "--seed", 1).err
    ran = caedsl("train", spec, "--seeds", "3,2,1", "--out", trained / "small")
    assert ran.code == 2
    assert "seed-2 is not empty" in ran.err
    assert not (trained / "small" / "seed-3").exists()
    assert "--seeds" in caedsl("train", "--resume", trained / "small" / "seed-0", "--seeds", "0..1").err


def test_ranges_and_lists_of_seeds() -> None:
    assert read_seeds("0..4") == [0, 1, 2, 3, 4]
    assert read_seeds("7, 1..2,1") == [7, 1, 2]
    for text in ("", "1..", "4..0", "-1", "0..2000", "1.5", "99999999999", "٣"):
        with pytest.raises(SeedError):
            read_seeds(text)


def test_runs_are_listed_with_code_seed_and_overrides_sorted_and_filtered(trained: Path, caedsl: Run) -> None:
    record = json.loads((trained / "wide" / "seed-0" / "environment.json").read_text())
    record["command"] = "caedsl train tiny.cae --set 'bottleneck=dense 6' --set=train.batch=10 --epochs 1 --quiet"
    (trained / "wide" / "seed-0" / "environment.json").write_text(json.dumps(record))
    lines = caedsl("runs", trained / "wide").out.splitlines()
    assert lines[0].split()[:6] == ["run", "model", "data", "code", "seed", "epoch"]
    assert "bottleneck=dense 6 train.batch=10 epochs=1" in lines[1]
    listed = json.loads(caedsl("runs", trained / "small", "--sort", "psnr", "--json").out)
    assert [run["psnr"] for run in listed] == sorted((run["psnr"] for run in listed), reverse=True)
    assert {(run["code"], run["seed"]) for run in listed} == {(3, 0), (3, 1), (3, 2)}
    chosen = json.loads(caedsl("runs", trained / "small", "--filter", "seed<2", "--filter", "folder=*-1", "--json").out)
    assert [run["seed"] for run in chosen] == [1]
    for condition, seeds in (("seed!=1", {0, 2}), ("seed<=1", {0, 1}), ("seed >= 1", {1, 2}), ("folder!=*-0", {1, 2})):
        chosen = json.loads(caedsl("runs", trained / "small", "--filter", condition, "--json").out)
        assert {run["seed"] for run in chosen} == seeds
    assert caedsl("runs", trained / "small", "--filter", "state=crashed").out.endswith("small match --filter\n")
    for options in (("--sort", "beauty"), ("--filter", "psnr"), ("--filter", "psnr>high"), ("--filter", "beauty=1")):
        ran = caedsl("runs", trained / "small", *options)
        assert (ran.code, ran.out) == (2, "")
        assert len(ran.err.splitlines()) == 1


@pytest.mark.parametrize("name", ["[1cm]", "*", r"\input{x}", "a%b&c$d#e_f", "^^5cinput", "~"])
def test_names_of_runs_are_no_commands_of_latex(
    name: str, trained: Path, tmp_path: Path, caedsl: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).symlink_to(trained / "small/seed-0")
    (row,) = (line for line in caedsl("compare", name, trained / "wide/seed-0", "--latex").out.splitlines()[4:5])
    cell = row.split(" & ")[0]
    assert not re.search(r"(?<!\\)[%&$#_~^]|^[\[*]|\\input", cell)
