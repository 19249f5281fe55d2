"""checkpoint: the same values and derivatives as without it, in every mixture, and less held between the passes."""

import gc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as w
from wengert import nn
from wengert.record.entry import Entry

RNG = np.random.default_rng(2)
X = w.tensor(RNG.normal(size=(4, 3)))
WEIGHT = w.tensor(RNG.normal(size=(3, 3)), requires_grad=True)


def same(found: Any, expected: Any, tolerance: float = 1e-12) -> None:
    np.testing.assert_allclose(found.detach().numpy(), expected.detach().numpy(), rtol=tolerance, atol=tolerance)


def block(x: Any) -> Any:
    return w.tanh(w.sin(x @ WEIGHT) * 2) + w.where(x > 0, x, 0).sum()


def inner_gradient(x: Any) -> Any:
    return w.grad(lambda y: (w.sin(y) * x).sum())(x) @ WEIGHT


def looking(x: Any) -> Any:
    y = x @ WEIGHT
    with w.no_grad():
        scale = y * 2
    return (w.exp(y) if y.sum().item() > 0 else w.sin(y)) * scale


def partly_constant(x: Any) -> Any:
    y = x @ WEIGHT
    with w.no_grad():
        scale = y * 2
    return w.exp(y) * scale


FUNCTIONS = {"block": block, "inner gradient": inner_gradient, "looking": looking, "partly constant": partly_constant}
USES: dict[str, Callable[[Any], Any]] = {
    "grad": lambda f: w.grad(lambda x: f(x).sum())(X),
    "twice": lambda f: w.grad(lambda x: (f(f(x)) * f(x)).sum())(X),
    "sum of two": lambda f: w.grad(lambda x: (f(x) + f(x * 2)).sum())(X),
    "jvp": lambda f: w.jvp(f, (X,), (w.cos(X),))[1],
    "hessian": lambda f: w.hessian(lambda x: f(x).sum())(X),
    "jacobian of grad": lambda f: w.jacobian(w.grad(lambda x: f(x).sum()), mode="reverse")(X),
    "grad of jvp": lambda f: w.grad(lambda x: (w.jvp(f, (x,), (x,))[1] ** 2).sum())(X),
    "nested": lambda f: w.grad(lambda x: w.checkpoint(lambda y: f(y) * y)(x).sum())(X),
}


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_derivatives_are_those_of_the_function(name: str, use: str) -> None:
    f = FUNCTIONS[name]
    same(w.checkpoint(f)(X), f(X))
    same(USES[use](w.checkpoint(f)), USES[use](f), 1e-11)


def test_tensors_from_outside_are_differentiated() -> None:
    for f in FUNCTIONS.values():
        for use in (lambda g: g(g(X)), lambda g: w.jvp(g, (X,), (X,))[1]):
            found = []
            for g in (f, w.checkpoint(f)):
                WEIGHT.grad = None
                (use(g) ** 2).sum().backward()
                found.append(WEIGHT.grad)
            same(found[1], found[0], 1e-11)
    WEIGHT.grad = None


def test_one_adjoint_may_be_walked_with_derivatives_and_without() -> None:
    x, y_bar = w.tensor([0.5, 1.0], requires_grad=True), w.tensor([1.0, 2.0])
    y = w.checkpoint(lambda x: w.sin(x) * x)(x)
    plain = w.gradients(y, x, y_bar)
    recorded = w.gradients(y, x, y_bar, create_graph=True)
    assert not plain.requires_grad and recorded.requires_grad and plain.tolist() == recorded.detach().tolist()


def test_with_vmap_in_every_order() -> None:
    for name in ("block", "inner gradient"):
        f = FUNCTIONS[name]
        g = w.checkpoint(f)
        rows = X[:, None]
        same(w.vmap(g)(rows), w.stack([f(row) for row in rows]))
        slope = w.vmap(w.grad(lambda x: (g(x) ** 2).sum()))  # noqa: B023
        expected = w.grad(lambda x: (w.stack([f(row) for row in x]) ** 2).sum())(rows)  # noqa: B023
        same(slope(rows), expected)
        same(w.grad(lambda x: (w.vmap(g)(x) ** 2).sum())(rows), expected)  # noqa: B023
        same(w.grad(lambda x: (w.checkpoint(w.vmap(f))(x) ** 2).sum())(rows), expected)  # noqa: B023
        same(w.grad(lambda x: (w.vmap(w.vmap(g))(x[None]) ** 2).sum())(rows), expected)  # noqa: B023
        found = []
        for h in (f, g):
            WEIGHT.grad = None
            (w.vmap(h)(rows) ** 2).sum().backward()
            found.append(WEIGHT.grad)
        same(found[1], found[0])
    WEIGHT.grad = None


