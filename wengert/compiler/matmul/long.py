"""Matrix products of few outputs and many terms: sixteen interleaved chains for each output.

One chain of fused multiply-adds is as slow as the latency of one, so when there are too few outputs to hide it, each
output is sixteen chains: chain p takes k = p, p + 16, p + 32 ..., and their ends are added by halves (p and p + 8, then
p and p + 4, and so on). Which products this is done for depends on their shape alone.

Where both operands run along k the chains are the lanes of a vector. Otherwise the lanes are neighbouring outputs, of
several chains at once or, where there are many outputs, of one chain at a time.
"""

from __future__ import annotations

from ..ir import I64, PTR, Function, Module, Type, V
from .tile import Geometry, batched, finish, mask_below, read_words, smallest

CHAINS = 16
AT_ONCE = 8  # chains at a time where the outputs fit in a vector: enough to hide the latency of one
TOGETHER = 4  # dot products at a time
LONG_WORDS = (
    *("A", "B", "C", "rows", "columns", "depth"),
    *("a_row", "a_k", "b_column", "b_k", "c_row", "c_column"),
    *("unit_rows", "row_units", "inner", "a_inner", "b_inner", "c_inner", "a_outer", "b_outer", "c_outer"),
    *("dots", "along_rows", "width", "epilogue", "epilogue_args"),
)


def wide(g: Geometry) -> int:
    """Return how many vectors of outputs are done side by side where there are many: half the registers."""
    return 2 * g.rows


def is_long(rows: int, columns: int, depth: int) -> bool:
    """Whether a product of this shape is done by interleaved chains: a rule of meaning, not of speed alone."""
    return depth >= 8 * CHAINS and (min(rows, columns) == 1 or rows * columns <= 16)


