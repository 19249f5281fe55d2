"""The rows in wengert: ordinary define-by-run programs, nothing decorated.

Execution is deferred, and a value that nobody asks for need never be computed. So every timed batch ends with a look
at what it was for, after `wengert.synchronize()`; where one iteration does not need the values of the one before, every
iteration does.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import data
import numpy as np
from case import Case

import wengert
from wengert import nn


def _computed(*tensors: Any) -> None:
    """Return when these values are there: execute all, and look at each (a look copies nothing)."""
    wengert.synchronize()
    for x in tensors:
        x.detach().numpy() if x.requires_grad else x.numpy()


def _network(problem: data.Problem, optimizer: str) -> tuple[nn.Sequential, Any]:
    layers: list[nn.Module] = []
    for weight, bias in zip(problem.weights, problem.biases, strict=True):
        layer = nn.Linear(*weight.shape)
        layer.load_state_dict({"weight": weight.T, "bias": bias})
        layers += [layer, nn.ReLU()]
    model = nn.Sequential(*layers[:-1])
    kind = wengert.optim.SGD if optimizer == "sgd" else wengert.optim.Adam
    return model, kind(model.parameters(), lr=problem.rate)


def _moved(problem: data.Problem, model: nn.Sequential) -> list[float]:
    state = model.state_dict()
    weights = [value.T for name, value in state.items() if name.endswith("weight")]
    return data.movement(problem, weights, [value for name, value in state.items() if name.endswith("bias")])


def mlp(dims: list[int], batch: int, optimizer: str, mode: str) -> Case:
    """Train a network: mode "loop" on one batch, "fresh" on a NumPy batch a step with its loss read, "fit" by fit."""
    if mode == "fit":
        return _fit(dims, batch, optimizer)
    problem = data.network(dims, batch, optimizer, 1 if mode == "loop" else data.BATCHES)
    model, chosen = _network(problem, optimizer)
    x, y = (wengert.tensor(array) for array in problem.at(0))

    def step(x: Any, y: Any) -> Any:
        loss = nn.cross_entropy(model(x), y)
        chosen.zero_grad()
        loss.backward()
        chosen.step()
        return loss

    def silent(n: int) -> None:
        for _ in range(n):
            step(x, y)
        _computed(*model.parameters())

    def fresh(n: int) -> None:
        total = 0.0
        for i in range(n):
            rows, labels = problem.at(i)
            total += step(wengert.tensor(rows), wengert.tensor(labels)).item()
        _computed(*model.parameters())

    def check() -> dict[str, list[float]]:
        batches = [problem.at(i) for i in range(data.CHECKED)]
        losses = [step(wengert.tensor(rows), wengert.tensor(labels)).item() for rows, labels in batches]
        return {"values": losses, "movement": _moved(problem, model)}

    return Case(silent if mode == "loop" else fresh, check)


def _fit(dims: list[int], batch: int, optimizer: str) -> Case:
    problem = data.network(dims, batch, optimizer)
    model, chosen = _network(problem, optimizer)

    def run(n: int) -> None:
        wengert.fit(
            model,
            (problem.x, problem.y),
            optimizer=chosen,
            epochs=n,
            batch_size=batch,
            metrics=(),
            verbose=False,
        )
        _computed(*model.parameters())

    def check() -> dict[str, list[float]]:
        # All rows in one batch: then the order in which a library shuffles them does not matter.
        model, chosen = _network(problem, optimizer)
        n = max(batch, data.BATCHES)
        rows = problem.x[:n], problem.y[:n]
        history = wengert.fit(
            model, rows, optimizer=chosen, epochs=data.CHECKED, batch_size=n, metrics=(), verbose=False
        )
        return {"values": history["loss"], "movement": _moved(problem, model)}

    return Case(run, check, per=data.BATCHES)


def _value_and_gradient(f: Callable[..., Any], *arrays: Any) -> Case:
    """Return the case of computing f and its gradient by all the given arrays."""
    leaves = [wengert.tensor(array).requires_grad_() for array in arrays]

    def once() -> Any:
        for leaf in leaves:
            leaf.grad = None
        value = f(*leaves)
        value.backward()
        value.item()
        _computed(*(leaf.grad for leaf in leaves))
        return value

    def run(n: int) -> None:
        for _ in range(n):
            once()

    def check() -> dict[str, list[float]]:
        value = once().item()
        return {"values": [value, *(data.along(leaf.grad.numpy()) for leaf in leaves)]}

    return Case(run, check)


def elementwise(size: int) -> Case:
    """Compute sum(tanh(x*w + 0.5) * sigmoid(x)) and its gradient by x."""
    x, w = data.vectors(size)
    factor = wengert.tensor(w)
    return _value_and_gradient(lambda x: (wengert.tanh(x * factor + 0.5) * wengert.sigmoid(x)).sum(), x)


def softmax(rows: int, classes: int) -> Case:
    """Compute a softmax cross-entropy and its gradient by the logits."""
    logits, labels = data.scores(rows, classes)
    wanted = wengert.tensor(labels)
    return _value_and_gradient(lambda z: nn.cross_entropy(z, wanted), logits)


def layer_norm(rows: int, features: int) -> Case:
    """Compute half the mean over rows of the squared length of a layer norm, and its gradient."""

    def f(x: Any, gain: Any, bias: Any) -> Any:
        centred = x - x.mean(axis=-1, keepdims=True)
        y = centred / wengert.sqrt((centred * centred).mean(axis=-1, keepdims=True) + 1e-5) * gain + bias
        return (y * y).sum() * (0.5 / rows)

    return _value_and_gradient(f, *data.normed(rows, features))


def matmul(size: int) -> Case:
    """Multiply two square matrices."""
    a, b = (wengert.tensor(array) for array in data.matrices(size))

    def run(n: int) -> None:
        for _ in range(n):
            _computed(a @ b)

    return Case(run, lambda: {"values": [data.along((a @ b).numpy()) / size**0.5]})


def chain(length: int) -> Case:
    """Compute a chain of scalar operations, z = sin(z) * x again and again, and its derivative."""

    def f(x: Any) -> Any:
        z = x
        for _ in range(length // 2):
            z = wengert.sin(z) * x
        return z

    return _value_and_gradient(f, np.float32(1.5))


def record() -> Case:
    """Record one operation on four elements: what Python waits for. The values are computed outside the clock."""
    a = wengert.tensor(np.full(4, 1.5, np.float32)).requires_grad_()
    b = wengert.tensor(np.full(4, 2.5, np.float32))

    def run(n: int) -> float:
        seconds = 0.0
        for _ in range(n):
            start = time.perf_counter()
            kept = [a + b for _ in range(100)]
            seconds += time.perf_counter() - start
            wengert.synchronize()
            del kept
        return seconds

    return Case(run, lambda: {"values": (a + b).tolist()}, per=100)


def never(compiled: bool = False) -> Case:
    """Run programs of random depth, value and gradient; none comes twice."""
    x, arrays = data.depth_inputs()
    start, weights = wengert.tensor(x), [wengert.tensor(array).requires_grad_() for array in arrays]

    def program(blocks: data.Program) -> Any:
        h = start
        for kind, which in blocks:
            net = h @ weights[which]
            if kind == 0:
                h = h + 0.1 * wengert.tanh(net)
            elif kind == 1:
                h = h * (0.5 + wengert.sigmoid(net))
            else:
                h = h + 0.1 * wengert.relu(net)
        return (h * h).mean()

    def once(blocks: data.Program) -> Any:
        for weight in weights:
            weight.grad = None
        value = program(blocks)
        value.backward()
        value.item()
        _computed(*(weight.grad for weight in weights if weight.grad is not None))
        return value

    stream = data.programs()
    notes = {"longest program, ms": 0.0}

    def run(n: int) -> None:
        for _ in range(n):
            begun = time.perf_counter()
            once(next(stream))
            notes["longest program, ms"] = max(notes["longest program, ms"], 1e3 * (time.perf_counter() - begun))

    def check() -> dict[str, list[float]]:
        value = once(data.CHECKED_PROGRAM).item()
        return {"values": [value, *(data.along(weight.grad.numpy()) for weight in weights)]}

    return Case(run, check, notes=notes)
