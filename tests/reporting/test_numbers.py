import re

import pytest

from experiments.project import Project
from experiments.results.captions import Unit
from reporting import numbers
from reporting.document import open_document
from reporting.numbers import Numbers
from tests.reporting.origins import agrees

SPACE = "\N{NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("style", "value", "text"),
    [
        (numbers.percent, 0.7063, f"70.6{SPACE}%"),
        (numbers.percent, 1.0, f"100.0{SPACE}%"),
        (numbers.percent, 0.0, f"0.0{SPACE}%"),
        (numbers.count, 10_000, "10,000"),
        (numbers.count, 0, "0"),
        (numbers.size, 1_972_800, f"1.97{SPACE}M"),
        (numbers.size, 27_749_225, f"27.7{SPACE}M"),
        (numbers.size, 151_277_313, f"151{SPACE}M"),
        (numbers.size, 999_500, f"1.00{SPACE}M"),
        (numbers.size, 4_120, f"4.12{SPACE}k"),
        (numbers.size, 987, "987"),
        (numbers.duration, 3.04, f"3.0{SPACE}s"),
        (numbers.duration, 59.4, f"59.4{SPACE}s"),
        (numbers.duration, 59.6, f"1{SPACE}min{SPACE}00{SPACE}s"),
        (numbers.duration, 485.2, f"8{SPACE}min{SPACE}05{SPACE}s"),
        (numbers.duration, 3720, f"1{SPACE}h{SPACE}02{SPACE}min"),
        (numbers.rate, 1240.4, "1,240"),
        (numbers.rate, 3.21, "3.2"),
        (numbers.share, 0.0252, f"2.52{SPACE}%"),
        (numbers.share, 0.09996, f"10.0{SPACE}%"),
        (numbers.share, 0.000137, f"0.0137{SPACE}%"),
        (numbers.share, 1.0, f"100{SPACE}%"),
        (numbers.share, 0.0, f"0{SPACE}%"),
        (numbers.times, 1.7314, "1.73"),
        (numbers.times, 440.6, "441"),
        (numbers.megabytes, 24_772_608, f"24.8{SPACE}MB"),
        (numbers.megabytes, 1_872_000_000, f"1,872{SPACE}MB"),
        (numbers.decimal, 3e-4, "0.0003"),
        (numbers.decimal, 1e-7, "0.0000001"),
        (numbers.decimal, 0.05, "0.05"),
        (numbers.nats, 1.2, "1.200"),
        (numbers.moment, "2026-01-02T03:04:05+00:00", "2026-01-02 03:04"),
    ],
)
def test_a_number_is_written_as_a_reader_expects_it(style: object, value: float, text: str) -> None:
    assert style(value) == text  # pyright: ignore[reportCallIssue]


@pytest.mark.parametrize(
    ("value", "unit", "text", "difference"),
    [
        (23.42, "points", "23.4", "+23.4"),
        (1.066, "points", "1.07", "+1.07"),
        (-9.996, "points", "−10.0", "−10.0"),
        (0.025, "share", f"2.5{SPACE}%", f"+2.5{SPACE}pp"),
        (9.34, "words", "9.3", "+9.3"),
        (167.0, "words", "167", "+167"),
        (-0.0314, "bits", "−0.031", "−0.031"),
        (-0.0004, "bits", "0.000", "0.000"),
        (-0.02, "words", "0.0", "0.0"),
        (14.98, "words", "15.0", "+15.0"),
        (0.0, "share", f"0.0{SPACE}%", f"0.0{SPACE}pp"),
    ],
)
def test_a_measure_is_written_in_its_unit_and_a_difference_with_its_sign(
    value: float, unit: Unit, text: str, difference: str
) -> None:
    assert numbers.measured(value, unit) == text
    assert numbers.change(value, unit) == difference


@pytest.fixture
def figures(filled: Project) -> Numbers:
    return Numbers(open_document(filled).envelopes)


