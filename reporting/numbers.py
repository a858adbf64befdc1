"""Every number on a page: formatted, and wrapped in a span that names the result it was read from."""

import math
from collections.abc import Callable, Mapping
from typing import Any

from experiments.results.estimate import Estimate
from reporting.markdown import Markdown, escape

NO_BREAK = "\N{NO-BREAK SPACE}"


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


class Numbers:
    """Reads numbers out of results by their path, so that none is printed without its origin.

    A path is ``<stage>.<field>…`` inside the stage's value, with list positions as integers, or
    ``<stage>:provenance.<field>…`` for the circumstances of the run.
    """

    def __init__(self, envelopes: Mapping[str, Any]) -> None:
        self._envelopes = envelopes

    def at(self, path: str) -> Any:
        """Return what stands at `path`.

        Raises:
            KeyError: if nothing does.
        """
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

    def text(self, path: str) -> Markdown:
        """Print what stands at `path` as it is: a version, a commit, a hash."""
        return self._print(str, path)

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
