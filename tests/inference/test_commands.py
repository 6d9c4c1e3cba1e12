"""The commands on trained runs, as a user types them."""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from sklearn.datasets import load_digits

from caedsl import open as caedsl_open
from caedsl import train
from caedsl.inference.schema import write_calibration
from tests.cli.test_hostile_specs import DANGEROUS
from tests.inference.conftest import GREY, write_run

Run = Callable[..., tuple[int, str, str]]


def kind(path: Path) -> tuple[tuple[int, int], str, str | None]:
    with Image.open(path) as image:
        return image.size, image.mode, image.format


def digits(folder: Path, places: range) -> Path:
    folder.mkdir()
    for place in places:
        pixels = (load_digits().images[place] * 255 / 16).round().astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{place:04}.png")
    return folder


def test_reconstruct_keeps_names_sizes_and_depth(grey: Path, photos: Path, tmp_path: Path, caedsl: Run) -> None:
    code, out, _ = caedsl("reconstruct", grey, photos, "-o", tmp_path / "out", "--error-maps")
    assert (code, out) == (0, f"reconstructed 3 images into {tmp_path / 'out'}\n")
    for name in ("a.png", "b.jpg", "deep/c.tif"):
        assert kind(tmp_path / "out" / name) == kind(photos / name)
        assert kind(tmp_path / "out" / f"{name}.error.png")[1:] == ("RGB", "PNG")
    code, _, err = caedsl("reconstruct", grey, photos, "-o", tmp_path / "out")
    assert code == 2
    assert "--overwrite" in err
    assert caedsl("reconstruct", grey, photos, "-o", tmp_path / "out", "--overwrite")[0] == 0


def test_reconstruct_says_what_it_does_not_keep(grey: Path, tmp_path: Path, caedsl: Run) -> None:
    images = digits(tmp_path / "images", range(2))
    pixels = np.array(Image.open(images / "0000.png"))
    Image.fromarray(np.dstack([pixels, pixels])).save(images / "clear.png")
    Image.fromarray(np.dstack([pixels] * 3)).quantize(4).save(images / "colours.gif")
    Image.fromarray(pixels).save(images / "photo.avif")
    _, out, _ = caedsl("reconstruct", grey, images, "-o", tmp_path / "out")
    assert out.splitlines()[1:] == [
        "note: 1 image with transparency, placed on white",
        "note: 1 image of a format that cannot be written here, saved as .png",
    ]
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "0000.png",
        "0001.png",
        "clear.png",
        "colours.gif",
        "photo.avif.png",
    }


@pytest.mark.parametrize("command", ["encode", "score", "reconstruct"])
@pytest.mark.parametrize("name", ["x.npy", "images"])
@pytest.mark.parametrize(
    ("source", "words"), [("patches=2", ("middle",)), ("resize=fit", ("resized", "(fit)")), (None, ())]
)
def test_samples_of_another_size_are_noted(
    tmp_path: Path, caedsl: Run, command: str, name: str, source: str | None, words: tuple[str, ...]
) -> None:
    size = (8, 8) if source is None else (20, 12)
    pixels = np.random.default_rng(0).integers(0, 256, (2, *size), np.uint8)
    np.save(tmp_path / "x.npy", pixels)
    (tmp_path / "images").mkdir()
    for place, each in enumerate(pixels):
        Image.fromarray(each).save(tmp_path / "images" / f"{place}.png")
    run = write_run(tmp_path / "run", GREY.replace("bottleneck", f'data folder "images/" {source or ""}\nbottleneck'))
    output = [] if command == "score" else ["-o", tmp_path / ("codes.npz" if command == "encode" else "out")]
    code, out, err = caedsl(command, run, tmp_path / name, *output)
    notes = [line for line in (out + err).splitlines() if line.startswith("note: ")]
    whole = command == "reconstruct" and name == "images"
    assert (code, len(notes)) == (0, int(bool(words) and not whole)), out + err
    assert all(word in note for note in notes for word in words)


