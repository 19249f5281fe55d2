"""The trie of recorded steps: what is known about a program before it has run again.

The recorder stands on a node. An operation looks its key up among the node's edges and moves to the child,
which holds the inferred shape and dtype (and, once there is a compiler, the plan). So shapes and dtypes are
inferred once per path, not once per operation.

A key is complete: primitive, positions of the operands in the segment, and parameters as (type, bits), so
that `1`, `1.0`, `True`, `-0.0` and NaN are five different keys. Whether a derivative is wanted is no part of it.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import numpy as np

from ..dtypes import DType

if TYPE_CHECKING:
    from ..ops.table import Primitive

Shape = tuple[int, ...]
Params = tuple[Any, ...]


class Spec:
    """A shape and a dtype; interned by `spec_of`, so that equal specs are one object and hash at once."""

    __slots__ = ("dtype", "floating", "leaf", "shape", "size")

    def __init__(self, shape: Shape, dtype: DType):
        self.shape, self.dtype, self.floating = shape, dtype, dtype.kind in "fc"
        self.leaf: Node | None = None  # the node that all leaves of this shape and dtype stand on
        self.size = 1
        for extent in shape:
            self.size *= extent

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    def __repr__(self) -> str:
        return f"{self.dtype.name}{list(self.shape)}"


_SPECS: dict[tuple[Shape, DType], Spec] = {}
_MOST_SPECS = 65536


def spec_of(shape: Shape, dtype: DType) -> Spec:
    """Return the one `Spec` of this shape and dtype.

    >>> spec_of((2, 3), np.dtype("float32")) is spec_of((2, 3), np.dtype("float32"))
    True
    """
    spec = _SPECS.get((shape, dtype))
    if spec is None:
        if len(_SPECS) >= _MOST_SPECS:  # forgetting costs a second node for the same step, nothing else
            _SPECS.clear()
        spec = _SPECS[shape, dtype] = Spec(shape, dtype)
    return spec


LONGEST_SEGMENT = 8192  # steps; a program that never looks is executed this often


NO_EDGES: dict[Any, Any] = {}  # of a node that does not belong to the trie; nobody writes to it


class Node:
    """One place in the trie: everything known about a step, whichever run of the program arrives there.

    chain      a hash of the path up to here
    source     derivatives start or end here: a value from outside, or a cut
    carries    derivatives can flow through this step: its values are real and it is not a cut
    halts      the segment is executed after this step: in eager mode, and where it has grown long
    operands   the positions of the operands; parent: the step before. Together they spell the whole path
    sightings  how often a segment has ended here and was interpreted; kept: what was wanted of it, a union that
               grows; plan: what executes it since it was compiled;
               line: where in the user's program it ended first
    demanded   learned: a value of this step was asked for after its segment had run and had to be
               computed again; from then on it is kept
    """

    __slots__ = (
        "carries",
        "chain",
        "demanded",
        "dependents",
        "edges",
        "halts",
        "kept",
        "line",
        "operands",
        "params",
        "parent",
        "plan",
        "position",
        "primitive",
        "sightings",
        "source",
        "spec",
    )

    def __init__(
        self,
        primitive: Primitive | None,
        params: Params,
        spec: Spec,
        position: int,
        halts: bool = False,
        parent: Node | None = None,
        operands: tuple[int, ...] = (),
    ):
        self.parent, self.operands = parent, operands
        self.sightings, self.line = 0, ""
        self.plan: Any = None
        self.kept: frozenset[int] = frozenset()
        self.primitive, self.params, self.spec, self.position = (
            primitive,
            params,
            spec,
            position,
        )
        self.source = primitive is None or primitive.cuts
        self.carries = spec.floating and primitive is not None and not primitive.cuts
        self.halts = halts or position >= LONGEST_SEGMENT
        self.edges: dict[Any, Any] = NO_EDGES  # key -> Node, or a Leap over several; once it belongs to the trie
        self.chain = 0
        self.demanded = False
        self.dependents: dict[frozenset[int], list[int]] | None = None  # see `lists.dependents`

    @property
    def holds_value(self) -> bool:
        """Whether the step is a value, and not a mode."""
        return self.spec is not NOTHING


class Trie:
    """The root and the size of all paths; forgotten as a whole when it has grown too large.

    A program that never takes the same path twice would otherwise grow it for ever. Entries keep the nodes
    they stand on, so forgetting costs the inference of what comes next, and never a result. A trie that is no longer
    small takes in only what is seen for the second time: what comes once leaves no trace but a number, and costs
    Python's collector nothing.
    """

    def __init__(self, most_nodes: int = 200_000, small: int = 10_000):
        self.most_nodes, self.small = most_nodes, small
        self.forget()

    def forget(self) -> None:
        """Start again from an empty trie."""
        self.root, self.size = Node(None, (), NOTHING, 0), 1
        self.root.edges = {}
        self.seen: set[int] = set()  # chains of steps that were taken once
        self.ends: list[Node] = []  # where segments have ended, in the order in which that first happened

    def child(
        self,
        node: Node,
        key: Any,
        primitive: Primitive | None,
        params: Params,
        spec: Spec,
        halts: bool = False,
        operands: tuple[int, ...] = (),
    ) -> Node:
        """Return the child of `node` under `key`, made now: the program takes this step for the first time."""
        made = Node(primitive, params, spec, node.position + 1, halts, node, operands)
        made.chain = hash((node.chain, key))
        if node.edges is NO_EDGES or (self.size >= self.small and made.chain not in self.seen):
            if len(self.seen) >= self.most_nodes:
                self.seen.clear()
            self.seen.add(made.chain)
            return made
        if self.size >= self.most_nodes:
            self.forget()
        self.size += 1
        made.edges = {}
        found: Node = node.edges.setdefault(key, made)
        return found


NOTHING = Spec((), np.dtype("bool"))
TRIE = Trie()


def atom(value: Any) -> Any:
    """Return a hashable stand-in for one parameter that is equal only for the same type and the same bits.

    >>> atom(1) == atom(True), atom(0.0) == atom(-0.0), atom(float("nan")) == atom(float("nan"))
    (False, False, True)
    """
    kind = type(value)
    if kind is tuple:
        return tuple([atom(item) for item in value])
    if kind is float:
        return struct.pack("<d", value)
    if kind is complex:
        return struct.pack("<dd", value.real, value.imag)
    if kind is slice:
        return slice, atom(value.start), atom(value.stop), atom(value.step)
    return kind, value
