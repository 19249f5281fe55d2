"""Entry, one line of the Wengert list; Handle, what a tensor knows of it."""

from __future__ import annotations

import itertools
import weakref
from typing import TYPE_CHECKING, Any

from ..errors import Line
from .buffers import Array
from .trie import Node, Params, Spec

if TYPE_CHECKING:
    from ..ops.table import Primitive
    from .recorder import Segment

next_number = itertools.count(1).__next__  # one count for all threads: an operand's number is always the smaller


class Spent:
    """Why a list can no longer be asked: the lines of the `backward()` that walked it and of the step that replaced its
    parameters. As text, the sentence for the user."""

    __slots__ = ("step", "walk")

    def __init__(self, walk: Line, step: Line):
        self.walk, self.step = walk, step

    def __str__(self) -> str:
        return (
            f"This list was differentiated by backward() at {self.walk} and spent by step() at {self.step}, which "
            "replaced the parameters it was computed from; compute the result again before asking for its derivatives."
        )


class Entry:
    """One line: a primitive applied to earlier entries, with its value once known.

    number   its place among everything ever recorded
    node     its step in the trie: primitive, parameters, shape, dtype
    inputs   the entries it was computed from; dropped when nothing can ask for them any more
    value    its buffer, or None: not computed yet, or computed and let go (then it can be replayed)
    tracked  whether derivatives flow through it
    segment  where it was recorded, which gives its position there a meaning
    owner    (sources only) a weak reference to the handle whose `.grad` receives its adjoint
    spent    (after an optimizer's step) why the list can no longer be asked
    """

    __slots__ = ("inputs", "node", "number", "owner", "segment", "spent", "tracked", "value")

    inputs: tuple[Entry, ...]
    node: Node
    number: float  # whole but for entries that a leap stands for
    owner: weakref.ref[Handle]
    segment: Segment | None
    spent: Spent
    tracked: bool
    value: Array | None

    @property
    def primitive(self) -> Primitive | None:
        """The operation, or None for a value that came from outside."""
        return self.node.primitive

    @property
    def params(self) -> Params:
        """The operation's parameters: axes, shapes, exponents."""
        return self.node.params

    @property
    def spec(self) -> Spec:
        """Shape and dtype."""
        return self.node.spec

    @property
    def is_source(self) -> bool:
        """Whether derivatives start (forward) or end (reverse) here: a leaf, or a value cut off by `detach`."""
        return self.node.source

    def cut(self) -> None:
        """Drop what it was computed from."""
        self.inputs = ()

    def __repr__(self) -> str:
        name = "leaf" if self.node.primitive is None else self.node.primitive.name
        return f"w{self.number} = {name}({', '.join(f'w{i.number}' for i in self.inputs)}) {self.spec}"


class Entering(Entry):
    """The step of a path at which a value from outside, its one input, comes in."""

    __slots__ = ()

    segment = None
    tracked = False
    value = None


def make_entry(node: Node, inputs: tuple[Entry, ...], segment: Segment | None, tracked: bool) -> Entry:
    """Return a new entry whose value is not known yet."""
    entry = Entry.__new__(Entry)
    entry.number = next_number()
    entry.node, entry.inputs, entry.segment, entry.tracked, entry.value = node, inputs, segment, tracked, None
    return entry


def leaf(value: Array, spec: Spec, tracked: bool = False) -> Entry:
    """Return an entry for a value that was not computed by a recorded operation."""
    if spec.leaf is None:
        spec.leaf = Node(None, (), spec, -1)
    entry = make_entry(spec.leaf, (), None, tracked)
    entry.value = value
    return entry


class Handle:
    """What the user holds: a name for an entry. `Tensor` adds the operators.

    In-place syntax makes the handle name another entry; the entry itself never changes.
    `base` and `views` tie handles that show the same elements (see `wengert.views`); `line` is where
    `backward()` made a gradient.
    """

    __slots__ = ("__weakref__", "base", "entry", "grad", "line", "views")

    entry: Entry
    grad: Any
    base: Any
    views: Any
    line: str
