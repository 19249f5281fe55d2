"""How a record is computed for many examples at once: one of four kinds, the `batch` cell of the operation table.

An operand that differs from example to example has the examples along an axis of its own in front; any other operand
is shared. The result, too, has the examples in front.

Broadcast  operands broadcast over axes in front anyway: elementwise records, and those of the last two axes
Shifted    the same record of one operand whose parameters count axes, each of them one further now
Written    a rule in the library's own operations
Loop       example by example, for a stated reason
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..tensor import Tensor


@dataclass(frozen=True, slots=True)
class Broadcast:
    """The record itself, its operands' examples brought to one number of axes."""


@dataclass(frozen=True, slots=True)
class Shifted:
    """`params(spec, *params)` are the record's parameters for an operand of this spec, examples included."""

    params: Callable[..., tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Written:
    """`rule(primitive, x, own, n, *params)` records it for n examples: `own` tells which of the operands x differ from
    example to example. A result without an axis of examples says that it is the same for all."""

    rule: Callable[..., Tensor]


@dataclass(frozen=True, slots=True)
class Loop:
    """Recorded for each example, and why. `only`: the operands that force it (None: any); where the others alone
    differ, the record takes them as they are."""

    reason: str
    only: tuple[int, ...] | None = None


Batching = Broadcast | Shifted | Written | Loop

BROADCAST_OVER = Broadcast()


def axes_shifted(spec: Any, axes: tuple[int, ...], *rest: Any) -> tuple[Any, ...]:
    """Return parameters that begin with several axes, each one further."""
    return tuple([axis + 1 for axis in axes]), *rest


def axis_shifted(spec: Any, axis: int, *rest: Any) -> tuple[Any, ...]:
    """Return parameters that begin with an axis, one further."""
    return axis + 1, *rest
