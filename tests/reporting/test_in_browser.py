"""The pages in headless Chromium: what a reader does with a mouse, keys, a finger, or without a script.

Skipped with a sentence where Chromium or npm is missing. A small page has one of each thing; the report,
by the renderer without Quarto and (`pytest -m quarto`) by Quarto, is asked what must hold for every page.
"""

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import browser as browsers
from tests.support import commands
from tests.support.copies import PAGES, copy_parts
from tests.support.pages import CONFIGURATION, FOR_THE_SITE_ONLY, Project
from tests.support.rendered import PARTS, rendered_once

BODY = """\
# First {#sec-first}

The tuned one is better.[12](more.qmd#claim-better){.evidence data-card="card-claim-better"} And it is
quick.[3](more.qmd#claim-quick){.evidence data-card="card-claim-quick"} This mark has no
card.[4](more.qmd#x){.evidence data-card="none"}

::: {.panel}
::: {}
62 %

of one thing
:::

::: {}
74 %

of another, with a longer explanation
:::
:::

::: {#fig-a}
![](figures/dot.svg){fig-alt="A dark box"}

A picture.
:::

# Second {#sec-second}

::: {#tbl-a}
| a | b | c | d | e | f | g | h |
|---|---|---|---|---|---|---|---|
| zebra | unbreakable_word_of_a_column | 3 | 4 | 5 | 6 | 7 | 8 |

A wide table.
:::

::: {.card #card-claim-better}
The difference is seven. See [the row](more.qmd#claim-better).
:::

::: {.card #card-claim-quick}
It took a while.
:::
"""
MORE = "# Rows {#x}\n\n[the row]{#claim-better} of a giraffe, [and one]{#claim-quick}\n"


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of a small project: a page, and another with the rows that its marks lead to."""
    project = Project(tmp_path_factory.mktemp("small"))
    project.write("_quarto.yml", CONFIGURATION.replace("[report.qmd]", "[report.qmd, more.qmd]"))
    project.page(MORE, "more.qmd", FOR_THE_SITE_ONLY).page(BODY).render()
    return project.site


@pytest.fixture(scope="module", params=["builtin", pytest.param("quarto", marks=pytest.mark.quarto)])
def report(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of the report."""
    if request.param == "builtin":
        return rendered_once(tmp_path_factory) / "_site"
    if shutil.which("quarto") is None:
        pytest.skip("Quarto is not on PATH, so it was not tried")
    folder = copy_parts(tmp_path_factory.mktemp("report"), *PARTS, *PAGES, ".gitignore")
    command = [sys.executable, "-m", "reporting.render", "--renderer", "quarto"]
    done = commands.run(folder, *command, QUARTO_PYTHON=sys.executable)
    assert done.returncode == 0, done.stderr
    return folder / "_site"


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    return browsers.axe(tmp_path_factory.mktemp("axe"))


@pytest.fixture(scope="module")
def chromium(small: Path) -> Iterator[Any]:
    """Start after the small page was made: each wants a loop of its own."""
    with browsers.chromium() as browser:
        yield browser


@pytest.fixture
def opened(chromium: Any) -> Iterator[Callable[..., Any]]:
    """What opens a page from its file, in a window of its own; what it asked for is in its `asked`."""
    windows = []

    def open_page(file: Path, width: int = 1280, **options: Any) -> Any:
        window = chromium.new_context(viewport={"width": width, "height": 800}, **options)
        windows.append(window)
        page = window.new_page()
        page.asked, page.errors = [], []
        page.on("request", lambda request: page.asked.append(request.url))
        page.on("pageerror", lambda error: page.errors.append(str(error)))
        page.goto(file.as_uri())
        return page

    yield open_page
    for window in windows:
        window.close()


def pages(site: Path) -> list[Path]:
    return [page for page in sorted(site.glob("*.html")) if page.name != "index.html"]


def test_a_mark_shows_its_card_under_the_mouse_and_keeps_it_there(
    small: Path, opened: Callable[..., Any]
) -> None:
    page = opened(small / "report.html")
    card, other = page.locator("#card-claim-better"), page.locator("#card-claim-quick")
    assert not card.is_visible()
    page.hover("a.evidence >> nth=0")
    card.wait_for(state="visible")
    card.hover()
    page.wait_for_timeout(400)
    assert card.is_visible(), "a card that goes when the mouse comes to it cannot be read or followed"
    page.hover("a.evidence >> nth=1")
    other.wait_for(state="visible")
    assert not card.is_visible()
    page.mouse.move(900, 700)
    other.wait_for(state="hidden")
    card_link = card.locator("a")
    page.hover("a.evidence >> nth=0")
    card_link.click()
    assert page.url.endswith("more.html#claim-better")


