"""How much room a run needs in `.cache/`, and whether it is there."""

from collections.abc import Mapping

from experiments.checking.counts import Counts
from experiments.checking.findings import Findings
from experiments.checking.networks import NetworkSize, TowerSize
from experiments.checking.shapes import LITE0_FEATURES, Shape
from experiments.checking.wording import in_bytes
from experiments.profile import Profile
from experiments.sections.captioner import PrefixCaptionerSection

FLOAT = 4
"""Bytes of a number in float32, in which features, weights and checkpoints are kept."""
_MOMENTS = {"cnn": 1, "vit": 2}
"""Numbers that the optimiser keeps for each parameter: SGD the momentum, AdamW two moments."""
_WHILE_REPLACED = 2
"""A checkpoint is written whole before it takes the place of the one before."""


def bytes_of_results(
    profile: Profile,
    counts: Counts,
    shape: Shape | None,
    tower: TowerSize | None,
    networks: Mapping[str, NetworkSize],
) -> dict[str, int]:
    """Return how many bytes a run writes into `.cache/`, by what they are; what is not known is left out."""
    needs = {
        "images made ready": (counts.train + counts.test) * (3 * counts.side**2 + 32) * counts.stored,
        "checkpoints of the classifiers": sum(
            _WHILE_REPLACED * FLOAT * size.parameters * (1 + _MOMENTS[name])
            for name, size in networks.items()
        ),
    }
    if tower:
        needs["features for zero-shot"] = FLOAT * tower.feature * (counts.unlabelled + counts.test)
    if shape:
        features = (counts.tuning + counts.evaluation + counts.held_out) * shape.tokens * shape.feature
        needs["features for captions"] = FLOAT * (features + counts.aligned * shape.tokens * LITE0_FEATURES)
        needs["adapters"] = FLOAT * _adapters(profile, shape)
        if isinstance(profile.captioner, PrefixCaptionerSection):
            needs["the aligned captioner"] = FLOAT * shape.tuned
            needs["its checkpoints"] = _WHILE_REPLACED * FLOAT * 3 * shape.tuned
    return needs


def findings_of_disk(
    needs: Mapping[str, int], downloads: Mapping[str, int], there: int, free: int
) -> Findings:
    """Hold what a run writes and fetches against the `free` bytes; `there` bytes of it are there already."""
    wanted = {**needs, **{f"downloading {name}": size for name, size in downloads.items()}}
    total, left = sum(wanted.values()), max(0, sum(wanted.values()) - there)
    parts = ", ".join(f"{what} {in_bytes(size)}" for what, size in wanted.items() if size >= 1e6)
    sentence = (
        f"Disk: a run needs about {in_bytes(total)} in .cache{f' ({parts})' if parts else ''}, of which "
        f"{in_bytes(total - left)} are there; {in_bytes(free)} are free."
    )
    if left <= free:
        return Findings(read=(sentence,))
    return Findings(
        problems=(f"{sentence} Make {in_bytes(left - free)} more free, or move .cache to another disk.",)
    )


def _adapters(profile: Profile, shape: Shape) -> int:
    """Return the parameters of all adapters that are kept, and of the checkpoint of the profile's own."""
    lora, variants = profile.lora, profile.variants
    own = shape.adapter_parameters(lora.r, lora.targets)
    ranks = sum(shape.adapter_parameters(rank, lora.targets) for rank in variants.ranks)
    attention = shape.adapter_parameters(lora.r, variants.attention_targets)
    return own + ranks + attention + _WHILE_REPLACED * 3 * own
