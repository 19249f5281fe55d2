"""vmap: the same as a loop over examples, in any mixture with derivatives; what one run for all cannot do says so."""

import threading
from collections import namedtuple
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import wengert as w
from tests.autodiff.test_nesting import STEPS
from tests.record.test_interruption import PACKAGE, Strike, healthy
from wengert import nn
from wengert.errors import ArgumentError, GradientError, LookError, OutOfBoundsError, ShapeError
from wengert.record import trie
from wengert.record.recorder import STATE

RNG = np.random.default_rng(3)
X = w.tensor(RNG.normal(size=(4, 3)))


def loop(f: Callable[..., Any], *x: Any) -> Any:
    return w.stack([f(*row) for row in zip(*x, strict=True)])


def same(found: Any, expected: Any, tolerance: float = 1e-12) -> None:
    np.testing.assert_allclose(found.detach().numpy(), expected.detach().numpy(), rtol=tolerance, atol=tolerance)


def f(x: Any) -> Any:
    return w.tanh(x[::-1]) @ x + w.logsumexp(x)


def g(x: Any) -> Any:
    return w.sin(x) * w.cumulative_sum(x) / (1 + w.norm(x))


# -- mixtures ---------------------------------------------------------------------------------------------------------


def forward(h: Any) -> Any:
    return lambda x: w.jvp(h, (x,), (w.ones(x.shape, dtype=w.float64),))[1]


def backward(h: Any) -> Any:
    return lambda x: w.vjp(h, x)[1](w.ones(h(x).shape, dtype=w.float64))[0]


TRANSFORMS: dict[str, Callable[[Any], Any]] = {
    "grad": lambda h: w.grad(lambda x: h(x).sum()),
    "value_and_grad": lambda h: lambda x: w.value_and_grad(lambda x: h(x).sum())(x)[1],
    "jvp": forward,
    "vjp": backward,
    "jacobian by columns": lambda h: w.jacobian(h, mode="forward"),
    "jacobian by rows": lambda h: w.jacobian(h, mode="reverse"),
    "hessian": lambda h: w.hessian(lambda x: h(x).sum()),
    "hvp": lambda h: lambda x: w.hvp(lambda x: h(x).sum(), x, w.cos(x)),
}


@pytest.mark.parametrize("name", TRANSFORMS)
def test_vmap_of_a_derivative_is_a_loop(name: str) -> None:
    for h in (f, g):
        same(w.vmap(TRANSFORMS[name](h))(X), loop(TRANSFORMS[name](h), X))


@pytest.mark.parametrize("name", TRANSFORMS)
def test_a_derivative_of_vmap_is_that_of_a_loop(name: str) -> None:
    for h in (f, g):
        same(TRANSFORMS[name](w.vmap(h))(X), TRANSFORMS[name](lambda x, h=h: loop(h, x))(X))


@pytest.mark.parametrize("outer", TRANSFORMS)
@pytest.mark.parametrize("inner", TRANSFORMS)
def test_three_deep(inner: str, outer: str) -> None:
    x = X[:2]
    found = TRANSFORMS[outer](w.vmap(TRANSFORMS[inner](g)))(x)
    same(found, TRANSFORMS[outer](lambda x: loop(TRANSFORMS[inner](g), x))(x), 1e-10)
    both = w.stack([x, x * 0.5])
    same(w.vmap(TRANSFORMS[outer](w.vmap(TRANSFORMS[inner](g))))(both)[0], found, 1e-10)


def test_vmaps_within_each_other_use_their_own_examples() -> None:
    a, b = w.tensor([1.0, 2.0, 3.0]), w.tensor([10.0, 20.0])
    assert w.vmap(lambda x: w.vmap(lambda y: x * y)(b))(a).tolist() == [[10, 20], [20, 40], [30, 60]]
    assert w.vmap(lambda x: w.vmap(lambda y: y * 2)(b))(a).tolist() == [[20, 40]] * 3
    pairs = w.vmap(w.vmap(lambda x, y: x - y, in_axes=(None, 0)), in_axes=(0, None))(a, b)
    assert pairs.tolist() == (a[:, None] - b).tolist()
    three = w.vmap(lambda x: w.vmap(lambda y: w.vmap(lambda z: x * y + z)(a))(b))(a)
    assert three.tolist() == (a[:, None, None] * b[:, None] + a).tolist()


