"""Reductions: fewer elements than before. Sum, extremes, scan and norm are primitive; the others are made of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..dtypes import DType, as_dtype, bool_, int64, uint64
from ..errors import ArgumentError, DTypeError
from ..record.recorder import record
from ..record.trie import Shape, Spec, spec_of
from .batching import Shifted, Written, axes_shifted
from .binary import clip
from .compare import isfinite, where
from .complex import modulus, real
from .elementwise import exp, log
from .join import concat
from .lowering import NumPy, Reduction
from .operands import Operand, cast, filled, floating, operand
from .shape import Axes, axes_of, axis_of, broadcast_to, permute_dims, reshape
from .table import Case, Linear, NoDerivative, Primitive, Rule, conjugate, define

if TYPE_CHECKING:
    from ..tensor import Tensor


def kept_shape(shape: Shape, axes: tuple[int, ...]) -> Shape:
    """Return the shape with the reduced axes kept at size 1."""
    return tuple([1 if axis in axes else size for axis, size in enumerate(shape)])


def _reduced(spec: Spec, axes: tuple[int, ...], keepdims: bool, dtype: DType | None = None) -> Spec:
    kept = kept_shape(spec.shape, axes)
    shape = kept if keepdims else tuple([size for axis, size in enumerate(kept) if axis not in axes])
    return spec_of(shape, dtype or spec.dtype)


def _spread(y: Tensor, x: Tensor, axes: tuple[int, ...]) -> Tensor:
    """Give a reduction's result the axes it lost, so that it broadcasts against x."""
    return reshape(y, kept_shape(x.shape, axes))


_SUM = define(
    Primitive(
        name="sum",
        run=lambda x, axes, keepdims: x.sum(axis=axes, keepdims=keepdims, dtype=x.dtype),
        infer=_reduced,
        lower=Reduction("sum", lambda spec, axes, keepdims: axes),
        batch=Shifted(axes_shifted),
        derivative=Linear(lambda i, y_bar, x, axes, keepdims: broadcast_to(_spread(y_bar, x[0], axes), x[0].shape)),
        cases=(Case(((2, 3),), ((1,), False)), Case(((2, 3, 4),), ((0, 2), True)), Case(((),), ((), False))),
    )
)


def sum(x: Operand, /, *, axis: Axes = None, dtype: Any = None, keepdims: bool = False) -> Tensor:
    """Return the sum over the axes (None: all). Bools and small integers are summed in 64 bits.

    x: any shape; dtype: of the result; keepdims: keep reduced axes at size 1.

    >>> import wengert
    >>> wengert.sum(wengert.tensor([[1.0, 2.0], [3.0, 4.0]]), axis=0).tolist()
    [4.0, 6.0]
    """
    x = cast(operand(x), wide(operand(x).dtype) if dtype is None else as_dtype(dtype))
    return record(_SUM, x, params=(axes_of("sum", axis, x.ndim), bool(keepdims)))


def wide(dtype: DType) -> DType:
    """Return the dtype in which elements of a dtype are summed: 64 bits for bools and integers, else its own."""
    return {"b": int64, "i": int64, "u": uint64}.get(dtype.kind, dtype)


def _extreme(name: str, run: Callable[..., Any], summary: str, example: str) -> Callable[..., Tensor]:
    """Define max or min: the derivative is shared equally by all elements that attain it."""

    def infer(spec: Spec, axes: tuple[int, ...], keepdims: bool) -> Spec:
        if spec.dtype.kind == "c":
            raise DTypeError(f"{name}: complex numbers have no order; compare their real, imag or abs.")
        if 0 in [spec.shape[axis] for axis in axes]:
            raise ArgumentError(f"{name}: shape {spec.shape} has no elements along axes {axes}, so there is no {name}.")
        return _reduced(spec, axes, keepdims)

    def shares(x: Tensor, y: Tensor, axes: tuple[int, ...]) -> Tensor:
        chosen = (x == _spread(y, x, axes)).astype(x.dtype)
        return chosen / sum(chosen, axis=axes, keepdims=True)

    def jvp(dots: Any, x: Any, y: Tensor, axes: tuple[int, ...], keepdims: bool) -> Tensor:
        return sum(shares(x[0], y, axes) * dots[0], axis=axes, keepdims=keepdims)

    def vjp(y_bar: Tensor, x: Any, y: Tensor, axes: tuple[int, ...], keepdims: bool) -> Tensor:
        return _spread(y_bar, x[0], axes) * shares(x[0], y, axes)

    primitive = define(
        Primitive(
            name=name,
            run=lambda x, axes, keepdims: run(x, axis=axes, keepdims=keepdims),
            infer=infer,
            lower=Reduction(name, lambda spec, axes, keepdims: axes),
            batch=Shifted(axes_shifted),
            derivative=Rule(jvp, (vjp,)),
            cases=(Case(((2, 3),), ((1,), False)), Case(((2, 3, 4),), ((0, 2), True))),
        )
    )

    def function(x: Operand, /, *, axis: Axes = None, keepdims: bool = False) -> Tensor:
        x = operand(x)
        return record(primitive, x, params=(axes_of(name, axis, x.ndim), bool(keepdims)))

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"""{summary} over the axes (None: all). Elements that tie share the derivative equally.

    x: any shape with elements along those axes (else `ArgumentError`); keepdims: keep reduced axes at size 1.

    >>> import wengert
    >>> wengert.{name}(wengert.tensor([[1.0, 5.0], [3.0, 4.0]]), axis=1).tolist()
    {example}
    """
    return function


