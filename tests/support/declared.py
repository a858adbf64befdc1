"""The section of the tests that a profile would have that declares just what made-up results hold."""

from collections.abc import Mapping
from typing import Any

from experiments.config.comparison import EvidenceConfig
from experiments.results.classification import CLASSIFIERS
from experiments.results.variants import Variants


def declaring(results: Mapping[str, Any], resamples: int, *, exploratory: bool = True) -> EvidenceConfig:
    """Return the config under which `results` are all that there will be."""
    tuned: Variants | None = results.get("variants")
    variants = list(tuned.variants) if tuned else []
    main = results["lora"].position_among(variants) if "lora" in results else None
    return EvidenceConfig(
        seed=0,
        resamples=resamples,
        significance=0.05,
        exploratory=exploratory,
        classifiers=tuple(stage for stage in CLASSIFIERS if stage in results),
        prompt_sets=len(results["zero_shot"].prompt_sets) if "zero_shot" in results else 0,
        captions="generate" in results,
        variants=tuple(variant.key for variant in variants),
        adapter=None if main is None else variants[main].key,
        held_out="align" in results and bool(results["align"].held_out_labels),
    )
