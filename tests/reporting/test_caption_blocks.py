import re
import shutil
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from experiments.results.captions import Comparison, Judged
from experiments.results.source import Source
from pipeline.project import Project
from reporting.blocks import BLOCKS, CAPTIONING, CLASSIFIERS
from reporting.check import disagreement
from reporting.checking.page import bare_numbers, origins, parse
from reporting.checking.paper import read
from reporting.document import Document
from reporting.markdown import escape, in_attribute
from reporting.prepare import draw_figures
from reporting.render import render
from reporting.rendering import pandoc
from tests.support.copies import ROOT
from tests.support.pages import CONFIGURATION, FRONT, Words
from tests.support.results import (
    CAPTIONED,
    ablations,
    aligned,
    captioned,
    classifier,
    comparison,
    judged,
    judged_by_halves,
    lora,
    project_of_classifiers,
)
from tests.support.spoken import page

NAMES = [
    name for name, block in BLOCKS.items() if block.stages and set(block.stages) <= {*CAPTIONING, "evidence"}
]

HOSTILE = (
    "*x* y", "{{< env HOME >}} y", "{% x %} {{ x }} y", "<b>bold</b> y", "`code` y", "a | b | c",
    "::: {.beside}", "[a](b) y", "$x$ and $$y$$", "@tbl-x y", "y trailing\\", "**", "# no heading",
    "\\*\\* y", "&amp; y", "![a](b.png)", "x\N{NO-BREAK SPACE}y \N{NO-BREAK SPACE}z", "- item",
    "```{python} y", "\"quoted\" 'single' it's", "^[note] y[^1]",
)  # fmt: skip


def all_results(**altered: Any) -> dict[str, Any]:
    results = {"align": aligned(), "lora": lora(), "captions": comparison(), "ablations": ablations()}
    results |= altered
    return results | {"evidence": judged_by_halves(results["captions"], results["ablations"])}


def shown(project: Project, **altered: Any) -> Document:
    document = captioned(project, **all_results(**altered))
    draw_figures(document)
    return document


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> Callable[[bool], Document]:
    """What the usual results show, with classes and without; drawing, which takes longest, is done once."""

    @cache
    def made(classes: bool) -> Document:
        project = project_of_classifiers(tmp_path_factory.mktemp("usual"))
        return shown(project, captions=comparison(classes=classes), ablations=ablations(classes=classes))

    return made


def text_of(document: Document, name: str) -> str:
    """The words of a block as a reader sees them."""
    return pandoc.plain(pandoc.read(document.block(name))[0]["blocks"]).replace("’", "'")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("classes", [True, False])
def test_every_block_can_be_shown_without_a_callout_for_photos_with_classes_and_without(
    usual: Callable[[bool], Document], name: str, classes: bool
) -> None:
    document = usual(classes).afresh()
    text = document.block(name)
    assert text.strip()
    assert "callout" not in text
    assert not pandoc.read(text)[1]
    assert "None" not in text_of(document, name)


def test_photos_without_classes_have_no_word_of_classes_among_their_captions(
    usual: Callable[[bool], Document],
) -> None:
    document = usual(False).afresh()
    for name in ("caption_examples", "caption_gallery", "caption_metrics"):
        assert "class" not in text_of(document, name)
    assert "Right class" not in document.block("ablations")
    assert "Right class" in usual(True).afresh().block("ablations")


@pytest.mark.parametrize("name", NAMES)
def test_every_number_names_its_origin_and_is_what_stands_there(
    usual: Callable[[bool], Document], name: str
) -> None:
    document = usual(True).afresh()
    page = parse(pandoc.write(pandoc.read(document.block(name))[0], "html5"))
    found = origins(page)
    assert found
    assert [disagreement(origin, document.numbers) for origin in found] == [None] * len(found)
    assert list(bare_numbers(page)) == []


@pytest.mark.parametrize("stage", ["lora", "ablations", "captions"])
def test_what_can_be_shown_is_shown_when_another_result_is_missing(project: Project, stage: str) -> None:
    results = {name: value for name, value in all_results().items() if name != stage}
    document = captioned(project, **results)
    draw_figures(document)
    assert re.search(rf"Missing: (\w+, )*{stage}, ", document.box("captioning"))
    for name in ("lora_set_up", "why_lora", "how_behaviour_changes"):
        assert ("data-from" in document.block(name)) == (stage not in BLOCKS[name].needs)
        assert "callout" not in document.block(name)


