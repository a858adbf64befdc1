"""What the pages say and show of other data than the brief's: other classes, photos, captions and counts.

Each world is computed from predictions and captions by the real `evidence` and told by the real templates;
what it says stands in ``golden/worlds`` as well.
"""

import hashlib
import os
import re
import subprocess
import sys
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
from experiments.captioning.pictures import picture
from experiments.project import open_project
from figures import accuracy, confusion, forgetting, per_class
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
from tests.support.copies import PAGES, copy_parts
from tests.support.report_worlds import OWN_IMAGES, OWN_PHOTOS, World, results
from tests.support.results import put
from tests.support.spoken import assert_golden, document, spoken

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
    tree, warnings = pandoc.read("\n\n".join(blocks.values()))
    assert warnings == []
    assert not {"RawInline", "RawBlock", "Math", "Emph"} & {node["t"] for node in pandoc.walk(tree["blocks"])}
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
    assert "The folder my photos <b> (photos with captions from captions #1.csv)" in text
    published = text_in(shown, "published")
    assert "This run tested other images" in published
    assert "tbl-published" not in shown.block("published")


def test_what_the_audit_can_say_is_said_and_why_the_rest_is_not(documents: Callable[[str], Document]) -> None:
    text = text_in(documents("own_long"), "audit")
    assert "this run has its zero-shot model, but not its captioner, its captioned photos or its" in text
    assert "What follows from the brief itself or from the architecture that it names stands" in text
    assert "hub" not in text


def test_two_classes_have_no_extremes_and_no_most_frequent_mistake(computed: dict[str, Any]) -> None:
    claims = claims_of(computed["two_classes"])
    assert not [name for name in claims if re.search("hardest|easiest|confusion|flawless", name)]


def test_a_few_classes_are_listed_and_of_many_the_first(documents: Callable[[str], Document]) -> None:
    few = documents("two_classes")
    assert "whose 2 classes are yes and no." in text_in(few, "set_up")
    many = documents("hundred_classes")
    listed = "golden retriever, C++, $x$, a|b, *M* {{< env HOME >}}, and so on."
    assert f"whose 100 classes are, in its order, {listed}" in text_in(many, "set_up")


def test_the_figures_say_which_of_many_classes_and_mistakes_they_show(
    documents: Callable[[str], Document],
) -> None:
    many = documents("hundred_classes")
    assert "10 hardest (above the dotted line) and the 10 easiest of 100" in text_in(many, "per_class")
    assert "most frequent mistakes" in text_in(many, "confusion")
    some = documents("thirteen_classes")
    assert "Accuracy within each class" in text_in(some, "per_class")
    assert "most frequent mistakes" in text_in(some, "confusion")
    few = documents("classes_that_are_numbers")
    assert "Confusion matrices" in text_in(few, "confusion")


def test_fewer_photos_than_examples_asked_for_are_all_shown_and_said_to_be(
    documents: Callable[[str], Document],
) -> None:
    text = text_in(documents("two_photos"), "caption_examples")
    assert "These are all 2 evaluation photos" in text
    assert "at 0.0\N{NO-BREAK SPACE}% of the way" in text
    assert "at 100.0\N{NO-BREAK SPACE}% of the way" in text


def test_the_page_of_captions_shows_the_photos_whose_score_changed_most(
    computed: dict[str, Any], documents: Callable[[str], Document]
) -> None:
    shown = documents("many_photos")
    text = text_in(shown, "caption_gallery")
    assert f"Of 150 evaluation photos the {MOST} whose score changed most" in text
    records = computed["many_photos"]["captions"].records
    change = [abs(record.judged_after.score - record.judged_before.score) for record in records]
    named = [int(number) for number in re.findall(r"photo-(\d+), score", text)]
    assert named == sorted(named)
    assert len(named) == MOST
    left = [change[at] for at in range(150) if at not in named]
    assert min(change[at] for at in named) >= max(left)


def test_without_colours_and_classes_no_sentence_is_made_of_what_captions_say(tmp_path: Path) -> None:
    values = results(replace(OWN, wording="word", photos=6))
    plain = [
        record.model_copy(update={"references": ("und", "oder")}) for record in values["generate"].records
    ]
    values = results_again(values, tuple(plain))
    text = text_in(told(values, tmp_path), "how_behaviour_changes")
    assert "what the captions say of the photo" not in text
    assert "Taken together" in text


def results_again(values: dict[str, Any], records: tuple[Any, ...]) -> dict[str, Any]:
    """What follows from other captions."""
    from experiments.captioning.compare import captions
    from experiments.config.comparison import CaptionsConfig, EvidenceConfig
    from experiments.evidence.evidence import evidence
    from tests.support.contexts import SILENT

    values = values | {"generate": values["generate"].model_copy(update={"records": records})}
    section = CaptionsConfig(seed=0, resamples=100, example_quantiles=(0.0, 1.0))
    values["captions"] = captions(section, values, SILENT)
    tests = EvidenceConfig(seed=0, resamples=100, significance=0.05)
    return values | {"evidence": evidence(tests, values, SILENT)}


