"""What is wrong with an author's page is told by file and line, with what to write instead."""

import re
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import UserError
from pipeline.project import Project
from reporting import proofread
from reporting.document import Document
from reporting.prose import Call, calls
from reporting.rendering.source import INLINE
from tests.support.commands import python
from tests.support.copies import ROOT
from tests.support.report_worlds import World, results
from tests.support.spoken import document

FRONT = "---\ntitle: x\n---\n\n"
BIBLIOGRAPHY = "@article{hu2022lora, title={A},\n}\n@Misc{ vaswani2017attention , year=1}\n@comment{no,}\n"


@cache
def usual(cnn: float = 0.9) -> dict[str, Any]:
    """The results of a world in which only the convolutional network's accuracy differs."""
    return results(World(photos=10, cnn=cnn))


@pytest.fixture
def values() -> dict[str, Any]:
    return usual()


def made(values: dict[str, Any], folder: Path, body: str, **templates: str) -> Document:
    (folder / "report.qmd").write_text(f"{FRONT}{body}\n", encoding="utf-8")
    (folder / "references.bib").write_text(BIBLIOGRAPHY, encoding="utf-8")
    for part in ("templates", "reporting"):
        (folder / part).mkdir()
    for name, text in templates.items():
        (folder / "templates" / f"{name}.md.j2").write_text(text, encoding="utf-8")
    whole = document(values, folder)
    return replace(whole, project=replace(whole.project, root=folder))


@pytest.mark.parametrize(
    ("body", "line", "words"),
    [
        ('It is `{python} n("cnn.topp1")`.', 5, ["'cnn.topp1'", "cnn.top1"]),
        ('It is\n`{python} n("cnn.top1")` and `{python} n("vit.top")`.', 6, ["'vit.top'", "vit.top1"]),
        ('`{python} n("cn.top1")`', 5, ["'cn.top1'", "cnn.top1"]),
        ('`{python} n("captions.measures.cider.after")`', 5, ["captions.measures.cider_d.after"]),
        ('`{python} n("cnn.per_class.catt")`', 5, ["cnn.per_class.cat"]),
        ('`{python} n("cnn.confusion")`', 5, ["is a list"]),
        ('`{python} n("cnn..top1")`', 5, ["'cnn..top1'"]),
        ('`{python} n.percnt("cnn.top1")`', 5, ["n.percnt", "percent"]),
        ('`{python} n.difference("cnn.top1", "vit.topp1")`', 5, ["vit.top1"]),
        ('`{python} n("")`', 5, ["''"]),
        ("`{python} n()`", 5, ["n takes (path, digits)", "'path'"]),
        ('`{python} n("cnn.top1", digts=2)`', 5, ["n takes (path, digits)", "'digts'"]),
        ('`{python} n("cnn.top1", digits=9)`', 5, ["from 0 to 4"]),
        ('`{python} n("cnn.top1", digits="2")`', 5, ["from 0 to 4, not '2'"]),
        ("`{python} n(2)`", 5, ["a path in quotation marks"]),
        ('`{python} n.said("captions.measures.chrf.after")`', 5, ["is no share"]),
        ('`{python} n.share("lora.trainable")`', 5, ["n.share takes (part, whole)", "'whole'"]),
        ('`{python} n.times("cnn.top1", "cnn.model")`', 5, ["cnn.model is no number"]),
        ('`{python} n.size("lora.trainable", "lora.r")`', 5, ["n.size takes (path)"]),
        ('`{python} n.count("cnn.model")`', 5, ["n.count(…)"]),
        ('`{python} n.ratio("cnn.top1")`', 5, ["n.ratio takes (one, other, digits)", "'other'"]),
        ('`{python} n.ratio("cnn.top1", "cnn.model")`', 5, ["cnn.model is no number"]),
        ('`{python} n.ratio("cnn.epochs", "zero_shot.epochs")`', 5, ["zero_shot.epochs, which is 0"]),
        ('`{python} n.interval("cnn.epochs")`', 5, ["cnn.epochs is no estimate"]),
        ('`{python} n.difference("cnn.seconds", "cnn.epochs")`', 5, ["not of one unit"]),
        ('`{python} n.difference("cnn.top1", "captions.measures.chrf.after")`', 5, ["not of one unit"]),
        ('`{python} n.share("lora.trainable", "lora.totl")`', 5, ["lora.total"]),
        ('`{python} report.claim("cnn > vit")`', 5, ["'sentence'"]),
        ('`{python} report.claim("cnn > vit", "x", otherwis="y")`', 5, ["'otherwis'"]),
        ('`{python} report.claim("cnn > vitt", "x")`', 5, ["'cnn > vitt'", "cnn > vit"]),
        ("`{python} report.claim(test, 'x')`", 5, ["plain words"]),
        ('`{python} report.claim("cnn > vit", 3)`', 5, ["quotation marks"]),
        ('`{python} report.claim("cnn > vit", "x", unclear=["y"])`', 5, ["quotation marks"]),
        ('`{python} n("cnn.top1"`', 5, ["no Python expression"]),
        ('```{python}\nx = 1\nprint(f"""a\n{n("cnn.topp1")}""")\n```', None, ["cnn.top1"]),
        ('```{python}\nx = 1\n\nreport.claim("cnn > vitt",\n"x")\n```', 8, ["cnn > vit"]),
        ("As shown by\n[see @hu2022lora; -@vaswani2017].", 6, ["'vaswani2017'", "vaswani2017attention"]),
        ("# A\n\n@hu2022 says.", 7, ["'hu2022'", "hu2022lora"]),
        ('```{python}\nreport.say("As @hu2022 says.")\n```', 6, ["hu2022lora"]),
    ],
)  # fmt: skip
def test_what_a_page_cites_and_there_is_not_is_told_by_line_with_the_nearest(
    values: dict[str, Any], tmp_path: Path, body: str, line: int | None, words: list[str]
) -> None:
    (found,) = proofread.mistakes(made(values, tmp_path, body))
    assert found.startswith(f"report.qmd:{line}: " if line else "report.qmd:")
    assert [word for word in words if word not in found] == []
    with pytest.raises(UserError, match=re.escape(found)):
        proofread.refuse_mistakes(replace(made_again(values, tmp_path)))


