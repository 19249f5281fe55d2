"""How a tensor shows itself: values, dtype and what produced it, as text and as HTML."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np

from .record.recorder import value_of

if TYPE_CHECKING:
    from .tensor import Tensor

MOST_CELLS = 20  # rows and columns of an HTML table


def origin(x: Tensor) -> str:
    """Say what produced the tensor and whether a derivative by it is wanted."""
    entry = x.entry
    if entry.tracked and entry.is_source:
        return ", requires_grad"
    primitive = entry.primitive
    return "" if primitive is None or primitive.cuts else f", by {primitive.name}"


def text(x: Tensor) -> str:
    """Return e.g. `tensor([1., 2.], float32, by add)`."""
    values = np.array2string(value_of(x.entry), separator=", ", prefix="tensor(", threshold=1000)
    shape = "" if x.size or x.ndim == 1 else f", shape {x.shape}"  # which an empty array does not show
    return f"tensor({values}, {x.dtype.name}{shape}{origin(x)})"


def html(x: Tensor) -> str:
    """Return a table for a notebook: the values of at most two axes, the rest summed up in the caption."""
    values = value_of(x.entry)
    caption = f"tensor {list(x.shape)} {x.dtype.name}{origin(x)}"
    if values.ndim > 2:
        return f"<pre>{escape(text(x))}</pre>"
    rows = np.atleast_2d(values)
    more = "<td>…</td>" if rows.shape[1] > MOST_CELLS else ""
    body = "".join(
        "<tr>"
        + "".join(f"<td>{escape(f'{v:.6g}' if v.dtype.kind == 'f' else str(v))}</td>" for v in row[:MOST_CELLS])
        + more
        + "</tr>"
        for row in rows[:MOST_CELLS]
    )
    last = f"<tr><td>… {rows.shape[0]} rows</td></tr>" if rows.shape[0] > MOST_CELLS else ""
    return f"<table><caption>{escape(caption)}</caption><tbody>{body}{last}</tbody></table>"
