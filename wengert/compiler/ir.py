"""Writing LLVM's intermediate representation: values with operators, and loops as `with` blocks.

A `V` is one SSA value, a scalar or a vector of lanes; arithmetic on it appends a line to the function being
written. Python numbers become constants of the other operand's type. Nothing here is contracted or reassociated:
each operation rounds once, and `fma` is written where it is meant. Variables that change in a loop live in `alloca`
slots, which LLVM's `sroa` pass turns into registers.
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

LANES = 16  # elements a vector holds, on every instruction set: LLVM splits it into what the machine has


class Type(NamedTuple):
    """An LLVM type: `element` is float, double, i1, i8, i16, i32, i64 or ptr; `lanes` 1 for a scalar."""

    element: str
    lanes: int = 1

    def __str__(self) -> str:
        return self.element if self.lanes == 1 else f"<{self.lanes} x {self.element}>"

    @property
    def floating(self) -> bool:
        """Whether the elements are real numbers."""
        return self.element in ("float", "double")

    @property
    def bits(self) -> int:
        """Bits of one element."""
        return {"float": 32, "double": 64, "ptr": 64}.get(self.element) or int(self.element[1:])

    @property
    def suffix(self) -> str:
        """How an intrinsic's name spells this type: v16f32."""
        one = {"float": "f32", "double": "f64", "ptr": "p0"}.get(self.element, self.element)
        return one if self.lanes == 1 else f"v{self.lanes}{one}"

    def of(self, element: str) -> Type:
        """Return the type with as many lanes of another element."""
        return Type(element, self.lanes)


I1, I32, I64, PTR, F32, F64 = Type("i1"), Type("i32"), Type("i64"), Type("ptr"), Type("float"), Type("double")


def literal(value: Any, element: str) -> str:
    """Return one element of a constant; floats as the bits of a double, which is exact for both widths."""
    if element in ("float", "double"):
        number = ctypes.c_float(value).value if element == "float" else float(value)  # beyond the largest: infinite
        return f"0x{struct.unpack('<Q', struct.pack('<d', number))[0]:016X}"
    if element == "i1":
        return "true" if value else "false"
    bits = int(element[1:])
    value = int(value) & ((1 << bits) - 1)
    return str(value - (1 << bits) if value >> (bits - 1) else value)


