"""Every number on a page: formatted, and in a span that names the place it was read from and its format.

So is text that may hold a number, such as the name of a model. A check can then read each place
again, format it by that name, and compare (`reporting.check`).
"""

import json
import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any, get_args

from experiments.results.captions import Unit
from pipeline.result import Estimate
from reporting.markdown import Markdown, cut, escape, in_attribute, isolated
from reporting.origins import worded

NO_BREAK = "\N{NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"
MOST_DIGITS = 4
"""How many decimals a number can be given with."""

_OF_ESTIMATES = ("told", "moved")
_STEP = re.compile(r"(?:^|\.)([^.\[\]\"\\]+)|\[([^\[\]\"\\]+)\]")
_OUTSIDE_BRACKETS = r"(?![^\[\]]*\])"


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
    """Format seconds as a person would say them: ``0.0321 s``, ``45.0 s``, ``8 min 05 s``, ``1 h 02 min``."""
    if value < 0:
        return f"{MINUS}{duration(-value)}"
    if value < 1:
        return f"{times(value)}{NO_BREAK}s"
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
    return f"{times(100 * value)}{NO_BREAK}%"


def times(value: float) -> str:
    """Format how many times as large something is, with three digits at most: ``1.73``, ``110``."""
    if value <= 0:
        return "0"
    # Rounded first, because 99.96 needs one decimal less than 99.94.
    magnitude = math.floor(math.log10(float(f"{value:.2e}")))
    return f"{value:,.{max(0, 2 - magnitude)}f}"


def megabytes(value: int) -> str:
    """Format bytes as millions of bytes, so that a column can be compared: ``24.8 MB``, ``1,076 MB``."""
    if value < 0:
        return f"{MINUS}{megabytes(-value)}"
    return f"{times(value / 1e6)}{NO_BREAK}MB"


def decimal(value: float) -> str:
    """Format a number as it is, but never with an exponent: ``0.0003``."""
    return f"{Decimal(repr(value)):f}"


def nats(value: float) -> str:
    """Format a cross-entropy: ``1.234``."""
    return f"{value:.3f}"


def p(value: float) -> str:
    """Format a p-value with three decimals: ``0.012``, and ``< 0.001`` below what they can show."""
    return f"<{NO_BREAK}0.001" if value < 0.001 else f"{value:.3f}"


def moment(value: str) -> str:
    """Format a moment in ISO 8601 to the minute: ``2026-01-02 03:04``."""
    return value[:16].replace("T", " ")


def short(value: str) -> str:
    """Format a hash by its first ten digits."""
    return str(value)[:10]


def length(value: Sequence[Any]) -> str:
    """Format how many things there are in a sequence."""
    return count(len(value))


def joined(value: Sequence[str]) -> str:
    """Format words as a list: ``q_proj, v_proj``."""
    return ", ".join(map(cut, value))


def text(value: object) -> str:
    """Format what is text already, such as a caption; see `cut`."""
    return cut(str(value))


def called(value: str) -> str:
    """Format the name of a model without what it says in brackets: ``CNN`` of ``CNN (2.0 M)``."""
    return cut(value.partition(" (")[0] or value)


def quoted(value: str) -> str:
    """Format a name in quotation marks, where a comma in it could be taken for the sentence's."""
    return f"“{cut(value)}”"


def as_json(value: Any) -> str:
    """Format a value as JSON: ``[0.0, 0.5]``, ``"bf16"``."""
    return cut(json.dumps(value, ensure_ascii=False))


def points(value: float) -> str:
    """Format a distance between two percentages, which has no sign: ``1.0 pp``."""
    return f"{100 * value:.1f}{NO_BREAK}pp"


def bound(value: float) -> str:
    """Format one end of an interval of a percentage, whose unit stands after both."""
    return percent(value).partition(NO_BREAK)[0]


def measured(value: float, unit: Unit, digits: int | None = None) -> str:
    """Format what was measured in a unit: ``34.2``, ``1.07``, ``70.6 %``, ``0.412``."""
    if unit == "share":
        return f"{_signed(100 * value, unit, '', digits)}{NO_BREAK}%"
    return _signed(value, unit, "", digits)


