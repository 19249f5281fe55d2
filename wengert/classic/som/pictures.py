"""Pictures of maps, each made from arrays that `planes` and `quality` return, or a function beside it.

Every function returns a matplotlib `Figure` and shows nothing; `wengert.train.pictures.save` renders one. Units are
squares or hexagons, row 0 on top. On a torus the last row meets the first and the last column the first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ...errors import ArgumentError
from ...record.buffers import Array
from ...train.pictures import MARKERS, class_colours, new_figure, one_panel, shortened
from ..estimator import plain
from . import planes as arrays
from .lattice import HEIGHT, Lattice
from .quality import parts_of, rows_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import PolyCollection
    from matplotlib.figure import Figure

MOST_TEXTS = 400  # units up to which numbers or names stand in the cells
MOST_PLANES = 36


def cells(positions: Array, lattice: Lattice, spacing: float = 1.0) -> Array:
    """Return the corners of cells around positions, shape (cells, 4 or 6, 2): they fill the plane without gaps.

    >>> cells(np.zeros((1, 2)), Lattice(1, 1)).tolist()
    [[[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]]]
    """
    if lattice.hexagonal:
        angles = np.pi / 180 * np.arange(30, 390, 60)
        corners = np.stack([np.cos(angles), np.sin(angles)], axis=1) / 3**0.5
    else:
        corners = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]])
    return np.asarray(positions[:, None, :] + spacing * corners)


# -- over the lattice ----------------------------------------------------------------------------------------------


def u_matrix(som: Any, *, full: bool = True, average: str = "median", title: str = "U-matrix") -> Figure:
    """Distances between neighbouring units (`planes.u_matrix`): dark valleys are clusters, bright ridges borders."""
    found = arrays.u_matrix(som, full=full, average=average)
    lattice = parts_of(som).lattice
    figure, axes = one_panel(*_size(lattice), title)
    drawn = _draw(axes, lattice, found.values, found.positions, 0.5 if full else 1.0)
    figure.colorbar(drawn, ax=axes, label="distance to neighbours", shrink=0.8)
    return figure


def component_planes(som: Any, names: Sequence[str] | None = None, *, title: str = "Component planes") -> Figure:
    """The weight of each feature over the units (`planes.component_planes`), each on its own scale; the first 36.

    names: of the features; None: those the map was fitted with, else "feature 0" and so on.

    Raises `ArgumentError` where the number of names is not that of the features.
    """
    values = arrays.component_planes(som)
    names = _names(som, len(values)) if names is None else list(names)
    if len(names) != len(values):
        raise ArgumentError(
            f"component_planes: {len(names)} names were given for {len(values)} features; pass one each."
        )
    lattice = parts_of(som).lattice
    shown = min(len(values), MOST_PLANES)
    columns = min(shown, 6)
    rows = -(-shown // columns)
    width, height = _size(lattice)
    shrink = 0.55 if shown > 1 else 1.0
    figure = new_figure(max(shrink * width * columns, 4.0), shrink * height * rows + 0.5, title)
    for place in range(shown):
        axes = figure.add_subplot(rows, columns, place + 1)
        drawn = _draw(axes, lattice, values[place], lattice.positions)
        axes.set_title(shortened(names[place]), fontsize=9)
        figure.colorbar(drawn, ax=axes, shrink=0.8)
        if shown > 1:
            axes.set(xticks=[], yticks=[], xlabel="", ylabel="")
    return figure


def hits(som: Any, X: Any, sample_weight: Any = None, *, title: str = "Hits") -> Figure:
    """For how many rows each unit is the best (`planes.hits`)."""
    counts = arrays.hits(som, X, sample_weight)
    lattice = parts_of(som).lattice
    figure, axes = one_panel(*_size(lattice), title)
    drawn = _draw(axes, lattice, counts, lattice.positions)
    figure.colorbar(drawn, ax=axes, label="rows" if sample_weight is None else "weight", shrink=0.8)
    if lattice.units <= MOST_TEXTS:
        half = counts.max() / 2
        for (x, y), count in zip(lattice.positions, counts.ravel(), strict=True):
            if count:
                colour = "black" if count > half else "white"
                axes.text(x, y, f"{count:g}", ha="center", va="center", fontsize=7, color=colour)
    return figure


def labels(som: Any, X: Any, y: Any, sample_weight: Any = None, *, title: str = "Labels of units") -> Figure:
    """The majority class of each unit, paler the less pure it is (`planes.label_map`); white where no row fell."""
    from matplotlib.collections import PolyCollection
    from matplotlib.colors import to_rgba
    from matplotlib.patches import Patch

    found = arrays.label_map(som, X, y, sample_weight)
    lattice = parts_of(som).lattice
    figure, axes = one_panel(_size(lattice)[0] + 0.6, _size(lattice)[1], title)
    colours = [to_rgba(colour) for colour in class_colours(len(found.classes))]
    faces = np.ones((lattice.units, 4))
    for unit, (label, purity) in enumerate(zip(found.labels.ravel(), found.purity.ravel(), strict=True)):
        if label >= 0:
            faces[unit, :3] = 1 - purity * (1 - np.array(colours[label][:3]))
            if lattice.units <= MOST_TEXTS:
                bright = faces[unit, :3] @ (0.3, 0.59, 0.11) > 0.5
                name = shortened(str(found.classes[label]))[:3]
                x, y_ = lattice.positions[unit]
                axes.text(x, y_, name, ha="center", va="center", fontsize=7, color="black" if bright else "white")
    drawn = PolyCollection(list(cells(lattice.positions, lattice)), facecolors=faces, edgecolors="0.8", linewidths=0.5)
    axes.add_collection(drawn)
    _frame(axes, lattice, lattice.positions, 1.0)
    entries = [
        Patch(color=colour, label=shortened(str(name))) for colour, name in zip(colours, found.classes, strict=True)
    ]
    axes.legend(handles=entries, loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=8)
    return figure


# -- in the space of the data --------------------------------------------------------------------------------------


class Projection(NamedTuple):
    """A map in a plane of the data.

    points: the rows, float64, shape (n, 2). nodes: the units, one array a frame, float64, shape (frames, units, 2).
    edges: pairs of neighbouring units, int64, shape (edges, 2). names: of the two axes.
    """

    points: Array
    nodes: Array
    edges: Array
    names: tuple[str, str]


def projection(som: Any, X: Any, features: tuple[int, int] | None = None, *, history: bool = False) -> Projection:
    """Return rows and units in the plane of two features, or (None) of the first two principal components of X.

    A missing value is put at its feature's mean. history: one frame for each epoch recorded, the start before them;
    else one frame, the map as it is.

    Raises `ArgumentError` for features the map has not, or where no history of weights was recorded.

    >>> from wengert.classic.som import Map
    >>> found = projection(Map([[0.0, 1.0], [2.0, 3.0]], Lattice(1, 2)), [[0.0, 0.0], [1.0, 2.0]], (0, 1))
    >>> found.nodes.tolist(), found.edges.tolist()
    ([[[0.0, 1.0], [2.0, 3.0]]], [[0, 1]])
    """
    weights, lattice, *_ = parts_of(som)
    X = rows_of(som, X).astype(np.float64)
    frames = weights[None]
    if history:
        recorded = getattr(getattr(som, "som_", som), "history_", {})
        if "weights" not in recorded:
            raise ArgumentError("projection: the map recorded no weights; fit it with record=True to replay it.")
        frames = np.asarray(recorded["weights"], np.float64)
    known = ~np.isnan(X)
    mean = np.where(known, X, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    X = np.where(known, X, mean)
    if features is None:
        plane, names = _principal(X - mean), ("first principal component", "second principal component")
        origin = mean
    else:
        if len(features) != 2 or not all(0 <= feature < X.shape[1] for feature in features):
            raise ArgumentError(f"projection: features={features!r} was given; pass two of 0 to {X.shape[1] - 1}.")
        plane, origin = np.eye(X.shape[1])[:, list(features)], np.zeros(X.shape[1])
        all_names = _names(som, X.shape[1])
        names = (all_names[features[0]], all_names[features[1]])
    pairs = [(unit, int(other)) for unit, near in enumerate(lattice.neighbours()) for other in near if unit < other]
    edges = np.array(pairs, np.int64).reshape(-1, 2)
    return Projection((X - origin) @ plane, (frames - origin) @ plane, edges, names)


def data_space(
    som: Any, X: Any, y: Any = None, features: tuple[int, int] | None = None, *, title: str = "Map in the data"
) -> Figure:
    """The lattice drawn over the rows it was fitted to (`projection`); with y the rows are marked by class."""
    found = projection(som, X, features)
    return _over(found, found.nodes[-1], y, title)


def replay(som: Any, X: Any, y: Any = None, features: tuple[int, int] | None = None) -> list[Figure]:
    """One picture for the start and each epoch of a map fitted with record=True, all with the same axes."""
    found = projection(som, X, features, history=True)
    everything = np.concatenate([found.points, found.nodes.reshape(-1, 2)])
    low, high = everything.min(axis=0), everything.max(axis=0)
    margin = np.where(high > low, 0.05 * (high - low), 1.0)
    figures = []
    for epoch, nodes in enumerate(found.nodes):
        figure = _over(found, nodes, y, f"Epoch {epoch}" if epoch else "Start")
        bounds = np.stack([low - margin, high + margin], axis=1).tolist()
        figure.axes[0].set(xlim=bounds[0], ylim=bounds[1])
        figures.append(figure)
    return figures


def _over(found: Projection, nodes: Array, y: Any, title: str) -> Figure:
    from matplotlib.collections import LineCollection

    figure, axes = one_panel(6.0, 5.2, title)
    if y is None:
        axes.plot(*found.points.T, ".", color="0.6", markersize=3, zorder=1, label="rows")
    else:
        classes, numbers = np.unique(np.asarray(plain(y)), return_inverse=True)
        for k, colour in enumerate(class_colours(len(classes))):
            marker, name = MARKERS[k % len(MARKERS)], shortened(str(classes[k]))
            style = {"linestyle": "none", "marker": marker, "color": colour, "markersize": 4, "label": name}
            axes.plot(*found.points[numbers == k].T, **style, zorder=1)
    axes.add_collection(LineCollection(list(nodes[found.edges]), colors="black", linewidths=0.8, zorder=2))
    style = {"linestyle": "none", "marker": "o", "markerfacecolor": "white", "markeredgecolor": "black"}
    axes.plot(*nodes.T, **style, markersize=4, zorder=3, label="units")
    axes.set(xlabel=found.names[0], ylabel=found.names[1])
    axes.legend(fontsize=8)
    return figure


# -- the bargain ---------------------------------------------------------------------------------------------------


def tradeoff(curves: Mapping[str, Mapping[str, Array]], *, title: str = "Errors over the final radius") -> Figure:
    """Quantization and topographic error over the final radius, and against each other.

    curves: name -> arrays "radius", "quantization_error", "topographic_error", as `quality.over_radius` returns them.
    """
    figure = new_figure(12.0, 3.8, title)
    panels = [
        ("radius", "quantization_error"),
        ("radius", "topographic_error"),
        ("quantization_error", "topographic_error"),
    ]
    for place, (across, up) in enumerate(panels, 1):
        axes = figure.add_subplot(1, 3, place)
        for k, ((name, curve), colour) in enumerate(zip(curves.items(), class_colours(len(curves)), strict=True)):
            style = ("-", "--", ":", "-.")[k % 4]
            axes.plot(curve[across], curve[up], style, marker=MARKERS[k % len(MARKERS)], color=colour, label=name)
        words = {"radius": "final radius"}
        axes.set(xlabel=words.get(across, across.replace("_", " ")), ylabel=up.replace("_", " "))
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8)
    return figure


# -- inside --------------------------------------------------------------------------------------------------------


def _draw(axes: Axes, lattice: Lattice, values: Array, positions: Array, spacing: float = 1.0) -> PolyCollection:
    """Draw one coloured cell a position; the values are the collection's array."""
    from matplotlib.collections import PolyCollection

    drawn = PolyCollection(list(cells(positions, lattice, spacing)), cmap="viridis", edgecolors="face", linewidths=0.3)
    drawn.set_array(np.asarray(values, np.float64).ravel())
    axes.add_collection(drawn)
    _frame(axes, lattice, positions, spacing)
    return drawn


