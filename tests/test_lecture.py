"""The lecture's worked example, by ordinary code: a network of `nn` layers, `backward()` and an optimizer."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import wengert as w
from wengert import nn

GOLDEN = json.loads((Path(__file__).parent / "golden" / "lecture.json").read_text(encoding="utf-8"))
WORKED = GOLDEN["worked_backpropagation"]


class Lecture(nn.Module):
    """2-2-2 logistic units; the biases are fixed, so they are plain tensors and no parameters."""

    def __init__(self) -> None:
        super().__init__()
        v = WORKED["w"]
        self.hidden = nn.Linear(2, 2, bias=False)
        self.output = nn.Linear(2, 2, bias=False)
        self.hidden.weight = w.tensor([[v["w1"], v["w2"]], [v["w3"], v["w4"]]], dtype=w.float64, requires_grad=True)
        self.output.weight = w.tensor([[v["w5"], v["w6"]], [v["w7"], v["w8"]]], dtype=w.float64, requires_grad=True)

    def forward(self, x: Any) -> dict[str, Any]:
        net_h = self.hidden(x) + WORKED["b1"]
        out_h = nn.logsig(net_h)
        net_o = self.output(out_h) + WORKED["b2"]
        return {"net_h": net_h, "out_h": out_h, "net_o": net_o, "out_o": nn.logsig(net_o)}


def training() -> tuple[Lecture, Any, Any, Any]:
    model = Lecture()
    x, y = w.tensor([WORKED["inputs"]], dtype=w.float64), w.tensor([WORKED["targets"]], dtype=w.float64)
    return model, w.optim.SGD(model.parameters(), lr=WORKED["learning_rate"]), x, y


def numbers() -> dict[str, float]:
    """Everything one step computes, under the names of the golden file."""
    model, optimizer, x, y = training()
    units = model(x)
    errors = (y - units["out_o"]) ** 2 * 0.5
    loss = nn.sum_squared_error(units["out_o"], y)
    found = {"E_total": loss.item(), "E_o1": errors[0, 0].item(), "E_o2": errors[0, 1].item()}
    for name, each in units.items():
        found |= {f"{name}{i + 1}": each[0, i].item() for i in range(2)}
    by_out, by_net = w.gradients(loss, [units["out_o"], units["out_h"]])
    found["dE_dout_o1"], found["dE_dout_h1"] = by_out[0, 0].item(), by_net[0, 0].item()
    found["dE_o1_dnet_o1"] = w.gradients(errors[0, 0], [units["net_o"]])[0][0, 0].item()
    for i in range(2):
        found[f"dE_o{i + 1}_dout_h1"] = w.gradients(errors[0, i], [units["out_h"]])[0][0, 0].item()
    found["dout_o1_dnet_o1"] = w.gradients(units["out_o"][0, 0], [units["net_o"]])[0][0, 0].item()
    found["dout_h1_dnet_h1"] = w.gradients(units["out_h"][0, 0], [units["net_h"]])[0][0, 0].item()
    found["dnet_o1_dw5"] = w.gradients(units["net_o"][0, 0], [model.output.weight])[0][0, 0].item()
    found["dnet_h1_dw1"] = w.gradients(units["net_h"][0, 0], [model.hidden.weight])[0][0, 0].item()
    loss.backward()
    weights = [(layer.weight, i, j) for layer in (model.hidden, model.output) for i in range(2) for j in range(2)]
    found |= {f"dE_dw{k}": each.grad[i, j].item() for k, (each, i, j) in enumerate(weights, 1)}
    optimizer.step()
    return found | {f"w{k}_new": each[i, j].item() for k, (each, i, j) in enumerate(weights, 1)}


FOUND = numbers()


@pytest.mark.parametrize("name", WORKED["printed"])
def test_printed_numbers_to_their_printed_digits(name: str) -> None:
    printed = Decimal(str(WORKED["printed"][name]))
    unit = Decimal(1).scaleb(printed.as_tuple().exponent)  # type: ignore[arg-type]  # of the last printed digit
    slack = unit if name == "dE_o2_dout_h1" else unit / 2  # the lecture multiplied rounded factors there
    assert abs(Decimal(FOUND[name]) - printed) <= slack


@pytest.mark.parametrize("name", [key for key in WORKED["exact"] if key != "E_total_after_updates"])
def test_exact_numbers(name: str) -> None:
    assert FOUND[name] == pytest.approx(WORKED["exact"][name], rel=1e-12)


def test_error_after_many_updates() -> None:
    model, optimizer, x, y = training()
    expected = {int(step): value for step, value in WORKED["exact"]["E_total_after_updates"].items()}
    for step in range(10_001):
        loss = nn.sum_squared_error(model(x)["out_o"], y)
        if step in expected:
            assert loss.item() == pytest.approx(expected[step], rel=1e-12)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def test_two_variable_example() -> None:
    example = GOLDEN["two_variable_example"]["numbers_at_x1_2_x2_5"]

    def f(x1: Any, x2: Any) -> Any:
        return x1 * x2 + w.sin(x1)

    at = (w.tensor(2.0, dtype=w.float64), w.tensor(5.0, dtype=w.float64))
    value, slopes = w.value_and_grad(f, argnums=(0, 1))(*at)
    assert value.item() == pytest.approx(example["z"], rel=1e-12)
    assert [s.item() for s in slopes] == pytest.approx([example["dz_dx1"], example["dz_dx2"]], rel=1e-12)
    for i, seed in enumerate(np.eye(2)):
        y_dot = w.jvp(f, at, tuple(w.tensor(s) for s in seed))[1]
        assert y_dot.item() == pytest.approx(example[f"forward_seed_x{i + 1}"]["w5_dot"], rel=1e-12)


def test_second_example_is_a_product_of_three_factors() -> None:
    rng = np.random.default_rng(3)
    a, weight, target = w.tensor(rng.uniform(size=3), requires_grad=True), w.tensor(rng.normal(size=3)), 0.3
    out = nn.sigmoid((a * weight).sum())
    (found,) = w.gradients((out - target) ** 2, [a])
    expected = 2 * (out.item() - target) * out.item() * (1 - out.item()) * weight[2].item()
    assert found[2].item() == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize("name", [key for key in GOLDEN["transfer_functions"] if key not in ("at", "conventions")])
def test_transfer_functions(name: str) -> None:
    table = GOLDEN["transfer_functions"]
    x = w.tensor(table["at"], dtype=w.float64, requires_grad=True)
    y = getattr(nn, name)(x)
    np.testing.assert_allclose(y.detach().numpy(), table[name]["f"], rtol=1e-12)
    (slope,) = w.gradients(y.sum(), [x])
    np.testing.assert_allclose(slope.numpy(), table[name]["slope"], rtol=1e-12)
    ones = w.ones(x.shape, dtype=w.float64)
    np.testing.assert_allclose(
        w.jvp(getattr(nn, name), (x.detach(),), (ones,))[1].numpy(), table[name]["slope"], rtol=1e-12
    )
