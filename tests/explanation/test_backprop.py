"""The backpropagation ledger: the lecture's numbers, ordinary `nn` code, NumPy, finite differences."""

import json
import xml.etree.ElementTree as ElementTree
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from matplotlib.mathtext import MathTextParser

import wengert
from wengert import nn
from wengert.errors import ArgumentError, DataError
from wengert.explanation import LECTURE_NETWORK, explain_backprop
from wengert.explanation.functions import TRANSFER_FUNCTIONS

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "lecture.json").read_text())
WORKED = GOLDEN["worked_backpropagation"]
# The lecture's names of its numbers -> the ledger's.
PRINTED = {
    "dE_dout_o1": "dE_total/dout_o1",
    "dout_o1_dnet_o1": "dout_o1/dnet_o1",
    "dnet_o1_dw5": "dnet_o1/dw5",
    "dE_dw5": "dE_total/dw5",
    "dE_o1_dnet_o1": "dE_o1/dnet_o1",
    "dE_o1_dout_h1": "dE_o1/dout_h1",
    "dE_o2_dout_h1": "dE_o2/dout_h1",
    "dE_dout_h1": "dE_total/dout_h1",
    "dout_h1_dnet_h1": "dout_h1/dnet_h1",
    "dnet_h1_dw1": "dnet_h1/dw1",
    "dE_dw1": "dE_total/dw1",
}


def _random():
    return np.random.Generator(np.random.Philox(7))


@pytest.fixture(scope="module")
def lecture():
    return explain_backprop()


@pytest.mark.parametrize("name", WORKED["printed"])
def test_every_number_the_lecture_prints(lecture, name):
    wanted = Decimal(repr(WORKED["printed"][name]))
    unit = Decimal(1).scaleb(wanted.as_tuple().exponent)
    slip = unit if name == "dE_o2_dout_h1" else 0  # the lecture's own rounding, see known_slips
    exact = lecture.quantities[PRINTED.get(name, name)]
    assert abs(Decimal(exact).quantize(unit) - wanted) <= slip
    key = PRINTED.get(name, name).removesuffix("_new")
    key = "dE_o1/dnet_o1 = dE_total/dnet_o1" if name == "dE_o1_dnet_o1" else key
    last = [line for line in str(lecture).split("\n") if line.split("  ")[0].strip() == key][-1].split()[-1]
    assert abs(Decimal(last).quantize(unit) - wanted) <= slip


@pytest.mark.parametrize("name", [name for name in WORKED["exact"] if name != "E_total_after_updates"])
def test_every_exact_number(lecture, name):
    key = name.replace("dE_d", "dE_total/d")
    assert lecture.quantities[key] == pytest.approx(WORKED["exact"][name], rel=1e-12, abs=0)


def test_the_error_after_many_updates():
    ledger = explain_backprop(updates=10_000)
    expected = {int(made): error for made, error in WORKED["exact"]["E_total_after_updates"].items()}
    assert ledger.errors == pytest.approx(expected, rel=1e-12, abs=0)
    assert str(ledger).count("step 1: receive") == 2  # the first and the last update in full
    assert "update 10000, step 4" in str(ledger)
    in_table = json.loads(ledger.to_json())["tables"][-1]["rows"]
    assert [row["updates"] for row in in_table] == ["0", "1", "10", "100", "1000", "10000"]


def test_the_same_by_ordinary_code_with_backward():
    first, second = (np.array(layer.weights) for layer in LECTURE_NETWORK.layers)
    w = [wengert.tensor(values, requires_grad=True) for values in (first, second)]
    hidden = nn.logsig(w[0] @ wengert.tensor(np.array([0.05, 0.1])) + 0.35)
    loss = nn.sum_squared_error(nn.logsig(w[1] @ hidden + 0.6), wengert.tensor(np.array([0.01, 0.99])))
    loss.backward()
    exact = WORKED["exact"]
    assert loss.item() == pytest.approx(exact["E_total"], rel=1e-12)
    by_hand = [*w[0].grad.numpy().ravel(), *w[1].grad.numpy().ravel()]
    assert by_hand == pytest.approx([exact[f"dE_dw{k}"] for k in range(1, 9)], rel=1e-12)


