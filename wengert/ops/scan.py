"""Running results along an axis: sums, products, differences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..dtypes import as_dtype
from ..errors import ArgumentError
from ..record.recorder import record
from .batching import Shifted, axis_shifted
from .join import concat, flip
from .lowering import NumPy
from .operands import Operand, cast, filled, operand
from .reduce import wide
from .shape import axis_of
from .table import Case, Linear, Primitive, define

if TYPE_CHECKING:
    from ..tensor import Tensor

_CUMSUM = define(
    Primitive(
        name="cumulative_sum",
        run=lambda x, axis: np.cumsum(x, axis=axis, dtype=x.dtype),
        infer=lambda spec, axis: spec,
        lower=NumPy("each element needs the one before"),
        batch=Shifted(axis_shifted),
        derivative=Linear(lambda i, y_bar, x, axis: flip(cumulative_sum(flip(y_bar, axis=axis), axis=axis), axis=axis)),
        cases=(Case(((2, 3),), (1,)), Case(((4,),), (0,)), Case(((2, 3),), (0,), complex=True)),
    )
)


def _along(name: str, x: Operand, axis: int | None, dtype: Any) -> tuple[Tensor, int]:
    """Return x in the dtype its running results have, and the axis, which only a vector may leave out."""
    given = operand(x)
    given = cast(given, wide(given.dtype) if dtype is None else as_dtype(dtype))
    if axis is None and given.ndim != 1:
        raise ArgumentError(f"{name}: x has {given.ndim} axes; say which one with axis=.")
    return given, axis_of(name, 0 if axis is None else axis, given.ndim)


def _edge(x: Tensor, axis: int, value: int) -> Tensor:
    return filled((*x.shape[:axis], 1, *x.shape[axis + 1 :]), value, x.dtype)


def cumulative_sum(
    x: Operand, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False
) -> Tensor:
    """Return the running sum along an axis, which may be left out for one-dimensional x.

    dtype: of the result; bools and small integers are summed in 64 bits. include_initial: begin with a 0, one more
    element than x has.

    >>> import wengert
    >>> wengert.cumulative_sum(wengert.tensor([1, 2, 3])).tolist()
    [1, 3, 6]
    """
    x, axis = _along("cumulative_sum", x, axis, dtype)
    sums = record(_CUMSUM, x, params=(axis,))
    return concat([_edge(x, axis, 0), sums], axis=axis) if include_initial else sums


def cumulative_prod(
    x: Operand, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False
) -> Tensor:
    """Return the running product along an axis, which may be left out for one-dimensional x.

    Each step doubles how many elements have been multiplied (Hillis and Steele, Data parallel algorithms, 1986), so
    that derivatives are right where elements are zero. dtype, include_initial: as in `cumulative_sum`; begins with 1.

    >>> import wengert
    >>> wengert.cumulative_prod(wengert.tensor([1, 2, 3])).tolist()
    [1, 2, 6]
    """
    x, axis = _along("cumulative_prod", x, axis, dtype)
    before = (slice(None),) * axis
    products, reach = x, 1
    while reach < x.shape[axis]:
        later = products[(*before, slice(reach, None))] * products[(*before, slice(None, -reach))]
        products = concat([products[(*before, slice(None, reach))], later], axis=axis)
        reach *= 2
    return concat([_edge(x, axis, 1), products], axis=axis) if include_initial else products


def diff(
    x: Operand,
    /,
    *,
    axis: int = -1,
    n: int = 1,
    prepend: Operand | None = None,
    append: Operand | None = None,
) -> Tensor:
    """Return the differences of neighbours along an axis, n times over; of bools, whether they differ.

    prepend, append: joined to x along the axis first.

    >>> import wengert
    >>> wengert.diff(wengert.tensor([1, 4, 9])).tolist()
    [3, 5]
    """
    if n < 0:
        raise ArgumentError(f"diff: n={n} was given; pass 0 or more.")
    given = operand(x)
    place = axis_of("diff", axis, given.ndim)
    if n == 0:
        return given
    parts = [operand(part) for part in (prepend, given, append) if part is not None]
    if len(parts) > 1:
        given = concat(parts, axis=place)
    before = (slice(None),) * place
    for _ in range(n):
        later, earlier = given[(*before, slice(1, None))], given[(*before, slice(None, -1))]
        given = later != earlier if given.dtype.kind == "b" else later - earlier
    return given
