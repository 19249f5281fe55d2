"""Ways of dividing samples into rounds of training and test rows; none lets a row be on both sides of a round."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from sklearn.model_selection import GroupKFold, StratifiedKFold

from ..datasets import blocks, folds
from ..errors import ArgumentError
from .application import Round, Rows, Samples

Rounds = Callable[[Samples, int, bool], list[Round]]


def repeated_folds(k: int, repeats: int) -> Rounds:
    """Shuffled folds, stratified by class where the targets are classes, again and again in another order.

    A quick run makes one repeat of at most three folds.

    >>> samples = Samples(np.zeros((6, 1)), np.array([0, 0, 0, 1, 1, 1]), ("x",), ("no", "yes"))
    >>> [samples.y[each.test].tolist() for each in repeated_folds(3, repeats=1)(samples, 0, False)]
    [[0, 1], [0, 1], [0, 1]]
    """

    def rounds(samples: Samples, seed: int, quick: bool) -> list[Round]:
        parts, found = min(k, 3) if quick else k, []
        for repeat in range(1 if quick else repeats):
            if samples.classes:
                splitter = StratifiedKFold(parts, shuffle=True, random_state=seed + repeat)
                pairs = tuple(splitter.split(samples.x, samples.y))
            else:
                pairs = folds(len(samples), parts, seed + repeat)
            found += [Round(repeat, train, test) for train, test in pairs]
        return found

    return rounds


def repeated_blocks(k: int, repeats: int) -> Rounds:
    """Contiguous blocks of the original order, trained again from other weights in each repeat."""

    def rounds(samples: Samples, seed: int, quick: bool) -> list[Round]:
        pairs = blocks(len(samples), k)
        pairs = pairs[:1] if quick else pairs
        return [Round(repeat, *pair) for repeat in range(1 if quick else repeats) for pair in pairs]

    return rounds


def groups_left_out(k: int, repeats: int) -> Rounds:
    """Folds that keep all rows of a group (a speaker, a day) on one side; which groups go together is drawn."""

    def rounds(samples: Samples, seed: int, quick: bool) -> list[Round]:
        if samples.groups is None:
            raise ArgumentError("groups_left_out: the samples have no groups; give Samples(..., groups=...).")
        found = []
        for repeat in range(1 if quick else repeats):
            splitter = GroupKFold(min(k, 2) if quick else k, shuffle=True, random_state=seed + repeat)
            found += [Round(repeat, *pair) for pair in splitter.split(samples.x, samples.y, samples.groups)]
        return found

    return rounds


def given(part: Callable[[Samples], Rows], repeats: int) -> Rounds:
    """A split that is published: `part` gives the test rows; each repeat trains from other weights."""

    def rounds(samples: Samples, seed: int, quick: bool) -> list[Round]:
        test = np.asarray(part(samples))
        train = np.setdiff1d(np.arange(len(samples)), test)
        return [Round(repeat, train, test) for repeat in range(1 if quick else repeats)]

    return rounds


def rolling_origin(first: float, step: int, gap: int = 0, repeats: int = 1) -> Rounds:
    """Train on everything before an origin, test on the `step` rows after it, and move the origin on by as many.

    first: share of the rows before the first origin, at least: origins are counted back from the end, so that every
    test part is whole. gap: rows left out before each origin: for a forecast made `h` steps ahead, h - 1, whose targets
    are not known yet when the first test forecast is made. A quick run takes the last two origins.
    Source: L. Tashman, Int. J. Forecasting 16 (2000) 437.

    >>> samples = Samples(np.zeros((10, 1)), np.zeros(10), ("x",))
    >>> for each in rolling_origin(0.5, step=3, gap=1)(samples, 0, False):
    ...     print(each.train.tolist(), each.test.tolist())
    [0, 1, 2, 3, 4, 5] [7, 8, 9]
    """

    def rounds(samples: Samples, seed: int, quick: bool) -> list[Round]:
        n, every = len(samples), np.arange(len(samples))
        count = int(n * (1 - first)) // step
        origins = [n - step * left for left in range(count, 0, -1)]
        origins = origins[-2:] if quick else origins
        return [
            Round(repeat, every[: origin - gap], every[origin : origin + step])
            for repeat in range(1 if quick else repeats)
            for origin in origins
        ]

    return rounds
