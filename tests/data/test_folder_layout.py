"""Subfolders that divide images into parts, or pair them: recognised, or refused with the names and the remedy."""

import os
import wave
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from caedsl.data.errors import DataError
from caedsl.data.loading import load
from caedsl.model.data import DataSource, InputRange

from .conftest import spec


def save(path: Path, grey: int = 90) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (8, 8), grey).save(path)


def greys(pixels) -> list[int]:
    return (pixels.everything()[:, 0, 0, 0] * 255).round().int().tolist()


@pytest.mark.parametrize("train", ["train", "Train", "TRAINING", "training"])
@pytest.mark.parametrize("test", ["test", "Test", "testing"])
@pytest.mark.parametrize("validation", ["val", "Valid", "validation", "VAL", None])
def test_parts_are_recognised_in_any_case(train: str, test: str, validation: str | None, tmp_path: Path, read) -> None:
    save(tmp_path / "d" / train / "1.png", 100)
    save(tmp_path / "d" / test / "1.png", 150)
    if validation:
        save(tmp_path / "d" / validation / "1.png", 200)
    images = read("folder", path="d")
    assert greys(images.train_pixels) == [100]
    assert greys(images.test_pixels) == [150]
    assert (images.validation_pixels is None) == (validation is None)
    assert images.validation_pixels is None or greys(images.validation_pixels) == [200]
    assert images.notes == ()


@pytest.mark.parametrize(
    "names",
    [
        ("entrainement", "validation", "test"),
        ("Entra\u00eenement", "Validation", "Test"),
        ("entrenamiento", "validaci\u00f3n", "pruebas"),
        ("entrenamiento", "validacio\u0301n", "prueba"),
        ("training", "Validierung", "test"),
        ("训练", "验证", "测试"),
    ],
)
def test_parts_are_recognised_in_other_languages(names: tuple[str, ...], tmp_path: Path, read) -> None:
    for number, name in enumerate(names):
        save(tmp_path / "d" / name / "1.png", 100 + number)
    images = read("folder", path="d")
    assert [greys(part) for part in (images.train_pixels, images.validation_pixels, images.test_pixels)] == [
        [100],
        [101],
        [102],
    ]


def test_folders_of_unknown_meaning_are_named_as_classes(tmp_path: Path, read) -> None:
    for name in ("egitim/good", "deneme/good", "deneme/bad"):
        save(tmp_path / "d" / name / "1.png")
    (note,) = read("folder", path="d").notes
    assert note.startswith("the subfolders of d are read as classes: deneme, egitim; for parts, name them train,")


def sound(path: Path) -> None:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(16))


def volume(path: Path) -> None:
    nibabel = pytest.importorskip("nibabel")
    nibabel.Nifti1Image(np.zeros((4, 4, 4), np.float32), np.eye(4)).to_filename(path)


KINDS = [
    ("wav", ".wav", sound, (1, 8)),
    ("nifti", ".nii.gz", volume, (1, 4, 4, 4)),
    ("folder", ".png", save, (1, 8, 8)),
]


@pytest.mark.parametrize(("kind", "ending", "write", "shape"), KINDS)
def test_parts_of_every_source_of_files_are_kept_apart(kind, ending, write, shape, tmp_path: Path, read) -> None:
    for name in ("Train/good", "val/good", "test/good", "test/bad", "other/good"):
        (tmp_path / "d" / name).mkdir(parents=True)
        write(tmp_path / "d" / name / f"1{ending}")
    images = read(kind, path="d", shape=shape, range=InputRange(-1, 1))
    assert [len(part) for part in (images.train_pixels, images.validation_pixels, images.test_pixels)] == [1, 1, 2]
    assert (images.class_names, images.test_labels.tolist()) == (("bad", "good"), [0, 1])
    assert "only Train, val and test are read, not other" in images.notes
    assert len(read(kind, path="d", shape=shape, range=InputRange(-1, 1), only="good").test_pixels) == 1


