"""Reading formulas: SymPy says what they mean, hand-written columns say where the caret belongs."""

import math

import hypothesis.strategies as st
import numpy as np
import pytest
import sympy
from hypothesis import given

from wengert.errors import WengertError
from wengert.explanation.expression import Binary, Call, Constant, Name, Negative, Number, Partial, to_text
from wengert.explanation.formula import (
    FUNCTIONS,
    FormulaError,
    check_variables,
    evaluate,
    parse,
    parse_point,
    variables,
)

LEAVES = (
    st.sampled_from([Name("x1"), Name("x2"), Name("alpha"), Constant("pi"), Constant("e")])
    | st.integers(0, 9).map(lambda n: Number(float(n)))
    | st.sampled_from([0.5, 1e-3, 2.25, 1e20]).map(Number)
)


def _larger(smaller):
    return (
        st.builds(Negative, smaller)
        | st.builds(Binary, st.sampled_from("+-*/^"), smaller, smaller)
        | st.builds(lambda f, a: Call(f, (a,)), st.sampled_from(["sin", "exp", "tanh", "sqrt"]), smaller)
        | st.builds(lambda a, b: Call("atan2", (a, b)), smaller, smaller)
    )


TREES = st.recursive(LEAVES, _larger, max_leaves=10)


@given(TREES)
def test_what_is_written_reads_back_as_the_same_tree(tree):
    assert parse(to_text(tree)) == tree


FORMULAS = [
    "1 + 2*3 - 4/5",
    "2 - 3 - 4",
    "2/3/4",
    "2^3^2",
    "-3^2",
    "(-3)^2",
    "2^-1",
    "2^-2^2*3",
    "-2*-3",
    "- - 2",
    "+2 - +3",
    "2**3**0.5",
    ".5 + 1. + 1e-3 + 2.5E+2",
    "((((7))))",
    "pi*e - e^pi",
    "8/2*(2 + 2)",
    "1 - (2 - (3 - 4))",
    "-2^0.5",
]


@pytest.mark.parametrize("formula", FORMULAS)
def test_arithmetic_agrees_with_sympy(formula):
    names = {"pi": sympy.pi, "e": sympy.E}
    truth = float(sympy.sympify(formula.replace("^", "**"), locals=names))
    assert evaluate(parse(formula), {}, {}) == pytest.approx(truth, rel=1e-14)


@pytest.mark.parametrize(("formula", "value"), [("1/0", math.inf), ("-1/0", -math.inf), ("10^400", math.inf)])
def test_numbers_follow_ieee_and_never_raise(formula, value):
    assert evaluate(parse(formula), {}, {}) == value


@pytest.mark.parametrize("formula", ["0/0", "(-8)^(1/3)"])
def test_undefined_arithmetic_is_nan(formula):
    assert math.isnan(evaluate(parse(formula), {}, {}))


def test_variables_and_functions_are_looked_up():
    functions = {"sin": np.sin, "atan2": np.arctan2, "maximum": np.maximum}
    tree = parse("x1*x2 + sin(x1) - atan2(x2, max(x1, 3))")
    x1, x2 = np.array([2.0, 3.5]), np.array([5.0, -1.0])
    expected = x1 * x2 + np.sin(x1) - np.arctan2(x2, np.maximum(x1, 3))
    np.testing.assert_array_equal(evaluate(tree, functions, {"x1": x1, "x2": x2}), expected)


def test_only_formulas_are_evaluated():
    with pytest.raises(TypeError, match="a Partial is no part of a formula"):
        evaluate(Partial("y", "x"), {}, {})


def test_variables_come_in_reading_order_of_their_numbers():
    assert variables(parse("x10 + x9*b + a*x9")) == ("a", "b", "x9", "x10")
    assert variables(parse("pi + e + 2")) == ()


@pytest.mark.parametrize(("written", "public"), [("logsig", "sigmoid"), ("ln", "log"), ("arctan", "atan")])
def test_other_names_of_a_function(written, public):
    assert parse(f"{written}(x)") == Call(public, (Name("x"),))


