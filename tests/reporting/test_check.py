import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer
import typst

from pipeline.errors import UserError
from reporting import check as command
from reporting.check import Outcome, check, refuse_gaps
from reporting.checking.paper import off_the_sheet, read
from reporting.markdown import escape
from reporting.numbers import Numbers
from tests.support.commands import python
from tests.support.copies import PAGES, ROOT, copy_parts
from tests.support.pages import Project, with_page

SPACE = "\N{NO-BREAK SPACE}"
TOP1 = '<span data-from="vit.top1" data-as="percent">81.3&nbsp;%</span>'
LABELS = (
    '<h1 id="sec-a"><span class="header-section-number">1.2</span> Name</h1>'
    '<figure id="tbl-a"><figcaption>Table&nbsp;3: Words.</figcaption><table></table></figure>'
)
STALE = (
    '<div class="callout callout-caution"><div class="callout-header"><p>Stale: vit, zero_shot</p></div>'
    '<div class="callout-body"><p>Words.</p><ul><li>run <code>x</code>: resamples was 5000</li></ul></div>'
    "</div>"
)


def results(**altered: Any) -> Numbers:
    value = SimpleNamespace(
        **{"top1": 0.813, "n": 10_000, "model": "ViT-B/32", "caption": "a  cat\non 2 mats", "none": 0}
        | altered
    )
    return Numbers({"vit": SimpleNamespace(value=value)})


def outcome(folder: Path, body: str, numbers: Numbers | None = None) -> Outcome:
    (folder / "page.html").write_text(
        f"""<!DOCTYPE html><html><head><title>Top 10</title><style>a {{ top: 1px }}</style></head><body>
        <header id="title-block-header"><h1>Top 10</h1><p>2026</p></header>
        <nav id="TOC"><a href="#a">1 One</a></nav>
        <main>{body}</main></body></html>""",
        encoding="utf-8",
    )
    return check(folder, numbers or results())


def problems(folder: Path, body: str, numbers: Numbers | None = None) -> list[str]:
    return [str(problem) for problem in outcome(folder, body, numbers).problems]


def test_numbers_that_are_what_stands_at_their_origin_are_counted(tmp_path: Path) -> None:
    body = f'<p>{TOP1} of <b><span data-from="vit.n" data-as="count">10,000</span></b></p>'
    assert outcome(tmp_path, body) == Outcome((), numbers=2, pages=1)


@pytest.mark.parametrize(
    "body",
    [
        '<p><span data-from="vit.caption" data-as="text">a <strong>cat on</strong>\n2 mats</span></p>',
        '<p><span data-from="vit.n/vit.top1" data-as="times">12,300</span></p>',
        '<h1><span class="header-section-number">1.2</span> Name</h1>',
        f'{LABELS}<p>See <a href="#sec-a">Section&nbsp;1.2</a> and <a href="#tbl-a">Table 3</a>.</p>',
        "<p><code>x2</code></p><pre>93</pre>",
        "<nav>12</nav><script>1</script>",
        STALE,
        STALE.replace("<p>Stale", '<span class="screen-reader-only">Caution</span><p>Stale'),
        f'{TOP1}<img alt="An accuracy of 81.3 percent">',
        f'<p>Yes.<a href="#fn1" class="footnote-ref"><sup>1</sup></a></p><ol><li id="fn1">{TOP1}</li></ol>',
    ],
)
def test_structure_and_agreeing_text_is_no_problem(tmp_path: Path, body: str) -> None:
    assert problems(tmp_path, body) == []


