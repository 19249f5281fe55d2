"""Virtual segments: a function is recorded once, on examples that have a shape and a dtype and no value.

What `vmap` records in one is never executed. It is a list like any other, and whoever opened the segment records it
again on operands that hold many examples. A value that differs from example to example cannot be looked at; one that
does not can, as everywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from ..errors import ArgumentError, Line, LookError, WengertError, user_line
from .buffers import Array
from .entry import Entry, Handle, leaf, make_entry, next_number
from .recorder import STATE, Segment, follow, run_marked, value_of, wrap
from .trie import TRIE, Params, Shape, spec_of

if TYPE_CHECKING:
    from ..ops.table import Primitive
    from ..tensor import Tensor


class Virtual(Segment):
    """The entries of one run for n examples.

    segment  the one beneath, in which the entries will be recorded again
    given    the examples' tensors: for each entry without operands, the tensor that has all examples along its first
             axis
    checks   what is to be checked of the values, once there are some
    lines    where records that may fail on values were recorded: their positions, or those of what they let enter
    start    entries with a smaller number come from outside
    """

    virtual: ClassVar[bool] = True

    __slots__ = ("checks", "given", "lines", "n", "segment", "start")

    def __init__(self, beneath: Segment, n: int):
        self.segment, self.n, self.start = beneath, n, next_number()
        self.given: dict[Entry, Tensor] = {}
        self.checks: list[tuple[Entry, Callable[[Array], None]]] = []
        self.lines: list[tuple[int, Line]] = []
        super().__init__(TRIE.root, STATE.tracking, STATE.eager)
        self.mark("vmap")
        self.leaping = True  # nothing is leapt over here: each entry is recorded again

    def example(self, x: Tensor) -> Tensor:
        """Return a tensor that looks like one of the examples along the first axis of x."""
        spec = x.entry.node.spec
        one = spec_of(spec.shape[1:], spec.dtype)
        node = self.steps[-1].node
        child = node.edges.get(one)
        if child is None:
            child = TRIE.child(node, one, None, (), one)
        entry = make_entry(child, (), self, x.entry.tracked)
        if self.steps[-1].node is not node:  # as in `recorder.record`, which see
            return self.example(x)
        self.steps.append(entry)
        self.given[entry] = x
        return wrap(entry)

    def guard(self, primitive: Primitive, operands: tuple[Handle, ...], params: Params) -> None:
        """Look at operands that are the same for all examples; the others are checked when they are there."""
        try:
            super().guard(primitive, operands, params)
        except LookError:
            self.lines.append((len(self.steps), user_line()))

    def encloses(self, inner: Segment) -> bool:
        """Whether `inner` was opened within this one, or within one that was, or is this one."""
        below: Any = inner
        while below.virtual and below is not self:
            below = below.segment
        return below is self

    def unknown(self, entry: Entry) -> WengertError:
        """Return the error for a look at what differs from example to example."""
        if self.over:
            return LookError(
                "vmap: a tensor that was made inside of the function was used after the function had ended; return it "
                "from the function."
            )
        return LookError(
            f"vmap: {user_line()} looks at a value that differs from example to example, and the function runs once "
            "for all of them; choose with wengert.where, or write a Python loop over the examples."
        )

    def close(self) -> None:
        """Let go of what it holds: its entries refer to it, and may be kept by somebody."""
        self.over = True
        self.steps = self.steps[:1]
        self.entered, self.sources, self.given = {}, [], {}
        self.checks, self.lines = [], []


class Examples:
    """A `with` block inside of which everything is recorded once for n examples. Like `recorder.tracking`, it ends even
    where an exception strikes in the middle of ending it."""

    _virtual: Virtual | None = None

    def __init__(self, n: int):
        self._n = n

    def __enter__(self) -> Virtual:
        run_marked()
        self._virtual = STATE.segment = Virtual(STATE.segment, self._n)
        return self._virtual

    def __exit__(self, *exception: object) -> None:
        self._leave()

    def __del__(self) -> None:
        if self._virtual is not None:
            self._leave()

    def _leave(self) -> None:
        virtual = self._virtual
        if virtual is not None and virtual.encloses(STATE.segment):
            STATE.segment = virtual.segment
            follow()
        self._virtual = None


def guarded(entry: Entry, check: Callable[[Array], None]) -> None:
    """Look at a value only to raise an error where it is not what an operation can take.

    Inside of `vmap` it is checked for all examples, once their values are there.
    """
    looks, segment = STATE.looks, STATE.segment
    try:
        value = value_of(entry)
    except LookError:
        if not isinstance(segment, Virtual):
            raise
        segment.checks.append((entry, check))
        return
    check(value)
    if STATE.guards is not None and entry.node.primitive is None:
        STATE.guards.append((check, entry))
        STATE.looks = looks


def drawn(draw: Callable[[Shape], Array], shape: Shape) -> Tensor:
    """Return a constant of a shape that `draw` makes.

    Inside of `vmap` each example gets one of its own, in the order in which a loop over the examples would have drawn
    them.
    """
    levels: list[Virtual] = []
    segment: Any = STATE.segment
    while segment.virtual:
        levels.insert(0, segment)
        segment = segment.segment
    value = draw((*[level.n for level in levels], *shape))
    found = wrap(leaf(value, spec_of(value.shape, value.dtype)))
    for level in levels:
        found = level.example(found)
    return found


def refuse_inside(what: str, instead: str) -> None:
    """Raise `ArgumentError` where everything is recorded once for many examples."""
    if STATE.segment.virtual:
        raise ArgumentError(f"{what}: the function given to vmap runs once for all examples, so it cannot; {instead}.")


def is_outside(entry: Entry) -> bool:
    """Whether an entry is older than the run for many examples that is being recorded."""
    segment = STATE.segment
    return isinstance(segment, Virtual) and entry.number < segment.start
