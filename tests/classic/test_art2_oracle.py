"""ART1 and ART2-A against the papers' equations, written here once more in plain scalar Python."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wengert.classic import ART1, ART2A


def art1_oracle(patterns, rho, beta, epochs=1, most=None):
    """Carpenter & Grossberg (1987), fast learning, in exact rational arithmetic; -1 for a pattern without ones."""
    rho, beta = Fraction(rho), Fraction(beta)
    templates, labels = [], []
    for _ in range(epochs):
        labels = []
        for pattern in patterns:
            ones = {d for d, x in enumerate(pattern) if x}
            if not ones:
                labels.append(-1)
                continue
            choices = [Fraction(len(ones & w)) / (beta + len(w)) for w in templates]
            left = set(range(len(templates)))
            winner = None
            while left and winner is None:
                best = min(left, key=lambda j: (-choices[j], j))
                # |I and w| / |I| is rounded before it is compared with rho, which is a rounded number itself.
                if Fraction(len(ones & templates[best]) / len(ones)) >= rho:
                    winner = best
                left.discard(best)
            if winner is None:
                if most is not None and len(templates) >= most:
                    labels.append(-1)
                    continue
                winner = len(templates)
                templates.append(ones)
            templates[winner] = templates[winner] & ones
            labels.append(winner)
    return labels, [[float(d in w) for d in range(len(patterns[0]))] for w in templates]


def norm(vector):
    """N(x) = x / |x|; None where there is no direction."""
    total = 0.0
    for x in vector:
        total += x * x
    length = math.sqrt(total)
    return [x / length for x in vector] if length > 0 else None


def suppress(vector, theta):
    """F0: components up to theta are noise."""
    return [x if x > theta else 0.0 for x in vector]


def art2a_oracle(inputs, rho, alpha, beta, theta, epochs=1, most=None):
    """Carpenter, Grossberg & Rosen (1991), eqs 8-17; -1 for an input with nothing above theta."""
    z, labels = [], []
    for _ in range(epochs):
        labels = []
        for raw in inputs:
            unit = norm(raw)
            code = norm(suppress(unit, theta)) if unit else None
            if code is None:
                labels.append(-1)
                continue
            total = 0.0
            for x in code:
                total += x
            uncommitted = alpha * total
            choices = []
            for weight in z:
                t = 0.0
                for x, w in zip(code, weight, strict=True):
                    t += x * w
                choices.append(t)
            winner = None
            for j, t in enumerate(choices):
                if winner is None or t > choices[winner]:
                    winner = j
            room = most is None or len(z) < most  # where no uncommitted node is left, none competes
            if winner is None or choices[winner] < rho or (room and choices[winner] < uncommitted):
                if not room:
                    labels.append(-1)
                    continue
                winner = len(z)
                z.append(code)
            else:
                shared = norm([x if w > theta else 0.0 for x, w in zip(code, z[winner], strict=True)])
                if shared is not None:
                    z[winner] = norm([beta * s + (1 - beta) * w for s, w in zip(shared, z[winner], strict=True)])
            labels.append(winner)
    return labels, z


SIZES = st.tuples(st.integers(1, 50), st.integers(1, 80))
SEEDS = st.integers(0, 2**32 - 1)


def patterns_of(seed, size, density):
    """Random patterns, some of them shown twice and some without ones."""
    rng = np.random.default_rng(seed)
    rows = (rng.random(size) < density).astype(float)
    return rows[rng.integers(0, len(rows), len(rows))]


def equal_to_oracle(model, labels, weights):
    assert model.labels_.tolist() == labels
    assert model.weights_.tolist() == weights


@settings(max_examples=120, deadline=None)
@given(
    SEEDS,
    SIZES,
    st.sampled_from([0.05, 0.3, 0.7]),
    st.sampled_from([0.01, 0.3, 0.5, 0.6, 0.7, 0.9, 1.0]),
    st.sampled_from([2**-10, 0.5, 1.0, 4.0]),
    st.integers(1, 3),
    st.sampled_from([None, 1, 4]),
)
def test_art1_equals_the_oracle(seed, size, density, rho, beta, epochs, most):
    X = patterns_of(seed, size, density)
    model = ART1(rho=rho, beta=beta, max_epochs=epochs, max_categories=most).fit(X)
    # Learning that ended early would have changed nothing more.
    equal_to_oracle(model, *art1_oracle(X, rho, beta, epochs, most))


@pytest.mark.parametrize("order", [0, 1, 2])
@pytest.mark.parametrize("rho", [0.3, 0.6, 0.8])
def test_art1_equals_the_oracle_on_digits_in_three_orders(rho, order):
    from sklearn.datasets import load_digits

    X = np.random.default_rng(order).permutation(load_digits().data > 8)[:150].astype(float)
    model = ART1(rho=rho, max_epochs=2).fit(X)
    labels, weights = art1_oracle(X, rho, 1.0, 2)
    assert len(weights) > 10
    equal_to_oracle(model, labels, weights)


@settings(max_examples=120, deadline=None)
@given(
    SEEDS,
    SIZES,
    st.sampled_from([0.2, 0.7, 1.0]),
    st.sampled_from([0.0, 0.4, 0.8, 0.95, 0.999]),
    st.sampled_from([0.0, 0.4, 0.95]),
    st.sampled_from([0.0, 0.05, 0.5, 1.0]),
    st.sampled_from([0.0, 0.3, 0.9]),
    st.integers(1, 3),
    st.sampled_from([None, 1, 4]),
)
def test_art2a_equals_the_oracle_bit_for_bit(seed, size, density, rho, alpha, beta, theta, epochs, most):
    X = patterns_of(seed, size, density) * np.random.default_rng(seed + 1).random(size)
    alpha, theta = alpha / math.sqrt(size[1]), theta / math.sqrt(size[1])
    model = ART2A(
        rho=rho, alpha=alpha, beta=beta, theta=theta, max_epochs=epochs, max_categories=most
    ).fit(X)  # fmt: skip
    equal_to_oracle(model, *art2a_oracle(X.tolist(), rho, alpha, beta, theta, epochs, most))


@pytest.mark.parametrize("order", [0, 1, 2])
@pytest.mark.parametrize("beta", [0.1, 1.0])
@pytest.mark.parametrize("rho", [0.97, 0.99, 0.999])
def test_art2a_equals_the_oracle_on_iris_in_three_orders(rho, beta, order):
    from sklearn.datasets import load_iris

    X = np.random.default_rng(order).permutation(load_iris().data)
    model = ART2A(rho=rho, beta=beta, alpha=0.4, theta=0.05, max_epochs=2).fit(X)
    labels, weights = art2a_oracle(X.tolist(), rho, 0.4, beta, 0.05, 2)
    assert len(weights) > 1
    equal_to_oracle(model, labels, weights)


def test_the_uncommitted_node_of_art2a_can_win_over_a_match_that_passes():
    X = [[1.0, 0.0], [1.0, 0.9]]  # their cosine is .743; the second's code sums to 1.412
    assert ART2A(rho=0.7, alpha=0.5).fit(X).labels_.tolist() == [0, 0]  # .706 is less
    assert ART2A(rho=0.7, alpha=0.6).fit(X).labels_.tolist() == [0, 1]  # .847 is more
    assert ART2A(rho=0.7, alpha=0.6, max_categories=1).fit(X).labels_.tolist() == [0, 0]  # there is none left


@settings(max_examples=60, deadline=None)
@given(SEEDS, SIZES, st.sampled_from([0.1, 0.4]), st.sampled_from([0.2, 0.5, 0.7, 0.9]), st.sampled_from([0.1, 1.0]))
def test_art1_stabilises_and_every_pattern_then_has_direct_access(seed, size, density, rho, beta):
    """The paper's theorems: learning ends, and after it a pattern's first choice is the category it rests in."""
    X = patterns_of(seed, size, density)
    model = ART1(rho=rho, beta=beta).fit(X)
    assert model.converged_ and model.n_epochs_ <= 1 + sum(size)
    trace = model.trace(X)
    assert not trace.resets.any()
    assert trace.final.tolist() == model.labels_.tolist() == model.predict(X).tolist()
    for pattern, label in zip(X, model.labels_, strict=True):
        if pattern.any():
            template = model.weights_[label]
            assert (template <= pattern).all() and template.sum() / pattern.sum() >= rho


def test_art1_settles_on_the_sequence_on_which_competitive_learning_does_not():
    """D within C within A, B within A and apart from C, |D| < |B| < |C|; shown as A B C A D for ever."""
    a, b, c, d = [1] * 8, [0] * 5 + [1] * 3, [1] * 4 + [0] * 4, [1] * 2 + [0] * 6
    model = ART1(rho=0.5).fit([a, b, c, a, d])
    assert model.converged_ and model.n_epochs_ <= 4
    assert model.labels_[0] == model.labels_[3] and -1 not in model.labels_
