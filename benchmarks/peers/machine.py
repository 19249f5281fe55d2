"""The machine the table is measured on: its name, its versions, and the fastest it can multiply and add."""

from __future__ import annotations

import ctypes
import importlib.metadata
import os
import platform
import statistics
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

CHAINS = 24  # independent sums, enough to hide the latency of a multiply-add on every CPU of today
UNITS = 2_000_000  # times round the loop in one timing, some milliseconds


def cpu_name() -> str:
    """Return the model of the CPU."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()


def instruction_set() -> str:
    """Return the widest vectors the CPU has, as far as this system tells."""
    info = Path("/proc/cpuinfo")
    flags = set(info.read_text().split()) if info.exists() else set()
    return next((name for flag, name in (("avx512f", "AVX-512"), ("avx2", "AVX2")) if flag in flags), "")


def described(threads: int) -> str:
    """Return one sentence that names the machine and the versions of everything measured."""
    found = []
    for name in ("wengert", "numpy", "torch", "jax", "llvmlite"):
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            found.append(f"{name} absent")
    cpu = " ".join(part for part in (cpu_name(), instruction_set()) if part)
    count = f"{threads} of {os.cpu_count()} CPUs"
    return f"{cpu}, {count}; {platform.system()}, Python {platform.python_version()}; {', '.join(found)}."


def used_by_others(cpus: list[int], seconds: float = 0.3) -> float:
    """Return the share of these CPUs that is busy while this program sleeps: what disturbs a measurement."""
    before = _ticks(cpus)
    time.sleep(seconds)
    after = _ticks(cpus)
    if before is None or after is None:
        return 0.0
    total = after[1] - before[1]
    return 1 - (after[0] - before[0]) / total if total else 0.0


def _ticks(cpus: list[int]) -> tuple[int, int] | None:
    """Return the idle and all the ticks of these CPUs since the start; None where the system does not tell."""
    wanted = {f"cpu{i}" for i in cpus}
    try:
        lines = [line.split() for line in Path("/proc/stat").read_text().splitlines()]
    except OSError:
        return None
    counts = [[int(count) for count in line[1:9]] for line in lines if line and line[0] in wanted]
    return sum(each[3] + each[4] for each in counts), sum(map(sum, counts))


def peak(threads: int, seconds: float = 1.0) -> float:
    """Return the most float32 multiply-adds this machine does, in GFLOP/s, all threads at once.

    Every thread runs a loop of nothing but fused multiply-adds on registers. The fastest of several timings counts,
    for a peak is what the machine can do, not what it does while something else runs.
    """
    kernel, flops = _kernel()
    best = 0.0
    deadline = time.perf_counter() + seconds
    while time.perf_counter() < deadline:
        barrier = threading.Barrier(threads + 1)
        team = [threading.Thread(target=_once, args=(kernel, barrier)) for _ in range(threads)]
        for member in team:
            member.start()
        barrier.wait()
        start = time.perf_counter()
        for member in team:
            member.join()
        best = max(best, threads * UNITS * flops / (time.perf_counter() - start) / 1e9)
    return best


def _once(kernel: Callable[[int], object], barrier: threading.Barrier) -> None:
    barrier.wait()
    kernel(UNITS)


def _kernel() -> tuple[Callable[[int], object], int]:
    """Return a compiled loop of multiply-adds and how many operations one turn of it makes."""
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    features = llvm.get_host_cpu_features().flatten()
    has = set(features.split(","))
    lanes = 16 if "+avx512f" in has else 8 if "+avx2" in has else 4
    chains = CHAINS if lanes == 16 else 12  # half as many registers elsewhere
    target = llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=features, opt=3
    )
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(_loop(lanes, chains)), target)
    engine.finalize_object()
    function = ctypes.CFUNCTYPE(None, ctypes.c_int64)(engine.get_function_address("peak"))  # releases the GIL

    def kernel(n: int, _engine: object = engine) -> None:  # the engine owns the code
        function(n)

    return kernel, 2 * lanes * chains


def _loop(lanes: int, chains: int) -> str:
    """Return the loop in LLVM's language: x <- x * c + c in every chain, c unknown to the compiler."""
    vector = f"<{lanes} x float>"
    sums = range(chains)
    phis = "\n".join(f"  %x{i} = phi {vector} [ zeroinitializer, %entry ], [ %y{i}, %loop ]" for i in sums)
    fused = "\n".join(
        f"  %y{i} = call {vector} @llvm.fma.v{lanes}f32({vector} %x{i}, {vector} %c, {vector} %c)" for i in sums
    )
    total = "\n".join(f"  %t{i} = fadd {vector} %y{i}, {f'%t{i - 1}' if i else 'zeroinitializer'}" for i in sums)
    return f"""
@seed = global {vector} zeroinitializer
@sink = global {vector} zeroinitializer
declare {vector} @llvm.fma.v{lanes}f32({vector}, {vector}, {vector})
define void @peak(i64 %n) "prefer-vector-width"="{32 * lanes}" {{
entry:
  %c = load volatile {vector}, ptr @seed
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %next, %loop ]
{phis}
{fused}
  %next = add i64 %i, 1
  %more = icmp slt i64 %next, %n
  br i1 %more, label %loop, label %done
done:
{total}
  store volatile {vector} %t{chains - 1}, ptr @sink
  ret void
}}
"""


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else os.cpu_count() or 1
    print(statistics.median(peak(count, 0.5) for _ in range(3)))
