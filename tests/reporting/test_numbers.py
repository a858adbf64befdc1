import re

import pytest

from experiments.results.captions import Unit
from pipeline.project import Project
from reporting import numbers
from reporting.document import open_document
from reporting.markdown import Markdown, escape
from reporting.numbers import Numbers
from tests.support.results import classifier
from tests.support.stored import put

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
        (numbers.duration, 0.03214, f"0.0321{SPACE}s"),
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
        (numbers.p, 0.0004, f"<{SPACE}0.001"),
        (numbers.p, 0.001, "0.001"),
        (numbers.p, 0.0124, "0.012"),
        (numbers.p, 1.0, "1.000"),
        (numbers.bound, 0.7063, "70.6"),
        (numbers.length, ("a",) * 1200, "1,200"),
        (numbers.joined, ("q_proj", "v_proj"), "q_proj, v_proj"),
        (numbers.as_json, [0.5, "ä", True], '[0.5, "ä", true]'),
        (numbers.rough, 0.969, "0.97"),
        (numbers.rough, 9.96, "10"),
        (numbers.rough, 4.0, "4"),
        (numbers.rough, 100.0, "100"),
        (numbers.rough, 0, "0"),
        (numbers.rough_share, 0.0677, f"6.8{SPACE}%"),
        (numbers.rough_bytes, 39_120_344, f"39{SPACE}MB"),
        (numbers.rough_bytes, 2_205_000_000, f"2.2{SPACE}GB"),
        (numbers.rough_bytes, 999_600_000, f"1{SPACE}GB"),
        (numbers.rough_duration, 44.9, f"45{SPACE}s"),
        (numbers.rough_duration, 485.2, f"8{SPACE}min{SPACE}05{SPACE}s"),
        (numbers.called, "CNN (2.0 M)", "CNN"),
        (numbers.called, "(all)", "(all)"),
        (numbers.quoted, "LoRA, r = 8", "“LoRA, r = 8”"),
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
        (167.0, "words", "167.0", "+167.0"),
        (167.0, "count", "167", "+167"),
        (-40.7, "count", "−41", "−41"),
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
    return open_document(filled).numbers


def span(text: str, origin: str, how: str) -> str:
    return f'[{text}]{{data-from="{origin}" data-as="{how}"}}'


def test_every_number_names_the_place_it_was_read_from_and_its_format(figures: Numbers) -> None:
    assert figures.percent("vit.top1") == span(f"80\\.0{SPACE}\\%", "vit.top1.value", "percent")
    assert figures.count("cnn.top1.n") == span("300", "cnn.top1.n", "count")
    assert figures.text("cnn:provenance.threads") == span("2", "cnn:provenance.threads", "text")
    assert figures.short("cnn:provenance.commit") == span("0123456789", "cnn:provenance.commit", "short")
    assert figures.count("cnn.confusion.0.1") == span("10", "cnn.confusion.0.1", "count")
    assert figures.measured("cnn.seconds", "words") == span("485\\.2", "cnn.seconds", "measured:words")
    assert figures.joined("cnn.classes") == span("cat\\, dog\\, ship", "cnn.classes", "joined")
    assert figures.length("cnn.classes") == span("3", "cnn.classes", "length")


def test_an_option_is_printed_as_json(filled: Project) -> None:
    put(filled, "cnn", classifier("cnn"), config={"widths": [64, 256], "name": 'a "b" {c}'})
    figures = open_document(filled).numbers
    widths = "cnn:provenance.ingredients.config.widths"
    assert figures.json(widths) == span("\\[64\\, 256\\]", widths, "json")
    assert figures.count(f"{widths}.1") == span("256", f"{widths}.1", "count")
    assert figures.plain.json("cnn:provenance.ingredients.config.name").replace("\\", "") == '"a "b" {c}"'


def test_a_step_with_dots_stands_in_brackets(figures: Numbers) -> None:
    module = "cnn:provenance.ingredients.code[experiments.classification.cnn]"
    assert figures.short(module).endswith(f'data-from="{module}" data-as="short"}}')
    assert len(figures.at(module)) == 64
    assert figures.at("cnn.per_class[0].n/cnn[top1].n") == pytest.approx(1 / 3)


