"""One library's shortest road to a result: load the digits, train ten epochs, print the accuracy. Timed from outside.

    python start.py LIBRARY digits.npz

Nothing is imported but what such a script would import.
"""

from __future__ import annotations

import sys

import numpy as np

EPOCHS, BATCH = 10, 32


def wengert_(x: np.ndarray, y: np.ndarray) -> float:
    """Train with `fit`."""
    import wengert
    from wengert import nn

    model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    wengert.fit(model, (x, y), optimizer="adam", epochs=EPOCHS, batch_size=BATCH, metrics=(), verbose=False)
    return float((model(x).argmax(axis=1).numpy() == y).mean())


def torch_(x: np.ndarray, y: np.ndarray, compiled: bool = False) -> float:
    """Train with a loop over shuffled batches."""
    import torch
    from torch import nn

    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    optimizer = torch.optim.Adam(model.parameters())
    rows, labels = torch.from_numpy(x), torch.from_numpy(y)

    def step(x: torch.Tensor, y: torch.Tensor) -> None:
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()

    made = torch.compile(step) if compiled else step
    for _ in range(EPOCHS):
        for places in torch.randperm(len(rows)).split(BATCH):
            made(rows[places], labels[places])
    return float((model(rows).argmax(1) == labels).float().mean())


def jax_(x: np.ndarray, y: np.ndarray) -> float:
    """Train with a jitted step over shuffled batches."""
    import jax
    import jax.numpy as jnp

    rng = np.random.default_rng(0)
    sizes = ((64, 32), (32, 10))
    params = [
        (rng.standard_normal(s, dtype=np.float32) / np.float32(s[0] ** 0.5), np.zeros(s[1], np.float32)) for s in sizes
    ]
    zeros = [(np.zeros_like(w), np.zeros_like(b)) for w, b in params]

    def outputs(params, x):
        (w1, b1), (w2, b2) = params
        return jax.nn.relu(x @ w1 + b1) @ w2 + b2

    def loss(params, x, y):
        return -jnp.take_along_axis(jax.nn.log_softmax(outputs(params, x)), y[:, None], 1).mean()

    @jax.jit
    def step(params, m, v, t, x, y):
        bars = jax.grad(loss)(params, x, y)
        m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, bars)
        v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, bars)
        one, two = 1 - 0.9**t, 1 - 0.999**t
        params = jax.tree.map(lambda p, m, v: p - 1e-3 * (m / one) / (jnp.sqrt(v / two) + 1e-8), params, m, v)
        return params, m, v, t + 1

    state = (params, zeros, zeros, np.float32(1))
    for _ in range(EPOCHS):
        order = rng.permutation(len(x))
        for start in range(0, len(x), BATCH):
            places = order[start : start + BATCH]
            state = step(*state, x[places], y[places])
    return float((outputs(state[0], x).argmax(1) == y).mean())


def main() -> None:
    """Load the data, train, print the accuracy; "numpy" only loads."""
    library, path = sys.argv[1:]
    with np.load(path) as digits:
        x, y = digits["x"], digits["y"]
    if library == "wengert":
        accuracy = wengert_(x, y)
    elif library.startswith("torch"):
        accuracy = torch_(x, y, compiled=library == "torch.compile")
    elif library == "jax":
        accuracy = jax_(x, y)
    else:
        accuracy = 1.0
    print(accuracy)


if __name__ == "__main__":
    main()
