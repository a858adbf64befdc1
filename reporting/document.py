"""What a cell of a page calls: one name in, one block of Markdown out, with its state made visible."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import cache, cached_property, partial
from pathlib import Path
from traceback import extract_tb
from typing import Any

import jinja2

from experiments.project import open_project
from experiments.results import key_of
from experiments.results.captions import ComparedRecord
from experiments.stages import STAGES
from pipeline import freshness, keys, store
from pipeline.errors import UserError, first_few, reason
from pipeline.freshness import Freshness
from pipeline.project import Project
from pipeline.result import Attachment
from pipeline.stage import Stage
from reporting import caption_facts, facts, paths, photo_facts
from reporting.authored import Authored
from reporting.blocks import BLOCKS, CLASSIFIERS, COMMON, HALVES, Block, stages_of
from reporting.cited import Cited
from reporting.claims import Claim
from reporting.literature import cites
from reporting.manifests import Manifest, manifests
from reporting.markdown import Markdown, code, command, escape, strong
from reporting.numbers import Numbers
from reporting.panel import headlines
from reporting.pictures import Picture, width
from reporting.sentences import Sentences, claims_of, rows_of
from reporting.shown import Shown, shown
from reporting.sources import sources

FIGURES = Path("_figures")
PICTURES = FIGURES / "pictures"
JUDGING = ("evidence", "audit")
CARDS = "cards"
"""The block of what the marks on a page lead to, as its last cell shows it."""
ROOTS = {"examples": "captions"}
"""What a path may begin with besides stages, and the stage whose result it comes from."""
_ANCHOR = re.compile(r"\{#((?:tbl|fig)-[\w-]+)\}")


@dataclass(frozen=True)
class Document:
    """The results of one project, ready to be shown block by block.

    `states` holds every stage that the profile has; `envelopes` every result of theirs that can be read,
    fresh or stale. What the profile leaves out is on no page, neither as a block nor in words.
    """

    project: Project
    states: Mapping[str, Freshness]
    envelopes: Mapping[str, Any]

    @cached_property
    def numbers(self) -> Numbers:
        """What prints numbers and text of the results, of the profile and of what follows from both."""
        beside = {
            "profile": self.project.profile,
            "shown": self.shown,
            "manifests": self.manifests,
            "rows": self.rows,
        }
        if "captions" in self.envelopes:
            beside |= {"examples": self._examples}
        return Numbers(self.envelopes, beside)

    @property
    def _examples(self) -> tuple[ComparedRecord, ...]:
        """The photos that the report shows as examples."""
        captions = self.envelopes["captions"].value
        return tuple(captions.records[at] for at in captions.examples)

    @cached_property
    def n(self) -> Cited:
        """What prints numbers and words of the results in the author's sentences: ``n("cnn.top1")``."""
        return Cited(self.numbers, self.absent)

    @property
    def citable(self) -> list[tuple[str, Any]]:
        """All that prose can cite, by its path: of the results that there are, and of the examples."""
        return paths.catalogue(self.numbers, [*self.project.stages, *ROOTS])

    def absent(self, root: str) -> str | None:
        """Return why nothing stands under the first step of a path, None where something does.

        What is no such step at all is not absent but wrong.
        """
        stage = ROOTS.get(root, root)
        if stage in self.envelopes or stage not in STAGES:
            return None
        return f"missing: {stage}" if stage in self.project.stages else f"not in this run: {stage}"

    def claim(
        self, binding: str, sentence: str, *, otherwise: str | None = None, unclear: str | None = None
    ) -> Markdown:
        """Return a sentence of the author's that is bound to a test, such as ``cnn > vit``.

        It is `otherwise` where the evidence says the opposite, and `unclear` where it cannot be told. If that
        one is not written, the page shows the sentence struck out, and `make check` names it.

        Raises:
            UserError: if the evidence declares no such test.
        """
        if "evidence" not in self.project.stages:
            return Markdown("")
        return self.authored.said(binding, sentence, otherwise, unclear)

    @property
    def plainly(self) -> Sentences:
        """What says the claims without origins, for a terminal."""
        return replace(self.sentences, numbers=self.numbers.plain)

    @cached_property
    def authored(self) -> Authored:
        """What says the author's sentences."""
        evidence = self.envelopes["evidence"].value if "evidence" in self.envelopes else None
        return Authored(self.project.profile.family, evidence, self.sentences)

    @cached_property
    def shown(self) -> Shown:
        """What the pages show of long lists."""
        return shown(self._values)

    @cached_property
    def manifests(self) -> dict[str, Manifest]:
        """The manifests of files of the user's own."""
        return manifests(self.project)

    @cached_property
    def sentences(self) -> Sentences:
        """What says the claims that the results allow."""
        return Sentences(self.claims, self.numbers, self._templates, self.rows)

    @cached_property
    def claims(self) -> dict[str, Claim]:
        """Every claim that the results allow."""
        return claims_of(self._values)

    @cached_property
    def rows(self) -> dict[str, int]:
        """The rows of the table of evidence, as far as the page has that."""
        return rows_of(self.claims) if self.has_results(BLOCKS["claims"]) else {}

    def afresh(self) -> "Document":
        """Return one of the same results that has shown nothing yet, with what was derived from them."""
        again = replace(self)
        vars(again).update({name: getattr(self, name) for name in ("shown", "claims")})
        return again

    @property
    def _values(self) -> dict[str, Any]:
        return {stage: envelope.value for stage, envelope in self.envelopes.items()}

    def show(self, name: str, *, under: str = "") -> None:
        """Print the block called `name`, `under` a heading that is left out where the block is empty.

        Why results are stale is said once, above the first of the blocks that show them.
        """
        if under:
            self.say(under, name)
        block, text = BLOCKS[name], self.block(name)
        callout = self._stale(block)
        if callout and text.startswith(callout):
            text = self._stale(block, self._reasoned) + text.removeprefix(callout)
            self._reasoned.update(self.used(block))
        print(text)

    def say(self, words: str, *names: str) -> None:
        """Print words of the author's, such as a heading, if the report has one of `names`; see `has`."""
        if any(self.has(name) for name in names):
            print(words, end="\n\n")

    def missing(self, half: str) -> None:
        """Print one box that says which results of a half are missing, and the command that makes them."""
        print(self.box(half))

    def has(self, name: str) -> bool:
        """Whether the profile has the half called `name`, or else there is a block of that name to show.

        Raises:
            UserError: if nothing is called so.
        """
        if name in HALVES:
            return bool(stages_of(name, self.project.stages))
        return bool(self.block(name))

    def block(self, name: str) -> str:
        """Return the block called `name` as Markdown, after a callout for what is stale.

        It is empty where the results that it needs are missing: of these, `missing` tells. So it is where the
        profile has not got them.

        Raises:
            UserError: if there is no such block.
        """
        if name not in BLOCKS:
            raise UserError(f"There is no block {name!r}; the blocks are {', '.join(BLOCKS)}.")
        if name == CARDS:  # which follow from what was said before them
            return self._block(name)
        if name not in self._blocks:
            self._blocks[name] = self._block(name)
        return self._blocks[name]

    def _block(self, name: str) -> str:
        block = BLOCKS[name]
        if not self.has_results(block):
            return ""
        if not self._has_drawing(name):
            return _callout("warning", "Missing: a drawing", "Run `python reporting/prepare.py`.")
        text = self._fill(name).strip()
        return f"{self._stale(block)}\n\n{text}".lstrip() if text else ""

    @cached_property
    def _blocks(self) -> dict[str, str]:
        """The blocks that were filled before: to know whether there is one, it must be."""
        return {}

    def is_filled(self, name: str) -> bool:
        """Whether a block shows more than callouts, so that others can refer to what it holds."""
        return self.has_results(BLOCKS[name]) and self._has_drawing(name)

    def anchors(self, name: str) -> tuple[str, ...]:
        """Return the identifiers of the tables and figures that a block shows with these results."""
        return tuple(_ANCHOR.findall(self.block(name)))

    def used(self, block: Block) -> dict[str, Any]:
        """Return the results that a block is filled from, as far as they are there."""
        return {stage: self.envelopes[stage].value for stage in block.stages if stage in self.envelopes}

    def has_results(self, block: Block) -> bool:
        """Tell whether the results that a block is filled from are there."""
        is_enough = not block.stages or any(stage in self.envelopes for stage in block.about)
        return is_enough and all(stage in self.envelopes for stage in block.needs)

    def _has_drawing(self, name: str) -> bool:
        return not BLOCKS[name].figure or (self.project.root / FIGURES / f"{name}.svg").is_file()

    def _fill(self, name: str) -> str:
        try:
            with showing(self):
                return self._filled(name)
        except UserError:
            raise
        except RecursionError as error:  # whose thousand frames a cell would write out, so not from it
            raise UserError(
                f"{_place(error, f'{name}.md.j2')}: this has no end, or is nested too deep: mend it where it "
                "includes or calls itself, also by way of others."
            ) from None
        except (
            Exception
        ) as error:  # of a template, or of what it calls: the author reads a place and a reason
            raise UserError(_in_template(error, f"{name}.md.j2")) from error

    def _filled(self, name: str) -> str:
        values = self.used(BLOCKS[name])
        return self._templates.get_template(f"{name}.md.j2").render(
            project=self.project,
            states=self.states,
            stages=list(values),
            values=values,
            envelopes=self.envelopes,
            n=self.numbers,
            claims=self.sentences,
            shown=self.shown,
            headlines=headlines(values),
            manifests=self.manifests,
            is_filled=self.is_filled,
            sources=partial(sources, self.project, self.anchors),
            facts=facts,
            captions=caption_facts,
            photos=photo_facts,
            key_of=key_of,
            classifiers=CLASSIFIERS,
            cites=cites,
            strong=strong,
            code=code,
            command=command,
            picture=self._picture,
            is_enlarged=self._is_enlarged,
        )

    @cached_property
    def _templates(self) -> jinja2.Environment:
        return templates_in(self.project.root / "templates")

    def _picture(self, attachment: Attachment, stage: str, side: int) -> Picture | None:
        """Return a picture beside a stage's result, as large as a square of `side` pixels.

        There is none where it is gone or not what the result was stored with.
        """
        path = store.attachment_path(self.project, stage, attachment.file)
        if not store.is_whole(self.project, stage, attachment):
            return None
        smooth = self.project.root / PICTURES / f"{path.stem}.jpg"
        shown = smooth if smooth.is_file() else path
        return Picture(
            path=shown.relative_to(self.project.root).as_posix(),
            width=width(path, side),
            is_enlarged=shown == smooth,
        )

    def _is_enlarged(self, holders: Sequence[Any], stage: str) -> bool:
        """Tell whether a picture of any of these records or mistakes is shown smoother than it was kept."""
        pictures = (self._picture(holder.picture, stage, 1) for holder in holders)
        return any(picture is not None and picture.is_enlarged for picture in pictures)

    def _stale(self, block: Block, reasoned: Collection[str] = ()) -> str:
        """Return a callout for a block's stale results, if there are any; why, where not `reasoned` yet."""
        stale = [stage for stage in self.used(block) if self.states[stage].state == "stale"]
        if not stale:
            return ""
        why = "".join(f"\n- {stage}: {self._reasons(stage)}" for stage in stale if stage not in reasoned)
        text = f"What follows is not what today's code, data and options gave: {self.command(stale)}.\n{why}"
        return _callout("caution", f"Stale: {', '.join(stale)}", text.rstrip())

    @cached_property
    def _reasoned(self) -> set[str]:
        """The stages of which it was printed why their results are stale."""
        return set()

    def box(self, half: str) -> str:
        """Return what `missing` prints: nothing where all is there, or the profile leaves the half out."""
        own = stages_of(half, self.project.stages)
        both = [stage for stage in COMMON if own and stage in self.project.stages]
        missing = [stage for stage in (*own, *both) if stage not in self.envelopes]
        if not missing:
            return ""
        why = "".join(
            f"\n- {stage}: {self._reasons(stage)}"
            for stage in missing
            if self.states[stage].why not in ((), (freshness.NEVER,))
        )
        text = f"There is nothing to show from these yet: {self.command(missing)}.\n{why}"
        return _callout("warning", f"Missing: {', '.join(missing)}", text.rstrip())

    @property
    def altered(self) -> list[str]:
        """The stages whose results were altered by hand."""
        return [stage for stage, state in self.states.items() if freshness.ALTERED in state.why]

    def command(self, stages: Sequence[str]) -> str:
        """Return in words how the results of stages are made."""
        return f"run `python -m experiments run {' '.join(stages)} --profile {self.project.name}`"

    def _reasons(self, stage: str) -> Markdown:
        return escape(first_few(self.states[stage].why, 3))


