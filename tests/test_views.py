"""Views written through show what NumPy shows: random programs of views and writes, beside the same on arrays."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import wengert as w
from wengert.errors import ArgumentError, GradientError

# Views of an array of any shape, as functions of it; those that do not fit are left out when a program runs.
VIEWS: list[Callable[[Any], Any]] = [
    lambda x: x[0],
    lambda x: x[-1],
    lambda x: x[1:],
    lambda x: x[::-1],
    lambda x: x[..., ::2],
    lambda x: x[None],
    lambda x: x[0, ...],
    lambda x: x[..., 0],
    lambda x: x[:, 1],
    lambda x: x[:2, 1:],
    lambda x: x.T,
    lambda x: x.swapaxes(0, 1),
    lambda x: x.reshape(-1),
    lambda x: x.reshape(2, -1),
    lambda x: x.reshape(-1, 3),
    lambda x: x.squeeze(),
    lambda x: x[[0, -1]],  # these four are copies
    lambda x: x.flatten(),
    lambda x: x.astype(np.float64),
    lambda x: x.copy(),
]


def fill(x: Any, v: float) -> None:
    x[...] = v


def grow(x: Any, v: float) -> None:
    x += v


def scale(x: Any, v: float) -> None:
    x *= v


def first(x: Any, v: float) -> None:
    x[0] = v


def mask(x: Any, v: float) -> None:
    x[x > v] = v


def pick(x: Any, v: float) -> None:
    x[[0, -1]] = v


def every_row(x: Any, v: float) -> None:
    for i, row in enumerate(x):
        row *= v + i


def crosswise(x: Any, v: float) -> None:
    x += x[::-1] * v


WRITES = [fill, grow, scale, first, mask, pick, every_row, crosswise]

view_steps = st.tuples(st.just("view"), st.integers(0, 50), st.integers(0, len(VIEWS) - 1))
write_steps = st.tuples(st.just("write"), st.integers(0, 50), st.integers(0, len(WRITES) - 1))
look_steps = st.tuples(st.just("look"), st.integers(0, 50), st.just(0))
drop_steps = st.tuples(st.just("drop"), st.integers(0, 50), st.just(0))
programs = st.lists(view_steps | write_steps | look_steps | drop_steps, min_size=4, max_size=14)


def is_scalar(x: np.ndarray[Any, Any]) -> bool:
    return not isinstance(x, np.ndarray)


@settings(max_examples=250)
@given(programs, st.sampled_from([(6,), (2, 3), (3, 4), (2, 3, 2)]))
def test_programs_of_views_and_writes_agree_with_numpy(
    program: list[tuple[str, int, int]], shape: tuple[int, ...]
) -> None:
    start = np.arange(np.prod(shape), dtype=np.float64).reshape(shape) - 2.5
    arrays: list[Any] = [start.copy()]
    tensors: list[Any] = [w.tensor(start)]
    for number, (kind, which, what) in enumerate(program):
        place = which % len(arrays)
        a, t = arrays[place], tensors[place]
        if kind == "view":
            try:
                viewed = VIEWS[what](a)
            except (IndexError, ValueError):
                continue
            arrays.append(viewed)
            tensors.append(VIEWS[what](t))
        elif kind == "write" and not is_scalar(a):
            try:
                WRITES[what](a, 0.5 + number)
            except (IndexError, TypeError):  # a scalar has no elements to index; its rows are no arrays
                continue
            WRITES[what](t, 0.5 + number)
        elif kind == "look":
            assert np.array_equal(t.numpy(), a)
        elif kind == "drop" and len(arrays) > 1:
            del arrays[place], tensors[place], a, t
    for a, t in zip(arrays, tensors, strict=True):
        assert t.shape == np.shape(a)
        assert np.array_equal(t.numpy(), a)


def test_the_rows_of_an_iteration_are_views() -> None:
    x = w.zeros((2, 3))
    for number, row in enumerate(x):
        row += number + 1
    assert x.tolist() == [[1, 1, 1], [2, 2, 2]]


def test_views_live_on_without_their_base() -> None:
    x = w.zeros((2, 3))
    row, column = x[0], x[:, 0]
    del x
    row += 1
    assert column.tolist() == [1, 0]


def test_reshaping_a_transposed_matrix_copies_as_in_numpy() -> None:
    x = w.tensor([[1.0, 2.0], [3.0, 4.0]])
    flat = x.T.reshape(-1)
    flat[:] = 0
    assert x.tolist() == [[1, 2], [3, 4]]
    x[0] = 9
    assert flat.tolist() == [0, 0, 0, 0]


def test_gradients_flow_through_writes() -> None:
    x = w.tensor([1.0, 2.0, 3.0], dtype=w.float64, requires_grad=True)
    y = x * x
    tail = y[1:]
    tail *= 10  # y = [x0^2, 10 x1^2, 10 x2^2]
    (y.sum() + tail[0]).backward()
    assert x.grad.tolist() == [2.0, 80.0, 60.0]


def test_a_view_of_a_leaf_keeps_its_derivatives_when_the_leaf_is_updated() -> None:
    x = w.tensor([1.0, 2.0], requires_grad=True)
    head = x[0:1]
    with w.no_grad():
        x *= 3
    assert head.requires_grad and head.tolist() == [3.0]
    (head * head).sum().backward()
    assert x.grad.tolist() == [6.0, 0.0]


def test_writing_to_a_view_of_a_leaf_is_refused_and_changes_nothing() -> None:
    x = w.tensor([1.0, 2.0], requires_grad=True)
    head = x[:1]
    with pytest.raises(GradientError, match=r"\+=: this leaf requires a gradient.*no_grad"):
        head += 1
    assert head.tolist() == [1.0] and x.tolist() == [1.0, 2.0]
    with w.no_grad():
        head += 1
    assert x.tolist() == [2.0, 2.0] and x.is_leaf and x.requires_grad


def test_writing_under_a_view_that_is_a_leaf_is_refused() -> None:
    x = w.zeros(3)
    leaf = x[1:].requires_grad_()
    with pytest.raises(GradientError, match="leaf"):
        x += 1
    assert x.tolist() == [0, 0, 0] and leaf.requires_grad


def test_what_broadcasting_repeats_follows_its_base_and_is_not_written_to() -> None:
    x = w.tensor([1.0, 2.0])
    wide = w.broadcast_to(x, (2, 2))
    x += 1
    assert wide.tolist() == [[2, 3], [2, 3]]
    with pytest.raises(ArgumentError, match=r"\*=: this tensor shows elements of another one repeatedly.*copy"):
        wide *= 2
    own = wide.copy()
    own *= 2
    assert own.tolist() == [[4, 6], [4, 6]] and x.tolist() == [2, 3]


def test_no_function_that_numpy_lets_copy_gives_a_view() -> None:
    x = w.tensor([1.0, 2.0])
    copies = [x.copy(), x.astype(w.float32), x.flatten(), w.clip(x), +x, w.full(2, x), w.tensor(x)]
    copies += [w.asarray(x, copy=True), *w.meshgrid(x), w.concat([x]), x.detach() * 1]
    for y in copies:
        y += 1
        assert y.tolist() == [2, 3]
    assert x.tolist() == [1, 2]


def test_gradients_are_written_to_one_at_a_time() -> None:
    a, b = (w.tensor([1.0, 2.0], requires_grad=True) for _ in range(2))
    seed = w.ones(2)
    (a + b).backward(seed)
    a.grad *= 0.5
    assert (a.grad.tolist(), b.grad.tolist(), seed.tolist()) == ([0.5, 0.5], [1, 1], [1, 1])
    _, pullback = w.vjp(lambda x, y: x + y, a.detach(), b.detach())
    x_bar, y_bar = pullback(seed)
    x_bar += 1
    assert (y_bar.tolist(), seed.tolist()) == ([1, 1], [1, 1])


def test_many_dead_views_are_forgotten() -> None:
    x = w.zeros(4)
    for _ in range(1000):
        x[:2]
    assert len(x.views) <= 4
