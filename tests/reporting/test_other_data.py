"""What the pages say and show of other data than the brief's: other classes, photos, captions and counts.

Each world is computed from predictions and captions by the real `evidence` and told by the real templates;
what it says stands in ``golden/worlds`` as well.
"""

import hashlib
import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from experiments.audit.audit import audited
from experiments.audit.run import run_of
from experiments.captioning.compare import captions
from experiments.config.comparison import CaptionsConfig
from experiments.datasets.pictures import as_png
from experiments.evidence.evidence import evidence
from experiments.project import open_project
from figures import (
    accuracy,
    caption_change,
    confusion,
    confusion_pair,
    per_class,
    rank_effect,
    reliability,
    word_shifts,
)
from pipeline.project import Project
from pipeline.result import Attachment
from reporting.blocks import BLOCKS, CLASSIFIERS
from reporting.check import disagreement
from reporting.checking.page import bare_alternatives, bare_numbers, origins, parse, text_of
from reporting.checking.paper import read
from reporting.document import Document
from reporting.prepare import draw_figures
from reporting.rendering import pandoc
from reporting.sentences import claims_of
from reporting.shown import PHOTOS as MOST
from tests.support.audit_worlds import SIZES
from tests.support.commands import python
from tests.support.contexts import SILENT
from tests.support.copies import PAGES, copy_parts
from tests.support.declared import declaring
from tests.support.report_worlds import OWN_IMAGES, OWN_PHOTOS, World, results
from tests.support.spoken import assert_golden, document, spoken
from tests.support.stored import put

STRANGE = (
    "golden retriever", "C++", "$x$", "a|b", "*M* {{< env HOME >}}", "<b>", "::: {.x}", "10 to 12",
    "a name that goes on and on without any end in sight, since somebody wrote a sentence there",
)  # fmt: skip
USUAL = World()
OWN = replace(USUAL, images=40, classes=False, images_from=OWN_IMAGES, photos_from=OWN_PHOTOS)


def named(count: int, first: tuple[str, ...] = ()) -> tuple[str, ...]:
    return (*first, *(f"kind {at} of thing" for at in range(count - len(first))))


WORLDS = {
    "own_long": replace(OWN, wording="long"),
    "own_word": replace(OWN, wording="word"),
    "two_classes": replace(USUAL, names=("yes", "no"), images=200),
    "thirteen_classes": replace(USUAL, names=named(13), images=650),
    "hundred_classes": replace(OWN, names=named(100, STRANGE), images=500),
    "classes_that_are_numbers": replace(USUAL, names=tuple("0123456789")),
    "two_photos": replace(USUAL, photos=2),
    "one_set_of_prompts": replace(USUAL, ensemble=None),
    "one_rank": replace(USUAL, style={"rank_32": 0.9, "attention": 0.4, "full": 0.9}),
    "many_photos": replace(USUAL, photos=150, classes=False),
}
SHOWN = [name for name, block in BLOCKS.items() if block.stages and name not in {"versions", "ingredients"}]


@pytest.fixture(scope="module")
def computed() -> dict[str, dict[str, Any]]:
    """The results of every world, audited."""
    worlds = {name: results(world) for name, world in WORLDS.items()}
    return {name: values | {"audit": audited(run_of(values), SIZES, 0.01)} for name, values in worlds.items()}


@pytest.fixture(scope="module")
def documents(
    computed: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Document]:
    """The document of each world with its figures, drawn once."""
    return cache(lambda name: told(computed[name], tmp_path_factory.mktemp(name)))


