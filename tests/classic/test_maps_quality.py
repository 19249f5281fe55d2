"""Measures of maps against their definitions, written out by brute force, and against figures of other programs."""

import itertools

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError
from sklearn.manifold import trustworthiness as trustworthiness_of_points

from wengert import tensor
from wengert.classic import SOM, SOMClassifier
from wengert.classic.som.lattice import HEIGHT, Lattice
from wengert.classic.som.quality import (
    Map,
    apart,
    best_units,
    combined_error,
    distortion,
    measures,
    over_radius,
    quantization_error,
    topographic_error,
)
from wengert.classic.som.ranks import between, kept, neighbourhood_preservation, trustworthiness
from wengert.errors import ArgumentError, DataError

LATTICES = [
    Lattice(4, 5),
    Lattice(4, 5, hexagonal=True),
    Lattice(4, 5, torus=True),
    Lattice(4, 5, hexagonal=True, torus=True),
    Lattice(5, 3, hexagonal=True),
    Lattice(1, 7),
]
ids = [f"{'hex' if t.hexagonal else 'rect'}-{'torus' if t.torus else 'flat'}-{t.rows}x{t.columns}" for t in LATTICES]


def images(lattice):
    """Offsets at which a torus repeats, in the plane."""
    if not lattice.torus:
        return [(0.0, 0.0)]
    across, down = lattice.columns, lattice.rows * (HEIGHT if lattice.hexagonal else 1.0)
    return [(a * across, b * down) for a in (-1, 0, 1) for b in (-1, 0, 1)]


def places(lattice):
    """Positions in the plane from the lattice's definition, not from its code."""
    found = []
    for row, column in itertools.product(range(lattice.rows), range(lattice.columns)):
        odd = lattice.hexagonal and row % 2
        found.append((column + (0.5 if odd else 0.0), row * (HEIGHT if lattice.hexagonal else 1.0)))
    return np.array(found)


def steps(lattice):
    """Distances of units in the plane, the shortest over all images."""
    where = places(lattice)
    all_ways = [np.linalg.norm(where[:, None] + np.array(o) - where[None], axis=2) for o in images(lattice)]
    return np.min(all_ways, axis=0)


def distance(x, w, metric):
    """One distance, element by element."""
    pairs = [(float(a), float(b)) for a, b in zip(x, w, strict=True) if a == a]
    if metric == "euclidean":
        return sum((a - b) ** 2 for a, b in pairs) ** 0.5
    if metric == "manhattan":
        return sum(abs(a - b) for a, b in pairs)
    lengths = (sum(a * a for a, _ in pairs) * sum(b * b for _, b in pairs)) ** 0.5
    return 1 - (sum(a * b for a, b in pairs) / lengths if lengths else 0.0)


def example(lattice, metric="euclidean", missing=0.0, n=60, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3)) + 2
    X[rng.random(X.shape) < missing] = np.nan
    X[np.isnan(X).all(axis=1)] = 1.0
    return Map(rng.normal(size=(lattice.units, 3)) + 2, lattice, metric), X


PAIRS = [("euclidean", 0.0), ("euclidean", 0.3), ("manhattan", 0.0), ("manhattan", 0.3), ("cosine", 0.0)]


@pytest.mark.parametrize(("metric", "missing"), PAIRS)
def test_best_units_and_quantization_error(metric, missing):
    som, X = example(LATTICES[1], metric, missing)
    table = np.array([[distance(x, w, metric) for w in som.weights_] for x in X])
    order = np.argsort(table, axis=1)[:, :3]
    units, distances = best_units(som, X, 3)
    np.testing.assert_array_equal(units, order)
    np.testing.assert_allclose(distances, np.take_along_axis(table, order, axis=1), rtol=1e-12, atol=1e-15)
    assert quantization_error(som, X) == pytest.approx(table.min(axis=1).mean(), rel=1e-12)
    weight = np.arange(len(X))
    expected = (table.min(axis=1) * weight).sum() / weight.sum()
    assert quantization_error(som, X, weight) == pytest.approx(expected, rel=1e-12)


