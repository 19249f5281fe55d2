"""`wengert explain`: the tables of forward and reverse accumulation, and the ledger of backpropagation."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import ArgumentError
from .frame import write_out

if TYPE_CHECKING:
    from ..explanation import Explained

PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>{title}</title>
<style>
body {{ font: 16px/1.5 sans-serif; margin: 2rem; }}
table {{ border-collapse: collapse; margin: 1.5rem 0; }}
caption {{ font-weight: bold; text-align: left; padding: .3rem 0; }}
th, td {{ border: 1px solid #999; padding: .2rem .6rem; text-align: left; font-weight: normal; }}
thead th {{ font-weight: bold; }}
</style></head>
<body>
{body}
</body>
</html>"""

FORMATS = click.Choice(["text", "html", "latex", "json"])


class FormulaGroup(click.Group):
    """A group whose first argument is a formula unless it names a subcommand."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the name of the hidden command for formulas in front."""
        if args and args[0] not in {*self.commands, *ctx.help_option_names}:
            args = ["formula", *args]
        return super().parse_args(ctx, args)


@click.group(cls=FormulaGroup, options_metavar="", subcommand_metavar="FORMULA --at VALUES | backprop")
def explain() -> None:
    """Show how derivatives come about, line by line.

    \b
    wengert explain "x1*x2 + sin(x1)" --at x1=2,x2=5
    wengert explain backprop

    Each has its own --help: wengert explain formula --help, wengert explain backprop --help.
    """


def _output(command: Any) -> Any:
    """The two options that say in what form and where to."""
    out = click.option("--out", type=click.Path(path_type=Path), help="Write to this file instead of the screen.")
    form = click.option("--format", "form", type=FORMATS, default="text", show_default=True)
    return form(out(command))


@explain.command("formula", context_settings={"ignore_unknown_options": True})  # -x^2 is a formula
@click.argument("formula")
@click.option("--at", "points", multiple=True, metavar="VALUES", help="Values of the variables, as x1=2,x2=pi/2.")
@click.option("--seed", metavar="VARIABLE", help="The variable whose tangent is 1 [default: the first].")
@_output
def explain_formula(formula: str, points: tuple[str, ...], seed: str | None, form: str, out: Path | None) -> None:
    """Forward and reverse accumulation of the derivatives of FORMULA, and for a chain its product both ways."""
    from ..errors import GradientError
    from ..explanation import Explained, parse_point
    from ..explanation import explain as explanation_of
    from ..explanation.tables import Report

    point = parse_point(",".join(points)) if points else {}
    shown = explanation_of(formula)(**point)
    report = shown.report_for(seed)
    with suppress(GradientError):  # raised where it is no chain of functions of one number
        report = Report(report.title, report.tables + shown.chain().report.tables, report.decimals)
    _write(Explained(report), form, out)


@explain.command()
@click.option("--network", metavar="FILE|RUN", help="A network file (JSON) or a run folder [default: the lecture's].")
@click.option("--updates", type=click.IntRange(min=0), default=1, show_default=True, help="How many, printed up to 5.")
@click.option("--inputs", metavar="NUMBERS", help="The pattern shown, as 0.05,0.1; needed with a run.")
@click.option("--targets", metavar="NUMBERS", help="What the outputs should be; needed with a run.")
@click.option("--rate", type=float, help="The learning rate [default: the file's; 0.5 with a run].")
@_output
def backprop(
    network: str | None,
    updates: int,
    inputs: str | None,
    targets: str | None,
    rate: float | None,
    form: str,
    out: Path | None,
) -> None:
    """The four steps of backpropagation in a multilayer perceptron, per unit and per weight."""
    from ..explanation import explain_backprop

    source: Any = network
    if network is not None and Path(network).is_dir():
        from .runs import load_run

        source = load_run(network).model
    ledger = explain_backprop(
        source, updates, inputs=_numbers("--inputs", inputs), targets=_numbers("--targets", targets), rate=rate
    )
    _write(ledger, form, out)


def _numbers(option: str, text: str | None) -> list[float] | None:
    if text is None:
        return None
    try:
        return [float(number) for number in text.split(",")]
    except ValueError:
        raise ArgumentError(f"{option} {text!r}: expected numbers divided by commas, such as 0.05,0.1.") from None


def _write(explained: Explained, form: str, out: Path | None) -> None:
    if form == "html":
        import html

        text = PAGE.format(title=html.escape(explained.report.title), body=explained.to_html())
    else:
        text = {"text": explained.__str__, "latex": explained.to_latex, "json": explained.to_json}[form]()
    write_out(text, out)
