"""Matrix products of few outputs and many terms: sixteen interleaved chains for each output.

One chain of fused multiply-adds is as slow as the latency of one, so when there are too few outputs to hide it, each
output is sixteen chains: chain p takes k = p, p + 16, p + 32 ..., and their ends are added by halves (p and p + 8, then
p and p + 4, and so on). Which products this is done for depends on their shape alone.

The chains are the lanes of a vector where both operands run along k (mode 0), or sixteen vectors whose lanes are
outputs next to each other (mode 1: columns of C, mode 2: rows of C).
"""

from __future__ import annotations

from .ir import I64, PTR, Module, Type, V
from .matmul_tile import Geometry, batched, finish, mask_below, read_words, smallest

CHAINS = 16
LONG_WORDS = (
    *("A", "B", "C", "rows", "columns", "depth"),
    *("a_row", "a_k", "b_column", "b_k", "c_row", "c_column"),
    *("unit_rows", "row_units", "inner", "a_inner", "b_inner", "c_inner", "a_outer", "b_outer", "c_outer"),
    *("mode", "width", "epilogue", "epilogue_args"),
)


def is_long(rows: int, columns: int, depth: int) -> bool:
    """Whether a product of this shape is done by interleaved chains: a rule of meaning, not of speed alone."""
    return depth >= 8 * CHAINS and (min(rows, columns) == 1 or rows * columns <= 64)


def by_halves(values: list[V]) -> V:
    """Add values in pairs half the list apart until one is left."""
    while len(values) > 1:
        half = len(values) // 2
        values = [a + b for a, b in zip(values[:half], values[half:], strict=True)]
    return values[0]


def _dot(module: Module, g: Geometry) -> str:
    """Write one output of operands that both run along k: the chains are lanes."""
    name = f"long_dot_{g.element}"
    f = module.function(name, [PTR, PTR, I64, PTR], linkage="internal")
    a, b, depth, c = f.args
    vector, one = Type(g.element, CHAINS), Type(g.element)
    chains = f.slot(f.const(0, vector))
    whole = depth & -CHAINS
    with f.loop(f.const(0, I64), whole, CHAINS) as k:
        x, y = (f.load(f.at(base, k, g.element), vector) for base in (a, b))
        chains.set(f.fma(x, y, chains.get()))
    ends = f.buffer(vector, 1)
    f.store(chains.get(), ends)
    with f.loop(whole, depth) as k:
        x, y = (f.load(f.at(base, k, g.element), one) for base in (a, b))
        end = f.at(ends, k - whole, g.element)
        f.store(f.fma(x, y, f.load(end, one)), end)
    f.store(_ends_added(f.load(ends, vector)), c)
    f.do("ret void")
    return name


def _ends_added(chains: V) -> V:
    """Add the lanes of a vector by halves."""
    while chains.type.lanes > 2:
        half = chains.type.lanes // 2
        chains = chains.take(range(half)) + chains.take(range(half, 2 * half))
    return chains.lane(0) + chains.lane(1)


def _side_by_side(module: Module, g: Geometry, lanes: int) -> str:
    """Write up to `lanes` outputs whose vector operand has them next to each other: each chain is a vector.

    `s` is read one element at a time, `v` a vector at a time; the outputs are `c_step` bytes apart.
    """
    name = f"long_side_{lanes}_{g.element}"
    f = module.function(name, [PTR, I64, PTR, I64, I64, I64, PTR, I64], linkage="internal")
    s, s_k, v, v_k, depth, count, c, c_step = f.args
    vector, one = Type(g.element, lanes), Type(g.element)
    mask = mask_below(f, count, lanes) if g.masks and lanes > 1 else None

    def term(k: V, chain: V) -> V:
        left = f.load(f.at(s, s_k * k, "i8"), one).splat(lanes)
        address = f.at(v, v_k * k, "i8")
        right = f.load(address, vector) if mask is None else f.masked_load(address, vector, mask)
        return f.fma(left, right, chain)

    chains = [f.slot(f.const(0, vector)) for _ in range(CHAINS)]
    whole = depth & -CHAINS
    with f.loop(f.const(0, I64), whole, CHAINS) as k:
        for p, chain in enumerate(chains):
            chain.set(term(k + p, chain.get()))
    ends = f.buffer(vector, CHAINS)
    for p, chain in enumerate(chains):
        f.store(chain.get(), f.at(ends, p * lanes, g.element))
    with f.loop(whole, depth) as k:
        end = f.at(ends, (k - whole) * lanes, g.element)
        f.store(term(k, f.load(end, vector)), end)
    f.store(by_halves([f.load(f.at(ends, p * lanes, g.element), vector) for p in range(CHAINS)]), ends)
    with f.loop(f.const(0, I64), count) as n:
        f.store(f.load(f.at(ends, n, g.element), one), f.at(c, n * c_step, "i8"))
    f.do("ret void")
    return name


