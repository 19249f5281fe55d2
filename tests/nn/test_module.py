"""Modules: what they find in their attributes, saving and loading, modes, repr."""

import copy
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import wengert as w
from wengert import nn
from wengert.errors import ArgumentError, DTypeError, ShapeError


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(3, 4)
        self.scale = nn.Parameter([2.0])
        self.rest = [nn.Linear(4, 2), (nn.Dropout(0.1), {"last": nn.Linear(2, 1, bias=False)})]
        self.plain = w.tensor([1.0], requires_grad=True)
        self.activation = w.tensor([1.0])  # no parameter: nothing is asked of it
        self.register_buffer("mean", [0.5])

    def forward(self, x, *, scaled=True):
        h = self.first(x)
        return h * self.scale if scaled else h


NAMES = ["first.weight", "first.bias", "scale", "rest.0.weight", "rest.0.bias", "rest.1.1.last.weight", "plain"]


def test_parameters_are_found_where_they_are_stored():
    net = Net()
    assert [name for name, _ in net.named_parameters()] == NAMES
    assert [p.shape for p in net.parameters()] == [(4, 3), (4,), (1,), (2, 4), (2,), (1, 2), (1,)]
    assert [name for name, _ in net.named_modules()] == ["", "first", "rest.0", "rest.1.0", "rest.1.1.last"]
    assert len(list(net.modules())) == 5
    assert [name for name, _ in net.named_buffers()] == ["mean"]


def test_results_are_no_parameters():
    net = Net()
    net.kept = net(w.ones((1, 3)))
    assert [name for name, _ in net.named_parameters()] == NAMES


def test_frozen_parameters_stay_parameters():
    net = Net()
    net.scale.requires_grad = False
    assert [name for name, _ in net.named_parameters()] == NAMES
    net(w.ones((1, 3))).sum().backward()
    assert net.scale.grad is None and net.first.weight.grad is not None


def test_shared_parts_come_once():
    layer = nn.Linear(2, 2)
    net = nn.Sequential(layer, nn.Tansig(), layer)
    assert [name for name, _ in net.named_parameters()] == ["0.weight", "0.bias"]
    tied = nn.Linear(2, 2)
    tied.weight = layer.weight
    assert len(list(nn.Sequential(layer, tied).parameters())) == 3


def test_call_passes_everything_to_forward():
    net = Net()
    x = w.ones((1, 3))
    assert net(x, scaled=True).tolist() == (net(x, scaled=False) * 2).tolist()


def test_forgetting_super_init_does_no_harm():
    class Careless(nn.Module):
        def __init__(self):
            self.layer = nn.Linear(2, 1)

        def forward(self, x):
            return self.layer(x)

    net = Careless()
    assert net.training and len(list(net.eval().parameters())) == 2
    assert net([[1.0, 2.0]]).shape == (1, 1)


def test_forward_is_asked_for():
    class Empty(nn.Module):
        pass

    with pytest.raises(ArgumentError, match="Empty has no forward; define"):
        Empty()(1)


def test_state_dict_round_trip():
    one, other = Net(), Net()
    one.mean = w.tensor([7.0])  # still the buffer
    state = one.state_dict()
    assert list(state) == [*NAMES, "mean"]
    assert all(isinstance(value, np.ndarray) and not value.flags.writeable for value in state.values())
    other.load_state_dict(state)
    x = w.ones((2, 3))
    assert other(x).tolist() == one(x).tolist() and other.mean.tolist() == [7.0]
    other(x).sum().backward()
    assert other.first.weight.is_leaf and other.first.weight.grad is not None


def test_state_is_a_snapshot():
    layer = nn.Linear(2, 1)
    before = layer.state_dict()["weight"]
    kept = before.copy()
    with w.no_grad():
        layer.weight += 1
    np.testing.assert_array_equal(before, kept)
    np.testing.assert_array_equal(layer.state_dict()["weight"], kept + 1)


def test_loading_converts_between_real_dtypes():
    layer = nn.Linear(1, 1)
    layer.load_state_dict({"weight": np.array([[0.5]]), "bias": w.tensor([1.0], dtype=w.float64)})
    assert layer.weight.dtype == w.float32 and layer([[2.0]]).item() == 2


