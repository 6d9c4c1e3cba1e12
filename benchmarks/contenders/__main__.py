"""The process of one contender: python -m benchmarks.contenders NAME TASK."""

import sys
from importlib import import_module

from benchmarks.contenders import CONTENDERS
from benchmarks.contenders.gate import Gate
from benchmarks.contenders.task import Task

name, task = sys.argv[1:]
contender = CONTENDERS[name]
import_module(f"benchmarks.contenders.{contender.module}").train(Task.from_json(task), Gate(), contender.precision)
