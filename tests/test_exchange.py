"""Handing tensors to other libraries and taking theirs: NumPy, DLPack, pickle, copies. No gradient is lost silently."""

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import wengert as w
from wengert.errors import ArgumentError, GradientError

DTYPES = ["bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64"]


@pytest.mark.parametrize("name", DTYPES)
@pytest.mark.parametrize("shape", [(), (3,), (0, 2), (2, 3)])
def test_there_and_back(name: str, shape: tuple[int, ...]) -> None:
    array = np.asarray(np.arange(np.prod(shape)).reshape(shape) % 2, dtype=name)
    x = w.tensor(array)
    for back in (
        x.numpy(),
        np.asarray(x),
        np.from_dlpack(x),
        w.from_dlpack(array).numpy(),
        w.from_dlpack(x).numpy(),
        pickle.loads(pickle.dumps(x)).numpy(),
        copy.copy(x).numpy(),
        copy.deepcopy(x).numpy(),
        w.asarray(x, copy=True).numpy(),
    ):
        assert back.dtype == array.dtype and back.shape == shape
        assert np.array_equal(back, array)


def test_numpy_shares_the_buffer_and_cannot_write_to_it() -> None:
    x = w.tensor([1.0, 2.0])
    assert np.shares_memory(x.numpy(), x.numpy()) and np.shares_memory(np.asarray(x), x.numpy())
    for shared in (x.numpy(), np.asarray(x), np.array(x, copy=False)):
        with pytest.raises(ValueError, match="read-only"):
            shared[0] = 5
    for own in (np.array(x), np.asarray(x, dtype=np.float64), np.from_dlpack(x).copy(), np.array(x, copy=True)):
        own[0] = 5
    assert x.tolist() == [1, 2]


def test_conversion_without_a_copy_is_refused_where_one_is_needed() -> None:
    with pytest.raises(ArgumentError, match="float32 to float64 needs a copy"):
        np.array(w.ones(2), dtype=np.float64, copy=False)
    with pytest.raises(ArgumentError, match="always copied"):
        w.asarray([1.0], copy=False)


def test_from_dlpack_copies() -> None:
    array = np.array([1.0, 2.0])
    x = w.from_dlpack(array)
    array[0] = 9
    assert x.tolist() == [1, 2]
    with pytest.raises(ArgumentError, match=r"a list has no __dlpack__; use wengert\.asarray"):
        w.from_dlpack([1.0])
    with pytest.raises(ArgumentError, match="'cuda' is not there"):
        w.from_dlpack(array, device="cuda")


@pytest.mark.parametrize(
    "hand_over",
    [
        lambda x: x.numpy(),
        lambda x: np.asarray(x),
        lambda x: np.array([x, x]),
        lambda x: np.from_dlpack(x),
        lambda x: w.from_dlpack(x),
        lambda x: np.cbrt(x),
        lambda x: np.add.reduce(x),
        lambda x: np.concatenate([x, x]),
        lambda x: np.zeros(2).__setitem__(slice(None), x),
    ],
)
def test_what_is_being_differentiated_is_not_handed_over(hand_over: Any) -> None:
    leaf = w.tensor([1.0, 2.0], requires_grad=True)
    for x in (leaf, leaf * 2):
        with pytest.raises(GradientError, match=r"derivatives flow through this tensor.*use \.detach\(\) first"):
            hand_over(x)
        hand_over(x.detach())


def test_a_computed_tensor_with_derivatives_is_not_pickled_and_a_leaf_is() -> None:
    leaf = w.tensor([1.0, 2.0], requires_grad=True)
    for again in (pickle.loads(pickle.dumps(leaf)), copy.deepcopy(leaf)):
        assert again.requires_grad and again.is_leaf and again is not leaf
        (again * again).sum().backward()
        assert again.grad.tolist() == [2, 4] and leaf.grad is None
    for lose in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(GradientError, match=r"would lose its derivatives; use \.detach\(\)"):
            lose(leaf * 2)
        assert lose((leaf * 2).detach()) is not None


def test_deepcopy_keeps_what_is_shared() -> None:
    x = w.tensor([1.0])
    one, other = copy.deepcopy([x, x])
    assert one is other and one is not x
    one += 1
    assert x.tolist() == [1.0]


@pytest.mark.parametrize(
    "name",
    ["sin", "exp", "tanh", "arctan", "absolute", "rint", "negative", "sqrt", "floor", "isnan", "logical_not", "sign"],
)
def test_numpys_functions_of_tensors_are_ours(name: str) -> None:
    x = w.tensor([0.5, 1.5], dtype=w.float64, requires_grad=True)
    y = getattr(np, name)(x)
    assert hasattr(y, "entry")
    np.testing.assert_allclose(y.detach().numpy(), getattr(np, name)(np.array([0.5, 1.5])), rtol=1e-14)


def test_numpys_functions_carry_gradients() -> None:
    x = w.tensor([0.5, 1.5], dtype=w.float64, requires_grad=True)
    (np.sin(x) * np.array([2.0, 3.0]) + np.power(x, 2)).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), np.cos([0.5, 1.5]) * [2, 3] + 2 * np.array([0.5, 1.5]), rtol=1e-14)


def test_functions_only_numpy_has_give_arrays() -> None:
    x = w.tensor([1.0, 8.0])
    assert isinstance(np.cbrt(x), np.ndarray)
    np.testing.assert_allclose(np.cbrt(x), [1, 2], rtol=1e-6)
    assert np.add.reduce(x) == 9.0
    assert np.add.outer(x, x).shape == (2, 2)


def test_numpy_does_not_write_to_tensors() -> None:
    array = np.ones(2)
    with pytest.raises(ArgumentError, match=r"numpy.add: .*assign the result instead"):
        array += w.ones(2)
    with pytest.raises(ArgumentError, match="cannot be written to by NumPy"):
        np.add(array, array, out=w.ones(2))
    array[:] = w.tensor([3.0, 4.0])
    assert array.tolist() == [3, 4]


def test_asarray_of_a_list_of_plain_tensors() -> None:
    assert np.asarray([w.tensor([1.0, 2.0]), w.tensor([3.0, 4.0])]).tolist() == [[1, 2], [3, 4]]
    assert w.tensor([w.tensor(1.0), w.tensor(2.0)]).tolist() == [1.0, 2.0]
