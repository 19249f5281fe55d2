"""What a map shows, against geometry: cells lie where the middle of two units lies, and hold their distance."""

import numpy as np
import pytest

from wengert.classic.som.lattice import HEIGHT, Lattice
from wengert.classic.som.planes import component_planes, hits, label_map, u_matrix
from wengert.classic.som.quality import Map
from wengert.errors import ArgumentError

SHAPES = [(r, c, h, t) for r, c in [(4, 5), (6, 3), (2, 2), (5, 4)] for h in (0, 1) for t in (0, 1)]
SHAPES = [shape for shape in SHAPES if not (shape[0] % 2 and shape[2] and shape[3])]


def geometry(lattice):
    """Positions of units and the offsets at which a torus repeats, from their definition."""
    height = HEIGHT if lattice.hexagonal else 1.0
    where = np.array(
        [
            (column + (0.5 if lattice.hexagonal and row % 2 else 0.0), row * height)
            for row in range(lattice.rows)
            for column in range(lattice.columns)
        ]
    )
    span = range(-2, 3) if lattice.torus else [0]
    offsets = [np.array((a * lattice.columns, b * lattice.rows * height)) for a in span for b in span]
    return where, offsets


def example(lattice, features=3, seed=0):
    return Map(np.random.default_rng(seed).normal(size=(lattice.units, features)), lattice)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda s: f"{s[0]}x{s[1]}-{'hex' * s[2]}{'torus' * s[3]}")
@pytest.mark.parametrize("average", ["median", "mean"])
def test_u_matrix_of_units(shape, average):
    lattice = Lattice(shape[0], shape[1], bool(shape[2]), bool(shape[3]))
    som = example(lattice)
    where, offsets = geometry(lattice)
    found = u_matrix(som, average=average)
    for kind, reach in [(None, 1.0)] + ([] if lattice.hexagonal else [(4, 1.0), (8, 2**0.5)]):
        values = u_matrix(som, average=average, neighbours=kind).values
        assert values.shape == (lattice.rows, lattice.columns)
        for a in range(lattice.units):
            near = {
                b
                for b in range(lattice.units)
                for offset in offsets
                if b != a and np.linalg.norm(where[a] - where[b] - offset) < reach + 1e-9
            }
            distances = [np.linalg.norm(som.weights_[a] - som.weights_[b]) for b in sorted(near)]
            expected = {"median": np.median, "mean": np.mean}[average](distances)
            assert values.flat[a] == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(found.positions, where, atol=1e-12)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda s: f"{s[0]}x{s[1]}-{'hex' * s[2]}{'torus' * s[3]}")
def test_full_u_matrix(shape):
    """Every pair of neighbouring units, and of diagonal ones on a square lattice, is found again by its middle."""
    lattice = Lattice(shape[0], shape[1], bool(shape[2]), bool(shape[3]))
    som = example(lattice)
    where, offsets = geometry(lattice)
    found = u_matrix(som, full=True)
    rows, columns = found.values.shape
    assert (rows, columns) == (2 * lattice.rows - (not lattice.torus), 2 * lattice.columns - (not lattice.torus))
    reach = 1.0 if lattice.hexagonal else 2**0.5
    pairs = [
        ((where[a] + where[b] + offset) / 2, np.linalg.norm(som.weights_[a] - som.weights_[b]) / length)
        for a in range(lattice.units)
        for b in range(lattice.units)
        for offset in offsets
        if a != b and (length := np.linalg.norm(where[a] - where[b] - offset)) < reach + 1e-9
    ]
    middles, lengths = np.array([p for p, _ in pairs]), np.array([d for _, d in pairs])
    used = np.zeros(len(pairs), bool)
    for cell, position in enumerate(found.positions):
        row, column = divmod(cell, columns)
        if row % 2 == 0 and column % 2 == 0:
            unit = row // 2 * lattice.columns + column // 2
            np.testing.assert_allclose(position, where[unit], atol=1e-12)
            assert found.values[row, column] == u_matrix(som).values.flat[unit]
            continue
        here = np.zeros(len(pairs), bool)
        for offset in offsets:
            here |= np.linalg.norm(middles - position - offset, axis=1) < 1e-9
        assert here.any()
        assert found.values[row, column] == pytest.approx(lengths[here].mean(), rel=1e-12)
        used |= here
    assert used.all()


