import os
import re
import sys
import threading
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

import caedsl
from caedsl.data.errors import DataError
from caedsl.data.stacks.array_stack import ArrayStack
from caedsl.data.stacks.folder_stack import FolderStack
from caedsl.data.stacks.prefetch import workers
from caedsl.data.stacks.stack import RawSamples
from caedsl.inference.calibration import calibrate
from caedsl.inference.picture_files import picture_bytes
from caedsl.inference.schema import write_calibration
from caedsl.runs.errors import RunError
from caedsl.syntax.reading import MAX_BYTES
from tests.inference.conftest import GREY, write_run


def images(count: int = 5) -> np.ndarray:
    return np.random.default_rng(1).random((count, 1, 8, 8)).astype(np.float32)


def test_it_opens_with_spec_and_weights_alone_and_is_the_module(grey: Path) -> None:
    run = caedsl.open(grey, device="cpu")
    x = torch.from_numpy(images())
    with torch.no_grad():
        assert torch.equal(run.encode(x), run.module.encode(x))
        assert torch.equal(run.reconstruct(x), run.module(x))
        assert torch.equal(torch.as_tensor(run.decode(run.encode(x))), run.module(x))
    assert repr(run) == "<TrainedRun grey: 1x8x8 -> 6>"
    assert all(not name.startswith("_") for name in dir(run))


@pytest.mark.parametrize("use", ["encode", "reconstruct", "score", "predict"])
def test_python_warns_of_samples_of_another_size(grey: Path, use: str) -> None:
    write_calibration(grey, calibrate(np.arange(9.0), 0.5, "mse"))
    run = caedsl.open(grey, device="cpu")
    x = np.zeros((2, 12, 10), np.float32)
    with pytest.warns(UserWarning, match="resized") as warned:
        getattr(run, use)(x)
    assert [warning.filename for warning in warned] == [__file__]
    getattr(run, use)(run.samples(x))  # whose notes the caller can read


@pytest.mark.parametrize("batch", [1, 2, 5, 64])
def test_batches_change_nothing(grey: Path, batch: int) -> None:
    run = caedsl.open(grey, device="cpu")
    assert np.allclose(run.encode(images(), batch), run.encode(images()), atol=1e-6)
    assert np.allclose(run.score(images(), batch=batch), run.score(images()), atol=1e-7)


@pytest.mark.parametrize("batch", [0, -1])
def test_a_batch_has_at_least_one_sample(grey: Path, batch: int) -> None:
    run = caedsl.open(grey, device="cpu")
    for use in (run.encode, run.reconstruct, lambda data, size: run.score(data, batch=size)):
        for data in (images(), torch.from_numpy(images())):
            with pytest.raises(ValueError, match=f"batch is {batch}: a batch has at least 1 sample"):
                use(data, batch)
    with pytest.raises(ValueError, match="a batch has at least 1 sample"):
        run.decode(np.zeros((3, 6)), batch)


def test_tensors_of_integers_are_in_the_range_of_the_input(grey: Path) -> None:
    run = caedsl.open(grey, device="cpu")
    stored = torch.arange(64, dtype=torch.uint8).reshape(1, 1, 8, 8)
    with pytest.raises(DataError, match=r"integers from 0 to 63, outside 0\.\.1: convert them"):
        run.encode(stored)
    for binary in (stored % 2, stored % 2 == 1):
        assert torch.equal(run.encode(binary), run.encode((stored % 2).float()))


def test_tensors_on_the_scale_of_a_file_are_refused(grey: Path) -> None:
    run = caedsl.open(grey, device="cpu")
    x = torch.from_numpy(images())
    for method in (run.encode, run.reconstruct, run.score):
        with pytest.raises(DataError, match=r"numbers from \S+ to 25\S+, outside 0\.\.1: convert them"):
            method(255 * x)
    noisy = x + 0.3 * torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
    assert noisy.min() < 0
    assert run.encode(noisy).shape == (5, 6)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_an_image_of_pillow_is_read_like_its_file(grey: Path, photos: Path) -> None:
    run = caedsl.open(grey, device="cpu")
    paths = [photos / name for name in run.samples(photos).names]
    opened = [Image.open(path) for path in paths]
    for image in opened:
        image.load()
    assert np.allclose(run.encode(opened), run.encode(photos), atol=1e-6)
    assert np.allclose(run.score(opened[0]), run.score(paths[0]), atol=1e-7)
    assert np.allclose(run.encode(opened, batch=2), run.encode(opened), atol=1e-6)
    with pytest.raises(DataError, match=r"image 1 \(counted from 0\) is in colour, but the input is 1x8x8"):
        run.encode([opened[0], Image.new("RGB", (8, 8), "red")])
    signal = caedsl.open(write_run(grey.parent / "signal", GREY.replace("1x8x8", "1x8")), device="cpu")
    with pytest.raises(DataError, match="image files have height and width"):
        signal.encode(opened)


