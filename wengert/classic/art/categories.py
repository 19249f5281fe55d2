"""The categories of a resonant network: their weights, in the order the search reads them, and what they have done.

A memory is a dict of arrays, so that a file can hold it. It grows by doubling; `tally[COUNT]` says how many of its
places are taken.

fine: float64, (places / 16, inputs, 16). The weights; sixteen categories next to each other, one vector an input.
coarse: uint16, (places / 64, inputs, 64). Upper bounds of the weights in steps of 1 / scale, by which most categories
    are excluded before their weights are read.
norms: float64, (places,). The sum of each category's weights, added from the first to the last; NaN where none is.
wins, last, classes: int64, (places,). How often each has learned, in which presentation it last did, and its class.
tally: int64, (4,). Categories, presentations, presentations that changed something, rows done by a call.
"""

from __future__ import annotations

import numpy as np

from ...record.buffers import Array

Memory = dict[str, Array]

BLOCK, GROUP = 16, 64  # categories in a block of `fine`, and of `coarse`
COUNT, SHOWN, CHANGED, DONE = range(4)  # of the tally


def empty(inputs: int) -> Memory:
    """Return a memory without categories, for inputs of so many components."""
    return {"tally": np.zeros(4, np.int64), **_places(GROUP, inputs)}


def _places(places: int, inputs: int) -> Memory:
    return {
        "fine": np.zeros((places // BLOCK, inputs, BLOCK)),
        "coarse": np.zeros((places // GROUP, inputs, GROUP), np.uint16),
        "norms": np.full(places, np.nan),
        "wins": np.zeros(places, np.int64),
        "last": np.zeros(places, np.int64),
        "classes": np.zeros(places, np.int64),
    }


def grow(memory: Memory) -> None:
    """Double the places."""
    more = _places(2 * len(memory["norms"]), memory["fine"].shape[1])
    for name, array in more.items():
        array[: len(memory[name])] = memory[name]
    memory.update(more)


def weights(memory: Memory) -> Array:
    """Return the weights of all categories; a copy, float64, (categories, inputs)."""
    fine = memory["fine"]
    rows = np.ascontiguousarray(fine.transpose(0, 2, 1)).reshape(-1, fine.shape[1])
    return rows[: memory["tally"][COUNT]]


def weight(memory: Memory, category: int) -> Array:
    """Return one category's weights; a view, float64, (inputs,)."""
    found: Array = memory["fine"][category // BLOCK, :, category % BLOCK]
    return found


def put(memory: Memory, category: int, values: Array, scale: float) -> None:
    """Set one category's weights and what is derived from them; scale: of the coarse ones, `coarse_scale`."""
    weight(memory, category)[:] = values
    memory["coarse"][category // GROUP, :, category % GROUP] = coarse(values, scale)
    memory["norms"][category] = in_order(values)


def coarse_scale(inputs: int, most: float) -> float:
    """Return the steps a weight of 1 is cut into: as many as leave room for the sum over the inputs of one row.

    most: the largest sum a row can have.
    """
    return max((65535.0 - inputs) / most, 1.0)


def coarse(values: Array, scale: float) -> Array:
    """Return numbers of steps that are at least the values in [0, 1], uint16.

    The next whole number above the rounded product is no less than the exact one; the largest is scale + 1, 65535.
    """
    steps: Array = (values * scale).astype(np.uint16)
    steps += np.uint16(1)
    return steps


def in_order(values: Array) -> Array:
    """Return sums over the last axis, each added from its first element to its last, in that order."""
    found: Array = np.add.accumulate(values, axis=-1)[..., -1]
    return found


def keep(memory: Memory, kept: Array) -> None:
    """Leave only the categories with these numbers, in this order."""
    count = len(kept)
    for name in ("norms", "wins", "last", "classes"):
        memory[name][:count] = memory[name][kept]
        memory[name][count:] = np.nan if name == "norms" else 0
    for name in ("fine", "coarse"):
        array = memory[name]
        size = array.shape[2]
        rows = array.transpose(0, 2, 1).reshape(-1, array.shape[1])[kept]
        array[:] = 0
        places = np.arange(count)
        array[places // size, :, places % size] = rows
    memory["tally"][COUNT] = count
