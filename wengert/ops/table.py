"""The operation table: one frozen record per primitive, with everything about it on adjacent lines.

A record says how the result's shape and dtype follow from the operands' (`infer`), what the operation means
(`run`, in NumPy), how it is compiled (`lower`), and how it is differentiated. Derivatives come in four kinds:

Slopes         elementwise: dy/dx for each operand, written once, gives both modes
Linear         the tangent is the operation itself; a transpose gives the adjoint
Rule           a jvp, and below it a vjp for each operand
NoDerivative   stated, with the reason; a derivative asked for is an error that says so

How it is computed for many examples at once is said by `batch`, see `batching`.

Rules are written in the library's own operations, so derivatives of any order exist. They need not care for
broadcasting: the engine sums an adjoint to its operand's shape and expands a tangent to the result's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import GradientError
from ..record.buffers import sealed
from ..record.entry import leaf
from ..record.recorder import record, wrap
from ..record.trie import Params, Spec
from .batching import Batching, Broadcast, Loop, Shifted, Written
from .lowering import Elementwise, Lowering, NumPy, Product, Reduction, View

if TYPE_CHECKING:
    from ..tensor import Tensor

Slope = Callable[..., Any] | int
Operands = tuple["Tensor", ...]


def zeros_like(x: Tensor) -> Tensor:
    """Return zeros of x's shape and dtype; not computed from x, so that its NaN and infinities stay out."""
    spec = x.entry.spec
    return wrap(leaf(sealed(np.zeros(spec.shape, spec.dtype)), spec))


def conjugate(x: Tensor) -> Tensor:
    """Return the complex conjugate of a tensor; a real one is its own, and nothing is recorded."""
    return x.conj() if x.entry.spec.dtype.kind == "c" else x


@dataclass(frozen=True, slots=True)
class Slopes:
    """dy/dx for each operand: 1, -1, 0, or a function of all operands and the output `y` (None: an operand
    that has no derivative, such as a condition). A slope of 0 is a derivative: it gives zeros."""

    slopes: tuple[Slope | None, ...]

    def differentiates(self, i: int) -> bool:
        """Tell whether operand `i` has a derivative."""
        return self.slopes[i] is not None

    def tangent(
        self, primitive: Primitive, x_dots: Sequence[Tensor | None], x: Operands, y: Tensor, params: Params
    ) -> Tensor | None:
        """Return the sum of slope * x_dot over the operands that have a tangent."""
        y_dot: Any = None
        slopes: tuple[Any, ...] = self.slopes
        for slope, x_dot in zip(slopes, x_dots, strict=True):
            if x_dot is None or slope is None:
                continue
            if slope == -1:
                y_dot = -x_dot if y_dot is None else y_dot - x_dot
                continue
            term = x_dot if slope == 1 else (zeros_like(x_dot) if slope == 0 else slope(*x, y, *params) * x_dot)
            y_dot = term if y_dot is None else y_dot + term
        return y_dot  # type: ignore[no-any-return]  # the class is only known to the type checker

    def adjoint(self, primitive: Primitive, i: int, y_bar: Tensor, x: Operands, y: Tensor, params: Params) -> Tensor:
        """Return y_bar * slope, the slope's conjugate where it is complex (see `ops/complex.py`)."""
        slope: Any = self.slopes[i]
        if slope == 1:
            return y_bar
        if slope == -1:
            return -y_bar
        return zeros_like(y_bar) if slope == 0 else y_bar * conjugate(slope(*x, y, *params))


@dataclass(frozen=True, slots=True)
class Linear:
    """Linear in the given operands: `transpose(i, y_bar, x, *params)` returns the adjoint of operand `i`.

    `operands` None stands for all of them (concatenation takes any number).
    """

    transpose: Callable[..., Tensor]
    operands: tuple[int, ...] | None = (0,)

    def differentiates(self, i: int) -> bool:
        """Tell whether the operation is linear in operand `i`."""
        return self.operands is None or i in self.operands

    def tangent(
        self, primitive: Primitive, x_dots: Sequence[Tensor | None], x: Operands, y: Tensor, params: Params
    ) -> Tensor | None:
        """Return the operation applied to the tangents, zeros where there is none."""
        dots = [
            operand if not self.differentiates(i) else (zeros_like(operand) if x_dot is None else x_dot)
            for i, (x_dot, operand) in enumerate(zip(x_dots, x, strict=True))
        ]
        return record(primitive, *dots, params=params)

    def adjoint(self, primitive: Primitive, i: int, y_bar: Tensor, x: Operands, y: Tensor, params: Params) -> Tensor:
        """Return the transposed operation applied to y_bar."""
        return self.transpose(i, y_bar, x, *params)


