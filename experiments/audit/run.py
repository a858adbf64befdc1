"""The results that are audited, and how far they come from what the brief used."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from experiments.audit import brief
from experiments.datasets.cifar10_files import CIFAR10
from experiments.results import key_of
from experiments.results.ablations import Ablations
from experiments.results.align import Aligned
from experiments.results.audit import Shared
from experiments.results.captions import Comparison
from experiments.results.classification import Classification
from experiments.results.data_sets import DataSets
from experiments.results.evidence import Evidence, Tested
from experiments.results.generate import Generated
from experiments.results.lora import Lora
from experiments.results.source import named
from experiments.results.trained import TrainedClassifier
from experiments.results.variants import Variants
from experiments.results.zero_shot import ZeroShot


@dataclass(frozen=True)
class Run:
    """The result of every stage that is audited, under the stage's name."""

    data_sets: DataSets
    zero_shot: ZeroShot
    cnn: TrainedClassifier
    vit: TrainedClassifier
    align: Aligned
    lora: Lora
    generate: Generated
    captions: Comparison
    variants: Variants
    ablations: Ablations
    evidence: Evidence

    @property
    def classifiers(self) -> dict[str, Classification]:
        """The results on the test images by stage."""
        return {"zero_shot": self.zero_shot, "vit": self.vit, "cnn": self.cnn}

    @property
    def is_cifar10(self) -> bool:
        """Whether the test images are those of the brief, fetched as such, by the hash of their labels."""
        fetched = self.data_sets.images.kind in {"cifar10", "torchvision"}
        return fetched and self.data_sets.labels_sha256 == CIFAR10["test_labels"]

    @property
    def is_the_briefs_captioner(self) -> bool:
        """Whether the captioner is the brief's; a copy under another name is not known as such."""
        return self.align.model == self.lora.model == brief.CAPTIONER

    @property
    def has_the_briefs_targets(self) -> bool:
        """Whether the adapter is on the layers that the brief names."""
        return set(self.lora.targets) == set(brief.TARGETS)

    @property
    def is_flickr30k(self) -> bool:
        """Whether the captioned photos are the brief's: from a hub's repository that is known for them."""
        photos = self.data_sets.photos
        return photos.kind == "flickr30k" and photos.files is None and photos.name in brief.FLICKR30K

    @property
    def is_the_briefs_tuning(self) -> bool:
        """Whether the brief's captioner was tuned on the brief's data, in the layers that the brief names."""
        return self.is_the_briefs_captioner and self.is_flickr30k and self.has_the_briefs_targets

    @property
    def zero_shot_weights(self) -> str:
        """The zero-shot model's weights by name, which is the same wherever they were found."""
        return named(self.zero_shot.weights)

    @property
    def has_the_briefs_clip(self) -> bool:
        """Whether the zero-shot model has the weights of the brief's, whatever it was tested on."""
        return self.zero_shot.is_clip and self.zero_shot_weights in brief.CLIP_WEIGHTS

    @property
    def is_the_briefs_clip(self) -> bool:
        """Whether the zero-shot model is the brief's, tested on the brief's images."""
        return self.has_the_briefs_clip and self.is_cifar10

    @property
    def shared(self) -> Shared:
        """What of the brief's experiments this run has as well."""
        return Shared(
            captioner=self.is_the_briefs_captioner,
            targets=self.has_the_briefs_targets,
            photos=self.is_flickr30k,
            zero_shot=self.has_the_briefs_clip,
            images=self.is_cifar10,
        )

    @property
    def forgetting(self) -> Tested | None:
        """The test of what the adapter of stage `lora` forgot, or None where no variant is that adapter."""
        at = self.lora.position_among(self.variants.variants)
        if at is None:
            return None
        return self.evidence.tests[key_of.forgotten(self.variants.variants[at].key)]


def run_of(inputs: Mapping[str, Any]) -> Run:
    """Return the results by stage as a `Run`."""
    return Run(**{field.name: inputs[field.name] for field in fields(Run)})
