"""Pictures of adaptive resonance: boxes, templates, and how many categories there are; beside each, its numbers.

Every picture is a matplotlib `Figure` made without pyplot; `wengert.train.pictures.save` writes one to a file. Classes
and categories differ in marker as well as in colour.
"""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import clone

from ...errors import ArgumentError
from ...record.buffers import Array
from ...train.pictures import MARKERS, class_colours, one_panel, padded
from ..estimator import plain
from .base import ResonantNetwork
from .fuzzy import FuzzyNetwork
from .voting import VotingARTMAP

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_IMAGES = 40  # templates shown
MOST_NAMED = 12  # groups a legend lists
GRID = 161  # points along each side of a plane
SIZE = 6.2, 4.8  # of a picture with one panel, inches


# -- boxes ---------------------------------------------------------------------------------------------------------


def category_boxes(
    model: FuzzyNetwork, X: Any = None, y: Any = None, *, axes: tuple[int, int] = (0, 1), names: Sequence[str] = ()
) -> Figure:
    """Return a picture of a fuzzy network's categories as rectangles in the plane of two features.

    model: a fitted FuzzyART or FuzzyARTMAP. A category of one point is drawn as a small cross.
    X: points to draw under them, (rows, features). y: what colours the points, (rows,); None: the category or class
        the model predicts. axes: the numbers of the two features. names: of all features, for the axes' labels.

    The numbers are `model.boxes()`. Raises NotFittedError, `ArgumentError` for a feature there is not.

    >>> from wengert.classic import FuzzyART
    >>> model = FuzzyART(rho=0.6).fit([[0, 10], [1, 11], [8, 20]])
    >>> [patch.get_bbox().get_points().tolist() for patch in category_boxes(model).axes[0].patches]
    [[[0.0, 10.0], [1.0, 11.0]], [[8.0, 20.0], [8.0, 20.0]]]
    """
    from matplotlib.patches import Rectangle

    boxes = model.boxes()
    features = boxes.shape[2]
    if len(axes) != 2 or not all(0 <= axis < features for axis in axes):
        raise ArgumentError(f"category_boxes: axes={axes!r} was given; pass two numbers below {features}.")
    boxes = boxes[:, :, list(axes)]
    figure, panel = one_panel(*SIZE, f"{len(boxes)} categories")
    groups = getattr(model, "category_classes_", np.arange(len(boxes)))
    points = None
    if X is not None:
        X = model._samples(X, reset=False)
        y = model.predict(X) if y is None else np.asarray(plain(y))
        points = X[:, list(axes)]
        if len(y) != len(X):
            raise ArgumentError(f"category_boxes: y has {len(y)} values for {len(X)} rows of X; pass one for each.")
    known = np.unique(groups) if y is None else np.union1d(groups, y)
    colours = class_colours(len(known))
    if points is not None:
        _draw_points(panel, points, y, known, colours)
    for (low, high), group in zip(boxes, groups, strict=True):
        colour = colours[int(np.searchsorted(known, group))]
        width, height = (high - low).tolist()
        panel.add_patch(Rectangle(tuple(low.tolist()), width, height, fill=False, edgecolor=colour, linewidth=1.4))
    single = boxes[(boxes[:, 0] == boxes[:, 1]).all(axis=1), 0]
    if len(single):
        panel.plot(*single.T, "+", color="0.3", markersize=6, label="one point")
    panel.autoscale_view()
    panel.set(**dict(zip(("xlabel", "ylabel"), (_name(names, axis) for axis in axes), strict=True)))
    _legend(panel)
    return figure


def _draw_points(panel: Axes, points: Array, y: Array, known: Array, colours: list[Any]) -> None:
    named = len(known) <= MOST_NAMED
    for place, group in enumerate(known):
        mine = points[y == group]
        if len(mine):
            panel.plot(
                *mine.T, linestyle="none", marker=MARKERS[place % len(MARKERS)], color=colours[place], alpha=0.6,
                markeredgecolor="black", markeredgewidth=0.4, markersize=4, label=str(group) if named else None,
            )  # fmt: skip


# -- how many categories -------------------------------------------------------------------------------------------


def categories_over_vigilance(
    model: ResonantNetwork, X: Any, y: Any = None, *, vigilances: Any = None
) -> tuple[Array, Array]:
    """Return vigilances and how many categories the model makes of X at each: float64 and int64, one each.

    model: its settings are used, with rho replaced; it need not be fitted, and stays as it is. X: (rows, features).
    y: (rows,), for a classifier. vigilances: from 0 to 1; None: 0.05, 0.1, ... 0.95. Raises `ArgumentError`.

    >>> from wengert.classic import FuzzyART
    >>> counts = categories_over_vigilance(FuzzyART(), [[0.0], [0.3], [1.0]], vigilances=[0.2, 0.6, 0.9])[1]
    >>> counts
    array([2, 2, 3])
    """
    rhos = np.arange(1, 20) / 20 if vigilances is None else np.asarray(plain(vigilances), np.float64).ravel()
    counts = [clone(model).set_params(rho=rho).fit(X, y).n_categories_ for rho in rhos.tolist()]
    return rhos, np.array(counts, np.int64)


