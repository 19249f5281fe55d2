"""Indexing and writing at an index, beside NumPy's: basic keys, masks, arrays of integers, and mixtures of them."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import wengert as w
from wengert.errors import OutOfBoundsError, ShapeError

shapes = hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=4)


@st.composite
def shapes_and_keys(draw: st.DrawFn) -> tuple[tuple[int, ...], Any]:
    """A shape and a key that NumPy takes for it: basic parts, masks and integer arrays in any mixture."""
    shape = draw(shapes)
    kind = draw(st.sampled_from(["basic", "mask", "arrays", "mixed"]))
    if kind == "basic":
        return shape, draw(hnp.basic_indices(shape, allow_newaxis=True, allow_ellipsis=True))
    if kind == "mask":
        axes = draw(st.integers(1, len(shape)))
        return shape, draw(hnp.arrays(bool, shape[:axes]))
    if kind == "arrays":
        return shape, draw(hnp.integer_array_indices(shape, result_shape=hnp.array_shapes(max_dims=2, max_side=3)))
    parts: list[Any] = []
    length = draw(st.integers(1, 3))
    for size in shape:
        part = draw(st.sampled_from(["int", "slice", "array", "mask", "list"]))
        if part == "int":
            parts.append(draw(st.integers(-size, size - 1)))
        elif part == "slice":
            parts.append(draw(st.slices(size)))
        elif part == "array":
            parts.append(
                draw(
                    hnp.arrays(
                        np.int64, draw(st.sampled_from([(length,), (2, 1), ()])), elements=st.integers(-size, size - 1)
                    )
                )
            )
        elif part == "mask":
            parts.append(np.arange(size) < min(length, size))
        else:
            parts.append(draw(st.lists(st.integers(-size, size - 1), min_size=1, max_size=length)))
    if draw(st.booleans()):
        parts.insert(draw(st.integers(0, len(parts))), draw(st.sampled_from([None, Ellipsis])))
    return shape, tuple(parts)


def as_ours(key: Any, tensors: bool) -> Any:
    """The key with its arrays as tensors, where wanted."""
    if not tensors:
        return key
    if isinstance(key, tuple):
        return tuple(as_ours(part, tensors) for part in key)
    return w.tensor(key) if isinstance(key, np.ndarray) and key.ndim else key


@settings(max_examples=400)
@given(shapes_and_keys(), st.booleans())
def test_getitem_is_numpys(case: tuple[tuple[int, ...], Any], tensors: bool) -> None:
    shape, key = case
    x = np.arange(np.prod(shape), dtype=np.float64).reshape(shape)
    try:
        expected = x[key]
    except IndexError:  # masks and arrays of lengths that do not broadcast
        with pytest.raises((OutOfBoundsError, ShapeError)):
            w.tensor(x)[as_ours(key, tensors)]
        return
    found = w.tensor(x)[as_ours(key, tensors)]
    assert found.shape == expected.shape
    assert np.array_equal(found.numpy(), expected)


@settings(max_examples=400)
@given(shapes_and_keys(), st.sampled_from(["scalar", "full", "row", "int", "wide"]), st.booleans())
def test_setitem_is_numpys(case: tuple[tuple[int, ...], Any], value: str, tensors: bool) -> None:
    shape, key = case
    x = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    try:
        size = x[key].shape
    except IndexError:
        return
    if 0 in size and value in ("wide", "int"):  # NumPy takes any value where nothing is written
        return
    new: Any = {
        "scalar": -1.5,
        "full": -np.arange(np.prod(size)).reshape(size) - 0.5,
        "row": -np.arange(size[-1] if size else 1) - 0.25,
        "int": np.full((1,) * (len(size) + 1), 7),
        "wide": np.ones((2, *size)),
    }[value]
    y = w.tensor(x)
    before = y.detach()
    try:
        x[key] = new
    except TypeError:  # NumPy's limit: through one mask, values of at most one axis
        return
    except ValueError:
        if size == () and np.size(new) == 1:  # one element NumPy lets only a number be written to
            return
        with pytest.raises(ShapeError, match="setitem"):
            y[as_ours(key, tensors)] = new
        assert np.array_equal(y.numpy(), before.numpy())
        return
    y[as_ours(key, tensors)] = new
    assert y.dtype == np.float32
    assert np.array_equal(y.numpy(), x)


@settings(max_examples=100)
@given(shapes_and_keys())
def test_the_gradient_of_an_index_counts_how_often_each_element_was_taken(case: tuple[tuple[int, ...], Any]) -> None:
    shape, key = case
    count = np.zeros(shape)
    try:
        np.add.at(count, key, 1.0)
    except (IndexError, ValueError):
        return
    x = w.zeros(shape, dtype=w.float64).requires_grad_()
    x[key].sum().backward()
    assert np.array_equal(x.grad.numpy(), count)


def test_scalars_and_empty_axes() -> None:
    x = w.tensor(3.0)
    assert (x[()].item(), x[...].item(), x[None].shape) == (3.0, 3.0, (1,))
    x[()] = 4
    x[...] += 1
    assert x.item() == 5.0
    empty = w.zeros((0, 3))
    assert (empty[:, 1].shape, empty[[]].shape, empty[::2].tolist()) == ((0,), (0, 3), [])
    with pytest.raises(OutOfBoundsError, match="the axis is empty"):
        empty[0]
    with pytest.raises(OutOfBoundsError):
        empty[[0]]
    empty[:] = 5
    assert empty.size == 0


def test_a_tensor_is_an_index() -> None:
    x = w.tensor([10.0, 20.0, 30.0])
    i = w.tensor(2)
    assert x[i].item() == 30.0 and x[i - 1 : i].tolist() == [20.0]
    x[x > 15] = 0
    assert x.tolist() == [10, 0, 0]
    x[w.tensor([0, 0])] = w.tensor([1.0, 2.0])  # as in NumPy, the last one written stays
    assert x.tolist() == [2, 0, 0]
    assert w.tensor([3.0, 1.0, 2.0])[w.tensor([2, 0], dtype=w.uint8)].tolist() == [2.0, 3.0]
    assert np.array([5, 6, 7])[w.tensor([0, 2])].tolist() == [5, 7]


@pytest.mark.parametrize("mask", [True, False])
def test_a_mask_without_axes_adds_one_of_size_1_or_0(mask: bool) -> None:
    for values in (np.array(2.0), np.arange(6.0).reshape(2, 3)):
        for key in (mask, w.tensor(mask)):
            np.testing.assert_array_equal(w.tensor(values)[key].numpy(), values[mask], strict=True)
        x, expected = w.tensor(values), values.copy()
        x[mask], expected[mask] = 7, 7
        np.testing.assert_array_equal(x.numpy(), expected, strict=True)