max = _extreme("max", np.max, "The largest element", "[5.0, 4.0]")
min = _extreme("min", np.min, "The smallest element", "[1.0, 3.0]")


def prod(x: Operand, /, *, axis: Axes = None, dtype: Any = None, keepdims: bool = False) -> Tensor:
    """Return the product over the axes (None: all).

    Computed as a tree of multiplications, so that derivatives are right where elements are zero.

    >>> import wengert
    >>> wengert.prod(wengert.tensor([2.0, 3.0, 4.0])).item()
    24.0
    """
    x = cast(operand(x), wide(operand(x).dtype) if dtype is None else as_dtype(dtype))
    axes = axes_of("prod", axis, x.ndim)
    others = [a for a in range(x.ndim) if a not in axes]
    kept = kept_shape(x.shape, axes)
    rest = tuple([x.shape[a] for a in others])
    flat = reshape(permute_dims(x, (*axes, *others)), (math.prod(x.shape[a] for a in axes), *rest))
    if flat.shape[0] == 0:
        flat = filled((1, *rest), 1, x.dtype)
    while (n := flat.shape[0]) > 1:
        half = flat[: n // 2] * flat[n // 2 : 2 * (n // 2)]
        flat = half if n % 2 == 0 else concat([half, flat[n - 1 :]])
    return reshape(flat, kept if keepdims else rest)


def mean(x: Operand, /, *, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """Return the arithmetic mean over the axes (None: all); integers in float32; NaN where there are no elements.

    >>> import wengert
    >>> wengert.mean(wengert.tensor([1.0, 2.0, 6.0])).item()
    3.0
    """
    x = floating(x)
    n = _count(x, axis)
    return sum(x, axis=axis, keepdims=keepdims) / float(n)


def _count(x: Tensor, axis: Axes) -> int:
    return math.prod(x.shape[a] for a in axes_of("mean", axis, x.ndim))


def var(x: Operand, /, *, axis: Axes = None, correction: float = 0.0, keepdims: bool = False) -> Tensor:
    """Return the variance over the axes: the sum of squared deviations over (n - correction).

    >>> import wengert
    >>> wengert.var(wengert.tensor([1.0, 2.0, 6.0]), correction=1).item()
    7.0
    """
    x = floating(x)
    deviation = x - mean(x, axis=axis, keepdims=True)
    squares = real(deviation * conjugate(deviation))
    return sum(squares, axis=axis, keepdims=keepdims) / _freedom(x, axis, correction)


def _freedom(x: Tensor, axis: Axes, correction: float) -> float:
    """Return n - correction, and 0 (so that the result is NaN or inf, as in NumPy) where that is negative."""
    rest = _count(x, axis) - float(correction)
    return rest if rest > 0 else 0.0


def std(x: Operand, /, *, axis: Axes = None, correction: float = 0.0, keepdims: bool = False) -> Tensor:
    """Return the standard deviation over the axes, the square root of `var`; slope 0 where all elements are equal.

    >>> import wengert
    >>> wengert.std(wengert.tensor([1.0, 3.0])).item()
    1.0
    """
    x = floating(x)
    length = norm(x - mean(x, axis=axis, keepdims=True), axis=axis, keepdims=keepdims)
    return length / math.sqrt(_freedom(x, axis, correction))


def logsumexp(x: Operand, /, *, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """Return log(sum(exp(x))) over the axes, without overflow; -inf for a row of -inf.

    >>> import wengert
    >>> wengert.logsumexp(wengert.tensor([1000.0, 1000.0])).item()
    1000.6931762695312
    """
    x = floating(x)
    axes = axes_of("logsumexp", axis, x.ndim)
    largest = max(x, axis=axes, keepdims=True).detach()
    shift = where(isfinite(largest), largest, 0)
    # The sum is at least exp(0), so the clip only tells a row of -inf that its derivative is 0.
    kept = log(clip(sum(exp(x - shift), axis=axes, keepdims=True), 0.5)) + largest
    return kept if keepdims else reshape(kept, _reduced(x.entry.spec, axes, False).shape)


_NORM = define(
    Primitive(
        name="norm",
        run=lambda x, axes, keepdims: np.sqrt((x * x).sum(axis=axes, keepdims=keepdims, dtype=x.dtype)),
        infer=_reduced,
        lower=NumPy("it is rare"),
        batch=Shifted(axes_shifted),
        derivative=Rule(
            lambda dots, x, y, axes, keepdims: sum(_direction(x[0], y, axes) * dots[0], axis=axes, keepdims=keepdims),
            (lambda y_bar, x, y, axes, keepdims: _spread(y_bar, x[0], axes) * _direction(x[0], y, axes),),
        ),
        cases=(Case(((2, 3),), ((1,), False), low=0.3), Case(((4,),), ((0,), True), low=0.3)),
    )
)


def _direction(x: Tensor, y: Tensor, axes: tuple[int, ...]) -> Tensor:
    """x / |x|, and 0 at the origin: the shortest of the possible slopes there."""
    length = _spread(y, x, axes)
    return x / where(length == 0, 1, length)


def norm(x: Operand, /, *, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """Return the Euclidean norm over the axes (None: all); the derivative at the origin is 0.

    >>> import wengert
    >>> wengert.norm(wengert.tensor([3.0, 4.0])).item()
    5.0
    """
    x = floating(x)
    if x.dtype.kind == "c":
        x = modulus(x)
    return record(_NORM, x, params=(axes_of("norm", axis, x.ndim), bool(keepdims)))


def _question(name: str, run: Callable[..., Any], summary: str) -> Callable[..., Tensor]:
    primitive = define(
        Primitive(
            name=name,
            run=lambda x, axes, keepdims: run(x, axis=axes, keepdims=keepdims),
            infer=lambda spec, axes, keepdims: _reduced(spec, axes, keepdims, bool_),
            derivative=NoDerivative("its values are bools"),
            lower=NumPy("it is rare"),
            batch=Shifted(axes_shifted),
        )
    )

    def function(x: Operand, /, *, axis: Axes = None, keepdims: bool = False) -> Tensor:
        x = operand(x)
        return record(primitive, x, params=(axes_of(name, axis, x.ndim), bool(keepdims)))

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"""{summary} over the axes (None: all), as bool.

    >>> import wengert
    >>> wengert.{name}(wengert.tensor([True, True])).item()
    True
    """
    return function


all = _question("all", np.all, "Whether all elements are true (not zero)")
any = _question("any", np.any, "Whether some element is true (not zero)")


def count_nonzero(x: Operand, /, *, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """Return how many elements are not zero over the axes (None: all), as int64.

    >>> import wengert
    >>> wengert.count_nonzero(wengert.tensor([0.0, 3.0, 4.0])).item()
    2
    """
    return sum(operand(x) != 0, axis=axis, keepdims=keepdims)


def _place_of_each(primitive: Primitive, x: Any, own: Any, n: int, axis: int | None, keepdims: bool) -> Tensor:
    """The place along the axis behind; without one, that in each example, flattened."""
    if axis is not None:
        return record(primitive, x[0], params=(axis + 1, keepdims))
    found = record(primitive, reshape(x[0], (n, math.prod(x[0].shape[1:]))), params=(1, False))
    return reshape(found, (n, *[1] * (x[0].ndim - 1))) if keepdims else found


def _place(name: str, run: Callable[..., Any], summary: str, example: int) -> Callable[..., Tensor]:
    def infer(spec: Spec, axis: int | None, keepdims: bool) -> Spec:
        if spec.dtype.kind == "c":
            raise DTypeError(f"{name}: complex numbers have no order; compare their real, imag or abs.")
        if (spec.size if axis is None else spec.shape[axis]) == 0:
            raise ArgumentError(f"{name}: shape {spec.shape} has no elements.")
        return _reduced(spec, axes_of(name, axis, spec.ndim), keepdims, int64)

    primitive = define(
        Primitive(
            name=name,
            run=lambda x, axis, keepdims: run(x, axis=axis, keepdims=keepdims),
            infer=infer,
            derivative=NoDerivative("its values are indices"),
            lower=NumPy("it is rare"),
            batch=Written(_place_of_each),
        )
    )

    def function(x: Operand, /, *, axis: int | None = None, keepdims: bool = False) -> Tensor:
        x = operand(x)
        place = None if axis is None else axis_of(name, axis, x.ndim)
        return record(primitive, x, params=(place, bool(keepdims)))

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"""{summary} along an axis (None: in the flattened x), the first one at a tie, as int64.

    >>> import wengert
    >>> wengert.{name}(wengert.tensor([3.0, 7.0, 1.0])).item()
    {example}
    """
    return function


argmax = _place("argmax", np.argmax, "The index of the largest element", 1)
argmin = _place("argmin", np.argmin, "The index of the smallest element", 2)