def test_perturbations_are_not_confused() -> None:
    x = w.tensor([1.0, 2.0, 3.0])
    # Siskind and Pearlmutter, Nesting forward-mode AD in a functional framework (2008), for each example.
    assert w.vmap(lambda x: w.grad(lambda x: x * w.grad(lambda y: x + y)(1.0))(x))(x).tolist() == [1.0] * 3
    inner = lambda x: w.jvp(lambda y: x * y, (w.tensor(2.0),), (w.tensor(1.0),))[1]  # noqa: E731
    assert w.vmap(lambda x: w.jvp(lambda x: x * inner(x), (x,), (1.0,))[1])(x).tolist() == [2.0, 4.0, 6.0]
    mixed = w.grad(lambda x: (w.vmap(lambda y: w.grad(lambda z: z * z * y)(x))(w.ones(3)) * x).sum())
    assert mixed(2.0).item() == 3 * 4 * 2.0  # d/dx of 3 * 2x * x
    assert w.vmap(w.grad(lambda x: w.vmap(lambda y: x * x * y)(w.tensor([1.0, 2.0])).sum()))(x).tolist() == [6, 12, 18]


@settings(max_examples=25)
@given(
    st.lists(st.tuples(st.sampled_from(sorted(STEPS)), st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=5),
    st.sampled_from([(0, 0), (0, None), (None, 0), (1, 2)]),
)
def test_random_compositions_are_loops(program: list[tuple[str, int, int]], axes: Any) -> None:
    def h(x: Any, y: Any) -> Any:
        pool = [x, y]
        for name, i, j in program:
            pool.append(w.tanh(STEPS[name](pool[i % len(pool)], pool[-1 - j % len(pool)])))
        return pool[-1]

    rng = np.random.default_rng(5)
    both = [rng.normal(size=(2, 3, 3)), rng.normal(size=(2, 3, 3))]
    given = [
        w.tensor(x[0]) if axis is None else w.tensor(np.moveaxis(x, 0, axis))
        for x, axis in zip(both, axes, strict=True)
    ]
    rows = [
        [w.tensor(x[0]) if axis is None else w.tensor(x[k]) for x, axis in zip(both, axes, strict=True)] for k in (0, 1)
    ]
    same(w.vmap(h, in_axes=axes)(*given), w.stack([h(*row) for row in rows]))
    slope = w.grad(lambda x, y: h(x, y).sum())
    same(w.vmap(slope, in_axes=axes)(*given), w.stack([slope(*row) for row in rows]), 1e-10)
    w.check_gradients(w.vmap(h, in_axes=axes), tuple(given), order=1)


# -- networks ---------------------------------------------------------------------------------------------------------


def network() -> nn.Sequential:
    w.seed(1)
    return nn.Sequential(nn.Linear(5, 4), nn.Tansig(), nn.Linear(4, 3))


def functional(model: nn.Sequential, parameters: list[Any], x: Any) -> Any:
    w1, b1, w2, b2 = parameters
    return w.tanh(x @ w1.mT + b1) @ w2.mT + b2


def test_gradients_for_each_example_of_a_network_are_those_of_a_loop() -> None:
    model = network()
    parameters = [p.detach().astype("float64") for p in model.parameters()]
    x, labels = w.tensor(RNG.normal(size=(6, 5))), w.tensor([0, 1, 2, 2, 1, 0])

    def loss(parameters: Any, x: Any, label: Any) -> Any:
        return nn.cross_entropy(functional(model, parameters, x), label)

    found = w.vmap(w.grad(loss), in_axes=(None, 0, 0))(parameters, x, labels)
    for k in range(6):
        for each, expected in zip(found, w.grad(loss)(parameters, x[k], labels[k]), strict=True):
            same(each[k], expected)
    whole = w.grad(lambda p: nn.cross_entropy(functional(model, p, x), labels))(parameters)
    for each, expected in zip(found, whole, strict=True):
        same(each.sum(axis=0) / 6, expected)


def test_backward_goes_through_vmap_to_parameters() -> None:
    model, x = network(), w.tensor(RNG.normal(size=(6, 5)).astype("float32"))
    (model(x) ** 2).sum().backward()
    expected = [p.grad.numpy() for p in model.parameters()]
    for _ in range(3):  # what a layer leaps over elsewhere is recorded one by one here, each time
        model.zero_grad()
        (w.vmap(model)(x) ** 2).sum().backward()
        for each, p in zip(expected, model.parameters(), strict=True):
            np.testing.assert_allclose(p.grad.numpy(), each, rtol=1e-5, atol=1e-6)


def test_masks_are_drawn_for_each_example_as_a_loop_draws_them() -> None:
    drop, x = nn.Dropout(0.4), w.ones((3, 2, 4))
    for h, looped in (
        (w.vmap(drop), lambda x: loop(drop, x)),
        (w.vmap(w.vmap(drop)), lambda x: loop(lambda row: loop(drop, row), x)),
        (w.vmap(lambda row: row + drop(w.ones(4)).sum()), lambda x: loop(lambda row: row + drop(w.ones(4)).sum(), x)),
    ):
        w.seed(4)
        found = h(x)
        w.seed(4)
        assert found.tolist() == looped(x).tolist()


def test_a_step_with_vmap_is_compiled_to_the_same_bits() -> None:
    def step(x: Any, p: Any) -> Any:
        return w.vmap(w.grad(lambda p, x: (w.tanh(x * p) ** 2).sum()), in_axes=(None, 0))(p, x)

    x, p = w.tensor(RNG.normal(size=(64, 300))), w.tensor(RNG.normal(size=300))
    with w.eager():
        expected = step(x, p).numpy()
    runs = [step(x, p).numpy() for _ in range(200)]
    assert sum(path.runs for path in w.report().paths if "test_vmap" in path.line) > 100
    assert all(np.array_equal(run, expected) for run in runs)


# -- what goes in and comes out ---------------------------------------------------------------------------------------

Pair = namedtuple("Pair", ["left", "right"])


def test_axes_of_arguments_and_results() -> None:
    x = w.tensor(np.arange(24.0).reshape(2, 3, 4))
    for axis in (0, 1, 2, -1, -3):
        assert w.vmap(lambda a: a * 2, in_axes=axis, out_axes=axis)(x).tolist() == (x * 2).tolist()
    assert w.vmap(lambda a: a, in_axes=2)(x).tolist() == w.moveaxis(x, 2, 0).tolist()
    a, b = w.vmap(lambda a: (a.sum(), a), in_axes=1, out_axes=(0, -1))(x)
    assert a.tolist() == x.sum(axis=(0, 2)).tolist() and b.tolist() == w.moveaxis(x, 1, -1).tolist()
    assert w.vmap(lambda a, b: a + b, in_axes=(0, None))(x, 1.0).tolist() == (x + 1).tolist()
    assert w.vmap(lambda a, b: a + b, in_axes=[None, 0])(1.0, x).tolist() == (x + 1).tolist()


def test_nested_arguments_and_results() -> None:
    x = w.tensor([[1.0, 2.0], [3.0, 4.0]])
    tree = {"a": Pair(x, [x * 2]), "b": (None, x.T)}

    def h(tree: Any, scale: Any, text: str) -> Any:
        assert text == "as it is"
        return {"sum": Pair(tree["a"].left + tree["a"].right[0], tree["b"][1] * scale), "rest": [7.0, None]}

    found = w.vmap(h, in_axes=({"a": 0, "b": (None, 1)}, None, None))(tree, 10.0, "as it is")
    assert isinstance(found["sum"], Pair)
    assert found["sum"].left.tolist() == (x * 3).tolist() and found["sum"].right.tolist() == (x * 10).tolist()
    assert found["rest"][0].tolist() == [7.0, 7.0] and found["rest"][1] is None
    axes = {"sum": Pair(1, 0), "rest": None}
    again = w.vmap(h, in_axes=({"a": 0, "b": (None, 1)}, None, None), out_axes=axes)(tree, 10.0, "as it is")
    assert again["sum"].left.tolist() == (x * 3).T.tolist() and again["rest"][0].item() == 7.0


def test_keywords_and_shared_arguments_are_passed_as_they_are() -> None:
    names = {"add": 1.0}
    found = w.vmap(lambda x, options, power=1: (x + options["add"]) ** power, in_axes=(0, None))
    assert found(w.tensor([1.0, 2.0]), names, power=2).tolist() == [4.0, 9.0]
    seen = []
    w.vmap(lambda x, thing: seen.append(thing) or x, in_axes=(0, None))(w.ones(2), names)
    assert seen[0] is names


def test_results_that_are_the_same_for_all_are_repeated() -> None:
    x = w.ones((3, 2))
    shared = w.tensor([5.0, 6.0])
    assert w.vmap(lambda x: shared)(x).tolist() == [[5.0, 6.0]] * 3
    assert w.vmap(lambda x: shared, out_axes=1)(x).tolist() == [[5.0] * 3, [6.0] * 3]
    assert w.vmap(lambda x: shared, out_axes=None)(x).tolist() == [5.0, 6.0]
    assert w.vmap(lambda x: 3)(x).dtype == w.int64
    assert w.vmap(lambda x: w.zeros(2) + 1)(x).tolist() == [[1.0, 1.0]] * 3


def test_no_examples_and_one() -> None:
    assert w.vmap(g)(X[:0]).shape == (0, 3)
    assert w.vmap(w.grad(f))(X[:0]).shape == (0, 3)
    same(w.vmap(w.grad(f))(X[:1]), loop(w.grad(f), X[:1]))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: w.vmap(g)(w.ones(())), OutOfBoundsError, "argument 0: axis 0 does not exist: a scalar"),
        (lambda: w.vmap(g, in_axes=2)(X), OutOfBoundsError, "axis 2 does not exist in a tensor with 2 axes"),
        (lambda: w.vmap(g, out_axes=2)(X), OutOfBoundsError, "out_axes for the result: axis 2 does not exist"),
        (
            lambda: w.vmap(w.add)(X, X[:2]),
            ShapeError,
            "argument 1 holds 2 examples along axis 0 and argument 0 holds 4",
        ),
        (lambda: w.vmap(lambda d: d["a"])({"a": X, "b": X.T}), ShapeError, r"argument 0\['b'\] holds 3 examples"),
        (lambda: w.vmap(g, in_axes=None)(X), ArgumentError, "no argument has an axis of examples"),
        (lambda: w.vmap(g)(), ArgumentError, "no argument has an axis of examples"),
        (
            lambda: w.vmap(g, in_axes=(0, 0))(X),
            ArgumentError,
            r"in_axes \(0, 0\) does not fit the arguments, a tuple of 1",
        ),
        (lambda: w.vmap(g, in_axes=((0,),))(X), ArgumentError, "does not fit argument 0, which is no list"),
        (lambda: w.vmap(g, in_axes=({"a": 0},))({"b": X}), ArgumentError, "does not fit argument 0, a dict of 1"),
        (lambda: w.vmap(g, in_axes=1.5), ArgumentError, "in_axes holds 1.5; an axis is an integer"),
        (lambda: w.vmap(g, out_axes=True), ArgumentError, "out_axes holds True"),
        (lambda: w.vmap(g, out_axes=(0, 0))(X), ArgumentError, "does not fit the result, which is no list"),
        (lambda: w.vmap(g, out_axes=None)(X), ArgumentError, "out_axes is None for the result, which differs"),
        (lambda: w.vmap(lambda x: x @ x[:2])(X), ShapeError, r"shapes \(3,\) and \(2,\)"),
        (lambda: w.vmap(w.grad(g))(X), GradientError, r"must return one real number, and returned float64\[3\]"),
    ],
)
def test_misuse_is_one_sentence(call: Callable[[], Any], error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        call()
    assert not STATE.segment.virtual
    healthy()


# -- looks ------------------------------------------------------------------------------------------------------------

LOOKS: dict[str, Callable[[Any], Any]] = {
    "if": lambda x: x if x.sum() > 0 else -x,
    "float": lambda x: x * float(x[0]),
    "item": lambda x: x.sum().item(),
    "numpy": lambda x: x.detach().numpy(),
    "asarray": lambda x: np.asarray(x.detach()),
    "text": lambda x: f"{x}",
    "tolist": lambda x: x.tolist(),
    "mask": lambda x: x[x > 0],
    "masked write": lambda x: x.__setitem__(x > 0, 0.0),
    "index": lambda x: X[int(x.argmax())],
    "range": lambda x: range(x.argmax()),
    "nonzero": lambda x: w.nonzero(x),
    "unique": lambda x: w.unique_values(x),
    "loop": lambda x: [y for y in x if y > 0],
    "in a gradient": lambda x: w.grad(lambda y: y.sum() if y.max() > 0 else y.min())(x),
}


@pytest.mark.parametrize("name", LOOKS)
def test_a_look_at_one_example_says_what_to_do(name: str) -> None:
    message = r"test_vmap.py:\d+ looks at a value that differs.*wengert.where, or write a Python loop"
    for h in (w.vmap(LOOKS[name]), w.vmap(lambda x: w.vmap(LOOKS[name])(x[None])), w.grad(w.vmap(LOOKS[name]))):
        with pytest.raises(LookError, match=message):
            h(X)
        healthy()


def test_looks_at_what_all_examples_share_work() -> None:
    pending = w.tensor([1.0, 2.0]) * 3  # not computed yet
    leaf = w.tensor(2.0, requires_grad=True)

    def h(x: Any) -> Any:
        inside = w.exp(w.zeros(())) + pending.sum()
        assert pending.tolist() == [3.0, 6.0] and inside.item() == 10.0 and float(leaf * 2) == 4.0
        if inside > 5:
            x = x * inside
        for _ in range(int(leaf.item())):
            x = x + leaf
        return x[w.tensor([True, False, True])]

    found = w.vmap(h)(X)
    same(found, X[:, [0, 2]] * 10 + 4)
    found.sum().backward()
    assert leaf.grad.item() == 2 * 8


# -- writing, drawing, failing ----------------------------------------------------------------------------------------


def test_writing_inside_is_a_loops() -> None:
    def h(x: Any) -> Any:
        out = w.zeros((2, 3), dtype=w.float64)
        out[0] = x
        row = out[1]
        row += x[0]
        x = x * 1
        x[1:] *= 2
        x -= out.sum()
        return out + x

    same(w.vmap(h)(X), loop(h, X))
    before = X.tolist()
    w.vmap(lambda x: x.__iadd__(1))(X)
    assert X.tolist() == before


def test_what_would_happen_once_instead_of_for_each_is_refused() -> None:
    total, p = w.zeros(3), w.tensor([1.0, 2.0, 3.0], requires_grad=True)
    optimizer = w.optim.SGD([p], lr=0.1)

    def write(x: Any) -> Any:
        total[0] = 1.0
        return x

    def step(x: Any) -> Any:
        optimizer.step()
        return x

    for h, message in (
        (lambda x: total.__iadd__(x), r"\+= on a tensor from outside: the function given to vmap runs once"),
        (write, r"on a tensor from outside.*return the new value"),
        (lambda x: (x * p).sum().backward(), "backward to a leaf from outside.*use wengert.grad"),
        (step, "step: the function given to vmap"),
    ):
        with pytest.raises(ArgumentError, match=message):
            w.vmap(h)(w.ones((2, 3)))
    assert total.tolist() == [0.0] * 3 and p.tolist() == [1.0, 2.0, 3.0] and p.grad is None

    def own(x: Any) -> Any:
        q = (x * 2).detach().requires_grad_()
        (q * q).sum().backward()
        return q.grad

    same(w.vmap(own)(X), X * 4)


def test_what_may_fail_on_values_is_checked_for_all_examples() -> None:
    index = w.tensor([0, 1, 5, 1])
    with pytest.raises(OutOfBoundsError, match="index 5 is out of range") as caught:
        w.vmap(lambda x, i: x[i])(X, index)
    assert any("test_vmap.py" in note for note in caught.value.__notes__)
    with pytest.raises(OutOfBoundsError, match="index 5"):
        w.vmap(lambda x, i: (x[i], x)[1])(X, index)
    with pytest.raises(OutOfBoundsError, match="index 5"):
        w.vmap(lambda x, i: w.vmap(lambda y: y[i])(x[None]))(X, index)
    with pytest.raises(ArgumentError, match="singular"):
        w.vmap(w.linalg.inv)(w.stack([w.eye(2), w.zeros((2, 2))]))
    with pytest.raises(ArgumentError, match="label 7 is out of range"):
        w.vmap(nn.cross_entropy)(w.ones((2, 3)), w.tensor([1, 7]))
    with pytest.raises(OutOfBoundsError, match="segment numbers"):
        w.vmap(lambda x, s: w.segment_sum(x, s, 2))(w.ones((2, 3)), w.tensor([[0, 1, 2], [0, 1, 1]]))

    def caught_inside(x: Any) -> Any:
        try:
            return x[w.tensor([9])]
        except IndexError:
            return x

    same(w.vmap(caught_inside)(X), X)
    healthy()


def test_an_exception_inside_leaves_the_engine_as_it_was() -> None:
    pending = X * 2

    def fails(x: Any) -> Any:
        with w.no_grad():
            return w.vmap(lambda y: {}[y.sum()])(x[None] + pending[0])

    with pytest.raises(KeyError):
        w.vmap(fails)(X)
    healthy()
    same(pending, X + X)


def test_an_exception_between_any_two_instructions_leaves_the_engine_usable() -> None:
    x = w.tensor([[1.0, 2.0], [3.0, 4.0]])

    def program() -> None:
        assert w.vmap(w.grad(lambda a: (a * a[::-1]).sum()))(x).tolist() == [[4.0, 2.0], [8.0, 6.0]]

    files = (PACKAGE,)
    counting = Strike(files=files)
    counting.run(program)
    assert counting.count > 3000
    seen: set[Any] = set()
    for k, place in enumerate(counting.places):
        if place not in seen and ("virtual" in place[0].co_filename or k % 50 == 0):
            seen.add(place)
            Strike(k, files).run(program)
            assert not STATE.segment.virtual
            healthy()


def test_paths_outlive_the_table_of_specs() -> None:
    """Specs are interned, and forgotten when there are too many; nodes of known paths keep the ones they have."""
    for _ in range(2):
        same(w.vmap(w.square)(X), X * X)
        trie._SPECS.clear()
    healthy()


# -- tensors that leave, threads --------------------------------------------------------------------------------------


def test_a_tensor_that_leaves_the_function_says_so() -> None:
    kept: list[Any] = []
    w.vmap(lambda x: kept.append(x * 2) or x)(X)
    for use in (lambda: kept[0] + 1, lambda: kept[0].tolist(), lambda: w.vmap(lambda y: y + kept[0])(X)):
        with pytest.raises(LookError, match="after the function had ended; return it"):
            use()
    healthy()
    shared: list[Any] = []
    w.vmap(lambda x: shared.append(w.exp(w.zeros(2)) + 1) or x)(X)
    assert (shared[0] * 2).tolist() == [4.0, 4.0]


def test_threads_do_not_see_each_others_examples() -> None:
    failed: list[Any] = []

    def elsewhere(x: Any) -> None:
        try:
            (x * 2).tolist()
        except LookError as error:
            failed.append(error)

    def h(x: Any) -> Any:
        thread = threading.Thread(target=elsewhere, args=(x,))
        thread.start()
        thread.join()
        return x * 2

    same(w.vmap(h)(X), X * 2)
    assert len(failed) == 1

    found: list[Any] = []
    threads = [threading.Thread(target=lambda: found.append(w.vmap(w.hessian(f))(X).tolist())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4 and all(each == found[0] for each in found)


# -- settings ---------------------------------------------------------------------------------------------------------


def test_derivatives_are_recorded_where_they_would_be_in_a_loop() -> None:
    scale = w.tensor([2.0, 3.0, 4.0], dtype=w.float64, requires_grad=True)

    def h(x: Any) -> Any:
        with w.no_grad():
            constant = scale * x
        return constant * scale + (scale * x).detach()

    found = w.vmap(h)(X)
    assert found.requires_grad
    found.sum().backward()
    same(scale.grad, (X * scale).sum(axis=0))
    with w.no_grad():
        assert not w.vmap(h)(X).requires_grad
        slope = w.vmap(w.grad(lambda x: (x * x * scale).sum()))(X)
    assert not slope.requires_grad
    same(slope, X * scale.detach() * 2)
    assert not w.vmap(h)(X.detach()).detach().requires_grad
    with w.eager():
        same(w.vmap(w.grad(f))(X), loop(w.grad(f), X))

    def eager_inside(x: Any) -> Any:
        with w.eager(), w.no_grad():
            constant = x * scale
        return constant * scale

    scale.grad = None
    w.vmap(eager_inside)(X).sum().backward()
    same(scale.grad, (X * scale).sum(axis=0))


def test_a_look_under_no_grad_does_not_outlast_its_block() -> None:
    pending, leaf = w.ones(2) * 3, w.tensor(2.0, requires_grad=True)

    def h(x: Any) -> Any:
        with w.no_grad():
            assert pending.tolist() == [3.0, 3.0]
        return x

    w.vmap(h)(X)
    assert (leaf * 2).requires_grad
    assert w.vmap(lambda x: x * leaf)(X).requires_grad


def test_a_rule_of_ones_own_is_batched() -> None:
    for rule in (
        {"vjp": lambda y_bar, y, a, b: (y_bar * b * 10, (y_bar * a).sum() * 10)},
        {"jvp": lambda dots, y, a, b: (dots[0] * b + a * dots[1]) * 10},
    ):
        product = w.custom_rule(lambda a, b: a * b, **rule)
        b = w.tensor([2.0, 3.0, 4.0, 5.0], dtype=w.float64)
        for axes, both in (((0, 0), (X, b)), ((0, None), (X, b[0])), ((None, 0), (X[0], b))):
            rows = [[x if axis is None else x[k] for x, axis in zip(both, axes, strict=True)] for k in range(4)]
            for argnums in (0, 1):
                slope = w.grad(lambda a, b: (product(a, b) ** 2).sum(), argnums)  # noqa: B023
                same(w.vmap(slope, in_axes=axes)(*both), w.stack([slope(*row) for row in rows]))
                outer = w.grad(lambda a, b: (w.vmap(product, in_axes=axes)(a, b) ** 2).sum(), argnums)  # noqa: B023
                expected = w.stack([slope(*row) for row in rows])
                same(outer(*both), expected if axes[argnums] == 0 else expected.sum(axis=0))
        twice = w.grad(lambda x: w.vmap(w.vmap(lambda a: product(a, a)))(x).sum())  # noqa: B023
        same(twice(X), X * 20)


def test_jacobians_are_made_in_portions_where_values_grow_large(monkeypatch: pytest.MonkeyPatch) -> None:
    from wengert.autodiff import transforms

    whole = [w.jacobian(g, mode=mode)(X[0]) for mode in ("forward", "reverse")]
    monkeypatch.setattr(transforms, "MOST_BYTES", 50)
    for expected, mode in zip(whole, ("forward", "reverse"), strict=True):
        same(w.jacobian(g, mode=mode)(X[0]), expected)
    assert w.jacobian(g)(X[0, :0]).shape == (0, 0)
