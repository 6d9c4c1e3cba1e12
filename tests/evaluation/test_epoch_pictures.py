"""Pictures of each epoch and TensorBoard: what they show, and that a run is the same with them and without."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from caedsl.data.sample import joined
from caedsl.evaluation.epoch_pictures import EpochPictures, milestones
from caedsl.evaluation.evaluated_run import EvaluatedRun, resume_and_evaluate, train_and_evaluate
from caedsl.runs.errors import TrainingError
from caedsl.training.errors import NotFiniteError
from caedsl.training.loop import Training
from caedsl.training.train import train
from tests.training.test_resume import assert_same, killed_at
from tests.training.tiny import always_keep, model_of

SPEC = """
autoencoder small
input 1x8x8
data digits limit=60
encoder { conv 2 relu norm=batch dropout=0.2; maxpool 2 }
bottleneck dense 3
decoder mirror
train { optimizer adam lr=1e-2; batch 20; epochs 5; corrupt gaussian=0.2; augment flip; ema 0.9; precision fp32 }
"""


def run(out: Path, text: str = SPEC, **options: Any) -> EvaluatedRun:
    return train_and_evaluate(model_of(text), spec_text=text, out=out, **options)


def pictures(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((folder / "pictures").iterdir())}


def events(folder: Path) -> EventAccumulator:
    # No limits: by default, it keeps four images.
    read = EventAccumulator(str(folder / "tensorboard"), size_guidance={"images": 0, "scalars": 0})
    return read.Reload()


def scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    read = events(folder)
    return {tag: [(event.step, event.value) for event in read.Scalars(tag)] for tag in read.Tags()["scalars"]}


def images(folder: Path) -> list[tuple[int, bytes]]:
    return [(event.step, event.encoded_image_string) for event in events(folder).Images("reconstructions")]


def opened(path: Path) -> Image.Image:
    with Image.open(path) as picture:
        return picture.convert("RGB")


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an uninterrupted run with pictures and TensorBoard."""
    out = tmp_path_factory.mktemp("watched") / "run"
    run(out, tensorboard=True)
    return out


def test_looking_on_changes_nothing(watched: Path, tmp_path: Path) -> None:
    run(tmp_path / "alone", pictures=False)
    assert_same(tmp_path / "alone", watched)
    assert not {"pictures", "evolution.png", "tensorboard"} & {path.name for path in (tmp_path / "alone").iterdir()}


