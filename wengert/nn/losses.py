"""Losses: how far results are from what they should be, as one number. Shapes must fit; nothing broadcasts silently."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import DTypeError, OutOfBoundsError, ShapeError
from ..ops.elementwise import relu, softplus
from ..ops.index import take_along_axis
from ..ops.operands import Operand, cast, floating, operand
from ..ops.reduce import mean, sum
from ..ops.shape import reshape
from ..record.recorder import value_of
from .functions import log_softmax

if TYPE_CHECKING:
    from ..tensor import Tensor


def _pair(name: str, outputs: Operand, targets: Operand) -> tuple[Tensor, Tensor]:
    y = floating(outputs)
    wanted = cast(operand(targets), y.dtype)
    if y.shape != wanted.shape:
        raise ShapeError(
            f"{name}: outputs have shape {y.shape} and targets {wanted.shape}; they must be equal (reshape the "
            "targets, for instance with y[:, None])."
        )
    return y, wanted


def sum_squared_error(outputs: Operand, targets: Operand) -> Tensor:
    """Return half the sum of squared differences, the loss of the classical backpropagation example.

    outputs, targets: equal shapes (else `ShapeError`).

    >>> import wengert
    >>> sum_squared_error(wengert.tensor([1.0, 3.0]), [0.0, 0.0]).item()
    5.0
    """
    y, wanted = _pair("sum_squared_error", outputs, targets)
    error = wanted - y
    return sum(error * error) * 0.5


def mean_squared_error(outputs: Operand, targets: Operand) -> Tensor:
    """Return the mean of squared differences. outputs, targets: equal shapes (else `ShapeError`).

    >>> import wengert
    >>> mean_squared_error(wengert.tensor([1.0, 3.0]), [0.0, 0.0]).item()
    5.0
    """
    y, wanted = _pair("mean_squared_error", outputs, targets)
    error = y - wanted
    return mean(error * error)


def cross_entropy(logits: Operand, labels: Operand, *, label_smoothing: float = 0.0) -> Tensor:
    """Return the mean cross-entropy between softmax(logits) and the labels.

    logits: (n, classes). labels: (n,) integers from 0, or (n, classes) probabilities. label_smoothing: the part of
    each label spread evenly over all classes (Szegedy et al. 2016, section 7). Raises `ShapeError`, `DTypeError`,
    and `OutOfBoundsError` for a label that is no class.

    >>> import wengert
    >>> cross_entropy(wengert.tensor([[0.0, 0.0]]), [1]).item()
    0.6931471824645996
    """
    z, wanted = floating(logits), operand(labels)
    if z.ndim != 2:
        raise ShapeError(f"cross_entropy: logits have shape {z.shape}; they must be (samples, classes).")
    log_p = log_softmax(z, axis=1)
    if wanted.dtype.kind == "f":
        z, wanted = _pair("cross_entropy", z, wanted)
        chosen = sum(wanted * log_p, axis=1)
    else:
        if wanted.shape != z.shape[:1]:
            raise ShapeError(
                f"cross_entropy: labels have shape {wanted.shape}; for logits of shape {z.shape} they must be "
                f"({z.shape[0]},) integers or {z.shape} probabilities."
            )
        if wanted.dtype.kind == "b":
            raise DTypeError("cross_entropy: labels are bools; convert them with .astype('int64').")
        _check_labels(wanted, z.shape[1])
        chosen = reshape(take_along_axis(log_p, reshape(wanted, (-1, 1)), axis=1), (-1,))
    loss = -mean(chosen)
    if not label_smoothing:
        return loss
    return loss * (1 - label_smoothing) - mean(log_p) * label_smoothing


def _check_labels(labels: Tensor, n_classes: int) -> None:
    values = value_of(labels.entry)
    if values.size and not 0 <= values.min() <= values.max() < n_classes:
        wrong = int(values.min() if values.min() < 0 else values.max())
        raise OutOfBoundsError(
            f"cross_entropy: the label {wrong} is no class: the logits have {n_classes} columns, so labels go from 0 "
            f"to {n_classes - 1}."
        )


def binary_cross_entropy(logits: Operand, targets: Operand) -> Tensor:
    """Return the mean cross-entropy between sigmoid(logits) and targets between 0 and 1, without overflow.

    logits, targets: equal shapes (else `ShapeError`).

    >>> import wengert
    >>> binary_cross_entropy(wengert.tensor([0.0]), [1.0]).item()
    0.6931471824645996
    """
    z, wanted = _pair("binary_cross_entropy", logits, targets)
    return mean(relu(z) - z * wanted + softplus(-abs(z)))