_LENT: ContextVar[Document | None] = ContextVar("lent", default=None)


@contextmanager
def lent(document: Document) -> Iterator[None]:
    """Let all that asks for a document within the block have one of the same results, read once."""
    token = _LENT.set(document)
    try:
        yield
    finally:
        _LENT.reset(token)


def open_document(project: Project | None = None) -> Document:
    """Read the state and the result of every stage that the profile has."""
    known = _LENT.get()
    if project is None and known is not None:
        return known.afresh()
    project = project or open_project()
    states = freshness.states(project, project.stages)
    envelopes = {}
    for stage in sorted(stage for stage, state in states.items() if state.state != "missing"):
        try:
            envelopes[stage] = store.read(project, stage)
        except UserError:
            states[stage] = states[stage].model_copy(update={"state": "missing"})  # `why` says of which form
    for stage in (stage for stage in JUDGING if stage in envelopes):
        if not _judges(project.stages[stage], envelopes):
            why = ("it was made from other results than those shown",)
            states[stage] = Freshness(state="missing", why=why, key=states[stage].key)
            del envelopes[stage]
    return Document(project=project, states=states, envelopes=envelopes)


@contextmanager
def showing(document: Document) -> Iterator[None]:
    """Name, where an error ends the block, the results that were altered by hand.

    They fit the form of a result, but no code ever wrote them.

    Raises:
        UserError: if there are such results, in the place of an error that is none of the user's.
    """
    try:
        yield
    except (UserError, OSError, RecursionError, jinja2.TemplateSyntaxError):
        raise
    except Exception as error:
        altered = document.altered
        if not altered:
            raise
        raise UserError(
            f"The results of {first_few(altered, between=', ')} were altered by hand and cannot be shown "
            f"({type(error).__name__}: {reason(error)}): {document.command(altered)}."
        ) from error