class V:
    """One SSA value in a function being written."""

    __slots__ = ("f", "name", "type")

    def __init__(self, f: Function, name: str, type: Type):
        self.f, self.name, self.type = f, name, type

    def __str__(self) -> str:
        return f"{self.type} {self.name}"

    def like(self, value: Any) -> V:
        """Return a constant of this value's type, or the value itself if it is one already."""
        return value if isinstance(value, V) else self.f.const(value, self.type)

    def _arithmetic(self, name: str, other: Any, swap: bool = False) -> V:
        a, b = (self.like(other), self) if swap else (self, self.like(other))
        return self.f.op(f"f{name}" if self.type.floating else name, a, b)

    def __add__(self, other: Any) -> V:
        return self._arithmetic("add", other)

    def __radd__(self, other: Any) -> V:
        return self._arithmetic("add", other, swap=True)

    def __sub__(self, other: Any) -> V:
        return self._arithmetic("sub", other)

    def __rsub__(self, other: Any) -> V:
        return self._arithmetic("sub", other, swap=True)

    def __mul__(self, other: Any) -> V:
        return self._arithmetic("mul", other)

    def __rmul__(self, other: Any) -> V:
        return self._arithmetic("mul", other, swap=True)

    def __truediv__(self, other: Any) -> V:
        return self.f.op("fdiv", self, self.like(other))

    def __rtruediv__(self, other: Any) -> V:
        return self.f.op("fdiv", self.like(other), self)

    def __neg__(self) -> V:
        if self.type.floating:
            return self.f.line(f"fneg {self}", self.type)
        return self.f.op("sub", self.like(0), self)

    def __and__(self, other: Any) -> V:
        return self.f.op("and", self, self.like(other))

    def __or__(self, other: Any) -> V:
        return self.f.op("or", self, self.like(other))

    def __xor__(self, other: Any) -> V:
        return self.f.op("xor", self, self.like(other))

    def __lshift__(self, other: Any) -> V:
        return self.f.op("shl", self, self.like(other))

    def __rshift__(self, other: Any) -> V:
        """Shift bits right, filling with zeros; `sar` keeps the sign."""
        return self.f.op("lshr", self, self.like(other))

    def sar(self, other: Any) -> V:
        """Shift bits right, keeping the sign."""
        return self.f.op("ashr", self, self.like(other))

    def compare(self, relation: str, other: Any) -> V:
        """Compare: relation is eq, ne, lt, le, gt, ge, or (integers) ult, ule, ugt, uge. With NaN only `ne` is true."""
        b = self.like(other)
        if self.type.floating:
            name = f"fcmp {'une' if relation == 'ne' else 'o' + relation}"
        else:
            sign = "u" if self.type.element == "i1" else "s"  # true is 1, not -1
            name = f"icmp {relation if relation in ('eq', 'ne') or relation[0] == 'u' else sign + relation}"
        return self.f.line(f"{name} {self}, {b.name}", self.type.of("i1"))

    def is_nan(self) -> V:
        """Whether each lane is NaN."""
        return self.f.line(f"fcmp uno {self}, {self.name}", self.type.of("i1"))

    def select(self, yes: Any, no: Any) -> V:
        """Return `yes` where this condition holds, else `no` (one of them is a V)."""
        like = yes if isinstance(yes, V) else no
        a, b = like.like(yes), like.like(no)
        return self.f.line(f"select {self}, {a}, {b}", a.type)

    def cast(self, how: str, element: str) -> V:
        """Convert: how is LLVM's name (bitcast, sitofp, uitofp, fptosi, fptoui, fpext, fptrunc, sext, zext, trunc)."""
        type = self.type.of(element)
        return self if type == self.type and how != "bitcast" else self.f.line(f"{how} {self} to {type}", type)

    def apply(self, name: str, *others: Any) -> V:
        """Return the function of `mathlib` with this name of this value (and others)."""
        from . import mathlib

        return mathlib.FUNCTIONS[name](self, *map(self.like, others))

    def splat(self, lanes: int = LANES) -> V:
        """Return a vector with this scalar in every lane."""
        if lanes == 1:
            return self
        type = Type(self.type.element, lanes)
        one = self.f.line(f"insertelement {type} poison, {self}, i64 0", type)
        return self.f.line(f"shufflevector {one}, {type} poison, <{lanes} x i32> zeroinitializer", type)

    def lane(self, i: int) -> V:
        """Return one lane of a vector."""
        return self.f.line(f"extractelement {self}, i64 {i}", Type(self.type.element))

    def take(self, lanes: Sequence[int]) -> V:
        """Return the given lanes as a shorter (or reordered) vector."""
        type = Type(self.type.element, len(lanes))
        picks = ", ".join(f"i32 {i}" for i in lanes)
        return self.f.line(f"shufflevector {self}, {self.type} poison, <{len(lanes)} x i32> <{picks}>", type)


