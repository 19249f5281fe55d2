"""Entries that change no value and only say how derivatives go on: a new name for a value, and a cut."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..record.recorder import record
from .batching import BROADCAST_OVER
from .lowering import View
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


def alias(x: Tensor) -> Tensor:
    """Return a tensor with x's value that is an entry of its own: what a transform differentiates by.

    Derivatives by the alias do not see other uses of x, and those by x go through the alias; so nested
    derivatives never confuse their perturbations.
    """
    return record(_ALIAS, x)


def detach(x: Tensor) -> Tensor:
    """Return a tensor with x's value through which no derivative flows."""
    return record(_DETACH, x)