def test_every_number_names_the_place_it_was_read_from(figures: Numbers) -> None:
    assert figures.percent("vit.top1") == f'[80\\.0{SPACE}\\%]{{data-from="vit.top1.value"}}'
    assert figures.count("cnn.top1.n") == '[300]{data-from="cnn.top1.n"}'
    assert figures.text("cnn:provenance.threads") == '[2]{data-from="cnn:provenance.threads"}'
    assert figures.short("cnn:provenance.commit") == '[0123456789]{data-from="cnn:provenance.commit"}'
    assert figures.count("cnn.confusion.0.1") == '[10]{data-from="cnn.confusion.0.1"}'


def test_an_interval_is_two_numbers_with_two_origins(figures: Numbers) -> None:
    text = figures.interval("vit.top1")
    assert re.findall(r'data-from="([^"]+)"', text) == ["vit.top1.low", "vit.top1.high"]
    low, high = (float(part.replace("\\", "")) for part in re.findall(r"\[([^\]]+)\]", text))
    assert low < 80 < high


def test_a_ratio_and_a_difference_name_both_places_they_were_made_from(figures: Numbers) -> None:
    share = figures.share("cnn.confusion.0.1", "cnn.top1.n")
    assert share == f'[3\\.33{SPACE}\\%]{{data-from="cnn.confusion.0.1/cnn.top1.n"}}'
    assert figures.at("cnn.confusion.0.1/cnn.top1.n") == 10 / 300
    gain = figures.gain("cnn.top1.value", "vit.top1.value", "share")
    assert gain == f'[\\+10\\.0{SPACE}pp]{{data-from="cnn.top1.value - vit.top1.value"}}'
    assert figures.at("cnn.top1.value - vit.top1.value") == pytest.approx(0.1)


def test_the_interval_of_a_difference_has_signs_and_its_unit_once(filled: Project) -> None:
    figures = Numbers(open_document(filled).envelopes)
    text = figures.reach("vit.top1", "share")
    assert re.findall(r'data-from="([^"]+)"', text) == ["vit.top1.low", "vit.top1.high"]
    low, high = re.findall(r"\[([^\]]+)\]", text.replace("\\", ""))
    assert low.startswith("+")
    assert "pp" not in low
    assert high.endswith(f"{SPACE}pp")
    assert all(agrees(shown, figures.at(f"vit.top1.{end}")) for shown, end in ((low, "low"), (high, "high")))


def test_what_is_counted_is_named(figures: Numbers) -> None:
    assert figures.length("cnn.classes") == '[3]{data-from="cnn.classes"}'


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (f"70.6{SPACE}%", 0.7063), ("83.1", 0.831), (f"−2.5{SPACE}pp", -0.025),
        (f"24.8{SPACE}MB", 24_772_608), ("−0.031", -0.0314),
        (f"8{SPACE}min{SPACE}05{SPACE}s", 485.2), ("0.0003", 3e-4), ("12", (0,) * 12), ("2.4.6", "2.4.6"),
        ("0123456789", "0123456789abcdef"), (f"1.97{SPACE}M", 1_972_800), ("1,240", 1240.4),
    ],
)  # fmt: skip
def test_the_check_of_origins_accepts_what_is_printed_and_notices_what_is_not(
    text: str, value: object
) -> None:
    assert agrees(text, value)
    for wrong in (f"9{text}", text.replace("−", "") if "−" in text else f"−{text}"):
        assert not agrees(wrong, value), wrong


@pytest.mark.parametrize(
    "path",
    ["vit.top2", "vit.per_class.9", "vit.per_class.x", "resnet.top1", "vit:who", "vit.top1.n/vit.top2"],
)
def test_a_path_that_leads_nowhere_is_an_error_and_never_a_number(figures: Numbers, path: str) -> None:
    with pytest.raises((KeyError, AttributeError)):
        figures.percent(path)