@pytest.mark.parametrize(
    "body",
    [
        "<p>We reached 93.1 %.</p>",
        "<p>We reached 9<b>3</b>.</p>",
        "<p>We reached &#57;&#51;.</p>",
        "<p>x² and ½</p>",
        "<p>We reached ９３.</p>",
        "<table><tr><td>93</td></tr></table>",
        "<h2>93 of them</h2>",
        "<p><strong>93</strong></p>",
        '<p><span data-as="percent">93.1 %</span></p>',
        '<p><span class="header-section-number">93</span></p>',
        f'{LABELS}<p>See <a href="#tbl-a">Table 93</a>.</p>',
        f'{LABELS}<p>See <a href="#nowhere">Table 3</a>.</p>',
        f'{LABELS}<p>See <a href="#tbl-a">Table 3 of 93</a>.</p>',
        '<figure id="tbl-a"><figcaption>Table&nbsp;3: Of 93.</figcaption></figure>',
        '<figure id="tbl-a"><figcaption>As Table 93: words</figcaption></figure>',
        '<p>Table 93: words</p>',
        STALE.replace("<p>Words.</p>", "<p>We reached 93.</p>"),
        STALE.replace("vit, zero_shot", "we reached 93 %"),
        STALE.replace("Stale: vit, zero_shot", "Good news"),
        STALE.replace("callout callout-caution", "own"),
        f'{TOP1}<img alt="An accuracy of 93.1 percent">',
        '<img alt="" title="93">',
        '<ol><li>93</li></ol>',
        f"<p>{TOP1}93</p>",
        '<p>Yes.<a href="#fn1" class="footnote-ref">93</a></p>',
        '<p>Yes.</p><section class="footnotes"><ol><li id="fn1">93</li></ol></section>',
    ],
)  # fmt: skip
def test_a_number_without_an_origin_is_caught(tmp_path: Path, body: str) -> None:
    assert problems(tmp_path, body)


def test_a_mark_that_leads_to_no_footnote_is_caught(tmp_path: Path) -> None:
    quoted = '<code>[^b]</code><span data-from="vit.caption" data-as="text">a cat on 2 mats</span>'
    (problem,) = problems(tmp_path, f"<p>It is so.[^a] {quoted}</p>")
    assert problem.startswith("page.html: '[^a]' has no footnote") and problem.endswith("It is so.[^a]")


def test_a_number_outside_main_is_none_of_the_text_but_one_in_a_page_without_main_is(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("<body><p>We reached 93.1 %.</p></body>")
    (problem, *_) = check(tmp_path, results()).problems
    assert str(problem) == "page.html: '93.1' names no origin: We reached 93.1 %."


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (TOP1.replace("81.3", "93.1"), f"'93.1{SPACE}%' should be '81.3{SPACE}%'".replace(SPACE, "\\xa0")),
        (TOP1.replace("81.3", "81.30"), "should be"),
        (TOP1.replace("&nbsp;", " "), "should be"),
        (TOP1.replace("81.3&nbsp;%", ""), "should be"),
        (TOP1.replace("percent", "share"), None),
        (TOP1.replace("percent", "bound"), "should be '81.3'"),
        (TOP1.replace("percent", "percents"), "no known format (percents)"),
        (TOP1.replace(' data-as="percent"', ""), "no known format (None)"),
        (TOP1.replace("vit.top1", "vit.top2"), "an origin that cannot be read as percent"),
        (TOP1.replace("vit.top1", "cnn.top1"), "an origin that cannot be read"),
        (TOP1.replace("vit.top1", "vit.model"), "an origin that cannot be read"),
        (TOP1.replace("vit.top1", "vit.top1/vit.none"), "an origin that cannot be read"),
        (TOP1.replace("vit.top1", ""), "an origin that cannot be read"),
        (TOP1.replace("81.3", "<b>9</b>81.3"), "should be"),
        ('<span data-from="vit.model" data-as="text">ViT-B/16</span>', "should be 'ViT-B/32'"),
    ],
)
def test_a_number_that_is_not_what_stands_at_its_origin_is_caught(
    tmp_path: Path, body: str, what: str | None
) -> None:
    found = problems(tmp_path, f"<p>{body}</p>")
    assert len(found) == (what is not None)
    assert all(what in problem for problem in found if what)


def test_a_result_that_has_changed_since_is_caught(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, f"<p>{TOP1}</p>", results(top1=0.814))
    assert problem.endswith("should be '81.4\\xa0%': vit.top1")


