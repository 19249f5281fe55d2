"""Views: handles that show the same elements, kept together when one of them is written to.

Entries never change, so `row = x[0]; row += 1` cannot write into x's buffer. Instead the handle `row` remembers
which view of which handle it is; writing to it binds `row` to its new value, `x` to a new entry with that value
put back, and every other live view of `x` to the view taken again. That is what a NumPy program sees.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import ArgumentError
from .ops.complex import with_part
from .ops.index import setitem
from .ops.shape import permute_dims, reshape
from .record.entry import Handle
from .record.recorder import STATE, record, tracking

if TYPE_CHECKING:
    from .tensor import Tensor


def bind(handle: Tensor, new: Tensor, written: str) -> None:
    """Make `handle` name `new`'s entry, and write through to whatever shares its elements."""
    chain: list[Tensor] = [handle]
    values: list[Tensor] = [new]
    while (view := chain[-1].base) is not None and _is_view(chain[-1]):
        base, primitive, params = view
        if primitive.name == "broadcast_to":
            raise ArgumentError(
                f"{written}: this tensor shows elements of another one repeatedly (broadcast_to), so what to write "
                "there is ambiguous; write to a copy (x = x.copy())."
            )
        chain.append(base)
        values.append(_put_back(base, primitive.name, params, values[-1]))
    others = _views_of(chain[-1], {id(target) for target in chain})
    for target in [*chain, *others]:
        target.check_writable(written)
    for target, value in zip(chain, values, strict=True):
        target.rebind(value)
    for view in others:
        _take_again(view)


def _put_back(base: Tensor, name: str, params: Any, value: Tensor) -> Tensor:
    """Return the base with the elements that the view shows replaced by the value."""
    if name == "getitem":
        return setitem(base, params[0], value)
    if name == "reshape":
        return reshape(value, base.shape)
    if name in ("real", "imag"):
        return with_part(base, name, value)
    return permute_dims(value, tuple(int(axis) for axis in np.argsort(params[0])))


def _views_of(base: Tensor, written: set[int]) -> list[Tensor]:
    """Return the live views of the base, nested ones after what they show, but for those being written."""
    found: list[Tensor] = []
    for reference in base.views or ():
        view = reference()
        if view is not None and _is_view(view):
            if id(view) not in written:
                found.append(view)
            found += _views_of(view, written)
    return found


def _take_again(view: Tensor) -> None:
    """Bind the view to what its base shows now; derivatives go on flowing through it, also under `no_grad`."""
    base, primitive, params = view.base
    with tracking(STATE.tracking or (view.entry.tracked and not view.entry.is_source)):
        new = record(primitive, base, params=params)
    view.rebind(new)


def _is_view(handle: Handle) -> bool:
    """Tell whether NumPy, too, would have given a view: reshaping a transposed view copies."""
    _, primitive, _ = handle.base
    if primitive.name != "reshape":
        return True
    chain = []
    while handle.base is not None:
        base, primitive, params = handle.base
        chain.append((primitive, params))
        handle = base
    probe = start = np.empty(handle.entry.spec.shape, bool)
    for primitive, params in reversed(chain):
        before = probe
        probe = primitive.run(probe, *params)
    return probe.size == 0 or (np.may_share_memory(probe, start) and np.may_share_memory(probe, before))