def vigilance_curve(model: ResonantNetwork, X: Any, y: Any = None, *, vigilances: Any = None) -> Figure:
    """Return a picture of `categories_over_vigilance`, which takes the same arguments.

    >>> from wengert.classic import FuzzyART
    >>> figure = vigilance_curve(FuzzyART(), [[0.0], [0.3], [1.0]], vigilances=[0.2, 0.6, 0.9])
    >>> figure.axes[0].lines[0].get_ydata()
    array([2, 2, 3])
    """
    rhos, counts = categories_over_vigilance(model, X, y, vigilances=vigilances)
    figure, panel = one_panel(*SIZE, f"{type(model).__name__}: categories over vigilance")
    panel.plot(rhos, counts, "o-", markersize=4)
    if counts.min() > 0 and counts.max() > 20 * counts.min():
        panel.set_yscale("log")
    panel.set(xlabel="vigilance ρ", ylabel="categories")
    panel.grid(alpha=0.3)
    return figure


def categories_over_presentations(
    model: ResonantNetwork, X: Any, y: Any = None, *, points: int = 100
) -> tuple[Array, Array]:
    """Return how many categories there are as a stream goes on: presentations and categories, int64, one each.

    model: its settings are used; it need not be fitted, and stays as it is. X: (rows, features), shown once in this
    order. y: (rows,), for a classifier. points: how many times at most the categories are counted; the last is after
    the last row. The part before the first point says what range the features have, unless `feature_range` does.

    >>> from wengert.classic import ART1
    >>> categories_over_presentations(ART1(rho=0.9), [[1, 0], [1, 0], [0, 1], [1, 1]])
    (array([1, 2, 3, 4]), array([1, 1, 2, 3]))
    """
    given: Any = points
    if isinstance(given, bool) or not isinstance(given, numbers.Integral) or points < 1:
        raise ArgumentError(f"categories_over_presentations: points={points!r} was given; pass a whole number above 0.")
    rows = np.asarray(plain(X))
    targets = None if y is None else np.asarray(plain(y))
    ends = np.unique(np.linspace(0, len(rows), min(points, len(rows)) + 1).astype(np.int64))[1:]
    network = _for_stream(model, rows)
    counts, begin = [], 0
    for end in ends.tolist():
        if targets is None:
            network.partial_fit(rows[begin:end])
        else:
            network.partial_fit(rows[begin:end], targets[begin:end])
        counts.append(network.n_categories_)
        begin = end
    return ends, np.array(counts, np.int64)


def growth_curve(model: ResonantNetwork, X: Any, y: Any = None, *, points: int = 100) -> Figure:
    """Return a picture of `categories_over_presentations`, which takes the same arguments.

    >>> from wengert.classic import ART1
    >>> growth_curve(ART1(rho=0.9), [[1, 0], [1, 0], [0, 1], [1, 1]]).axes[0].lines[0].get_ydata()
    array([1, 1, 2, 3])
    """
    shown, counts = categories_over_presentations(model, X, y, points=points)
    figure, panel = one_panel(*SIZE, f"{type(model).__name__}: categories over presentations")
    panel.plot(shown, counts, "-", drawstyle="steps-post", marker="." if len(shown) < 30 else None)
    panel.set(xlabel="presentations", ylabel="categories", ylim=(0, None))
    panel.grid(alpha=0.3)
    return figure


def _for_stream(model: ResonantNetwork, rows: Array) -> Any:
    """Return an unfitted copy that scales its features as `fit` on all rows would."""
    network = clone(model)
    if isinstance(network, FuzzyNetwork) and network.feature_range is None:
        low, high = rows.min(axis=0).astype(np.float64), rows.max(axis=0).astype(np.float64)
        if (low < high).all():
            network.set_params(feature_range=(low, high))
    return network


# -- templates -----------------------------------------------------------------------------------------------------


