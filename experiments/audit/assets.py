"""What the run's results rest on from outside: data, texts and weights, with version, hash and licence.

Which of them belong to a run is told from its results, which hold the sources of their weights and data.
"""

from collections.abc import Iterator
from typing import Literal

from experiments.audit.run import Run
from experiments.datasets.cifar10 import SOURCE as CIFAR10
from experiments.results.audit import Asset
from experiments.results.data_sets import DataSource
from experiments.results.source import Source

_CLASSIFIED = ("zero_shot", "vit", "cnn", "align")
_CAPTIONED = ("lora", "generate")
"""The stages that use the images, and those that use the photos, first."""
_CIFAR10_HASHED = "the decoded test images, whichever the source"


def assets(run: Run) -> dict[str, Asset]:
    """Return every asset by its id; a run on generated data with random weights has none.

    What several stages use is one asset.
    """
    found: dict[Source, Asset] = {}
    for asset in (*_images(run), *_photos(run), *_weights(run)):
        known = found.get(asset.source)
        stages = (*known.stages, *asset.stages) if known else asset.stages
        found[asset.source] = asset.model_copy(update={"stages": stages})
    return {f"{asset.kind}_{position}": asset for position, asset in enumerate(found.values(), 1)}


def _images(run: Run) -> Iterator[Asset]:
    images = run.data_sets.images
    match images.kind:
        case "cifar10":
            yield _asset("data", CIFAR10, _CLASSIFIED, hashed=_CIFAR10_HASHED)
        case "torchvision" if images.files is None:
            name = f"{images.name}, labelled images (torchvision's download)"
            yield _asset("data", Source(name=name, licence="the data set's own, not looked up"), _CLASSIFIED)
        case "torchvision":
            yield _own(Source(name=f"{images.name}, a copy that the profile calls so"), images, _CLASSIFIED)
        case "folder":
            yield _own(Source(name=f"labelled images of the folder {images.name}"), images, _CLASSIFIED)


def _photos(run: Run) -> Iterator[Asset]:
    photos = run.data_sets.photos
    for source in run.data_sets.photos_source:
        if source == CIFAR10:
            yield _asset("data", CIFAR10, _CAPTIONED, hashed=_CIFAR10_HASHED)
        elif photos.files is not None:
            yield _own(source, photos, _CAPTIONED)
        elif photos.kind == "cifar10_captions":
            yield _asset("text", source, _CAPTIONED)
        else:
            terms = "Flickr30k's own terms: research and education" if run.is_flickr30k else source.licence
            yield _asset("data", source.model_copy(update={"licence": terms}), _CAPTIONED)


def _weights(run: Run) -> Iterator[Asset]:
    for stage, result in (("align", run.align), ("zero_shot", run.zero_shot)):
        for source in result.weights:
            yield _asset("weights", source, (stage,))


def _own(source: Source, data: DataSource, stages: tuple[str, ...]) -> Asset:
    """Return files of the user's own, which no one else vouches for: their manifest tells what they were."""
    own = source.model_copy(update={"sha256": data.sha256, "licence": "the user's own, not declared"})
    return _asset("data", own, stages, hashed=f"the manifest of {data.files:,d} files")


def _asset(
    kind: Literal["weights", "data", "text"],
    source: Source,
    stages: tuple[str, ...],
    hashed: str = "the file",
) -> Asset:
    return Asset(kind=kind, source=source, hashed=hashed if source.sha256 else None, stages=stages)
