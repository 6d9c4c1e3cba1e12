"""Real exhaustion of main memory: a limited process ends with an error that names what would fit."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.torch

SPEC = """
autoencoder wide
input 1x8x8
data digits
encoder { conv 768 k1 relu; conv 2 k1 relu; maxpool 2 }
bottleneck
decoder { upsample 2; conv 768 k1 relu; conv 1 k1 sigmoid }
train { batch 1024; epochs 1; precision fp32; validation 0% }
"""
"""Wide layers take memory, and narrow ones between them little time."""
LEFT = 500_000_000
"""Bytes that a process may still take where the command begins; a step with 1,024 images needs about twice as many."""

LIMITED = f"""
import re, resource, sys
from pathlib import Path
from caedsl.cli.main import main
import caedsl.training.train
taken = 1024 * int(re.search(r"VmData:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
resource.setrlimit(resource.RLIMIT_DATA, (taken + {LEFT}, taken + {LEFT}))
sys.exit(main())
"""
SCARCE = f"""
import sys
from caedsl.cli.main import main
from caedsl.machine import memory
memory.available_memory = lambda *folders: {LEFT}
sys.exit(main())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the limits are those of Linux")
@pytest.mark.parametrize("script", [LIMITED, SCARCE], ids=["a limit on the process", "a machine without more"])
def test_the_batch_that_is_named_does_fit(script: str, tmp_path: Path, python: str) -> None:
    (tmp_path / "wide.cae").write_text(SPEC, "utf-8")

    def train(*more: str) -> subprocess.CompletedProcess[str]:
        command = [python, "-c", script, "train", "wide.cae", "--out", "run", *more]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)

    failed = train()
    told = re.search(r"out of memory with batch 1024: (\d+) fit: add `--set train\.batch=\1`", failed.stderr)
    assert failed.returncode == 2, failed.stderr
    assert told, failed.stderr
    assert "Traceback" not in failed.stderr
    assert not (tmp_path / "run").exists()
    then = train("--set", f"train.batch={told[1]}")
    assert then.returncode == 0, then.stderr
