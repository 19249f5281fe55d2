"""Losses: how far outputs are from targets, as one number. Shapes must be equal: nothing broadcasts silently."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from ..errors import ArgumentError, DTypeError, ShapeError
from ..ops.compare import where
from ..ops.elementwise import square
from ..ops.operands import Operand, cast, constant, floating, operand
from ..ops.reduce import mean, sum
from ..ops.transfer import softplus
from ..record.buffers import Array, sealed
from ..record.leaps import composite
from ..record.virtual import guarded
from .activations import log_softmax

if TYPE_CHECKING:
    from ..tensor import Tensor


def _pair(name: str, outputs: Operand, targets: Operand) -> tuple[Tensor, Tensor]:
    """Return outputs and targets of one shape and the outputs' dtype."""
    y, wanted = floating(outputs), operand(targets)
    if y.shape != wanted.shape:
        remedy = "reshape one of them"
        if y.shape == (*wanted.shape, 1):
            remedy = "use targets[:, None]" if wanted.ndim == 1 else "add an axis to the targets"
        elif wanted.shape == (*y.shape, 1):
            remedy = "use targets[..., 0]"
        raise ShapeError(
            f"{name}: outputs have shape {y.shape} and targets {wanted.shape}; they must be equal, for broadcasting "
            f"would compare each with all: {remedy}."
        )
    if not y.size:
        raise ShapeError(f"{name}: shape {y.shape} holds nothing to compare; give at least one row.")
    return y, cast(wanted, y.dtype)


@composite
def _half_squares(y: Tensor, wanted: Tensor) -> Tensor:
    return sum(square(y - wanted)) * 0.5


@composite
def _mean_square(y: Tensor, wanted: Tensor) -> Tensor:
    return mean(square(y - wanted))


@composite
def _binary(z: Tensor, t: Tensor) -> Tensor:
    return mean(t * softplus(-z) + (1 - t) * softplus(z))


def sum_squared_error(outputs: Operand, targets: Operand) -> Tensor:
    """Return half the sum of squared differences, so that its slope by an output is the error itself.

    outputs, targets: equal shapes. Returns a scalar in the dtype of the outputs. Raises `ShapeError`.

    >>> sum_squared_error([1.0, 2.0], [0.0, 4.0]).item()
    2.5
    """
    y, wanted = _pair("sum_squared_error", outputs, targets)
    return _half_squares(y, wanted)


def mean_squared_error(outputs: Operand, targets: Operand) -> Tensor:
    """Return the mean of squared differences over all elements.

    outputs, targets: equal shapes. Returns a scalar in the dtype of the outputs. Raises `ShapeError`.

    >>> mean_squared_error([1.0, 2.0], [0.0, 4.0]).item()
    2.5
    """
    y, wanted = _pair("mean_squared_error", outputs, targets)
    return _mean_square(y, wanted)


def cross_entropy(logits: Operand, labels: Operand, *, label_smoothing: float = 0.0) -> Tensor:
    """Return the mean over rows of -log(probability of the right class), with softmax inside.

    logits: (..., classes), before any softmax. labels: class numbers, integers of shape (...); or probabilities of
    the logits' shape. label_smoothing: the share taken from the right class and spread over all (Szegedy et al. 2016,
    section 7). Labels are looked at. Raises `ShapeError`, `DTypeError`, and `ArgumentError` for a label out of range.

    >>> round(cross_entropy([[0.0, 0.0]], [1]).item(), 4)
    0.6931
    """
    z, y = floating(logits), operand(labels)
    if not 0 <= label_smoothing < 1:
        raise ArgumentError(f"cross_entropy: label_smoothing {label_smoothing} must be at least 0 and below 1.")
    if not z.ndim or not z.size:
        raise ShapeError(f"cross_entropy: logits of shape {z.shape} must be (rows, classes), neither 0.")
    if y.dtype.kind in "iu":
        _check_labels(y, z)
        if not label_smoothing:
            return _picked(z, y)
        target = cast(_hot(y, z), z.dtype)
    elif y.dtype.kind == "f":
        if y.shape != z.shape:
            raise ShapeError(
                f"cross_entropy: labels of dtype {y.dtype.name} are probabilities and must have the logits' shape "
                f"{z.shape}, not {y.shape}; convert class numbers to int64."
            )
        target = cast(y, z.dtype)
    else:
        raise DTypeError("cross_entropy: bool labels are no class numbers; convert them with .astype(wengert.int64).")
    return _expected(z, target, smoothing=label_smoothing)


@composite
def _picked(z: Tensor, labels: Tensor) -> Tensor:
    """Select, not multiply: a logit of -inf for another class does no harm."""
    return -sum(where(_hot(labels, z), log_softmax(z), 0)) / (z.size // z.shape[-1])


@composite
def _expected(z: Tensor, target: Tensor, smoothing: float) -> Tensor:
    if smoothing:
        target = target * (1 - smoothing) + smoothing / z.shape[-1]
    return -sum(target * log_softmax(z)) / (z.size // z.shape[-1])


def _hot(labels: Tensor, z: Tensor) -> Tensor:
    """Return bools of the logits' shape, true at each row's label."""
    return labels[..., None] == constant(sealed(np.arange(z.shape[-1], dtype=labels.dtype)))


def _check_labels(y: Tensor, z: Tensor) -> None:
    """Raise where labels have the wrong shape or are out of range."""
    if y.shape != z.shape[:-1]:
        raise ShapeError(
            f"cross_entropy: logits of shape {z.shape} need integer labels of shape {z.shape[:-1]}, not "
            f"{y.shape}; give one class number for each row."
        )
    guarded(y.entry, _range_check(z.shape[-1]))


@cache
def _range_check(classes: int) -> Callable[[Array], None]:
    """Return the check that labels number one of so many classes; those it saw last pass at once."""
    seen: list[Callable[[], Array | None]] = [lambda: None]

    def check(labels: Array) -> None:
        if seen[0]() is labels:
            return
        low, high = labels.min(), labels.max()
        if low < 0 or high >= classes:
            raise ArgumentError(
                f"cross_entropy: label {low if low < 0 else high} is out of range: {classes} classes are numbered 0 to "
                f"{classes - 1}; number the labels from 0, or give the network more outputs."
            )
        seen[0] = weakref.ref(labels)

    return check


def _check_probabilities(targets: Array) -> None:
    if not ((targets >= 0) & (targets <= 1)).all():
        raise ArgumentError("binary_cross_entropy: targets must lie between 0 and 1; they are probabilities.")


def binary_cross_entropy(logits: Operand, targets: Operand) -> Tensor:
    """Return the mean of -(t log p + (1 - t) log(1 - p)) with p = sigmoid(logit), accurate for any logit.

    logits, targets: equal shapes; targets 0 to 1, of any dtype. They are looked at. Raises `ShapeError`, and
    `ArgumentError` for a target outside 0 to 1.

    >>> round(binary_cross_entropy([0.0], [1.0]).item(), 4)
    0.6931
    """
    z, t = _pair("binary_cross_entropy", logits, targets)
    guarded(operand(targets).entry, _check_probabilities)
    return _binary(z, t)


BY_NAME: dict[str, Callable[..., Tensor]] = {
    "binary_cross_entropy": binary_cross_entropy,
    "cross_entropy": cross_entropy,
    "mean_squared_error": mean_squared_error,
    "sum_squared_error": sum_squared_error,
}
