"""Pairs of inputs and targets: matched by name or by place, and refused with one clear error where they are none."""

from pathlib import Path

import numpy as np
import pyarrow
import pytest
import torch
from PIL import Image
from pyarrow import parquet

from caedsl.api import SpecError
from caedsl.api import load as model_of
from caedsl.data.errors import DataError
from caedsl.data.loading import load
from caedsl.data.pairs import _stem

SPEC = """autoencoder pairs
input 1x8x8
{target}
data {data}
encoder {{ conv 4 relu; maxpool 2 }}
bottleneck
decoder mirror
"""


def images(path: Path, data: str, target: str = "", memory: int | None = None):  # type: ignore[no-untyped-def]
    (path / "spec.cae").write_text(SPEC.format(data=data, target=target))
    return load(model_of(path / "spec.cae"), memory=memory)


def picture(path: Path, value: int, size: tuple[int, int] = (8, 8)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full(size, value, np.uint8)).save(path)


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    """Return folders of six pairs whose target is 100 brighter; extensions and name order differ."""
    for place in range(6):
        picture(tmp_path / f"noisy/{place % 2}/im {place}.bmp", 10 * place)
        picture(tmp_path / f"clean/{place % 2}/im {place}.png", 10 * place + 100)
    return tmp_path


@pytest.mark.parametrize("memory", [None, 100])
def test_files_are_matched_by_name_without_ending(folders: Path, memory: int | None) -> None:
    found = images(folders, 'folder "noisy" target="clean"', memory=memory)
    assert found.train_targets is not None
    apart = found.train_targets.everything() - found.train
    assert torch.allclose(apart, torch.full_like(apart, 100 / 255), atol=1e-6)
    assert found.class_names == ("0", "1")
    picture(folders / "clean/0/im 0.png", 101)
    assert images(folders, 'folder "noisy" target="clean"').sha256 != found.sha256


def test_limit_and_broken_files_take_pairs(folders: Path) -> None:
    (folders / "clean/1/im 3.png").write_bytes(b"no picture")
    found = images(folders, 'folder "noisy" target="clean" skip=broken')
    assert found.train_targets is not None
    assert len(found) == len(found.train_targets) == 5 and len(found.skipped) == 1
    apart = found.train_targets.everything() - found.train
    assert torch.allclose(apart, torch.full_like(apart, 100 / 255), atol=1e-6)
    few = images(folders, 'folder "noisy" target="clean" limit=3 skip=broken')
    assert few.train_targets is not None and len(few) == len(few.train_targets) <= 3
    with pytest.raises(DataError, match=r"im 3\.png.*\n.*skip=broken"):
        images(folders, 'folder "noisy" target="clean"')


def test_a_file_without_partner_is_named(folders: Path) -> None:
    (folders / "clean/0/im 2.png").rename(folders / "clean/0/im 22.png")
    with pytest.raises(DataError) as error:
        images(folders, 'folder "noisy" target="clean"')
    text = str(error.value)
    assert "2 files" in text and "im 2.bmp has no target" in text and "im 22.png has no input" in text
    assert text.endswith("add the missing files, or remove these")


def test_two_files_of_one_name_are_refused(folders: Path) -> None:
    picture(folders / "clean/0/im 2.bmp", 1)
    with pytest.raises(DataError, match="differ only in their endings"):
        images(folders, 'folder "noisy" target="clean"')


def test_parts_must_agree(tmp_path: Path) -> None:
    for place in range(3):
        for folder in ("noisy/train", "noisy/test", "clean/train"):
            picture(tmp_path / folder / f"{place}.png", place)
    with pytest.raises(DataError, match=r"test samples, but its targets .* have none"):
        images(tmp_path, 'folder "noisy" target="clean"')


def test_validation_and_test_pairs_of_ones_own_are_matched_by_name(folders: Path) -> None:
    for part, apart in (("checked", 50), ("unseen", 25)):
        for place in range(3):
            # The same names as in training, in another order of endings, and other brightness.
            picture(folders / f"{part}/noisy/im {place}.png", 10 * place)
            picture(folders / f"{part}/clean/im {place}.bmp", 10 * place + apart)
    data = (
        'folder "noisy" target="clean" validation="checked/noisy" validation_target="checked/clean" '
        'test="unseen/noisy" test_target="unseen/clean"'
    )
    found = images(folders, data)
    for seen, wanted, apart in (
        (found.train_pixels, found.train_targets, 100),
        (found.validation_pixels, found.validation_targets, 50),
        (found.test_pixels, found.test_targets, 25),
    ):
        assert seen is not None and wanted is not None
        differences = wanted.everything() - seen.everything()
        assert torch.allclose(differences, torch.full_like(differences, apart / 255), atol=1e-6)
    (folders / "checked/clean/im 2.bmp").unlink()
    with pytest.raises(
        DataError, match=r'folder "checked/noisy" and its targets folder "checked/clean" contain .*:\n.*im 2.png has no'
    ):
        images(folders, data)


