"""What the engine says of itself: paths, plans, and kernels as loops."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import wengert as w
from wengert.compiler import engine
from wengert.compiler.report import PathReport
from wengert.record import recorder, trie


@pytest.fixture(autouse=True)
def compiled_at_once(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(recorder, "SIGHTINGS", 2)
    monkeypatch.setattr(engine, "STEP", 1e9)
    w.synchronize()
    trie.TRIE.forget()
    recorder.STATE.segment = recorder.Segment(trie.TRIE.root, True, False)
    yield


def the_path() -> PathReport:
    return max(w.report().paths, key=lambda path: path.runs)


def test_a_path_is_counted_with_its_line_its_runs_and_its_work() -> None:
    a, b = w.ones((40, 30)), w.ones((30, 20))
    for _ in range(7):
        line = sys._getframe().f_lineno + 1
        (a @ b).numpy()
    path = the_path()
    assert path.line == f"test_report.py:{line}"
    assert (path.interpreted, path.runs) == (2, 5)
    assert path.flops == 2 * 40 * 30 * 20
    assert path.gflops == pytest.approx(path.flops * 5 / path.seconds / 1e9)
    text = str(w.report())
    assert f"test_report.py:{line}" in text and "plan runs" in text


def test_what_numpy_runs_is_named_with_its_reason() -> None:
    x = w.tensor([3.0, 1.0, 2.0])
    for _ in range(5):
        (w.cumulative_sum(x * 2.0) + 1.0).numpy()
    path = the_path()
    assert path.by_numpy == (("cumulative_sum", "each element needs the one before"),)
    assert "cumulative_sum: by NumPy, for each element needs the one before" in str(w.report())
    assert "# by NumPy" not in path.explain() and "by NumPy, for each element needs the one before" in path.explain()


def test_kernels_are_listed_as_loops() -> None:
    x, weight, bias = w.ones((4, 3)), w.ones((5, 3)), w.ones(5)
    for _ in range(5):
        y = w.nn.activations.softmax(w.tanh(x @ weight.T + bias))
        y.numpy()
    text = the_path().explain()
    lines = [line.strip() for line in text.splitlines()]
    assert any(
        line.endswith("in panels of rows; on each, while it is in the cache:") and ".T" in line for line in lines
    )
    assert lines.count("for i in range(4):") == 1, "one kernel does it all, row by row"
    assert lines.count("for j in range(5):") == 3, "in three sweeps: the largest, the sum, the quotients"
    assert any("max=" in line for line in lines) and any("+=" in line for line in lines)
    assert any("tanh(w" in line for line in lines)
    assert sum("# stored" in line for line in lines) <= 3


def test_the_statements_of_a_listing_can_be_run() -> None:
    """An elementwise listing is Python: its loop, run by Python, gives the values of the plan."""
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((3, 4)), rng.standard_normal(4)
    x, y = w.tensor(a), w.tensor(b)
    for _ in range(5):
        z = ((x + y) * x - y) / (x * x + y * y)
        found = z.numpy()
    body = [line for line in the_path().explain().splitlines()[1:] if line and not line.startswith("#")]
    names: dict[str, Any] = {f"w{position}": {} for position in range(3, 20)} | {"w1": a, "w2": b}
    exec("\n".join(body), names)
    last = max(int(line.split("[")[0].strip()[1:]) for line in body if "stored" in line)
    assert all(names[f"w{last}"][i, j] == found[i, j] for i in range(3) for j in range(4))


def test_a_path_without_a_plan_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "SIGHTINGS", 1000)
    (w.ones(3) + 1).numpy()
    assert "interpreted" in w.report().paths[-1].explain()
