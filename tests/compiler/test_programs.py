"""Random programs through the whole compiler: every bit as in a run entry by entry.

`WENGERT_EXAMPLES` multiplies how many are tried.
"""

from __future__ import annotations

import os
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import wengert as w
from tests.compiler.forced import assert_compiled_equals_eager, forced, same_bits
from tests.compiler.graphs import BINARY, COMPOSITE, COMPOSITE_2, REDUCE, UNARY, drawn
from wengert.compiler.graph import ELEMENTWISE, NUMPY, PRODUCT, REDUCTION

MORE = int(os.environ.get("WENGERT_EXAMPLES", "1"))


@settings(max_examples=60 * MORE)
@given(st.randoms(use_true_random=False))
def test_compiled_is_eager(random: Random) -> None:
    assert_compiled_equals_eager(drawn(random))


@settings(max_examples=30 * MORE)
@given(st.randoms(use_true_random=False))
def test_compiled_is_eager_however_it_is_shared_among_threads(random: Random) -> None:
    assert_compiled_equals_eager(drawn(random), threads=2, split=True)
