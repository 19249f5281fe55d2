"""What all optimizers share: their parameters, their state, and a step that takes effect as a whole."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np

from ..dtypes import DType
from ..errors import ArgumentError, ShapeError, user_line
from ..ops.identity import detach
from ..ops.operands import constant, snapshot_of
from ..ops.table import zeros_like
from ..record.buffers import Array, sealed
from ..record.leaps import leap
from ..record.recorder import mark_step, tracking, value_of
from ..record.trie import atom
from ..record.virtual import refuse_inside
from ..tensor import Tensor


class Optimizer:
    """Changes parameters by their gradients. `lr` is a plain attribute: assign it between steps as you like.

    A subclass names its state (`state_names`, tensors of the parameter's shape) and gives `updated`. Nothing is
    executed in `step()`: it records the new values, and the next record or look runs them.
    """

    state_names: tuple[str, ...] = ()

    def __init__(self, params: Iterable[Tensor], lr: float):
        if isinstance(params, Tensor):
            raise ArgumentError("optimizer: params is one tensor; give a list, or model.parameters().")
        self.params = list(params)
        self.lr = lr
        if not self.params:
            raise ArgumentError(
                "optimizer: there are no parameters; give model.parameters() of a network that has some."
            )
        for i, x in enumerate(self.params):
            if not isinstance(x, Tensor) or not x.is_leaf or x.dtype.kind != "f":
                raise ArgumentError(
                    f"optimizer: params[{i}] is no parameter; give leaf tensors of a floating dtype, as from "
                    "model.parameters()."
                )
        if len({id(x) for x in self.params}) < len(self.params):
            raise ArgumentError(
                "optimizer: the same parameter is given twice and would be updated twice; give it once."
            )
        check("lr", lr, lr > 0, "positive")
        self.steps = [0] * len(self.params)
        self.state: dict[str, list[Tensor | None]] = {name: [None] * len(self.params) for name in self.state_names}
        self._scalars: dict[tuple[float, DType], Tensor] = {}
        self._numbers: dict[tuple[int, DType], Tensor] = {}
        self._warned = False

    def updated(self, i: int, x: Tensor, x_bar: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Return the new value of parameter i and of its state; `self.steps[i]` steps came before."""
        raise ArgumentError(f"{type(self).__name__} gives no update; define `updated` as SGD and Adam do.")

    def step(self) -> None:
        """Update every parameter that has a gradient; the others stay.

        All new values are recorded before the first parameter takes its own. Warns, once, when none has a gradient.
        """
        refuse_inside("step", "return the gradients, and make the step outside")
        moving = [i for i, x in enumerate(self.params) if x.grad is not None]
        if not moving:
            self._warn()
            return
        where = user_line()
        news = self._recorded(moving)
        replaced = {self.params[i].entry: where for i in moving}
        for i, (new, *states) in zip(moving, news, strict=True):
            self.params[i].rebind_leaf(new)
            for name, value in zip(self.state_names, states, strict=True):
                self.state[name][i] = value
            self.steps[i] += 1
        mark_step(replaced)

    def _recorded(self, moving: list[int]) -> list[list[Tensor]]:
        """Record the new values and states of some parameters, in one step where that was done before."""
        counts = {self.steps[i] for i in moving}
        self._scalars, self._numbers = {}, {}
        structure = self.structure()
        if structure is None or len(counts) > 1:
            with tracking(False):
                return [self._one(i) for i in moving]
        dtypes = {self.params[i].dtype: self.params[i] for i in moving}
        numbers = [
            self._enter(k, number, x) for k, number in enumerate(self.numbers(counts.pop())) for x in dtypes.values()
        ]
        states = [memory for i in moving for name in self.state_names if (memory := self.state[name][i]) is not None]
        operands = [handle for i in moving for handle in (self.params[i], self.params[i].grad)] + states + numbers

        def body() -> tuple[list[Tensor], Any]:
            with tracking(False):
                return [each for i in moving for each in self._one(i)], None

        known = tuple([self.state[name][i] is None for i in moving for name in self.state_names])
        key = (type(self), atom(structure), known)
        results, _ = leap(key, [handle.entry for handle in operands], body)
        width = 1 + len(self.state_names)
        return [results[k : k + width] for k in range(0, len(results), width)]

    def _one(self, i: int) -> list[Tensor]:
        x = self.params[i]
        for k, number in enumerate(self.numbers(self.steps[i])):
            if (k, x.dtype) not in self._numbers:
                self._enter(k, number, x)
        new, states = self.updated(i, self.params[i], self.params[i].grad)
        return [detach(new), *states]

    def structure(self) -> tuple[Any, ...] | None:
        """Return the settings that, unlike `numbers`, are part of the program; None: it is recorded anew each time."""
        return None

    def numbers(self, steps: int) -> tuple[float, ...]:
        """Return what changes from step to step, for `updated` to use as `number(0, x)`, ...; `steps` came before."""
        return ()

    def zero_grad(self) -> None:
        """Forget the gradients, so that the next `backward()` starts anew."""
        for x in self.params:
            x.grad = None

    def _warn(self) -> None:
        if not self._warned:
            self._warned = True
            warnings.warn(
                "step: no parameter has a gradient, so nothing changes; call loss.backward() first, and check that the "
                "loss is computed from these parameters.",
                stacklevel=3,
            )

    def _enter(self, k: int, value: float, like: Tensor) -> Tensor:
        buffer = np.array(value, like.dtype)
        buffer.setflags(write=False)
        made = self._numbers[k, like.dtype] = constant(buffer)
        return made

    def entered(self) -> list[Tensor]:
        """Return the inputs of the last step that stood for its `numbers`."""
        return list(self._numbers.values())

    def number(self, k: int, like: Tensor) -> Tensor:
        """Return one of `numbers` in a parameter's dtype: an input of the program, so that it can change."""
        return self._numbers[k, like.dtype]

    def scalar(self, value: float, like: Tensor) -> Tensor:
        """Return a setting in a parameter's dtype, one for all parameters of a dtype."""
        key = (value, like.dtype)
        if key not in self._scalars:
            self._scalars[key] = constant(sealed(np.array(value, like.dtype)))
        return self._scalars[key]

    def memory(self, name: str, i: int) -> Tensor:
        """Return one state of parameter i: zeros before its first step."""
        value = self.state[name][i]
        return zeros_like(self.params[i]) if value is None else value

    # -- saving and loading ----------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Array]:
        """Return lr, the number of steps, and the state of each parameter by name and place. This is a look."""
        found: dict[str, Array] = {
            "lr": np.array(self.lr, np.float64),
            "steps": np.array(self.steps, np.int64),
        }
        for name, values in self.state.items():
            found |= {f"{name}.{i}": value_of(x.entry) for i, x in enumerate(values) if x is not None}
        return found

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over what `state_dict` of the same kind of optimizer over the same parameters gave.

        Raises `ArgumentError` for names that do not fit, `ShapeError` for shapes.
        """
        known = {"lr", "steps"} | {f"{name}.{i}" for name in self.state for i in range(len(self.params))}
        steps = [int(count) for count in np.asarray(state.get("steps", ()))]
        if not {"lr", "steps"} <= state.keys() <= known or len(steps) != len(self.params):
            raise ArgumentError(
                f"load_state_dict: the state does not belong to {type(self).__name__} over {len(self.params)} "
                "parameters; build the optimizer as it was when saved."
            )
        loaded: dict[str, list[Tensor | None]] = {name: [None] * len(self.params) for name in self.state}
        for key in state.keys() - {"lr", "steps"}:
            name, place = key.rsplit(".", 1)
            x, value = self.params[int(place)], constant(snapshot_of(np.asarray(state[key])))
            if value.shape != x.shape:
                raise ShapeError(f"load_state_dict: {key} has shape {value.shape} and its parameter {x.shape}.")
            loaded[name][int(place)] = value
        self.lr, self.steps, self.state = float(state["lr"]), steps, loaded

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self.params)} parameters, lr={self.lr:g})"


def check(name: str, value: float, right: bool, expected: str) -> None:
    """Raise `ArgumentError` where a setting is not what it must be."""
    if not (right and math.isfinite(value)):
        raise ArgumentError(f"optimizer: {name} = {value} must be {expected}.")
