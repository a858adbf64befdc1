"""What is wrong with the author's pages, found by reading them: before the pages, and by the check.

Nothing is run: wrong paths, tests and keys are told by file and line, with the nearest right ones.
"""

import inspect
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import jinja2

from experiments.results.captions import ComparedRecord
from experiments.stages import STAGES
from pipeline.errors import UserError, reason
from pipeline.files import read_text
from pipeline.result import Estimate
from reporting import digits, literature, paths
from reporting.authored import IN_WORDS, verdict
from reporting.checking.page import numbers_in
from reporting.cited import OF_TWO, Cited, how, shown
from reporting.document import ROOTS, Document, templates_in
from reporting.markdown import Markdown, unescaped
from reporting.numbers import FORMATS, MINUS, Numbers, steps_of
from reporting.prose import UNKNOWN, Call, calls
from reporting.rendering.project import without_front_matter

_COPIES = ("evidence", "audit", "variants", "generate")
"""Results whose numbers are those of others."""
_REFERENCES = ("tbl-", "fig-", "sec-")
_SIDES = {"fails": "otherwise", "unclear": "unclear"}


def refuse_mistakes(document: Document) -> None:
    """Refuse pages that cite what there is not.

    Raises:
        UserError: with a line for each mistake.
    """
    if found := [*mistakes(document)]:
        raise UserError("\n".join(found))


def mistakes(document: Document) -> Iterator[str]:
    """Yield a sentence for each path, test or citation of the pages that names nothing."""
    for call in _calls(document):
        if isinstance(call, str):
            yield call
        elif wrong := _mistake(call, document):
            yield f"{call.place}: {wrong}"
    yield from _unknown_citations(document.project.root)


def unproven(document: Document) -> Iterator[str]:
    """Yield a sentence for each bound sentence that the evidence does not carry, with none to say instead."""
    for call in _calls(document):
        if not isinstance(call, Call) or call.name != "claim" or _mistake(call, document):
            continue
        binding = str(call.given(0, "binding"))
        test = document.authored.bound(binding)
        outcome = document.authored.outcome(test) if test else None
        if test is None or outcome is None or outcome == "holds" or _SIDES[outcome] in call.keywords:
            continue
        found = verdict(document.plainly, document.authored.compared[test.key], test.lower)
        yield (
            f"{call.place}: the evidence does not carry this sentence: of {binding} it says: "
            f'{IN_WORDS[outcome]}, {unescaped(found)}. Change it, or write {_SIDES[outcome]}="…" beside it.'
        )


def typed(document: Document) -> Iterator[str]:
    """Yield a sentence for each number that somebody typed into a page, and what to write instead."""
    printed = _printed(document)
    for found in digits.in_pages(document.project.root):
        instead = _instead(found, printed)
        what = f"`{{python}} {instead}` prints it" if instead else "print it from the results (n(…))"
        yield (
            f"{found.file}:{found.line}: typed number {found.text!r}: {what}, or say that it is none of "
            "theirs: <!-- typed --> on its line."
        )


def numbers_of_the_author(document: Document) -> set[str]:
    """Return the numbers that the author typed into the pages, whether they may or are told of by `typed`."""
    root, found = document.project.root, set[str]()
    for path in digits.pages(root):
        found |= digits.exempt(path.name, read_text(path))
    return found.union(*(numbers_in(each.text) for each in digits.in_pages(root)))


def _printed(document: Document) -> dict[str, dict[str, str]]:
    """Return what is printed of each result, as it can be typed: the paths, each with its expression."""
    found: dict[str, dict[str, str]] = {}
    for path, value in document.citable:
        if path.partition(".")[0] in _COPIES or not isinstance(value, int | float | Estimate):
            continue
        for digits_ in (None, 0, 1, 2) if isinstance(value, Estimate) else (None,):
            text = _squeezed(shown(document.numbers, path, digits_))
            expression = f'n("{path}"' + (")" if digits_ is None else f", digits={digits_})")
            found.setdefault(text, {}).setdefault(path, expression)
    return found


def _instead(found: digits.Finding, printed: dict[str, dict[str, str]]) -> str | None:
    """Return the expression that prints a typed number, if one result alone has that value."""
    for text in (f"{found.text}{found.following}", found.text):
        paths_ = printed.get(_squeezed(text), {})
        if len(paths_) == 1:
            return next(iter(paths_.values()))
        if paths_:
            return None
    return None


def _squeezed(text: str) -> str:
    return re.sub(r"[\s,]", "", text).strip(".;:()[]*_!?\"'").replace(MINUS, "-")


