"""Every record of the table: both modes of differentiation to order 2, and values against NumPy."""

import doctest
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import special

import wengert
from wengert import fft, linalg, namespace
from wengert.compiler import engine
from wengert.ops import builders
from wengert.ops.batching import Broadcast
from wengert.ops.lowering import NumPy
from wengert.ops.operands import operand
from wengert.ops.table import TABLE, Case, NoDerivative, Primitive, Slopes, define
from wengert.record.recorder import record

CASES = [
    pytest.param(primitive, case, id=f"{name}-{i}")
    for name, primitive in TABLE.items()
    if primitive.differentiable
    for i, case in enumerate(primitive.cases)
]


def call(primitive: Primitive, case: Case) -> tuple[Any, tuple[Any, ...]]:
    """The primitive as a function of the operands that are drawn, and those operands in float64 or complex128."""
    rng = np.random.default_rng(5)

    def draw(shape: tuple[int, ...]) -> Any:
        real = rng.uniform(case.low, case.high, shape)
        return wengert.tensor(real + 1j * rng.uniform(case.low, case.high, shape) if case.complex else real)

    fixed = {i: operand(value) for i, value in (case.fixed or {}).items()}
    drawn = tuple(draw(shape) for i, shape in enumerate(case.shapes) if i not in fixed)

    def function(*given: Any) -> Any:
        free = iter(given)
        operands = [fixed[i] if i in fixed else next(free) for i in range(len(case.shapes))]
        if case.made is not None:
            operands = list(case.made(*operands))
        return record(primitive, *operands, params=case.params)

    return function, drawn


@pytest.mark.parametrize(("primitive", "case"), CASES)
def test_derivatives_to_order_two(primitive: Primitive, case: Case) -> None:
    wengert.check_gradients(*call(primitive, case), order=2)


@pytest.mark.parametrize(("primitive", "case"), CASES)
def test_inferred_spec_is_the_computed_one(primitive: Primitive, case: Case) -> None:
    function, drawn = call(primitive, case)
    y = function(*drawn)
    values = y.detach().numpy()
    assert (values.shape, values.dtype) == (y.shape, y.dtype)


def test_every_differentiable_record_is_in_the_checks() -> None:
    assert {p.values[0].name for p in CASES} == {name for name, p in TABLE.items() if p.differentiable}


EDGES = np.array([0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 1e30, -1e30, np.inf, -np.inf, np.nan])
MOST_ULPS = {"float32": 2, "float64": 4}  # what `compiler.mathlib` promises


def ulps(found: Any, expected: Any) -> Any:
    """How many floating-point numbers lie between two arrays of one dtype, element by element; 0 for two NaNs."""

    def places(x: Any) -> Any:
        bits = x.view(f"i{x.dtype.itemsize}").astype(object)  # Python's integers do not overflow
        return np.where(bits < 0, -(bits & np.iinfo(f"i{x.dtype.itemsize}").max), bits)

    return np.where(np.isnan(found) & np.isnan(expected), 0, np.abs(places(found) - places(expected)))


def assert_as_numpy(name: str, found: Any, function: Callable[..., Any], *x: Any) -> None:
    """The values are NumPy's to the bit where IEEE fixes them. Elsewhere NaN, infinities and zeros with their signs are
    those of the exact value, and all others near it; NumPy's long doubles stand for the exact value."""
    exact = TABLE[name].lower.exact
    with np.errstate(all="ignore"):
        expected = function(*x) if exact else function(*[each.astype(np.longdouble) for each in x]).astype(x[0].dtype)
    special = np.full(expected.shape, True) if exact else ~np.isfinite(expected) | (expected == 0)
    np.testing.assert_array_equal(found[special], expected[special], strict=True)
    signed = special & ~np.isnan(expected)
    if name not in ("maximum", "minimum"):  # of 0.0 and -0.0 either is the larger
        np.testing.assert_array_equal(np.signbit(found[signed]), np.signbit(expected[signed]))
    if not exact:
        assert np.max(ulps(found, expected)) <= MOST_ULPS[str(expected.dtype)]