def test_u_matrix_of_degenerate_maps():
    assert u_matrix(Map([[1.0]], Lattice(1, 1)), full=True).values.tolist() == [[0.0]]
    assert u_matrix(Map([[1.0]], Lattice(1, 1, torus=True)), full=True).values.tolist() == [[0.0]]
    line = u_matrix(Map([[0.0], [1.0], [3.0]], Lattice(1, 3, torus=True)), full=True)
    assert line.values.tolist() == [[2.0, 1.0, 1.5, 2.0, 2.5, 3.0]]
    column = u_matrix(Map([[0.0], [1.0]], Lattice(2, 1, hexagonal=True, torus=True)), full=True)
    assert column.values.tolist() == [[1.0]] * 4


def test_u_matrix_in_the_metric_of_the_map():
    weights = [[0.0, 0.0], [1.0, 2.0]]
    assert u_matrix(Map(weights, Lattice(1, 2), "manhattan")).values.tolist() == [[3.0, 3.0]]
    assert u_matrix(Map(weights, Lattice(1, 2))).values[0, 0] == 5**0.5


def test_u_matrix_of_minisom():
    """MiniSom 2.3.6's `distance_map` is the mean over eight neighbours, divided by its largest."""
    from sklearn.datasets import load_iris

    X = load_iris().data
    weights = np.random.default_rng(7).normal(X.mean(0), X.std(0), size=(5, 6, 4))
    values = u_matrix(Map(weights.reshape(30, 4), Lattice(5, 6)), average="mean", neighbours=8).values
    expected = [
        [0.574116, 0.568952, 0.39321, 0.462918, 0.668384, 0.560704],
        [0.875648, 0.726812, 0.526657, 0.494138, 0.562315, 0.790394],
    ]
    np.testing.assert_allclose((values / values.max())[:2], expected, atol=6e-7)


def test_two_clusters_are_parted_by_a_ridge():
    weights = np.array([[0.0, j >= 3] for _ in range(4) for j in range(6)]) * 10 + np.arange(24)[:, None] * 0.01
    values = u_matrix(Map(weights, Lattice(4, 6, hexagonal=True)), full=True).values
    ridge = values.argmax(axis=1)
    assert set(ridge) <= {4, 5, 6}
    assert values[:, :3].max() < 1


def test_hits_planes_and_labels():
    som = Map([[0.0, 0.0], [1.0, 1.0], [2.0, 5.0], [9.0, 9.0]], Lattice(2, 2))
    X = [[0.1, 0.0], [0.2, 0.0], [0.3, np.nan], [2.0, 5.0], [1.0, 1.0]]
    counts = hits(som, X)
    assert counts.tolist() == [[3, 1], [1, 0]]
    assert counts.dtype == np.int64
    assert hits(som, X, [1, 1, 0.5, 2, 0]).tolist() == [[2.5, 0.0], [2.0, 0.0]]
    assert component_planes(som).tolist() == [[[0, 1], [2, 9]], [[0, 1], [5, 9]]]
    component_planes(som)[:] = 7
    assert som.weights_[0, 0] == 0

    found = label_map(som, X, ["b", "b", "a", "c", "a"])
    assert found.classes.tolist() == ["a", "b", "c"]
    assert found.counts.tolist() == [[[1, 2, 0], [1, 0, 0]], [[0, 0, 1], [0, 0, 0]]]
    assert found.labels.tolist() == [[1, 0], [2, -1]]
    np.testing.assert_array_equal(found.purity, [[2 / 3, 1], [1, np.nan]])
    assert label_map(som, X, ["b", "b", "a", "c", "a"], [0.2, 0.2, 1, 1, 1]).labels.tolist() == [[0, 0], [2, -1]]


def test_bad_input_gets_a_sentence():
    som = example(Lattice(2, 2))
    with pytest.raises(ArgumentError, match="average='mode' was given; pass 'median' or 'mean'"):
        u_matrix(som, average="mode")
    with pytest.raises(ArgumentError, match="4 or 8 neighbours"):
        u_matrix(som, neighbours=6)
    with pytest.raises(ArgumentError, match="one class for each of the 3 rows"):
        label_map(som, np.zeros((3, 3)), [0, 1])
