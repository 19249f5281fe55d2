"""The tables: as text while they are measured, as Markdown in benchmarks/README.md at the end."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from catalogue import Row
from driver import LABELS, Cell

BEGIN, END = "<!-- results: written by run.py -->", "<!-- end of results -->"
COLUMNS = ("wengert", "numpy", "torch", "torch.compile", "jax", "jax.scan")
LONGEST = "longest program, ms"  # the note of a case that a goal looks at
MILLISECONDS = ("import", "start", "compile")

Cells = dict[str, Cell]


def figure(value: float) -> str:
    """Return a number with three digits that matter.

    >>> figure(0.01234), figure(1.234), figure(1234.5)
    ('0.0123', '1.23', '1,234')
    """
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value < 10 else f"{value:.1f}"


def unit(row: Row) -> float:
    """Return what a cell's number is multiplied by: microseconds, milliseconds, or MiB as they are."""
    return 1.0 if row.how == "memory" else 1e3 if row.how in MILLISECONDS else 1e6


def share_of_peak(row: Row, cell: Cell, peak: float) -> str:
    """Return the fraction of the machine's multiply-adds that wengert uses, in per cent."""
    if not row.flops or cell.seconds is None or not peak:
        return ""
    return f"{100 * row.flops / cell.seconds / 1e9 / peak:.2g} %"


def verdict(row: Row, cells: Cells, peak: float) -> str:
    """Return whether the goals are reached: "met", or by what factor the farthest is missed; "" where there is none."""
    ours = cells.get("wengert", Cell())
    if ours.seconds is None:
        return "no figure"
    reached = [(cells[lib].ratio or 0.0) / goal for lib, goal in row.goals.items() if lib in cells and cells[lib].ratio]
    if row.most:
        library, factor, more = row.most
        measured = cells.get(library, Cell()).seconds
        if measured is not None or not library:
            reached.append((factor * (measured or 0.0) + more) / max(ours.seconds, 1e-9))
    if row.share and peak:
        reached.append(row.flops / ours.seconds / 1e9 / peak / row.share)
    longest = ours.notes.get(LONGEST, 0.0)
    if row.stall and longest:
        reached.append(row.stall / longest)
    if not reached:
        return ""
    return "met" if min(reached) >= 1 else f"missed, {min(reached):.2g} of it"


def _text(row: Row, library: str, cells: Cells, fastest: float) -> str:
    if library not in cells:
        return ""
    cell = cells[library]
    if cell.seconds is None:
        return cell.why if len(cell.why) <= 70 else cell.why[:67] + "..."
    number = figure(cell.seconds * unit(row))
    if cell.seconds == fastest:
        number = f"**{number}**"
    return number if library == "wengert" or cell.ratio is None else f"{number} ({figure(cell.ratio)})"


def fastest_of(row: Row, cells: Cells) -> float:
    """Return the smallest figure of a row; NumPy counts only where it does the same work."""
    rivals = [lib for lib in cells if lib != "numpy" or row.work == "matmul"]
    return min((cells[lib].seconds or 0.0 for lib in rivals if cells[lib].seconds is not None), default=0.0)


def markdown_line(row: Row, cells: Cells, peak: float) -> str:
    """Return one line of the Markdown table."""
    fastest = fastest_of(row, cells)
    ours = cells.get("wengert", Cell())
    texts = [_text(row, library, cells, fastest) for library in COLUMNS]
    parts = [row.label, texts[0], share_of_peak(row, ours, peak), *texts[1:], row.aim, verdict(row, cells, peak)]
    return "| " + " | ".join(part.replace("|", "/") for part in parts) + " |"


def terminal_line(row: Row, cells: Cells, peak: float) -> str:
    """Return one row as a few lines for a terminal."""
    lines = [f"{row.name}: {row.label}"]
    for library, cell in cells.items():
        if cell.seconds is None:
            lines.append(f"    {LABELS[library]:<14} {cell.why}")
            continue
        unit_name = "MiB" if row.how == "memory" else "ms" if row.how in MILLISECONDS else "us"
        ratio = f"{figure(cell.ratio):>8} times wengert" if cell.ratio is not None and library != "wengert" else ""
        share = share_of_peak(row, cell, peak)
        share = f"{share:>8} of peak" if share else ""
        spread = f"+- {100 * cell.spread:.0f} %" if cell.spread else ""
        lines.append(
            f"    {LABELS[library]:<14} {figure(cell.seconds * unit(row)):>10} {unit_name}  {spread:<8}"
            f"{ratio:<24}{share}"
        )
        lines += [f"    {'':<14} {name}: {figure(value)}" for name, value in cell.notes.items()]
    outcome = verdict(row, cells, peak)
    if row.aim:
        lines.append(f"    goal: {row.aim}" + (f" - {outcome}" if outcome else ""))
    return "\n".join(lines)


def table(results: Iterable[tuple[Row, Cells]], peak: float) -> str:
    """Return the main table."""
    names = [LABELS[library] for library in COLUMNS[1:]]
    head = ["work", "wengert", "of peak", *names, "goal", "reached"]
    lines = ["| " + " | ".join(head) + " |", "|---|" + "---:|" * (len(head) - 3) + "---|---|"]
    return "\n".join(lines + [markdown_line(row, cells, peak) for row, cells in results])


def notes(results: Iterable[tuple[Row, Cells]]) -> str:
    """Return the figures that have no column, such as the longest single program."""
    lines = [
        f"- {row.label}: {LABELS[library]}, {name}: {figure(value)}"
        for row, cells in results
        for library, cell in cells.items()
        for name, value in cell.notes.items()
    ]
    return "\n".join(lines)


def growth(results: list[tuple[Row, Cells]]) -> str:
    """Return the table of how cost grows. A step is a cliff where each operation suddenly costs half as much again."""
    lines = [
        "| one training step | wengert, us | GFLOP/s | torch eager, us | times wengert | |",
        "|---|---:|---:|---:|---:|---|",
    ]
    before: dict[str, float] = {}
    for row, cells in results:
        ours, theirs = cells["wengert"].seconds, cells["torch"].seconds
        per_flop = ours / row.flops if ours else 0.0
        cliff = "**a cliff**" if before.get(row.group) and per_flop > 1.5 * before[row.group] else ""
        before[row.group] = per_flop
        ratio = cells["torch"].ratio
        parts = [
            row.label,
            figure(1e6 * ours) if ours else cells["wengert"].why,
            figure(1e-9 / per_flop) if per_flop else "",
            figure(1e6 * theirs) if theirs else cells["torch"].why,
            figure(ratio) if ratio else "",
            cliff,
        ]
        lines.append("| " + " | ".join(parts) + " |")
    return "\n".join(lines)


def write(path: Path, text: str) -> None:
    """Put text between the two markers of a file. Raises `ValueError` where they are missing."""
    page = path.read_text(encoding="utf-8")
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{path} lacks the markers {BEGIN!r} and {END!r}.")
    path.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", encoding="utf-8")
