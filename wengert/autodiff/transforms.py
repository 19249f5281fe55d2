"""Functions to functions: grad, value_and_grad, jvp, vjp, jacobian, hessian, hvp.

Each runs the user's function on aliases of its arguments, takes the list that this recorded, and walks it. The
results are recorded themselves where something outside is being differentiated, so transforms nest to any order
and in any mixture; elsewhere they are plain values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from ..dtypes import as_floating
from ..errors import ArgumentError, GradientError, ShapeError
from ..ops.creation import eye
from ..ops.identity import alias, detach
from ..ops.join import concat
from ..ops.operands import cast, filled, operand
from ..ops.shape import for_each, reshape
from ..record.entry import Entry
from ..record.lists import lines
from ..record.recorder import STATE, tracking
from ..record.virtual import Virtual
from . import trees
from .forward import push_forward
from .replay import over_examples
from .reverse import pull_back

if TYPE_CHECKING:
    from ..tensor import Tensor

Function = Callable[..., Any]
ALL = slice(None)
MOST_BYTES = 1 << 26  # of one value while a Jacobian's walks are made together


@contextmanager
def no_grad() -> Iterator[None]:
    """Record without derivatives: results inside require no gradient, and leaves may be written to.

    >>> import wengert
    >>> w = wengert.tensor(1.0, requires_grad=True)
    >>> with wengert.no_grad():
    ...     w -= 0.5
    >>> w.item(), w.requires_grad
    (0.5, True)
    """
    with tracking(False):
        yield


class Run:
    """One run of a user's function on aliases of the arguments: its sources, its results, and what lies around."""

    def __init__(self, name: str, function: Function, args: tuple[Any, ...], argnums: tuple[int, ...], kwargs: Any):
        self.name, self.outer_tracking = name, STATE.tracking
        argnums = tuple([_place(name, args, i) for i in argnums])
        given, self.structure = trees.flatten([args[i] for i in argnums])
        with tracking(True):
            self.aliases = [alias(_real(name, x)) for x in given]
            for each in self.aliases:
                each.entry.tracked = True
            self.sources: list[Entry] = [each.entry for each in self.aliases]
            new = dict(zip(argnums, trees.build(self.structure, self.aliases), strict=True))
            result = function(*[new.get(i, arg) for i, arg in enumerate(args)], **kwargs)
            flat, self.result_structure = trees.flatten(result)
            self.results = [operand(y) for y in flat]
        self.create_graph = self.outer_tracking and self._reaches_out()

    def _reaches_out(self) -> bool:
        """Whether the results depend on something outside that is being differentiated."""
        first = min((source.number for source in self.sources), default=0)
        if any(operand.tracked for source in self.sources for operand in source.inputs):
            return True
        own = set(self.sources)
        entries = lines([y.entry for y in self.results if y.entry.tracked])
        return any(entry not in own and (entry.is_source or entry.number < first) for entry in entries)

    def value(self) -> Any:
        """Return the function's result, cut off from the aliases unless the outside is being differentiated."""
        if self.create_graph:
            return trees.build(self.result_structure, self.results)
        with tracking(False):
            return trees.build(self.result_structure, [detach(y) for y in self.results])

    def pull(self, y_bars: list[Tensor], which: slice = ALL) -> list[Tensor]:
        """Walk back to front from the given adjoints of the results (of `which`) to those of the arguments."""
        with tracking(self._recording(y_bars)):
            return pull_back([y.entry for y in self.results[which]], y_bars, self.sources)

    def push(self, x_dots: list[Tensor], which: slice = ALL) -> list[Tensor]:
        """Walk front to back from the given tangents of the arguments (of `which`) to those of the results."""
        with tracking(self._recording(x_dots)):
            return push_forward(self.sources[which], x_dots, [y.entry for y in self.results])

    def _recording(self, seeds: list[Tensor]) -> bool:
        return self.create_graph or (self.outer_tracking and any(seed.entry.tracked for seed in seeds))

    def single(self) -> Tensor:
        """Return the one real number the function computed, or raise."""
        if len(self.results) != 1 or self.results[0].size != 1 or self.results[0].dtype.kind != "f":
            shapes = ", ".join(f"{y.dtype.name}{list(y.shape)}" for y in self.results) or "nothing"
            raise GradientError(
                f"{self.name}: the function must return one real number, and returned {shapes}; sum it, or use vjp "
                "or jacobian."
            )
        return self.results[0]


def _place(name: str, args: tuple[Any, ...], i: int) -> int:
    """Return the place of an argument counted from the front."""
    if not -len(args) <= i < len(args):
        raise ArgumentError(f"{name}: argnums {i}, but the function was called with {len(args)} positional arguments.")
    return i % len(args)


