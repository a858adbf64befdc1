from pathlib import Path

import pytest

from reporting import digits
from reporting.document import templates_in
from tests.support.commands import python
from tests.support.copies import ROOT


def test_nobody_typed_a_number_into_the_report() -> None:
    assert [str(finding) for finding in digits.findings(ROOT)] == []


def in_template(source: str) -> list[digits.Finding]:
    return list(digits.in_template("t", source, templates_in(ROOT / "templates")))


# Pages


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("We reached 93.1 % in the end.", "93.1"),
        ("| a | 12 |\n|---|---|", "12"),
        ("x² and ½", "x²"),
        ("x² and ½", "½"),
        ("We reached ９３ %.", "９３"),
        ("Ⅷ classes", "Ⅷ"),
        ("① first", "①"),
        ("93. first", "93."),
        ("a[^b]\n\n[^b]: 92.1% of them", "92.1%"),
        ("[so it is]: 93 percent", "93"),
        ("1. first\n3. third", "3."),
        ("1. first\n   2. second", "2."),
        ("1.5 of them", "1.5"),
        ("1. 93 of them", "93"),
        ("1. one\n\nAnd then.\n\n2. two", "2."),
        ("1. one\n\nAnd then\n2. of two", "2."),
        ("It rose by\n1. That is so.", "1."),
        ("It rose by 1. That is so.", "1."),
        ("[as good as 93](report.qmd)", "93"),
        ("We reached {93}.", "{93}."),
        ("We reached {.n93} of them", "{.n93}"),
        ('::: {.callout-note title="We reached 93"}\n:::', "93"),
        ('![](a.svg){fig-alt="Accuracy of 93 percent" width=50%}', "93"),
        ("An escaped \\`93\\` is no code", "\\`93\\`"),
        ("A lone ` and 93", "93"),
        ("One ` here\n\n93 and one ` there", "93"),
        ("&#57;&#51; percent", "9"),
        ("Almost &half;", "½"),
        ("We reached<!-- --> 93", "93"),
        ("CIFAR-10", "CIFAR-10"),
        ("*93*", "*93*"),
        ("someone@93-tbl", "someone@93-tbl"),
        ("[@lin2004rouge, 93 % of them]", "93"),
        ("[of 93 in @lin2004rouge, p. 5]", "93"),
        ("As @lin2004rouge, 93 of us say.", "93"),
    ],
)
def test_a_number_typed_into_a_page_is_found(text: str, word: str) -> None:
    found = digits.in_page("page.qmd", f"---\ntitle: x\n---\n\n{text}\n")
    assert word in " ".join(finding.text for finding in found)


@pytest.mark.parametrize(
    "text",
    [
        "# Heading {#sec-2}",
        "## Heading {.unnumbered #sec-2b}",
        "See @tbl-models2 and @sec-4.",
        "[see @lin2004rouge, pp. 74-81; -@{hu2022lora}, chap. 4, 5] and [@lin2004rouge, 12]",
        "Run `make x2` or ``a ` 2``.",
        "`a\n2`",
        "![](figures/a2.svg){fig-alt=\"nothing\" width=50%}",
        "[text](report.qmd#claim-2)",
        "[text](https://example.org/2024_(3))",
        "```{python}\nx = 93\n```",
        "```\n93\n```",
        "<!-- 93 -->",
        "::: {#tbl-2}\n:::",
        "[words]{data-from=\"a.0\"}",
        "[a]: https://example.org/93",
        '[a]: https://example.org/93 "Words"',
        "a&nbsp;b &lt; c",
        "ninety-five percent",
        "# The 10 classes",
        "1. `x`\n2. @lin2004rouge\n3.\t`{python} n(x)`\n\n(1) one\n(2) two",
        "> 1. one\n> 2. two\n\n- 1. one\n  2. two\n\nWord\n:   1. one\n    2. two",
        "a[^b]\n\n[^b]: 1. one\n    2. two",
        "1. first\n2. second,\n   and more\n\n3. third",
        "a[^b]\n\n[^b]: c\n\n    1) one\n    2) two\n\n1. one\n    1. its one\n2. two",
        "of CIFAR-10 <!-- typed -->",
        "See https://example.org/93 and <https://example.org/94>.",
        "As @hu2022lora say [see @{a.b2}, and -@krizhevsky2009cifar].",
        "It is `{python} n(\"cnn.top1\", digits=2)`.",
    ],
)  # fmt: skip
def test_digits_of_structure_are_allowed_on_a_page(text: str) -> None:
    page = f'---\ntitle: "Top 10"\ndate: 2026-01-01\n---\n\n{text}\n'
    assert digits.in_page("page.qmd", page) == []


def test_a_number_after_a_cell_is_found_in_its_line() -> None:
    page = "---\ntitle: x\n---\n\n```{python}\nx = 1\n```\n\ntext\nand 93\n"
    assert [(finding.line, finding.text) for finding in digits.in_page("page.qmd", page)] == [(10, "93")]


