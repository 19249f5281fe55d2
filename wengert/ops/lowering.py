"""How a record is compiled: one of five kinds, the `lower` cell of the operation table.

Elementwise  written lane by lane into a fused loop
Reduction    summed (or otherwise gathered) over axes in a fixed order, inside the loop that made its operand
View         no work: the same elements under another shape and other strides
Product      the matrix product, which has kernels of its own
NumPy        not compiled, for a stated reason: a plan calls `run`, one entry at a time

`exact` says that IEEE arithmetic (or moving without computing) fixes the bits, so that NumPy's are those of the
compiled code; where it is False the interpreter, too, runs the compiled code, alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..record.trie import Spec


@dataclass(frozen=True, slots=True)
class Elementwise:
    """`emit(*x, *params)` writes the operation on the compiler's values (`compiler.ir.V`); a string names a function
    of `compiler.mathlib`. `kinds`: the dtype kinds of operands it is written for. `cost`: about how many additions
    it is worth, which decides whether it is computed again or stored."""

    emit: Callable[..., Any] | str
    exact: bool = True
    kinds: str = "bif"
    cost: int = 1

    def covers(self, spec: Spec) -> bool:
        """Tell whether an operand of this dtype is compiled."""
        return spec.dtype.kind in self.kinds


@dataclass(frozen=True, slots=True)
class Reduction:
    """`how` is sum, max or min; `axes(spec, *params)` are those that go."""

    how: str
    axes: Callable[..., tuple[int, ...]]
    exact: bool = False


@dataclass(frozen=True, slots=True)
class View:
    """`look(array, *params)` is NumPy's view; it raises `ValueError` where NumPy would have to copy."""

    look: Callable[..., Any]
    exact: bool = True


@dataclass(frozen=True, slots=True)
class Product:
    """The matrix product over the last two axes."""

    exact: bool = False


@dataclass(frozen=True, slots=True)
class NumPy:
    """Run by NumPy, and why."""

    reason: str
    exact: bool = True


Lowering = Elementwise | Reduction | View | Product | NumPy


def function(name: str, cost: int = 20) -> Elementwise:
    """Return the lowering of a function of `compiler.mathlib`, for real operands."""
    return Elementwise(name, exact=False, kinds="f", cost=cost)
