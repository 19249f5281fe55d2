"""Reverse accumulation: the list walked back to front, from the adjoint of a result to those of its sources.

Each entry hands every operand its share, y_bar times the local derivative; shares that reach one entry over
several paths add up. All shapes are repaired here: what broadcasting repeated going forward is summed going back.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import GradientError, ShapeError, user_line
from ..ops.binary import add
from ..ops.operands import Operand, cast, filled, operand
from ..ops.shape import broadcast_to, sum_to
from ..ops.table import zeros_like
from ..record.entry import Entry
from ..record.leaps import leap
from ..record.lists import Pass, lines
from ..record.recorder import STATE, Segment, tracking, wrap
from ..record.trie import Spec
from ..record.virtual import is_outside, refuse_inside
from . import trees

if TYPE_CHECKING:
    from ..tensor import Tensor


class Share(NamedTuple):
    """What one entry sent to one of its operands during a reverse walk."""

    sender: Entry
    operand: int
    x_bar: Tensor


def adjoints(
    entries: list[Entry], seeds: dict[Entry, Tensor], targets: set[Entry], shares: list[Share] | None = None
) -> dict[Entry, Tensor]:
    """Walk the list back to front; return the adjoints of all entries between the results and the targets.

    entries: the list, operands first. seeds: y_bar of the results. targets: where the walk ends.
    shares: collects every contribution, in the order in which they are added.
    """
    leads = set(targets)  # entries the adjoint of a target goes through
    for entry in entries:
        if not entry.is_source and not leads.isdisjoint(entry.inputs):
            leads.add(entry)
    bars = dict(seeds)
    for entry in reversed(entries):
        y_bar = bars.get(entry)
        if y_bar is None or entry.is_source or leads.isdisjoint(entry.inputs):
            continue
        primitive = entry.primitive
        assert primitive is not None
        x, y = tuple([wrap(each) for each in entry.inputs]), wrap(entry)
        for i, each in enumerate(entry.inputs):
            if each in leads and each.tracked and primitive.derivative.differentiates(i):
                x_bar = fitted(primitive.derivative.adjoint(primitive, i, y_bar, x, y, entry.params), each.spec)
                if shares is not None:
                    shares.append(Share(entry, i, x_bar))
                bars[each] = add(bars[each], x_bar) if each in bars else x_bar
        if entry not in targets and shares is None:
            del bars[entry]  # its buffer is free for those that follow
    return bars


def fitted(bar: Tensor, spec: Spec) -> Tensor:
    """Bring an adjoint to its operand's dtype and shape."""
    bar = cast(bar, spec.dtype)
    if bar.shape == spec.shape:
        return bar
    was_repeated = bar.ndim >= len(spec.shape) and all(
        size in (1, extent) for size, extent in zip(spec.shape[::-1], bar.shape[::-1], strict=False)
    )
    return sum_to(bar, spec.shape) if was_repeated else broadcast_to(bar, spec.shape)


def seed(y: Tensor, gradient: Operand | None, name: str) -> Tensor:
    """Return the adjoint a reverse walk starts from: 1, or what the user gives."""
    if gradient is None:
        if y.size != 1:
            raise GradientError(
                f"{name}: the result has shape {y.shape}, and only one number has a gradient; sum it first, or give "
                "the adjoint to start from."
            )
        if y.dtype.kind == "c":
            raise GradientError(
                f"{name}: the result is complex, and only a real number has a direction of ascent; take its real or "
                "imag part or its abs first, or give the adjoint to start from."
            )
        return filled(y.shape, 1, y.dtype)
    y_bar = operand(gradient, y.dtype)
    if y_bar.shape != y.shape:
        raise ShapeError(f"{name}: the adjoint has shape {y_bar.shape} and the result {y.shape}; they must be equal.")
    return cast(y_bar, y.dtype)


def backward(y: Tensor, gradient: Operand | None, create_graph: bool) -> None:
    """Add the derivatives of y to `.grad` of the leaves it depends on: the work of `Tensor.backward`."""
    if not y.entry.tracked:
        raise GradientError(
            "backward: this tensor depends on nothing that requires a gradient; create the leaves with "
            "requires_grad=True, and compute outside of no_grad()."
        )
    line = user_line()
    segment = STATE.segment
    steps, sources = None, dict[Entry, int]()
    if gradient is None and y.size == 1 and y.entry.segment is segment and segment.pure and not create_graph:
        sums = _leapt(y, segment)
        steps, sources = segment.steps, dict(segment.entered)
    else:
        entries = lines([y.entry])
        owners = {entry: owner for entry in entries if (owner := _owner(entry)) is not None}
        with tracking(create_graph and STATE.tracking):
            sums = _sums(y, entries, gradient, owners)
    if not sums:
        for entry in lines([y.entry]):
            owner = getattr(entry, "owner", None) if entry.is_source else None
            if owner is not None and (handle := owner()) is not None:
                _check_current("backward", y, handle)
    STATE.passes.add(Pass(y, line, steps, sources))
    if any(is_outside(owner.entry) for owner, _ in sums):
        refuse_inside("backward to a leaf from outside", "use wengert.grad and return the gradient")
    for owner, x_bar in sums:  # all are computed before the first is stored: an exception loses nothing
        owner.grad = wrap(x_bar.entry)  # a handle of its own: writing to one gradient must not reach another


