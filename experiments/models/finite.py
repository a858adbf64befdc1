"""Whether the weights of a network are numbers."""

from torch import nn


def not_finite(network: nn.Module) -> str | None:
    """Say in a clause which tensors of a network hold something else than finite numbers, None if none do."""
    wrong = [name for name, tensor in network.state_dict().items() if not tensor.isfinite().all()]
    return (
        f"{len(wrong)} of its tensors hold values that are no numbers, such as {wrong[0]}" if wrong else None
    )
