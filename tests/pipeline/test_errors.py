import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.errors import reason

HUB = (
    "The repository org/x contains custom code which must be executed to correctly load the model. "
    "You can inspect it at hf.co/org/x. Please pass the argument `trust_remote_code=True` to run it."
)


def refuse(content: str) -> None:
    raise ValueError(content)


def load_with_torch(file: Path) -> None:
    torch.save({"path": file}, file)
    torch.load(file, weights_only=True)


def load_in_an_old_format(file: Path) -> None:
    torch.save({"path": file}, file, _use_new_zipfile_serialization=False)
    torch.load(file, weights_only=True)


def load_with_numpy(file: Path) -> None:
    np.save(file.with_suffix(".npy"), np.array([file], dtype=object))
    np.load(file.with_suffix(".npy"))


def load_pickle_with_numpy(file: Path) -> None:
    file.write_bytes(pickle.dumps({}))
    np.load(file)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (load_with_torch, "Weights only load failed"),
        (load_in_an_old_format, "Weights only load failed"),
        (load_with_numpy, "ValueError"),
        (load_pickle_with_numpy, ""),
        (lambda _: refuse(HUB), "You can inspect it at hf.co/org/x"),
        (lambda _: refuse("Torch says: no such file"), "Torch says: no such file"),
    ],
)
def test_advice_to_lower_a_guard_is_not_passed_on(call: Callable[[Path], None], said: str, tmp_path: Path):
    with pytest.raises(Exception) as refused:
        call(tmp_path / "file.pt")
    told = reason(refused.value)
    assert said in told and "\n" not in told
    for word in (
        "weights_only",
        "trust_remote_code",
        "allow_pickle",
        "safe_globals",
        "trusted source",
        "\x1b",
    ):
        assert word not in told
