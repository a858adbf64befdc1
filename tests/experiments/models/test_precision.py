import pytest
import torch

from experiments.models.precision import chosen


def on_a_cpu_with(monkeypatch: pytest.MonkeyPatch, **capabilities: bool) -> None:
    """Let the machine have no GPU and a CPU with these capabilities."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)


def test_the_real_machine_names_its_capabilities():
    assert isinstance(torch.cpu.get_capabilities()["architecture"], str)
    assert chosen("auto") in ("fp32", "bf16")


@pytest.mark.parametrize("instructions", ["amx_bf16", "bf16"])
def test_auto_is_bf16_where_the_cpu_has_instructions_for_it(
    monkeypatch: pytest.MonkeyPatch, instructions: str
):
    on_a_cpu_with(monkeypatch, **{instructions: True})
    assert chosen("auto") == "bf16"


def test_auto_is_fp32_where_the_cpu_would_emulate_bf16(monkeypatch: pytest.MonkeyPatch):
    on_a_cpu_with(monkeypatch, avx512_f=True, avx512_bf16=True, amx_bf16=False)
    assert chosen("auto") == "fp32"


@pytest.mark.parametrize("emulated", [True, False])
def test_auto_asks_the_gpu_where_there_is_one(monkeypatch: pytest.MonkeyPatch, emulated: bool):
    on_a_cpu_with(monkeypatch, amx_bf16=emulated)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: not emulated)
    assert chosen("auto") == ("fp32" if emulated else "bf16")


def test_a_named_precision_stands_whatever_the_machine(monkeypatch: pytest.MonkeyPatch):
    for has in (True, False):
        on_a_cpu_with(monkeypatch, amx_bf16=has)
        assert chosen("fp32") == "fp32"
        assert chosen("bf16") == "bf16"
