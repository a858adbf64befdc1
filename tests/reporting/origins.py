"""Whether what a page prints as a number is what stands at the place that it names."""

import re
from collections.abc import Sized
from html.parser import HTMLParser
from typing import Any

_SCALES = {"%": 100, "pp": 100, "MB": 1e-6, "k": 1e-3, "M": 1e-6}
_SECONDS = {"h": 3600, "min": 60, "s": 1}


class Spans(HTMLParser):
    """Collects the text of every span that names its origin."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self.origins: list[str | None] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "span":
            self.origins.append(dict(attrs).get("data-from"))
            if self.origins[-1]:
                self.found.append((self.origins[-1], ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "span":
            self.origins.pop()

    def handle_data(self, data: str) -> None:
        if self.origins and self.origins[-1]:
            origin, text = self.found[-1]
            self.found[-1] = (origin, text + data)


def spans(html: str) -> list[tuple[str, str]]:
    """Return the origin and the text of every number on a page."""
    parser = Spans()
    parser.feed(html)
    return parser.found


def agrees(text: str, value: Any) -> bool:
    """Tell whether `text` is `value` as rounded on the page: to half a unit of its last digit.

    A string may be shortened, a duration is in words, and a bound without a unit may be in percent,
    because the unit stands after both bounds.
    """
    if value is None or isinstance(value, str):
        return str(value).replace("T", " ").startswith(text) or str(value).startswith(text)
    if not isinstance(value, int | float):
        return isinstance(value, Sized) and text == f"{len(value):,d}"
    if re.fullmatch(r"([\d.]+\xa0(h|min|s)(\xa0|$))+", text):
        parts = re.findall(r"([\d.]+)\xa0(h|min|s)", text)
        number, unit = parts[-1]
        seconds = sum(float(number) * _SECONDS[unit] for number, unit in parts)
        return abs(seconds - value) <= _half(number) * _SECONDS[unit]
    number, _, unit = text.replace("−", "-").replace(",", "").partition("\xa0")
    if not re.fullmatch(r"[+-]?\d+(\.\d+)?", number) or unit not in {"", *_SCALES}:
        return False
    scales = [_SCALES[unit]] if unit else [1, 100] if re.fullmatch(r"[+-]?\d+\.\d", number) else [1]
    return any(abs(float(number) - scale * value) <= _half(number) for scale in scales)


def _half(number: str) -> float:
    """Return half a unit of the last digit, and a little for the arithmetic."""
    return 0.5 * 10 ** -len(number.partition(".")[2]) + 1e-9
