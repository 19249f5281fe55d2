"""vmap: a function of one example made a function of many.

The function runs once, on tensors that look like one example and have no value. What it records is recorded again for
all examples at once (`replay`), by the rule in the `batch` cell of each record, so the result is part of the list like
everything else: `vmap`, `grad`, `jvp` and the others nest in any order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..errors import ArgumentError, ShapeError
from ..ops.operands import operand
from ..ops.shape import axis_of, for_each, moveaxis
from ..record.recorder import wrap
from ..record.virtual import Virtual
from . import trees
from .replay import over_examples

if TYPE_CHECKING:
    from ..tensor import Tensor

Axes = Any  # an integer, None, or a nested structure of them


def vmap(f: Callable[..., Any], in_axes: Axes = 0, out_axes: Axes = 0) -> Callable[..., Any]:
    """Return a function that computes f for many examples at once, as a Python loop over them would.

    f: takes and returns tensors, or nested lists, tuples and dicts of them. in_axes: the axis along which the arguments
    hold the examples: one integer for all; None for what all examples share, which is passed on as it is; or a tuple
    with an entry for each argument, nested like the arguments where need be. Keyword arguments are shared.
    out_axes: where the results get the axis of the examples, in the same way; None for a result that is the same for
    all, which otherwise is repeated.

    f runs once, so inside of it a value that differs from example to example cannot be looked at (`if`, `float`,
    `print`, `x[mask]`): that is a `LookError`; choose with `wengert.where`. Writing to a tensor of its own is fine,
    writing to one from outside an error. Random masks (`nn.Dropout`) are drawn for each example.
    Raises `ArgumentError` where in_axes or out_axes do not fit, `ShapeError` where arguments have different numbers of
    examples.

    >>> import wengert
    >>> x, y = wengert.tensor([[1.0, 2.0], [3.0, 4.0]]), wengert.tensor([10.0, 20.0])
    >>> wengert.vmap(lambda a, b: a @ b, in_axes=(0, None))(x, y).tolist()
    [50.0, 110.0]
    >>> wengert.vmap(wengert.grad(lambda a: (a**3).sum()))(x).tolist()
    [[3.0, 12.0], [27.0, 48.0]]
    """
    _check_axes("in_axes", in_axes)
    _check_axes("out_axes", out_axes)

    def function(*args: Any, **kwargs: Any) -> Any:
        given: list[tuple[Any, int | None, str]] = []
        structure = _paired("in_axes", in_axes, args, "", given, shared_whole=True)
        n, fronts = _fronts(given)
        shapes: list[Any] = []

        def once(virtual: Virtual) -> list[Tensor]:
            leaves = [x if axis is None else virtual.example(fronts[i]) for i, (x, axis, _) in enumerate(given)]
            result = f(*trees.build(structure, leaves), **kwargs)
            placed: list[tuple[Any, int | None, str]] = []
            shapes.append((_paired("out_axes", out_axes, result, "the result", placed), placed))
            return [operand(y) for y, _, _ in placed]

        found = over_examples(n, once)
        result_structure, placed = shapes[0]
        results = [_placed(y, own, axis, n, name) for (y, own), (_, axis, name) in zip(found, placed, strict=True)]
        return trees.build(result_structure, results)

    name = getattr(f, "__name__", "function")
    function.__name__, function.__doc__ = f"vmap_of_{name}", getattr(f, "__doc__", None)
    return function


def _check_axes(name: str, axes: Axes) -> None:
    for axis in trees.flatten(axes)[0]:
        if not isinstance(axis, int) or isinstance(axis, bool):
            raise ArgumentError(f"vmap: {name} holds {axis!r}; an axis is an integer, or None.")


def _paired(
    name: str,
    axes: Axes,
    tree: Any,
    path: str,
    found: list[tuple[Any, int | None, str]],
    shared_whole: bool = False,
) -> Any:
    """Add each leaf of a tree with its axis and its name to `found`; return the structure. An axis for a whole tree
    stands for each leaf in it. shared_whole: what has no axis is one leaf, whatever it is."""
    if axes is None and shared_whole:
        found.append((tree, None, path))
        return trees.LEAF
    if tree is None:
        return None
    if isinstance(tree, dict | list | tuple):
        keys = list(tree) if isinstance(tree, dict) else list(range(len(tree)))
        parts = axes
        if axes is None or isinstance(axes, int):
            parts = dict.fromkeys(keys, axes)
        elif isinstance(axes, dict) != isinstance(tree, dict) or len(axes) != len(keys) or _lacks(axes, keys):
            raise ArgumentError(
                f"vmap: {name} {axes!r} does not fit {path or 'the arguments'}, a {type(tree).__name__} of {len(keys)};"
                " give one axis for all, or one for each."
            )
        items = [
            _paired(name, parts[key], tree[key], f"{path}[{key!r}]" if path else f"argument {key}", found, shared_whole)
            for key in keys
        ]
        return (dict, keys, items) if isinstance(tree, dict) else (type(tree), None, items)
    if axes is not None and not isinstance(axes, int):
        raise ArgumentError(
            f"vmap: {name} {axes!r} does not fit {path}, which is no list, tuple or dict; give one axis."
        )
    found.append((tree, axes, path))
    return trees.LEAF


def _lacks(axes: Any, keys: list[Any]) -> bool:
    return isinstance(axes, dict) and any(key not in axes for key in keys)


def _fronts(given: list[tuple[Any, int | None, str]]) -> tuple[int, list[Any]]:
    """Return the number of examples, and the arguments that have some with these along their first axis."""
    fronts: list[Any] = []
    first: tuple[int, str] | None = None
    for value, axis, name in given:
        if axis is None:
            fronts.append(None)
            continue
        x = operand(value)
        place = axis_of(f"vmap, {name}", axis, x.ndim)
        n = x.shape[place]
        if first is None:
            first = n, name
        elif n != first[0]:
            raise ShapeError(
                f"vmap: {name} holds {n} examples along axis {axis} and {first[1]} holds {first[0]}; the numbers must "
                "be equal (in_axes None for what all examples share)."
            )
        x = wrap(x.entry)  # a handle of our own: nobody else writes to it, or sees what is a view of it
        fronts.append(moveaxis(x, place, 0) if place else x)
    if first is None:
        raise ArgumentError("vmap: no argument has an axis of examples; give in_axes an integer for at least one.")
    return first[0], fronts


def _placed(y: Tensor, own: bool, axis: int | None, n: int, name: str) -> Tensor:
    """Return a result with its examples along an axis of their own."""
    if axis is None:
        if own:
            raise ArgumentError(
                f"vmap: out_axes is None for {name}, which differs from example to example; give an axis."
            )
        return y
    y = y if own else for_each(y, n)
    place = axis_of(f"vmap, out_axes for {name}", axis, y.ndim)
    return wrap((moveaxis(y, 0, place) if place else y).entry)
