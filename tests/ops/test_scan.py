"""Running sums and products, and differences: NumPy's values, and derivatives also where elements are zero."""

import numpy as np
import pytest

import wengert as w

RNG = np.random.default_rng(6)


@pytest.mark.parametrize("n", range(10))
@pytest.mark.parametrize(("name", "numpy_name"), [("cumulative_sum", "cumsum"), ("cumulative_prod", "cumprod")])
def test_running_results_are_numpys(name: str, numpy_name: str, n: int) -> None:
    x = RNG.normal(size=(3, n, 2))
    for axis in (1, -2):
        found = getattr(w, name)(w.tensor(x), axis=axis)
        np.testing.assert_allclose(found.numpy(), getattr(np, numpy_name)(x, axis=axis), rtol=1e-12)
        longer = getattr(w, name)(w.tensor(x), axis=axis, include_initial=True).numpy()
        np.testing.assert_array_equal(longer[:, 1:], found.numpy())
        np.testing.assert_array_equal(longer[:, 0], np.full((3, 2), float(name == "cumulative_prod")))


def test_integers_are_summed_in_64_bits() -> None:
    x = np.array([100, 100, 100], np.int8)
    assert w.cumulative_sum(w.tensor(x)).tolist() == [100, 200, 300]
    assert w.cumulative_prod(w.tensor(x)).dtype == w.int64
    assert w.cumulative_sum(w.tensor(x), dtype=w.int8).dtype == w.int8


def test_a_product_with_zeros_has_its_derivative() -> None:
    x = w.tensor([2.0, 0.0, 3.0, 0.0, 5.0], dtype=w.float64)
    jacobian = w.jacobian(w.cumulative_prod)(x).numpy()
    expected = [[np.prod(np.delete(x.numpy()[: i + 1], j)) if j <= i else 0 for j in range(5)] for i in range(5)]
    np.testing.assert_allclose(jacobian, expected)
    w.check_gradients(w.cumulative_prod, (x,))


@pytest.mark.parametrize("order", [0, 1, 2, 5])
def test_differences_are_numpys(order: int) -> None:
    x = RNG.normal(size=(3, 4))
    for axis in (0, 1):
        np.testing.assert_array_equal(w.diff(w.tensor(x), n=order, axis=axis).numpy(), np.diff(x, order, axis))
    edge = RNG.normal(size=(3, 1))
    found = w.diff(w.tensor(x), n=order, prepend=w.tensor(edge), append=w.tensor(edge)).numpy()
    np.testing.assert_array_equal(found, np.diff(x, order, prepend=edge, append=edge))
    np.testing.assert_array_equal(w.diff(w.tensor(x > 0)).numpy(), np.diff(x > 0))


@pytest.mark.parametrize("counts", [[0, 2, 1], [3], []])
def test_counts_of_repeats_may_be_a_tensor(counts: list[int]) -> None:
    x = np.arange(3.0)[: len(counts) if len(counts) != 1 else 3]
    found = w.repeat(w.tensor(x), w.tensor(np.array(counts, np.int8)))
    np.testing.assert_array_equal(found.numpy(), np.repeat(x, np.array(counts, np.int8)))


def test_errors_say_what_to_do() -> None:
    with pytest.raises(w.errors.ArgumentError, match=r"cumulative_prod: x has 2 axes; say which one with axis="):
        w.cumulative_prod(w.ones((2, 2)))
    with pytest.raises(w.errors.ArgumentError, match=r"diff: n=-1 was given"):
        w.diff(w.ones(3), n=-1)
