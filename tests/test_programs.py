"""Looking changes nothing: two hundred random programs, each run deferred, eagerly, looked at everywhere, and more.

A program is a list of steps over a pool of tensors: views and writes, broadcasting, control flow on values, both
modes of differentiation, losses kept in a list, gradients accumulated over several passes, a moving average of the
parameters, two optimizers, and errors half-way. Whatever the way of running, the bits at the end are the same.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import wengert as w
from tests.compiler.forced import forced, same_bits
from wengert.compiler import kernels
from wengert.errors import WengertError
from wengert.record import interpreter, trie

Step = tuple[int, int, int, int]


class UserError(Exception):
    """Raised by a program in the middle of its work."""


class State:
    """What a program works on. Everything here is compared in the end."""

    def __init__(self) -> None:
        self.a = w.tensor([0.5, -1.0, 2.0], dtype=w.float64, requires_grad=True)
        self.b = w.tensor([[1.0, 0.25, -0.5], [0.75, 1.5, 0.1]], dtype=w.float64, requires_grad=True)
        self.c = w.tensor([0.3, 0.6, -0.9], requires_grad=True)
        x = np.array([[0.1, 0.2, 0.3], [-1.0, 2.0, 0.7]])
        self.pool: list[Any] = [
            self.a,
            self.b,
            self.c,
            w.tensor(x),
            w.tensor(x[0], dtype=w.float32),
            w.tensor([2, 0, 1]),
        ]
        self.losses: list[Any] = []
        self.average = self.a.detach()
        self.owned = [self.a, self.c], [self.b, self.a]
        self.optimizers = w.optim.SGD(self.owned[0], lr=0.1, momentum=0.5), w.optim.Adam(self.owned[1], lr=0.05)
        self.log: list[Any] = []

    def tensors(self) -> list[Any]:
        grads = [x.grad for x in self.pool if x.grad is not None]
        return [*self.pool, *self.losses, self.average, *grads]

    def put(self, x: Any) -> None:
        """Append to the pool; of a full pool the sixth goes, so that handles die in the middle of a program."""
        self.pool.append(x)
        if len(self.pool) > 12:
            del self.pool[6]


UNARY: list[Callable[[Any], Any]] = [w.tanh, w.sin, w.negative, w.abs, w.sqrt, lambda x: w.exp(w.clip(x, -3, 3)), w.log]
BINARY: list[Callable[[Any, Any], Any]] = [w.add, w.subtract, w.multiply, w.divide, w.maximum, w.matmul]
VIEWS: list[Callable[[Any], Any]] = [
    lambda x: x[0],
    lambda x: x.T,
    lambda x: x.reshape(-1),
    lambda x: x[:, None],
    lambda x: x[..., ::-1],
    lambda x: x[[0, -1, 0]],
    lambda x: x[x > 0],
    lambda x: list(x)[-1],
    lambda x: w.broadcast_to(x, (2, 3)),
]
REDUCE: list[Callable[[Any], Any]] = [
    lambda x: x.sum(),
    lambda x: x.mean(axis=0),
    lambda x: x.max(axis=-1),
    lambda x: w.logsumexp(x),
    lambda x: w.cumulative_sum(x, axis=0),
]


def unary(s: State, x: Any, y: Any, k: int) -> None:
    s.put(UNARY[k % len(UNARY)](x))


def binary(s: State, x: Any, y: Any, k: int) -> None:
    s.put(BINARY[k % len(BINARY)](x, y))


def number(s: State, x: Any, y: Any, k: int) -> None:
    s.put([x * 2, 1.5 - x, x**3, x / 3, x**2, True + x][k % 6])


def view(s: State, x: Any, y: Any, k: int) -> None:
    s.put(VIEWS[k % len(VIEWS)](x))


def reduction(s: State, x: Any, y: Any, k: int) -> None:
    s.put(REDUCE[k % len(REDUCE)](x))


def write(s: State, x: Any, y: Any, k: int) -> None:
    with w.no_grad() if k % 2 else nullcontext():
        if k // 2 % 4 == 0:
            x += y
        elif k // 2 % 4 == 1:
            x *= 0.5
        elif k // 2 % 4 == 2:
            x[0] = y
        else:
            x[x > 0] = k / 8


def branch(s: State, x: Any, y: Any, k: int) -> None:
    value = float(x.sum())
    s.log.append(value)
    s.put(x * 2.0 if value > 0 else y - 1.0)


def loop(s: State, x: Any, y: Any, k: int) -> None:
    rounds = 0
    while (abs(x).sum() > 1.0) and rounds < 4:
        x = x * 0.5
        rounds += 1
    s.log.append(rounds)
    s.put(x)


def loss(s: State, x: Any, y: Any, k: int) -> None:
    s.losses.append((w.tanh(x) * y).sum() if k % 2 else (x * x).mean())


def backward(s: State, x: Any, y: Any, k: int) -> None:
    result = s.losses[k % len(s.losses)] if s.losses and k % 3 else (x * y).sum()
    if k % 4 == 0:
        s.log.append(result.item())
    result.backward()


def transform(s: State, x: Any, y: Any, k: int) -> None:
    def f(z: Any) -> Any:
        return (w.sin(z) * y * z).sum()

    if k % 5 == 0:
        s.put(w.grad(f)(x))
    elif k % 5 == 1:
        s.put(w.jvp(f, (x,), (w.ones_like(x),))[1])
    elif k % 5 == 2:
        s.put(w.hvp(f, x, w.ones_like(x)))
    elif k % 5 == 3:
        s.put(w.gradients((x * x * y).sum(), x))
    else:
        s.put(w.vjp(lambda z: z * y, x)[1](x * y)[0])


def average(s: State, x: Any, y: Any, k: int) -> None:
    s.average = s.average * 0.9 + s.a.detach() * 0.1


def optimize(s: State, x: Any, y: Any, k: int) -> None:
    optimizer = s.optimizers[k % 2]
    if any(p.grad is not None for p in s.owned[k % 2]):
        optimizer.step()
    if k % 3:
        optimizer.zero_grad()


def by_hand(s: State, x: Any, y: Any, k: int) -> None:
    with w.no_grad():
        for p in (s.a, s.b):
            if p.grad is not None:
                p -= 0.1 * p.grad


def fail(s: State, x: Any, y: Any, k: int) -> None:
    if k % 4 == 0:
        s.put(x + w.zeros((5, 7)))
    elif k % 4 == 1:
        s.put(x[[9]])
    elif k % 4 == 2:
        with w.no_grad():
            s.put(x * 3.0)
            raise UserError
    else:
        s.put(w.grad(lambda z: (z * z)[7].sum())(x))


def look(s: State, x: Any, y: Any, k: int) -> None:
    if k % 3 == 0:
        s.log.append(repr(x))
    elif k % 3 == 1:
        s.log.append(x.tolist())
    else:
        w.synchronize()


def drop(s: State, x: Any, y: Any, k: int) -> None:
    if len(s.pool) > 6:
        del s.pool[6 + k % (len(s.pool) - 6)]


STEPS = [unary, binary, number, view, reduction, write, branch, loop, loss, backward, transform, average, optimize]
STEPS += [by_hand, fail, look, drop, backward, loss, binary, optimize]
steps = st.tuples(st.integers(0, len(STEPS) - 1), st.integers(0, 11), st.integers(0, 11), st.integers(0, 11))


def run(program: list[Step], after_each: Callable[[State], None] = lambda s: None) -> list[Any]:
    """Run a program and return everything it left, as arrays, and what it noted on the way."""
    s = State()
    for which, i, j, k in program:
        x, y = s.pool[i % len(s.pool)], s.pool[j % len(s.pool)]
        try:
            STEPS[which](s, x, y, k)
        except (WengertError, UserError) as error:
            s.log.append((type(error).__name__, str(error)))
        after_each(s)
    ends = [(x.requires_grad, x.dtype, np.asarray(x.detach())) for x in s.tensors()]
    states = [list(o.state_dict().values()) for o in s.optimizers]
    return [*ends, *s.log, *states]


def look_at_everything(s: State) -> None:
    for x in s.tensors():
        repr(x)


@contextmanager
def patched(module: Any, name: str, value: Any) -> Iterator[None]:
    """A limit of the engine set to another value, on a trie that has forgotten everything."""
    before = getattr(module, name)
    setattr(module, name, value)
    trie.TRIE.forget()
    w.synchronize()
    try:
        yield
    finally:
        setattr(module, name, before)
        trie.TRIE.forget()
        w.synchronize()


def same(one: Any, other: Any) -> bool:
    """Equality of nested results, bit for bit but for the payloads of NaN."""
    if isinstance(one, np.ndarray):
        return same_bits(one, other)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other, strict=True))
    return bool(one == other) or (one != one and other != other)


MORE = int(os.environ.get("WENGERT_EXAMPLES", "1"))  # times as many programs, where there is the time


@settings(max_examples=200 * MORE, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.lists(steps, min_size=6, max_size=24))
def test_every_way_of_running_a_program_gives_the_same_bits(program: list[Step]) -> None:
    deferred = run(program)
    assert same(run(program), deferred), "a second run, on a known path"
    assert same(run(program), deferred), "a third run: values that were demanded late are saved by now"
    assert same(run(program, look_at_everything), deferred), "looked at everywhere"
    with w.eager():
        assert same(run(program), deferred), "eager"
    with patched(trie, "LONGEST_SEGMENT", 3):
        assert same(run(program), deferred), "segments cut short"
    with patched(trie.TRIE, "most_nodes", 20):
        assert same(run(program), deferred), "a trie that keeps forgetting"
    with patched(interpreter, "REUSE_FROM_BYTES", 0):
        assert same(run(program), deferred), "every buffer written over that can be"


@settings(max_examples=40 * MORE, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.lists(steps, min_size=6, max_size=24))
def test_every_way_of_compiling_a_program_gives_the_same_bits(program: list[Step]) -> None:
    with w.eager():
        eager = run(program)
    with forced() as used:
        for _ in range(3):
            assert same(run(program), eager), "every path compiled at its second sighting"
        assert same(run(program, look_at_everything), eager), "looked at everywhere, after plans were made without"
        assert same(run(program), eager), "and without again"
        assert used
    with forced(threads=2, split=True):
        for _ in range(3):
            assert same(run(program), eager), "shared among threads wherever that can be"
    with forced():
        for _ in range(4):
            assert same(run(program, look_at_everything), eager), "compiled with a look after each step"
    with patched(trie.TRIE, "most_nodes", 60), forced():
        for _ in range(3):
            assert same(run(program), eager), "a trie that keeps forgetting, and plans with it"
    with forced():
        for _ in range(4):
            assert same(run(program), eager), "kernels forgotten between runs"
            kernels._ADDRESSES.clear()


@pytest.mark.parametrize("which", range(len(STEPS)))
def test_the_programs_take_every_step(which: int) -> None:
    """Each kind of step does something: it changes what is left, for one of its variants at least."""
    start = [(0, 0, 0, 0), (8, 0, 1, 1), (9, 0, 1, 1), (13, 0, 0, 0)]
    plain = run(start)
    changed = [run([*start, (which, i, 3, k)]) for i in (0, 1, 3) for k in (0, 1, 2, 3)]
    assert not all(same(each, plain) for each in changed)