def test_the_keyboard_reaches_a_mark_its_card_and_the_link_in_it(
    small: Path, opened: Callable[..., Any]
) -> None:
    page = opened(small / "report.html")
    card = page.locator("#card-claim-better")
    page.focus("#TOC a >> nth=-1")
    page.keyboard.press("Tab")
    assert card.is_visible()
    assert page.evaluate("document.activeElement.getAttribute('aria-expanded')") == "true"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "the row"
    page.keyboard.press("Escape")
    assert not card.is_visible()
    assert page.evaluate("document.activeElement.dataset.card") == "card-claim-better"
    page.keyboard.press("Tab")
    assert page.locator("#card-claim-quick").is_visible()
    page.keyboard.press("Tab")
    assert not page.locator("#card-claim-quick").is_visible()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/more.html#claim-quick")


def test_a_finger_opens_a_card_and_another_place_closes_it(small: Path, opened: Callable[..., Any]) -> None:
    page = opened(small / "report.html", 360, has_touch=True)
    page.tap("a.evidence >> nth=0")
    card = page.locator("#card-claim-better")
    card.wait_for(state="visible")
    assert page.url.endswith("report.html"), "the tap must not follow the link"
    box = card.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 360
    page.tap("h1.title")
    card.wait_for(state="hidden")


def test_a_screen_reader_is_told_what_a_mark_is_and_what_its_card_says(
    small: Path, opened: Callable[..., Any]
) -> None:
    page = opened(small / "report.html")
    tree = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"]
    marks = {
        node["name"]["value"]: node.get("description", {}).get("value", "")
        for node in tree
        if node.get("role", {}).get("value") == "link" and node["name"]["value"].startswith("Evidence")
    }
    assert marks["Evidence 12"].startswith("The difference is seven.")
    assert marks["Evidence 3"] == "It took a while."


def test_without_a_script_marks_are_links_and_cards_stand_on_the_page(
    small: Path, opened: Callable[..., Any]
) -> None:
    page = opened(small / "report.html", java_script_enabled=False)
    assert page.locator("#card-claim-better").is_visible()
    assert page.locator("input, button").count() == 0, "what needs a script is not offered without one"
    page.click("a.evidence >> nth=1")
    page.wait_for_url("**/more.html#claim-quick")


def test_colours_follow_the_system_until_the_switch_is_used_which_is_remembered(
    small: Path, opened: Callable[..., Any]
) -> None:
    for scheme, other in (("dark", "light"), ("light", "dark")):
        page = opened(small / "report.html", color_scheme=scheme)
        assert _brightness(page) == scheme
        page.click("button[aria-pressed]")
        assert _brightness(page) == other
        page.reload()
        assert _brightness(page) == other
        page.click("button[aria-pressed]")
        page.emulate_media(color_scheme=other)
        assert _brightness(page) == other, "who has gone back to the system's colours follows it again"
        page.emulate_media(color_scheme="dark", media="print")
        assert _brightness(page) == "light"


def _brightness(page: Any) -> str:
    """Whether paper is darker than ink, and a drawing stands on a light plate in both."""
    colours = page.evaluate(
        """() => [["body", "backgroundColor"], ["main p", "color"], ["figure img", "backgroundColor"]].map(
            ([where, what]) => getComputedStyle(document.querySelector(where))[what].match(/\\d+/g)
                .slice(0, 3).reduce((sum, part) => sum + Number(part), 0))"""
    )
    paper, ink, plate = colours
    assert abs(paper - ink) > 400
    assert plate > 600
    return "light" if paper > ink else "dark"


def test_a_picture_opens_large_and_closes_again(small: Path, opened: Callable[..., Any]) -> None:
    page = opened(small / "report.html")
    page.focus("button.enlarge")
    page.keyboard.press("Enter")
    large = page.locator("dialog img")
    large.wait_for(state="visible")
    assert large.bounding_box()["width"] > 1000, "a drawing has no size of its own: it fills the window"
    assert large.get_attribute("alt") == "A dark box"
    page.keyboard.press("Escape")
    large.wait_for(state="hidden")
    assert page.evaluate("document.activeElement.className") == "enlarge"
    page.click("button.enlarge")
    large.click()
    large.wait_for(state="hidden")


def test_on_a_phone_a_drawing_opens_larger_than_the_screen_and_its_words_and_button_stay_in_sight(
    small: Path, opened: Callable[..., Any]
) -> None:
    page = opened(small / "report.html", 360)
    page.click("button.enlarge")
    large = page.locator("dialog img")
    large.wait_for(state="visible")
    assert large.bounding_box()["width"] > 600
    for part in ("dialog p", "dialog button"):
        box = page.locator(part).bounding_box()
        assert box["x"] >= 0, part
        assert box["x"] + box["width"] <= 360, part