# formula, column of the caret, words the sentence must contain
WRONG = [
    ("x1*(x2 + 1", 3, "never closed"),
    ("sin(x1", 3, "never closed"),
    ("x1 + 1)", 6, "closes nothing"),
    ("2x", 1, "operator is missing"),
    ("2 (x)", 2, "operator is missing"),
    ("(x)(y)", 3, "operator is missing"),
    ("x y", 2, "operator is missing"),
    ("x 2", 2, "operator is missing"),
    ("sine(x)", 0, "did you mean 'sin(...)'"),
    ("1 + f(x)", 4, "for a product write f*(...)"),
    ("1 + sin x", 4, "give it an argument, sin(x)"),
    ("atan2", 0, "atan2(x, y)"),
    ("sin(x, y)", 0, "takes 1 argument, got 2"),
    ("sin()", 0, "takes 1 argument, got 0"),
    ("atan2(x)", 0, "takes 2 arguments"),
    ("x +", 3, "it ends where"),
    ("*x", 0, "expected a number, a variable or '('"),
    ("x + * y", 4, "expected a number, a variable or '('"),
    ("()", 1, "expected a number, a variable or '('"),
    ("1.2.3", 3, "two decimal points"),
    ("0,5*x", 1, "write 0.5 for 0,5"),
    ("(0,5)*x", 2, "write 0.5 for 0,5"),
    ("1e999", 0, "too large"),
    ("y = x", 2, "without '='"),
    ("[x]", 0, "round brackets"),
    ("x·y", 1, "write * for times"),
    ("x $ y", 2, "'$' cannot be used"),
    ("π", 0, "write pi"),
    ("x" * 201, 200, "201 characters"),
    ("+".join(["x"] * 62), 121, "more than 60 operations"),
    ("(" * 41 + "x" + ")" * 41, 41, "more than 40 deep"),
    ("-" * 41 + "x", 41, "more than 40 deep"),
    ("^".join(["x"] * 42), 82, "more than 40 deep"),
]


@pytest.mark.parametrize(("formula", "column", "words"), WRONG)
def test_wrong_formulas_get_a_sentence_and_a_caret(formula, column, words):
    with pytest.raises(FormulaError) as caught:
        parse(formula)
    sentence, shown, caret = str(caught.value).split("\n")
    assert words in sentence
    assert caret.strip() == "^"
    offset = column - (len(caret) - 3)  # the part of a long formula that is left out
    assert offset == max(0, column - 60)
    assert shown[2:] == formula[offset : column + 30]


@pytest.mark.parametrize("formula", ["", "   ", "\t\n"])
def test_an_empty_formula(formula):
    with pytest.raises(FormulaError, match=r"^formula: it is empty; write something like"):
        parse(formula)


def test_the_largest_formula_that_is_read():
    assert variables(parse("+".join(["x"] * 61))) == ("x",)
    assert parse("(" * 40 + "x" + ")" * 40) == Name("x")


def test_formula_errors_are_value_errors_of_the_library():
    assert issubclass(FormulaError, ValueError)
    assert issubclass(FormulaError, WengertError)


@given(st.text(alphabet="x1+-*/^().,e sin=$\n", max_size=30))
def test_any_text_is_read_or_refused_in_one_sentence(text):
    try:
        tree = parse(text)
    except FormulaError as error:
        assert len(str(error).split("\n")) in (1, 3)
    else:
        assert parse(to_text(tree)) == tree


def _refused(formula, given_names):
    with pytest.raises(FormulaError) as caught:
        check_variables(formula, parse(formula), given_names)
    return str(caught.value).split("\n")


def test_a_missing_value_is_marked():
    sentence, shown, caret = _refused("x1 + 2*x22", ["x1", "x2"])
    assert sentence == "formula: the variable 'x22' has no value; add x22=...; did you mean 'x2'?"
    assert (shown, caret) == ("  x1 + 2*x22", "         ^")


def test_a_misspelt_function_without_brackets_is_recognised():
    assert "did you mean 'sin(...)'?" in _refused("2*sinx", [])[0]


def test_a_value_for_no_variable():
    (sentence,) = _refused("x1 + x2", ["x1", "x2", "x3"])
    assert sentence.startswith("formula: a value is given for 'x3', which is not in x1 + x2; its variables are x1, x2")
    assert "it has no variables" in _refused("2 + 3", ["x"])[0]


def test_a_value_for_a_constant():
    assert "'e' is the constant 2.71828" in _refused("e*x", ["x", "e"])[0]


def test_points():
    assert parse_point("x1=2,x2=5") == {"x1": 2.0, "x2": 5.0}
    assert parse_point(" a = -pi/2 , b=1e-3") == {"a": -math.pi / 2, "b": 0.001}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "expected name=value"),
        ("x", "expected name=value"),
        ("=3", "expected name=value"),
        ("2=3", "expected name=value"),
        ("x=1,", "expected name=value"),
        ("x=", "must be a number, got ''"),
        ("x=two", "must be a number, got 'two'"),
        ("x=sin(1)", "must be a number"),
        ("x=(1", "must be a number"),
        ("x=1/0", "must be a finite number, got '1/0'"),
        ("x=1,x=2", "'x' is given twice"),
    ],
)
def test_wrong_points(text, words):
    with pytest.raises(FormulaError) as caught:
        parse_point(text)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_every_function_has_one_or_two_arguments():
    assert {arity for _, arity in FUNCTIONS.values()} == {1, 2}
