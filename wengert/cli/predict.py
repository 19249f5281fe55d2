"""`wengert predict`: a trained run reads a table and writes what it makes of each row."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import click

from .frame import say, write_out


@click.command()
@click.argument("run")
@click.argument("file")
@click.option("--out", type=click.Path(path_type=Path), help="Write to this file instead of the screen.")
def predict(run: str, file: str, out: Path | None) -> None:
    """Predict the target for each row of FILE.csv with the network in the run folder RUN.

    Columns are found by their names in the first line; the target column is not needed. Written is a CSV table:
    the line of FILE a row starts on, the prediction, and for a classification the probability of each class.
    """
    from ..train.tables import read_rows
    from .runs import load_run
    from .training import outputs, probabilities

    model, schema, _ = load_run(run)
    rows = read_rows(file, schema)
    for note in rows.notes:
        say(f"note: {note}")
    raw = outputs(model, rows.x)
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    if schema.task == "classification":
        writer.writerow(["line", schema.target, *(f"p({name})" for name in schema.classes)])
        for line, shares in zip(rows.lines.tolist(), probabilities(raw).tolist(), strict=True):
            best = schema.classes[max(range(len(shares)), key=shares.__getitem__)]
            writer.writerow([line, best, *(f"{share:.6g}" for share in shares)])
    else:
        writer.writerow(["line", schema.target])
        writer.writerows(
            [line, f"{value:.9g}"] for line, value in zip(rows.lines.tolist(), raw[:, 0].tolist(), strict=True)
        )
    write_out(table.getvalue(), out)