class Function:
    """A function being written. `args` are its parameters as values."""

    def __init__(self, module: Module, name: str, params: Sequence[Type], returns: str = "void", linkage: str = ""):
        self.module, self.name = module, name
        self._count = 0
        self._lines: list[str] = []
        self._allocas: list[str] = []
        self._block = "entry"
        self._after: list[str] = []  # where the loops around this place end, the innermost last
        self.args = [V(self, f"%a{i}", type) for i, type in enumerate(params)]
        listed = ", ".join(str(arg) for arg in self.args)
        self._head = f"define {linkage} {returns} @{name}({listed}) #0 {{"

    # -- lines -----------------------------------------------------------------------------------------------

    def fresh(self) -> str:
        """Return a new name."""
        self._count += 1
        return f"%v{self._count}"

    def line(self, text: str, type: Type) -> V:
        """Append an instruction that gives a value."""
        name = self.fresh()
        self._lines.append(f"  {name} = {text}")
        return V(self, name, type)

    def do(self, text: str) -> None:
        """Append an instruction without a value."""
        self._lines.append(f"  {text}")

    def op(self, name: str, a: V, b: V) -> V:
        """Append a binary instruction."""
        assert a.type == b.type, f"{name}: {a} and {b}"
        return self.line(f"{name} {a}, {b.name}", a.type)

    def const(self, value: Any, type: Type) -> V:
        """Return a constant, the same in all lanes."""
        if type.element == "ptr":
            return V(self, "null" if not value else f"inttoptr (i64 {int(value)} to ptr)", type)
        one = literal(value, type.element)
        return V(self, one if type.lanes == 1 else f"splat ({type.element} {one})", type)

    def constants(self, values: Sequence[Any], element: str) -> V:
        """Return a vector constant with one value for each lane."""
        listed = ", ".join(f"{element} {literal(value, element)}" for value in values)
        return V(self, f"<{listed}>", Type(element, len(values)))

    def call(self, name: str, returns: Type, *args: V) -> V:
        """Call a function or intrinsic that gives a value, declaring it if need be."""
        self.module.declare(name, str(returns), [arg.type for arg in args])
        return self.line(f"call {returns} @{name}({', '.join(map(str, args))})", returns)

    def intrinsic(self, name: str, *args: V) -> V:
        """Call LLVM's intrinsic whose result has the type of its first argument: sqrt, fabs, copysign, floor ..."""
        return self.call(f"llvm.{name}.{args[0].type.suffix}", args[0].type, *args)

    def fma(self, a: V, b: Any, c: Any) -> V:
        """a * b + c, rounded once."""
        return self.intrinsic("fma", a, a.like(b), a.like(c))

    # -- memory ----------------------------------------------------------------------------------------------

    def at(self, base: V, index: Any, element: str) -> V:
        """Return the address of element `index` of an array."""
        if not isinstance(index, V):
            index = self.const(index, I64)
        return self.line(f"getelementptr {element}, {base}, {index}", PTR)

    def load(self, address: V, type: Type) -> V:
        """Load a value; only the element's own alignment is assumed."""
        return self.line(f"load {type}, {address}, align {max(1, Type(type.element).bits // 8)}", type)

    def store(self, value: V, address: V) -> None:
        """Store a value."""
        self.do(f"store {value}, {address}, align {max(1, Type(value.type.element).bits // 8)}")

    def masked_load(self, address: V, type: Type, mask: V, other: Any = 0) -> V:
        """Load the lanes the mask selects; the others are `other` and their memory is not touched."""
        name, size = f"llvm.masked.load.{type.suffix}.p0", max(1, Type(type.element).bits // 8)
        rest = self.const(other, type)
        self.module.declare_text(f"declare {type} @{name}(ptr, <{type.lanes} x i1>, {type})")
        return self.line(f"call {type} @{name}(ptr align {size} {address.name}, {mask}, {rest})", type)

    def masked_store(self, value: V, address: V, mask: V) -> None:
        """Store the lanes the mask selects; the memory of the others is not touched."""
        name, size = f"llvm.masked.store.{value.type.suffix}.p0", max(1, Type(value.type.element).bits // 8)
        self.module.declare_text(f"declare void @{name}({value.type}, ptr, <{value.type.lanes} x i1>)")
        self.do(f"call void @{name}({value}, ptr align {size} {address.name}, {mask})")

    def slot(self, initial: V) -> Slot:
        """Return a variable that holds a value, set here to `initial`."""
        name = f"%s{len(self._allocas)}"
        self._allocas.append(f"  {name} = alloca {initial.type}, align {max(1, initial.type.bits // 8)}")
        slot = Slot(V(self, name, PTR), initial.type)
        slot.set(initial)
        return slot

    def buffer(self, type: Type, count: int) -> V:
        """Return the address of room for `count` values on the stack, not set to anything."""
        name = f"%s{len(self._allocas)}"
        self._allocas.append(f"  {name} = alloca {type}, i64 {count}, align {max(1, type.bits // 8)}")
        return V(self, name, PTR)

    # -- control ---------------------------------------------------------------------------------------------

    def block(self, name: str) -> None:
        """Begin a block; the one before must have ended with a jump."""
        self._lines.append(f"{name[1:]}:")
        self._block = name

    def label(self, what: str) -> str:
        """Return a new label."""
        self._count += 1
        return f"%{what}{self._count}"

    def jump(self, label: str) -> None:
        """Go to a block."""
        self.do(f"br label {label}")

    def branch(self, condition: V, yes: str, no: str) -> None:
        """Go to one of two blocks."""
        self.do(f"br {condition}, label {yes}, label {no}")

    @contextmanager
    def loop(self, begin: V, end: V, step: Any = 1) -> Iterator[V]:
        """Run the block for i = begin, begin + step, ... below end (signed), or until `leave_if` leaves it."""
        counter = self.slot(begin)
        head, body, after = self.label("head"), self.label("body"), self.label("after")
        self.jump(head)
        self.block(head)
        i = counter.get()
        self.branch(i.compare("lt", end), body, after)
        self.block(body)
        self._after.append(after)
        yield i
        self._after.pop()
        counter.set(i + step)
        self.jump(head)
        self.block(after)

    def leave_if(self, condition: V) -> None:
        """Leave the innermost loop if a scalar condition holds: a search that has found what it looks for."""
        on = self.label("on")
        self.branch(condition, self._after[-1], on)
        self.block(on)

    @contextmanager
    def when(self, condition: V) -> Iterator[None]:
        """Run the block only if a scalar condition holds."""
        yes, after = self.label("yes"), self.label("after")
        self.branch(condition, yes, after)
        self.block(yes)
        yield
        self.jump(after)
        self.block(after)

    def text(self) -> str:
        """Return the function as text."""
        body = "\n".join(["entry:", *self._allocas, *self._lines])
        return f"{self._head}\n{body}\n}}"


class Slot:
    """A variable of a function."""

    __slots__ = ("_address", "type")

    def __init__(self, address: V, type: Type):
        self._address, self.type = address, type

    def get(self) -> V:
        """Return its value here."""
        return self._address.f.line(f"load {self.type}, {self._address}", self.type)

    def set(self, value: V) -> None:
        """Change it here."""
        assert value.type == self.type, f"{value} in a slot of {self.type}"
        self._address.f.do(f"store {value}, {self._address}")


class Module:
    """Functions and declarations that are compiled together."""

    def __init__(self) -> None:
        self._functions: list[Function] = []
        self._declared: dict[str, None] = {}

    def function(self, name: str, params: Sequence[Type], returns: str = "void", linkage: str = "") -> Function:
        """Begin a function; end it with `f.do("ret void")`."""
        function = Function(self, name, params, returns, linkage)
        self._functions.append(function)
        return function

    def declare(self, name: str, returns: str, params: Sequence[Type]) -> None:
        """Declare a function that is defined elsewhere."""
        if all(f.name != name for f in self._functions):
            self.declare_text(f"declare {returns} @{name}({', '.join(map(str, params))})")

    def declare_text(self, text: str) -> None:
        """Add a line outside functions, once."""
        self._declared[text] = None

    def has(self, name: str) -> bool:
        """Whether a function of this name is written here already."""
        return any(f.name == name for f in self._functions)

    def text(self, attributes: str = "") -> str:
        """Return the module as LLVM assembly."""
        functions = [f.text() for f in self._functions]
        return "\n\n".join([*self._declared, *functions, f"attributes #0 = {{ nounwind {attributes} }}"]) + "\n"
