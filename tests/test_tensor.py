"""The tensor: made from everything that holds numbers, with NumPy's operators, promotion, looks and in-place syntax."""

import itertools
import operator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import wengert as w
from wengert.errors import (
    ArgumentError,
    DTypeError,
    GradientError,
    OutOfBoundsError,
    ShapeError,
    WengertError,
)

DTYPES = ["bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64"]


# -- construction --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "dtype", "values"),
    [
        (True, "bool", True),
        (3, "int64", 3),
        (1.5, "float32", 1.5),
        ([1, 2], "int64", [1, 2]),
        ([1, 2.5, True], "float32", [1.0, 2.5, 1.0]),
        ([[True], [False]], "bool", [[True], [False]]),
        (((1.0, 2.0), [3.0, 4.0]), "float32", [[1.0, 2.0], [3.0, 4.0]]),
        ([], "float32", []),
        ([[], []], "float32", [[], []]),
        (range(3), "int64", [0, 1, 2]),
        (np.float64(1.5), "float64", 1.5),
        (np.array([1.0, 2.0]), "float64", [1.0, 2.0]),
        ([np.float64(1.5), np.float64(2.0)], "float64", [1.5, 2.0]),
        (np.arange(4)[::-2], "int64", [3, 1]),
        (np.array([1.5], ">f4"), "float32", [1.5]),
        (np.asfortranarray(np.arange(6).reshape(2, 3)), "int64", [[0, 1, 2], [3, 4, 5]]),
    ],
)
def test_construction(data: Any, dtype: str, values: Any) -> None:
    x = w.tensor(data)
    assert (x.dtype, x.tolist(), x.shape) == (np.dtype(dtype), values, np.shape(values))
    assert (x.ndim, x.size, x.device, x.requires_grad, x.is_leaf) == (
        np.ndim(values),
        np.size(values),
        "cpu",
        False,
        True,
    )


@pytest.mark.parametrize("name", DTYPES)
def test_arrays_keep_their_dtype_and_any_is_given_on_request(name: str) -> None:
    array = np.array([0, 1, 1]).astype(name)
    assert w.tensor(array).dtype == np.dtype(name)
    x = w.tensor([0, 1, 1], dtype=name)
    assert x.dtype == np.dtype(name)
    np.testing.assert_array_equal(x.numpy(), array)


@pytest.mark.parametrize(
    ("data", "error", "match"),
    [
        ([[1, 2], [3]], ShapeError, "ragged.*pad the rows"),
        (object(), DTypeError, "object.*convert"),
        (None, DTypeError, "None.*convert"),
        ("abc", DTypeError, "'abc'.*convert"),
        (["a", 1], DTypeError, "convert"),
        ({1, 2}, DTypeError, "convert"),
        (2**70, DTypeError, "convert"),
        (np.array(["2020-01-01"], "M8[D]"), DTypeError, "datetime64.*convert"),
        (np.longdouble(1.0), DTypeError, "float128.*use one of.*float32"),
    ],
)
def test_what_is_no_array_of_numbers_is_refused_in_a_sentence(data: Any, error: type, match: str) -> None:
    with pytest.raises(error, match=match):
        w.tensor(data)


def test_a_list_of_differentiated_tensors_does_not_lose_their_derivatives() -> None:
    x = w.tensor(1.0, requires_grad=True)
    with pytest.raises(GradientError, match="detach"):
        w.tensor([x, x])


def test_arrays_are_snapshotted() -> None:
    array = np.array([1.0, 2.0])
    made = [w.tensor(array), w.asarray(array), w.tensor(array)[:1] + array[:1], w.tensor([0.0, 0.0]) + array]
    made.append(w.zeros(2))
    made[-1][:] = array
    array[:] = 99
    assert [x.tolist() for x in made] == [[1, 2], [1, 2], [2], [1, 2], [1, 2]]


def test_leaves_with_derivatives_are_real() -> None:
    x = w.tensor([1.0], requires_grad=True)
    assert x.requires_grad and x.is_leaf and not (x * 2).is_leaf and (x * 2).requires_grad
    x.requires_grad = False
    assert not (x * 2).requires_grad
    assert w.tensor([1.0]).requires_grad_().requires_grad
    with pytest.raises(GradientError, match="int64 has no derivatives; use float32"):
        w.tensor([1], requires_grad=True)
    y = w.tensor([1.0], requires_grad=True) * 2
    with pytest.raises(GradientError, match="detach"):
        y.requires_grad = False
    y.requires_grad = True
    assert not y.is_leaf


