"""The multilayer perceptrons of the applications: scikit-learn's interface, and nothing but `fit`'s rows learned."""

import numpy as np
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from wengert.applications.network import MLPClassifier, MLPRegressor
from wengert.errors import ArgumentError


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@parametrize_with_checks([MLPClassifier(epochs=30), MLPRegressor(epochs=60), MLPRegressor(epochs=60, direct=True)])
def test_scikit_learn_checks(estimator, check) -> None:  # type: ignore[no-untyped-def]
    check(estimator)


def rings(n: int = 200) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    angle, far = rng.uniform(0, 2 * np.pi, n), np.arange(n) % 2
    radius = 1 + far + 0.1 * rng.standard_normal(n)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1), np.where(far, "far", "near")


def test_learns_what_no_line_divides() -> None:
    x, y = rings()
    model = MLPClassifier((12,), epochs=200, lr=0.02, random_state=0).fit(x[:100], y[:100])
    assert model.score(x[100:], y[100:]) > 0.95
    assert model.predict_proba(x).sum(axis=1) == pytest.approx(np.ones(len(x)))


def test_same_seed_same_bits_and_units_do_not_matter() -> None:
    x, y = rings()
    first = MLPClassifier((6,), epochs=5, random_state=3).fit(x, y).predict_proba(x)
    again = MLPClassifier((6,), epochs=5, random_state=3).fit(x, y).predict_proba(x)
    other = MLPClassifier((6,), epochs=5, random_state=4).fit(x, y).predict_proba(x)
    assert np.array_equal(first, again) and not np.array_equal(first, other)
    # In other units, far from zero, the rows are the same once standardised.
    moved = MLPClassifier((6,), epochs=5, random_state=3).fit(1e6 + 1000 * x, y).predict_proba(1e6 + 1000 * x)
    assert moved == pytest.approx(first, abs=1e-3)


def test_standardisation_is_by_the_rows_of_fit() -> None:
    x, y = rings()
    model = MLPClassifier((4,), epochs=2, random_state=0).fit(x[:50], y[:50])
    assert model.mean_ == pytest.approx(x[:50].mean(axis=0)) and model.deviation_ == pytest.approx(x[:50].std(axis=0))
    table = MLPClassifier((4,), epochs=2, scale="table", random_state=0).fit(x[:50], y[:50])
    assert table.mean_ == pytest.approx([x[:50].mean()] * 2) and table.deviation_ == pytest.approx([x[:50].std()] * 2)


def test_the_answer_is_the_mean_of_the_members() -> None:
    x, y = rings()
    model = MLPClassifier((4,), epochs=3, members=3, random_state=0).fit(x, y)
    rows = ((x - model.mean_) / model.deviation_).astype(np.float32)
    shares = []
    for state in model.states_:  # by hand, from the parameters
        hidden = np.tanh(rows @ state["1.weight"].T + state["1.bias"])
        scores = hidden @ state["3.weight"].T + state["3.bias"]
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        shares.append(powers / powers.sum(axis=1, keepdims=True))
    assert len(shares) == 3 and not np.allclose(shares[0], shares[1])
    assert model.predict_proba(x) == pytest.approx(np.mean(shares, axis=0), abs=1e-5)


def test_decay_is_chosen_inside() -> None:
    # Labels are pure chance: a strong decay, which answers the commonest class, is better than learning them.
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((60, 10)), (rng.random(60) < 0.2).astype(int)
    model = MLPClassifier((16,), epochs=100, decay=(30.0, 0.0), random_state=0).fit(x, y)
    assert model.decay_ == 30.0
    assert MLPClassifier((2,), epochs=1, decay=0.5).fit(x, y).decay_ == 0.5


def test_direct_connections_find_a_plane_at_once() -> None:
    rng = np.random.default_rng(2)
    x = rng.standard_normal((100, 3))
    y = x @ [[1.0, 0.0], [-2.0, 3.0], [0.5, 1.0]] + [4.0, -1.0]
    model = MLPRegressor((3,), epochs=1, direct=True, random_state=0).fit(x, y)
    assert model.predict(x) == pytest.approx(y, abs=1e-5)
    assert model.predict(x).shape == (100, 2)
    assert MLPRegressor((3,), epochs=1, random_state=0).fit(x, y[:, 0]).predict(x).shape == (100,)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"epochs": 0}, "epochs=0"),
        ({"members": 0}, "members=0"),
        ({"decay": ()}, "decay=()"),
        ({"decay": -1.0}, "decay=-1.0"),
        ({"lr": 0}, "lr=0"),
        ({"scale": "rows"}, "scale='rows'"),
        ({"transfer": "tanz"}, "no transfer function 'tanz'"),
    ],
)
def test_bad_settings(settings: dict, said: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(ArgumentError) as caught:
        MLPClassifier(**settings).fit(*rings(20))
    assert said in str(caught.value)


def test_one_class_is_refused() -> None:
    with pytest.raises(ArgumentError, match="one class only"):
        MLPClassifier().fit([[0.0], [1.0]], [7, 7])
