"""`wengert compress` and `wengert expand`: a table as the codes of an auto-associative network, and back."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click
import numpy as np

from ..errors import DataError
from .frame import say
from .train import Sizes

if TYPE_CHECKING:
    from ..classic.auto.files import Compressed
    from ..record.buffers import Array


class Source(NamedTuple):
    """A table read from a file: its rows, and of a CSV file the names of its columns and how they are printed."""

    rows: Array
    names: list[str] | None
    decimals: list[int] | None


@click.command()
@click.argument("source", metavar="TABLE.csv|ARRAY.npy", type=click.Path(path_type=Path))
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path), help="The compressed file to write.")
@click.option("--code", type=click.IntRange(min=1), help="Numbers kept of each row [default: a third of the columns].")
@click.option(
    "--mapping", type=Sizes(), metavar="UNITS", help="Units of the layers before the codes, as 24; '' for none."
)
@click.option("--error", type=click.FloatRange(min=0, min_open=True), help="RMS error, in standard deviations.")
@click.option("--bits", type=click.FloatRange(min=0, min_open=True), help="Bits for the codes of a row instead.")
@click.option("--scaling", type=click.Choice(["each", "common"]), default="each", show_default=True)
@click.option("--epochs", type=click.IntRange(min=1), default=300, show_default=True, help="Training steps at most.")
@click.option("--seed", type=click.IntRange(min=0, max=2**32 - 1), default=0, show_default=True)
@click.option("--quiet", is_flag=True, help="Write the file and say nothing.")
def compress(source: Path, out: Path, **options: Any) -> None:
    """Compress a table of numbers by a network trained on it, with loss.

    \b
    wengert compress table.csv -o table.wz --code 2 --error 0.1
    wengert expand table.wz -o again.csv

    A network with a narrow layer learns the table; the file holds the narrow layer's values of each row, rounded, and
    the half of the network that turns them into rows. The error is the root mean square over all values, in standard
    deviations of a column (with --scaling common: of all columns, as for pixels); unless --error or --bits is given,
    rounding may add 1 % to the network's own. Beside it stands principal component analysis at the same size.
    """
    from ..classic.auto import AutoAssociator, write_compressed
    from ..classic.auto.files import principal_components

    _check(source, out, options)
    table, quiet = _read(source), options["quiet"]
    flat = table.rows.reshape(len(table.rows), -1)
    columns = flat.shape[1]
    code = options["code"] or max(1, columns // 3)
    if code > columns:
        raise click.UsageError(f"--code {code}: a row has {columns} numbers; keep at most as many of each.")
    mapping = (min(2 * columns, 64),) if options["mapping"] is None else options["mapping"]
    model = AutoAssociator(
        code, mapping, scaling=options["scaling"], epochs=options["epochs"], random_state=options["seed"],
        verbose=not quiet,
    ).fit(flat.astype(np.float64))  # fmt: skip
    settings = {"names": table.names, "decimals": table.decimals}
    written = write_compressed(out, table.rows, model, error=options["error"], bits=options["bits"], **settings)
    if quiet:
        return
    raw = source.read_bytes()
    click.echo(f"{source}: {len(flat)} rows of {columns} columns, {len(raw):,} bytes; lzma {_lzma(raw):,}")
    click.echo(f"network {'-'.join(map(str, model.shape_))}: {_said(written, len(raw))}")
    peer = principal_components(table.rows, model, written.bytes)
    if peer is None:
        click.echo("principal components: none fit into as many bytes")
    else:
        click.echo(f"{peer.codes} principal components: {_said(peer, len(raw))}")
        if peer.error <= written.error:
            say("note: principal components do better here; --mapping '' with as many codes gives a linear network.")
    click.echo(f"written to {out}")


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path), help="A name ending in .csv or .npy.")
def expand(file: Path, out: Path) -> None:
    """Write out the rows of a FILE that `wengert compress` wrote, as CSV or as an array of NumPy's."""
    from ..classic.auto import read_compressed
    from ..serialization import write_whole

    if out.suffix not in (".csv", ".npy"):
        raise click.UsageError(f"--out {out}: its name must end in .csv or .npy.")
    found = read_compressed(file)
    if out.suffix == ".npy":
        content = io.BytesIO()
        np.save(content, found.X, allow_pickle=False)
        write_whole(out, content.getvalue())
    else:
        rows = found.X.reshape(len(found.X), -1)
        write_whole(out, _as_csv(rows, found.names, found.decimals).encode())
    click.echo(f"{len(found.X)} rows written to {out}")


