"""The command line: new, check, run, status, why, reproduce, clean."""

from pipeline import startup

if __name__ == "__main__":
    startup.guard("requirements.txt")

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from experiments.project import open_project
from pipeline import STARTED, freshness
from pipeline.closure import Code
from pipeline.errors import UserError, first_few, sentence

app = typer.Typer(
    help="Run the experiments behind the report and ask what is fresh.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
ProfileOption = Annotated[
    str | None,
    typer.Option(
        "--profile", help="A file in profiles/, without .toml. [default: QUARTO_PROFILE or offline]"
    ),
]


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="The profile's name: letters, digits, - and _.")],
    photos: Annotated[
        str | None, typer.Option(help="A folder of photos of your own, with --captions.")
    ] = None,
    captions: Annotated[str | None, typer.Option(help="The file with the captions of those photos.")] = None,
    images: Annotated[
        str | None, typer.Option(help="A folder of images of your own, with a folder for each class.")
    ] = None,
) -> None:
    """Write a profile to start from, profiles/NAME.toml, in which every line says what it means."""
    from experiments.new_profile.folders import unmatched
    from experiments.new_profile.start import start, what_next

    start(name, Path.cwd(), photos=photos, captions=captions, images=images)
    remarks = unmatched(photos, captions, Path.cwd()) if photos and captions else []
    typer.echo("\n".join([*what_next(name, photos, images), *remarks]))


@app.command()
def check(profile: ProfileOption = None) -> None:
    """Read all that a profile names and list every problem at once; exit code 2 if there is one."""
    project = open_project(profile)
    from rich.console import Console

    from experiments.preflight import check as preflight

    checked = preflight.check(project, Console(stderr=True))
    typer.echo("\n".join(preflight.lines(checked, project.name)))
    if checked.findings.problems:
        raise typer.Exit(2)


@app.command()
def run(
    stages: Annotated[
        list[str] | None, typer.Argument(help="Stages to bring up to date; all if none.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Compute the named stages again, although they are fresh.")
    ] = False,
    profile: ProfileOption = None,
) -> None:
    """Compute what is stale or missing; what is fresh is left alone, unless it is forced by name."""
    project = open_project(profile)
    if force and not stages:
        raise UserError("`run --force` computes named stages again: name them, as in `run --force cnn vit`.")
    wanted = stages or list(project.stages)
    code = Code(project.root)  # what is edited from now on is not what runs
    states = freshness.states(project, project.with_inputs(wanted), code)
    if not force and all(states[name].state == "fresh" for name in wanted):
        typer.echo(f"Nothing to do: {', '.join(wanted)} {'is' if len(wanted) == 1 else 'are'} fresh.")
        return
    if edited := code.edited_since(STARTED):  # so that Python may have read another text than the one known
        raise UserError(
            f"{first_few(edited, 3, ', ')} changed just now, while this began: run the same command again."
        )
    # Not before it is sure that something must run: these take longer to import than the answer above.
    from rich.console import Console

    from experiments.models.processes import among, is_main
    from experiments.preflight.presence import missing, unknown
    from pipeline.interrupt import insistent
    from pipeline.launching import start_those_asked_for
    from pipeline.runner import bring_up_to_date

    ended = start_those_asked_for()
    if ended is not None:
        raise typer.Exit(ended)
    forced = wanted if force else []
    to_compute = project.with_inputs(wanted, lambda name: name in forced or states[name].state != "fresh")
    outside = {data.name: data for name in to_compute for data in project.stages[name].data}
    with stoppable("run the same command again"), insistent():
        processes = among()
        if is_main(processes):
            lacking = missing(project.profile, project.root, project.downloads, outside)
            # What a stage that is begun would say as well, after what it is begun for.
            lacking = lacking or unknown(project, outside.values(), code)
            if lacking:
                raise UserError("\n".join(lacking))
        console = Console(quiet=not is_main(processes))
        is_up_to_date = bring_up_to_date(project, wanted, console, processes, force=forced, code=code)
        if not is_main(processes):
            return
        if open_project(project.name).profile != project.profile:
            typer.echo(f"The profile {project.name} was changed while this ran: run the same command again.")
            raise typer.Exit(1)
        if not is_up_to_date:
            raise typer.Exit(1)
        what = ", ".join(stages) if stages else f"The results in results/{project.name}"
        typer.echo(f"{what} {'is' if len(wanted) == 1 else 'are'} up to date.")


