from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

from experiments.captioning.tuning import Pairs, _backward


class Seen:
    """The second of two processes: notes where the tensors lie that it is to add up with the other's."""

    rank, count = 1, 2

    def __init__(self) -> None:
        self.devices: list[str] = []

    def all_reduce(self, tensor: torch.Tensor) -> torch.Tensor:
        self.devices.append(tensor.device.type)
        return tensor if tensor.ndim else torch.ones(())  # a number cannot be read from the device meta


def tokenizer(text: str, add_special_tokens: bool) -> dict[str, list[int]]:
    return {"input_ids": [1] * len(text.split())}


def test_a_process_without_captions_in_the_last_batch_adds_up_on_the_device_of_the_network() -> None:
    tokenizer.eos_token_id = 0  # pyright: ignore[reportFunctionMemberAccess]
    network = torch.nn.Linear(2, 3, device="meta")
    captioner: Any = SimpleNamespace(network=network, tokenizer=tokenizer)
    processes: Any = Seen()
    assert _backward(captioner, Pairs(np.zeros((1, 1, 2)), ["a dog"]), [0], processes) == 1
    assert processes.devices == ["meta"] * 3  # two gradients and the loss
