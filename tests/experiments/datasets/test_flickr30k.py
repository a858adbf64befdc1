import io
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from experiments.config.photos import Flickr30k
from experiments.datasets import flickr30k
from experiments.datasets.loading import load_photos
from experiments.datasets.photos import CaptionedPhotos
from experiments.models import hub
from pipeline.errors import UserError

REVISION = "0123456789abcdef0123456789abcdef01234567"
SECTION = Flickr30k(
    kind="flickr30k", repository="shards", revision=REVISION, split="test", tuning=2, evaluation=3
)
HUB = SECTION.model_copy(update={"repository": "some/photos"})


def encoded(number: int, mode: str = "RGB", form: str = "PNG", **options: object) -> bytes:
    content = io.BytesIO()
    pixels = np.full((4, 6, 3), 10 * number, dtype=np.uint8)
    pixels[0, 0] = 255
    picture = Image.fromarray(pixels).convert(mode, palette=Image.Palette.ADAPTIVE)
    picture.save(content, form, **options)  # pyright: ignore[reportArgumentType]
    return content.getvalue()


def row(number: int) -> dict[str, Any]:
    return {
        "image": {"bytes": encoded(number), "path": f"{number}.png"},
        "caption": [f" Caption {number}.{word} \n" for word in range(5)],
        "img_id": str(number),
        "filename": f"{number}.jpg",
    }


def write(rows: list[dict[str, Any]], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), path)


def load(root: Path, config: Flickr30k = SECTION) -> CaptionedPhotos:
    return load_photos(config, root, root / "downloads", lambda line: None)


def refused(root: Path, config: Flickr30k = SECTION) -> str:
    with pytest.raises(UserError) as error:
        load(root, config)
    assert len(str(error.value).splitlines()) == 1
    return str(error.value)


@pytest.fixture(autouse=True)
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing in these tests asks a real hub or finds this machine's own cache."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(hub, "unreachable", lambda: "https://hub did not answer (the network is off)")


def test_the_first_rows_are_for_tuning_and_the_next_for_evaluation(tmp_path: Path) -> None:
    write([row(number) for number in range(8)], tmp_path / "shards" / "rows.parquet")
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
    assert photos.source == "The first 5 rows of split test of the folder shards"


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK"])
def test_images_of_every_mode_become_rgb(tmp_path: Path, mode: str) -> None:
    rows = [row(number) for number in range(5)]
    rows[0]["image"]["bytes"] = encoded(3, mode, "TIFF" if mode == "CMYK" else "PNG")
    write(rows, tmp_path / "shards" / "rows.parquet")
    assert load(tmp_path).tuning[0].pixels[1, 1].tolist() == [30, 30, 30]


def test_a_photo_taken_with_a_turned_camera_is_upright(tmp_path: Path) -> None:
    turned = Image.Exif()
    turned[0x0112] = 6
    rows = [row(number) for number in range(5)]
    rows[0]["image"]["bytes"] = encoded(3, form="JPEG", exif=turned)
    write(rows, tmp_path / "shards" / "rows.parquet")
    assert load(tmp_path).tuning[0].pixels.shape == (6, 4, 3)


def test_shards_are_read_in_order_and_only_as_far_as_needed(tmp_path: Path) -> None:
    write([row(number) for number in range(3)], tmp_path / "shards" / "test-00000-of-00003.parquet")
    rows = [row(number) for number in range(3, 6)]
    rows[2]["image"]["bytes"] = b"damaged, and one row beyond the last that is asked for"
    write(rows, tmp_path / "shards" / "test-00001-of-00003.parquet")
    (tmp_path / "shards" / "test-00002-of-00003.parquet").write_bytes(b"not parquet")
    write([row(9)], tmp_path / "shards" / "another-00000-of-00001.parquet")
    assert [photo.name for photo in load(tmp_path).evaluation] == ["2.jpg", "3.jpg", "4.jpg"]


@pytest.mark.parametrize("name", ["train-00000-of-00001.parquet", "test-00001-of-00002.parquet", "notes.txt"])
def test_files_of_another_split_or_from_the_middle_are_not_taken_for_the_first(
    tmp_path: Path, name: str
) -> None:
    write([row(number) for number in range(8)], tmp_path / "shards" / name)
    assert "holds no first parquet file of split 'test'" in refused(tmp_path)