def _unknown_citations(root: Path) -> Iterator[str]:
    """Yield a sentence for each citation, in pages, templates and wordings, of what is not in the file."""
    known = literature.keys(root)
    for file, prose in all_prose(root):
        for found in digits.CITATION.finditer(digits.without_code(prose.text)):
            key = found[1] or found[2]
            if key not in known and not key.startswith(_REFERENCES):
                line = prose.line_at(found.start())
                like = paths.nearest(key, known) if known else "it has none at all, or is not there."
                yield f"{file}:{line}: {literature.FILE} has no entry {key!r}: {like}"


def all_prose(root: Path) -> Iterator[tuple[str, digits.Prose]]:
    """Yield the prose of pages, templates and wordings, each with its file; a template is parsed once."""
    for page in digits.pages(root):
        for prose in digits.prose_of_page(page.name, read_text(page)):
            yield page.name, prose
    environment = templates_in(root / "templates")
    for path in digits.templates(root):
        with suppress(jinja2.TemplateSyntaxError):  # which whoever fills it says
            prose = digits.prose_of_template(read_text(path), environment)[0]
            yield path.relative_to(root).as_posix(), prose


def _calls(document: Document) -> Iterator[Call | str]:
    for page in digits.pages(document.project.root):
        yield from calls(page.name, without_front_matter(read_text(page)))


def _mistake(call: Call, document: Document) -> str | None:
    name = call.name.partition(".")[2]
    if name and not hasattr(Cited, name) and not hasattr(Numbers, name) and name not in FORMATS:
        known = [each for each in FORMATS if ":" not in each]
        return f"there is no n.{name}: {paths.nearest(name, [*known, 'difference', 'ratio', 'interval'])}"
    if call.name == "claim":
        return _wrong_form(call, document.claim) or _wrong_binding(call, document)
    printing = getattr(document.n, name) if name else document.n
    return _wrong_form(call, printing) or _wrong_paths(call, document) or _unprintable(call, printing)


def _wrong_form(call: Call, called: Callable[..., Any]) -> str | None:
    """Say what a call lacks or has too much, None if it is called as it can be."""
    signature = inspect.signature(called)
    try:
        signature.bind(*call.arguments, **call.keywords)
    except TypeError as error:
        return f"{call.name} takes ({', '.join(signature.parameters)}): {error}."
    return None


def _wrong_paths(call: Call, document: Document) -> str | None:
    name = call.name.partition(".")[2]
    for at, keyword in enumerate(("one", "other") if name in OF_TWO else ("path",)):
        if call.has_other(at, keyword):
            return f'{call.name} takes a path in quotation marks, such as {call.name}("cnn.top1").'
        path = call.given(at, keyword)
        if path is not None and (wrong := wrong_path(path, document, is_plain=not name)):
            return wrong
    return None


def _wrong_binding(call: Call, document: Document) -> str | None:
    binding = call.given(0, "binding")
    if binding is None:
        return 'a claim names its test in plain words, such as report.claim("cnn > vit", "…").'
    try:
        document.authored.bound(binding)
    except UserError as error:
        return str(error)
    sides = (call.keywords.get(side) for side in _SIDES.values())
    is_wrong = any(not isinstance(each, str) and each not in (None, UNKNOWN) for each in sides)
    if call.has_other(1, "sentence") or is_wrong:
        return "a claim is a sentence in quotation marks, and so is what is said instead."
    return None


def _unprintable(call: Call, printing: Callable[..., Markdown]) -> str | None:
    """Say why a call prints nothing, None if it does, or if only running the page can tell."""
    if not call.is_known:
        return None
    try:
        printing(*call.arguments, **call.keywords)
    except UserError as error:
        return f"{error}."
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        return f"{call.name}(…) has nothing that it could print: {reason(error)}."
    return None


def wrong_path(path: str, document: Document, is_plain: bool = True) -> str | None:
    """Say why a path names nothing that can be cited, None where it does or will when its result is there."""
    numbers = document.numbers
    try:
        root, *steps = steps_of(path)
        if document.absent(root.partition(":")[0]):
            kind = _kind(root)
            if kind is None or paths.fits(kind, steps):
                return None
            raise KeyError(path)
        if numbers.at(path) is not None and is_plain:
            how(numbers, path)
    except UserError as error:
        return f"{error}."
    except (KeyError, TypeError):
        return f"the results have no {path!r}: {paths.nearest(path, _known(document))}"
    return None


def _kind(root: str) -> Any:
    """Return the type of what a first step names, None where it is not known."""
    if root in ROOTS:
        return tuple[ComparedRecord, ...]
    return STAGES[root].result if root in STAGES else None


def _known(document: Document) -> list[str]:
    """Return all paths that can be cited, those of results that are not there by their types."""
    there = [path for path, _ in document.citable]
    missing = (stage for stage in document.project.stages if stage not in document.envelopes)
    return [*there, *(path for stage in missing for path in paths.of_type(STAGES[stage].result, stage))]