def test_each_epoch_has_a_picture_and_they_differ_in_the_last_row_alone(watched: Path) -> None:
    assert list(pictures(watched)) == [f"epoch-000{number}.png" for number in range(1, 6)]
    drawn = [opened(path) for path in sorted((watched / "pictures").iterdir())]
    assert len({picture.size for picture in drawn}) == 1
    width, height = drawn[0].size
    assert len({picture.crop((0, 0, width, height - 24 - (height - 48) // 3)).tobytes() for picture in drawn}) == 1
    assert len({picture.tobytes() for picture in drawn}) == 5
    assert all(len(content) < 20_000 for content in pictures(watched).values())


def test_the_evolution_shows_the_last_rows_below_each_other(watched: Path) -> None:
    last, evolution = opened(watched / "pictures" / "epoch-0005.png"), opened(watched / "evolution.png")
    assert milestones(5) == [1, 2, 5]
    row = (last.height - 48 + 18) // 3
    assert evolution.height == last.height + 2 * row
    assert evolution.crop((0, evolution.height - row, *evolution.size)).tobytes() == (
        last.crop((0, last.height - row, *last.size)).tobytes()
    )


def test_milestones_double_and_end_with_the_last() -> None:
    assert [milestones(last) for last in (1, 2, 3, 4, 20, 33)] == [
        [1],
        [1, 2],
        [1, 2, 3],
        [1, 2, 4],
        [1, 2, 4, 8, 20],
        [1, 2, 4, 8, 16, 33],
    ]


def test_the_samples_are_held_out_and_shown_as_the_model_would_be_used(tmp_path: Path) -> None:
    shown: list[torch.Tensor] = []

    class Watching(EpochPictures):
        def on_epoch(self, training: Training) -> None:
            super().on_epoch(training)
            shown.append(self._samples.original)
            held_out = joined(training.validation.in_order(100)).seen  # type: ignore[union-attr]
            assert all(any(torch.equal(image, other) for other in held_out) for image in shown[-1])
            assert not training.module.training

    train(model_of(SPEC), spec_text=SPEC, out=tmp_path / "run", callbacks=[Watching()])
    assert all(torch.equal(one, shown[0]) for one in shown)
    assert len(shown) == 5


def test_tensorboard_has_the_history_and_the_pictures(watched: Path) -> None:
    rows = [json.loads(line) for line in (watched / "history.jsonl").read_text().splitlines()]
    found = scalars(watched)
    for tag, column in {"loss/validation": "validation", "loss/total": "loss", "learning_rate": "lr"}.items():
        assert [step for step, _ in found[tag]] == [1, 2, 3, 4, 5]
        assert [value for _, value in found[tag]] == pytest.approx([row[column] for row in rows])
    assert {"loss/reconstruction", "images_per_second"} <= set(found)
    drawn = images(watched)
    assert [step for step, _ in drawn] == [1, 2, 3, 4, 5]
    (tmp := watched.parent / "board.png").write_bytes(drawn[-1][1])
    assert opened(tmp).tobytes() == opened(watched / "pictures" / "epoch-0005.png").tobytes()
    assert "spec/text_summary" in events(watched).Tags()["tensors"]


def killed_and_resumed(out: Path, monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[], None]) -> None:
    always_keep(monkeypatch)
    killed_at(8, monkeypatch, lambda: run(out, tensorboard=True))
    meanwhile()
    resume_and_evaluate(out)


def test_a_killed_run_leaves_the_same_pictures_and_points(
    watched: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "killed"

    def after_the_checkpoint() -> None:
        """Write the records of an epoch that is newer than the checkpoint."""
        assert list(pictures(out)) == ["epoch-0001.png", "epoch-0002.png"]
        for number in (3, 9):
            shutil.copy(out / "pictures" / "epoch-0001.png", out / "pictures" / f"epoch-000{number}.png")
        with next((out / "tensorboard").iterdir()).open("ab") as file:
            file.write(b"cut off")

    killed_and_resumed(out, monkeypatch, after_the_checkpoint)
    assert pictures(out) == pictures(watched)
    assert (out / "evolution.png").read_bytes() == (watched / "evolution.png").read_bytes()
    speed = "images_per_second"
    mine, theirs = scalars(out), scalars(watched)
    assert [step for step, _ in mine.pop(speed)] == [step for step, _ in theirs.pop(speed)]
    assert mine == theirs
    assert images(out) == images(watched)


def test_points_of_an_epoch_that_comes_again_are_not_doubled(
    watched: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "run"
    monkeypatch.setattr("caedsl.training.checkpoints.SECONDS_BETWEEN_CHECKPOINTS", 1e9)
    killed_at(8, monkeypatch, lambda: run(out, tensorboard=True))
    assert [step for step, _ in scalars(out)["loss/total"]] == [1, 2]
    resume_and_evaluate(out)
    assert scalars(out)["loss/total"] == scalars(watched)["loss/total"]
    assert len(images(out)) == 5


def test_tensorboard_from_now_on_has_what_was_before(watched: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    run(out, pictures=False)
    resume_and_evaluate(out, epochs=6, tensorboard=True)
    found = scalars(out)["loss/total"]
    assert found[:5] == scalars(watched)["loss/total"]
    assert [step for step, _ in found] == [1, 2, 3, 4, 5, 6]
    assert [step for step, _ in images(out)] == [6]
    assert not (out / "pictures").exists()


def test_without_the_package_the_error_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("caedsl.evaluation.tensorboard.find_spec", lambda name: None)
    with pytest.raises(TrainingError, match=r"pip install 'caedsl\[tensorboard\]'"):
        run(tmp_path / "run", tensorboard=True)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("text", [SPEC.replace("adam lr=1e-2", "sgd lr=1e30").replace("ema 0.9; ", "")])
def test_a_run_that_learned_nothing_leaves_no_folder(text: str, tmp_path: Path) -> None:
    with pytest.raises(NotFiniteError):
        run(tmp_path / "run", text, tensorboard=True)
    assert not (tmp_path / "run").exists()


def test_a_picture_that_was_taken_away_or_damaged_is_left_out(watched: Path, tmp_path: Path) -> None:
    from caedsl.evaluation.epoch_pictures import draw_evolution
    from caedsl.runs.run_folder import RunFolder

    copy = tmp_path / "copy"
    shutil.copytree(watched, copy)
    whole = opened(copy / "evolution.png").height
    (copy / "pictures" / "epoch-0002.png").write_bytes(b"no picture")
    assert draw_evolution(RunFolder(copy), rows=3) == copy / "evolution.png"
    assert opened(copy / "evolution.png").height < whole
    (copy / "pictures" / "epoch-0001.png").unlink()
    assert draw_evolution(RunFolder(copy), rows=3) is None