def _random_module(random):
    net = nn.Sequential(nn.Linear(3, 4), nn.Tansig(), nn.Linear(4, 2), nn.Tansig())
    with wengert.no_grad():
        for p in net.parameters():
            p.rebind(wengert.tensor(random.normal(size=p.shape), dtype=wengert.float64))
    return net


def test_the_ledger_of_a_random_network_is_what_backward_gives():
    random = _random()
    net, x, target = _random_module(random), random.normal(size=3), random.normal(size=2)
    ledger = explain_backprop(net, inputs=x, targets=target, rate=0.1)
    loss = nn.sum_squared_error(net(wengert.tensor(x)), wengert.tensor(target))
    loss.backward()
    weights = [value for i in (0, 2) for value in net[i].weight.grad.numpy().ravel()]
    assert len(weights) == 20
    for k, value in enumerate(weights, 1):
        assert ledger.quantities[f"dE_total/dw{k}"] == pytest.approx(value, rel=1e-12, abs=0)
        text = next(line for line in str(ledger).split("\n") if line.startswith(f"dE_total/dw{k} "))
        assert float(text.split()[-1]) == pytest.approx(value, abs=6e-10)
    for i, prefix in ((0, "h"), (2, "o")):
        for k, value in enumerate(net[i].bias.grad.numpy(), 1):
            assert ledger.quantities[f"dE_total/db_{prefix}{k}"] == pytest.approx(value, rel=1e-12, abs=0)
    assert ledger.quantities["E_total"] == pytest.approx(loss.item(), rel=1e-12)
    assert net[0].weight.grad is not None
    optimizer = wengert.optim.SGD(net.parameters(), lr=0.1)
    optimizer.step()
    for layer, i in zip(ledger.after.layers, (0, 2), strict=True):
        np.testing.assert_allclose(layer.weights, net[i].weight.detach().numpy(), rtol=1e-14)
        np.testing.assert_allclose(layer.biases, net[i].bias.detach().numpy(), rtol=1e-14)


def _content(sizes, transfers, **more):
    random = _random()
    layers = [
        {
            "weights": random.normal(size=(n, m)).tolist(),
            "biases": random.normal(size=n).tolist(),
            "transfer": transfer,
        }
        for m, n, transfer in zip(sizes, sizes[1:], transfers, strict=False)
    ]
    pattern = {
        "inputs": random.normal(size=sizes[0]).tolist(),
        "targets": random.normal(size=sizes[-1]).tolist(),
    }
    return pattern | {"layers": layers, "learning_rate": 0.2} | more


def _error(content):
    """E_total by plain NumPy, for tansig and purelin layers."""
    out = np.array(content["inputs"])
    for layer in content["layers"]:
        net = np.array(layer["weights"]) @ out + np.array(layer.get("biases", 0))
        out = np.tanh(net) if layer["transfer"] == "tansig" else net
    half = 0.5 if content.get("loss", "half_squared_error") == "half_squared_error" else 1.0
    return half * ((np.array(content["targets"]) - out) ** 2).sum()


@pytest.mark.parametrize("loss", ["half_squared_error", "squared_error"])
def test_a_deep_network_against_finite_differences(loss):
    content = _content((2, 3, 3, 2), ("tansig", "tansig", "purelin"), loss=loss, update_biases=True)
    ledger = explain_backprop(content, updates=2)
    assert ledger.quantities["E_total"] == pytest.approx(_error(content), rel=1e-13)
    number = 0
    for layer in content["layers"]:
        for row in layer["weights"]:
            for j, weight in enumerate(row):
                number += 1
                row[j] = weight + 1e-6
                above = _error(content)
                row[j] = weight - 1e-6
                slope = (above - _error(content)) / 2e-6
                row[j] = weight
                assert ledger.quantities[f"dE_total/dw{number}"] == pytest.approx(slope, rel=1e-6, abs=1e-8)
    q = ledger.quantities
    sent = [q[f"dE_total/dnet_h2_{k}"] * q[f"w{6 + 3 * (k - 1) + 1}"] for k in (1, 2, 3)]
    assert q["dE_total/dout_h1_1"] == pytest.approx(sum(sent), rel=1e-13)
    assert "dE_total/dnet_h2_1 * w7" in str(ledger)
    assert list(ledger.errors) == [0, 1, 2]
    assert str(ledger).count("step 2: feed forward") == 2