def told(values: dict[str, Any], folder: Path) -> Document:
    """A document of results that were never on disk, in a project folder of its own, with its figures."""
    copy_parts(folder, "templates")
    shown = document(values, folder / "results" / "smoke")
    shown = replace(shown, project=replace(shown.project, root=folder))
    draw_figures(shown)
    return shown


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", WORLDS)
def test_every_block_is_shown_and_every_number_on_it_has_an_origin_and_agrees_with_it(
    name: str, documents: Callable[[str], Document]
) -> None:
    shown = documents(name)
    blocks = {block: shown.block(block) for block in SHOWN}
    assert not [block for block, text in blocks.items() if "callout" in text]
    there = {block: re.findall(r"\{#((?:tbl|fig)-[\w-]+)\}", text) for block, text in blocks.items()}
    declared = {block: list(shown.anchors(block)) for block in blocks if BLOCKS[block].stages}
    assert {block: found for block, found in there.items() if block in declared} == declared
    tree, warnings = pandoc.read("\n\n".join(blocks.values()))
    assert warnings == []
    assert not {"RawInline", "RawBlock", "Math"} & {node["t"] for node in pandoc.walk(tree["blocks"])}
    page = parse(pandoc.write(tree, "html5"))
    assert [bad for origin in origins(page) if (bad := disagreement(origin, shown.numbers))] == []
    assert list(bare_numbers(page)) == []
    assert list(bare_alternatives(page)) == []
    assert not re.search(r"\bNone\b|undefined|: \.", text_of(page))


@pytest.mark.parametrize("name", WORLDS)
def test_a_world_of_other_data_is_told_as_it_is(name: str, computed: dict[str, Any], tmp_path: Path) -> None:
    assert_golden(spoken(document(computed[name], tmp_path)), "worlds", name)


def text_in(shown: Document, *blocks: str) -> str:
    trees = [pandoc.read(shown.block(block))[0]["blocks"] for block in blocks]
    return " ".join(pandoc.plain(tree) for tree in trees).replace("’", "'")


def test_nothing_calls_a_users_own_data_by_the_name_of_the_briefs(
    documents: Callable[[str], Document],
) -> None:
    shown = documents("own_long")
    text = text_in(shown, *(name for name in SHOWN if name not in {"audit", "published"}))
    assert not re.search(r"(?i)cifar|flickr|ten[- ]class", text)
    assert "The folder pets & <things>" in text
    assert "photos of the folder my photos <b>, captions from captions #1.csv" in text
    assert "hub" not in text_in(shown, "audit")
    assert "This run tested other images" in text_in(shown, "published")
    assert "tbl-published" not in shown.block("published")


COMPARED = "this run has its zero-shot model, but not its captioner, its captioned photos or its"
FOLLOWS = "What follows from the brief itself or from the architecture that it names stands"
LISTED = "golden retriever, C++, $x$, a|b, *M* {{< env HOME >}}, and so on."


@pytest.mark.parametrize(
    ("name", "block", "said"),
    [
        ("own_long", "audit", COMPARED),
        ("own_long", "audit", FOLLOWS),
        ("two_classes", "set_up", "whose 2 classes are yes and no."),
        ("hundred_classes", "set_up", f"whose 100 classes are, in its order, {LISTED}"),
        ("hundred_classes", "per_class", "10 hardest (above the dotted line) and the 10 easiest of 100"),
        ("hundred_classes", "confusion", "most frequent mistakes"),
        ("thirteen_classes", "per_class", "Accuracy within each class"),
        ("thirteen_classes", "confusion", "most frequent mistakes"),
        ("classes_that_are_numbers", "confusion_pair", "Of the images of each class (row)"),
        ("two_photos", "caption_examples", "These are all 2 evaluation photos"),
        ("many_photos", "caption_gallery", f"Of 150 evaluation photos the {MOST} whose score changed most"),
    ],
)
def test_a_block_says_what_and_how_many_of_all_it_shows(
    documents: Callable[[str], Document], name: str, block: str, said: str
) -> None:
    assert said in text_in(documents(name), block)


def test_two_classes_have_no_extremes_and_no_most_frequent_mistake(computed: dict[str, Any]) -> None:
    claims = claims_of(computed["two_classes"])
    assert not [name for name in claims if re.search("hardest|easiest|confusion|flawless", name)]


def test_the_page_of_captions_shows_the_photos_whose_score_changed_most(
    computed: dict[str, Any], documents: Callable[[str], Document]
) -> None:
    text = text_in(documents("many_photos"), "caption_gallery")
    records = computed["many_photos"]["captions"].records
    change = [abs(record.judged_after.score - record.judged_before.score) for record in records]
    named = [int(number) for number in re.findall(r"photo-(\d+), score", text)]
    assert named == sorted(named)
    assert len(named) == MOST
    left = [change[at] for at in range(150) if at not in named]
    assert min(change[at] for at in named) >= max(left)


