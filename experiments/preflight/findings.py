"""What a check finds, a sentence each: what it read, what is worth knowing, and what must be put right."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from pipeline.errors import UserError, reason

Value = TypeVar("Value")


@dataclass(frozen=True)
class Findings:
    """Sentences: `read` says what there is, `remarks` what to know, `problems` what to put right, and how."""

    read: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class Notes:
    """The findings of checks, one after the other: a check that fails is noted, and the others go on."""

    parts: list[Findings] = field(default_factory=list)

    def found(self) -> Findings:
        """Return all that was found, in order: each sentence once, however many checks say it, on a line."""
        return Findings(
            read=_once(part.read for part in self.parts),
            remarks=_once(part.remarks for part in self.parts),
            problems=_once(part.problems for part in self.parts),
        )

    def attempt(self, what: str, work: Callable[[], Value]) -> Value | None:
        """Return what `work` returns, None if it fails, for whatever reason: that is a problem of its own."""
        try:
            return work()
        except UserError as error:
            self.parts.append(Findings(problems=tuple(str(error).splitlines())))
        except Exception as error:  # the other checks must go on
            sentence = (
                f"The check of {what} could not be finished ({type(error).__name__}: {reason(error)}): a run "
                "is likely to fail there as well, so look into it first."
            )
            self.parts.append(Findings(problems=(sentence,)))
        return None

    def add(self, what: str, look: Callable[[], Findings]) -> None:
        """Note what `look` finds."""
        self.parts.append(self.attempt(what, look) or Findings())


def counted(count: int, noun: str) -> str:
    """Return a number and its noun, such as "1 photo" or "5,000 photos"."""
    plural = f"{noun}es" if noun.endswith("s") else f"{noun}s"
    return f"{count:,} {noun if count == 1 else plural}"


def in_bytes(count: float) -> str:
    """Return a size in the largest unit of which there is at least one, such as "1.6 GB" or "25 MB"."""
    for size, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if count >= size:
            return f"{count / size:.1f} {unit}" if count < 10 * size else f"{count / size:.0f} {unit}"
    return f"{count:.0f} bytes"


def _once(groups: Iterable[Iterable[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(" ".join(sentence.split()) for group in groups for sentence in group))
