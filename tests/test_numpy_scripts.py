"""Ordinary NumPy scripts, each written once as a function of the module `np`: only the import tells them apart."""

from collections.abc import Callable
from typing import Any

import numpy
import pytest

import wengert

Script = Callable[[Any, numpy.random.Generator], Any]
SCRIPTS: list[Script] = []


def script(function: Script) -> Script:
    """Note a script; it returns a tuple, list or dict of what it computed, and draws its numbers from NumPy."""
    SCRIPTS.append(function)
    return function


def given(np: Any, values: Any) -> Any:
    """The data of a script: float64 in both libraries."""
    return np.asarray(values)


@script
def k_means(np: Any, rng: Any) -> Any:
    x = given(np, rng.normal(size=(60, 2)) + 4 * rng.integers(0, 2, (60, 1)))
    centres = x[:2].copy()
    for _ in range(10):
        distances = np.linalg.norm(x[:, None, :] - centres[None, :, :], axis=2)
        labels = np.argmin(distances, axis=1)
        for k in range(2):
            centres[k] = x[labels == k].mean(axis=0)
    return centres, labels, np.bincount(labels)


@script
def principal_components(np: Any, rng: Any) -> Any:
    x = given(np, rng.normal(size=(40, 3)) @ numpy.diag([3.0, 1.0, 0.1]))
    centred = x - x.mean(axis=0, keepdims=True)
    u, s, vt = np.linalg.svd(centred, full_matrices=False)
    scores = np.dot(centred, vt.T)
    rebuilt = scores[:, :2] @ vt[:2]
    return s, s**2 / (s**2).sum(), np.abs(scores), np.allclose(u * s, scores), np.linalg.norm(rebuilt - centred)


@script
def game_of_life(np: Any, rng: Any) -> Any:
    board = np.zeros((12, 12), dtype=np.int64)
    board[1, 2] = board[2, 3] = 1
    board[3, 1:4] = 1
    for _ in range(8):
        n = sum(np.roll(np.roll(board, i, axis=0), j, axis=1) for i in (-1, 0, 1) for j in (-1, 0, 1) if i or j)
        board = ((n == 3) | ((board == 1) & (n == 2))).astype(np.int64)
    return board, np.argwhere(board)


@script
def game_of_life_by_padding(np: Any, rng: Any) -> Any:
    board = given(np, rng.integers(0, 2, (10, 9)))
    for _ in range(4):
        p = np.pad(board, 1, mode="wrap")
        n = p[:-2, :-2] + p[:-2, 1:-1] + p[:-2, 2:] + p[1:-1, :-2] + p[1:-1, 2:] + p[2:, :-2] + p[2:, 1:-1] + p[2:, 2:]
        birth = (n == 3) & (board == 0)
        survive = ((n == 2) | (n == 3)) & (board == 1)
        board[...] = 0
        board[birth | survive] = 1
    return board


@script
def mandelbrot(np: Any, rng: Any) -> Any:
    re, im = np.meshgrid(np.linspace(-2, 1, 30, dtype=np.float64), np.linspace(-1, 1, 20, dtype=np.float64))
    c = re + 1j * im
    z = np.zeros(c.shape, dtype=np.complex128)
    steps = np.zeros(c.shape, dtype=int)
    for _ in range(20):
        inside = np.abs(z) <= 2
        steps[inside] += 1
        z[inside] = z[inside] ** 2 + c[inside]
    return steps, steps.max(), np.unique(steps)


@script
def fft_filter(np: Any, rng: Any) -> Any:
    t = np.arange(0, 1, 0.01, dtype=np.float64)
    signal = np.sin(2 * np.pi * 5 * t) + given(np, 0.3 * rng.normal(size=100))
    spectrum = np.fft.rfft(signal)
    frequencies = np.fft.rfftfreq(signal.size, d=0.01)
    spectrum[frequencies > 10] = 0
    smooth = np.fft.irfft(spectrum, n=signal.size)
    return smooth, np.argmax(np.abs(spectrum)), np.std(signal - smooth)


@script
def least_squares(np: Any, rng: Any) -> Any:
    x = given(np, rng.uniform(-1, 1, 30))
    y = 2 * x**2 - x + 0.5
    design = np.column_stack([np.ones_like(x), x, x**2])
    weights, _, rank, s = np.linalg.lstsq(design, y, rcond=None)
    normal = np.linalg.solve(design.T @ design, design.T.dot(y))
    return weights, rank, s, normal, np.allclose(weights, normal), np.vander(x, 3)


