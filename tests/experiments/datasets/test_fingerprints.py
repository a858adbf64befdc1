import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from experiments.config.images import Cifar10Config, GeneratedConfig
from experiments.config.photos import Cifar10Captions, Flickr30k, GeneratedPhotos
from experiments.datasets.fingerprints import fingerprint as fingerprint_of
from tests.support.copies import ROOT
from tests.support.refusals import refusal

CAPTIONS = Cifar10Captions(kind="cifar10_captions", captions="mine.csv")
GENERATED = GeneratedPhotos(kind="generated", seed=3, tuning=4, evaluation=2, size=16)
IMAGES = GeneratedConfig(kind="generated", seed=3, train=4, test=2, size=16)
FLICKR = Flickr30k(
    kind="flickr30k", repository="some/photos", revision="a" * 40, split="test", tuning=4, evaluation=2
)
CIFAR10 = Cifar10Config(kind="cifar10", source="npm")
MORE = {"tuning": 5, "evaluation": 3}


def fingerprint(config: Any, root: Path) -> str:
    return fingerprint_of(config, root, root / "recorded.sha256")


@pytest.mark.parametrize("source", ["npm", "torchvision"])
def test_cifar10_is_what_it_was_when_the_committed_results_were_made(source: str) -> None:
    config = Cifar10Config(kind="cifar10", source=source)  # pyright: ignore[reportArgumentType]
    assert fingerprint(config, ROOT) == "c6e5acc9dc7ad2625997575d9c2988c93dc6ad40622afa143983c2fca3f61523"


def test_captions_are_known_by_their_content_and_not_by_their_name(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("one")
    shutil.copy(tmp_path / "mine.csv", tmp_path / "same.csv")
    before = fingerprint(CAPTIONS, tmp_path)
    assert fingerprint(CAPTIONS.model_copy(update={"captions": "same.csv"}), tmp_path) == before
    (tmp_path / "mine.csv").write_text("onf")
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


@pytest.mark.parametrize("module", ["generated_photos.py", "generated.py"])
def test_generated_photos_follow_the_code_that_draws_them(tmp_path: Path, module: str) -> None:
    shutil.copytree(ROOT / "experiments", tmp_path / "experiments")
    before = fingerprint(GENERATED, tmp_path)
    images_before = fingerprint(IMAGES, tmp_path)
    file = tmp_path / "experiments" / "datasets" / module
    file.write_text(file.read_text() + "\n# A comment.\n")
    assert fingerprint(GENERATED, tmp_path) == before
    file.write_text(file.read_text() + "\nMORE = 1\n")
    assert fingerprint(GENERATED, tmp_path) != before
    are_images = module == "generated.py"
    assert (fingerprint(IMAGES, tmp_path) != images_before) == are_images, "photos make no images stale"


def test_fingerprints_are_had_without_torch_numpy_and_the_hubs_libraries() -> None:
    code = (
        "import sys, experiments.datasets.fingerprints\n"
        "print({'torch', 'numpy', 'datasets', 'pyarrow', 'huggingface_hub'} & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"
