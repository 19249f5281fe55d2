"""Planted faults: does the suite notice? Plants fifty, one at a time, in a copy of the package.

    python benchmarks/planted_faults.py [WORD ...]

With words, only faults in files whose names hold one of them are planted. Each fault replaces one piece of source text
by a wrong one and runs the tests most likely to see it, stopping at the first failure. A fault that no test sees is
printed as MISSED. It takes some minutes.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
OPS = ("tests/ops", "tests/autodiff")
ENGINE = ("tests/autodiff", "tests/test_views.py", "tests/test_programs.py", "tests/record/test_rules.py")
NETS = ("tests/optim", "tests/nn")
COMPILER = ("tests/compiler/test_programs.py", "tests/compiler", "tests/test_programs.py")
LEAPS = ("tests/record", "tests/optim")
CLASSIC = ("tests/classic",)

FAULTS = [  # file, right, wrong, where to look first
    ("ops/elementwise.py", "lambda x, y: -sin(x)", "lambda x, y: sin(x)", OPS),
    ("ops/elementwise.py", "lambda x, y: 1 - y * y", "lambda x, y: 1 + y * y", OPS),
    ("ops/transfer.py", "lambda x, y: y * (1 - y)", "lambda x, y: y * (1 + y)", OPS),
    ("ops/elementwise.py", "lambda x, y: 0.5 / y", "lambda x, y: 1 / y", OPS),
    ("ops/elementwise.py", "lambda x, y: 1 / (1 + x)", "lambda x, y: 1 / x", OPS),
    ("ops/transfer.py", "np.minimum(x, 0)", "np.minimum(x, -1)", OPS),
    ("ops/transfer.py", "(x > 0).astype(x.dtype) * (1 - slope) + slope", "(x > 0).astype(x.dtype) * slope", OPS),
    ("ops/transfer.py", "(x > low) * (x < high)", "(x >= low) * (x <= high)", OPS),
    ("ops/binary.py", "(1, -1)", "(1, 1)", OPS),
    ("ops/binary.py", "-(y / x2)", "(y / x2)", OPS),
    ("ops/binary.py", "flat = x2 == 0", "flat = x2 == 1", OPS),
    ("ops/binary.py", "zero = (x1 == 0) * (real(x2) >= 0)", "zero = (x1 == 0) * (real(x2) > 1)", OPS),
    ("ops/binary.py", "(x1 == x2).astype(y.dtype) * 0.5", "(x1 == x2).astype(y.dtype)", OPS),
    ("ops/binary.py", "squares == 0, 1, squares", "squares == 0, squares, squares", OPS),
    ("ops/compare.py", "y_bar, 0), lambda", "0, y_bar), lambda", OPS),
    ("ops/binary.py", "-floor_divide(x1, x2)", "floor_divide(x1, x2)", OPS),
    ("ops/shape.py", "np.argsort(axes)", "axes", OPS),
    ("ops/shape.py", "size == 1 and shape[a] != 1", "size == 1 and shape[a] != 0 and a > extra", OPS),
    ("ops/reduce.py", "chosen / sum(chosen, axis=axes, keepdims=True)", "chosen", OPS),
    (
        "ops/scan.py",
        "flip(cumulative_sum(flip(y_bar, axis=axis), axis=axis), axis=axis)",
        "cumulative_sum(y_bar, axis=axis)",
        OPS,
    ),
    ("ops/reduce.py", "length == 0, 1, length", "length == 0, length, length", OPS),
    ("ops/reduce.py", "flat[n - 1 :]", "flat[n - 2 : n - 1]", OPS),
    ("ops/reduce.py", "where(isfinite(largest), largest, 0)", "largest", OPS),
    ("ops/index.py", "np.add.at(x_bar, _filled(key, arrays), y_bar)", "x_bar[_filled(key, arrays)] = y_bar", OPS),
    ("ops/index.py", "taken = where(last, taken, 0)", "pass", OPS),
    ("ops/linalg.py", "matmul(matrix_transpose(conjugate(x[0])), y_bar)", "matmul(matrix_transpose(x[0]), y_bar)", OPS),
    (
        "ops/table.py",
        "y_dot = -x_dot if y_dot is None else y_dot - x_dot",
        "y_dot = x_dot if y_dot is None else y_dot - x_dot",
        OPS,
    ),
    ("autodiff/reverse.py", "add(bars[each], x_bar) if each in bars else x_bar", "x_bar", ENGINE),
    ("autodiff/reverse.py", "owner.grad + bars[entry]", "bars[entry]", ENGINE),
    (
        "autodiff/reverse.py",
        "sum_to(bar, spec.shape) if was_repeated",
        "broadcast_to(bar, spec.shape) if was_repeated",
        ENGINE,
    ),
    ("autodiff/transforms.py", "reshape(first.T,", "reshape(first,", ENGINE),
    ("record/lists.py", 'sorted(found, key=attrgetter("number"))', "list(found)", ENGINE),
    ("record/interpreter.py", "references(values[operand]) <= _ALONE", "True", ENGINE),
    ("record/trie.py", 'return struct.pack("<d", value)', "return value", ENGINE),
    ("record/recorder.py", "STATE.passes.spend(updated)", "pass", ENGINE),
    ("views.py", "        _take_again(view)", "        pass", ENGINE),
    ("optim/adam.py", "self.lr / (1 - b1**t)", "self.lr", NETS),
    ("optim/adam.py", "x_bar * x_bar", "x_bar", NETS),
    ("optim/sgd.py", "return x - direction", "return x + direction", NETS),
    ("optim/sgd.py", "velocity * momentum if self.nesterov", "velocity if self.nesterov", NETS),
    ("compiler/loops.py", 'f.when(whole.compare("lt", end))', 'f.when(whole.compare("lt", end - 1))', COMPILER),
    ("compiler/loops.py", "new = mask.select(new, self.identity(step))", "pass", COMPILER),
    ("compiler/lower.py", "all(outer == size * inner", "all(outer >= size * inner", COMPILER),
    ("compiler/fuse.py", "theirs is not None and mine != theirs", "theirs is not None and mine is None", COMPILER),
    ("compiler/graph.py", "atom(value.params), value.operands", "value.operands", COMPILER),
    ("compiler/memory.py", "born <= last and first <= dead", "born < last and first < dead", COMPILER),
    ("compiler/plan.py", "getrefcount(array) <= _UNUSED", "getrefcount(array) <= _UNUSED + 1", COMPILER),
    ("compiler/mathlib/exp.py", "low = k * -ln2[1] if", "low = k * 0.0 if", COMPILER[1:]),
    ("record/leaps.py", "self.number + i / n", "self.number - i / n", LEAPS),
    ("record/leaps.py", "full = (key, tuple(places))", "full = (key, len(places))", LEAPS),
    ("ops/table.py", "y_bar * conjugate(slope(*x, y, *params))", "y_bar * slope(*x, y, *params)", OPS),
    ("ops/solve.py", "return second + third - first", "return second + third + first", OPS),
    ("ops/decompose.py", "diagonal(whole) * 0.5", "diagonal(whole) * 0.0", OPS),
    ("ops/spectral.py", "/ conj(_gaps(values))", "/ _gaps(values)", OPS),
    ("ops/fourier.py", "weights[0] = 1", "weights[0] = 2", OPS),
    ("ops/scan.py", "reach *= 2", "reach += 1", OPS),
]


def caught(file: str, right: str, wrong: str, tests: tuple[str, ...]) -> bool:
    """Plant one fault in a copy of the package and tell whether a test fails."""
    with tempfile.TemporaryDirectory() as folder:
        for part in ("wengert", "tests", "pyproject.toml", "README.md", "docs", "benchmarks"):
            source = ROOT / part
            (shutil.copytree if source.is_dir() else shutil.copy2)(source, Path(folder) / part)
        target = Path(folder) / "wengert" / file
        text = target.read_text(encoding="utf-8")
        if right not in text:
            raise SystemExit(f"faults: {file} no longer holds {right!r}; plant this fault anew.")
        target.write_text(text.replace(right, wrong, 1), encoding="utf-8")
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
        environment = {**os.environ, "PYTHONPATH": folder, "OPENBLAS_NUM_THREADS": "1"}
        return subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=False).returncode != 0


def main() -> None:
    """Plant the faults, print each verdict and the count."""
    missed, words = 0, sys.argv[1:] or [""]
    planted = [fault for fault in FAULTS if any(word in fault[0] for word in words)]
    for file, right, wrong, tests in planted:
        found = caught(file, right, wrong, tests)
        missed += not found
        print(f"{'caught' if found else 'MISSED'}  {file}: {right}  ->  {wrong}", flush=True)
    print(f"{len(planted) - missed} of {len(planted)} planted faults caught")
    raise SystemExit(1 if missed > 2 else 0)


if __name__ == "__main__":
    main()