def test_every_rule_gives_the_number_beside_it():
    """The printed symbols, read back with the printed names' exact values, give the printed value."""
    ledger = explain_backprop(_content((2, 3, 2), ("logsig", "tansig"), loss="squared_error", update_biases=True))
    values = {name.replace("/", "_per_"): value for name, value in ledger.quantities.items()}
    values |= {"logsig": lambda x: 1 / (1 + np.exp(-x)), "tansig": np.tanh}
    checked = 0
    for table in json.loads(ledger.to_json())["tables"]:
        for row in table["rows"]:
            if isinstance(row.get("rule"), dict):
                rule = row["rule"]["text"].split(" = ")[-1].replace("^", "**")
                for name in sorted(ledger.quantities, key=len, reverse=True):
                    rule = rule.replace(name, name.replace("/", "_per_")) if "/" in name else rule
                found = eval(rule, {"__builtins__": {}}, values)
                assert found == pytest.approx(row.get("value", row.get("new")), rel=1e-10)
                checked += 1
    # forward, errors, output units and weights, hidden units and weights, updates
    assert checked == 10 + 3 + 6 + 14 + 15 + 15 + 17


def test_the_second_example_is_a_product_of_three_factors():
    """dl/da3(1) = 2 (a1(2) - y1) * a1(2) (1 - a1(2)) * w13(2), with the loss (yhat - y)^2 of the lecture."""
    content = _content((2, 3, 1), ("logsig", "logsig"), loss="squared_error")
    q = explain_backprop(content).quantities
    a, y, w13 = q["out_o1"], content["targets"][0], content["layers"][1]["weights"][0][2]
    assert q["dE_total/dout_o1"] == pytest.approx(2 * (a - y), rel=1e-13)
    assert q["dout_o1/dnet_o1"] == pytest.approx(a * (1 - a), rel=1e-13)
    assert q["dE_total/dout_h3"] == pytest.approx(2 * (a - y) * a * (1 - a) * w13, rel=1e-13)


@pytest.mark.parametrize("written", TRANSFER_FUNCTIONS)
def test_every_transfer_function_has_its_slope(written):
    content = _content((1, 2, 1), (written, "purelin"))
    q = explain_backprop(content).quantities
    for k in (1, 2):
        x = q[f"net_h{k}"]
        f = getattr(nn, TRANSFER_FUNCTIONS[written])
        ends = [f(wengert.tensor(x + h, dtype=wengert.float64)).item() for h in (1e-6, -1e-6)]
        assert q[f"dout_h{k}/dnet_h{k}"] == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-5, abs=1e-7)


def test_slopes_in_symbols():
    text = str(explain_backprop(_content((1, 1, 1), ("tansig", "relu"))))
    assert "1 - out_h1*out_h1" in text
    assert "greater(out_o1, 0)" in text


def test_shared_biases_are_updated_by_the_sum():
    content = _content((2, 2, 1), ("logsig", "purelin"), update_biases=True)
    content["layers"][0]["biases"] = 0.3
    del content["layers"][1]["biases"]
    ledger = explain_backprop(content)
    q = ledger.quantities
    assert q["dE_total/db1"] == pytest.approx(q["dE_total/dnet_h1"] + q["dE_total/dnet_h2"], rel=1e-13)
    assert q["b1_new"] == pytest.approx(0.3 - 0.2 * q["dE_total/db1"], rel=1e-13)
    assert ledger.after.layers[0].biases.shape == ()
    assert ledger.after.layers[1].biases is None


