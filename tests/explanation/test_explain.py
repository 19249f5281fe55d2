"""`wengert.explain`: the lecture's tables word for word, and SymPy as the judge of everybody else's."""

import json
import math
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pytest
import sympy
from hypothesis import assume, given, settings
from matplotlib.mathtext import MathTextParser

import wengert
from wengert.errors import ArgumentError, GradientError, ShapeError, WengertError
from wengert.explanation import FormulaError
from wengert.explanation.expression import Binary, Call, Name, Negative, Number, to_text
from wengert.explanation.formula import evaluate, parse, variables
from wengert.explanation.functions import FUNCTIONS, formula_functions

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "lecture.json").read_text())["two_variable_example"]
EXAMPLE = "x1*x2 + sin(x1)"


def rows(explained, table=0):
    return json.loads(explained.to_json())["tables"][table]["rows"]


@pytest.fixture(params=["formula", "function"])
def example(request):
    if request.param == "formula":
        return wengert.explain(EXAMPLE)(x1=2, x2=5)
    return wengert.explain(lambda x1, x2: x1 * x2 + wengert.sin(x1))(2.0, 5.0)


def test_the_lecture_list(example):
    listed = [row["operation"]["text"] for row in rows(example.forward("x1"))]
    assert listed == GOLDEN["wengert_list"]


@pytest.mark.parametrize("seed", ["x1", "x2"])
def test_the_lecture_forward_table(example, seed):
    numbers = GOLDEN["numbers_at_x1_2_x2_5"][f"forward_seed_{seed}"]
    symbols = GOLDEN["forward_seed_x1"]
    for row, (name, number) in zip(rows(example.forward(seed)), numbers.items(), strict=True):
        rule = symbols[name] if isinstance(symbols[name], str) else f"{number:g}"
        assert row["tangent"]["text"] == f"{name} = {rule}"
        assert row["derivative"] == pytest.approx(number, rel=1e-12, abs=0)


def test_the_lecture_reverse_table(example):
    numbers = GOLDEN["numbers_at_x1_2_x2_5"]["reverse"]
    symbols = GOLDEN["reverse_seed_z"]
    for row, (name, number) in zip(rows(example.reverse()), numbers.items(), strict=True):
        assert row["adjoint"]["text"] == f"{name} = {symbols[name]}"
        assert row["derivative"] == pytest.approx(number, rel=1e-12, abs=0)
    assert example.value == pytest.approx(GOLDEN["numbers_at_x1_2_x2_5"]["z"], rel=1e-12)
    assert [row["meaning"]["text"] for row in rows(example.reverse())][-2:] == ["dy/dx2", "dy/dx1"]


def test_contributions_that_add_up(example):
    shares = [row for row in rows(example.reverse(), 1) if row["receiver"]["text"] == "w1"]
    assert [row["sender"]["text"] for row in shares] == ["w4", "w3"]
    assert [row["share"]["text"] for row in shares] == ["w4_bar*cos(w1)", "w3_bar*w2"]
    assert [row["in_numbers"]["text"] for row in shares] == ["1*cos(2)", "1*5"]
    assert [row["before"] for row in shares] == [0.0, math.cos(2)]
    assert [row["after"] for row in shares] == [math.cos(2), math.cos(2) + 5]


def test_a_chain_is_bracketed_both_ways():
    x = 0.5
    chain = wengert.explain("sin(exp(x^2))")(x=x).chain()
    local, inside, outside = (rows(chain, table) for table in range(3))
    assert [row["derivative"]["text"] for row in local] == [
        "dw2/dw1 = w1*2",
        "dw3/dw2 = w3",
        "dw4/dw3 = cos(w3)",
    ]
    e = math.exp(x * x)
    assert [row["value"] for row in local] == pytest.approx([2 * x, e, math.cos(e)], rel=1e-14)
    assert inside[-1]["derivative"]["text"] == "dw4/dw1 = dw4/dw3 * (dw3/dw2 * dw2/dw1)"
    assert outside[-1]["derivative"]["text"] == "dw4/dw1 = (dw4/dw3 * dw3/dw2) * dw2/dw1"
    assert [row["value"] for row in inside] == pytest.approx([2 * x, 2 * x * e, 2 * x * e * math.cos(e)], rel=1e-14)
    assert [row["value"] for row in outside] == pytest.approx(
        [math.cos(e), math.cos(e) * e, 2 * x * e * math.cos(e)], rel=1e-14
    )


