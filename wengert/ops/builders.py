"""What the elementwise records have in common: a builder for those of one operand, and one for those of two.

Each makes a record from its cells, adds it to the table, and returns the public function that records it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..dtypes import DType, as_floating, bool_
from ..errors import DTypeError, ShapeError
from ..record.recorder import record
from ..record.trie import Shape, Spec, spec_of
from .batching import BROADCAST_OVER
from .lowering import Lowering
from .operands import Operand, cast, floating, operand, operands, same
from .table import Case, NoDerivative, Primitive, Slope, Slopes, define

if TYPE_CHECKING:
    from ..tensor import Tensor

Unary = Callable[[Operand], "Tensor"]
Binary = Callable[[Operand, Operand], "Tensor"]


def truth(spec: Spec) -> Spec:
    """Return the operand's shape as bool: the `infer` of questions."""
    return spec_of(spec.shape, bool_)


def unary(
    name: str,
    run: Callable[..., Any],
    slope: Slope | None,
    summary: str,
    example: tuple[float, str],
    *,
    lower: Lowering,
    low: float = -2.0,
    high: float = 2.0,
    text: str | None = None,
    real: bool = True,
    infer: Callable[..., Spec] = same,
    kinds: str = "biuf",
    of_complex: Unary | None = None,
) -> Unary:
    """Define a record and return the function that records it.

    `low` and `high` bound the interval the tests draw from; `real` computes integers in float32; `example` is
    an argument and the printed result for the docstring. `kinds`: of the dtypes it takes, "c" among them for a
    holomorphic function; `of_complex`: another function, which does the work for complex numbers.
    """
    derivative = NoDerivative("its values are discrete") if slope is None else Slopes((slope,))
    primitive = define(
        Primitive(
            name=name,
            run=run,
            infer=_taking(name, kinds, infer),
            derivative=derivative,
            lower=lower,
            batch=BROADCAST_OVER,
            text=text,
            cases=tuple(
                Case(shapes, low=low, high=high, complex=is_complex)
                for shapes, is_complex in ((((2, 3),), False), (((),), False), (((2, 3),), True))
                if not is_complex or "c" in kinds
            ),
            in_place=isinstance(run, np.ufunc) and infer is not truth,
        )
    )

    def function(x: Operand, /) -> Tensor:
        given = floating(x) if real else operand(x)
        if of_complex is not None and given.entry.node.spec.dtype.kind == "c":
            return of_complex(given)
        return record(primitive, given)

    kind = "An integer or bool x is computed in float32." if real else "x may have any dtype."
    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"""{summary}

    x: any shape. Returns the same shape. {kind}

    >>> import wengert
    >>> wengert.{name}(wengert.tensor({example[0]!r}, dtype=wengert.float64)).item()
    {example[1]}
    """
    return function


def _taking(name: str, kinds: str, infer: Callable[..., Spec]) -> Callable[..., Spec]:
    """Return `infer`, which refuses dtypes of other kinds first."""

    def checked(spec: Spec) -> Spec:
        if spec.dtype.kind not in kinds:
            raise DTypeError(f"{name}: does not take {spec.dtype.name}; convert with wengert.astype first.")
        return infer(spec)

    return checked


def broadcast(name: str, *specs: Spec) -> Shape:
    """Return the shape the operands broadcast to; raise `ShapeError` naming the dimension that does not fit."""
    longest = max(len(spec.shape) for spec in specs)
    result = [1] * longest
    for spec in specs:
        offset = longest - len(spec.shape)
        for axis, extent in enumerate(spec.shape, offset):
            if extent != 1 and result[axis] not in (1, extent):
                shapes = " and ".join(str(s.shape) for s in specs)
                raise ShapeError(
                    f"{name}: shapes {shapes} do not broadcast: dimension {axis - longest} is {result[axis]} in one "
                    f"and {extent} in another; make them equal, or 1 (reshape, or x[:, None])."
                )
            if extent != 1:
                result[axis] = extent
    return tuple(result)


def _infer(name: str, kinds: str, dtype: DType | None) -> Callable[..., Spec]:
    def infer(*specs: Spec) -> Spec:
        given = specs[0].dtype
        if given.kind not in kinds:
            raise DTypeError(f"{name}: does not take {given.name}; convert with wengert.astype first.")
        shape = specs[0].shape if specs[0] is specs[1] else broadcast(name, *specs)
        return spec_of(shape, dtype or given)

    return infer


def binary(
    name: str,
    run: Callable[..., Any],
    slopes: tuple[Slope, Slope] | None,
    summary: str,
    example: tuple[Any, Any, str],
    *,
    lower: Lowering,
    low: float = -2.0,
    text: str | None = None,
    kinds: str = "biuf",
    real: bool = False,
    dtype: DType | None = None,
    guard: Callable[..., None] | None = None,
) -> Binary:
    """Define a record and return the function that records it; `real` computes integers in float32."""
    primitive = define(
        Primitive(
            name=name,
            run=run,
            infer=_infer(name, kinds, dtype),
            derivative=NoDerivative("its values are discrete") if slopes is None else Slopes(slopes),
            lower=lower,
            batch=BROADCAST_OVER,
            text=text,
            cases=(
                Case(((2, 3), (2, 3)), low=low),
                Case(((2, 3), (3,)), low=low),
                Case(((2, 1), (1, 3)), low=low),
                *([Case(((2, 3), (3,)), low=low, complex=True)] if "c" in kinds and slopes is not None else []),
            ),
            in_place=isinstance(run, np.ufunc) and dtype is None,
            guard=guard,
        )
    )

    def function(x1: Operand, x2: Operand, /) -> Tensor:
        try:
            alike = x1.entry.node.spec.dtype is x2.entry.node.spec.dtype
        except AttributeError:  # one is no tensor
            alike = False
        if not alike:
            x1, x2 = operands(x1, x2)
        if real:
            wanted = as_floating(x1.entry.spec.dtype)
            return record(primitive, cast(x1, wanted), cast(x2, wanted))
        return record(primitive, x1, x2)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"""{summary}

    x1, x2: shapes that broadcast; returns the common shape{" as bool" if dtype is bool_ else ""}. Python numbers
    are weak: they take the other operand's dtype. Raises `ShapeError` where the shapes do not broadcast.

    >>> import wengert
    >>> wengert.{name}(wengert.tensor({example[0]!r}), {example[1]!r}).item()
    {example[2]}
    """
    return function
