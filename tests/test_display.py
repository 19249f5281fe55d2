"""How a tensor shows itself: text and HTML, written out by hand."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest

import wengert as w


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: w.tensor(5), "tensor(5, int64)"),
        (lambda: w.tensor(True), "tensor(True, bool)"),
        (lambda: w.tensor([1.0, 2.5]), "tensor([1. , 2.5], float32)"),
        (lambda: w.tensor([1.0, np.nan, -np.inf]), "tensor([  1.,  nan, -inf], float32)"),
        (lambda: w.zeros((0, 3)), "tensor([], float32, shape (0, 3))"),
        (lambda: w.tensor([]), "tensor([], float32)"),
        (lambda: w.tensor([1.0], requires_grad=True), "tensor([1.], float32, requires_grad)"),
        (lambda: w.tensor([1.0], requires_grad=True) * 2, "tensor([2.], float32, by multiply)"),
        (lambda: w.tensor([1.0]).detach() + 1, "tensor([2.], float32, by add)"),
        (lambda: (w.tensor([1.0]) + 1).detach(), "tensor([2.], float32)"),
        (lambda: w.tensor([[1, 2], [3, 4]]), "tensor([[1, 2],\n        [3, 4]], int64)"),
        (lambda: w.ones(2000), "tensor([1., 1., 1., ..., 1., 1., 1.], float32)"),
    ],
)
def test_text(make: object, text: str) -> None:
    x = make()  # type: ignore[operator]
    assert repr(x) == str(x) == f"{x}"
    assert repr(x) == text


class Table(HTMLParser):
    """Rows of cells, and the caption; fails where tags are not closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.open: list[str] = []
        self.caption = ""
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.open.append(tag)
        if tag == "tr":
            self.rows.append([])

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1] == "td":
            self.rows[-1].append(data)
        elif self.open[-1] == "caption":
            self.caption = data


def test_html_of_a_matrix_a_vector_and_a_number() -> None:
    x = w.tensor([[1.0, 0.123456789], [np.nan, 1e-30]], requires_grad=True)
    table = Table(x._repr_html_())
    assert table.rows == [["1", "0.123457"], ["nan", "1e-30"]]
    assert table.caption == "tensor [2, 2] float32, requires_grad"
    assert Table((x * 2)._repr_html_()).caption == "tensor [2, 2] float32, by multiply"
    assert Table(w.tensor([True, False])._repr_html_()).rows == [["True", "False"]]
    assert Table(w.tensor(7)._repr_html_()).rows == [["7"]]
    assert Table(w.zeros((0, 3))._repr_html_()).caption == "tensor [0, 3] float32"


def test_html_of_large_and_deep_tensors_is_cut_short() -> None:
    table = Table(w.zeros((50, 60))._repr_html_())
    assert [len(row) for row in table.rows] == [21] * 20 + [1]
    assert (table.rows[0][-1], table.rows[-1]) == ("…", ["… 50 rows"])
    deep = w.zeros((2, 2, 2))._repr_html_()
    assert re.fullmatch(r"<pre>tensor\(\[\[\[0.*float32\)</pre>", deep, re.DOTALL)