def _judges(stage: Stage, envelopes: Mapping[str, Any]) -> bool:
    """Tell whether a stage that judges others did so for the very results that are shown.

    They may be stale, as long as it was these that were judged: else sentences would outrun them.
    """
    inputs = envelopes[stage.name].provenance.ingredients.inputs
    return all(
        found is not None
        and (found.key, found.value)
        == (envelopes[source].key, keys.followed(stage, source, envelopes[source]))
        for source, found in inputs.items()
        if source in envelopes
    )


def _place(error: Exception, name: str) -> str:
    """Say where in the templates an error is: Jinja's frames bear their names and lines."""
    places = [(Path(frame.filename).name, frame.lineno) for frame in extract_tb(error.__traceback__)]
    if isinstance(error, jinja2.TemplateSyntaxError):
        places.append((error.name or name, error.lineno))
    file, line = next((place for place in reversed(places) if place[0].endswith(".j2")), (name, 1))
    return f"templates/{file}:{line}"


def _in_template(error: Exception, name: str) -> str:
    """Say what is wrong in the templates, and where."""
    is_jinja = isinstance(error, jinja2.TemplateError)  # whose text alone can be several lines of source
    said = str(error.message) if is_jinja else f"{type(error).__name__}: {error}"
    return f"{_place(error, name)}: {reason(Exception(said))}."