def test_search_finds_other_pages_from_a_file(small: Path, opened: Callable[..., Any]) -> None:
    page = opened(small / "report.html")
    box = page.get_by_role("searchbox")
    box.fill("GIRAFFE row")
    page.locator(".found li").wait_for()
    assert page.locator(".found [role=status]").inner_text() == "1 passage"
    assert "More › Rows" in page.locator(".found li").inner_text()
    box.fill("zebra")
    assert page.locator(".found a").first.get_attribute("href") == "report.html#sec-second"
    box.fill("difference is seven")
    assert page.locator(".found [role=status]").inner_text() == "Nothing was found.", "cards are no passages"
    box.fill("giraffe")
    page.click(".found a")
    page.wait_for_url("**/more.html#x")


def test_search_says_so_where_a_page_stands_alone(
    small: Path, opened: Callable[..., Any], tmp_path: Path
) -> None:
    page = opened(Path(shutil.copy(small / "report.html", tmp_path)))
    page.get_by_role("searchbox").focus()
    page.locator("[role=status]", has_text="Search needs the file search.js").wait_for()
    assert page.get_by_role("searchbox").is_disabled()
    assert page.errors == []


def test_headline_figures_stand_side_by_side_and_below_each_other_on_a_phone(
    small: Path, opened: Callable[..., Any]
) -> None:
    for width, beside in ((1280, True), (360, False)):
        page = opened(small / "report.html", width)
        one, other = (page.locator(".panel > div").nth(at).bounding_box() for at in range(2))
        assert (one["y"] == other["y"]) == beside
        assert (one["x"] == other["x"]) != beside


def test_nothing_runs_or_loads_but_what_the_page_brings(small: Path, opened: Callable[..., Any]) -> None:
    page = opened(small / "report.html")
    refused = page.evaluate(
        """async () => {
            const refused = [];
            const said = (event) => refused.push(event.effectiveDirective);
            document.addEventListener("securitypolicyviolation", said);
            const made = (tag) => document.createElement(tag);
            const add = (tag, parts) => document.body.append(Object.assign(made(tag), parts));
            add("img", { src: "https://example.org/x.png" });
            add("script", { src: "https://example.org/x.js" });
            add("script", { textContent: "window.ran = 1" });
            document.body.insertAdjacentHTML("beforeend", "<p onclick='window.ran = 1'>x</p>");
            document.body.lastElementChild.click();
            await new Promise((done) => setTimeout(done, 200));
            return [window.ran ?? null, ...refused.sort()];
        }"""
    )
    assert refused == [None, "img-src", "script-src-attr", "script-src-elem", "script-src-elem"]


def test_no_page_is_wider_than_a_phone_and_wide_tables_scroll_in_a_frame_with_a_name(
    report: Path, opened: Callable[..., Any]
) -> None:
    for file in pages(report):
        for width in (360, 768, 1440):
            page = opened(file, width)
            too_wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            assert too_wide <= 0, (file.name, width)
        frames = opened(file, 360).locator(".table-scroll")
        for frame in frames.all():
            assert frame.get_attribute("tabindex") == "0"
            assert frame.get_attribute("aria-label")


def test_on_a_phone_no_column_of_the_evidence_is_as_narrow_as_a_word(
    report: Path, opened: Callable[..., Any]
) -> None:
    table = opened(report / "appendix.html", 360).locator("#tbl-claims table")
    widths = [cell.bounding_box()["width"] for cell in table.locator("thead th").all()]
    assert min(widths[1:3]) > 150


def test_a_page_from_a_file_asks_for_nothing_outside_and_says_no_error(
    report: Path, opened: Callable[..., Any]
) -> None:
    for file in pages(report):
        page = opened(file)
        page.wait_for_timeout(200)
        assert [url for url in page.asked if not url.startswith(("file:", "data:"))] == []
        assert page.errors == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_on_any_page(
    report: Path, small: Path, opened: Callable[..., Any], axe: str, scheme: str
) -> None:
    for file in (*pages(small), *pages(report)):
        page = opened(file, color_scheme=scheme, bypass_csp=True)
        if page.locator("a.evidence[aria-describedby]").count():
            page.hover("a.evidence >> nth=0")
        page.evaluate(axe)
        found = page.evaluate("axe.run().then((result) => result.violations)")
        serious = [
            (rule["id"], [node["html"][:120] for node in rule["nodes"]][:3])
            for rule in found
            if rule["impact"] in {"serious", "critical"}
        ]
        assert serious == [], file.name


def test_a_switch_of_quartos_own_works_under_the_policy(report: Path, opened: Callable[..., Any]) -> None:
    page = opened(report / "report.html", color_scheme="dark")
    switch = page.locator("a.quarto-color-scheme-toggle:visible, #tools button").first
    before = page.evaluate("getComputedStyle(document.body).backgroundColor")
    switch.click()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != before