def test_units_equally_near_come_by_number():
    som = Map(np.zeros((20, 2)), Lattice(4, 5))
    units, distances = best_units(som, [[3.0, 4.0], [0.0, 0.0]], 6)
    assert units.tolist() == [[0, 1, 2, 3, 4, 5]] * 2
    assert distances.tolist() == [[5.0] * 6, [0.0] * 6]


def test_a_row_on_its_unit_is_at_distance_zero():
    """Far from zero, |x|^2 - 2 x.w + |w|^2 alone would lose all digits."""
    weights = 1e8 + np.arange(12.0).reshape(6, 2)
    assert quantization_error(Map(weights, Lattice(2, 3)), weights) == 0.0
    assert best_units(Map(weights, Lattice(2, 3)), weights)[0][:, 0].tolist() == list(range(6))


@pytest.mark.parametrize("lattice", LATTICES, ids=ids)
def test_topographic_error(lattice):
    som, X = example(lattice, missing=0.1)
    two = best_units(som, X, 2)[0]
    apart_ = steps(lattice)[two[:, 0], two[:, 1]]
    assert 0 < (apart_ > 1 + 1e-9).mean() < 1
    assert topographic_error(som, X) == (apart_ > 1 + 1e-9).mean()
    if not lattice.hexagonal:
        assert topographic_error(som, X, 4) == topographic_error(som, X)
        assert topographic_error(som, X, 8) == (apart_ > 2**0.5 + 1e-9).mean()


@pytest.mark.parametrize("lattice", LATTICES, ids=ids)
@pytest.mark.parametrize("metric", ["euclidean", "manhattan"])
def test_combined_error(lattice, metric):
    som, X = example(lattice, metric, missing=0.1)
    som.weights_[1] = som.weights_[0]  # an edge of length zero is an edge
    n = lattice.units
    way = np.full((n, n), np.inf)
    for a, b in np.argwhere(steps(lattice) < 1 + 1e-9):
        way[a, b] = distance(som.weights_[a], som.weights_[b], metric)
    for k, i, j in itertools.product(range(n), repeat=3):  # Floyd and Warshall
        way[i, j] = min(way[i, j], way[i, k] + way[k, j])
    total = 0.0
    for x in X:
        table = [distance(x, w, metric) for w in som.weights_]
        first, second = np.argsort(table, kind="stable")[:2]
        total += table[first] + way[first, second]
    assert combined_error(som, X) == pytest.approx(total / len(X), rel=1e-12)


@pytest.mark.parametrize("lattice", LATTICES, ids=ids)
@pytest.mark.parametrize("radius", [0.0, 0.7, 2.0])
def test_distortion(lattice, radius):
    som, X = example(lattice, missing=0.1)
    far = steps(lattice)
    total = 0.0
    for x in X:
        squares = [distance(x, w, "euclidean") ** 2 for w in som.weights_]
        c = int(np.argmin(squares))
        for j, square in enumerate(squares):
            h = np.exp(-(far[c, j] ** 2) / (2 * radius**2)) if radius else float(c == j)
            total += h * square
    assert distortion(som, X, radius) == pytest.approx(total / len(X), rel=1e-10)


# -- ranks ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("k", [1, 5, 19])
def test_trustworthiness_of_points_without_ties(k):
    rng = np.random.default_rng(1)
    X, Y = rng.normal(size=(40, 5)), rng.normal(size=(40, 2))
    near = lambda some: np.linalg.norm(Y - Y[some, None], axis=2)  # noqa: E731
    ranking = lambda some: np.linalg.norm(X - X[some, None], axis=2)  # noqa: E731
    assert kept(near, ranking, 40, k) == pytest.approx(trustworthiness_of_points(X, Y, n_neighbors=k), abs=1e-12)
    assert kept(ranking, near, 40, k) == pytest.approx(trustworthiness_of_points(Y, X, n_neighbors=k), abs=1e-12)


