"""Pictures of single neurons: what they compute, where they divide the plane, how they learn.

Each returns a matplotlib `Figure`, made without pyplot; the numbers drawn come from arrays that are at hand: `curves`
for transfer functions, `divide` for lines, and the attributes of estimators and of `Steps`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...autodiff.reverse import gradients
from ...errors import ArgumentError, DataError
from ...nn import activations
from ...ops.creation import tensor
from ...record.buffers import Array
from ...record.recorder import tracking
from .steps import Steps

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CLASSICAL = ("purelin", "hardlim", "hardlims", "satlin", "satlins", "poslin", "tansig", "logsig", "radbas")
MARKERS = "osD^vPX*"
MOST_NAMED = 8  # weights up to which a legend says which is which


def curves(name: str, n: Any = None) -> tuple[Array, Array, Array]:
    """Return net inputs, outputs and slopes of a transfer function by its name; float64, shape (points,) each.

    n: net inputs; None: 401 from -4 to 4. The slopes are the library's own derivatives, not a formula of this page.
    Raises ArgumentError for a name that is no transfer function.

    >>> curves("satlin", [-1.0, 0.5, 2.0])
    (array([-1. ,  0.5,  2. ]), array([0. , 0.5, 1. ]), array([0., 1., 0.]))
    """
    if name not in activations.__all__ or "softmax" in name:
        known = ", ".join(known for known in activations.__all__ if "softmax" not in known)
        raise ArgumentError(f"curves: {name!r} is no transfer function; choose one of {known}.")
    points: Array = np.linspace(-4, 4, 401) if n is None else np.asarray(n, np.float64)
    with tracking(True):
        net = tensor(points, requires_grad=True)
        output = getattr(activations, name)(net)
        slope = gradients(output, net, np.ones_like(points))
    return points, output.detach().numpy(), slope.detach().numpy()


def transfer_functions(names: Sequence[str] = CLASSICAL, n: Any = None) -> Figure:
    """Draw transfer functions and their slopes (see `curves`), one panel each: f solid, f' dashed.

    >>> [axes.get_title() for axes in transfer_functions(["tansig", "logsig"]).axes]
    ['tansig', 'logsig']
    """
    columns = min(len(names), 3)
    rows = -(-len(names) // columns)
    figure = _figure(3.2 * columns, 2.5 * rows)
    for place, name in enumerate(names):
        net, output, slope = curves(name, n)
        axes = figure.add_subplot(rows, columns, place + 1)
        for values, style, colour, label in ((output, "-", "black", "f"), (slope, "--", _colour(0.5), "f'")):
            # A step is drawn with a gap: there is no slope there that a joining line could stand for.
            jumps = np.flatnonzero(np.abs(np.diff(values)) > 0.5 * max(np.ptp(values), 1e-12)) + 1
            apart = (np.insert(net, jumps, np.nan), np.insert(values, jumps, np.nan))
            axes.plot(*apart, style, color=colour, label=label)
        axes.set(title=name, xlabel="net input n", ylabel="f(n), f'(n)")
        axes.grid(alpha=0.3)
        axes.legend(fontsize=7)
    return figure


def divide(weights: Array, bias: float, limits: Any) -> Array | None:
    """Return the two points (2, 2) where the line w.x + b = 0 crosses a square, or None where it does not.

    limits: ((x low, x high), (y low, y high)).

    >>> divide(np.array([1.0, 0.0]), -0.5, ((0.0, 1.0), (0.0, 2.0))).tolist()
    [[0.5, 0.0], [0.5, 2.0]]
    """
    found = []
    for axis in (0, 1):
        if weights[1 - axis]:
            for value in limits[axis]:
                other = -(bias + weights[axis] * value) / weights[1 - axis]
                if limits[1 - axis][0] <= other <= limits[1 - axis][1]:
                    found.append((value, other) if axis == 0 else (other, value))
    ends = sorted(set(found))
    return np.array([ends[0], ends[-1]]) if len(ends) > 1 else None


def decision_steps(steps: Steps, X: Any, y: Any, title: str = "Decision line, step by step") -> Figure:
    """Draw the lines of a neuron of two inputs after each step that changed it, light to dark, over the data.

    steps: of a `Perceptron` or `Adaline` with two classes. X: (n, 2), y: labels (n,).
    """
    X, y = np.asarray(X, np.float64), np.asarray(y)
    if X.ndim != 2 or X.shape[1] != 2 or steps.weights.ndim != 2:
        raise DataError(
            f"decision_steps: data of shape {X.shape} were given; lines are drawn for two inputs and classes."
        )
    low, high = X.min(axis=0), X.max(axis=0)
    margin = 0.25 * np.where(high > low, high - low, 1.0)
    limits = tuple(zip(low - margin, high + margin, strict=True))
    figure = _figure(6.0, 5.0)
    axes = figure.add_subplot()
    for place, label in enumerate(np.unique(y)):
        marker = MARKERS[place % len(MARKERS)]
        axes.plot(
            *X[y == label].T, marker, color=_colour(0.15 + 0.6 * place), markeredgecolor="black", label=str(label)
        )
    last: Any = None
    for step, (w, b) in enumerate(zip(steps.weights, steps.biases, strict=True), 1):
        ends = divide(w, float(b), limits)
        if ends is None or (last is not None and np.array_equal(last, (*w, b))):
            continue
        last = (*w, b)
        axes.plot(*ends.T, color=str(0.85 * (1 - step / len(steps))), linewidth=1.0, label=f"_step {step}")
    if str(axes.lines[-1].get_label()).startswith("_"):
        axes.lines[-1].set(linewidth=2.5, label="last line")
    axes.set(xlabel="input 1", ylabel="input 2", xlim=limits[0], ylim=limits[1], title=title)
    axes.legend()
    return figure


def learning_curve(model: Any) -> Figure:
    """Draw what each pass of a fitted `Perceptron` (mistakes) or `Adaline` (mean squared error) met.

    >>> from wengert.classic import Perceptron
    >>> model = Perceptron(shuffle=False).fit([[0.0], [1.0]], [0, 1])
    >>> learning_curve(model).axes[0].lines[0].get_ydata().tolist() == model.mistakes_per_pass_.tolist()
    True
    """
    mistakes = hasattr(model, "mistakes_per_pass_")
    values = model.mistakes_per_pass_ if mistakes else model.errors_per_pass_
    figure = _figure(6.0, 4.0)
    axes = figure.add_subplot()
    axes.plot(np.arange(1, len(values) + 1), values, color="black", marker="." if len(values) < 50 else None)
    what = "mistakes" if mistakes else "mean squared error"
    axes.set(xlabel="pass", ylabel=what, title=f"{type(model).__name__}: {what} of each pass")
    axes.grid(alpha=0.3)
    return figure


def filter_course(model: Any, wanted: Any) -> Figure:
    """Draw what a fitted `AdaptiveFilter` did: signal and output, the error, and its weights.

    wanted: the signal (n,) it learned to give, as was passed to `fit` or `identify`; for `follow` the last samples of
        the signal, x[-len(model.outputs_):]. Weights are drawn over time if there is a history,
        else as they are at the end.
    """
    wanted = np.asarray(wanted)
    if wanted.shape != model.outputs_.shape:
        raise DataError(
            f"filter_course: {wanted.shape} wanted values were given, the filter has {model.outputs_.shape} outputs."
        )
    figure = _figure(7.0, 7.0)
    signal, error, weights = (figure.add_subplot(3, 1, row) for row in (1, 2, 3))
    signal.plot(wanted, color="0.55", linewidth=2.5, label="wanted")
    signal.plot(model.outputs_, "--", color=_colour(0.1), linewidth=1.0, label="output")
    signal.set(ylabel="signal", title=f"Adaptive filter ({model.algorithm}, {len(model.weights_)} taps)")
    signal.legend(loc="upper right")
    error.plot(model.errors_, color="black", linewidth=0.8)
    error.set(ylabel="error", xlabel="sample")
    _weights(weights, model)
    for axes in (signal, error, weights):
        axes.grid(alpha=0.3)
    return figure


def _weights(axes: Axes, model: Any) -> None:
    if len(model.history_):
        over = model.history_.reshape(len(model.history_), -1)
        for k, line in enumerate(over.T):
            axes.plot(model.history_at_, line, color=_colour(k / max(over.shape[1] - 1, 1)), label=f"weight {k}")
        axes.set(xlabel="sample", ylabel="weights")
        if over.shape[1] <= MOST_NAMED:
            axes.legend(loc="upper right", fontsize=7)
        return
    for channel, response in enumerate(model.weights_.T):
        axes.plot(response, marker="o", color=_colour(0.8 * channel / max(model.weights_.shape[1] - 1, 1)))
    axes.set(xlabel="tap", ylabel="weight")


def _figure(width: float, height: float) -> Figure:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def _colour(share: float) -> Any:
    from matplotlib import colormaps

    return colormaps["viridis"](0.9 * share)