def test_normal_and_labelled_samples_of_another_size_are_noted(tmp_path: Path, caedsl: Run) -> None:
    run = write_run(tmp_path / "run", GREY.replace("bottleneck", 'data folder "images/" resize=fit\nbottleneck'))
    for kind in ("good", "bad"):
        (tmp_path / "test" / kind).mkdir(parents=True)
        for place, each in enumerate(np.random.default_rng(0).integers(0, 256, (3, 20, 12), np.uint8)):
            Image.fromarray(each).save(tmp_path / "test" / kind / f"{place}.png")
    _, out, err = caedsl("calibrate", run, tmp_path / "test" / "good", "--fpr", "50%")
    assert "3 of 3 images resized to 8x8 (fit)" in out + err
    _, out, err = caedsl("evaluate", run, "--test", tmp_path / "test")
    assert "6 of 6 images resized to 8x8 (fit)" in out + err


@pytest.mark.parametrize("command", [("reconstruct", "-o"), ("score", "--maps")])
@pytest.mark.parametrize("name", ["x.npy", "x.tif"])
def test_a_sample_that_cannot_be_used_leaves_no_folder(
    grey: Path, tmp_path: Path, caedsl: Run, name: str, command: tuple[str, str]
) -> None:
    pixels = np.full((8, 8), np.nan, np.float32)
    np.save(tmp_path / "x.npy", pixels[None])
    Image.fromarray(pixels).save(tmp_path / "x.tif")
    code, out, err = caedsl(command[0], grey, tmp_path / name, command[1], tmp_path / "out")
    assert (code, out) == (2, "")
    assert "NaN" in err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("command", [("reconstruct", "-o"), ("score", "--maps"), ("arrays", "-o")])
def test_a_folder_gets_no_file_if_a_later_sample_cannot_be_used(
    grey: Path, tmp_path: Path, caedsl: Run, command: tuple[str, str], overwrite: bool
) -> None:
    given: object = digits(tmp_path / "in", range(3))
    (tmp_path / "in" / "9999.png").write_bytes((tmp_path / "in" / "0000.png").read_bytes()[:60])
    if command[0] == "arrays":
        np.savez(tmp_path / "x.npz", good=np.zeros((3, 8, 8), np.float32), bad=np.full((3, 8, 8), np.nan, np.float32))
        given = f'npz "{tmp_path / "x.npz"}" key=good test=bad'
    out = tmp_path / "new" / "out"
    if overwrite:
        out.mkdir(parents=True)
        (out / "0000.png").write_text("old")
    name = command[0].replace("arrays", "reconstruct")
    options = ["--error-maps"] if name == "reconstruct" else []
    code, _, err = caedsl(name, grey, given, command[1], out, *options, *(["--overwrite"] if overwrite else []))
    assert code == 2, err
    assert [(path.name, path.read_text()) for path in out.iterdir()] == [("0000.png", "old")] if overwrite else True
    assert (tmp_path / "new").exists() == overwrite


def test_a_file_is_no_run(grey: Path, photos: Path, caedsl: Run) -> None:
    for name, words in (
        ("spec.cae", "is a file"),
        ("nowhere", "does not exist"),
        ("spec.cae/nowhere", "does not exist"),
    ):
        code, out, err = caedsl("score", grey / name, photos / "a.png")
        assert (code, out) == (2, "")
        assert err == f"caedsl: {grey / name} {words}: name the folder of a trained run (`caedsl runs` lists them)\n"


@pytest.mark.parametrize("command", ["score", "evaluate", "report"])
def test_a_folder_of_runs_leads_to_one_of_them(command: str, grey: Path, photos: Path, caedsl: Run) -> None:
    code, _, err = caedsl(command, grey.parent, *([photos] if command == "score" else []))
    assert code == 2
    assert f"{grey.parent} has no spec.cae: name a run in it, such as {grey.parent}/" in err