# -- promotion -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("a", "b"), list(itertools.product(DTYPES, DTYPES)))
def test_promotion_between_tensors_is_numpys(a: str, b: str) -> None:
    x, y = (w.ones(2, dtype=name) for name in (a, b))
    assert (x + y).dtype == np.result_type(a, b)
    assert (x + np.ones(2, b)).dtype == np.result_type(a, b)
    assert (np.ones(2, a) + y).dtype == np.result_type(a, b)
    assert (x == y).dtype == np.dtype(bool)


@pytest.mark.parametrize("name", DTYPES)
@pytest.mark.parametrize("number", [True, 1, 1.0])
def test_python_numbers_are_weak(name: str, number: Any) -> None:
    """As in the Array API: the tensor's dtype, or the default of the number's kind where the tensor's is lower."""
    kinds = {bool: 0, int: 1, float: 2}
    rank = {"b": 0, "u": 1, "i": 1, "f": 2}[np.dtype(name).kind]
    default = {bool: "bool", int: "int64", float: "float32"}[type(number)]
    expected = name if kinds[type(number)] <= rank else default
    x = w.ones(2, dtype=name)
    assert (x * number).dtype == np.dtype(expected)
    assert (number * x).dtype == np.dtype(expected)
    assert w.where(x == 1, x, number).dtype == np.dtype(expected)


@pytest.mark.parametrize(("name", "number"), [("uint8", 300), ("uint8", -1), ("int8", 128), ("int64", 2**63)])
def test_a_number_that_does_not_fit_is_refused(name: str, number: int) -> None:
    with pytest.raises(DTypeError, match=rf"the integer {number} does not fit {name}.*wider"):
        w.ones(2, dtype=name) + number


# -- operators -----------------------------------------------------------------------------------------------------

ARITHMETIC = [operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv, operator.mod, operator.pow]
COMPARISON = [operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne]
BITWISE = [operator.and_, operator.or_, operator.xor]
A, B = np.array([[1.5, 2.0, -3.0], [0.5, 4.0, 2.0]]), np.array([2.0, 2.0, 1.0])


@pytest.mark.parametrize("f", ARITHMETIC + COMPARISON, ids=lambda f: f.__name__)
def test_operators_and_their_reflections_are_numpys(f: Any) -> None:
    x, y = w.tensor(A), w.tensor(B)
    sides = [(x, y), (x, B), (A, y), (x, 2.0), (2, y), (np.float64(2), y), (y, np.float64(2)), (x, [2.0, 2.0, 1.0])]
    for left, right in sides:
        result = f(left, right)
        assert isinstance(result, w.tensor(0).__class__)
        plain = [np.asarray(side) for side in (left, right)]
        np.testing.assert_array_equal(result.numpy(), f(*plain))
        assert result.dtype == f(*plain).dtype


@pytest.mark.parametrize("f", BITWISE, ids=lambda f: f.__name__)
def test_bitwise_operators_are_numpys(f: Any) -> None:
    for a, b in ((np.array([5, 3]), np.array([1, 6])), (np.array([True, False]), np.array([True, True]))):
        for left, right in ((w.tensor(a), w.tensor(b)), (w.tensor(a), b), (a, w.tensor(b))):
            np.testing.assert_array_equal(f(left, right).numpy(), f(a, b))
    np.testing.assert_array_equal(f(w.tensor([5, 3]), 6).numpy(), f(np.array([5, 3]), 6))
    np.testing.assert_array_equal(f(6, w.tensor([5, 3])).numpy(), f(6, np.array([5, 3])))


def test_unary_operators_and_matmul() -> None:
    x = w.tensor(A)
    np.testing.assert_array_equal((-x).numpy(), -A)
    np.testing.assert_array_equal((+x).numpy(), A)
    np.testing.assert_array_equal(abs(x).numpy(), abs(A))
    np.testing.assert_array_equal((~w.tensor([5, -1])).numpy(), [-6, 0])
    for left, right in ((x, w.tensor(B)), (x, B), (A, w.tensor(B))):
        np.testing.assert_allclose((left @ right).numpy(), A @ B, rtol=1e-15)
    assert (x.T.shape, x.mT.shape) == ((3, 2), (3, 2))


def test_comparison_with_nothing_is_python() -> None:
    x = w.ones(2)
    assert (x == None, x != None, x == "a", x != "a") == (False, True, False, True)  # noqa: E711
    assert len({x: 1, w.ones(2): 2}) == 2
    assert 1.0 in x and 3.0 not in x


# -- looks ---------------------------------------------------------------------------------------------------------


