"""`AutoAssociator`: scikit-learn's rules, derivatives against brute force, and what the papers promise."""

import os
import subprocess
import sys

import numpy as np
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

import wengert
from wengert.classic import AutoAssociator, load
from wengert.classic.auto.network import Shape, Task
from wengert.classic.auto.solvers import levenberg_marquardt
from wengert.datasets import load_digits
from wengert.errors import ArgumentError, DataError


@parametrize_with_checks(
    [
        AutoAssociator(mapping=(3,), epochs=4, restarts=1),
        AutoAssociator(
            1,
            (),
            output="logsig",
            noise=0.1,
            corruption="one",
            copies=1,
            tied=True,
            epochs=4,
            solver="lbfgs",
            restarts=2,
        ),
    ]
)
def test_scikit_learns_checks(estimator, check):
    check(estimator)


def circle(seed, n=200):
    """Points of a circle at random angles."""
    angle = np.random.default_rng(seed).uniform(0, 2 * np.pi, n)
    return 0.8 * np.column_stack([np.sin(angle), np.cos(angle)])


def three(rng=0, n=80):
    """Three features of one factor."""
    t = np.random.default_rng(rng).uniform(-1, 1, n)
    return np.column_stack([t, t**2, np.sin(3 * t)])


# -- derivatives ---------------------------------------------------------------------------------------------------


def by_hand(shape, v, x):
    """The network written out in NumPy."""
    functions = {"tansig": np.tanh, "purelin": lambda n: n, "logsig": lambda n: 1 / (1 + np.exp(-n))}
    a = x
    for (weight, bias), name in zip(shape.split(v[shape.places]), shape.transfers, strict=True):
        a = functions[name](a @ weight + bias)
    return a


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("sizes", [(3, 2, 3), (3, 4, 2, 4, 3), (3, 4, 3, 1, 3, 4, 3)])
def test_normal_equations_are_those_of_differences(sizes, tied, monkeypatch):
    rng = np.random.RandomState(1)
    transfers = ("tansig", "logsig", "tansig", "logsig", "tansig", "purelin")[-(len(sizes) - 1) :]
    shape = Shape(sizes, transfers, tied)
    x, target = rng.standard_normal((2, 7, 3))
    v = shape.drawn(rng)
    h = 1e-6
    J = np.array(
        [(by_hand(shape, v + h * e, x) - by_hand(shape, v - h * e, x)).ravel() / (2 * h) for e in np.eye(len(v))]
    )
    error = (by_hand(shape, v, x) - target).ravel()
    expected = J @ J.T / 7 + 0.01 * np.eye(len(v)), J @ error / 7 + 0.01 * v
    for most in (1 << 20, 60):  # all rows at once, and in blocks
        monkeypatch.setattr("wengert.classic.auto.network.MOST_IN_MEMORY", most)
        task = Task(shape, x, target, decay=0.01)
        A, g = task.normal_equations(v)
        np.testing.assert_allclose(A, expected[0], atol=1e-8)
        np.testing.assert_allclose(g, expected[1], atol=1e-8)
    cost, gradient = task.cost_and_gradient(v)
    np.testing.assert_allclose(gradient, 2 * g, atol=1e-12)
    assert cost == pytest.approx(np.square(error).sum() / 7 + 0.01 * v @ v, rel=1e-12)
    assert task.cost(v) == pytest.approx(cost, rel=1e-14)


def test_levenberg_marquardt_finds_least_squares_in_a_few_steps():
    """With the first half held at the identity the problem is linear in the rest; from far away, few steps suffice."""
    x = np.random.default_rng(0).standard_normal((40, 2))
    shape = Shape((2, 2, 2), ("purelin", "purelin"))
    found = levenberg_marquardt(
        Task(shape, x, x, 0.0), shape.drawn(np.random.RandomState(3)), 30, 1e-9, lambda cost: None
    )
    assert found.costs[-1] < 1e-20
    assert all(later <= earlier for earlier, later in zip(found.costs, found.costs[1:], strict=False))


