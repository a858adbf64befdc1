"""The results that are audited, and how far they come from what the brief used."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, TypeVar

from experiments.audit import brief
from experiments.datasets.cifar10_files import CIFAR10
from experiments.results import key_of
from experiments.results.ablations import Ablations
from experiments.results.align import Aligned
from experiments.results.audit import Shared
from experiments.results.captions import Comparison
from experiments.results.classification import CLASSIFIERS, Classification
from experiments.results.data_sets import DataSets
from experiments.results.evidence import Evidence, Tested
from experiments.results.generate import Generated
from experiments.results.lora import Lora
from experiments.results.source import named
from experiments.results.trained import TrainedClassifier
from experiments.results.variants import Variants
from experiments.results.zero_shot import ZeroShot

Value = TypeVar("Value")


class NotThereError(Exception):
    """What is looked into needs a result that is not there."""


def there(result: Value | None) -> Value:
    """Return a result, or a part of one, that may not be there.

    Raises:
        NotThereError: if it is None.
    """
    if result is None:
        raise NotThereError
    return result


def if_there(look: Callable[..., Value], *arguments: Any) -> Value | None:
    """Return what `look` finds, None if it asks for a result that is not there."""
    try:
        return look(*arguments)
    except NotThereError:
        return None


@dataclass(frozen=True)
class Run:
    """The result of every stage that is audited, under the stage's name, None where it is not there.

    `declared` names the stages that the profile has: a result of one of these is there or will be.
    """

    data_sets: DataSets
    zero_shot: ZeroShot | None
    cnn: TrainedClassifier | None
    vit: TrainedClassifier | None
    align: Aligned | None
    lora: Lora | None
    generate: Generated | None
    captions: Comparison | None
    variants: Variants | None
    ablations: Ablations | None
    evidence: Evidence | None
    declared: frozenset[str]

    @property
    def has_captioning(self) -> bool:
        """Whether the profile fine-tunes a captioner."""
        return "lora" in self.declared

    @property
    def has_classification(self) -> bool:
        """Whether the profile has a classifier."""
        return not self.declared.isdisjoint(CLASSIFIERS)

    @property
    def classifiers(self) -> dict[str, Classification]:
        """The results on the test images by stage, as far as they are there."""
        found = {"zero_shot": self.zero_shot, "vit": self.vit, "cnn": self.cnn}
        return {stage: result for stage, result in found.items() if result is not None}

    def tested(self, key: str) -> Tested:
        """Return the test of this key.

        Raises:
            NotThereError: if it is not there.
        """
        return there(there(self.evidence).tests.get(key))

    @property
    def is_cifar10(self) -> bool:
        """Whether the test images are those of the brief, fetched as such, by the hash of their labels."""
        fetched = there(self.data_sets.images).kind in {"cifar10", "torchvision"}
        return fetched and self.data_sets.labels_sha256 == CIFAR10["test_labels"]

    @property
    def is_the_briefs_captioner(self) -> bool:
        """Whether the captioner is the brief's; a copy under another name is not known as such."""
        return there(self.align).model == there(self.lora).model == brief.CAPTIONER

    @property
    def has_the_briefs_targets(self) -> bool:
        """Whether the adapter is on the layers that the brief names."""
        return set(there(self.lora).targets) == set(brief.TARGETS)

    @property
    def is_flickr30k(self) -> bool:
        """Whether the captioned photos are the brief's: from a hub's repository that is known for them."""
        photos = there(self.data_sets.photos)
        return photos.kind == "flickr30k" and photos.files is None and photos.name in brief.FLICKR30K

    @property
    def is_the_briefs_tuning(self) -> bool:
        """Whether the brief's captioner was tuned on the brief's data, in the layers that the brief names."""
        return self.is_the_briefs_captioner and self.is_flickr30k and self.has_the_briefs_targets

    @property
    def zero_shot_weights(self) -> str:
        """The zero-shot model's weights by name, which is the same wherever they were found."""
        return named(there(self.zero_shot).weights)

    @property
    def has_the_briefs_clip(self) -> bool:
        """Whether the zero-shot model has the weights of the brief's, whatever it was tested on."""
        return there(self.zero_shot).is_clip and self.zero_shot_weights in brief.CLIP_WEIGHTS

    @property
    def is_the_briefs_clip(self) -> bool:
        """Whether the zero-shot model is the brief's, tested on the brief's images."""
        return self.has_the_briefs_clip and self.is_cifar10

    @property
    def shared(self) -> Shared:
        """What of the brief's experiments this run has as well."""
        return Shared(
            captioner=if_there(lambda: self.is_the_briefs_captioner),
            targets=if_there(lambda: self.has_the_briefs_targets),
            photos=if_there(lambda: self.is_flickr30k) if self.has_captioning else None,
            zero_shot=if_there(lambda: self.has_the_briefs_clip),
            images=if_there(lambda: self.is_cifar10) if self.has_classification else None,
        )

    @property
    def forgetting(self) -> Tested | None:
        """The test of what the adapter of stage `lora` forgot.

        It is None where no variant is that adapter, or there are no held-out photos.

        Raises:
            NotThereError: if it is not there yet.
        """
        evidence, tuned = there(self.evidence), there(self.variants).variants
        at = there(self.lora).position_among(tuned)
        key = None if at is None else key_of.forgotten(tuned[at].key)
        if key is None or (key not in evidence.tests and key not in evidence.absent):
            return None
        return self.tested(key)


def run_of(inputs: Mapping[str, Any]) -> Run:
    """Return the results by stage as a `Run`.

    A stage that the profile does not have is not among the `inputs`; one that has no result yet is None.
    """
    results = {field.name: inputs.get(field.name) for field in fields(Run) if field.name != "declared"}
    return Run(**results, declared=frozenset(inputs))  # pyright: ignore[reportArgumentType]