@pytest.mark.parametrize("rate", ["0", "0%", "100%", "150%", "-1%", "nan", "inf", "few", ""])
def test_a_rate_is_refused_before_anything_is_scored(rate: str, grey: Path, photos: Path, caedsl: Run) -> None:
    assert caedsl("calibrate", grey, photos, f"--fpr={rate}") == (
        2,
        "",
        f"caedsl: --fpr {rate}: write a share above 0 % and below 100 %, such as 1% or 0.01\n",
    )


def test_the_case_of_an_ending_does_not_matter(grey: Path, photos: Path, tmp_path: Path, caedsl: Run) -> None:
    assert caedsl("encode", grey, photos / "a.png", "-o", tmp_path / "codes.CSV")[0] == 0
    assert caedsl("decode", grey, tmp_path / "codes.CSV", "-o", tmp_path / "made.NPY")[0] == 0
    assert np.load(tmp_path / "made.NPY").shape == (1, 1, 8, 8)


def test_samples_are_made_from_a_variational_run(tmp_path: Path, caedsl: Run) -> None:
    vae = write_run(tmp_path / "vae", GREY.replace("dense 6", "variational 6"))
    code, out, err = caedsl("sample", vae, "-o", tmp_path / "made", "-n", "12")
    assert (code, out) == (0, f"wrote 12 samples to {tmp_path / 'made'}\n"), err
    assert sorted(path.name for path in (tmp_path / "made").iterdir())[::11] == ["01.png", "12.png"]
    assert caedsl("sample", vae, "-o", tmp_path / "made.npy", "--seed", "1")[0] == 0
    assert np.load(tmp_path / "made.npy").shape == (16, 1, 8, 8)
    code, _, err = caedsl("sample", vae, "-o", tmp_path / "made.npy")
    assert code == 2
    assert "--overwrite" in err


def test_a_plain_run_makes_no_samples(grey: Path, tmp_path: Path, caedsl: Run) -> None:
    code, out, err = caedsl("sample", grey, "-o", tmp_path / "made")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "its code has no distribution to draw from; train it with `bottleneck variational 6`" in err
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("ending", ["npz", "csv", "parquet"])
def test_codes_go_out_and_come_back(trained: Path, tmp_path: Path, caedsl: Run, ending: str) -> None:
    codes = tmp_path / f"codes.{ending}"
    code, out, err = caedsl("encode", trained, "-o", codes, "--split", "validation")
    assert code == 0, err
    assert out == f"encoded 359 samples into {codes}: 6 numbers each\n"
    assert caedsl("decode", trained, codes, "-o", tmp_path / "back.npy")[0] == 0
    decoded = np.load(tmp_path / "back.npy")
    assert decoded.shape == (359, 1, 8, 8)
    assert caedsl("decode", trained, codes, "-o", tmp_path / "pictures")[0] == 0
    assert len(list((tmp_path / "pictures" / "validation").iterdir())) == 359
    assert caedsl("encode", trained, "-o", codes)[0] == 2


def test_codes_have_names_and_labels(trained: Path, tmp_path: Path, caedsl: Run) -> None:
    caedsl("encode", trained, "-o", tmp_path / "codes.npz")
    with np.load(tmp_path / "codes.npz") as arrays:
        places = [int(name.partition("/")[2]) for name in arrays["names"]]
        assert sorted(places) == list(range(1797))
        assert arrays["labels"].astype(int).tolist() == load_digits().target[places].tolist()


def test_calibrate_on_the_validation_part_then_score(trained: Path, tmp_path: Path, caedsl: Run) -> None:
    code, out, err = caedsl("calibrate", trained, "--fpr", "1%", "--score", "mse")
    assert code == 0, err
    assert "359 held out" in out
    assert "(mse)" in out
    good = digits(tmp_path / "good", range(20))
    code, out, _ = caedsl("score", trained, good, "--json")
    rows = [json.loads(line) for line in out.splitlines()]
    assert [row["name"] for row in rows] == [f"{place:04}.png" for place in range(20)]
    assert all(0 <= row["percentile"] <= 100 for row in rows)
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (8, 8), np.uint8)).save(good / "odd.png")
    code, out, _ = caedsl("score", trained, good / "odd.png", "--maps", tmp_path / "maps")
    assert code == 1
    assert out.splitlines()[1].endswith("anomaly")
    assert kind(tmp_path / "maps" / "odd.png")[0] == (8, 8)
    code, out, _ = caedsl("score", trained, good / "odd.png", "--score", "mae")
    assert code == 0, "another score than the calibrated one has no verdict"
    assert "verdict" not in out


