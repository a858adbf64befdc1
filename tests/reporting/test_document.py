import json
import re
from dataclasses import replace

import pytest

from experiments.stages import STAGES
from figures import accuracy, confusion
from pipeline import store
from pipeline.errors import UserError
from pipeline.project import Project
from reporting.blocks import BLOCKS, CLASSIFIERS, COMMON, HALVES, stages_of
from reporting.document import lent, open_document, showing
from reporting.prepare import draw_figures
from reporting.proofread import mistakes
from tests.support.copies import ROOT
from tests.support.results import classifier
from tests.support.spoken import page
from tests.support.stored import put

OF_CLASSIFIERS = [name for name, block in BLOCKS.items() if set(block.stages) <= {*CLASSIFIERS}]
PAGES = ("report.qmd", "appendix.qmd", "captions.qmd", "provenance.qmd")
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


def test_pages_that_share_a_lent_document_show_what_each_would_by_itself(filled: Project) -> None:
    document = open_document(filled)
    draw_figures(document)
    alone = [open_document(filled).block("accuracy") for _ in range(2)]
    with lent(document):
        pages_ = [open_document() for _ in range(2)]
        assert [page_.block("accuracy") for page_ in pages_] == alone
    assert pages_[0].shown is pages_[1].shown
    assert pages_[0].authored is not pages_[1].authored  # which knows what its own page has shown


def test_the_accuracy_on_validation_images_stands_beside_the_loss_and_only_where_there_is_one(
    filled: Project,
) -> None:
    document = open_document(filled)
    draw_figures(document)
    text = document.block("training_loss")
    alternative, _, caption = text.partition('"}')
    assert "accuracy on validation images" in alternative and alternative.count(r"80\.0") == 2
    assert '{data-from="cnn.validation.1.value" data-as="percent"}' in caption
    assert r'[5\,000]{data-from="vit.validation.0.n" data-as="count"}' in caption
    for stage in ("vit", "cnn"):
        put(filled, stage, classifier(stage, 0.8).model_copy(update={"validation": ()}))
    without = open_document(filled)
    draw_figures(without)
    assert "validation" not in without.block("training_loss")


def test_pages_say_what_the_zero_shot_tower_adapts_to_and_what_it_reaches_with_less(filled: Project) -> None:
    document = open_document(filled)
    (told,) = (
        line for line in document.block("set_up").splitlines() if "whose labels it is not told" in line
    )
    assert r'[5\,000]{data-from="zero_shot.unlabelled_images" data-as="count"} training images' in told
    text = document.block("prompt_sets")
    (row,) = (line for line in text.splitlines() if "centred on unlabelled images" in line)
    for shown in ("top1.0.value", "top1.0.low", "top1.0.high", "validation.0.value"):
        assert f'{{data-from="zero_shot.less_adapted.0.{shown}"' in row
    header = next(line for line in text.splitlines() if line.startswith("| Prompts"))
    assert row.count(" |") == header.count(" |") == 6
    assert "was chosen on test images" in " ".join(text.split())
    plain = {"less_adapted": (), "validation": (), "unlabelled_images": 0}
    put(filled, "zero_shot", classifier("zero_shot", 0.8).model_copy(update=plain))
    document = open_document(filled)
    assert "unlabelled" not in document.block("set_up") + document.block("prompt_sets")
    assert "kept for validation" not in document.block("prompt_sets")


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
    assert headings(text) == []


def test_a_half_that_a_profile_leaves_out_has_no_word_no_heading_and_no_box(filled: Project) -> None:
    document = open_document(filled)  # whose pipeline is the classifiers alone
    draw_figures(document)
    text = "".join(page(document, name) for name in PAGES)
    assert not re.search("captioner|LoRA|low-rank|Captioning|Reflection|callout-[^n]", text)
    assert "This run captions no photos." in text
    assert {"sec-classification", "sec-classes"} <= {*headings(text)}
    assert "::: {#fig-accuracy}" in text
    only = open_document(replace(filled, stages={"cnn": filled.stages["cnn"]}))
    draw_figures(only)
    text = "".join(page(only, name) for name in PAGES)
    assert not re.search("callout-[^n]|sec-prompts|The vit model|zero", text)
    assert {*re.findall(r"@((?:tbl|fig|sec)-[\w-]+)", text)} <= {*re.findall(r"\{#([\w-]+)", text)}
    nothing = "".join(page(open_document(replace(filled, stages={})), name) for name in PAGES)
    assert headings(nothing) == ["sec-results"]


def headings(text: str) -> list[str]:
    return re.findall(r"(?m)^#+ .*#([\w-]+)\}$", text)


def test_a_stale_result_is_shown_after_a_callout_that_says_why(filled: Project) -> None:
    path = filled.root / "experiments" / "classification" / "cnn.py"
    path.write_text(path.read_text() + "\nadded = 1\n")
    text = open_document(filled).block("model_comparison")
    assert text.count(".callout-") == 1
    assert '::: {.callout-caution title="Stale: cnn"}' in text
    assert "run `python -m experiments run cnn --profile smoke`" in text
    assert r"- cnn: code\: experiments\.classification\.cnn has changed" in text
    assert "The cnn model" in text


