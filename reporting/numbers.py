"""Every number on a page: formatted, and wrapped in a span that names the result it was read from."""

import math
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from experiments.results.captions import Unit
from experiments.results.estimate import Estimate
from reporting.markdown import Markdown, escape

NO_BREAK = "\N{NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"


def percent(value: float) -> str:
    """Format a fraction in [0, 1] with one decimal: ``70.6 %``."""
    return f"{100 * value:.1f}{NO_BREAK}%"


def count(value: int) -> str:
    """Format a whole number with thousands separated by commas: ``10,000``."""
    return f"{value:,d}"


def size(value: int) -> str:
    """Format a large count to three significant digits: ``1.97 M``, ``27.7 M``, ``4.12 k``, ``987``."""
    if value < 1000:
        return str(value)
    unit, share = ("k", value / 1e3) if value < 999_500 else ("M", value / 1e6)
    decimals = max(0, 2 - int(math.log10(share)))
    return f"{share:,.{decimals}f}{NO_BREAK}{unit}"


def duration(value: float) -> str:
    """Format seconds as a person would say them: ``45 s``, ``8 min 05 s``, ``1 h 02 min``."""
    seconds = round(value)
    if seconds < 60:
        return f"{value:.1f}{NO_BREAK}s"
    minutes, seconds = divmod(seconds, 60)
    if minutes < 60:
        return f"{minutes}{NO_BREAK}min{NO_BREAK}{seconds:02d}{NO_BREAK}s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}{NO_BREAK}h{NO_BREAK}{minutes:02d}{NO_BREAK}min"


def rate(value: float) -> str:
    """Format a rate per second, to three significant digits at most: ``1,240``, ``87``, ``3.2``."""
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"


def share(value: float) -> str:
    """Format a fraction that may be tiny as a percentage with three digits: ``2.52 %``, ``0.0137 %``."""
    return f"{_three_digits(100 * value)}{NO_BREAK}%"


def times(value: float) -> str:
    """Format how many times as large something is, with three digits at most: ``1.73``, ``110``."""
    return _three_digits(value)


def megabytes(value: int) -> str:
    """Format bytes as millions of bytes, so that a column can be compared: ``24.8 MB``, ``1,076 MB``."""
    return f"{_three_digits(value / 1e6)}{NO_BREAK}MB"


def decimal(value: float) -> str:
    """Format a number as it is, but never with an exponent: ``0.0003``."""
    return f"{Decimal(repr(value)):f}"


def nats(value: float) -> str:
    """Format a cross-entropy: ``1.234``."""
    return f"{value:.3f}"


def moment(value: str) -> str:
    """Format a moment in ISO 8601 to the minute: ``2026-01-02 03:04``."""
    return value[:16].replace("T", " ")


def measured(value: float, unit: Unit) -> str:
    """Format what was measured in a unit: ``34.2``, ``1.07``, ``70.6 %``, ``0.412``."""
    return percent(value) if unit == "share" else _signed(value, unit, plus="")


def change(value: float, unit: Unit) -> str:
    """Format a difference with its sign: ``+3.1``, ``−0.031``; that of shares in points, ``+2.5 pp``."""
    if unit == "share":
        return f"{_signed(100 * value, unit, plus='+')}{NO_BREAK}pp"
    return _signed(value, unit, plus="+")


def _signed(value: float, unit: Unit, plus: str) -> str:
    digits = f"{abs(value):,.{_decimals(value, unit)}f}"
    if not digits.strip("0.,"):
        return digits  # neither a rise nor a fall can be seen
    return f"{MINUS if value < 0 else plus}{digits}"


def _decimals(value: float, unit: Unit) -> int:
    if unit == "bits":
        return 3
    if unit == "words" and value == round(value):
        return 0  # a count of different words, and not a mean that rounds to a whole number
    return 2 if unit == "points" and abs(value) < 9.995 else 1


def _three_digits(value: float) -> str:
    if value <= 0:
        return "0"
    # Rounded first, because 99.96 needs one decimal less than 99.94.
    magnitude = math.floor(math.log10(float(f"{value:.2e}")))
    return f"{value:,.{max(0, 2 - magnitude)}f}"


