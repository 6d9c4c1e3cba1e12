"""The cost rules: models and batches that exceed the memory, and dense layers with most of the weights."""

import pytest

from caedsl.diagnostics import Severity
from tests.rules.fragments import checked, fixed, found, the

PHOTOS = 'input 3x512x512\ndata folder "photos/"\nencoder { conv 64 k4 s2 relu; conv 64 relu x3; maxpool 4 }\n'


class TestTooLarge:
    @pytest.mark.parametrize(
        "fragment",
        [
            "encoder { conv 1000000 relu; conv 1000000 relu; maxpool 2 }",
            "input 1x60000x60000\nencoder { conv 64 relu; maxpool 2 }",
            "bottleneck dense 1000000\nencoder { conv 10000 relu }",
        ],
    )
    def test_more_than_a_terabyte(self, fragment: str) -> None:
        finding = the(fragment, "too-large")
        assert finding.severity is Severity.ERROR
        assert "TB" in finding.message

    def test_nothing_more_is_reported_of_the_cost(self) -> None:
        fragment = "data mnist\ntrain { batch 64 }\nbottleneck dense 1000000\nencoder { conv 10000 relu }"
        names = {f.name for f in checked(fragment).findings}
        assert names & {"too-large", "memory-budget", "dense-dominates"} == {"too-large"}

    def test_large_models_are_silent(self) -> None:
        assert not found(PHOTOS, "too-large")


class TestMemoryBudget:
    def test_a_smaller_batch_is_written(self) -> None:
        fragment = PHOTOS + "train { batch 256 }"
        assert the(fragment, "memory-budget").severity is Severity.WARNING
        assert "batch 64" in fixed(fragment, "memory-budget")

    def test_a_default_batch_has_nothing_to_replace(self) -> None:
        finding = the(PHOTOS + "train { epochs 3 }", "memory-budget")
        assert finding.fix is None
        assert finding.help == "write `batch 64`"

    @pytest.mark.parametrize(
        "fragment",
        [
            PHOTOS + "train { batch 16 }",
            PHOTOS,
            PHOTOS + "train { batch 256 }\nrequire { memory < 200G }",
            "data mnist\ntrain { batch 1024 }",
        ],
    )
    def test_silent(self, fragment: str) -> None:
        assert not found(fragment, "memory-budget")


class TestDenseDominates:
    LARGE = "input 3x128x128\nencoder { conv 32 k4 s2 relu; conv 64 relu }\nbottleneck dense %d"

    @pytest.mark.parametrize(("units", "severity"), [(64, Severity.INFO), (1024, Severity.WARNING)])
    def test_a_dense_layer_on_a_large_map(self, units: int, severity: Severity) -> None:
        assert the(self.LARGE % units, "dense-dominates").severity is severity

    def test_small_models_are_silent(self) -> None:
        assert not found("bottleneck dense 64", "dense-dominates")
