"""Which images a run is validated on: the same for all seeds, recorded, or those of the author."""

import json
from pathlib import Path

import pytest
import torch
from PIL import Image

from caedsl.evaluation.evaluated_run import train_and_evaluate
from caedsl.evaluation.reevaluation import evaluate_again
from caedsl.runs.errors import RunError
from caedsl.runs.file_names import ENVIRONMENT
from caedsl.training.resume import resume
from caedsl.training.run import Run
from caedsl.training.stored_run import open_run
from caedsl.training.train import train

from .tiny import model_of

SPEC = """
autoencoder small
input 1x8x8
data digits limit=40
encoder { conv 2 relu; maxpool 2 }
bottleneck dense 3
decoder mirror
train { batch 10; epochs 1; validation 25%; seed 3 }
"""


def trained(text: str, out: Path) -> Run:
    return train(model_of(text), spec_text=text, out=out)


def held_out(run: Run) -> list[int]:
    assert run.validation is not None
    return run.validation.index.tolist()


def test_all_seeds_are_validated_on_the_same_images(tmp_path: Path) -> None:
    runs = [trained(SPEC.replace("seed 3", f"seed {seed}"), tmp_path / str(seed)) for seed in (0, 1, 2)]
    assert held_out(runs[0]) == held_out(runs[1]) == held_out(runs[2])
    weights = [next(iter(run.module.state_dict().values())) for run in runs]
    assert not torch.equal(weights[0], weights[1])


def change_record(run: Path, **values: object) -> None:
    record = json.loads((run / ENVIRONMENT).read_text())
    record["data"] |= values
    record["data"] = {key: value for key, value in record["data"].items() if value is not None}
    (run / ENVIRONMENT).write_text(json.dumps(record))


def test_a_run_from_before_the_split_had_a_seed_keeps_its_own(tmp_path: Path) -> None:
    run = trained(SPEC, tmp_path / "run")
    change_record(tmp_path / "run", split_seed=None, split_sha256=None)
    assert open_run(tmp_path / "run").split_seed == 3
    assert held_out(resume(tmp_path / "run", epochs=2)) != held_out(run)


def test_another_split_is_refused(tmp_path: Path) -> None:
    train_and_evaluate(model_of(SPEC), spec_text=SPEC, out=tmp_path / "run")
    assert evaluate_again(tmp_path / "run").differences == ()
    change_record(tmp_path / "run", split_sha256="0" * 64)
    with pytest.raises(RunError, match="the held-out samples are not those of the run"):
        evaluate_again(tmp_path / "run")
    with pytest.raises(RunError, match="the held-out samples are not those of the run"):
        resume(tmp_path / "run", epochs=2)


def test_a_validation_folder_is_validated_on(tmp_path: Path) -> None:
    for part, count in (("Train", 12), ("Val", 5), ("Test", 3)):
        (tmp_path / "d" / part).mkdir(parents=True)
        for number in range(count):
            Image.new("L", (8, 8), 20 * number + 7).save(tmp_path / "d" / part / f"{number}.png")
    text = SPEC.replace("digits limit=40", f'folder "{tmp_path / "d"}"')
    run = trained(text, tmp_path / "run")
    assert (len(run.train), len(run.validation), len(run.test)) == (12, 5, 3)
    seen = next(run.validation.in_order(9)).seen[:, 0, 0, 0]
    assert (seen * 255).round().tolist() == [20 * number + 7 for number in range(5)]
    record = json.loads((tmp_path / "run" / ENVIRONMENT).read_text())["data"]
    assert (record["train"], record["validation"], record["test"]) == (12, 5, 3)
    assert trained(text.replace("validation 25%", "validation 0"), tmp_path / "without").validation is None


def test_files_that_are_skipped_are_recorded(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    for number in range(12):
        Image.new("L", (8, 8), 20 * number + 7).save(tmp_path / "d" / f"{number:02}.png")
    for number in (2, 5, 6, 7, 8):
        (tmp_path / "d" / f"{number:02}.png").write_text("broken")
    trained(SPEC.replace("digits limit=40", f'folder "{tmp_path / "d"}" skip=broken'), tmp_path / "run")
    skipped = json.loads((tmp_path / "run" / ENVIRONMENT).read_text())["data"]["skipped"]
    assert [text.split(" cannot be decoded")[0] for text in skipped] == [
        str(tmp_path / "d" / f"{number:02}.png") for number in (2, 5, 6, 7, 8)
    ]
