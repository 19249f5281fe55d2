"""Pictures of auto-associative networks: what they answer, what a code is worth, and which sensor is to blame.

Every function returns a matplotlib `Figure`, made without pyplot. The numbers in it are to be had as arrays: from
`AutoAssociator.reconstruct` and `compress`, from `code_sizes`, and from `SensorValidator.squared_errors`,
`contributions` and `substitute`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from sklearn.base import clone

from ...errors import ArgumentError
from ...record.buffers import Array
from ...train.pictures import new_figure, one_panel
from ..estimator import plain
from .associator import AutoAssociator
from .validator import SensorValidator

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_IMAGES = 10
DARK, LIGHT, ALARM = "#440154", "#21918c", "#d95f02"  # two of viridis, and an orange that differs in grey as well


class CodeSizes(NamedTuple):
    """Errors over the number of codes, each (sizes,): the root mean square of scaled values, on rows not trained on."""

    sizes: Array
    network: Array
    principal: Array


def code_sizes(model: AutoAssociator, X: Any, held: Any, sizes: Sequence[int]) -> CodeSizes:
    """Train the model's settings for each code size on X, and measure it, and as many principal components, on `held`.

    X, held: shape (rows, features), different rows. Errors are in standard deviations as the network scales X.

    >>> t = np.linspace(-1, 1, 60)[:, None]
    >>> X = np.hstack([t, t**2, t**3])
    >>> found = code_sizes(AutoAssociator(mapping=(3,), random_state=0), X[::2], X[1::2], [1, 2])
    >>> bool(found.network[0] < found.principal[0] / 2)
    True
    """
    X, held = np.asarray(plain(X), np.float64), np.asarray(plain(held), np.float64)
    network, principal = [], []
    for size in sizes:
        fitted = clone(model).set_params(code=int(size)).fit(X)
        x, other = ((rows - fitted.centre_) / fitted.spread_ for rows in (X, held))
        network.append(np.sqrt(fitted.squared_errors(held).mean() / X.shape[1]))
        middle = x.mean(axis=0)
        axes = np.linalg.svd(x - middle, full_matrices=False)[2][: int(size)]
        left = (other - middle) - (other - middle) @ axes.T @ axes
        principal.append(np.sqrt(np.square(left).mean()))
    return CodeSizes(np.array(sizes), np.array(network), np.array(principal))


def code_size_curves(found: CodeSizes) -> Figure:
    """The error over the number of codes, of the network and of principal components, on one pair of axes."""
    figure, axes = one_panel(5.6, 4.0, "What a code is worth")
    axes.plot(found.sizes, found.network, "o-", color=DARK, label="network")
    axes.plot(found.sizes, found.principal, "s--", color=LIGHT, label="principal components")
    axes.set(xlabel="codes", ylabel="RMS error on held-out rows, in standard deviations")
    axes.set_xticks(found.sizes)
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    axes.legend()
    return figure


def reconstruction(model: AutoAssociator, X: Any, image: tuple[int, int] | None = None) -> Figure:
    """Rows beside the network's answers: as images of a height and width, or feature by feature.

    At most ten rows are drawn as images; of features, all rows are, the answer over the input.
    """
    X = np.asarray(plain(X))
    answers = model.reconstruct(X)
    return _images(X, answers, image) if image is not None else _scatter(model, X, answers)


def _images(X: Array, answers: Array, image: tuple[int, int]) -> Figure:
    if X.shape[1] != image[0] * image[1]:
        raise ArgumentError(f"reconstruction: image={image} for rows of {X.shape[1]} features; their product must fit.")
    count = min(len(X), MOST_IMAGES)
    figure = new_figure(1.0 * count + 1.0, 2.6, "Inputs, and the network's answers")
    low, high = float(X[:count].min()), float(X[:count].max())
    for line, (name, rows) in enumerate((("input", X), ("answer", answers))):
        for k in range(count):
            axes = figure.add_subplot(2, count, line * count + k + 1)
            axes.imshow(rows[k].reshape(image), cmap="gray_r", vmin=low, vmax=high)
            axes.set_xticks([])
            axes.set_yticks([])
            if k == 0:
                axes.set_ylabel(name)
    return figure


def _scatter(model: AutoAssociator, X: Array, answers: Array) -> Figure:
    count = X.shape[1]
    columns = min(count, 4)
    lines = -(-count // columns)
    figure = new_figure(2.6 * columns, 2.5 * lines + 0.5, "The network's answers over the inputs")
    for j, name in enumerate(_names(model, count)):
        axes = figure.add_subplot(lines, columns, j + 1)
        ends = [float(X[:, j].min()), float(X[:, j].max())]
        axes.plot(ends, ends, "--", color="0.5", linewidth=1)
        axes.plot(X[:, j], answers[:, j], ".", color=DARK, markersize=3)
        axes.set(xlabel=name, ylabel="answer")
    return figure


def codes(model: AutoAssociator, X: Any, labels: Any = None) -> Figure:
    """The space of codes: the first two of each row, or one over the row's number; coloured by labels where given."""
    found = model.compress(X)
    figure, axes = one_panel(5.6, 4.4, "Code space")
    pair = found[:, :2] if found.shape[1] > 1 else np.column_stack([np.arange(len(found)), found[:, 0]])
    if labels is None:
        axes.scatter(pair[:, 0], pair[:, 1], s=9, color=DARK)
    else:
        kinds, numbers = np.unique(np.asarray(plain(labels)), return_inverse=True)
        drawn = axes.scatter(
            pair[:, 0], pair[:, 1], s=9, c=numbers, cmap="viridis", vmin=0, vmax=max(1, len(kinds) - 1)
        )
        bar = figure.colorbar(drawn, ax=axes, label="label")
        bar.set_ticks(list(range(len(kinds))), labels=[str(kind) for kind in kinds])
    names = ("code 1", "code 2") if found.shape[1] > 1 else ("row", "code 1")
    axes.set(xlabel=names[0], ylabel=names[1])
    return figure


