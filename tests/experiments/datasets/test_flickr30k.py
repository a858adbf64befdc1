import io
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from pytest import MonkeyPatch as Patch

from experiments.config.photos import Flickr30k
from experiments.datasets import flickr30k
from experiments.datasets.loading import load_photos
from experiments.datasets.photos import CaptionedPhotos
from experiments.models import hub
from experiments.results.source import Source, named
from tests.support import hub_cache
from tests.support.hub_cache import COMMIT as REVISION
from tests.support.refusals import refusal

FROM_HUB = (
    Source(
        name="some/photos, the first 5 rows of split test",
        revision=REVISION,
        url="https://huggingface.co/datasets/some/photos",
    ),
)

SHARDS = {"repository": "shards", "revision": REVISION, "split": "test"}
SECTION = Flickr30k(kind="flickr30k", tuning=2, evaluation=3, **SHARDS)
HUB = SECTION.model_copy(update={"repository": "some/photos"})


def row(number: int) -> dict[str, Any]:
    content = io.BytesIO()
    Image.new("RGB", (6, 4), (10 * number,) * 3).save(content, "PNG")
    return {
        "image": {"bytes": content.getvalue(), "path": f"{number}.png"},
        "caption": [f" Caption {number}.{word} \n" for word in range(5)],
        "img_id": str(number),
        "filename": f"{number}.jpg",
    }


def rows(count: int = 5) -> list[dict[str, Any]]:
    return [row(number) for number in range(count)]


def write(rows: list[dict[str, Any]], root: Path, file: str = "shards/rows.parquet") -> Path:
    path = root / file
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


def load(root: Path, config: Flickr30k = SECTION, **changed: Any) -> CaptionedPhotos:
    return load_photos(config.model_copy(update=changed), root, root / "downloads", lambda line: None)


def refused(root: Path, config: Flickr30k = SECTION, **changed: Any) -> str:
    return refusal(load, root, config, **changed)


@pytest.fixture(autouse=True)
def offline(tmp_path: Path, monkeypatch: Patch) -> None:
    hub_cache.turn_off(tmp_path / "cache", monkeypatch)


def test_the_first_rows_are_for_tuning_and_the_next_for_evaluation(tmp_path: Path):
    write(rows(8), tmp_path)
    photos = load(tmp_path)
    assert [photo.name for photo in photos.tuning] == ["0.jpg", "1.jpg"]
    assert [photo.name for photo in photos.evaluation] == ["2.jpg", "3.jpg", "4.jpg"]
    assert [photo.index for photo in photos.evaluation] == [2, 3, 4]
    assert photos.tuning[1].references == ("Caption 1.0",)
    assert photos.evaluation[0].references == tuple(f"Caption 2.{word}" for word in range(5))
    assert (photos.classes, photos.evaluation[0].label) == ((), None)
    pixels = photos.evaluation[0].pixels
    assert (pixels.shape, pixels.dtype, pixels.flags.writeable) == ((4, 6, 3), np.uint8, False)
    assert pixels[1, 1].tolist() == [20, 20, 20]
    assert named(photos.source) == "the folder shards, the first 5 rows of split test"


def test_shards_are_read_in_order_and_only_as_far_as_needed(tmp_path: Path):
    whole = rows(6)
    whole[5]["image"]["bytes"] = b"damaged, and one row beyond the last that is asked for"
    write(whole[:3], tmp_path, "shards/test-00000-of-00003.parquet")
    write(whole[3:], tmp_path, "shards/test-00001-of-00003.parquet")
    (tmp_path / "shards" / "test-00002-of-00003.parquet").write_bytes(b"not parquet")
    write([row(9)], tmp_path, "shards/another-00000-of-00001.parquet")
    assert [photo.name for photo in load(tmp_path).evaluation] == ["2.jpg", "3.jpg", "4.jpg"]


@pytest.mark.parametrize("name", ["train-00000-of-00001.parquet", "test-00001-of-00002.parquet", "notes.txt"])
def test_files_of_another_split_or_from_the_middle_are_not_taken_for_the_first(tmp_path: Path, name: str):
    write(rows(8), tmp_path, f"shards/{name}")
    assert "holds no first parquet file of split 'test'" in refused(tmp_path)


