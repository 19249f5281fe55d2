"""Maps trained, against truth from outside: a float64 map written here, Lloyd's algorithm, and published figures."""

import numpy as np
import pytest
from sklearn.datasets import load_digits, load_iris

from wengert.classic import SOM

IRIS = load_iris().data
DIGITS = load_digits().data / 16


def _z(X):
    return (X - X.mean(axis=0)) / X.std(axis=0, ddof=1)


def _points(rows, columns, hexagonal):
    shift, height = (0.5, np.sqrt(3) / 2) if hexagonal else (0.0, 1.0)
    return np.array([(c + shift * (r % 2), r * height) for r in range(rows) for c in range(columns)])


def _topographic_error(W, X, points, reach):
    """Return the share of rows whose two best units are farther apart on the lattice than `reach`."""
    order = np.argsort(((X[:, None] - W) ** 2).sum(axis=2), axis=1, kind="stable")
    return np.mean(np.linalg.norm(points[order[:, 0]] - points[order[:, 1]], axis=1) > reach)


def _quantization_error(W, X):
    return np.sqrt(((X[:, None] - W) ** 2).sum(axis=2)).min(axis=1).mean()


# -- the batch rule ------------------------------------------------------------------------------------------------


def _reference(X, W, points, radii, masses):
    """Return the weights of a batch map, in float64, by the definition; NaN is left out."""
    h_of = ((points[:, None] - points) ** 2).sum(axis=2)
    known = ~np.isnan(X)
    filled = np.where(known, X, 0)
    for radius in radii:
        best = np.nansum((X[:, None] - W) ** 2, axis=2).argmin(axis=1)
        h = np.exp(-h_of / (2 * radius**2))[:, best] * masses
        W = (h @ filled) / (h @ known.astype(float))
    return W


