"""Module: what layers and networks are made of. Parameters are found where they are stored, in plain attributes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ParamSpec, Protocol, Self, TypeVar

import numpy as np

from ..dtypes import DType, as_dtype
from ..errors import ArgumentError, DTypeError, ShapeError
from ..ops.creation import tensor
from ..ops.operands import Operand, constant, operand, snapshot_of
from ..record.buffers import Array
from ..record.recorder import tracking, value_of
from ..tensor import Tensor

P = ParamSpec("P")
R = TypeVar("R", covariant=True)


class Parameter(Tensor):
    """A leaf tensor that training changes; a module finds it among its attributes.

    data: anything `wengert.tensor` takes, of a floating dtype. Set `requires_grad = False` to freeze it.

    >>> Parameter([1.0, 2.0]).requires_grad
    True
    """

    __slots__ = ()

    def __init__(self, data: Operand, *, dtype: Any = None, requires_grad: bool = True):
        self.entry = tensor(data, dtype=dtype).entry
        self.grad, self.base, self.views = None, None, None
        self.requires_grad = requires_grad

    def __reduce__(self) -> tuple[Any, ...]:
        return _parameter, (value_of(self.entry).copy(), self.requires_grad)


def _parameter(values: Array, requires_grad: bool) -> Parameter:
    """Return the parameter that pickle or copy took apart."""
    return Parameter(values, requires_grad=requires_grad)


class _HasForward(Protocol[P, R]):
    """Anything with a `forward`: lets a call have exactly the arguments and the result of that method."""

    def forward(self, *args: P.args, **kwargs: P.kwargs) -> R: ...


class Module:
    """A function with parameters: write `__init__`, which stores layers and parameters, and `forward`.

    Attributes that are parameters (`Parameter`, or a leaf tensor with `requires_grad`) and modules are found, also in
    lists, tuples and dicts. Calling the module calls `forward`, and has its types. Nothing has to be set up
    before attributes are assigned, so forgetting `super().__init__()` does no harm.

    >>> import wengert
    >>> class Net(Module):
    ...     def __init__(self):
    ...         self.scale = Parameter([2.0])
    ...
    ...     def forward(self, x):
    ...         return x * self.scale
    >>> net = Net()
    >>> net(wengert.tensor([3.0])).tolist(), [name for name, _ in net.named_parameters()]
    ([6.0], ['scale'])
    """

    training: bool
    _buffers: tuple[str, ...]

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        module = super().__new__(cls)
        module.__dict__.update(training=True, _buffers=())
        return module

    def __call__(self: _HasForward[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        return self.forward(*args, **kwargs)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the result; every network defines its own."""
        raise ArgumentError(
            f"{type(self).__name__} has no forward; define `def forward(self, x):` in the class to call it."
        )

    # -- what it holds ---------------------------------------------------------------------------------------

    def _parts(self) -> Iterator[tuple[str, Any]]:
        """Yield (name, part) for the modules and tensors stored here, not those inside other modules."""
        for name, value in vars(self).items():
            yield from _stored(name, value)

    def named_modules(self) -> Iterator[tuple[str, Module]]:
        """Yield (name, module) for this module (name "") and all inside it, each module once."""
        for name, part in _walk(self, "", set()):
            if isinstance(part, Module):
                yield name, part

    def modules(self) -> Iterator[Module]:
        """Yield this module and all inside it."""
        return (module for _, module in self.named_modules())

    def named_parameters(self) -> Iterator[tuple[str, Tensor]]:
        """Yield (name, parameter), in the order of assignment; a parameter used twice comes once.

        >>> from wengert import nn
        >>> [(name, p.shape) for name, p in nn.Sequential(nn.Linear(3, 2)).named_parameters()]
        [('0.weight', (2, 3)), ('0.bias', (2,))]
        """
        for name, part in _walk(self, "", set()):
            if not isinstance(part, Module) and _is_parameter(part):
                yield name, part

    def parameters(self) -> Iterator[Tensor]:
        """Yield the parameters, each once."""
        return (parameter for _, parameter in self.named_parameters())

    def register_buffer(self, name: str, value: Operand) -> None:
        """Store a tensor that is saved with the module and not trained, such as a mean of the data."""
        setattr(self, name, tensor(value))
        if name not in self._buffers:
            self._buffers = (*self._buffers, name)

    def named_buffers(self) -> Iterator[tuple[str, Tensor]]:
        """Yield (name, buffer)."""
        for prefix, module in self.named_modules():
            for name in module._buffers:
                yield (f"{prefix}.{name}" if prefix else name), getattr(module, name)

    # -- saving and loading ----------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Array]:
        """Return the values of all parameters and buffers by name, as read-only NumPy arrays. This is a look."""
        return {name: value_of(x.entry) for name, x in self._named_tensors().items()}

    def _named_tensors(self) -> dict[str, Tensor]:
        return {**dict(self.named_parameters()), **dict(self.named_buffers())}

    def load_state_dict(self, state: dict[str, Any], strict: bool = True) -> None:
        """Take over values by name, converted to each parameter's dtype; all of them or, on an error, none.

        state: name -> array or tensor of the parameter's shape. strict: names must match exactly; else names on one
        side only are passed over. Raises `ArgumentError` for missing or unexpected names, `ShapeError`, `DTypeError`.

        >>> from wengert import nn
        >>> one, other = nn.Linear(2, 1), nn.Linear(2, 1)
        >>> one.load_state_dict(other.state_dict())
        >>> one.weight.tolist() == other.weight.tolist()
        True
        """
        own = self._named_tensors()
        if strict and own.keys() != state.keys():
            raise ArgumentError(_name_sentence(self, own, state))
        new = [(own[name], _fitting(name, own[name], state[name])) for name in own if name in state]
        with tracking(False):
            for x, value in new:
                x.rebind(value)

    # -- modes -----------------------------------------------------------------------------------------------

    def train(self, mode: bool = True) -> Self:
        """Switch to training (dropout acts) and return the module."""
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """Switch to evaluation (dropout does nothing) and return the module."""
        return self.train(False)

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters."""
        for parameter in self.parameters():
            parameter.grad = None

    def astype(self, dtype: Any) -> Self:
        """Convert all floating parameters and buffers to another floating dtype, in place; return the module.

        >>> import wengert
        >>> wengert.nn.Linear(2, 1).astype(wengert.float64).weight.dtype
        dtype('float64')
        """
        wanted: DType = as_dtype(dtype)
        if wanted.kind != "f":
            raise DTypeError(f"astype: parameters are real numbers, not {wanted.name}; use float32 or float64.")
        with tracking(False):
            for x in self._named_tensors().values():
                if x.dtype.kind == "f":
                    x.rebind(constant(snapshot_of(value_of(x.entry), wanted)))
                    x.grad = None
        return self

    # -- showing ---------------------------------------------------------------------------------------------

    def extra_repr(self) -> str:
        """Return what stands between the brackets of the repr: the settings of a layer."""
        return ""

    def __repr__(self) -> str:
        parts = []
        for name, part in self._parts():
            if isinstance(part, Module):
                parts.append(f"  ({name}): " + repr(part).replace("\n", "\n  "))
        head = f"{type(self).__name__}({self.extra_repr()}"
        return "\n".join([head, *parts, ")"]) if parts else head + ")"


def _is_parameter(x: Any) -> bool:
    return isinstance(x, Parameter) or (isinstance(x, Tensor) and x.requires_grad and x.is_leaf)


def _stored(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield (path, part) for a module or tensor, and for those in nested lists, tuples and dicts."""
    if isinstance(value, Module | Tensor):
        yield name, value
    elif isinstance(value, list | tuple):
        for i, item in enumerate(value):
            yield from _stored(f"{name}.{i}", item)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _stored(f"{name}.{key}", item)


