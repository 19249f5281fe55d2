"""Entries that change no value and only say how derivatives go on: a new name for a value, a cut, and a delay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..record.recorder import record
from .batching import BROADCAST_OVER, Written
from .lowering import NumPy, View
from .operands import same
from .table import Case, NoDerivative, Primitive, Slopes, define

if TYPE_CHECKING:
    from ..tensor import Tensor

_ALIAS = define(
    Primitive(
        name="alias",
        run=lambda x: x,
        infer=same,
        derivative=Slopes((1,)),
        lower=View(lambda x: x),
        batch=BROADCAST_OVER,
        text="{0}",
        cases=(Case(((2, 3),)),),
    )
)

_DETACH = define(
    Primitive(
        name="detach",
        run=lambda x: x,
        infer=same,
        derivative=NoDerivative("it is where derivatives stop", cuts=True),
        lower=View(lambda x: x),
        batch=BROADCAST_OVER,
        text="{0}",
    )
)


_AFTER = define(
    Primitive(
        name="after",
        run=lambda x, y: x,
        infer=lambda x, y: x,
        derivative=Slopes((1, None)),
        lower=NumPy("it keeps what is computed twice on purpose from being computed once"),
        batch=Written(lambda primitive, x, own, n: record(primitive, *x)),  # the same for all where x is
        text="{0}",
        cases=(Case(((2, 3), (2,))),),
    )
)


def alias(x: Tensor) -> Tensor:
    """Return a tensor with x's value that is an entry of its own: what a transform differentiates by.

    Derivatives by the alias do not see other uses of x, and those by x go through the alias; so nested
    derivatives never confuse their perturbations.
    """
    return record(_ALIAS, x)


def after(x: Tensor, y: Tensor) -> Tensor:
    """Return a tensor with x's value that is to be had only once y is known."""
    return record(_AFTER, x, y)


def detach(x: Tensor) -> Tensor:
    """Return a tensor with x's value through which no derivative flows."""
    return record(_DETACH, x)
