"""Cores that a process may use, how busy they are, and the wait policy that follows."""

from collections.abc import Callable
from pathlib import Path

import pytest

from caedsl.machine.cores import (
    SAMPLES,
    SET_BY_USER,
    WAIT_POLICY,
    allowed_cores,
    busy_cores,
    choose_wait_policy,
    cpu_quota,
)


def system(root: Path, groups: str, **files: str) -> Path:
    """Return a file system with these control groups and files below ``sys/fs/cgroup``, `/` written as `__`."""
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text(groups)
    for name, text in files.items():
        path = root / "sys/fs/cgroup" / name.replace("__", "/").replace("DOT", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.mark.parametrize(
    ("groups", "files", "quota"),
    [
        ("0::/\n", {"cpuDOTmax": "150000 100000\n"}, 1.5),
        ("0::/\n", {"cpuDOTmax": "max 100000\n"}, None),
        ("0::/a/b\n", {"a__cpuDOTmax": "200000 100000\n", "a__b__cpuDOTmax": "max 100000\n"}, 2.0),
        ("0::/a/b\n", {"a__cpuDOTmax": "200000 100000\n", "a__b__cpuDOTmax": "300000 100000\n"}, 2.0),
        ("0::/of/the/host\n", {"cpuDOTmax": "400000 100000\n"}, 4.0),
        (
            "4:cpu,cpuacct:/job\n0::/\n",
            {"cpu,cpuacct__job__cpuDOTcfs_quota_us": "50000\n", "cpu,cpuacct__job__cpuDOTcfs_period_us": "100000\n"},
            0.5,
        ),
        ("4:cpu:/\n", {"cpu__cpuDOTcfs_quota_us": "-1\n", "cpu__cpuDOTcfs_period_us": "100000\n"}, None),
        ("4:cpu:/\n", {"cpu__cpuDOTcfs_quota_us": "100000\n", "cpu__cpuDOTcfs_period_us": "0\n"}, None),
        ("4:cpuset:/a\n", {"cpuset__a__cpuDOTmax": "100000 100000\n"}, None),
        ("no such line\n", {}, None),
        ("0::/\n", {"cpuDOTmax": "many few\n"}, None),
    ],
)
def test_a_quota_is_read(groups: str, files: dict[str, str], quota: float | None, tmp_path: Path) -> None:
    assert cpu_quota(system(tmp_path, groups, **files)) == quota


def test_a_system_without_control_groups_has_no_quota(tmp_path: Path) -> None:
    assert cpu_quota(tmp_path) is None


@pytest.mark.parametrize(("limit", "cores"), [("50000", 1), ("350000", 3), ("900000", 6), ("max", 6)])
def test_affinity_and_quota_bound_the_cores(
    limit: str, cores: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(6)), raising=False)
    assert allowed_cores(system(tmp_path, "0::/\n", cpuDOTmax=f"{limit} 100000\n")) == cores


def test_busy_cores_are_those_allowed_without_idle_waiting_and_low_priority(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1}, raising=False)
    stat = tmp_path / "proc/stat"
    stat.parent.mkdir()
    stat.write_text(
        "cpu 9 9 9 9 9 9 9 9 0 0\ncpu0 0 0 0 0 0 0 0 0 0 0\ncpu1 5 5 5 5 5 0 0 0 0 0\ncpu2 0 0 0 0 0 0 0 0\n"
    )

    def later(_: float) -> None:
        stat.write_text("cpu0 40 10 10 30 10 0 0 0 0 0\ncpu1 5 105 5 5 5 0 0 0 0 0\ncpu2 100 0 0 0 0 0 0 0\nintr 1\n")

    assert busy_cores(system=tmp_path, sleep=later) == pytest.approx(0.5)
    assert busy_cores(system=tmp_path / "nowhere", sleep=later) == 0


def used(*cores: float) -> Callable[[], float]:
    samples = iter(cores)
    return lambda: next(samples)


def test_waiting_threads_sleep_beside_busy_processes() -> None:
    environment: dict[str, str] = {}
    said = choose_wait_policy(environment, 2, used(*[1.0] * SAMPLES), "linux", ())
    assert environment == {WAIT_POLICY: "PASSIVE"}
    assert said is not None and "50% of the 2 cores" in said and f"{WAIT_POLICY}=ACTIVE" in said


@pytest.mark.parametrize("samples", [(0.1,), (1.0, 0.1)])
def test_waiting_threads_spin_on_a_quiet_machine(samples: tuple[float, ...]) -> None:
    environment: dict[str, str] = {}
    assert choose_wait_policy(environment, 2, used(*samples), "linux", ()) is None
    assert environment == {}


@pytest.mark.parametrize("given", [*({name: "x"} for name in SET_BY_USER), {"OMP_NUM_THREADS": "1"}])
def test_what_the_user_set_stays(given: dict[str, str]) -> None:
    environment = dict(given)
    assert choose_wait_policy(environment, 2, used(), "linux", ()) is None
    assert environment == given


@pytest.mark.parametrize(
    ("cores", "platform", "imported"), [(1, "linux", ()), (2, "darwin", ()), (2, "linux", ("torch",))]
)
def test_nothing_is_measured_where_it_could_change_nothing(
    cores: int, platform: str, imported: tuple[str, ...]
) -> None:
    assert choose_wait_policy({}, cores, used(), platform, imported) is None
