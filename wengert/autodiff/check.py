"""Checking derivatives against each other and against differences: `check_gradients`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import ArgumentError, GradientError
from ..ops.operands import constant, operand
from ..record.buffers import Array, snapshot
from ..record.recorder import value_of
from . import trees
from .transforms import jvp, vjp

EPS = 1e-6  # relative step of the central difference; its error is about EPS**2 plus 1e-16 / EPS
RTOL, ATOL = 1e-5, 1e-6  # of a difference; analytic results are compared with each other to 1e-10

_WIDE = {"f": np.dtype("float64"), "c": np.dtype("complex128")}


def check_gradients(f: Callable[..., Any], args: tuple[Any, ...], order: int = 2, *, seed: int = 0) -> None:
    """Check both modes of differentiating f at args, in float64; raise `GradientError` where they are wrong.

    Forward mode is compared with central differences along a random direction; reverse mode with forward mode by
    the inner-product identity <y_bar, J x_dot> = <J^T y_bar, x_dot> (of its real part, for complex numbers); and for
    order 2 the same is asked of jvp and of vjp themselves, so all four mixtures are covered.

    f: takes and returns tensors, or nested lists, tuples and dicts of them. args: its arguments, converted to
    float64 or complex128; integers and bools are passed on as they are. order: 1 or more.
    Raises `ArgumentError` where no argument or no result is real or complex: there is nothing to check.

    >>> import wengert
    >>> wengert.check_gradients(lambda x: wengert.sin(x) * x, (wengert.tensor([0.3, 2.0]),))
    """
    if order < 1:
        raise ArgumentError(f"check_gradients: order {order} must be 1 or more.")
    _check(f, args, order, np.random.Generator(np.random.Philox(seed)), "f")


def _check(f: Callable[..., Any], args: tuple[Any, ...], order: int, rng: Any, what: str) -> None:
    flat, structure = trees.flatten(tuple(args))
    values = [value_of(operand(x).entry) for x in flat]
    real = [i for i, value in enumerate(values) if value.dtype.kind in "fc"]
    x = [values[i].astype(_WIDE[values[i].dtype.kind]) for i in real]
    if not real:
        raise ArgumentError("check_gradients: no argument is real or complex, so there is nothing to check.")

    def of_reals(*reals: Any) -> Any:
        mixed: list[Any] = [constant(snapshot(value)) for value in values]
        for i, each in zip(real, reals, strict=True):
            mixed[i] = each
        found, _ = trees.flatten(f(*trees.build(structure, mixed)))
        results = [y for y in map(operand, found) if y.entry.spec.floating]
        if not results:
            raise ArgumentError("check_gradients: no result is real or complex, so there is nothing to check.")
        return results

    _check_real(of_reals, x, order, rng, what)


def _check_real(f: Callable[..., Any], x: list[Array], order: int, rng: Any, what: str) -> None:
    x_dot = [_drawn(rng, each) for each in x]
    y, y_dot = jvp(f, _tensors(x), _tensors(x_dot))
    numeric = _difference(f, x, x_dot)
    for k, (a, b) in enumerate(zip(_arrays(y_dot), numeric, strict=True)):
        _compare(a, b, RTOL, ATOL, f"forward mode of {what}, result {k}, against central differences")
    y_bar = [_drawn(rng, each) for each in _arrays(y)]
    x_bar = _arrays(vjp(f, *_tensors(x))[1](list(_tensors(y_bar))))
    left = sum(float(np.vdot(a, b).real) for a, b in zip(y_bar, _arrays(y_dot), strict=True))
    right = sum(float(np.vdot(a, b).real) for a, b in zip(x_bar, x_dot, strict=True))
    size = sum(float(np.abs(a * b).sum()) for a, b in zip(x_bar, x_dot, strict=True))
    _compare(
        np.array(right),
        np.array(left),
        1e-10,
        1e-10 * (1 + size),
        f"reverse mode of {what} against forward mode",
    )
    if order > 1:
        n = len(x)
        _check_real(lambda *z: jvp(f, z[:n], z[n:])[1], x + x_dot, order - 1, rng, f"the jvp of {what}")
        _check_real(lambda *z: list(vjp(f, *z[:n])[1](list(z[n:]))), x + y_bar, order - 1, rng, f"the vjp of {what}")


def _tensors(values: list[Array]) -> tuple[Any, ...]:
    return tuple([constant(snapshot(value, _WIDE[value.dtype.kind])) for value in values])


def _drawn(rng: Any, like: Array) -> Array:
    """Return a random direction of an array's shape, complex where it is."""
    drawn = rng.uniform(-1, 1, like.shape)
    return np.asarray(drawn + 1j * rng.uniform(-1, 1, like.shape) if like.dtype.kind == "c" else drawn)


def _arrays(tensors: Any) -> list[Array]:
    return [value_of(each.entry) for each in tensors]


def _difference(f: Callable[..., Any], x: list[Array], x_dot: list[Array]) -> list[Array]:
    step = EPS * max([1.0, *[float(np.abs(each).max()) for each in x if each.size]])
    up = _arrays(f(*_tensors([a + step * b for a, b in zip(x, x_dot, strict=True)])))
    down = _arrays(f(*_tensors([a - step * b for a, b in zip(x, x_dot, strict=True)])))
    return [(a - b) / (2 * step) for a, b in zip(up, down, strict=True)]


def _compare(found: Array, expected: Array, rtol: float, atol: float, what: str) -> None:
    scale = float(np.abs(expected).max()) if expected.size else 0.0
    if not np.allclose(found, expected, rtol=rtol, atol=atol * (1 + scale)):
        worst = (
            int(np.nanargmax(np.abs(found - expected)))
            if np.isfinite(found).all()
            else int(np.isfinite(found).argmin())
        )
        raise GradientError(
            f"check_gradients: {what} gives {found.flat[worst].item()} where {expected.flat[worst].item()} is expected "
            f"(element {worst} of shape {found.shape})."
        )