def test_validation_and_test_pairs_in_arrays(tmp_path: Path) -> None:
    x = np.arange(4 * 64, dtype=np.uint8).reshape(4, 8, 8)
    arrays = {"x": x, "y": 255 - x, "vx": x[:2], "vy": 250 - x[:2], "tx": x[1:3], "ty": 240 - x[1:3].clip(0, 240)}
    np.savez(tmp_path / "all.npz", **arrays)
    for name, array in arrays.items():
        np.save(tmp_path / f"{name}.npy", array)
    for data in (
        'npy "x.npy" target="y.npy" validation="vx.npy" validation_target="vy.npy" test="tx.npy" test_target="ty.npy"',
        'npz "all.npz" key=x target=y validation=vx validation_target=vy test=tx test_target=ty',
    ):
        found = images(tmp_path, data)
        assert found.validation_targets is not None and found.test_targets is not None
        assert torch.equal(found.validation_targets.everything()[:, 0] * 255, torch.from_numpy(arrays["vy"]).float())
        assert torch.equal(found.test_targets.everything()[:, 0] * 255, torch.from_numpy(arrays["ty"]).float())
    np.save(tmp_path / "vy.npy", x[:1])
    with pytest.raises(DataError, match=r'npy "vx.npy" has 2 samples, but its targets npy "vy.npy" are 1'):
        images(tmp_path, 'npy "x.npy" target="y.npy" validation="vx.npy" validation_target="vy.npy"')


def test_validation_pairs_of_a_parquet_file_are_in_its_columns(tmp_path: Path) -> None:
    rows = [[[float(row + column) for column in range(8)] for row in range(8)]] * 4
    for name, scale in (("train", 1), ("checked", 2)):
        made = {"x": rows, "y": (np.array(rows) * scale).tolist()}
        parquet.write_table(pyarrow.table(made), tmp_path / f"{name}.parquet")
    data = 'parquet "train.parquet" key=x target=y validation="checked.parquet" white=255'
    found = images(tmp_path, data)
    assert found.validation_targets is not None and found.validation_pixels is not None
    assert torch.allclose(found.validation_targets.everything(), 2 * found.validation_pixels.everything())


def test_samples_without_targets_and_targets_without_samples_are_refused(folders: Path) -> None:
    data = 'folder "noisy" target="clean"'
    for number in range(2):
        picture(folders / f"checked/{number}.png", 1)
    with pytest.raises(
        SpecError, match="`validation=` needs `validation_target=`: the targets of the validation samples"
    ):
        images(folders, f'{data} validation="checked"')
    with pytest.raises(SpecError, match="`test_target=` needs `target=`: the targets of the training samples"):
        images(folders, 'folder "noisy" test="checked" test_target="checked"')
    with pytest.raises(DataError, match=r"`test_target=` names targets, but .* has no test samples.*`test=`"):
        images(folders, f'{data} test_target="checked"')


def test_proportions_must_agree(folders: Path) -> None:
    picture(folders / "clean/1/im 1.png", 1, size=(8, 16))
    with pytest.raises(DataError, match=r"im 1.bmp is 8x8, but its target .*im 1.png is 8x16"):
        images(folders, 'folder "noisy" target="clean"')


def test_larger_targets_of_the_same_proportions_fit(folders: Path) -> None:
    for place in range(6):
        picture(folders / f"clean/{place % 2}/im {place}.png", 7, size=(16, 16))
    found = images(folders, 'folder "noisy" target="clean"', "target 1x16x16 in -1..1")
    assert found.train_targets is not None
    assert found.train_targets.shape == (1, 16, 16)
    assert torch.allclose(found.train_targets.everything(), torch.tensor(7 / 255 * 2 - 1), atol=1e-6)


def test_arrays_are_matched_by_place(tmp_path: Path) -> None:
    x = np.arange(4 * 64, dtype=np.uint8).reshape(4, 8, 8)
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "y.npy", 255 - x)
    np.savez(tmp_path / "both.npz", x=x, y=255 - x)
    for data in ('npy "x.npy" target="y.npy"', 'npz "both.npz" key=x target=y'):
        found = images(tmp_path, data)
        assert found.train_targets is not None
        assert torch.allclose(found.train_targets.everything(), 1 - found.train)
    np.save(tmp_path / "y.npy", x[:3])
    with pytest.raises(DataError, match=r"has 4 samples, but its targets .* are 3"):
        images(tmp_path, 'npy "x.npy" target="y.npy"')
    np.save(tmp_path / "y.npy", np.zeros((4, 8, 12), np.uint8))
    with pytest.raises(DataError, match="8x12, which has other proportions"):
        images(tmp_path, 'npy "x.npy" target="y.npy"')