def change(value: float, unit: Unit, digits: int | None = None) -> str:
    """Format a difference with its sign: ``+3.1``, ``−0.031``; that of shares in points, ``+2.5 pp``."""
    return _difference(value, unit, "+", digits)


def apart(value: float, unit: Unit, digits: int | None = None) -> str:
    """Format how much more one thing is than another, with a sign if it is less: ``2.5 pp``, ``−3.1``."""
    return _difference(value, unit, "", digits)


def told(value: Estimate, unit: Unit) -> str:
    """Format an estimate to the digits that its interval supports: ``92 %``, ``0.5``."""
    return measured(value.value, unit, supported(value, unit))


def moved(value: Estimate, unit: Unit) -> str:
    """Format an estimate of a difference in the same way, with its sign: ``+10 pp``."""
    return change(value.value, unit, supported(value, unit))


def supported(estimate: Estimate, unit: Unit) -> int:
    """Return how many decimals an estimate supports: the last is worth no more than its interval is wide.

    A whole number, or percentage, is never rounded further.
    """
    width = (estimate.high - estimate.low) * (100 if unit == "share" else 1)
    if width <= 0:
        return 0 if unit == "share" else _decimals(estimate.value, unit)
    return min(MOST_DIGITS, _of_width(width))


def _of_width(width: float) -> int:
    return max(0, -math.floor(math.log10(width)))


def number(value: float, digits: int) -> str:
    """Format any number with so many decimals: ``2.31``, ``−1,204``."""
    return _signed(value, "count", "", digits)


def reach(value: float, unit: Unit) -> str:
    """Format the lower end of an interval of a difference, whose unit stands after the upper one."""
    return change(value, unit).partition(NO_BREAK)[0]


def _difference(value: float, unit: Unit, plus: str, digits: int | None) -> str:
    if unit == "share":
        return f"{_signed(100 * value, unit, plus, digits)}{NO_BREAK}pp"
    return _signed(value, unit, plus, digits)


def _signed(value: float, unit: Unit, plus: str, digits: int | None = None) -> str:
    shown = f"{abs(value):,.{_decimals(value, unit) if digits is None else digits}f}"
    if not shown.strip("0.,"):
        return shown  # neither a rise nor a fall can be seen
    return f"{MINUS if value < 0 else plus}{shown}"


def _decimals(value: float, unit: Unit) -> int:
    if unit == "bits":
        return 3
    if unit == "count":
        return 0
    return 2 if unit == "points" and abs(value) < 9.995 else 1


def rough(value: float) -> str:
    """Format a number that matters by its size alone: ``0.97``, ``1.5``, ``4``, ``39``, ``1,076``."""
    if value <= 0:
        return "0"
    # Rounded first, because 9.96 needs one decimal less than 9.94.
    magnitude = math.floor(math.log10(float(f"{value:.1e}")))
    text = f"{value:,.{max(0, 1 - magnitude)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def rough_share(value: float) -> str:
    """Format a share that matters by its size alone: ``6.8 %``, ``38 %``."""
    return f"{rough(100 * value)}{NO_BREAK}%"


def rough_bytes(value: int) -> str:
    """Format a size in bytes as a person would say it: ``39 MB``, ``2.2 GB``."""
    unit, size = ("GB", value / 1e9) if value >= 999_500_000 else ("MB", value / 1e6)
    return f"{rough(size)}{NO_BREAK}{unit}"


def rough_duration(value: float) -> str:
    """Format seconds as a person would say them, with two digits below a minute: ``0.97 s``, ``45 s``."""
    return f"{rough(value)}{NO_BREAK}s" if value < 59.5 else duration(value)


_DECIMALS: Mapping[Unit, tuple[int, int]] = {
    "share": (0, 1), "points": (0, 2), "words": (0, 1), "count": (0, 0), "bits": (2, 3),
}  # fmt: skip
"""The fewest and the most decimals of a rounded figure."""


