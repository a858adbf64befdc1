"""Inputs that are data: folders of images, pictures, captions, photos, languages."""

import csv
import io
import json
import os
import re
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from experiments.captioning.scoring.words import words
from experiments.datasets.captions_file import examine_captions
from experiments.datasets.image_folder import split_of
from experiments.datasets.loading import load_photos
from experiments.datasets.pictures import decode
from experiments.project import open_project
from tests.experiments.captioning.scoring import test_language as languages
from tests.experiments.datasets import test_captions_file as captions
from tests.experiments.datasets import test_image_layout as layouts
from tests.experiments.datasets import test_listing as listings
from tests.experiments.datasets import test_photo_folder as photo_folders
from tests.experiments.datasets import test_pictures as pictures
from tests.experiments.datasets import test_torchvision_images as torchvision
from tests.support.small_profiles import draw
from tests.torture.inputs import (
    BY_LOT,
    FOLDER,
    Right,
    Row,
    Seen,
    with_images,
    with_photos,
)

RUN = ("run", "data_sets", "--profile", "mine")


def rows() -> Iterator[Row]:
    """Yield the inputs of every kind of data."""
    yield from folders()
    yield from names_of_classes()
    yield from unused_files()
    yield from odd_pictures()
    yield from captions_files()
    yield from folders_of_photos()
    yield from other_languages()
    yield from torchvisions_options()


def lay(root: Path, places: tuple[str, ...], config: str) -> None:
    """Draw two pictures in each place, no two alike."""
    folder = with_images(root, config)
    for number, name in enumerate(layouts.files(*places)):
        draw(folder / f"{name}.png", number)


def folders() -> Iterator[Row]:
    """Folders of images in parts, with levels too many, and such as can be read in two ways."""
    taken = {
        case: ((f"{train}/cat", f"{train}/dog", f"{test}/cat", f"{test}/dog"), {f"{train}/": ["cat", "dog"]})
        for case, (train, test) in layouts.PARTS.items()
    }
    for case, (places, parts) in {**taken, **layouts.TAKEN}.items():
        # A class alone is no classification: where a table has one, it gets another beside it.
        pairs = {place[:-1] + "b" for place in places if place.endswith("/a")}
        classes = next(iter(parts.values()))
        expected = {*classes, "b"} if pairs else {*classes}
        yield Row(
            "folders of images",
            case,
            lambda root, places=tuple({*places, *pairs}), one=list(parts) == [""]: lay(
                root, places, BY_LOT if one else FOLDER
            ),
            right=classes_are(expected),
        )
    for case, (places, sentence) in layouts.ASKED.items():
        yield Row(
            "folders of images",
            case,
            lambda root, places=places: lay(root, places, BY_LOT),
            words_of(sentence),
        )


def words_of(sentence: str) -> str:
    """Return a pattern of these words, however the answer breaks its lines."""
    return r"\s+".join(re.escape(word) for word in sentence.split())


def classes_are(expected: set[str]) -> Right:
    """Return whether exactly these classes are told apart."""

    def right(root: Path, seen: Seen) -> bool:
        config: Any = open_project("mine", root).profile.images
        return {*split_of(config, root).classes} == {name.replace("_", " ") for name in expected}

    return right


def names_of_classes() -> Iterator[Row]:
    """Names that no result or page can hold."""
    for name, wrong in (
        (b"caf\xe9", "is not text in UTF-8"),
        (b"b\x07ell", r"holds the control character U\+0007"),
        ("a\u202egnp".encode(), r"holds the mark U\+202E"),
    ):
        for command in (("check", "--profile", "mine"), RUN):
            yield Row(
                "names of classes", f"{name!r} in {command[0]}", class_called(name), wrong, command=command
            )


def class_called(name: bytes) -> Callable[[Path], None]:
    """Return what draws a class of that name beside another."""

    def arrange(root: Path) -> None:
        folder = with_images(root)
        odd = Path(os.fsdecode(os.fsencode(folder) + b"/" + name))
        for number in range(6):
            draw((odd if number % 2 else folder / "dog") / f"{number}.png", number)

    return arrange