def test_wide_colours_of_pillow_are_refused(colour: Path, tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 65536, (16, 12, 3), np.uint16)
    (tmp_path / "x.png").write_bytes(picture_bytes(pixels))
    run = caedsl.open(colour, device="cpu")
    with pytest.warns(UserWarning, match="with 16 bits"):
        assert run.encode(tmp_path / "x.png").shape == (1, 4, 8, 6)
    with (
        Image.open(tmp_path / "x.png") as image,
        pytest.raises(DataError, match="Pillow reduces to 8 bits: pass the path of its file"),
    ):
        run.encode(image)


def test_a_list_of_arrays_may_have_several_sizes(grey: Path) -> None:
    run = caedsl.open(grey, device="cpu")
    draw = np.random.default_rng(3)
    several = [draw.integers(0, 256, size, np.uint8) for size in ((8, 8), (20, 12), (8, 8), (9, 9))]
    with pytest.warns(UserWarning, match="resized") as warned:
        codes = run.encode(several)
    said = [str(warning.message) for warning in warned]
    assert said == [f"resized from {size} to 8x8 (stretch): 1 of 4 images" for size in ("20x12", "9x9")]
    with pytest.warns(UserWarning, match="resized"):
        assert np.allclose(codes, [run.encode(one[None])[0] for one in several], atol=1e-6)
    assert np.array_equal(run.encode([several[0], several[2]]), run.encode(np.stack([several[0], several[2]])))
    with pytest.raises(DataError, match=r"array 1 \(counted from 0\) is 1 x 8 x 8 x 2"):
        run.encode([several[1], np.zeros((8, 8, 2))])


class Table:
    """What tables of pandas and polars have in common: a sample in each row."""

    def to_numpy(self) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        return np.linspace(0, 1, 3 * 64, dtype=np.float32).reshape(3, 64)


def test_the_remedy_for_a_table_works(grey: Path) -> None:
    run, x = caedsl.open(grey, device="cpu"), Table()
    for method in (run.encode, run.reconstruct, run.score):
        with pytest.raises(TypeError, match="a Table cannot be read as samples: give an array, as in `x") as refused:
            method(x)
        assert len(method(eval(str(refused.value).split("`")[1]))) == len(x.to_numpy())


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ([], DataError, "the list of samples is empty"),
        ((), DataError, "the tuple of samples is empty"),
        (None, TypeError, "a NoneType cannot be read as samples: give an array, a tensor"),
        ({"a": 1}, TypeError, "a dict cannot be read as samples"),
        ([torch.zeros(1, 8, 8)], TypeError, "a list of Tensor cannot be read as samples.*`torch.stack`"),
        (["x.png", np.zeros((8, 8))], TypeError, "a list of ndarray and str cannot"),
        (np.zeros((8, 8)), DataError, r"the array is 8 x 8, a single image: add an axis .* `x\[None\]`"),
    ],
)
def test_what_is_no_samples_is_one_clear_error(grey: Path, given: object, error: type[Exception], said: str) -> None:
    run = caedsl.open(grey, device="cpu")
    for method in (run.encode, run.reconstruct, run.score):
        with pytest.raises(error, match=said):
            method(given)  # type: ignore[operator]


def test_arrays_are_read_like_files(grey: Path) -> None:
    run = caedsl.open(grey, device="cpu")
    stored = np.random.default_rng(2).integers(0, 256, (4, 8, 8), np.uint8)
    expected = run.encode(stored[:, None].astype(np.float32) / 255)
    assert np.allclose(run.encode(stored), expected, atol=1e-6)
    assert np.allclose(run.encode(stored[..., None]), expected, atol=1e-6)
    with pytest.warns(UserWarning, match=r"16-bit integers scaled from 0\.\.65535"):
        wide = run.encode(stored.astype(np.uint16) * 257)
    assert np.allclose(wide, expected, atol=1e-5)


