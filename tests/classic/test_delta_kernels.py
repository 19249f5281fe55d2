"""The kernels of the sequential rules against their NumPy meaning, bit for bit, and the meaning against plain sums."""

import os
import subprocess
import sys

import numpy as np
import pytest

from wengert.classic.delta import kernels, meaning

WIDTHS = [1, 3, 15, 16, 17, 40]


def drawn(seed, *shape, dtype=np.float64):
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("how", ["net", "lms", "nlms", "batch"])
def test_descent_has_the_meanings_bits(how, width, dtype):
    X, targets, start = (
        drawn(seed, *shape, dtype=dtype) for seed, shape in enumerate([(20, width), (3, 20), (3, width + 1)])
    )
    order = np.random.default_rng(9).permutation(20)[:15]
    numbers = np.array([0.02, 1e-6, 1.0], dtype)
    found = []
    for rule in (meaning.descend, kernels.descend):
        weights, nets = start.copy(), np.zeros((3, 20), dtype)
        rule(how, meaning.rows_of(X), order, targets, weights, nets, numbers)
        found.append((weights, nets))
    assert np.array_equal(found[0][0], found[1][0])
    assert np.array_equal(found[0][1], found[1][1])
    assert np.array_equal(found[0][0], start) == (how == "net")


@pytest.mark.parametrize("constant", [0, 1])
@pytest.mark.parametrize("width", WIDTHS)
def test_recursion_has_the_meanings_bits_and_is_least_squares(width, constant):
    X, targets = drawn(0, 25, width), drawn(1, 25)
    inputs = width + constant
    start = np.zeros((inputs + 2, (inputs // 16 + 1) * 16))
    np.fill_diagonal(start[2:], 0.2)
    found = []
    for rule in (meaning.recurse, kernels.recurse):
        state, nets = start.copy(), np.zeros(25)
        rule(meaning.rows_of(X), np.arange(25), targets, state, nets, np.array([0.97, 1.0]))
        found.append((state, nets))
    assert np.array_equal(found[0][0], found[1][0])
    assert np.array_equal(found[0][1], found[1][1])
    Z, share = np.column_stack([X, np.ones((25, constant))]), 0.97 ** np.arange(24, -1, -1.0)
    rows = np.concatenate([share[:, None] * Z, 0.2 * 0.97**25 * np.eye(inputs)])
    solution = np.linalg.lstsq(rows, np.concatenate([share * targets, np.zeros(inputs)]), rcond=None)[0]
    assert found[1][0][0, :inputs] == pytest.approx(solution, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("pocket", [False, True])
@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("width", [1, 16, 21])
def test_correction_has_the_meanings_bits(width, classes, pocket, dtype):
    X = np.round(drawn(0, 30, width, dtype=dtype), 1)  # round numbers, so that scores tie now and then
    labels = np.random.default_rng(1).integers(0, classes, 30)
    found = []
    for rule in (meaning.correct, kernels.correct):
        weights, kept = np.zeros((classes, width + 1), dtype), np.zeros((classes, width + 1), dtype)
        counts = np.array([0, 0, 0, 0 if pocket else -1])
        for seed in range(4):
            order = np.random.default_rng(seed).permutation(30)
            rule(meaning.rows_of(X), order, labels, weights, kept, counts, np.array([0.5, 1], dtype))
        found.append((weights, kept, counts))
    assert all(np.array_equal(a, b) for a, b in zip(*found, strict=True))
    assert found[0][2][0] > 0
    assert found[0][1].any() == pocket


def test_windows_run_over_a_signal_in_either_direction():
    signal = np.arange(10.0)
    backwards = meaning.Windows(signal, 6, -1, 3)
    assert [backwards.row(r).tolist() for r in (0, 2)] == [[6, 7, 8], [4, 5, 6]]
    weights, nets = np.array([[1.0, 10.0, 100.0, 0.0]]), np.zeros((1, 7))
    kernels.descend("net", backwards, np.arange(7), nets, weights, nets, np.array([0, 0, 0.0]))
    wanted = [signal[6 - r] + 10 * signal[7 - r] + 100 * signal[8 - r] for r in range(7)]
    assert nets[0].tolist() == wanted


@pytest.mark.parametrize("size", [0, 1, 16, 33, 500])
def test_dot_is_a_sum_of_products(size):
    a, b = drawn(2, size), drawn(3, size)
    assert meaning.dot(a, b) == pytest.approx(a @ b, rel=1e-13, abs=1e-13)


def test_threads_change_no_bit():
    program = """
import numpy as np
from wengert.classic.delta import kernels, meaning
random = np.random.default_rng(0)
X, T = meaning.rows_of(random.normal(size=(150, 30))), random.normal(size=(8, 150))
for how in ("lms", "batch", "nlms"):
    found = []
    for rule in (meaning.descend, kernels.descend):
        W, N = np.zeros((8, 31)), np.zeros((8, 150))
        rule(how, X, np.arange(150), T, W, N, np.array([0.001, 1e-9, 1.0]))
        found.append(W.tobytes() + N.tobytes())
    print(found[0] == found[1])
"""
    assert kernels.SHARED < 150 * 30  # large enough that units are shared
    environment = {**os.environ, "WENGERT_NUM_THREADS": "3"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True"] * 3
