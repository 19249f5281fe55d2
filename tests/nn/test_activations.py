"""Transfer functions: the golden's values and slopes, SciPy's values, and finite differences."""

import json
from pathlib import Path

import numpy as np
import pytest
import scipy.special

import wengert as w
from wengert import nn
from wengert.errors import ShapeError

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "lecture.json").read_text())["transfer_functions"]
CLASSICAL = ["purelin", "hardlim", "hardlims", "satlin", "satlins", "tansig", "logsig", "radbas"]
X = np.array([-30.0, -3.0, -1.1, -0.2, 0.3, 0.9, 2.5, 30.0])

OUTSIDE = {  # from NumPy and SciPy alone
    "poslin": lambda x: np.maximum(x, 0),
    "relu": lambda x: np.maximum(x, 0),
    "gelu": lambda x: x * scipy.special.ndtr(x),
    "silu": lambda x: x * scipy.special.expit(x),
    "softplus": lambda x: np.logaddexp(0, x),
    "elu": lambda x: np.where(x > 0, x, np.expm1(x)),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.01 * x),
    "sigmoid": scipy.special.expit,
    "tanh": np.tanh,
    "softmax": scipy.special.softmax,
    "log_softmax": scipy.special.log_softmax,
}
LAYERS = {
    "purelin": nn.Purelin,
    "hardlim": nn.Hardlim,
    "hardlims": nn.Hardlims,
    "satlin": nn.Satlin,
    "satlins": nn.Satlins,
    "tansig": nn.Tansig,
    "logsig": nn.Logsig,
    "radbas": nn.Radbas,
    "poslin": nn.Poslin,
    "relu": nn.ReLU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "softplus": nn.Softplus,
    "elu": nn.ELU,
    "leaky_relu": nn.LeakyReLU,
    "softmax": nn.Softmax,
    "log_softmax": nn.LogSoftmax,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
}


@pytest.mark.parametrize("name", CLASSICAL)
def test_golden_values_and_slopes(name):
    x = w.tensor(np.array(GOLDEN["at"], np.float64), requires_grad=True)
    y = getattr(nn, name)(x)
    y.sum().backward()
    np.testing.assert_allclose(y.detach().numpy(), GOLDEN[name]["f"], rtol=1e-12, atol=0)
    np.testing.assert_allclose(x.grad.numpy(), GOLDEN[name]["slope"], rtol=1e-12, atol=0)
    slopes = w.jvp(getattr(nn, name), (x.detach(),), (w.ones_like(x),))[1]
    np.testing.assert_allclose(slopes.numpy(), GOLDEN[name]["slope"], rtol=1e-12, atol=0)


@pytest.mark.parametrize("name", OUTSIDE)
def test_values_from_outside(name):
    y = getattr(nn, name)(w.tensor(X))
    # Where 1 + erf or 1 + a sum of exponentials rounds, the last digits of 1 are what there is.
    atol = 1e-15 if name in ("gelu", "log_softmax") else 0
    np.testing.assert_allclose(y.numpy(), OUTSIDE[name](X), rtol=1e-13, atol=atol)


@pytest.mark.parametrize("name", sorted(set(OUTSIDE) | {"tansig", "logsig", "radbas", "purelin"}))
def test_derivatives_to_second_order(name):
    w.check_gradients(getattr(nn, name), (np.array([[-1.3, -0.4], [0.3, 1.7]]),), order=2)


@pytest.mark.parametrize("name", LAYERS)
def test_layer_is_the_function(name):
    layer = LAYERS[name]()
    assert layer(w.tensor(X)).tolist() == getattr(nn, name)(w.tensor(X)).tolist()
    assert not list(layer.parameters())


def test_settings_of_layers():
    assert nn.ELU(2.0)([-1.0]).item() == pytest.approx(2 * np.expm1(-1.0), rel=1e-6)
    assert nn.LeakyReLU(0.25)([-4.0]).item() == -1
    assert nn.Softmax(axis=0)([[1.0], [1.0]]).tolist() == [[0.5], [0.5]]
    assert [repr(layer) for layer in (nn.ELU(), nn.LeakyReLU(), nn.Softmax(), nn.LogSoftmax(0), nn.Tansig())] == [
        "ELU(alpha=1.0)",
        "LeakyReLU(slope=0.01)",
        "Softmax(axis=-1)",
        "LogSoftmax(axis=0)",
        "Tansig()",
    ]


def test_softmax_of_large_logits():
    x = w.tensor([[1000.0, 0.0, -1000.0]])
    assert nn.softmax(x).tolist() == [[1.0, 0.0, 0.0]]
    assert nn.log_softmax(x).tolist() == [[0.0, -1000.0, -2000.0]]
    large = nn.log_softmax(w.tensor([[10000.0, 10000.0]]))  # as accurate as log 2 itself
    np.testing.assert_allclose(large.numpy(), -np.log([[2.0, 2.0]]), rtol=1e-7)


def test_integers_are_taken():
    assert nn.silu([0, 0]).dtype == w.float32
    assert nn.softmax(w.tensor([1, 1])).tolist() == [0.5, 0.5]


@pytest.mark.parametrize("function", [nn.softmax, nn.log_softmax])
def test_scalar_has_no_classes(function):
    with pytest.raises(ShapeError, match="a scalar has no axis"):
        function(w.tensor(1.0))
