"""The rows in PyTorch: the same programs, eager or with the step under torch.compile."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import data
import numpy as np
import torch
from case import Case
from torch import nn

COMPILED = False  # set by the worker for the column torch.compile


def _made(f: Callable[..., Any]) -> Callable[..., Any]:
    """Return f itself or, in the column torch.compile, f compiled."""
    return torch.compile(f) if COMPILED else f


def _network(problem: data.Problem, optimizer: str) -> tuple[nn.Sequential, torch.optim.Optimizer]:
    layers: list[nn.Module] = []
    for weight, bias in zip(problem.weights, problem.biases, strict=True):
        layer = nn.Linear(*weight.shape)
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(weight.T))
            layer.bias.copy_(torch.from_numpy(bias))
        layers += [layer, nn.ReLU()]
    model = nn.Sequential(*layers[:-1])
    kind = torch.optim.SGD if optimizer == "sgd" else torch.optim.Adam
    return model, kind(model.parameters(), lr=problem.rate)


def _step(problem: data.Problem, optimizer: str) -> tuple[nn.Sequential, Callable[..., torch.Tensor]]:
    model, chosen = _network(problem, optimizer)
    criterion = nn.CrossEntropyLoss()

    def step(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        chosen.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        chosen.step()
        return loss

    return model, _made(step)


def _moved(problem: data.Problem, model: nn.Sequential) -> list[float]:
    state = {name: value.detach().numpy() for name, value in model.state_dict().items()}
    weights = [value.T for name, value in state.items() if name.endswith("weight")]
    return data.movement(problem, weights, [value for name, value in state.items() if name.endswith("bias")])


def mlp(dims: list[int], batch: int, optimizer: str, mode: str) -> Case:
    """Train a network: mode "loop" on one batch, "fresh" on a NumPy batch a step, "fit" shuffled epochs."""
    problem = data.network(dims, batch, optimizer, 1 if mode == "loop" else data.BATCHES)
    model, step = _step(problem, optimizer)
    x, y = torch.from_numpy(problem.x), torch.from_numpy(problem.y)

    def silent(n: int) -> None:
        for _ in range(n):
            step(x, y)

    def fresh(n: int) -> None:
        total = 0.0
        for i in range(n):
            rows, labels = problem.at(i)
            total += step(torch.from_numpy(rows), torch.from_numpy(labels)).item()

    def fit(n: int) -> None:
        for _ in range(n):
            total = torch.zeros(())
            for places in torch.randperm(len(x)).split(batch):
                total += step(x[places], y[places]).detach()
            total.item()

    def check() -> dict[str, list[float]]:
        if mode == "fit":
            n = max(batch, data.BATCHES)
            again, one = _step(problem, optimizer)
            losses = [one(x[:n], y[:n]).item() for _ in range(data.CHECKED)]
            return {"values": losses, "movement": _moved(problem, again)}
        batches = [problem.at(i) for i in range(data.CHECKED)]
        losses = [step(torch.from_numpy(rows), torch.from_numpy(labels)).item() for rows, labels in batches]
        return {"values": losses, "movement": _moved(problem, model)}

    run = {"loop": silent, "fresh": fresh, "fit": fit}[mode]
    return Case(run, check, per=data.BATCHES if mode == "fit" else 1)


def _value_and_gradient(f: Callable[..., torch.Tensor], *arrays: Any) -> Case:
    leaves = [torch.tensor(array, requires_grad=True) for array in arrays]
    made = _made(f)

    def once() -> torch.Tensor:
        for leaf in leaves:
            leaf.grad = None
        value = made(*leaves)
        value.backward()
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
    factor = torch.from_numpy(w)
    return _value_and_gradient(lambda x: (torch.tanh(x * factor + 0.5) * torch.sigmoid(x)).sum(), x)


def softmax(rows: int, classes: int) -> Case:
    """Compute a softmax cross-entropy and its gradient by the logits."""
    logits, labels = data.scores(rows, classes)
    wanted = torch.from_numpy(labels)
    return _value_and_gradient(lambda z: nn.functional.cross_entropy(z, wanted), logits)


def layer_norm(rows: int, features: int) -> Case:
    """Compute half the mean over rows of the squared length of a layer norm, and its gradient."""

    def f(x: torch.Tensor, gain: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        y = nn.functional.layer_norm(x, (features,), gain, bias, 1e-5)
        return (y * y).sum() * (0.5 / rows)

    return _value_and_gradient(f, *data.normed(rows, features))


def matmul(size: int) -> Case:
    """Multiply two square matrices."""
    a, b = (torch.from_numpy(array) for array in data.matrices(size))

    def run(n: int) -> None:
        for _ in range(n):
            a @ b

    return Case(run, lambda: {"values": [data.along((a @ b).numpy()) / size**0.5]})


def chain(length: int) -> Case:
    """Compute a chain of scalar operations, z = sin(z) * x again and again, and its derivative."""

    def f(x: torch.Tensor) -> torch.Tensor:
        z = x
        for _ in range(length // 2):
            z = torch.sin(z) * x
        return z

    return _value_and_gradient(f, np.float32(1.5))


def record() -> Case:
    """Compute one addition of four elements that can be differentiated."""
    a = torch.full((4,), 1.5, requires_grad=True)
    b = torch.full((4,), 2.5)

    def run(n: int) -> None:
        for _ in range(n):
            kept = [a + b for _ in range(100)]
            del kept

    return Case(run, lambda: {"values": (a + b).tolist()}, per=100)


def never(compiled: bool = False) -> Case:
    """Run programs of random depth, value and gradient; none comes twice."""
    x, arrays = data.depth_inputs()
    start, weights = torch.from_numpy(x), [torch.tensor(array, requires_grad=True) for array in arrays]

    def program(blocks: data.Program) -> torch.Tensor:
        h = start
        for kind, which in blocks:
            net = h @ weights[which]
            if kind == 0:
                h = h + 0.1 * torch.tanh(net)
            elif kind == 1:
                h = h * (0.5 + torch.sigmoid(net))
            else:
                h = h + 0.1 * torch.relu(net)
        return (h * h).mean()

    made = _made(program)

    def once(blocks: data.Program) -> torch.Tensor:
        for weight in weights:
            weight.grad = None
        value = made(blocks)
        value.backward()
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
