"""The key of each test in `Evidence.tests`, made here alone, for the stage that tests and all that read."""

from typing import Literal

Extreme = Literal["hardest", "easiest"]


def pair(one: str, other: str) -> str:
    """Of one classifier against another, by the names of their stages."""
    return f"{one}_{other}"


def chance(stage: str) -> str:
    """Of a classifier against guessing."""
    return f"{stage}_chance"


def prompts(position: int) -> str:
    """Of the zero-shot model's set of prompts at a position against its first."""
    return f"prompts_{position}"


def extreme(stage: str, which: Extreme) -> str:
    """Of a classifier's hardest or easiest class against the next."""
    return f"{stage}_{which}"


def confusion(stage: str) -> str:
    """Of a classifier's most frequent mistake against the next."""
    return f"{stage}_confusion"


def caption(measure: str) -> str:
    """Of the captions after fine-tuning against those before, by the key of a measure."""
    return f"caption_{measure}"


def forgotten(variant: str) -> str:
    """Of a variant against the base on held-out photos."""
    return f"forgotten_{variant}"


def held_out(variant: str) -> str:
    """Of the adapter of stage `lora` against a variant on held-out photos."""
    return f"held_out_{variant}"


def distance(variant: str) -> str:
    """Of the adapter of stage `lora` against a variant by the style of their captions."""
    return f"distance_{variant}"
