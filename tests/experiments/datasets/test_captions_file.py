import bz2
import csv
import gzip
import io
import json
import lzma
import pickle
import re
import time
import zipfile
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.datasets.captions_file import (
    CaptionedFile,
    captions_sha256,
    examine_captions,
    read_captions,
)
from experiments.datasets.text import seen
from tests.support.imports import HEAVY, imported_at_once
from tests.support.refusals import refusal

HOSTILE = (
    "<script>alert(1)</script> **bold** [a](b) $x$ `code` | bar",
    'A sign that says "Stop" , and another that says "Go" .',
    "Ein Hund 🐕 läuft über die Straße, 犬が走る",
    "{{< env HOME >}}",
    "=SUM(A1:A9)",
    'ends with a quote "',
    "a;b,c\td",
    "# no comment",
)

UNFIT = "\u202d\u202e\ufffe\uffff"
LETTERS = st.characters(exclude_categories=("Cs", "Cc"), exclude_characters=UNFIT)
LINES = st.text(LETTERS | st.sampled_from("\n\t"), min_size=1)


def is_no_list(text: str) -> bool:
    """Tell whether a caption can be seen and begins like no list of captions."""
    return bool(seen(text)) and text[0] not in "[({"


CAPTIONS = st.text(LETTERS, min_size=1).map(str.strip).filter(is_no_list) | st.sampled_from(HOSTILE)


def is_plain(name: str) -> bool:
    """Tell whether a name is its own shortest form and stays in its folder."""
    leaves = name.startswith("\\") or ".." in re.split(r"[/\\]", name) or re.match(r"[A-Za-z]:[/\\]", name)
    return not leaves and str(PurePosixPath(name)) == name == name.strip() and not name.startswith("/")


NAMES = st.text(LETTERS, min_size=1).map(lambda text: f"{text}.jpg").filter(is_plain)


Written = list[CaptionedFile]


def files(names: st.SearchStrategy[str] = NAMES, captions: st.SearchStrategy[str] = CAPTIONS) -> Any:
    """Return a strategy for captioned files."""
    own = st.lists(captions, min_size=1, max_size=4, unique=True).map(tuple)
    written = st.dictionaries(names, own, min_size=1, max_size=5)
    return written.map(lambda content: [CaptionedFile(*item) for item in content.items()])


def examine(content: str | bytes, folder: Path) -> tuple[Written, list[str]]:
    path = folder / "captions"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return examine_captions(path, "c")


def read(content: str | bytes, folder: Path) -> list[CaptionedFile]:
    files, problems = examine(content, folder)
    assert problems == []
    return files


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("captions")