@pytest.mark.filterwarnings("ignore:.*(resized|16 bits)")
def test_paths_files_and_folders(grey: Path, photos: Path) -> None:
    run = caedsl.open(grey, device="cpu")
    samples = run.samples(photos)
    assert list(samples.names) == ["a.png", "b.jpg", "deep/c.tif"]
    codes = run.encode(photos)
    assert codes.shape == (3, 6)
    paths = [photos / name for name in samples.names]
    for given in (paths, tuple(paths), [str(path) for path in paths]):
        assert np.array_equal(run.encode(given), run.encode(photos))
    assert np.allclose(run.encode(photos / "b.jpg"), codes[1:2], atol=1e-6)
    np.save(photos / "x.npy", images())
    assert run.encode(photos / "x.npy").shape == (5, 6)


VAE = GREY.replace("dense 6", "variational 6")


def test_samples_are_draws_from_the_prior(tmp_path: Path) -> None:
    run = caedsl.open(write_run(tmp_path / "vae", VAE), device="cpu")
    made = run.sample(10, seed=3)
    assert made.shape == (10, 1, 8, 8)
    assert np.array_equal(made, run.sample(10, seed=3))
    assert not np.array_equal(made, run.sample(10, seed=4))
    assert np.allclose(made, run.sample(10, seed=3, batch=3), atol=1e-6)
    draws = torch.randn(10, 6, generator=torch.Generator().manual_seed(3))
    assert np.allclose(made, run.decode(draws.numpy()), atol=1e-6)
    with pytest.raises(ValueError, match="count is -1: give the number of samples to draw"):
        run.sample(-1)


def test_a_variational_run_encodes_to_the_mean(tmp_path: Path) -> None:
    run = caedsl.open(write_run(tmp_path / "vae", VAE), device="cpu")
    x = torch.from_numpy(images())
    with torch.no_grad():
        mean = run.module.bottleneck[:-1](run.module.encoder(x)).chunk(2, dim=1)[0]
    assert torch.equal(run.encode(x), mean)


@pytest.mark.parametrize(
    ("form", "remedy"),
    [
        ("dense 6", "variational 6"),
        ("conv 2", "variational conv 2"),
        ("", "variational conv 4"),
        ("quantized 8x3", "variational conv 3"),
    ],
)
def test_a_code_without_a_distribution_makes_no_samples(tmp_path: Path, form: str, remedy: str) -> None:
    run = caedsl.open(write_run(tmp_path / "plain", GREY.replace("dense 6", form)), device="cpu")
    with pytest.raises(RunError, match=f"train it with `bottleneck {remedy}`"):
        run.sample(2)


def test_the_mean_squared_error_is_the_default_score(grey: Path) -> None:
    run = caedsl.open(grey, device="cpu")
    expected = np.square(run.reconstruct(images()) - images()).mean((1, 2, 3))
    assert np.allclose(run.score(images()), expected, rtol=1e-5)
    for kind in ("mae", "top=5%", "ssim", "latent", "blurmax"):
        assert run.score(images(), kind).shape == (5,)


def test_codes_may_be_flat(colour: Path) -> None:
    run = caedsl.open(colour, device="cpu")
    x = np.random.default_rng(0).random((2, 3, 16, 12)).astype(np.float32)
    codes = run.encode(x)
    assert codes.shape == (2, 4, 8, 6)
    assert np.array_equal(run.decode(codes.reshape(2, -1)), run.decode(codes))
    with pytest.raises(ValueError, match="codes are N x 4x8x6, but these are 2x5"):
        run.decode(codes.reshape(2, -1)[:, :5])


