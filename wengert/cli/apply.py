"""`wengert apply`: run a worked example on real data beside its baselines, and leave a report page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .frame import say

if TYPE_CHECKING:
    from ..applications.evaluation import Outcome

TABLE, ALL = "table.md", "applications"


@click.command()
@click.argument("name", required=False, metavar="[NAME]")
@click.option("--list", "listed", is_flag=True, help="List the applications.")
@click.option("--all", "every", is_flag=True, help="Run all of them, and write the table of all.")
@click.option("--seed", type=click.IntRange(min=0, max=2**31), default=0, show_default=True)
@click.option("--quick", is_flag=True, help="Fewer rounds, shorter trainings: only to see that it works.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder of the report [default: runs/NAME-1, -2, ...].")
@click.option("--quiet", is_flag=True, help="Say only how it compares.")
def apply(name: str | None, listed: bool, every: bool, seed: int, quick: bool, out: Path | None, quiet: bool) -> None:
    """Run a worked example on real data, beside its baselines.

    \b
    wengert apply --list
    wengert apply sonar
    wengert apply --all

    The folder holds report.html, which stands alone, the pictures, and numbers.json with every figure of every round.
    """
    if sum([name is not None, listed, every]) != 1:
        raise click.UsageError("name one application, or give --list or --all.")
    if listed:
        _list()
    elif every:
        _run_all(seed, quick, out, quiet)
    else:
        assert name is not None
        _run_one(name, seed, quick, out, quiet)


def _list() -> None:
    from .. import applications

    found = [applications.find(name) for name in applications.names()]
    width = max(len(each.name) for each in found)
    for each in found:
        click.echo(f"{each.name:{width}}  {each.title} ({each.family})")
        click.echo(f"{'':{width}}  data: {each.source.licence}")


def _run_one(name: str, seed: int, quick: bool, out: Path | None, quiet: bool) -> None:
    from .. import applications
    from ..applications import report, summary
    from . import runs

    application = applications.find(name)
    with runs.draft(name, out) as draft:
        outcome = _measured(application.name, seed, quick, quiet)
        report.write(draft.folder, outcome)
        place = draft.finish()
    click.echo(summary.text(outcome))
    if quick:
        say("note: a quick run; its figures are not to be quoted.")
    click.echo(f"report {place / report.PAGE}")


def _run_all(seed: int, quick: bool, out: Path | None, quiet: bool) -> None:
    from .. import applications
    from ..applications import report, summary
    from ..errors import DataError
    from ..serialization import write_whole
    from . import runs

    outcomes: list[Outcome] = []
    missing: list[tuple[str, str]] = []
    with runs.draft(ALL, out) as draft:
        for name in applications.names():
            try:
                outcome = _measured(name, seed, quick, quiet)
            except DataError as error:
                say(f"note: {name} was not run: {error}")
                missing.append((name, str(error)))
                continue
            (draft.folder / name).mkdir()
            report.write(draft.folder / name, outcome)
            outcomes.append(outcome)
        table = summary.markdown(outcomes, missing)
        write_whole(draft.folder / TABLE, table.encode())
        page = report.document("All applications", summary.html(outcomes, missing))
        write_whole(draft.folder / report.PAGE, page.encode())
        place = draft.finish()
    click.echo(table, nl=False)
    if quick:
        say("note: a quick run; its figures are not to be quoted.")
    click.echo(f"report {place / report.PAGE}")


def _measured(name: str, seed: int, quick: bool, quiet: bool) -> Outcome:
    from .. import applications
    from ..applications.evaluation import evaluate

    application = applications.find(name)
    if not quiet:
        click.echo(f"{application.title}. {application.question}\n{application.source.text}")
    outcome = evaluate(application, seed, quick, (lambda line: None) if quiet else click.echo)
    if not quiet:
        click.echo("")
    return outcome
