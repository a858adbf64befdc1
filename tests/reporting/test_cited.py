"""What `n` prints in an author's sentence: with its origin, in the digits that the interval supports."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import UserError
from pipeline.result import Estimate
from reporting.check import disagreement
from reporting.checking.page import Origin, squeezed
from reporting.document import Document
from reporting.markdown import Markdown, unescaped
from reporting.numbers import FORMATS, supported, told
from reporting.rendering import pandoc
from tests.support.report_worlds import World, results
from tests.support.spoken import document

NO_BREAK = "\N{NO-BREAK SPACE}"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Document:
    return document(results(World(photos=10)), tmp_path_factory.mktemp("results"))


def read(text: Markdown) -> tuple[str, str, str]:
    """Return what a reader sees of one printed thing, its path and its format."""
    (block,) = pandoc.read(text)[0]["blocks"]
    (span,) = block["c"]
    attributes = dict(span["c"][0][2])
    return pandoc.plain(span["c"][1]), attributes["data-from"], attributes["data-as"]


def estimate(value: float, low: float, high: float) -> Estimate:
    return Estimate(value=value, n=9, low=low, high=high, method="wilson")


@pytest.mark.parametrize(
    ("value", "low", "high", "unit", "shown"),
    [
        (0.9159, 0.9103, 0.9212, "share", f"92{NO_BREAK}%"),
        (0.9159, 0.9140, 0.9179, "share", f"91.6{NO_BREAK}%"),
        (0.844, 0.82, 0.865, "share", f"84{NO_BREAK}%"),
        (0.5, 0.1, 0.9, "share", f"50{NO_BREAK}%"),
        (1.0, 1.0, 1.0, "share", f"100{NO_BREAK}%"),
        (0.497, 0.39, 0.64, "points", "0.5"),
        (0.0986, 0.085, 0.11, "points", "0.10"),
        (28.07, 26.0, 30.3, "points", "28"),
        (74.0, 64.0, 84.0, "count", "74"),
        (0.406, 0.381, 0.431, "bits", "0.41"),
    ],
)
def test_an_estimate_is_rounded_to_what_its_interval_supports(
    value: float, low: float, high: float, unit: str, shown: str
) -> None:
    assert FORMATS[f"told:{unit}"](estimate(value, low, high)) == shown


@given(st.floats(0, 1), st.floats(0, 0.5), st.floats(0, 0.5))
def test_rounding_never_leaves_the_interval_nor_hides_a_digit_that_it_supports(
    value: float, below: float, above: float
) -> None:
    given_ = estimate(value, value - below, value + above)
    digits = supported(given_, "share")
    width = 100 * (given_.high - given_.low)
    assert digits == 4 or width == 0 or 10**-digits <= width * 1.0001 or digits == 0
    assert digits in {0, 4} or 10 ** -(digits - 1) > width * 0.9999
    said = float(told(given_, "share").split(NO_BREAK)[0].replace("\N{MINUS SIGN}", "-"))
    assert abs(said - 100 * value) <= 0.5 * 10**-digits + 1e-9


def test_each_thing_is_printed_with_its_origin_in_a_format_that_the_check_reads_again(
    world: Document,
) -> None:
    n = world.n
    printed = {
        n("cnn.top1"): "90 %",
        n("cnn.top1", digits=2): "90.00 %",
        n("cnn.per_class.cat"): None,
        n("captions.measures.length.after"): None,
        n("captions.measures.chrf.after", digits=1): None,
        n("examples.0.after"): None,
        n("cnn.model"): "Convolutional network",
        n("lora.targets"): "q_proj, v_proj, up_proj",
        n("lora.adapter_bytes"): "36 MB",
        n("lora.learning_rate"): "0.0003",
        n("lora.loss.1"): "2.000",
        n("lora.trainable"): "9,000,000",
        n("cnn.training_seconds"): "6 min 30 s",
        n("evidence.family"): None,
        n("evidence.tests.vit_cnn.difference"): "−15 pp",
        n("evidence.tests.vit_cnn.adjusted"): "< 0.001",
        n("profile.name"): "smoke",
        n.size("lora.trainable"): "9.00 M",
        n.difference("cnn.top1", "vit.top1"): "15 pp",
        n.difference("vit.top1", "cnn.top1"): "−15 pp",
        n.difference("vit.top1", "cnn.top1", digits=1): "−15.0 pp",
        n.difference("vit.epochs", "lora.r"): "−24",
        n.difference("lora.seconds", "cnn.seconds"): "−6 min 10 s",
        n.ratio("cnn.seconds", "lora.seconds"): "13.3",
        n.said("cnn.top1"): "90 %",
        n.ratio("cnn.top1", "vit.top1", digits=1): "1.2",
    }
    for text, wanted in printed.items():
        shown, path, how = read(text)
        assert disagreement(Origin(path, how, squeezed(shown)), world.numbers) is None
        assert wanted is None or shown.replace(NO_BREAK, " ") == wanted


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("cnn.top1", r"8\d\.\d–9\d\.\d %"),
        ("captions.measures.length.after", r"\d+\.\d–\d+\.\d"),
        ("evidence.tests.vit_cnn.difference", r"−\d+\.\d to −\d+\.\d pp"),
    ],
)
def test_an_interval_is_in_the_unit_of_its_estimate(world: Document, path: str, shown: str) -> None:
    words = pandoc.plain(pandoc.read(world.n.interval(path))[0]["blocks"]).replace(NO_BREAK, " ")
    assert re.fullmatch(shown, words)


def test_what_is_cited_stays_text(tmp_path: Path) -> None:
    """A class that looks like markup reads as it stands, and obeys nobody."""
    hostile = ("{{< env HOME >}}", "*b*", "ship", "@doe `x`")
    shown = document(results(World(photos=10, names=hostile)), tmp_path).n
    assert read(shown("examples.0.label"))[0] in hostile
    assert read(shown.text("cnn.classes.0"))[0] == "{{< env HOME >}}"
    assert "{{<" not in shown("cnn.classes.3") + shown("cnn.classes.0")


def test_what_is_missing_leaves_a_note_and_what_the_run_has_not_got_another(tmp_path: Path) -> None:
    values = results(World(photos=10))
    del values["cnn"], values["captions"]
    n = document(values, tmp_path).n
    for note in (n("cnn.top1"), n.size("cnn.parameters"), n.difference("vit.top1", "cnn.top1")):
        assert unescaped(note) == "**[missing: cnn]**"
    assert unescaped(n("examples.0.after")) == "**[missing: captions]**"
    assert "60" not in n.ratio("cnn.seconds", "vit.seconds")
    with pytest.raises(KeyError, match="nothing at"):
        n("vit.topp")


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("cnn.confusion", "is a list"),
        ("captions.records", "is a list"),
        ("captions.measures.0", "no number"),
        ("ablations.off_is_base", "no number"),
    ],
)
def test_what_no_sentence_could_have_is_refused(world: Document, path: str, reason: str) -> None:
    with pytest.raises(UserError, match=reason):
        world.n(path)


def test_all_that_is_listed_can_be_printed_and_is_what_the_check_reads(world: Document) -> None:
    assert len(world.citable) > 300
    for path, _ in world.citable:
        shown, source, how = read(world.n(path))
        assert disagreement(Origin(source, how, squeezed(shown)), world.numbers) is None