def residual_chart(validator: SensorValidator, X: Any) -> Figure:
    """The squared prediction error of each row in turn, with the limit; rows over it are marked."""
    errors = validator.squared_errors(X)
    figure, axes = one_panel(7.0, 3.6, "Squared prediction error")
    rows, over = np.arange(len(errors)), errors > validator.limit_
    axes.plot(rows, errors, "-", color=DARK, linewidth=0.8, label="rows")
    axes.plot(rows[over], errors[over], "v", color=ALARM, markersize=4, label="alarms")
    rate = 100 * validator.false_alarm_
    axes.axhline(validator.limit_, linestyle="--", color="black", label=f"limit ({rate:.2g} % false alarms)")
    axes.set(xlabel="row", ylabel="squared error, in standard deviations²", yscale="log")
    axes.legend()
    return figure


def contribution_bars(validator: SensorValidator, row: Any) -> Figure:
    """One row: each sensor's share of the squared error with its limit, and the error left when it is substituted."""
    row = np.asarray(plain(row)).reshape(1, -1)
    shares, left = validator.contributions(row)[0], validator.substitute(row).errors[0]
    figure = new_figure(8.0, 3.6, f"Squared error {shares.sum():.3g}, limit {validator.limit_:.3g}")
    names, places = _names(validator, len(shares)), np.arange(len(shares))
    first, second = figure.add_subplot(1, 2, 1), figure.add_subplot(1, 2, 2)
    first.bar(places, shares, color=LIGHT)
    first.hlines(validator.sensor_limits_, places - 0.4, places + 0.4, color="black", linestyle="--", label="limit")
    first.set(ylabel="contribution")
    first.legend()
    second.bar(places, left, color=[ALARM if j == left.argmin() else DARK for j in places])
    second.axhline(validator.limit_, linestyle="--", color="black", label="limit")
    second.set(ylabel="squared error left by substitution")
    second.legend()
    for axes in (first, second):
        axes.set_xticks(places, names, rotation=45, ha="right")
        axes.set(xlabel="sensor")
    return figure


def _names(estimator: Any, count: int) -> list[str]:
    return [str(name) for name in getattr(estimator, "feature_names_in_", [f"x{j}" for j in range(count)])]