@dataclass(frozen=True, slots=True)
class Rule:
    """A derivative written out: `jvp(x_dots, x, y, *params)` and one `vjp(y_bar, x, y, *params)` per operand."""

    jvp: Callable[..., Tensor]
    vjps: tuple[Callable[..., Tensor] | None, ...]

    def differentiates(self, i: int) -> bool:
        """Tell whether operand `i` has a derivative."""
        return self.vjps[i] is not None

    def tangent(
        self, primitive: Primitive, x_dots: Sequence[Tensor | None], x: Operands, y: Tensor, params: Params
    ) -> Tensor | None:
        """Return the tangent of the result."""
        return self.jvp(x_dots, x, y, *params)

    def adjoint(self, primitive: Primitive, i: int, y_bar: Tensor, x: Operands, y: Tensor, params: Params) -> Tensor:
        """Return the adjoint of operand `i`."""
        vjp: Any = self.vjps[i]
        return vjp(y_bar, x, y, *params)  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class NoDerivative:
    """There is none, for this reason. `cuts`: the operation exists to stop derivatives (`detach`)."""

    reason: str
    cuts: bool = False

    def differentiates(self, i: int) -> bool:
        """No operand has a derivative."""
        return True  # so that the engine asks, and the answer is the error

    def tangent(
        self, primitive: Primitive, x_dots: Sequence[Tensor | None], x: Operands, y: Tensor, params: Params
    ) -> Tensor | None:
        """Raise `GradientError`."""
        raise GradientError(
            f"{primitive.name} has no derivative: {self.reason}; use .detach() to treat it as constant."
        )

    def adjoint(self, primitive: Primitive, i: int, y_bar: Tensor, x: Operands, y: Tensor, params: Params) -> Tensor:
        """Raise `GradientError`."""
        raise GradientError(
            f"{primitive.name} has no derivative: {self.reason}; use .detach() to treat it as constant."
        )


Derivative = Slopes | Linear | Rule | NoDerivative


@dataclass(frozen=True, slots=True)
class Case:
    """One way to call a primitive in tests: shapes (and an interval) of float64 operands to draw, and parameters.

    complex: draw complex128 operands, both parts from the interval. made: the operands the record is called with, as a
    function of those drawn, such as symmetric matrices.
    """

    shapes: tuple[tuple[int, ...], ...]
    params: Params = ()
    low: float = -2.0
    high: float = 2.0
    fixed: dict[int, Any] | None = None  # operands that are not drawn: indices, conditions
    complex: bool = False
    made: Callable[..., Operands] | None = None


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Primitive:
    """One record of the table.

    name        as in the Array API where it has one
    run         NumPy's meaning: `run(*values, *params) -> ndarray`, and `out=` where `in_place`
    infer       `infer(*specs, *params) -> Spec`; raises the errors of shape and dtype
    derivative  one of the four kinds above
    lower       how it is compiled: one of the kinds of `lowering`
    batch       how it is computed for many examples at once: one of the kinds of `batching`
    text        how a formula shows it, `"{0}*{1}"`, or None for name(operands)
    cases       how the tests call it; every differentiable record has some
    guard       `guard(*entries, *params)`: looks at the operands it can fail on, and raises
    in_place    `run` is a NumPy ufunc and can write over an operand that is not needed again
    view        NumPy would return a view: writing through it reaches the original
    """

    name: str
    run: Callable[..., Any]
    infer: Callable[..., Spec]
    derivative: Derivative
    lower: Lowering
    batch: Batching
    text: str | None = None
    cases: tuple[Case, ...] = ()
    guard: Callable[..., None] | None = None
    in_place: bool = False
    view: bool = False

    @property
    def cuts(self) -> bool:
        """Whether derivatives stop here."""
        return isinstance(self.derivative, NoDerivative) and self.derivative.cuts

    @property
    def differentiable(self) -> bool:
        """Whether the record has a derivative."""
        return not isinstance(self.derivative, NoDerivative)

    def __repr__(self) -> str:
        return f"<primitive {self.name}>"


TABLE: dict[str, Primitive] = {}


def define(primitive: Primitive) -> Primitive:
    """Add a record to the table; an incomplete one fails here, when the library is imported."""
    if primitive.name in TABLE:
        raise ValueError(f"the table has two records named {primitive.name!r}.")
    for cell in ("run", "infer"):
        if not callable(getattr(primitive, cell)):
            raise ValueError(f"record {primitive.name!r} of the table is incomplete: {cell} must be a function.")
    if not isinstance(primitive.derivative, Slopes | Linear | Rule | NoDerivative):
        raise ValueError(
            f"record {primitive.name!r} of the table is incomplete: give its derivative, or NoDerivative(reason)."
        )
    if not isinstance(primitive.lower, Elementwise | Reduction | View | Product | NumPy):
        raise ValueError(
            f"record {primitive.name!r} of the table is incomplete: say how it is compiled, or NumPy(why)."
        )
    if not isinstance(primitive.batch, Broadcast | Shifted | Written | Loop):
        raise ValueError(
            f"record {primitive.name!r} of the table is incomplete: say how it is computed for many examples."
        )
    if isinstance(primitive.derivative, NoDerivative) and not primitive.derivative.reason:
        raise ValueError(f"record {primitive.name!r} of the table is incomplete: say why it has no derivative.")
    if primitive.differentiable and not primitive.cases:
        raise ValueError(f"record {primitive.name!r} of the table is incomplete: a differentiable record needs cases.")
    if isinstance(primitive.derivative, Slopes) and any(
        slope is not None and not callable(slope) and slope not in (-1, 0, 1) for slope in primitive.derivative.slopes
    ):
        raise ValueError(f"record {primitive.name!r} of the table is incomplete: a slope is -1, 0, 1 or a function.")
    TABLE[primitive.name] = primitive
    return primitive