def test_looks() -> None:
    one = w.tensor(2.75)
    assert (float(one), int(one), bool(one), one.item(), one.tolist()) == (2.75, 2, True, 2.75, 2.75)
    assert (float(w.tensor([[2.5]])), w.tensor([[2.5]]).item(), bool(w.tensor([0]))) == (2.5, 2.5, False)
    assert [10, 20, 30][w.tensor(1)] == 20 and list(range(5))[w.tensor(1) : w.tensor(3)] == [1, 2]
    assert (f"{one:.1f}", f"{one}", str(w.tensor([1]))) == ("2.8", "tensor(2.75, float32)", "tensor([1], int64)")
    assert type(w.tensor(1).item()) is int and type(one.item()) is float and type(w.tensor(True).item()) is bool
    assert len(w.ones((3, 2))) == 3 and [row.tolist() for row in w.tensor([[1], [2]])] == [[1], [2]]
    grad = w.tensor([1.0], requires_grad=True)
    assert (grad.item(), grad.tolist(), float(grad), f"{grad:.2f}") == (1.0, [1.0], 1.0, "1.00")


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda x: x.item(), ShapeError, r"item: shape \(2, 3\) has 6 elements.*tolist"),
        (float, ShapeError, "6 elements"),
        (bool, ShapeError, r"bool: shape \(2, 3\).*all\(\) or .any\(\)"),
        (operator.index, DTypeError, "float32 tensor is no index.*int"),
        (lambda x: len(x[0, 0]), ShapeError, "scalar has no length"),
        (lambda x: list(x[0, 0]), ShapeError, "scalar has no axes"),
        (lambda x: x[2], OutOfBoundsError, r"index 2 is out of range for axis 0 of shape \(2, 3\); use -2 to 1"),
        (lambda x: x[0, 0, 0], OutOfBoundsError, r"too many indices for shape \(2, 3\)"),
        (lambda x: x["a"], OutOfBoundsError, "a str is no index; use integers"),
        (lambda x: x[1.0], OutOfBoundsError, "a float is no index"),
        (lambda x: x[[0.5]], OutOfBoundsError, "float32 is no index.*int64"),
        (lambda x: x[[True, False, True]], OutOfBoundsError, r"mask of shape \(3,\) does not fit shape \(2, 3\)"),
        (lambda x: x[::0], OutOfBoundsError, "step of a slice cannot be 0"),
        (lambda x: x[0.5:], OutOfBoundsError, "must be integers or None"),
        (lambda x: x[..., ...], OutOfBoundsError, "only one '...'"),
        (lambda x: x + w.ones((2, 4)), ShapeError, r"add: shapes \(2, 3\) and \(2, 4\).*dimension -1.*reshape"),
        (lambda x: x @ x, ShapeError, r"matmul: shapes \(2, 3\) and \(2, 3\).*x1 @ x2.mT would fit"),
        (lambda x: x + "a", DTypeError, "a str .'a'. is no tensor"),
        (lambda x: None * x, DTypeError, "NoneType"),
        (lambda x: x.reshape(4), ShapeError, r"reshape: 6 elements of shape \(2, 3\).*-1"),
        (lambda x: x.reshape(1.5), ArgumentError, "not a shape"),
        (lambda x: x.swapaxes(0, 5), OutOfBoundsError, "axis 5 does not exist.*-2 to 1"),
        (lambda x: x.squeeze(0), ShapeError, "axis 0.*has size 2"),
        (lambda x: x.astype("complex256"), DTypeError, "complex256.*use one of"),
        (lambda x: x.to_device("cuda"), ArgumentError, "'cuda' is not there.*cpu"),
    ],
)
def test_errors_say_what_where_and_what_to_do(call: Any, error: type, match: str) -> None:
    x = w.ones((2, 3))
    with pytest.raises(error, match=match) as caught:
        call(x)
    assert isinstance(caught.value, WengertError)
    assert str(caught.value).count("\n") == 0
    assert Path(__file__) in [entry.path for entry in caught.traceback]
    assert x.tolist() == [[1.0] * 3] * 2


def test_attributes() -> None:
    x = w.ones(3)
    with pytest.raises(AttributeError, match=r"no attribute 'exp'; use wengert.exp\(x\)"):
        x.exp  # noqa: B018
    with pytest.raises(AttributeError, match=r"no attribute 'foo'\.$"):
        x.foo  # noqa: B018
    with pytest.raises(AttributeError):
        x.shape = (1, 3)
    with pytest.raises(AttributeError):
        x.note = 1
    assert x.__array_namespace__() is w and x.to_device("cpu") is x and x.__dlpack_device__() == (1, 0)


