"""How much memory a run needs at its peak, and whether it is there."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from experiments.checking.findings import Findings
from experiments.checking.networks import NetworkSize, TowerSize
from experiments.checking.shapes import Shape
from experiments.checking.wording import in_bytes
from experiments.classification.precision import chosen
from experiments.profile import Profile
from experiments.sections.captioner import PrefixCaptionerSection

FLOAT = 4
"""Bytes of a number in float32: weights, gradients and the optimiser's moments."""
_KEPT_PER_TOKEN = 34
"""Bytes that a transformer's layer keeps for each token and channel, in 16 bits (Korthikanti et al. 2022,
"Reducing Activation Recomputation in Large Transformer Models", arXiv:2205.05198), its attention aside."""
_COPIES_OF_LOGITS = 4
"""Logits as they are, in float32, as probabilities, and their gradient."""


@dataclass(frozen=True)
class Peak:
    """The bytes that a stage's work takes at its peak, and what takes them, in words."""

    stage: str
    bytes: float
    of: str


def peaks(
    profile: Profile,
    caption_length: int,
    shape: Shape | None,
    tower: TowerSize | None,
    networks: Mapping[str, NetworkSize],
) -> list[Peak]:
    """Return the peaks of the heavy stages, as far as the models' sizes are known.

    `caption_length` is that of the longest caption to tune on, in tokens.
    """
    found = []
    for name, size in networks.items():
        section = getattr(profile, name)
        kept = 2 * size.bytes_per_image * section.batch_size  # each with its gradient, at worst
        of = f"batches of {section.batch_size} images"
        found.append(Peak(name, kept + 4 * FLOAT * size.parameters, of))
    if tower:
        of = "its weights, twice while they are loaded"
        found.append(Peak("zero_shot", 2 * FLOAT * tower.parameters, of))
    return [*found, *_captioner_peaks(profile, caption_length, shape)] if shape else found


def _captioner_peaks(profile: Profile, caption_length: int, shape: Shape) -> Iterator[Peak]:
    captioner, lora = profile.captioner, profile.lora
    is_half = chosen(captioner.precision) == "bf16"
    # A prefix captioner's photos stand before the caption as tokens of their own.
    length = caption_length + shape.tokens * isinstance(captioner, PrefixCaptionerSection)
    weights = FLOAT * shape.tuned
    # In 16 bits the weights are there once more.
    still = FLOAT * shape.rest + weights + (weights / 2 if is_half else 0)
    batch = _batch(lora.batch_size, length, shape, is_half)
    adapter = 4 * FLOAT * shape.adapter_parameters(lora.r, lora.targets)
    yield Peak("lora", still + adapter + batch, "the captioner with its adapter")
    yield Peak(
        "variants",
        still + 3 * weights + batch,
        "full fine-tuning: the captioner's weights, their gradients and two moments each",
    )
    if isinstance(captioner, PrefixCaptionerSection):
        joint = _batch(captioner.joint.batch_size, length, shape, is_half)
        checkpoint = 2 * 3 * weights  # put together in memory, and copied once
        yield Peak(
            "align",
            still + 4 * weights + max(joint, checkpoint),
            "the language model's weights five times over, and a checkpoint of them",
        )


def findings_of_memory(found: list[Peak], base: int, available: int, where: str) -> Findings:
    """Hold the highest peak, on top of the `base` bytes of the libraries, against what is available."""
    if not found:
        return Findings(remarks=("Memory is not estimated: no model's size is known.",))
    highest = max(found, key=lambda peak: peak.bytes)
    sentence = (
        f"Memory: a run needs about {in_bytes(base + highest.bytes)} at its peak, in stage {highest.stage} "
        f"({highest.of}); {in_bytes(available)} are available {where}."
    )
    if base + highest.bytes <= available:
        return Findings(read=(sentence,))
    return Findings(
        problems=(f"{sentence} Lower batch sizes, name smaller models, or run it on a machine with more.",)
    )


def _batch(photos: int, length: int, shape: Shape, is_half: bool) -> float:
    """Return the bytes that training on a batch keeps: every layer's work, and the logits."""
    tokens = photos * length
    per_token = shape.depth * (_KEPT_PER_TOKEN * shape.width + 5 * shape.heads * length)
    return tokens * (per_token * (1 if is_half else 2) + _COPIES_OF_LOGITS * FLOAT * shape.vocabulary)