@pytest.mark.parametrize("k", [2, 7])
def test_ties_count_as_the_mean_over_the_ways_to_break_them(k):
    som, X = example(Lattice(3, 4, hexagonal=True), n=40)
    rng = np.random.default_rng(2)
    where = places(som.lattice_)[best_units(som, X)[0][:, 0]]
    broken = [where + 1e-7 * rng.normal(size=where.shape) for _ in range(150)]
    ours = trustworthiness(som, X, k), neighbourhood_preservation(som, X, k)
    theirs = [
        (trustworthiness_of_points(X, y, n_neighbors=k), trustworthiness_of_points(y, X, n_neighbors=k)) for y in broken
    ]
    error = 4 * np.std(theirs, axis=0) / len(broken) ** 0.5
    assert (np.abs(np.mean(theirs, axis=0) - ours) < error + 1e-6).all()


def test_a_map_that_keeps_order_is_trusted_more():
    X = np.random.default_rng(3).uniform(size=(200, 1))
    ends = np.linspace(0, 1, 30)[:, None]
    mixed = np.random.default_rng(4).permutation(ends)
    for measure in (trustworthiness, neighbourhood_preservation):
        assert measure(Map(ends, Lattice(1, 30)), X, 10) > 0.97
        assert measure(Map(mixed, Lattice(1, 30)), X, 10) < 0.9


def test_ranks_with_missing_values():
    X = np.array([[0.0, 1.0], [np.nan, 3.0], [4.0, np.nan]])
    np.testing.assert_allclose(between(X[0], X, "euclidean"), [0, 2 * 2**0.5, 4 * 2**0.5])
    np.testing.assert_allclose(between(X[0], X, "manhattan"), [0, 4, 8])
    assert between(X[1], X, "euclidean")[2] == np.inf
    som, Y = example(Lattice(2, 3), missing=0.2, n=30)
    assert 0 < trustworthiness(som, Y, 3) <= 1


# -- other programs ------------------------------------------------------------------------------------------------


def test_figures_of_minisom():
    """MiniSom 2.3.6 on the same weights. Its odd hexagonal rows are shifted the other way, so one axis is mirrored."""
    X = load_iris().data
    weights = np.random.default_rng(7).normal(X.mean(0), X.std(0), size=(5, 6, 4))
    square = Map(weights.reshape(30, 4), Lattice(5, 6))
    assert quantization_error(square, X) == pytest.approx(0.8745848140097333, rel=1e-12)
    assert topographic_error(square, X, 8) == pytest.approx(134 / 150, rel=1e-12)
    mirrored = weights[::-1].swapaxes(0, 1).reshape(30, 4)
    assert topographic_error(Map(mirrored, Lattice(6, 5, hexagonal=True)), X) == pytest.approx(140 / 150, rel=1e-12)


# -- what comes in -------------------------------------------------------------------------------------------------


def test_tensors_frames_and_float32():
    pandas = pytest.importorskip("pandas")
    som, X = example(Lattice(2, 3))
    X = X.astype(np.float32)
    expected = measures(som, X.astype(np.float64))
    assert set(expected) == {"quantization_error", "topographic_error", "combined_error", "distortion"}
    for given in (X, X.tolist(), tensor(X), pandas.DataFrame(X)):
        assert measures(som, given) == expected


def test_a_map_of_one_unit():
    som = Map([[1.0, 1.0]], Lattice(1, 1))
    X = [[1.0, 2.0], [1.0, 4.0]]
    assert quantization_error(som, X) == 2.0
    assert topographic_error(som, X) == 0.0
    assert combined_error(som, X) == 2.0
    assert distortion(som, X) == 5.0


def test_cosine_of_nothing_is_one():
    assert apart(np.zeros(2), np.ones(2), "cosine") == 1.0