@pytest.mark.parametrize("lattice", ["rect", "hex"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("missing", [0, 0.1])
@pytest.mark.parametrize("weighted", [False, True])
def test_batch_map_equals_the_definition(lattice, dtype, missing, weighted):
    random = np.random.default_rng(0)
    X = DIGITS[:600, 8:40].astype(dtype)
    X[random.random(X.shape) < missing] = np.nan
    masses = random.integers(0, 4, len(X)).astype(float) if weighted else None
    som = SOM(7, 6, lattice=lattice, epochs=6, radius=(3.0, 0.7), radius_schedule="linear", record=True)
    som.fit(X, sample_weight=masses)
    radii = np.linspace(3.0, 0.7, 6)
    begin = som.history_["weights"][0].astype(np.float64)
    if dtype == np.float32:  # it began with weights in float64
        begin = SOM(**{**som.get_params(), "epochs": 1}).fit(X.astype(np.float64), sample_weight=masses)
        begin = begin.history_["weights"][0]
    points = _points(7, 6, lattice == "hex")
    expected = _reference(X.astype(np.float64), begin, points, radii, np.ones(len(X)) if masses is None else masses)
    np.testing.assert_allclose(som.weights_, expected, atol=1e-5 if dtype == np.float32 else 1e-12)
    np.testing.assert_allclose(som.history_["radius"], radii)


def test_at_radius_zero_it_is_lloyds_k_means():
    X = _z(IRIS)
    W = X[[0, 20, 60, 75, 100, 149]].copy()
    som = SOM(2, 3, initial="sample", radius=(0, 0), epochs=15, random_state=3, record=True).fit(X)
    W = som.history_["weights"][0].copy()
    for _ in range(15):
        best = ((X[:, None] - W) ** 2).sum(axis=2).argmin(axis=1)
        for unit in np.unique(best):
            W[unit] = X[best == unit].mean(axis=0)
    np.testing.assert_allclose(som.weights_, W, atol=1e-12)
    assert np.array_equal(som.labels_, ((X[:, None] - W) ** 2).sum(axis=2).argmin(axis=1))


def test_units_that_receive_nothing_stay():
    X = np.array([[0.0], [0.1], [10.0]])
    som = SOM(1, 4, initial="random", radius=(0, 0), epochs=3, random_state=0, record=True).fit(X)
    begin, hit = som.history_["weights"][0], np.unique(som.labels_)
    for unit in set(range(4)) - set(hit.tolist()):
        assert som.weights_[unit] == begin[unit]
    assert len(hit) < 4


def test_weights_are_repetitions():
    counts = np.random.default_rng(0).integers(0, 3, len(IRIS))
    one = SOM(6, 5, epochs=5, random_state=0).fit(IRIS, sample_weight=counts)
    other = SOM(6, 5, epochs=5, random_state=0).fit(np.repeat(IRIS, counts, axis=0))
    np.testing.assert_allclose(one.weights_, other.weights_, atol=1e-9)
    assert one.quantization_error_ == pytest.approx(other.quantization_error_)
    sized = SOM(epochs=1).fit(IRIS, sample_weight=counts).shape_
    assert sized == SOM(epochs=1).fit(np.repeat(IRIS, counts, axis=0)).shape_


@pytest.mark.parametrize(
    "method, scale", [("online", 1.0), ("minibatch", 1e-6), ("minibatch", 1.0), ("minibatch", 40.0)]
)
def test_weights_end_like_repetitions_when_rows_come_in_any_order(method, scale):
    """Not to the bit, for rows come in another order; the radius falls all the way, whatever weights add up to."""
    counts = np.random.default_rng(0).integers(0, 4, len(IRIS))
    one = SOM(6, 5, method=method, batch_size=30, random_state=0).fit(IRIS, sample_weight=scale * counts)
    other = SOM(6, 5, method=method, batch_size=30, random_state=0).fit(np.repeat(IRIS, counts, axis=0))
    assert one.history_["radius"][-1] == pytest.approx(1.0, rel=0.05)
    steps = np.diff(np.log(one.history_["radius"]))
    assert steps.max() < 0.5 * steps.min() < 0  # evenly, epoch by epoch
    assert one.quantization_error_ == pytest.approx(other.quantization_error_, rel=0.1)


# -- published figures -----------------------------------------------------------------------------------------------


def test_som_toolbox_on_iris():
    """SOM Toolbox's defaults on z-scored iris give 12 x 5 units, QE .404 and TE .013.

    Ours has its size and its linear start, and its course of radii in one piece: 2 to 1 (20 epochs).
    """
    X = _z(IRIS)
    som = SOM(radius=(2.0, 1.0), radius_schedule="linear", epochs=20).fit(X)
    assert som.shape_ == (12, 5)
    assert _quantization_error(som.weights_, X) == pytest.approx(0.404, abs=0.006)
    assert _topographic_error(som.weights_, X, _points(12, 5, True), 1.01) == pytest.approx(0.013, abs=0.007)


@pytest.mark.parametrize(
    "X, side, qe, te", [(IRIS, 8, 0.328, 0.044), (DIGITS, 15, 1.312, 0.025)], ids=["iris", "digits"]
)
def test_better_than_minisom_in_both_errors_at_once(X, side, qe, te):
    """MiniSom's figures at 10 epochs, square lattice with 8 neighbours; ours with all other settings at defaults."""
    som = SOM(side, side, lattice="rect", epochs=10).fit(X)
    assert _quantization_error(som.weights_, X) <= qe
    assert _topographic_error(som.weights_, X, _points(side, side, False), 1.42) <= te


@pytest.mark.parametrize(
    "X, side, qe, te", [(IRIS, 8, 0.275, 0.02), (DIGITS, 15, 1.235, 0.021)], ids=["iris", "digits"]
)
def test_what_ten_epochs_can_reach(X, side, qe, te):
    """Some final radius gives both figures at once, to what one row of iris is worth."""
    errors = []
    for begin, end in ((side / 4, 1.0), (side / 2, 0.7), (side / 2, 0.75)):
        som = SOM(side, side, lattice="rect", epochs=10, radius=(begin, end)).fit(X)
        errors.append(
            (
                _quantization_error(som.weights_, X),
                _topographic_error(som.weights_, X, _points(side, side, False), 1.42),
            )
        )
    assert any(a <= qe + 1e-3 and b <= te + 1 / len(X) for a, b in errors), errors


@pytest.mark.parametrize("method", ["batch", "minibatch", "online"])
@pytest.mark.parametrize("initial", ["random", "sample"])
def test_a_chain_on_the_unit_interval_ends_in_order(method, initial):
    X = np.random.default_rng(0).random((500, 1))
    som = SOM(20, 1, method=method, initial=initial, batch_size=50, random_state=0).fit(X)
    steps = np.diff(som.weights_[:, 0])
    assert np.all(steps > 0) or np.all(steps < 0)
    assert som.weights_.min() < 0.1 and som.weights_.max() > 0.9


ANIMALS = """
small two-legs feathers fly            : dove
small two-legs feathers                : hen
small two-legs feathers swim           : duck
small two-legs feathers fly swim       : goose
small two-legs feathers hunt fly       : owl hawk
medium two-legs feathers hunt fly      : eagle
medium four-legs hair hunt             : fox
medium four-legs hair run              : dog
medium four-legs hair mane hunt run    : wolf
small four-legs hair hunt              : cat
big four-legs hair hunt run            : tiger
big four-legs hair mane hunt run       : lion
big four-legs hair hooves mane run     : horse zebra
big four-legs hair hooves              : cow
"""


@pytest.mark.parametrize("lattice", ["hex", "rect"])
@pytest.mark.parametrize("seed", range(3))
def test_animals_map(lattice, seed):
    """Ritter & Kohonen 1989, Biol. Cybern. 61:241: names as symbols of little weight beside what the animals do.

    Each unit is named by the animal whose symbol it answers to most; birds and mammals are each one region.
    """
    kinds = [line.split(":") for line in ANIMALS.strip().splitlines()]
    names = [(animal, traits.split()) for traits, animals in kinds for animal in animals.split()]
    words = sorted({word for _, traits in names for word in traits})
    traits = np.array([[word in mine for word in words] for _, mine in names], float)
    bird = np.array(["feathers" in mine for _, mine in names])
    assert len(names) == 16 and len(words) == 13 and bird.sum() == 7
    X = np.concatenate([0.2 * np.eye(16), traits], axis=1)
    som = SOM(10, 10, lattice=lattice, epochs=50, initial="random", random_state=seed).fit(X)
    symbol = 0.2 * np.eye(16, X.shape[1])
    is_bird = bird[(symbol @ som.weights_.T).argmax(axis=0)]
    near = som.lattice_.neighbours()
    for kind in (True, False):
        units = np.flatnonzero(is_bird == kind)
        region, edge = {int(units[0])}, [int(units[0])]
        for unit in edge:
            for other in near[unit]:
                if is_bird[other] == kind and int(other) not in region:
                    region.add(int(other))
                    edge.append(int(other))
        assert region == set(units.tolist())
    alike = {"hawk": "owl", "zebra": "horse"}  # nothing but their names tells them apart
    assert len(set(som.labels_.tolist())) >= 16 - len(alike) - 1


# -- the other methods -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["minibatch", "online"])
@pytest.mark.parametrize("initial", ["pca", "random"])
def test_other_methods_are_as_good(method, initial):
    som = SOM(8, 8, lattice="rect", method=method, initial=initial, batch_size=32, random_state=0).fit(IRIS)
    assert som.quantization_error_ < 0.33
    assert _topographic_error(som.weights_, IRIS, _points(8, 8, False), 1.42) < 0.04
    assert np.array_equal(som.weights_, SOM(**som.get_params()).fit(IRIS).weights_)  # one seed, one map


def test_minibatches_of_everything_at_a_fixed_radius_end_like_batches():
    settings = {"radius": (1.0, 1.0), "epochs": 60}
    batch = SOM(6, 6, **settings).fit(IRIS)
    mini = SOM(6, 6, method="minibatch", batch_size=150, random_state=0, **settings).fit(IRIS)
    assert np.abs(mini.weights_ - batch.weights_).mean() < 0.01
    assert mini.quantization_error_ == pytest.approx(batch.quantization_error_, rel=0.01)


@pytest.mark.parametrize("method", ["batch", "online"])
def test_a_stream_goes_on_falling_and_settles(method):
    random, som = np.random.default_rng(0), SOM(8, 8, lattice="rect", method=method, random_state=0)
    radii, moves = [], []
    for _ in range(40):
        before = som.weights_.copy() if radii else None
        som.partial_fit(IRIS[random.permutation(150)[:75]])
        radii.append(som.radius_)
        if before is not None:
            moves.append(np.abs(som.weights_ - before).max())
    assert som.n_samples_seen_ == 40 * 75
    assert np.all(np.diff(radii) < 0) and radii[-1] < 1.6
    assert np.mean(moves[-10:]) < 0.5 * np.mean(moves[:10])
    assert -som.score(IRIS) < 0.45
    assert _topographic_error(som.weights_, IRIS, _points(8, 8, False), 1.42) < 0.06


def test_a_stream_of_single_rows():
    random, som = np.random.default_rng(0), SOM(5, 5, random_state=0)
    for row in random.permutation(np.repeat(IRIS, 4, axis=0)):
        som.partial_fit(row[None])
    assert -som.score(IRIS) < 0.7
    assert len(np.unique(som.predict(IRIS))) > 15


def test_memory_follows_data_that_move():
    random = np.random.default_rng(0)
    forgetful, faithful = SOM(5, 5, memory=500, random_state=0), SOM(5, 5, random_state=0)
    for step in range(120):
        rows = random.standard_normal((50, 2)) + np.array([10.0 * (step >= 60), 0])
        forgetful.partial_fit(rows)
        faithful.partial_fit(rows)
    assert forgetful.weights_[:, 0].min() > 7
    assert faithful.weights_[:, 0].min() < 5


def test_a_fitted_map_goes_on_from_where_it_is():
    som = SOM(8, 8).fit(IRIS)
    before, radius = som.weights_.copy(), som.radius_
    som.partial_fit(IRIS[:75])
    assert 0 < np.abs(som.weights_ - before).max() < 0.2
    assert som.radius_ <= radius and som.n_samples_seen_ == 20 * 150 + 75


# -- rows in pieces ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("initial", ["pca", "sample", "random"])
def test_chunks_give_the_bits_of_the_whole(dtype, initial, tmp_path):
    random = np.random.default_rng(0)
    X = random.standard_normal((11_000, 5)).astype(dtype)
    X[random.random(X.shape) < 0.01] = np.nan
    X[np.isnan(X).all(axis=1)] = 0
    whole = SOM(6, 5, epochs=4, initial=initial, random_state=0).fit(X)
    cuts = np.split(X, [1, 700, 2500, 2501, 9000])
    chunks = SOM(6, 5, epochs=4, initial=initial, random_state=0).fit_chunks(cuts)
    assert np.array_equal(chunks.weights_, whole.weights_)
    assert chunks.quantization_error_ == pytest.approx(whole.quantization_error_, rel=1e-12)
    np.save(tmp_path / "rows.npy", X)
    mapped = np.load(tmp_path / "rows.npy", mmap_mode="r")
    again = SOM(6, 5, epochs=4, initial=initial, random_state=0).fit_chunks(
        lambda: (mapped[i : i + 3000] for i in range(0, len(mapped), 3000))
    )
    assert np.array_equal(again.weights_, whole.weights_)
    assert np.array_equal(SOM(**whole.get_params()).fit(mapped).weights_, whole.weights_)


@pytest.mark.parametrize("method", ["minibatch", "online"])
def test_chunks_by_other_methods(method):
    X = np.random.default_rng(0).standard_normal((3000, 2))
    som = SOM(6, 6, method=method, batch_size=200, epochs=5, random_state=0).fit_chunks(np.array_split(X, 4))
    assert som.quantization_error_ < 0.4
    assert not hasattr(som, "labels_")


def test_bits_do_not_depend_on_threads():
    from wengert.compiler.pool import the_pool

    X = np.random.default_rng(0).standard_normal((9000, 6)).astype(np.float32)
    pool, before, found = the_pool(), the_pool().threads, []
    try:
        for threads in (1, 2):
            pool.set_threads(threads)
            found.append(SOM(15, 12, epochs=3, random_state=0).fit(X))
    finally:
        pool.set_threads(before)
    assert np.array_equal(found[0].weights_, found[1].weights_)
    assert np.array_equal(found[0].labels_, found[1].labels_)
