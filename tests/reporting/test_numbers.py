import re

import pytest

from experiments.project import Project
from reporting import numbers
from reporting.document import open_document
from reporting.numbers import Numbers

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
    ],
)
def test_a_number_is_written_as_a_reader_expects_it(style: object, value: float, text: str) -> None:
    assert style(value) == text  # pyright: ignore[reportCallIssue]


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


@pytest.mark.parametrize("path", ["vit.top2", "vit.per_class.9", "vit.per_class.x", "resnet.top1", "vit:who"])
def test_a_path_that_leads_nowhere_is_an_error_and_never_a_number(figures: Numbers, path: str) -> None:
    with pytest.raises((KeyError, AttributeError)):
        figures.percent(path)
