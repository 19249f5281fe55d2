"""Shared by tests: random programs that aim at the compiler, as a list of steps that can be run again and read."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

import numpy as np

import wengert as w
from wengert.errors import WengertError

EDGES = [0.0, -0.0, 1.0, -1.0, math.nan, math.inf, -math.inf, 1e-40, -1e-42, 3e38, 1e-300]
SIZES = [1, 1, 2, 3, 5, 15, 16, 17, 33, 64, 100, 127, 128, 129, 130, 257]  # about a vector, and a block of rows
LONG = [1023, 1025, 4095, 4096, 4097, 9000]  # about a row of a loop without rows, and a block of partial sums
MOST_ELEMENTS = 60_000
REAL, WHOLE = ["float32", "float64"], ["int8", "int16", "int32", "int64", "uint8"]

UNARY = ["tanh", "sin", "exp", "negative", "abs", "sqrt", "log", "sigmoid", "relu", "square", "sign", "floor", "round"]
UNARY += ["softplus", "isnan", "logical_not", "hardlim", "satlin", "reciprocal", "positive", "erf", "radbas", "ceil"]
UNARY += ["isfinite", "elu", "leaky_relu", "log1p", "expm1"]
BINARY = ["add", "subtract", "multiply", "divide", "add", "subtract", "multiply", "maximum", "minimum", "less", "equal"]
BINARY += ["greater_equal", "not_equal", "logical_and", "logical_or", "copysign", "atan2", "logaddexp", "bitwise_xor"]
BINARY += ["floor_divide", "remainder"]
REDUCE = ["sum", "sum", "sum", "max", "min", "mean", "logsumexp", "var", "std", "prod", "all", "any", "count_nonzero"]


def softmax(x: Any) -> Any:
    e = w.exp(x - w.max(x, axis=-1, keepdims=True).detach())
    return e / w.sum(e, axis=-1, keepdims=True)


def normalized(x: Any) -> Any:
    centred = x - w.mean(x, axis=-1, keepdims=True)
    return centred / w.sqrt(w.mean(centred * centred, axis=-1, keepdims=True) + 1e-5)


def moved(x: Any, y: Any) -> Any:
    """An optimizer's update, with numbers of its own."""
    average = x * 0.9 + y * 0.1
    return x - 0.01 * average / (w.sqrt(average * average) + 1e-8)


