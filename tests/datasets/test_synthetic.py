"""The generators: exactly on their curves without noise, with the noise asked for, and repeatable."""

import re

import numpy as np
import pytest
import sklearn.datasets

from wengert.datasets import Dataset, moons, sine, spiral, xor
from wengert.errors import ArgumentError


@pytest.fixture(params=[xor, moons, spiral, sine], ids=lambda make: make.__name__)
def make(request):
    return request.param


def rows(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The table's rows in sorted order, target last, so that two tables compare whatever their order."""
    table = np.column_stack([x, y])
    return table[np.lexsort(table.T)]


def test_kinds_of_numbers(make) -> None:
    data = make()
    assert isinstance(data, Dataset)
    assert data.name == make.__name__
    assert data.x.dtype == np.float32
    assert data.x.shape == (len(data), len(data.feature_names))
    if data.task == "classification":
        assert (data.y.dtype, data.y.shape) == (np.int64, (len(data),))
        assert set(data.y.tolist()) == set(range(len(data.target_names)))
    else:
        assert (data.y.dtype, data.y.shape) == (np.float32, (len(data), len(data.target_names)))


def test_same_seed_same_numbers(make) -> None:
    first, again, other = make(noise=0.1, seed=3), make(noise=0.1, seed=3), make(noise=0.1, seed=4)
    assert np.array_equal(first.x, again.x)
    assert np.array_equal(first.y, again.y)
    assert not np.array_equal(first.x, other.x)


def test_xor_is_the_truth_table() -> None:
    data = xor(copies=2)
    assert data.x.tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]] * 2
    assert data.y.tolist() == [0, 1, 1, 0] * 2


@pytest.mark.parametrize("n", [2, 3, 101, 200])
def test_moons_without_noise_are_those_of_scikit_learn(n: int) -> None:
    ours = moons(n, noise=0)
    x, y = sklearn.datasets.make_moons(n, shuffle=False)
    assert np.array_equal(rows(ours.x, ours.y), rows(x.astype(np.float32), y))


def test_moons_come_in_random_order() -> None:
    leading = moons(200).y[:50]
    # 25 of each class are expected; 8 is beyond five standard deviations (3.1) of that.
    assert 8 < leading.sum() < 42


@pytest.mark.parametrize(("n", "arms", "turns"), [(300, 2, 1.0), (10, 3, 0.5), (301, 5, 2.25), (2, 2, 0.0)])
def test_spiral_without_noise_lies_on_its_arms(n: int, arms: int, turns: float) -> None:
    data = spiral(n, arms, turns, noise=0)
    counts = np.bincount(data.y, minlength=arms)
    assert (counts.sum(), counts.max() - counts.min()) == (n, int(n % arms > 0))
    point = data.x[:, 0].astype(complex) + 1j * data.x[:, 1]
    for arm in range(arms):
        radius = np.sort(np.abs(point[data.y == arm]))
        np.testing.assert_allclose(radius, np.arange(1, counts[arm] + 1) / counts[arm], rtol=1e-6)
    # Turning every point back by its angle leaves its radius on the positive axis.
    back = point * np.exp(-2j * np.pi * (turns * np.abs(point) + data.y / arms))
    np.testing.assert_allclose(back, np.abs(point), atol=4e-6 * max(1, turns))


def test_sine_without_noise_is_the_sine() -> None:
    data = sine(n=500, noise=0)
    np.testing.assert_array_max_ulp(data.y, np.sin(data.x.astype(np.float64)).astype(np.float32), maxulp=1)
    assert -np.pi <= data.x.min() < -3
    assert 3 < data.x.max() < np.pi + 1e-6


@pytest.mark.parametrize("noise", [0.05, 0.3])
def test_noise_has_the_deviation_asked_for(noise: float) -> None:
    many = xor(copies=2500, noise=noise)
    residues = [
        many.x - np.tile([[0, 0], [0, 1], [1, 0], [1, 1]], (2500, 1)),
        moons(10_000, noise).x - moons(10_000, 0).x,
        spiral(10_000, noise=noise).x - spiral(10_000, noise=0).x,
        sine(10_000, noise).y - np.sin(sine(10_000, noise).x),
    ]
    for residue in residues:
        # The deviation of 10,000 draws is known to 0.7 %, their mean to 1 % of it: five of each.
        assert abs(residue.std() / noise - 1) < 0.035
        assert abs(residue.mean() / noise) < 0.05


def test_representation_is_one_line() -> None:
    assert repr(moons()) == "Dataset 'moons': 200 rows, 2 features, 2 classes"
    assert repr(sine()) == "Dataset 'sine': 200 rows, 1 feature, regression"


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: xor(0), "xor: copies=0 was given; pass a whole number of at least 1."),
        (lambda: moons(1), "moons: n=1 was given; pass a whole number of at least 2."),
        (lambda: moons(noise=-0.1), "moons: noise=-0.1 was given; pass a finite number, zero or larger."),
        (lambda: moons(noise=float("nan")), "moons: noise=nan was given; pass a finite number"),
        (lambda: spiral(2, arms=3), "spiral: n=2 was given; pass a whole number of at least 3."),
        (lambda: spiral(turns=float("inf")), "spiral: turns=inf was given; pass a finite number"),
        (lambda: sine(noise=None), "sine: noise=None was given; pass a finite number"),
        (lambda: sine(seed=0.5), "sine: seed=0.5 was given; pass a whole number of at least 0."),
    ],
)
def test_bad_arguments_get_one_sentence(call, sentence: str) -> None:
    with pytest.raises(ArgumentError, match=re.escape(sentence)):
        call()