@pytest.mark.parametrize(
    ("call", "error", "sentence"),
    [
        (lambda s, X: quantization_error(s, X[:, :2]), DataError, "X has 2 features, but the map has 3"),
        (lambda s, X: quantization_error(s, X, np.zeros(60)), DataError, "Map: sample_weight holds only zeros"),
        (
            lambda s, X: quantization_error(s, X, [1.0]),
            DataError,
            r"sample_weight has shape \(1,\); give one number for each of the 60 rows",
        ),
        (lambda s, X: best_units(s, X, 21), ArgumentError, "k=21 nearest units were asked for; the map has 20"),
        (lambda s, X: best_units(s, X, 0), ArgumentError, "k=0"),
        (lambda s, X: best_units(s, X, 1.5), ArgumentError, "k=1.5"),
        (lambda s, X: topographic_error(s, X, 6), ArgumentError, "4 or 8 neighbours"),
        (lambda s, X: distortion(s, X, -1.0), ArgumentError, r"radius=-1.0 was given"),
        (lambda s, X: trustworthiness(s, X, 30), ArgumentError, "k=30 neighbours were asked for among 60 rows"),
        (lambda s, X: quantization_error(s, X * np.nan), DataError, r"row 0 has no known value \(60 such rows\)"),
        (
            lambda s, X: quantization_error(Map(s.weights_, s.lattice_, "cosine"), np.where(X > 3.5, np.nan, X)),
            DataError,
            "metric='cosine' needs them all",
        ),
        (
            lambda s, X: quantization_error(s.weights_, X),
            ArgumentError,
            "A ndarray was given for a map; pass a fitted SOM",
        ),
        (lambda s, X: Map(s.weights_[1:], s.lattice_), ArgumentError, "19 weight vectors were given for 4 x 5 units"),
        (lambda s, X: Map(s.weights_, s.lattice_, "l3"), ArgumentError, "metric='l3' was given"),
        (lambda s, X: quantization_error(s, np.where(X > 3, np.inf, X)), ValueError, "infinity"),
    ],
)
def test_bad_input_gets_a_sentence(call, error, sentence):
    with pytest.raises(error, match=sentence):
        call(*example(LATTICES[0]))


def test_the_curve_over_the_final_radius():
    X = load_iris().data
    som = SOM(5, 5, random_state=0)
    curve = over_radius(som, X, [0.3, 1.5])
    assert curve["radius"].tolist() == [0.3, 1.5]
    assert curve["quantization_error"][0] < curve["quantization_error"][1]
    for radius, qe, te in zip(*curve.values(), strict=True):
        again = SOM(5, 5, radius=(som.fit(X).history_["radius"][0], radius)).fit(X)
        assert (qe, te) == (quantization_error(again, X), topographic_error(again, X))


def test_a_fitted_map_and_its_own_figure():
    X = load_iris().data
    som = SOM(6, 4, random_state=0)
    with pytest.raises(NotFittedError):
        quantization_error(som, X)
    som.fit(X)
    assert quantization_error(som, X) == pytest.approx(som.quantization_error_, rel=1e-12)
    assert best_units(som, X, 2)[0].tolist() == som.bmu(X, 2).tolist()
    classifier = SOMClassifier(SOM(6, 4, random_state=0))
    with pytest.raises(NotFittedError):
        measures(classifier, X)
    assert measures(classifier.fit(X, X[:, 0] > 5), X) == measures(som, X)


def test_distortion_has_the_neighbourhood_of_the_map():
    X = load_iris().data
    som = SOM(6, 4, neighborhood="bubble", lattice="rect").fit(X)
    near = (som.lattice_.distances() <= 1)[best_units(som, X)[0][:, 0]]
    table = np.linalg.norm(X[:, None] - som.weights_, axis=2)
    assert distortion(som, X) == pytest.approx((table**2 * near).sum(axis=1).mean(), rel=1e-12)