@pytest.mark.parametrize("stage", sorted({*CLASSIFIERS, *CAPTIONING, "evidence"}))
def test_no_block_refers_to_what_is_not_shown_because_a_result_is_missing(
    project: Project, stage: str
) -> None:
    classifiers = {name: classifier(name) for name in CLASSIFIERS}
    whole = classifiers if stage in CLASSIFIERS else all_results()
    results = {name: value for name, value in whole.items() if name != stage}
    document = captioned(project, **results)
    draw_figures(document)
    text = page(document, "report.qmd")
    assert set(re.findall(r"@((?:tbl|fig|sec)-[a-z-]+\b)", text)) <= set(re.findall(r"\{#([a-z-]+)", text))


# Hostile captions


def hostile(captions: Comparison, texts: tuple[str, ...]) -> Comparison:
    """The same comparison with every text another."""
    records = []
    for index, record in enumerate(captions.records):
        one, two, three, four = (texts[(index + shift) % len(texts)] for shift in range(4))
        other = {"references": (one, two), "before": three, "after": four}
        records.append(record.model_copy(update=other))
    return captions.model_copy(update={"records": tuple(records)})


def structure(tree: Any) -> Any:
    """A tree with its words taken out: runs of words and spaces become one mark."""
    if isinstance(tree, list):
        kinds = [structure(item) for item in tree]
        return [kind for at, kind in enumerate(kinds) if kind != "words" or kinds[at - 1 : at] != ["words"]]
    if isinstance(tree, dict) and "t" in tree:
        if tree["t"] in {"Str", "Space", "SoftBreak"}:
            return "words"
        if tree["t"] == "Quoted":  # “quotation marks” are text
            marks = [pandoc.node("Str", "“"), pandoc.node("Str", "”")]
            return structure([marks[0], *tree["c"][1], marks[1]])
        if tree["t"] == "Image":
            return "image"
        return {"t": tree["t"], "c": structure(tree.get("c"))}
    return tree if not isinstance(tree, str) else ""


@pytest.mark.parametrize("name", ["caption_examples", "caption_gallery"])
def test_hostile_captions_change_text_and_nothing_else(project: Project, name: str) -> None:
    whole = comparison(captions=CAPTIONED * 4)
    tame = tuple(" ".join(f"w{at}n{n}" for n in range(len(_split(t)))) for at, t in enumerate(HOSTILE))
    pages = [captioned(project, captions=hostile(whole, texts)).block(name) for texts in (tame, HOSTILE)]
    (tame_tree, tame_warnings), (tree, warnings) = map(pandoc.read, pages)
    assert tame_warnings == warnings == []
    assert structure(_without_bold(tree["blocks"])) == structure(_without_bold(tame_tree["blocks"]))


def _split(text: str) -> list[str]:
    return [word for word in re.split(r"[^\S\N{NO-BREAK SPACE}]+", text) if word]


def _without_bold(tree: Any) -> Any:
    """Bold follows from which words two captions share, not from how they are written."""
    return pandoc.transform(tree, {"Strong": lambda strong: strong["c"]})


@pytest.mark.parametrize("name", ["caption_examples", "caption_gallery"])
def test_every_caption_reads_exactly_as_it_was_written(project: Project, name: str) -> None:
    captions = hostile(comparison(captions=CAPTIONED * 4), (*HOSTILE, "line\nbreak\r\n\n and  spaces"))
    tree, _ = pandoc.read(captioned(project, captions=captions).block(name))
    lists = [node["c"] for node in pandoc.walk(tree["blocks"]) if node["t"] == "DefinitionList"]
    is_gallery = name == "caption_gallery"
    positions = range(len(captions.records)) if is_gallery else captions.examples
    for at, items in zip(positions, lists, strict=True):
        record = captions.records[at]
        read = {pandoc.plain(term): [pandoc.plain(text) for text in texts] for term, texts in items}
        references = record.references if is_gallery else record.references[:1]
        assert read == {
            "Ground truth": [" ".join(_split(text)) for text in references],
            "Pre-trained": [" ".join(_split(record.before))],
            "Fine-tuned": [" ".join(_split(record.after))],
        }


