"""The rows in JAX: every step one jitted call with its buffers donated, or an epoch as one jitted lax.scan."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import data
import jax
import jax.numpy as jnp
import numpy as np
from case import Case

SCAN = False  # set by the worker for the column lax.scan: epochs only


def _loss(params: Any, x: Any, y: Any) -> Any:
    h = x
    for weight, bias in params[:-1]:
        h = jax.nn.relu(h @ weight + bias)
    weight, bias = params[-1]
    return _cross_entropy(h @ weight + bias, y)


def _cross_entropy(logits: Any, y: Any) -> Any:
    return -jnp.take_along_axis(jax.nn.log_softmax(logits), y[:, None], 1).mean()


def _sgd(rate: float, state: Any, x: Any, y: Any) -> tuple[Any, Any]:
    loss, bars = jax.value_and_grad(_loss)(state, x, y)
    return jax.tree.map(lambda p, g: p - rate * g, state, bars), loss


def _adam(rate: float, state: Any, x: Any, y: Any) -> tuple[Any, Any]:
    params, m, v, t = state
    loss, bars = jax.value_and_grad(_loss)(params, x, y)
    t = t + 1
    m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, bars)
    v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, bars)
    first, second = 1 / (1 - 0.9**t), 1 / (1 - 0.999**t)
    params = jax.tree.map(lambda p, m, v: p - rate * (m * first) / (jnp.sqrt(v * second) + 1e-8), params, m, v)
    return (params, m, v, t), loss


def _start(problem: data.Problem, optimizer: str) -> Any:
    params = [(jnp.array(w), jnp.array(b)) for w, b in zip(problem.weights, problem.biases, strict=True)]
    if optimizer == "sgd":
        return params
    return params, jax.tree.map(jnp.zeros_like, params), jax.tree.map(jnp.zeros_like, params), jnp.float32(0)


def _moved(problem: data.Problem, optimizer: str, state: Any) -> list[float]:
    params = state if optimizer == "sgd" else state[0]
    return data.movement(problem, [np.asarray(w) for w, _ in params], [np.asarray(b) for _, b in params])


def mlp(dims: list[int], batch: int, optimizer: str, mode: str) -> Case:
    """Train a network: mode "loop" on one batch, "fresh" on a NumPy batch a step, "fit" shuffled epochs."""
    problem = data.network(dims, batch, optimizer, 1 if mode == "loop" else data.BATCHES)
    if SCAN:
        return _scanned(problem, optimizer)
    plain = partial(_sgd if optimizer == "sgd" else _adam, problem.rate)
    step = jax.jit(plain, donate_argnums=0)
    x, y = jnp.array(problem.x), jnp.array(problem.y)
    state = _start(problem, optimizer)
    rng = np.random.default_rng(0)

    @partial(jax.jit, donate_argnums=0)
    def gathered(state: Any, x: Any, y: Any, places: Any) -> tuple[Any, Any]:
        return plain(state, x[places], y[places])

    def silent(n: int) -> None:
        nonlocal state
        for _ in range(n):
            state, loss = step(state, x, y)
        jax.block_until_ready((state, loss))

    def fresh(n: int) -> None:
        nonlocal state
        total = 0.0
        for i in range(n):
            state, loss = step(state, *problem.at(i))
            total += loss.item()
        jax.block_until_ready(state)

    def fit(n: int) -> None:
        nonlocal state
        for _ in range(n):
            losses = []
            for places in rng.permutation(len(problem.x)).astype(np.int32).reshape(-1, batch):
                state, loss = gathered(state, x, y, places)
                losses.append(loss)
            sum(loss.item() for loss in losses)
        jax.block_until_ready(state)

    def check() -> dict[str, list[float]]:
        if mode == "fit":
            n = max(batch, data.BATCHES)
            return _checked(problem, optimizer, lambda state: step(state, problem.x[:n], problem.y[:n]))
        batches = iter([problem.at(i) for i in range(data.CHECKED)])
        return _checked(problem, optimizer, lambda state: step(state, *next(batches)))

    run = {"loop": silent, "fresh": fresh, "fit": fit}[mode]
    return Case(run, check, per=data.BATCHES if mode == "fit" else 1)


def _checked(problem: data.Problem, optimizer: str, step: Callable[[Any], Any]) -> dict[str, list[float]]:
    state, losses = _start(problem, optimizer), []
    for _ in range(data.CHECKED):
        state, loss = step(state)
        losses.append(loss.item())
    return {"values": losses, "movement": _moved(problem, optimizer, state)}


def _scanned(problem: data.Problem, optimizer: str) -> Case:
    """Return the case of epochs that are one compiled loop each: batches gathered inside, shuffled by NumPy."""
    plain = partial(_sgd if optimizer == "sgd" else _adam, problem.rate)
    x, y = jnp.array(problem.x), jnp.array(problem.y)
    state = _start(problem, optimizer)
    rng = np.random.default_rng(0)

    @partial(jax.jit, donate_argnums=0)
    def epoch(state: Any, x: Any, y: Any, order: Any) -> tuple[Any, Any]:
        # Gathering the epoch at once was faster than gathering inside the loop, where XLA uses one thread.
        return jax.lax.scan(lambda state, batch: plain(state, *batch), state, (x[order], y[order]))

    def run(n: int) -> None:
        nonlocal state
        for _ in range(n):
            order = rng.permutation(len(problem.x)).astype(np.int32).reshape(-1, problem.batch)
            state, losses = epoch(state, x, y, order)
            losses.mean().item()
        jax.block_until_ready(state)

    def check() -> dict[str, list[float]]:
        n = max(problem.batch, data.BATCHES)
        order = np.tile(np.arange(n, dtype=np.int32), (data.CHECKED, 1))
        state, losses = epoch(_start(problem, optimizer), x, y, order)
        return {"values": losses.tolist(), "movement": _moved(problem, optimizer, state)}

    return Case(run, check, per=data.BATCHES)


def _value_and_gradient(f: Callable[..., Any], *arrays: Any) -> Case:
    leaves = [jnp.array(array) for array in arrays]
    made = jax.jit(jax.value_and_grad(f, argnums=tuple(range(len(leaves)))))

    def run(n: int) -> None:
        for _ in range(n):
            jax.block_until_ready(made(*leaves))

    def check() -> dict[str, list[float]]:
        value, bars = made(*leaves)
        return {"values": [value.item(), *(data.along(bar) for bar in bars)]}

    return Case(run, check)


def elementwise(size: int) -> Case:
    """Compute sum(tanh(x*w + 0.5) * sigmoid(x)) and its gradient by x."""
    x, w = data.vectors(size)
    factor = jnp.array(w)
    made = jax.jit(jax.value_and_grad(lambda x, w: (jnp.tanh(x * w + 0.5) * jax.nn.sigmoid(x)).sum()))
    leaf = jnp.array(x)

    def run(n: int) -> None:
        for _ in range(n):
            jax.block_until_ready(made(leaf, factor))

    def check() -> dict[str, list[float]]:
        value, bar = made(leaf, factor)
        return {"values": [value.item(), data.along(bar)]}

    return Case(run, check)


def softmax(rows: int, classes: int) -> Case:
    """Compute a softmax cross-entropy and its gradient by the logits."""
    logits, labels = data.scores(rows, classes)
    wanted = jnp.array(labels)
    return _value_and_gradient(lambda z: _cross_entropy(z, wanted), logits)


def layer_norm(rows: int, features: int) -> Case:
    """Compute half the mean over rows of the squared length of a layer norm, and its gradient."""

    def f(x: Any, gain: Any, bias: Any) -> Any:
        centred = x - x.mean(axis=-1, keepdims=True)
        y = centred / jnp.sqrt((centred * centred).mean(axis=-1, keepdims=True) + 1e-5) * gain + bias
        return (y * y).sum() * (0.5 / rows)

    return _value_and_gradient(f, *data.normed(rows, features))


def matmul(size: int) -> Case:
    """Multiply two square matrices."""
    a, b = (jnp.array(array) for array in data.matrices(size))
    made = jax.jit(jnp.matmul)

    def run(n: int) -> None:
        for _ in range(n):
            made(a, b).block_until_ready()

    return Case(run, lambda: {"values": [data.along(made(a, b)) / size**0.5]})


def chain(length: int) -> Case:
    """Compute a chain of scalar operations, z = sin(z) * x again and again, and its derivative, compiled as one."""

    def f(x: Any) -> Any:
        z = x
        for _ in range(length // 2):
            z = jnp.sin(z) * x
        return z

    return _value_and_gradient(f, np.float32(1.5))


def never(compiled: bool = False) -> Case:
    """Run programs of random depth, value and gradient; none comes twice. Operation by operation, or each jitted."""
    x, arrays = data.depth_inputs()
    start, weights = jnp.array(x), [jnp.array(array) for array in arrays]

    def program(blocks: data.Program, weights: Any) -> Any:
        h = start
        for kind, which in blocks:
            net = h @ weights[which]
            if kind == 0:
                h = h + 0.1 * jnp.tanh(net)
            elif kind == 1:
                h = h * (0.5 + jax.nn.sigmoid(net))
            else:
                h = h + 0.1 * jax.nn.relu(net)
        return (h * h).mean()

    def once(blocks: data.Program) -> Any:
        made = jax.value_and_grad(partial(program, blocks))
        return jax.block_until_ready((jax.jit(made) if compiled else made)(weights))

    stream = data.programs()
    notes = {"longest program, ms": 0.0}

    def run(n: int) -> None:
        for _ in range(n):
            begun = time.perf_counter()
            once(next(stream))
            notes["longest program, ms"] = max(notes["longest program, ms"], 1e3 * (time.perf_counter() - begun))

    def check() -> dict[str, list[float]]:
        value, bars = once(data.CHECKED_PROGRAM)
        return {"values": [value.item(), *(data.along(bar) for bar in bars)]}

    return Case(run, check, notes=notes)
