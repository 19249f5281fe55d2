"""Random programs through the whole compiler: every bit as in a run entry by entry.

`WENGERT_EXAMPLES` multiplies how many are tried.
"""

from __future__ import annotations

import os
from random import Random

from hypothesis import given, note, settings
from hypothesis import strategies as st

from tests.compiler.forced import assert_compiled_equals_eager
from tests.compiler.graphs import drawn

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
