"""Gradients for each example of a network, and a Jacobian: vmap beside a Python loop.

    python benchmarks/vmap.py

A 64-32-10 network with tanh, cross-entropy, 256 examples, float32; the two take turns, medians are printed. Below,
what recording costs: the same gradients without computing them.
"""

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import wengert as w
from wengert import nn

EXAMPLES, ROUNDS = 256, 9


def seconds(program: Callable[[], Any]) -> float:
    """Time of the program and of computing what it left pending."""
    start = time.perf_counter()
    kept = program()
    w.synchronize()
    done = time.perf_counter()
    del kept
    return done - start


def loss(parameters: Any, x: Any, label: Any) -> Any:
    """Cross-entropy of one example."""
    w1, b1, w2, b2 = parameters
    return nn.cross_entropy(w.tanh(x @ w1.mT + b1) @ w2.mT + b2, label)


def main() -> None:
    """Measure, and print the table."""
    rng = np.random.default_rng(0)
    shapes = [(32, 64), (32,), (10, 32), (10,)]
    parameters = [w.tensor(rng.normal(size=shape).astype(np.float32) * 0.1) for shape in shapes]
    x = w.tensor(rng.normal(size=(EXAMPLES, 64)).astype(np.float32))
    labels = w.tensor(rng.integers(0, 10, EXAMPLES))
    slope = w.grad(loss)
    at_once = w.vmap(slope, in_axes=(None, 0, 0))

    def loop() -> Any:
        return [slope(parameters, x[k], labels[k]) for k in range(EXAMPLES)]

    def batched() -> Any:
        return at_once(parameters, x, labels)

    for _ in range(12):
        seconds(batched)
    found = [(seconds(batched), seconds(loop)) for _ in range(ROUNDS)]
    ours, looped = (statistics.median(each) for each in zip(*found, strict=True))
    print(f"gradients of {EXAMPLES} examples by vmap   {1e3 * ours:8.2f} ms")
    print(f"by a loop                         {1e3 * looped:8.2f} ms, {looped / ours:.0f} times as long")
    recorded = []
    for _ in range(50):
        start = time.perf_counter()
        kept = batched()
        recorded.append(time.perf_counter() - start)
        w.synchronize()
        del kept
    print(f"recording them by vmap            {1e3 * statistics.median(recorded):8.2f} ms")
    point = x[0]
    network = w.jacobian(lambda x: w.tanh(x @ parameters[0].mT + parameters[1]))
    for _ in range(12):
        seconds(lambda: network(point))
    taken = statistics.median(seconds(lambda: network(point)) for _ in range(30))
    print(f"Jacobian of 64 to 32 numbers      {1e3 * taken:8.2f} ms")


if __name__ == "__main__":
    main()
