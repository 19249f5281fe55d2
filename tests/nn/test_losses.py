"""Losses against numbers computed by hand and by SciPy, their derivatives, and what they refuse."""

import math

import numpy as np
import pytest
import scipy.special

import wengert as w
from wengert import nn
from wengert.errors import ArgumentError, DTypeError, ShapeError

RNG = np.random.default_rng(3)
LOGITS = RNG.normal(size=(5, 4)) * 3
LABELS = np.array([0, 3, 1, 1, 2])
TARGETS = RNG.normal(size=(5, 4))
PROBABILITIES = scipy.special.softmax(RNG.normal(size=(5, 4)), axis=1)
BITS = np.array([[1.0, 0.0, 1.0, 0.25]] * 5)


def test_squared_errors_by_hand():
    y, target = w.tensor([[1.0, 2.0], [3.0, 5.0]], requires_grad=True), [[0.0, 2.0], [5.0, 2.0]]
    assert nn.sum_squared_error(y, target).item() == 7.0  # (1 + 0 + 4 + 9) / 2
    assert nn.mean_squared_error(y, target).item() == 3.5  # (1 + 0 + 4 + 9) / 4
    nn.sum_squared_error(y, target).backward()
    assert y.grad.tolist() == [[1.0, 0.0], [-2.0, 3.0]]  # output - target


def test_cross_entropy_of_labels():
    truth = -scipy.special.log_softmax(LOGITS, axis=1)[np.arange(5), LABELS].mean()
    assert nn.cross_entropy(LOGITS, LABELS).item() == pytest.approx(truth, rel=1e-14)
    assert nn.cross_entropy(LOGITS, w.tensor(LABELS)).dtype == w.float64


def test_cross_entropy_of_probabilities():
    truth = -(PROBABILITIES * scipy.special.log_softmax(LOGITS, axis=1)).sum(axis=1).mean()
    assert nn.cross_entropy(LOGITS, PROBABILITIES).item() == pytest.approx(truth, rel=1e-14)


def test_label_smoothing():
    smooth = np.full((5, 4), 0.1 / 4)
    smooth[np.arange(5), LABELS] += 0.9
    truth = -(smooth * scipy.special.log_softmax(LOGITS, axis=1)).sum(axis=1).mean()
    assert nn.cross_entropy(LOGITS, LABELS, label_smoothing=0.1).item() == pytest.approx(truth, rel=1e-14)


def test_cross_entropy_gradient_is_softmax_less_target():
    z = w.tensor(LOGITS, requires_grad=True)
    nn.cross_entropy(z, LABELS).backward()
    truth = (scipy.special.softmax(LOGITS, axis=1) - np.eye(4)[LABELS]) / 5
    np.testing.assert_allclose(z.grad.numpy(), truth, rtol=1e-12, atol=1e-15)


def test_cross_entropy_with_more_axes():
    z, y = LOGITS.reshape(1, 5, 4), LABELS.reshape(1, 5)
    assert nn.cross_entropy(z, y).item() == pytest.approx(nn.cross_entropy(LOGITS, LABELS).item(), rel=1e-14)


def test_cross_entropy_with_an_excluded_class():
    z = w.tensor([[0.0, 0.0, -math.inf]], requires_grad=True)
    loss = nn.cross_entropy(z, [0])
    loss.backward()
    assert loss.item() == pytest.approx(math.log(2), rel=1e-6)
    assert z.grad.tolist() == [[-0.5, 0.5, 0.0]]


def test_binary_cross_entropy():
    p = scipy.special.expit(LOGITS)
    truth = -(BITS * np.log(p) + (1 - BITS) * np.log1p(-p)).mean()
    assert nn.binary_cross_entropy(LOGITS, BITS).item() == pytest.approx(truth, rel=1e-12)
    assert nn.binary_cross_entropy([0.0], [True]).item() == pytest.approx(math.log(2), rel=1e-6)


def test_binary_cross_entropy_of_confident_logits():
    assert nn.binary_cross_entropy(np.array([50.0]), [1]).item() == pytest.approx(math.exp(-50), rel=1e-12)
    assert nn.binary_cross_entropy(np.array([1e4, -1e4]), [0, 1]).item() == 1e4


@pytest.mark.parametrize(
    "loss",
    [
        lambda y: nn.sum_squared_error(y, TARGETS),
        lambda y: nn.mean_squared_error(y, TARGETS),
        lambda y: nn.cross_entropy(y, LABELS),
        lambda y: nn.cross_entropy(y, PROBABILITIES, label_smoothing=0.2),
        lambda y: nn.binary_cross_entropy(y, BITS),
    ],
)
def test_derivatives_to_second_order(loss):
    w.check_gradients(loss, (LOGITS,), order=2)


@pytest.mark.parametrize("loss", [nn.sum_squared_error, nn.mean_squared_error, nn.binary_cross_entropy])
def test_nothing_broadcasts_silently(loss):
    with pytest.raises(ShapeError, match=r"\(4, 1\) and targets \(4,\); they must be equal.*targets\[:, None\]"):
        loss(np.zeros((4, 1)), np.zeros(4))
    with pytest.raises(ShapeError, match=r"targets\[\.\.\., 0\]"):
        loss(np.zeros(4), np.zeros((4, 1)))
    with pytest.raises(ShapeError, match="add an axis"):
        loss(np.zeros((4, 2, 1)), np.zeros((4, 2)))
    with pytest.raises(ShapeError, match="reshape one of them"):
        loss(np.zeros((4, 2)), np.zeros((4, 3)))
    with pytest.raises(ShapeError, match="nothing to compare"):
        loss(np.zeros((0, 2)), np.zeros((0, 2)))


@pytest.mark.parametrize(
    ("logits", "labels", "error", "sentence"),
    [
        (LOGITS, [0, 1, 4, 0, 0], ArgumentError, "label 4 is out of range: 4 classes are numbered 0 to 3"),
        (LOGITS, [0, -1, 0, 0, 0], ArgumentError, "label -1 is out of range"),
        (LOGITS, [0, 1], ShapeError, r"need integer labels of shape \(5,\), not \(2,\)"),
        (LOGITS, LABELS[:, None], ShapeError, r"need integer labels of shape \(5,\), not \(5, 1\)"),
        (LOGITS, np.zeros(5), ShapeError, "are probabilities and must have the logits' shape"),
        (LOGITS, np.zeros(5, bool), DTypeError, "bool labels are no class numbers"),
        (np.zeros((0, 4)), np.zeros(0, int), ShapeError, "neither 0"),
        (1.0, 0, ShapeError, "neither 0"),
    ],
)
def test_cross_entropy_refuses(logits, labels, error, sentence):
    with pytest.raises(error, match=sentence):
        nn.cross_entropy(logits, labels)


def test_settings_refused():
    with pytest.raises(ArgumentError, match=r"label_smoothing 1.0 must be"):
        nn.cross_entropy(LOGITS, LABELS, label_smoothing=1.0)
    with pytest.raises(ArgumentError, match="targets must lie between 0 and 1"):
        nn.binary_cross_entropy([0.0], [2.0])