def test_a_chain_with_signs_constants_and_quotients():
    local = rows(wengert.explain(lambda x: -wengert.cos(3.0 / x) / 4)(2.0).chain())
    slopes = [row["derivative"]["text"] for row in local]
    assert slopes == [
        "dw2/dw1 = -(w2/w1)",
        "dw3/dw2 = -sin(w2)",
        "dw4/dw3 = -1",
        "dw5/dw4 = 1/4",
    ]
    truth = [-0.75, -math.sin(1.5), -1.0, 0.25]
    assert [row["value"] for row in local] == pytest.approx(truth, rel=1e-14)


@pytest.mark.parametrize("formula", [EXAMPLE, "x*exp(x)", "x"])
def test_what_is_no_chain(formula):
    values = dict.fromkeys(variables(parse(formula)), 1.5)
    with pytest.raises(GradientError, match=r"^chain: "):
        wengert.explain(formula)(**values).chain()


SMOOTH = ["sin", "cos", "tan", "exp", "sqrt", "log", "tanh", "sinh", "cosh", "atan", "square", "sigmoid"]
LEAVES = st.sampled_from([Name("a"), Name("b"), Name("c")]) | st.integers(1, 4).map(lambda n: Number(float(n)))


def _larger(smaller):
    return (
        st.builds(Negative, smaller)
        | st.builds(Binary, st.sampled_from("+-*/"), smaller, smaller)
        | st.builds(lambda a, n: Binary("^", a, Number(float(n))), smaller, st.integers(-1, 3))
        | st.builds(lambda f, a: Call(f, (a,)), st.sampled_from(SMOOTH), smaller)
    )


TREES = st.recursive(LEAVES, _larger, max_leaves=7).filter(variables)
SYMPY = {"square": lambda x: x**2, "sigmoid": lambda x: 1 / (1 + sympy.exp(-x)), "atan": sympy.atan}
NUMPY = {name: getattr(np, name) for name in ["sin", "cos", "tan", "exp", "sqrt", "log", "tanh", "sinh", "cosh"]}
NUMPY |= {"atan": np.arctan, "square": np.square, "sigmoid": lambda x: 1 / (1 + np.exp(-x))}


@settings(max_examples=60)
@given(TREES, st.tuples(*[st.floats(0.3, 1.7).map(lambda x: round(x, 2))] * 3))
def test_tables_of_random_formulas_agree_with_sympy(tree, numbers):
    point = dict(zip("abc", numbers, strict=True))
    names = variables(tree)
    truth = sympy.sympify(to_text(tree).replace("^", "**"), locals=SYMPY | {n: sympy.Symbol(n) for n in names})
    at = {sympy.Symbol(name): sympy.Float(point[name], 50) for name in names}
    expected = [truth.subs(at).evalf(30), *(truth.diff(sympy.Symbol(n)).subs(at).evalf(30) for n in names)]
    assume(all(value.is_real and 1e-6 < abs(value) < 1e6 for value in expected))
    try:
        explanation = wengert.explain(to_text(tree))(**{name: point[name] for name in names})
    except GradientError:
        assume(False)
    value, *slopes = map(float, expected)
    assert explanation.value == pytest.approx(value, rel=1e-7)
    adjoints = {row["meaning"]["text"]: row["derivative"] for row in rows(explanation.reverse())}
    for name, slope in zip(names, slopes, strict=True):
        forward = rows(explanation.forward(name))
        assert forward[-1]["derivative"] == pytest.approx(slope, rel=1e-6)
        if f"dy/d{name}" in adjoints:
            assert adjoints[f"dy/d{name}"] == pytest.approx(slope, rel=1e-6)
        _symbols_mean_the_numbers(forward)
    _reverse_symbols_mean_the_numbers(forward, rows(explanation.reverse()))


