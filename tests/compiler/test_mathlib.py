"""The elementary functions against wider arithmetic: errors in ulp, edges, and the same bits in scalars and vectors."""

import ctypes
import os
from functools import cache

import mpmath
import numpy as np
import pytest
import scipy.special

from wengert.compiler import cpu, ir, mathlib

BINARY = {"pow", "atan2", "hypot", "logaddexp"}
UNARY = sorted(set(mathlib.FUNCTIONS) - BINARY)
DTYPES = {"float": np.float32, "double": np.float64}
LIMIT = {"float": 2.0, "double": 4.0}  # ulp
WIDE = {"float": np.float64, "double": np.longdouble}


@cache
def kernels(element, lanes):
    """Compile a loop over arrays for every function; return NumPy functions by name."""
    module = ir.Module()
    for name, write in mathlib.FUNCTIONS.items():
        f = module.function(name + "_loop", [ir.PTR] * (3 if name in BINARY else 2) + [ir.I64])
        *inputs, output, end = f.args
        with f.loop(f.const(0, ir.I64), end, lanes) as i:
            values = [f.load(f.at(array, i, element), ir.Type(element, lanes)) for array in inputs]
            f.store(write(*values), f.at(output, i, element))
        f.do("ret void")
    places = cpu.compiled(module, [name + "_loop" for name in mathlib.FUNCTIONS])
    return {name: _caller(places[name + "_loop"], DTYPES[element]) for name in mathlib.FUNCTIONS}


def _caller(place, dtype):
    def call(*arrays):
        n = len(arrays[0])
        padded = [np.concatenate([array, np.ones(-n % ir.LANES, dtype)]).astype(dtype) for array in arrays]
        out = np.empty_like(padded[0])
        pointers = [array.ctypes.data for array in (*padded, out)]
        ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * len(pointers), ctypes.c_int64)(place)(*pointers, len(out))
        return out[:n]

    return call


def _logistic(x):
    return np.where(x < 0, np.exp(x) / (1 + np.exp(x)), 1 / (1 + np.exp(-x)))


def _softplus(x):
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def _erf(x):
    """In longdouble by mpmath, one at a time; else SciPy's, whose error is far below one ulp of float32."""
    if x.dtype != np.longdouble:
        return scipy.special.erf(x)
    with mpmath.workdps(25):
        return np.array([np.longdouble(mpmath.nstr(mpmath.erf(mpmath.mpf(float(v))), 22)) for v in x])


OWN = {"logistic": _logistic, "softplus": _softplus, "erf": _erf}
NUMPY = {"asin": "arcsin", "acos": "arccos", "atan": "arctan", "atan2": "arctan2", "pow": "power"} | {
    "asinh": "arcsinh",
    "acosh": "arccosh",
    "atanh": "arctanh",
}


def truth(name, *arrays):
    """Evaluate a function in the precision of the arrays."""
    with np.errstate(all="ignore"):
        return (OWN.get(name) or getattr(np, NUMPY.get(name, name)))(*arrays)


def ulps(got, true, scale=None):
    """Return the error of each result in units of the last place of the true value (or of `scale`, if larger)."""
    info = np.finfo(got.dtype)
    with np.errstate(all="ignore"):
        rounded = true.astype(got.dtype)
        size = np.abs(true) if scale is None else np.maximum(np.abs(true), scale)
        exponent = np.frexp(np.maximum(size, info.smallest_normal))[1] - 1
        error = np.abs(got.astype(true.dtype) - true) / np.ldexp(true.dtype.type(1), exponent - info.nmant)
    same = (rounded == got) | (np.isnan(rounded) & np.isnan(got))
    unbounded = ~np.isfinite(got) | ~np.isfinite(true)
    return np.where(same, np.where(unbounded, 0, error), np.where(unbounded, np.inf, error))


def edges(dtype):
    """Return the special values of a format and ordinary ones where functions turn."""
    info = np.finfo(dtype)
    special = [0.0, info.smallest_subnormal, info.smallest_normal, info.max, np.inf, 1.0, 0.5, 2.0, 3.0, 4.0, 1e-5, 2.5]
    return np.array([*special, *(-v for v in special), np.nan], dtype)