class Numbers:
    """Reads numbers out of results by their path, so that none is printed without its origin.

    A path is ``<stage>.<field>…`` inside the stage's value, with list positions as integers, or
    ``<stage>:provenance.<field>…`` for the circumstances of the run. Two paths with a slash between
    them are a ratio, two with a minus between spaces a difference.
    """

    def __init__(self, envelopes: Mapping[str, Any]) -> None:
        self._envelopes = envelopes

    def at(self, path: str) -> Any:
        """Return what stands at `path`, or the ratio or the difference of what stands at two.

        Raises:
            KeyError: if nothing does.
        """
        if "/" in path:
            above, below = path.split("/")
            return self.at(above) / self.at(below)
        if " - " in path:
            end, start = path.split(" - ")
            return self.at(end) - self.at(start)
        stage, _, rest = path.partition(".")
        stage, _, part = stage.partition(":")
        found: Any = getattr(self._envelopes[stage], part or "value")
        for step in filter(None, rest.split(".")):
            try:
                found = found[int(step)] if isinstance(found, tuple) else _field(found, step)
            except (AttributeError, IndexError, KeyError, ValueError) as error:
                raise KeyError(f"the results hold nothing at {path!r} (no {step!r})") from error
        return found

    def percent(self, path: str) -> Markdown:
        """Print a fraction or an estimate of one as a percentage."""
        return self._print(percent, path)

    def interval(self, path: str) -> Markdown:
        """Print the 95 % interval of the estimate at `path` as two percentages."""
        bounds = (
            self._span(f"{100 * self.at(f'{path}.{end}'):.1f}", f"{path}.{end}") for end in ("low", "high")
        )
        return Markdown("–".join(bounds) + f"{NO_BREAK}%")

    def count(self, path: str) -> Markdown:
        """Print a whole number."""
        return self._print(count, path)

    def size(self, path: str) -> Markdown:
        """Print a large whole number, rounded."""
        return self._print(size, path)

    def duration(self, path: str) -> Markdown:
        """Print a number of seconds."""
        return self._print(duration, path)

    def rate(self, path: str) -> Markdown:
        """Print a rate per second."""
        return self._print(rate, path)

    def share(self, part: str, whole: str) -> Markdown:
        """Print what share the number at one path is of the number at another."""
        return self._print(share, f"{part}/{whole}")

    def times(self, large: str, small: str) -> Markdown:
        """Print how many times as large the number at one path is as the number at another."""
        return self._print(times, f"{large}/{small}")

    def megabytes(self, path: str) -> Markdown:
        """Print a number of bytes."""
        return self._print(megabytes, path)

    def decimal(self, path: str) -> Markdown:
        """Print a number as it is, without an exponent."""
        return self._print(decimal, path)

    def nats(self, path: str) -> Markdown:
        """Print a cross-entropy."""
        return self._print(nats, path)

    def length(self, path: str) -> Markdown:
        """Print how many things stand at `path`."""
        return self._print(lambda things: count(len(things)), path)

    def measured(self, path: str, unit: Unit) -> Markdown:
        """Print what was measured in a unit."""
        return self._print(lambda value: measured(value, unit), path)

    def change(self, path: str, unit: Unit) -> Markdown:
        """Print a difference with its sign."""
        return self._print(lambda value: change(value, unit), path)

    def gain(self, end: str, start: str, unit: Unit) -> Markdown:
        """Print how much more stands at one path than at another."""
        return self.change(f"{end} - {start}", unit)

    def reach(self, path: str, unit: Unit) -> Markdown:
        """Print the 95 % interval of the difference at `path`: bounds with their signs, the unit once."""
        low = self._print(lambda value: change(value, unit).partition(NO_BREAK)[0], f"{path}.low")
        return Markdown(f"{low} to {self.change(f'{path}.high', unit)}")

    def text(self, path: str) -> Markdown:
        """Print what stands at `path` as it is: a version, a commit, a hash."""
        return self._print(str, path)

    def moment(self, path: str) -> Markdown:
        """Print a moment in UTC to the minute."""
        return self._print(moment, path)

    def short(self, path: str) -> Markdown:
        """Print the first ten digits of a hash."""
        return self._print(lambda value: str(value)[:10], path)

    def _print(self, style: Callable[[Any], str], path: str) -> Markdown:
        found = self.at(path)
        if isinstance(found, Estimate):
            found, path = found.value, f"{path}.value"
        return self._span(style(found), path)

    @staticmethod
    def _span(text: str, path: str) -> Markdown:
        return Markdown(f'[{escape(text)}]{{data-from="{path}"}}')


def _field(holder: Any, name: str) -> Any:
    return holder[name] if isinstance(holder, Mapping) else getattr(holder, name)
