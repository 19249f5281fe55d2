"""Every record of the table: both modes of differentiation to order 2, and values against NumPy."""

from typing import Any

import numpy as np
import pytest
from scipy import special

import wengert
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
    """The primitive as a function of the operands that are drawn, and those operands in float64."""
    rng = np.random.default_rng(5)
    fixed = {i: operand(value) for i, value in (case.fixed or {}).items()}
    drawn = tuple(
        wengert.tensor(rng.uniform(case.low, case.high, shape)) for i, shape in enumerate(case.shapes) if i not in fixed
    )

    def function(*given: Any) -> Any:
        free = iter(given)
        operands = [fixed[i] if i in fixed else next(free) for i in range(len(case.shapes))]
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
    with np.errstate(all="ignore"):
        expected = NUMPY[name](x)
    found = getattr(wengert, name)(wengert.tensor(x)).numpy()
    np.testing.assert_array_equal(found, expected, strict=True)
    np.testing.assert_array_equal(np.signbit(found), np.signbit(expected))


BINARY = {
    "add": np.add, "subtract": np.subtract, "multiply": np.multiply, "divide": np.divide, "pow": np.power,
    "atan2": np.arctan2, "hypot": np.hypot, "logaddexp": np.logaddexp, "maximum": np.maximum, "minimum": np.minimum,
    "floor_divide": np.floor_divide, "remainder": np.remainder, "copysign": np.copysign, "equal": np.equal,
    "not_equal": np.not_equal, "less": np.less, "less_equal": np.less_equal, "greater": np.greater,
    "greater_equal": np.greater_equal, "logical_and": np.logical_and, "logical_or": np.logical_or,
    "logical_xor": np.logical_xor,
}  # fmt: skip


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", BINARY)
def test_pairs_of_edges_are_numpys(name: str, dtype: str) -> None:
    x1, x2 = EDGES.astype(dtype)[:, None], EDGES.astype(dtype)[None, :]
    with np.errstate(all="ignore"):
        expected = BINARY[name](x1, x2)
    found = getattr(wengert, name)(wengert.tensor(x1), wengert.tensor(x2)).numpy()
    np.testing.assert_array_equal(found, expected, strict=True)


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
        ({"cases": ()}, "needs cases"),
        ({"name": "sin"}, "two records"),
    ],
)
def test_an_incomplete_record_is_refused(changed: dict[str, Any], missing: str) -> None:
    with pytest.raises(ValueError, match=missing):
        define(_primitive(**changed))
    assert "untried" not in TABLE
