"""Kill runs at random moments, resume them, and compare the result with an uninterrupted run.

``python -m tests.training.kill_runs 50`` does so fifty times. Each run is a separate process, ended by SIGKILL.
"""

import json
import os
import random
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import sklearn.datasets
import torch
from safetensors.torch import load_file

from caedsl.runs.file_names import BEST, HISTORY_LINES, LAST
from caedsl.training import checkpoints
from caedsl.training.parallel import processes
from caedsl.training.resume import resume
from caedsl.training.train import train
from tests.training.tiny import model_of

SPEC = """autoencoder killed
input 1x8x8
data digits limit=200
encoder { conv 4 relu norm=batch dropout=0.2; maxpool 2 }
bottleneck dense 6
decoder mirror
train { optimizer adam lr=3e-3; batch 8; epochs 4; corrupt gaussian=0.2; augment shift=1; ema 0.9; schedule plateau patience=1; precision fp32 }
"""
UNCHECKED = {"seconds", "images_per_second"}


def begin(out: Path) -> None:
    train(model_of(SPEC), spec_text=SPEC, out=out)


def fork(work: Callable[[], object]) -> int:
    process = os.fork()
    if process == 0:
        code = 1
        try:
            work()
            code = 0
        except Exception:
            traceback.print_exc()
        finally:
            os._exit(code)
    return process


def result(run: Path) -> tuple[list[dict[str, object]], dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    rows = [json.loads(line) for line in (run / HISTORY_LINES).read_text().splitlines()]
    kept = [{key: value for key, value in row.items() if key not in UNCHECKED} for row in rows]
    return kept, load_file(run / BEST), load_file(run / LAST)


def same(a: Path, b: Path) -> bool:
    (rows, *weights), (other_rows, *other_weights) = result(a), result(b)
    return rows == other_rows and all(
        mine.keys() == theirs.keys() and all(torch.equal(mine[name], theirs[name]) for name in mine)
        for mine, theirs in zip(weights, other_weights, strict=True)
    )


def kill_and_resume(out: Path, longest: float, chance: random.Random) -> int:
    """Run a training that is killed at random moments until it finishes; return the number of kills."""
    kills = 0
    while True:
        # A run that was killed before it wrote its records can only be restarted, as its error says.
        begun = (out / "environment.json").exists()
        if out.exists() and not begun:
            for file in out.iterdir():
                file.unlink()
        process = fork((lambda: resume(out)) if begun else (lambda: begin(out)))
        time.sleep(chance.uniform(0, longest * 0.7))
        os.kill(process, signal.SIGKILL)
        _, status = os.waitpid(process, 0)
        if os.WIFEXITED(status):
            assert os.WEXITSTATUS(status) == 0
            return kills
        kills += 1


def main(times: int, folder: Path) -> int:
    torch.set_num_threads(1)
    processes.SECONDS_BETWEEN_READS = -1.0
    checkpoints.SECONDS_BETWEEN_CHECKPOINTS = 0.0
    checkpoints.MOST_OF_THE_TIME = 0.5
    assert sklearn.datasets  # imported here, not by each process that training begins in
    chance = random.Random()
    os.waitpid(fork(lambda: begin(folder / "warm")), 0)
    started = time.monotonic()
    os.waitpid(fork(lambda: begin(folder / "whole")), 0)
    longest = time.monotonic() - started
    good = kills = 0
    for number in range(times):
        kills += kill_and_resume(folder / f"killed-{number}", longest, chance)
        good += same(folder / "whole", folder / f"killed-{number}")
    print(f"{good} of {times} runs, killed {kills} times in all, ended as the one that nobody killed")
    return 0 if good == times else 1


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        sys.exit(main(int(sys.argv[1]), Path(scratch)))
