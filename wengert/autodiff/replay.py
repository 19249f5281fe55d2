"""Recording a list again: the same entries on other operands, of which some hold many examples.

An entry none of whose operands differ from example to example is recorded as it is, any other by its record's `batch`
cell. What comes out is entries like all others, so they are differentiated, compiled and batched in turn.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from itertools import islice
from typing import TYPE_CHECKING, Any

from ..errors import Line, WengertError
from ..ops.batching import Broadcast, Loop, Shifted
from ..ops.join import stack
from ..ops.operands import filled
from ..ops.shape import in_front
from ..ops.table import Primitive
from ..record.entry import Entry
from ..record.recorder import STATE, record, tracking, wrap
from ..record.trie import Params, Spec
from ..record.virtual import Examples, Virtual, guarded

if TYPE_CHECKING:
    from ..tensor import Tensor


class Replay:
    """A list being recorded again: the new tensor of each old entry, and which of the old ones differ from example to
    example, whose new ones have n examples along their first axis. Entries it does not know stand for themselves."""

    def __init__(self, new: dict[Entry, Tensor], own: Iterable[Entry], n: int):
        self.new, self.own, self.n = new, set(own), n

    def of(self, entry: Entry) -> Tensor:
        """Return the tensor that an old entry has become."""
        found = self.new.get(entry)
        return wrap(entry) if found is None else found

    def again(self, entry: Entry) -> None:
        """Record an entry on what its operands have become."""
        primitive, params = entry.node.primitive, entry.node.params
        assert primitive is not None
        x = tuple([self.of(operand) for operand in entry.inputs])
        own = tuple([operand in self.own for operand in entry.inputs])
        differentiated = entry.node.carries and any(each.entry.tracked for each in x)
        with tracking(entry.tracked) if differentiated and STATE.tracking != entry.tracked else nullcontext():
            if not any(own):
                self.new[entry] = record(primitive, *x, params=params)
                return
            y = self.new[entry] = _for_all(primitive, x, own, self.n, params, entry.node.spec)
        if y.ndim > entry.spec.ndim:
            self.own.add(entry)


def _for_all(primitive: Primitive, x: Any, own: Any, n: int, params: Params, spec: Spec) -> Tensor:
    """Record one operation for n examples, as its `batch` cell says; `spec` is that of one result."""
    kind = primitive.batch
    if isinstance(kind, Loop) and kind.only is not None and not any(own[i] for i in kind.only):
        kind = _BROADCAST
    if isinstance(kind, Broadcast):
        ndim = len(spec.shape)
        x = [in_front(each, ndim) if differs else each for each, differs in zip(x, own, strict=True)]
        y = record(primitive, *x, params=params)
    elif isinstance(kind, Shifted):
        y = record(primitive, *x, params=kind.params(x[0].entry.node.spec, *params))
    elif isinstance(kind, Loop):
        y = _one_by_one(primitive, x, own, n, params, spec)
    else:
        y = kind.rule(primitive, x, own, n, *params)
    found = y.entry.node.spec
    # By value: a node of the trie may hold a spec from before the table of specs was emptied.
    if found.dtype != spec.dtype or found.shape not in (spec.shape, (n, *spec.shape)):
        raise AssertionError(
            f"record {primitive.name!r} of the table: `batch` made {found} for {n} examples of {spec}."
        )
    return y


_BROADCAST = Broadcast()


def _one_by_one(primitive: Primitive, x: Any, own: Any, n: int, params: Params, spec: Spec) -> Tensor:
    if not n:
        return filled((0, *spec.shape), 0, spec.dtype)
    parts = [
        record(primitive, *[each[i] if differs else each for each, differs in zip(x, own, strict=True)], params=params)
        for i in range(n)
    ]
    return stack(parts)


def over_examples(n: int, function: Callable[[Virtual], list[Tensor]]) -> list[tuple[Tensor, bool]]:
    """Run a function once for n examples, which it takes from the virtual segment it is given.

    Returns each result and whether it differs from example to example, which gives it a first axis of n.
    """
    with Examples(n) as virtual:
        try:
            results = [y.entry for y in function(virtual)]
        except BaseException:
            virtual.close()
            raise
    try:
        replay = Replay(virtual.given, virtual.given, n)
        _record_again(virtual, results, replay)
        return [(wrap(replay.of(entry).entry), entry in replay.own) for entry in results]
    finally:
        virtual.close()


def _record_again(virtual: Virtual, results: list[Entry], replay: Replay) -> None:
    """Record what the results need, and what may fail on values, with its checks."""
    steps = [entry for entry in virtual.steps if entry.segment is virtual and entry.node.primitive is not None]
    unchecked = _unchecked(virtual)
    kept = {*results, *[entry for entry, _ in virtual.checks]}
    wanted = _needed([*kept, *unchecked], virtual)
    steps = [entry for entry in steps if entry in wanted]
    uses = Counter([operand for entry in steps for operand in set(entry.inputs)])
    for entry in steps:
        try:
            replay.again(entry)
        except WengertError as error:
            if entry in unchecked:
                error.add_note(f"It was recorded at {unchecked[entry]}, in a function given to vmap.")
            raise
        for operand in set(entry.inputs):  # what is not used again need not be kept when it has been computed
            uses[operand] -= 1
            if not uses[operand] and operand not in kept:
                replay.new.pop(operand, None)
    for entry, check in virtual.checks:
        guarded(replay.of(entry).entry, check)


def _unchecked(virtual: Virtual) -> dict[Entry, Line]:
    """Return the entries of records that may fail on values and were not checked, each with its line."""
    found: dict[Entry, Line] = {}
    for place, line in virtual.lines:
        following = islice(virtual.steps, place, None)
        entry = next((each for each in following if each.segment is virtual and each.node.primitive is not None), None)
        if entry is not None:
            found[entry] = line
    return found


def _needed(results: Iterable[Entry], virtual: Virtual) -> set[Entry]:
    """Return the entries of a segment that the results are computed from, and those among the results."""
    stack = [entry for entry in results if entry.segment is virtual]
    found = set(stack)
    while stack:
        for operand in stack.pop().inputs:
            if operand.segment is virtual and operand not in found:
                found.add(operand)
                stack.append(operand)
    return found
