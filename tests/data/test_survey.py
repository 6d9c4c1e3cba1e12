"""``caedsl data``: the summary of a spec's data, and their problems."""

import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import caedsl
from caedsl.data.loading import load
from caedsl.data.split import split_validation
from caedsl.data.survey import survey

SPEC = """autoencoder parts
input 1x12x12
data folder "parts"{}
encoder {{ conv 2 relu; maxpool 2 }}
bottleneck dense 3
decoder mirror
train {{ epochs 1; batch 8; validation 25% {} }}
"""

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def parts(tmp_path: Path) -> Path:
    """Return a spec next to a folder with 8 training images of two classes and 3 test images."""
    draw = np.random.default_rng(0)
    for name in (*(f"train/a/{n}.png" for n in range(5)), *(f"train/b/{n}.png" for n in range(3))):
        _save(tmp_path / "parts" / name, draw.integers(0, 200, (12, 12), np.uint8))
    for number in range(3):
        _save(tmp_path / "parts" / "test" / "a" / f"{number}.png", draw.integers(0, 256, (12, 9 + number), np.uint8))
    (tmp_path / "parts.cae").write_text(SPEC.format("", ""))
    return tmp_path / "parts.cae"


def _save(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def _height(path: Path) -> int:
    with Image.open(path) as picture:
        return picture.height


def test_counts_classes_sizes_and_values_of_each_part(parts: Path, run_caedsl: Run) -> None:
    code, out, _ = run_caedsl("data", parts, "--json")
    found = json.loads(out)
    assert code == 0
    train, validation, test = found["parts"]
    assert [part["samples"] for part in found["parts"]] == [6, 2, 3]
    assert {name: train["classes"].get(name, 0) + validation["classes"].get(name, 0) for name in "ab"} == {
        "a": 5,
        "b": 3,
    }
    assert test["sizes"] == {"12x9": 1, "12x10": 1, "12x11": 1}
    assert train["sizes"] == {"12x12": 6}
    assert (found["duplicates"], found["unreadable"]) == ([], [])
    assert any(note.startswith("test: ") and "resized" in note for note in found["notes"])
    images = load(caedsl.load(parts))
    learned, _ = split_validation(images, 0.25)
    values = images.train[learned]
    assert train["low"] == pytest.approx(float(values.min()))
    assert train["high"] == pytest.approx(float(values.max()))
    assert train["mean"] == pytest.approx(float(values.mean()))
    assert train["deviation"] == pytest.approx(float(values.std(correction=0)), rel=1e-5)


def test_the_split_is_that_of_training(parts: Path, tmp_path: Path) -> None:
    caedsl.train(parts, out=tmp_path / "run", pictures=False)
    held_out = (tmp_path / "run" / "validation.txt").read_text().split()
    (validation,) = (part for part in survey(caedsl.load(parts), 0.25).parts if part.part == "validation")
    assert sorted(validation.shown_names) == sorted(held_out)
    assert all((tmp_path / "parts" / "train" / name).is_file() for name in held_out)
    names = caedsl.open(tmp_path / "run").samples(tmp_path / "parts" / "train").names
    assert set(held_out) < set(names)


def test_equal_images_in_two_parts_are_named_whatever_their_files(parts: Path, tmp_path: Path, run_caedsl: Run) -> None:
    with Image.open(tmp_path / "parts" / "train" / "a" / "0.png") as image:
        image.save(tmp_path / "parts" / "test" / "a" / "copy.bmp")
    shutil.copy(tmp_path / "parts" / "train" / "b" / "1.png", tmp_path / "parts" / "train" / "b" / "again.png")
    code, out, _ = run_caedsl("data", parts, "--json", "--set", "train.validation=0")
    assert code == 1
    assert json.loads(out)["duplicates"] == [
        [{"part": "train", "name": "a/0.png"}, {"part": "test", "name": "a/copy.bmp"}]
    ]
    code, out, _ = run_caedsl("data", parts, "--set", "train.validation=0")
    assert code == 1
    assert "1 image occurs in several parts:\n  train: a/0.png, test: a/copy.bmp" in out


def test_a_resized_or_recompressed_picture_in_another_part_is_named(tmp_path: Path, run_caedsl: Run) -> None:
    draw = np.random.default_rng(0)
    for number in range(24):
        small = Image.fromarray(draw.integers(0, 256, (6, 6), np.uint8))
        pixels, larger = (np.asarray(small.resize((side, side), Image.Resampling.BICUBIC)) for side in (24, 48))
        _save(tmp_path / "parts" / ("test" if number > 18 else "train") / f"{number}.png", pixels)
        if number < 3:
            again = tmp_path / "parts" / "test" / f"again{number}.{('jpg', 'png', 'png')[number]}"
            _save(again, (pixels, larger, (pixels * 0.99).astype(np.uint8))[number])
    (tmp_path / "parts.cae").write_text(SPEC.format("", "").replace("1x12x12", "1x24x24").replace("25%", "0%"))
    code, out, _ = run_caedsl("data", tmp_path / "parts.cae", "--json")
    assert code == 0, "a hint is no fault"
    pairs = [[(of["part"], of["name"]) for of in pair] for pair in json.loads(out)["near_duplicates"]]
    expected = [("0.png", "again0.jpg"), ("1.png", "again1.png"), ("2.png", "again2.png")]
    assert sorted(pairs) == [[("train", first), ("test", second)] for first, second in expected]
    _, out, _ = run_caedsl("data", tmp_path / "parts.cae")
    assert "3 pairs of images in two parts, nearly equal; check whether they show the same object:\n" in out
    assert "  train: 0.png, test: again0.jpg\n" in out


def test_targets_are_surveyed_and_drawn(tmp_path: Path, run_caedsl: Run) -> None:
    draw = np.random.default_rng(0)
    for number in range(8):
        pixels = draw.integers(100, 200, (12, 12), np.uint8)
        _save(tmp_path / "clean" / f"{number}.png", pixels)
        _save(tmp_path / "parts" / f"{number}.png", pixels // 2)
    spec = tmp_path / "parts.cae"
    spec.write_text(SPEC.format(' target="clean"', ""))
    code, out, _ = run_caedsl("data", spec, "--json")
    assert code == 0, out
    parts, targets = (json.loads(out)[key] for key in ("parts", "targets"))
    assert [(of["part"], of["samples"]) for of in targets] == [(of["part"], of["samples"]) for of in parts]
    assert all(0.39 <= of["low"] < of["high"] <= 0.79 for of in targets)
    _, out, _ = run_caedsl("data", spec, "-o", tmp_path / "pairs.png")
    assert "train targets" in out
    assert "validation targets" in out
    paired = _height(tmp_path / "pairs.png")
    spec.write_text(SPEC.format("", ""))
    run_caedsl("data", spec, "-o", tmp_path / "alone.png")
    assert paired > _height(tmp_path / "alone.png")
    (tmp_path / "clean" / "3.png").write_bytes(b"no image")
    spec.write_text(SPEC.format(' target="clean"', ""))
    code, out, _ = run_caedsl("data", spec)
    assert code == 1
    assert "1 file cannot be used" in out
    assert "clean/3.png" in out


def test_every_unreadable_file_is_named(parts: Path, tmp_path: Path, run_caedsl: Run) -> None:
    for number in range(30):
        (tmp_path / "parts" / "train" / "b" / f"bad{number}.png").write_text("no image")
    code, out, _ = run_caedsl("data", parts)
    assert code == 1
    assert "30 files cannot be used; repair or remove them, or add `skip=broken` to the source:" in out
    assert all(f"bad{number}.png cannot be decoded" in out for number in range(30))
    parts.write_text(SPEC.format(" skip=broken", ""))
    code, out, _ = run_caedsl("data", parts)
    assert code == 0
    assert "30 files cannot be used; skipped:" in out
    shutil.rmtree(tmp_path / "parts")
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "bad.png").write_text("no image")
    code, _, err = run_caedsl("data", parts)
    assert code == 2
    assert 'no image of folder "parts" can be used; the first problem: ' in err


def test_the_picture_shows_what_training_makes_of_the_samples(parts: Path, tmp_path: Path, run_caedsl: Run) -> None:
    def height(settings: str) -> int:
        parts.write_text(SPEC.format("", settings))
        code, out, _ = run_caedsl("data", parts, "-o", tmp_path / "samples.png", "--overwrite")
        assert code == 0
        assert out.endswith(f"drew {tmp_path / 'samples.png'}\n")
        with Image.open(tmp_path / "samples.png") as picture:
            return picture.height

    plain, corrupted = height(""), height("; corrupt gaussian=0.2")
    both = height("; corrupt gaussian=0.2; augment flip")
    assert both - corrupted == corrupted - plain > 0
    code, _, err = run_caedsl("data", parts, "-o", tmp_path / "samples.png")
    assert code == 2
    assert "already exists" in err
    code, _, err = run_caedsl("data", parts, "-o", tmp_path / "samples.jpg")
    assert code == 2
    assert "does not end in .png" in err


@pytest.mark.parametrize(
    ("source", "shape"), [("heartbeats", "1x288"), ("phantoms", "1x16x16x16"), ("digits", "1x8x8")]
)
def test_signals_volumes_and_specs_from_standard_input(
    source: str, shape: str, run_caedsl: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = f"autoencoder a; input {shape}; data {source} limit=40; encoder {{ conv 2 s2 }}; bottleneck; decoder mirror"
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    code, out, _ = run_caedsl("data", "-", "-o", tmp_path / "samples.png")
    assert code == 0, out
    assert out.startswith(f"{source}, for input {shape} in 0..1\n")


def test_a_spec_without_data_says_so(run_caedsl: Run, tmp_path: Path) -> None:
    (tmp_path / "a.cae").write_text("autoencoder a; input 1x8x8; encoder { conv 2 s2 }; bottleneck; decoder mirror")
    code, _, err = run_caedsl("data", tmp_path / "a.cae")
    assert code == 2
    assert "has no `data` line" in err