def test_ulps_counts_the_numbers_between() -> None:
    for dtype in ("float32", "float64"):
        one, tiny = np.ones(1, dtype), np.finfo(dtype).smallest_subnormal.reshape(1)
        assert ulps(one, np.nextafter(np.nextafter(one, 2), 2)) == 2
        assert ulps(tiny, -tiny) == 2 and ulps(one * 0, -one * 0) == 0
        assert ulps(one * np.nan, one) > 1 << 20 and ulps(one * np.inf, np.finfo(dtype).max.reshape(1)) == 1


NUMPY = {
    "asin": np.arcsin, "acos": np.arccos, "atan": np.arctan,
    "asinh": np.arcsinh, "acosh": np.arccosh, "atanh": np.arctanh,
    **{n: getattr(np, n) for n in [
        "negative", "positive", "abs", "square", "reciprocal", "sqrt", "exp", "expm1", "log", "log1p", "log2",
        "log10", "sin", "cos", "tan", "sinh", "cosh", "tanh", "sign", "floor", "ceil", "trunc", "round",
        "isnan", "isinf", "isfinite", "logical_not",
    ]},
}  # fmt: skip


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", NUMPY)
def test_values_at_edges_are_numpys(name: str, dtype: str) -> None:
    x = EDGES.astype(dtype)
    assert_as_numpy(name, getattr(wengert, name)(wengert.tensor(x)).numpy(), NUMPY[name], x)


def floor_divide(x1: Any, x2: Any) -> Any:
    """The Array API's: a quotient of which one operand is infinite is not rounded down."""
    infinite = np.isinf(x1) != np.isinf(x2)
    return np.where(infinite & ~np.isnan(x1 + x2), x1 / x2, np.floor_divide(x1, x2))


BINARY = {
    "add": np.add, "subtract": np.subtract, "multiply": np.multiply, "divide": np.divide, "pow": np.power,
    "atan2": np.arctan2, "hypot": np.hypot, "logaddexp": np.logaddexp, "maximum": np.maximum, "minimum": np.minimum,
    "floor_divide": floor_divide, "remainder": np.remainder, "copysign": np.copysign, "equal": np.equal,
    "not_equal": np.not_equal, "less": np.less, "less_equal": np.less_equal, "greater": np.greater,
    "greater_equal": np.greater_equal, "logical_and": np.logical_and, "logical_or": np.logical_or,
    "logical_xor": np.logical_xor,
}  # fmt: skip


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", BINARY)
def test_pairs_of_edges_are_numpys(name: str, dtype: str) -> None:
    x1, x2 = EDGES.astype(dtype)[:, None], EDGES.astype(dtype)[None, :]
    found = getattr(wengert, name)(wengert.tensor(x1), wengert.tensor(x2)).numpy()
    assert_as_numpy(name, found, BINARY[name], x1, x2)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", [n for n in [*NUMPY, *BINARY] if TABLE[n].lower.exact])
def test_compiled_code_gives_the_bits_that_ieee_fixes(name: str, dtype: str) -> None:
    """What the interpreter leaves to NumPy, a plan compiles: at the same edges, to the same bits."""
    primitive, x = TABLE[name], EDGES.astype(dtype)
    values = [x] if name in NUMPY else [x[:, None].repeat(x.size, 1), x[None, :].repeat(x.size, 0)]
    spec = record(primitive, *map(wengert.tensor, values)).entry.spec
    found = engine.alone(primitive, (), values, spec)
    if isinstance(primitive.lower, NumPy):
        assert found is None
    else:
        assert_as_numpy(name, found, {**NUMPY, **BINARY}[name], *values)


BUILT = [
    name
    for place in (namespace, linalg, fft)
    for name, function in vars(place).items()
    if getattr(function, "__globals__", None) is vars(builders)
]


@pytest.mark.parametrize("name", BUILT)
def test_the_examples_of_built_functions(name: str) -> None:
    """Functions that a builder makes stand in no module where pytest would find their docstrings."""
    (example,) = doctest.DocTestFinder(recurse=False).find(getattr(wengert, name), name, module=False)
    assert len(example.examples) == 2
    assert doctest.DocTestRunner().run(example).failed == 0


def test_all_functions_of_one_and_two_operands_are_built() -> None:
    assert {"exp", "relu", "isnan", "add", "less", "bitwise_and"} <= set(BUILT) and len(BUILT) > 60


