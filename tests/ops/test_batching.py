"""Every record for many examples at once: vmap over each choice of its operands is a Python loop, and so are the
derivatives of both modes, inside of vmap and of what vmap made."""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as w
from wengert import fft, linalg
from wengert.ops.batching import Loop
from wengert.ops.index import ARRAY
from wengert.ops.lowering import Elementwise, View
from wengert.ops.operands import operand
from wengert.ops.table import TABLE, Case, Primitive
from wengert.record.recorder import record

N = 3
INTEGERS = Case(((2, 3), (3,)), fixed={0: [[6, 3, 1], [9, 12, 5]], 1: [3, 1, 2]})
WHOLE = slice(None)

assert fft and linalg  # their records are in the table once they are imported

# Records without cases of their own, or whose cases do not reach all of their rule.
MORE: dict[str, list[Case]] = {
    **{f"bitwise_{name}": [INTEGERS] for name in ("and", "or", "xor", "left_shift", "right_shift")},
    "bitwise_invert": [Case(((3,),), fixed={0: [1, 5, 9]})],
    "argsort": [Case(((2, 3),), (1, False)), Case(((4,),), (0, True))],
    "argmax": [Case(((2, 3),), (None, False)), Case(((2, 3),), (None, True)), Case(((2, 3),), (0, True))],
    "argmin": [Case(((2, 3),), (None, False)), Case(((),), (None, False))],
    "all": [Case(((2, 3),), ((0,), False)), Case(((2, 3),), ((0, 1), True))],
    "any": [Case(((2, 3),), ((), False)), Case(((2, 3),), ((1,), False))],
    "isin": [Case(((2, 2), (3,)), (False,), fixed={0: [[1, 2], [3, 4]], 1: [1, 4, 7]})],
    "searchsorted": [
        Case(((3,), (2, 2), (0,)), ("left",), fixed={0: [1.0, 2.0, 5.0], 1: [[0.0, 2.0], [3.0, 9.0]], 2: []}),
        Case(((3,), (2,), (3,)), ("right",), fixed={0: [5.0, 1.0, 2.0], 1: [2.0, 3.0], 2: [1, 2, 0]}),
    ],
    "completion": [Case(((3, 2),), ("qr",)), Case(((3, 2),), ("svd",))],
    "last_written": [
        Case(((3,),), ((ARRAY,), (4,)), fixed={0: [1, 2, 1]}),
        Case(((2,), (2,)), ((ARRAY, WHOLE, ARRAY), (3, 2, 3)), fixed={0: [1, 1], 1: [2, 2]}),
    ],
    "take": [
        Case(((3, 2, 4), (2,)), ((WHOLE, WHOLE, ARRAY),), fixed={1: [3, 0]}),
        Case(((3, 2, 4), (2,), (2,)), ((ARRAY, WHOLE, ARRAY),), fixed={1: [2, 0], 2: [1, 3]}),
        Case(((3, 2, 4), (2, 2)), ((WHOLE, 1, ARRAY),), fixed={1: [[3, 0], [1, 1]]}),
        Case(((3, 2, 4), (2,)), ((None, 1, WHOLE, ARRAY),), fixed={1: [3, 0]}),
        Case(((3, 2, 4), (2,)), ((Ellipsis, ARRAY, None),), fixed={1: [3, 0]}),
        Case(((3, 2, 4), (2,), (3, 1)), ((WHOLE, ARRAY, ARRAY),), fixed={1: [1, 0], 2: [[3], [2], [0]]}),
        Case(((3, 4), (0,)), ((WHOLE, ARRAY),), fixed={1: np.zeros(0, np.int64)}),
    ],
    "place": [
        Case(((3, 2, 2), (2,)), ((WHOLE, WHOLE, ARRAY), (3, 2, 4)), fixed={1: [3, 3]}),
        Case(((2, 2), (2,), (2,)), ((ARRAY, WHOLE, ARRAY), (3, 2, 4)), fixed={1: [2, 2], 2: [1, 1]}),
    ],
    "setitem": [
        Case(((3, 2, 4), ()), ((WHOLE, 1),)),
        Case(((3, 2, 4), (2, 1), (2,)), ((1, WHOLE, ARRAY),), fixed={2: [3, 0]}),
        Case(((3, 2, 4), (2, 2), (2,), (2,)), ((ARRAY, WHOLE, ARRAY),), fixed={2: [2, 2], 3: [1, 1]}),
    ],
    "concat": [Case(((2,), (1,)), (0,))],
    "matmul": [
        Case(((1, 4), (4, 3))),
        Case(((3, 4), (4, 1))),
        Case(((2, 1, 3), (2, 3, 1))),
        Case(((3, 4), (5, 4, 1))),
        Case(((5, 2, 4), (4, 1))),
    ],
    "sum_to": [Case(((2, 3, 4),), ((),)), Case(((2, 1, 4),), ((1, 4),)), Case(((1, 3),), ((1, 1),))],
    "broadcast_to": [Case(((),), ((2, 2),)), Case(((1, 3),), ((2, 3),))],
    "reshape": [Case(((2, 3),), ((6,),)), Case(((1,),), ((),))],
    "solve": [Case(((2, 2), (3, 2, 1)), made=lambda a, b: (a + 4 * w.eye(2, dtype=w.float64), b))],
    "segment_max": [Case(((4,), (4,)), (3,), fixed={1: [0, 2, 0, 1]})],
    "detach": [Case(((2, 3),))],
}  # fmt: skip