def test_the_profile_can_be_printed_with_its_origin(figures: Numbers) -> None:
    assert figures.text("profile.name") == span("smoke", "profile.name", "text")
    assert figures.at("profile.description")


def test_without_a_profile_there_is_no_text_of_it(filled: Project) -> None:
    with pytest.raises(KeyError):
        Numbers(open_document(filled).envelopes).text("profile.name")


def test_plain_numbers_are_the_same_without_a_span(figures: Numbers) -> None:
    assert figures.plain.percent("vit.top1") == f"80\\.0{SPACE}\\%"
    assert figures.plain.interval("vit.top1") == re.sub(
        r"\[(.*?)\]\{.*?\}", r"\1", figures.interval("vit.top1")
    )
    assert isinstance(figures.plain.percent("vit.top1"), Markdown)


def test_text_that_is_partly_bold_is_wrapped_whole(figures: Numbers) -> None:
    wrapped = figures.wrapped("cnn.model", Markdown("The **cnn** model"))
    assert wrapped == span("The **cnn** model", "cnn.model", "text")
    with pytest.raises(KeyError):
        figures.wrapped("cnn.nothing", Markdown("The **cnn** model"))


def test_an_interval_is_two_numbers_with_two_origins(figures: Numbers) -> None:
    text = figures.interval("vit.top1")
    assert re.findall(r'data-from="([^"]+)"', text) == ["vit.top1.low", "vit.top1.high"]
    assert re.findall(r'data-as="([^"]+)"', text) == ["bound", "bound"]
    low, high = (float(part.replace("\\", "")) for part in re.findall(r"\[([^\]]+)\]", text))
    assert low < 80 < high
    assert text.endswith(f"{SPACE}%")


def test_a_ratio_and_a_difference_name_both_places_they_were_made_from(figures: Numbers) -> None:
    ratio = "cnn.confusion.0.1/cnn.top1.n"
    assert figures.share("cnn.confusion.0.1", "cnn.top1.n") == span(f"3\\.33{SPACE}\\%", ratio, "share")
    assert figures.at(ratio) == 10 / 300
    gain = figures.gain("cnn.top1.value", "vit.top1.value", "share")
    assert gain == span(f"\\+10\\.0{SPACE}pp", "cnn.top1.value - vit.top1.value", "change:share")
    assert figures.at("cnn.top1.value - vit.top1.value") == pytest.approx(0.1)


def test_the_interval_of_a_difference_has_signs_and_its_unit_once(figures: Numbers) -> None:
    text = figures.reach("vit.top1", "share")
    assert re.findall(r'data-from="([^"]+)"', text) == ["vit.top1.low", "vit.top1.high"]
    assert re.findall(r'data-as="([^"]+)"', text) == ["reach:share", "change:share"]
    low, high = re.findall(r"\[([^\]]+)\]", text.replace("\\", ""))
    assert low.startswith("+")
    assert "pp" not in low
    assert high.endswith(f"{SPACE}pp")


def test_every_printed_number_can_be_formatted_again_from_its_span(figures: Numbers) -> None:
    printed = [
        figures.percent("vit.top1"), figures.interval("vit.top1"), figures.reach("vit.top1", "bits"),
        figures.size("vit.parameters"), figures.duration("vit.seconds"),
        figures.rate("vit.images_per_second"),
        figures.share("cnn.top1.n", "vit.parameters"), figures.times("vit.parameters", "cnn.top1.n"),
        figures.megabytes("vit.parameters"), figures.decimal("vit.seconds"), figures.nats("vit.loss.1"),
        figures.moment("vit:provenance.started"), figures.short("vit:key"), figures.p("vit.top1"),
        figures.json("vit:provenance.ingredients.config"), figures.joined("vit.classes"),
        figures.gain("cnn.top1.value", "vit.top1.value", "points"), figures.text("vit.model"),
    ]  # fmt: skip
    found = re.findall(r'\[((?:[^\]\\]|\\.)*)\]\{data-from="([^"]+)" data-as="([^"]+)"\}', "".join(printed))
    assert len(found) == len(printed) + 2
    for text, origin, how in found:
        assert escape(numbers.FORMATS[how](figures.at(origin))) == text