def decimals(unit: Unit, half: float, *values: float, apart: bool = False) -> int:
    """Return with how many decimals to say `values` that are known to within `half` to both sides.

    As few as the interval supports, but enough that different values do not read the same, and that none
    reads as nothing or as all when it is not. Where a sentence says that they are `apart`, they are given as
    many as show it, however small the difference.
    """
    scale = 100 if unit == "share" else 1
    fewest, most = _DECIMALS[unit]
    if apart and unit != "count":
        most = next((each for each in range(most, MOST_DIGITS) if _differ(scale, each, values)), MOST_DIGITS)
    if half:
        fewest = max(fewest, _of_width(2 * scale * half))
    elif len({*values}) > 1:
        return most
    for digits in range(fewest, most):
        extreme = {f"{scale * end:.{digits}f}" for end in (0, 1)} if unit == "share" else {f"{0:.{digits}f}"}
        misleading = any(f"{scale * value:.{digits}f}" in extreme for value in values if value not in (0, 1))
        if _differ(scale, digits, values) and not misleading:
            return digits
    return most


def _differ(scale: int, digits: int, values: Sequence[float]) -> bool:
    """Tell whether values that differ read otherwise with so many decimals."""
    return len({f"{scale * value:.{digits}f}" for value in values}) == len({*values})


FORMATS: Mapping[str, Callable[[Any], str]] = {
    "percent": percent,
    "bound": bound,
    "points": points,
    "count": count,
    "size": size,
    "duration": duration,
    "rate": rate,
    "share": share,
    "times": times,
    "megabytes": megabytes,
    "decimal": decimal,
    "nats": nats,
    "p": p,
    "quoted": quoted,
    "length": length,
    "text": text,
    "called": called,
    "joined": joined,
    "json": as_json,
    "moment": moment,
    "rough_bytes": rough_bytes,
    "rough_duration": rough_duration,
    "rough_share": rough_share,
    "rough": rough,
    "short": short,
    "sources": worded,
    **{
        f"{style.__name__}:{unit}": partial(style, unit=unit)
        for style in (measured, change, apart, reach, told, moved)
        for unit in get_args(Unit)
    },
    **{
        f"{style.__name__}:{unit}:{digits}": partial(style, unit=unit, digits=digits)
        for style in (measured, change, apart)
        for unit in get_args(Unit)
        for digits in range(MOST_DIGITS + 1)
    },
    **{f"number:{digits}": partial(number, digits=digits) for digits in range(MOST_DIGITS + 1)},
}
"""Every way to print a value, by the name that a span gives as ``data-as``."""