def cases(primitive: Primitive) -> list[Case]:
    more = MORE.get(primitive.name, [])
    return more if primitive.name.startswith("bitwise") else [*primitive.cases, *more]


CASES = [
    pytest.param(primitive, case, id=f"{name}-{i}")
    for name, primitive in TABLE.items()
    for i, case in enumerate(cases(primitive))
]


class Calling:
    """A record on N examples of each operand: those that are fixed, moved along a little from one to the next."""

    def __init__(self, primitive: Primitive, case: Case) -> None:
        rng = np.random.default_rng(7)
        self.primitive, self.case, fixed = primitive, case, case.fixed or {}
        self.examples = [
            [operand(np.roll(operand(fixed[i]).numpy(), k)) if i in fixed else self.draw(rng, shape) for k in range(N)]
            for i, shape in enumerate(case.shapes)
        ]
        if primitive.name == "searchsorted":  # what is searched must be sorted
            lists = [np.sort(x.numpy()) + k for k, x in enumerate(self.examples[0])]
            orders = [np.roll(np.arange(3), k) for k in range(N)] if case.shapes[2] == (3,) else None
            if orders is not None:
                lists = [x[np.argsort(order)] for x, order in zip(lists, orders, strict=True)]
                self.examples[2] = [w.tensor(order) for order in orders]
            self.examples[0] = [w.tensor(x) for x in lists]
        self.real = [i for i, x in enumerate(self.examples) if i not in fixed and x[0].dtype.kind in "fc"]
        self.bars = self.directions = ()

    def draw(self, rng: Any, shape: tuple[int, ...]) -> Any:
        case = self.case
        real = rng.uniform(case.low, case.high, shape)
        return w.tensor(real + 1j * rng.uniform(case.low, case.high, shape) if case.complex else real)

    def __call__(self, *operands: Any) -> Any:
        made = self.case.made(*operands) if self.case.made is not None else operands
        return record(self.primitive, *made, params=self.case.params)

    def choices(self) -> list[tuple[int | None, ...]]:
        """Each choice of the operands that have examples."""
        return [axes for axes in itertools.product([0, None], repeat=len(self.examples)) if any(a == 0 for a in axes)]

    def given(self, axes: tuple[int | None, ...]) -> list[Any]:
        return [w.stack(x) if axis == 0 else x[0] for x, axis in zip(self.examples, axes, strict=True)]

    def loop(self, f: Callable[..., Any], axes: tuple[int | None, ...]) -> np.ndarray[Any, Any]:
        """Stack what f makes of each example."""
        rows = zip(*[x if axis == 0 else [x[0]] * N for x, axis in zip(self.examples, axes, strict=True)], strict=True)
        return np.stack([f(*row).detach().numpy() for row in rows])


def close(found: Any, expected: Any) -> None:
    values = found.detach().numpy()
    np.testing.assert_allclose(values, expected, rtol=1e-11, atol=1e-12)
    assert values.dtype == expected.dtype and values.shape == expected.shape