def test_without_colours_and_classes_no_sentence_is_made_of_what_captions_say(tmp_path: Path) -> None:
    values = results(replace(OWN, wording="word", photos=6))
    plain = {"references": ("und", "oder")}
    records = tuple(record.model_copy(update=plain) for record in values["generate"].records)
    values["generate"] = values["generate"].model_copy(update={"records": records})
    section = CaptionsConfig(seed=0, resamples=100, example_quantiles=(0.0, 1.0))
    values["captions"] = captions(section, values, SILENT)
    values["evidence"] = evidence(declaring(values, 100), values, SILENT)
    text = text_in(told(values, tmp_path), "how_behaviour_changes")
    assert "what the captions say of the photo" not in text
    assert "Taken together" in text


# Figures


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "draw", [accuracy.draw, per_class.draw, confusion.draw, confusion_pair.draw, reliability.draw]
)
@pytest.mark.parametrize("name", WORLDS)
def test_nothing_in_a_figure_is_cut_off_and_the_figure_fits_a_page(
    name: str, draw: Any, computed: dict[str, Any]
) -> None:
    values = {stage: computed[name][stage] for stage in (*CLASSIFIERS, "data_sets")}
    if draw is not reliability.draw:
        del values["data_sets"]
    long = "A model whose name somebody made far longer than any figure is wide, and then some words more"
    values["vit"] = values["vit"].model_copy(update={"model": long})
    assert_fits(draw(values))


def assert_fits(figure: Figure) -> None:
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    drawn = figure.get_tightbbox(canvas.get_renderer())
    width, height = figure.get_size_inches()
    assert min(drawn.x0, drawn.y0, width - drawn.x1, height - drawn.y1) >= -0.01
    for axes in figure.axes:
        panel = axes.get_subplotspec()
        if axes.axison and panel is not None:  # a scale of colours has none
            least = min(0.25, 0.6 / panel.get_gridspec().ncols)
            assert axes.get_window_extent().width > least * canvas.get_width_height()[0]
    assert height <= 9.2, "with its caption it must fit a page"


def test_what_tuning_costs_fits_for_any_name_of_a_variant(computed: dict[str, Any]) -> None:
    tuned = computed["own_long"]["ablations"]
    named = tuple(each.model_copy(update={"name": each.name * 9}) for each in tuned.variants)
    assert_fits(rank_effect.draw({"ablations": tuned.model_copy(update={"variants": named})}))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("draw", [caption_change.draw, word_shifts.draw, rank_effect.draw])
@pytest.mark.parametrize("name", WORLDS)
def test_what_fine_tuning_did_can_be_drawn_of_any_captions(
    name: str, draw: Any, computed: dict[str, Any]
) -> None:
    assert_fits(draw(computed[name]))


def test_guessing_is_drawn_where_naming_the_most_frequent_class_would_come(computed: dict[str, Any]) -> None:
    result = computed["two_classes"]["cnn"].model_copy(update={"confusion": ((150, 0), (20, 30))})
    figure = accuracy.draw({"cnn": result})
    (dashed,) = [line for line in figure.axes[0].get_lines() if line.get_linestyle() == "--"]
    assert np.asarray(dashed.get_xdata())[0] == pytest.approx(150 / 200)


# The whole way: from results on disk to the pages and the PDF, checked


SHAPES = ((48, 36), (36, 48), (400, 40), (40, 400), (1, 1), (3, 2), (300, 400))
"""Width and height of photos: landscape, portrait, panoramas both ways, tiny ones."""