def _real(name: str, x: Any) -> Tensor:
    tensor = operand(x)
    if not tensor.entry.spec.floating and hasattr(x, "entry"):
        raise GradientError(
            f"{name}: an argument of dtype {tensor.dtype.name} has no derivative; convert it to float32."
        )
    return cast(tensor, as_floating(tensor.entry.spec.dtype))


def _numbers(argnums: int | tuple[int, ...]) -> tuple[int, ...]:
    return (argnums,) if isinstance(argnums, int) else tuple(argnums)


def value_and_grad(f: Function, argnums: int | tuple[int, ...] = 0) -> Function:
    """Return a function computing f's value and its gradient by the given arguments, by one reverse walk.

    f must return one real number. The gradient has the structure (nested lists, tuples, dicts) and shapes of the
    argument, or is a tuple of such for several argnums. Raises `GradientError` otherwise.

    >>> import wengert
    >>> value, slope = wengert.value_and_grad(lambda x: x * x)(3.0)
    >>> value.item(), slope.item()
    (9.0, 6.0)
    """

    def function(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        run = Run("grad", f, args, _numbers(argnums), kwargs)
        y = run.single()
        bars = trees.build(run.structure, run.pull([filled(y.shape, 1, y.dtype)]))
        return run.value(), bars[0] if isinstance(argnums, int) else tuple(bars)

    return function


def grad(f: Function, argnums: int | tuple[int, ...] = 0) -> Function:
    """Return a function computing the gradient of f; see `value_and_grad`.

    >>> import wengert
    >>> wengert.grad(wengert.grad(lambda x: x**3))(2.0).item()
    12.0
    """
    both = value_and_grad(f, argnums)
    return lambda *args, **kwargs: both(*args, **kwargs)[1]


def _seeds(name: str, given: Any, like: list[Tensor], what: str) -> list[Tensor]:
    """Return tangents or adjoints as tensors of the dtypes of what they belong to; shapes must be equal."""
    flat, _ = trees.flatten(given)
    if len(flat) != len(like):
        raise ShapeError(f"{name}: {len(flat)} {what} were given for {len(like)} tensors; give one for each.")
    seeds = [cast(operand(seed, x.dtype), x.dtype) for seed, x in zip(flat, like, strict=True)]
    for seed, x in zip(seeds, like, strict=True):
        if seed.shape != x.shape:
            raise ShapeError(f"{name}: one of the {what} has shape {seed.shape} beside {x.shape}; they must be equal.")
    return seeds


def jvp(f: Function, primals: Any, tangents: Any) -> tuple[Any, Any]:
    """Return (y, y_dot): f's value and its derivative along the tangents, by one forward walk.

    primals: a tuple of arguments; tangents: a tuple of the same structure and shapes.

    >>> import wengert
    >>> y, y_dot = wengert.jvp(lambda x: x * x, (3.0,), (1.0,))
    >>> y.item(), y_dot.item()
    (9.0, 6.0)
    """
    args = tuple(primals) if isinstance(primals, tuple | list) else (primals,)
    dots = tangents if isinstance(tangents, tuple | list) else (tangents,)
    run = Run("jvp", f, args, tuple(range(len(args))), {})
    y_dots = run.push(_seeds("jvp", list(dots), run.aliases, "tangents"))
    return run.value(), trees.build(run.result_structure, y_dots)


def vjp(f: Function, *primals: Any) -> tuple[Any, Function]:
    """Return (y, pullback): pullback(y_bar) returns the adjoints of the primals as a tuple.

    y_bar has the structure and shapes of y. The pullback may be called any number of times.

    >>> import wengert
    >>> y, pullback = wengert.vjp(lambda a, b: a * b, 3.0, 4.0)
    >>> [x_bar.item() for x_bar in pullback(1.0)]
    [4.0, 3.0]
    """
    run = Run("vjp", f, primals, tuple(range(len(primals))), {})

    def pullback(y_bar: Any) -> tuple[Any, ...]:
        bars = run.pull(_seeds("vjp", y_bar, run.results, "adjoints"))
        return tuple(trees.build(run.structure, bars))

    return run.value(), pullback


def jacobian(f: Function, argnums: int = 0, *, mode: str = "auto") -> Function:
    """Return a function computing all first derivatives of f's results by one argument.

    For a result of shape s and an argument of shape t the Jacobian has shape s + t; nested results and arguments
    give nested Jacobians (results outside). mode: "forward" takes one walk per input element, "reverse" one per
    output element, "auto" the one with fewer; the walks are made at once, as `vmap` would, in portions where values
    would grow beyond 64 MB. Raises `ArgumentError` for another mode.

    >>> import wengert
    >>> wengert.jacobian(lambda x: x * x)(wengert.tensor([1.0, 2.0])).tolist()
    [[2.0, 0.0], [0.0, 4.0]]
    """
    if mode not in ("forward", "reverse", "auto"):
        raise ArgumentError(f"jacobian: mode {mode!r} must be 'forward', 'reverse' or 'auto'.")

    def function(*args: Any, **kwargs: Any) -> Any:
        run = Run("jacobian", f, args, (argnums,), kwargs)
        n = sum(x.size for x in run.aliases)
        m = sum(y.size for y in run.results)
        forward = mode == "forward" or (mode == "auto" and n <= m)
        with tracking(run.create_graph):
            blocks = _columns(run) if forward else _rows(run)
        outer = [trees.build(run.structure, row)[0] for row in blocks]
        return trees.build(run.result_structure, outer)

    return function


def _by_element(x: Tensor, run: Run, walk: Callable[[Tensor], list[Tensor]]) -> list[list[Tensor]]:
    """Return what `walk` makes of seeds that are 1 at one element of x and 0 at all others: for each portion of the
    elements, its results for all of them along a first axis. The walks of a portion are one."""
    n = x.size
    seeds = reshape(eye(n, dtype=x.dtype), (n, *x.shape))
    sizes = [each.spec.size * each.spec.dtype.itemsize for each in lines([y.entry for y in run.results])]
    at_once = max(1, MOST_BYTES // max([1, *sizes]))
    portions: list[list[Tensor]] = []
    for start in range(0, n, at_once):
        some = seeds if n <= at_once else seeds[start : start + at_once]
        m = some.shape[0]
        found = over_examples(m, partial(_walked, walk, some))
        portions.append([y if own else for_each(y, m) for y, own in found])
    return portions


def _walked(walk: Callable[[Tensor], list[Tensor]], seeds: Tensor, virtual: Virtual) -> list[Tensor]:
    return walk(virtual.example(seeds))


def _joined(parts: list[Tensor], shape: tuple[int, ...], like: Tensor) -> Tensor:
    return reshape(concat(parts) if len(parts) != 1 else parts[0], shape) if parts else filled(shape, 0, like.dtype)


def _rows(run: Run) -> list[list[Tensor]]:
    """Return blocks[i][j], the derivative of result i by argument j, by reverse walks."""
    blocks = []
    for i, y in enumerate(run.results):
        which = slice(i, i + 1)
        bars = _by_element(y, run, lambda y_bar, which=which: run.pull([y_bar], which))  # type: ignore[misc]
        row = [_joined([each[j] for each in bars], (*y.shape, *x.shape), y) for j, x in enumerate(run.aliases)]
        blocks.append(row)
    return blocks


def _columns(run: Run) -> list[list[Tensor]]:
    """Return blocks[i][j], the derivative of result i by argument j, by forward walks."""
    blocks: list[list[Tensor]] = [[] for _ in run.results]
    for j, x in enumerate(run.aliases):
        which = slice(j, j + 1)
        dots = _by_element(x, run, lambda x_dot, which=which: run.push([x_dot], which))  # type: ignore[misc]
        for i, y in enumerate(run.results):
            first = _joined([each[i] for each in dots], (x.size, y.size), y)
            blocks[i].append(reshape(first.T, (*y.shape, *x.shape)))
    return blocks


def hessian(f: Function, argnums: int = 0) -> Function:
    """Return a function computing all second derivatives of f, which returns one real number: forward over reverse.

    >>> import wengert
    >>> wengert.hessian(lambda x: (x**3).sum())(wengert.tensor([1.0, 2.0])).tolist()
    [[6.0, 0.0], [0.0, 12.0]]
    """
    return jacobian(grad(f, argnums), argnums, mode="forward")


def hvp(f: Function, primals: Any, tangents: Any) -> Any:
    """Return the product of f's Hessian with the tangents, without forming it: forward over reverse.

    primals, tangents: one tensor each, or tuples of arguments and their tangents (one gives a tensor back,
    several a tuple).

    >>> import wengert
    >>> wengert.hvp(lambda x: (x**3).sum(), wengert.tensor([1.0, 2.0]), wengert.tensor([1.0, 1.0])).tolist()
    [6.0, 12.0]
    """
    args = primals if isinstance(primals, tuple) else (primals,)
    dots = tangents if isinstance(tangents, tuple) else (tangents,)
    gradient = grad(f, tuple(range(len(args))))
    product = jvp(gradient, args, dots)[1]
    return product[0] if len(args) == 1 else product
