"""checkpoint: values on the way of a function are computed again when a derivative needs them, and not kept until then.

The recorded list is the program: what the function recorded is noted without its entries, and recorded again on the
same operands when the reverse walk arrives. Chen, Xu, Zhang and Guestrin, Training deep nets with sublinear memory cost
(2016); here the function itself does not run a second time, so it may look at values, draw random numbers and use
tensors that have been replaced since.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from ..ops.batching import Written
from ..ops.identity import alias, detach
from ..ops.lowering import View
from ..ops.operands import operand
from ..ops.shape import for_each
from ..ops.table import Operands, Primitive
from ..record.entry import Entry, next_number
from ..record.recorder import STATE, record, tracking, wrap
from ..record.trie import Params, atom
from . import trees
from .batch import vmap
from .forward import push_forward
from .reverse import pull_back

if TYPE_CHECKING:
    from ..tensor import Tensor

MOST_PROGRAMS = 1024  # whose records are known at a time: equal programs are one record, so that their paths are known
_RECORDS: dict[Any, Primitive] = {}


class Step(NamedTuple):
    """One operation of a program: its operands are numbered, those of the program first, then the steps."""

    primitive: Primitive
    params: Params
    operands: tuple[int, ...]
    tracked: bool


class Program:
    """What a function recorded, without the entries: a function of its operands again."""

    def __init__(self, steps: list[Step]):
        self.steps = steps
        self.key = tuple([(step.primitive, atom(step.params), step.operands, step.tracked) for step in steps])

    def __call__(self, *operands: Tensor) -> Tensor:
        """Record it."""
        known = list(operands)
        for step in self.steps:
            x = [known[place] for place in step.operands]
            with nullcontext() if step.tracked else tracking(False):
                known.append(record(step.primitive, *x, params=step.params))
        return known[-1]


def _program(result: Entry, since: float) -> tuple[Program, list[Entry]]:
    """Return what led to a result from entries older than `since`, and those."""
    found, stack = {result}, [result]
    outside: list[Entry] = []
    while stack:
        for each in stack.pop().inputs:
            if each not in found:
                found.add(each)
                inner = each.number >= since and each.node.primitive is not None and each.inputs
                (stack if inner else outside).append(each)
    ordered = sorted(found.difference(outside), key=lambda entry: entry.number)
    place = {entry: i for i, entry in enumerate([*outside, *ordered])}
    steps = []
    for entry in ordered:
        primitive = entry.node.primitive
        assert primitive is not None
        kept = entry.tracked or not any(each.tracked for each in entry.inputs)
        steps.append(Step(primitive, entry.params, tuple([place[each] for each in entry.inputs]), kept))
    return Program(steps), outside


@dataclass(slots=True, eq=False)
class Recomputed:
    """The derivative of a checkpoint; its entry's operands are those of the program, and then the value itself."""

    program: Callable[..., Tensor]
    last: tuple[Any, Any, list[Tensor]] | None = field(default=None)  # what was asked for last, and the answers

    def differentiates(self, i: int) -> bool:
        """All operands of the program may have a derivative; the value itself never is tracked."""
        return True

    def tangent(
        self, primitive: Primitive, x_dots: Sequence[Tensor | None], x: Operands, y: Tensor, params: Params
    ) -> Tensor:
        """Run the program again, and walk it front to back: nothing is gained, and nothing lost."""
        with tracking(True):
            points = _points(x[:-1], [dot is not None for dot in x_dots])
            again = self.program(*points)
        moving = [(point.entry, dot) for point, dot in zip(points, x_dots, strict=False) if dot is not None]
        return push_forward([point for point, _ in moving], [dot for _, dot in moving], [again.entry])[0]

    def adjoint(self, primitive: Primitive, i: int, y_bar: Tensor, x: Operands, y: Tensor, params: Params) -> Tensor:
        """Run the program again, once for all operands, and walk it back to front."""
        asked = y.entry, STATE.tracking, STATE.segment if STATE.segment.virtual else None
        known = self.last
        if known is None or known[0]() is not y_bar or known[1] != asked:
            with tracking(True):
                points = _points(x[:-1], [a.entry.tracked for a in x[:-1]])
                again = self.program(*points)
            bars = pull_back([again.entry], [y_bar], [point.entry for point in points])
            self.last = known = weakref.ref(y_bar, self._forget), asked, bars
        return known[2][i]

    def _forget(self, reference: Any) -> None:
        self.last = None


