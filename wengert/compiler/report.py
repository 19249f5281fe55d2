"""What the engine did: segments, plans, compilations, and what was left to the interpreter, with the user's lines."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..ops.lowering import Elementwise
from ..record.recorder import execute as synchronize
from ..record.trie import TRIE, Node
from . import cpu
from .graph import NUMPY, PRODUCT, Value
from .listing import listing
from .plan import Plan


@dataclass(frozen=True)
class PathReport:
    """One path of the program: where it ends, how often it was interpreted, and its plan, if it has one.

    line: where in the user's program it was first executed. steps: entries. interpreted, runs: how often without and
    with the plan. seconds: spent running the plan. flops: floating-point operations of one run, a function counted as
    its cost in additions. memory: bytes the plan needs besides its results. by_numpy: names of the entries that NumPy
    runs inside the plan, with the reason.
    """

    line: str
    steps: int
    interpreted: int
    runs: int = 0
    seconds: float = 0.0
    flops: float = 0.0
    memory: int = 0
    kernels: int = 0
    by_numpy: tuple[tuple[str, str], ...] = ()
    plan: Plan | None = field(default=None, repr=False)

    @property
    def gflops(self) -> float:
        """Billions of floating-point operations a second while the plan ran."""
        return self.flops * self.runs / self.seconds / 1e9 if self.seconds else 0.0

    def explain(self) -> str:
        """Return the plan's kernels as loops one can read, or why there is none."""
        if self.plan is None:
            return f"{self.line}: interpreted; a path is compiled once it has been seen often enough to pay for it."
        return listing(self.plan)


@dataclass(frozen=True)
class Report:
    """What the engine has done in this process; printing it gives a table."""

    paths: tuple[PathReport, ...]
    compiled: int
    found: int
    compiling: float

    def __str__(self) -> str:
        runs, interpreted = sum(p.runs for p in self.paths), sum(p.interpreted for p in self.paths)
        lines = [
            f"{len(self.paths)} paths: run {runs} times by plans, {interpreted} times entry by entry",
            f"kernels: {self.compiled} compiled in {self.compiling:.2f} s, {self.found} found in the cache",
            "",
            f"{'first seen at':<28}{'entries':>8}{'kernels':>8}{'plan runs':>10}{'us a run':>10}{'GFLOP/s':>9}"
            f"{'interpreted':>12}",
        ]
        for p in sorted(self.paths, key=lambda p: -p.seconds):
            time = f"{p.seconds / p.runs * 1e6:.1f}" if p.runs else "-"
            rate = f"{p.gflops:.1f}" if p.runs else "-"
            lines.append(f"{p.line:<28}{p.steps:>8}{p.kernels:>8}{p.runs:>10}{time:>10}{rate:>9}{p.interpreted:>12}")
            lines += [f"    {name}: by NumPy, for {why}" for name, why in dict.fromkeys(p.by_numpy)]
        return "\n".join(lines)

    __repr__ = __str__


def report() -> Report:
    """Return what the engine did so far in this process: every path, its plan, its times, and what was interpreted.

    >>> import wengert
    >>> x = wengert.ones(4)
    >>> _ = (x + 1).numpy()
    >>> wengert.report().paths[-1].interpreted >= 1
    True
    """
    synchronize()
    statistics = cpu.STATISTICS
    paths = tuple([_path(end) for end in list(TRIE.ends)])
    return Report(paths, statistics.compiled, statistics.found, statistics.compiling)


def _path(end: Node) -> PathReport:
    plan = end.plan
    if plan is None:
        return PathReport(end.line, end.position, end.sightings)
    return PathReport(
        end.line,
        end.position,
        end.sightings,
        plan.runs,
        plan.seconds,
        sum(_flops(value) for value in plan.graph.values),
        plan.arena_bytes,
        len(plan.fusion.groups),
        tuple([(value.name, value.why) for value in plan.graph.values if value.kind == NUMPY]),
        plan,
    )


def _flops(value: Value) -> float:
    if value.kind == PRODUCT:
        return 2.0 * value.spec.size * value.operands[0].spec.shape[-1]
    how = value.primitive.lower if value.primitive is not None else None
    if isinstance(how, Elementwise):
        return float(value.spec.size * how.cost)
    return float(value.operands[0].spec.size) if value.kind == "reduction" else 0.0
