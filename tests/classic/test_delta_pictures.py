"""Pictures of single neurons: the numbers in them."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from wengert.classic import Adaline, AdaptiveFilter, Perceptron
from wengert.classic.delta import pictures
from wengert.errors import ArgumentError, DataError

SQUARE, AND = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), [0, 0, 0, 1]
POINTS = np.array([-2.0, -0.5, 0.25, 3.0])
TRUTH = {  # f and f', by hand, away from the kinks
    "purelin": (POINTS, np.ones(4)),
    "hardlim": ([0, 0, 1, 1], np.zeros(4)),
    "hardlims": ([-1, -1, 1, 1], np.zeros(4)),
    "satlin": ([0, 0, 0.25, 1], [0, 0, 1, 0]),
    "satlins": ([-1, -0.5, 0.25, 1], [0, 1, 1, 0]),
    "poslin": ([0, 0, 0.25, 3], [0, 0, 1, 1]),
    "tansig": (np.tanh(POINTS), 1 / np.cosh(POINTS) ** 2),
    "logsig": (1 / (1 + np.exp(-POINTS)), 1 / (2 + np.exp(POINTS) + np.exp(-POINTS))),
    "radbas": (np.exp(-(POINTS**2)), -2 * POINTS * np.exp(-(POINTS**2))),
}


@pytest.mark.parametrize("name", pictures.CLASSICAL)
def test_transfer_functions_and_slopes(name):
    net, output, slope = pictures.curves(name, POINTS)
    assert net.tolist() == POINTS.tolist()
    assert output == pytest.approx(np.array(TRUTH[name][0]), rel=1e-12)
    assert slope == pytest.approx(np.array(TRUTH[name][1]), rel=1e-12)


def test_every_transfer_function_is_drawn():
    figure = pictures.transfer_functions()
    assert isinstance(figure, Figure)
    assert [axes.get_title() for axes in figure.axes] == list(pictures.CLASSICAL) == list(TRUTH)
    f, slope = figure.axes[6].lines
    assert f.get_ydata() == pytest.approx(np.tanh(f.get_xdata()), rel=1e-12)
    assert slope.get_ydata() == pytest.approx(1 - np.tanh(slope.get_xdata()) ** 2, rel=1e-9, abs=1e-15)
    assert np.isnan(figure.axes[1].lines[0].get_ydata()).sum() == 1  # hardlim's step is a gap
    assert [len(pictures.transfer_functions([name]).axes) for name in ("gelu", "silu", "softplus", "elu")] == [1] * 4
    with pytest.raises(ArgumentError, match="'softmax' is no transfer function"):
        pictures.curves("softmax")


def test_lines_meet_the_frame():
    square = ((0.0, 1.0), (0.0, 1.0))
    assert pictures.divide(np.array([1.0, 1.0]), -1.0, square).tolist() == [[0, 1], [1, 0]]
    assert pictures.divide(np.array([0.0, 2.0]), -1.0, square).tolist() == [[0, 0.5], [1, 0.5]]
    assert pictures.divide(np.array([1.0, 1.0]), -3.0, square) is None
    assert pictures.divide(np.array([0.0, 0.0]), 1.0, square) is None


@pytest.mark.parametrize("model", [Perceptron(shuffle=False), Adaline(shuffle=False)])
def test_decision_lines_follow_the_steps(model):
    steps = model.steps(SQUARE, AND, 12)
    axes = pictures.decision_steps(steps, SQUARE, AND).axes[0]
    points, lines = axes.lines[:2], axes.lines[2:]
    assert [len(p.get_xdata()) for p in points] == [3, 1]
    assert len(lines) > 2
    w, b = steps.weights[-1], steps.biases[-1]
    assert w @ [lines[-1].get_xdata(), lines[-1].get_ydata()] + b == pytest.approx([0, 0], abs=1e-12)
    assert lines[-1].get_label() == "last line"
    with pytest.raises(DataError, match="two inputs"):
        pictures.decision_steps(steps, np.ones((4, 3)), AND)


def test_learning_curves():
    for model, values in ((Perceptron(shuffle=False), "mistakes_per_pass_"), (Adaline(), "errors_per_pass_")):
        model.fit(SQUARE, AND)
        axes = pictures.learning_curve(model).axes[0]
        assert np.array_equal(axes.lines[0].get_ydata(), getattr(model, values))
        assert axes.lines[0].get_xdata()[0] == 1 and axes.get_xlabel() == "pass"


@pytest.mark.parametrize("history", [0, 10])
def test_course_of_a_filter(history):
    x = np.sin(0.3 * np.arange(100))
    model = AdaptiveFilter(taps=3, history=history).follow(x)
    signal, error, weights = pictures.filter_course(model, x[3:]).axes
    assert np.array_equal(signal.lines[0].get_ydata(), x[3:])
    assert np.array_equal(signal.lines[1].get_ydata(), model.outputs_)
    assert np.array_equal(error.lines[0].get_ydata(), model.errors_)
    drawn = [line.get_ydata() for line in weights.lines]
    wanted = model.history_[:, :, 0].T if history else model.weights_.T
    assert np.array_equal(drawn, wanted)
    with pytest.raises(DataError, match="the filter has"):
        pictures.filter_course(model, x)