def test_a_folder_without_pages_is_an_error_and_no_agreement(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text('<meta http-equiv="refresh" content="0; url=a.html"><p>Top 10</p>')
    with pytest.raises(UserError, match="make report"):
        check(tmp_path, results())


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7\n", b"no PDF", "Größe".encode("latin-1")])
@pytest.mark.parametrize("name", ["report.html", "report.pdf"])
def test_a_damaged_file_is_a_sentence(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / "report.html").write_text(f"<p>{TOP1}</p>")
    (tmp_path / name).write_bytes(content)
    try:
        found = check(tmp_path, results())
    except UserError as error:
        assert name in str(error)
    else:
        assert name == "report.html" and found.numbers == 0


# The PDF

LONG = " ".join(f"extraordinarily-long-winded{at} incomprehensibilities" for at in range(90))
BODY = f"""# First {{#sec-first}}

[81.3{SPACE}%]{{data-from="vit.top1" data-as="percent"}} of [10,000]{{data-from="vit.n" data-as="count"}}, see
@sec-second and @tbl-one.

#. one
#. two

# Second {{#sec-second}}

[{LONG}]{{data-from="vit.long" data-as="text"}}

## Third

::: {{#tbl-one}}

| Name                                               | Share                                              |
|:---------------------------------------------------|---------------------------------------------------:|
| [ViT-B/32]{{data-from="vit.model" data-as="text"}} | [81.3 %]{{data-from="vit.top1" data-as="percent"}} |

A caption.

:::
"""


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site whose PDF shows what its page shows, over more than one sheet."""
    return Project(tmp_path_factory.mktemp("good")).page(BODY).render().site


def beside(good: Path, folder: Path, body: str) -> list[str]:
    """Check the page of `good` beside the PDF that another body gives."""
    other = Project(folder).page(body).render().site
    (other / "report.html").write_bytes((good / "report.html").read_bytes())
    return [str(problem) for problem in check(other, results(long=LONG)).problems]


def test_a_pdf_that_shows_what_its_page_shows_is_no_problem(good: Path) -> None:
    assert check(good, results(long=LONG)) == Outcome((), numbers=5, pages=1)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[10,000]", "[10,001]", "'10,000' (vit.n) is not where it should follow"),
        ("see\n", "and 93 besides, see\n", "other digits than the page: '"),
        ("A caption.", "A caption of 93.", "other digits than the page: '"),
        ("winded7 ", "", "(vit.long) is not where it should follow"),
        ("[81.3\N{NO-BREAK SPACE}%]", "[18.3\N{NO-BREAK SPACE}%]", "(vit.top1) is not where"),
        ("ViT-B/32", "ViT-B/23", "'ViT-B/32' (vit.model) is not where"),
        ("# First", "# First in 93", "other digits than the page: '"),
    ],
)
def test_a_pdf_that_shows_something_else_is_caught(
    good: Path, tmp_path: Path, old: str, new: str, said: str
) -> None:
    found = beside(good, tmp_path, BODY.replace(old, new))
    assert any(said in problem for problem in found), found
    assert all(problem.startswith("report.pdf: ") for problem in found)


def test_a_number_that_only_the_page_shows_is_caught(good: Path, tmp_path: Path) -> None:
    (found,) = beside(good, tmp_path, BODY.replace("#. two", "two")) or ["nothing"]
    assert "other digits than the page" in found


ODD_NOTES = """[^list]: A list:

    - one
    - another
        - below it
            - and once more

    1) first
    2) second
        i. of its own
        ii. likewise

    a. one
    b. two

    - [ ] to do
    - [x] done

    and a paragraph.

[^only]: @sec-second

It is better.^[One note] One note says so.
""" + "".join(
    f"\nA paragraph of words.^[Note {chr(97 + at)}. {'It goes on and on. ' * 25}]\n" for at in range(26)
)
NOTED = (
    BODY.replace(
        "see\n",
        f"""noted^[On paper, at the foot: [81.3{SPACE}%]{{data-from="vit.top1" data-as="percent"}}, as
    @sec-second has it and *@tbl-one*, [{LONG[:900]}]{{data-from="vit.begins" data-as="text"}}.] and
    again[^again], see\n""",
    ).replace("## Third\n", "## Third\n\nOnce more.[^again]\n")
    + """