COMPOSITE: dict[str, Callable[..., Any]] = {
    "softmax": softmax,
    "normalized": normalized,
    "twice": lambda x: x * 2,
    "from_one": lambda x: 1.5 - x,
    "third": lambda x: x / 3,
    "cubed": lambda x: x**3,
    "clipped": lambda x: w.clip(x, -0.5, 1),
    "joined": lambda x: w.concat([x, x]),
    "outer_sum": lambda x: x[..., None] + x[..., None, :],
    "ends": lambda x: x[..., :1] - x[..., -1:],
    "mirrored": lambda x: x + x[..., ::-1],
    "halves": lambda x: w.sum(x, axis=-1)[: len(x) // 2] * 2,
    "turned": lambda x: x.mT * x,
}
COMPOSITE_2: dict[str, Callable[..., Any]] = {
    "moved": moved,
    "relu_layer": lambda x, y: w.relu(x @ y + 0.5),
    "row_layer": lambda x, y: x @ y + w.sum(y, axis=-2),
    "softmax_layer": lambda x, y: softmax(x @ y),
    "normal_layer": lambda x, y: normalized(x @ y) * y[..., 0, :],
    "gram": lambda x, y: (x.mT @ x) * 0.5,
    "gradient_like": lambda x, y: (x.mT @ y).mT,
    "by_name": lambda x, y: w.where(x > y, x, y),
}


@dataclass
class Program:
    """Leaves, then steps: each a function by name, with parameters, of earlier values. `kept`: what it returns."""

    leaves: list[np.ndarray[Any, Any]]
    tracked: list[bool]
    steps: list[tuple[str, tuple[Any, ...], tuple[int, ...]]] = field(default_factory=list)
    kept: list[int] = field(default_factory=list)
    backward: bool = False

    def __call__(self) -> list[Any]:
        """Run it; return the kept values, and the gradients of the leaves."""
        pool = [w.tensor(x, requires_grad=t) for x, t in zip(self.leaves, self.tracked, strict=True)]
        leaves = list(pool)
        for step in self.steps:
            pool.append(applied(step, pool))
        kept = [pool[i] for i in self.kept]
        losses = [x for x in pool if x.requires_grad and x.dtype.kind == "f"][-2:]
        if self.backward and losses:
            total: Any = 0
            for x in losses:
                total = total + (x * w.sin(x.detach())).sum().astype("float64")
            try:
                total.backward()
            except WengertError:  # a step without a derivative
                return kept
            kept += [x.grad for x in leaves if x.grad is not None]
        return kept

    def __repr__(self) -> str:
        lines = [f"{x.dtype}{list(x.shape)}{' tracked' * t}" for x, t in zip(self.leaves, self.tracked, strict=True)]
        lines += [f"{name}{params}{operands}" for name, params, operands in self.steps]
        lines = [f"w{i} = {line}" for i, line in enumerate(lines)]
        return "\n".join([*lines, f"kept: {self.kept}, backward: {self.backward}"])


def applied(step: tuple[str, tuple[Any, ...], tuple[int, ...]], pool: list[Any]) -> Any:
    """Run one step."""
    name, params, places = step
    x = [pool[i] for i in places]
    if name == "getitem":
        return x[0][params]
    if name in ("reshape", "broadcast_to", "permute_dims", "astype"):
        return getattr(w, name)(x[0], *params)
    if name in REDUCE:
        return getattr(w, name)(x[0], axis=params[0], keepdims=params[1])
    if name == "matmul":
        a, b = (each.mT if turned and each.ndim > 1 else each for each, turned in zip(x, params, strict=True))
        return a @ b
    return (COMPOSITE.get(name) or COMPOSITE_2.get(name) or getattr(w, name))(*x)


# What keeps whole numbers whole, so that float64 holds every sum of them exactly, in whatever order it is made.
WHOLE_STEPS = {"negative", "abs", "relu", "sign", "square", "add", "subtract", "multiply", "maximum", "minimum", "sum"}
WHOLE_STEPS |= {"max", "min", "permute_dims", "getitem", "reshape", "broadcast_to", "matmul", "twice", "joined", "gram"}
WHOLE_STEPS |= {"outer_sum", "ends", "mirrored", "halves", "turned", "gradient_like", "row_layer", "by_name"}


def drawn(random: Random, whole: bool = False) -> Program:
    """Draw a program; it is run eagerly on the way, so that every step fits. whole: of whole numbers below 2^50."""
    program = Program(*_leaves(random))
    if whole:
        values = np.random.default_rng(random.randrange(1 << 30))
        program.leaves = [values.integers(-9, 9, x.shape).astype(float) for x in program.leaves]
    with w.eager():
        pool = [w.tensor(x) for x in program.leaves]
        wish, kept_share = random.randint(2, 14), random.choice([0.2, 0.5, 1.0])
        for _ in range(5 * wish):
            if len(program.steps) == wish:
                break
            step = _step(random, pool)
            if whole and step[0] not in WHOLE_STEPS:
                continue
            try:
                value = applied(step, pool)
            except (WengertError, OverflowError):
                continue
            if value.size <= MOST_ELEMENTS and not (whole and abs(value.numpy()).max(initial=0) >= 1 << 50):
                pool.append(value)
                program.steps.append(step)
                if random.random() < kept_share:
                    program.kept.append(len(pool) - 1)
    program.kept = sorted({*program.kept, len(pool) - 1})
    program.backward = random.random() < 0.4
    return program


def _leaves(random: Random) -> tuple[list[np.ndarray[Any, Any]], list[bool]]:
    m, n, k = (random.choice(SIZES) for _ in range(3))
    k = min(k, 5)
    if random.random() < 0.1:
        m, n = min(m, 3), random.choice(LONG)
    elif random.random() < 0.05:
        n = 0
    shapes = [(n,), (1, n), (m, 1), (), (m, n), (m, n), (n, min(n, 200)), (n, m), (k, m, n), (1, 1), (k, 1, n), (m, k)]
    shapes += [(k, n), (1,), (k, k), (m, m), (2, k, 3, 1), (k, 3, 2)]
    values = np.random.default_rng(random.randrange(1 << 30))
    leaves, tracked = [], []
    for _ in range(random.randint(2, 5)):
        shape = random.choice([shape for shape in shapes if math.prod(shape) <= MOST_ELEMENTS])
        dtype = random.choice(REAL[:1] * 4 + REAL[1:] * 2 + WHOLE + ["bool"])
        x = values.normal(size=shape) * 2
        if random.random() < 0.25 and x.size:
            x.reshape(-1)[values.integers(0, x.size, x.size // 5 + 1)] = values.choice(EDGES, x.size // 5 + 1)
        if dtype not in REAL:
            x = values.integers(-100, 100, shape) if random.random() < 0.5 else values.integers(0, 3, shape)
        with np.errstate(all="ignore"):
            leaves.append(x.astype(dtype))
        tracked.append(dtype in REAL and random.random() < 0.5)
    return leaves, tracked


def _step(random: Random, pool: list[Any]) -> tuple[str, tuple[Any, ...], tuple[int, ...]]:
    """Draw a step; it may not fit."""
    i, j, k = (max(random.randrange(len(pool)), random.randrange(len(pool))) for _ in range(3))
    x, y, kind = pool[i], pool[j], random.random()
    if kind < 0.2:
        return random.choice(UNARY), (), (i,)
    if kind < 0.4:
        return random.choice(BINARY), (), (i, j)
    if kind < 0.47:
        return random.choice(list(COMPOSITE)), (), (i,)
    if kind < 0.55:
        return random.choice(list(COMPOSITE_2)), (), (i, j)
    if kind < 0.58:
        return ("where", (), (i, j, k)) if x.dtype.kind == "b" else ("not_equal", (), (i, j))
    if kind < 0.62:
        return "astype", (random.choice([*REAL, "int32", "int64", "bool", "int8"]),), (i,)
    if kind < 0.68:
        return "permute_dims", (tuple(random.sample(range(x.ndim), x.ndim)),), (i,)
    if kind < 0.74:
        return "getitem", _key(random, x.shape), (i,)
    if kind < 0.79:
        return "reshape", (_shape(random, x.size),), (i,)
    if kind < 0.82:
        wider = [(random.choice([1, 2, 3]), *x.shape), tuple(size if size != 1 else 3 for size in x.shape), y.shape]
        return "broadcast_to", (random.choice(wider),), (i,)
    if kind < 0.94:
        axes = tuple(axis for axis in range(x.ndim) if random.random() < 0.5)
        axis = None if x.ndim == 0 or random.random() < 0.25 else -1 if not axes or random.random() < 0.3 else axes
        return random.choice(REDUCE), (axis, random.random() < 0.4), (i,)
    return "matmul", (random.random() < 0.3, random.random() < 0.4), (i, j)


def _key(random: Random, shape: tuple[int, ...]) -> tuple[Any, ...]:
    """Draw the key of a view: steps of either sign, numbers, new axes."""
    key: list[Any] = []
    for size in shape:
        parts: list[Any] = [slice(None)] * 3 + [slice(None, None, step) for step in (-1, -1, 2, 3, -2)]
        parts += [slice(1, None), slice(size // 2), slice(0, size, 1 + size // 2)]
        parts += [0, -1, size // 2] if size else []
        key += [None] * (random.random() < 0.1) + [random.choice(parts)]
    return tuple(key)


def _shape(random: Random, size: int) -> tuple[int, ...]:
    """Draw another shape of so many elements."""
    found: list[tuple[int, ...]] = [(size,), (1, size), (size, 1)]
    for n in (2, 3, 4, 5, 8, 16):
        if size % n == 0:
            found += [(n, size // n), (size // n, n), (size // n, 1, n), (n, size // n, 1)]
    if size % 12 == 0:
        found += [(2, size // 12, 6), (3, 4, size // 12)]
    return random.choice(found)
