"""Points where formulas break down: derivatives written by hand, in both modes."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as w

INF = np.inf


def t(*values: float) -> Any:
    return w.tensor(list(values), dtype=w.float64)


# function of one vector to one number, the vector, its gradient
GRADIENTS: dict[str, tuple[Callable[[Any], Any], list[float], list[float]]] = {
    "abs at 0": (lambda x: w.abs(x).sum(), [0.0, -2.0, 3.0], [0, -1, 1]),
    "relu at 0": (lambda x: w.relu(x).sum(), [0.0, -2.0, 3.0], [0, 0, 1]),
    "sign": (lambda x: w.sign(x).sum(), [0.0, -2.0], [0, 0]),
    "hardlim": (lambda x: w.hardlim(x).sum(), [0.0, 1.0], [0, 0]),
    "hardlims": (lambda x: w.hardlims(x).sum(), [0.0, -1.0], [0, 0]),
    "satlin at its kinks": (lambda x: w.satlin(x).sum(), [0.0, 0.5, 1.0, 2.0], [0, 1, 0, 0]),
    "satlins at its kinks": (lambda x: w.satlins(x).sum(), [-1.0, 0.5, 1.0, -2.0], [0, 1, 0, 0]),
    "clip on its bounds": (lambda x: w.clip(x, -1, 1).sum(), [-1.0, 0.0, 1.0, 2.0], [1, 1, 1, 0]),
    "max with a tie": (lambda x: w.max(x), [1.0, 3.0, 3.0, 2.0], [0, 0.5, 0.5, 0]),
    "min with three equal": (lambda x: w.min(x), [1.0, 1.0, 1.0], [1 / 3, 1 / 3, 1 / 3]),
    "maximum with a tie": (lambda x: w.maximum(x[0], x[1]), [2.0, 2.0], [0.5, 0.5]),
    "minimum with a tie": (lambda x: w.minimum(x[0], x[1]), [2.0, 2.0], [0.5, 0.5]),
    "maximum of a tensor with itself": (lambda x: w.maximum(x, x).sum(), [2.0], [1]),
    "prod with one zero": (lambda x: w.prod(x), [0.0, 2.0, 3.0], [6, 0, 0]),
    "prod with two zeros": (lambda x: w.prod(x), [0.0, 2.0, 0.0], [0, 0, 0]),
    "prod with none": (lambda x: w.prod(x), [4.0, 2.0, 3.0], [6, 12, 8]),
    "x^0 at 0": (lambda x: (x**0).sum(), [0.0, 2.0], [0, 0]),
    "x^1 at 0": (lambda x: (x**1).sum(), [0.0], [1]),
    "x^2 at 0": (lambda x: (x**2).sum(), [0.0], [0]),
    "x^3 at 0": (lambda x: (x**3).sum(), [0.0, -1.0], [0, 3]),
    "x^0.5 at 0": (lambda x: (x**0.5).sum(), [0.0], [INF]),
    "sqrt at 0": (lambda x: w.sqrt(x).sum(), [0.0], [INF]),
    "0^y by both": (lambda x: w.pow(x[0], x[1]), [0.0, 2.0], [0, 0]),
    "0^0 by both": (lambda x: w.pow(x[0], x[1]), [0.0, 0.0], [0, 0]),
    "0^1 by both": (lambda x: w.pow(x[0], x[1]), [0.0, 1.0], [1, 0]),
    "(-2)^3 by its base": (lambda x: w.pow(x[0], t(3.0)[0]), [-2.0], [12]),
    "norm at 0": (lambda x: w.norm(x), [0.0, 0.0], [0, 0]),
    "norm": (lambda x: w.norm(x), [3.0, 4.0], [0.6, 0.8]),
    "hypot at 0": (lambda x: w.hypot(x[0], x[1]), [0.0, 0.0], [0, 0]),
    "atan2 at the origin": (lambda x: w.atan2(x[0], x[1]), [0.0, 0.0], [0, 0]),
    "atan2 on the negative axis": (lambda x: w.atan2(x[0], x[1]), [0.0, -2.0], [-0.5, 0]),
    "where beside NaN": (lambda x: w.where(x > 0, w.log(w.where(x > 0, x, 1)), 0).sum(), [-1.0, 2.0], [0, 0.5]),
    "maximum with a tensor bound": (lambda x: w.clip(x, t(0.0), None).sum(), [0.0, -1.0, 1.0], [0.5, 0, 1]),
    "clip without a lower bound": (lambda x: w.clip(x, None, 1).sum(), [-9.0, 1.0, 2.0], [1, 1, 0]),
    "where with NaN not chosen": (lambda x: w.where(x > 0, x * 2, t(np.nan)).sum(), [3.0, -1.0], [2, 0]),
    "0^-1 by its base": (lambda x: (x**-1.0).sum(), [0.0], [-INF]),
    "power of a constant zero": (lambda x: w.pow(t(0.0), x).sum(), [2.0], [0]),
    "norm of rows, one at 0": (lambda x: w.norm(x.reshape(2, 2), axis=1).sum(), [0.0, 0.0, 3.0, 4.0], [0, 0, 0.6, 0.8]),
    "std of equal elements": (lambda x: w.std(x), [2.0, 2.0, 2.0], [0, 0, 0]),
    "sort with a tie": (lambda x: (w.sort(x) * t(1.0, 10.0, 100.0)).sum(), [2.0, 1.0, 2.0], [10, 1, 100]),
    "logsumexp of -inf only": (lambda x: w.logsumexp(x), [-INF, -INF], [0, 0]),
    "logaddexp of -inf and a number": (lambda x: w.logaddexp(x[0], x[1]), [-INF, 1.0], [0, 1]),
    "logaddexp of one inf": (lambda x: w.logaddexp(x[0], x[1]), [INF, 1.0], [1, 0]),
    "logaddexp of equal infinities": (lambda x: w.logaddexp(x[0], x[1]), [-INF, -INF], [0.5, 0.5]),
    "leaky_relu at 0": (lambda x: w.leaky_relu(x, 0.25).sum(), [0.0, -1.0, 1.0], [0.25, 0.25, 1]),
    "elu at 0": (lambda x: w.elu(x, 1.5).sum(), [0.0, 1.0], [1.5, 1]),
    "copysign at 0": (lambda x: w.copysign(x[0], x[1]), [0.0, -1.0], [0, 0]),
    "prod with three zeros": (lambda x: w.prod(x), [0.0, 0.0, 0.0, 5.0], [0, 0, 0, 0]),
    "prod of rows": (lambda x: w.prod(x.reshape(2, 2), axis=1).sum(), [0.0, 7.0, 2.0, 3.0], [7, 0, 3, 2]),
    "logsumexp with -inf": (lambda x: w.logsumexp(x), [0.0, -INF], [1, 0]),
    "tanh far out": (lambda x: w.tanh(x).sum(), [0.0, 400.0], [1, 0]),
    "sigmoid far out": (lambda x: w.sigmoid(x).sum(), [0.0, 800.0, -800.0], [0.25, 0, 0]),
    "softplus far out": (lambda x: w.softplus(x).sum(), [0.0, 800.0, -800.0], [0.5, 1, 0]),
    "an index used twice": (lambda x: x[[0, 0, 1]].sum(), [5.0, 6.0, 7.0], [2, 1, 0]),
    "one operand twice": (lambda x: (x * x + x).sum(), [3.0], [7]),
    "no elements": (lambda x: x[:0].sum(), [1.0], [0]),
}


@pytest.mark.parametrize("name", GRADIENTS)
def test_gradient_in_both_modes(name: str) -> None:
    f, at, expected = GRADIENTS[name]
    x = t(*at)
    np.testing.assert_array_equal(w.jacobian(f, mode="reverse")(x).numpy().reshape(-1), expected)
    forward = w.jacobian(f, mode="forward")(x).numpy().reshape(-1)
    np.testing.assert_array_equal(forward, expected)


HESSIANS: dict[str, tuple[Callable[[Any], Any], list[float], list[list[float]]]] = {
    "prod with one zero": (lambda x: w.prod(x), [0.0, 2.0, 3.0], [[0, 3, 2], [3, 0, 0], [2, 0, 0]]),
    "prod with two zeros": (lambda x: w.prod(x), [0.0, 0.0, 3.0], [[0, 3, 0], [3, 0, 0], [0, 0, 0]]),
    "prod with three zeros": (lambda x: w.prod(x), [0.0, 0.0, 0.0], [[0, 0, 0], [0, 0, 0], [0, 0, 0]]),
    "relu and its square": (lambda x: (w.relu(x) * x).sum(), [0.0, -1.0, 2.0], [[0, 0, 0], [0, 0, 0], [0, 0, 2]]),
    "0^2 by both": (lambda x: w.pow(x[0], x[1]), [0.0, 2.0], [[2, 0], [0, 0]]),
    "x^0 at 0": (lambda x: (x**0).sum(), [0.0], [[0]]),
    "an index used twice": (lambda x: (x[[0, 0]] ** 2).sum(), [3.0, 1.0], [[4, 0], [0, 0]]),
    "where beside NaN": (lambda x: w.where(x > 0, x**3, w.sqrt(x)).sum(), [2.0], [[12]]),
    "x^2 at 0": (lambda x: (x**2).sum(), [0.0], [[2]]),
    "x^1 at 0": (lambda x: (x**1).sum(), [0.0], [[0]]),
    "x^y at 0^2": (lambda x: w.pow(x[0], 2.0 * w.ones(())), [0.0], [[2]]),
    "abs": (lambda x: w.abs(x).sum(), [0.0, 1.0], [[0, 0], [0, 0]]),
    "max with a tie": (lambda x: w.max(x) ** 2, [1.0, 1.0], [[0.5, 0.5], [0.5, 0.5]]),
}


@pytest.mark.parametrize("name", HESSIANS)
def test_second_derivatives(name: str) -> None:
    f, at, expected = HESSIANS[name]
    np.testing.assert_array_equal(w.hessian(f)(t(*at)).numpy(), expected)
    rows = w.jacobian(w.grad(f), mode="reverse")(t(*at)).numpy()
    np.testing.assert_array_equal(rows, expected)


def test_a_place_written_twice_owes_its_gradient_to_the_last() -> None:
    def f(v: Any) -> Any:
        x = w.zeros(3, dtype=w.float64)
        x[[1, 1]] = v
        return (x * t(1.0, 10.0, 100.0)).sum()

    assert w.grad(f)(t(2.0, 3.0)).tolist() == [0.0, 10.0]


def test_tanh_is_accurate_near_zero() -> None:
    x = t(1e-12, 1e-300)
    np.testing.assert_allclose(w.tanh(x).numpy(), [1e-12, 1e-300], rtol=1e-15)
