"""What a check finds: what it read, what is worth knowing, and what must be put right, a sentence each."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from pipeline.errors import UserError

Value = TypeVar("Value")


@dataclass(frozen=True)
class Findings:
    """Sentences: `read` says what there is, `remarks` what to know, `problems` what to put right, and how."""

    read: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def together(parts: Iterable[Findings]) -> Findings:
    """Join findings in order; what several checks say alike is said once, and every sentence is one line."""
    found = list(parts)
    return Findings(
        read=_once(sentence for part in found for sentence in part.read),
        remarks=_once(sentence for part in found for sentence in part.remarks),
        problems=_once(sentence for part in found for sentence in part.problems),
    )


@dataclass(frozen=True)
class Notes:
    """The findings of checks, one after the other: a check that fails is noted, and the others go on."""

    parts: list[Findings] = field(default_factory=list)

    def found(self) -> Findings:
        """Return all that was found."""
        return together(self.parts)

    def result(self, what: str, work: Callable[[], Value]) -> Value | None:
        """Return what `work` returns, None if it fails, for whatever reason: that is a problem of its own."""
        try:
            return work()
        except UserError as error:
            self.parts.append(Findings(problems=tuple(str(error).splitlines())))
        except Exception as error:  # the other checks must go on
            said = " ".join(str(error).split()).rstrip(" .") or "without a reason"
            sentence = (
                f"The check of {what} could not be finished ({type(error).__name__}: {said}): a run is "
                "likely to fail there as well, so look into it first."
            )
            self.parts.append(Findings(problems=(sentence,)))
        return None

    def take(self, what: str, look: Callable[[], Findings]) -> None:
        """Note what `look` finds."""
        found = self.result(what, look)
        if found is not None:
            self.parts.append(found)


def _once(sentences: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(" ".join(sentence.split()) for sentence in sentences))
