"""Forward accumulation: the list walked front to back, from the tangents of the sources to those of the results."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..ops.operands import cast
from ..ops.shape import broadcast_to
from ..ops.table import zeros_like
from ..record.entry import Entry
from ..record.lists import lines
from ..record.recorder import wrap

if TYPE_CHECKING:
    from ..tensor import Tensor


def tangents(entries: list[Entry], seeds: dict[Entry, Tensor]) -> dict[Entry, Tensor]:
    """Walk the list front to back; return the tangent of every entry that one of the seeds reaches.

    entries: the list, operands first. seeds: x_dot of the sources.
    """
    dots = dict(seeds)
    for entry in entries:
        if entry in seeds or entry.is_source:
            continue
        primitive = entry.primitive
        assert primitive is not None
        x_dots = [
            dots.get(each) if primitive.derivative.differentiates(i) else None for i, each in enumerate(entry.inputs)
        ]
        if any(x_dot is not None for x_dot in x_dots):
            x = tuple([wrap(each) for each in entry.inputs])
            y_dot = primitive.derivative.tangent(primitive, x_dots, x, wrap(entry), entry.params)
            if y_dot is not None:
                dots[entry] = broadcast_to(cast(y_dot, entry.spec.dtype), entry.spec.shape)
    return dots


def push_forward(sources: list[Entry], x_dots: Iterable[Tensor], results: list[Entry]) -> list[Tensor]:
    """Return the tangents of the results for given tangents of the sources; zeros where nothing arrives."""
    seeds = dict(zip(sources, x_dots, strict=True))
    entries = lines(results, since=min((source.number for source in sources), default=0))
    dots = tangents(entries, seeds)
    return [wrap(dots[result].entry) if result in dots else zeros_like(wrap(result)) for result in results]
