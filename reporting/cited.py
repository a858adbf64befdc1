"""Numbers and words of the results in the author's own sentences: `n("cnn.top1")` is ``92 %``.

It returns Markdown, with the origin of what it prints as on the rest of the page, so that it can stand in
inline code of a page as well as in a string of a cell.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from inspect import signature
from typing import Any

from experiments.results.ablations import Variant
from experiments.results.captions import Measured, Unit
from experiments.results.evidence import Tested
from pipeline.errors import UserError
from pipeline.result import Estimate
from reporting.markdown import Markdown, escape
from reporting.numbers import FORMATS, MOST_DIGITS, Numbers, holder_of, steps_of, supported

_BY_NAME: Mapping[str, str] = {
    "seconds": "duration",
    "bytes": "rough_bytes",
    "images_per_second": "rate",
    "loss": "nats",
    "p": "p",
    "adjusted": "p",
    "learning_rate": "decimal",
    "dropout": "decimal",
    "significance": "decimal",
    "chance": "measured:share",
    "confidence": "measured:share",
    "tolerance": "points",
}
"""The format of a number, by the name of its field or by the name's last words."""
_OF_VARIANTS: Mapping[str, Unit] = {"length": "words", "distance": "bits"}


OF_TWO = ("difference", "ratio", "share", "times", "gain")
"""What prints two paths' numbers as one."""


@dataclass(frozen=True)
class Cited:
    """What prints numbers in prose; of a result that is not there it leaves a note that the reader sees.

    `absent` says of the first step of a path why nothing stands there, and is None where something does.
    Whatever `Numbers` prints can be had by the same name: ``n.size("lora.trainable")``.
    """

    numbers: Numbers
    absent: Callable[[str], str | None]

    def __call__(self, path: str, digits: int | None = None) -> Markdown:
        """Print what stands at a path, an estimate to the digits that its interval supports or `digits`."""
        return self._or_note([path], lambda: self.numbers.formatted(path, how(self.numbers, path, digits)))

    def difference(self, one: str, other: str, digits: int | None = None) -> Markdown:
        """Print how much more stands at one path than at another, of shares in percentage points (pp)."""
        return self._or_note([one, other], lambda: self._difference(one, other, digits))

    def ratio(self, one: str, other: str, digits: int | None = None) -> Markdown:
        """Print how many times as large the number at one path is as the number at another."""
        return self._or_note([one, other], lambda: self._ratio(one, other, digits))

    def __getattr__(self, name: str) -> Callable[..., Markdown]:
        """Return what prints in the format of that name, as `Numbers` does."""
        printing = getattr(self.numbers, name)
        form = signature(printing)

        def printed(*arguments: Any, **named: Any) -> Markdown:
            path, *others = form.bind(*arguments, **named).args
            if name not in OF_TWO:
                return self._or_note([path], lambda: printing(path, *others))
            ends = [path, others[0]]
            return self._or_note(ends, lambda: printing(*map(self._to_number, ends), *others[1:]))

        printed.__signature__ = form  # pyright: ignore[reportFunctionMemberAccess]  (what it is called with)
        return printed

    def interval(self, path: str) -> Markdown:
        """Print the 95 % interval of the estimate at a path, in its unit."""
        return self._or_note([path], lambda: self._interval(path))

    def said(self, path: str) -> Markdown:
        """Print the share that is estimated at a path, rounded to what its interval supports."""
        return self._or_note([path], lambda: self._said(path))

    def _interval(self, path: str) -> Markdown:
        unit = self._estimated(path)
        if steps_of(path)[-1] in {"difference", "reversed"}:
            return self.numbers.reach(path, unit)
        if unit == "share":
            return self.numbers.interval(path)
        low, high = (self.numbers.measured(f"{path}.{end}", unit) for end in ("low", "high"))
        return Markdown(f"{low}–{high}")

    def _said(self, path: str) -> Markdown:
        if self._estimated(path) != "share":
            raise UserError(f"{path} is no share: n(…) prints it")
        return self.numbers.said(path)

    def _estimated(self, path: str) -> Unit:
        unit = unit_at(self.numbers, path)
        if unit is None or not isinstance(self.numbers.at(path), Estimate):
            raise UserError(f"{path} is no estimate, so that it has no interval")
        return unit

    def _ratio(self, one: str, other: str, digits: int | None) -> Markdown:
        form = "times" if digits is None else f"number:{_allowed(digits)}"
        if not self.numbers.at(self._to_number(other)):
            raise UserError(f"nothing can be compared with {other}, which is 0")
        return self.numbers.formatted(self._two(one, other, "/"), form)

    def _difference(self, one: str, other: str, digits: int | None) -> Markdown:
        values = [self.numbers.at(path) for path in (one, other)]
        unit = unit_at(self.numbers, one)
        alike = unit is not None or how(self.numbers, one) == how(self.numbers, other)
        if unit != unit_at(self.numbers, other) or not alike:
            raise UserError(f"{one} and {other} are not of one unit: they have no difference")
        if unit is None:
            form = how(self.numbers, one, digits)
            form = "number:0" if form == "count" else form
        else:
            estimates = [value for value in values if isinstance(value, Estimate)]
            if digits is None and estimates:
                digits = min(supported(value, unit) for value in estimates)
            form = f"apart:{unit}" if digits is None else f"apart:{unit}:{_allowed(digits)}"
        return self.numbers.formatted(self._two(one, other, " - "), form)

    def _two(self, one: str, other: str, mark: str) -> str:
        return mark.join(map(self._to_number, (one, other)))

    def _to_number(self, path: str) -> str:
        value = self.numbers.at(path)
        if isinstance(value, Estimate):
            return f"{path}.value"
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise UserError(f"{path} is no number")
        return path

    def _or_note(self, paths: Iterable[str], printed: Callable[[], Markdown]) -> Markdown:
        for path in paths:
            if reason := self.absent(steps_of(path)[0].partition(":")[0]):
                return note(reason)
            if self.numbers.at(path) is None:
                return note(f"not measured: {path}")
        return printed()


