import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from experiments.config.images import Cifar10Config, GeneratedConfig, TorchvisionImages
from experiments.config.photos import Cifar10Captions, Flickr30k, GeneratedPhotos
from experiments.datasets.fingerprints import identity
from tests.support.copies import ROOT
from tests.support.refusals import refusal

CAPTIONS = Cifar10Captions(kind="cifar10_captions", captions="mine.csv")
GENERATED = GeneratedPhotos(kind="generated", seed=3, tuning=4, evaluation=2, size=16)
IMAGES = GeneratedConfig(kind="generated", seed=3, train=4, test=2, size=16)
FLICKR = Flickr30k(
    kind="flickr30k", repository="some/photos", revision="a" * 40, split="test", tuning=4, evaluation=2
)
CIFAR10 = Cifar10Config(kind="cifar10", source="npm")
ROWS = "split,index,pass,caption,uncertain\ntrain,3,1,a dog,\ntest,4,1,a ship,its mast\n"
MORE = {"tuning": 5, "evaluation": 3}


def fingerprint(config: Any, root: Path) -> str:
    return identity(config, root, root / "recorded.sha256").sha256


@pytest.mark.parametrize("source", ["npm", "torchvision"])
def test_cifar10_is_what_it_was_when_the_committed_results_were_made(source: str) -> None:
    config = Cifar10Config(kind="cifar10", source=source)  # pyright: ignore[reportArgumentType]
    assert fingerprint(config, ROOT) == "c6e5acc9dc7ad2625997575d9c2988c93dc6ad40622afa143983c2fca3f61523"


def test_captions_are_known_by_their_content_and_not_by_their_name(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text(ROWS)
    shutil.copy(tmp_path / "mine.csv", tmp_path / "same.csv")
    before = fingerprint(CAPTIONS, tmp_path)
    assert fingerprint(CAPTIONS.model_copy(update={"captions": "same.csv"}), tmp_path) == before
    header, first, second = ROWS.splitlines()
    (tmp_path / "mine.csv").write_bytes("\r\n".join(["\ufeff" + header, second, first]).encode())
    assert fingerprint(CAPTIONS, tmp_path) == before
    (tmp_path / "mine.csv").write_text(ROWS.replace("a dog", "a cat"))
    assert fingerprint(CAPTIONS, tmp_path) != before


def test_missing_captions_are_one_sentence(tmp_path: Path) -> None:
    sentence = refusal(fingerprint, CAPTIONS, tmp_path)
    assert "mine.csv cannot be read " in sentence and "place the file there or mend" in sentence


@pytest.mark.parametrize(
    ("config", "options"),
    [
        (FLICKR, {"repository": "other/photos", "revision": "b", "split": "train", **MORE}),
        (GENERATED, {"seed": 4, "size": 17, **MORE}),
        (IMAGES, {"seed": 4, "train": 5, "test": 3, "size": 17, "validation": 1, "validation_seed": 1}),
        (CIFAR10, {"validation": 5000, "validation_seed": 1}),
    ],
)
def test_every_option_counts(config: Any, options: dict[str, object]) -> None:
    found = {fingerprint(config.model_copy(update={name: value}), ROOT) for name, value in options.items()}
    assert len(found | {fingerprint(config, ROOT)}) == len(options) + 1
    assert fingerprint(config, ROOT) == fingerprint(config.model_copy(), ROOT)


def test_folders_behind_links_are_files_of_a_users_own_and_links_in_a_circle_end(tmp_path: Path) -> None:
    config = TorchvisionImages(kind="torchvision", name="FashionMNIST", size=28, folder="copy")
    (tmp_path / "copy" / "FashionMNIST").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "copy" / "FashionMNIST" / "raw").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "back").symlink_to(tmp_path / "copy")
    found = set()
    for content in ("a", "b"):
        (tmp_path / "elsewhere" / "labels").write_text(content)
        found.add(fingerprint(config, tmp_path))
    assert len(found) == 2


def test_fingerprints_are_had_without_torch_numpy_and_the_hubs_libraries() -> None:
    code = (
        "import sys, experiments.datasets.fingerprints\n"
        "print({'torch', 'numpy', 'datasets', 'pyarrow', 'huggingface_hub'} & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"
