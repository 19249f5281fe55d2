"""An exception between any two instructions of the engine leaves it usable: Ctrl-C, or a debugger, may strike anywhere.

A tracing function raises at the k-th opcode executed in the package, for one k after the other. What was recorded
then is right when it is looked at, and a fresh computation is right.
"""

import gc
import sys
from collections.abc import Callable
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import numpy as np
import pytest

import wengert as w
from wengert.record import interpreter, recorder, trie
from wengert.record.recorder import STATE

PACKAGE = str(Path(w.__file__).parent)
WARNINGS = np.geterr()
ENGINE = (recorder.__file__, interpreter.__file__)


class Struck(Exception):
    """Raised by the tracing function."""


def in_del(frame: FrameType | None) -> bool:
    """Tell whether the frame runs under a `__del__`, from which Python lets no exception out."""
    while frame is not None and frame.f_code.co_name != "__del__":
        frame = frame.f_back
    return frame is not None


class Strike:
    """Raises at one opcode of the package's code, or (never) only counts them."""

    def __init__(self, at: int | None = None, files: tuple[str, ...] = (PACKAGE,)):
        self.at, self.files, self.count = at, files, 0
        self.places: list[tuple[CodeType, int]] = []
        self.struck = False

    def __call__(self, frame: FrameType, event: str, argument: Any) -> Any:
        if not frame.f_code.co_filename.startswith(self.files) or in_del(frame):
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        return self.step

    def step(self, frame: FrameType, event: str, argument: Any) -> Any:
        if event == "opcode":
            if self.at is None:
                self.places.append((frame.f_code, frame.f_lasti))
            elif self.count == self.at:
                self.count += 1
                self.struck = True
                raise Struck
            self.count += 1
        return self.step

    def run(self, program: Callable[[], Any]) -> None:
        """Run the program; what strikes it ends it."""
        before = sys.gettrace()
        sys.settrace(self)
        try:
            program()
        except Struck:
            pass
        finally:
            sys.settrace(before)


class Loop:
    """A small training by hand, which keeps everything it makes, so that it can be looked at after the strike."""

    def __init__(self, size: int = 3) -> None:
        self.x = w.tensor(np.linspace(-1, 1, size), dtype=w.float64)
        self.p = w.tensor(np.full(size, 0.5), dtype=w.float64, requires_grad=True)
        self.made: list[tuple[Any, Any]] = []

    def keep(self, result: Any, value: Any) -> Any:
        self.made.append((result, value))
        return result

    def step(self) -> None:
        x, p = self.x, self.p
        before = np.array(p.tolist())
        a = np.tanh(before * self.x.numpy())
        h = self.keep(w.tanh(p * x), a)
        part = self.keep(h[1:], a[1:])
        loss = self.keep((part * part + 1.0).sum() * 2.0, ((a[1:] * a[1:] + 1.0).sum()) * 2.0)
        loss.item()
        loss.backward()
        with w.no_grad():
            new = self.keep(p - p.grad * 0.1, before - self.slope(before) * 0.1)
            p.rebind(new)
        recorder.mark_step({})
        p.grad = None

    def slope(self, p: Any) -> Any:
        x = self.x.numpy()
        a = np.tanh(p * x)
        bar = np.where(np.arange(a.size) >= 1, 4.0 * a, 0.0)
        return bar * (1 - a * a) * x

    def train(self) -> None:
        for _ in range(2):
            self.step()

    def check(self) -> None:
        for result, value in self.made:
            np.testing.assert_allclose(result.tolist(), value, rtol=1e-12, atol=1e-14)


def healthy() -> None:
    """A fresh computation with derivatives is right, and no setting was left behind."""
    assert STATE.tracking and not STATE.eager and np.geterr() == WARNINGS
    x = w.tensor([1.0, -2.0, 3.0], dtype=w.float64, requires_grad=True)
    y = (x * x + x[::-1]).sum()
    y.backward()
    assert y.item() == 16.0
    assert x.grad.tolist() == [3.0, -3.0, 7.0]