@pytest.fixture
def parts(tmp_path: Path) -> Path:
    """Return a run that was trained on a folder of good parts and, by mistake, of scratched ones."""
    drawn = np.random.default_rng(0)
    for kind in ("good", "scratch"):
        (tmp_path / "parts" / kind).mkdir(parents=True)
        for number in range(20):
            Image.fromarray(drawn.integers(0, 256, (8, 8), np.uint8)).save(tmp_path / "parts" / kind / f"p{number}.png")
    text = GREY.replace("input", f'data folder "{tmp_path / "parts"}"; input')
    train(
        f"{text}train {{ epochs 1; batch 8; validation 50% }}\n",
        out=str(tmp_path / "run"),
        device="cpu",
        pictures=False,
    )
    return tmp_path / "run"


def test_held_out_samples_keep_their_names_and_labels(parts: Path, tmp_path: Path, caedsl: Run) -> None:
    assert caedsl("encode", parts, "--split", "validation", "-o", tmp_path / "codes.npz")[0] == 0
    found = np.load(tmp_path / "codes.npz")
    names = [f"validation/{name}" for name in (parts / "validation.txt").read_text().split()]
    assert found["names"].tolist() == names and names[0].startswith("validation/good/p")
    assert found["labels"].tolist() == [name.split("/")[1] for name in names]


def test_anomalies_in_the_validation_part_are_refused(parts: Path, caedsl: Run) -> None:
    code, _, err = caedsl("calibrate", parts, "--fpr", "20%")
    assert code == 2
    assert "of 20 samples of the run's validation part are not normal by their folders (scratch): " in err
    assert 'train with `only="good"`' in err


def test_training_images_are_refused_as_normals(trained: Path, tmp_path: Path, caedsl: Run) -> None:
    np.save(tmp_path / "good.npy", (load_digits().images[:120] / 16).astype(np.float32))
    code, _, err = caedsl("calibrate", trained, tmp_path / "good.npy", "--fpr", "5%")
    assert code == 2
    assert "were trained on" in err
    assert "of 120 samples given" in err
    odd = tmp_path / "odd"
    odd.mkdir()
    for place in range(30):
        Image.fromarray(np.random.default_rng(place).integers(0, 256, (8, 8), np.uint8)).save(odd / f"{place}.png")
    code, out, err = caedsl("calibrate", trained, odd, "--fpr", "5%")
    assert code == 0, err
    assert re.search(r"\d+.png has the highest score, .* times the median; a score cannot tell whether", out + err)
    shutil.copytree(odd, tmp_path / "mixed" / "good")
    shutil.copytree(odd, tmp_path / "mixed" / "scratch")
    code, _, err = caedsl("calibrate", trained, tmp_path / "mixed", "--fpr", "5%")
    assert code == 2
    assert f"30 of 60 samples of {tmp_path}/mixed are not normal by their folders (scratch)" in err
    assert f"such as {tmp_path}/mixed/good" in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--fpr", "0.1%"), "cannot support a false positive rate of 0.1 %: it takes 999"),
        (("--fpr", "x"), "write a share"),
        (("--score", "best"), 'unknown score "best"'),
    ],
)
def test_bad_calibrations(trained: Path, caedsl: Run, arguments: tuple[str, ...], said: str) -> None:
    code, _, err = caedsl("calibrate", trained, *arguments)
    assert code == 2
    assert said in err


