"""Precision and device of a run."""

import os
from typing import Any

import pytest
import torch
from torch import nn

from caedsl.backends.torch.render import emit
from caedsl.runs.errors import TrainingError
from caedsl.training import device
from caedsl.training.device import choose_device
from caedsl.training.parallel.distributed import ProcessGroup
from caedsl.training.precision import Precision, choose_precision, exact_output

from .tiny import model_of, tiny

CPU = torch.device("cpu")


@pytest.mark.parametrize(("fast", "expected"), [(True, "bf16"), (False, "fp32")])
def test_auto_is_bf16_where_the_processor_has_it(fast: bool, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: fast, raising=False)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False, raising=False)
    assert choose_precision("auto", CPU) == Precision(expected, "cpu")


def test_fp16_on_a_cpu_is_refused() -> None:
    with pytest.raises(TrainingError, match=r"fp16 needs a CUDA device.*use bf16"):
        choose_precision("fp16", CPU)


@pytest.mark.parametrize(("name", "dtype"), [("fp32", torch.float32), ("bf16", torch.bfloat16)])
def test_autocast_computes_in_the_precision_and_weights_stay_in_32_bits(name: str, dtype: torch.dtype) -> None:
    module = tiny()
    with choose_precision(name, CPU).autocast():
        assert module.encoder(torch.rand(2, 1, 6, 6)).dtype == dtype
    assert {weight.dtype for weight in module.parameters()} == {torch.float32}


@pytest.mark.parametrize("chosen", ["highest", "high", "medium"])
@pytest.mark.parametrize(("name", "expected"), [("fp32", "ieee"), ("bf16", "tf32")])
def test_products_of_32_bits_are_exact_where_fp32_is_asked_for(name: str, expected: str, chosen: str) -> None:
    backends: Any = torch.backends
    switches = [backends.cuda.matmul, backends.cudnn.conv, backends.mkldnn.matmul, backends.mkldnn.conv]

    def settings() -> list[Any]:
        older = torch.get_float32_matmul_precision(), backends.cuda.matmul.allow_tf32, backends.cudnn.allow_tf32
        return [*older, *(switch.fp32_precision for switch in switches)]

    untouched = settings()
    torch.set_float32_matmul_precision(chosen)
    try:
        before = settings()
        with Precision(name, "cuda").products():
            # Other libraries use the older names; PyTorch raises if these and the newer ones disagree.
            tf32 = expected == "tf32"
            assert settings() == ["high" if tf32 else "highest", tf32, tf32, expected, expected, "ieee", "ieee"]
        assert settings() == before
    finally:
        torch.set_float32_matmul_precision("highest")
        for switch, value in zip(switches, untouched[3:], strict=True):
            switch.fp32_precision = value


def test_the_last_sigmoid_is_computed_in_32_bits() -> None:
    module = tiny()
    nn.init.constant_(module.get_parameter("decoder.1.bias"), 7.0)
    nn.init.zeros_(module.get_parameter("decoder.1.weight"))
    x = torch.rand(1, 1, 6, 6)
    with choose_precision("bf16", CPU).autocast():
        assert module(x).max() == 1
        with exact_output(module):
            assert module(x).max().item() == pytest.approx(1 / (1 + 2.718281828**-7), abs=1e-6)
        assert module(x).max() == 1


def test_devices_that_are_not_there_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    assert choose_device("auto") == choose_device("cpu") == CPU
    with pytest.raises(TrainingError, match=r"cuda is not available.*--device cpu"):
        choose_device("cuda")
    with pytest.raises(TrainingError, match="unknown device `gpu`: use auto, cpu or cuda"):
        choose_device("gpu")
    with pytest.raises(TrainingError, match="meta is not supported"):
        choose_device("meta")


@pytest.mark.parametrize("accepted", [0, 1])
def test_an_allocator_that_refuses_large_blocks_is_left_alone(accepted: int, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    class Libc:
        def mallopt(self, option: int, value: object) -> int:
            asked.append(option)
            return accepted

        def malloc_trim(self, kept: int) -> int:
            asked.append(-kept)
            return 1

    monkeypatch.setattr(device, "_has_glibc", lambda: True)
    monkeypatch.setattr(device.ctypes, "CDLL", lambda name: Libc())
    with device.keeping_freed_memory(torch.device("cpu")):
        assert len(asked) == 1 + accepted
    assert asked[-1] == 0, "what was kept is given back"
    asked.clear()
    with device.keeping_freed_memory(torch.device("cuda")):
        pass
    assert not asked


@pytest.mark.parametrize(
    ("visible", "launchers", "number"),
    [
        (4, [], 2),
        (4, ["SLURM_PROCID"], 2),
        (1, ["SLURM_PROCID"], 0),
        (1, [], None),
        (1, ["SLURM_PROCID", "TORCHELASTIC_RUN_ID"], None),
    ],
)
def test_each_process_has_a_device_that_it_sees(
    visible: int, launchers: list[str], number: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: visible)
    monkeypatch.setattr(torch.cuda, "set_device", lambda number: None)
    for variable in ("SLURM_PROCID", "TORCHELASTIC_RUN_ID"):
        monkeypatch.delenv(variable, raising=False)
    for variable in launchers:
        monkeypatch.setenv(variable, "2")
    group = object.__new__(ProcessGroup)
    group.number = group._on_this_machine = 2
    if number is None:
        with pytest.raises(TrainingError, match="has 1 CUDA device, but process 2 needs number 3"):
            group.device(torch.device("cuda"))
    else:
        assert group.device(torch.device("cuda")) == torch.device("cuda", number)


def test_kernels_are_deterministic_on_cuda_where_that_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    for kind, wanted in (("cuda", True), ("cuda", False), ("cpu", True)):
        with device.deterministic_kernels(torch.device(kind), wanted):
            assert torch.are_deterministic_algorithms_enabled() == (wanted and kind == "cuda")
        assert not torch.are_deterministic_algorithms_enabled()
    device.fix_cublas_workspace(torch.device("cpu"))
    assert "CUBLAS_WORKSPACE_CONFIG" not in os.environ
    device.fix_cublas_workspace(torch.device("cuda"))
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"


def test_an_operation_without_a_deterministic_kernel_is_named() -> None:
    refused = "upsample_cubic does not have a deterministic implementation, but you set …"
    for message, kind in ((refused, TrainingError), ("another error", RuntimeError)):
        with pytest.raises(kind, match=message.split()[0]), device.deterministic_kernels(torch.device("cuda"), True):
            raise RuntimeError(message)
    assert not torch.are_deterministic_algorithms_enabled()


def test_a_deterministic_spec_emits_a_deterministic_loop() -> None:
    text = """autoencoder a; input 1x8x8; encoder { conv 1 }; bottleneck; decoder mirror
    train { seed 3 deterministic }"""
    model = model_of(text)
    assert model.train is not None
    assert (model.train.seed, model.train.deterministic) == (3, True)
    line = "torch.use_deterministic_algorithms(True)"
    assert line in emit(model, training=True)
    assert line not in emit(model_of(text.replace(" deterministic", "")), training=True)
