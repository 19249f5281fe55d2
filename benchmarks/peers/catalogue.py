"""The rows of the table: what is done, by whom, and what wengert aims at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

EVERYONE = ("wengert", "torch", "torch.compile", "jax")
WITH_SCAN = (*EVERYONE, "jax.scan")
PLAIN = ("wengert", "numpy", "torch", "jax")


@dataclass(frozen=True)
class Row:
    """One line of the table.

    how: "turns" (workers taking turns), or a measurement in fresh processes: "import", "start", "compile", "memory".
    group: rows of one group share their workers, one after the other.
    work, args: the function of the row in each `*_rows` module, and its arguments.
    flops: floating-point operations of one step that nobody can avoid; 0 where the rate says nothing.
    units: units of work in a turn, where every library must take the same ones.
    goals: library -> how many times faster than it wengert aims to be; every one must be met.
    most: (library, factor, seconds): the longest wengert aims to take, so many times the library and seconds more;
        without a library, so many seconds.
    share: the share of the machine's peak that wengert aims at.
    stall: the longest that a single unit of the work aims to take, ms.
    aim: all of this in words.
    """

    name: str
    label: str
    group: str
    libraries: tuple[str, ...]
    work: str = "mlp"
    args: dict[str, Any] = field(default_factory=dict)
    how: str = "turns"
    flops: float = 0.0
    units: int | None = None
    goals: dict[str, float] = field(default_factory=dict)
    most: tuple[str, float, float] | None = None
    share: float = 0.0
    stall: float = 0.0
    aim: str = ""


@dataclass(frozen=True)
class Training:
    """One network of the table and the goals for its loop and for `fit`."""

    dims: tuple[int, ...]
    batch: int
    optimizer: str
    loop: dict[str, float]
    fit: dict[str, float]

    @property
    def name(self) -> str:
        """The sizes of the layers, joined."""
        return "-".join(map(str, self.dims))

    @property
    def label(self) -> str:
        """What the table calls it."""
        return f"{self.name}, batch {self.batch}, {self.optimizer.upper() if self.optimizer == 'sgd' else 'Adam'}"

    def args(self, mode: str) -> dict[str, Any]:
        """Return the arguments of its case."""
        return {"dims": list(self.dims), "batch": self.batch, "optimizer": self.optimizer, "mode": mode}


TRAININGS = (
    Training((2, 2, 2), 1, "sgd", {"jax": 1.0}, {"jax.scan": 0.5}),
    Training((64, 32, 10), 32, "adam", {"jax": 2.2, "torch": 9.0}, {"jax.scan": 0.5}),
    Training((784, 128, 10), 64, "adam", {"jax": 2.0}, {"jax.scan": 1 / 1.4}),
    Training((784, 256, 128, 10), 256, "adam", {"torch": 1.4, "jax": 1.4}, {"jax.scan": 1.4}),
    Training((784, 1024, 1024, 10), 512, "adam", {"jax": 1.15, "torch": 1.15}, {"jax.scan": 1.15}),
)


def training_flops(dims: tuple[int, ...] | list[int], batch: int) -> float:
    """Return the operations of the products of one step; nobody needs the gradient by the first layer's input."""
    sizes = [i * o for i, o in pairwise(dims)]
    return 2.0 * batch * (3 * sum(sizes) - sizes[0])


def _trainings() -> Iterator[Row]:
    for each in TRAININGS:
        flops = training_flops(each.dims, each.batch)
        group = f"train {each.name}"
        args = each.args
        aim = ", ".join(f"{factor:.3g}x {library}" for library, factor in each.loop.items())
        yield Row(
            f"loop-{each.name}", each.label, group, EVERYONE, args=args("loop"), flops=flops, goals=each.loop, aim=aim
        )
        yield Row(
            f"fresh-{each.name}",
            f"{each.name}, a fresh NumPy batch and loss.item() each step",
            group,
            EVERYONE,
            args=args("fresh"),
            flops=flops,
            aim="at most 1.2x the silent loop",
        )
        yield Row(
            f"fit-{each.name}",
            f"{each.name}, shuffled epochs: wengert.fit, JAX lax.scan",
            group,
            WITH_SCAN,
            args=args("fit"),
            flops=flops,
            goals=each.fit,
            aim=", ".join(f"{factor:.3g}x {library}" for library, factor in each.fit.items()),
        )


def _small() -> Iterator[Row]:
    yield Row(
        "import", "import, ms", "import", PLAIN, how="import", most=("numpy", 1, 0.03), aim="at most 30 ms over NumPy"
    )
    yield Row(
        "record",
        "record one op, 4 elements",
        "record",
        ("wengert", "numpy", "torch"),
        "record",
        most=("", 0, 5e-7),
        aim="at most 0.5 us",
    )


