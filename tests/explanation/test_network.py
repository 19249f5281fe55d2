"""Network files: what is read, and the one sentence everything else gets."""

import copy
import json

import numpy as np
import pytest

from wengert.errors import DataError
from wengert.explanation.network import LECTURE_NETWORK, network_from_mapping, read_network

GOOD = {
    "inputs": [0.05, 0.1],
    "targets": [0.01, 0.99],
    "learning_rate": 0.5,
    "layers": [
        {"weights": [[0.15, 0.2], [0.25, 0.3], [1, 2]], "biases": 0.35, "transfer": "sigmoid"},
        {"weights": [[0.4, 0.45, 0.1], [0.5, 0.55, 0.2]], "biases": [0.6, 0.7], "transfer": "purelin"},
    ],
}


def test_a_network_file(tmp_path):
    path = tmp_path / "net.json"
    path.write_text(json.dumps(GOOD | {"update_biases": True, "loss": "squared_error"}))
    network = read_network(path)
    assert network.sizes == (2, 3, 2)
    assert network.learning_rate == 0.5
    assert network.update_biases
    assert network.loss == "squared_error"
    assert [layer.transfer for layer in network.layers] == ["logsig", "purelin"]
    np.testing.assert_array_equal(network.layers[0].weights, [[0.15, 0.2], [0.25, 0.3], [1, 2]])
    assert network.layers[0].biases.shape == ()
    np.testing.assert_array_equal(network.layers[1].biases, [0.6, 0.7])
    assert network.layers[0].weights.dtype == np.float64


def test_the_lecture_network():
    assert LECTURE_NETWORK.sizes == (2, 2, 2)
    assert LECTURE_NETWORK.layers[0].biases == 0.35
    assert not LECTURE_NETWORK.update_biases
    assert LECTURE_NETWORK.loss == "half_squared_error"


def test_biases_may_be_left_out():
    content = copy.deepcopy(GOOD)
    del content["layers"][0]["biases"]
    assert network_from_mapping(content).layers[0].biases is None


def _with(place, value):
    content = copy.deepcopy(GOOD)
    here = content
    for step in place[:-1]:
        here = here[step]
    if value is None:
        del here[place[-1]]
    else:
        here[place[-1]] = value
    return content


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ([1, 2], "network must be an object with inputs, targets, layers, learning_rate, got [1, 2]"),
        (_with(["inputs"], None), "'inputs' is missing"),
        (_with(["rate"], 0.5), "there is no entry 'rate'; the entries are inputs, targets"),
        (_with(["inputs"], "0.05"), "'inputs' must be a list of numbers, got '0.05'"),
        (_with(["inputs"], []), "'inputs' must be a list of numbers, got []"),
        (_with(["inputs"], [0.1, "a"]), "'inputs' must be a list of numbers"),
        (_with(["inputs"], [True, False]), "'inputs' must be a list of numbers"),
        (_with(["inputs"], [0.1, float("nan")]), "'inputs' must be a list of numbers, all finite"),
        (_with(["inputs"], [0.1, 0.2, 0.3]), "layer 1: each unit has 2 weights, but 3 values come in"),
        (_with(["targets"], [0.1]), "1 targets for 2 output units"),
        (_with(["learning_rate"], "fast"), "'learning_rate' must be a number, got 'fast'"),
        (_with(["update_biases"], 1), "'update_biases' must be true or false, got 1"),
        (_with(["loss"], "absolute"), "'loss' must be half_squared_error or squared_error, got 'absolute'"),
        (_with(["layers"], []), "'layers' must be a list of at least one layer, got []"),
        (_with(["layers"], "two"), "'layers' must be a list of at least one layer"),
        (_with(["layers", 1], 7), "layer 2 must be an object with weights, transfer, got 7"),
        (_with(["layers", 1, "weights"], None), "layer 2: 'weights' is missing"),
        (_with(["layers", 1, "bias"], 0), "layer 2: there is no entry 'bias'"),
        (
            _with(["layers", 1, "weights"], [[1, 2, 3], [4]]),
            "layer 2: 'weights' must be a list of rows of equally",
        ),
        (_with(["layers", 1, "weights"], [1, 2, 3]), "layer 2: 'weights' must be a list of rows"),
        (_with(["layers", 1, "weights"], [[1, 2], [3, 4]]), "layer 2: each unit has 2 weights, but 3 values"),
        (_with(["layers", 1, "biases"], [0.6]), "layer 2: 1 biases for 2 units"),
        (_with(["layers", 1, "biases"], "none"), "layer 2: 'biases' must be a list of numbers, got 'none'"),
        (
            _with(["layers", 0, "transfer"], "logisig"),
            "no transfer function 'logisig'; did you mean 'logsig'?",
        ),
        (_with(["layers", 0, "transfer"], 3), "there is no transfer function 3; use one of"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_sentence(content, words):
    with pytest.raises(DataError) as caught:
        network_from_mapping(content)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(DataError, match="No such file"):
        read_network(tmp_path / "none.json")
    with pytest.raises(DataError, match="Is a directory"):
        read_network(tmp_path)
    broken = tmp_path / "broken.json"
    broken.write_text('{"inputs": [0.05,')
    with pytest.raises(
        DataError, match=r"broken.json: a network file must be JSON, but it breaks at line 1, column 18"
    ):
        read_network(broken)
    broken.write_bytes(b"\xff\xfe")
    with pytest.raises(DataError, match="not UTF-8"):
        read_network(broken)
    broken.write_text("[" * 100_000)
    with pytest.raises(DataError, match="too deep"):
        read_network(broken)