def test_bad_samples_are_named(grey: Path, photos: Path) -> None:
    run = caedsl.open(grey, device="cpu")
    with pytest.raises(ValueError, match="samples are N x 1x8x8, but this tensor is 2x1x9x9"):
        run.encode(torch.zeros(2, 1, 9, 9))
    with pytest.raises(DataError, match=r"outside 0\.\.1"):
        run.encode(images() + 3)
    with pytest.raises(DataError, match="NaN"):
        run.encode(np.full((1, 1, 8, 8), np.nan, np.float32))
    with pytest.raises(DataError, match="does not exist"):
        run.encode(photos / "none.png")
    (photos / "broken.png").write_bytes(b"no image")
    with pytest.raises(DataError, match=r"broken\.png cannot be decoded"):
        run.score(photos)
    (photos / "empty").mkdir()
    with pytest.raises(DataError, match="contains no images"):
        run.score(photos / "empty")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("x.png", np.full((8, 8, 3), (255, 0, 0), np.uint8), "convert it to grey, or use a run that was trained with"),
        ("x.tif", np.full((8, 8), 3, np.float32), r"outside 0\.\.1: scale it$"),
        ("x.npy", np.zeros((3, 8)), "the input is 1x8x8; reshape the array and save it again"),
        ("x.npy", np.zeros((3, 5, 8, 8)), "convert the images to 1 channel"),
        ("x.npy", np.zeros((3, 3, 8, 8)), "convert the images to 1 channel"),
        ("x.npy", np.full((3, 8, 8), 99.0), "scale the values, or give integers"),
        ("x.nii", np.full((8, 8, 8), 3.0), "outside 0..1: scale the values$"),
        ("x.csv", np.full((8, 2), 0.5), "has 2 columns to read.*: leave out the others, or name the columns with"),
        ("short.csv", np.full((3, 1), 0.5), "fewer than the window of 8: give longer signals$"),
    ],
)
def test_remedies_for_samples_of_a_trained_run_do_not_change_its_spec(
    grey: Path, name: str, content: np.ndarray, said: str
) -> None:
    path = grey / name
    if path.suffix == ".npy":
        np.save(path, content)
    elif path.suffix == ".nii":
        nibabel = pytest.importorskip("nibabel")
        nibabel.Nifti1Image(content.astype(np.float32), np.eye(4)).to_filename(path)
        restyle(grey, "1x8x8x8", 'nifti "volumes"')
    elif path.suffix == ".csv":
        columns = ",".join("abc"[: content.shape[1]])
        np.savetxt(path, content, delimiter=",", header=columns, comments="")
        restyle(grey, "1x8", 'csv "x.csv" window=8')
    else:
        path.write_bytes(picture_bytes(content, path.suffix))
    with pytest.raises(DataError, match=said) as raised:
        caedsl.open(grey, device="cpu").score(path)
    assert not re.search("write `|declare|shorten|skip=", str(raised.value))


def restyle(run: Path, shape: str, data: str) -> None:
    """Turn a run into one of another rank, with new weights."""
    text = f"autoencoder a; input {shape}; data {data}; encoder {{ conv 4 s2 k4 }}; bottleneck dense 4; decoder mirror"
    (run / "spec.cae").write_text(text)
    save_file(caedsl.build(text).state_dict(), run / "weights.safetensors")


def test_each_kind_of_note_is_a_warning_once(grey: Path) -> None:
    run = caedsl.open(grey, device="cpu")
    for count in (2, 3):
        for number in range(count):
            Image.fromarray(np.full((9, 9), 1000, np.uint16)).save(grey / f"wide-{number}.png")
        paths = [grey / f"wide-{number}.png" for number in range(count)]
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            run.score(paths)
            run.encode(paths)
        said = sorted(str(warning.message) for warning in caught)
        assert len(said) == (3 if count == 2 else 0), said
        if said:
            assert any("no value above 1023" in note and "scale them to 0..65535" in note for note in said)
            assert not any("write `white" in note for note in said)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda run: (run / "spec.cae").unlink(), r"has no spec\.cae"),
        (lambda run: (run / "spec.cae").write_text("autoencoder a"), "has errors"),
        (lambda run: (run / "spec.cae").write_bytes(b"\xff\xfe\x00"), "cannot be read"),
        (lambda run: (run / "spec.cae").write_bytes(b"#" * (MAX_BYTES + 1)), "it has more than 65,536 bytes"),
        (lambda run: (run / "weights.safetensors").unlink(), r"has no weights\.safetensors"),
        (lambda run: (run / "weights.safetensors").write_bytes(b"x" * 99), "is not a safetensors file, or is damaged"),
        (lambda run: (run / "spec.cae").write_text(GREY.replace("conv 4", "conv 5")), "another architecture"),
        (lambda run: (run / "calibration.json").write_text("[[["), r"calibration\.json is damaged"),
    ],
)
def test_a_folder_that_is_not_whole_is_one_clear_error(grey: Path, damage, said: str) -> None:  # type: ignore[no-untyped-def]
    damage(grey)
    with pytest.raises(RunError, match=said):
        caedsl.open(grey, device="cpu").predict(images())