def made_again(values: dict[str, Any], folder: Path) -> Document:
    whole = document(values, folder)
    return replace(whole, project=replace(whole.project, root=folder))


@pytest.mark.parametrize(
    "body",
    [
        'It is `{python} n("cnn.top1")` of `{python} report.n("cnn.per_class.0", digits=1)`.',
        '`{python} n.ratio("captions.measures.length.after", "captions.measures.length.before")`',
        '`{python} n(path)` and `{python} f"{n(1 + 1)}"`',
        '`{python} n.measured("captions.measures.0.after", "points")`',
        '`{python} report.claim("cnn > vit", f"It is {n(\'cnn.top1\')}.")`',
        '``` {.python}\nn("cnn.topp1")\n```',
        '```{python}\nother.n("cnn.topp1"); m("cnn.topp1")\n```',
        "`{python} n(*path)`, `{python} n(**path)` and `{python} n.ratio(one, other=two)`",
        '`{python} n.ratio(one="cnn.seconds", other="vit.seconds", digits=2)`',
        '`{python} n(path="cnn.top1")`',
        '`{python} n.share("lora.trainable", "lora.total")` and `{python} n.gain(a, b, "points")`',
        "```{python}\nfor n in (1, 2): print(n.bit_length(), n(1))\n```",
        "`{python} n({[]: 1})`",
        '`{python} report.claim("cnn > vit", "x", otherwise=None, unclear=words)`',
        "[@hu2022lora, p. x; see @vaswani2017attention] and @{hu2022lora} and @tbl-a and me@example.org",
        "`@nobody` and \\@nobody <!-- @nobody -->",
        '`{python} report.claim("cnn > vit", sentence=words, otherwise="y")`',
        "https://example.org/@nobody",
    ],
)
def test_what_is_right_is_no_mistake(values: dict[str, Any], tmp_path: Path, body: str) -> None:
    assert list(proofread.mistakes(made(values, tmp_path, body))) == []


def test_a_citation_in_a_template_is_told_by_its_line(values: dict[str, Any], tmp_path: Path) -> None:
    shown = made(
        values, tmp_path, "x", a="{% if x %}\n\n{{ n }} says @hu2022.\n{% endif %}\n", b="@hu2022lora"
    )
    (found,) = proofread.mistakes(shown)
    assert found.startswith("templates/a.md.j2:3: references.bib has no entry 'hu2022'")


@pytest.mark.parametrize("name", ["references.bib", "templates/a.md.j2", "report.qmd"])
def test_a_source_that_is_not_utf_8_is_named(values: dict[str, Any], tmp_path: Path, name: str) -> None:
    shown = made(values, tmp_path, "x @hu2022lora", a="words")
    (tmp_path / name).write_bytes("Größe".encode("latin-1"))
    with pytest.raises(UserError, match=rf"{name} is not text in UTF-8: save it as UTF-8"):
        list(proofread.mistakes(shown))


@pytest.mark.parametrize(
    ("path", "is_right"),
    [
        ("cnn.top1", True), ("cnn.top1.low", True), ("cnn.topp1", False), ("cnn.top1.lo", False),
        ("cnn.per_class.cat", True), ("cnn.per_class.3.n", True), ("cnn.per_class.3.m", False),
        ("captions.measures.cider_d.after", True), ("captions.measures.cider_d.afterwards", False),
        ("audit.verdicts.agrees", True), ("audit.verdict.agrees", False), ("evidence.family", True),
        ("align.right_class.value", True), ("examples.0.after", True), ("examples.0.afterwards", False),
    ],
)  # fmt: skip
def test_a_path_into_a_result_that_is_not_there_is_right_or_wrong_all_the_same(
    tmp_path: Path, path: str, is_right: bool
) -> None:
    found = list(proofread.mistakes(made({}, tmp_path, f'\n`{{python}} n("{path}")`')))
    assert (found == []) is is_right
    assert is_right or found[0].startswith("report.qmd:6: ")


