"""A report as plain text, HTML, LaTeX or JSON."""

from __future__ import annotations

import html
import json
import math
import re
from typing import Any

from .expression import Computed, Equation, to_latex, to_text
from .numerals import Array
from .tables import Cell, Column, Report, Table

_LATEX_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": "$<$",
    ">": "$>$",
}


def report_to_text(report: Report) -> str:
    """Monospaced text: aligned columns, numbers by their decimal points.

    >>> from wengert.explanation.expression import Name
    >>> table = Table("one", (Column("n", "n", "numbers"), Column("s", "symbol")), ((Computed(2.5), Name("x")),))
    >>> print(report_to_text(Report("example", (table,))))
    example
    =======
    <BLANKLINE>
    one
    n    symbol
    ---  ------
    2.5  x
    """
    blocks = [f"{report.title}\n{'=' * len(report.title)}"]
    blocks += [_table_to_text(table, report.decimals) for table in report.tables]
    return "\n\n".join(blocks)


def report_to_html(report: Report) -> str:
    """One `<section>` of semantic tables: captions, `scope` on every header cell, all text escaped.

    >>> report_to_html(Report("a < b", ()))
    '<section class="wengert-explanation">\\n<h3>a &lt; b</h3>\\n</section>'
    """
    parts = ['<section class="wengert-explanation">', f"<h3>{html.escape(report.title)}</h3>"]
    parts += [_table_to_html(table, report.decimals) for table in report.tables]
    return "\n".join([*parts, "</section>"])


def report_to_latex(report: Report) -> str:
    r"""Sections and `tabular`s that compile with any document class and no package.

    >>> print(report_to_latex(Report("50 % done", ())))
    \section*{50 \% done}
    """
    parts = [rf"\section*{{{_words_to_latex(report.title)}}}"]
    parts += [_table_to_latex(table, report.decimals) for table in report.tables]
    return "\n\n".join(parts)


def report_to_json(report: Report) -> str:
    """Strict JSON: numbers unrounded (nan and infinities as strings), symbols as text and as LaTeX.

    >>> report_to_json(Report("t", ()))
    '{"title": "t", "tables": []}'
    """
    tables = [
        {
            "title": table.title,
            "columns": [{"key": column.key, "heading": column.heading} for column in table.columns],
            "rows": [
                {
                    column.key: _cell_to_json(cell, report.decimals)
                    for column, cell in zip(table.columns, row, strict=True)
                }
                for row in table.rows
            ],
            "notes": list(table.notes),
        }
        for table in report.tables
    ]
    return json.dumps({"title": report.title, "tables": tables}, ensure_ascii=False, allow_nan=False)


def _table_to_text(table: Table, decimals: int) -> str:
    columns = []
    for place, column in enumerate(table.columns):
        cells = [_cell_to_text(row[place], decimals) for row in table.rows]
        columns.append(_aligned(column, cells))
    lines = [table.title]
    lines += ["  ".join(cells).rstrip() for cells in zip(*columns, strict=True)]
    return "\n".join([*lines, *table.notes])


def _aligned(column: Column, cells: list[str]) -> list[str]:
    """The heading, a rule and the cells of one column, all equally wide."""
    if column.holds == "numbers":
        # What stands before the decimal point (or the exponent) is flush right.
        whole = [re.split(r"[.e]", cell)[0] if cell[:1] != "[" else "" for cell in cells]
        margin = max(map(len, whole), default=0)
        cells = [" " * (margin - len(part)) * bool(part) + cell for part, cell in zip(whole, cells, strict=True)]
    width = max(map(len, [column.heading, *cells]))
    return [column.heading.ljust(width), "-" * width, *(cell.ljust(width) for cell in cells)]


def _cell_to_text(cell: Cell, decimals: int) -> str:
    if cell is None or isinstance(cell, str):
        return cell or ""
    return to_text(cell, decimals)


def _table_to_html(table: Table, decimals: int) -> str:
    head = "".join(f'<th scope="col">{html.escape(column.heading)}</th>' for column in table.columns)
    parts = [
        "<table>",
        f"<caption>{html.escape(table.title)}</caption>",
        f"<thead><tr>{head}</tr></thead>",
        "<tbody>",
    ]
    for row in table.rows:
        cells = [_cell_to_html(cell, decimals) for cell in row]
        first, rest = cells[0], "".join(f"<td>{cell}</td>" for cell in cells[1:])
        parts.append(f'<tr><th scope="row">{first}</th>{rest}</tr>')
    parts += ["</tbody>", "</table>"]
    return "\n".join([*parts, *(f"<p>{html.escape(note)}</p>" for note in table.notes)])


def _cell_to_html(cell: Cell, decimals: int) -> str:
    written = html.escape(_cell_to_text(cell, decimals))
    return written if cell is None or isinstance(cell, str | Computed) else f"<code>{written}</code>"


def _table_to_latex(table: Table, decimals: int) -> str:
    align = "".join("r" if column.holds == "numbers" else "l" for column in table.columns)
    lines = [
        rf"\noindent\textbf{{{_words_to_latex(table.title)}}}\par\smallskip",
        rf"\noindent\begin{{tabular}}{{{align}}}",
        " & ".join(_words_to_latex(column.heading) for column in table.columns) + r" \\ \hline",
    ]
    for row in table.rows:
        cells = " & ".join(_cell_to_latex(cell, decimals) for cell in row)
        # The empty group keeps a cell that begins with [ from being read as an argument of the \\ before it.
        lines.append(rf"{{}}{cells} \\")
    lines.append(r"\end{tabular}\par\medskip")
    return "\n".join(lines + [rf"\noindent {_words_to_latex(note)}\par" for note in table.notes])


def _cell_to_latex(cell: Cell, decimals: int) -> str:
    if cell is None or isinstance(cell, str):
        return _words_to_latex(cell or "")
    return f"${to_latex(cell, decimals)}$"


def _words_to_latex(words: str) -> str:
    return re.sub(r"[\\~^<>_&%#${}]", lambda found: _LATEX_SPECIAL.get(found[0], "\\" + found[0]), words)


def _cell_to_json(cell: Cell, decimals: int) -> Any:
    if cell is None or isinstance(cell, str):
        return cell
    if isinstance(cell, Computed):
        return _array_to_json(cell.value)
    if isinstance(cell, Equation) and isinstance(cell.sides[-1], Computed):
        value = {"value": _array_to_json(cell.sides[-1].value)}
    else:
        value = {}
    return {"text": to_text(cell, decimals), "latex": to_latex(cell, decimals), **value}


def _array_to_json(value: Array) -> Any:
    if isinstance(value, tuple):
        return [_array_to_json(item) for item in value]
    return value if math.isfinite(value) else str(value)