def unhashed(photos: CaptionedPhotos) -> tuple[Source, ...]:
    return tuple(source.model_copy(update={"sha256": None}) for source in photos.source)


def test_what_was_read_is_known_by_its_hash_wherever_it_was_read_from(tmp_path: Path):
    def sha256(root: Path) -> str | None:
        (source,) = load(root).source
        return source.sha256

    first = rows(8)
    write(first, tmp_path)
    known = sha256(tmp_path)
    assert known and len(known) == 64
    write(first[:5], tmp_path / "elsewhere")
    assert sha256(tmp_path / "elsewhere") == known, "rows that are not read do not count"
    for column in ("image", "caption", "filename"):
        altered = [*first[:4], {**first[4], column: row(7)[column]}]
        write(altered, tmp_path / column)
        assert sha256(tmp_path / column) != known


def test_a_missing_column_is_named(tmp_path: Path):
    for column in ("image", "caption", "img_id", "filename"):
        write([{name: value for name, value in own.items() if name != column} for own in rows()], tmp_path)
        assert f"has no column {column!r}" in refused(tmp_path)


def test_too_few_rows_are_counted(tmp_path: Path):
    write(rows(4), tmp_path)
    assert "shards has only 4 rows in split 'test', but" in refused(tmp_path)
    assert "ask for 5" in refused(tmp_path)


def test_a_row_that_cannot_be_used_is_named(tmp_path: Path):
    for column, value, sentence in (
        ("image", {"bytes": b"GIF89a"}, "The image in row 3 of shards (3.jpg) cannot be decoded"),
        ("image", {"bytes": None}, "The image in row 3 of shards (3.jpg) cannot be decoded"),
        ("caption", [" "], "Row 3 of shards has no caption"),
        ("filename", "1.jpg", "Row 3 of shards repeats the file name 1.jpg"),
        ("filename", "", "Row 3 of shards has no filename"),
        ("filename", "a\u202eb.jpg", "row 3 of shards holds the mark U+202E, which turns the letters"),
        ("caption", ["a cat", "a \x00 dog"], "row 3 of shards holds the control character U+0000"),
    ):
        faulty = rows()
        faulty[3][column] = value
        write(faulty, tmp_path)
        assert sentence in refused(tmp_path)


def test_captions_that_are_blank_or_no_list_are_never_references(tmp_path: Path):
    write([{**own, "caption": [" ", "One.", ""]} for own in rows()], tmp_path)
    assert load(tmp_path).evaluation[0].references == ("One.",)
    write([{**own, "caption": "One."} for own in rows()], tmp_path)
    assert "Row 0 of shards has no list of texts as its caption" in refused(tmp_path)


def test_a_path_without_a_folder_is_not_looked_for_on_the_hub(tmp_path: Path):
    for missing in ("/no/such/folder", "./photos", "a/b/c", "~/no-such-folder"):
        assert "There is no folder" in refused(tmp_path, repository=missing)


def test_an_unreachable_hub_is_one_sentence_on_what_was_tried_and_what_to_place(tmp_path: Path):
    sentence = refused(tmp_path, HUB)
    assert f"some/photos at revision {REVISION} is not in the hub's cache" in sentence
    for part in ("https://hub did not answer (it is off)", "photos.repository", "HF_HOME"):
        assert part in sentence


def cached(root: Path, number: int = 0) -> Path:
    """Keep eight rows in the hub's cache as this file of a series, and return it."""
    name = f"data/test-0000{number}-of-00009.parquet"
    rows_of_hub = write(rows(8), root, "published.parquet")
    return hub_cache.keep(root / "cache", "some/photos", {name: rows_of_hub}, "datasets") / name


def test_the_hubs_cache_serves_and_a_branch_if_named_as_one_without_the_network(tmp_path: Path):
    cached(tmp_path)
    for revision in (REVISION, "refs/heads/main"):
        photos = load(tmp_path, HUB, revision=revision)
        assert [photo.name for photo in photos.evaluation] == ["2.jpg", "3.jpg", "4.jpg"]
        assert unhashed(photos) == FROM_HUB
    assert "did not answer" in refused(tmp_path, HUB, revision=REVISION[::-1])
    for vague in ("main", REVISION[:12]):
        assert "photos.revision is" in refused(tmp_path, HUB, revision=vague)
    write(rows(), tmp_path)
    assert load(tmp_path, revision="of no concern to a folder")