# Sentences that the evidence does not carry


@pytest.mark.parametrize(
    ("cnn", "others", "is_named"),
    [
        (0.9, "", False),
        (0.6, "", True),
        (0.75, "", True),
        (0.6, ', otherwise="No."', False),
        (0.75, ', otherwise="No."', True),
        (0.75, ', unclear="Perhaps."', False),
        (0.6, ', unclear="Perhaps."', True),
    ],
)
def test_an_unproven_sentence_is_named_by_file_and_line(
    tmp_path: Path, cnn: float, others: str, is_named: bool
) -> None:
    body = f'One.\n`{{python}} report.claim("cnn > vit", "Yes."{others})`'
    found = list(proofread.unproven(made(usual(cnn), tmp_path, body)))
    assert len(found) == is_named
    if is_named:
        said = "report.qmd:6: the evidence does not carry this sentence: of cnn > vit it says: "
        assert found[0].startswith(said)
        assert f"{100 * cnn:.1f}" in found[0] and "\\" not in found[0]


# Typed numbers


@cache
def alike() -> dict[str, Any]:
    """The results of a world in which all classifiers are about as accurate."""
    return results(World(photos=10, cnn=0.8825, vit=0.9, zero_shot=0.9, ensemble=None))


@pytest.mark.parametrize(
    ("typed", "instead"),
    [
        ("88.25 %", 'n("cnn.top1", digits=2)'),
        ("about 90 % of", None),  # the training images of another result are as many
        ("140,000,000", 'n("lora.total")'),
        ("4711", None),
    ],
)
def test_a_typed_number_is_told_by_line_and_with_what_prints_it_where_one_result_alone_does(
    tmp_path: Path, typed: str, instead: str | None
) -> None:
    (found,) = proofread.typed(made(alike(), tmp_path, f"One.\n\nIt is {typed}, they say."))
    assert found.startswith("report.qmd:7: typed number ")
    assert (f"`{{python}} {instead}`" in found) if instead else ("{python}" not in found)


def test_a_marked_line_and_a_heading_may_hold_typed_numbers(values: dict[str, Any], tmp_path: Path) -> None:
    body = "# The 10 classes\n\nOf CIFAR-10 <!-- typed -->\nand 11 more."
    shown = made(values, tmp_path, body)
    (found,) = proofread.typed(shown)
    assert found.startswith("report.qmd:8: typed number '11'")
    assert proofread.numbers_of_the_author(shown) == {"10", "11"}


# The check


def test_the_check_fails_for_what_the_sources_say_and_passes_without(filled: Project) -> None:
    (filled.root / "_site").mkdir()
    (filled.root / "_site" / "report.html").write_text("<main><p>Of CIFAR-10, 4711.</p></main>")
    (filled.root / "reporting").mkdir()

    def check(body: str) -> tuple[int, str]:
        (filled.root / "report.qmd").write_text(f"{FRONT}{body}\n")
        done = python(filled.root, "-m", "reporting.check", "--profile", "smoke", PYTHONPATH=str(ROOT))
        return done.returncode, done.stdout + done.stderr

    code, said = check("Of CIFAR-10, <!-- typed -->\n4711.")
    assert (code, said.count("\n"), said.startswith("report.qmd:6: typed number '4711.'")) == (1, 1, True)
    assert check("Of CIFAR-10, 4711. <!-- typed -->")[0] == 0
    code, said = check("Nothing.")
    assert code == 1 and "report.html: 'CIFAR-10,' names no origin" in said


# Reading inline code


PIECES = ["`", "``", "{python}", " ", "\t", "n(1)", "x", "\\", "`{python} n(2)`", "{python", "é", ")", '"']


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_inline_code_is_what_quarto_takes_for_it(line: str) -> None:
    quartos = re.findall(r"(?:^|[^`])`{python}[ \t]([^`]+)`", line, re.MULTILINE)
    assert INLINE.findall(line) == quartos


@given(
    st.text(st.characters(exclude_characters='`"\\\n\r', exclude_categories=["Cs", "Cc"]), max_size=30),
    st.text("abc.[]_0123 ", min_size=1, max_size=20),
    st.integers(0, 3),
)
def test_whatever_stands_around_it_a_path_is_read_in_its_line(around: str, path: str, before: int) -> None:
    text = "x\n" * before + f'{around} `{{python}} n("{path}")`{around}'
    found = [call for call in calls("a.qmd", text) if isinstance(call, Call)]
    assert found == [Call("a.qmd", before + 1, "n", (path,))]