@pytest.mark.parametrize("column", ["image", "caption", "img_id", "filename"])
def test_a_missing_column_is_named(tmp_path: Path, column: str) -> None:
    rows = [{name: value for name, value in row(n).items() if name != column} for n in range(5)]
    write(rows, tmp_path / "shards" / "rows.parquet")
    assert f"has no column {column!r}" in refused(tmp_path)


def test_too_few_rows_are_counted(tmp_path: Path) -> None:
    write([row(number) for number in range(4)], tmp_path / "shards" / "rows.parquet")
    assert "shards has only 4 rows in split 'test'" in refused(tmp_path)
    assert "ask for 5" in refused(tmp_path)


@pytest.mark.parametrize("content", [b"", b"GIF89a", encoded(1)[:40], None])
def test_an_image_that_cannot_be_decoded_is_named(tmp_path: Path, content: bytes | None) -> None:
    rows = [row(number) for number in range(5)]
    rows[3]["image"]["bytes"] = content
    write(rows, tmp_path / "shards" / "rows.parquet")
    assert "The image in row 3 of shards (3.jpg) cannot be decoded" in refused(tmp_path)


def test_captions_that_are_blank_or_no_list_are_never_references(tmp_path: Path) -> None:
    rows = [row(number) for number in range(5)]
    rows[2]["caption"] = [" ", "One.", ""]
    write(rows, tmp_path / "shards" / "rows.parquet")
    assert load(tmp_path).evaluation[0].references == ("One.",)
    rows[2]["caption"] = [" "]
    write(rows, tmp_path / "shards" / "rows.parquet")
    assert "Row 2 of shards has no caption" in refused(tmp_path)
    write([{**row(number), "caption": "One."} for number in range(5)], tmp_path / "shards" / "rows.parquet")
    assert "Row 0 of shards has no list of texts as its caption" in refused(tmp_path)


def test_a_photo_that_is_there_twice_is_named(tmp_path: Path) -> None:
    write([row(number) for number in (0, 1, 2, 1, 4)], tmp_path / "shards" / "rows.parquet")
    assert "Row 3 of shards repeats the file name 1.jpg" in refused(tmp_path)


def test_a_damaged_file_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "shards").mkdir()
    (tmp_path / "shards" / "rows.parquet").write_bytes(b"not parquet")
    assert "shards, split test, cannot be read" in refused(tmp_path)


def test_a_path_without_a_folder_is_not_looked_for_on_the_hub(tmp_path: Path) -> None:
    for missing in ("/no/such/folder", "./photos", "a/b/c", "~/no-such-folder"):
        config = SECTION.model_copy(update={"repository": missing})
        assert "There is no folder" in refused(tmp_path, config)


def test_an_unreachable_hub_is_one_sentence_on_what_was_tried_and_what_to_place(tmp_path: Path) -> None:
    sentence = refused(tmp_path, HUB)
    assert f"some/photos at revision {REVISION} is not in the hub's cache" in sentence
    assert "https://hub did not answer (the network is off)" in sentence
    assert "photos.repository" in sentence
    assert "HF_HOME" in sentence


def cached(folder: Path, name: str) -> Path:
    """Store eight rows as the hub's client stores a data set's file, and return where they are."""
    kept = folder / "cache" / "datasets--some--photos"
    write([row(number) for number in range(8)], kept / "blobs" / "0123abcd")
    link = kept / "snapshots" / REVISION / "data" / name
    link.parent.mkdir(parents=True)
    link.symlink_to("../../../blobs/0123abcd")
    (kept / "refs").mkdir()
    (kept / "refs" / "main").write_text(REVISION)
    return kept


def test_the_hubs_cache_serves_without_the_network(tmp_path: Path) -> None:
    cached(tmp_path, "test-00000-of-00009.parquet")
    photos = load(tmp_path, HUB)
    assert [photo.name for photo in photos.evaluation] == ["2.jpg", "3.jpg", "4.jpg"]
    assert photos.source == f"The first 5 rows of split test of some/photos at revision {REVISION}"
    assert "did not answer" in refused(tmp_path, HUB.model_copy(update={"revision": REVISION[::-1]}))


def test_a_cache_that_lacks_the_first_file_is_not_used(tmp_path: Path) -> None:
    cached(tmp_path, "test-00001-of-00009.parquet")
    assert "did not answer" in refused(tmp_path, HUB)