[^again]: The same note, of [ViT-B/32]{data-from="vit.model" data-as="text"}.
"""
)


@pytest.fixture(scope="module")
def noted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site whose PDF has footnotes."""
    return Project(tmp_path_factory.mktemp("noted")).page(NOTED).render().site


def test_footnotes_at_the_foot_of_their_sheets_are_those_of_the_page(noted: Path) -> None:
    assert check(noted, results(long=LONG, begins=LONG[:900])) == Outcome((), numbers=9, pages=1)


def test_what_is_last_follows_on_paper_with_its_footnotes_wherever_the_page_has_it(tmp_path: Path) -> None:
    last = (
        ":::: last\nAt last[^a]:\n\n1. one\n2. two\n::::\n\nBefore it[^b].\n\n[^a]: Some.\n\n[^b]: Others.\n"
    )
    site = Project(tmp_path).page(f"{last}\n{BODY}").render().site
    assert check(site, results(long=LONG)).problems == ()
    page = (site / "report.html").read_text()
    (site / "report.html").write_text(page.replace("Others", "None"))
    assert "footnote 1 is not what it is" in str(check(site, results(long=LONG)).problems)


def test_footnotes_of_lists_of_a_reference_alone_and_of_many_lines_agree_too(tmp_path: Path) -> None:
    body = BODY.replace("see\n", "noted[^list][^only], see\n") + f"\n{ODD_NOTES}"
    site = Project(tmp_path).page(body).render().site
    assert check(site, results(long=LONG)).problems == ()
    page = (site / "report.html").read_text()
    (site / "report.html").write_text(page.replace("another", "a third"))
    assert "footnote 1 is not what it is on the page" in str(check(site, results(long=LONG)).problems)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("The same", "Nearly the same", "footnote 2 is not what it is on the page"),
        ('B/32]{data-from="vit.model" data-as="text"}.', "B/23]{}.", "footnote 2 is not"),
        ("[^again], see", ", see", "footnote 3 is not"),
        ("again[^again]", "1 again[^again]", "other digits than the page"),
        ("at the foot", "at the 93 feet", "footnote 1 is not"),
    ],
)
def test_another_footnote_on_paper_is_caught(
    noted: Path, tmp_path: Path, old: str, new: str, said: str
) -> None:
    assert old in NOTED
    other = Project(tmp_path).page(NOTED.replace(old, new)).render().site
    (other / "report.html").write_bytes((noted / "report.html").read_bytes())
    found = check(other, results(long=LONG, begins=LONG[:900])).problems
    assert any(said in problem for problem in found), found


@pytest.mark.parametrize(
    "text",
    [
        "一只猫在红色地毯上 3 只", "고양이 2마리", "แมวสีเทา 2", "एक बिल्ली १ 2", "a cat 😀 on 2 mats",
        "👩‍👩‍👧 family",
        "قطة رمادية 12 و 34 على سجادة", "חתול 12 אפור 34", "חתול \u202egnp 12",
        "a\x01b\x7fc", "серая кошка", "étude naïve", "\ufffd" * 50, "絶" * 80,
    ],
)  # fmt: skip
def test_a_caption_in_any_script_agrees_on_page_and_paper_and_its_digits_are_compared(
    tmp_path: Path, text: str
) -> None:
    body = f'# A {{#sec-a}}\n\nBefore [{escape(text)}]{{data-from="vit.caption" data-as="text"}} after.\n'
    good = Project(tmp_path / "good").page(body).render().site
    assert check(good, results(caption=text)).problems == ()
    found = beside(good, tmp_path / "bad", body.replace("after", "after 7"))
    assert any("other digits than the page" in problem for problem in found)


# Where it stands on paper


LINES = "A paragraph that begins where most of them begin. Another sentence, and one more.\n\n" * 4
ROWS = "".join(f"[row {row}], [words], " for row in range(20))


