import pytest
import torch

from experiments.models import precision
from experiments.models.precision import chosen


def on_a_cpu_with(monkeypatch: pytest.MonkeyPatch, *, gain: float = 2.0, **capabilities: bool) -> None:
    """Let the machine have no GPU and a CPU with these capabilities, so many times faster in bf16."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    monkeypatch.setattr(precision, "_gain_of_bf16", lambda: gain)


def test_the_real_machine_names_its_capabilities_and_is_timed():
    assert isinstance(torch.cpu.get_capabilities()["architecture"], str)
    assert chosen("auto") in ("fp32", "bf16")
    threads = torch.get_num_threads()
    assert precision._gain_of_bf16.__wrapped__() > 0
    assert torch.get_num_threads() == threads


def test_it_is_the_shortest_times_that_are_compared(monkeypatch: pytest.MonkeyPatch):
    """On a machine that others use, now and then either takes far longer."""
    times = {"fp32": iter([9.0, 4.0, 2.0, 2.5, 8.0]), "bf16": iter([1.5, 1.0, 7.0, 9.0, 3.0])}
    monkeypatch.setattr(precision, "_seconds", lambda at, images, filters: next(times[at]))
    assert precision._gain_of_bf16.__wrapped__() == 2.0


@pytest.mark.parametrize("instructions", ["amx_bf16", "avx512_bf16", "bf16"])
@pytest.mark.parametrize(("gain", "expected"), [(1.6, "bf16"), (1.0, "fp32"), (0.6, "fp32")])
def test_auto_is_bf16_where_the_instructions_for_it_are_faster(
    monkeypatch: pytest.MonkeyPatch, instructions: str, gain: float, expected: str
):
    on_a_cpu_with(monkeypatch, gain=gain, **{instructions: True})
    assert chosen("auto") == expected


def test_auto_is_fp32_where_the_cpu_would_emulate_bf16_and_nothing_is_timed(monkeypatch: pytest.MonkeyPatch):
    on_a_cpu_with(monkeypatch, avx512_f=True, avx512_bf16=False, amx_bf16=False)
    monkeypatch.setattr(precision, "_gain_of_bf16", lambda: pytest.fail("it was timed"))
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