# -- what is promised ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("k", [2, 8, 16, 32])
def test_a_linear_network_is_principal_component_analysis_on_held_out_digits(k):
    x = load_digits().x.astype(np.float64) / 16
    order = np.random.default_rng(k).permutation(len(x))
    rows, held = x[order[:1257]], x[order[1257:]]
    model = AutoAssociator(k, (), scaling="common", restarts=1, epochs=1000, random_state=k).fit(rows)
    mean = rows.mean(axis=0)
    axes = np.linalg.svd(rows - mean, full_matrices=False)[2][:k]
    principal = np.square((held - mean) - (held - mean) @ axes.T @ axes).mean()
    assert np.square(model.errors(held)).mean() <= 1.001 * principal


def test_principal_components_of_all_digits_have_the_known_errors():
    """The figures a linear network is compared with: mean squared errors of digits / 16 at k = 2 and 8."""
    x = load_digits().x.astype(np.float64) / 16
    for k, known in ((2, 0.052426), (8, 0.023913)):
        model = AutoAssociator(k, (), scaling="common", restarts=1, random_state=0).fit(x)
        assert np.square(model.errors(x)).mean() == pytest.approx(known, rel=1e-3)


def test_a_circle_passes_through_one_code():
    found, linear = [], []
    for seed in range(1000, 1010):  # none of them was looked at before
        x = circle(seed)
        model = AutoAssociator(1, (6,), bottleneck="tansig", random_state=seed).fit(x)
        assert model.shape_ == (2, 6, 1, 6, 2)
        found.append(np.square(model.errors(x)).mean())
        centred = x - x.mean(axis=0)
        linear.append(np.linalg.svd(centred)[1][1] ** 2 / x.size)
    assert min(linear) > 0.13
    assert np.sum(np.array(found) <= 0.002) >= 9, found


@pytest.mark.parametrize("settings", [{"tied": True}, {"mapping": ()}, {"mapping": (6, 4)}, {"solver": "lbfgs"}])
def test_networks_of_all_depths_learn(settings):
    x = three()
    model = AutoAssociator(**{"code": 1, "mapping": (6,), "random_state": 0, "epochs": 200, **settings}).fit(x)
    linear = np.linalg.svd((x - x.mean(axis=0)) / x.std(axis=0))[1][0] ** 2 / x.size
    assert model.score(x) > (0.999 if model.mapping else linear - 1e-4)
    if settings.get("tied"):
        for weight, back in zip(model.coefs_, model.coefs_[::-1], strict=True):
            np.testing.assert_array_equal(weight, back.T)


@pytest.mark.parametrize("output", ["tansig", "logsig"])
def test_squashed_outputs_stay_near_the_range_of_the_data(output):
    x = three() * [1, 100, 1e-3] + [0, 1e4, 5]
    model = AutoAssociator(1, (6,), output=output, random_state=0, epochs=200).fit(x)
    assert model.score(x) > 0.99
    answer = model.reconstruct(1e6 * (x - x.mean(axis=0)) + x.mean(axis=0))
    span = x.max(axis=0) - x.min(axis=0)
    assert (answer >= x.min(axis=0) - 0.07 * span).all() and (answer <= x.max(axis=0) + 0.07 * span).all()


def test_denoising_brings_corrupted_rows_closer_to_the_truth():
    x, new = three(0, 300), three(1, 300)
    plain = AutoAssociator(2, (8,), random_state=0, epochs=60).fit(x)
    robust = AutoAssociator(2, (8,), random_state=0, epochs=60, noise=0.3).fit(x)
    noisy = new + 0.3 * new.std(axis=0) * np.random.default_rng(2).standard_normal(new.shape)
    lost = [np.square((model.reconstruct(noisy) - new) / new.std(axis=0)).mean() for model in (plain, robust)]
    assert lost[1] < 0.75 * lost[0]


# -- use -----------------------------------------------------------------------------------------------------------


def test_compress_then_expand_is_the_answer():
    x = three()
    model = AutoAssociator(1, (4,), random_state=0, epochs=40).fit(x)
    np.testing.assert_array_equal(model.expand(model.compress(x)), model.reconstruct(x))
    np.testing.assert_allclose(model.errors(x), x - model.reconstruct(x), atol=1e-12)
    squared = np.square((x - model.reconstruct(x)) / x.std(axis=0)).sum(axis=1)
    np.testing.assert_allclose(model.squared_errors(x), squared, rtol=1e-9, atol=1e-12)
    assert model.score(x) == pytest.approx(1 - squared.sum() / x.size, rel=1e-12)
    assert model.get_feature_names_out().tolist() == ["autoassociator0"]
    # What was learned, by hand.
    a = (x - model.centre_) / model.spread_
    for weight, bias, squash in zip(model.coefs_, model.intercepts_, (True, False, True, False), strict=True):
        a = np.tanh(a @ weight + bias) if squash else a @ weight + bias
    np.testing.assert_allclose(a * model.spread_ + model.centre_, model.reconstruct(x), atol=1e-12)