def _check(source: Path, out: Path, options: dict[str, Any]) -> None:
    """Refuse before a long training what cannot be written after it."""
    if options["error"] is not None and options["bits"] is not None:
        raise click.UsageError("--error and --bits: give one of them; each decides how finely codes are rounded.")
    if not out.absolute().parent.is_dir():
        raise click.UsageError(f"--out {out}: there is no folder {out.parent}; make it first.")
    if out.is_dir():
        raise click.UsageError(f"--out {out}: that is a folder; name a file in it.")
    if out.exists() and source.exists() and out.samefile(source):
        raise click.UsageError(f"--out {out}: that is the table itself, and digits would be lost; name another file.")


def _said(written: Compressed, raw: int) -> str:
    share = f"1/{raw / written.bytes:.1f} of the file"
    return f"{written.bytes:,} bytes ({share}), {written.bits:.1f} bits a row, error {written.error:.4f}"


def _lzma(raw: bytes) -> int:
    import lzma

    return len(lzma.compress(raw, preset=9))


def _read(path: Path) -> Source:
    """Read an array or a table of numbers; raise `DataError` for anything else."""
    if path.suffix == ".npy":
        try:
            with path.open("rb") as file:
                rows = np.lib.format.read_array(file, allow_pickle=False)
        except (OSError, ValueError) as error:
            raise DataError(f"compress: {path} cannot be read as an array ({error}); write it by numpy.save.") from None
        if rows.ndim < 2 or rows.dtype.kind not in "biuf" or not rows.size:
            raise DataError(f"compress: {path} holds {rows.dtype}{list(rows.shape)}; expected rows of numbers.")
        if not np.isfinite(rows).all():
            raise DataError(f"compress: {path} holds values that are no finite numbers; fill them in first.")
        return Source(rows, None, None)
    return _read_table(path)


def _read_table(path: Path) -> Source:
    from ..train.sheet import read_sheet

    sheet = read_sheet(path)
    if sheet.bad:
        raise DataError(f"compress: {path}: {sheet.notes[0]}; every row must be whole, so mend the file.")
    header: list[str] | None = sheet.header
    lines = list(sheet.rows)
    if header is not None and all(_number(cell) for cell in header):  # no names: the first line is a row too
        lines, header = [(1, header), *lines], None
    rows = np.empty((len(lines), len(sheet.header)))
    decimals = [0] * rows.shape[1]
    for i, (line, cells) in enumerate(lines):
        for j, cell in enumerate(cells):
            if not _number(cell):
                name = f"column {j + 1}" if header is None else f"column {header[j]!r}"
                raise DataError(
                    f"compress: {path} line {line}, {name}: {cell!r} is no finite number; leave out columns of text, "
                    "and fill in what is missing."
                )
            rows[i, j] = float(cell)
            decimals[j] = max(decimals[j], _decimals(cell))
    if not len(rows):
        raise DataError(f"compress: {path} has a header and no rows; expected at least one.")
    return Source(rows, header, decimals)


def _number(cell: str) -> bool:
    try:
        return bool(np.isfinite(float(cell)))
    except ValueError:
        return False


def _decimals(cell: str) -> int:
    """Return the digits after the point that a number is written with.

    >>> _decimals("1.50"), _decimals("12"), _decimals("1.5e-3"), _decimals("2e3")
    (2, 0, 4, 0)
    """
    mantissa, _, exponent = cell.lower().partition("e")
    return max(0, len(mantissa.partition(".")[2]) - int(exponent or 0))


def _as_csv(rows: Array, names: list[str] | None, decimals: list[int] | None) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if names is not None:
        writer.writerow(names)
    if decimals is None:
        whole = rows.dtype.kind in "biu"
        writer.writerows([[f"{x:d}" if whole else f"{x:.9g}" for x in row] for row in rows.tolist()])
    else:
        # Adding 0 makes -0 a 0, which "-0.00" is rounded to.
        rounded = [np.round(column, n) + 0.0 for column, n in zip(rows.T, decimals, strict=True)]
        columns = [[f"{x:.{n}f}" for x in column.tolist()] for column, n in zip(rounded, decimals, strict=True)]
        writer.writerows(zip(*columns, strict=True))
    return text.getvalue()
