"""Hopfield's memory: the papers' storage rules, energy that never rises, capacity, basins, scikit-learn."""

import itertools

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import parametrize_with_checks

import wengert
from wengert.classic import load
from wengert.classic.auto.hopfield import (
    Hopfield,
    basins_picture,
    energy_picture,
    recall_picture,
    settle,
    settled,
)
from wengert.errors import ArgumentError

WAYS = list(itertools.product(["hebb", "projection"], ["asynchronous", "synchronous"]))


@pytest.mark.filterwarnings("ignore:Hopfield:UserWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@parametrize_with_checks([Hopfield(storage=storage, update=update) for storage, update in WAYS])
def test_scikit_learn_accepts_it(estimator, check):
    check(estimator)


def patterns(count, units, seed=0):
    return np.random.default_rng(seed).choice([-1.0, 1.0], (count, units))


def noisy(P, share, seed=1):
    return P * np.random.default_rng(seed).choice([-1.0, 1.0], P.shape, p=[share, 1 - share])


def test_hebbs_rule_by_hand():
    P = patterns(3, 10)
    W = sum(np.outer(p, p) for p in P) / 10
    np.fill_diagonal(W, 0)
    with pytest.warns(UserWarning, match=r"hebb storage keeps 1.38 patterns in 10 units, and 3 came"):
        memory = Hopfield().fit(P)
    assert memory.weights_ == pytest.approx(W, abs=1e-15)


@pytest.mark.parametrize("correlated", [False, True])
def test_projection_keeps_all_independent_patterns(correlated):
    P = patterns(40, 100)
    if correlated:
        P = np.where(np.random.default_rng(3).random(P.shape) < 0.35, P, P[0])  # variations of one pattern
    memory = Hopfield(storage="projection").fit(P)
    projection = P.T @ np.linalg.solve(P @ P.T, P)
    np.fill_diagonal(projection, 0)
    assert memory.weights_ == pytest.approx(projection, abs=1e-10)
    assert (
        memory.kept_.all() and np.array_equal(memory.transform(P), P) and memory.predict(P).tolist() == list(range(40))
    )
    if correlated:
        with pytest.warns(UserWarning, match="or storage='projection'"):
            assert not Hopfield().fit(P).kept_.all()


@pytest.mark.parametrize("storage", ["hebb", "projection"])
@pytest.mark.parametrize("order", ["random", "fixed"])
def test_energy_never_rises_one_unit_at_a_time(storage, order):
    P = patterns(6, 60)
    memory = Hopfield(storage=storage, order=order, random_state=0).fit(P)
    found = memory.recall(patterns(200, 60, seed=5))
    assert found.stable.all() and np.all(np.diff(found.energies, axis=1) <= 0)
    energies = [-0.5 * s @ memory.weights_ @ s for s in found.states]
    assert found.energies[:, -1] == pytest.approx(energies, rel=1e-12, abs=1e-12)
    assert memory.energy(found.states) == pytest.approx(energies, rel=1e-12, abs=1e-12)
    # Every flip lowers it, by twice the field: one step after another, with the energy written out.
    state = patterns(1, 60, seed=9)[0]
    last = -0.5 * state @ memory.weights_ @ state
    for i in np.random.default_rng(0).permutation(60):
        if (memory.weights_[i] @ state) * state[i] < -1e-9:
            state[i] *= -1
            new = -0.5 * state @ memory.weights_ @ state
            assert new < last
            last = new


@pytest.mark.parametrize("units", [1, 7, 16, 45])
def test_the_kernel_has_the_meanings_bits(units):
    P = patterns(3, units)
    W = P.T @ P / units + 0.01 * np.ones((units, units))
    np.fill_diagonal(W, 0)
    starts = patterns(20, units, seed=2)
    orders = np.array([np.random.default_rng(s).permutation(units) for s in range(4)])
    fields = starts @ W
    energies: np.ndarray = np.zeros((20, 5))
    energies[:, 0] = -0.5 * np.sum(fields * starts, axis=1)
    wanted = [(s.copy(), f.copy(), e.copy()) for s, f, e in zip(starts, fields, energies, strict=True)]
    counts = [settled(W, orders, *arrays, 1e-12) for arrays in wanted]
    sweeps = np.zeros(20, np.int64)
    settle(W, orders, starts, fields, energies, sweeps, 1e-12)
    assert sweeps.tolist() == counts
    for n, (state, field, energy) in enumerate(wanted):
        assert np.array_equal(starts[n], state) and np.array_equal(fields[n], field)
        assert np.array_equal(energies[n, : counts[n] + 1], energy[: counts[n] + 1])


@pytest.mark.parametrize(("storage", "update"), WAYS)
def test_noise_is_removed(storage, update):
    P = patterns(8, 200)
    memory = Hopfield(storage=storage, update=update, random_state=0).fit(P)
    starts = noisy(P, 0.15)
    assert np.array_equal(memory.transform(starts), P)
    assert memory.predict(starts).tolist() == list(range(8))
    assert memory.predict(-P).tolist() == [-1] * 8  # a negative is stable, and no pattern
    assert np.array_equal(memory.transform(-P), -P)


def test_recall_is_the_plain_algorithm():
    P = patterns(4, 30)
    memory = Hopfield(order="fixed").fit(P)
    state = noisy(P, 0.3)[0].copy()
    start, moved = state.copy(), True
    while moved:
        moved = False
        for i in range(30):
            field = round(float(memory.weights_[i] @ state), 9)
            new = np.sign(field) if field else state[i]
            moved, state[i] = moved or new != state[i], new
    assert np.array_equal(memory.transform([start])[0], state)


def test_capacity_is_where_theory_has_it():
    # 1,000 units: Amit, Gutfreund and Sompolinsky find alpha_c = 0.138; below, a recalled pattern has few errors, above
    # memory breaks down.
    overlaps = {}
    for count in (100, 130, 180):
        P = patterns(count, 1000, seed=count)
        memory = Hopfield(random_state=0)
        if count > 138:
            with pytest.warns(UserWarning, match=r"keeps 138 patterns in 1000 units, and 180 came"):
                memory.fit(P)
        else:
            memory.fit(P)
        overlaps[count] = np.mean(np.sum(memory.transform(P[:30]) * P[:30], axis=1)) / 1000
    assert overlaps[100] > 0.98 and overlaps[130] > 0.9 and overlaps[180] < 0.6


def test_a_synchronous_network_may_swing():
    with pytest.warns(UserWarning, match="hebb storage keeps"):
        memory = Hopfield(update="synchronous").fit([[1, 1]])
    found = memory.recall([[1, -1], [1, 1]])
    assert found.stable.tolist() == [False, True] and found.sweeps.tolist() == [2, 1]
    assert found.states[1].tolist() == [1, 1]
    with pytest.warns(UserWarning, match="hebb storage keeps"):
        assert Hopfield(random_state=0).fit([[1, 1]]).recall([[1, -1]]).stable.all()


def test_basins_shrink_with_distance():
    memory = Hopfield(random_state=0).fit(patterns(6, 120))
    shares = memory.basins([0, 12, 30, 60], trials=10)
    assert shares.shape == (4, 6) and np.all(shares[0] == 1) and shares[1].mean() > 0.95 and shares[3].mean() < 0.2
    assert np.array_equal(shares, memory.basins([0, 12, 30, 60], trials=10))
    with pytest.raises(ArgumentError, match="121 flips; there are 120 units"):
        memory.basins([121])


def test_spurious_states_are_mixtures_of_three():
    P = patterns(3, 300)
    memory = Hopfield(random_state=0).fit(P)
    states, shares = memory.spurious(400)
    mixtures = np.array([np.sign(a * P[0] + b * P[1] + c * P[2]) for a, b, c in itertools.product([1, -1], repeat=3)])
    assert len(states) > 0 and 0 < shares.sum() < 1 and np.all(np.diff(shares) <= 0)
    assert np.abs(states @ mixtures.T).max(axis=1).min() > 270  # Hopfield's mixtures, or very near to them
    assert memory.recall(states).stable.all()


def test_results_do_not_depend_on_company_or_repetition():
    P = patterns(20, 80)
    with pytest.warns(UserWarning, match="hebb storage keeps"):
        memory = Hopfield().fit(P)  # no random_state: fit draws once
    starts = patterns(50, 80, seed=8)
    together = memory.transform(starts)
    assert np.array_equal(together, memory.transform(starts))
    assert np.array_equal(together[7:9], memory.transform(starts[7:9]))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_files_and_kinds_of_data(tmp_path, dtype):
    images = (patterns(3, 64).astype(dtype) + 1) / 2  # 0 and 1
    memory = Hopfield(random_state=0).fit(images)
    assert set(np.unique(memory.patterns_)) == {-1, 1}
    starts = wengert.tensor((noisy(patterns(3, 64), 0.2).astype(dtype) + 1) / 2)
    memory.save(tmp_path / "h.safetensors")
    again = load(tmp_path / "h.safetensors")
    assert np.array_equal(again.transform(starts), memory.transform(starts)) and again.transform(starts).dtype == dtype
    assert np.array_equal(again.recall(starts).energies, memory.recall(starts).energies)
    frame = Hopfield(random_state=0).set_output(transform="pandas").fit(images).transform(images)
    assert frame.columns.tolist() == [f"x{i}" for i in range(64)] and (frame.to_numpy() == memory.patterns_).all()
    grey = Hopfield(threshold=0.5).fit([[0.2, 0.9, 0.5, 0.6, 0.1, 0.7, 0.8, 0.0]])
    assert grey.patterns_.tolist() == [[-1, 1, -1, 1, -1, 1, 1, -1]]


@pytest.mark.filterwarnings("ignore:Hopfield:UserWarning")
@pytest.mark.parametrize("storage", ["hebb", "projection"])
def test_edges(storage):
    same = Hopfield(storage=storage).fit(np.repeat(patterns(1, 12), 3, axis=0))
    assert same.predict(patterns(1, 12)).tolist() == [0]
    assert Hopfield(storage=storage).fit([[1.0]]).transform([[-3.0]]).tolist() == [[-1.0]]
    full = Hopfield(storage=storage).fit(patterns(40, 12))
    assert full.transform(patterns(5, 12, seed=3)).shape == (5, 12)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"storage": "hebbian"}, "storage='hebbian' was given; pass one of 'hebb', 'projection'"),
        ({"update": 1}, "update=1 was given"),
        ({"max_sweeps": 0}, "max_sweeps=0 was given"),
        ({"threshold": float("nan")}, "threshold=nan was given; pass a finite number"),
    ],
)
def test_wrong_settings(settings, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        Hopfield(**settings).fit([[1, -1]])


def test_not_fitted():
    for method in (Hopfield().recall, Hopfield().transform, Hopfield().energy, Hopfield().predict):
        with pytest.raises(NotFittedError):
            method([[1, -1]])


def test_pictures_show_the_numbers():
    P = patterns(3, 64)
    memory = Hopfield(random_state=0).fit(P)
    starts = noisy(P, 0.2)
    found = memory.recall(starts)
    lines = energy_picture(found).axes[0].lines
    assert [line.get_ydata().tolist() for line in lines] == found.energies.tolist()
    shares = memory.basins([0, 20], trials=4)
    *each, mean = basins_picture([0, 20], shares).axes[0].lines
    assert np.array_equal([line.get_ydata() for line in each], shares.T)
    assert np.array_equal(mean.get_ydata(), shares.mean(axis=1))
    drawn = [axes.images[0].get_array() for axes in recall_picture(starts, found, (8, 8)).axes]
    assert np.array_equal(np.reshape(drawn[:3], (3, 64)), starts)
    assert np.array_equal(np.reshape(drawn[3:], (3, 64)), found.states)
