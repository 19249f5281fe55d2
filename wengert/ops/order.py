"""Order: the permutation that sorts, and sorting, which takes the elements by it and so has its derivative."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..dtypes import int64
from ..record.recorder import record
from ..record.trie import spec_of
from .batching import Shifted, axis_shifted
from .index import take_along_axis
from .lowering import NumPy
from .operands import Operand, operand
from .shape import axis_of
from .table import NoDerivative, Primitive, define

if TYPE_CHECKING:
    from ..tensor import Tensor


def _places(x: Any, axis: int, descending: bool) -> Any:
    """Return NumPy's argsort, stable; descending, equal elements keep their order and NaNs come first."""
    if not descending:
        return np.argsort(x, axis=axis, kind="stable")
    backwards = np.argsort(np.flip(x, axis), axis=axis, kind="stable")
    return x.shape[axis] - 1 - np.flip(backwards, axis)


_ARGSORT = define(
    Primitive(
        name="argsort",
        run=_places,
        infer=lambda spec, axis, descending: spec_of(spec.shape, int64),
        derivative=NoDerivative("its values are indices"),
        lower=NumPy("sorting is no loop over elements"),
        batch=Shifted(axis_shifted),
    )
)


def argsort(x: Operand, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Tensor:
    """Return the int64 indices that sort x along an axis; equal elements keep their order.

    x: any shape with at least one axis. NaNs come last (descending: first). The sort is stable in any case.

    >>> import wengert
    >>> wengert.argsort(wengert.tensor([30.0, 10.0, 20.0])).tolist()
    [1, 2, 0]
    """
    x = operand(x)
    return record(_ARGSORT, x, params=(axis_of("argsort", axis, x.ndim), bool(descending)))


def sort(x: Operand, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Tensor:
    """Return x sorted along an axis; each derivative goes back to the place its element came from.

    x: any shape with at least one axis. NaNs come last (descending: first).

    >>> import wengert
    >>> wengert.sort(wengert.tensor([30.0, 10.0, 20.0]), descending=True).tolist()
    [30.0, 20.0, 10.0]
    """
    x = operand(x)
    place = axis_of("sort", axis, x.ndim)
    return take_along_axis(x, argsort(x, axis=place, descending=descending), axis=place)
