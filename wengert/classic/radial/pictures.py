"""Pictures of radial networks, each with the arrays behind it: units in the plane, basis functions, curves, regions.

A function that returns a `Figure` stands below the one that returns its data, named `..._data`. Figures are made
without pyplot; `wengert.train.pictures.save` renders them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ...errors import ArgumentError
from ...train.pictures import decision, one_panel, padded
from ..estimator import plain
from .kernels import Floats
from .network import RBFNetwork
from .parzen import PNN
from .reach import Radial

if TYPE_CHECKING:
    from matplotlib.figure import Figure

POINTS = 121  # of a grid, along each side
MOST_CIRCLES = 300


class Field(NamedTuple):
    """Units in the plane: centres (units, 2), radii of half response (units,), weights of the first output (units,)."""

    centers: Floats
    radii: Floats
    weights: Floats


class Parts(NamedTuple):
    """A network of one feature: x (points,), what each unit adds (points, units), the bias, and the sum (points,)."""

    x: Floats
    parts: Floats
    bias: float
    total: Floats


class Plane(NamedTuple):
    """A grid over two features: both coordinates, class numbers, distances to the nearest row, each (y, x)."""

    first: Floats
    second: Floats
    classes: npt.NDArray[np.int64]
    nearest: Floats


def field_data(model: RBFNetwork) -> Field:
    """Return the units of a network with two features. Raises `ArgumentError` for another number."""
    _features(model, 2)
    return Field(model.centers_, model.spreads_, model.weights_[:, 0])


def field(model: RBFNetwork, X: Any, title: str = "Centres and circles of half response") -> Figure:
    """Draw the rows, and each unit as a circle on which it answers one half, coloured by its weight.

    model: fitted on two features. X: rows to draw, shape (rows, 2). At most the 300 units with the largest weights are
    drawn.

    >>> model = RBFNetwork("exact", spread=0.5).fit([[0.0, 0.0], [1.0, 1.0]], [0.0, 1.0])
    >>> [circle.get_radius() for circle in field(model, [[0.0, 0.0]]).axes[0].patches]
    [0.5, 0.5]
    """
    from matplotlib import colormaps
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize
    from matplotlib.patches import Circle

    units, x = field_data(model), np.asarray(plain(X))
    figure, axes = one_panel(6.4, 5.2, title)
    axes.plot(x[:, 0], x[:, 1], ".", color="0.6", markersize=3, label="rows")
    limit = float(np.abs(units.weights).max()) or 1.0
    colours = ScalarMappable(Normalize(-limit, limit), colormaps["PuOr_r"])
    for unit in np.argsort(-np.abs(units.weights), kind="stable")[:MOST_CIRCLES]:
        colour = colours.to_rgba(units.weights[[unit]])[0]
        axes.add_patch(
            Circle(tuple(units.centers[unit]), float(units.radii[unit]), fill=False, color=colour, linewidth=1.5)
        )
    axes.plot(units.centers[:, 0], units.centers[:, 1], "+", color="black", label="centres")
    axes.set(xlabel="feature 1", ylabel="feature 2", aspect="equal")
    axes.legend(loc="upper right")
    figure.colorbar(colours, ax=axes, label="weight")
    return figure


def basis_data(model: RBFNetwork, x: Any) -> Parts:
    """Return what each unit of a network with one feature adds to its first output at the places x, shape (points,)."""
    _features(model, 1)
    places: Floats = np.asarray(plain(x), np.float64).ravel()
    parts = model.activation(places[:, None]) * model.weights_[:, 0]
    bias = float(model.bias_[0])
    return Parts(places, parts, bias, bias + parts.sum(axis=1))


def basis(model: RBFNetwork, X: Any, y: Any, title: str = "Basis functions and their sum") -> Figure:
    """Draw each unit's response times its weight, the sum of all and the bias, and the data.

    model: fitted on one feature. X: shape (rows, 1). y: (rows,). The sum is dashed where the network extrapolates.

    >>> model = RBFNetwork("exact", spread=1.0).fit([[0.0], [1.0]], [0.0, 1.0])
    >>> [line.get_label() for line in basis(model, [[0.0], [1.0]], [0.0, 1.0]).axes[0].lines[-2:]]
    ['network', 'data']
    """
    rows = np.asarray(plain(X), np.float64)
    low, high = padded(rows[:, 0])
    data = basis_data(model, np.linspace(low, high, 400))
    known = model.nearest(data.x[:, None]) <= model.reach_
    figure, axes = one_panel(6.8, 4.4, title)
    axes.plot(data.x, data.parts, "-", color="0.7", linewidth=0.9)
    axes.plot(data.x, data.total, "--", color="#0072b2", linewidth=1.2)
    axes.plot(data.x, np.where(known, data.total, np.nan), "-", color="#0072b2", linewidth=2, label="network")
    axes.plot(rows[:, 0], np.asarray(plain(y)).ravel(), ".", color="#d55e00", markersize=4, label="data")
    axes.set(xlabel="input", ylabel="output")
    # Wide units cancel: the scale is that of the data, not of the parts.
    axes.set_ylim(*padded(np.concatenate([np.asarray(plain(y), np.float64).ravel(), data.total])))
    axes.grid(alpha=0.3)
    axes.legend()
    return figure


def width_data(model: RBFNetwork) -> dict[str, Floats]:
    """Return the mean squared errors by number of units: "units", "error", "left_out_error"."""
    model._fitted()
    return {name: model.history_[name] for name in ("units", "error", "left_out_error")}


def width(model: RBFNetwork, title: str = "Error over width") -> Figure:
    """Draw the error of the training rows, and with each row left out of the weights, over the number of units.

    model: a fitted network; "grow" and "orthogonal" looked at every number, "kmeans" at several.

    >>> model = RBFNetwork("grow", units=3, spread=1.0).fit([[0.0], [1.0], [2.0], [3.0]], [0.0, 1.0, 0.0, 2.0])
    >>> width(model).axes[0].lines[0].get_xdata().tolist()
    [0, 1, 2, 3]
    """
    data = width_data(model)
    figure, axes = one_panel(6.4, 4.4, title)
    for name, label, style in (("error", "training rows", "-o"), ("left_out_error", "rows left out", "--s")):
        values = np.where(np.isfinite(data[name]) & (data[name] > 0), data[name], np.nan)
        axes.plot(data["units"], values, style, markersize=3, label=label)
    axes.axvline(len(model.centers_), color="0.5", linestyle=":", label="units taken")
    axes.set(xlabel="units", ylabel="mean squared error", yscale="log")
    axes.grid(alpha=0.3)
    axes.legend()
    return figure


def spread_data(model: Radial) -> dict[str, Floats]:
    """Return the spreads that were tried, and their errors. Raises `ArgumentError` where the spread was given."""
    model._fitted()
    if model.search_ is None:
        raise ArgumentError(f"{type(model).__name__}: no spread was sought; fit with spread='auto' to see the search.")
    found: dict[str, Floats] = model.search_
    return found


def spread(model: Radial, title: str = "Error over spread") -> Figure:
    """Draw the left-out error over the spreads that were tried.

    >>> from wengert.classic import GRNN
    >>> model = GRNN().fit([[0.0], [1.0], [2.0], [3.0]], [0.0, 1.0, 2.0, 3.0])
    >>> spread(model).axes[0].get_xlabel()
    'spread'
    """
    data = spread_data(model)
    figure, axes = one_panel(6.4, 4.4, title)
    axes.plot(data["spread"], np.where(np.isfinite(data["error"]), data["error"], np.nan), "-o", markersize=4)
    best = data["spread"][int(np.argmin(data["error"]))]
    axes.axvline(best, color="0.5", linestyle=":", label=f"least, at {best:.3g}")
    axes.set(xlabel="spread", ylabel="left-out error", xscale="log")
    axes.grid(alpha=0.3)
    axes.legend()
    return figure


def regions_data(model: PNN, X: Any) -> Plane:
    """Return classes and distances to the nearest row on a grid of 121 x 121 points around rows X (rows, 2)."""
    _features(model, 2)
    rows = np.asarray(plain(X), np.float64)
    first, second = np.meshgrid(*(np.linspace(*padded(rows[:, k]), POINTS) for k in (0, 1)))
    grid = np.stack([first.ravel(), second.ravel()], axis=1)
    numbers = np.searchsorted(model.classes_, model.predict(grid)).reshape(first.shape)
    return Plane(first, second, numbers, model.nearest(grid).reshape(first.shape))


def regions(model: PNN, X: Any, y: Any, title: str = "Decision regions") -> Figure:
    """Draw the class at each place of the plane, the rows, and dashed the border beyond which the network extrapolates.

    model: fitted on two features. X: shape (rows, 2). y: labels, shape (rows,).

    >>> X, y = [[0.0, 0.0], [0.1, 0.2], [1.0, 1.0], [1.1, 0.9]], ["a", "a", "b", "b"]
    >>> [text.get_text() for text in regions(PNN().fit(X, y), X, y).axes[0].get_legend().get_texts()]
    ['a', 'b']
    """
    data = regions_data(model, X)
    names = [str(name) for name in model.classes_]
    labels = np.searchsorted(model.classes_, np.asarray(plain(y)))

    def classify(points: Any) -> Any:
        return np.searchsorted(model.classes_, model.predict(points))

    figure = decision(classify, np.asarray(plain(X)), labels, names, ["feature 1", "feature 2"], title)
    if data.nearest.min() < model.reach_ < data.nearest.max():
        figure.axes[0].contour(
            *(data.first, data.second, data.nearest), levels=[model.reach_], colors="black", linestyles="dashed"
        )
    return figure


def _features(model: Any, wanted: int) -> None:
    model._fitted()
    if model.n_features_in_ != wanted:
        raise ArgumentError(
            f"{type(model).__name__}: this picture needs {wanted} feature{'s' * (wanted > 1)}, and the model was "
            f"fitted on {model.n_features_in_}; fit one on fewer columns, or on principal components."
        )
