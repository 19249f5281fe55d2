"""The interpreter: what a list means. It computes missing values one entry at a time, through NumPy.

There is one mechanism for a first execution and for a replay: collect the entries whose values are missing,
run each in the order of their numbers, store the wanted values, and let go of every other after its last use.
What is not wanted is never stored, so an exception in the middle leaves nothing half-done, and two threads that
need the same missing values compute them each for itself, to the same bits, without a lock.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from .buffers import Array, references, sealed, snapshot
from .entry import Entry, leaf
from .trie import NOTHING

if TYPE_CHECKING:
    from .recorder import Segment

_engine: Callable[[], Any]


def bind(engine: Callable[[], Any]) -> None:
    """Tell the interpreter how to get hold of the compiler: what IEEE does not fix runs the compiled code, alone."""
    global _engine
    _engine = engine


REUSE_FROM_BYTES = 1 << 16  # below this, looking for a buffer to write over costs more than a new one


@np.errstate(all="ignore")  # NaN and infinities are values here, as the standard defines them
def evaluate(wanted: Iterable[Entry]) -> None:
    """Compute the values of the wanted entries, and of whatever they need.

    Raises `GradientError` where a value was let go and its list has been spent since.
    """
    keep = set(wanted)
    absent = missing(keep)
    uses = dict.fromkeys(absent, 0)
    for operands in absent.values():
        for operand in operands:
            if operand in uses:
                uses[operand] += 1
    values: dict[Entry, Array] = {}
    for entry in sorted(absent, key=attrgetter("number")):
        operands = absent[entry]
        value = _run(entry, operands, values, uses, keep)
        if entry in keep:
            entry.value = value
        if uses[entry]:
            values[entry] = value
        del value  # a name for it here would keep the next entry from writing over it
        for operand in operands:
            if operand in uses:
                uses[operand] -= 1
                if not uses[operand]:
                    values.pop(operand, None)


def missing(wanted: set[Entry]) -> dict[Entry, tuple[Entry, ...]]:
    """Return the entries without a value that the wanted ones need, each with its operands.

    Raises `GradientError` where one cannot be computed any more, `LookError` where it never can (`vmap`).
    """
    found: dict[Entry, tuple[Entry, ...]] = {}
    stack = list(wanted)
    while stack:
        entry = stack.pop()
        operands = entry.inputs  # read before the value: another thread stores the value first and cuts then
        if entry in found or entry.value is not None:
            continue
        if not operands:
            assert entry.segment is not None, "a leaf without a value"
            raise entry.segment.unknown(entry)
        found[entry] = operands
        stack.extend(operands)
    return found


def _run(
    entry: Entry, operands: tuple[Entry, ...], values: dict[Entry, Array], uses: dict[Entry, int], keep: set[Entry]
) -> Array:
    """Run one entry's primitive on its operands' values: those just computed, and those known before."""
    primitive, spec = entry.node.primitive, entry.node.spec
    assert primitive is not None, "a leaf without a value"
    spare = None
    if primitive.in_place and primitive.lower.exact and spec.size * spec.dtype.itemsize >= REUSE_FROM_BYTES:
        spare = _spare_operand(entry, operands, values, uses, keep)
    given = [values.get(operand, operand.value) for operand in operands]
    if (
        not primitive.lower.exact
        and (compiled := _engine().alone(primitive, entry.node.params, given, spec)) is not None
    ):
        return compiled  # type: ignore[no-any-return]
    if spare is not None:
        buffer = values.pop(spare)
        buffer.setflags(write=True)
        result = sealed(primitive.run(*given, *entry.node.params, out=buffer))
    else:
        result = sealed(primitive.run(*given, *entry.node.params))
    if result.shape != spec.shape or result.dtype != spec.dtype:
        raise AssertionError(
            f"record {primitive.name!r} of the table promised {spec} and computed {result.dtype.name}"
            f"{list(result.shape)}: its `infer` and `run` disagree."
        )
    return result


def _spare_operand(
    entry: Entry, operands: tuple[Entry, ...], values: dict[Entry, Array], uses: dict[Entry, int], keep: set[Entry]
) -> Entry | None:
    """Return an operand that dies here and whose buffer nobody else holds: the result may be written over it."""
    for operand in operands:
        if (
            operand in values
            and uses[operand] == operands.count(operand)
            and operand not in keep
            and operand.spec is entry.spec
            and references(values[operand]) <= _ALONE
        ):
            return operand
    return None


def survivors(segment: Segment) -> list[Entry]:
    """Return the entries of a segment whose values are to be kept: a handle names them, or they were demanded before.

    Reference counts say which entries a handle (or another thread's entry) still names: all references, less
    the one in `steps` and those of later steps. That is a hint that saves work; an entry left out is replayed.
    """
    steps, uses = segment.steps, own_uses(segment)
    counts = reference_counts(steps)
    return [
        entry
        for entry, count, use in zip(steps, counts, uses, strict=True)
        if entry.value is None
        and entry.segment is not None
        and entry.node.primitive is not None
        and (entry.node.demanded or count - use > IN_STEPS_ONLY)
    ]


def own_uses(segment: Segment) -> list[int]:
    """Return how many references to each step the segment itself makes: as operands of others, and for its leaps."""
    uses = [0] * len(segment.steps)
    for entry in segment.steps:
        if type(entry) is Entry and entry.segment is segment:  # a leapt one refers to nothing before it is asked
            for operand in entry.inputs:
                if operand.segment is segment:
                    uses[operand.node.position] += 1
    for jump in segment.jumps:
        for place in jump.leap.borrowed:
            uses[place] += 1
    return uses


def reference_counts(steps: Iterable[Entry]) -> list[int]:
    """Return how many places refer to each entry, as Python counts them."""
    return [sys.getrefcount(entry) for entry in steps]


# What Python counts for an object that only one place refers to differs between its versions, so it is measured.
IN_STEPS_ONLY = reference_counts([leaf(snapshot(0), NOTHING)])[0]
_sole = {0: snapshot(0)}
_ALONE = references(_sole[0])


def settle(steps: list[Entry]) -> None:
    """Cut what nothing can ask for any more: the inputs of computed values that no derivative flows through."""
    for entry in steps:
        if entry.value is not None and (not entry.tracked or entry.is_source):
            entry.cut()
