"""The page an application leaves: one HTML file that stands alone, its pictures as files too, and all numbers as JSON.

report.html     the page, in light or dark as the reader's system is
numbers.json    every figure of every round, settings, split, versions
*.png           the pictures
"""

from __future__ import annotations

import base64
import json
import math
import platform
from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import sklearn

from .. import __version__
from ..serialization import write_whole
from ..train import pictures as drawing
from .application import Measure
from .evaluation import PARTS, Outcome, Result
from .pictures import comparison

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PAGE, NUMBERS = "report.html", "numbers.json"
FORMAT = 1

_STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #ffffff; --line: #c9d1d9; --soft: #f3f5f7; --ours: #0072b2; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e8ea; --paper: #16181b; --line: #3c434b; --soft: #20242a; --ours: #56b4e9; }
}
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 60rem;
       margin: 2rem auto; padding: 0 1rem; }
h1 { line-height: 1.2; } h2 { margin-top: 2.2rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid var(--line); }
td.figure, th.figure { text-align: right; white-space: nowrap; }
tr.ours td:first-child { color: var(--ours); font-weight: 600; }
.wide { overflow-x: auto; }
.verdict { background: var(--soft); border-left: 4px solid var(--ours); padding: .6rem 1rem; }
figure { margin: 1.2rem 0; } figure img { max-width: 100%; background: #fff; border-radius: 6px; }
dt { font-weight: 600; } dd { margin: 0 0 .5rem 0; }
"""


def figures(outcome: Outcome) -> dict[str, Figure]:
    """Return the pictures of the page: the comparison in the first measure of each contest, then the application's."""
    found = {}
    for number, result in enumerate(outcome.results, 1):
        name = "comparison" if len(outcome.results) == 1 else f"comparison-{number}"
        found[name] = comparison(result, result.measures[0])
    return {**found, **outcome.application.pictures(outcome)}


def write(folder: Path, outcome: Outcome) -> None:
    """Write page, numbers and pictures into a folder that exists. Raises OSError where that fails."""
    pictures = {}
    for name, figure in figures(outcome).items():
        drawing.save(figure, folder / f"{name}.png")
        pictures[name] = (folder / f"{name}.png").read_bytes()
    said = outcome.application.findings(outcome)
    text = json.dumps(numbers(outcome, said), indent=1, allow_nan=False, ensure_ascii=False)
    write_whole(folder / NUMBERS, f"{text}\n".encode())
    write_whole(folder / PAGE, page(outcome, said, pictures).encode())


def numbers(outcome: Outcome, findings: Iterable[str] = ()) -> dict[str, Any]:
    """Return everything that was measured, as JSON can hold it; what has no meaning (NaN) is None."""
    application = outcome.application
    return {
        "format": FORMAT,
        "application": application.name,
        "title": application.title,
        "family": application.family,
        "source": application.source.text,
        "licence": application.source.licence,
        "settings": application.settings,
        "seed": outcome.seed,
        "quick": outcome.quick,
        "seconds": round(outcome.seconds, 3),
        "contests": [_contest(result) for result in outcome.results],
        "findings": list(findings),
        "versions": {
            "wengert": __version__,
            "numpy": np.__version__,
            "scikit-learn": sklearn.__version__,
            "python": platform.python_version(),
        },
    }


def _contest(result: Result) -> dict[str, Any]:
    verdict = result.judged()
    return {
        "name": result.contest.name,
        "split": result.contest.split,
        "rows": len(result.samples),
        "features": result.samples.x.shape[1],
        "rounds": [[each.repeat, len(each.train), len(each.test)] for each in result.rounds],
        "judged": {
            "measure": result.measures[0].name,
            "ours": verdict.ours,
            "baseline": verdict.baseline,
            "ahead": verdict.ahead,
            "error": _number(verdict.error),
            "clear": verdict.clear,
            "sentence": verdict.sentence,
        },
        "contestants": [
            {
                "name": entrant.name,
                "ours": entrant.ours,
                "about": entrant.about,
                "training_seconds": round(result.seconds[entrant.name], 3),
                "measures": {m.name: _measured(result, entrant.name, m) for m in result.measures},
            }
            for entrant in result.entrants
        ],
    }


def _measured(result: Result, entrant: str, measure: Measure) -> dict[str, Any]:
    return {
        part: {
            "mean": _number(result.mean(entrant, measure.name, part)),
            "spread": _number(result.spread(entrant, measure.name, part)),
            "spread_of_repeats": _number(result.spread_of_repeats(entrant, measure.name, part)),
            "rounds": [_number(value) for value in result.figures[entrant, measure.name, part].tolist()],
        }
        for part in PARTS
    }


def _number(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else value


def page(outcome: Outcome, findings: Iterable[str], pictures: dict[str, bytes]) -> str:
    """Return the HTML page; pictures: PNG files by name, which become part of it."""
    application, parts = outcome.application, []
    parts.append(f"<h1>{escape(application.title)}</h1>")
    parts.append(f"<p>{escape(application.family.capitalize())}. {escape(application.question)}</p>")
    if outcome.quick:
        quick = "A quick run: fewer rounds and shorter trainings than the text says. Do not quote its figures."
        parts.append(f"<p><strong>{quick}</strong></p>")
    parts += [
        f"<dl><dt>Data</dt><dd>{escape(application.source.text)}</dd>",
        f"<dt>Licence</dt><dd>{escape(application.source.licence)}</dd>",
        f"<dt>Settings</dt><dd>{escape(application.settings)}</dd></dl>",
    ]
    parts += [_section(result) for result in outcome.results]
    if said := list(findings):
        parts.append("<h2>Further figures</h2><ul>" + "".join(f"<li>{escape(line)}</li>" for line in said) + "</ul>")
    parts.append("<h2>Pictures</h2>")
    for name, content in pictures.items():
        data, shown = base64.b64encode(content).decode(), escape(name.replace("-", " "))
        image = f'<img alt="{shown}" src="data:image/png;base64,{data}">'
        parts.append(f"<figure>{image}<figcaption>{shown}</figcaption></figure>")
    command = escape(f"wengert apply {application.name} --seed {outcome.seed}{' --quick' * outcome.quick}")
    parts.append(f"<h2>What to take from it</h2><p>{escape(application.closing)}</p>")
    parts.append(
        f"<p>Seed {outcome.seed}, {outcome.seconds:.0f} s, wengert {escape(__version__)}. Every figure of every round "
        f"is in {NUMBERS}; <code>{command}</code> repeats it.</p>"
    )
    return document(application.title, parts)


def document(title: str, parts: Iterable[str]) -> str:
    """Return a whole HTML document around its parts."""
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{escape(title)}</title>'
    body = "\n".join(parts)
    return f'<!doctype html>\n<html lang="en"><head>{head}<style>{_STYLE}</style></head>\n<body>{body}</body></html>\n'


def _section(result: Result) -> str:
    rounds = f"{len(result.rounds)} round{'s' * (len(result.rounds) != 1)}"
    rows = f"{len(result.samples)} rows, {result.samples.x.shape[1]} features"
    head = "".join(f'<th class="figure">{escape(m.name)}, {part}</th>' for m in result.measures for part in PARTS)
    lines = [
        f"<h2>{escape(result.contest.name.capitalize())}</h2><p>{escape(result.contest.split)} {rows}; {rounds}.</p>",
        f'<p class="verdict">{escape(result.judged().sentence)}</p>',
        f'<div class="wide"><table><thead><tr><th>contestant</th>{head}<th>settings</th></tr></thead><tbody>',
    ]
    for entrant in result.entrants:
        cells = "".join(
            f'<td class="figure">{_cell(result, entrant.name, m, part)}</td>' for m in result.measures for part in PARTS
        )
        kind = "ours" if entrant.ours else "baseline"
        name = f"{entrant.name} ({kind})"
        lines.append(f'<tr class="{kind}"><td>{escape(name)}</td>{cells}<td>{escape(entrant.about)}</td></tr>')
    lines.append("</tbody></table></div><p>Mean ± standard deviation over the rounds.</p>")
    return "\n".join(lines)


def _cell(result: Result, entrant: str, measure: Measure, part: str) -> str:
    return escape(measure.text(result.mean(entrant, measure.name, part), result.spread(entrant, measure.name, part)))