def test_a_page_of_hostile_captions_reads_the_same_in_html_and_pdf(project: Project) -> None:
    block = captioned(project, captions=hostile(comparison(captions=CAPTIONED * 4), HOSTILE)).block(
        "caption_gallery"
    )
    (project.root / "_quarto.yml").write_text(CONFIGURATION)
    shutil.copytree(ROOT / "reporting" / "looks", project.root / "looks")
    shutil.copy(ROOT / "reporting" / "looks" / "screen.css", project.root / "style.css")
    (project.root / "report.qmd").write_text(f"{FRONT}# Photos\n\n{block}")
    site = render(project.root)
    page = Words()
    page.feed((site / "report.html").read_text())
    paper = "".join(sheet.text for sheet in read(site / "report.pdf").sheets)
    for text in HOSTILE:
        assert " ".join(_split(text)) in page.words, text
        assert re.sub(r"\s", "", text) in re.sub(r"\s", "", paper), text


def test_new_words_are_bold_and_no_others(project: Project) -> None:
    captions = comparison(captions=[("cat", "a cat", "a cat", "a photo of a cat", "a photo of *two* cat")])
    tree, _ = pandoc.read(captioned(project, captions=captions).block("caption_gallery"))
    bold = [pandoc.plain(node["c"]) for node in pandoc.walk(tree["blocks"]) if node["t"] == "Strong"]
    assert bold == ["cat", "*two*"]


def test_an_empty_caption_is_said_to_be_nothing(project: Project) -> None:
    captions = comparison(captions=[("cat", "a cat", "a cat", "", " \n")])
    assert captioned(project, captions=captions).block("caption_gallery").count(":   *nothing*") == 2


@pytest.mark.parametrize("damaged", [False, True])
def test_a_picture_that_is_gone_or_damaged_is_said_to_be_missing_and_stops_nothing(
    project: Project, damaged: bool
) -> None:
    document = captioned(project, captions=comparison())
    picture = project.results / "generate" / comparison().records[0].picture.file
    if damaged:
        picture.write_bytes(picture.read_bytes()[:-20])
    else:
        picture.unlink()
    tree = pandoc.read(document.block("caption_gallery"))[0]
    targets = [node["c"][2][0] for node in pandoc.walk(tree["blocks"]) if node["t"] == "Image"]
    files = [f"results/smoke/generate/{record.picture.file}" for record in comparison().records]
    assert targets == [file for file in files if file != files[0]]
    assert "The picture is missing." in pandoc.plain(tree["blocks"])


def test_the_rule_by_which_the_examples_were_chosen_is_printed(project: Project) -> None:
    text = text_of(shown(project), "caption_examples")
    assert "10.0\xa0%, 30.0\xa0%, 50.0\xa0%, 70.0\xa0% and 90.0\xa0% of the way" in text
    even = comparison().model_copy(update={"quantiles": (0.0, 0.25, 0.5, 0.75, 1.0)})
    text = text_of(shown(project, captions=even), "caption_examples")
    assert "the one whose score rose least, the one whose score rose most, and those at even steps" in text
    assert "of the way" not in text


def example(before: Judged, after: Judged, texts: tuple[str, str], label: str | None = "cat") -> Comparison:
    """A comparison of one photo, of which one reference says that a grey cat lies on a red rug."""
    whole = comparison(captions=[("cat", "a grey cat lies on a red rug", "a cat on a rug", *texts)])
    changes = {"judged_before": before, "judged_after": after, "label": label}
    return whole.model_copy(update={"records": (whole.records[0].model_copy(update=changes),)})


PLAIN, RICH = "a photo of a cat", "a grey cat lying on a white rug"


@pytest.mark.parametrize(
    ("before", "after", "texts", "said"),
    [
        (
            judged(20, True), judged(30, True), (PLAIN, RICH),
            "Longer and nearer to the references. The class is still right; grey is right, but white is in "
            "no reference.",
        ),
        (
            judged(20, True), judged(10, False), (PLAIN, "a white dog with a white and black ear"),
            "Longer, but further from the references. The class was right before and is wrong now, and white "
            "and black are in no reference.",
        ),
        (
            judged(20, False), judged(20.4, True), (PLAIN, "a red cat"),
            "Shorter, and no nearer to the references. The class is right, as it was not before, and red is "
            "right.",
        ),
        (
            judged(20, False), judged(40, False), (PLAIN, "a photo of a red dog"),
            "Longer and nearer to the references. The class is still wrong, but red is right.",
        ),
        (
            judged(20, True), judged(20, True), (PLAIN, PLAIN),
            "Word for word as before. The class is still right.",
        ),
        (
            judged(20, None), judged(25, None, cut_off=True, repeats=True), (PLAIN, "a photo of a thing"),
            "As long as before, and nearer to the references. It is cut off and repeats itself.",
        ),
        (
            judged(20, False), judged(25, False, rambles=True).model_copy(update={"wrong_class": False}),
            (PLAIN, "a photo of it. and"),
            "As long as before, and nearer to the references. It names no class any more. It goes on after "
            "its first sentence.",
        ),
    ],
)  # fmt: skip
def test_a_line_says_what_is_right_and_wrong_in_an_example(
    project: Project, before: Judged, after: Judged, texts: tuple[str, str], said: str
) -> None:
    label = None if after.right_class is None else "cat"
    text = text_of(captioned(project, captions=example(before, after, texts, label)), "caption_gallery")
    assert text.endswith(said)