def test_single_precision_and_tensors():
    x = three().astype(np.float32)
    model = AutoAssociator(1, (4,), random_state=0, epochs=20).fit(wengert.tensor(x))
    for result in (model.compress(x), model.expand(model.compress(x)), model.errors(x), model.squared_errors(x)):
        assert result.dtype == np.float32
    np.testing.assert_allclose(model.compress(wengert.tensor(x)), model.compress(x.astype(np.float64)), atol=1e-5)


def test_saved_and_loaded_answers_have_the_same_bits(tmp_path):
    x = three()
    model = AutoAssociator(1, (4, 3), output="tansig", tied=True, random_state=0, epochs=10).fit(x)
    model.save(tmp_path / "model.safetensors")
    again = load(tmp_path / "model.safetensors")
    assert again.get_params() == model.get_params()
    for name in ("compress", "reconstruct", "errors"):
        np.testing.assert_array_equal(getattr(again, name)(x), getattr(model, name)(x))


def test_training_gives_the_same_bits_on_one_thread_and_on_all():
    program = (
        "import numpy as np; from wengert.classic import AutoAssociator as A; r = np.random.default_rng(0);"
        "x = r.standard_normal((3000, 9)) @ r.standard_normal((9, 9));"
        "found = [A(3, m, random_state=0, epochs=8, restarts=1).fit(x).reconstruct(x).sum().hex() for m in ((), (12,))]"
    )
    here: dict[str, list[str]] = {}
    exec(program, here)
    alone = subprocess.run(
        [sys.executable, "-c", program + "; print(*found)"],
        env={**os.environ, "WENGERT_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        check=True,
        text=True,
    )
    assert alone.stdout.split() == here["found"]


@pytest.mark.parametrize(
    "x", [np.ones((5, 3)), np.array([[1.0, 2.0, 3.0]]), np.tile([[0.1, 5.0, 1e9]], (4, 1)), [[1, 0], [1, 1], [1, 0]]]
)
def test_constant_columns_and_single_rows_are_reproduced(x):
    model = AutoAssociator(1, (3,), random_state=0, epochs=50).fit(x)
    np.testing.assert_allclose(model.reconstruct(x), x, rtol=1e-3, atol=1e-3)
    assert model.score(x) > 0.99


def test_progress_is_shown_when_asked_for(capsys):
    AutoAssociator(1, (3,), random_state=0, epochs=12, restarts=2, verbose=True).fit(three())
    assert "loss" in capsys.readouterr().out
    AutoAssociator(1, (3,), random_state=0, epochs=3, restarts=1).fit(three())
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"code": 0}, "code=0 was given; pass a whole number of at least 1"),
        ({"mapping": 6}, r"mapping=6 was given; pass a tuple"),
        ({"mapping": (6, 0)}, "pass a tuple"),
        ({"transfer": "tanh"}, "transfer='tanh' was given; pass one of 'logsig'"),
        ({"output": "radbas"}, "output='radbas'"),
        ({"scaling": "none"}, "scaling='none'"),
        ({"solver": "adam"}, "pass one of 'auto', 'lm', 'lbfgs'"),
        ({"noise": -1}, "noise=-1 was given; pass a number of at least 0"),
        ({"tol": 1}, "tol=1 was given"),
        ({"decay": np.inf}, "decay=inf was given"),
        ({"epochs": 0}, "epochs=0"),
    ],
)
def test_settings_that_cannot_be(settings, said):
    with pytest.raises(ArgumentError, match=said):
        AutoAssociator(**settings).fit(three())


def test_codes_of_another_width_are_refused():
    model = AutoAssociator(2, (), random_state=0, epochs=2).fit(three())
    with pytest.raises(ArgumentError, match="pass 2 columns, as `compress` returns them"):
        model.expand(np.ones((4, 3)))
    assert issubclass(ArgumentError, ValueError) and issubclass(DataError, ValueError)
