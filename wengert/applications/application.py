"""What an application is: a question put to real data, the networks that answer it, and the baselines beside them.

An application file only declares. `evaluation` trains and measures, `report` writes the page.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from ..record.buffers import Array

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .evaluation import Outcome

Family = Literal["classification", "recognition", "assessment", "forecasting", "function approximation"]
Rows = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Source:
    """Where the data comes from.

    Attributes:
        text: what it is, how much of it, who made it, and where it is read from.
        licence: its licence, or why it is not shipped.
    """

    text: str
    licence: str


@dataclass(frozen=True, eq=False)
class Samples:
    """Rows to learn from.

    Attributes:
        x: shape (rows, features), floating.
        y: shape (rows,): class numbers, or numbers to predict.
        features: one name per column of `x`.
        classes: one name per class number; empty where y is a quantity.
        groups: shape (rows,), who or what a row belongs to, where rows come in groups.
        times: shape (rows,), when the target of a row was measured, for series.
    """

    x: Array
    y: Array
    features: tuple[str, ...]
    classes: tuple[str, ...] = ()
    groups: Array | None = None
    times: Array | None = None

    def __len__(self) -> int:
        return len(self.x)


class Round(NamedTuple):
    """One training and one test: the rows of each, and the number of the repeat the round belongs to."""

    repeat: int
    train: Rows
    test: Rows


def _same(data: Any) -> Samples:
    return data  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Contest:
    """One way of dividing the data into rounds.

    Attributes:
        name: a few words, for tables.
        split: what is trained on and what is tested on, in a sentence.
        rounds: samples, seed and whether it is to be quick -> the rounds.
        samples: what `Application.load` returned -> the rows of this contest.
    """

    name: str
    split: str
    rounds: Callable[[Samples, int, bool], list[Round]]
    samples: Callable[[Any], Samples] = _same


@dataclass(frozen=True)
class Entrant:
    """One of the contestants.

    Attributes:
        name: for tables.
        make: a seed -> an estimator with scikit-learn's interface, not trained.
        ours: whether it is a network of this library; the first of ours is the one that is judged.
        about: its settings in words.
    """

    name: str
    make: Callable[[int], Any]
    ours: bool = False
    about: str = ""


@dataclass(frozen=True)
class Measure:
    """A figure for how good answers are.

    Attributes:
        name: with its unit.
        of: the answers to some rows and their targets -> the figure; NaN where it has no meaning.
        better: "higher", "lower", or "" for a figure that is only to be looked at.
        percent: whether it is a share, to be shown in percent.
    """

    name: str
    of: Callable[[Any, Array], float]
    better: Literal["higher", "lower", ""]
    percent: bool = False

    def text(self, value: float, spread: float | None = None, like: float | None = None) -> str:
        """Return a figure, and its spread, as tables show them; like: a figure whose number of decimals is to be used.

        >>> Measure("accuracy", lambda answer, y: 0.0, "higher", percent=True).text(0.8472, 0.0571)
        '84.7 ± 5.7 %'
        """
        if np.isnan(value):
            return "–"
        if self.percent:
            tail = "" if spread is None else f" ± {100 * spread:.1f}"
            return f"{100 * value:.1f}{tail} %"
        size = abs(value if like is None else like)
        digits = max(0, 2 - int(np.floor(np.log10(size)))) if size else 2
        tail = "" if spread is None else f" ± {spread:.{digits}f}"
        return f"{value:.{digits}f}{tail}"


def predicted(estimator: Any, x: Array) -> Any:
    """Return what an estimator predicts: the answers that most measures judge."""
    return estimator.predict(x)


def _no_pictures(outcome: Outcome) -> Mapping[str, Figure]:
    return {}


def _no_findings(outcome: Outcome) -> list[str]:
    return []


@dataclass(frozen=True)
class Application:
    """A worked example on real data, run by one command.

    Attributes:
        name: as the command line spells it.
        title, family: for the reader.
        question: what is to be found out, in a sentence or two.
        source: of the data.
        load: reads the data; raises `DataError` with the remedy where it is missing.
        contests: ways of dividing it; the first is the one that is judged.
        entrants: whether it is to be quick -> who takes part.
        measures: the first is the one that is judged.
        settings: how the networks' settings were chosen.
        closing: what is to be learned from it, in a sentence or two.
        answer: a trained estimator and rows -> what the measures are given.
        pictures: what was measured -> figures by name.
        findings: what was measured -> sentences with more figures.
    """

    name: str
    title: str
    family: Family
    question: str
    source: Source
    load: Callable[[], Any]
    contests: tuple[Contest, ...]
    entrants: Callable[[bool], tuple[Entrant, ...]]
    measures: tuple[Measure, ...]
    settings: str
    closing: str
    answer: Callable[[Any, Array], Any] = predicted
    pictures: Callable[[Outcome], Mapping[str, Figure]] = field(default=_no_pictures)
    findings: Callable[[Outcome], list[str]] = field(default=_no_findings)
