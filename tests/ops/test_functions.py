"""Functions made of records, against NumPy: arranging, joining, sorting, products; shapes without elements."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import wengert as w
from wengert.errors import ArgumentError, DTypeError, OutOfBoundsError, ShapeError
from wengert.ops.table import TABLE

X = np.arange(24.0).reshape(2, 3, 4)
SMALL = np.array([[3, 1, 2], [9, 7, 8]])

# name: (ours of a tensor, NumPy's of the same array, the array)
ARRANGED: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any], Any]] = {
    "reshape": (lambda x: w.reshape(x, (4, -1)), lambda x: x.reshape(4, -1), X),
    "permute_dims": (lambda x: w.permute_dims(x, (2, 0, 1)), lambda x: x.transpose(2, 0, 1), X),
    "matrix_transpose": (w.matrix_transpose, lambda x: x.swapaxes(-1, -2), X),
    "moveaxis": (lambda x: w.moveaxis(x, 0, -1), lambda x: np.moveaxis(x, 0, -1), X),
    "swapaxes": (lambda x: w.swapaxes(x, 0, -1), lambda x: np.swapaxes(x, 0, -1), X),
    "expand_dims": (lambda x: w.expand_dims(x, axis=-2), lambda x: np.expand_dims(x, -2), X),
    "squeeze": (lambda x: w.squeeze(x[:1, :, :1]), lambda x: np.squeeze(x[:1, :, :1]), X),
    "broadcast_to": (lambda x: w.broadcast_to(x, (5, 2, 3)), lambda x: np.broadcast_to(x, (5, 2, 3)), SMALL),
    "flip all": (w.flip, np.flip, X),
    "flip two": (lambda x: w.flip(x, axis=(0, -1)), lambda x: np.flip(x, (0, -1)), X),
    "roll flat": (lambda x: w.roll(x, -5), lambda x: np.roll(x, -5), X),
    "roll two": (lambda x: w.roll(x, (1, 7), axis=(0, 2)), lambda x: np.roll(x, (1, 7), (0, 2)), X),
    "roll one shift": (lambda x: w.roll(x, 1, axis=[0, 1]), lambda x: np.roll(x, 1, (0, 1)), X),
    "tile": (lambda x: w.tile(x, (2, 1, 3)), lambda x: np.tile(x, (2, 1, 3)), SMALL),
    "tile fewer": (lambda x: w.tile(x, 2), lambda x: np.tile(x, 2), SMALL),
    "repeat flat": (lambda x: w.repeat(x, 2), lambda x: np.repeat(x, 2), SMALL),
    "repeat each": (lambda x: w.repeat(x, [0, 1, 3], axis=1), lambda x: np.repeat(x, [0, 1, 3], axis=1), SMALL),
    "pad": (lambda x: w.pad(x, [(1, 0), (0, 2)], 7), lambda x: np.pad(x, [(1, 0), (0, 2)], constant_values=7), SMALL),
    "pad bools": (lambda x: w.pad(x > 2, 1), lambda x: np.pad(x > 2, 1), SMALL),
    "concat": (lambda x: w.concat([x, x[:, :1]], axis=1), lambda x: np.concatenate([x, x[:, :1]], 1), X),
    "concat flat": (lambda x: w.concat([x, x[0]], axis=None), lambda x: np.concatenate([x, x[0]], None), X),
    "stack": (lambda x: w.stack([x, x + 1], axis=-1), lambda x: np.stack([x, x + 1], -1), X),
    "split": (lambda x: w.split(x, 2, axis=2)[1], lambda x: np.split(x, 2, 2)[1], X),
    "split at": (lambda x: w.split(x, [1, 5], axis=1)[1], lambda x: np.split(x, [1, 5], 1)[1], X),
    "unstack": (lambda x: w.unstack(x, axis=1)[2], lambda x: x[:, 2], X),
    "broadcast_arrays": (
        lambda x: w.broadcast_arrays(x, x[:, :1, :1])[1],
        lambda x: np.broadcast_arrays(x, x[:, :1, :1])[1],
        X,
    ),
    "meshgrid": (lambda x: w.meshgrid(x[0], x[1, :2])[1], lambda x: np.meshgrid(x[0], x[1, :2])[1], SMALL),
    "meshgrid ij": (
        lambda x: w.meshgrid(x[0], x[1, :2], indexing="ij")[0],
        lambda x: np.meshgrid(x[0], x[1, :2], indexing="ij")[0],
        SMALL,
    ),
    "tril": (lambda x: w.tril(x, k=-1), lambda x: np.tril(x, -1), X),
    "triu": (lambda x: w.triu(x, k=1), lambda x: np.triu(x, 1), X),
    "take": (lambda x: w.take(x, [2, -1, 0], axis=1), lambda x: np.take(x, [2, -1, 0], axis=1), X),
    "take_along_axis": (
        lambda x: w.take_along_axis(x, [[2], [0]], axis=1),
        lambda x: np.take_along_axis(x, np.array([[2], [0]]), 1),
        SMALL,
    ),
    "nonzero": (lambda x: w.nonzero(x - 7)[1], lambda x: np.nonzero(x - 7)[1], SMALL),
    "cumulative_sum": (lambda x: w.cumulative_sum(x, axis=-2), lambda x: np.cumsum(x, axis=-2), X),
    "sort": (w.sort, np.sort, SMALL),
    "sort down": (lambda x: w.sort(x, axis=0, descending=True), lambda x: np.sort(x, 0)[::-1], SMALL),
    "argsort": (w.argsort, np.argsort, SMALL),
    "argmax": (lambda x: w.argmax(x, axis=1, keepdims=True), lambda x: np.argmax(x, 1, keepdims=True), SMALL),
    "argmin flat": (w.argmin, lambda x: np.asarray(np.argmin(x)), SMALL),
    "count_nonzero": (lambda x: w.count_nonzero(x - 7, axis=0), lambda x: np.count_nonzero(x - 7, axis=0), SMALL),
    "one_hot": (lambda x: w.one_hot(x, 10, dtype="int64"), lambda x: np.eye(10, dtype=int)[x], SMALL),
    "rounding leaves integers": (lambda x: w.floor(w.round(w.ceil(w.trunc(x)))), lambda x: x, SMALL),
}


@pytest.mark.parametrize("name", ARRANGED)
def test_arranging_is_numpys(name: str) -> None:
    ours, numpys, x = ARRANGED[name]
    np.testing.assert_array_equal(ours(w.tensor(x)).numpy(), numpys(x), strict=True)


DISCRETE = {
    "pad bools",
    "nonzero",
    "argsort",
    "argmax",
    "argmin flat",
    "count_nonzero",
    "one_hot",
    "rounding leaves integers",
}


@pytest.mark.parametrize("name", [name for name in ARRANGED if name not in DISCRETE])
def test_arranging_is_differentiated_to_order_two(name: str) -> None:
    ours, _, x = ARRANGED[name]
    w.check_gradients(lambda x: ours(x * x), (w.tensor(x / 10 + 0.3, dtype=w.float64),))


PRODUCTS = [((3,), (3,)), ((3,), (3, 2)), ((2, 3), (3,)), ((4, 2, 3), (3,)), ((3,), (4, 3, 2)), ((2, 3), (3, 4))]
PRODUCTS += [((5, 1, 2, 3), (4, 3, 2)), ((2, 3), (5, 3, 1)), ((0, 3), (3, 2)), ((2, 0), (0, 3)), ((0, 2, 3), (3, 2))]


@pytest.mark.parametrize(("a", "b"), PRODUCTS)
def test_matmul_of_all_ranks(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    x1, x2 = rng.normal(size=a), rng.normal(size=b)
    np.testing.assert_allclose(w.matmul(w.tensor(x1), x2).numpy(), x1 @ x2, rtol=1e-13, atol=1e-15, strict=True)
    w.check_gradients(w.matmul, (w.tensor(x1), w.tensor(x2)))


def test_vecdot_and_outer() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 3)), rng.normal(size=3)
    np.testing.assert_allclose(w.vecdot(w.tensor(a), b).numpy(), a @ b, rtol=1e-13)
    np.testing.assert_allclose(w.outer(w.tensor(a[0]), b).numpy(), np.outer(a[0], b), rtol=1e-13)
    w.check_gradients(lambda a, b: w.outer(a[0], b).sum() * w.vecdot(a, b), (w.tensor(a), w.tensor(b)))


@given(st.data())
def test_broadcast_derivatives_have_the_operands_shapes(data: Any) -> None:
    shapes = data.draw(arrays.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, min_side=0, max_side=3))
    a, b = (w.tensor(np.full(shape, 1.5)) for shape in shapes.input_shapes)
    y, pullback = w.vjp(lambda a, b: a * b + w.where(a > b, a, b), a, b)
    assert y.shape == shapes.result_shape
    a_bar, b_bar = pullback(w.ones(y.shape, dtype=w.float64))
    assert (a_bar.shape, b_bar.shape) == (a.shape, b.shape)
    # a*b gives 1.5 to each, where(a > b, ...) gives the derivative to b: each is counted as often as it is repeated
    np.testing.assert_array_equal(a_bar.numpy(), np.full(a.shape, 1.5 * (y.size / a.size if a.size else 0)))
    np.testing.assert_array_equal(b_bar.numpy(), np.full(b.shape, 2.5 * (y.size / b.size if b.size else 0)))
    _, y_dot = w.jvp(lambda a, b: a * b, (a, b), (a, b))
    np.testing.assert_array_equal(y_dot.numpy(), np.full(y.shape, 4.5))


@given(arrays.arrays(np.float64, arrays.array_shapes(max_dims=2, max_side=5), elements=st.integers(-2, 2)))
def test_sorting_is_stable_and_a_permutation(x: Any) -> None:
    t = w.tensor(x)
    np.testing.assert_array_equal(w.argsort(t, axis=0).numpy(), np.argsort(x, axis=0, kind="stable"))
    down = w.argsort(t, axis=0, descending=True).numpy()
    np.testing.assert_array_equal(down, np.argsort(-x, axis=0, kind="stable"))
    np.testing.assert_array_equal(w.grad(lambda t: w.sort(t, axis=0).sum())(t).numpy(), np.ones_like(x))


def test_nan_sorts_last_or_first() -> None:
    x = w.tensor([2.0, np.nan, 3.0])
    np.testing.assert_array_equal(w.sort(x).numpy(), np.array([2, 3, np.nan], np.float32))
    np.testing.assert_array_equal(w.sort(x, descending=True).numpy(), np.array([np.nan, 3, 2], np.float32))


UNARY = [n for n, p in TABLE.items() if hasattr(w, n) and [case.shapes for case in p.cases] == [((2, 3),), ((),)]]


@pytest.mark.parametrize("name", UNARY)
def test_elementwise_functions_keep_shapes_without_elements(name: str) -> None:
    for shape in [(0,), (2, 0), (1, 1), ()]:
        y = getattr(w, name)(w.ones(shape))
        assert y.shape == y.numpy().shape == shape


@pytest.mark.parametrize("dtype", ["int8", "uint16", "int64", "bool"])
@pytest.mark.parametrize("name", ["exp", "sin", "sqrt", "log1p", "sigmoid", "erf", "hardlim", "satlin"])
def test_integers_are_computed_in_float32(name: str, dtype: str) -> None:
    x = np.array([0, 1], dtype)
    ours = getattr(w, name)
    np.testing.assert_array_equal(ours(w.tensor(x)).numpy(), ours(w.tensor(x.astype("float32"))).numpy(), strict=True)


@pytest.mark.parametrize("dtype", ["int8", "int32", "uint8", "uint64"])
@pytest.mark.parametrize("name", ["abs", "square", "sign", "negative", "positive", "floor", "ceil", "trunc", "round"])
def test_integers_stay_what_they_are(name: str, dtype: str) -> None:
    x = np.array([0, 1, 7], dtype)
    np.testing.assert_array_equal(
        getattr(w, name)(w.tensor(x)).numpy(), getattr(np, name)(x).astype(dtype), strict=True
    )


def test_transfer_functions_at_edges() -> None:
    x = w.tensor([-np.inf, -800.0, -0.5, -0.0, 0.0, 0.5, 1.0, 800.0, np.inf, np.nan], dtype=w.float64)
    truth = {
        "relu": [0, 0, 0, 0, 0, 0.5, 1, 800, np.inf, np.nan],
        "hardlim": [0, 0, 0, 1, 1, 1, 1, 1, 1, 0],
        "hardlims": [-1, -1, -1, 1, 1, 1, 1, 1, 1, -1],
        "satlin": [0, 0, 0, 0, 0, 0.5, 1, 1, 1, np.nan],
        "satlins": [-1, -1, -0.5, 0, 0, 0.5, 1, 1, 1, np.nan],
        "radbas": [0, 0, np.exp(-0.25), 1, 1, np.exp(-0.25), np.exp(-1), 0, 0, np.nan],
        "leaky_relu": [-np.inf, -8, -0.005, 0, 0, 0.5, 1, 800, np.inf, np.nan],
        "elu": [-1, -1, np.expm1(-0.5), 0, 0, 0.5, 1, 800, np.inf, np.nan],
    }
    for name, expected in truth.items():
        np.testing.assert_allclose(getattr(w, name)(x).numpy(), expected, rtol=1e-15, err_msg=name)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: w.tensor([1, 2]) ** -1, ArgumentError, "an integer to a negative power"),
        (lambda: w.pow(w.tensor([2]), w.tensor([-1])), ArgumentError, "an integer to a negative power"),
        (lambda: -w.tensor([True]), DTypeError, "negative: does not take bool"),
        (lambda: w.square(w.tensor([True])), DTypeError, "square: does not take bool"),
        (lambda: w.tensor([True]) - True, DTypeError, "subtract: does not take bool"),
        (lambda: ~w.tensor([1.0]), DTypeError, "bitwise_invert: works on integers"),
        (lambda: w.where([1], 2, 3), DTypeError, "the condition must be bool"),
        (lambda: w.tensor([1], dtype="int8") + 200, DTypeError, "200 does not fit int8"),
        (lambda: w.ones((2, 3)) + w.ones(4), ShapeError, "dimension -1 is 3 in one and 4 in another"),
        (lambda: w.ones((2, 3)) @ w.ones((2, 3)), ShapeError, r"x1 @ x2.mT would fit"),
        (lambda: w.tensor(1.0) @ w.ones(2), ShapeError, "a scalar has no axes"),
        (lambda: w.outer(w.ones((2, 2)), w.ones(2)), ShapeError, "must each have one axis"),
        (lambda: w.reshape(w.ones(6), (4, -1)), ShapeError, r"6 elements of shape \(6,\)"),
        (lambda: w.permute_dims(w.ones((2, 3)), (0, 0)), ArgumentError, "each of the 2 axes once"),
        (lambda: w.matrix_transpose(w.ones(2)), ShapeError, "fewer than two axes"),
        (lambda: w.squeeze(w.ones((1, 3)), axis=1), ShapeError, "has size 3, not 1"),
        (lambda: w.broadcast_to(w.ones(2), (3,)), ShapeError, "only dimensions of size 1"),
        (lambda: w.broadcast_arrays(w.ones(2), w.ones(3)), ShapeError, "do not broadcast"),
        (lambda: w.concat([]), ArgumentError, "list of tensors is empty"),
        (lambda: w.concat([w.ones((2, 2)), w.ones((2, 3))]), ShapeError, "all sizes but that of axis 0"),
        (lambda: w.stack([w.ones(2), w.ones(3)]), ShapeError, "use concat"),
        (lambda: w.split(w.ones(5), 2), ShapeError, "does not divide into 2 equal parts"),
        (lambda: w.pad(w.ones(2), 1.5), ArgumentError, "widths 1.5"),
        (lambda: w.pad(w.arange(2), 1, 0.5), ArgumentError, "value 0.5 does not fit int64"),
        (lambda: w.roll(w.ones(3), (1, 2)), ArgumentError, "need as many axes"),
        (lambda: w.repeat(w.ones(3), [1, 2]), ShapeError, "2 counts were given for axis 0 of size 3"),
        (lambda: w.repeat(w.ones(3), -1), ArgumentError, "cannot be negative"),
        (lambda: w.sum(w.ones(2), axis=1), OutOfBoundsError, "sum: axis 1 does not exist"),
        (lambda: w.sum(w.ones((2, 2)), axis=(0, -2)), ArgumentError, "name one axis twice"),
        (lambda: w.sum(w.ones(2), axis=0.5), ArgumentError, "axis 0.5 is not an integer"),
        (lambda: w.sort(w.tensor(1.0)), OutOfBoundsError, "a scalar has no axes"),
        (lambda: w.min(w.ones(0)), ArgumentError, "so there is no min"),
        (lambda: w.argmax(w.ones(0)), ArgumentError, "has no elements"),
        (lambda: w.cumulative_sum(w.ones((2, 2))), ArgumentError, "say which one with axis="),
        (lambda: w.clip(w.ones(2), 2, 1), ArgumentError, "min 2 is larger than max 1"),
        (lambda: w.take(w.ones(3), [3]), OutOfBoundsError, "index 3 is out of range for axis 0"),
        (lambda: w.take_along_axis(w.ones((2, 2)), [0]), ShapeError, "as many axes as x"),
        (lambda: w.one_hot([0.5], 2), DTypeError, "labels must be integers"),
        (lambda: w.arange(0, 1, 0), ArgumentError, "step 0 never arrives"),
        (lambda: w.sin("a"), DTypeError, r"a str \('a'\) is no tensor"),
        (lambda: w.isdtype("int8", "whole"), ArgumentError, "kind 'whole' is not known"),
        (lambda: w.finfo("int8"), DTypeError, "finfo: takes a floating dtype, not int8"),
        (lambda: w.iinfo(w.ones(2)), DTypeError, "iinfo: takes an integer dtype, not float32"),
    ],
)
def test_misuse_is_one_sentence_at_once(call: Callable[[], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()


def test_questions_about_dtypes() -> None:
    assert w.isdtype(w.int8, ("unsigned integer", "signed integer"))
    assert not w.isdtype("float32", "integral")
    assert w.isdtype("float32", w.float32) and w.isdtype("float32", "float32")
    assert (w.iinfo("uint8").max, w.finfo(w.ones(1)).eps) == (255, 2.0**-23)
    names = ["bool", "int8", "int64", "uint8", "uint64", "float32", "float64"]
    for a in names:
        for b in names:  # NumPy's safe casting, for dtypes both have
            assert w.can_cast(a, b) == np.can_cast(a, b), (a, b)