def test_a_threshold_is_for_the_weights_that_it_was_set_on(grey: Path) -> None:
    write_calibration(grey, calibrate([0.1, 0.2, 0.3], 0.5, "mse"))
    assert caedsl.open(grey, device="cpu").calibration is not None
    weights = load_file(grey / "weights.safetensors")
    save_file({name: tensor * 1.5 for name, tensor in weights.items()}, grey / "weights.safetensors")
    run = caedsl.open(grey, device="cpu")
    assert len(run.score(images(), "mse")) == len(images())
    with pytest.raises(RunError, match=r"calibration\.json was set for other weights .* run `caedsl calibrate"):
        run.predict(images())
    write_calibration(grey, calibrate([0.1, 0.2, 0.3], 0.5, "mse"))
    assert caedsl.open(grey, device="cpu").calibration is not None


@pytest.mark.parametrize("made", [np.asarray, torch.from_numpy])
@pytest.mark.parametrize("value", [np.nan, np.inf, -1e300])
@pytest.mark.parametrize(("method", "noun"), [("encode", "image"), ("score", "image"), ("decode", "code")])
def test_numbers_that_are_not_finite_are_refused(grey: Path, made, value, method, noun) -> None:
    numbers = np.zeros((3, 6) if noun == "code" else (3, 1, 8, 8))
    numbers[1].reshape(-1)[2] = value
    run = caedsl.open(grey, device="cpu")
    with pytest.raises(DataError, match=rf"^the (array|tensor): 1 of 3 {noun}s contains NaN .* is {noun} 1 \(counted"):
        getattr(run, method)(made(numbers))


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="does not exist"):
        caedsl.open(tmp_path / "none")


def test_a_stream_reads_a_few_batches_ahead_and_no_more(grey: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    whole = ArrayStack.read

    def counted(stack: ArrayStack, index: np.ndarray) -> RawSamples:
        read.append(len(index))
        return whole(stack, index)

    monkeypatch.setattr(ArrayStack, "read", counted)
    batches = caedsl.open(grey).stream(np.zeros((1000, 8, 8), np.uint8), batch=2)
    for _ in range(5):
        next(batches)
    batches.close()
    assert len(read) <= 5 + 1 + workers()
    assert set(read) == {2}


@pytest.mark.skipif(sys.platform != "linux", reason="threads have priorities of their own on Linux")
def test_files_are_read_at_the_priority_of_the_process(
    grey: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other work would starve threads of a lower one, and the network would wait for them."""
    found: set[int] = set()
    whole = FolderStack.read

    def recorded(stack: FolderStack, index: np.ndarray) -> RawSamples:
        found.add(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
        return whole(stack, index)

    monkeypatch.setattr(FolderStack, "read", recorded)
    run = caedsl.open(grey)
    run.score(run.samples(photos))
    assert found == {os.getpriority(os.PRIO_PROCESS, 0)}


def test_a_sensors_image_comes_back_on_the_sensors_scale(tmp_path: Path) -> None:
    run = caedsl.open(write_run(tmp_path / "run", GREY.replace("input", 'data folder "x" white=4095; input')), "cpu")
    Image.fromarray(np.arange(64, dtype=np.uint16).reshape(8, 8) * 65).save(tmp_path / "x.png")
    made = run.reconstruct_file(tmp_path / "x.png").pixels
    assert made.dtype == np.uint16
    assert np.array_equal(made, (run.reconstruct(tmp_path / "x.png")[0, 0] * 4095.0).round())


def test_encode_runs_the_encoder_alone(grey: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = caedsl.open(grey)
    monkeypatch.setattr(run.module, "decode", lambda *_: pytest.fail("decode was called"))
    assert run.encode(np.zeros((3, 8, 8), np.uint8)).shape == (3, 6)


def test_without_a_threshold_there_is_no_verdict(grey: Path) -> None:
    with pytest.raises(RunError, match="has no threshold yet"):
        caedsl.open(grey, device="cpu").predict(images())
