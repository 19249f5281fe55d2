"""The search trace: its numbers against a search written here by hand, its table, and what it says of all networks."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from wengert.classic import ART1, ART2A, FuzzyART, FuzzyARTMAP, VotingARTMAP
from wengert.classic.art import Trace

ROWS = [
    (0, 0, 0.5, 0.4, 0.7, "reset"),
    (0, 3, 0.25, 0.9, 0.7, "resonance"),
    (1, -1, float("nan"), float("nan"), 0.7, "silent"),
    (2, 12, 0.125, 0.1, 0.7, "reset"),
    (2, 4, float("nan"), float("nan"), 0.7, "new"),
    (3, -1, float("nan"), float("nan"), 0.7, "full"),
]


def test_columns():
    trace = Trace(ROWS)
    assert len(trace) == 6 and [tuple(row)[:2] for row in trace] == [row[:2] for row in ROWS]
    assert trace.presentation.dtype == trace.category.dtype == np.int64
    assert trace.choice.dtype == trace.match.dtype == trace.vigilance.dtype == np.float64
    assert trace.presentations.tolist() == [0, 1, 2, 3]
    assert trace.resets.tolist() == [1, 0, 1, 0]
    assert trace.final.tolist() == [3, -1, 4, -1]
    assert trace[1] == ROWS[1] and trace[-1].outcome == "full" and isinstance(trace[1].category, int)
    assert trace.of(2).outcome.tolist() == ["reset", "new"] and len(trace.of(9)) == 0
    assert trace[:2].final.tolist() == [3] and trace[:1].final.tolist() == [-1]
    with pytest.raises(IndexError):
        trace[6]


def test_a_row_shown_twice_in_turn_is_two_searches():
    trace = Trace(
        [(0, 0, 0.5, 0.8, 0.7, "resonance"), (0, 1, 0.5, 0.1, 0.7, "reset"), (0, 2, 0.4, 1, 0.7, "resonance")]
    )
    assert trace.final.tolist() == [0, 2] and trace.resets.tolist() == [0, 1]


def test_the_table():
    assert str(Trace(ROWS)).splitlines() == [
        "presentation | category | choice | match | vigilance | outcome",
        "           0 |        0 | 0.5000 | 0.400 |     0.700 | reset",
        "           0 |        3 | 0.2500 | 0.900 |     0.700 | resonance",
        "           1 |        - |      - |     - |     0.700 | silent",
        "           2 |       12 | 0.1250 | 0.100 |     0.700 | reset",
        "           2 |        4 |      - |     - |     0.700 | new",
        "           3 |        - |      - |     - |     0.700 | full",
    ]
    assert str(Trace([])) == "presentation | category | choice | match | vigilance | outcome"
    assert repr(Trace(ROWS)) == "<Trace of 6 steps in 4 presentations>"


def test_a_long_table_leaves_out_its_middle():
    trace = Trace([(i, 0, 1.0, 1.0, 0.5, "resonance") for i in range(1000)])
    lines = str(trace).splitlines()
    assert len(lines) == 62 and lines[46].split() == ["..."] * 1 + ["|", "..."] * 5
    assert lines[-1].startswith("         999 |")
    assert len(trace.table().splitlines()) == 1001
    assert len(trace.table(4).splitlines()) == 6


def test_a_data_frame_takes_it():
    frame = pd.DataFrame(Trace(ROWS).to_dict())
    assert frame.shape == (6, 6) and frame["outcome"].tolist() == [row[5] for row in ROWS]
    empty = Trace([])
    assert empty.final.tolist() == empty.resets.tolist() == [] and pd.DataFrame(empty.to_dict()).shape == (0, 6)


def searched(rows, weights, choice, match, rho):
    """Every step of a search among fixed categories, from the definition: all of them in the order of T."""
    steps = []
    for i, row in enumerate(rows):
        order = sorted(range(len(weights)), key=lambda j: (-choice(row, weights[j]), j))
        for j in order:
            m = match(row, weights[j])
            steps.append((i, j, choice(row, weights[j]), m, rho, "resonance" if m >= rho else "reset"))
            if m >= rho:
                break
        else:
            steps.append((i, -1, np.nan, np.nan, rho, "new"))
    return steps


def same(trace, steps):
    wanted = Trace(steps)
    for name in ("presentation", "category", "outcome"):
        assert getattr(trace, name).tolist() == getattr(wanted, name).tolist()
    for name in ("choice", "match", "vigilance"):
        np.testing.assert_allclose(getattr(trace, name), getattr(wanted, name), rtol=1e-13)


def test_art1_by_hand():
    rng = np.random.default_rng(0)
    X, new = (rng.random((40, 10)) < 0.4).astype(float), (rng.random((30, 10)) < 0.4).astype(float)
    X[:, 0] = new[:, 0] = 1
    model = ART1(rho=0.6, beta=0.5).fit(X)
    steps = searched(
        new,
        model.weights_,
        lambda x, w: np.minimum(x, w).sum() / (0.5 + w.sum()),
        lambda x, w: np.minimum(x, w).sum() / x.sum(),
        0.6,
    )
    assert {step[-1] for step in steps} == {"reset", "resonance", "new"}
    same(model.trace(new), steps)


def test_fuzzy_art_by_hand():
    rng = np.random.default_rng(1)
    X, new = rng.random((60, 3)), rng.random((40, 3)) * 1.4 - 0.2
    model = FuzzyART(rho=0.8, alpha=0.1, feature_range=(0, 1)).fit(X)
    clipped = np.clip(new, 0, 1)
    steps = searched(
        np.hstack([clipped, 1 - clipped]),
        model.weights_,
        lambda x, w: np.minimum(x, w).sum() / (0.1 + w.sum()),
        lambda x, w: np.minimum(x, w).sum() / 3,
        0.8,
    )
    assert {step[-1] for step in steps} == {"reset", "resonance", "new"}
    same(model.trace(new), steps)


def test_art2a_by_hand():
    """Choice and match are one number, so the best category's reset is every category's."""
    rng = np.random.default_rng(2)
    X, new = rng.random((60, 4)), rng.random((40, 4))
    model = ART2A(rho=0.97).fit(X)
    steps = []
    for i, row in enumerate(new):
        cosines = [row @ w / np.linalg.norm(row) for w in model.weights_]
        best = int(np.argmax(cosines))
        rests = cosines[best] >= 0.97
        steps.append((i, best, cosines[best], cosines[best], 0.97, "resonance" if rests else "reset"))
        if not rests:
            steps.append((i, -1, np.nan, np.nan, 0.97, "new"))
    assert {step[-1] for step in steps} == {"reset", "resonance", "new"}
    same(model.trace(new), steps)


def test_match_tracking_shows_vigilance_rise():
    net = FuzzyARTMAP(feature_range=(0, 1), epsilon=0.001).fit([[0.2], [0.8]], ["a", "b"])
    trace = net.trace([[0.3]], ["b"])
    # |I and w| is .9 for a's (.2, .8), .5 for b's (.8, .2): a is tried first, and its match .9 becomes vigilance.
    same(trace, [(0, 0, 0.9 / 1.001, 0.9, 0, "reset"), (0, 1, 0.5 / 1.001, 0.5, 0.901, "reset"),
                 (0, -1, np.nan, np.nan, 0.901, "new")])  # fmt: skip


def networks():
    return [ART1(rho=0.6, max_epochs=1), ART2A(rho=0.95), FuzzyART(rho=0.85), FuzzyARTMAP(rho=0.3)]


@pytest.mark.parametrize("make", range(4))
def test_tracing_while_learning_learns_the_same(make):
    rng = np.random.default_rng(3)
    X, y = rng.random((120, 5)), rng.integers(0, 3, 120)
    X[:, 0] = 0.9  # none is silent
    one, other = networks()[make], networks()[make]
    given = (y[:20],) if isinstance(one, FuzzyARTMAP) else ()
    more = (y[20:],) if given else ()
    one.fit(X[:20], *given).partial_fit(X[20:], *more)
    other.fit(X[:20], *given)
    trace = other.trace(X[20:], *more, learn=True)
    assert np.array_equal(one.weights_, other.weights_) and np.array_equal(one.wins_, other.wins_)
    assert trace.final.tolist() == one.labels_.tolist() == other.labels_.tolist()
    assert {"new", "resonance", "reset"} <= set(trace.outcome)
    for i in range(100):
        search = trace.of(i)
        tried = search.choice[~np.isnan(search.choice)]
        assert (np.diff(tried) <= 0).all()
        assert (search.outcome[:-1] == "reset").all() and search.outcome[-1] in ("resonance", "new")
        assert search.match[-1] >= search.vigilance[-1] or search.outcome[-1] == "new"


@pytest.mark.parametrize("make", range(4))
def test_tracing_without_learning_changes_nothing(make):
    rng = np.random.default_rng(4)
    X, y = rng.random((50, 5)), rng.integers(0, 3, 50)
    model = networks()[make].fit(X, y)
    before = model.weights_, model.wins_, model.n_presentations_, model.labels_.copy()
    trace = model.trace(rng.random((30, 5)))
    assert len(trace.presentations) == 30
    for was, now in zip(before, (model.weights_, model.wins_, model.n_presentations_, model.labels_), strict=True):
        assert np.array_equal(was, now)


def test_every_voter_has_its_own_trace():
    rng = np.random.default_rng(5)
    X, y = rng.random((60, 2)), rng.integers(0, 2, 60)
    net = VotingARTMAP(n_voters=3, random_state=0).fit(X, y)
    for voter in net.voters_:
        trace = voter.trace(X)
        assert voter.category_classes_[trace.final].tolist() == voter.predict(X).tolist()