@script
def random_walks(np: Any, rng: Any) -> Any:
    steps = np.where(given(np, rng.random((5, 50))) < 0.5, -1, 1)
    walks = np.cumsum(steps, axis=1)
    far = np.abs(walks) >= 5
    first = np.argmax(far, axis=1)
    return walks, first, far.any(axis=1), walks[:, -1].mean(), walks.max(axis=1) - walks.min(axis=1), np.ptp(walks)


@script
def image_convolution(np: Any, rng: Any) -> Any:
    image = given(np, rng.random((9, 8)))
    kernel = np.array([[1, 0, -1], [2, 0, -2], [1, 0, -1]], dtype=np.float64)
    padded = np.pad(image, ((1, 1), (1, 1)), mode="edge")
    out = np.zeros_like(image)
    for i in range(image.shape[0]):
        for j in range(image.shape[1]):
            out[i, j] = (padded[i : i + 3, j : j + 3] * kernel).sum()
    return out, np.clip(out, 0, 1), np.pad(image, 2, "constant", constant_values=7), np.pad(image, 1, mode="reflect")


@script
def sorting_and_grouping(np: Any, rng: Any) -> Any:
    keys, values = given(np, rng.integers(0, 4, 30)), given(np, rng.random(30))
    order = np.argsort(keys, stable=True)
    keys, values = keys[order], values[order]
    names, starts, inverse, counts = np.unique(keys, return_index=True, return_inverse=True, return_counts=True)
    groups = np.split(values, starts[1:].tolist())
    means = np.array([group.mean() for group in groups])
    values.sort()
    return names, starts, inverse, counts, means, values, np.searchsorted(values, 0.5), len(set(keys))


@script
def joining(np: Any, rng: Any) -> Any:
    a = np.arange(6).reshape(2, 3)
    b = np.concatenate([a, a * 10], axis=0)
    c = np.concatenate((a.T, np.ones((3, 1), dtype=a.dtype)), axis=1)
    return (
        b,
        c,
        np.vstack([a, a[0]]),
        np.hstack((a, a)),
        np.dstack([a, a]),
        np.append(a, [7, 8]),
        np.delete(b, 1, axis=0),
    )


@script
def normalised_rows(np: Any, rng: Any) -> Any:
    x = given(np, rng.random((4, 5)))
    x /= x.sum(axis=1, keepdims=True)
    softmax = np.exp(x - x.max(axis=1, keepdims=True))
    softmax = softmax / np.sum(softmax, axis=1, keepdims=True)
    entropy = -np.sum(softmax * np.log(softmax), axis=-1)
    return x, softmax, entropy, np.average(x, axis=0, weights=np.arange(4)), np.median(x), np.percentile(x, 30)


@script
def views_written_through(np: Any, rng: Any) -> Any:
    x = np.arange(12).reshape(3, 4)
    row, column, corner = x[1], x[:, 0], x[:2, :2]
    row += 100
    column[:] = -1
    corner.T[0] = 7
    x.ravel()[5] = 55
    x[::-1][0, 3] = 33
    np.fliplr(x)[2, 1] = 22
    for line in x:
        line[2] *= 2
    copied = x.copy()
    copied.fill(0)
    x[0], x[2] = x[2].copy(), x[0].copy()
    first = x[0, 0]
    x[0, 0] = x[0, 1]
    x[0, 1] = first
    first += 1000
    return x, row, column, corner, copied


@script
def histograms(np: Any, rng: Any) -> Any:
    x = given(np, rng.normal(size=200))
    counts, edges = np.histogram(x, bins=8)
    centres = (edges[:-1] + edges[1:]) / 2
    places = np.digitize(x, edges[1:-1])
    return counts, edges, centres[np.argmax(counts)], places, np.bincount(places, minlength=8), np.quantile(x, 0.9)


@script
def heat_equation(np: Any, rng: Any) -> Any:
    u = np.zeros((12, 12), dtype=np.float64)
    u[0, :] = 1.0
    for _ in range(30):
        u[1:-1, 1:-1] += 0.2 * (u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2] - 4 * u[1:-1, 1:-1])
    return u, u[:, 6], np.gradient(u[:, 6])


