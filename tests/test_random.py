"""Random numbers: seeds, streams, states, and NumPy's own Philox as the truth."""

import json
import math

import numpy as np
import pytest

import wengert as w
from wengert import nn, random
from wengert.errors import ArgumentError


def philox(seed, stream):
    return np.random.Generator(np.random.Philox(key=np.array([seed, stream], np.uint64)))


def test_numbers_are_philox():
    mine, truth = random.Generator(7, 2), philox(7, 2)
    np.testing.assert_array_equal(mine.permutation(50), truth.permutation(50))
    np.testing.assert_array_equal(mine.integers(-3, 9, (4, 2)), truth.integers(-3, 9, (4, 2)))
    np.testing.assert_array_equal(mine.uniform(1, 2, 5, w.float64), truth.uniform(1, 2, 5))
    np.testing.assert_array_equal(mine.normal(3, 2, 5), truth.normal(3, 2, 5).astype(np.float32))
    np.testing.assert_array_equal(mine.bernoulli(0.3, 20), truth.random(20, dtype=np.float32) < 0.3)


def test_statistics():
    g, n = random.Generator(1), 40_000
    u, z, b = g.uniform(-1, 3, n), g.normal(2, 0.5, n), g.bernoulli(0.2, n)
    assert u.dtype == z.dtype == np.float32 and b.dtype == bool
    assert u.min() >= -1 and u.max() < 3 and abs(u.mean() - 1) < 5 * math.sqrt(16 / 12 / n)
    assert abs(z.mean() - 2) < 5 * 0.5 / math.sqrt(n) and abs(z.std() - 0.5) < 0.01
    assert abs(b.mean() - 0.2) < 5 * math.sqrt(0.16 / n)


def test_seeds_and_streams_differ():
    draws = {
        tuple(random.Generator(seed, stream).integers(0, 1 << 40, 4).tolist())
        for seed in (0, 1, 2**63, 2**64 - 1)
        for stream in range(3)
    }
    assert len(draws) == 12


def test_state_survives_json_and_continues():
    g = random.Generator(3, 1)
    g.bernoulli(0.5, 7), g.integers(0, 5, 3)  # leaves half-used words in the buffer
    kept = json.loads(json.dumps(g.state))
    expected = [g.uniform(shape=9).tolist(), g.bernoulli(0.5, 9).tolist(), g.permutation(9).tolist()]
    other = random.Generator(99)
    other.state = kept
    assert repr(other) == "Generator(seed=3, stream=1)"
    assert [
        other.uniform(shape=9).tolist(),
        other.bernoulli(0.5, 9).tolist(),
        other.permutation(9).tolist(),
    ] == expected


def test_a_damaged_state_is_refused():
    g = random.Generator(3)
    before = g.state
    for wrong in ({}, {**before, "counter": [1]}, {**before, "counter": "x"}, {**before, "seed": -1}):
        with pytest.raises(ArgumentError):
            g.state = wrong
    assert g.state == before


@pytest.mark.parametrize("seed", [-1, 2**64, 1.5, "one", None])
def test_seeds_refused(seed):
    with pytest.raises(ArgumentError, match="0 to 2"):
        w.seed(seed)


def test_seed_drives_initialisation():
    w.seed(4)
    first, second = nn.Linear(3, 3).weight.tolist(), nn.Linear(3, 3).weight.tolist()
    w.seed(4)
    assert nn.Linear(3, 3).weight.tolist() == first != second


def test_using_leaves_the_other_generator_where_it_was():
    w.seed(4)
    expected = random.current().uniform(shape=6).tolist()
    w.seed(4)
    first = random.current().uniform(shape=3).tolist()
    with random.using(random.Generator(8)) as g:
        assert random.current() is g
        random.current().uniform(shape=100)
    assert first + random.current().uniform(shape=3).tolist() == expected
