"""The gallery of the applications: what was measured, drawn with matplotlib; next to each, its data as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..record.buffers import Array
from ..train import pictures
from .application import Measure
from .evaluation import PARTS, Result

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Okabe and Ito's colours, told apart by all kinds of colour vision; each line has a dash or a marker of its own too.
BLUE, ORANGE, GREEN, RED, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "0.45"


class Comparison(NamedTuple):
    """Means and spreads of one measure: names, then arrays of shape (entrants,) for training and test."""

    names: tuple[str, ...]
    training: Array
    test: Array
    spread: Array


def comparison_data(result: Result, measure: Measure) -> Comparison:
    """Return what `comparison` draws; a spread is 0 where there is one round only."""
    names = tuple(entrant.name for entrant in result.entrants)
    training, test = (np.array([result.mean(name, measure.name, part) for name in names]) for part in PARTS)
    return Comparison(names, training, test, np.array([result.spread(name, measure.name) or 0.0 for name in names]))


def comparison(result: Result, measure: Measure) -> Figure:
    """Draw every entrant's figure on training and test rows side by side, the spread over the rounds as a bar."""
    from matplotlib.figure import Figure

    data, scale = comparison_data(result, measure), 100 if measure.percent else 1
    figure = Figure(figsize=(7.0, 1.2 + 0.42 * len(data.names)), layout="constrained")
    figure.suptitle(f"{measure.name}, {result.contest.name}", fontsize=11)
    axes, places = figure.add_subplot(), np.arange(len(data.names))[::-1]
    axes.errorbar(
        scale * data.test, places, xerr=scale * data.spread, fmt="o", color=BLUE, capsize=3, label="test (± spread)"
    )
    axes.plot(scale * data.training, places, "D", markersize=5, markerfacecolor="none", color=ORANGE, label="training")
    axes.set_yticks(places, [entrant.name + (" (ours)" if entrant.ours else "") for entrant in result.entrants])
    axes.set(xlabel=f"{measure.name}{' (%)' if measure.percent else ''}", ylim=(-0.6, len(places) - 0.4))
    axes.set_ylabel("contestant")
    axes.grid(alpha=0.3)
    axes.legend(loc="best")
    return figure


def confusion_data(result: Result, entrant: str) -> Array:
    """Return how often each class was taken for each, on the test rows of the first repeat: (classes, classes)."""
    rows, answer = result.pooled(entrant)
    count = len(result.samples.classes)
    counts = np.zeros((count, count), np.int64)
    np.add.at(counts, (result.samples.y[rows].astype(np.intp), answer.astype(np.intp)), 1)
    return counts


def confusion(result: Result, entrant: str) -> Figure:
    """Draw the confusion matrix of an entrant on the test rows of the first repeat."""
    counts = confusion_data(result, entrant)
    title = f"{entrant}: {int(np.trace(counts))} of {int(counts.sum())} test rows right, {result.contest.name}"
    return pictures.confusion(counts, result.samples.classes, title)


class Forecast(NamedTuple):
    """A forecast beside what came: times, targets, and the answers (rows, 3): forecast, lower and upper end."""

    times: Array
    y: Array
    answer: Array


def forecast_data(result: Result, entrant: str, last: int) -> Forecast:
    """Return the last test rows of the first repeat, in the order of time."""
    rows, answer = result.pooled(entrant)
    order = np.argsort(rows, kind="stable")[-last:]
    times = np.arange(len(result.samples)) if result.samples.times is None else result.samples.times
    return Forecast(times[rows[order]], result.samples.y[rows[order]], answer[order])


def forecast(result: Result, entrant: str, quantity: str, last: int = 120) -> Figure:
    """Draw forecasts with their intervals, and what came, for the last test rows; misses are marked."""
    from matplotlib.figure import Figure

    data = forecast_data(result, entrant, last)
    figure = Figure(figsize=(9.0, 3.9), layout="constrained")
    missed = (data.y < data.answer[:, 1]) | (data.y > data.answer[:, 2])
    figure.suptitle(f"{entrant}, {result.contest.name}: {int(missed.sum())} of {len(missed)} outside", fontsize=11)
    axes = figure.add_subplot()
    axes.fill_between(data.times, data.answer[:, 1], data.answer[:, 2], color=BLUE, alpha=0.2, label="interval")
    axes.plot(data.times, data.answer[:, 0], "-", color=BLUE, label="forecast")
    axes.plot(data.times, data.y, ".", color="black", markersize=4, label="measured")
    axes.plot(data.times[missed], data.y[missed], "o", markerfacecolor="none", color=RED, label="outside")
    axes.set(xlabel="time", ylabel=quantity)
    axes.grid(alpha=0.3)
    axes.legend(ncols=4, fontsize=9)
    return figure


def lines(
    x: Array,
    curves: dict[str, Array],
    names: tuple[str, str],
    title: str,
    *,
    log: bool = False,
    marked: Sequence[float] = (),
) -> Figure:
    """Draw curves over a common axis.

    x: shape (n,). curves: name -> shape (n,), or (runs, n), whose mean is drawn with the range of all runs behind it.
    names: of both axes. log: both axes logarithmic. marked: places on the x axis to be marked by an upright line.

    >>> figure = lines(np.arange(3.0), {"a": np.zeros(3)}, ("x", "y"), "Nothing")
    >>> figure.axes[0].get_xlabel()
    'x'
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4.2), layout="constrained")
    figure.suptitle(title, fontsize=11)
    axes = figure.add_subplot()
    looks: list[dict[str, Any]] = [
        {"color": BLUE, "linestyle": "-", "marker": "o"},
        {"color": ORANGE, "linestyle": "--", "marker": "s"},
        {"color": GREEN, "linestyle": "-.", "marker": "D"},
        {"color": RED, "linestyle": ":", "marker": "^"},
        {"color": GREY, "linestyle": "-", "marker": "v"},
    ]
    for look, (name, values) in zip(looks * len(curves), curves.items(), strict=False):
        runs = np.atleast_2d(values)
        marker = look["marker"] if len(x) < 40 else ""
        axes.plot(x, runs.mean(axis=0), label=name, **{**look, "marker": marker, "markersize": 4})
        if len(runs) > 1:
            axes.fill_between(x, runs.min(axis=0), runs.max(axis=0), color=look["color"], alpha=0.15)
    for place in marked:
        axes.axvline(place, color=GREY, linestyle=":", linewidth=1)
    if log:
        axes.set(xscale="log", yscale="log")
    axes.set(xlabel=names[0], ylabel=names[1])
    axes.grid(alpha=0.3)
    axes.legend(fontsize=9)
    return figure
