"""Derivatives of derivatives: closures, mixtures, loops and random compositions; what the two walks keep apart."""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

import wengert as w
from wengert.errors import ArgumentError, GradientError


def t(*values: float) -> Any:
    return w.tensor(list(values), dtype=w.float64)


def forward(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda x: w.jvp(f, (x,), (w.ones(x.shape, dtype=w.float64),))[1]


@pytest.mark.parametrize("outermost", [w.grad, forward])
def test_fourth_order_in_alternating_modes(outermost: Any) -> None:
    x = w.tensor(0.7, dtype=w.float64)
    fourth = outermost(forward(w.grad(forward(lambda x: x**5 * w.exp(x)))))
    s = sympy.Symbol("s")
    truth = float(sympy.diff(s**5 * sympy.exp(s), s, 4).subs(s, sympy.Rational(7, 10)))
    assert fourth(x).item() == pytest.approx(truth, rel=1e-12)


def rosenbrock(x: Any) -> Any:
    return ((1 - x[:-1]) ** 2).sum() + 100 * ((x[1:] - x[:-1] ** 2) ** 2).sum()


def quotient(x: Any) -> Any:
    return w.sin(x[0] * x[1]) / (1 + x[2] ** 2)


def entropy(x: Any) -> Any:
    p = x / x.sum()
    return -(p * w.log(p)).sum()


def in_sympy(name: str, x: list[Any]) -> Any:
    if name == "rosenbrock":
        return sum((1 - a) ** 2 + 100 * (b - a**2) ** 2 for a, b in itertools.pairwise(x))
    if name == "quotient":
        return sympy.sin(x[0] * x[1]) / (1 + x[2] ** 2)
    return -sum(a / sum(x) * sympy.log(a / sum(x)) for a in x)


@pytest.mark.parametrize("f", [rosenbrock, quotient, entropy])
def test_hessians_are_sympys_and_symmetric(f: Callable[[Any], Any]) -> None:
    symbols = list(sympy.symbols("x0:3"))
    at = {s: sympy.Rational(n, 4) for s, n in zip(symbols, (3, 5, 2), strict=True)}
    truth = np.array(sympy.hessian(in_sympy(f.__name__, symbols), symbols).subs(at).evalf(30).tolist(), float)
    found = w.hessian(f)(t(0.75, 1.25, 0.5)).numpy()
    np.testing.assert_allclose(found, truth, rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(found, found.T, rtol=1e-12, atol=1e-14)


def test_modes_of_the_second_derivative_agree() -> None:
    x = t(0.75, 1.25, 0.5)
    truth = w.hessian(entropy)(x).numpy()
    for outer in ("forward", "reverse"):
        for inner in ("forward", "reverse"):
            found = w.jacobian(w.jacobian(entropy, mode=inner), mode=outer)(x).numpy()
            np.testing.assert_allclose(found, truth, rtol=1e-12, atol=1e-14)


def test_hvp_of_several_arguments() -> None:
    a_dot, b_dot = w.hvp(lambda a, b: (a * a * b).sum(), (t(2.0), t(3.0)), (t(1.0), t(10.0)))
    assert (a_dot.tolist(), b_dot.tolist()) == ([6.0 + 40.0], [4.0])


def test_arguments_are_counted_from_either_end_and_keywords_are_passed_on() -> None:
    assert w.grad(lambda a, b: a * b, argnums=-1)(2.0, 3.0).item() == 2.0
    assert [x.item() for x in w.grad(lambda a, b: a * b, argnums=(-1, 0))(2.0, 3.0)] == [2.0, 3.0]
    assert w.jacobian(lambda a, b: a * b, argnums=-2)(2.0, 3.0).item() == 3.0
    assert w.grad(lambda a, power: a**power)(3.0, power=2).item() == 6.0
    with pytest.raises(ArgumentError, match="argnums -3, but the function was called with 2"):
        w.grad(lambda a, b: a * b, argnums=-3)(2.0, 3.0)


def test_a_closure_over_a_leaf_is_differentiated_by_backward_too() -> None:
    scale = w.tensor(3.0, requires_grad=True)

    def f(x: Any) -> Any:
        return (scale * x * x).sum()

    w.hvp(f, w.tensor([1.0, 2.0]), w.tensor([1.0, 10.0])).sum().backward()
    assert scale.grad.item() == 2 * 11
    scale.grad = None
    w.jvp(f, (w.tensor([2.0]),), (w.tensor([1.0]),))[1].backward()
    assert scale.grad.item() == 4.0
    assert w.grad(lambda s: f(w.tensor([2.0])) * s)(1.0).item() == 12.0


def test_the_leaf_itself_may_be_the_argument() -> None:
    x = w.tensor(2.0, requires_grad=True)
    slope = w.grad(lambda x: x**3)(x)
    assert slope.requires_grad
    slope.backward()
    assert x.grad.item() == 12.0
    with w.no_grad():
        assert not w.grad(lambda x: x**3)(x).requires_grad


def test_inner_and_outer_uses_of_one_tensor_are_kept_apart() -> None:
    x = w.tensor(2.0, requires_grad=True)
    inner = w.grad(lambda y: y * x)(x)  # by y only: x
    inner.backward()
    assert (inner.item(), x.grad.item()) == (2.0, 1.0)


def test_jacobians_inside_a_differentiated_function() -> None:
    # The gradient of the squared Jacobian of x^2, diag(2x), is 8x.
    f = lambda x: (w.jacobian(lambda x: x * x)(x) ** 2).sum()  # noqa: E731
    assert w.grad(f)(t(1.0, 3.0)).tolist() == [8.0, 24.0]


def test_a_pullback_may_be_called_and_differentiated_again() -> None:
    y, pullback = w.vjp(lambda x: x**3, t(1.0, 2.0))
    assert y.tolist() == [1.0, 8.0]
    assert [pullback(t(1.0, 0.0))[0].tolist(), pullback(t(0.0, 1.0))[0].tolist()] == [[3.0, 0.0], [0.0, 12.0]]
    assert w.grad(lambda y_bar: pullback(y_bar)[0].sum())(t(5.0, 6.0)).tolist() == [3.0, 12.0]


def test_a_loop_accumulates_and_each_pass_is_its_own() -> None:
    x = w.tensor(1.0, requires_grad=True)
    for i in range(1, 5):
        y = x
        for _ in range(i):
            y = y * x * 2
        y.backward()
    assert x.grad.item() == sum(2**i * (i + 1) for i in range(1, 5))


def test_results_kept_in_a_list_are_one_backward() -> None:
    x = w.tensor(3.0, requires_grad=True)
    losses = [x**i for i in range(4)]
    w.stack(losses).sum().backward()
    assert x.grad.item() == 0 + 1 + 6 + 27


def test_unused_arguments_get_zeros_of_their_shape() -> None:
    a, b = w.grad(lambda a, b: a.sum(), argnums=(0, 1))(w.ones(2), w.ones((2, 3)))
    assert (a.tolist(), b.tolist()) == ([1.0, 1.0], np.zeros((2, 3)).tolist())
    assert w.jvp(lambda x: w.ones(2), (1.0,), (1.0,))[1].tolist() == [0.0, 0.0]
    assert w.jacobian(lambda x: 3.0)(w.ones(2)).tolist() == [0.0, 0.0]


def test_structures_come_back_as_they_were_given() -> None:
    from typing import NamedTuple

    class Pair(NamedTuple):
        left: Any
        right: Any

    found = w.grad(lambda p: p["pair"].left * p["list"][0] * 2)({"pair": Pair(3.0, None), "list": [4.0], "none": None})
    assert isinstance(found["pair"], Pair)
    assert (found["pair"].left.item(), found["pair"].right, found["list"][0].item()) == (8.0, None, 6.0)
    (y, z), dots = w.jvp(lambda x: (x, {"z": x * x}), (3.0,), (1.0,))
    assert (y.item(), z["z"].item(), dots[0].item(), dots[1]["z"].item()) == (3.0, 9.0, 1.0, 6.0)


def test_broadcast_adjoints_without_elements() -> None:
    assert w.grad(lambda x: (x + w.zeros((0, 3))).sum())(w.ones((1, 3))).tolist() == [[0.0, 0.0, 0.0]]
    assert w.grad(lambda x: (x * w.zeros((0,))).sum())(2.0).item() == 0.0
    assert w.jacobian(lambda x: x[:0])(w.ones(2)).shape == (0, 2)


@pytest.mark.parametrize("gradient", [[1.0], [[1.0, 2.0, 3.0]], 1.0])
def test_an_adjoint_of_another_shape_is_refused(gradient: Any) -> None:
    x = w.tensor([1.0, 2.0, 3.0], requires_grad=True)
    with pytest.raises(w.errors.WengertError, match=r"result \(3,\)"):
        (x * 2).backward(gradient)
    assert x.grad is None


def test_a_custom_rule_must_return_the_shapes_of_what_it_differentiates() -> None:
    x = w.tensor(np.arange(6.0).reshape(2, 3))
    turned = w.custom_rule(lambda x: x * 1, vjp=lambda y_bar, y, x: y_bar.T)
    with pytest.raises(GradientError, match=r"vjp returned shape \(3, 2\) as adjoint of argument 0, .* \(2, 3\)"):
        w.check_gradients(turned, (x,))
    summed = w.custom_rule(lambda x: x * 1, jvp=lambda dots, y, x: dots[0].sum())
    with pytest.raises(GradientError, match=r"jvp returned shape \(\) as tangent of the result, .* \(2, 3\)"):
        w.check_gradients(summed, (x,))
    with pytest.raises(GradientError, match="jvp returned shape"):  # also where it is transposed for reverse mode
        w.grad(lambda x: summed(x).sum())(x)


def test_a_custom_rule_may_leave_broadcasting_to_the_engine() -> None:
    f = w.custom_rule(lambda a, b: a * b, vjp=lambda y_bar, y, a, b: (y_bar * b, y_bar * a))
    w.check_gradients(f, (t(1.0, 2.0).reshape(2, 1), t(3.0, 4.0, 5.0)))


def test_a_custom_rule_inside_others_and_with_constants() -> None:
    f = w.custom_rule(lambda a, n: a**3 * n, vjp=lambda y_bar, y, a, n: (y_bar * a * a * 3 * n, None))
    assert w.grad(w.grad(lambda a: f(w.sin(a), 2.0)))(w.tensor(0.5, dtype=w.float64)).item() == pytest.approx(
        2 * (6 * np.sin(0.5) * np.cos(0.5) ** 2 - 3 * np.sin(0.5) ** 3), rel=1e-12
    )


def test_the_checker_refuses_to_check_nothing() -> None:
    with pytest.raises(ArgumentError, match="no argument is real"):
        w.check_gradients(lambda x: x, (w.tensor([1]),))
    with pytest.raises(ArgumentError, match="no result is real"):
        w.check_gradients(lambda x: x > 0, (w.tensor([1.0]),))
    with pytest.raises(ArgumentError, match="order 0 must be 1 or more"):
        w.check_gradients(w.sin, (w.tensor([1.0]),), order=0)


def test_the_checker_sees_one_wrong_element_and_a_nan() -> None:
    weights = t(1.0, 1.0, 1.0 + 1e-3)
    nearly = w.custom_rule(lambda x: x * x, vjp=lambda y_bar, y, x: y_bar * x * 2 * weights)
    with pytest.raises(GradientError, match="against central differences"):
        w.check_gradients(nearly, (t(1.0, 2.0, 3.0),), order=1)
    broken = w.custom_rule(lambda x: x * x, vjp=lambda y_bar, y, x: y_bar * np.nan)
    with pytest.raises(GradientError, match="gives nan"):
        w.check_gradients(broken, (t(1.0),), order=1)


STEPS: dict[str, Callable[[Any, Any], Any]] = {
    "product": lambda a, b: a * b,
    "sum": lambda a, b: w.sin(a) + b,
    "difference": lambda a, b: a - w.tanh(b),
    "quotient": lambda a, b: a / (2 + b * b),
    "matmul": lambda a, b: w.tanh(a) @ b.mT,
    "turned": lambda a, b: a.mT[::-1] * w.cos(b),
    "reduced": lambda a, b: a - w.logsumexp(b, axis=1, keepdims=True),
    "scaled": lambda a, b: a / (1 + w.norm(b, axis=0)),
    "joined": lambda a, b: w.concat([a[:1], b[1:]], axis=0),
    "gathered": lambda a, b: a[[2, 0, 2]] + b[:, [1, 1, 0]],
    "scanned": lambda a, b: w.cumulative_sum(a, axis=1) * w.sigmoid(b),
    "power": lambda a, b: w.pow(1.5 + w.sin(a), b / 3),
}


@settings(max_examples=25)
@given(
    st.lists(st.tuples(st.sampled_from(sorted(STEPS)), st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=5)
)
def test_random_compositions_to_order_two(program: list[tuple[str, int, int]]) -> None:
    def f(x: Any, y: Any) -> Any:
        pool = [x, y]
        for name, i, j in program:
            pool.append(w.tanh(STEPS[name](pool[i % len(pool)], pool[-1 - j % len(pool)])))
        return pool[-1]

    rng = np.random.default_rng(3)
    w.check_gradients(f, (w.tensor(rng.normal(size=(3, 3))), w.tensor(rng.normal(size=(3, 3)))))
