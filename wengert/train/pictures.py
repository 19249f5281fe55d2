"""The gallery: what a training run learned, drawn with matplotlib and nothing but NumPy arrays as input.

Every function returns a `Figure` with a title and labelled axes, made without pyplot, so that no window
system and no global state are involved; `save` renders it. Lines differ by dash as well as by colour, classes
by marker and label, so a picture printed in grey says the same.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = npt.NDArray[np.floating[Any]]
Labels = npt.NDArray[np.integer[Any]]

MOST_IMAGES = 24  # mistakes shown
MOST_UNITS = 64  # first-layer units shown
MOST_NUMBERED = 20  # classes up to which a confusion matrix shows its counts
MARKERS = "osD^vPX*<>"
DOTS_PER_INCH = 120


def save(figure: Figure, path: str | os.PathLike[str]) -> None:
    """Render a figure to a PNG file; the same figure gives the same bytes.

    Raises:
        OSError: the file cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    FigureCanvasAgg(figure)
    figure.savefig(path, dpi=DOTS_PER_INCH, metadata={"Software": None})


def curves(panels: Mapping[str, Mapping[str, Sequence[float]]], title: str) -> Figure:
    """Course of a training: one panel for each quantity, training and validation in it.

    Args:
        panels: name of the quantity -> name of the line -> one value per epoch. A line with no value is left
            out; a panel whose values are positive and span more than a factor 20 gets a logarithmic axis.
        title: the heading.

    >>> figure = curves({"loss": {"training": [2.0, 1.0], "validation": [2.1, 1.3]}}, "Two epochs")
    >>> [line.get_label() for line in figure.axes[0].lines]
    ['training', 'validation']
    """
    from matplotlib.ticker import MaxNLocator

    figure = new_figure(5.2 * len(panels), 3.9, title)
    for place, (quantity, lines) in enumerate(panels.items(), 1):
        axes = figure.add_subplot(1, len(panels), place)
        styles = ["-", "--", ":"]
        for (name, values), style in zip(lines.items(), styles, strict=False):
            if len(values):
                epochs = np.arange(1, len(values) + 1)
                axes.plot(epochs, values, style, marker="." if len(values) < 30 else None, label=name)
        drawn = [value for line in lines.values() for value in line]
        if drawn and min(drawn) > 0 and max(drawn) > 20 * min(drawn):
            axes.set_yscale("log")
        axes.set(xlabel="epoch", ylabel=quantity)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
        axes.legend()
    return figure


