"""Random programs through the whole compiler: every bit as in a run entry by entry.

`WENGERT_EXAMPLES` multiplies how many are tried.
"""

from __future__ import annotations

import os
import sys
from random import Random

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from tests.compiler.forced import assert_compiled_equals_eager
from tests.compiler.graphs import drawn
from tests.compiler.guarded import everything_guarded

MORE = int(os.environ.get("WENGERT_EXAMPLES", "1"))


@settings(max_examples=150 * MORE)
@given(st.integers(0, 1 << 30))
def test_compiled_is_eager(seed: int) -> None:
    program = drawn(Random(seed))
    note(repr(program))
    assert_compiled_equals_eager(program)


@settings(max_examples=75 * MORE)
@given(st.integers(0, 1 << 30))
def test_compiled_is_eager_however_threads_share_it(seed: int) -> None:
    program = drawn(Random(seed))
    note(repr(program))
    assert_compiled_equals_eager(program, threads=2, split=True)


@pytest.mark.skipif(sys.platform == "win32", reason="needs mprotect")
@settings(max_examples=40 * MORE)
@given(st.integers(0, 1 << 30), st.booleans())
def test_no_memory_beside_an_array_is_touched(seed: int, at_end: bool) -> None:
    """A stray read or write ends the run: every array lies beside a page that is forbidden."""
    program = drawn(Random(seed))
    note(repr(program))
    with everything_guarded(at_end):
        assert_compiled_equals_eager(program)