def strike_everywhere(program: Callable[[], Any], files: tuple[str, ...], strides: int) -> int:
    """Strike the program, made anew each time by `program()`, and check the engine after each; return how often.

    Each place in the code is struck at its first two times, on top of every `strides`-th opcode.
    """
    counting = Strike(files=files)
    counting.run(program().train)
    seen: dict[tuple[CodeType, int], int] = {}
    chosen = []
    for k, place in enumerate(counting.places):
        seen[place] = seen.get(place, 0) + 1
        if seen[place] <= 1 or k % strides == 0:
            chosen.append(k)
    for k in chosen:
        loop = program()
        Strike(k, files).run(loop.train)
        loop.check()
        healthy()
    return len(chosen)


@pytest.fixture(autouse=True)
def trie_known() -> None:
    """Both tries are walked: a known path (most strikes) and, by the first run, a new one."""
    trie.TRIE.forget()
    Loop().train()


def test_every_opcode_of_recorder_and_interpreter() -> None:
    assert strike_everywhere(Loop, ENGINE, 40) > 500


def test_opcodes_of_the_whole_package() -> None:
    assert strike_everywhere(Loop, (PACKAGE,), 2000) > 1000


def test_opcodes_on_a_path_never_seen() -> None:
    def fresh() -> Loop:
        trie.TRIE.forget()
        w.synchronize()
        return Loop()

    assert strike_everywhere(fresh, (trie.__file__, *ENGINE), 100) > 500


class Settings(Loop):
    """Blocks under other settings, nested."""

    def step(self) -> None:
        x = self.x
        with w.eager():
            a = self.keep(x * 2.0, self.x.numpy() * 2.0)
            with w.no_grad():
                self.keep(a + 1.0, self.x.numpy() * 2.0 + 1.0)
        with w.no_grad(), w.eager():
            self.keep(x - 1.0, self.x.numpy() - 1.0)


def test_opcodes_of_settings() -> None:
    assert strike_everywhere(Settings, ENGINE, 40) > 300


def test_opcodes_where_buffers_are_written_over() -> None:
    size = interpreter.REUSE_FROM_BYTES // 8

    class Chain(Loop):
        def __init__(self) -> None:
            super().__init__(size)

        def step(self) -> None:
            x = self.x.numpy()
            self.keep((self.x + 1.0) * 3.0 - 2.0, (x + 1.0) * 3.0 - 2.0).numpy()

    assert strike_everywhere(Chain, (interpreter.__file__,), 10) > 200


class Recording:
    """Records when it is collected, and looks at every third result."""

    def __init__(self, results: list[tuple[Any, list[float]]]) -> None:
        self.me, self.results = self, results

    def __del__(self) -> None:
        two = w.tensor([1.0, 2.0, 3.0]) + 1.0
        self.results.append((two, [2.0, 3.0, 4.0]))
        if len(self.results) % 3 == 0:
            two.tolist()


@pytest.mark.parametrize("known", [False, True])
def test_a_del_that_records_may_strike_wherever_memory_is_taken(known: bool) -> None:
    """The garbage collector runs at the n-th allocation, for one n after the other: also in the middle of a record."""
    if not known:
        trie.TRIE.forget()
        w.synchronize()
    results: list[tuple[Any, list[float]]] = []
    before = gc.get_threshold()
    for n in range(1, 160):
        x = w.tensor([float(n), 1.0])
        gc.collect(1)
        Recording(results)
        try:
            gc.set_threshold(n)
            y = x * 2.0
            z = (y + x)[:1] * y
            late = -z
        finally:
            gc.set_threshold(*before)
        steps = STATE.segment.steps
        assert [step.node.position for step in steps] == list(range(len(steps)))
        results += [(z, [6.0 * n * n, 6.0 * n]), (late, [-6.0 * n * n, -6.0 * n])]
    assert len(results) > 400
    for result, expected in results:
        assert result.tolist() == expected
