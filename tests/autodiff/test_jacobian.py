"""Jacobians and Hessians: between modes, against central differences, against SymPy; nesting in every order."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy

import wengert as w
from wengert import nn

RNG = np.random.default_rng(11)
A = w.tensor(RNG.normal(size=(4, 3)))

FUNCTIONS: dict[str, tuple[Callable[[Any], Any], int]] = {
    "linear": (lambda x: A @ x, 3),
    "affine and tanh": (lambda x: w.tanh(A @ x + 1), 3),
    "softmax": (lambda x: nn.softmax(x), 5),
    "log_softmax": (lambda x: nn.log_softmax(x * 2), 4),
    "cumulative sum of squares": (lambda x: w.cumulative_sum(x * x), 4),
    "indexing": (lambda x: w.concat([x[::-1] * x, x[[0, 2, 2]]]), 3),
    "outer": (lambda x: w.outer(x, w.sin(x)), 3),
    "normalised": (lambda x: x / w.norm(x), 4),
    "logsumexp of pairs": (lambda x: w.logsumexp(x[:, None] + x, axis=1), 3),
    "statistics": (lambda x: w.stack([w.mean(x), w.var(x), w.std(x), w.prod(x), w.max(x)]), 4),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_modes_agree_with_each_other_and_with_differences(name: str) -> None:
    f, n = FUNCTIONS[name]
    x = np.random.default_rng(n).uniform(0.3, 1.5, n)
    found = {mode: w.jacobian(f, mode=mode)(w.tensor(x)).numpy() for mode in ("forward", "reverse", "auto")}
    step = 1e-6
    numeric = np.stack(
        [(f(w.tensor(x + step * e)).numpy() - f(w.tensor(x - step * e)).numpy()) / (2 * step) for e in np.eye(n)],
        axis=-1,
    )
    np.testing.assert_allclose(found["forward"], numeric, rtol=1e-7, atol=1e-8)
    np.testing.assert_allclose(found["reverse"], found["forward"], rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(found["auto"], found["forward"], rtol=1e-12, atol=1e-14)


def test_auto_takes_the_cheaper_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    from wengert.autodiff import transforms

    walks: list[str] = []
    for name in ("_rows", "_columns"):
        original = getattr(transforms, name)
        monkeypatch.setattr(transforms, name, lambda run, o=original, n=name: walks.append(n) or o(run))
    w.jacobian(lambda x: x.sum())(w.ones(4))
    w.jacobian(lambda x: x * w.ones(4))(w.ones(()))
    assert walks == ["_rows", "_columns"]


def test_jacobian_of_nested_structures() -> None:
    def f(tree: Any) -> Any:
        return {"sum": tree["a"] + tree["b"][0], "product": (tree["a"] * tree["b"][0],)}

    for mode in ("forward", "reverse"):
        blocks = w.jacobian(f, mode=mode)({"a": w.tensor([1.0, 2.0]), "b": [w.tensor([3.0, 4.0])]})
        assert blocks["product"][0]["a"].tolist() == [[3.0, 0.0], [0.0, 4.0]]
        assert blocks["product"][0]["b"][0].tolist() == [[1.0, 0.0], [0.0, 2.0]]
        assert blocks["sum"]["a"].tolist() == np.eye(2).tolist()


def test_shapes_are_results_then_argument() -> None:
    assert w.jacobian(lambda x: w.sum(x, axis=0))(w.ones((2, 3))).shape == (3, 2, 3)
    assert w.hessian(lambda x: (x * x).sum())(w.ones((2, 3))).shape == (2, 3, 2, 3)


a, b = sympy.symbols("a b")
EXPRESSIONS = [
    (a * b + sympy.sin(a), lambda a, b: a * b + w.sin(a)),
    (sympy.exp(a * b) / (1 + a**2), lambda a, b: w.exp(a * b) / (1 + a**2)),
    (sympy.log(1 + a**2 * b**2), lambda a, b: w.log1p(a**2 * b**2)),
    (sympy.tanh(a - b) * a**3, lambda a, b: w.tanh(a - b) * a**3),
    (sympy.sqrt(a**2 + b**2), lambda a, b: w.hypot(a, b)),
    (sympy.atan2(a, b), lambda a, b: w.atan2(a, b)),
    (a**b, lambda a, b: w.pow(a, b)),
    (1 / (1 + sympy.exp(-a * b)), lambda a, b: w.sigmoid(a * b)),
    (sympy.erf(a) * sympy.cosh(b), lambda a, b: w.erf(a) * w.cosh(b)),
    (sympy.asin(a / 2) - sympy.acos(b / 3), lambda a, b: w.asin(a / 2) - w.acos(b / 3)),
]


@pytest.mark.parametrize("i", range(len(EXPRESSIONS)))
def test_first_and_second_derivatives_are_sympys(i: int) -> None:
    expression, f = EXPRESSIONS[i]
    at = {a: sympy.Rational(5, 7), b: sympy.Rational(4, 3)}
    x = w.tensor([5 / 7, 4 / 3], dtype=w.float64)
    first = [float(expression.diff(s).subs(at)) for s in (a, b)]
    second = [[float(expression.diff(r, s).subs(at)) for s in (a, b)] for r in (a, b)]
    np.testing.assert_allclose(w.grad(lambda x: f(x[0], x[1]))(x).numpy(), first, rtol=1e-12)
    np.testing.assert_allclose(w.hessian(lambda x: f(x[0], x[1]))(x).numpy(), second, rtol=1e-10, atol=1e-14)
    direction = w.tensor([0.3, -2.0], dtype=w.float64)
    product = w.hvp(lambda x: f(x[0], x[1]), x, direction).numpy()
    np.testing.assert_allclose(product, np.array(second) @ [0.3, -2.0], rtol=1e-10, atol=1e-14)


def test_high_orders_in_every_mixture() -> None:
    def forward(f: Any) -> Any:
        return lambda x: w.jvp(f, (x,), (w.ones((), dtype=w.float64),))[1]

    x = w.tensor(0.7, dtype=w.float64)
    for first in (w.grad, forward):
        for second in (w.grad, forward):
            for third in (w.grad, forward):
                assert third(second(first(lambda x: x**5)))(x).item() == pytest.approx(60 * 0.7**2, rel=1e-13)
                assert third(second(first(w.sin)))(x).item() == pytest.approx(-np.cos(0.7), rel=1e-13)


def test_perturbations_are_not_confused() -> None:
    assert w.grad(lambda x: x * w.grad(lambda y: x + y)(1.0))(1.0).item() == 1.0
    assert w.grad(lambda x: x * w.grad(lambda y: x * y)(2.0))(3.0).item() == 6.0
    inner = lambda x: w.jvp(lambda y: x * y, (w.tensor(2.0),), (w.tensor(1.0),))[1]  # noqa: E731
    assert w.jvp(lambda x: x * inner(x), (3.0,), (1.0,))[1].item() == 6.0
    assert w.grad(lambda x: w.grad(lambda x: x * x)(x) * x)(3.0).item() == 12.0


def test_derivatives_through_control_flow_and_recursion() -> None:
    def power(x: Any, n: int) -> Any:
        return x * power(x, n - 1) if n else 1.0

    def newton(x: Any) -> Any:
        root = x
        while abs(root.item() ** 2 - x.item()) > 1e-14:
            root = (root + x / root) * 0.5
        return root

    assert w.grad(lambda x: power(x, 6))(2.0).item() == 192.0
    assert w.grad(newton)(w.tensor(2.0, dtype=w.float64)).item() == pytest.approx(0.5 / np.sqrt(2), rel=1e-12)


def test_results_are_plain_where_nothing_outside_is_differentiated() -> None:
    x = w.tensor([1.0, 2.0])
    value, slope = w.value_and_grad(lambda x: (x * x).sum())(x)
    assert not value.requires_grad and not slope.requires_grad
    np.testing.assert_array_equal(slope.numpy(), [2, 4])
    y, y_dot = w.jvp(lambda x: x * x, (x,), (x,))
    assert not y.requires_grad and not y_dot.requires_grad
    _, pullback = w.vjp(lambda x: x * x, x)
    assert not pullback(x)[0].requires_grad
    assert not w.jacobian(lambda x: x * x)(x).requires_grad


def test_results_are_recorded_where_something_outside_is() -> None:
    scale = w.tensor(3.0, requires_grad=True)
    slope = w.grad(lambda x: scale * x * x)(2.0)
    assert slope.requires_grad
    slope.backward()
    assert scale.grad.item() == 4.0
    with w.no_grad():
        assert not w.grad(lambda x: scale * x * x)(2.0).requires_grad


def test_no_grad_inside_is_a_constant() -> None:
    def f(x: Any) -> Any:
        with w.no_grad():
            constant = x * x
        return constant * x

    assert w.grad(f)(2.0).item() == 4.0


def test_arguments_as_nested_lists_dicts_and_tuples() -> None:
    params = {"w": [w.tensor([1.0, 2.0]), (w.tensor(3.0),)], "b": 4.0}
    found = w.grad(lambda p: p["w"][0].sum() * p["w"][1][0] + p["b"] ** 2)(params)
    assert found["w"][0].tolist() == [3.0, 3.0]
    assert found["w"][1][0].item() == 3.0
    assert found["b"].item() == 8.0
    by_two = w.grad(lambda a, b: a * b, argnums=(0, 1))(2.0, 5.0)
    assert [x.item() for x in by_two] == [5.0, 2.0]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: w.grad(lambda x: x)(w.ones(2)), "must return one real number, and returned float32"),
        (lambda: w.grad(lambda x: x)(w.tensor([1, 2])), "int64 has no derivative"),
        (lambda: w.grad(lambda x: x, argnums=3)(1.0), "argnums 3"),
        (lambda: w.jvp(lambda x: x, (w.ones(2),), (w.ones(3),)), r"shape \(3,\) beside \(2,\)"),
        (lambda: w.jvp(lambda x: x, (w.ones(2),), ()), "0 tangents were given for 1"),
        (lambda: w.vjp(lambda x: x, w.ones(2))[1](w.ones(3)), r"shape \(3,\) beside \(2,\)"),
        (lambda: w.jacobian(lambda x: x, mode="sideways"), "mode 'sideways' must be"),
    ],
)
def test_misuse_is_one_sentence(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(w.errors.WengertError, match=message):
        call()