def _symbols_mean_the_numbers(table):
    """Every rule in the table, read back and evaluated by NumPy, gives the number beside it."""
    values = {row["operation"]["text"].split(" = ")[0]: row["value"] for row in table}
    values |= {row["tangent"]["text"].split(" = ")[0]: row["derivative"] for row in table if row["tangent"]}
    for row in table:
        for cell, number in ((row["operation"], row["value"]), (row["tangent"], row["derivative"])):
            rule = cell["text"].split(" = ")[1]
            if rule in "abc":
                continue
            known = {name: np.float64(values[name]) for name in variables(parse(rule))}
            assert evaluate(parse(rule), NUMPY, known) == pytest.approx(number, rel=1e-9)


def _reverse_symbols_mean_the_numbers(forward, table):
    values = {row["operation"]["text"].split(" = ")[0]: row["value"] for row in forward}
    values |= {row["adjoint"]["text"].split(" = ")[0]: row["derivative"] for row in table}
    for row in table:
        rule = row["adjoint"]["text"].split(" = ")[1]
        known = {name: np.float64(values[name]) for name in variables(parse(rule))}
        assert evaluate(parse(rule), NUMPY, known) == pytest.approx(row["derivative"], rel=1e-9)


@pytest.mark.parametrize("written", FUNCTIONS)
def test_every_function_of_a_formula_is_one_entry_of_the_list(written):
    public, arity = FUNCTIONS[written]
    x = {"acosh": 1.5}.get(public, 0.4)
    formula = f"{written}(x)" if arity == 1 else f"{written}(x, y)"
    given_values = {"x": x} if arity == 1 else {"x": x, "y": 0.7}
    explanation = wengert.explain(formula)(**given_values)
    assert len(rows(explanation.forward())) == arity + 1
    numeric = wengert.tensor(x, dtype=wengert.float64)
    others = [wengert.tensor(0.7, dtype=wengert.float64)] * (arity - 1)
    assert explanation.value == getattr(wengert, public)(numeric, *others).item()


def test_numbers_among_themselves_are_no_entries():
    explanation = wengert.explain("2*pi*x + sin(0) - 3^2*x")(x=1.5)
    listed = [row["operation"]["text"] for row in rows(explanation.forward())]
    assert listed == ["w1 = x", "w2 = 6.283185307179586*w1", "w3 = w2 + sin(0)", "w4 = 9*w1", "w5 = w3 - w4"]
    assert "pi*w1" in str(wengert.explain("pi*x")(x=1))


def test_vectors_are_shown_elementwise():
    explanation = wengert.explain(lambda x, y: (x * y).sum())([1.0, 2.0], wengert.tensor([3.0, 4.0]).astype("float64"))
    forward = rows(explanation.forward({"x": [1, 0], "y": [0, 0.5]}))
    assert forward[2]["value"] == [3.0, 8.0]
    assert forward[2]["derivative"] == [3.0, 1.0]
    assert forward[3]["operation"]["text"] == "w4 = sum(w3)"
    reverse = {row["meaning"]["text"]: row["derivative"] for row in rows(explanation.reverse())}
    assert reverse["dy/dx"] if "dy/dx" in reverse else reverse["dz/dx"] == [3.0, 4.0]


def test_settings_and_indices_are_named():
    def f(x):
        flat = wengert.reshape(x, (4,))[np.array([0, 3])]
        return wengert.sum(x, axis=0)[1] + x[0, :2].sum() + wengert.clip(x, 0, 1)[..., None][-1, 0, 0] + flat.sum()

    explanation = wengert.explain(f)([[1.0, 2.0], [3.0, 4.0]])
    text = str(explanation)
    assert "reshape(w1, shape=(4,))" in text
    assert "[0, 3], [array])" in text
    assert r"\mathrm{clip}(w_1, \mathrm{low}=0, \mathrm{high}=1)" in explanation.to_latex()
    assert "sum(w1, axes=(0,))" in text
    assert "w1[0, :2]" in text
    assert "clip(w1, low=0, high=1)" in text


def test_a_result_that_is_no_number_has_forward_only():
    explanation = wengert.explain(lambda x: x * 2)([1.0, 2.0])
    assert explanation.value == (2.0, 4.0)
    assert "reverse" not in str(explanation)
    with pytest.raises(GradientError, match=r"^reverse: the result has shape \(2,\)"):
        explanation.reverse()
    with pytest.raises(GradientError, match=r"^chain: only functions of one number"):
        explanation.chain()