def test_a_wrong_class_beside_the_right_one_is_not_passed_over(project: Project) -> None:
    both = judged(30, True).model_copy(update={"wrong_class": True})
    captions = example(judged(20, True), both, (PLAIN, "a grey cat and a dog, a cat"))
    text = text_of(captioned(project, captions=captions), "caption_gallery")
    assert text.endswith("The class is still right, with a wrong one beside it, but grey is right.")


def test_a_photo_tells_the_script_by_what_it_is_filtered_and_sorted(project: Project) -> None:
    hostile_class = 'a "b" {{< env HOME >}}'
    flagged = judged(17.25, True, wrong_colour=True)
    captions = example(judged(20, True), flagged, (PLAIN, RICH), hostile_class)
    tree, _ = pandoc.read(captioned(project, captions=captions).block("caption_gallery"))
    (card,) = [node for node in pandoc.walk(tree["blocks"]) if node["t"] == "Div"]
    told = dict(pandoc.attributes(card)[2])
    assert told.pop("data-label").replace("\N{WORD JOINER}", "") == hostile_class
    assert told == {"data-rise": "-2.75", "data-changed": "yes", "data-flagged": "yes"}
    examples = captioned(project, captions=captions).block("caption_examples")
    assert "data-rise" not in examples


# Sentences that follow


def test_memory_that_is_not_known_is_not_compared(project: Project) -> None:
    results = ablations()
    assert "needs less memory" in text_of(shown(project), "why_lora")
    unknown = results.variants[-1].model_copy(update={"peak_bytes": None})
    altered = results.model_copy(update={"variants": (*results.variants[:-1], unknown)})
    assert "memory" not in text_of(shown(project, ablations=altered), "why_lora")


def test_a_captioner_that_comes_whole_was_not_trained_here(project: Project) -> None:
    whole = aligned(photos=0, steps=0, loss=(), training="nothing")
    text = text_of(shown(project, align=whole), "lora_set_up")
    assert "It comes whole" in text
    assert "labelled photos" not in text
    assert "Trained here to join its parts" in text_of(shown(project), "lora_set_up")


def test_names_from_results_are_text_in_every_block(project: Project) -> None:
    name = "*M* {{< env HOME >}} | <b>`$x$"
    results = ablations()
    variants = tuple(variant.model_copy(update={"name": name}) for variant in results.variants)
    measures = tuple(measure.model_copy(update={"name": name}) for measure in comparison().measures)
    document = shown(
        project,
        align=aligned(model=name, weights=(Source(name=name, revision=name, licence=name),), training=name),
        lora=lora(model=name),
        captions=comparison().model_copy(update={"measures": measures, "library": name}),
        ablations=results.model_copy(update={"variants": variants}),
    )
    for block in NAMES:
        text = document.block(block)
        assert name not in text
        assert not pandoc.read(text)[1]
        nodes = list(pandoc.walk(pandoc.read(text)[0]["blocks"]))
        kinds = {"RawInline", "RawBlock", "Math", "Code", "Emph"}
        if block in {"caption_examples", "caption_gallery"}:
            kinds -= {"Emph"}  # what is said of a photo
        assert not {node["t"] for node in nodes} & kinds, block
        # Quarto looks for shortcodes in what Pandoc has read of an attribute, and obeys them.
        attributes = [pandoc.attributes(node)[2] for node in nodes if node["t"] in {"Image", "Span", "Div"}]
        assert not any("{{<" in value for pairs in attributes for _, value in pairs), block
        if block not in {"caption_examples", "caption_gallery", "word_shifts", "rank_effect"}:
            assert escape(name) in text or in_attribute(escape(name)) in text, block