def test_methods_are_the_functions() -> None:
    x = w.tensor(A)
    pairs = [
        (x.sum(0), A.sum(0)),
        (x.prod(axis=1), A.prod(axis=1)),
        (x.mean(1, keepdims=True), A.mean(1, keepdims=True)),
        (x.var(correction=1), A.var(ddof=1)),
        (x.std(axis=0), A.std(axis=0)),
        (x.max(axis=0), A.max(axis=0)),
        (x.min(), A.min()),
        (x.argmax(axis=1), A.argmax(axis=1)),
        (x.argmin(), A.argmin()),
        ((x > 0).all(axis=0), (A > 0).all(axis=0)),
        ((x > 3).any(), (A > 3).any()),
        (x.clip(0, 2), A.clip(0, 2)),
        (x.transpose(1, 0), A.T),
        (x.transpose(), A.T),
        (x.transpose((0, 1)), A),
        (x.swapaxes(0, 1), A.T),
        (x.flatten(), A.flatten()),
        (x[None].squeeze(), A),
        (x.astype("int32"), A.astype("int32")),
        (x.reshape(3, 2), A.reshape(3, 2)),
        (x.reshape((-1,)), A.reshape(-1)),
        (x.copy(), A),
        (x.detach(), A),
    ]
    for ours, numpys in pairs:
        assert ours.shape == np.shape(numpys)
        np.testing.assert_allclose(ours.numpy(), numpys, rtol=1e-14)


# -- in-place syntax -----------------------------------------------------------------------------------------------

IN_PLACE = [operator.iadd, operator.isub, operator.imul, operator.itruediv, operator.ifloordiv, operator.imod]
IN_PLACE += [operator.ipow]


@pytest.mark.parametrize("f", IN_PLACE, ids=lambda f: f.__name__)
def test_in_place_syntax_rebinds_the_handle(f: Any) -> None:
    x, expected = w.tensor(A), A.copy()
    same, before = x, x.detach()
    x = f(x, B)
    expected = f(expected, B)
    assert x is same
    np.testing.assert_array_equal(same.numpy(), expected)
    np.testing.assert_array_equal(before.numpy(), A)


def test_bitwise_and_matrix_products_in_place() -> None:
    x = w.tensor([5, 3])
    x &= 6
    x |= 8
    x ^= 1
    assert x.tolist() == [(5 & 6 | 8) ^ 1, (3 & 6 | 8) ^ 1]
    y = w.tensor([[1.0, 2.0], [3.0, 4.0]])
    y @= y
    assert y.tolist() == [[7, 10], [15, 22]]


@pytest.mark.parametrize(
    ("start", "other", "error", "match"),
    [
        ([1.0, 2.0], np.ones((2, 2)), ShapeError, r"\+=: the result has shape \(2, 2\).*\(2,\).*x = x \+ \.\.\."),
        ([1.0, 2.0], np.ones(3), ShapeError, r"add: shapes \(2,\) and \(3,\) do not broadcast"),
        ([1, 2], 0.5, DTypeError, r"\+=: a float32 result does not fit a int64 tensor.*x = x \+ \.\.\."),
        ([True], 1, DTypeError, "int64 result does not fit a bool"),
    ],
)
def test_in_place_syntax_keeps_shape_and_dtype(start: Any, other: Any, error: type, match: str) -> None:
    x = w.tensor(start)
    with pytest.raises(error, match=match):
        x += other
    assert x.tolist() == start


def test_in_place_keeps_a_narrow_dtype_as_numpy_does() -> None:
    x, y = np.ones(2, np.float32), w.ones(2)
    x += np.ones(2)
    y += np.ones(2)
    assert (y.dtype, y.tolist()) == (x.dtype, x.tolist())


def test_leaves_are_written_to_without_derivatives_only() -> None:
    p = w.tensor([1.0, 2.0], requires_grad=True)
    loss = (p * p).sum()
    loss.backward()
    for write in (lambda: operator.iadd(p, 1), lambda: operator.setitem(p, 0, 5.0)):
        with pytest.raises(GradientError, match=r"this leaf requires a gradient.*no_grad.*w = w - \.\.\."):
            write()
    with w.no_grad():
        p -= 0.5 * p.grad
    assert p.tolist() == [0.0, 0.0] and p.is_leaf and p.requires_grad
    (p + 3).sum().backward()
    assert p.grad.tolist() == [3.0, 5.0]


def test_what_was_recorded_before_a_write_keeps_its_value() -> None:
    x = w.tensor([1.0, 2.0], dtype=w.float64, requires_grad=True)
    y = x * 3
    z = y * y
    y += 100
    z.sum().backward()  # 'modified by an in-place operation' cannot happen
    assert x.grad.tolist() == [18.0, 36.0]
    assert z.tolist() == [9, 36] and y.tolist() == [103, 106]