def test_a_branch_is_taken_only_if_named_as_one_and_the_source_names_its_commit(tmp_path: Path) -> None:
    cached(tmp_path, "test-00000-of-00009.parquet")
    photos = load(tmp_path, HUB.model_copy(update={"revision": "refs/heads/main"}))
    assert photos.source == f"The first 5 rows of split test of some/photos at revision {REVISION}"
    for vague in ("main", REVISION[:12]):
        assert "photos.revision is" in refused(tmp_path, HUB.model_copy(update={"revision": vague}))
    write([row(number) for number in range(5)], tmp_path / "shards" / "rows.parquet")
    assert load(tmp_path, SECTION.model_copy(update={"revision": "of no concern to a folder"}))


@pytest.mark.parametrize("damage", ["a link to nowhere", "a download that was broken off", "text"])
def test_a_damaged_cache_is_never_read_as_if_it_were_whole(tmp_path: Path, damage: str) -> None:
    kept = cached(tmp_path, "test-00000-of-00009.parquet")
    blob = kept / "blobs" / "0123abcd"
    if damage == "text":
        blob.write_text("<html>Please log in.</html>")
        assert "cannot be read" in refused(tmp_path, HUB)
        return
    if damage == "a download that was broken off":
        blob.rename(blob.with_suffix(".incomplete"))
        (kept / "snapshots" / REVISION / "data" / "test-00000-of-00009.parquet").unlink()
    blob.unlink(missing_ok=True)
    assert "lacks the first parquet file of split 'test' in the hub's cache" in refused(tmp_path, HUB)


def test_what_is_missing_is_told_without_reading_or_writing_anything(tmp_path: Path) -> None:
    def missing(config: Flickr30k) -> str | None:
        return flickr30k.missing(config, tmp_path, lambda: "the hub is off")

    assert "There is no folder" in (missing(SECTION.model_copy(update={"repository": "./shards"})) or "")
    assert "the hub is off" in (missing(HUB) or "")
    assert list(tmp_path.iterdir()) == []
    cached(tmp_path, "test-00000-of-00009.parquet")
    (tmp_path / "shards").mkdir()
    assert "holds no first parquet file" in (missing(SECTION) or "")
    (tmp_path / "shards" / "rows.parquet").write_bytes(b"whatever")
    assert (missing(HUB), missing(SECTION)) == (None, None)
    assert (
        flickr30k.missing(HUB.model_copy(update={"revision": REVISION[::-1]}), tmp_path, lambda: None) is None
    )


def test_the_hub_is_asked_for_the_commit_as_a_stream(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    write([row(number) for number in range(8)], tmp_path / "rows.parquet")
    real, asked, said = datasets.load_dataset, [], []

    def load_dataset(*arguments: object, **options: object) -> object:
        asked.append((arguments, options))
        files = {"test": str(tmp_path / "rows.parquet")}
        return real("parquet", data_files=files, split="test", streaming=True)

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    monkeypatch.setattr(hub, "unreachable", lambda: None)
    monkeypatch.setattr(hub, "commit", lambda repository: {"main": REVISION}[repository.revision])
    branch = HUB.model_copy(update={"revision": "refs/heads/main"})
    photos = load_photos(branch, tmp_path, tmp_path, said.append)
    assert len(photos.evaluation) == 3
    assert photos.source == f"The first 5 rows of split test of some/photos at revision {REVISION}"
    assert asked == [(("some/photos",), {"revision": REVISION, "split": "test", "streaming": True})]
    assert said == [f"streaming 5 photos from some/photos at revision {REVISION}"]


def test_a_refusal_of_the_hub_is_one_sentence_however_long_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load_dataset(*arguments: object, **options: object) -> None:
        raise RuntimeError("Revision doesn't exist.\n\n" + "trace " * 1000)

    monkeypatch.setattr("datasets.load_dataset", load_dataset)
    monkeypatch.setattr(hub, "unreachable", lambda: None)
    sentence = refused(tmp_path, HUB)
    assert "some/photos, split test, cannot be read (Revision doesn't exist." in sentence
    assert len(sentence) < 500


def test_the_folder_may_be_a_path_from_anywhere(tmp_path: Path) -> None:
    write([row(number) for number in range(5)], tmp_path / "shards" / "test" / "0000.parquet")
    shutil.move(tmp_path / "shards", tmp_path / "elsewhere")
    config = SECTION.model_copy(update={"repository": str(tmp_path / "elsewhere")})
    assert len(load(Path("/"), config).tuning) == 2
