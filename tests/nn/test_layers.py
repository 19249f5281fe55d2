"""Layers: Linear, Sequential, Dropout, Flatten, Standardize, and how weights begin."""

import math

import numpy as np
import pytest

import wengert as w
from wengert import nn
from wengert.errors import ArgumentError, DTypeError, ShapeError


def test_linear_is_x_times_weight_transposed_plus_bias():
    layer = nn.Linear(3, 2, dtype=w.float64)
    layer.load_state_dict({"weight": [[1.0, 2.0, 3.0], [0.0, -1.0, 1.0]], "bias": [10.0, 20.0]})
    assert layer(np.array([[1.0, 1.0, 1.0], [1.0, 0.0, 2.0]])).tolist() == [[16.0, 20.0], [17.0, 22.0]]
    assert layer(np.array([1.0, 0.0, 0.0])).tolist() == [11.0, 20.0]
    assert layer(np.ones((2, 4, 3))).shape == (2, 4, 2)


def test_linear_takes_integers_and_may_lack_a_bias():
    layer = nn.Linear(2, 1, bias=False)
    assert layer.bias is None and [name for name, _ in layer.named_parameters()] == ["weight"]
    assert layer(np.array([[1, 2]], np.uint8)).dtype == w.float32


def test_linear_derivatives():
    layer = nn.Linear(3, 2, dtype=w.float64)
    w.check_gradients(lambda x: nn.tansig(layer(x)), (np.array([[0.1, -0.2, 0.3]]),), order=2)
    x = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    layer(x).sum().backward()
    assert layer.weight.grad.tolist() == [[5.0, 7.0, 9.0]] * 2 and layer.bias.grad.tolist() == [2.0, 2.0]


def test_linear_refuses():
    with pytest.raises(ShapeError, match=r"Linear\(3, 2\): x has shape \(5, 4\), and its last axis must be 3"):
        nn.Linear(3, 2)(w.ones((5, 4)))
    with pytest.raises(ShapeError, match="last axis must be 3"):
        nn.Linear(3, 2)(1.0)
    with pytest.raises(ArgumentError, match="n_in 0 must be a positive integer"):
        nn.Linear(0, 2)
    with pytest.raises(ArgumentError, match="n_out 'a' must be a positive integer"):
        nn.Linear(2, "a")
    with pytest.raises(DTypeError, match="not int64"):
        nn.Linear(2, 2, dtype=w.int64)
    with pytest.raises(ArgumentError, match="initialisation 'best' is unknown; use one of glorot_uniform"):
        nn.Linear(2, 2, init="best")
    with pytest.raises(ShapeError, match=r"the initialisation gave shape \(2,\)"):
        nn.Linear(3, 2, init=lambda shape: np.zeros(2))


def test_sequential_is_a_sequence():
    model = nn.Sequential(nn.Linear(2, 3), nn.Tansig(), nn.Linear(3, 1))
    assert len(model) == 3 and isinstance(model[1], nn.Tansig) and model[-1] is model[2]
    assert [type(layer) for layer in model] == [nn.Linear, nn.Tansig, nn.Linear]
    head = model[:2]
    x = w.ones((4, 2))
    assert isinstance(head, nn.Sequential) and model[2](head(x)).tolist() == model(x).tolist()
    assert nn.Sequential()([1.0]).tolist() == [1.0]


def test_sequential_refuses_what_is_no_module():
    with pytest.raises(ArgumentError, match=r"part 1 is <class .*Tansig'>, which is no module; make an instance"):
        nn.Sequential(nn.Linear(2, 2), nn.Tansig)
    with pytest.raises(ArgumentError, match=r"part 0 is .*, which is no module; use layers"):
        nn.Sequential(nn.tansig)


def test_dropout_keeps_the_mean_and_scales():
    w.seed(0)
    y = nn.Dropout(0.25)(w.ones((200, 200))).numpy()
    assert set(np.unique(y)) == {np.float32(0), np.float32(1 / 0.75)}
    assert abs((y == 0).mean() - 0.25) < 5 * math.sqrt(0.25 * 0.75 / y.size)


def test_dropout_gradient_is_its_mask():
    x = w.ones(50, dtype=w.float64)
    x.requires_grad = True
    y = nn.Dropout(0.5)(x)
    y.sum().backward()
    assert x.grad.tolist() == y.tolist()


def test_dropout_acts_in_training_only_and_follows_the_seed():
    layer, x = nn.Dropout(0.5), w.ones(100)
    w.seed(5)
    first, second = layer(x).tolist(), layer(x).tolist()
    w.seed(5)
    assert layer(x).tolist() == first != second
    assert layer.eval()(x).tolist() == x.tolist()
    assert nn.Dropout(0.0)(x).tolist() == x.tolist()
    assert repr(layer) == "Dropout(0.5)"
    for p in (-0.1, 1.0, math.nan):
        with pytest.raises(ArgumentError, match="must be at least 0 and below 1"):
            nn.Dropout(p)


def test_flatten():
    x = w.tensor(np.arange(24.0).reshape(2, 3, 4))
    assert nn.Flatten()(x).tolist() == np.arange(24.0).reshape(2, 12).tolist()
    assert nn.Flatten()(w.zeros((0, 3, 4))).shape[0] == 0
    with pytest.raises(ShapeError, match="no first axis"):
        nn.Flatten()(1.0)


def test_standardize():
    layer = nn.Standardize(np.array([1.0, 2.0], np.float32), np.array([2.0, 4.0], np.float32))
    assert layer([[3.0, 0.0]]).tolist() == [[1.0, -0.5]]
    assert list(layer.state_dict()) == ["mean", "std"] and not list(layer.parameters())
    assert repr(layer) == "Standardize((2,))"
    with pytest.raises(ArgumentError, match="every std must be positive"):
        nn.Standardize([0.0], [0.0])


VARIANCES = {  # of a weight of 300 inputs and 200 outputs, from the papers
    "glorot_uniform": 2 / 500,
    "glorot_normal": 2 / 500,
    "he_uniform": 2 / 300,
    "he_normal": 2 / 300,
    "lecun_uniform": 1 / 300,
    "lecun_normal": 1 / 300,
    "uniform": 1 / 12,
}


@pytest.mark.parametrize("name", VARIANCES)
def test_initial_weights(name):
    w.seed(1)
    values = getattr(nn.init, name)((200, 300))
    assert values.shape == (200, 300) and values.dtype == np.float32
    variance = VARIANCES[name]
    assert abs(values.mean()) < 5 * math.sqrt(variance / values.size)
    assert values.var() == pytest.approx(variance, rel=0.05)
    if name.endswith("uniform"):
        assert abs(values).max() <= math.sqrt(3 * variance) * (1 + 1e-6)
    else:
        assert abs(values).max() > 3.5 * math.sqrt(variance)
    w.seed(1)
    np.testing.assert_array_equal(nn.Linear(300, 200, init=name).weight.detach().numpy(), values)


def test_a_weight_has_two_axes():
    with pytest.raises(ShapeError, match="no fan-in and fan-out"):
        nn.init.he_normal((3,))
