"""What the sequential rules mean, in NumPy: the judge of the kernels beside it, and bit for bit the same.

Rows are presented one after another. An input is a window of `width` elements of a flat array, row r beginning at
element `first + r * step`: with a step of `width` these are the rows of a matrix, with a smaller or negative one the
moving windows of a signal. A constant input c (1, or 0 for none) follows, its weight is the last. Sums run over 16
lanes, and those are folded by halves, so that the order of additions is fixed.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ...record.buffers import Array

LANES = 16


class Windows(NamedTuple):
    """Inputs as windows of a flat array in C order; see above.

    >>> Windows(np.arange(6.0), 0, 2, 2).row(1)
    array([2., 3.])
    """

    flat: Array
    first: int
    step: int
    width: int

    def row(self, r: int) -> Array:
        """Return the input of row r, without the constant."""
        start = self.first + r * self.step
        return self.flat[start : start + self.width]


def rows_of(X: Array) -> Windows:
    """Return the rows of a matrix as windows."""
    return Windows(X.reshape(-1), 0, X.shape[1], X.shape[1])


def dot(a: Array, b: Array) -> Any:
    """Return the sum of products in the kernels' order: lane by lane, then upper half onto lower half.

    >>> dot(np.ones(20), np.arange(20.0))
    np.float64(190.0)
    """
    products = np.zeros(-(-a.size // LANES) * LANES, a.dtype)
    products[: a.size] = a * b
    lanes = np.zeros(LANES, a.dtype)
    for block in products.reshape(-1, LANES):
        lanes = lanes + block
    while lanes.size > 1:
        lanes = lanes[: lanes.size // 2] + lanes[lanes.size // 2 :]
    return lanes[0]


def net_input(w: Array, x: Array, c: Any) -> Any:
    """Return w.x and the weighted constant."""
    return dot(w[:-1], x) + w[-1] * c


def descend(how: str, X: Windows, order: Array, targets: Array, weights: Array, nets: Array, numbers: Array) -> None:
    """Present rows in the given order to each unit, whose weights and net inputs change in place.

    how: "net" changes no weights; "lms" adds rate e x after each row (rate here is Widrow and Hoff's 2 eta), "nlms"
        rate e x / (x.x + c c + floor); "batch" adds the sum of e x over all rows, times rate, at the end.
    targets, nets: shape (units, rows); weights: (units, width + 1); numbers: rate, floor and c, in the same dtype.
    """
    rate, floor, c = numbers
    for w, t, net in zip(weights, targets, nets, strict=True):
        total = np.zeros_like(w)
        for r in order:
            x = X.row(r)
            net[r] = net_input(w, x, c)
            if how == "net":
                continue
            e = t[r] - net[r]
            if how == "batch":
                _add(total, e, x, c)
            elif how == "lms":
                _add(w, rate * e, x, c)
            else:
                _add(w, rate * e / (dot(x, x) + c * c + floor), x, c)
        if how == "batch":
            w += rate * total


def recurse(X: Windows, order: Array, targets: Array, state: Array, nets: Array, numbers: Array) -> None:
    """Recursive least squares: present rows in order; targets and nets have shape (rows,), all is float64.

    state: shape (n + 2, padded), n inputs (width, one more with a constant), padded a multiple of 16 above n: the
        weights, a row of scratch, then the triangle R with R w = p, p in column n. Every row is rotated into it.
    numbers: the root of the forgetting factor, and c.
    """
    root, c = numbers
    (w, z), R = state[:2], state[2:]
    n = len(R)
    for r in order:
        z[:] = 0
        z[X.width : n] = c
        z[: X.width] = X.row(r)
        nets[r] = dot(w, z)
        z[n] = targets[r]
        for k in range(n):
            a, b = R[k, k] * root, z[k]
            length = np.sqrt(a * a + b * b)
            cosine, sine = a / length, b / length
            row = R[k] * root
            R[k], z[:] = cosine * row + sine * z, cosine * z - sine * row
            z[k] = 0
        w[:] = 0
        for k in reversed(range(n)):
            w[k] = (R[k, n] - dot(R[k], w)) / R[k, k]


def correct(
    X: Windows, order: Array, labels: Array, weights: Array, pocket: Array, counts: Array, numbers: Array
) -> None:
    """The perceptron's rule for classes (Kesler's construction); weights (classes, width + 1) change in place.

    A row whose own class does not lead alone is a mistake: rate x is added to the weights of its own class and taken
    from those of the best other one (the first of equals).
    numbers: rate, c. counts: mistakes, length of the run without one, and for the pocket the length of its run and the
        rows it predicts (-1: there is no pocket). A run may fill it when it ends, and at the end of the call.
    """
    rate, c = numbers
    for r in order:
        x, own = X.row(r), labels[r]
        scores = [net_input(w, x, c) for w in weights]
        rival = leader(scores, own)
        if scores[own] > scores[rival]:
            counts[1] += 1
            continue
        if counts[3] >= 0:
            exchange(X, labels, weights, pocket, counts, c)
        counts[0] += 1
        counts[1] = 0
        _add(weights[own], rate, x, c)
        _add(weights[rival], -rate, x, c)
    if counts[3] >= 0:
        exchange(X, labels, weights, pocket, counts, c)


def exchange(X: Windows, labels: Array, weights: Array, pocket: Array, counts: Array, c: Any) -> None:
    """Put the weights in the pocket if their run is as long and they predict more of all rows (Gallant's ratchet).

    A row counts as right if its class is what `predict` says: the highest score, the first of equals.
    """
    if counts[1] < counts[2]:
        return
    right = 0
    for r in range(len(labels)):
        scores = [net_input(w, X.row(r), c) for w in weights]
        right += bool(np.argmax(scores) == labels[r])
    if right > counts[3]:
        counts[2], counts[3] = counts[1], right
        pocket[:] = weights


def leader(scores: Any, own: Any) -> int:
    """Return the class with the highest score that is not `own`; the first of equals.

    >>> leader([1.0, 5.0, 1.0], 1)
    0
    """
    others = [j for j in range(len(scores)) if j != own]
    return max(others, key=lambda j: scores[j])


def _add(w: Array, factor: Any, x: Array, c: Any) -> None:
    """Add factor times the input to weights."""
    w[:-1] += factor * x
    w[-1] += factor * c
