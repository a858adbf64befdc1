"""What the assignment's own report and the literature state, held against what was measured here."""

from typing import Literal, get_args

from experiments.results.source import Source
from pipeline.frozen import Frozen
from pipeline.result import Estimate, Result

Verdict = Literal["agrees", "differs", "cannot_tell", "not_comparable"]
"""Whether a measured figure agrees with a stated one; a sample may be too small to tell.

What was measured with another model, on other data or on another machine is not comparable."""

AnchorReason = Literal["other_images", "not_repeated", "other_weights", "very_weights"]
"""Why a published figure is compared or not: it is only with the very weights, on the very images."""

Topic = Literal["tuning", "captions", "classification"]
"""What part of the brief a claim belongs to."""

Unit = Literal[
    "text",
    "count",
    "count_of",
    "parameters",
    "part",
    "share",
    "interval",
    "change",
    "bytes",
    "seconds",
    "rate",
    "number",
    "bits",
]
"""How `found` is to be read.

Shares lie in [0, 1], an interval is that of a share, and a change (like bits) a difference. A rate is
images per second. For a part and a count_of, `derived` holds the figures `part` and `whole`.
"""


class Shared(Frozen):
    """Which parts of the brief's experiments a run has as well.

    They are the captioner, the `targets` of its adapter and the captioned `photos`, the weights of the
    `zero_shot` model and the test `images`. What another run measured with other ones is not comparable.
    """

    captioner: bool
    targets: bool
    photos: bool
    zero_shot: bool
    images: bool


class AuditedClaim(Frozen):
    """One claim of the assignment's report (the brief), and what was found of it.

    `what` names the subject, `stated_text` is what the brief says of it. Where that is a number, `stated`
    is the number, and `stated_low` to `stated_high` are those that the words cover, since the brief rounds
    or gives a range. `found` or `found_text` is what was found instead, `origin` the place in the results
    that it comes from, or what it was derived from. `derived` holds further figures by name.

    `reason` says in a word why the verdict is what it is: each has one verdict. The sentence is the page's.
    """

    id: str
    topic: Topic
    what: str
    unit: Unit
    stated_text: str
    stated: int | float | None
    stated_low: int | float | None
    stated_high: int | float | None
    found: int | float | Estimate | None
    found_text: str | None
    origin: str
    derived: dict[str, int | float]
    verdict: Verdict
    reason: str


class Anchor(Frozen):
    """A published accuracy on CIFAR-10's test images.

    `comparable_with` is the stage that ran these very weights, if one did, `measured` the accuracy that it
    reached with `templates` prompts a class. They agree if the interval of `measured` lies within
    `tolerance` of `value`, and differ if it lies wholly outside.
    """

    id: str
    model: str
    value: float
    source: str
    tolerance: float
    comparable_with: str | None
    measured: Estimate | None
    templates: int | None
    verdict: Verdict
    reason: AnchorReason


class Check(Frozen):
    """A known failure of such projects, looked for in the results of `stages`.

    `count` says how often it was found, `of` among how many, `where` in which stages (none if nowhere). An
    error would make figures wrong; a warning is something that their reader must know.
    """

    id: str
    count: int
    of: int
    passed: bool
    stages: tuple[str, ...]
    where: tuple[str, ...]
    severity: Literal["error", "warning"]


class Asset(Frozen):
    """Something from outside that results rest on.

    `hashed` says what the hash of its `source` is of: something that is checked before use, or for a user's
    own files what was recorded. It is None where there is no hash. `stages` are those that use it first.
    """

    kind: Literal["weights", "data", "text"]
    source: Source
    hashed: str | None
    stages: tuple[str, ...]


class Audit(Result):
    """Claims of the brief, published figures, known failures and assets, each by its id.

    `shared` says how far the run comes from what the brief used.
    """

    shared: Shared
    claims: dict[str, AuditedClaim]
    published: dict[str, Anchor]
    checks: dict[str, Check]
    assets: dict[str, Asset]

    @property
    def verdicts(self) -> dict[str, int]:
        """How many claims have each verdict."""
        found = [claim.verdict for claim in self.claims.values()]
        return {verdict: found.count(verdict) for verdict in get_args(Verdict)}

    @property
    def failed(self) -> int:
        """How many checks are not passed."""
        return sum(not check.passed for check in self.checks.values())

    def headline(self) -> dict[str, float]:
        """Return the figures that a fresh run is compared on, by name."""
        return {**self.verdicts, "failed checks": self.failed}
