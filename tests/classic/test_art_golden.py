"""What the papers report: circle in the square, voting, two spirals, mushrooms."""

import gzip
from pathlib import Path
from typing import Any

import numpy as np

from wengert.classic import FuzzyARTMAP, VotingARTMAP

RADIUS = np.sqrt(0.5 / np.pi)  # half of the square lies in the circle


def _circle(n: int, seed: int) -> tuple[Any, Any]:
    X = np.random.default_rng(seed).random((n, 2))
    return X, (np.hypot(X[:, 0] - 0.5, X[:, 1] - 0.5) < RADIUS).astype(int)


def test_circle_in_the_square() -> None:
    # Settings were chosen on seeds from 100 up; those of 1992 (rho 0, alpha .001, beta 1) reach 95.8 % with 42.
    scores, counts = [], []
    for seed in range(10):
        net = FuzzyARTMAP(0.6, alpha=0.03, beta=0.4, epsilon=0.01).fit(*_circle(10_000, seed))
        scores.append(net.score(*_circle(10_000, 1000 + seed)))
        counts.append(net.n_categories_)
    assert np.mean(scores) >= 0.965
    assert np.mean(counts) <= 50


def test_circle_with_the_settings_of_1992() -> None:
    expected = {100: (0.864, 0.015, 8), 1000: (0.927, 0.01, 18), 10_000: (0.958, 0.01, 43)}
    for n, (score, within, categories) in expected.items():
        nets = [FuzzyARTMAP().fit(*_circle(n, seed)) for seed in range(20)]
        found = np.mean([net.score(*_circle(5000, 1000 + seed)) for seed, net in enumerate(nets)])
        assert abs(found - score) < within
        assert abs(np.mean([net.n_categories_ for net in nets]) - categories) < 2


def test_five_voters_are_better_than_one() -> None:
    gains = []
    for order in range(20):
        X, y = _circle(1000, 0)
        net = VotingARTMAP(n_voters=5, random_state=order).fit(X, y)
        test = _circle(2000, 1)
        gains.append(net.score(*test) - net.voters_[0].score(*test))
    assert np.mean(gains) > 0.02
    assert np.mean(gains) > 4 * np.std(gains) / np.sqrt(20)


def test_two_spirals() -> None:
    # Lang & Witbrock (1988): 97 points on each.
    k = np.arange(97)
    radius, angle = 6.5 * (104 - k) / 104, k * np.pi / 16
    spiral = np.stack([radius * np.sin(angle), radius * np.cos(angle)], axis=1)
    X, y = np.concatenate([spiral, -spiral]), np.repeat([0, 1], 97)
    for seed in range(5):
        order = np.random.default_rng(seed).permutation(len(X))
        net = FuzzyARTMAP(max_epochs=10).fit(X[order], y[order])
        assert net.score(X, y) == 1
        assert net.converged_ and net.n_epochs_ <= 7 and net.n_categories_ < 100


def test_mushrooms_are_told_apart_after_a_thousand() -> None:
    """Carpenter, Grossberg, Markuzon, Reynolds and Rosen 1992, section 6: on-line learning of edible and poisonous."""
    text = gzip.decompress((Path(__file__).parent / "data" / "mushroom.txt.gz").read_bytes()).decode()
    table = np.array([list(line) for line in text.split()])
    assert table.shape == (5644, 23)
    X = np.hstack([(column[:, None] == np.unique(column)).astype(float) for column in table[:, :-1].T])
    y = table[:, -1]
    found: dict[int, list[float]] = {100: [], 1000: []}
    for seed in range(5):
        order = np.random.default_rng(seed).permutation(len(X))
        for n, scores in found.items():
            net = FuzzyARTMAP(feature_range=(0, 1)).fit(X[order[:n]], y[order[:n]])
            scores.append(net.score(X[order[n:]], y[order[n:]]))
    assert np.mean(found[1000]) >= 0.998
    assert 0.93 < np.mean(found[100]) < 0.98  # 95.5 % by the package artlib