def _callout(kind: str, title: str, text: str) -> str:
    return f'::: {{.callout-{kind} title="{title}"}}\n{text}\n:::'


class _Files(jinja2.FileSystemLoader):
    """Templates in a folder, which are read again where their text has changed, whatever a clock says."""

    def get_source(
        self, environment: jinja2.Environment, template: str
    ) -> tuple[str, str, Callable[[], bool]]:
        """Return a template's text, its file, and what tells whether this is its text still."""
        source, file, _ = super().get_source(environment, template)

        def is_so_still() -> bool:
            with suppress(OSError):
                return Path(file).read_bytes() == source.encode()
            return False

        return source, file, is_so_still


@cache
def templates_in(folder: Path) -> jinja2.Environment:
    """Return the templates of `folder`; whatever they print is escaped unless it is `Markdown`.

    They are made once, and anew where their file has changed.
    """
    environment = jinja2.Environment(
        loader=_Files(folder),
        undefined=jinja2.StrictUndefined,
        finalize=lambda value: value if isinstance(value, Markdown) else escape(value),
        comment_start_string="<#",  # Jinja's own would swallow the identifiers of Pandoc's blocks
        comment_end_string="#>",
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # the output is Markdown, where the escapes of HTML would show
    )
    # For what a macro has written: its parts were escaped where it printed them.
    environment.filters["markdown"] = Markdown
    return environment