def test_numbers_that_are_not_finite_are_no_normal_samples(trained: Path, tmp_path: Path, caedsl: Run) -> None:
    """Huge weights are finite, but their codes and scores are not; NaN in the file of weights is damage."""
    run = Path(shutil.copytree(trained, tmp_path / "run"))
    assert caedsl("calibrate", run, "--fpr", "10%")[0] == 0
    images = digits(tmp_path / "images", range(3))
    weights = load_file(run / "weights.safetensors")
    name = next(name for name in weights if name.startswith("encoder"))
    calibration = caedsl_open(run, "cpu").calibration
    assert calibration is not None
    save_file({**weights, name: torch.full_like(weights[name], 3e38)}, run / "weights.safetensors")
    write_calibration(run, calibration)
    code, out, _ = caedsl("score", run, images, "--json")
    assert code == 1
    assert [json.loads(line)["score"] for line in out.splitlines()] == [None] * 3
    assert out.count('"verdict": "anomaly"') == 3
    assert caedsl("report", run)[0] == 0
    assert caedsl("reconstruct", run, images, "-o", tmp_path / "made")[0] == 0
    code, _, err = caedsl("evaluate", run, "--probe")
    assert code == 2
    assert "the codes of" in err and "not finite" in err
    save_file({**weights, name: torch.full_like(weights[name], torch.nan)}, run / "weights.safetensors")
    for words in (("score", run, images), ("report", run, "--overwrite"), ("reconstruct", run, images, "-o", "x")):
        code, _, err = caedsl(*words)
        assert code == 2
        assert f"{name} has a number that is not finite" in err


def test_names_from_standard_input(grey: Path, photos: Path) -> None:
    ended = subprocess.run(
        ["caedsl", "score", str(grey), "-"],
        input=f"{photos / 'a.png'}\n{photos / 'b.jpg'}\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert [line.split()[0] for line in ended.stdout.splitlines()[1:]] == [str(photos / "a.png"), str(photos / "b.jpg")]


def test_csv_is_written_whole_and_not_over_another(grey: Path, photos: Path, tmp_path: Path, caedsl: Run) -> None:
    table = tmp_path / "scores.csv"
    assert caedsl("score", grey, photos, "--csv", table)[0] == 0
    assert table.read_text().splitlines()[0] == "name,score,percentile,verdict"
    before = table.read_text()
    code, _, err = caedsl("score", grey, photos, "--csv", table)
    assert code == 2
    assert "already exists" in err
    assert table.read_text() == before


@pytest.mark.parametrize("command", ["reconstruct", "encode", "decode", "score", "calibrate"])
def test_help_has_an_example(caedsl: Run, command: str) -> None:
    code, out, _ = caedsl(command, "--help")
    assert code == 0
    assert f"Example: caedsl {command}" in out


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_json_and_csv_name_files_that_can_be_found(grey: Path, tmp_path: Path, caedsl: Run) -> None:
    """A terminal shows controls and bytes that are not UTF-8 in visible form, but other programs need the name."""
    names = {"a\u202eb\x1b[31m.png", "new\nline.png", os.fsdecode(b"caf\xe9.png")}
    (tmp_path / "in").mkdir()
    for shade, name in enumerate(names):
        Image.new("L", (8, 8), 50 * shade).save(tmp_path / "in" / name)
    _, out, _ = caedsl("score", grey, tmp_path / "in", "--json")
    assert out.isascii()
    assert {json.loads(line)["name"] for line in out.splitlines()} == names
    assert caedsl("score", grey, tmp_path / "in", "--csv", tmp_path / "scores.csv", "--maps", tmp_path / "maps")[0] == 0
    with (tmp_path / "scores.csv").open(encoding="utf-8", errors="surrogateescape", newline="") as table:
        assert {row["name"] for row in csv.DictReader(table)} == names
    _, shown, _ = caedsl("score", grey, tmp_path / "in")
    assert not DANGEROUS.search(shown)
    assert len(shown.splitlines()) == 4
    for ending in ("csv", "npz", "parquet"):
        assert caedsl("encode", grey, tmp_path / "in", "-o", tmp_path / f"codes.{ending}")[0] == 0
