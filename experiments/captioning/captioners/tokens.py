"""From captions to tokens and back, the same for every captioner."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from experiments.results.caption import Caption


def tokenise(tokenizer: Any, captions: Sequence[str]) -> tuple[Tensor, Tensor]:
    """Return the tokens (N, L) of captions and their mask (N, L), 1 where a token counts.

    Each caption gets the end-of-sequence token, without which a model cannot learn to stop; it counts
    even where the padding token is the same one, since the mask, not the token, tells padding.
    """
    rows = [[*tokenizer(caption, add_special_tokens=False)["input_ids"], tokenizer.eos_token_id]
            for caption in captions]  # fmt: skip
    length = max(map(len, rows))
    tokens = torch.full((len(rows), length), tokenizer.eos_token_id)
    mask = torch.zeros((len(rows), length), dtype=torch.long)
    for position, row in enumerate(rows):
        tokens[position, : len(row)] = torch.tensor(row)
        mask[position, : len(row)] = 1
    return tokens, mask


def cross_entropy(logits: Tensor, tokens: Tensor, weights: Tensor) -> Tensor:
    """Return the mean cross-entropy in nats of tokens (N, L) under logits (N, L, V), weighted by (N, L).

    `logits[:, t]` must be those that predict `tokens[:, t]`; a token of weight 0 does not count.
    """
    each = functional.cross_entropy(logits.float().flatten(0, 1), tokens.flatten(), reduction="none")
    return (each.view_as(weights) * weights).sum() / weights.sum()


def read(tokenizer: Any, tokens: Tensor) -> list[Caption]:
    """Return the captions that generated tokens (N, L) stand for, each up to its first end of sequence.

    White space becomes single spaces; control characters, which an untrained model writes, are dropped.
    """
    captions = []
    for row in tokens.tolist():
        ended = tokenizer.eos_token_id in row
        kept = row[: row.index(tokenizer.eos_token_id)] if ended else row
        text = tokenizer.decode(kept, skip_special_tokens=True)
        printable = "".join(mark for mark in " ".join(text.split()) if mark.isprintable())
        captions.append(Caption(text=printable, ended=ended))
    return captions
