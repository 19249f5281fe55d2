"""One report written four ways: all say the same, escape what needs escaping and are well-formed."""

import json
import re
import xml.etree.ElementTree as ElementTree

import pytest
from matplotlib.mathtext import MathTextParser

from wengert.explanation.expression import Computed, Equation, Name
from wengert.explanation.formula import parse
from wengert.explanation.render import report_to_html, report_to_json, report_to_latex, report_to_text
from wengert.explanation.tables import Column, Report, Table

COLUMNS = (
    Column("entry", "x < y & 50 %", "words"),
    Column("rule", "rule"),
    Column("value", "value", "numbers"),
)
TABLE = Table(
    "values_1",
    COLUMNS,
    (
        ("a_b", Equation((Name("w1"), parse("x1/2"), Computed(-10.25))), Computed(-10.25)),
        ("<script>", Name("w1", "bar"), Computed(1.0000004)),
        ("{~^\\}", None, Computed((1.0, float("nan")))),
        ("", parse("a^2"), Computed(1e-9)),
    ),
    ("note: 1 > 0 & #2",),
)
REPORT = Report("A & B_1", (TABLE,))


def test_text_aligns_columns_and_decimal_points():
    assert report_to_text(REPORT).split("\n") == [
        "A & B_1",
        "=======",
        "",
        "values_1",
        "x < y & 50 %  rule                value",
        "------------  ------------------  --------",
        "a_b           w1 = x1/2 = -10.25  -10.25",
        "<script>      w1_bar                1",
        "{~^\\}                             [1, nan]",
        "              a^2                   1e-09",
        "note: 1 > 0 & #2",
    ]


def test_html_is_well_formed_with_scopes_and_a_caption():
    section = ElementTree.fromstring(report_to_html(REPORT))
    assert section.find("h3").text == "A & B_1"
    assert section.find("table/caption").text == "values_1"
    heads = section.findall("table/thead/tr/th")
    assert [(head.get("scope"), head.text) for head in heads] == [("col", column.heading) for column in COLUMNS]
    rows = section.findall("table/tbody/tr")
    assert [row.find("th").get("scope") for row in rows] == ["row"] * 4
    assert [row.find("th").text or "" for row in rows] == ["a_b", "<script>", "{~^\\}", ""]
    assert rows[0].find("td/code").text == "w1 = x1/2 = -10.25"
    assert section.find("p").text == "note: 1 > 0 & #2"


def test_latex_is_balanced_escaped_and_its_mathematics_parses():
    latex = report_to_latex(REPORT)
    assert latex.count(r"\begin{tabular}{llr}") == latex.count(r"\end{tabular}") == 1
    assert r"x $<$ y \& 50 \%" in latex
    assert r"\{\textasciitilde{}\textasciicircum{}\textbackslash{}\}" in latex
    for row in re.findall(r"^\{\}.*$", latex, re.MULTILINE):
        assert len(re.findall(r"(?<!\\)&", row)) == 2
        assert row.endswith(r" \\")
    mathematics = re.findall(r"\$([^$]+)\$", latex)
    assert r"w_1 = \frac{x_1}{2} = -10.25" in mathematics
    for piece in mathematics:
        MathTextParser("agg").parse(f"${piece}$")


def test_json_is_strict_and_unrounded():
    def refuse(constant):
        raise AssertionError(constant)

    read = json.loads(report_to_json(REPORT), parse_constant=refuse)
    table = read["tables"][0]
    assert table["columns"][1] == {"key": "rule", "heading": "rule"}
    first, second, third, fourth = table["rows"]
    assert first["rule"] == {
        "text": "w1 = x1/2 = -10.25",
        "latex": r"w_1 = \frac{x_1}{2} = -10.25",
        "value": -10.25,
    }
    assert second["value"] == 1.0000004
    assert third == {"entry": "{~^\\}", "rule": None, "value": [1.0, "nan"]}
    assert fourth["value"] == 1e-9
    assert table["notes"] == ["note: 1 > 0 & #2"]


def test_a_row_of_the_wrong_length_is_refused():
    with pytest.raises(ValueError, match=r"table 'values_1': row 2 has 1 cells, expected 3"):
        Table("values_1", COLUMNS, (TABLE.rows[0], ("x",)))
