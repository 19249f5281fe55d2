"""`wengert train`: learn the digits, a toy or a table, say how well, and leave a run folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .frame import GATE_FAILED, INTERRUPTED, say

if TYPE_CHECKING:
    from ..train.recipes import Recipe
    from .problems import Problem
    from .training import Rows, Trained


class Sizes(click.ParamType[tuple[int, ...]]):
    """Numbers of units divided by commas; nothing at all for no hidden layer."""

    name = "units"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        """Text as given -> sizes."""
        if isinstance(value, tuple):
            return value
        try:
            sizes = tuple(int(part) for part in value.split(",")) if value.strip() else ()
        except ValueError:
            sizes = (0,)
        if any(not 1 <= size <= 100_000 for size in sizes):
            self.fail(f"{value!r}: expected whole numbers of units divided by commas, such as 64,32.", param, ctx)
        return sizes


@click.command()
@click.argument("source", required=False, metavar="[digits | FILE.csv]")
@click.option("--data", "toy", type=click.Choice(["xor", "moons", "spiral", "sine"]), help="A toy instead of SOURCE.")
@click.option("--target", metavar="COLUMN", help="Column of FILE.csv to predict.")
@click.option("--task", type=click.Choice(["classification", "regression"]), help="[default: by the target's values]")
@click.option("--hidden", type=Sizes(), metavar="UNITS", help="Units of each hidden layer, as 64,32.")
@click.option("--epochs", type=click.IntRange(min=1), help="Times every training row is seen, at most.")
@click.option("--batch-size", type=click.IntRange(min=1), help="Rows a step looks at.")
@click.option("--lr", type=click.FloatRange(min=0, min_open=True), help="Learning rate to begin with.")
@click.option("--seed", type=click.IntRange(min=0, max=2**63), default=0, show_default=True)
@click.option("--out", type=click.Path(path_type=Path), help="Run folder [default: runs/NAME-1, -2, ...].")
@click.option("--cross-validate", is_flag=True, help="Only measure, on every fold in turn; leave no run folder.")
@click.option("--gate", type=click.FloatRange(0, 1), metavar="ACCURACY", help="Exit with 3 below it, as 0.98.")
@click.option("--quiet", is_flag=True, help="Say only how well it went.")
def train(source: str | None, toy: str | None, target: str | None, task: Any, out: Path | None, **options: Any) -> None:
    """Train a network on handwritten digits, on a table of your own, or on a toy.

    \b
    wengert train digits
    wengert train FILE.csv --target COLUMN
    wengert train --data moons

    A fifth of the rows is set aside for the test, always the same ones. The run folder holds the parameters,
    settings, one line of metrics per epoch, and pictures; `wengert predict RUN FILE.csv` uses it.
    """
    from . import problems

    if options["cross_validate"] and out is not None:
        raise click.UsageError("--cross-validate leaves no run folder; leave out --out.")
    problem = problems.find(source, toy, target, task)
    if options["gate"] is not None and not problem.classifies:
        raise click.UsageError("--gate is an accuracy, and this is a regression; leave it out.")
    changed = {name: options[name] for name in ("hidden", "epochs", "batch_size", "lr") if options[name] is not None}
    recipe = replace(problem.recipe, **changed)
    quiet, seed, gate = options["quiet"], options["seed"], options["gate"]
    if not quiet:
        click.echo(str(problem))
    for note in problem.notes if not quiet or problem.table is not None else ():
        say(f"note: {note}")
    if options["cross_validate"]:
        _cross_validate(problem, recipe, seed, gate, quiet)
    else:
        _train_once(problem, recipe, seed, out, gate, quiet)


def _train_once(problem: Problem, recipe: Recipe, seed: int, out: Path | None, gate: float | None, quiet: bool) -> None:
    from . import runs, training

    rows, validation, test = training.split(problem)
    if not quiet:
        from ..train.summary import summary

        click.echo(f"training {len(rows)} rows, validation {len(validation)}, test {len(test)}")
        shown = training.build(problem.learned_from(rows), recipe, seed)
        click.echo(f"\n{summary(shown, problem.x.shape[1])}\n")
    with runs.draft(problem.name, out) as draft:
        trained = training.train_on(problem, rows, validation, recipe, seed, not quiet)
        result = training.judge(trained, rows, test)
        splits = {"training": len(rows), "validation": len(validation), "test": len(test)}
        settings = _settings(trained, recipe, seed, splits, result)
        runs.save_run(draft.folder, trained.model, settings, trained.history.rows)
        from .gallery import draw

        draw(draft.folder, trained, test)
        place = draft.finish()
    epochs = f"{len(trained.history)} epoch{'s' * (len(trained.history) != 1)} in {trained.seconds:.1f} s"
    if trained.history.stopped_early:
        epochs += f", stopped early: the best was epoch {trained.history.best_epoch}"
    if not quiet:
        click.echo(f"\ntrained {epochs}")
    click.echo(training.verdict(result))
    click.echo(f"run folder {place}")
    if trained.history.interrupted:
        say("wengert: interrupted; the best state so far was saved.")
        raise click.exceptions.Exit(INTERRUPTED)
    _check_gate(gate, result.get("accuracy"), "the test accuracy")


def _settings(
    trained: Trained, recipe: Recipe, seed: int, splits: dict[str, int], result: dict[str, Any]
) -> dict[str, Any]:
    """Everything needed to build the network again, and to repeat the run."""
    import json
    import platform

    import numpy as np

    from .. import __version__
    from .training import SPLIT_SEED

    history = trained.history
    return {
        "name": trained.problem.name,
        "layout": trained.layout.to_dict(),
        "schema": json.loads(trained.problem.schema.to_json()),
        "recipe": recipe.to_dict(),
        "seed": seed,
        "rows": {**splits, "split_seed": SPLIT_SEED},
        "epochs": len(history),
        "best_epoch": history.best_epoch,
        "stopped_early": history.stopped_early,
        "interrupted": history.interrupted,
        "test": result,
        "seconds": round(trained.seconds, 3),
        "versions": {"wengert": __version__, "numpy": np.__version__, "python": platform.python_version()},
    }


def _cross_validate(problem: Problem, recipe: Recipe, seed: int, gate: float | None, quiet: bool) -> None:
    from ..datasets import blocks, folds

    n = len(problem.x)
    mean = _over(problem, recipe, seed, folds(n, 5, seed), "5 shuffled folds", quiet)
    if problem.image_side:
        _over(problem, recipe, seed, blocks(n, 5), "5 contiguous blocks (by writer)", quiet)
    _check_gate(gate, mean, "the mean accuracy over shuffled folds")


def _over(
    problem: Problem, recipe: Recipe, seed: int, splits: tuple[tuple[Rows, Rows], ...], name: str, quiet: bool
) -> float:
    """Train and test on each split, print each figure and the mean, and return the mean."""
    from . import training

    # Stopping early would need rows to watch: each fold trains to the end.
    figures = []
    for number, (rows, test) in enumerate(splits, 1):
        trained = training.train_on(problem, rows, None, recipe, seed, progress=False)
        if trained.history.interrupted:
            raise KeyboardInterrupt
        result = training.judge(trained, rows, test)
        figures.append(result["accuracy" if problem.classifies else "root_mean_squared_error"])
        if not quiet:
            click.echo(f"{name}, {number}: {training.verdict(result)} ({trained.seconds:.1f} s)")
    mean = sum(figures) / len(figures)
    shown = f"accuracy {100 * mean:.2f} %" if problem.classifies else f"root mean square error {mean:.4g}"
    click.echo(f"{name}: mean {shown}")
    return float(mean)


def _check_gate(gate: float | None, reached: float | None, what: str) -> None:
    if gate is not None and reached is not None and reached < gate:
        say(f"wengert: gate failed: {what} is {reached:.4f}, asked for at least {gate:.4f}.")
        raise click.exceptions.Exit(GATE_FAILED)
