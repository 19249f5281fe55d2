"""`backward`, `gradients`, `custom_rule`, and the checker, which is itself checked with wrong rules."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as w
from wengert.errors import GradientError


def leaf(*values: float) -> Any:
    return w.tensor(list(values), dtype=w.float64, requires_grad=True)


def test_gradients_accumulate_and_backward_may_be_called_twice() -> None:
    x = leaf(1.0, 2.0)
    y = (x * x).sum()
    y.backward()
    assert x.grad.tolist() == [2.0, 4.0]
    y.backward()
    assert x.grad.tolist() == [4.0, 8.0]
    (x * 3).backward(w.tensor([1.0, 10.0]))
    assert x.grad.tolist() == [7.0, 38.0]


def test_backward_after_looks_and_across_segments() -> None:
    x = leaf(0.5)
    h = w.tanh(x)
    h.tolist()
    y = (h * h).sum()
    y.item()
    y.backward()
    t = np.tanh(0.5)
    assert x.grad.item() == pytest.approx(2 * t * (1 - t * t), rel=1e-15)


def test_gradients_of_anything_recorded() -> None:
    x = leaf(2.0)
    h = x * x
    y = (h * 3 + x).sum()
    by = w.gradients(y, {"h": h, "x": [x], "y": (y,)})
    assert (by["h"].item(), by["x"][0].item(), by["y"][0].item()) == (3.0, 13.0, 1.0)
    assert w.gradients(h.sum(), [leaf(1.0)])[0].tolist() == [0.0]
    assert x.grad is None


def test_create_graph_allows_the_next_order() -> None:
    x = leaf(2.0)
    (first,) = w.gradients((x**4).sum(), [x], create_graph=True)
    (second,) = w.gradients(first.sum(), [x])
    assert (first.item(), second.item()) == (32.0, 48.0)
    (x**3).sum().backward(create_graph=True)
    assert x.grad.requires_grad


def test_broadcasting_is_summed_away() -> None:
    a, b = w.ones((2, 1), dtype="float64").requires_grad_(), w.ones((3,), dtype="float64").requires_grad_()
    (a * b + a).sum().backward()
    assert (a.grad.tolist(), b.grad.tolist()) == ([[6.0], [6.0]], [2.0, 2.0, 2.0])


def test_integers_pass_through() -> None:
    x = leaf(1.0, 2.0, 3.0)
    (x[w.tensor([2, 0])] * w.tensor([1, 2])).sum().backward()
    assert x.grad.tolist() == [2.0, 0.0, 1.0]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: w.tensor(1.0).backward(), "nothing that requires a gradient"),
        (lambda: (leaf(1.0, 2.0) * 1).backward(), r"shape \(2,\), and only one number"),
        (lambda: leaf(1.0, 2.0).backward(w.ones(3)), r"adjoint has shape \(3,\) and the result \(2,\)"),
        (lambda: w.gradients(leaf(1.0).sum(), [w.tensor(1.0)]), "must be a tensor through which derivatives flow"),
        (lambda: w.tensor([1], requires_grad=True), "int64 has no derivatives"),
        (lambda: np.asarray(leaf(1.0)), r"use .detach\(\)"),
        (lambda: w.custom_rule(lambda x: x), "give a jvp or a vjp"),
    ],
)
def test_misuse_is_one_sentence(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(w.errors.WengertError, match=message):
        call()


def test_two_optimizers_are_ordinary() -> None:
    generator, critic = leaf(0.5), leaf(2.0)
    first, second = w.optim.SGD([critic], lr=0.1), w.optim.SGD([generator], lr=0.1)
    fake = generator * 3
    (fake * critic).sum().backward()
    first.step()
    assert critic.item() == pytest.approx(2.0 - 0.1 * 1.5)
    generator.grad = None
    (fake * critic).sum().backward()  # the generator's entries survive the critic's step
    second.step()
    assert generator.item() == pytest.approx(0.5 - 0.1 * 3 * critic.item())


def test_a_spent_list_names_both_lines() -> None:
    x = leaf(1.0)
    optimizer = w.optim.SGD([x], lr=0.1)
    y = (x * x).sum()
    y.backward()
    optimizer.step()
    assert y.item() == 1.0
    with pytest.raises(
        GradientError, match=r"backward\(\) at test_reverse.py:\d+ and spent by step\(\) at test_reverse.py:\d+"
    ):
        y.backward()


def test_a_custom_function_may_return_its_argument() -> None:
    same = w.custom_rule(lambda x: x, jvp=lambda dots, y, x: dots[0] * 5)
    assert w.grad(lambda x: same(x).sum())(leaf(1.0)).tolist() == [5.0]


def test_custom_rules_in_both_modes_from_either_side() -> None:
    def square(x: Any) -> Any:
        return x * x

    x = w.tensor([0.5, 2.0], dtype=w.float64)
    for rule in (
        {"vjp": lambda y_bar, y, x: y_bar * x * 2},
        {"jvp": lambda dots, y, x: x * dots[0] * 2},
        {"vjp": lambda y_bar, y, x: (y_bar * x * 2,), "jvp": lambda dots, y, x: x * dots[0] * 2},
    ):
        f = w.custom_rule(square, **rule)
        w.check_gradients(f, (x,), order=2)
        assert w.grad(lambda x, f=f: f(x).sum())(x).tolist() == [1.0, 4.0]


def test_custom_rules_of_several_arguments() -> None:
    f = w.custom_rule(lambda a, b: a * b, vjp=lambda y_bar, y, a, b: (y_bar * b, y_bar * a))
    w.check_gradients(f, (w.tensor([1.0, 2.0]), w.tensor([3.0, -1.0])))
    wrong = w.custom_rule(lambda a, b: a * b, vjp=lambda y_bar, y, a, b: y_bar)
    with pytest.raises(GradientError, match="1 adjoints for 2 arguments"):
        w.grad(lambda a: wrong(a, a))(1.0)


def sine(**rule: Any) -> Any:
    return w.custom_rule(w.sin, **rule)


def product(**rule: Any) -> Any:
    return w.custom_rule(lambda a, b: a * b * b, **rule)


RIGHT_J, RIGHT_V = lambda dots, y, x: w.cos(x) * dots[0], lambda y_bar, y, x: y_bar * w.cos(x)
WRONG = {
    "sign": (sine(vjp=lambda y_bar, y, x: -y_bar * w.cos(x)), 1),
    "factor": (sine(jvp=lambda dots, y, x: w.cos(x) * dots[0] * 2), 1),
    "forgotten inner derivative": (sine(vjp=lambda y_bar, y, x: y_bar), 1),
    "output instead of operand": (sine(vjp=lambda y_bar, y, x: y_bar * w.cos(y)), 1),
    "swapped operands": (product(vjp=lambda y_bar, y, a, b: (y_bar * a * b * 2, y_bar * b * b)), 2),
    "dropped term": (product(vjp=lambda y_bar, y, a, b: (y_bar * b * b, y_bar * a * b)), 2),
    "missing operand": (product(vjp=lambda y_bar, y, a, b: (y_bar * b * b, None)), 2),
    "reverse right, forward wrong": (sine(vjp=RIGHT_V, jvp=lambda dots, y, x: -w.cos(x) * dots[0]), 1),
    "forward right, reverse wrong": (sine(jvp=RIGHT_J, vjp=lambda y_bar, y, x: y_bar * w.sin(x)), 1),
    "second order of reverse": (sine(jvp=RIGHT_J, vjp=lambda y_bar, y, x: y_bar * w.cos(x.detach())), 1),
    "second order of forward": (sine(vjp=RIGHT_V, jvp=lambda dots, y, x: w.cos(x.detach()) * dots[0]), 1),
}


@pytest.mark.parametrize("name", WRONG)
def test_the_checker_refuses_a_wrong_rule(name: str) -> None:
    f, n = WRONG[name]
    args = (w.tensor([0.3, 1.2]), w.tensor([0.7, -0.4]))[:n]
    with pytest.raises(GradientError, match="check_gradients"):
        w.check_gradients(f, args, order=2)


def test_the_checker_tells_first_from_second_order() -> None:
    f, _ = WRONG["second order of reverse"]
    w.check_gradients(f, (w.tensor([0.3, 1.2]),), order=1)


def test_the_checker_accepts_structures_and_integers() -> None:
    def f(tree: Any, index: Any) -> Any:
        return {"y": tree["a"][index] * 2, "n": index}

    w.check_gradients(f, ({"a": w.tensor([1.0, 2.0, 3.0])}, w.tensor([0, 2, 2])))


@pytest.mark.parametrize("how", ["in place", "step"])
def test_a_leaf_that_was_updated_since_is_an_error_and_not_a_zero(how: str) -> None:
    p = w.tensor([1.0, 2.0], requires_grad=True)
    old = (p * p).sum()
    if how == "step":
        optimizer = w.optim.SGD([p], lr=0.1)
        (p * p).sum().backward()
        optimizer.step()
    else:
        with w.no_grad():
            p -= 0.1
    with pytest.raises(w.errors.GradientError, match=r"replaced .* compute the result again"):
        w.gradients(old, p)
    with pytest.raises(w.errors.GradientError, match=r"replaced .* compute the result again"):
        old.backward()
    assert w.gradients((p * p).sum(), p).tolist() == (p.detach() * 2).tolist()
    assert w.gradients((p.detach() * 2 * w.tensor(1.0, requires_grad=True)).sum(), p).tolist() == [0.0, 0.0]
