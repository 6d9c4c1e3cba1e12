"""A wrong line of `require` or `sweep` is one finding."""

import pytest

from tests.resolve.one_mistake.cases import beside_the_others, hold_one_finding

LINES = [
    ("require { parameters 4-64 }", "parameters 4..64"),
    ("require parameters 1..2 M", "require { parameters 1M..2M }"),
    ("require { parameters 1..2 million }", "parameters 1M..2M"),
    ("require { parameters 1k..2 M }", "parameters 1k..2M"),
    ("require { parameters 1..2 hours }", "parameters 4..64"),
    ("require parameters < 10k", "require { parameters < 10k }"),
    ("require { parameters => 10k }", "parameters >= 10k"),
    ("require { parameters < 2 million }", "`2M`"),
    ("require { memory < 2 GB }", "`2G`"),
    ("require { parameters 2 M }", "`parameters < 2M`"),
    ("sweep { train.batch [32, 64] }", "`train.batch 32 64`"),
    ("sweep { train.batch: [32, 64] }", "`train.batch 32 64`"),
    ("sweep:\n  train.batch 32 64\n}", "by `{`"),
    ("require { parameters: 2M }", "`parameters < 2M`"),
    ("sweep { bottleneck 8 16 }", "`bottleneck.units 8 16`"),
    ("sweep { bottleneck.dense 8 16 }", "`bottleneck.units 8 16`"),
    ("sweep { train.lr 1e-3 1e-4 }", "`train.optimizer.lr`"),
    ("sweep { train.learning_rate 1e-3 1e-4 }", "`train.optimizer.lr`"),
    ("sweep { width 8 16 }", "`let width = 8`"),
    ("sweep { encoder.width 8 16 }", "`let.width`"),
    ("sweep { train.optimizer.lr [1e-3 1e-4] }", "`train.optimizer.lr 1e-3 1e-4`"),
    ("sweep { train.optimizer.lr fast slow }", "write a number"),
    ("sweep { train.batch 8 many lots }", "write a number"),
    ("sweep { train.loss 1 2 3 }", "`loss mse`"),
]


@pytest.mark.parametrize(("line", "shown"), LINES)
def test_a_line_is_one_finding(line: str, shown: str) -> None:
    hold_one_finding(beside_the_others(line), shown)