# Figures


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("draw", [accuracy.draw, per_class.draw, confusion.draw])
@pytest.mark.parametrize("name", WORLDS)
def test_nothing_in_a_figure_is_cut_off_and_the_figure_fits_a_page(
    name: str, draw: Any, computed: dict[str, Any]
) -> None:
    values = {stage: computed[name][stage] for stage in CLASSIFIERS}
    long = "A model whose name somebody made far longer than any figure is wide, and then some words more"
    values["vit"] = values["vit"].model_copy(update={"model": long})
    assert_fits(draw(values))


def assert_fits(figure: Figure) -> None:
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    drawn = figure.get_tightbbox(canvas.get_renderer())
    width, height = figure.get_size_inches()
    assert drawn.x0 >= -0.01
    assert drawn.y0 >= -0.01
    assert drawn.x1 <= width + 0.01
    assert drawn.y1 <= height + 0.01
    for axes in figure.axes:
        if axes.axison:
            assert axes.get_window_extent().width > 0.25 * canvas.get_width_height()[0]
    assert height <= 9.2, "with its caption it must fit a page"


def test_what_tuning_costs_fits_for_any_name_of_a_variant(computed: dict[str, Any]) -> None:
    tuned = computed["own_long"]["ablations"]
    named = tuple(each.model_copy(update={"name": each.name * 9}) for each in tuned.variants)
    assert_fits(forgetting.draw({"ablations": tuned.model_copy(update={"variants": named})}))


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
    (root / "profiles" / "my own.toml").write_text(own)
    project = open_project("my own", root)
    project.results.mkdir(parents=True)
    for section, count in (("photos", 90), ("images", 2600)):
        lines = [f"{hashlib.sha256(bytes(at)).hexdigest()}  {section}/{at}.jpg\n" for at in range(count)]
        (project.results / f"{section}.sha256").write_text("".join(lines))
    values["evidence"] = computed["hundred_classes"]["evidence"].model_copy(
        update={
            "tests": computed["own_long"]["evidence"].tests | computed["hundred_classes"]["evidence"].tests
        }
    )
    for stage, value in pictured(project, values).items():
        put(project, stage, value)
    done = subprocess.run(
        [sys.executable, "-m", "reporting.render", "--renderer", "builtin", "--preview"],
        cwd=root, capture_output=True, text=True,
        env=os.environ | {"QUARTO_PROFILE": "my own", "SOURCE_DATE_EPOCH": "1700000000"}, check=False,
    )  # fmt: skip
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
        content = picture(np.full((high, wide, 3), (40, 90, 5 * at), dtype=np.uint8))
        sha256 = hashlib.sha256(content).hexdigest()
        kept.append(Attachment(file=f"IMG-{at}-{sha256[:8]}.png", sha256=sha256))
        (folder / kept[-1].file).write_bytes(content)
    for stage in ("generate", "captions"):
        records = zip(values[stage].records, kept, strict=True)
        pictures = tuple(record.model_copy(update={"picture": file}) for record, file in records)
        values[stage] = values[stage].model_copy(update={"records": pictures})
    return values


def test_the_pages_and_the_pdf_of_a_users_own_run_pass_the_check(rendered: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "reporting.check", "--profile", "my own"], cwd=rendered,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert re.fullmatch(r"[\d,]+ numbers on 3 pages agree with the results\n", done.stdout), done.stdout
    assert done.stderr == ""


def test_no_page_tells_where_on_the_machine_a_users_files_are(rendered: Path) -> None:
    pages = "".join(path.read_text() for path in (rendered / "_site").glob("*.html"))
    assert "my photos &lt;b&gt;" in pages
    assert "nowhere" not in pages


def test_the_page_of_provenance_says_how_to_check_a_users_files(rendered: Path) -> None:
    page = text_of(parse((rendered / "_site" / "provenance.html").read_text()))
    for section, count in (("photos", "90"), ("images", "2,600")):
        manifest = rendered / "results" / "my own" / f"{section}.sha256"
        sha256 = hashlib.sha256(manifest.read_bytes()).hexdigest()
        assert re.search(rf"results/my own/{section}\.sha256\s+{count}\s+{sha256[:10]}\s", page)
        assert f"cd FOLDER && sha256sum -c \"$OLDPWD\"/'results/my own/{section}.sha256'" in page


def test_a_float_that_is_not_shown_is_not_among_the_sources(rendered: Path) -> None:
    page = (rendered / "_site" / "provenance.html").read_text()
    assert 'href="provenance.html#tbl-assets"' in page
    assert "tbl-published" not in page


def test_long_captions_run_over_pages_and_none_is_lost(rendered: Path, computed: dict[str, Any]) -> None:
    sheets = read(rendered / "_site" / "report.pdf").sheets
    paper = re.sub(r"\s", "", "".join(sheet.text for sheet in sheets))
    result = computed["own_long"]["captions"]
    for at in result.examples:
        for text in (result.records[at].references[1], result.records[at].after):
            assert re.sub(r"\s", "", text)[:200] in paper