@pytest.mark.parametrize(
    ("stored", "message"),
    [
        ((4,), r"the target is 1x8x8; targets have as many axes as the input, 2: reshape"),
        ((4, 8), r"the target is 1x8x8; targets have as many axes as the input, 2: reshape"),
        ((4, 8, 8, 8, 3), r"the target is 1x8x8; targets have as many axes as the input, 2: reshape"),
        ((4, 3, 8, 8), r"the target is 1x8x8: .*write `target 3x8x8`"),
    ],
)
def test_advice_about_an_array_of_targets_is_about_the_target(
    tmp_path: Path, stored: tuple[int, ...], message: str
) -> None:
    np.save(tmp_path / "x.npy", np.zeros((4, 8, 8), "float32"))
    np.save(tmp_path / "y.npy", np.zeros(stored, "float32"))
    for declared in ("", "target 1x8x8 in real\n"):
        with pytest.raises(DataError, match=message) as error:
            images(tmp_path, 'npy "x.npy" target="y.npy"', declared)
        assert "`input" not in str(error.value)


def test_targets_outside_their_range_name_the_target_line(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros((4, 8, 8), np.float32))
    np.save(tmp_path / "y.npy", np.full((4, 8, 8), 3, np.float32))
    with pytest.raises(DataError, match=r"y\.npy.*the target's range.*`target 1x8x8 in real`"):
        images(tmp_path, 'npy "x.npy" target="y.npy"', "target 1x8x8 in -1..1")
    np.save(tmp_path / "y.npy", np.full((4, 8, 8), 0.1, np.float32))
    np.save(tmp_path / "x.npy", np.linspace(0, 1, 256, dtype=np.float32).reshape(4, 8, 8))
    assert any(
        "inputs and targets differ in range" in note for note in images(tmp_path, 'npy "x.npy" target="y.npy"').notes
    )


def test_a_manifest_names_targets_in_a_column(folders: Path) -> None:
    lines = [f"noisy/{n % 2}/im {n}.bmp,clean/{n % 2}/im {n}.png,{'test' if n > 3 else ''}" for n in range(6)]
    (folders / "m.csv").write_text("path,sharp,split\n" + "\n".join(lines))
    found = images(folders, 'manifest "m.csv" target=sharp')
    assert found.train_targets is not None and found.test_targets is not None and found.test is not None
    assert torch.allclose(found.test_targets.everything() - found.test, torch.tensor(100 / 255), atol=1e-6)
    (folders / "m.csv").write_text("path,sharp\n" + f"noisy/0/im 0.bmp,\n{lines[1][:-1]}")
    with pytest.raises(DataError, match="line 2: the column `sharp` is empty: write the path of an image"):
        images(folders, 'manifest "m.csv" target=sharp')
    with pytest.raises(DataError, match="has no column `blurred`"):
        images(folders, 'manifest "m.csv" target=blurred')


def test_columns_of_a_table_are_targets(tmp_path: Path) -> None:
    rows = "\n".join(f"{n % 7},{n % 7 * 0.1:.2f}" for n in range(64))
    (tmp_path / "t.csv").write_text(f"a,b\n{rows}")
    spec = SPEC.replace("input 1x8x8", "input 1x16 in 0..6").replace("maxpool 2", "maxpool 2")
    (tmp_path / "s.cae").write_text(spec.format(data='csv "t.csv" target="b"', target="target 1x16"))
    found = load(model_of(tmp_path / "s.cae"))
    assert found.train_targets is not None
    assert torch.allclose(found.train_targets.everything(), found.train / 10, atol=1e-6)


def test_a_target_of_another_size_is_the_same_sample_at_that_size() -> None:
    found = load(model_of(SPEC.format(data="digits", target="target 1x16x16 in -1..1")))
    assert found.train_targets is not None
    small = torch.nn.functional.interpolate(found.train_targets.everything(), (8, 8), mode="area") / 2 + 0.5
    assert (small - found.train).abs().mean() < 0.1


def test_drawn_samples_have_one_size() -> None:
    text = SPEC.replace("input 1x8x8", "input 1x64").format(data="heartbeats", target="target 1x128")
    with pytest.raises(DataError, match="generates samples of the input's size"):
        load(model_of(text))


@pytest.mark.parametrize(("name", "stem"), [("a.b/c.d.png", "a.b/c.d"), ("x.nii.gz", "x"), (".png", ".png")])
def test_endings_are_left_out_of_names(name: str, stem: str) -> None:
    assert _stem(name) == stem
