"""`wengert explain`: a thin door to the explanation package."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from wengert.cli import commands
from wengert.explanation import explain, explain_backprop


def wengert(*args: str) -> Result:
    return CliRunner().invoke(commands(), list(args))


def test_formula_prints_what_the_function_shows() -> None:
    result = wengert("explain", "x1*x2 + sin(x1)", "--at", "x1=2,x2=5")
    assert result.exit_code == 0
    assert result.stdout == str(explain("x1*x2 + sin(x1)")(x1=2, x2=5)) + "\n"
    assert "w3_dot = w2*w1_dot + w1*w2_dot" in result.stdout
    assert "4.583853" in result.stdout  # 5 + cos(2)
    apart = wengert("explain", "x1*x2 + sin(x1)", "--at", "x1=2", "--at", "x2=5")
    assert apart.stdout == result.stdout


def test_seed_chooses_the_variable() -> None:
    result = wengert("explain", "x1*x2", "--at", "x1=2,x2=5", "--seed", "x2")
    assert "seed x2_dot = 1" in result.stdout


def test_a_chain_is_bracketed_both_ways() -> None:
    chain = wengert("explain", "sin(exp(x^2))", "--at", "x=0.5").stdout
    assert "from the inside to the outside" in chain
    assert "from the outside to the inside" in chain
    assert "from the inside" not in wengert("explain", "x1*x2", "--at", "x1=2,x2=5").stdout


def test_a_formula_may_begin_with_a_minus() -> None:
    result = wengert("explain", "-x^2", "--at", "x=3")
    assert result.exit_code == 0
    assert result.stdout.startswith("y = -x^2 at x = 3\n")


def test_backprop_prints_the_lectures_network() -> None:
    result = wengert("explain", "backprop")
    assert result.stdout == str(explain_backprop(updates=1)) + "\n"
    assert "0.298371109" in result.stdout
    assert "0.291027774" in wengert("explain", "backprop", "--updates", "3").stdout


def test_backprop_of_a_file_and_of_a_run(tmp_path: Path) -> None:
    layers = [{"weights": [[0.5, -0.5]], "transfer": "tansig"}]
    network = {"inputs": [1, 2], "targets": [0], "layers": layers, "learning_rate": 0.1}
    file = tmp_path / "network.json"
    file.write_text(json.dumps(network), encoding="utf-8")
    assert "2-1 network" in wengert("explain", "backprop", "--network", str(file)).stdout
    run = tmp_path / "run"
    trained = wengert("train", "--data", "xor", "--epochs", "1", "--hidden", "3", "--quiet", "--out", str(run))
    assert trained.exit_code == 0
    shown = wengert("explain", "backprop", "--network", str(run), "--inputs", "0,1", "--targets", "1,0")
    assert "2-3-2 network" in shown.stdout
    unfit = wengert("explain", "backprop", "--network", str(run))
    assert (unfit.exit_code, unfit.stdout) == (2, "")
    assert "needs a pattern" in unfit.stderr


@pytest.mark.parametrize("command", [["x^2", "--at", "x=3"], ["backprop"]])
def test_formats(command: list[str], tmp_path: Path) -> None:
    assert json.loads(wengert("explain", *command, "--format", "json").stdout)["tables"]
    assert r"\begin{tabular}" in wengert("explain", *command, "--format", "latex").stdout
    out = tmp_path / "page.html"
    assert wengert("explain", *command, "--format", "html", "--out", str(out)).stdout == ""
    page = out.read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>") and 'charset="utf-8"' in page and "<caption>" in page


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["x1*(x2 + 1", "--at", "x1=1,x2=2"], "never closed"),
        (["foo(x)", "--at", "x=1"], "no function 'foo'"),
        (["x + y", "--at", "x=1"], "'y' has no value"),
        (["x", "--at", "x=1,z=2"], "'z'"),
        (["x", "--at", "x"], "expected name=value"),
        (["x*x", "--at", "x=1", "--seed", "z"], "no input 'z'"),
        (["x*x", "--at", "x=1", "--out", "/proc/nowhere/a.txt"], "cannot be written"),
        (["backprop", "--network", "missing.json"], "missing.json"),
        (["backprop", "--inputs", "1;2"], "divided by commas"),
    ],
)
def test_bad_input(arguments: list[str], expected: str) -> None:
    result = wengert("explain", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert expected in result.stderr and "Traceback" not in result.stderr


def test_the_place_of_an_error_is_marked() -> None:
    lines = wengert("explain", "x1*(x2 + 1", "--at", "x1=1,x2=2").stderr.splitlines()
    assert lines[1].index("(") == lines[2].index("^")