def two_classes(root: Path) -> Path:
    """Draw two classes; return the folder of one."""
    folder = with_images(root)
    for number in range(8):
        draw(folder / ("cat" if number % 2 else "dog") / f"{number}.png", number)
    return folder / "cat"


def unused_files() -> Iterator[Row]:
    """Files beside the pictures: each is counted by the reason why it is not used."""
    for case, (spoil, reason) in listings.UNUSED.items():

        def arrange(root: Path, spoil: Callable[[Path], object] = spoil) -> None:
            spoil(two_classes(root).parent)

        said = f"Not used of pets: {reason}"
        yield Row(
            "files that are not used", case, arrange,
            right=lambda root, seen, said=said: words_of_are_in(said, seen),
        )  # fmt: skip


def words_of_are_in(said: str, seen: Seen) -> bool:
    """Tell whether an answer holds these words."""
    return " ".join(said.split()) in " ".join(seen.said.split())


def odd_pictures() -> Iterator[Row]:
    """Pictures that would be destroyed, run or flood memory, and odd ones that are good."""
    for case, (content, sentence) in pictures.REFUSED.items():
        yield Row("pictures", case, a_picture(content), sentence.removesuffix("$"))
    png = pictures.encoded(Image.new("RGB", (24, 20), (30, 60, 90)))
    turned = Image.Exif()
    turned[0x0112] = 6
    wide = pictures.RAMP
    good: dict[str, tuple[bytes, Any]] = {
        "damaged notes": (png[:33] + pictures.chunk(b"eXIf", b"garbage") + png[33:], [30, 60, 90]),
        "a wrong checksum of notes": (png[:33] + b"\0\0\0\x03eXIfabcXXXX" + png[33:], [30, 60, 90]),
        "a damaged profile of colours": (png[:33] + pictures.chunk(b"iCCP", b"x") + png[33:], [30, 60, 90]),
        "16 bits of grey, PNG": (pictures.grey(wide.astype(np.uint16), "png"), np.arange(256)),
        "16 bits of grey, TIFF": (pictures.grey(wide.astype(np.uint16), "tif"), np.arange(256)),
        "16 bits of grey, PGM": (b"P5 16 16 65535\n" + wide.astype(">u2").tobytes(), np.arange(256)),
        "12 bits of grey, PGM": (b"P5 16 16 4095\n" + (wide // 16).astype(">u2").tobytes(), np.arange(256)),
        "CMYK": (pictures.encoded(Image.new("CMYK", (24, 20), (0, 255, 255, 0)), "tif"), [255, 0, 0]),
        "AVIF": (pictures.encoded(Image.new("RGB", (24, 20), (9, 9, 9)), "avif", quality=90), [9, 9, 9]),
        "a turned JPEG": (pictures.encoded(halves(), "jpg", exif=turned, quality=95), "turned"),
        "a turned PNG": (pictures.encoded(halves(), "png", exif=turned), "turned"),
    }
    for case, (content, expected) in good.items():
        yield Row("pictures", case, a_picture(content), right=decodes_to(expected))


def halves() -> Image.Image:
    """Draw a picture whose left half is black and whose right half is white."""
    picture = Image.new("RGB", (40, 24))
    picture.paste((255, 255, 255), (20, 0, 40, 24))
    return picture


def a_picture(content: bytes) -> Callable[[Path], object]:
    """Return what writes a picture among good ones."""
    return lambda root: (two_classes(root) / "odd.jpg").write_bytes(content)


def decodes_to(expected: Any) -> Right:
    """Return whether the picture has these values, one for all its pixels, or one each of greys."""

    def right(root: Path, seen: Seen) -> bool:
        pixels = decode(root / "pets" / "cat" / "odd.jpg").astype(int)
        if isinstance(expected, str):
            return pixels.shape == (40, 24, 3) and pixels[2].max() < 40 and pixels[37].min() > 215
        if len(expected) == 256:
            return np.abs(pixels[..., 0].ravel() - expected).max() <= 1
        return np.abs(pixels[5, 5] - expected).max() <= 6

    return right


def captions_files() -> Iterator[Row]:
    """Files of captions in the formats that people have, and such as hold something else."""

    def read(root: Path) -> object:
        found, problems = examine_captions(root / "c", "c")
        if problems:
            print("\n".join(problems))
            raise SystemExit(2)
        return found

    for form, content in captions.FORMS.items():
        yield Row(
            "captions", form, lambda root, content=content: (root / "c").write_text(content), command=read,
            right=lambda root, seen: seen.said.strip() == str(captions.TWO),
        )  # fmt: skip
    for case, (content, sentences) in captions.WRONG.items():
        photos = lambda root, content=content: with_photos(root, content, "a.jpg", "b.jpg")  # noqa: E731
        yield Row("captions", case, photos, words_of(sentences[0]))
    more = {
        "nothing": ("", "has no captions"),
        "a heading alone": ("image,caption\n", "has no captions"),
        "no heading": ("a.jpg,A dog .\n", "the first line must name the columns"),
        "Latin-1": ("image,caption\nb.jpg,Stra\xdfe\n".encode("latin-1"), "not text in UTF-8"),
        "UTF-16": ("image,caption\na.jpg,A dog .\n".encode("utf-16"), "not text in UTF-8"),
        "nested without end": ("[" * 100_000, "cannot be read as such"),
        "5,000 bad rows": ("image,caption\n" + "a.jpg,\n" * 5000, r"4,997 more of the same kind"),
        "a name that leads out": ("image,caption\n../a.jpg,A dog .\n", "leads out of photos.folder"),
        "a whole path": ("image,caption\n/etc/passwd,A dog .\n", "leads out of photos.folder"),
        "the folder itself": ("image,caption\n..,A dog .\n", "leads out of photos.folder"),
        "a path of Windows": ("image,caption\nC:\\a.jpg,A dog .\n", "leads out of photos.folder"),
        "half a character": (
            json.dumps([{"image": "a.jpg", "caption": "A \ud83d dog ."}]), "holds half a character"
        ),
        "a quotation mark that is not closed": ('image,caption\na.jpg,"A dog\n', "is not closed"),
    }  # fmt: skip
    no_text = {case: (content, words_of(said)) for case, (content, said) in captions.NO_TEXT.items()}
    for case, (content, sentence) in (more | no_text).items():
        photos = lambda root, content=content: with_photos(root, content, "a.jpg", "b.jpg")  # noqa: E731
        yield Row("captions", case, photos, sentence)


def three(texts: tuple[str, ...], names: tuple[str, ...] = ("a.png", "b.png", "c.png")) -> str:
    """Write a table of captions of three photos."""
    content = io.StringIO()
    csv.writer(content).writerows([("image", "caption"), *zip(names, texts, strict=True)])
    return content.getvalue()


TEXTS = ("A dog runs .", "Two cats sleep .", "A red car .")


def folders_of_photos() -> Iterator[Row]:
    """Photos where people have them, and such as are not where the captions say."""
    for case, (written, lies) in photo_folders.ELSEWHERE.items():

        def arrange(root: Path, written: str = written, lies: str = lies) -> None:
            names = tuple(written.replace("{}", name) for name in "abc")
            folder = with_photos(root, three(TEXTS, names), "a.png", "b.png", "c.png")
            for name in "abc":
                place = folder / lies.replace("{}", name)
                place.parent.mkdir(parents=True, exist_ok=True)
                (folder / f"{name}.png").rename(place)

        yield Row("folders of photos", case, arrange, right=drawn(TEXTS))
    for text in (*captions.HOSTILE, "x" * 100_000):
        texts = (text, *TEXTS[1:])
        yield Row(
            "captions that look like something else", text[:24],
            lambda root, texts=texts: with_photos(
                root, three(texts), "a.png", "b.png", "c.png"
            ),
            right=drawn(texts),
        )  # fmt: skip
    spoilt: dict[str, tuple[Callable[[Path], object], str]] = {
        "no folder": (lambda folder: folder.rename(folder.with_name("gone")), "no folder .*photos"),
        "a photo that is none": (lambda folder: (folder / "a.png").write_bytes(b"no"), "'a.png'.*decoded"),
        "a photo in another case": (
            lambda folder: (folder / "a.png").rename(folder / "a.PNG"), "has no 'a.png'.*but has 'a.PNG'"
        ),
        "one photo for both": (
            lambda folder: [
                (folder / f"{name}.png").write_bytes((folder / "a.png").read_bytes()) for name in "bc"
            ],
            "are the same picture",
        ),
        "too few": (lambda folder: (folder / "b.png").unlink(), "2 of the 3 photos"),
        "captions that are a folder": (
            lambda folder: ((folder.parent / "c").unlink(), (folder.parent / "c").mkdir()), "Is a directory"
        ),
    }  # fmt: skip
    for case, (spoil, sentence) in spoilt.items():

        def harmed(root: Path, spoil: Callable[[Path], object] = spoil) -> None:
            spoil(with_photos(root, three(TEXTS), "a.png", "b.png", "c.png"))

        yield Row("folders of photos", case, harmed, sentence)


def drawn(texts: tuple[str, ...]) -> Right:
    """Return whether the photos that are drawn have these captions, character by character."""

    def right(root: Path, seen: Seen) -> bool:
        config: Any = open_project("mine", root).profile.photos
        photos = load_photos(config, root, root / "downloads", lambda line: None)
        found = sorted(photo.references[0] for photo in (*photos.tuning, *photos.evaluation))
        return found == sorted(text.strip() for text in texts)

    return right


def other_languages() -> Iterator[Row]:
    """Captions in other scripts: split as their script is, or left out of the measures and said to be."""
    for text, expected in (
        (languages.HINDI, 8), (languages.CHINESE, 12), (languages.FRENCH, 8), ("Кот спит", 2),
        ("الكلبُ يجري", 2), ("한국어 문장", 2), ("iPhone在桌上", 4),
    ):  # fmt: skip
        normal = unicodedata.normalize("NFD", text)
        yield Row(
            "languages", f"words of {text[:16]}", lambda root: None,
            command=lambda root, text=normal: len(words(text)),
            right=lambda root, seen, expected=expected: seen.said.strip() == str(expected),
        )  # fmt: skip
    for code, text, said in (
        ("en", languages.HINDI, "script|language"), ("th", languages.THAI, "Thai|left out|apart"),
        ("ja", languages.JAPANESE, "left out|apart"), ("hi", languages.HINDI, ""),
        ("zh", languages.CHINESE, ""), ("fr", languages.FRENCH, ""),
    ):  # fmt: skip
        yield Row(
            "languages", f"{code}: {text[:16]}", in_language(code, text),
            right=lambda root, seen, said=said: bool(re.search(said, seen.said)),
        )  # fmt: skip
    yield Row("languages", "English called Chinese", in_language("zh", "a brown dog"), "zh|Chinese")


def in_language(code: str, text: str) -> Callable[[Path], None]:
    """Return what writes captions and the language that the profile says they have."""

    def arrange(root: Path) -> None:
        texts = (text, f"{text} {text}", f"{text} 2")
        with_photos(root, three(texts), "a.png", "b.png", "c.png")
        path = root / "profiles" / "mine.toml"
        path.write_text(path.read_text().replace("[captions]\n", f'[captions]\nlanguage = "{code}"\n'))

    return arrange


def torchvisions_options() -> Iterator[Row]:
    """A data set of torchvision's by its name: wrong options are told from files that are not there."""
    for case, (name, options, sentence) in torchvision.OPTIONS.items():
        given = "".join(
            f"\n[images.options]\n{key} = {json.dumps(value)}\n" for key, value in options.items()
        )
        config = f'[images]\nkind = "torchvision"\nname = "{name}"\nsize = 32\nfolder = "pets"\n'
        config += f"test_share = 0.5\nseed = 0\n{given}"
        yield Row(
            "torchvision", case, lambda root, config=config: draw(with_images(root, config) / "other.png", 0),
            words_of(sentence), command=("run", "cnn", "--profile", "mine"),
        )  # fmt: skip