class Numbers:
    """Reads numbers and text out of results by their path, so that none is printed without its origin.

    A path is ``<stage>.<field>…`` inside the stage's value, with list positions as integers, counted from 0,
    or ``<stage>:provenance.<field>…`` for the circumstances of the run; ``profile.<field>…`` and whatever
    else there is in `beside` reads that. What has a key in a list can be named by it, and what a list holds
    of each class by the class: ``captions.measures.cider_d.after``, ``cnn.per_class.cat``. A step that holds
    dots stands in square brackets. Two paths with a slash between them are a ratio, two with a minus between
    spaces a difference.
    """

    def __init__(
        self, envelopes: Mapping[str, Any], beside: Mapping[str, Any] | None = None, *, spans: bool = True
    ) -> None:
        self._envelopes = envelopes
        self._beside = beside or {}
        self._spans = spans

    @property
    def plain(self) -> "Numbers":
        """The same without spans, for alternative texts of pictures, which cannot hold any."""
        return Numbers(self._envelopes, self._beside, spans=False)

    def at(self, path: str) -> Any:
        """Return what stands at `path`, or the ratio or the difference of what stands at two.

        Raises:
            KeyError: if nothing does.
        """
        for mark, combine in (("/", operator.truediv), (" - ", operator.sub)):
            ends = re.split(re.escape(mark) + _OUTSIDE_BRACKETS, path)
            if len(ends) == 2:
                return combine(*map(self.at, ends))
        name, *steps = steps_of(path)
        found = self._root(name)
        holder: Any = None
        for step in steps:
            try:
                if isinstance(found, tuple | list):
                    holder, found = found, found[position(found, step, holder)]
                else:
                    holder, found = found, _field(found, step)
            except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
                raise KeyError(f"the results hold nothing at {path!r} (no {step!r})") from error
        return found

    def has(self, root: str) -> bool:
        """Whether a path can begin with this step."""
        return root in self._beside or root.partition(":")[0] in self._envelopes

    def _root(self, name: str) -> Any:
        """Return what the first step of a path names."""
        if name in self._beside:
            return self._beside[name]
        stage, _, part = name.partition(":")
        if stage not in self._envelopes:
            raise KeyError(f"there is no result of {stage!r}")
        try:
            return getattr(self._envelopes[stage], part or "value")
        except AttributeError as error:
            raise KeyError(f"the result of {stage!r} has no {part!r}") from error

    def __getattr__(self, how: str) -> Callable[[str], Markdown]:
        """Return what prints the thing at a path in the format of that name: ``n.percent("vit.top1")``."""
        if how not in FORMATS:
            raise AttributeError(f"there is no format {how!r}; the formats are {', '.join(FORMATS)}")
        return partial(self._print, how)

    def formatted(self, path: str, how: str) -> Markdown:
        """Print the thing at a path in the format called `how`."""
        return self._print(how, path)

    def interval(self, path: str) -> Markdown:
        """Print the 95 % interval of the estimate at `path` as two percentages."""
        low, high = (self._print("bound", f"{path}.{end}") for end in ("low", "high"))
        return Markdown(f"{low}–{high}{NO_BREAK}%")

    def share(self, part: str, whole: str) -> Markdown:
        """Print what share the number at one path is of the number at another."""
        return self._print("share", f"{part}/{whole}")

    def times(self, large: str, small: str) -> Markdown:
        """Print how many times as large the number at one path is as the number at another."""
        return self._print("times", f"{large}/{small}")

    def said(self, path: str) -> Markdown:
        """Print the share that is estimated at `path`, rounded to what its interval supports."""
        estimate = self.at(path)
        digits = decimals("share", (estimate.high - estimate.low) / 2, estimate.value)
        return self._print(f"measured:share:{digits}", path)

    def measured(self, path: str, unit: Unit) -> Markdown:
        """Print what was measured in a unit."""
        return self._print(f"measured:{unit}", path)

    def change(self, path: str, unit: Unit) -> Markdown:
        """Print a difference with its sign."""
        return self._print(f"change:{unit}", path)

    def gain(self, end: str, start: str, unit: Unit) -> Markdown:
        """Print how much more stands at one path than at another."""
        return self.change(f"{end} - {start}", unit)

    def reach(self, path: str, unit: Unit) -> Markdown:
        """Print the 95 % interval of the difference at `path`: bounds with their signs, the unit once."""
        low = self._print(f"reach:{unit}", f"{path}.low")
        return Markdown(f"{low} to {self.change(f'{path}.high', unit)}")

    def wrapped(self, path: str, markdown: Markdown) -> Markdown:
        """Print the text at `path` as `markdown`, which reads the same but may have bold words in it."""
        self.at(path)
        return self._dress(isolated(markdown), path, "text")

    def _print(self, how: str, path: str) -> Markdown:
        """Print the thing at a path in a format, of an estimate its value where the format takes none."""
        found = self.at(path)
        if isinstance(found, Estimate) and how.partition(":")[0] not in _OF_ESTIMATES:
            found, path = found.value, f"{path}.value"
        return self._dress(escape(FORMATS[how](found)), path, how)

    def _dress(self, text: Markdown, path: str, how: str) -> Markdown:
        return (
            Markdown(f'[{text}]{{data-from="{path}" data-as="{how}"}}') if self._spans else in_attribute(text)
        )


def position(items: Sequence[Any], step: str, holder: Any = None) -> int:
    """Return which of `items` a step names: by its position, its key, or its class among those of `holder`.

    Raises:
        ValueError: if none is called so.
    """
    if re.fullmatch(r"-?\d+", step):
        return int(step)
    keys: list[Any] = [getattr(item, "key", None) for item in items]
    classes: Sequence[str] = getattr(holder, "classes", ())
    return keys.index(step) if step in keys else classes.index(step)


def steps_of(path: str) -> list[str]:
    """Split a path into its steps.

    Raises:
        KeyError: if it is none.
    """
    found = list(_STEP.finditer(path))
    if not path or "".join(step[0] for step in found) != path:
        raise KeyError(f"{path!r} is no path")
    return [step[1] or step[2] for step in found]


def holder_of(path: str) -> str:
    """Return a path without its last step."""
    return path[: list(_STEP.finditer(path))[-1].start()]


def _field(holder: Any, name: str) -> Any:
    return holder[name] if isinstance(holder, Mapping) else getattr(holder, name)
