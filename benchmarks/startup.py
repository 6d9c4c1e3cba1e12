"""Compare the processor time of `caedsl check` on one spec with that of `import lark`: fresh processes that alternate.

    python benchmarks/startup.py [SPEC] [--runs 15]

The aim is a ratio of the medians of at most 2.5. Both sides run from byte code, as installed packages do. Processor
time is measured, so that other work on the machine does not matter.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("spec", nargs="?", default=str(ROOT / "specs" / "digits.cae"))
    parser.add_argument("--runs", type=int, default=15)
    arguments = parser.parse_args()
    commands = {
        "python -c pass": ["-c", "pass"],
        "import lark": ["-c", "import lark"],
        "caedsl check": ["-m", "caedsl", "check", arguments.spec],
    }
    with tempfile.TemporaryDirectory() as byte_code:
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        environment |= {"PYTHONPATH": str(ROOT), "PYTHONPYCACHEPREFIX": byte_code}
        times = measure(commands, environment, arguments.runs)
    for name, taken in times.items():
        print(f"{name:<16}{median(taken) * 1000:7.1f} ms  (best {min(taken) * 1000:.1f})")
    print(f"ratio {median(times['caedsl check']) / median(times['import lark']):.2f} (the aim is 2.5)")


def measure(commands: dict[str, list[str]], environment: dict[str, str], runs: int) -> dict[str, list[float]]:
    """Return the seconds of every run by command, without the first run, which writes the byte code."""
    times: dict[str, list[float]] = {name: [] for name in commands}
    for number in range(runs + 1):
        for name, command in commands.items():
            start = processor_time()
            done = subprocess.run([sys.executable, *command], env=environment, capture_output=True, check=False)
            if done.returncode not in (0, 1):
                sys.exit(f"`{name}` failed: {done.stderr.decode()}")
            if number:
                times[name].append(processor_time() - start)
    return times


def processor_time() -> float:
    """Return the seconds that the ended processes took, in their own code and in the system's."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
