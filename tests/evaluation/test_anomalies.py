"""Evaluation on labelled samples: folders of defects, masks, one class against the rest, and what goes wrong."""

import csv
import json
import os
import sys
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow
import pytest
from PIL import Image
from pyarrow import parquet

import caedsl
from caedsl.data.errors import DataError
from caedsl.evaluation.anomalies import evaluate_anomalies
from caedsl.evaluation.labelled_test import from_folder, masks_of
from caedsl.inference.calibrating import calibrate_run
from caedsl.inference.calibration import CalibrationError
from tests.inference.conftest import write_run

Run = Callable[..., tuple[int, str, str]]
SPEC = """autoencoder parts
input 1x16x16
data folder "train"
encoder { conv 4 k4 s2 relu }
bottleneck dense 4
decoder mirror
train { epochs 60; batch 16; optimizer adam lr=1e-2; validation 50% }
"""


def save(folder: Path, name: str, pixels: np.ndarray) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / f"{name}.png")


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return plain grey images and, as in MVTec, some with a bright square or a faint line, with their masks."""
    root = tmp_path_factory.mktemp("parts")
    drawn = np.random.default_rng(0)
    for part, count in (("train", 120), ("test/good", 20)):
        for number in range(count):
            save(root / part, f"{number:03}", drawn.uniform(80, 120) + drawn.normal(0, 4, (16, 16)))
    for number in range(6):
        for kind, place, light in (("square", np.s_[3:7, 3:7], 120), ("line", np.s_[8, 2:14], 5)):
            pixels, mask = drawn.uniform(80, 120) + drawn.normal(0, 4, (16, 16)), np.zeros((16, 16))
            pixels[place] += light
            mask[place] = 255
            save(root / "test" / kind, f"{number}", pixels)
            save(root / "ground_truth" / kind, f"{number}_mask", mask)
    (root / "parts.cae").write_text(SPEC)
    caedsl.train(str(root / "parts.cae"), out=str(root / "run"), device="cpu", pictures=False)
    calibrate_run(root / "run", None, 0.05, "mse")
    return root


def write_table(root: Path, name: str) -> Path:
    """Write what the folders say as a table."""
    rows: dict[str, list[str]] = {"path": [], "label": [], "split": [], "mask": []}
    for path in sorted((root / "test").rglob("*.png")):
        masked = path.parent.name != "good"
        values = (str(path.relative_to(root)), path.parent.name, "test", f"ground_truth/{path.parent.name}/{path.stem}")
        for column, value in zip(rows, (*values[:3], f"{values[3]}_mask.png" if masked else ""), strict=True):
            rows[column].append(value)
    if name.endswith(".parquet"):
        parquet.write_table(pyarrow.table(rows), root / name)
    else:
        with (root / name).open("w", newline="") as file:
            csv.writer(file).writerows([list(rows), *zip(*rows.values(), strict=True)])
    return root / name


@pytest.mark.parametrize("name", ["test.csv", "test.parquet"])
def test_a_table_says_what_folders_say(parts: Path, name: str) -> None:
    found = evaluate_anomalies(parts / "run", write_table(parts, name), "mse").model
    expected = evaluate_anomalies(parts / "run", parts, "mse").model
    assert (found.pixel_auroc, found.pro, found.found) == (expected.pixel_auroc, expected.pro, expected.found)
    assert found.detection.auroc == expected.detection.auroc
    assert found.by_type == expected.by_type


def test_listed_files_say_what_folders_say(parts: Path) -> None:
    files = sorted(path for path in (parts / "test").rglob("*.png"))
    found, expected = (evaluate_anomalies(parts / "run", test, "mse") for test in (files, parts))
    assert (found.model.pro, found.model.by_type) == (expected.model.pro, expected.model.by_type)
    assert sorted(found.types) == sorted(expected.types)
    with pytest.raises(DataError, match=r"standard input needs .* one normal label .* its labels: line, square"):
        evaluate_anomalies(parts / "run", [path for path in files if path.parent.name != "good"], "mse")


def test_listed_files_for_the_threshold_are_checked_like_folders(parts: Path) -> None:
    with pytest.raises(CalibrationError, match=r"12 of 32 samples of the files given are not normal .*line, square"):
        calibrate_run(parts / "run", list((parts / "test").rglob("*.png")), 0.05, "mse")


@pytest.mark.parametrize("held_out", [True, False])
def test_more_normals_than_a_record_holds_are_refused_before_they_are_scored(
    held_out: bool, parts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("caedsl.inference.calibrating.MOST_NORMALS", 10)
    monkeypatch.delattr("caedsl.inference.trained_run.TrainedRun.score")
    with pytest.raises(
        CalibrationError, match=r"normal samples are more than 10, .* name a random sample of at most 10"
    ):
        calibrate_run(parts / "run", None if held_out else parts / "test" / "good", 0.05, "mse")


@pytest.mark.parametrize("source", ["csv", "npz", "wav"])
def test_signals_are_evaluated_with_labels_of_their_own(source: str, tmp_path: Path) -> None:
    normal, odd = np.zeros((20, 8)), np.tile([0.9, -0.9], (5, 4))
    signals, labels = np.concatenate([normal, odd]), np.repeat([0, 1], [20, 5])
    lines = np.stack([signals.ravel(), labels.repeat(8)], 1)
    np.savetxt(tmp_path / "x.csv", lines, delimiter=",", header="a,mark", comments="")
    np.savez(tmp_path / "x.npz", a=signals, mark=labels)
    for name, values in (("0/a", normal), ("1/b", odd)):
        (tmp_path / "x" / name).parent.mkdir(parents=True)
        with wave.open(f"{tmp_path / 'x' / name}.wav", "wb") as file:
            file.setparams((1, 2, 8000, 0, "NONE", ""))
            file.writeframes((values * 2**15).astype("<i2").tobytes())
    written, given = {
        "csv": ('csv "x.csv" labels="mark" only=0', tmp_path / "x.csv"),
        "npz": ('npz "x.npz" key=a labels=mark only=0', Path(f'npz "{tmp_path}/x.npz" key=a labels=mark')),
        "wav": ('wav "x" only=0', tmp_path / "x"),
    }[source]
    text = (
        f"autoencoder s; input 1x8 in -1..1; data {written}; encoder {{ conv 2 }}; bottleneck dense 1; decoder mirror"
    )
    found = evaluate_anomalies(write_run(tmp_path / "run", text), given, "mse")
    assert (found.model.detection.normals, found.model.detection.anomalies) == (20, 5)
    assert found.model.detection.auroc.value == 1.0
    np.savetxt(tmp_path / "y.csv", lines[:, :1], delimiter=",", header="a", comments="")
    (tmp_path / "x" / "loose.wav").write_bytes((tmp_path / "x" / "0" / "a.wav").read_bytes())
    given = {"csv": tmp_path / "y.csv", "npz": Path(f'npz "{tmp_path}/x.npz" key=a'), "wav": tmp_path / "x"}[source]
    with pytest.raises(DataError, match="has no labels, which tell normal samples from anomalies: "):
        evaluate_anomalies(tmp_path / "run", given, "mse")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("path,label\ntest/good/000.png,\n", "line 2: .*000.png has no label"),
        ("path,label\ntest/good/000.png,good\n", "of other labels for anomalies; its labels: good"),
        ("path,label\ntest/good/000.png,a\ntest/line/0.png,b\n", r"one normal label \(good, normal, ok\)"),
        ("path,label,mask\ntest/line/0.png,line,no.png\n", "line 2: its mask .*no.png does not exist"),
        ("name\n0.png\n", "has no column `path`"),
    ],
)
def test_a_table_that_cannot_be_used_is_one_clear_error(parts: Path, text: str, message: str) -> None:
    (parts / "bad.csv").write_text(text)
    with pytest.raises(DataError, match=message):
        evaluate_anomalies(parts / "run", parts / "bad.csv", "mse")


def test_a_run_on_a_table_is_evaluated_with_its_masks(parts: Path, tmp_path: Path) -> None:
    rows = write_table(parts, "whole.csv").read_text().splitlines()
    rows += [f"train/{number:03}.png,good,train," for number in range(60)]
    (parts / "whole.csv").write_text("\n".join(rows))
    text = SPEC.replace('folder "train"', f'manifest "{parts}/whole.csv" only="good"').replace("epochs 60", "epochs 1")
    caedsl.train(text, out=str(tmp_path / "run"), device="cpu", pictures=False)
    found = evaluate_anomalies(tmp_path / "run", None, None)
    assert found.model.pixel_auroc is not None
    assert (found.model.detection.normals, found.model.detection.anomalies) == (20, 12)
    with pytest.raises(DataError, match=r"leads to .*, outside "):
        evaluate_anomalies(tmp_path / "run", None, None, data_root=tmp_path)


def test_defects_are_distinguished_by_type_with_masks_and_pca(parts: Path, run_caedsl: Run) -> None:
    code, out, err = run_caedsl("evaluate", parts / "run", "--test", parts)
    assert code == 0, err
    told = json.loads((parts / "run" / "anomalies.json").read_text())
    assert (told["normals"], told["anomalies"], told["score"]) == (20, 12, "mse")
    assert set(told["detectors"]) == {"model", "PCA-4"}
    for detector in told["detectors"].values():
        assert detector["by_type"]["square"]["auroc"]["value"] == 1.0
        assert detector["by_type"]["square"]["found"] == 6
        assert 0.6 < detector["pixel_auroc"] <= 1.0
        assert detector["rejected"] <= 5
        assert detector["threshold"]["fpr"] == 0.05
    model = told["detectors"]["model"]
    assert model["threshold"]["calibrated"]
    assert f"the model finds {model['found']} of 12 anomalies and rejects {model['rejected']} of 20 normals" in out
    rows = list(csv.DictReader((parts / "run" / "anomalies.csv").read_text().splitlines()))
    assert len(rows) == 32
    flagged = sum(row["verdict"] == "anomaly" and row["anomaly"] == "1" for row in rows)
    assert flagged == model["found"]
    assert rows[0]["name"] == "good/000.png"


def test_another_score_needs_no_training_and_keeps_the_rate(parts: Path, run_caedsl: Run) -> None:
    code, out, _ = run_caedsl("evaluate", parts / "run", "--test", parts / "test", "--score", "top=2%", "--quiet")
    assert (code, out) == (0, "")
    told = json.loads((parts / "run" / "anomalies.json").read_text())
    assert told["score"] == "top=2%"
    assert told["detectors"]["model"]["threshold"]["calibrated"] is False
    assert told["detectors"]["model"]["pro"] is not None


def test_without_its_own_data_a_run_is_evaluated_alone(parts: Path, tmp_path: Path, run_caedsl: Run) -> None:
    alone = tmp_path / "alone"
    alone.mkdir()
    for name in ("spec.cae", "weights.safetensors"):
        (alone / name).write_bytes((parts / "run" / name).read_bytes())
    code, out, err = run_caedsl("evaluate", alone, "--test", parts)
    assert code == 0, err
    assert "no comparison with PCA" in out
    assert "no threshold yet" in out


def test_test_samples_that_were_trained_on_are_named(parts: Path, tmp_path: Path) -> None:
    test = tmp_path / "test"
    for path in sorted((parts / "train").glob("*.png")):
        save(test / "good", path.stem, np.array(Image.open(path)))
    save(test / "bad", "0", np.full((16, 16), 255))
    found = evaluate_anomalies(parts / "run", test, None)
    assert any(note.startswith("of 121 test samples, 60 were trained on, such as good/0") for note in found.notes)


def test_one_class_is_distinguished_from_the_rest_of_its_own_test_data(tmp_path: Path, run_caedsl: Run) -> None:
    drawn = np.random.default_rng(0)
    labels = np.repeat([0, 1], 60)
    images = np.where(labels[:, None, None], 200, 60) + drawn.normal(0, 10, (120, 8, 8))
    test = np.where(labels[::2, None, None], 200, 60) + drawn.normal(0, 10, (60, 8, 8))
    for part, pixels, of in (("train", images, labels), ("test", test, labels[::2])):
        for number, label in enumerate(of):
            save(tmp_path / "photos" / part / str(label), f"{number}", pixels[number])
    spec = SPEC.replace('folder "train"', 'folder "photos" only=1').replace("16x16", "8x8")
    (tmp_path / "one.cae").write_text(spec)
    caedsl.train(str(tmp_path / "one.cae"), out=str(tmp_path / "run"), device="cpu", pictures=False)
    code, out, err = run_caedsl("evaluate", tmp_path / "run")
    assert code == 0, err
    told = json.loads((tmp_path / "run" / "anomalies.json").read_text())
    assert (told["normal_class"], told["normals"], told["anomalies"]) == ("1", 30, 30)
    assert told["detectors"]["model"]["auroc"]["value"] > 0.9
    assert "all values agree" in out


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_names_that_are_not_utf8_are_escaped(parts: Path, tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"t\xff")
    for name in (b"good", b"caf\xe9"):
        save(folder / os.fsdecode(name), "0", np.zeros((16, 16)))
    found = from_folder(caedsl.open(parts / "run"), folder)
    assert (found.normal, found.anomaly_types()) == ("good", ["caf\\xe9"])
    assert found.name.endswith("t\\xff")
    assert all((folder / name).exists() for name in found.samples.names)


@pytest.mark.parametrize(
    ("folders", "message"),
    [
        ([], "has no normal samples: put them into .*good"),
        (["scratch"], r"has no normal samples.*\(its subfolders with images: scratch\)"),
        (["good"], "has no anomalies next to good"),
        (["good", "Normal", "bad"], "several folders of normal samples"),
    ],
)
def test_folders_that_are_no_labelled_test(parts: Path, tmp_path: Path, folders: list[str], message: str) -> None:
    for name in folders:
        save(tmp_path / "t" / name, "0", np.zeros((16, 16)))
    (tmp_path / "t").mkdir(exist_ok=True)
    with pytest.raises(DataError, match=message):
        from_folder(caedsl.open(parts / "run"), tmp_path / "t")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--test", "nowhere"), "nowhere does not exist"),
        (("--test", "parts.cae"), "parts.cae is a file"),
        (("--test", "test", "--score", "best"), "unknown score"),
        (("--score", "mae"), "--test PATH"),
    ],
)
def test_bad_input_is_one_clear_error(
    parts: Path, monkeypatch: pytest.MonkeyPatch, run_caedsl: Run, arguments: tuple[str, ...], message: str
) -> None:
    monkeypatch.chdir(parts)
    code, out, err = run_caedsl("evaluate", "run", *arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert len(err.splitlines()) == 1


def test_masks_follow_their_images(tmp_path: Path, parts: Path) -> None:
    fit = caedsl.open(parts / "run").fit
    mask = np.zeros((32, 32))
    mask[:16] = 1
    save(tmp_path, "m", mask)
    (found, none) = masks_of([tmp_path / "m.png", None], fit)
    assert found[:8].all()
    assert not found[8:].any()
    assert not none.any()
    save(tmp_path, "empty", np.zeros((4, 4)))
    with pytest.raises(DataError, match=r"empty\.png marks no pixel"):
        list(masks_of([tmp_path / "empty.png"], fit))
