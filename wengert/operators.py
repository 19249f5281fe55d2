"""Operators: what `+`, `@`, `<` and their kin record; the base of `Tensor`.

They are here, beside and not inside `Tensor`, because they only hand their operands on to the functions of `ops`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .ops import binary, compare, elementwise, linalg
from .ops.operands import Operand
from .record.entry import Handle
from .record.recorder import value_of

if TYPE_CHECKING:
    from .tensor import Tensor


class Operators(Handle):
    """A handle with arithmetic, comparison and bitwise operators."""

    __slots__ = ()

    def __add__(self, other: Operand) -> Tensor:
        return binary.add(self, other)

    def __radd__(self, other: Operand) -> Tensor:
        return binary.add(other, self)

    def __sub__(self, other: Operand) -> Tensor:
        return binary.subtract(self, other)

    def __rsub__(self, other: Operand) -> Tensor:
        return binary.subtract(other, self)

    def __mul__(self, other: Operand) -> Tensor:
        return binary.multiply(self, other)

    def __rmul__(self, other: Operand) -> Tensor:
        return binary.multiply(other, self)

    def __truediv__(self, other: Operand) -> Tensor:
        return binary.divide(self, other)

    def __rtruediv__(self, other: Operand) -> Tensor:
        return binary.divide(other, self)

    def __floordiv__(self, other: Operand) -> Tensor:
        return binary.floor_divide(self, other)

    def __rfloordiv__(self, other: Operand) -> Tensor:
        return binary.floor_divide(other, self)

    def __mod__(self, other: Operand) -> Tensor:
        return binary.remainder(self, other)

    def __rmod__(self, other: Operand) -> Tensor:
        return binary.remainder(other, self)

    def __pow__(self, other: Operand) -> Tensor:
        return binary.power_of(self, other)

    def __rpow__(self, other: Operand) -> Tensor:
        return binary.pow(other, self)

    def __matmul__(self, other: Operand) -> Tensor:
        return linalg.matmul(self, other)

    def __rmatmul__(self, other: Operand) -> Tensor:
        return linalg.matmul(other, self)

    def __neg__(self) -> Tensor:
        return elementwise.negative(self)

    def __pos__(self) -> Tensor:
        return elementwise.positive(self)

    def __abs__(self) -> Tensor:
        return elementwise.abs(self)

    def __invert__(self) -> Tensor:
        return compare.bitwise_invert(self)

    def __and__(self, other: Operand) -> Tensor:
        return compare.bitwise_and(self, other)

    def __rand__(self, other: Operand) -> Tensor:
        return compare.bitwise_and(other, self)

    def __or__(self, other: Operand) -> Tensor:
        return compare.bitwise_or(self, other)

    def __ror__(self, other: Operand) -> Tensor:
        return compare.bitwise_or(other, self)

    def __xor__(self, other: Operand) -> Tensor:
        return compare.bitwise_xor(self, other)

    def __rxor__(self, other: Operand) -> Tensor:
        return compare.bitwise_xor(other, self)

    def __lshift__(self, other: Operand) -> Tensor:
        return compare.bitwise_left_shift(self, other)

    def __rlshift__(self, other: Operand) -> Tensor:
        return compare.bitwise_left_shift(other, self)

    def __rshift__(self, other: Operand) -> Tensor:
        return compare.bitwise_right_shift(self, other)

    def __rrshift__(self, other: Operand) -> Tensor:
        return compare.bitwise_right_shift(other, self)

    def __lt__(self, other: Operand) -> Tensor:
        return compare.less(self, other)

    def __le__(self, other: Operand) -> Tensor:
        return compare.less_equal(self, other)

    def __gt__(self, other: Operand) -> Tensor:
        return compare.greater(self, other)

    def __ge__(self, other: Operand) -> Tensor:
        return compare.greater_equal(self, other)

    def __eq__(self, other: object) -> Tensor:  # type: ignore[override]  # elementwise, as in NumPy
        return NotImplemented if other is None or isinstance(other, str) else compare.equal(self, other)

    def __ne__(self, other: object) -> Tensor:  # type: ignore[override]
        return NotImplemented if other is None or isinstance(other, str) else compare.not_equal(self, other)

    def __hash__(self) -> int:
        spec = self.entry.node.spec
        if spec.shape or spec.dtype.kind not in "biu":
            return object.__hash__(self)
        return hash(value_of(self.entry).item())  # a label: set(labels) and counts[label] go by its value