def test_loading_refuses_what_does_not_fit_and_changes_nothing():
    layer = nn.Linear(2, 1)
    before = layer.weight.tolist()
    good = np.zeros((1, 2))
    for state, error, sentence in [
        ({"weight": good}, ArgumentError, "do not fit Linear: missing bias;"),
        ({"weight": good, "bias": [0.0], "more": [0.0]}, ArgumentError, "unexpected more"),
        ({"weight": good, "bias": [0.0, 0.0]}, ShapeError, r"bias has shape \(1,\) and was given \(2,\)"),
        ({"weight": good, "bias": np.array(["a"])}, DTypeError, "dtype"),
    ]:
        with pytest.raises(error, match=sentence):
            layer.load_state_dict(state)
        assert layer.weight.tolist() == before
    layer.load_state_dict({"bias": [3.0], "more": [1.0]}, strict=False)
    assert layer.bias.tolist() == [3.0] and layer.weight.tolist() == before


def test_loading_refuses_reals_for_an_integer_buffer():
    net = nn.Module()
    net.register_buffer("count", 1)
    with pytest.raises(DTypeError, match="count is int64 and was given float32"):
        net.load_state_dict({"count": 1.5})


def test_modes_reach_every_part():
    net = Net()
    assert all(not module.training for module in net.eval().modules())
    assert all(module.training for module in net.train().modules())


def test_zero_grad():
    net = Net()
    net(w.ones((1, 3))).sum().backward()
    net.zero_grad()
    assert all(p.grad is None for p in net.parameters())


def test_astype():
    net = nn.Sequential(nn.Standardize([0.0], [1.0]), nn.Linear(1, 1)).astype(w.float64)
    assert {value.dtype for value in net.state_dict().values()} == {w.float64}
    assert net(np.ones((1, 1))).dtype == w.float64
    net(np.ones((1, 1))).sum().backward()
    assert net[1].weight.grad.dtype == w.float64
    with pytest.raises(DTypeError, match="parameters are real numbers, not int64"):
        net.astype(w.int64)


def test_copies_and_pickles_are_independent():
    net = Net()
    for other in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert [name for name, _ in other.named_parameters()] == NAMES
        with w.no_grad():
            other.first.weight *= 0
        assert any(v for row in net.first.weight.tolist() for v in row)
        assert isinstance(other.first.weight, nn.Parameter)


def test_repr_is_a_tree():
    net = nn.Sequential(nn.Linear(2, 3), nn.Sequential(nn.Tansig(), nn.Linear(3, 1, bias=False)))
    assert repr(net) == (
        "Sequential(\n  (0): Linear(2, 3)\n  (1): Sequential(\n    (0): Tansig()\n"
        "    (1): Linear(3, 1, bias=False)\n  )\n)"
    )
    assert repr(Net()).splitlines()[:3] == ["Net(", "  (first): Linear(3, 4)", "  (rest.0): Linear(4, 2)"]


def test_parameter_of_integers_is_refused():
    with pytest.raises(w.errors.GradientError, match="int64 has no derivatives"):
        nn.Parameter([1, 2])


def test_types_survive_a_call(tmp_path):
    script = tmp_path / "typed.py"
    script.write_text(
        "from wengert import Tensor, nn\n"
        "class Net(nn.Module):\n"
        "    def forward(self, x: Tensor, *, deep: bool = False) -> tuple[Tensor, str]:\n"
        "        return x, ''\n"
        "def use(x: Tensor) -> None:\n"
        "    reveal_type(Net()(x, deep=True))\n"
        "    reveal_type(nn.Sequential(nn.Linear(2, 2))(x))\n"
        "    Net()(x, deep=3)\n"
    )
    command = [sys.executable, "-m", "mypy", str(script)]  # with the settings and the cache of `make check`
    root = Path(__file__).parents[2]
    printed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False).stdout
    assert 'Revealed type is "tuple[wengert.tensor.Tensor, str]"' in printed
    assert 'Revealed type is "wengert.tensor.Tensor"' in printed
    assert 'typed.py:8: error: Argument "deep" to "__call__" of "Module" has incompatible type "int"' in printed