def _points(x: Sequence[Tensor], tracked: list[bool]) -> list[Tensor]:
    """Return aliases of the operands, by which the program is differentiated, and by which the compiler takes what is
    computed from them for something new: else it would compute it once, and keep it."""
    points = [alias(each) for each in x]
    for point, wanted in zip(points, tracked, strict=False):
        point.entry.tracked = point.entry.tracked or wanted
    return points


def _record(name: str, program: Callable[..., Tensor]) -> Primitive:
    """Return the record of a program, whose last operand is the value."""
    for_examples: dict[tuple[bool, ...], Primitive] = {}

    def batch(primitive: Primitive, x: Operands, own: tuple[bool, ...], n: int) -> Tensor:
        differs = own[:-1]
        if differs not in for_examples:
            axes = tuple([0 if each else None for each in differs])
            for_examples[differs] = _record(name, vmap(program, in_axes=axes) if any(differs) else program)
        return record(for_examples[differs], *x[:-1], x[-1] if own[-1] else for_each(x[-1], n))

    return Primitive(
        name=name,
        run=lambda *x_and_y: x_and_y[-1],
        infer=lambda *specs: specs[-1],
        lower=View(lambda *x_and_y: x_and_y[-1]),
        batch=Written(batch),
        derivative=Recomputed(program),  # type: ignore[arg-type]  # for checkpoints only
        text=None,
    )


def checkpoint(f: Callable[..., Any]) -> Callable[..., Any]:
    """Return f with the values on its way computed again when its derivative is taken, and not kept until then.

    f: takes anything and returns tensors, or nested lists, tuples and dicts of them; tensors from outside that it uses
    are differentiated like its arguments. The results and all derivatives are the same. What is saved: of all that f
    computes, only its results, and what f got from outside, are held from the forward pass to the reverse walk. What it
    costs: f is computed once more for each of its results that a reverse walk passes. The Python code of f runs once.
    Forward mode computes it once more too, and saves nothing.

    >>> import wengert
    >>> block = wengert.checkpoint(lambda x: wengert.tanh(wengert.sin(x) * 3))
    >>> x = wengert.tensor(0.5, dtype=wengert.float64)
    >>> wengert.grad(block)(x).item() == wengert.grad(lambda x: wengert.tanh(wengert.sin(x) * 3))(x).item()
    True
    """
    name = f"checkpoint of {getattr(f, '__name__', 'function')}"

    def kept(y: Tensor, since: float) -> Tensor:
        """Return a result as an entry that is computed from what was there before f ran."""
        if not y.entry.tracked or y.entry.number < since or not STATE.tracking:
            return y
        program, outside = _program(y.entry, since)
        key = name, program.key
        primitive = _RECORDS.get(key)
        if primitive is None:
            if len(_RECORDS) >= MOST_PROGRAMS:
                _RECORDS.clear()
            primitive = _RECORDS[key] = _record(name, program)
        return record(primitive, *[wrap(entry) for entry in outside], detach(y))

    def function(*args: Any, **kwargs: Any) -> Any:
        since = next_number()
        STATE.segment.mark("checkpoint")  # a path of its own: what is kept of f elsewhere need not be kept here
        results, structure = trees.flatten(f(*args, **kwargs))
        return trees.build(structure, [kept(operand(y), since) for y in results])

    function.__name__, function.__doc__ = getattr(f, "__name__", "function"), getattr(f, "__doc__", None)
    return function