def test_why_results_are_stale_is_said_above_the_first_block_that_shows_them(
    filled: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    path = filled.root / "experiments" / "classification" / "cnn.py"
    path.write_text(path.read_text() + "\nadded = 1\n")
    document = open_document(filled)
    assert "has changed" in document.block("model_comparison"), "to ask is not to print"
    for name in ("accuracy", "model_comparison", "model_comparison"):  # the first lacks its drawing
        document.show(name)
    first, second = capsys.readouterr().out.split('::: {.callout-caution title="Stale: cnn"}')[1:]
    assert "experiments\\.classification\\.cnn has changed" in first and "run `python" in first
    assert "run `python" in second and "has changed" not in second and "The cnn model" in second
    document.afresh().show("model_comparison")
    assert "has changed" in capsys.readouterr().out


def test_a_value_that_was_altered_by_hand_is_shown_after_a_callout_that_says_so(filled: Project) -> None:
    path = store.path_of(filled, "cnn")
    stored = json.loads(path.read_text())
    stored["value"]["top1"]["value"] = 0.987
    path.write_text(json.dumps(stored))
    document = open_document(filled)
    text = document.block("model_comparison")
    assert '::: {.callout-caution title="Stale: cnn"}' in text
    assert "it was altered by hand" in text
    draw_figures(document)  # although the value lies outside of its interval
    assert re.search(r"9[89](\.\d)?", text), "the figure is shown, with what is to be thought of it"


def test_a_result_whose_data_were_judged_by_their_record_is_shown_as_such(filled: Project) -> None:
    document = open_document(filled)
    assert "by record" not in document.block("results").lower()
    judged = document.states["cnn"].model_copy(update={"remarks": ("of [images], 1 file is not there",)})
    text = replace(document, states={**document.states, "cnn": judged}).block("results")
    assert "| cnn | fresh, by record |" in text
    assert "| vit | fresh |" in text
    assert "By record: not all files" in text


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


ERRORS = {
    "{{ nothing }}": "'nothing' is undefined",
    "{% if %}": "Expected an expression",
    "{{ 1 // 0 }}": "ZeroDivisionError: integer division or modulo by zero",
    "{{ values.cnn.nothing }}": "has no attribute 'nothing'",
    "{{ n.text('cnn.nothing') }}": "KeyError: ",
    "{{ n.percent('cnn.model') }}": "ValueError: ",
}


@pytest.mark.parametrize(("line", "said"), ERRORS.items())
def test_an_error_in_a_template_is_told_with_the_template_and_the_line(
    filled: Project, line: str, said: str
) -> None:
    (filled.root / "templates" / "set_up.md.j2").write_text(f"One.\n\n{line}\n")
    with pytest.raises(UserError) as told:
        open_document(filled).block("set_up")
    assert str(told.value).startswith("templates/set_up.md.j2:3: ")
    assert said in str(told.value)
    assert "\n" not in str(told.value)


def test_a_template_without_an_end_is_named_and_no_frame_of_it_is_written_out(filled: Project) -> None:
    (filled.root / "templates" / "set_up.md.j2").write_text("One.\n\n{% include 'set_up.md.j2' %}\n")
    with pytest.raises(UserError, match=r"^templates/set_up\.md\.j2:3: this has no end") as told:
        open_document(filled).block("set_up")
    assert told.value.__suppress_context__  # a cell would write out what it came from, for minutes


def test_brackets_of_a_template_that_are_nested_too_deep_are_a_sentence(filled: Project) -> None:
    for deep in ("[" * 5_000, "(" * 300 + "1" + ")" * 300):
        (filled.root / "templates" / "set_up.md.j2").write_text(f"One.\n\n{{{{ {deep} }}}}\n")
        document = open_document(filled)
        assert [*mistakes(document)] == []
        with pytest.raises(UserError, match=r"^templates/set_up\.md\.j2:1: .*nested too deep"):
            document.block("set_up")


WRONG = (None, "x", -1, [])


def test_a_result_that_was_edited_by_hand_is_shown_or_named_in_a_sentence_and_never_a_traceback(
    filled: Project,
) -> None:
    """Each field of a value gone, of another type and out of range; what none can be is missing."""
    path = store.path_of(filled, "cnn")
    stored = json.loads(path.read_text())
    edits = [
        {key: other for key, other in stored["value"].items() if key != field} for field in stored["value"]
    ]
    edits += [stored["value"] | {field: wrong} for field in stored["value"] for wrong in WRONG]
    told = set()
    for value in (each for each in edits if each != stored["value"]):
        path.write_text(json.dumps(stored | {"value": value}))
        try:
            store.read(filled, "cnn")
        except UserError:
            continue  # it is missing, as any result of another form
        document = open_document(filled)
        assert document.states["cnn"].state == "stale"
        try:
            with showing(document):
                accuracy.draw(document.used(BLOCKS["accuracy"]))
                confusion.draw(document.used(BLOCKS["confusion"]))
            for name in OF_CLASSIFIERS:
                document.block(name)
        except UserError as error:
            told.add(str(error))
    assert told
    assert all(
        re.search(r"results of cnn were altered by hand.*run cnn --profile smoke`\.$", each) for each in told
    )