def test_a_module_with_scaling_dropout_and_no_bias():
    net = nn.Sequential(
        nn.Standardize([1.0, 2.0], [2.0, 4.0]),
        nn.Sequential(nn.Linear(2, 2, bias=False), nn.Dropout(0.5)),
        nn.Linear(2, 1),
        nn.ReLU(),
    )
    ledger = explain_backprop(net, inputs=[3, 2], targets=[1])
    assert [ledger.quantities[name] for name in ("i1", "i2")] == [1.0, 0.0]
    assert [layer.transfer for layer in ledger.before.layers] == ["purelin", "relu"]
    assert ledger.before.layers[0].biases is None
    assert ledger.before.learning_rate == 0.5


def test_a_large_network_is_cut_with_a_note():
    ledger = explain_backprop(_content((30, 12, 2), ("tansig", "purelin")))
    text = str(ledger)
    assert "more rows; `.quantities` has every number." in text
    assert "w6*i6 + ... + w30*i30 + b_h1" in text
    assert f"dE_total/dw{30 * 12 + 24}" in ledger.quantities
    for line in ledger.to_latex().split("$")[1::2]:
        assert line


def test_no_update_shows_the_pass_only():
    ledger = explain_backprop(updates=0)
    assert ledger.errors == {0: ledger.quantities["E_total"]}
    assert "update u <- u" not in str(ledger)
    assert ledger.after is ledger.before


def test_a_file_and_other_patterns(tmp_path):
    path = tmp_path / "net.json"
    path.write_text(json.dumps(_content((2, 2, 2), ("logsig", "logsig"))))
    ledger = explain_backprop(path, inputs=[1, 2], targets=[0, 1], rate=0.25)
    assert ledger.quantities["i2"] == 2.0
    assert ledger.quantities["target_o2"] == 1.0
    q = ledger.quantities
    assert q["w1_new"] == pytest.approx(q["w1"] - 0.25 * q["dE_total/dw1"], rel=1e-14)
    assert explain_backprop(str(path)).before.learning_rate == 0.2


def test_html_latex_and_json(lecture):
    section = ElementTree.fromstring(lecture.to_html())
    codes = {code.text for code in section.iter("code")}
    assert "dE_total/dout_o1 * dout_o1/dnet_o1 * dnet_o1/dw5" in codes
    latex = lecture.to_latex()
    assert r"\frac{\partial E_{total}}{\partial w_5}" in latex
    for piece in set(latex.split("$")[1::2]):
        MathTextParser("agg").parse(f"${piece}$")
    tables = json.loads(lecture.to_json())["tables"]
    values = {row["weight"]["text"]: row["new"] for row in tables[-2]["rows"]}
    assert values["w5"] == lecture.quantities["w5_new"]


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"updates": -1}, ArgumentError, "updates must be a whole number from 0 on, got -1"),
        ({"updates": 1.5}, ArgumentError, "got 1.5"),
        ({"network": 3}, ArgumentError, "a int is no network"),
        ({"network": {"inputs": [1]}}, DataError, "'targets' is missing"),
        ({"network": "nowhere.json"}, DataError, "nowhere.json: cannot be read"),
        ({"inputs": [1, 2, 3]}, DataError, "3 inputs were given, expected 2"),
        ({"targets": "ab"}, DataError, "'targets' must be a list of numbers"),
        ({"network": nn.Sequential(nn.Linear(2, 1))}, ArgumentError, "a module needs a pattern"),
    ],
)
def test_wrong_requests_get_one_sentence(arguments, error, words):
    with pytest.raises(error) as caught:
        explain_backprop(**arguments)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ([nn.Tansig(), nn.Linear(2, 1)], "Tansig() must follow a Linear layer"),
        ([nn.Linear(2, 2), nn.Softmax()], "is no elementwise transfer function"),
        ([nn.Linear(2, 2), nn.LeakyReLU(0.2)], "is no elementwise transfer function without settings"),
        ([nn.Linear(2, 2), nn.Flatten()], "is no elementwise transfer function"),
        ([nn.Dropout(0.5)], "no Linear layer"),
    ],
)
def test_modules_that_cannot_be_listed(parts, words):
    with pytest.raises(ArgumentError) as caught:
        explain_backprop(nn.Sequential(*parts), inputs=[1, 2], targets=[0, 1])
    assert words in str(caught.value)
