import numpy as np
import pytest
import torch

from experiments.models import peak_memory as module
from experiments.models.peak_memory import peak_memory

MIB = 2**20
on_linux = pytest.mark.skipif(not module._reset(), reason="this system keeps no high-water mark")


@on_linux
@pytest.mark.skipif(torch.cuda.is_available(), reason="the GPU's memory is measured")
def test_the_peak_is_that_of_the_block_and_not_of_earlier_work():
    earlier = np.ones(400 * MIB, dtype=np.uint8)
    del earlier
    with peak_memory() as idle:
        pass
    with peak_memory() as busy:
        work = np.ones(200 * MIB, dtype=np.uint8)
        del work
    assert idle.bytes is not None
    assert busy.bytes is not None
    assert 150 * MIB < busy.bytes - idle.bytes < 300 * MIB


def test_a_system_that_does_not_tell_gives_none(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "_reset", lambda: False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with peak_memory() as peak:
        pass
    assert peak.bytes is None