def _kernels() -> Iterator[Row]:
    goals = {
        10_000: {"jax": 3.0},
        1_000_000: {"jax": 3.0},
        10_000_000: {"torch.compile": 8.0, "jax": 8.0, "torch": 8.0},
    }
    for size, wanted in goals.items():
        aim = "3x JAX" if size < 10**7 else "8x the best; at most 1.3x the NumPy add in NumPy's column"
        yield Row(
            f"elementwise-{size}",
            f"sum(tanh(x*w+.5)*sigmoid(x)) and gradient, {size:.0e}".replace("e+0", "e"),
            "elementwise",
            ("wengert", "numpy", "torch", "torch.compile", "jax"),
            "elementwise",
            {"size": size},
            goals=wanted,
            most=("numpy", 1.3, 0) if size == 10**7 else None,
            aim=aim,
        )
    best = dict.fromkeys(("torch", "torch.compile", "jax"), 1.5)
    yield Row(
        "softmax",
        "softmax cross-entropy and gradient, 4096 x 1000",
        "softmax",
        EVERYONE,
        "softmax",
        {"rows": 4096, "classes": 1000},
        goals=best,
        aim="1.5x the best",
    )
    yield Row(
        "layer-norm",
        "layer norm, squared length and gradients, 4096 x 1024",
        "layer norm",
        EVERYONE,
        "layer_norm",
        {"rows": 4096, "features": 1024},
        goals=best,
        aim="1.5x the best",
    )
    for size in (64, 128, 256, 512, 1024, 2048, 4096):
        yield Row(
            f"matmul-{size}",
            f"matmul {size} x {size}",
            "matmul",
            PLAIN,
            "matmul",
            {"size": size},
            flops=2.0 * size**3,
            goals=dict.fromkeys(PLAIN[1:], 1.0),
            share=0.9 if size >= 512 else 0.0,
            aim="the best" + (", 90 % of peak" if size >= 512 else ""),
        )


def _programs() -> Iterator[Row]:
    chain = "chain of 100 scalar ops, forward and backward"
    yield Row(
        "chain",
        chain,
        "chain",
        ("wengert", "torch", "jax"),
        "chain",
        {"length": 100},
        goals={"torch": 6.0},
        aim="6x torch",
    )
    label = "never repeating: 1 to 200 blocks, value and gradient"
    yield Row(
        "never",
        f"{label}; JAX operation by operation",
        "never",
        ("wengert", "torch", "jax"),
        "never",
        {"compiled": False},
        units=5,
        goals={"torch": 1.0},
        stall=300.0,
        aim="torch eager's time, no stall over 300 ms",
    )
    yield Row(
        "never-compiled",
        f"{label}; every program compiled",
        "never compiled",
        EVERYONE,
        "never",
        {"compiled": True},
        units=2,
        goals={"torch": 1.0},
        stall=300.0,
        aim="as above",
    )


def _fresh() -> Iterator[Row]:
    libraries = ("numpy", *EVERYONE)
    for state, share in (("cold", 0.5), ("warm", 0.25)):
        label = f"digits, process start to 10 epochs, {state} cache, ms (NumPy: start-up only)"
        aim = f"NumPy's start-up + {share} s"
        yield Row(
            f"start-{state}",
            label,
            "start",
            libraries,
            how="start",
            args={"warm": state == "warm"},
            most=("numpy", 1, share),
            aim=aim,
        )
    for each in TRAININGS:
        args = each.args("loop")
        yield Row(
            f"compile-{each.name}",
            f"compiling {each.label}, ms",
            "compile",
            EVERYONE,
            args=args,
            how="compile",
            most=("", 0, 0.25),
            aim="under 250 ms",
        )
    for each in TRAININGS:
        for mode in ("loop", "fit"):
            yield Row(
                f"memory-{mode}-{each.name}",
                f"peak memory, {each.name}, {mode}, MiB",
                "memory",
                WITH_SCAN if mode == "fit" else EVERYONE,
                args=each.args(mode),
                how="memory",
                goals=dict.fromkeys(("torch", "jax"), 1.0),
                aim="at most the best",
            )


def _growth() -> Iterator[Row]:
    shapes = {
        "width": [(w, [w, w, w, 10], 64) for w in (16, 32, 64, 128, 256, 512, 1024, 2048, 4096)],
        "batch": [(b, [64, 128, 10], b) for b in (1, 4, 16, 64, 256, 1024, 4096, 16384, 65536)],
        "depth": [(d, [64] * (d + 1) + [10], 32) for d in (1, 2, 5, 10, 20, 50, 100)],
    }
    for kind, points in shapes.items():
        for value, dims, batch in points:
            args = {"dims": dims, "batch": batch, "optimizer": "adam", "mode": "loop"}
            yield Row(
                f"growth-{kind}-{value}",
                f"{kind} {value}",
                f"growth {kind}",
                ("wengert", "torch"),
                args=args,
                flops=training_flops(dims, batch),
            )


ROWS = (*_small(), *_trainings(), *_kernels(), *_programs(), *_fresh())
GROWTH = tuple(_growth())
