"""Symbols written as text and LaTeX: hand-written truth, and matplotlib's TeX parser to say what compiles."""

from decimal import Decimal

import hypothesis.strategies as st
import pytest
from hypothesis import given
from matplotlib.mathtext import MathTextParser

from wengert.explanation.expression import (
    Binary,
    Call,
    Computed,
    Constant,
    Equation,
    Index,
    Name,
    Negative,
    Number,
    Partial,
    add,
    multiply,
    substitute,
    to_latex,
    to_text,
    walk,
)
from wengert.explanation.formula import parse
from wengert.explanation.numerals import format_number, format_value, number_to_latex, value_to_latex

W1, W2 = Name("w1"), Name("w2")

WRITTEN = [
    (Name("w12"), "w12", "w_{12}"),
    (Name("w1", "dot"), "w1_dot", r"\dot{w}_1"),
    (Name("w5", "bar"), "w5_bar", r"\bar{w}_5"),
    (Name("alpha"), "alpha", r"\alpha"),
    (Name("alpha2"), "alpha2", r"\alpha_2"),
    (Name("net"), "net", r"\mathrm{net}"),
    (Name("out_h1"), "out_h1", r"\mathrm{out}_{h1}"),
    (Name("_x_"), "_x_", r"\mathrm{\_x\_}"),
    (Constant("pi"), "pi", r"\pi"),
    (Constant("e"), "e", r"\mathrm{e}"),
    (Number(0.1), "0.1", "0.1"),
    (Number(-2.0), "-2", "-2"),
    (Computed(-0.41614683654), "-0.416147", "-0.416147"),
    (Computed(1.25e-8), "1.25e-08", r"1.25 \times 10^{-8}"),
    (Partial("E_total", "w5"), "dE_total/dw5", r"\frac{\partial E_{total}}{\partial w_5}"),
    (multiply([Partial("y", "x"), Partial("x", "t")]), "dy/dx * dx/dt",
     r"\frac{\partial y}{\partial x} \cdot \frac{\partial x}{\partial t}"),
    (parse("x1*(x2 - 1)/2"), "x1*(x2 - 1)/2", r"\frac{x_1 \cdot (x_2 - 1)}{2}"),
    (parse("-(x + y)^2"), "-(x + y)^2", "-(x + y)^{2}"),
    (parse("-(x*y)"), "-(x*y)", r"-(x \cdot y)"),
    (parse("x/y*2"), "x/y*2", r"\frac{x}{y} \cdot 2"),
    (parse("(x/y)^2"), "(x/y)^2", r"\left(\frac{x}{y}\right)^{2}"),
    (parse("sin(x/2)"), "sin(x/2)", r"\sin\left(\frac{x}{2}\right)"),
    (parse("sqrt(abs(x))"), "sqrt(abs(x))", r"\sqrt{\left|x\right|}"),
    (parse("radbas(x)"), "radbas(x)", r"\mathrm{radbas}(x)"),
    (parse("max(x, 1)"), "maximum(x, 1)", r"\max(x, 1)"),
    (Call("sum", (W1,), (("axis", "0"),)), "sum(w1, axis=0)", r"\mathrm{sum}(w_1, \mathrm{axis}=0)"),
    (Binary("@", W1, W2), "w1 @ w2", r"w_1 \cdot w_2"),
    (Index(W1, "0, 1:"), "w1[0, 1:]", "w_1[0, 1:]"),
    (Index(Binary("+", W1, W2), "0"), "(w1 + w2)[0]", "(w_1 + w_2)[0]"),
    (Binary("*", Computed(5.0), Computed(-0.5)), "5*(-0.5)", r"5 \cdot (-0.5)"),
    (Binary("^", Computed(1e-9), Number(2.0)), "1e-09^2", r"(1 \times 10^{-9})^{2}"),
    (Equation((W1, Binary("*", W2, W2), Computed(4.0))), "w1 = w2*w2 = 4", r"w_1 = w_2 \cdot w_2 = 4"),
]  # fmt: skip


@pytest.mark.parametrize(("tree", "text", "latex"), WRITTEN, ids=[text for _, text, _ in WRITTEN])
def test_text_and_latex(tree, text, latex):
    assert to_text(tree) == text
    assert to_latex(tree) == latex
    MathTextParser("agg").parse(f"${latex}$")


def test_signs_in_sums():
    assert to_text(add([W1, Negative(W2), W2])) == "w1 - w2 + w2"
    assert to_text(add([Negative(W1), W2])) == "-w1 + w2"


def test_substitution_replaces_every_occurrence():
    tree = Index(Call("f", (Negative(W1), Binary("+", W1, W2)), (("k", "1"),)), "0")
    replaced = substitute(tree, {W1: Number(3.0)})
    assert to_text(replaced) == "f(-3, 3 + w2, k=1)[0]"
    assert sum(node == W2 for node in walk(replaced)) == 1


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (0.0, 6, "0"),
        (-0.0, 6, "0"),
        (2.0, None, "2"),
        (1e300, None, "1e+300"),
        (0.1, None, "0.1"),
        (10.909297426825681, 6, "10.909297"),
        (0.7513650695523157, 9, "0.75136507"),
        (0.0004385677344743465, 9, "0.000438568"),
        (0.0004385677344743465, 6, "4.385677e-04"),
        (123456789012.0, 6, "1.234568e+11"),
        (999.9999999, 6, "1000"),
        (float("nan"), 6, "nan"),
        (float("inf"), None, "inf"),
        (float("-inf"), 9, "-inf"),
    ],
)
def test_numbers(value, decimals, text):
    assert format_number(value, decimals) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_written_in_full_reads_back(value):
    assert float(format_number(value)) == value


@given(st.floats(-1e8, 1e8), st.integers(3, 12))
def test_a_rounded_number_is_as_close_as_its_digits(value, decimals):
    written = Decimal(format_number(value, decimals))
    assert abs(written - Decimal(value)) <= Decimal(10) ** -decimals / 2


def test_arrays():
    assert format_value((1.0, (2.0, 3.2524)), 3) == "[1, [2, 3.252]]"
    assert format_value(tuple(map(float, range(9))), 3) == "[0, 1, 2, 3, 4, 5, ...]"
    assert value_to_latex((1.0, 1e-9), 3) == r"[1, 1 \times 10^{-9}]"
    assert value_to_latex(tuple(map(float, range(9)))).endswith(r"5, \ldots]")


def test_numbers_in_latex():
    assert number_to_latex("inf") == r"\infty"
    assert number_to_latex("nan") == r"\mathrm{nan}"
