"""The interpreter: what a list means. It computes missing values one entry at a time, through NumPy.

There is one mechanism for a first execution and for a replay: collect the entries whose values are missing,
in the order of their numbers, run each, and let go of every value after its last use unless it is wanted.
An exception in the middle loses nothing: values already stored are right, and the others stay missing.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterable
from contextlib import AbstractContextManager
from operator import attrgetter

import numpy as np

from ..errors import GradientError
from .buffers import Array, references, sealed, snapshot
from .entry import Entry, leaf
from .trie import NOTHING

REUSE_FROM_BYTES = 1 << 16  # below this, looking for a buffer to write over costs more than a new one

_lock = threading.RLock()  # two threads may need the same missing values; no user code runs under it


def alone() -> AbstractContextManager[bool]:
    """Return the lock to hold while values, or what they are computed from, change."""
    return _lock


def _new_lock() -> None:
    """Replace the lock in a forked child: the thread that held it does not exist there."""
    global _lock
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_new_lock)


def evaluate(wanted: Iterable[Entry]) -> None:
    """Compute the values of the wanted entries, and of whatever they need.

    Raises `GradientError` where a value was let go and its list has been spent since.
    """
    with alone():
        _evaluate(set(wanted))


def _evaluate(keep: set[Entry]) -> None:
    missing = _missing(keep)
    uses: dict[Entry, int] = dict.fromkeys(missing, 0)
    for entry in missing:
        for operand in entry.inputs:
            if operand in uses:
                uses[operand] += 1
    with np.errstate(all="ignore"):  # NaN and infinities are values here, as the standard defines them
        for entry in missing:
            if entry.value is None:
                entry.value = _run(entry, uses, keep)
            for operand in entry.inputs:
                if operand in uses:
                    uses[operand] -= 1
                    if not uses[operand] and operand not in keep:
                        operand.value = None


def _missing(wanted: set[Entry]) -> list[Entry]:
    """Return the entries without a value that the wanted ones need, operands first."""
    found = {entry for entry in wanted if entry.value is None}
    stack = list(found)
    while stack:
        for operand in stack.pop().inputs:
            if operand.value is None and operand not in found:
                found.add(operand)
                stack.append(operand)
    for entry in found:
        if not entry.inputs:
            raise GradientError(entry.spent)
    return sorted(found, key=attrgetter("number"))


def _run(entry: Entry, uses: dict[Entry, int], keep: set[Entry]) -> Array:
    """Run one entry's primitive on its operands' values."""
    primitive, spec = entry.node.primitive, entry.node.spec
    assert primitive is not None, "a leaf without a value"
    spare = buffer = None
    if primitive.in_place and spec.size * spec.dtype.itemsize >= REUSE_FROM_BYTES:
        spare = _spare_operand(entry, uses, keep)
        buffer = None if spare is None else spare.value
    values = [operand.value for operand in entry.inputs]
    if spare is not None and buffer is not None:
        spare.value = None  # first: an interruption must not find there what is being written over
        buffer.setflags(write=True)
        result = sealed(primitive.run(*values, *entry.node.params, out=buffer))
    else:
        result = sealed(primitive.run(*values, *entry.node.params))
    if result.shape != spec.shape or result.dtype != spec.dtype:
        raise AssertionError(
            f"record {primitive.name!r} of the table promised {spec} and computed {result.dtype.name}"
            f"{list(result.shape)}: its `infer` and `run` disagree."
        )
    return result


def _spare_operand(entry: Entry, uses: dict[Entry, int], keep: set[Entry]) -> Entry | None:
    """Return an operand that dies here and alone holds its buffer: the result may be written over it."""
    for operand in entry.inputs:
        if (
            uses.get(operand) == entry.inputs.count(operand)
            and operand not in keep
            and operand.spec is entry.spec
            and operand.value is not None
            and references(operand.value) <= _ALONE
        ):
            return operand
    return None


def survivors(steps: list[Entry]) -> list[Entry]:
    """Return the entries of a segment whose values are to be kept: a handle names them, or they were demanded before.

    Reference counts say which entries a handle (or another thread's entry) still names: all references, less
    the one in `steps` and those of later steps. That is a hint that saves work; an entry left out is replayed.
    """
    uses = [0] * len(steps)
    for entry in steps:
        for operand in entry.inputs:
            if operand.segment is entry.segment:
                uses[operand.node.position] += 1
    counts = _reference_counts(steps)
    return [
        entry
        for entry, count, use in zip(steps, counts, uses, strict=True)
        if entry.value is None
        and entry.node.primitive is not None
        and (entry.node.demanded or count - use > _IN_STEPS_ONLY)
    ]


def _reference_counts(steps: list[Entry]) -> list[int]:
    return [sys.getrefcount(entry) for entry in steps]


# What Python counts for an object that only one place refers to differs between its versions, so it is measured.
_IN_STEPS_ONLY = _reference_counts([leaf(snapshot(0), NOTHING)])[0]
_sole = leaf(snapshot(0), NOTHING)
_ALONE = references(_sole.value)


def settle(steps: list[Entry]) -> None:
    """Cut what nothing can ask for any more: the inputs of computed values that no derivative flows through."""
    with alone():
        for entry in steps:
            if entry.value is not None and (not entry.tracked or entry.is_source):
                entry.inputs = ()