@pytest.mark.parametrize(("kind", "ending", "write", "shape"), KINDS)
def test_parts_and_pairs_of_every_source_are_not_guessed(kind, ending, write, shape, tmp_path: Path, read) -> None:
    for name in ("one/good", "two/good", "pairs/noisy", "pairs/clean", "sets/train_set", "sets/testset"):
        (tmp_path / name).mkdir(parents=True)
        write(tmp_path / name / f"1{ending}")
    images = read(kind, path="one", test="two", shape=shape, range=InputRange(-1, 1))
    assert (len(images.train_pixels), len(images.test_pixels)) == (1, 1)
    for name, problem in (("pairs", "look like pairs"), ("sets", "look like separate parts")):
        with pytest.raises(DataError, match=rf'{problem}.*`{kind} "{name}/'):
            read(kind, path=name, shape=shape, range=InputRange(-1, 1))


def test_classes_of_all_parts_have_the_same_numbers(tmp_path: Path, read) -> None:
    for number, name in enumerate(("Train/b", "Train/c", "Val/a", "Test/c", "Test/d")):
        save(tmp_path / "d" / name / "1.png", 100 + number)
    images = read("folder", path="d", only="c")
    assert images.class_names == ("a", "b", "c", "d")
    assert greys(images.train_pixels) == [101]
    assert greys(images.test_pixels) == [103]
    assert images.validation_pixels is None
    assert images.notes == ("only images of class c", "no validation images are left")


def test_what_lies_beside_the_parts_is_named(tmp_path: Path, read) -> None:
    for name in ("train/good/1.png", "test/good/1.png", "test/broken/1.png", "ground_truth/broken/1.png", "loose.png"):
        save(tmp_path / "d" / name)
    assert read("folder", path="d").notes == ("only train and test are read, not ground_truth, loose.png",)


def test_loose_images_beside_class_folders_are_named(tmp_path: Path, read) -> None:
    for name in ("cat/1.png", "dog/1.png", "z.png", "y.png"):
        save(tmp_path / "d" / name)
    assert read("folder", path="d").notes == (
        "no labels for d: 2 of 4 files are not in a class subfolder: y.png, z.png",
    )


@pytest.mark.skipif(os.path.normcase("A") == "a", reason="there letters have no case in file names")
def test_two_folders_for_one_part_are_an_error(tmp_path: Path, read) -> None:
    save(tmp_path / "d" / "train" / "1.png")
    save(tmp_path / "d" / "Training" / "1.png")
    with pytest.raises(DataError, match="d has Training and train, each of which may contain train files"):
        read("folder", path="d")


@pytest.mark.parametrize("name", ["test", "Testing", "val", "Validation"])
def test_parts_without_training_images_are_an_error(name: str, tmp_path: Path, read) -> None:
    save(tmp_path / "d" / name / "1.png")
    with pytest.raises(DataError, match=f'a subfolder {name} but none named train: .* `folder "d/{name}"`'):
        read("folder", path="d")
    assert len(read("folder", path=f"d/{name}")) == 1


@pytest.mark.parametrize(
    ("names", "folder"),
    [
        (("train_set", "test_set"), "train_set"),
        (("TRAIN-images", "VAL-images"), "TRAIN-images"),
        (("testA", "testB", "trainA", "trainB"), "trainA"),
        (("Test 1", "Training 1"), "Training 1"),
        (("Testdaten", "Trainingsdaten"), "Trainingsdaten"),
        (("trainset", "valset"), "trainset"),
    ],
)
def test_names_that_begin_like_those_of_parts_are_an_error(
    names: tuple[str, ...], folder: str, tmp_path: Path, read
) -> None:
    for name in names:
        save(tmp_path / "d" / name / "1.png")
    with pytest.raises(
        DataError, match=r"which look like separate parts: name them train and (test|validation)"
    ) as told:
        read("folder", path="d")
    assert f'as in `folder "d/{folder}"`' in str(told.value)
    assert len(read("folder", path=f"d/{folder}")) == 1


@pytest.mark.parametrize("names", [("train1", "train2"), ("train station", "harbour"), ("trainers", "testers")])
def test_classes_that_begin_like_one_part_are_classes(names: tuple[str, ...], tmp_path: Path, read) -> None:
    for name in names:
        save(tmp_path / "d" / name / "1.png")
    assert read("folder", path="d").class_names == tuple(sorted(names))