@pytest.mark.parametrize(
    "name", ["add", "multiply", "subtract", "floor_divide", "remainder", "bitwise_and", "bitwise_xor"]
)
def test_integers_are_numpys(name: str) -> None:
    x1, x2 = np.array([7, -7, 0, 5]), np.array([2, 3, 4, 0])
    with np.errstate(all="ignore"):
        expected = getattr(np, name)(x1, x2)
    np.testing.assert_array_equal(getattr(wengert, name)(wengert.tensor(x1), x2).numpy(), expected, strict=True)


@pytest.mark.parametrize("axis", [None, 0, 1, -1, (0, 2)])
@pytest.mark.parametrize("name", ["sum", "prod", "max", "min", "mean", "var", "std", "all", "any"])
def test_reductions_are_numpys(name: str, axis: Any) -> None:
    x = np.random.default_rng(1).normal(size=(3, 4, 5))
    for keepdims in (False, True):
        found = getattr(wengert, name)(wengert.tensor(x), axis=axis, keepdims=keepdims).numpy()
        np.testing.assert_allclose(found, getattr(np, name)(x, axis=axis, keepdims=keepdims), rtol=1e-12, strict=True)


def test_reductions_of_nothing() -> None:
    empty = wengert.zeros((0, 3), dtype="float64")
    assert wengert.sum(empty, axis=0).tolist() == [0, 0, 0]
    assert wengert.prod(empty, axis=0).tolist() == [1, 1, 1]
    assert np.isnan(wengert.mean(empty).item())
    with pytest.raises(wengert.errors.ArgumentError, match=r"max: shape \(0, 3\) has no elements"):
        wengert.max(empty)


def test_small_integers_are_summed_in_64_bits() -> None:
    x = wengert.full(1000, 100, dtype="int8")
    assert (wengert.sum(x).item(), wengert.sum(x).dtype) == (100_000, wengert.int64)


def test_special_functions_against_scipy() -> None:
    x = np.linspace(-6, 6, 101)
    np.testing.assert_allclose(wengert.erf(wengert.tensor(x)).numpy(), special.erf(x), rtol=1e-14)
    np.testing.assert_allclose(wengert.sigmoid(wengert.tensor(x * 50)).numpy(), special.expit(x * 50), rtol=1e-14)
    np.testing.assert_allclose(
        wengert.logsumexp(wengert.tensor(x * 200).reshape(1, -1), axis=1).numpy(),
        [special.logsumexp(x * 200)],
        rtol=1e-14,
    )


def _primitive(**changed: Any) -> Primitive:
    cells = {
        "name": "untried",
        "run": np.sin,
        "infer": lambda spec: spec,
        "derivative": Slopes((1,)),
        "lower": NumPy("it is tried here only"),
        "batch": Broadcast(),
        "cases": (Case(((2,),)),),
    }
    return Primitive(**(cells | changed))


@pytest.mark.parametrize(
    ("changed", "missing"),
    [
        ({"run": None}, "run must be a function"),
        ({"infer": None}, "infer must be a function"),
        ({"derivative": None}, "give its derivative"),
        ({"derivative": NoDerivative("")}, "say why"),
        ({"derivative": Slopes((2,))}, "a slope is"),
        ({"lower": None}, "say how it is compiled"),
        ({"lower": "sin"}, "say how it is compiled"),
        ({"batch": None}, "say how it is computed for many examples"),
        ({"cases": ()}, "needs cases"),
        ({"name": "sin"}, "two records"),
    ],
)
def test_an_incomplete_record_is_refused(changed: dict[str, Any], missing: str) -> None:
    with pytest.raises(ValueError, match=missing):
        define(_primitive(**changed))
    assert "untried" not in TABLE


@pytest.mark.parametrize("cell", ["name", "run", "infer", "derivative", "lower", "batch"])
def test_a_record_without_a_cell_cannot_be_written(cell: str) -> None:
    cells = {"name": "untried", "run": np.sin, "infer": len, "derivative": Slopes((1,)), "lower": NumPy("it is tried")}
    cells["batch"] = Broadcast()
    del cells[cell]
    with pytest.raises(TypeError, match=f"'{cell}'"):
        Primitive(**cells)