def _fold(module: Module, g: Geometry) -> str:
    """Write the addition of chains by halves: sixteen runs of `count` elements (whole vectors) into the first."""
    name = f"long_fold_{g.element}"
    f = module.function(name, [PTR, I64], linkage="internal")
    ends, count = f.args
    half = f.slot(count * (CHAINS // 2))
    with f.loop(half.get().like(0), half.get().like(CHAINS.bit_length() - 1)):
        with f.loop(f.const(0, I64), half.get(), g.lanes) as n:
            left = f.at(ends, n, g.element)
            right = f.load(f.at(left, half.get(), g.element), g.vector)
            f.store(f.load(left, g.vector) + right, left)
        half.set(half.get() >> 1)
    f.do("ret void")
    return name


# s, s_k, v, v_k, v_output, outputs, depth, width, c, c_output: the operand all outputs share, the one with a column
# for each output, and C; strides in bytes
_OUTPUTS = [PTR, I64, PTR, I64, I64, I64, I64, I64, PTR, I64]


def _dots(module: Module, g: Geometry) -> str:
    """Write the outputs of operands that both run along k, a few together, which keeps more reads under way.

    Where fewer are left, the last is done more than once.
    """
    name = f"long_dots_{g.element}"
    f = module.function(name, _OUTPUTS, linkage="internal")
    s, _, v, _, v_output, outputs, depth, _, c, c_output = f.args
    vector, one, zero = Type(g.element, CHAINS), Type(g.element), f.const(0, I64)
    whole, ends = depth & -CHAINS, f.buffer(vector, TOGETHER)
    with f.loop(zero, outputs, TOGETHER) as begin:
        last = outputs - begin - 1
        first = f.at(v, v_output * begin, "i8")
        columns = [f.at(first, v_output * smallest(f, last, last.like(n)), "i8") for n in range(TOGETHER)]
        chains = [f.slot(f.const(0, vector)) for _ in columns]
        with f.loop(zero, whole, CHAINS) as k:
            left = f.load(f.at(s, k, g.element), vector)
            for column, chain in zip(columns, chains, strict=True):
                chain.set(f.fma(left, f.load(f.at(column, k, g.element), vector), chain.get()))
        for n, chain in enumerate(chains):
            f.store(chain.get(), f.at(ends, n * CHAINS, g.element))
        with f.loop(zero, smallest(f, last + 1, last.like(TOGETHER))) as number:
            own = f.at(ends, number * CHAINS, g.element)
            with f.loop(whole, depth) as tail:
                y = f.load(f.at(f.at(first, v_output * number, "i8"), tail, g.element), one)
                end = f.at(own, tail - whole, g.element)
                f.store(f.fma(f.load(f.at(s, tail, g.element), one), y, f.load(end, one)), end)
            f.store(_ends_added(f.load(own, vector)), f.at(c, c_output * (begin + number), "i8"))
    f.do("ret void")
    return name


def _ends_added(chains: V) -> V:
    """Add the lanes of a vector by halves."""
    while chains.type.lanes > 2:
        half = chains.type.lanes // 2
        chains = chains.take(range(half)) + chains.take(range(half, 2 * half))
    return chains.lane(0) + chains.lane(1)


_SIDE = [PTR, I64, PTR, I64, I64, I64, PTR, I64]  # s, s_k, v, v_k, outputs, depth, c, c_output


def _scatter(f: Function, g: Geometry, fold: str, ends: V, count: V, stride: int) -> None:
    """Add the chains, `stride` elements apart, and copy the sums to where C has them."""
    f.do(f"call void @{fold}({ends}, i64 {stride})")
    c, c_output = f.args[6:]
    with f.loop(f.const(0, I64), count) as n:
        f.store(f.load(f.at(ends, n, g.element), Type(g.element)), f.at(c, n * c_output, "i8"))


def _narrow(module: Module, g: Geometry, lanes: int, fold: str) -> str:
    """Write up to `lanes` neighbouring outputs, several chains of each at once."""
    name = f"long_narrow_{lanes}_{g.element}"
    f = module.function(name, _SIDE, linkage="internal")
    s, s_k, v, v_k, outputs, depth, *_ = f.args
    vector, one = Type(g.element, lanes), Type(g.element)
    mask = mask_below(f, outputs, lanes) if g.masks and lanes > 1 else None

    def term(k: V, chain: V) -> V:
        left = f.load(f.at(s, s_k * k, "i8"), one).splat(lanes)
        address = f.at(v, v_k * k, "i8")
        right = f.load(address, vector) if mask is None else f.masked_load(address, vector, mask)
        return f.fma(left, right, chain)

    whole, ends = depth & -CHAINS, f.buffer(g.vector, CHAINS)
    with f.loop(f.const(0, I64), f.const(CHAINS, I64), AT_ONCE) as p:
        chains = [f.slot(f.const(0, vector)) for _ in range(AT_ONCE)]
        with f.loop(p, whole, CHAINS) as k:
            for n, chain in enumerate(chains):
                chain.set(term(k + n, chain.get()))
        for n, chain in enumerate(chains):
            f.store(chain.get(), f.at(ends, (p + n) * g.lanes, g.element))
    with f.loop(whole, depth) as k:
        end = f.at(ends, (k - whole) * g.lanes, g.element)
        f.store(term(k, f.load(end, vector)), end)
    _scatter(f, g, fold, ends, outputs, g.lanes)
    f.do("ret void")
    return name


def _wide(module: Module, g: Geometry, fold: str) -> str:
    """Write `wide` vectors of neighbouring outputs, one chain at a time, so that memory is read in long pieces."""
    name = f"long_wide_{g.element}"
    f = module.function(name, _SIDE, linkage="internal")
    s, s_k, v, v_k, _, depth, *_ = f.args
    width = wide(g)
    ends = f.buffer(g.vector, CHAINS * width)
    with f.loop(f.const(0, I64), f.const(CHAINS, I64)) as p:
        chains = [f.slot(f.const(0, g.vector)) for _ in range(width)]
        with f.loop(p, depth, CHAINS) as k:
            left = f.load(f.at(s, s_k * k, "i8"), Type(g.element)).splat(g.lanes)
            start = f.at(v, v_k * k, "i8")
            for n, chain in enumerate(chains):
                chain.set(f.fma(left, f.load(f.at(start, n * g.lanes, g.element), g.vector), chain.get()))
        for n, chain in enumerate(chains):
            f.store(chain.get(), f.at(ends, (p * width + n) * g.lanes, g.element))
    _scatter(f, g, fold, ends, f.const(width * g.lanes, I64), width * g.lanes)
    f.do("ret void")
    return name


def _sides(module: Module, g: Geometry) -> str:
    """Write a row of outputs side by side: in wide pieces while they last, then at most a vector at a time."""
    fold = _fold(module, g)
    ways = [(g.lanes * wide(g), _wide(module, g, fold)), (g.lanes, _narrow(module, g, g.lanes, fold))]
    ways += [] if g.masks else [(1, _narrow(module, g, 1, fold))]
    f = module.function(f"long_sides_{g.element}", _OUTPUTS, linkage="internal")
    s, s_k, v, v_k, v_output, outputs, depth, width, c, c_output = f.args
    begin = f.const(0, I64)
    for most, name in ways:
        final = name is ways[-1][1]
        step = smallest(f, width, width.like(most)) if final else f.const(most, I64)
        # Before the last way only full steps, and only if the outputs are next to each other.
        end = outputs if final else width.compare("gt", 1).select(outputs & -most, begin)
        with f.loop(begin, end, step) as n:
            some = smallest(f, step, end - n)
            to = [s, s_k, f.at(v, v_output * n, "i8"), v_k, some, depth, f.at(c, c_output * n, "i8"), c_output]
            f.do(f"call void @{name}({', '.join(map(str, to))})")
        begin = end
    f.do("ret void")
    return f.name


def add_long(module: Module, g: Geometry) -> str:
    """Write the kernel `matmul_long_{element}`; its words are `LONG_WORDS`, strides in bytes.

    A unit is a block of `unit_rows` rows of one batch, with all columns. The outputs that share an operand are those
    of a row or, `along_rows`, those of a column; `width` of them (1, or a vector) are next to each other in the other
    operand. `dots` says both operands run along k.
    """
    dots, sides = _dots(module, g), _sides(module, g)
    name = f"matmul_long_{g.element}"
    f = module.function(name, [PTR, I64, I64])
    w = read_words(f, LONG_WORDS)
    along = w["along_rows"].compare("ne", 0)

    def pick(rows: V, columns: V) -> V:
        return along.select(columns, rows)

    with f.loop(f.args[1], f.args[2]) as unit:
        batch = f.op("udiv", unit, w["row_units"])
        begin = f.op("urem", unit, w["row_units"]) * w["unit_rows"]
        rows = smallest(f, w["unit_rows"], w["rows"] - begin)
        a = f.at(batched(f, w, "A", batch), begin * w["a_row"], "i8")
        b = batched(f, w, "B", batch)
        c = f.at(batched(f, w, "C", batch), begin * w["c_row"], "i8")
        with f.loop(f.const(0, I64), pick(rows, w["columns"])) as n:
            shared = f.at(pick(a, b), n * pick(w["a_row"], w["b_column"]), "i8")
            to = [shared, pick(w["a_k"], w["b_k"]), pick(b, a), pick(w["b_k"], w["a_k"])]
            to += [pick(w["b_column"], w["a_row"]), pick(w["columns"], rows), w["depth"], w["width"]]
            to += [f.at(c, n * pick(w["c_row"], w["c_column"]), "i8"), pick(w["c_column"], w["c_row"])]
            by_dots = w["dots"].compare("ne", 0)
            for name_, condition in ((dots, by_dots), (sides, by_dots ^ True)):
                with f.when(condition):
                    f.do(f"call void @{name_}({', '.join(map(str, to))})")
        finish(f, w, batch * w["rows"] + begin, batch * w["rows"] + begin + rows)
    f.do("ret void")
    return name
