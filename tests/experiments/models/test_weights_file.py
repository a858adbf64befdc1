import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from experiments.models.weights_file import read_tensors
from tests.support.refusals import refusal

STATE = {
    "visual.weight": torch.arange(6.0).view(2, 3),
    "text.bias": torch.ones(2),
    "logit_scale": torch.ones(()),
}
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"


def named(before: str = "", within: str = "") -> dict[str, torch.Tensor]:
    """Return the state as a wrapper around the network, and one around its image tower, would name it."""
    return {before + name.replace("visual.", f"visual.{within}"): tensor for name, tensor in STATE.items()}


class Mine:
    """A class that only its own project knows."""

    def __init__(self) -> None:
        self.path = Path("runs")


class Runs:
    """What runs a command when a plain pickle of it is loaded."""

    def __init__(self, call: Callable[..., object], *arguments: object) -> None:
        self.reduced = call, arguments

    def __reduce__(self) -> Any:
        return self.reduced


def options() -> dict[str, Any]:
    """Return what trainings keep beside the tensors."""
    state = {0: {"step": torch.tensor(3.0), "exp_avg": torch.ones(2)}}
    optimiser = {"state": state, "param_groups": [{"lr": 1}]}
    return {
        "epoch": 3,
        "best": np.float64(0.5),
        "losses": np.arange(4.0),
        "args": argparse.Namespace(lr=1e-3, folder=Path("runs")),
        "mine": Mine(),
        "optimizer": optimiser,
        "optimizer_states": [optimiser],
    }


LIGHTNING = {"pytorch-lightning_version": "2.5", "hyper_parameters": {"net": Mine()}, "loops": {"fit": {}}}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("plain.pt", STATE),
        ("beside.pt", STATE | options()),
        ("under_state_dict.pth", options() | {"state_dict": STATE}),
        ("under_model.bin", options() | {"model": STATE}),
        ("under_model_state_dict.pt", options() | {"model_state_dict": STATE}),
        ("under_a_name_of_its_own.pt", options() | {"my_clip": STATE}),
        ("with_an_average.pt", options() | {"model": STATE, "model_ema": named("ema.")}),
        ("a_tensor_beside.pt", options() | {"model": STATE, "temperature": torch.ones(3)}),
        ("lightning.ckpt", LIGHTNING | options() | {"state_dict": named("model.")}),
        ("compiled.pt", named("_orig_mod.")),
        ("compiled_in_part.pt", named(within="_orig_mod.")),
        ("wrapped_twice.pt", {"model": named("module._orig_mod.")}),
        ("lightning_in_parallel.ckpt", LIGHTNING | {"state_dict": named("module.model._orig_mod.")}),
        ("parameters.pt", {name: nn.Parameter(tensor) for name, tensor in STATE.items()}),
        ("a_command_beside.pt", {"model": STATE, "x": Runs(exec, "raise SystemExit('it was run')")}),
        ("compiled.safetensors", named("_orig_mod.")),
    ],
)
def test_tensors_are_found_as_trainings_keep_them(name: str, content: Any, tmp_path: Path):
    file = tmp_path / name
    save_file(content, file) if file.suffix == ".safetensors" else torch.save(content, file)
    found = read_tensors(file)
    assert found.keys() == STATE.keys()
    assert all(torch.equal(found[each], tensor) for each, tensor in STATE.items())


def test_tensors_in_torchs_older_format_are_read_and_what_is_beside_them_is_not(tmp_path: Path):
    for content, refused in (({"model": STATE, "epoch": 3}, False), ({"model": STATE, "mine": Mine()}, True)):
        torch.save(content, tmp_path / "old.pt", _use_new_zipfile_serialization=False)
        if refused:
            assert "(it holds something else)" in refusal(read_tensors, tmp_path / "old.pt")
        else:
            assert read_tensors(tmp_path / "old.pt").keys() == STATE.keys()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("model.pt", nn.Linear(2, 2), "holds a whole model (torch.nn.modules.linear.Linear), which only"),
        ("model.ckpt", {"epoch": 1, "model": nn.Linear(2, 2)}, "a whole model (torch.nn.modules"),
        ("gan.pt", {"generator": named("g."), "critic": named("c.")}, "of several networks (generator, c"),
        ("optimiser.pt", {"optimizer": options()["optimizer"]}, "holds no tensors with names"),
        ("list.pt", [torch.ones(2)], "holds no tensors with names"),
        ("deep.pt", {"a": {"b": STATE}}, "holds no tensors with names"),
        ("evil.pt", Runs(os.system, "touch ran"), "(it holds something else)"),
        ("pointer.bin", POINTER, "pointer of Git LFS"),
        ("pointer.safetensors", POINTER, "pointer of Git LFS"),
        ("page.ckpt", b"\n<!DOCTYPE html><html>Please log in.</html>", "it is a web page"),
    ],
)
def test_what_holds_no_tensors_that_can_be_had_is_told_for_what_it_is(
    name: str, content: Any, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    file = tmp_path / name
    file.write_bytes(content) if isinstance(content, bytes) else torch.save(content, file)
    sentence = refusal(read_tensors, file)
    assert sentence.startswith(f"{file} ") and said in sentence and "weights_only" not in sentence
    assert not (tmp_path / "ran").exists()
