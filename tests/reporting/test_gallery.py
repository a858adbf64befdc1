"""What one can do with the photos of the page of captions in a browser."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reporting.rendering.project import load
from tests.support import browser as browsers
from tests.support.copies import ROOT

PHOTOS = (
    # name, class, change of score, changed, flagged
    ("one", "cat", 3.5, "yes", "yes"),
    ("two", "dog", -2.0, "yes", "no"),
    ("three", "cat", 0.0, "no", "no"),
    ("four", "dog", 12.25, "yes", "yes"),
)
PRESS = """
  const shown = () => [...document.querySelectorAll(".beside")].filter((each) => each.checkVisibility())
    .map((each) => each.textContent.trim());
  const count = () => document.querySelector("output").textContent;
  const buttons = [...document.querySelectorAll("button")];
  const press = (name) => buttons.find((each) => each.textContent === name).click();
  const choose = (name, value) => {
    const label = [...document.querySelectorAll("label")].find((each) => each.textContent.startsWith(name));
    label.control.value = value;
    label.control.dispatchEvent(new Event("change"));
  };
"""


def page(folder: Path, photos: tuple[tuple[Any, ...], ...] = PHOTOS, before: bool = False) -> Path:
    """A page with photos as the template writes them, the script in it before or after them."""
    css = (ROOT / "reporting" / "looks" / "screen.css").read_text()
    script = f"<script>{(ROOT / 'reporting' / 'looks' / 'gallery.js').read_text()}</script>"
    cards = "".join(
        f'<div class="beside" data-label="{label}" data-rise="{rise}" data-changed="{changed}" '
        f'data-flagged="{flagged}"><p>{name}</p></div>'
        for name, label, rise, changed, flagged in photos
    )
    parts = [script, cards] if before else [cards, script]
    file = folder / "page.html"
    file.write_text(f"<!DOCTYPE html><style>{css}</style><body><main>{''.join(parts)}</main></body>")
    return file


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """The browser, once for all tests here."""
    with browsers.chromium() as browser:
        yield browser


def evaluated(file: Path, script: str, browser: Any) -> Any:
    """Open a page, run the body of a function in it, and return what that returns."""
    page = browser.new_page()
    page.goto(file.as_uri())
    found = page.evaluate(f"() => {{ {script} }}")
    page.close()
    return found


@pytest.mark.parametrize("before", [True, False])
def test_filters_leave_the_photos_they_name_and_say_how_many(
    tmp_path: Path, browser: Any, before: bool
) -> None:
    script = """
      const found = [[shown(), count()]];
      const twice = ["Flagged", "Flagged", "Improved", "Improved", "Worse", "Worse"];
      for (const name of [...twice, "Changed", "Flagged"]) {
        press(name);
        found.push([shown(), count()]);
      }
      choose("Class", "dog");
      found.push([shown(), count()]);
      press("Worse");
      found.push([shown(), count()]);
      press("Show all");
      found.push([shown(), count()]);
      return found;
    """
    names = [name for name, *_ in PHOTOS]
    assert evaluated(page(tmp_path, before=before), PRESS + script, browser) == [
        [names, "4 of 4 photos"],
        [["one", "four"], "2 of 4 photos"],
        [names, "4 of 4 photos"],
        [["one", "four"], "2 of 4 photos"],
        [names, "4 of 4 photos"],
        [["two"], "1 of 4 photos"],
        [names, "4 of 4 photos"],
        [["one", "two", "four"], "3 of 4 photos"],
        [["one", "four"], "2 of 4 photos"],
        [["four"], "1 of 4 photos"],
        [[], "0 of 4 photos"],
        [names, "4 of 4 photos"],
    ]


def test_photos_are_sorted_by_the_change_of_their_score_and_put_back(tmp_path: Path, browser: Any) -> None:
    script = """
      const orders = ["score rose most", "score fell most", "as in the data set"];
      return orders.map((order) => { choose("Order", order); return shown(); });
    """
    assert evaluated(page(tmp_path), PRESS + script, browser) == [
        ["four", "one", "three", "two"],
        ["two", "three", "one", "four"],
        ["one", "two", "three", "four"],
    ]


def test_controls_have_names_say_what_is_pressed_and_the_count_is_read_out(
    tmp_path: Path, browser: Any
) -> None:
    script = """
      press("Worse");
      return {
        pressed: [...document.querySelectorAll("button[aria-pressed=true]")].map((each) => each.textContent),
        labels: [...document.querySelectorAll("select")].map((each) => each.labels[0].firstChild.data.trim()),
        classes: [...document.querySelector("select").options].map((each) => each.textContent),
        live: document.querySelector("output").getAttribute("aria-live"),
        group: document.querySelector("[role=group]").getAttribute("aria-label"),
        inline: document.querySelectorAll("[onclick], [onchange]").length,
      };
    """
    assert evaluated(page(tmp_path), PRESS + script, browser) == {
        "pressed": ["Worse"],
        "labels": ["Class", "Order"],
        "classes": ["all", "cat (2)", "dog (2)"],
        "live": "polite",
        "group": "Which photos are shown",
        "inline": 0,
    }


def test_photos_without_classes_are_not_asked_for_one_and_one_photo_for_nothing(
    tmp_path: Path, browser: Any
) -> None:
    without = tuple((name, "", *rest) for name, _, *rest in PHOTOS)
    labels = (
        "return [...document.querySelectorAll('label')].map((each) => each.firstChild.textContent.trim());"
    )
    assert evaluated(page(tmp_path, without), labels, browser) == ["Order"]
    alone = "return document.querySelectorAll('select, button, output').length;"
    assert evaluated(page(tmp_path, PHOTOS[:1]), alone, browser) == 0


def test_without_a_script_all_photos_are_shown_and_there_is_nothing_to_press() -> None:
    template = (ROOT / "templates" / "caption_card.md.j2").read_text()
    assert "hidden" not in template
    assert not re.search(
        r"button|select|onclick", template + (ROOT / "templates/caption_gallery.md.j2").read_text()
    )


def test_every_page_has_the_script_and_its_policy_names_it() -> None:
    site = load(ROOT)
    script = (ROOT / "reporting" / "looks" / "gallery.js").read_text().strip()
    assert script in site.scripts
    assert not re.search(r"innerHTML|eval\(|https?:", script)
