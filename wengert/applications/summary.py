"""The table of all applications: ours and every baseline, mean and spread, and in words who is ahead."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from .evaluation import PARTS, Outcome, Result

HEADER = ("application", "contestant", "training", "test", "rounds")


def _lines(outcome: Outcome, result: Result) -> list[tuple[str, ...]]:
    measure, found = result.measures[0], []
    name = f"{outcome.application.name}: {result.contest.name}"
    for entrant in result.entrants:
        cells = [
            measure.text(result.mean(entrant.name, measure.name, part), result.spread(entrant.name, measure.name, part))
            for part in PARTS
        ]
        who = f"{entrant.name} (ours)" if entrant.ours else entrant.name
        found.append((name, who, *cells, str(len(result.rounds))))
        name = ""
    return found


def text(outcome: Outcome) -> str:
    """Return what was measured as aligned lines for a terminal, each contest with its verdict below it."""
    parts = []
    for result in outcome.results:
        measure = result.measures[0]
        lines = [("contestant", f"{measure.name}, training", "test")]
        lines += [(line[1], line[2], line[3]) for line in _lines(outcome, result)]
        widths = [max(len(line[i]) for line in lines) for i in range(3)]
        table = "\n".join(
            "  ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)).rstrip() for line in lines
        )
        parts.append(f"{result.contest.split}\n{table}\n{result.judged().sentence}")
    return "\n\n".join(parts)


def markdown(outcomes: Iterable[Outcome], missing: Iterable[tuple[str, str]] = ()) -> str:
    """Return the table of all applications as Markdown.

    missing: (name, reason) of applications that could not be run.
    """
    lines = ["| " + " | ".join(HEADER) + " |", "|---|---|--:|--:|--:|"]
    for outcome in outcomes:
        for result in outcome.results:
            for name, who, *cells in _lines(outcome, result):
                bold = f"**{who}**" if who.endswith("(ours)") else who
                head = f"{name} ({result.measures[0].name})" if name else ""
                lines.append(f"| {head} | {bold} | " + " | ".join(cells) + " |")
            lines.append(f"| | *{result.judged().sentence}* | | | |")
    lines += [f"| {name} | *not run: {reason}* | | | |" for name, reason in missing]
    return "\n".join(lines) + "\n"


def html(outcomes: Iterable[Outcome], missing: Iterable[tuple[str, str]] = ()) -> list[str]:
    """Return the same as parts of a page; each application links to the page in the folder of its name."""
    lines = ["<h1>All applications</h1>", '<div class="wide"><table><thead><tr>']
    lines += [f"<th>{name}</th>" for name in HEADER]
    lines.append("</tr></thead><tbody>")
    for outcome in outcomes:
        for result in outcome.results:
            for (name, who, *cells), entrant in zip(_lines(outcome, result), result.entrants, strict=True):
                link = f'<a href="{outcome.application.name}/report.html">{escape(name)}</a>' if name else ""
                kind = "ours" if entrant.ours else "baseline"
                figures = "".join(f'<td class="figure">{escape(cell)}</td>' for cell in cells)
                lines.append(f'<tr class="{kind}"><td>{link}</td><td>{escape(who)}</td>{figures}</tr>')
            lines.append(f'<tr><td></td><td colspan="4"><em>{escape(result.judged().sentence)}</em></td></tr>')
    for name, reason in missing:
        lines.append(f'<tr><td>{escape(name)}</td><td colspan="4"><em>not run: {escape(reason)}</em></td></tr>')
    return [*lines, "</tbody></table></div>"]