@pytest.mark.parametrize(("primitive", "case"), CASES)
def test_values_are_those_of_a_loop(primitive: Primitive, case: Case) -> None:
    call = Calling(primitive, case)
    for axes in call.choices():
        found, expected = w.vmap(call, in_axes=axes)(*call.given(axes)), call.loop(call, axes)
        close(found, expected)
        if isinstance(primitive.lower, Elementwise | View):  # the bit rule
            np.testing.assert_array_equal(found.numpy(), expected)


def pushed(call: Calling) -> Callable[..., Any]:
    """The tangent of the record along all its real operands, each moved by itself plus one."""

    def f(*x: Any) -> Any:
        def of_reals(*reals: Any) -> Any:
            mixed = list(x)
            for i, each in zip(call.real, reals, strict=True):
                mixed[i] = each
            return call(*mixed)

        at = tuple(x[i] for i in call.real)
        return w.jvp(of_reals, at, tuple(each.detach() * 0.5 + 1 for each in at))[1]

    return f


def pulled(call: Calling, which: int) -> Callable[..., Any]:
    """The adjoint of one operand, for an adjoint of the result that depends on its place."""

    def f(*x: Any) -> Any:
        y, pullback = w.vjp(lambda a: call(*x[:which], a, *x[which + 1 :]), x[which])
        return pullback((w.arange(y.size, dtype=w.float64) + 1).reshape(y.shape).astype(y.dtype))[0]

    return f


DIFFERENTIABLE = [p for p in CASES if p.values[0].differentiable]


@pytest.mark.parametrize(("primitive", "case"), DIFFERENTIABLE)
def test_derivatives_inside_of_vmap_are_those_of_a_loop(primitive: Primitive, case: Case) -> None:
    call = Calling(primitive, case)
    for axes in call.choices():
        for f in (pushed(call), *[pulled(call, i) for i in call.real]):
            close(w.vmap(f, in_axes=axes)(*call.given(axes)), call.loop(f, axes))


@pytest.mark.parametrize(("primitive", "case"), DIFFERENTIABLE)
def test_derivatives_of_what_vmap_made_are_those_of_a_loop(primitive: Primitive, case: Case) -> None:
    call = Calling(primitive, case)
    for axes in call.choices():
        given = call.given(axes)
        batched = w.vmap(call, in_axes=axes)
        slow = lambda *x: w.stack(  # noqa: E731
            [call(*[each[k] if axis == 0 else each for each, axis in zip(x, axes, strict=True)]) for k in range(N)]  # noqa: B023
        )

        def over(f: Any, which: Any, given: Any = given) -> Any:
            def of(*reals: Any) -> Any:
                mixed = list(given)
                for i, each in zip(which, reals, strict=True):
                    mixed[i] = each
                return f(*mixed)

            return of, tuple(given[i] for i in which)

        f, at = over(batched, call.real)
        g, _ = over(slow, call.real)
        dots = tuple(each * 0.5 + 1 for each in at)
        close(w.jvp(f, at, dots)[1], w.jvp(g, at, dots)[1].detach().numpy())
        y, pull = w.vjp(f, *at)
        y_bar = (w.arange(y.size, dtype=w.float64) + 1).reshape(y.shape).astype(y.dtype)
        for found, expected in zip(pull(y_bar), w.vjp(g, *at)[1](y_bar), strict=True):
            close(found, expected.detach().numpy())


@pytest.mark.parametrize(("primitive", "case"), [p for p in CASES if len(p.values[1].shapes) == 1])
def test_vmap_of_vmap_and_no_examples(primitive: Primitive, case: Case) -> None:
    call = Calling(primitive, case)
    (x,) = call.given((0,))
    once = call.loop(call, (0,))
    close(w.vmap(w.vmap(call))(w.stack([x, x])), np.stack([once, once]))
    found = w.vmap(w.vmap(call), in_axes=1, out_axes=1)(w.stack([x, x]))
    close(found, np.stack([once, once]))
    if case.made is None and not isinstance(primitive.batch, Loop):
        assert w.vmap(call)(x[:0]).shape == (0, *once.shape[1:])


def test_every_record_is_in_the_checks() -> None:
    assert {p.values[0].name for p in CASES} == set(TABLE)