def template_images(model: ResonantNetwork, shape: tuple[int, int]) -> Array:
    """Return every category's weights as images: float64, (categories, parts, height, width).

    parts: 1 for ART1 (the template) and ART2-A (the unit vector). 2 for the fuzzy networks: the low corner of the box,
    which is what all of its patterns have, and the high corner, what any has, in the data's units.
    shape: (height, width) of an image of all features, row after row. Raises `ArgumentError` where they do not fit.

    >>> from wengert.classic import ART1
    >>> template_images(ART1().fit([[1, 0, 0, 1]]), (2, 2))[0, 0].tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    weights = model.boxes() if isinstance(model, FuzzyNetwork) else model.weights_[:, None]
    height, width = shape
    if height * width != weights.shape[2]:
        raise ArgumentError(
            f"template_images: shape={shape!r} was given, {height * width} numbers, for {weights.shape[2]} features; "
            "pass (height, width) of an image of all of them."
        )
    return weights.reshape(*weights.shape[:2], height, width)


def templates(model: ResonantNetwork, shape: tuple[int, int]) -> Figure:
    """Return a picture of `template_images`: the 40 categories that won most, each with how often it did.

    >>> from wengert.classic import ART1
    >>> figure = templates(ART1().fit([[1, 0, 0, 1], [0, 1, 1, 0], [1, 0, 0, 1]]), (2, 2))
    >>> [axes.get_title() for axes in figure.axes]
    ['0: 4 wins', '1: 2 wins']
    """
    from matplotlib.figure import Figure

    images, wins = template_images(model, shape), model.wins_
    order = np.argsort(-wins, kind="stable")[:MOST_IMAGES]
    parts = images.shape[1]
    columns = max(1, min(len(order), 8))
    lines = max(1, -(-len(order) // columns))
    figure = Figure(figsize=(1.25 * columns + 0.8, 1.4 * lines * parts + 0.6), layout="constrained")
    kept = "the most successful of " if len(order) < len(wins) else ""
    figure.suptitle(f"{len(order)} templates, {kept}{len(wins)} categories" if kept else f"{len(wins)} templates")
    low, high = (float(images.min()), float(images.max())) if images.size else (0.0, 1.0)
    for place, category in enumerate(order.tolist()):
        line, column = divmod(place, columns)
        for part in range(parts):
            panel = figure.add_subplot(lines * parts, columns, (line * parts + part) * columns + column + 1)
            panel.imshow(images[category, part], cmap="gray_r", vmin=low, vmax=high)
            name = f"{category}: {wins[category]} wins" if parts == 1 else f"{category}: in {('all', 'any')[part]}"
            panel.set_title(name, fontsize=7)
            panel.set_xticks([])
            panel.set_yticks([])
    return figure


# -- votes ---------------------------------------------------------------------------------------------------------


def vote_agreement(model: VotingARTMAP, limits: Any) -> tuple[Array, Array, Array, Array]:
    """Return where voters agree in a plane: xs, ys, the winning class's place in `classes_`, and its share of votes.

    model: fitted on two features. limits: ((x low, x high), (y low, y high)) of the plane. xs, ys: float64, (161,);
    the places, int64, and shares, float64 from 1 / voters to 1: (161, 161), a row for each of ys.
    """
    (left, right), (low, high) = limits
    xs, ys = np.linspace(left, right, GRID), np.linspace(low, high, GRID)
    points = np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2)
    votes = model.votes(points)
    places = votes.argmax(axis=1).reshape(GRID, GRID)
    return xs, ys, places, votes.max(axis=1).reshape(GRID, GRID) / votes.sum(axis=1).reshape(GRID, GRID)


def vote_regions(model: VotingARTMAP, X: Any, y: Any, *, names: Sequence[str] = ()) -> Figure:
    """Return a picture of `vote_agreement` over the plane of X, with borders between classes, and the points.

    model: fitted on two features. X: (rows, 2). y: classes, (rows,). names: of the two features. Bright is where all
    voters agree. Raises NotFittedError, ValueError for another number of features.

    >>> from wengert.classic import VotingARTMAP
    >>> X, y = [[0.0, 0.0], [0.1, 0.2], [1.0, 1.0], [0.8, 0.9]], ["a", "a", "b", "b"]
    >>> figure = vote_regions(VotingARTMAP(n_voters=3, random_state=0).fit(X, y), X, y, names=["u", "v"])
    >>> [axes.get_xlabel() for axes in figure.axes][0], figure.axes[1].get_ylabel()
    ('u', 'share of votes for the winner')
    """
    X, y = model._samples(X, y, reset=False)
    if X.shape[1] != 2:
        raise ArgumentError(f"vote_regions: X has {X.shape[1]} features; fit and draw a model of two.")
    limits = [padded(X[:, axis]) for axis in (0, 1)]
    xs, ys, places, shares = vote_agreement(model, limits)
    figure, panel = one_panel(*SIZE, f"{len(model.voters_)} voters")
    image = panel.pcolormesh(xs, ys, shares, cmap="cividis", vmin=1 / len(model.classes_), vmax=1, shading="nearest")
    for place in range(len(model.classes_)):
        inside = (places == place).astype(np.float64)
        if 0 < inside.mean() < 1:
            panel.contour(xs, ys, inside, levels=[0.5], colors="tab:red", linewidths=1.2)
    _draw_points(panel, X, y, model.classes_, ["white"] * len(model.classes_))
    panel.set(xlabel=_name(names, 0), ylabel=_name(names, 1))
    figure.colorbar(image, ax=panel, label="share of votes for the winner")
    _legend(panel)
    return figure


# -- parts ---------------------------------------------------------------------------------------------------------


def _legend(panel: Axes) -> None:
    if panel.get_legend_handles_labels()[0]:
        panel.legend(framealpha=0.9, fontsize=8)


def _name(names: Sequence[str], axis: int) -> str:
    return str(names[axis]) if axis < len(names) else f"feature {axis}"