@app.command()
def status(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="End with exit code 1 if a stage is not fresh.")
    ] = False,
    profile: ProfileOption = None,
) -> None:
    """Show the state of every stage, and the first reasons; `why STAGE` names all."""
    project = open_project(profile)
    name = project.name
    states = freshness.states(project, project.stages)
    if as_json:
        stages = {stage: state.model_dump(mode="json") for stage, state in states.items()}
        typer.echo(json.dumps({"profile": name, "stages": stages}, indent=1))
    else:
        typer.echo(f"profile {name}")
        for stage, state in states.items():
            typer.echo(f"  {stage:<12} {state.state:<8} {first_few(state.why)}".rstrip())
        for remark in dict.fromkeys(remark for state in states.values() for remark in state.remarks):
            typer.echo(f"  {remark}")
    waiting = [stage for stage, state in states.items() if state.state != "fresh"]
    if strict and waiting:
        typer.echo(
            f"Not fresh: {', '.join(waiting)}; `python -m experiments run --profile {name}` computes them.",
            err=True,
        )
        raise typer.Exit(1)


@app.command()
def why(stage: str, profile: ProfileOption = None) -> None:
    """Name everything that changed since a stage's result was made."""
    project = open_project(profile)
    state = freshness.of(project, stage)
    typer.echo(f"{stage} is {state.state}" + (":" if state.why else "."))
    for reason in (*state.why, *state.remarks):
        typer.echo(f"  {reason}")


@app.command()
def reproduce(
    stages: Annotated[list[str] | None, typer.Argument(help="Stages to compute again; all if none.")] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Compute also what an earlier call has computed again.")
    ] = False,
    profile: ProfileOption = None,
) -> None:
    """Compute stages again from nothing and compare; exit code 1 outside a tolerance.

    A call that was stopped is gone on with by the next.
    """
    project = open_project(profile)
    from rich.console import Console

    from pipeline.interrupt import insistent
    from pipeline.reproduce import reproduce as run_again

    once_more = "run `reproduce` again, without --force," if force else "run the same command again"
    with stoppable(once_more), insistent():
        if not run_again(project, Console(), stages or (), force=force):
            raise typer.Exit(1)


@app.command()
def clean(
    everything: Annotated[
        bool, typer.Option("--all", help="Delete all that can be made again, of every profile.")
    ] = False,
) -> None:
    """Delete from .cache what no profile's keys lead to any more; results and downloads stay."""
    from experiments.cleaning import clean as delete

    cleaned = delete(Path.cwd(), everything=everything)
    typer.echo("\n".join(cleaned.lines))
    if cleaned.refused:
        raise UserError(f"Not deleted: {first_few(cleaned.refused)}. Allow it, then clean again.")


@contextmanager
def stoppable(again: str) -> Iterator[None]:
    """Say how a command that the keyboard stops is gone on with, and end it with exit code 130."""
    try:
        yield
    except KeyboardInterrupt:
        typer.echo(f"Stopped; {again} and it goes on from its last checkpoint.", err=True)
        raise typer.Exit(130) from None


def main() -> None:
    """Run the command line; a `UserError`, or what the system refuses, is a sentence and exit code 2."""
    try:
        app()
    except (UserError, OSError) as error:
        typer.echo(sentence(error), err=True)
        sys.exit(2)


if __name__ == "__main__":
    with startup.over():
        main()
