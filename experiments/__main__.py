"""The command line: new, check, run, status, why, reproduce, clean."""

import json
import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from experiments.project import open_project
from pipeline import freshness
from pipeline.errors import UserError, first_few
from pipeline.project import Project

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
    from experiments.new_profile.start import start, what_next

    start(name, Path.cwd(), photos=photos, captions=captions, images=images)
    typer.echo("\n".join(what_next(name, photos, images)))


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
    profile: ProfileOption = None,
) -> None:
    """Compute what is stale or missing; what is fresh is left alone."""
    project = open_project(profile)
    wanted = stages or list(project.stages)
    states = freshness.states(project, project.with_inputs(wanted))
    if all(states[name].state == "fresh" for name in wanted):
        typer.echo(f"Nothing to do: {', '.join(wanted)} {'is' if len(wanted) == 1 else 'are'} fresh.")
        return
    # Not before it is sure that something must run: these take longer to import than the answer above.
    from rich.console import Console

    from experiments.models.processes import among, is_main
    from experiments.preflight.presence import missing
    from pipeline.interrupt import insistent
    from pipeline.launching import start_those_asked_for
    from pipeline.runner import bring_up_to_date

    code = start_those_asked_for()
    if code is not None:
        raise typer.Exit(code)
    stale = [name for name, state in states.items() if state.state != "fresh"]
    outside = {data.name for name in stale for data in project.stages[name].data}
    try:
        with insistent():
            processes = among()
            if is_main(processes):
                lacking = missing(project.profile, project.root, project.downloads, outside)
                if lacking:
                    raise UserError("\n".join(lacking))
            bring_up_to_date(project, wanted, Console(quiet=not is_main(processes)), processes)
    except KeyboardInterrupt:
        typer.echo("Stopped; run the same command again and it goes on from its last checkpoint.", err=True)
        raise typer.Exit(130) from None


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
def reproduce(profile: ProfileOption = None) -> None:
    """Recompute everything into an empty folder and compare; exit code 1 outside a tolerance."""
    project = open_project(profile)
    from rich.console import Console

    from pipeline.reproduce import reproduce as run_again

    if not run_again(project, Console()):
        raise typer.Exit(1)


@app.command()
def clean(profile: ProfileOption = None) -> None:
    """Delete what can be made again (checkpoints, features); results and downloads stay."""
    project: Project = open_project(profile)
    shutil.rmtree(project.cache, ignore_errors=True)
    typer.echo(f"Deleted .cache/{project.cache.name}; results and downloads are untouched.")


def main() -> None:
    """Run the command line; a `UserError` becomes its sentence and exit code 2."""
    try:
        app()
    except UserError as error:
        typer.echo(str(error), err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