@pytest.mark.parametrize("how", ["", "percents", "measured", "measured:miles", "text:share", "__class__"])
def test_a_format_that_does_not_exist_is_an_error(how: str) -> None:
    with pytest.raises(KeyError):
        numbers.FORMATS[how](0.5)


@pytest.mark.parametrize(
    "path",
    [
        "vit.top2", "vit.per_class.9", "vit.per_class.x", "resnet.top1", "vit:who", "vit.top1.n/vit.top2", "",
        "vit..top1", "vit.top1.", "vit[top1", "vit]", "vit.loss.0.value", "vit.seconds/", "profile.nothing",
        'vit:provenance.versions[a"b]', "vit.seconds - vit.seconds - vit.seconds",
    ],
)  # fmt: skip
def test_a_path_that_leads_nowhere_is_an_error_and_never_a_number(figures: Numbers, path: str) -> None:
    with pytest.raises(KeyError):
        figures.percent(path)


@pytest.mark.parametrize(
    ("unit", "half", "values", "texts"),
    [
        ("share", 0.026, (0.769, 0.844), ("77 %", "84 %")),
        ("share", 0.002, (0.767, 0.768), ("76.7 %", "76.8 %")),  # whole percents would read the same
        ("share", 0.02, (0.996, 0.9), ("99.6 %", "90.0 %")),  # and would read as all, which it is not
        ("share", 0.1, (0.0, 0.617), ("0 %", "62 %")),
        ("points", 0.12, (0.497, 0.099), ("0.5", "0.1")),
        ("points", 2.5, (0.351, 6.469), ("0.4", "6.5")),
        ("words", 0.65, (14.1, 4.87), ("14", "5")),
        ("bits", 0.03, (0.4059, 0.6612), ("0.41", "0.66")),
        ("count", 10.0, (74, 17), ("74", "17")),
        ("share", 0.0, (1.0, 1.0), ("100 %", "100 %")),
    ],
)
def test_a_figure_is_rounded_to_what_its_interval_supports_and_never_until_it_misleads(
    unit: Unit, half: float, values: tuple[float, ...], texts: tuple[str, ...]
) -> None:
    digits = numbers.decimals(unit, half, *values)
    told = tuple(numbers.measured(value, unit, digits).replace(SPACE, " ") for value in values)
    assert told == texts
    assert numbers.FORMATS[f"measured:{unit}:{digits}"](values[0]).replace(SPACE, " ") == texts[0]


@pytest.mark.parametrize(
    ("unit", "values", "texts"),
    [
        ("points", (0.0012, 0.0031), ("0.001", "0.003")),
        ("bits", (0.61204, 0.61191), ("0.6120", "0.6119")),
        ("share", (0.00012, 0.0), ("0.01 %", "0.00 %")),
        ("share", (0.77, 0.84), ("77 %", "84 %")),
        ("count", (12, 12), ("12", "12")),
    ],
)
def test_two_figures_that_a_sentence_says_are_apart_never_read_the_same(
    unit: Unit, values: tuple[float, ...], texts: tuple[str, ...]
) -> None:
    digits = numbers.decimals(unit, 0.04, *values, apart=True)
    told = tuple(numbers.measured(value, unit, digits).replace(SPACE, " ") for value in values)
    assert told == texts
    assert numbers.FORMATS[f"measured:{unit}:{digits}"](values[0]).replace(SPACE, " ") == texts[0]


def test_a_share_is_said_with_its_origin_and_its_format(filled: Project) -> None:
    n = open_document(filled).numbers
    assert n.said("cnn.top1") == escape_percent(n.at("cnn.top1").value)


def escape_percent(value: float) -> str:
    text = escape(f"{100 * value:.0f}{SPACE}%")
    return f'[{text}]{{data-from="cnn.top1.value" data-as="measured:share:0"}}'