@given(
    written=files(captions=LINES.map(str.strip).filter(is_no_list) | st.sampled_from(HOSTILE)),
    delimiter=st.sampled_from(",;\t"),
    lineterminator=st.sampled_from(["\n", "\r\n"]),
    mark=st.sampled_from([b"", b"\xef\xbb\xbf"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    header=st.sampled_from(["image caption", "Caption Image", "id IMAGE note caption"]),
)
def test_a_quoted_table_is_read(place: Path, written: Written, mark: bytes, header: str, **form: Any):
    text = io.StringIO(newline="")
    writer = csv.writer(text, **form)
    writer.writerow(header.split())
    for file in written:
        for caption in file.captions:
            cells = {"image": file.name, "caption": caption, "id": '7"', "note": "a,b;c\td"}
            writer.writerow(cells[column.lower()] for column in header.split())
    assert read(mark + text.getvalue().encode(), place) == written


def unquoted(text: str) -> bool:
    return not text.startswith('"')


@given(written=files(NAMES.filter(unquoted).filter(lambda name: "," not in name), CAPTIONS.filter(unquoted)))
def test_a_table_of_two_columns_needs_no_quotes(place: Path, written: Written):
    lines = [f"{file.name},{caption}" for file in written for caption in file.captions]
    assert read("\n".join(["image,caption", *lines]), place) == written


def numbered(form: str, written: list[CaptionedFile]) -> list[str]:
    return [form.format(file.name, *place) for file in written for place in enumerate(file.captions)]


@given(written=files(NAMES.filter(lambda name: "\t" not in name)), end=st.sampled_from(["\n", "\r\n"]))
def test_flickr8k_is_read_as_it_was_written(place: Path, written: Written, end: str):
    assert read(end.join(numbered("{}#{}\t{}", written)), place) == written


@given(written=files(NAMES.filter(lambda name: "|" not in name)), random=st.randoms(use_true_random=False))
def test_flickr30k_is_read_in_the_order_of_its_numbers(place: Path, written: Written, random: Any):
    lines = numbered("{}| {}| {}", written)
    random.shuffle(lines)
    found = read("\n".join(["image_name| comment_number| comment", *lines]), place)
    assert sorted(found, key=lambda file: file.name) == sorted(written, key=lambda file: file.name)


@given(written=files(captions=LINES.map(str.strip).filter(seen)), ascii_only=st.booleans())
def test_coco_is_read_as_it_was_written(place: Path, written: Written, ascii_only: bool):
    images = [{"id": number, "file_name": file.name} for number, file in enumerate(written)]
    annotations = [
        {"image_id": number, "id": 100 * number, "caption": caption}
        for number, file in enumerate(written)
        for caption in file.captions
    ]
    images.append({"id": "no number", "file_name": "without captions.jpg"})
    content = {"info": {"year": 2014}, "annotations": annotations, "images": images}
    # A carriage return stands in JSON as an escape and is white space of the caption.
    assert read(json.dumps(content, ensure_ascii=ascii_only), place) == written


def test_the_line_of_flickr30k_that_lacks_its_second_bar_is_read(tmp_path: Path):
    lines = ("219.jpg| 3| A dog runs through the grass .", "219.jpg| 4   A dog runs across the grass .")
    captions = ("A dog runs through the grass .", "A dog runs across the grass .")
    content = "\n".join(["image_name| comment_number| comment", *lines])
    assert read(content, tmp_path) == [CaptionedFile("219.jpg", captions)]


@pytest.mark.parametrize("bar", ["|", ","])
def test_numbers_that_pandas_wrote_as_fractions_since_one_is_missing_give_the_order(bar: str, tmp_path: Path):
    lines = [
        ("b.jpg", "", "One ."),
        ("a.jpg", "1.0", "Two ."),
        ("a.jpg", "0.0", "One ."),
        ("a.jpg", "10.0", "3 ."),
    ]
    content = "\n".join(map(bar.join, [("image_name", "comment_number", "comment"), *lines]))
    expected = [CaptionedFile("b.jpg", ("One .",)), CaptionedFile("a.jpg", ("One .", "Two .", "3 ."))]
    assert read(content, tmp_path) == expected


def test_a_table_quotes_some_captions_as_flickr8k_does_and_leaves_others(tmp_path: Path):
    captions = {
        "A man , a dog .": "A man , a dog .",
        '"Dog with ball , on shore"': "Dog with ball , on shore",
        ' "He said ""no"" , twice" ': 'He said "no" , twice',
        '"Stop" is on the sign , and "Go"': '"Stop" is on the sign , and "Go"',
        '"two\r\nlines"': "two\nlines",
    }
    content = "\r\n".join(["image,caption", "", *(f"a.jpg,{cell}" for cell in captions), ",", ""])
    assert read(content, tmp_path) == [CaptionedFile("a.jpg", tuple(captions.values()))]


def test_a_lone_carriage_return_ends_a_line_as_well(tmp_path: Path):
    assert len(read("image,caption\ra.jpg,A dog .\rb.jpg,A cat .\r", tmp_path)) == 2


def test_repeated_captions_are_dropped_and_names_are_made_short(tmp_path: Path):
    content = "image,caption\nb/a.jpg,One .\nc.jpg,One .\n./b//a.jpg,One . \nb/a.jpg,Two .\n"
    expected = [CaptionedFile("b/a.jpg", ("One .", "Two .")), CaptionedFile("c.jpg", ("One .",))]
    assert read(content, tmp_path) == expected


UNKNOWN = (
    "c:1: the first line must name the columns image and caption, each once, between commas, semicolons or "
    "tabs; or be Flickr8k's name.jpg#0, a tab and a caption, or the first of Flickr30k's results.csv, or "
    "begin JSON as COCO, Karpathy's splits or metadata.jsonl have it."
)
COCO_LISTS = (
    "c must have the lists images and annotations, as COCO's files of captions do, or be a list of "
    "objects that have image and caption, or an object that has the captions of each image by its name."
)
NONE = "c has no captions: write at least one for each photo."
COMMA = "put a field that holds a comma between double quotes."
FIELDS = "c:{}: the row has another number of fields than the first line ({}, not 3); " + COMMA
UTF8 = "this is not text in UTF-8: save the file as UTF-8."
QUOTES = 'put the field between quotation marks, and write "" for each one inside.'
UNCLOSED = f"a field begins with a quotation mark that is not closed; {QUOTES}"
EMPTY = "the caption of '{}.jpg' is empty; write one or remove the line."
NO_JSON = "c begins like JSON, but cannot be read as such ("
BROKEN_OFF = f"{NO_JSON}Expecting value: line 2 column 18 (char 32)): export it anew."
IMAGES = [(1, "a.jpg"), (1, "b.jpg"), (5, "\ud83d.jpg")]
TEXTS = [(1, "A dog ."), (2, "A dog ."), (1, ["A dog ."]), (1, "\n"), (1, "A dog \ud83d ."), (5, "A dog .")]
FAULTY_COCO: dict[str, list[Any]] = {
    "images": [*({"id": key, "file_name": name} for key, name in IMAGES), {"file_name": "c.jpg"}, "d.jpg"],
    "annotations": [{"image_id": key, "caption": text} for key, text in TEXTS],
}


@pytest.mark.parametrize(
    ("content", "sentences"),
    [
        ("", [NONE]),
        ("image,caption\n", [NONE]),
        ("picture,caption\na.jpg,A dog .\n", [UNKNOWN]),
        ("image,caption,caption\na.jpg,A dog .,A cat .\n", [UNKNOWN]),
        ("a.jpg,A dog .\n", [UNKNOWN]),
        ("image,caption\na.jpg,A dog .\nb.jpg,Stra\xdfe\n".encode("latin-1"), [f"c:3: {UTF8}"]),
        ("image,caption\na.jpg,A dog .\n".encode("utf-16"), [f"c:1: {UTF8}"]),
        (
            "image,caption,note\na.jpg,A dog , a cat .,good\nb.jpg,A dog .\n",
            [FIELDS.format(2, 4), FIELDS.format(3, 2)],
        ),
        (
            'image,caption\na.jpg,"A dog\nb.jpg,A cat .\n',
            [f"c:2: {UNCLOSED}"],
        ),
        (
            'image,caption\n"a.jpg","two\nlines"\nb.jpg, \n,A dog .\n',
            [f"c:4: {EMPTY.format('b')}", "c:5: no image is named; name one or remove the line."],
        ),
        (
            "a.jpg#0\tA dog .\nb.jpg\tA cat .\n",
            ["c:2: the line must read name.jpg#0, a tab and a caption, like the others."],
        ),
        (
            "image_name| comment_number| comment\na.jpg| first| A dog .\na.jpg| 1|\n",
            ["c:2: the line must read name.jpg| 0| caption, like the others.", f"c:3: {EMPTY.format('a')}"],
        ),
        (
            '{"images": [],\n "annotations": [}',
            [BROKEN_OFF],
        ),
        ("[1, 2]", [COCO_LISTS]),
        ('{"images": {}, "annotations": []}', [COCO_LISTS]),
        (
            json.dumps(FAULTY_COCO),
            [
                "c: images[1] has the id 1, which another has; give each its own.",
                "c: images[3] must have an id and a file_name.",
                "c: images[4] must have an id and a file_name.",
                "c: annotations[1] has the image_id 2, which is no image's id; mend or remove it.",
                "c: annotations[2] must have an image_id and a caption.",
                f"c: annotations[3]: {EMPTY.format('a')}",
                "c: annotations[4]: the name or caption 'a.jpg' holds half a character; write it anew.",
                "c: annotations[5]: the name or caption '\\ud83d.jpg' holds half a character; write it anew.",
            ],
        ),
    ],
)
def test_every_problem_of_a_file_is_a_sentence(tmp_path: Path, content: str | bytes, sentences: list[str]):
    assert examine(content, tmp_path)[1] == sentences


def test_names_that_lead_out_of_the_folder_are_refused(tmp_path: Path):
    for name in ("/etc/passwd", "../a.jpg", "a/../../b.jpg", "..", "C:\\a.jpg", "\\a.jpg", "a\\..\\b.jpg"):
        sentence = f"c:2: the name {name!r} leads out of photos.folder; write the path inside it."
        sound = CaptionedFile("b.jpg", ("A cat .",))
        found = examine(f"image,caption\n{name},A dog .\nb.jpg,A cat .\n", tmp_path)
        assert found == ([sound], [sentence]), "what is sound is read beside the problems"


@pytest.mark.parametrize(("count", "end"), [(12, " And 7 more."), (6, " And 1 more."), (5, "the line.")])
def test_the_first_five_problems_are_told_and_the_others_counted(tmp_path: Path, count: int, end: str):
    path = tmp_path / "captions"
    path.write_text("image,caption\n" + "a.jpg,\n" * count)
    told = refusal(read_captions, path, "captions")
    assert told.count("is empty") == 5
    assert "captions:6:" in told
    assert "captions:7:" not in told
    assert told.endswith(end)


def test_a_file_that_is_not_there_or_not_to_be_read_is_a_sentence(tmp_path: Path):
    none, mend = tmp_path / "none.csv", "place the file there or mend photos.captions."
    sentence = f"The captions {none} cannot be read (No such file or directory): {mend}"
    assert examine_captions(none, "none.csv") == ([], [sentence])
    assert "(Is a directory)" in examine_captions(tmp_path, ".")[1][0]
    (found,) = examine("[" * 100_000, tmp_path)[1]  # nested beyond measure
    assert found.startswith(NO_JSON)


def test_reading_captions_needs_neither_torch_nor_pillow():
    assert not imported_at_once("experiments.datasets.captions_file") & (HEAVY | {"PIL"})


TWO = [CaptionedFile("a.jpg", ("A dog , a cat .", "Two pets .")), CaptionedFile("b.jpg", ("A car .",))]
SPLITS = {
    "dataset": "flickr8k",
    "images": [
        {
            "filename": name,
            "imgid": 0,
            "split": split,
            "sentences": [{"tokens": [], "raw": raw} for raw in raws],
        }
        for name, split, raws in (("a.jpg", "train", TWO[0].captions), ("b.jpg", "test", TWO[1].captions))
    ],
}
LAVIS = [{"image": file.name, "caption": list(file.captions)} for file in TWO]
RECORDS = [{"file_name": file.name, "text": text} for file in TWO for text in file.captions]
FORMS = {
    "Flickr30k with commas": (
        "image_name, comment_number, comment\na.jpg, 0, A dog , a cat .\na.jpg, 1, Two pets .\n"
        "b.jpg, 0, A car .\n"
    ),
    "the same out of order, with quotes": (
        'image_name,comment_number,comment\na.jpg,1,Two pets .\na.jpg,0,"A dog , a cat ."\nb.jpg,0,A car .\n'
    ),
    "metadata.csv": "file_name,text\na.jpg,A dog , a cat .\na.jpg,Two pets .\nb.jpg,A car .\n",
    "a column for each caption": (
        'image,caption,caption_2\na.jpg,"A dog , a cat .",Two pets .\nb.jpg,A car .,\n'
    ),
    "numbered columns alone": "caption_0;caption_1;image\nA dog , a cat .;Two pets .;a.jpg\nA car .;;b.jpg\n",
    "lists as Python shows them": (
        'image,captions\na.jpg,"[\'A dog , a cat .\', ""Two pets .""]"\nb.jpg,[\'A car .\']\n'
    ),
    "lists as numpy shows them": (
        'image,captions\na.jpg,"[\'A dog , a cat .\' ""Two pets .""]"\nb.jpg,[\'A car .\']\n'
    ),
    "lists as numpy shows them whole": (
        "image,captions\na.jpg,\"array(['A dog , a cat .',\n       'Two pets .'], dtype=object)\"\n"
        "b.jpg,[['A car .']]\n"
    ),
    "lists with gaps": (
        'image,captions\na.jpg,"[""A dog , a cat ."", null, ""Two pets .""]"\nb.jpg,"(\'A car .\',)"\n'
    ),
    "lists as JSON shows them": (
        'image,captions\na.jpg,"[""A dog , a cat ."",""Two pets .""]"\nb.jpg,"[""A c\\u0061r .""]"\n'
    ),
    "lists of numpy's own texts": (
        "image,captions\na.jpg,\"[np.str_('A dog , a cat .'), np.str_('Two pets .')]\"\n"
        "b.jpg,\"array(['A car .'], dtype='<U7')\"\n"
    ),
    "lists without names of columns": "a.jpg\t['A dog , a cat .', 'Two pets .']\nb.jpg\t['A car .']\n",
    "metadata.jsonl with lists as texts": (
        json.dumps({"file_name": "a.jpg", "text": str(list(TWO[0].captions))})
        + "\n"
        + json.dumps({"file_name": "b.jpg", "text": '["A car ."]'})
    ),
    "metadata.jsonl": "\n".join(map(json.dumps, RECORDS)),
    "metadata.jsonl with lists": "\n".join(map(json.dumps, LAVIS)),
    "LAVIS": json.dumps(LAVIS, indent=1),
    "an object of lists by name": json.dumps({file.name: file.captions for file in TWO}),
    "an object of texts by name, one twice": (
        '{"a.jpg": "A dog , a cat .",\n"b.jpg": "A car .",\n"a.jpg": "Two pets ."}'
    ),
    "tabs that became blanks": "a.jpg#0   A dog , a cat .\na.jpg#1   Two pets .\nb.jpg#0   A car .\n",
    "a table between blanks": (
        "image   caption\na.jpg   A dog , a cat .\na.jpg   Two pets .\nb.jpg   A car .\n"
    ),
    "an index before the names": (
        "id,filename,description\n0,a.jpg,A dog , a cat .\n1,a.jpg,Two pets .\n2,b.jpg,A car .\n"
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_captions_are_read_in_the_formats_that_people_have(tmp_path: Path, form: str):
    assert read(FORMS[form], tmp_path) == TWO


def test_karpathys_file_is_read_with_the_splits_that_it_tells(tmp_path: Path):
    parted = [
        CaptionedFile(file.name, file.captions, split)
        for file, split in zip(TWO, ("train", "test"), strict=True)
    ]
    table = "image,caption,split\n" + "".join(
        f'{file.name},"{text}",{file.split}\n' for file in parted for text in file.captions
    )
    lists = (json.dumps(file.captions).replace('"', '""') for file in parted)
    published = "raw,sentids,split,filename\n" + "".join(
        f'"{told}",0,{file.split},{file.name}\n' for told, file in zip(lists, parted, strict=True)
    )
    records = [{"file_name": file.name, "text": [*file.captions], "split": file.split} for file in parted]
    lines = "\n".join(map(json.dumps, records))
    for written in (json.dumps(SPLITS), table, published, json.dumps(records), lines):
        assert read(written, tmp_path) == parted
    assert captions_sha256(parted) != captions_sha256(TWO)
    assert captions_sha256(parted) == captions_sha256(parted[::-1])


def test_photos_whose_split_is_null_are_of_none_and_other_splits_are_texts(tmp_path: Path):
    def with_splits(*splits: object) -> str:
        images = [image | {"split": split} for image, split in zip(SPLITS["images"], splits, strict=True)]
        return json.dumps(SPLITS | {"images": images})

    assert read(with_splits(None, None), tmp_path) == TWO
    found, problems = examine(with_splits(3, "test"), tmp_path)
    assert [file.name for file in found] == ["b.jpg"]
    wanted = "write train, val, restval or test, or leave it out."
    assert problems == [f"c: images[0] has a split that is no text: {wanted}"]


def test_a_photo_that_is_of_two_splits_is_told(tmp_path: Path):
    table = "image,caption,split\na.jpg,A dog .,train\na.jpg,A cat .,test\n"
    assert examine(table, tmp_path)[1] == ["c:3: a.jpg is of split 'train' above: mend one."]


BOXES = {"id": 1, "image_id": 1, "category_id": 3, "bbox": [0, 0, 9, 9]}
WRONG = {
    "COCO's file of objects": (
        json.dumps({"images": [{"id": 1, "file_name": "a.jpg"}], "annotations": [BOXES] * 5000}),
        ["c is COCO's file of objects, without captions: name captions_*.json of the same archive."],
    ),
    "two columns that could be the caption": ("file_name,text,comment\na.jpg,A dog .,A cat .\n", [UNKNOWN]),
    "a record without a caption": (
        '{"file_name": "a.jpg", "text": "A dog ."}\n{"file_name": "b.jpg"}\n{',
        [
            "c:2 must have the name of an image and a caption, as file_name and text.",
            "c:3: this is no JSON (",
        ],
    ),
    "an object of captions by name, some none": (
        '{"a.jpg": [], "b.jpg": ["A dog .", 3], "c.jpg": {"text": "A cat ."}, "d.jpg": null}',
        [
            "c: 'a.jpg' must have a caption or a list of captions.",
            "c: 'b.jpg' has a caption that is no text; mend or remove it.",
            "c: 'c.jpg' has a caption that is no text; mend or remove it.",
            "c: 'd.jpg' must have a caption or a list of captions.",
        ],
    ),
    "a record on several lines": ('{"file_name": "a.jpg",\n"text": "A dog ."}', [COCO_LISTS]),
    "texts under names of fields": ('{"info": "captions", "annotations": ["A dog ."]}', [COCO_LISTS]),
    "a right-to-left override": (
        "image,caption\na.jpg,A \u202egod .\n",
        ["c:2: the name or caption 'a.jpg' holds the mark U+202E, which turns the letters after it"],
    ),
    "a control character": (
        "image,caption\na.jpg,A \x07dog .\n",
        ["c:2: the name or caption 'a.jpg' holds the control character U+0007; write"],
    ),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_file_that_holds_something_else_is_told_as_such(tmp_path: Path, kind: str):
    content, sentences = WRONG[kind]
    found, problems = examine(content, tmp_path)
    assert [problem[: len(start)] for problem, start in zip(problems, sentences, strict=True)] == sentences
    assert found == [] or kind in {"a record without a caption", "an object of captions by name, some none"}


def parquet() -> bytes:
    content = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table({"image": ["a.jpg"], "caption": ["A dog ."]}), content)
    return content.getvalue()


def zipped(*names: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, "image,caption\na.jpg,A dog .\n")
    return content.getvalue()


TABLE = b"image,caption\na.jpg,A dog .\n"
NO_TEXT = {
    "Excel": (
        zipped("[Content_Types].xml", "xl/workbook.xml"),
        "an Excel workbook: export it as CSV in UTF-8",
    ),
    "Word": (zipped("[Content_Types].xml", "word/document.xml"), "a Word document: export it as CSV"),
    "zip": (zipped("captions.csv"), "a zip archive: unpack it, and name the file with the captions"),
    "gzip": (gzip.compress(TABLE), "compressed with gzip: unpack it, and name the file"),
    "bzip2": (bz2.compress(TABLE), "compressed with bzip2: unpack it, and name the file"),
    "xz": (lzma.compress(TABLE), "compressed with xz: unpack it, and name the file"),
    "Parquet": (
        parquet(),
        "a Parquet file: export it as CSV in UTF-8, or as JSON, with the columns image and",
    ),
    "a PDF": (b"%PDF-1.7\nhello", "a PDF: export it as CSV"),
    "a picture": (b"\xff\xd8\xff\xe0" + bytes(9), "a picture: export it as CSV"),
    "a pickle": (pickle.dumps(["A dog"]), "a pickle of Python's: export it as CSV"),
    "7-Zip": (b"7z\xbc\xaf\x27\x1c" + bytes(9), "compressed with 7-Zip: unpack it"),
    "Excel of 1997": (
        bytes.fromhex("d0cf11e0a1b11ae1") + bytes(504),
        "an older Excel workbook or Word document: export it as CSV",
    ),
}


@pytest.mark.parametrize("kind", NO_TEXT)
def test_a_file_that_is_no_text_is_told_by_what_it_is_and_what_to_export(tmp_path: Path, kind: str):
    content, said = NO_TEXT[kind]
    found, (problem,) = examine(content, tmp_path)
    assert found == []
    assert problem.startswith(f"c is no text, but {said}")


def test_captions_that_begin_as_another_file_does_are_read(tmp_path: Path):
    for name in ("PAR1.jpg", "BZhé.jpg", "PK.jpg"):
        assert read(f"{name}\tA dog .\n", tmp_path) == [CaptionedFile(name, ("A dog .",))]


@pytest.mark.parametrize("between", ["\t", " \t", "   ", "  "])
def test_pairs_without_a_first_line_that_names_columns_are_read(between: str, tmp_path: Path) -> None:
    path = tmp_path / "pairs.txt"
    lines = [f"dogs/a b.JPG{between}a dog, on grass", f"2.png{between}two dogs", f"2.png{between}dogs again"]
    path.write_text("\n".join(lines))
    files, wrong = examine_captions(path, "pairs.txt")
    assert wrong == []
    assert {file.name: file.captions for file in files} == {
        "dogs/a b.JPG": ("a dog, on grass",),
        "2.png": ("two dogs", "dogs again"),
    }
    path.write_text("\n".join([*lines, "3.png lost its tab"]))
    _, wrong = examine_captions(path, "pairs.txt")
    assert wrong == ["pairs.txt:4: the line must read name.jpg, a tab and a caption, like the others."]


def table(*fields: str) -> str:
    """Return a table with a photo for each field of captions."""
    written = io.StringIO()
    csv.writer(written).writerows([("image", "captions"), *((f"{at}.jpg", f) for at, f in enumerate(fields))])
    return written.getvalue()


@pytest.mark.parametrize(
    ("field", "captions"),
    [
        (r'["A", "B \/ C"]', ("A", "B / C")),
        (r'["A \ud83d\ude00"]', ("A 😀",)),
        (r"""['It\'s "A"', "B's"]""", ('It\'s "A"', "B's")),
        (r"['A \d']", (r"A \d",)),
        ("['A' 'B'\n 'C']", ("A", "B", "C")),
        ("[a dog] runs", ("[a dog] runs",)),
        ("[3D]", ("[3D]",)),
        ("[", ("[",)),
        ("(2)", ("(2)",)),
        ("(1, 2)", ("(1, 2)",)),
        ('["Stop", "Go"] on two signs', ('["Stop", "Go"] on two signs',)),
        ("['Tis the season] a tree", ("['Tis the season] a tree",)),
    ],
)
def test_a_list_in_a_field_is_read_as_it_was_written_and_anything_else_stands(
    tmp_path: Path, field: str, captions: tuple[str, ...]
):
    assert read(table(field), tmp_path) == [CaptionedFile("0.jpg", captions)]


@pytest.mark.parametrize(
    "field", ["[]", "()", "[None]", "[[], nan]", "array([], dtype=object)", "['']", "\u200b"]
)
def test_an_empty_list_of_captions_is_no_caption(tmp_path: Path, field: str):
    wrong = "c:3: the caption of '1.jpg' is empty; write one or remove the line."
    assert examine(table("A dog", field), tmp_path) == ([CaptionedFile("0.jpg", ("A dog",))], [wrong])


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("['A', 5]", "a list, but not of texts alone; write texts alone."),
        ('["A", 5]', "a list, but not of texts alone; write texts alone."),
        ("[b'A']", "a list, but not of texts alone; write texts alone."),
        ("[1, 2.5]", "a list, but not of texts alone; write texts alone."),
        ("['A' 'B' ... 'Y' 'Z']", "a list, but not of texts alone; write texts alone."),
        ("[{'raw': 'A'}]", "a list, but not of texts alone; write texts alone."),
        ("{'A', 'B'}", "a list, but not of texts alone; write texts alone."),
        ("['A', 'B'", "a list that breaks off; write it to its end."),
        ("['A', 'B is c", "a list that breaks off; write it to its end."),
        ("['A\nB']", "a list with a text that cannot be read; write it anew."),
        (r"['\x']", "a list with a text that cannot be read; write it anew."),
    ],
)
def test_a_list_that_is_not_one_of_texts_is_told(tmp_path: Path, field: str, wrong: str):
    sentence = f"c:3: the captions {field!r} are {wrong}"
    assert examine(table("A dog", field), tmp_path) == ([CaptionedFile("0.jpg", ("A dog",))], [sentence])


@pytest.mark.parametrize("begin", ["['", '["', "[", "[" * 30_000, "['A'" + ", 'A'" * 30_000, "," * 30_000])
@pytest.mark.parametrize("more", [r"\'", r"\"\"", "[", " ", "9", "array", "''"])
def test_no_field_of_captions_takes_longer_than_its_length(tmp_path: Path, begin: str, more: str):
    begun = time.process_time()
    examine(table(begin + more * 30_000), tmp_path)
    assert time.process_time() - begun < 2