def test_a_number_in_words_that_a_cell_prints_is_found_in_its_line_and_one_in_its_code_is_not() -> None:
    cell = 'report.show("top5", under="Our 93 of them")\nreport.say("""all\nof 94""", "captioning")'
    page = f"---\ntitle: x\n---\n\n```{{python}}\n#| output: asis\n{cell}\n```\n"
    found = [(finding.line, finding.text) for finding in digits.in_page("page.qmd", page)]
    assert found == [(7, "93"), (9, "94")]


# Templates


@pytest.mark.parametrize(
    "source",
    [
        "We reached 93.1 %.",
        "{% if x %}\nWe reached 93.\n{% endif %}",
        "{% macro f() %}93{% endmacro %}",
        "{% set x %}93{% endset %}",
        '{{ "93.1 %" }}',
        "{{ 93 }}",
        "{{ 93.1 }}",
        '{{ "more" if x else "93 more" }}',
        '![](a.svg){fig-alt="{{ n.plain.text("cnn.model") }} at 93 percent" width={{ width }}}',
        '{{ "½" }}',
        "{{ link('93 more' if x else y) }}",
    ],
)  # fmt: skip
def test_a_number_that_a_template_would_print_is_found(source: str) -> None:
    assert in_template(f"{source}\n")


@pytest.mark.parametrize(
    "source",
    [
        '{{ n.percent("vit.per_class.3") }}',
        '{{ n.percent("vit.per_class." ~ loop.index0 ~ ".top1") }}',
        '{{ n.plain.times("a.0", "b.1") }}',
        '{% set path = "ablations.variants.0" %}{{ n.count(path ~ ".held_out.n2") }}',
        '{% set path = "captions:provenance.versions[a.b-2]" %}{{ n.text(path) }}',
        '{{ amount("captions.measures.0.before", unit) }}',
        '{% set width = "150px" %}width={{ width }}',
        '{% set width = "80%" | markdown %}',
        '{{ card(at, width="88px") }}',
        "{{ order[0] }}",
        "{% for stage in order[1:] %}{{ stage }}{% endfor %}",
        '{{ " and " if loop.revindex0 == 1 else "," }}',
        "{% if values.captions.changed > 0 %}x{% endif %}",
        "{{ names[loop.index0 + 1] }}",
        "{% set above = order[loop.index0 - 1] %}{{ above }}",
        "{% set low = 0 %}{{ order[low] }}",
        "{% for i in range(3) %}{{ order[i] }}{% endfor %}",
        '{{ {"r1": "one", 2: "two"}[x] }}',
        '{{ facts.overlap(a, "cnn2", 3) }}',
        '{{ captions.position_of(measures, "distinct_2") }}',
        '{{ variants | map(attribute="top1") | join(", ") }}',
        '{{ "x" if variants[2].rank is divisibleby 2 else "y" }}',
        "<# 93 #>",
        '{% from "words2.j2" import f with context %}',
        '{% include "card2.md.j2" %}',
        "::: {#tbl-2}\n:::",
        '![](figures/a{{ x }}2.svg){fig-alt="a" width=150px}',
        "[{{ x }}](page.qmd#claim-{{ y }}-2)",
        "@tbl-2 and `a2`",
        "| {{ x }} |\n|:--|\n",
    ],
)  # fmt: skip
def test_digits_of_structure_are_allowed_in_a_template(source: str) -> None:
    assert in_template(f"{source}\n") == []


def test_a_number_in_a_template_is_found_in_its_line() -> None:
    found = in_template('{% if x %}\n\n{{ x }} and\nof 93\n{% endif %}\n\n{{\n  "94"\n}}\n')
    assert [(finding.line, finding.text) for finding in found] == [(4, "93"), (8, "94")]


def test_a_template_that_cannot_be_read_is_a_finding() -> None:
    (found,) = in_template("\n{% if %}\n")
    assert found.line == 2
    assert "not a template" in str(found)


# The command


@pytest.fixture
def small(tmp_path: Path) -> Path:
    for folder in ("templates", "reporting"):
        (tmp_path / folder).mkdir()
    (tmp_path / "report.qmd").write_text("---\ntitle: x\n---\n\nNothing.\n")
    (tmp_path / "templates" / "a.md.j2").write_text("Nothing.\n")
    return tmp_path


def test_the_command_is_silent_or_names_each_number_by_file_and_line_and_fails(small: Path) -> None:
    command = ("-m", "reporting.digits")
    done = python(small, *command, PYTHONPATH=str(ROOT))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    (small / "report.qmd").write_text("---\ntitle: x\n---\n\nWe reached 93.1 %.\n")
    (small / "templates" / "a.md.j2").write_text('\n{{ "94" }}\n')
    (small / "reporting" / "wordings.toml").write_text(
        "[x]\nholds = 'It is {{ name }}.'\nfails = 'It is 95.'\n"
    )
    done = python(small, *command, PYTHONPATH=str(ROOT))
    assert (done.returncode, done.stderr) == (1, "")
    starts = ["report.qmd:5: ", "templates/a.md.j2:2: ", "reporting/wordings.toml:3: "]
    lines = done.stdout.splitlines()
    assert [line[: len(start)] for line, start in zip(lines, starts, strict=True)] == starts