def samples(dtype, n):
    """Return numbers of every exponent and both signs, edges, and many where functions bend."""
    bits, rng = (np.uint32, np.random.default_rng(1)) if dtype == np.float32 else (np.uint64, np.random.default_rng(2))
    width = 8 * np.dtype(dtype).itemsize
    spread = (np.arange(n, dtype=np.uint64) * np.uint64(2**width // n | 1)).astype(bits).view(dtype)
    spread = spread[np.isfinite(spread)]
    ranges = (0.4, 1.3, 12.0, 110.0) if dtype == np.float32 else (0.4, 1.3, 30.0, 750.0)
    parts = [rng.uniform(-r, r, n // 4) for r in ranges] + [1 + rng.uniform(-1e-3, 1e-3, n // 4)]
    turns = np.arange(1, n // 8) * (np.pi / 2)  # next to the zeros of sine and cosine
    return np.concatenate([edges(dtype), spread, *parts, turns]).astype(dtype)


def pairs(dtype, n):
    """Return pairs of edges, of any numbers, and of numbers of ordinary size."""
    e = edges(dtype)
    x, rng = samples(dtype, n), np.random.default_rng(3)
    near = np.exp(rng.uniform(-9, 9, 2 * n)).astype(dtype)
    a = np.concatenate([np.repeat(e, len(e)), x, near, near[:n], rng.uniform(0.9, 1.1, n)])
    b = np.concatenate([np.tile(e, len(e)), rng.permutation(x), rng.uniform(-40, 40, 2 * n), near[n:]])
    b = np.concatenate([b, rng.uniform(-7e3, 7e3, n)])
    return a.astype(dtype), b.astype(dtype)


def _arguments(name, element, n):
    dtype = DTYPES[element]
    if name in BINARY:
        return pairs(dtype, n)
    x = samples(dtype, n)
    return (x[np.abs(x) < 7][::20],) if name == "erf" and element == "double" else (x,)


@pytest.fixture(params=["float", "double"])
def element(request):
    if request.param == "double" and np.finfo(np.longdouble).nmant < 63:
        pytest.skip("skipped: longdouble is no wider than double here")
    return request.param


@pytest.mark.parametrize("name", sorted(mathlib.FUNCTIONS))
def test_error_is_bounded(name, element):
    arguments = _arguments(name, element, 200_000 if element == "float" else 40_000)
    true = truth(name, *(x.astype(WIDE[element]) for x in arguments))
    got = kernels(element, ir.LANES)[name](*arguments)
    scale = None
    if name == "logaddexp" and element == "double":  # see its docstring: terms may cancel
        scale = np.abs(np.maximum(*arguments)).astype(np.longdouble)
    error = ulps(got, true, scale)
    worst = int(np.argmax(error))
    at = [float(x[worst]) for x in arguments]
    assert error[worst] <= LIMIT[element], f"{name}({at}) = {got[worst]!r}, not {true[worst]!r}: {error[worst]} ulp"


@pytest.mark.parametrize("name", sorted(mathlib.FUNCTIONS))
def test_edges_are_those_of_numpy(name, element):
    e = edges(DTYPES[element])
    arguments = (np.repeat(e, len(e)), np.tile(e, len(e))) if name in BINARY else (e,)
    got = kernels(element, ir.LANES)[name](*arguments)
    with np.errstate(all="ignore"):
        true = truth(name, *(x.astype(np.float64) for x in arguments)).astype(got.dtype)
    special = (true == 0) | ~np.isfinite(true)
    assert special.any()
    np.testing.assert_array_equal(got[special], true[special])
    zero = true == 0
    np.testing.assert_array_equal(np.signbit(got[zero]), np.signbit(true[zero]))


@pytest.mark.parametrize("name", sorted(mathlib.FUNCTIONS))
def test_scalars_and_vectors_have_the_same_bits(name, element):
    arguments = _arguments(name, element, 20_000)
    vector, scalar = (kernels(element, lanes)[name](*arguments) for lanes in (ir.LANES, 1))
    np.testing.assert_array_equal(vector, scalar)
    np.testing.assert_array_equal(np.signbit(vector[vector == 0]), np.signbit(scalar[vector == 0]))


@pytest.mark.parametrize(
    "name", ["tanh", "sin", "tan", "expm1", "log1p", "asinh", "atanh", "asin", "atan", "sinh", "cbrt"]
)
def test_odd_functions_keep_the_sign_of_zero_and_subnormal_numbers(name, element):
    x = edges(DTYPES[element])[[0, 1, 12, 13]]
    got = kernels(element, ir.LANES)[name](x)
    np.testing.assert_array_equal(np.signbit(got), [False, False, True, True])
    if name != "cbrt":
        np.testing.assert_array_equal(got, x)


def test_powers_of_two_are_exact(element):
    info = np.finfo(DTYPES[element])
    exponents = np.arange(info.minexp - info.nmant, info.maxexp, dtype=DTYPES[element])
    powers = np.ldexp(DTYPES[element](1), exponents.astype(int))
    np.testing.assert_array_equal(kernels(element, ir.LANES)["exp2"](exponents), powers)
    np.testing.assert_array_equal(kernels(element, ir.LANES)["log2"](powers), exponents)


@pytest.mark.parametrize("name", ["sin", "cos", "tan"])
def test_the_hardest_angles(name):
    """Doubles closest to multiples of pi/2 for their size: nothing but exact reduction gets them right."""
    x = np.array([6381956970095103 * 2.0**797, 5.319372648326541e255, 2.0**1023, 1e22, 6e15, 355.0, 2.0**28])
    got = kernels("double", ir.LANES)[name](x)
    with mpmath.workdps(400):
        true = [getattr(mpmath, name)(mpmath.mpf(float(v))) for v in x]
        errors = [abs(mpmath.mpf(float(g)) / t - 1) for g, t in zip(got, true, strict=True)]
    assert max(errors) < 4 * 2.0**-53


def test_the_bound_would_notice_an_error_of_three_ulp():
    x = np.linspace(0.1, 3, 1000, dtype=np.float32)
    true = np.exp(x.astype(np.float64))
    wrong = true.astype(np.float32)
    for _ in range(3):
        wrong = np.nextafter(wrong, np.float32(np.inf))
    assert ulps(wrong, true).min() > 2
    assert ulps(true.astype(np.float32), true).max() <= 0.5


def _quick_ulps(got, true):
    """Return `ulps` of float32 results with float64 truth, by bits: a power of two is a number without its fraction."""
    with np.errstate(all="ignore"):
        rounded = true.astype(np.float32)
        power = (true.view(np.uint64) & np.uint64(0x7FF << 52)).view(np.float64)
        error = np.abs(got - true) * (2.0**23 / np.maximum(power, 2.0**-126))
    error[(rounded == got) & ~np.isfinite(got) | np.isnan(rounded) & np.isnan(got)] = 0
    return np.where(np.isnan(error), np.inf, error)


def test_the_quick_measure_agrees():
    x = samples(np.float32, 50_000)
    true = truth("exp", x.astype(np.float64))
    got = kernels("float", ir.LANES)["exp"](x)
    np.testing.assert_array_equal(_quick_ulps(got, true), ulps(got, true))
    assert np.isinf(_quick_ulps(np.float32([np.nan, 1, np.inf]), np.array([1, np.nan, 1.0]))).all()


@pytest.mark.skipif(os.environ.get("WENGERT_ALL_FLOATS") != "1", reason="every float32: set WENGERT_ALL_FLOATS=1")
@pytest.mark.parametrize("name", UNARY)
def test_every_float(name):
    kernel = kernels("float", ir.LANES)[name]
    for high in range(1024):
        x = (np.arange(1 << 22, dtype=np.uint32) | np.uint32(high << 22)).view(np.float32)
        with np.errstate(invalid="ignore"):  # signalling NaN
            wide = x.astype(np.float64)
        error = _quick_ulps(kernel(x), truth(name, wide))
        worst = int(np.argmax(error))
        assert error[worst] <= 2, f"{name}({float(x[worst])!r}): {error[worst]} ulp"