def note(reason: str) -> Markdown:
    """Return what stands in a sentence where a number or a verdict is not there."""
    return Markdown(f"**\\[{escape(reason)}\\]**")


def how(numbers: Numbers, path: str, digits: int | None = None) -> str:
    """Return the name of the format in which prose has what stands at a path.

    Raises:
        KeyError: if nothing stands there.
        UserError: if it is nothing that prose could have.
    """
    value, unit = numbers.at(path), unit_at(numbers, path)
    name = steps_of(path)[-1]
    if isinstance(value, Estimate) and digits is None:
        style = "moved" if name in {"difference", "reversed"} else "told"
        return f"{style}:{unit}"
    if unit is not None:
        style = "change" if name in {"difference", "reversed"} else "measured"
        return f"{style}:{unit}" + ("" if digits is None else f":{_allowed(digits)}")
    if isinstance(value, bool) or not isinstance(value, str | int | float | tuple):
        raise UserError(f"{path} is no number and no words that a sentence could have")
    if isinstance(value, str):
        return "text"
    if isinstance(value, tuple):
        if all(isinstance(item, str) for item in value):
            return "joined"
        raise UserError(f"{path} is a list: name one thing of it, by its position from 0 on, or n.length(…)")
    if digits is not None:
        return f"number:{_allowed(digits)}"
    found = (form for field, form in _BY_NAME.items() if name == field or name.endswith(f"_{field}"))
    return next(found, "count" if isinstance(value, int) else _of_float(numbers, path))


def _of_float(numbers: Numbers, path: str) -> str:
    *holders, name = steps_of(path)
    return "nats" if name.isdecimal() and holders[-1] == "loss" else "times"


def unit_at(numbers: Numbers, path: str) -> Unit | None:
    """Return in which unit the number at a path was measured, None of what is counted, timed or said."""
    value = numbers.at(path)
    above, name = holder_of(path), steps_of(path)[-1]
    holder = numbers.at(above) if above else None
    if isinstance(holder, Measured | Tested):
        measured = isinstance(value, Estimate) or name in {"one", "other", "references"}
        return holder.unit if measured else None
    if not isinstance(value, Estimate):
        return None
    return _OF_VARIANTS.get(name, "share") if isinstance(holder, Variant) else "share"


def _allowed(digits: int) -> int:
    if isinstance(digits, bool) or digits not in range(MOST_DIGITS + 1):
        raise UserError(f"digits must be a whole number from 0 to {MOST_DIGITS}, not {digits!r}")
    return digits


def shown(numbers: Numbers, path: str, digits: int | None = None) -> str:
    """Return what prose has for what stands at a path, as plain text."""
    value: Any = numbers.at(path)
    form = how(numbers, path, digits)
    if isinstance(value, Estimate) and form.partition(":")[0] in {"measured", "change"}:
        value = value.value
    return FORMATS[form](value)
