import csv
import json
import shutil
from collections.abc import Collection
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pytest
from PIL import Image

from experiments.config.photos import PhotoFolder
from experiments.datasets.loading import load_photos
from experiments.datasets.photo_folder import problems, read_of
from experiments.datasets.photos import CaptionedPhotos
from experiments.preflight.findings import Findings
from experiments.results.source import named
from tests.support.imports import HEAVY, imported_at_once
from tests.support.refusals import refusal

SIZES = {"tuning": 2, "evaluation": 3, "seed": 55}
SECTION = PhotoFolder(kind="folder", folder="photos", captions="captions.csv", **SIZES)
NAMES = tuple(f"{number}.png" for number in range(8))
HOSTILE = ("<script>alert(1)</script> **bold** | bar", 'It says "Stop" , twice .', "🐕 ß", "{{< env HOME >}}")


def picture(number: int) -> Image.Image:
    """Draw a picture that no other number has."""
    pixels = np.full((4 + number, 9, 3), 10 * number, dtype=np.uint8)
    pixels[0, 0] = 255
    return Image.fromarray(pixels)


def write_captions(captions: dict[str, list[str]], root: Path) -> None:
    with (root / "captions.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["image", "caption"])
        writer.writerows([name, text] for name, texts in captions.items() for text in texts)


def captions(names: tuple[str, ...] = NAMES) -> dict[str, list[str]]:
    return {name: [f"first of {name}", f"second of {name}"] for name in names}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with eight captioned photos."""
    (tmp_path / "photos").mkdir()
    for number, name in enumerate(NAMES):
        picture(number).save(tmp_path / "photos" / name)
    write_captions(captions(), tmp_path)
    return tmp_path


def lose(root: Path, *names: str) -> None:
    for name in names:
        (root / "photos" / name).unlink()


def section(**changed: Any) -> PhotoFolder:
    return SECTION.model_copy(update=changed)


def load(root: Path, recorded: Collection[str] = (), **changed: Any) -> CaptionedPhotos:
    return load_photos(section(**changed), root, root / "downloads", print, recorded)


def refused(root: Path, **changed: Any) -> str:
    return refusal(load, root, **changed)


def drawn(root: Path, **changed: Any) -> tuple[list[str], ...]:
    photos = load(root, **changed)
    return tuple([photo.name for photo in part] for part in (photos.tuning, photos.evaluation))


def found(root: Path, recorded: Collection[str] = (), **changed: Any) -> Findings:
    wrong, remarks = problems(section(**changed), root, recorded=recorded)
    return Findings(remarks=tuple(remarks), problems=tuple(wrong))


def test_photos_are_files_that_are_decoded_when_they_are_asked_for(root: Path):
    write_captions({name: [f"first of {name}", *HOSTILE] for name in NAMES}, root)
    photos = load(root)
    assert (len(photos.tuning), len(photos.evaluation), photos.classes) == (2, 3, ())
    for photo in (*photos.tuning, *photos.evaluation):
        assert photo.picture == root / "photos" / photo.name
        assert photo.pixels.shape == (4 + photo.index, 9, 3)
        assert photo.pixels[1, 1].tolist() == [10 * photo.index] * 3
        assert not photo.pixels.flags.writeable
        assert NAMES[photo.index] == photo.name
        assert photo.label is None
    assert all(photo.references == (f"first of {photo.name}",) for photo in photos.tuning)
    assert all(photo.references == (f"first of {photo.name}", *HOSTILE) for photo in photos.evaluation)


def test_the_source_names_folder_and_file_but_no_place_of_this_machine(root: Path):
    said = "photos of the folder photos, captions from captions.csv"
    assert named(load(root).source) == said
    assert named(load(root, folder=str(root / "photos"), captions=str(root / "captions.csv")).source) == said


def test_the_draw_depends_on_names_and_seed_alone_and_needs_no_photo_that_is_recorded(root: Path):
    expected = (["0.png", "3.png"], ["6.png", "1.png", "4.png"])
    assert drawn(root) == expected
    write_captions({name: texts[::-1] for name, texts in reversed(captions().items())}, root)
    assert drawn(root) == expected
    assert drawn(root, seed=56) != expected
    recorded = read_of(SECTION, root)[0]
    assert recorded == sorted(expected[0] + expected[1])
    shutil.rmtree(root / "photos")
    assert read_of(SECTION, root, recorded)[0] == recorded


def test_no_photo_is_for_both_and_more_evaluation_leaves_the_tuning_photos(root: Path):
    for seed in range(5):
        tuning, evaluation = drawn(root, seed=seed)
        assert len({*tuning, *evaluation}) == 5
        more = drawn(root, seed=seed, evaluation=6)
        assert (more[0], more[1][:3]) == (tuning, evaluation)
        assert {*more[0], *more[1]} == set(NAMES)


def test_names_may_hold_folders_and_odd_characters(root: Path):
    odd = ("deep/er/a b.png", "{{< env HOME >}}.png", "ü🐕.png", "*[x](y)*.png", 'quote".png')
    (root / "photos" / "deep" / "er").mkdir(parents=True)
    for number, name in enumerate(odd):
        picture(number).save(root / "photos" / name)
    write_captions(captions(odd), root)
    photos = load(root)
    assert {photo.name for photo in (*photos.tuning, *photos.evaluation)} == set(odd)
    assert found(root).problems == ()


def test_too_few_photos_are_counted_and_the_keys_to_lower_are_named(root: Path):
    few = "captions.csv has captions of 8 photos, but photos.tuning + photos.evaluation ask for 9"
    sentence = f"{few}: lower one of them or write more captions."
    assert refused(root, tuning=6) == sentence
    assert found(root, tuning=6).problems == (sentence,)


def test_a_missing_folder_and_missing_captions_are_told_at_once(root: Path):
    no_captions, no_folder = found(root, folder="nowhere", captions="none.csv").problems
    assert no_captions.startswith(f"The captions {root / 'none.csv'} cannot be read (No such file")
    nowhere = f"There is no folder {root / 'nowhere'}, which photos.folder names"
    assert no_folder == f"{nowhere}: place it there or mend the path."
    assert refused(root, folder="nowhere", captions="none.csv") == no_captions
    assert refused(root, folder="nowhere") == no_folder


MEND = "place the file there or remove its lines from captions.csv."
LOST = f"photos has no {{!r}}, which captions.csv names: {MEND}"


def test_a_photo_that_results_were_made_of_is_named_where_it_is_gone(root: Path):
    recorded = read_of(SECTION, root)[0]
    lose(root, "0.png", "6.png")
    sentences = LOST.format("0.png"), LOST.format("6.png")
    assert refusal(load, root, recorded) == " ".join(sentences)
    assert found(root, recorded) == Findings(problems=sentences)


def test_photos_are_drawn_from_what_has_both_and_the_others_are_counted_by_check_and_run(
    root: Path, capsys: pytest.CaptureFixture[str]
):
    lose(root, "0.png", "6.png", "5.png")
    assert drawn(root) == (["3.png", "1.png"], ["4.png", "7.png", "2.png"])
    said = (
        "Number of photos that captions.csv names and photos lacks, none of them drawn: 3, such as '0.png'."
    )
    assert capsys.readouterr().out == f"{said}\n"
    assert found(root) == Findings(remarks=(said,))
    asked = "photos.tuning + photos.evaluation ask for 6: lower one of them or place more photos there."
    few = f"photos has 5 of the 8 photos that captions.csv names, but {asked}"
    assert refused(root, evaluation=4) == few
    assert found(root, evaluation=4).problems == (few,)


def test_a_photo_whose_name_no_file_can_have_is_counted_like_any_that_is_not_there(root: Path):
    write_captions(captions((*NAMES[:7], f"{'x' * 300}.png")), root)
    (remark,) = [each for each in found(root).remarks if "lacks" in each]
    assert "none of them drawn: 1, such as 'xxx" in remark


def test_a_photo_in_another_case_or_with_accents_written_in_another_way_is_suggested(root: Path):
    write_captions(captions((*NAMES[:7], "\u00e9.png")), root)
    moved = {"0.png": "0.PNG", "7.png": "e\u0301.png"}
    for name, other in moved.items():
        (root / "photos" / name).rename(root / "photos" / other)
    wrong = "photos has no {!r}, which captions.csv names, but has {!r}: make the two the same."
    expected = {wrong.format("0.png", "0.PNG"), wrong.format("\u00e9.png", "e\u0301.png")}
    assert set(found(root).problems) == expected
    assert refused(root) == " ".join(found(root).problems)


ELSEWHERE = {
    "one level down": ("{}.png", "Images/{}.png"),
    "further down": ("{}.png", "flickr30k/images/{}.png"),
    "under another folder than the captions say": ("val2014/{}.png", "{}.png"),
    "without their ending": ("{}", "{}.png"),
    "without their ending, one level down": ("{}", "Images/{}.png"),
    "with the separator of Windows": ("Images\\{}.png", "Images/{}.png"),
}


@pytest.mark.parametrize("case", ELSEWHERE)
def test_photos_are_found_where_people_have_them(root: Path, case: str):
    written, lies = (
        [shape.replace("{}", PurePosixPath(name).stem) for name in NAMES] for shape in ELSEWHERE[case]
    )
    for name, place in zip(NAMES, lies, strict=True):
        (root / "photos" / place).parent.mkdir(parents=True, exist_ok=True)
        (root / "photos" / name).rename(root / "photos" / place)
    write_captions(captions(tuple(written)), root)
    photos = load(root)
    for photo in (*photos.tuning, *photos.evaluation):
        assert photo.name == written[photo.index]
        assert photo.picture == root / "photos" / lies[photo.index]
        assert photo.pixels[1, 1].tolist() == [10 * photo.index] * 3
    assert found(root) == Findings()
    recorded, _ = read_of(SECTION, root)
    assert set(recorded) < set(lies), "a manifest names files"


def test_a_file_that_two_names_could_mean_is_neither(root: Path):
    write_captions(captions((*NAMES, "other/0.png", "a/x.png", "b/x.png")), root)
    picture(9).save(root / "photos" / "x.png")
    lacking = {"other/0.png", "a/x.png", "b/x.png"}
    assert f"lacks, none of them drawn: {len(lacking)}, such as 'a/x.png'" in found(root).remarks[0]


def test_karpathys_splits_say_what_is_for_tuning_and_what_for_evaluation(root: Path):
    splits = dict(
        zip(NAMES, ("train", "test", "val", "restval", "test", "test", "test", "train"), strict=True)
    )
    images = [
        {"filename": name, "split": split, "sentences": [{"raw": f"first of {name}"}]}
        for name, split in splits.items()
    ]
    (root / "captions.csv").write_text(json.dumps({"images": images}))
    for seed in range(5):
        tuning, evaluation = drawn(root, seed=seed)
        assert {splits[name] for name in tuning} <= {"train", "restval"}
        assert {splits[name] for name in evaluation} == {"test"}
    assert refused(root, evaluation=5) == (
        "captions.csv and photos have 2 photos of training to tune on and 4 of testing to compare on, but "
        "photos.tuning + photos.evaluation ask for 7: lower one of them or place more photos there, or take "
        "the splits out of the captions."
    )


def test_the_check_draws_as_the_run_does(root: Path):
    recorded = read_of(SECTION, root)[0]
    write_captions(dict(reversed(captions().items())), root)
    lose(root, "0.png", "7.png")
    assert found(root, recorded).problems == (refusal(load, root, recorded),)
    assert len(found(root, recorded).remarks) == 1


def test_pictures_without_captions_are_remarked_upon_and_other_files_are_not(root: Path):
    for name in ("more.JPG", "again.png"):
        picture(1).save(root / "photos" / name)
    (root / "photos" / "._0.png").write_bytes(b"what a Mac leaves behind")
    (root / "photos" / "notes.txt").write_text("no picture")
    said = "Number of pictures in photos without captions, which are not used: 2, such as 'again.png'."
    assert found(root) == Findings(remarks=(said,))


def test_a_drawn_photo_that_cannot_be_decoded_is_named(root: Path):
    (root / "photos" / "3.png").write_bytes(b"no picture")
    told = refused(root)
    assert told.startswith("The photo '3.png' in photos is of no use, since it cannot be decoded (")
    assert told.endswith("): place it anew or remove its captions from captions.csv.")
    assert found(root).problems == (told,)


def test_each_photo_with_captions_is_decoded_by_the_check(root: Path):
    (root / "photos" / "2.png").write_bytes(b"no picture, and not drawn")
    (problem,) = found(root).problems
    assert problem.startswith("The photo '2.png' in photos is of no use")
    assert len(load(root).tuning) == 2
    steps: list[tuple[int, int]] = []
    problems(SECTION, root, lambda done, total: steps.append((done, total)))
    assert steps == [(done, 8) for done in range(1, 9)]


def test_a_picture_for_tuning_and_for_evaluation_is_named(root: Path):
    picture(0).save(root / "photos" / "6.png", compress_level=0)
    picture(0).save(root / "photos" / "2.png")
    assert (root / "photos" / "0.png").read_bytes() != (root / "photos" / "6.png").read_bytes()
    same = "'0.png' (for tuning) and '6.png' (for evaluation) are the same picture"
    assert found(root).problems == (f"{same}: remove the captions of one from captions.csv.",)


def test_the_same_caption_for_every_photo_is_a_problem(root: Path):
    same = "captions.csv has the same caption 'A photo .' for every photo"
    write_captions({name: ["A photo ."] for name in NAMES}, root)
    assert found(root).problems == (f"{same}: write what tells them apart.",)
    write_captions({name: ["A photo ."] for name in NAMES[1:]} | {"0.png": ["A dog ."]}, root)
    assert found(root).problems == ()


def test_all_problems_are_found_at_once(root: Path):
    faulty = {"../out.png": ["A dog ."], "blank.png": [" "], "none.png": ["A cat ."]}
    write_captions(captions() | faulty, root)
    (root / "photos" / "5.png").write_bytes(b"no picture")
    picture(9).save(root / "photos" / "extra.png")
    told = found(root, tuning=4, evaluation=6)
    assert [sentence[:40] for sentence in told.problems] == [
        "captions.csv:18: the name '../out.png' l",
        "captions.csv:19: the caption of 'blank.p",
        "captions.csv has captions of 9 photos, b",
        "The photo '5.png' in photos is of no use",
    ]
    assert len(told.remarks) == 2
    assert refused(root, tuning=4, evaluation=6) == " ".join(told.problems[:2])


def test_the_files_of_a_section_are_the_drawn_photos_whatever_they_hold(root: Path):
    for name in NAMES:
        (root / "photos" / name).write_bytes(b"not decoded")
    assert read_of(SECTION, root)[0] == ["0.png", "1.png", "3.png", "4.png", "6.png"]


def test_a_home_folder_may_be_named_by_its_tilde(root: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HOME", str(root))
    assert len(load(Path("/nowhere"), folder="~/photos", captions="~/captions.csv").tuning) == 2


def test_which_files_are_drawn_is_told_without_torch():
    reached = {name.partition(".")[0] for name in imported_at_once("experiments.datasets.photo_folder")}
    assert not reached & HEAVY