def test_a_folder_of_several_sets_is_an_error(tmp_path: Path, read) -> None:
    for name in ("bottle", "cable"):
        for part in ("train/good", "test/broken", "ground_truth/broken"):
            save(tmp_path / "mvtec" / name / part / "1.png")
    with pytest.raises(
        DataError, match=r'contains 2 folders .*bottle and cable.*: name one, as in `folder "mvtec/bottle"`'
    ):
        read("folder", path="mvtec/")


@pytest.mark.parametrize(
    ("seen", "answers"),
    [("images", "masks"), ("Images", "Labels"), ("noisy", "clean"), ("input", "target"), ("lr", "hr"), ("imgs", "gt")],
)
@pytest.mark.parametrize("within", ["", "train/"])
def test_pairs_are_not_merged(seen: str, answers: str, within: str, tmp_path: Path, read) -> None:
    save(tmp_path / "d" / f"{within}{seen}" / "1.png")
    save(tmp_path / "d" / f"{within}{answers}" / "1.png")
    with pytest.raises(DataError) as caught:
        read("folder", path="d")
    assert f"has {seen} and {answers}, which look like pairs" in str(caught.value)
    assert f'`folder "d/{within}{seen}"` or `folder "d/{within}{answers}"`' in str(caught.value)
    assert len(read("folder", path=f"d/{within}{seen}")) == 1


def test_masks_beside_classes_are_not_merged(tmp_path: Path, read) -> None:
    for name in ("good", "broken", "ground_truth"):
        save(tmp_path / "d" / name / "1.png")
    with pytest.raises(DataError, match="d has broken and good and ground_truth, which look like pairs"):
        read("folder", path="d")


def test_folders_without_images_pair_with_nothing(tmp_path: Path, read) -> None:
    """The layout of YOLO: boxes as text files next to the images."""
    save(tmp_path / "d" / "images" / "1.png")
    (tmp_path / "d" / "labels").mkdir()
    (tmp_path / "d" / "labels" / "1.txt").write_text("0 0.5 0.5 1 1")
    images = read("folder", path="d")
    assert len(images) == 1
    assert images.notes == ("in d, ignored because they are not images: labels/1.txt",)


@pytest.mark.skipif(os.name == "nt", reason="there names are Unicode")
def test_names_that_are_no_text_are_shown_as_far_as_they_are(tmp_path: Path, read) -> None:
    (tmp_path / "d").mkdir()
    folder = os.fsencode(tmp_path / "d")
    save(tmp_path / "d" / "1.png")
    with open(folder + b"/\xff.txt", "wb") as file:
        file.write(b"x")
    with open(folder + b"/\x1b[31m.txt", "wb") as file:
        file.write(b"x")
    images = read("folder", path="d")
    assert images.notes[0].encode() and images.notes[0].isprintable()
    with open(folder + b"/\xfe.png", "wb") as file:
        file.write(b"x")
    with pytest.raises(DataError) as caught:
        read("folder", path="d")
    assert str(caught.value).encode()
    skipped = read("folder", path="d", skip="broken").skipped
    assert len(skipped) == 1 and skipped[0].encode()


@pytest.mark.skipif(os.name == "nt", reason="symbolic links need rights there")
@pytest.mark.parametrize("link", ["d/x.png", "d/cat"])
def test_links_do_not_lead_out_of_the_folder_for_data(link: str, tmp_path: Path) -> None:
    save(tmp_path / "inside" / "d" / "dog" / "1.png")
    save(tmp_path / "inside" / "cat" / "x.png")
    save(tmp_path / "outside" / "x.png")
    model = spec(DataSource("folder", path="d"), folder=tmp_path / "inside")
    target = "outside" if link == "d/cat" else "outside/x.png"
    (tmp_path / "inside" / link).symlink_to(tmp_path / target)
    assert len(load(model)) == 2
    with pytest.raises(DataError, match=f"{link} leads to .*outside.*, outside .*inside"):
        load(model, root=tmp_path / "inside")
    (tmp_path / "inside" / link).unlink()
    (tmp_path / "inside" / link).symlink_to(tmp_path / target.replace("outside", "inside/cat"))
    assert len(load(model, root=tmp_path / "inside")) == 2
