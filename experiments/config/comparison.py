"""How results are compared and judged: `[captions]`, `[ablations]`, `[evidence]`, `[audit]`."""

from typing import Annotated

from pydantic import Field

from experiments.config.fields import Seed
from pipeline.frozen import Frozen

Language = Annotated[str, Field(pattern="^[a-z]{2,3}$")]
Resamples = Annotated[int, Field(ge=100, le=1_000_000)]
Share = Annotated[float, Field(ge=0, le=1)]


class CaptionsConfig(Frozen):
    """How differences are estimated, which photos serve as examples, and what language captions are in.

    `language` is a code such as "en", "zh" or "hi": of captions in other languages than English nothing is
    measured by English words, and where sacrebleu can part the language's words, it does. Intervals come from
    `resamples` draws with `seed`. The examples are the evaluation photos whose change of score stands at
    these shares of all changes in rising order.
    """

    seed: Seed
    resamples: Resamples
    example_quantiles: Annotated[tuple[Share, ...], Field(min_length=1, max_length=100)]
    language: Language = "en"


class AblationsOptions(Frozen):
    """Intervals come from `resamples` draws with `seed`."""

    seed: Seed
    resamples: Resamples


class AblationsConfig(AblationsOptions):
    """The section `[ablations]`, with the `language` of the captions that it measures."""

    language: Language = "en"


class EvidenceOptions(Frozen):
    """Intervals and bootstrap tests come from `resamples` draws with `seed`.

    `significance` is the probability of one false claim or more among all tests that is tolerated. An
    `exploratory` profile says that its figures mean nothing: it may draw fewer resamples than a bootstrap
    test needs to find anything.
    """

    seed: Seed
    resamples: Resamples
    significance: Annotated[float, Field(gt=0, lt=0.5)]
    exploratory: bool = False


class EvidenceConfig(EvidenceOptions):
    """The section `[evidence]`, with what the other sections declare that there will be tests of.

    These are the stages of `classifiers`, the number of `prompt_sets`, `captions` before and after
    fine-tuning, and the keys of the `variants` of tuning, of which `adapter` is the one of stage `lora`.
    `held_out` tells whether there are held-out photos to caption, `language` is that of the captions.
    """

    classifiers: tuple[str, ...]
    prompt_sets: int
    captions: bool
    variants: tuple[str, ...]
    adapter: str | None
    held_out: bool
    language: Language = "en"


class AuditConfig(Frozen):
    """`tolerance` is how near a measured accuracy must come to a stated one to agree with it (0.01: a point).

    Two evaluations of the same weights differ by as much through prompts, resizing and rounding.
    """

    tolerance: Annotated[float, Field(ge=0, lt=0.5)]