@script
def power_iteration(np: Any, rng: Any) -> Any:
    a = given(np, rng.random((5, 5)))
    a = (a + a.T) / 2
    v = np.ones(5, dtype=np.float64)
    for _ in range(60):
        v = a @ v
        v /= np.linalg.norm(v)
    values, vectors = np.linalg.eigh(a)
    return v @ a @ v, values[-1], np.abs(vectors[:, -1]), np.trace(a), np.isclose(values.sum(), a.trace())


@script
def gradient_descent(np: Any, rng: Any) -> Any:
    x = given(np, rng.normal(size=(50, 3)))
    y = (x @ np.array([1.0, -2.0, 0.5], dtype=np.float64) > 0).astype(np.float64)
    w, losses = np.zeros(3, dtype=np.float64), []
    for _ in range(20):
        p = 1 / (1 + np.exp(-(x @ w)))
        losses.append(-np.mean(y * np.log(p + 1e-9) + (1 - y) * np.log(1 - p + 1e-9)))
        w -= 0.5 * x.T.dot(p - y) / len(y)
    return w, np.array(losses), ((p > 0.5) == y).mean(), np.count_nonzero(y)


@script
def one_hot_by_indexing(np: Any, rng: Any) -> Any:
    labels = given(np, rng.integers(0, 4, 10))
    hot = np.zeros((labels.size, 4), dtype=np.float64)
    hot[np.arange(labels.size), labels] = 1
    return hot, np.eye(4, dtype=np.float64)[labels], hot.argmax(axis=1) == labels, hot.sum(0), hot.T @ hot


@script
def sieve(np: Any, rng: Any) -> Any:
    prime = np.ones(100, dtype=bool)
    prime[:2] = False
    for i in range(2, 10):
        if prime[i]:
            prime[i * i :: i] = False
    return np.nonzero(prime)[0], np.where(prime)[0], np.flatnonzero(prime), prime.sum(), np.diff(np.flatnonzero(prime))


@script
def gram_schmidt(np: Any, rng: Any) -> Any:
    a = given(np, rng.random((5, 3)))
    q = np.zeros_like(a)
    for j in range(a.shape[1]):
        v = a[:, j].copy()
        for i in range(j):
            v -= np.dot(q[:, i], a[:, j]) * q[:, i]
        q[:, j] = v / np.sqrt(np.vdot(v, v))
    r, full = q.T @ a, np.linalg.qr(a)
    return q, r, np.allclose(q.T @ q, np.identity(3), atol=1e-6), np.abs(full[0]), np.tril(r, k=-1).round(8) == 0


@script
def monte_carlo_pi(np: Any, rng: Any) -> Any:
    points = given(np, rng.uniform(-1, 1, (1000, 2)))
    inside = np.hypot(points[:, 0], points[:, 1]) < 1
    running = 4 * np.cumsum(inside) / np.arange(1, 1001)
    return running, 4 * inside.mean(), np.sum(points**2 < 0.5, axis=0)


@script
def moving_average(np: Any, rng: Any) -> Any:
    x, n = given(np, rng.random(40)), 5
    total = np.cumsum(x)
    total[n:] = total[n:] - total[:-n]
    by_sums = total[n - 1 :] / n
    return by_sums, np.convolve(x, np.ones(n, dtype=np.float64) / n, mode="valid"), np.correlate(x, x[:3], "same")


@script
def tables(np: Any, rng: Any) -> Any:
    n = np.arange(1, 10)
    i, j = np.indices((3, 4))
    return (
        np.outer(n, n), np.add(n[:, np.newaxis], n), np.mod(n, 3), np.power(n, 2), i * 10 + j, np.diag(n),
        np.fromfunction(lambda a, b: a - b, (3, 3), dtype=int), np.triu_indices(3), np.ix_([0, 2], [1]),
        np.tile(n, (2, 1)), np.repeat(n, 2), np.rot90(i), np.kron(i, j[:1]), np.unravel_index(7, (3, 4)),
    )  # fmt: skip