@pytest.fixture(scope="module")
def rendered(computed: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with a run on a user's own photos and a hundred classes, rendered."""
    root = tmp_path_factory.mktemp("own")
    copy_parts(root, "pipeline", "experiments", "figures", "profiles", "reporting", "templates", *PAGES)
    values = computed["hundred_classes"] | {
        stage: computed["own_long"][stage]
        for stage in ("align", "lora", "generate", "captions", "variants", "ablations", "evidence")
    }
    own = (root / "profiles" / "smoke.toml").read_text()
    for section, options in (("photos", PHOTOS_SECTION), ("images", IMAGES_SECTION)):
        own = re.sub(rf"\[{section}\]\n(?:.+\n)+", options, own)
    (root / "profiles" / "my-own.toml").write_text(own)
    project = open_project("my-own", root)
    project.results.mkdir(parents=True)
    for section, count in (("photos", 90), ("images", 2600)):
        lines = [f"{hashlib.sha256(bytes(at)).hexdigest()}  {section}/{at}.jpg\n" for at in range(count)]
        (project.results / f"{section}.sha256").write_text("".join(lines))
    tests = values["evidence"].tests | computed["hundred_classes"]["evidence"].tests
    values["evidence"] = values["evidence"].model_copy(update={"tests": tests})
    for stage, value in pictured(project, values).items():
        put(project, stage, value)
    command = ("-m", "reporting.render", "--renderer", "builtin")
    done = python(root, *command, QUARTO_PROFILE="my-own")
    assert done.returncode == 0, done.stderr
    return root


PHOTOS_SECTION = """[photos]
kind = "folder"
folder = "/nowhere/my photos <b>"
captions = "/nowhere/captions #1.csv"
tuning = 50
evaluation = 40
seed = 0
"""
IMAGES_SECTION = """[images]
kind = "folder"
folder = "/nowhere/pets & <things>"
size = 32
"""


def pictured(project: Project, values: dict[str, Any]) -> dict[str, Any]:
    """The same results with a picture of each photo on disk, of all shapes."""
    folder = project.results / "generate"
    folder.mkdir()
    kept = []
    for at in range(len(values["generate"].records)):
        wide, high = SHAPES[at % len(SHAPES)]
        content = as_png(np.full((high, wide, 3), (40, 90, 5 * at), dtype=np.uint8))
        sha256 = hashlib.sha256(content).hexdigest()
        kept.append(Attachment(file=f"IMG-{at}-{sha256[:8]}.png", sha256=sha256))
        (folder / kept[-1].file).write_bytes(content)
    for stage in ("generate", "captions"):
        records = zip(values[stage].records, kept, strict=True)
        pictures = tuple(record.model_copy(update={"picture": file}) for record, file in records)
        values[stage] = values[stage].model_copy(update={"records": pictures})
    return values


def test_the_pages_and_the_pdf_of_a_users_own_run_pass_the_check(rendered: Path) -> None:
    done = python(rendered, "-m", "reporting.check", "--profile", "my-own")
    assert re.fullmatch(r"[\d,]+ numbers on 4 pages agree with the results\n", done.stdout), done.stdout
    assert done.stderr == ""


def test_no_page_tells_where_on_the_machine_a_users_files_are_or_names_a_float_not_shown(
    rendered: Path,
) -> None:
    pages = {path.name: path.read_text() for path in (rendered / "_site").glob("*.html")}
    assert any("my photos &lt;b&gt;" in text for text in pages.values())
    assert not any("nowhere" in text for text in pages.values())
    assert 'href="provenance.html#tbl-assets"' in pages["provenance.html"]
    assert "tbl-published" not in pages["provenance.html"]


def test_the_page_of_provenance_says_how_to_check_a_users_files(rendered: Path) -> None:
    page = text_of(parse((rendered / "_site" / "provenance.html").read_text()))
    for section, count in (("photos", "90"), ("images", "2,600")):
        manifest = rendered / "results" / "my-own" / f"{section}.sha256"
        sha256 = hashlib.sha256(manifest.read_bytes()).hexdigest()
        assert re.search(rf"results/my-own/{section}\.sha256\s+{count}\s+{sha256[:10]}\s", page)
        assert f'cd FOLDER && sha256sum -c "$OLDPWD"/results/my-own/{section}.sha256' in page


def test_long_captions_run_over_pages_and_none_is_lost(rendered: Path, computed: dict[str, Any]) -> None:
    sheets = read(rendered / "_site" / "report.pdf").sheets
    paper = re.sub(r"\s", "", "".join(sheet.text for sheet in sheets))
    result = computed["own_long"]["captions"]
    for at in result.examples:
        for text in (result.records[at].references[0], result.records[at].after):
            assert re.sub(r"\s", "", text)[:200] in paper
