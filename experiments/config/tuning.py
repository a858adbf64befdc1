"""How a captioner is fine-tuned and how it writes: `[lora]`, `[variants]`, `[generation]`."""

from typing import Annotated

from pydantic import Field

from experiments.config.fields import Positive, Rate, Seed, Text
from pipeline.frozen import Frozen


class LoraConfig(Frozen):
    """Rank `r`, scale `alpha` and the adapted modules, and how long and how fast to tune.

    `targets` are the last parts of the names of linear layers of the captioner's network. The learning
    rate falls linearly to 0.
    """

    seed: Seed
    r: Positive
    alpha: Positive
    dropout: Annotated[float, Field(ge=0, lt=1)]
    targets: Annotated[tuple[Text, ...], Field(min_length=1)]
    epochs: Positive
    batch_size: Positive
    learning_rate: Rate


class VariantsConfig(Frozen):
    """Which variants to try besides the section `[lora]`, whose other settings they share.

    Each of `ranks` keeps the ratio of alpha to r. `attention_targets` are the attention's layers alone.
    Full fine-tuning takes `full_learning_rate`, since it has no alpha to scale by.
    """

    ranks: tuple[Positive, ...]
    attention_targets: Annotated[tuple[Text, ...], Field(min_length=1)]
    full_learning_rate: Rate

    def keys(self, rank: int) -> tuple[str, ...]:
        """Return the keys of all variants, beside a section `[lora]` with this `rank`."""
        return (*map(rank_key, sorted({*self.ranks, rank})), "attention", "full")


def rank_key(rank: int) -> str:
    """Return the key of the variant that differs from section `[lora]` in its rank at most."""
    return f"rank_{rank}"


class GenerationConfig(Frozen):
    """Beam search with `beams` beams (1 is greedy); a caption is cut off after `max_new_tokens` tokens."""

    max_new_tokens: Positive
    beams: Annotated[int, Field(ge=1, le=100)]
