"""A way of tuning a captioner, as data: an adapter of some rank on some layers, or the whole network."""

import dataclasses
from dataclasses import dataclass

from experiments.captioning import adapter
from experiments.captioning.captioners.captioner import Captioner
from experiments.captioning.tuning import Recipe


@dataclass(frozen=True)
class Way:
    """One way of tuning; without a `rank` the whole network is tuned, and the adapter's options are idle."""

    key: str
    name: str
    rank: int | None
    targets: tuple[str, ...]
    alpha: int
    dropout: float
    recipe: Recipe


def prepared(captioner: Captioner, way: Way) -> Captioner:
    """Return the captioner with what `way` tunes trainable, and nothing else: it is not tuned yet.

    Without an adapter that is every parameter of the network that works on the frozen tower's features. The
    captioner passed in shares the network and must not be used on.

    Raises:
        UserError: if a target matches no linear layer.
    """
    if way.rank is not None:
        return adapter.with_adapter(
            captioner,
            r=way.rank,
            alpha=way.alpha,
            dropout=way.dropout,
            targets=way.targets,
            seed=way.recipe.seed,
        )
    for name, parameter in captioner.network.named_parameters():
        parameter.requires_grad_(not name.startswith(adapter.TOWER))
    return dataclasses.replace(captioner)  # pyright: ignore[reportArgumentType]