@pytest.mark.parametrize(
    ("end", "caught", "page"),
    [
        (LINES * 2, None, None),
        # A table that runs off its page, as Quarto's do, whose figures do not break across pages.
        (f"#block(breakable: false, table(columns: 2, {ROWS}))", "row", "page 2: "),
        # A last row upon the page number.
        (f"#place(bottom + center, dy: 14pt)[the last row]#pagebreak(){LINES}", "the last row", "page 1: "),
        # Words over the margin at the side.
        ("#box(width: 290pt)[a #h(1fr) far]", "'far'", "page 2: "),
    ],
)
def test_only_what_stands_outside_the_margins_of_its_page_is_caught(
    tmp_path: Path, end: str, caught: str | None, page: str
) -> None:
    source = f'#set page(width: 300pt, height: 200pt, margin: 30pt, numbering: "1 / 1")\n{LINES}{end}'
    (tmp_path / "page.pdf").write_bytes(typst.compile(source.encode()))
    found = [f"{where}: {what}" for what, where in off_the_sheet(read(tmp_path / "page.pdf"))]
    assert any(caught in problem for problem in found) if caught else found == []
    assert all(problem.startswith(page) for problem in found)


@pytest.mark.parametrize("script", ["window.location.replace(redirect);", "location.replace('report.html')"])
def test_a_page_that_only_leads_elsewhere_by_a_script_is_no_page(tmp_path: Path, script: str) -> None:
    """As Quarto's is for an alias."""
    redirect = f"<html><head><title>Redirect 7</title><script>{script}</script></head><body></body></html>"
    (tmp_path / "index.html").write_text(redirect)
    assert outcome(tmp_path, f"<p>{TOP1}</p>") == Outcome((), numbers=1, pages=1)
    (tmp_path / "index.html").write_text(redirect.replace("<body>", "<body>93 %"))
    assert outcome(tmp_path, f"<p>{TOP1}</p>").pages == 2


@pytest.mark.parametrize(
    ("gone", "named"),
    [
        (["report.html"], "report.html"),
        (["report.pdf"], "report.pdf"),
        (["index.html"], "index.html"),
        (["report.html", "more.html"], "report.html, more.html"),
    ],
)
def test_a_site_that_lacks_a_page_or_a_pdf_is_refused_by_name(
    tmp_path: Path, gone: list[str], named: str
) -> None:
    project = with_page(Project(tmp_path), "more", "x\n").page("x\n").render()
    refuse_gaps(project.root, project.site)
    for name in gone:
        (project.site / name).unlink()
    with pytest.raises(UserError, match=rf"There is no {re.escape(named)} in .*: run `make report`"):
        refuse_gaps(project.root, project.site)
    for name in gone:
        (project.site / name).touch()
    with pytest.raises(UserError, match=rf"There is no {re.escape(named)} in .*, or nothing in it"):
        refuse_gaps(project.root, project.site)


def test_the_command_refuses_a_site_that_lacks_a_page(tmp_path: Path) -> None:
    copy_parts(tmp_path, *PAGES, "pipeline", "experiments", "profiles", "reporting", "templates")
    (tmp_path / "_site").mkdir()
    (tmp_path / "_site" / "captions.html").write_text("<main></main>")
    done = python(tmp_path, "-m", "reporting.check", PYTHONPATH=str(ROOT))
    assert done.returncode == 2
    assert "There is no provenance.html, appendix.html, report.html, and 2 more in _site" in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full device")
def test_an_agreement_that_cannot_be_said_for_want_of_room_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(command, "refuse_gaps", lambda *_: None)
    monkeypatch.setattr(command, "check", lambda *_: Outcome((), numbers=5, pages=1))
    with pytest.raises(OSError, match="No space"), Path("/dev/full").open("w") as full:  # again as it closes
        monkeypatch.setattr("sys.stdout", full)
        with pytest.raises(typer.Exit) as ended:
            command.main(profile="offline")
    assert ended.value.exit_code == 2
    assert "No space left on device" in capsys.readouterr().err
