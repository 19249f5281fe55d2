"""What a search for best units is written for: its form, its words, and the place where its kernel is being written."""

from __future__ import annotations

from typing import NamedTuple

from ...compiler.cpu import host
from ...compiler.ir import F32, I32, I64, PTR, Module, Type, V
from ...compiler.matmul.tile import Geometry, geometry

METRICS = ("euclidean", "cosine", "manhattan")
VECTORS = 3  # vectors of rows in a tile
TOGETHER = 4  # sums in float64 that run side by side, for one waits for its last addition
BLOCK = 2304  # rows of a unit of work, and of a partial sum: a multiple of every tile's rows
REACH = 32000.0  # length of a row or of weights in 16 bits: products of two, and a bias, stay within 32

WORDS = (
    *("X", "rows", "features", "tiles", "units", "packed", "shorts", "halves", "bias", "exact", "centre", "factor"),
    *("bound", "scratch", "scratch_step", "wide", "labels", "values", "masses", "sums", "counts"),
)
NUMBERS = {"rows", "features", "tiles", "units", "scratch_step"}
PER_NORM, CONSTANT, LONGEST, SCALE, DOUBT = range(5)  # what `bound` holds, see `search.pack`


class Form(NamedTuple):
    """What the code of a search depends on.

    element: float or double. metric: euclidean, cosine or manhattan. masked: whether NaN means missing. sums: whether
    rows are added up by best unit, each times its mass if `massed`. short: whether scores are found in 16 bits first.
    """

    element: str
    metric: str
    masked: bool = False
    sums: bool = False
    massed: bool = False
    short: bool = False


def tile() -> Geometry:
    """Return the registers' geometry for float32; its `rows` are the units of a tile."""
    return geometry("float", host())


def has_short() -> bool:
    """Whether this machine multiplies pairs of 16-bit integers and adds them up in one instruction."""
    return host().vector_bits == 512 and "+avx512vnni" in host().features.split(",")


def scratch_size(form: Form, features: int, biases: int) -> int:
    """Return how many float32 a block needs: rows in lanes; what is known, or pairs in 16 bits, biases and a list."""
    g = tile()
    whole, rows = -(-features // g.lanes) * g.lanes, VECTORS * g.lanes
    size = rows * whole * (1 + form.masked)
    if form.short:
        size += rows * ((features + 1) // 2) + biases + BLOCK
    return -(-size // g.lanes) * g.lanes


class Writing:
    """The kernel being written: its function, words, sizes (rows S of a tile, lanes L, units R of a tile), and memory.

    codes and norms are of the tile of rows at hand: the number of the winning tile of units, -1 if not sure, and the
    length of each row, squared (for manhattan not).
    """

    def __init__(self, module: Module, name: str, form: Form):
        g = tile()
        self.form, self.g, self.L, self.R, self.S = form, g, g.lanes, g.rows, VECTORS * g.lanes
        self.vector, self.whole, self.line = g.vector, Type("i32", g.lanes), Type(form.element, g.lanes)
        self.f = f = module.function(name, [PTR, I64, I64])
        self.w = {
            word: f.load(f.at(f.args[0], n, "i64"), I64 if word in NUMBERS else PTR) for n, word in enumerate(WORDS)
        }
        self.zero = f.const(0, I64)
        self.codes, self.norms = f.buffer(I32, self.S), f.buffer(F32, self.S)
        self.stride = (self.w["features"] + (self.L - 1)) & -self.L
        self.pairs = (self.w["features"] + 1) >> 1

    def enter(self, unit: V) -> None:
        """Find the memory of a block."""
        f, w = self.f, self.w
        self.unit = unit
        self.x = f.at(w["scratch"], unit * w["scratch_step"], "float")
        self.more = f.at(self.x, self.stride * self.S, "float")
        self.biases = f.at(self.more, self.pairs * self.S, "i32")
        self.aside = f.at(self.biases, (w["tiles"] * self.R + (self.L - 1)) & -self.L, "i32")
        self.wide = f.at(w["wide"], unit * self.stride * TOGETHER, "double")

    def bound(self, which: int) -> V:
        """Return one of the numbers that say how exact scores are."""
        return self.f.load(self.f.at(self.w["bound"], which, "float"), F32)