def _sums(
    y: Tensor, entries: list[Entry], gradient: Operand | None, owners: dict[Entry, Any]
) -> list[tuple[Any, Tensor]]:
    """Return each owner that the walk reaches with its gradient, added to the one it has."""
    bars = adjoints(entries, {y.entry: seed(y, gradient, "backward")}, set(owners))
    return [
        (owner, bars[entry] if owner.grad is None else owner.grad + bars[entry])
        for entry, owner in owners.items()
        if entry in bars
    ]


def _leapt(y: Tensor, segment: Segment) -> list[tuple[Any, Tensor]]:
    """Return the same, recorded in one step where this pass has been made before: the whole list is in this segment,
    so the path, and which sources have an owner and a gradient, say all that is recorded."""
    entered = segment.entered
    owners = {entry: owner for entry in segment.sources if (owner := _owner(entry)) is not None and entry in entered}
    grads = [owner.grad.entry for owner in owners.values() if owner.grad is not None]
    pattern = tuple([(entered[entry], owner.grad is None) for entry, owner in owners.items()])

    def body() -> tuple[list[Tensor], Any]:
        with tracking(False):
            sums = _sums(y, lines([y.entry]), None, owners)
        order = {id(owner): place for place, owner in enumerate(owners.values())}
        return [x_bar for _, x_bar in sums], [order[id(owner)] for owner, _ in sums]

    results, places = leap(("backward", pattern), [y.entry, *grads], body)
    order = list(owners.values())
    return [(order[place], x_bar) for place, x_bar in zip(places, results, strict=True)]


def _owner(entry: Entry) -> Any:
    """Return the handle whose `.grad` gathers this source's adjoint, if it is still there."""
    reference = getattr(entry, "owner", None) if entry.is_source else None
    handle = None if reference is None else reference()
    return handle if handle is not None and handle.entry is entry else None


def gradients(y: Tensor, xs: Any, y_bar: Operand | None = None, *, create_graph: bool = False) -> Any:
    """Return the derivatives of y by any recorded tensors: leaves or results on the way, in the structure of xs.

    y: a single element, or any shape with its adjoint y_bar. xs: a tensor, or nested lists, tuples and dicts of
    them, each requiring a gradient or computed from one that does. create_graph: record the derivatives, so that
    they can be differentiated in turn. A tensor y does not depend on gets zeros.
    Raises `GradientError` for a tensor that is not recorded, one whose value was replaced after y was computed from it,
    or a list that is spent.

    >>> import wengert
    >>> x = wengert.tensor(2.0, requires_grad=True)
    >>> h = x * x
    >>> dy_dh, dy_dx = wengert.gradients(h * 3, [h, x])
    >>> dy_dh.item(), dy_dx.item()
    (3.0, 12.0)
    """
    found, structure = trees.flatten(xs)
    for x in found:
        if not hasattr(x, "entry") or not x.entry.tracked:
            raise GradientError(
                "gradients: every x must be a tensor through which derivatives flow; create it, or what it is computed "
                "from, with requires_grad=True."
            )
    start = seed(y, y_bar, "gradients")
    for x in found:
        _check_current("gradients", y, x)
    with tracking(create_graph and STATE.tracking):
        results = pull_back([y.entry], [start], [x.entry for x in found])
    return trees.build(structure, results)


def _check_current(name: str, y: Tensor, x: Tensor) -> None:
    """Raise where y was computed from a value that x had before it was updated: its gradient would seem to be zero."""
    if x.entry.is_source and x.entry.number > y.entry.number:
        for entry in lines([y.entry]):
            owner = getattr(entry, "owner", None) if entry.is_source else None
            if owner is not None and owner() is x:
                raise GradientError(
                    f"{name}: the value of this leaf was replaced (by step() or in place) after the result was "
                    "computed from it; compute the result again before asking for its derivatives."
                )


def pull_back(results: Iterable[Entry], y_bars: Iterable[Tensor], sources: list[Entry]) -> list[Tensor]:
    """Return the adjoints of the sources for given adjoints of the results; zeros where nothing arrives."""
    seeds: dict[Entry, Tensor] = {}
    for result, y_bar in zip(results, y_bars, strict=True):
        if result.tracked:
            seeds[result] = add(seeds[result], y_bar) if result in seeds else y_bar
    entries = lines(seeds, since=min((source.number for source in sources), default=0))
    bars = adjoints(entries, seeds, set(sources))
    return [wrap(bars[source].entry) if source in bars else zeros_like(wrap(source)) for source in sources]
