"""What a cell of a page calls: one name in, one block of Markdown out, with its state made visible."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import jinja2

from experiments.project import open_project
from experiments.results import key_of
from pipeline import freshness, store
from pipeline.envelope import digest
from pipeline.errors import UserError, first_few
from pipeline.freshness import Freshness
from pipeline.project import Project
from pipeline.result import Attachment
from reporting import caption_facts, facts
from reporting.blocks import BLOCKS, CLASSIFIERS, Block
from reporting.claims import classes_of, measures_of
from reporting.manifests import Manifest, manifests
from reporting.markdown import Markdown, code, command, escape, strong
from reporting.numbers import Numbers
from reporting.pictures import Picture, width
from reporting.sentences import Sentences, claims_of
from reporting.shown import Shown, shown
from reporting.sources import sources

FIGURES = Path("_figures")
JUDGING = ("evidence", "audit")


@dataclass(frozen=True)
class Document:
    """The results of one project, ready to be shown block by block.

    `states` holds every stage that a block names, also one that the pipeline does not have;
    `envelopes` every result that can be read, fresh or stale.
    """

    project: Project
    states: Mapping[str, Freshness]
    envelopes: Mapping[str, Any]

    @cached_property
    def numbers(self) -> Numbers:
        """What prints numbers and text of the results, of the profile and of what follows from both."""
        beside = {"profile": self.project.profile, "shown": self.shown, "manifests": self.manifests}
        return Numbers(self.envelopes, beside)

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
        return Sentences(claims_of(self._values), self.numbers, self._templates)

    @property
    def _values(self) -> dict[str, Any]:
        return {stage: envelope.value for stage, envelope in self.envelopes.items()}

    def show(self, name: str) -> None:
        """Print the block called `name`: what a cell does."""
        print(self.block(name))

    def block(self, name: str) -> str:
        """Return the block called `name` as Markdown, after callouts for what is stale or missing.

        Raises:
            UserError: if there is no such block.
        """
        if name not in BLOCKS:
            raise UserError(f"There is no block {name!r}; the blocks are {', '.join(BLOCKS)}.")
        block = BLOCKS[name]
        callouts = self._callouts(block)
        if self.is_filled(name):
            callouts.append(self._fill(name))
        elif self._has_results(block):
            callouts.append(_callout("warning", "Missing: a drawing", "Run `python reporting/prepare.py`."))
        return "\n\n".join(callouts)

    def is_filled(self, name: str) -> bool:
        """Whether a block shows more than callouts, so that others can refer to what it holds."""
        return self._has_results(BLOCKS[name]) and self._has_drawing(name)

    def anchors(self, name: str) -> tuple[str, ...]:
        """Return the identifiers of the tables and figures that a block shows with these results."""
        block = BLOCKS[name]
        used = self.used(block) if self.is_filled(name) else None
        return tuple(each for each in block.anchors if used is not None and block.has(used, each))

    def used(self, block: Block) -> dict[str, Any]:
        """Return the results that a block is filled from, as far as they are there."""
        return {stage: self.envelopes[stage].value for stage in block.stages if stage in self.envelopes}

    def _has_results(self, block: Block) -> bool:
        is_enough = not block.stages or any(stage in self.envelopes for stage in block.stages)
        return is_enough and all(stage in self.envelopes for stage in block.needs)

    def _has_drawing(self, name: str) -> bool:
        return not BLOCKS[name].figure or (self.project.root / FIGURES / f"{name}.svg").is_file()

    def _fill(self, name: str) -> str:
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
            manifests=self.manifests,
            is_filled=self.is_filled,
            sources=partial(sources, self.project.root, self.anchors),
            facts=facts,
            captions=caption_facts,
            key_of=key_of,
            classifiers=CLASSIFIERS,
            classes_of=classes_of,
            measures_of=measures_of,
            strong=strong,
            code=code,
            command=command,
            picture=self._picture,
        )

    @cached_property
    def _templates(self) -> jinja2.Environment:
        return templates_in(self.project.root / "templates")

    def _picture(self, attachment: Attachment, side: int) -> Picture | None:
        """Return the picture of a photo, as large as a square of `side` pixels, None if it is gone."""
        path = self.project.results / "generate" / attachment.file
        if not path.is_file():
            return None
        return Picture(
            path.relative_to(self.project.root).as_posix(),
            width(path, side),
        )

    def _callouts(self, block: Block) -> list[str]:
        """Return a callout for the stages of a block that are missing and one for those that are stale."""
        missing = [stage for stage in block.stages if stage not in self.envelopes]
        stale = [
            stage for stage in block.stages if stage not in missing and self.states[stage].state == "stale"
        ]
        callouts = []
        if missing:
            text = f"There is nothing to show from these yet.\n\n{self._commands(missing)}"
            callouts.append(_callout("warning", f"Missing: {', '.join(missing)}", text))
        if stale:
            text = f"What follows is not what today's code, data and options gave.\n\n{self._commands(stale)}"
            callouts.append(_callout("caution", f"Stale: {', '.join(stale)}", text))
        return callouts

    def _commands(self, stages: list[str]) -> str:
        """Return a list with the command that brings each stage up to date, and why it has to be run."""
        profile = self.project.name
        reasons = {stage: escape(first_few(self.states[stage].why, 3)) for stage in stages}
        return "\n".join(
            f"- run `python -m experiments run {stage} --profile {profile}`: {reasons[stage]}"
            for stage in stages
        )


def open_document(project: Project | None = None) -> Document:
    """Read the state and the result of every stage that a block names."""
    project = project or open_project()
    named = {stage for block in BLOCKS.values() for stage in block.stages}
    unknown = Freshness(state="missing", why=("the pipeline has no such stage yet",), key="")
    found = {**dict.fromkeys(named, unknown), **freshness.states(project, project.stages)}
    states = {stage: found[stage] for stage in sorted(found)}
    envelopes = {}
    for stage in (stage for stage, state in states.items() if state.state != "missing"):
        try:
            envelopes[stage] = store.read(project, stage)
        except UserError:
            why = ("its result was written by code whose results looked different", *states[stage].why)
            states[stage] = Freshness(state="missing", why=why, key=states[stage].key)
    for stage in (stage for stage in JUDGING if stage in envelopes):
        if not _judges(envelopes, stage):
            why = ("it was made from other results than those shown",)
            states[stage] = Freshness(state="missing", why=why, key=states[stage].key)
            del envelopes[stage]
    return Document(project=project, states=states, envelopes=envelopes)


def _judges(envelopes: Mapping[str, Any], name: str) -> bool:
    """Tell whether a stage that judges others did so for the very results that are shown.

    They may be stale, as long as it was these that were judged: else sentences would outrun them.
    """
    inputs = envelopes[name].provenance.ingredients.inputs
    return all(
        found is None
        or stage not in envelopes
        or (envelopes[stage].key, digest(envelopes[stage].value, envelopes[stage].value.COSTS))
        == (found.key, found.value)
        for stage, found in inputs.items()
    )


def _callout(kind: str, title: str, text: str) -> str:
    return f'::: {{.callout-{kind} title="{title}"}}\n{text}\n:::'


def templates_in(folder: Path) -> jinja2.Environment:
    """Return the templates of `folder`; whatever they print is escaped unless it is `Markdown`."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
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
