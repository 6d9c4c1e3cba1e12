"""Available memory: the minimum over the machine, the control groups and the process limits."""

import subprocess
import sys
from pathlib import Path

import pytest

from caedsl.machine.memory import available_memory, own_process, refused_beyond_available

MIB = 1 << 20


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    (tmp_path / "proc" / "self").mkdir(parents=True)
    (tmp_path / "proc" / "meminfo").write_text(f"MemTotal: 9999999 kB\nMemAvailable:  {4096 * 1024} kB\n")
    return tmp_path / "proc"


def group(folder: Path, files: dict[str, object]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_text(f"{content}\n")
    return folder


def test_a_machine_without_groups_has_what_is_available(proc: Path, tmp_path: Path) -> None:
    assert available_memory(proc, tmp_path / "none") == 4096 * MIB


def test_the_tightest_group_of_version_2_decides(proc: Path, tmp_path: Path) -> None:
    (proc / "self" / "cgroup").write_text("0::/outer/inner\n")
    groups = group(tmp_path / "cgroup", {})
    outer = group(groups / "outer", {"memory.max": 1000 * MIB, "memory.current": 700 * MIB})
    group(outer / "inner", {"memory.max": "max", "memory.current": 1})
    assert available_memory(proc, groups) == 300 * MIB
    (outer / "memory.stat").write_text(f"anon 5\ninactive_file {200 * MIB}\n")
    assert available_memory(proc, groups) == 500 * MIB


def test_groups_of_version_1_are_read(proc: Path, tmp_path: Path) -> None:
    (proc / "self" / "cgroup").write_text("5:cpu:/a\n4:memory:/job:7\n0::/\n")
    usage = {"memory.limit_in_bytes": 900 * MIB, "memory.usage_in_bytes": 500 * MIB}
    groups = group(tmp_path / "cgroup", {})
    group(groups / "memory" / "job:7", {**usage, "memory.stat": f"total_inactive_file {100 * MIB}"})
    assert available_memory(proc, groups) == 500 * MIB


def test_a_container_sees_its_group_at_the_root(proc: Path, tmp_path: Path) -> None:
    (proc / "self" / "cgroup").write_text("0::/docker/0123\n")
    groups = group(tmp_path / "cgroup", {"memory.max": 64 * MIB, "memory.current": 70 * MIB})
    assert available_memory(proc, groups) == 0


@pytest.mark.skipif(sys.platform != "linux", reason="limits are read from /proc")
@pytest.mark.parametrize("limit", ["AS", "DATA"])
def test_limits_of_the_process_count(limit: str) -> None:
    code = f"""
import resource
from caedsl.machine.memory import available_memory, refused_beyond_available
resource.setrlimit(resource.RLIMIT_{limit}, (3 << 30, 3 << 30))
print(available_memory())
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 0 < int(ran.stdout) < 3 << 30


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is one of Linux")
def test_memory_that_is_not_there_is_refused_until_the_end(proc: Path, tmp_path: Path) -> None:
    import resource

    before = resource.getrlimit(resource.RLIMIT_DATA)
    taken = 1 << 32
    (proc / "self" / "status").write_text(f"Name: python\nVmData: {taken} kB\n")
    (proc / "meminfo").write_text("MemAvailable: 4000 kB\nSwapFree: 10 kB\n")
    with own_process(), refused_beyond_available(proc, tmp_path / "none"):
        inside, _ = resource.getrlimit(resource.RLIMIT_DATA)
        assert inside == 1024 * (taken + 4000 + 10)
    assert resource.getrlimit(resource.RLIMIT_DATA) == before


def test_a_system_that_does_not_say_refuses_nothing(tmp_path: Path) -> None:
    with own_process(), refused_beyond_available(tmp_path, tmp_path):
        assert len(bytes(MIB)) == MIB