@script
def matrix_checks(np: Any, rng: Any) -> Any:
    a = given(np, rng.random((4, 4)) + 2 * numpy.eye(4))
    inverse, sign = np.linalg.inv(a), np.linalg.slogdet(a)
    return (
        np.linalg.det(a), inverse, np.allclose(a @ inverse, np.eye(4)), sign[0] * np.exp(sign[1]), np.linalg.norm(a),
        np.linalg.norm(a, 1), np.linalg.norm(a, 2), np.linalg.norm(a, ord=np.inf), np.linalg.matrix_rank(a),
        np.linalg.norm(a, axis=0, keepdims=True), np.linalg.pinv(a[:, :2]), np.linalg.cholesky(a @ a.T), a.diagonal(),
        np.einsum("ij,jk->ik", a, a), np.inner(a, a), np.linalg.matrix_power(a, 3), np.cov(a),
        np.cross(a[0, :3], a[1, :3]),
    )  # fmt: skip


@script
def boolean_masks(np: Any, rng: Any) -> Any:
    x = given(np, rng.normal(size=(6, 4)))
    x[0, 0] = np.nan
    clean = np.where(np.isnan(x), np.nanmean(x), x)
    clean[clean < 0] *= -1
    clean[~(clean > 1) & (clean > 0.5)] = 0.75
    kinds = np.select([clean < 0.5, clean < 1], [0, 1], 2)
    return (
        clean, kinds, clean[kinds == 1], np.any(clean > 2, axis=1), np.nan_to_num(x), x[~np.isnan(x)].sum(),
        np.logical_xor(clean > 1, clean < 2), np.setdiff1d([1, 2, 3], [2]), np.isin(kinds, [0, 2]),
        clean[clean[:, 0] > 0.5],
    )  # fmt: skip


@script
def trigonometry(np: Any, rng: Any) -> Any:
    x = np.linspace(-0.9, 0.9, 7, dtype=np.float64)
    return (
        np.arcsin(x), np.arccos(x), np.arctan2(x, 0.5), np.arctanh(x), np.deg2rad(x), np.rad2deg(x), np.sinc(x),
        np.exp2(x), np.heaviside(x, 0.5), np.cbrt(x), np.around(x, 1), np.rint(3 * x), np.absolute(x), x.round(1),
        np.trapezoid(x**2, x), np.interp(0.1, x, x**3), np.polyval([1.0, 2.0, 3.0], x), np.cumprod(x), np.fabs(x),
        np.amax(x), np.logspace(0, 3, 4, dtype=np.float64), np.geomspace(1, 8, 4, dtype=np.float64),
    )  # fmt: skip


@script
def nearest_neighbours(np: Any, rng: Any) -> Any:
    train, labels = given(np, rng.normal(size=(20, 3))), given(np, rng.integers(0, 3, 20))
    test = given(np, rng.normal(size=(5, 3)))
    squares = (test**2).sum(axis=1)[:, None] + (train**2).sum(axis=1) - 2 * test.dot(train.T)
    nearest = np.argsort(squares, axis=1)[:, :3]
    votes = [int(np.argmax(np.bincount(labels[row], minlength=3))) for row in nearest]
    counted: dict[int, int] = {}
    for label in labels:
        counted[label] = counted.get(label, 0) + 1
    return squares, nearest, votes, [counted[k] for k in sorted(counted)]


@script
def parts_of_complex_numbers(np: Any, rng: Any) -> Any:
    z = np.asarray([[1 + 2j, 3j], [4 + 0j, 5 - 1j]])
    real, imag = z.real, z.imag
    z.real[0] = 5
    z.imag[:, 1] += 2
    real[1, 1] = np.inf
    np.imag(z)[1, 0] = 77
    z.imag *= 2
    z.imag = z.imag + np.asarray([1, 2])
    first = z[0, 0].real
    first += 1
    return z.real, z.imag, real, imag, first, z.conj().T.imag


def plain(result: Any) -> Any:
    if isinstance(result, tuple | list):
        return [plain(part) for part in result]
    return numpy.asarray(result)


def assert_same(ours: Any, theirs: Any) -> None:
    if isinstance(theirs, list):
        assert len(ours) == len(theirs)
        for a, b in zip(ours, theirs, strict=True):
            assert_same(a, b)
        return
    assert ours.shape == theirs.shape
    assert ours.dtype.kind == theirs.dtype.kind
    numpy.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("program", SCRIPTS, ids=lambda program: program.__name__)
def test_a_script_gives_what_numpy_gives(program: Script) -> None:
    ours, theirs = (plain(program(np, numpy.random.default_rng(5))) for np in (wengert, numpy))
    assert_same(ours, theirs)


def test_there_are_twenty_scripts() -> None:
    assert len(SCRIPTS) >= 20