def test_keywords_varargs_and_closures():
    k = wengert.tensor(3.0, dtype=wengert.float64, requires_grad=True)
    explanation = wengert.explain(lambda *xs, **more: xs[0] * xs[1] * more["scale"] * k)(2.0, 5.0, scale=0.5)
    listed = [row["operation"]["text"] for row in rows(explanation.forward())]
    assert listed[:4] == ["w1 = xs1", "w2 = xs2", "w3 = scale", "w4 = p1"]
    assert explanation.value == 15.0
    assert k.grad is None


def test_the_letter_of_the_list_gives_way_to_the_users_names():
    explanation = wengert.explain("w1*y")(w1=2, y=3)
    assert rows(explanation.forward())[2]["operation"]["text"] == "v3 = v1*v2"
    assert explanation.report.title.startswith("z = w1*y at w1 = 2, y = 3")


def test_float32_is_kept_and_inputs_are_left_alone():
    x = wengert.tensor([0.1, 0.2], requires_grad=True)
    explanation = wengert.explain(lambda x: (x * 0.1).sum())(x)
    assert "0.1*w1" in str(explanation) or "w1*0.1" in str(explanation)
    assert explanation.value == float(np.float32(0.1) * np.float32(0.1) + np.float32(0.2) * np.float32(0.1))
    assert x.grad is None


def test_it_works_the_same_under_eager_and_no_grad():
    expected = str(wengert.explain(EXAMPLE)(x1=2, x2=5))
    with wengert.eager():
        assert str(wengert.explain(EXAMPLE)(x1=2, x2=5)) == expected
    with wengert.no_grad():
        assert str(wengert.explain(EXAMPLE)(x1=2, x2=5)) == expected


def test_a_rule_with_a_comparison_is_written_out():
    text = str(wengert.explain("relu(x)")(x=-1))
    assert "w2_dot = greater(w2, 0)*w1_dot" in text
    assert "w1_bar = w2_bar*greater(w2, 0)" in text
    assert "1*greater(0, 0)" in text


def test_html_latex_and_json_agree(example):
    section = ElementTree.fromstring(example._repr_html_())
    codes = [code.text for code in section.iter("code")]
    assert "w1_bar = w3_bar*w2 + w4_bar*cos(w1)" in codes
    latex = example.to_latex()
    assert r"$\bar{w}_1 = \bar{w}_3 \cdot w_2 + \bar{w}_4 \cdot \cos(w_1)$" in latex
    for piece in latex.split("$")[1::2]:
        MathTextParser("agg").parse(f"${piece}$")
    assert len(json.loads(example.to_json())["tables"]) == 3
    assert repr(example).startswith("<Explanation: y = ")


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: wengert.explain("x1*(x2"), FormulaError, "never closed"),
        (lambda: wengert.explain("x1*x2")(x1=1), FormulaError, "the variable 'x2' has no value"),
        (lambda: wengert.explain("x1")(x1=1, x3=1), FormulaError, "'x3'"),
        (lambda: wengert.explain("2*3")(), GradientError, "has no variable"),
        (lambda: wengert.explain(3), ArgumentError, "expected a formula or a function, got a int"),
        (lambda: wengert.explain("x")(x="two"), ArgumentError, "must be a number or an array"),
        (lambda: wengert.explain(lambda: 1)(), GradientError, "without inputs"),
        (lambda: wengert.explain(lambda x: 1.0)(2.0), GradientError, "returned a float"),
        (lambda: wengert.explain(lambda x: x.detach())(2.0), GradientError, "does not depend on the inputs"),
        (
            lambda: wengert.explain("x")(x=1).forward("y"),
            ArgumentError,
            "no input 'y' to seed; the inputs are x",
        ),
        (lambda: wengert.explain(lambda x: x * 2)([1, 2]).forward("x"), ArgumentError, "give its tangent"),
        (lambda: wengert.explain("x")(x=1).forward({"x": [1, 2]}), ShapeError, "tangent of x has shape (2,)"),
    ],
)
def test_wrong_requests_get_one_sentence(call, error, words):
    with pytest.raises(error) as caught:
        call()
    assert isinstance(caught.value, WengertError)
    assert words in str(caught.value)


def test_formula_functions_take_numbers():
    assert formula_functions()["hypot"](3.0, 4.0).item() == 5.0
