"""Machine code by structure: a kernel is compiled once in a process, and found in the cache on disk ever after."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..record.buffers import Array
from . import matmul
from .arrays import DATA, address
from .cpu import compiled
from .ir import I64, PTR, Function, Module, Type, V
from .loops import Loop, emit, emit_columns
from .pool import the_pool

_ADDRESSES: dict[Any, int] = {}


POINTERS = "pointers"  # the kernel that fills addresses into words


class Written(NamedTuple):
    """A kernel written outside the compiler: `write(module, name, *settings)` writes `void name(ptr, i64, i64)`.

    The best-matching unit of a map and the search for a category are such kernels. Settings are whatever the code
    depends on: an element, whether something is masked; sizes are words, read when it runs.
    """

    write: Callable[..., None]
    settings: tuple[Any, ...] = ()


def call(kernel: Any, words: Sequence[int | Array], units: int, grain: int = 0) -> None:
    """Call one kernel for the units 0 ... units - 1 of its work.

    words: integers, and arrays for the addresses of their elements, which must lie next to each other in C order.
    grain: the fewest units worth a second thread; 0: all units are done by one call, in one thread, in order.
    """
    table = array("q", [address_of(kernel), 0, units, grain])
    for word in words:
        if isinstance(word, np.ndarray):
            assert word.flags.c_contiguous, f"{kernel}: an array is not contiguous"
            word = address(word)
        table.append(word)
    here, _ = table.buffer_info()
    table[1] = here + 32
    the_pool().run(here, 1)


def missing(structures: Iterable[Any]) -> list[Any]:
    """Return the structures that have no machine code yet."""
    return [structure for structure in dict.fromkeys(structures) if structure not in _ADDRESSES]


def address_of(structure: Any) -> int:
    """Return the address of a kernel, compiling it if need be."""
    if structure not in _ADDRESSES:
        _ADDRESSES.update(_made(structure))
    return _ADDRESSES[structure]


def _made(structure: Any) -> dict[Any, int]:
    module = Module()
    if isinstance(structure, Loop):
        emit(module, "loop", structure)
        return {structure: compiled(module, ["loop"])["loop"]}
    if isinstance(structure, Written):
        structure.write(module, "written", *structure.settings)
        return {structure: compiled(module, ["written"])["written"]}
    if isinstance(structure, tuple):
        _, how, element = structure
        emit_columns(module, "columns", how, element)
        return {structure: compiled(module, ["columns"])["columns"]}
    if structure in _HELPERS:
        _HELPERS[structure](module)
        return dict(compiled(module, [structure]))
    matmul.add_kernel(module, structure)
    return dict(compiled(module, [structure]))


def _emit_pointers(module: Module) -> None:
    """Write the kernel that fills in addresses. Words: the bases, the list. Units: items of the list, each the address
    of a word, the place of its base, and bytes to add. A base is the place where an array's address stands."""
    f = module.function("pointers", [PTR, I64, I64])
    bases, items = (f.load(f.at(f.args[0], k, "i64"), PTR) for k in range(2))
    with f.loop(f.args[1], f.args[2]) as i:
        word, base, offset = (f.load(f.at(items, i * 3 + k, "i64"), PTR if k == 0 else I64) for k in range(3))
        place = f.load(f.at(bases, base, "i64"), PTR)
        f.store(f.load(f.at(place, DATA, "i8"), I64) + offset, word)
    f.do("ret void")


def _emit_gather(module: Module) -> None:
    """Write the kernel that copies a step's rows. Words: the counter of steps, the rows, the numbers of those taken,
    the batch, bytes of a row, rows of a batch. Units: rows of the batch."""
    f = module.function("gather", [PTR, I64, I64])
    counter, rows, order, batch, size, n = (f.load(f.at(f.args[0], k, "i64"), PTR if k < 4 else I64) for k in range(6))
    first = f.load(counter, I64) * n
    with f.loop(f.args[1], f.args[2]) as i:
        row = f.load(f.at(order, first + i, "i64"), I64)
        _copy(f, f.at(batch, i * size, "i8"), f.at(rows, row * size, "i8"), size)
    f.do("ret void")


def _emit_collect(module: Module) -> None:
    """Write the kernel that puts a value aside. Words: the counter of steps, the value, the log, bytes of a value."""
    f = module.function("collect", [PTR, I64, I64])
    counter, source, log, size = (f.load(f.at(f.args[0], k, "i64"), PTR if k < 3 else I64) for k in range(4))
    _copy(f, f.at(log, f.load(counter, I64) * size, "i8"), source, size)
    f.do("ret void")


def _emit_tick(module: Module) -> None:
    """Write the kernel that counts a step. Words: the counter."""
    f = module.function("tick", [PTR, I64, I64])
    counter = f.load(f.args[0], PTR)
    f.store(f.load(counter, I64) + 1, counter)
    f.do("ret void")


def _copy(f: Function, target: V, source: V, size: V) -> None:
    """Copy bytes: whole vectors of 64, then one at a time."""
    whole = size & -64
    vector = Type("i8", 64)
    with f.loop(f.const(0, I64), whole, 64) as i:
        f.store(f.load(f.at(source, i, "i8"), vector), f.at(target, i, "i8"))
    with f.loop(whole, size, 1) as i:
        f.store(f.load(f.at(source, i, "i8"), Type("i8")), f.at(target, i, "i8"))


_HELPERS = {POINTERS: _emit_pointers, "gather": _emit_gather, "collect": _emit_collect, "tick": _emit_tick}
