"""Fusion: which entries share a kernel.

Values are placed one after the other. One that is computed element by element joins the group its operands come
from (the last of them: the others are done by then) if both run over the same elements, so a chain needs no
memory; a reduction over the last axes joins the group of its operand and makes rows of its leading axes; what
follows a matrix product element by element, or row by row, joins the product and is run on each panel of rows while
it is in the cache. A scalar that depends on leaves alone is computed again wherever it is needed.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..ops.lowering import Elementwise, View
from ..ops.table import TABLE
from .graph import ELEMENTWISE, LEAF, NUMPY, PRODUCT, REDUCTION, VIEW, Graph, Value

Axes = tuple[int | None, ...]  # for each dimension of a value, the axis of its group it runs along


class Access(NamedTuple):
    """Where the elements of a value lie: in the buffer of `base`, from `offset` on, in steps of `strides` elements."""

    base: Value
    offset: int
    strides: tuple[int, ...]


def access(value: Value) -> Access:
    """Return where a value's elements lie, looking through views. Raises `ValueError` where NumPy would copy."""
    shape, itemsize = value.spec.shape, value.spec.dtype.itemsize
    if value.kind != VIEW:
        strides, step = [], 1
        for size in reversed(shape):
            strides.append(step)
            step *= size
        return Access(value, 0, tuple(reversed(strides)))
    operand = value.operands[-1]
    inner = access(operand)
    if value.name in ("alias", "detach"):
        return inner
    probe = np.lib.stride_tricks.as_strided(
        _PROBE.view(value.spec.dtype), operand.spec.shape, [s * itemsize for s in inner.strides]
    )
    how = value.primitive.lower if value.primitive else None
    assert isinstance(how, View)
    given = [probe] * len(value.operands)
    seen = how.look(*given, *value.params)
    moved = seen.__array_interface__["data"][0] - probe.__array_interface__["data"][0]
    return Access(inner.base, inner.offset + moved // itemsize, tuple([s // itemsize for s in seen.strides]))


_PROBE = np.zeros(16)
MOST_MEMBERS = 128  # values of a kernel: compiling takes longer than in proportion
DEEPEST = 8  # values that a value computed wherever it is needed is made of
MOST_VIEWS = 32  # views of views before a copy is made


def squeezed(value: Value) -> tuple[int, ...]:
    """Return the shape without axes of size 1."""
    return tuple([size for size in value.spec.shape if size != 1])


def _is_view(value: Value) -> bool:
    """Whether NumPy would make a view of it without copying."""
    try:
        access(value)
    except ValueError:
        return False
    return True


def with_copies(graph: Graph) -> Graph:
    """Return the graph with copies put in where a view cannot be one, and where a view is wanted as a buffer."""
    values: list[Value] = []
    depth: dict[Value, int] = {}  # how many views a value looks through
    for value in graph.values:
        if value.kind == VIEW:
            depth[value] = 1 + depth.get(value.operands[-1], 0)
            if depth[value] > MOST_VIEWS or not _is_view(value):
                copy = copy_of(value.operands[-1])
                values.append(copy)
                value.operands = (*value.operands[:-1], copy)
                depth[value] = 1
        values.append(value)
    wanted = dict(graph.wanted)
    copies: dict[Value, Value] = {}
    for position, value in graph.wanted.items():
        if value.kind in (VIEW, LEAF):
            if value not in copies:
                copies[value] = copy_of(value)
                values.append(copies[value])
            wanted[position] = copies[value]
    return Graph(values, wanted)


def copy_of(value: Value) -> Value:
    """Return a value with the same elements in a buffer of its own."""
    kind = ELEMENTWISE if value.spec.size else NUMPY  # kernels are for elements; where there are none, NumPy does it
    return Value(kind, TABLE["positive"], (), (value,), value.spec, value.position)


class Group:
    """Values that one kernel computes. `shape`: the axes it runs over, none of size 1; `rows`: how many of the leading
    ones number its rows, None while no reduction has asked for rows."""

    def __init__(self, kind: str, index: int, shape: tuple[int, ...], rows: int | None = None):
        self.kind, self.index, self.shape, self.rows = kind, index, shape, rows
        self.members: list[Value] = []
        self.axes: dict[Value, Axes] = {}
        self.guests: set[Value] = set()  # floating values, computed here for the members' use

    def add(self, value: Value, axes: Axes) -> None:
        """Take a value in."""
        self.members.append(value)
        self.axes[value] = axes

    @property
    def fuses(self) -> bool:
        """Whether it is a loop that others can join."""
        return self.kind == ELEMENTWISE or (self.kind == PRODUCT and self.rows == 1)

    def axes_of(self, value: Value) -> Axes | None:
        """Return the axes a value runs along that is computed here, or is a view of such a one; None if it is not."""
        if value in self.axes:
            return self.axes[value]
        if value.kind != VIEW:
            return None
        base = base_of(value)
        if base.spec.size == 1 and base in self.axes:  # all its elements are that one
            return (None,) * len(value.spec.shape)
        operand = value.operands[-1]
        inner = self.axes_of(operand)
        if inner is None or value.name in ("alias", "detach"):
            return inner
        before, after = operand.spec.shape, value.spec.shape
        if value.name == "broadcast_to":
            padded = (None,) * (len(after) - len(before)) + inner
            sizes = (1,) * (len(after) - len(before)) + before
            return tuple([axis if size == new else None for axis, size, new in zip(padded, sizes, after, strict=True)])
        if value.name == "reshape" and squeezed(operand) == squeezed(value):
            real = iter([axis for axis, size in zip(inner, before, strict=True) if size != 1])
            return tuple([next(real) if size != 1 else None for size in after])
        return None


def base_of(value: Value) -> Value:
    """Return the value that a view shows."""
    while value.kind == VIEW:
        value = value.operands[-1]
    return value


class Fusion:
    """Places the values of a graph in groups, which are then run in the order of `groups`."""

    def __init__(self, graph: Graph):
        self.groups: list[Group] = []
        self.home: dict[Value, Group] = {}
        self.floating: dict[Value, int] = {}  # those computed wherever they are needed, and out of how many others
        for value in graph.values:
            if value.kind in (VIEW, LEAF):
                continue
            if self._floats(value):
                self.floating[value] = 1 + max([self.floating.get(b, 0) for b in map(base_of, value.operands)])
            elif value.kind == ELEMENTWISE:
                self._elementwise(value)
            elif value.kind == REDUCTION:
                self._reduction(value)
            else:
                self._alone(value)
        for value in graph.wanted.values():
            self.settle(value)

    def _floats(self, value: Value) -> bool:
        """Whether a value is one cheap number that depends on leaves alone."""
        how = value.primitive.lower if value.primitive else None
        return (
            value.kind == ELEMENTWISE
            and value.spec.size == 1
            and isinstance(how, Elementwise)
            and how.cost <= 5
            and all(
                base.kind == LEAF or self.floating.get(base, DEEPEST) < DEEPEST for base in map(base_of, value.operands)
            )
        )

    def settle(self, value: Value) -> None:
        """Give a floating value a kernel of its own as well, for it is needed in memory."""
        base = base_of(value)
        if base in self.floating and base not in self.home:
            self._place(base, self._new(ELEMENTWISE, ()), (None,) * len(base.spec.shape))

    def _new(self, kind: str, shape: tuple[int, ...], rows: int | None = None) -> Group:
        group = Group(kind, len(self.groups), shape, rows)
        self.groups.append(group)
        return group

    def _place(self, value: Value, group: Group, axes: Axes) -> None:
        """Put a value in a group, after the floating ones it needs."""
        if group.fuses:
            for operand in value.operands:
                self._float_into(base_of(operand), group)
        else:
            for operand in value.operands:
                self.settle(operand)
        group.add(value, axes)
        self.home[value] = group

    def _float_into(self, value: Value, group: Group) -> None:
        if value in self.floating and value not in group.axes:
            for operand in value.operands:
                self._float_into(base_of(operand), group)
            group.add(value, (None,) * len(value.spec.shape))
            group.guests.add(value)

    def _last(self, value: Value) -> int:
        """Return the index of the last group that makes an operand; -1 if there is none."""
        return max([self.home[b].index for b in map(base_of, value.operands) if b in self.home], default=-1)

    def _alone(self, value: Value) -> None:
        """Place a matrix product, or what NumPy runs."""
        shape = value.spec.shape
        if value.kind == PRODUCT and len(shape) == 2 and min(shape) > 1:
            self._place_alone(value, self._new(PRODUCT, shape, 1), (0, 1))
        else:
            self._place_alone(value, self._new(value.kind, (), None), ())

    def _place_alone(self, value: Value, group: Group, axes: Axes) -> None:
        for operand in value.operands:
            self.settle(operand)
        # A floating operand that had to be settled comes after this group was made: it goes before.
        self.groups.remove(group)
        self.groups.append(group)
        for index, each in enumerate(self.groups):
            each.index = index
        group.add(value, axes)
        self.home[value] = group

    def _elementwise(self, value: Value) -> None:
        last = self._last(value)
        near = [self.groups[last]] if last >= 0 else []
        for group in (*near, *reversed(self.groups[last + 1 :])):
            axes = self._axes(value, group)
            if axes is not None:
                return self._place(value, group, axes)
        shape = squeezed(value)
        count = iter(range(len(shape)))
        axes = tuple([next(count) if size != 1 else None for size in value.spec.shape])
        return self._place(value, self._new(ELEMENTWISE, shape), axes)

    def _axes(self, value: Value, group: Group) -> Axes | None:
        """Return the axes a value would run along in a group, or None if it does not fit."""
        if not group.fuses or len(group.members) >= MOST_MEMBERS:
            return None
        shape = squeezed(value)
        if shape == group.shape:
            count = iter(range(len(shape)))
        elif group.rows is not None and shape == group.shape[: group.rows]:
            count = iter(range(group.rows))
        else:
            return None
        axes = tuple([next(count) if size != 1 else None for size in value.spec.shape])
        for operand in value.operands:
            base = base_of(operand)
            if base in group.axes and base not in self.floating:
                inner = group.axes_of(operand)
                if inner is None:
                    return None
                for mine, theirs in zip(reversed(axes), reversed(inner), strict=False):
                    if theirs is not None and mine != theirs:
                        return None
        return axes

    def _reduction(self, value: Value) -> None:
        (operand,) = value.operands
        shape = operand.spec.shape  # without axes of size 1: `simplified` has seen to it
        rows = value.axes[0]
        if value.axes[-1] != len(shape) - 1:
            self._place_alone(value, self._new(REDUCTION, (), None), ())
            return
        axes = tuple(range(rows))
        last = self._last(value)
        if last >= 0:
            group = self.groups[last]
            full = tuple(range(len(shape)))
            fits = group.fuses and len(group.members) < MOST_MEMBERS
            if fits and group.rows in (None, rows) and group.shape == shape and group.axes_of(operand) == full:
                group.rows = rows
                self._place(value, group, axes)
                return
        self._place(value, self._new(ELEMENTWISE, shape, rows), axes)

    def check(self, graph: Graph) -> None:
        """Raise AssertionError where a value is computed nowhere or twice, or before what it needs: the validator."""
        for index, group in enumerate(self.groups):
            assert group.index == index, f"group {index} is numbered {group.index}"
            assert len(set(group.members)) == len(group.members), f"group {index} has a member twice"
            known: set[Value] = set()
            for member in group.members:
                assert member in group.guests or self.home.get(member) is group, f"{member} has another home"
                assert member not in group.guests or member in self.floating, f"{member} is a guest and does not float"
                assert len(group.axes[member]) == len(member.spec.shape) or not group.fuses, f"{member} lacks axes"
                for base in map(base_of, member.operands):
                    home = self.home.get(base)
                    before = base.kind == LEAF or base in known or (home is not None and home.index < index)
                    assert before, f"{member} is computed before {base}"
                known.add(member)
        for value in graph.values:
            assert value.kind in (LEAF, VIEW) or value in self.home or value in self.floating, f"{value} has no home"
        for value in map(base_of, graph.wanted.values()):
            assert value.kind == LEAF or value in self.home, f"{value} is wanted and has no home"


def needed_in_memory(graph: Graph, fusion: Fusion) -> set[Value]:
    """Return the values that must be stored: wanted ones, and those that another group reads."""
    found = set(graph.wanted.values())
    for group in fusion.groups:
        for member in group.members:
            for operand in member.operands:
                base = base_of(operand)
                if base.kind != LEAF and (base not in group.axes or group.axes_of(operand) is None):
                    found.add(base)
    return found


__all__ = ["NUMPY", "Access", "Fusion", "Group", "access", "base_of", "needed_in_memory", "squeezed", "with_copies"]
