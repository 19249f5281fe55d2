"""Module: a network or a part of one, written as a class with `__init__` and `forward`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, TypeVar

from ..errors import ArgumentError, ShapeError
from ..ops.creation import tensor
from ..record.recorder import value_of

if TYPE_CHECKING:
    from ..record.buffers import Array
    from ..tensor import Tensor

P = ParamSpec("P")
R_co = TypeVar("R_co", covariant=True)


class _HasForward(Protocol[P, R_co]):
    """What a type checker needs to know so that `model(x)` has the type of `forward(x)`."""

    def forward(self, *args: P.args, **kwargs: P.kwargs) -> R_co:
        """Compute the module's result."""


def parameter(data: Any) -> Tensor:
    """Return a leaf tensor that requires a gradient: what an optimizer updates.

    >>> parameter([1.0]).requires_grad
    True
    """
    return tensor(data, requires_grad=True)


class Module:
    """A network or a part of one. Subclass it, make the parts in `__init__`, combine them in `forward`.

    Attributes are found by what they are: tensors that require a gradient are parameters, other tensors are
    buffers, modules (also in lists, tuples and dicts) are parts.

    >>> from wengert import nn
    >>> class Net(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.hidden, self.output = nn.Linear(4, 8), nn.Linear(8, 3)
    ...
    ...     def forward(self, x):
    ...         return self.output(nn.tansig(self.hidden(x)))
    >>> sum(p.size for p in Net().parameters())
    67
    """

    training: bool = True

    def __call__(self: _HasForward[P, R_co], *args: P.args, **kwargs: P.kwargs) -> R_co:
        return self.forward(*args, **kwargs)

    def _members(self) -> Iterator[tuple[str, Any]]:
        for name, value in vars(self).items():
            yield from _unpacked(name, value)

    def children(self) -> Iterator[tuple[str, Module]]:
        """Yield the direct parts with their names."""
        for name, value in self._members():
            if isinstance(value, Module):
                yield name, value

    def modules(self) -> Iterator[Module]:
        """Yield this module and all its parts, each once."""
        seen: set[int] = set()
        stack: list[Module] = [self]
        while stack:
            module = stack.pop()
            if id(module) not in seen:
                seen.add(id(module))
                yield module
                stack += [child for _, child in module.children()][::-1]

    def _named_tensors(self, prefix: str, seen: set[int]) -> Iterator[tuple[str, Tensor]]:
        for name, value in self._members():
            if id(value) in seen:
                continue
            if isinstance(value, Module):
                seen.add(id(value))
                yield from value._named_tensors(f"{prefix}{name}.", seen)
            elif hasattr(value, "entry"):
                seen.add(id(value))
                yield f"{prefix}{name}", value

    def named_parameters(self) -> Iterator[tuple[str, Tensor]]:
        """Yield the names and tensors of all parameters, each once (shared ones under their first name)."""
        return ((name, each) for name, each in self._named_tensors("", {id(self)}) if each.requires_grad)

    def parameters(self) -> Iterator[Tensor]:
        """Yield all parameters, each once."""
        return (each for _, each in self.named_parameters())

    def state_dict(self) -> dict[str, Array]:
        """Return the values of all parameters and buffers by name, as read-only arrays."""
        return {name: value_of(each.entry) for name, each in self._named_tensors("", {id(self)})}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Give parameters and buffers the values of a `state_dict`.

        Raises `ArgumentError` for missing or unexpected names, `ShapeError` for other shapes; then nothing changes.
        """
        own = dict(self._named_tensors("", {id(self)}))
        missing, unexpected = sorted(own.keys() - state.keys()), sorted(state.keys() - own.keys())
        if missing or unexpected:
            raise ArgumentError(
                f"load_state_dict: missing {', '.join(missing) or 'none'}; "
                f"unexpected {', '.join(unexpected) or 'none'}; use a state of the same network."
            )
        new = {name: tensor(value, dtype=own[name].dtype) for name, value in state.items()}
        for name, value in new.items():
            if value.shape != own[name].shape:
                raise ShapeError(f"load_state_dict: {name} has shape {value.shape}, this network {own[name].shape}.")
        from ..autodiff.transforms import no_grad

        with no_grad():
            for name, value in new.items():
                own[name].rebind(value)

    def train(self, mode: bool = True) -> Module:
        """Put this module and its parts into training mode (dropout is active), and return it."""
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Module:
        """Put this module and its parts into evaluation mode, and return it."""
        return self.train(False)

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters."""
        for each in self.parameters():
            each.grad = None

    def extra_repr(self) -> str:
        """Return what the representation shows in brackets: sizes, rates."""
        return ""

    def __repr__(self) -> str:
        parts = [f"  ({name}): " + repr(child).replace("\n", "\n  ") for name, child in self.children()]
        head = f"{type(self).__name__}({self.extra_repr()}"
        return head + ("\n" + "\n".join(parts) + "\n)" if parts else ")")


def _unpacked(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, list | tuple):
        for i, item in enumerate(value):
            yield from _unpacked(f"{name}.{i}", item)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _unpacked(f"{name}.{key}", item)
    else:
        yield name, value
