"""Text from data, with a backslash before every ASCII punctuation mark, is exactly that text on the page."""

import io

import typst
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pypdf import PdfReader
from pypdfium2 import PdfDocument

from reporting.markdown import escape
from reporting.rendering import crossref, pandoc
from reporting.rendering.source import Line, Markdown
from tests.support.copies import ROOT
from tests.support.pages import HOSTILE, HOSTILE_PLACES, Project, Words, hostile_page

# A word of anything but spaces and control characters, which no page shows.
words = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Zs", "Zl", "Zp", "Cf", "Cn")), min_size=1, max_size=12
)
lines = st.lists(words, min_size=1, max_size=5).map(" ".join)
ascii_words = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=8)
ascii_lines = st.lists(ascii_words, min_size=1, max_size=5).map(" ".join)


def _resolve(markdown: str) -> pandoc.Node:
    assembled = Markdown("x.qmd", tuple(Line(line, 1) for line in markdown.split("\n")))
    document, warnings = pandoc.read(assembled.text)
    assert not warnings
    return crossref.resolve(document, assembled, number_sections=True).document


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(lines, min_size=1, max_size=20))
@example(["↩"])
def test_any_text_reaches_html_unchanged(texts: list[str]) -> None:
    rows = "".join(f"| {escape(text)} |\n" for text in texts)
    tree = _resolve("".join(f"x {escape(text)}\n\n" for text in texts) + f"| h |\n|---|\n{rows}")
    parser = Words()
    parser.feed(pandoc.write(tree, "html5", f"--lua-filter={ROOT / 'reporting/looks/screen.lua'}"))
    assert {tag for tag, _ in parser.tags} <= {"div", "bdi", "p", "table", "thead", "tbody", "tr", "th", "td"}
    shown = [line for line in parser.words.split("\n") if line.strip()]
    assert shown == [f"x {text}" for text in texts] + ["h"] + texts


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(ascii_lines, min_size=1, max_size=12))
def test_any_text_reaches_typst_unchanged(texts: list[str]) -> None:
    assert _typeset(texts) == ["".join(text.split()) for text in texts]


def test_hostile_text_reaches_typst_unchanged() -> None:
    assert _typeset(HOSTILE) == ["".join(text.split()) for text in HOSTILE]


def _typeset(texts: list[str]) -> list[str]:
    """The texts as they can be read in a PDF, each on its own page, without spaces."""
    tree = _resolve("".join(f"{escape(text)}\n\n" for text in texts))
    body = pandoc.write(tree, "typst", f"--lua-filter={ROOT / 'reporting/looks/print.lua'}")
    setup = '#set smartquote(enabled: false)\n#set text(font: "DejaVu Sans Mono", hyphenate: false)\n'
    pages = "#pagebreak()\n".join(body.rstrip().split("\n\n"))
    made = typst.compile((setup + pages).encode(), ignore_system_fonts=True)
    assert isinstance(made, bytes)
    return ["".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(made)).pages]


def test_hostile_text_is_harmless_on_a_whole_page(project: Project) -> None:
    page = project.page(hostile_page()).render().parsed()
    for text in HOSTILE:
        assert page.words.count(text) == HOSTILE_PLACES, text
    assert project.alternatives() == HOSTILE
    body = Words()
    body.feed(project.body())
    assert not {"script", "h2", "em"} & {tag for tag, _ in body.tags}
    assert "Table\u00a01: <script>" in page.words


def test_a_name_from_right_to_left_turns_nothing_round_beside_it(project: Project) -> None:
    """Without its marks, the number after it would stand before it, and the comma as well."""
    project.page(f"[{escape('שלום 98')}]{{data-from=x}}, 7 of them.\n").render()
    assert '<span data-from="x"><bdi>שלום 98</bdi></span>, 7 of them.' in project.body()
    with PdfDocument(project.site / "report.pdf") as paper:
        text = paper[0].get_textpage()
        letters = text.get_text_range()
        left = {mark: text.get_charbox(letters.index(mark))[0] for mark in "9ש7"}
    assert left["9"] < left["ש"] < left["7"]
