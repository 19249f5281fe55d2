"""Shared by tests: the compiler made to compile every path it can, and bits compared."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any
from unittest.mock import patch

import numpy as np

import wengert as w
from wengert.compiler import alone, engine, lower, plan, pool
from wengert.record import recorder, trie


class EagerCall(lower.Call):
    """A kernel call of which every single unit is offered to another thread."""

    def __init__(self, structure: object, words: list[Any], units: int, grain: int):
        super().__init__(structure, words, units, min(grain, 1))


def forget() -> None:
    """Forget every path, and with it every plan."""
    w.synchronize()
    trie.TRIE.forget()
    alone._LOOPS.clear()
    state = recorder.STATE
    state.segment = recorder.Segment(trie.TRIE.root, state.tracking, state.eager)


@contextmanager
def forced(threads: int = 1, split: bool = False) -> Iterator[list[plan.Plan]]:
    """Compile each path at its second sighting, on a clean slate; the list gets the plan of each run of a whole path.

    split: hand out work to threads in the smallest pieces there are.
    """
    used: list[plan.Plan] = []
    run, before = recorder._run_plan, pool.num_threads()

    def noted(segment: recorder.Segment, node: trie.Node, made: plan.Plan) -> None:
        used.append(made)
        run(segment, node, made)

    forget()
    pool.set_num_threads(threads)
    try:
        with (
            patch.object(recorder, "SIGHTINGS", 1),
            patch.object(engine, "STEP", 1e9),
            patch.object(recorder, "_run_plan", noted),
            patch.object(lower, "Call", EagerCall) if split else nullcontext(),
            patch.object(alone, "GRAIN", 1 if split else alone.GRAIN),
        ):
            yield used
            w.synchronize()
    finally:
        pool.set_num_threads(before)
        forget()


def same_bits(a: np.ndarray[Any, Any], b: np.ndarray[Any, Any]) -> bool:
    """Equality bit for bit, in shape and dtype too; any NaN equals any other."""
    a, b = np.asarray(a), np.asarray(b)
    if (a.shape, a.dtype) != (b.shape, b.dtype):
        return False
    if a.dtype.kind != "f":
        return bool(np.array_equal(a, b))
    nan = np.isnan(a)
    bits = np.dtype(f"u{a.dtype.itemsize}")
    equal = np.ascontiguousarray(a).view(bits).reshape(a.shape) == np.ascontiguousarray(b).view(bits).reshape(b.shape)
    return bool(np.array_equal(nan, np.isnan(b)) and (equal | nan).all())


def arrays(program: Callable[[], list[Any]]) -> list[np.ndarray[Any, Any]]:
    """Run a program and return the values of the tensors it returns."""
    return [np.asarray(x.detach()) for x in program()]


def assert_compiled_equals_eager(program: Callable[[], list[Any]], runs: int = 3, **how: Any) -> None:
    """Run a program eagerly, and often enough that it is compiled; all bits must be the same."""
    with w.eager():
        expected = arrays(program)
    with forced(**how) as used:
        for number in range(runs):
            found = arrays(program)
            for k, (one, other) in enumerate(zip(found, expected, strict=True)):
                assert same_bits(one, other), f"run {number}, result {k} of shape {other.shape}:\n{one}\nnot\n{other}"
        assert used, "nothing was compiled"
