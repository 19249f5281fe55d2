"""Threads record each their own segment and share tensors; a forked child has what was pending; frames live on."""

import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

import wengert as w
from wengert.record.recorder import STATE


def in_threads(work: Callable[[int], Any], count: int = 4) -> list[Any]:
    """Run `work(i)` in threads that start together; return their results, or raise the first exception."""
    results: list[Any] = [None] * count
    errors: list[BaseException] = []
    start = threading.Barrier(count)

    def run(i: int) -> None:
        start.wait()
        try:
            results[i] = work(i)
        except BaseException as error:
            errors.append(error)

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        threads = [threading.Thread(target=run, args=(i,)) for i in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    if errors:
        raise errors[0]
    return results


def train(seed: int) -> list[Any]:
    """A small training of one's own."""
    values = np.random.default_rng(seed).normal(size=(5, 3))
    x, p = w.tensor(values), w.tensor(values[0], requires_grad=True)
    optimizer = w.optim.SGD([p], lr=0.1)
    losses = []
    for step in range(30):
        optimizer.zero_grad()
        loss = (w.tanh(x @ p) - 0.5).var()
        loss.backward()
        optimizer.step()
        losses.append(loss)
        if step % 7 == seed:
            loss.item()
    return [*[loss.item() for loss in losses], p.tolist()]


def test_threads_train_as_one_thread_does() -> None:
    alone = [train(i) for i in range(4)]
    assert in_threads(train) == alone


def chain(x: Any) -> list[Any]:
    """Twenty steps, each from the one before."""
    made = [x]
    for i in range(20):
        made.append(w.sin(made[-1]) + i)
    return made


def test_threads_look_at_pending_tensors_of_another_thread() -> None:
    for _ in range(20):
        shared = chain(w.tensor(np.linspace(0.0, 1.0, 50), requires_grad=True))
        with w.eager():
            expected = [each.detach().numpy() for each in chain(w.tensor(np.linspace(0.0, 1.0, 50)))]
        np.testing.assert_allclose(expected[2], np.sin(np.sin(np.linspace(0.0, 1.0, 50))) + 1, rtol=1e-14)

        def work(i: int, shared: Any = shared, expected: Any = expected) -> None:
            for k in range(i, 21, 2):
                own = shared[k] * 2.0
                np.testing.assert_array_equal(own.detach().numpy(), expected[k] * 2.0)
                bar = w.gradients(shared[k].sum(), shared[0])
                assert bar.shape == (50,)

        in_threads(work)


def test_settings_belong_to_a_thread() -> None:
    with w.no_grad(), w.eager():
        assert in_threads(lambda i: (STATE.tracking, STATE.eager)) == [(True, False)] * 4


FORK = """
import os, sys
import wengert as w

x = w.tensor([1.0, 2.0], requires_grad=True)
y = (x * x).sum()           # pending in both
z = y * 2
r, send = os.pipe()
child = os.fork()
mine = 3.0 if child else 5.0
result = z * mine
result.backward()
answer = repr((result.item(), x.grad.tolist(), y.item()))
if not child:
    os.write(send, answer.encode())
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
print(os.read(r, 1000).decode())
print(answer)
"""


def test_a_forked_child_has_what_was_pending() -> None:
    done = subprocess.run([sys.executable, "-c", FORK], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines() == ["(50.0, [20.0, 40.0], 5.0)", "(30.0, [12.0, 24.0], 5.0)"]


LOCKED = """
import os, threading, time
import wengert as w
from wengert.record import interpreter

inside, leave = threading.Event(), threading.Event()

plain = interpreter._run

def slow(entry, *rest):
    if entry.primitive.name == "sin":
        inside.set()
        leave.wait()
    return plain(entry, *rest)

interpreter._run = slow
thread = threading.Thread(target=lambda: w.sin(w.tensor([1.0])).tolist())
thread.start()
inside.wait()
y = w.tensor([1.0, 2.0]) + 1
child = os.fork()
if not child:                # the thread that was computing does not exist here
    os._exit(0 if y.tolist() == [2.0, 3.0] else 1)
status = os.waitpid(child, 0)[1]
leave.set()
thread.join()
print(status, y.tolist())
"""


def test_a_child_forked_while_a_thread_computes_is_not_locked() -> None:
    done = subprocess.run([sys.executable, "-c", LOCKED], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split("\n")[0] == "0 [2.0, 3.0]"


def test_generators_keep_what_they_hold() -> None:
    def running(x: Any) -> Any:
        total = x * 0.0
        for _ in range(5):
            hidden = w.tanh(total + x)  # alive between two rounds
            total = total + hidden
            yield total

    values = np.array([0.1, -0.7])
    made = list(running(w.tensor(values)))
    with w.eager():
        each_at_once = list(running(w.tensor(values)))
    total = values * 0.0
    for deferred, at_once in zip(made, each_at_once, strict=True):
        total = total + np.tanh(total + values)
        assert deferred.tolist() == at_once.tolist()
        np.testing.assert_allclose(deferred.numpy(), total, rtol=1e-14)


def test_a_traceback_that_keeps_frames_alive_changes_nothing() -> None:
    p = w.tensor([1.0, 2.0], dtype=w.float64, requires_grad=True)
    kept, gradients = [], []

    def broken(stop: bool) -> Any:
        hidden = w.exp(p * 0.5)
        double = hidden * hidden
        if stop:
            raise KeyError("stop")
        return double.sum()

    for i in range(6):
        try:
            broken(stop=i % 2 == 0)
        except KeyError as error:
            kept.append(error)
        loss = broken(stop=False)
        loss.item()
        loss.backward()
        gradients.append(p.grad.tolist())
        p.grad = None
    np.testing.assert_allclose(gradients[0], np.exp([1.0, 2.0]), rtol=1e-15)
    assert gradients == [gradients[0]] * 6
    held = [error.__traceback__.tb_next.tb_frame.f_locals["double"] for error in kept]  # type: ignore[union-attr]
    assert all(np.allclose(each.tolist(), np.exp([1.0, 2.0]), rtol=1e-15) for each in held)