def _walk(module: Module, prefix: str, seen: set[int]) -> Iterator[tuple[str, Any]]:
    """Yield (name, part) for the module and every module and tensor inside it, each once."""
    if id(module) in seen:
        return
    seen.add(id(module))
    yield prefix, module
    for name, part in module._parts():
        path = f"{prefix}.{name}" if prefix else name
        if isinstance(part, Module):
            yield from _walk(part, path, seen)
        elif id(part) not in seen:
            seen.add(id(part))
            yield path, part


def _name_sentence(module: Module, own: dict[str, Any], given: dict[str, Any]) -> str:
    missing = [name for name in own if name not in given]
    unexpected = [name for name in given if name not in own]
    found = [
        f"{what} {', '.join(names[:5])}{' ...' if len(names) > 5 else ''}"
        for what, names in (("missing", missing), ("unexpected", unexpected))
        if names
    ]
    return (
        f"load_state_dict: the names do not fit {type(module).__name__}: {'; '.join(found)}; give the state of a "
        "network built alike, or strict=False to load what fits."
    )


def _fitting(name: str, x: Tensor, value: Any) -> Tensor:
    """Return the value as a constant of x's shape and dtype."""
    given = value_of(operand(value).entry)
    if given.shape != x.shape:
        raise ShapeError(
            f"load_state_dict: {name} has shape {x.shape} and was given {given.shape}; the network it was saved from "
            "has other sizes."
        )
    if not np.can_cast(given.dtype, x.dtype, "same_kind"):
        raise DTypeError(f"load_state_dict: {name} is {x.dtype.name} and was given {given.dtype.name}.")
    return constant(snapshot_of(given, x.dtype))
