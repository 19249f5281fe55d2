"""Derivatives given by the user: a function with a jvp, a vjp, or both. The missing one is derived by transposing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import ArgumentError, GradientError
from ..ops.batching import Written
from ..ops.identity import alias, detach
from ..ops.lowering import View
from ..ops.operands import operand, operands
from ..ops.reduce import sum
from ..ops.shape import for_each
from ..ops.table import Operands, Primitive, zeros_like
from ..record.recorder import record, tracking
from ..record.trie import Params, Shape
from .batch import vmap
from .reverse import fitted, pull_back

if TYPE_CHECKING:
    from ..tensor import Tensor


@dataclass(frozen=True, slots=True)
class UserRule:
    """The derivative of a user's function; its entry's operands are the arguments and then the value itself."""

    jvp: Callable[..., Any] | None
    vjp: Callable[..., Any] | None

    def differentiates(self, i: int) -> bool:
        """All arguments may have a derivative; the value itself never is tracked."""
        return True

    def tangent(
        self, primitive: Primitive, x_dots: Sequence[Tensor | None], x: Operands, y: Tensor, params: Params
    ) -> Tensor:
        """Return the user's jvp, or the transpose of the user's vjp."""
        args = x[:-1]
        dots = [zeros_like(a) if dot is None else dot for dot, a in zip(x_dots, args, strict=False)]
        if self.jvp is not None:
            return _fitting("jvp", "tangent of the result", operand(self.jvp(tuple(dots), y, *args)), y.shape)
        return _transposed(lambda y_bar: self._bars(y_bar[0], y, args), [y], dots)[0]

    def adjoint(self, primitive: Primitive, i: int, y_bar: Tensor, x: Operands, y: Tensor, params: Params) -> Tensor:
        """Return the user's vjp for argument i, or the transpose of the user's jvp."""
        args = x[:-1]
        if self.vjp is not None:
            return self._bars(y_bar, y, args)[i]
        jvp = self.jvp
        assert jvp is not None
        return _transposed(
            lambda dots: [_fitting("jvp", "tangent of the result", operand(jvp(tuple(dots), y, *args)), y.shape)],
            list(args),
            [y_bar],
        )[i]

    def for_examples(self, own: tuple[bool, ...]) -> UserRule:
        """Return the rule for many examples at once, along a first axis of the result and of the arguments in `own`."""
        axes = tuple([0 if differs else None for differs in own])
        jvp, vjp = self.jvp, self.vjp

        def bars_of_each(y_bar: Tensor, y: Tensor, *x: Tensor) -> list[Tensor]:
            return [fitted(bar, a.entry.spec) for bar, a in zip(self._bars(y_bar, y, x), x, strict=True)]

        def pulled(y_bar: Tensor, y: Tensor, *x: Tensor) -> list[Tensor]:
            bars = vmap(bars_of_each, in_axes=(0, 0, *axes))(y_bar, y, *x)
            return [bar if differs else sum(bar, axis=0) for bar, differs in zip(bars, own, strict=True)]

        return UserRule(
            None if jvp is None else vmap(jvp, in_axes=(axes, 0, *axes)),
            None if vjp is None else pulled,
        )

    def _bars(self, y_bar: Tensor, y: Tensor, args: Operands) -> list[Tensor]:
        assert self.vjp is not None
        given = self.vjp(y_bar, y, *args)
        bars = list(given) if isinstance(given, tuple | list) else [given]
        if len(bars) != len(args):
            raise GradientError(f"custom_rule: the vjp returned {len(bars)} adjoints for {len(args)} arguments.")
        return [
            zeros_like(a)
            if bar is None
            else _fitting("vjp", f"adjoint of argument {i}", operand(bar), a.shape, repeated=y.shape)
            for i, (bar, a) in enumerate(zip(bars, args, strict=True))
        ]


def _fitting(rule: str, what: str, found: Tensor, shape: Shape, repeated: Shape | None = None) -> Tensor:
    """Return what the user's rule gave if its shape fits; the engine sums over what broadcasting `repeated`."""
    if found.shape not in (shape, repeated):
        raise GradientError(
            f"custom_rule: the {rule} returned shape {found.shape} as {what}, which has shape {shape}; "
            "they must be equal."
        )
    return found


def _transposed(linear: Callable[[list[Tensor]], list[Tensor]], at: list[Tensor], bars: list[Tensor]) -> list[Tensor]:
    """Return the transpose of a linear map applied to bars: the gradient of <linear(u), bars> by u."""
    with tracking(True):
        points = [alias(zeros_like(x)) for x in at]
        for point in points:
            point.entry.tracked = True
        product: Any = 0
        for result, bar in zip(linear(points), bars, strict=True):
            product = product + sum(result * bar)
    return pull_back([product.entry], [zeros_like(product) + 1], [point.entry for point in points])


def _record(name: str, rule: UserRule) -> Primitive:
    """Return the record of a function with a rule, whose last operand is the value."""
    for_examples: dict[tuple[bool, ...], Primitive] = {}

    def batch(primitive: Primitive, x: Operands, own: tuple[bool, ...], n: int) -> Tensor:
        if own[:-1] not in for_examples:
            for_examples[own[:-1]] = _record(name, rule.for_examples(own[:-1]))
        return record(for_examples[own[:-1]], *x[:-1], x[-1] if own[-1] else for_each(x[-1], n))

    return Primitive(
        name=name,
        run=lambda *x_and_y: x_and_y[-1],
        infer=lambda *specs: specs[-1],
        lower=View(lambda *x_and_y: x_and_y[-1]),
        batch=Written(batch),
        derivative=rule,  # type: ignore[arg-type]  # a fifth kind, for users' functions only
    )


def custom_rule(
    f: Callable[..., Any], *, jvp: Callable[..., Any] | None = None, vjp: Callable[..., Any] | None = None
) -> Callable[..., Any]:
    """Return f with a derivative of the user's own, for instance where the formula is better conditioned.

    f: takes tensors, returns one tensor. jvp(x_dots, y, *x): returns y_dot, linear in the tuple x_dots.
    vjp(y_bar, y, *x): returns the adjoints of the arguments, linear in y_bar. One of them is enough: the other mode
    is its transpose. Write them in wengert's functions and derivatives of higher order exist too.
    Raises `ArgumentError` where neither is given.

    >>> import wengert
    >>> clipped = wengert.custom_rule(lambda x: x * 1, vjp=lambda y_bar, y, x: wengert.clip(y_bar, -1, 1))
    >>> wengert.grad(lambda x: clipped(x) * 100)(2.0).item()
    1.0
    """
    if jvp is None and vjp is None:
        raise ArgumentError("custom_rule: give a jvp or a vjp.")
    name = getattr(f, "__name__", "custom")
    primitive = _record(name, UserRule(jvp, vjp))

    def function(*args: Any) -> Tensor:
        x = tuple([operands(a)[0] for a in args])
        with tracking(False):
            y = f(*x)
        if not hasattr(y, "entry"):
            raise GradientError(f"custom_rule: {name} must return one tensor, and returned a {type(y).__name__}.")
        return record(primitive, *x, detach(y))  # f may return an argument itself, which is tracked

    function.__name__, function.__doc__ = name, f.__doc__
    return function