@pytest.mark.parametrize("broken_off", [True, False])
def test_a_cache_that_lacks_the_first_file_is_not_read_as_if_it_were_whole(tmp_path: Path, broken_off: bool):
    hub_cache.lose(cached(tmp_path), broken_off=broken_off)
    assert "lacks the first parquet file of split 'test' in the hub's cache" in refused(tmp_path, HUB)


def test_a_cache_with_a_later_file_alone_is_not_used(tmp_path: Path):
    cached(tmp_path, number=1)
    assert "did not answer" in refused(tmp_path, HUB)


def test_a_file_that_is_no_parquet_is_one_sentence_wherever_it_lies(tmp_path: Path):
    write(rows(), tmp_path).write_bytes(b"not parquet")
    assert "shards, split test, cannot be read" in refused(tmp_path)


def test_rows_of_the_hubs_cache_are_those_that_the_hub_has(tmp_path: Path):
    """Another caption as much as what is no parquet at all."""
    file = cached(tmp_path)
    content = file.read_bytes()
    for altered in (content.replace(b"caption", b"Caption", 1), b"<html>Please log in.</html>"):
        assert altered != content
        file.write_bytes(altered)
        assert f"{file.name} of some/photos at revision" in (told := refused(tmp_path, HUB))
        assert "is damaged in the hub's cache: delete" in told


def test_what_is_missing_is_told_without_reading_or_writing_anything(tmp_path: Path):
    def missing(config: Flickr30k) -> str:
        return str(flickr30k.missing(config, tmp_path, lambda: "the hub is off"))

    assert "There is no folder" in missing(SECTION.model_copy(update={"repository": "./shards"}))
    assert "the hub is off" in missing(HUB)
    assert list(tmp_path.iterdir()) == []
    cached(tmp_path)
    (tmp_path / "shards").mkdir()
    assert "holds no first parquet file" in missing(SECTION)
    (tmp_path / "shards" / "rows.parquet").write_bytes(b"whatever")
    assert (missing(HUB), missing(SECTION)) == ("None", "None")
    another = HUB.model_copy(update={"revision": REVISION[::-1]})
    assert flickr30k.missing(another, tmp_path, lambda: None) is None


def test_the_hub_is_asked_for_the_commit_as_a_stream(tmp_path: Path, monkeypatch: Patch):
    import datasets

    files = {"test": str(write(rows(8), tmp_path))}
    real, asked, said = datasets.load_dataset, [], []

    def load_dataset(*arguments: object, **options: object) -> object:
        asked.append((arguments, options))
        return real("parquet", data_files=files, split="test", streaming=True)

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    monkeypatch.setattr(hub, "unreachable", lambda: None)
    monkeypatch.setattr(hub, "commit", lambda repository: {"main": REVISION}[repository.revision])
    branch = HUB.model_copy(update={"revision": "refs/heads/main"})
    photos = load_photos(branch, tmp_path, tmp_path, said.append)
    assert len(photos.evaluation) == 3
    assert unhashed(photos) == FROM_HUB
    assert asked == [(("some/photos",), {"revision": REVISION, "split": "test", "streaming": True})]
    assert said == [f"streaming 5 photos from some/photos at revision {REVISION}"]


def test_a_refusal_of_the_hub_is_one_sentence_however_long_it_is(tmp_path: Path, monkeypatch: Patch):
    def load_dataset(*arguments: object, **options: object) -> None:
        raise RuntimeError("Revision doesn't exist.\n\n" + "trace " * 1000)

    monkeypatch.setattr("datasets.load_dataset", load_dataset)
    monkeypatch.setattr(hub, "unreachable", lambda: None)
    sentence = refused(tmp_path, HUB)
    assert "some/photos, split test, cannot be read (Revision doesn't exist." in sentence
    assert len(sentence) < 500


def test_the_folder_may_be_a_path_from_anywhere(tmp_path: Path):
    write(rows(), tmp_path, "elsewhere/test/0000.parquet")
    assert len(load(Path("/"), repository=str(tmp_path / "elsewhere")).tuning) == 2