def _frame(axes: Axes, lattice: Lattice, positions: Array, spacing: float) -> None:
    """Set limits, with row 0 on top, and ticks at the units."""
    low, high = positions.min(axis=0) - 0.6 * spacing, positions.max(axis=0) + 0.6 * spacing
    axes.set(xlim=(low[0], high[0]), ylim=(high[1], low[1]), aspect="equal")
    height = HEIGHT if lattice.hexagonal else 1.0
    for set_ticks, count, step in (
        (axes.set_xticks, lattice.columns, 1.0),
        (axes.set_yticks, lattice.rows, height),
    ):
        numbers = np.arange(0, count, max(1, -(-count // 10)))
        set_ticks(numbers * step, [str(number) for number in numbers])
    closed = " (closed)" if lattice.torus else ""
    axes.set(xlabel=f"column{closed}", ylabel=f"row{closed}")


def _size(lattice: Lattice) -> tuple[float, float]:
    """Return a figure's width and height in inches, in proportion to the lattice."""
    height = lattice.rows * (HEIGHT if lattice.hexagonal else 1.0)
    scale = 4.5 / max(lattice.columns, height)
    return max(scale * lattice.columns, 1.5) + 1.6, max(scale * height, 1.5) + 0.9


def _names(som: Any, features: int) -> list[str]:
    """Return the names of the features the map was fitted with, or numbers."""
    return [str(name) for name in getattr(som, "feature_names_in_", [f"feature {k}" for k in range(features)])]


def _principal(centred: Array) -> Array:
    """Return the first two principal directions as columns, shape (features, 2); their largest entries are positive."""
    _, _, directions = np.linalg.svd(centred, full_matrices=False)
    plane = np.zeros((centred.shape[1], 2))
    for k, direction in enumerate(directions[:2]):
        plane[:, k] = direction * np.sign(direction[np.abs(direction).argmax()])
    return plane
