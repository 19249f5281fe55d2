"""Kernels written by hand: loops that are left early, and how arrays become their words."""

import numpy as np
import pytest

from wengert.compiler import kernels
from wengert.compiler.ir import I64, PTR, Module, Type


def write_first(module: Module, name: str, element: str) -> None:
    """Words: values, how many a row has, limit, result. Units: rows; the place of the first value above the limit, or
    the number of values."""
    f = module.function(name, [PTR, I64, I64])
    values, limits, places = (f.load(f.at(f.args[0], k, "i64"), PTR) for k in (0, 2, 3))
    n = f.load(f.at(f.args[0], 1, "i64"), I64)
    one = Type(element)
    limit = f.load(limits, one)
    with f.loop(f.args[1], f.args[2]) as row:
        place = f.slot(n)
        with f.loop(f.const(0, I64), n) as i:
            found = f.load(f.at(values, row * n + i, element), one).compare("gt", limit)
            with f.when(found):
                place.set(i)
            f.leave_if(found)
        f.store(place.get(), f.at(places, row, "i64"))
    f.do("ret void")


@pytest.mark.parametrize(("element", "dtype"), [("double", np.float64), ("float", np.float32)])
@pytest.mark.parametrize("grain", [0, 1])
def test_a_search_ends_where_it_has_found(element: str, dtype: type, grain: int) -> None:
    values = np.random.default_rng(0).random((300, 40)).astype(dtype)
    values[7] = 0
    places = np.full(300, -1)
    kernel = kernels.Written(write_first, (element,))
    kernels.call(kernel, [values, 40, np.array([0.9], dtype), places], 300, grain)
    above = values > dtype(0.9)
    assert places.tolist() == np.where(above.any(axis=1), above.argmax(axis=1), 40).tolist()
    assert places[7] == 40


def test_leaving_a_loop_inside_another_leaves_only_that() -> None:
    def write(module: Module, name: str) -> None:
        f = module.function(name, [PTR, I64, I64])
        counts = f.load(f.args[0], PTR)
        with f.loop(f.const(0, I64), f.const(5, I64)) as i:
            with f.loop(f.const(0, I64), f.const(5, I64)) as j:
                f.leave_if(j.compare("gt", i))
                f.store(f.load(f.at(counts, i, "i64"), I64) + 1, f.at(counts, i, "i64"))
            f.leave_if(i.compare("eq", 3))
        f.do("ret void")

    counts = np.zeros(5, np.int64)
    kernels.call(kernels.Written(write), [counts], 1)
    assert counts.tolist() == [1, 2, 3, 4, 0]


def test_the_same_writer_and_settings_are_compiled_once() -> None:
    kernel = kernels.Written(write_first, ("double",))
    assert kernels.address_of(kernel) == kernels.address_of(kernels.Written(write_first, ("double",)))
    assert kernels.address_of(kernel) != kernels.address_of(kernels.Written(write_first, ("float",)))


def test_an_array_with_gaps_is_no_word() -> None:
    with pytest.raises(AssertionError, match="not contiguous"):
        kernels.call(kernels.Written(write_first, ("double",)), [np.zeros((4, 4)).T], 1)
