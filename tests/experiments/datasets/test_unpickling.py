import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from experiments.datasets.unpickling import only_plain_pickles
from experiments.models.torchvision_shim import declare_missing_operators

declare_missing_operators()

from torchvision.datasets import cifar, lsun  # noqa: E402

MODULES: list[Any] = [cifar, lsun]


class Runs:
    """What runs a call when a plain pickle of it is loaded."""

    def __init__(self, call: Callable[..., object], *arguments: object) -> None:
        self.reduced = call, arguments

    def __reduce__(self) -> Any:
        return self.reduced


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize("protocol", [2, 4])
def test_a_data_sets_pickle_of_arrays_is_read_and_one_of_code_is_not_run(
    module: Any, protocol: int, tmp_path: Path
) -> None:
    file, ran = tmp_path / "data_batch_1", tmp_path / "ran"
    pixels = np.arange(6, dtype=np.uint8).reshape(2, 3)
    plain = {"data": pixels, "labels": [0, 1], b"keys": [b"a"]}
    for content in (plain, {"data": Runs(os.mkdir, str(ran))}, Runs(eval, "1")):
        file.write_bytes(pickle.dumps(content, protocol=protocol))
        with only_plain_pickles(), file.open("rb") as opened:
            if content is plain:
                found = module.pickle.load(opened, encoding="latin1")
                assert np.array_equal(found["data"], pixels) and found["labels"] == [0, 1]
            else:
                with pytest.raises(pickle.UnpicklingError, match="would run code"):
                    module.pickle.load(opened, encoding="latin1")
    assert not ran.exists()
    assert module.pickle is pickle, "what others read is none of our business"
