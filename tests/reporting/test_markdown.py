import html
import re

import pypandoc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from figures.readable import readable
from reporting.markdown import (
    LONGEST,
    Markdown,
    code,
    command,
    cut,
    escape,
    in_attribute,
    isolated,
    strong,
    unescaped,
    without_isolates,
    words,
)
from tests.support import pages

HOSTILE = [
    *pages.HOSTILE,
    "> quote", "---", "| a | b |", "a\n\nb", "A\u2028B", "\ttab", "\\", ":smile:", "a--b...'c'\"",
    "```{python}\nprint(1)\n```", "{.class}", "(@) x", "!!!", "+ a", "~~c~~", '#import "x"',
]  # fmt: skip


def test_markdown_passes_through_untouched() -> None:
    assert escape(Markdown("**a**")) == "**a**"


def test_every_punctuation_mark_gets_exactly_one_backslash() -> None:
    assert escape("a.b-c {{< x >}}") == r"a\.b\-c \{\{\< x \>\}\}"


def test_a_no_break_space_stays() -> None:
    assert escape("70.6\N{NO-BREAK SPACE}%") == "70\\.6\N{NO-BREAK SPACE}\\%"


def test_words_are_split_where_escape_leaves_a_space() -> None:
    text = " a\u2003b\n\nc\N{NO-BREAK SPACE}d "
    assert words(text) == ["a", "b", "c\N{NO-BREAK SPACE}d"]
    assert escape(" ".join(words(text))) == escape(text).strip(" ")


@pytest.mark.parametrize(
    "text", [*HOSTILE, "*", "**", "a\\", "\N{NO-BREAK SPACE}a\N{NO-BREAK SPACE}", "x**y", "_a_"]
)
def test_any_text_in_bold_is_that_text_and_all_of_it_bold(text: str) -> None:
    expected = re.sub(r"[^\S\N{NO-BREAK SPACE}]+", " ", text).strip(" ")
    page = pypandoc.convert_text(f"x {strong(expected)} y", "html", "markdown", ["--wrap=none"])
    found = re.fullmatch(r"<p>x <strong>(.*)</strong> y</p>\n", page, re.DOTALL)
    assert found, page
    assert html.unescape(found[1]) == expected
    assert "<" not in found[1]


def read_back(texts: list[str]) -> list[str]:
    """Send texts through Pandoc, each as a paragraph, and return the text of each paragraph."""
    page = pypandoc.convert_text(
        "\n\n".join(f"x{escape(text)}" for text in texts), "html", "markdown", ["--wrap=none"]
    )
    paragraphs = re.findall(r"<p>(.*?)</p>", page, re.DOTALL)
    assert "".join(f"<p>{paragraph}</p>\n" for paragraph in paragraphs) == page, (
        "anything but paragraphs came out"
    )
    assert not re.search(r"<(?!/?p>)", page), "a text became markup"
    return [without_isolates(html.unescape(paragraph)).removeprefix("x") for paragraph in paragraphs]


def test_hostile_texts_reach_the_page_as_they_are() -> None:
    expected = [re.sub(r"\s+", " ", text) for text in HOSTILE]
    assert read_back(HOSTILE) == expected


@settings(max_examples=25)
@given(
    st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"])), min_size=1, max_size=40)
)
def test_any_text_reaches_the_page_as_it_is(texts: list[str]) -> None:
    expected = [re.sub(r"[^\S\N{NO-BREAK SPACE}]+", " ", readable(text)).rstrip(" ") for text in texts]
    assert read_back(texts) == expected


@pytest.mark.parametrize("name", ["a.b2_c", "torch", "class-weight", "a.cifar10:load"])
def test_what_code_is_called_is_code_and_any_other_text_is_not(name: str) -> None:
    assert code(name) == f"`{name}`"
    assert code(f"{name}` <b>") == escape(f"{name}` <b>")


def test_a_command_is_code_unless_it_could_end_the_code_or_be_a_shortcode() -> None:
    assert command('cd x && y -c "$Z"/a') == '`cd x && y -c "$Z"/a`'
    for text in ("a `b`", "a {{< env HOME >}}", "a\nb"):
        assert command(text) == escape(text)


@pytest.mark.parametrize("text", ["{{< env HOME >}}", "{{{< env HOME >}}}", "a {{{{<< b"])
def test_a_shortcode_in_an_attribute_is_parted_and_reads_the_same(text: str) -> None:
    """Quarto looks for it when Pandoc has removed the backslashes."""
    shown = in_attribute(escape(text)).replace("\\", "")
    assert "{{" not in shown
    assert shown.replace("\N{WORD JOINER}", "") == text


MARKED = {
    "\u202egnp.exe": "‹RLO›gnp.exe",
    "\u202dabc\u202c": "‹LRO›abc‹PDF›",
    "\u2067a\u2069b": "‹RLI›a‹PDI›b",
    "a\x07b\x00": "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}",
    "a\ufffeb": "a\N{REPLACEMENT CHARACTER}b",
    "a\x85b\x1fc": "a b c",  # white space to Python
    "e\u0301 \u200d \N{NO-BREAK SPACE}ไทย": "e\u0301 \u200d \N{NO-BREAK SPACE}ไทย",
}


@pytest.mark.parametrize(("text", "shown"), MARKED.items())
def test_what_turns_letters_round_or_cannot_be_seen_is_a_mark(text: str, shown: str) -> None:
    assert unescaped(escape(text)) == shown


@pytest.mark.parametrize("text", ["שלום 12", "a مرحبا", "\u200f1", "\u2069שלום\u2067"])
def test_what_runs_from_right_to_left_is_isolated_once_however_it_is_put_together(text: str) -> None:
    shown = escape(text)
    assert (shown[0], shown[-1]) == ("\u2068", "\u2069")
    assert not re.search("[\u202a-\u202e\u2066-\u2069]", shown[1:-1])
    row = isolated(Markdown(f"{strong(text)} {shown} b"))
    assert [mark for mark in row if mark in "\u2068\u2069"] == ["\u2068", "\u2069"]
    assert not command(text).startswith("`")


def test_other_text_is_not_isolated() -> None:
    assert "\u2068" not in escape("Größe, 猫, ไทย, +-!")


def test_a_text_of_a_million_characters_is_shown_by_its_beginning_and_its_length() -> None:
    shown = cut("word " * 200_000)
    assert shown.startswith("word word")
    assert shown.endswith("word … (1,000,000 characters)")
    assert len(shown) < LONGEST + 40
    assert cut("x" * LONGEST) == "x" * LONGEST


def test_the_name_of_a_function_in_a_module_is_code() -> None:
    assert code("a.cifar10:load_b") == "`a.cifar10:load_b`"
    assert code("a:`b`") == escape("a:`b`")
