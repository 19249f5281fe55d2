"""Recipes: the networks they build, and the copies of images that the digits' recipe adds."""

import numpy as np
import pytest

import wengert
from wengert.datasets import load_digits
from wengert.errors import ArgumentError
from wengert.train.recipes import DIGITS, Layout, _bilinear, jittered, network, to_target_units


def test_network_standardises_its_inputs() -> None:
    wengert.seed(0)
    mean, std = np.array([1.0, -2.0], np.float32), np.array([2.0, 0.5], np.float32)
    model = network(Layout(2, (3,), 1, "tansig", 0.0, "regression"), mean, std)
    x = np.array([[0.3, 0.7], [2.0, -1.0]], np.float32)
    p = model.state_dict()
    z = (x - mean) / std
    expected = np.tanh(z @ p["1.weight"].T + p["1.bias"]) @ p["3.weight"].T + p["3.bias"]
    np.testing.assert_allclose(model(x).detach().numpy(), expected, rtol=1e-5)


def test_to_target_units() -> None:
    model = network(Layout(1, (4,), 1, "tansig", 0.0, "regression"), np.zeros(1), np.ones(1))
    x = np.linspace(-1, 1, 7, dtype=np.float32)[:, None]
    before = np.array(model(x).detach().numpy())
    to_target_units(model, mean=100.0, std=7.0)
    np.testing.assert_allclose(model(x).detach().numpy(), 100 + 7 * before, rtol=1e-5)


def test_unknown_transfer_function() -> None:
    with pytest.raises(ArgumentError, match="no transfer function 'wobble'"):
        network(Layout(1, (4,), 1, "wobble", 0.0, "regression"), np.zeros(1), np.ones(1))


def test_every_transfer_function_has_its_layer() -> None:
    for name in ("relu", "gelu", "silu", "leaky_relu", "tansig", "logsig", "satlins", "log_softmax"):
        layers = list(network(Layout(1, (4,), 1, name, 0.0, "regression"), np.zeros(1), np.ones(1)))
        assert type(layers[2]).__name__.lower() == name.replace("_", "")


def test_bilinear_by_hand() -> None:
    image = np.array([[[1.0, 2.0], [3.0, 4.0]]], np.float32)
    row = np.array([[0.0, 0.5, 0.5, 1.0, -0.5, 1.5, -9.0, 9.0]], np.float32)
    column = np.array([[1.0, 0.5, 0.0, 0.25, 0.0, 1.0, 0.0, 0.0]], np.float32)
    assert _bilinear(image, row, column).tolist() == [[2.0, 2.5, 2.0, 3.25, 0.5, 2.0, 0.0, 0.0]]


def test_jittered_images_are_near_and_different() -> None:
    images = load_digits().x[:50]
    copies = jittered(images, copies=3, seed=1)
    assert (copies.shape, copies.dtype) == ((150, 64), np.float32)
    assert copies.min() >= 0 and copies.max() <= images.max()
    np.testing.assert_array_equal(copies, jittered(images, copies=3, seed=1))
    assert not np.array_equal(copies, jittered(images, copies=3, seed=2))
    # A copy resembles the image it was made of more than the next one.
    originals = np.tile(images, (3, 1))
    own = np.square(copies - originals).sum(axis=1)
    next_one = np.square(copies - np.roll(originals, 1, axis=0)).sum(axis=1)
    assert (own < next_one).mean() > 0.9


def test_the_recipe_of_the_digits() -> None:
    assert DIGITS.to_dict()["hidden"] == [256]