def confusion(counts: npt.NDArray[np.integer[Any]], names: Sequence[str], title: str) -> Figure:
    """Confusion matrix: rows are true classes, columns predicted ones, darkness is the share of the row.

    Args:
        counts: shape (classes, classes), integers.
        names: one per class.

    >>> figure = confusion(np.array([[9, 1], [0, 8]]), ["no", "yes"], "Test")
    >>> sorted(text.get_text() for text in figure.axes[0].texts)
    ['0', '1', '8', '9']
    """
    side = min(4.2 + 0.28 * len(names), 12.0)
    figure, axes = one_panel(side + 0.8, side, title)
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    image = axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    if len(names) <= MOST_NUMBERED:
        for (row, column), count in np.ndenumerate(counts):
            colour = "white" if share[row, column] > 0.5 else "black" if count else "0.65"
            axes.text(column, row, str(count), ha="center", va="center", color=colour, fontsize=9)
    shown = range(0, len(names), max(1, len(names) // MOST_NUMBERED))
    labels = [shortened(names[i]) for i in shown]
    upright = max(map(len, labels)) > 4
    axes.set_xticks(shown, labels, rotation=90 if upright else 0)
    axes.set_yticks(shown, labels)
    axes.set(xlabel="predicted", ylabel="true")
    figure.colorbar(image, ax=axes, label="share of the true class", shrink=0.8)
    return figure


def mistakes(images: Floats, true: Sequence[str], predicted: Sequence[str], title: str) -> Figure:
    """Images that were misread, each with its true class and what it was taken for; the first 24.

    Args:
        images: shape (n, height, width), larger is darker; n may be 0.
        true, predicted: n class names each.

    >>> figure = mistakes(np.zeros((1, 8, 8)), ["4"], ["9"], "One mistake")
    >>> figure.axes[0].get_title()
    'true 4, read as 9'
    """
    if not len(images):
        figure = new_figure(5.0, 2.0, title)
        figure.text(0.5, 0.4, "There are none.", ha="center")
        return figure
    shown = min(len(images), MOST_IMAGES)
    columns = min(shown, 6)
    rows = -(-shown // columns)
    figure = new_figure(max(1.5 * columns, 4.0), 1.65 * rows + 0.6, title)
    for place in range(shown):
        axes = figure.add_subplot(rows, columns, place + 1)
        axes.imshow(images[place], cmap="gray_r")
        axes.set_title(f"true {true[place]}, read as {predicted[place]}", fontsize=8)
        axes.set_xticks([])
        axes.set_yticks([])
    return figure


def weights(images: Floats, title: str) -> Figure:
    """Incoming weights of the first layer's units as images: the 64 units with the largest weight vectors.

    Args:
        images: shape (units, height, width). Middle grey is zero, white positive, black negative, on one
            scale for all units.

    >>> len(weights(np.ones((3, 8, 8)), "Three units").axes)
    4
    """
    order = np.argsort(-np.square(images).sum(axis=(1, 2)), kind="stable")[:MOST_UNITS]
    columns = min(len(order), 8)
    rows = -(-len(order) // columns)
    figure = new_figure(0.95 * columns + 1.6, 0.95 * rows + 0.9, title)
    limit = float(np.quantile(np.abs(images[order]), 0.995)) or 1.0
    panels = [figure.add_subplot(rows, columns, place + 1) for place in range(len(order))]
    for axes, unit in zip(panels, order, strict=True):
        image = axes.imshow(images[unit], cmap="gray", vmin=-limit, vmax=limit)
        axes.set_title(f"unit {unit + 1}", fontsize=6, pad=2)
        axes.set_xticks([])
        axes.set_yticks([])
    figure.colorbar(image, ax=panels, label="weight", shrink=0.7)
    return figure


def decision(
    classify: Callable[[Floats], Labels],
    x: Floats,
    y: Labels,
    names: Sequence[str],
    axis_names: Sequence[str],
    title: str,
) -> Figure:
    """Decision surface over a plane, with the points it was judged on.

    Args:
        classify: points of shape (n, 2), float32, -> class numbers of shape (n,).
        x: shape (n, 2).
        y: class numbers, shape (n,).
        names: one per class.
        axis_names: two.

    >>> x, y = np.array([[0.0, 0.0], [1.0, 1.0]]), np.array([0, 1])
    >>> figure = decision(lambda p: (p[:, 0] > 0.5).astype(int), x, y, ["a", "b"], ["u", "v"], "Half planes")
    >>> figure.axes[0].get_xlabel(), [t.get_text() for t in figure.axes[0].get_legend().get_texts()]
    ('u', ['a', 'b'])
    """
    figure, axes = one_panel(6.4, 5.2, title)
    sides = [padded(x[:, axis]) for axis in (0, 1)]
    first, second = np.meshgrid(*(np.linspace(low, high, 201, dtype=np.float32) for low, high in sides))
    regions = classify(np.stack([first.ravel(), second.ravel()], axis=1)).reshape(first.shape)
    colours = class_colours(len(names))
    edges = np.arange(len(names) + 1) - 0.5
    axes.contourf(first, second, regions, levels=edges, colors=colours, alpha=0.25)
    # One contour between classes k and k + 1 would also run where both are skipped: draw each class's border.
    for place in range(len(names)):
        inside = (regions == place).astype(np.float32)
        if 0 < inside.mean() < 1:
            axes.contour(first, second, inside, levels=[0.5], colors="black", linewidths=0.8)
    for place, name in enumerate(names):
        axes.plot(
            *x[y == place].T,
            linestyle="none",
            marker=MARKERS[place % len(MARKERS)],
            color=colours[place],
            markeredgecolor="black",
            markeredgewidth=0.6,
            markersize=5,
            label=shortened(name),
        )
    axes.set(xlabel=axis_names[0], ylabel=axis_names[1], xlim=sides[0], ylim=sides[1])
    axes.legend(loc="upper right", framealpha=0.9)
    return figure


def fit(predict: Callable[[Floats], Floats], x: Floats, y: Floats, axis_names: Sequence[str], title: str) -> Figure:
    """The curve a network learned for one feature, over the points it was judged on.

    Args:
        predict: points of shape (n, 1), float32, -> values of shape (n, 1).
        x, y: shape (n, 1).
        axis_names: of x and of y.

    >>> line = np.array([[0.0], [1.0]])
    >>> figure = fit(lambda p: 2 * p, line, 2 * line, ["u", "v"], "A line")
    >>> [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    ['data', 'network']
    """
    figure, axes = one_panel(6.4, 4.4, title)
    grid = np.linspace(*padded(x[:, 0]), 400, dtype=np.float32)[:, None]
    axes.plot(x[:, 0], y[:, 0], "o", markersize=4, markerfacecolor="none", color="0.4", label="data")
    axes.plot(grid[:, 0], predict(grid)[:, 0], "-", linewidth=2, label="network")
    axes.set(xlabel=axis_names[0], ylabel=axis_names[1])
    axes.grid(alpha=0.3)
    axes.legend()
    return figure


def agreement(true: Floats, predicted: Floats, name: str, title: str) -> Figure:
    """Predicted against true values of a regression; on the dashed diagonal they agree.

    Args:
        true, predicted: shape (n, 1).
        name: of the target.

    >>> agreement(np.array([[1.0], [2.0]]), np.array([[1.5], [2.0]]), "price", "Two").axes[0].get_xlabel()
    'true price'
    """
    figure, axes = one_panel(5.4, 5.0, title)
    ends = padded(np.concatenate([true.ravel(), predicted.ravel()]))
    axes.plot(ends, ends, "--", color="0.4", label="agreement")
    axes.plot(true.ravel(), predicted.ravel(), "o", markersize=4, markerfacecolor="none", label="test rows")
    axes.set(xlabel=f"true {name}", ylabel=f"predicted {name}", xlim=ends, ylim=ends)
    axes.grid(alpha=0.3)
    axes.legend()
    return figure


# -- parts, for the galleries of other rooms too -------------------------------------------------------------------


def new_figure(width: float, height: float, title: str) -> Figure:
    """Return an empty figure with a heading; width and height in inches."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    figure.suptitle(title, fontsize=11)
    return figure


def one_panel(width: float, height: float, title: str) -> tuple[Figure, Axes]:
    """Return a figure with a heading and its only axes; width and height in inches."""
    figure = new_figure(width, height, title)
    return figure, figure.add_subplot()


def padded(values: Floats) -> tuple[float, float]:
    """Return the ends of an axis that shows all values, with some room at both sides.

    >>> padded(np.array([0.0, 100.0]))
    (-8.0, 108.0)
    """
    low, high = float(values.min()), float(values.max())
    margin = 0.08 * (high - low) or 1.0
    return low - margin, high + margin


def class_colours(count: int) -> list[Any]:
    """Return a colour for each class, dark to light, which also differ for the colour-blind and in grey."""
    from matplotlib import colormaps

    return [colormaps["viridis"](0.12 + 0.8 * place / max(count - 1, 1)) for place in range(count)]


def shortened(name: str) -> str:
    """Return a name that fits beside an axis: its first 15 letters and an ellipsis where it has more than 16."""
    return name if len(name) <= 16 else name[:15] + "…"