def test_structures_and_settings() -> None:
    g = w.checkpoint(lambda tree, power=2: {"a": tree["x"] ** power, "b": [tree["y"] * 3, 7.0]})
    x, y = w.tensor(3.0, requires_grad=True), w.tensor(5.0)
    found = g({"x": x, "y": y}, power=3)
    assert found["a"].item() == 27.0 and found["b"][1].item() == 7.0 and not found["b"][0].requires_grad
    found["a"].backward()
    assert x.grad.item() == 27.0
    with w.no_grad():
        assert not g({"x": x, "y": y})["a"].requires_grad
    assert w.checkpoint(lambda x: x)(x) is x
    w.check_gradients(w.checkpoint(lambda a, b: (a * b, w.sin(a))), (w.tensor([0.3, 1.0]), w.tensor([2.0, 0.7])))


def test_masks_and_replaced_tensors_are_those_of_the_forward_pass() -> None:
    drop, x = nn.Dropout(0.5), w.ones(1000).requires_grad_()
    y = w.checkpoint(lambda x: drop(x) * x)(x)
    y.sum().backward()
    assert x.grad.tolist() == (y.detach() * 2).tolist()
    p = w.tensor([2.0, 3.0], requires_grad=True)
    cell = [p * 1]
    z = w.checkpoint(lambda: (cell[0] ** 3).sum())()
    cell[0] = w.zeros(2)
    z.backward()
    assert p.grad.tolist() == [12.0, 27.0]


# -- what is saved ----------------------------------------------------------------------------------------------------

LAYERS, WIDTH, ROWS = 12, 32, 64


def held(values_from: int) -> int:
    """Bytes of the values that entries hold, those recorded since."""
    gc.collect()
    entries = [each for each in gc.get_objects() if type(each) is Entry and each.number >= values_from]
    buffers = {id(each.value): each.value.nbytes for each in entries if each.value is not None}
    return sum(buffers.values())


def between_the_passes(wrap: Callable[[Any], Any]) -> tuple[int, list[Any]]:
    """Train a little, with a look at the loss before each backward pass; return what was held then, and the results."""
    from wengert.record.entry import next_number

    rng = np.random.default_rng(0)
    weights = [w.tensor(rng.normal(size=(WIDTH, WIDTH)) * 0.2, requires_grad=True) for _ in range(LAYERS)]
    x = w.tensor(rng.normal(size=(ROWS, WIDTH)))

    def layers(x: Any, some: Any) -> Any:
        for weight in some:
            x = w.tanh(w.sin(x @ weight) * 1.5) + x
        return x

    most, results = 0, []
    for _ in range(8):
        start = next_number()
        h = x
        for k in range(0, LAYERS, 4):
            h = wrap(lambda x, k=k: layers(x, weights[k : k + 4]))(h)
        loss = (h * h).mean()
        results.append(loss.item())
        most = held(int(start))
        loss.backward()
        results.append(weights[0].grad.tolist())
        for weight in weights:
            weight.grad = None
    return most, results


def test_less_is_held_between_the_passes_and_the_bits_are_the_same() -> None:
    plain, expected = between_the_passes(lambda f: f)
    saved, found = between_the_passes(w.checkpoint)
    assert found == expected
    one = ROWS * WIDTH * 8
    assert plain > 2.5 * LAYERS * one
    assert saved <= (LAYERS / 4 + 1) * one


def test_a_plan_of_both_passes_needs_less_memory() -> None:
    rng = np.random.default_rng(0)
    weights = [w.tensor(rng.normal(size=(64, 64)) * 0.2, requires_grad=True) for _ in range(6)]
    x = w.tensor(rng.normal(size=(512, 64)))

    def layers(x: Any, some: Any) -> Any:
        for weight in some:
            x = w.tanh(w.sin(x @ weight) * 1.5) + x
        return x

    def step(wrap: Callable[[Any], Any]) -> Any:
        h = wrap(lambda x: layers(x, weights[:3]))(x)
        h = wrap(lambda x: layers(x, weights[3:]))(h)
        (h * h).mean().backward()
        found = weights[0].grad.numpy()
        for weight in weights:
            weight.grad = None
        return found

    memory, bits = [], []
    for wrap in (lambda f: f, w.checkpoint):
        known = {(path.steps, path.line) for path in w.report().paths}
        bits.append([step(wrap) for _ in range(40)])
        fresh = [path for path in w.report().paths if (path.steps, path.line) not in known]
        (path,) = [path for path in fresh if "test_checkpoint" in path.line]
        assert path.runs > 0
        memory.append(path.memory)
    assert memory[1] < 0.7 * memory[0]
    assert all(np.array_equal(each, bits[0][0]) for run in bits for each in run)
