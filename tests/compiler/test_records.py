"""Every record that is compiled element by element, at the edges of every dtype: NumPy's bits where IEEE fixes them,
and the same bits whether a kernel computes it for sixteen elements at once, for a row, or once for all."""

from __future__ import annotations

import inspect
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np
import pytest

import wengert as w
from tests.compiler.forced import assert_compiled_equals_eager, same_bits
from wengert.compiler import engine
from wengert.dtypes import ALL
from wengert.errors import WengertError
from wengert.ops.lowering import Elementwise
from wengert.ops.table import TABLE, Primitive
from wengert.record.recorder import record
from wengert.record.trie import Spec, spec_of

RECORDS = [name for name, primitive in TABLE.items() if isinstance(primitive.lower, Elementwise)]
EXACT = [name for name in RECORDS if TABLE[name].lower.exact]
PARAMS: dict[str, list[tuple[Any, ...]]] = {
    "clip": [(-0.0, 1.0), (0.0, None), (None, -0.0), (-1.5, 0), (-1e300, 1e300)],
    "leaky_relu": [(0.1,), (1e300,), (-0.0,)],
    "elu": [(1.0,), (0.3,)],
    "power": [(3,), (0.5,), (-1,)],
    "astype": [(dtype,) for dtype in ALL],
}
REAL = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, 2.5, -2.5, 0.1, np.inf, -np.inf, np.nan, 3.4e38, -3.4e38, 1e-40, -1e-45]
REAL += [1e30, 1e-30, 2.0**31, -(2.0**31), 2.0**63, 16777217.0]
DOUBLE = [1e308, -1e308, 5e-324, 1e-300]


def edges(dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    """Return the values of a dtype at which something may go wrong."""
    if dtype.kind == "b":
        return np.array([False, True])
    if dtype.kind in "fc":
        with np.errstate(over="ignore"):
            return np.array(REAL + DOUBLE * (dtype.itemsize == 8)).astype(dtype)
    limits = np.iinfo(dtype)
    values = {-1, 0, 1, 2, 7, 100, 16777217, limits.max // 2 + 1}
    values |= {limits.max, limits.max - 1, limits.min, limits.min + 1}
    return np.array(sorted(v for v in values if limits.min <= v <= limits.max), dtype)


def operands(name: str, dtype: np.dtype[Any]) -> list[np.ndarray[Any, Any]]:
    """Return operands that bring all edges (of two operands, all pairs) together."""
    e, run = edges(dtype), TABLE[name].run
    pairs = [e.repeat(e.size), np.tile(e, e.size)]
    if name == "where":
        return [np.resize([True, False, False], e.size**2), *pairs]
    params = PARAMS.get(name, [()])[0]
    n = run.nin if isinstance(run, np.ufunc) else len(inspect.signature(run).parameters) - len(params)
    return [e] if n == 1 else pairs


class Calling(NamedTuple):
    """A record with operands and parameters that it takes."""

    primitive: Primitive
    given: list[np.ndarray[Any, Any]]
    params: tuple[Any, ...]
    spec: Spec


def callings(name: str) -> list[Calling]:
    """Return a call for each dtype and parameter that a record is compiled for."""
    found, primitive = [], TABLE[name]
    for dtype in ALL:
        for params in PARAMS.get(name, [()]):
            given = operands(name, dtype)
            with suppress(WengertError):
                spec = primitive.infer(*[spec_of(x.shape, x.dtype) for x in given], *params)
                if engine.alone(primitive, params, given, spec) is not None:
                    found.append(Calling(primitive, given, params, spec))
    return found


@pytest.mark.parametrize("name", EXACT)
def test_what_ieee_fixes_is_computed_as_numpy_does(name: str) -> None:
    """The interpreter runs NumPy for these records, and a plan its own code."""
    taken = callings(name)
    assert taken
    for primitive, given, params, spec in taken:
        with np.errstate(all="ignore"):
            expected = primitive.run(*given, *params)
        found = engine.alone(primitive, params, given, spec)
        assert found is not None and same_bits(found, expected), f"{given[0].dtype} {params}"


@pytest.mark.parametrize("name", RECORDS)
def test_bits_do_not_depend_on_how_many_elements_are_computed_at_once(name: str) -> None:
    """As vectors with a tail; as one number for a row, beside a reduction of the row; as one number for all rows."""
    for primitive, given, params, _ in callings(name):

        def program(primitive: Primitive = primitive, given: Any = given, params: Any = params) -> list[Any]:
            leaves = [w.tensor(x) for x in given]
            whole = record(primitive, *leaves, params=params)
            rows = [w.max(w.tensor(np.stack([x, x], 1)), axis=1) for x in given]  # of two equal numbers: the number
            by_row = record(primitive, *rows, params=params)
            last = [w.reshape(x[-1], (1, 1)) for x in leaves]
            once = record(primitive, *last, params=params).astype("float32") + w.zeros((3, 17))
            return [whole, by_row, once, *rows]

        assert_compiled_equals_eager(program)
