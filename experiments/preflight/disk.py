"""Whether there is room in `.cache/` for what the stages that would run write there."""

from collections.abc import Collection

from experiments.preflight.findings import Findings, in_bytes

NEEDED = {
    "data_sets": 1_000_000_000,
    "zero_shot": 500_000_000,
    "cnn": 50_000_000,
    "vit": 50_000_000,
    "align": 4_500_000_000,
    "lora": 300_000_000,
    "generate": 10_000_000,
    "captions": 10_000_000,
    "variants": 100_000_000,
    "ablations": 10_000_000,
    "evidence": 10_000_000,
    "audit": 10_000_000,
}
"""Bytes that each stage leaves in `.cache/` at most, its downloads included, at the sizes of `offline`.

Most of it are checkpoints of the aligned captioner: three numbers for each of 135 million parameters, twice
while one takes the place of the one before.
"""
_LARGE = 100_000_000
"""Bytes from which on a stage is named."""


def findings_of_disk(stages: Collection[str], free: int) -> Findings:
    """Hold what the stages that would run are declared to need against the `free` bytes."""
    if not stages:
        return Findings()
    needed = {stage: NEEDED[stage] for stage in stages}
    total = sum(needed.values())
    large = ", ".join(f"{stage} {in_bytes(size)}" for stage, size in needed.items() if size >= _LARGE)
    sentence = (
        f"Disk: what would run needs up to {in_bytes(total)} in .cache{f' ({large})' if large else ''}, at "
        f"the sizes of the profile offline; {in_bytes(free)} are free."
    )
    if total <= free:
        return Findings(read=(sentence,))
    return Findings(
        problems=(
            f"{sentence} Make {in_bytes(total - free)} more free, or move .cache to another disk; a profile "
            "much smaller than offline needs less.",
        )
    )
