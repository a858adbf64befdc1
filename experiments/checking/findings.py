"""What a check finds: what it read, what is worth knowing, and what must be put right, a sentence each."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from experiments.errors import UserError


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


def guarded(what: str, look: Callable[[], Findings]) -> Findings:
    """Return what `look` finds; a failure of its own, whatever it is, is a problem."""
    try:
        return look()
    except UserError as error:
        return Findings(problems=tuple(str(error).splitlines()))
    except Exception as error:  # the other checks must go on
        return Findings(
            problems=(
                f"The check of {what} could not be finished ({type(error).__name__}: {error}): what it would "
                "have found is unknown, and a run is likely to fail there.",
            )
        )


def _once(sentences: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(" ".join(sentence.split()) for sentence in sentences))