def _outputs(module: Module, g: Geometry) -> str:
    """Write `count` neighbouring outputs, at most a vector, by whichever of the widths is at hand."""
    if g.masks:
        return _side_by_side(module, g, g.lanes)
    full, single = _side_by_side(module, g, g.lanes), _side_by_side(module, g, 1)
    f = module.function(f"long_some_{g.element}", [PTR, I64, PTR, I64, I64, I64, PTR, I64], linkage="internal")
    s, s_k, v, v_k, depth, count, c, c_step = f.args
    some, rest = (f.label(what) for what in ("some", "rest"))
    f.branch(count.compare("eq", g.lanes), some, rest)
    f.block(some)
    f.do(f"call void @{full}({', '.join(map(str, f.args))})")
    f.do("ret void")
    f.block(rest)
    with f.loop(f.const(0, I64), count) as n:
        moved = [s, s_k, f.at(v, n, g.element), v_k, depth, f.const(1, I64), f.at(c, n * c_step, "i8"), c_step]
        f.do(f"call void @{single}({', '.join(map(str, moved))})")
    f.do("ret void")
    return f.name


def add_long(module: Module, g: Geometry) -> str:
    """Write the kernel `matmul_long_{element}`; its words are `LONG_WORDS`, strides in bytes.

    A unit is a block of `unit_rows` rows of one batch, with all columns. In mode 1 the columns of B, in mode 2 the
    rows of A, are next to each other, `width` (at most a vector) being done at once.
    """
    dot, outputs = _dot(module, g), _outputs(module, g)
    name = f"matmul_long_{g.element}"
    f = module.function(name, [PTR, I64, I64])
    w = read_words(f, LONG_WORDS)
    one = f.const(1, I64)
    row_step = w["mode"].compare("eq", 2).select(w["width"], one)
    column_step = w["mode"].compare("eq", 1).select(w["width"], one)
    with f.loop(f.args[1], f.args[2]) as unit:
        batch = f.op("udiv", unit, w["row_units"])
        begin = f.op("urem", unit, w["row_units"]) * w["unit_rows"]
        end = smallest(f, begin + w["unit_rows"], w["rows"])
        base = [batched(f, w, which, batch) for which in "ABC"]
        with f.loop(begin, end, row_step) as i, f.loop(f.const(0, I64), w["columns"], column_step) as j:
            a, b = f.at(base[0], i * w["a_row"], "i8"), f.at(base[1], j * w["b_column"], "i8")
            c = f.at(base[2], i * w["c_row"] + j * w["c_column"], "i8")
            rows, columns = smallest(f, row_step, end - i), smallest(f, column_step, w["columns"] - j)
            with f.when(w["mode"].compare("eq", 0)):
                f.do(f"call void @{dot}({a}, {b}, {w['depth']}, {c})")
            with f.when(w["mode"].compare("eq", 1)):
                call = [a, w["a_k"], b, w["b_k"], w["depth"], columns, c, w["c_column"]]
                f.do(f"call void @{outputs}({', '.join(map(str, call))})")
            with f.when(w["mode"].compare("eq", 2)):
                call = [b, w["b_k"], a, w["a_k"], w["depth"], rows, c, w["c_row"]]
                f.do(f"call void @{outputs}({', '.join(map(str, call))})")
        finish(f, w, batch * w["rows"] + begin, batch * w["rows"] + end)
    f.do("ret void")
    return name
