import re
from dataclasses import replace

import pytest

from experiments.stages import STAGES
from pipeline import store
from pipeline.errors import UserError
from pipeline.project import Project
from reporting.blocks import BLOCKS, CLASSIFIERS, COMMON, HALVES, stages_of
from reporting.document import open_document
from reporting.prepare import draw_figures
from tests.support.copies import ROOT
from tests.support.results import classifier
from tests.support.spoken import page
from tests.support.stored import put

OF_CLASSIFIERS = [name for name, block in BLOCKS.items() if set(block.stages) <= {*CLASSIFIERS}]
PAGES = ("report.qmd", "captions.qmd", "provenance.qmd")
FIGURES = [name for name in OF_CLASSIFIERS if BLOCKS[name].figure]


def test_every_block_is_shown_from_fresh_results_without_a_callout_and_figures_with_words_for_them(
    filled: Project,
) -> None:
    document = open_document(filled)
    draw_figures(document)
    for name in OF_CLASSIFIERS:
        text = document.block(name)
        assert "Missing" not in text, name
        assert "Stale" not in text, name
        assert text.count(":::") % 2 == 0, name
        assert name not in FIGURES or re.search(r'fig-alt="[^"]{20,}"', text), name


def test_every_block_on_a_page_exists() -> None:
    for name in PAGES:
        shown = re.findall(r'report\.show\("(\w+)"', (ROOT / name).read_text())
        assert shown
        assert set(shown) <= set(BLOCKS)


def test_without_results_a_page_has_one_box_a_half_with_one_command_and_no_heading_of_what_is_not_there(
    project: Project,
) -> None:
    document = open_document(replace(project, stages=STAGES))
    text = page(document, "report.qmd")
    boxes = re.findall(r'callout-warning title="Missing: ([^"]+)"\}\n(.*?)\n:::', text, re.DOTALL)
    assert len(boxes) == text.count("callout-warning") == 2
    for (stages, said), half in zip(boxes, HALVES, strict=True):
        assert stages.split(", ") == [*stages_of(half, STAGES), *COMMON]
        assert f"run `python -m experiments run {stages.replace(', ', ' ')} --profile smoke`" in said
    assert headings(text) == ["sec-done", "sec-captioning", "sec-classification"]


def test_a_half_that_a_profile_leaves_out_has_no_word_no_heading_and_no_box(filled: Project) -> None:
    document = open_document(filled)  # whose pipeline is the classifiers alone
    draw_figures(document)
    text = "".join(page(document, name) for name in PAGES)
    assert not re.search("captioner|LoRA|low-rank|Captioning|Reflection|callout-[^n]", text)
    assert "This run captions no photos." in text
    assert {"sec-classification", "sec-classes", "fig-accuracy"} <= {*re.findall(r"\{#([\w-]+)", text)}
    only = open_document(replace(filled, stages={"cnn": filled.stages["cnn"]}))
    draw_figures(only)
    text = "".join(page(only, name) for name in PAGES)
    assert not re.search("callout-[^n]|sec-prompts|The vit model|zero", text)
    assert {*re.findall(r"@([\w-]+)", text)} <= {*re.findall(r"\{#([\w-]+)", text)}
    assert headings("".join(page(open_document(replace(filled, stages={})), name) for name in PAGES)) == [
        "sec-done",
        "sec-results",
    ]


def headings(text: str) -> list[str]:
    return re.findall(r"(?m)^#+ .*\{#([\w-]+)\}", text)


def test_a_stale_result_is_shown_after_a_callout_that_says_why(filled: Project) -> None:
    path = filled.root / "experiments" / "classification" / "cnn.py"
    path.write_text(path.read_text() + "\nadded = 1\n")
    text = open_document(filled).block("model_comparison")
    assert text.count(".callout-") == 1
    assert '::: {.callout-caution title="Stale: cnn"}' in text
    assert "run `python -m experiments run cnn --profile smoke`" in text
    assert r"- cnn: code\: experiments\.classification\.cnn has changed" in text
    assert "The cnn model" in text


@pytest.mark.parametrize("written_by_older_code", [False, True])
def test_what_can_be_shown_is_shown_when_one_result_is_missing_or_of_older_code(
    filled: Project, written_by_older_code: bool
) -> None:
    path = store.path_of(filled, "vit")
    older = path.read_text().replace('"top1"', '"top_1"')
    path.unlink()
    if written_by_older_code:
        path.write_text(older)
    document = open_document(filled)
    text = document.block("model_comparison")
    assert 'title="Missing: vit"' in document.box("classification")
    assert ("looked different" in document.box("classification")) == written_by_older_code
    assert "The cnn model" in text
    assert "The vit model" not in text


def test_a_figure_that_was_not_drawn_is_a_callout(filled: Project) -> None:
    text = open_document(filled).block("accuracy")
    assert "prepare.py" in text
    assert ".svg" not in text


def test_an_unknown_block_is_answered_with_the_known_ones(filled: Project) -> None:
    with pytest.raises(UserError, match="no block 'nothing'; the blocks are profile"):
        open_document(filled).block("nothing")


def test_names_from_results_are_text_and_never_markup(filled: Project) -> None:
    hostile = "*Net* {{< env HOME >}} | {% x %} <b>`"
    put(filled, "cnn", classifier("cnn", 0.9, model=hostile))
    for name in ("model_comparison", "set_up"):
        text = open_document(filled).block(name)
        assert r"\*Net\* \{\{\< env HOME \>\}\} \| \{\% x \%\} \<b\>\`" in text
        assert hostile not in text


def test_two_drawings_of_the_same_results_are_the_same_bytes_and_without_results_none_is_left(
    filled: Project,
) -> None:
    figures = filled.root / "_figures"
    draw_figures(open_document(filled))
    first = {path.name: path.read_bytes() for path in figures.iterdir()}
    draw_figures(open_document(filled))
    assert {path.name: path.read_bytes() for path in figures.iterdir()} == first
    assert len(first) == len(FIGURES)
    for stage in CLASSIFIERS:
        store.path_of(filled, stage).unlink()
    draw_figures(open_document(filled))
    assert list(figures.iterdir()) == []
