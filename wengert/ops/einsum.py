"""einsum: sums of products named by letters, as a sequence of matrix products of two operands at a time."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ArgumentError, ShapeError
from .linalg import diagonal, matmul
from .operands import Operand, operands
from .reduce import sum
from .shape import moveaxis, permute_dims, reshape

if TYPE_CHECKING:
    from ..tensor import Tensor

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def einsum(subscripts: str, /, *tensors: Operand, optimize: Any = "greedy") -> Tensor:
    """Return the sum of products that the subscripts name, as in NumPy: "ij,jk->ik" is a matrix product.

    A letter stands for an axis; one that the result lacks is summed over. "..." stands for axes that broadcast. Without
    "->" the result has the letters that occur once, in alphabetical order. More than two tensors are multiplied in
    pairs; optimize: the search for their order, "greedy", "optimal", or a path as `numpy.einsum_path` returns it.
    Raises `ArgumentError` for subscripts that are no such text, `ShapeError` where sizes of one letter differ.

    >>> import wengert
    >>> wengert.einsum("ij,j->i", wengert.tensor([[1.0, 2.0], [3.0, 4.0]]), wengert.tensor([1.0, 10.0])).tolist()
    [21.0, 43.0]
    """
    parts = list(operands(*tensors)) if tensors else []
    names, result = _parsed(subscripts, parts)
    _check_sizes(subscripts, names, parts)
    for left, right in _order(names, result, parts, optimize):
        (x, x_names), (y, y_names) = (parts[left], names[left]), (parts[right], names[right])
        for place in sorted((left, right), reverse=True):
            del parts[place], names[place]
        elsewhere = set(result).union(*names)
        product, product_names = _pair(x, x_names, y, y_names, elsewhere)
        parts.append(product)
        names.append(product_names)
    last, last_names = _alone(parts[0], names[0], set(result))
    return permute_dims(last, tuple([last_names.index(name) for name in result]))


def _parsed(subscripts: str, parts: list[Tensor]) -> tuple[list[str], str]:
    """Return a name for each axis of each tensor, and of the result; an ellipsis gets letters that are free."""
    if not isinstance(subscripts, str):
        raise ArgumentError(f"einsum: {subscripts!r} was given; the first argument is a text such as 'ij,jk->ik'.")
    text = subscripts.replace(" ", "")
    before, arrow, after = text.partition("->")
    given = before.split(",")
    if len(given) != len(parts):
        raise ArgumentError(f"einsum: {subscripts!r} names {len(given)} tensors, and {len(parts)} were given.")
    for term in [*given, after]:
        plain = term.replace("...", "", 1)
        if any(letter not in LETTERS for letter in plain):
            raise ArgumentError(f"einsum: {subscripts!r}: only letters, ',', '->' and one '...' a term are understood.")
    free = [letter for letter in LETTERS if letter not in text]
    axes = [x.ndim - len(term.replace("...", "")) for term, x in zip(given, parts, strict=True)]
    for term, x, rest in zip(given, parts, axes, strict=True):
        if rest < 0 or (rest > 0 and "..." not in term):
            raise ShapeError(f"einsum: {term!r} for a tensor of shape {x.shape}; give one letter an axis.")
    longest = max([rest for term, rest in zip(given, axes, strict=True) if "..." in term], default=0)
    dots = "".join(free[:longest])
    if not arrow:
        once = sorted(letter for letter in set(before) & set(LETTERS) if before.count(letter) == 1)
        after = ("..." if "..." in before else "") + "".join(once)
    result = after.replace("...", dots)
    for letter in result:
        if result.count(letter) > 1 or (letter not in dots and letter not in before):
            raise ArgumentError(f"einsum: {subscripts!r}: the result needs letters of the operands, each once.")
    names = [
        term.replace("...", dots[longest - rest :] if "..." in term else "")
        for term, rest in zip(given, axes, strict=True)
    ]
    return names, result


def _check_sizes(subscripts: str, names: list[str], parts: list[Tensor]) -> None:
    sizes: dict[str, int] = {}
    for axes, x in zip(names, parts, strict=True):
        for name, size in zip(axes, x.shape, strict=True):
            if size != 1 and sizes.setdefault(name, size) != size:
                raise ShapeError(f"einsum: {subscripts!r}: axes {name!r} have {sizes[name]} and {size} elements.")


def _order(names: list[str], result: str, parts: list[Tensor], optimize: Any) -> list[tuple[int, int]]:
    """Return the pairs to multiply, each counted in the list that is left."""
    if len(parts) < 2:
        return []
    if isinstance(optimize, (list, tuple)):
        path = [pair for pair in optimize if not isinstance(pair, str)]
    elif len(parts) == 2:
        return [(0, 1)]
    else:
        # The order depends on shapes alone; arrays without memory stand for the tensors.
        shapes = [np.broadcast_to(np.zeros(()), x.shape) for x in parts]
        how = optimize if isinstance(optimize, str) else "greedy"
        path = np.einsum_path(",".join(names) + "->" + result, *shapes, optimize=how)[0][1:]
    pairs: list[tuple[int, int]] = []
    left = len(parts)
    for places in path:
        group = sorted(places)
        while len(group) > 1:  # more than two at once: the first two, then the result (which is last) with the next
            first, second = group[0], group[1]
            pairs.append((first, second))
            left -= 1
            group = [*[place - (place > first) - (place > second) for place in group[2:]], left - 1]
            if len(group) == 1:
                break
    return pairs


def _alone(x: Tensor, names: str, kept: set[str]) -> tuple[Tensor, str]:
    """Return x with repeated letters taken along their diagonal and summed over those that are not kept."""
    for name in dict.fromkeys(names):
        while names.count(name) > 1:
            first = names.index(name)
            second = names.index(name, first + 1)
            x = diagonal(moveaxis(x, (first, second), (-2, -1)))
            names = "".join(n for i, n in enumerate(names) if i not in (first, second)) + name
    away = tuple(i for i, name in enumerate(names) if name not in kept)
    return (sum(x, axis=away, dtype=x.dtype) if away else x), "".join(n for n in names if n in kept)


def _pair(x: Tensor, x_names: str, y: Tensor, y_names: str, kept: set[str]) -> tuple[Tensor, str]:
    """Multiply two tensors: letters of both that are kept are batches, those that are not are summed over."""
    x, x_names = _alone(x, x_names, kept | set(y_names))
    y, y_names = _alone(y, y_names, kept | set(x_names))
    sizes: dict[str, int] = {}
    for names, tensor in ((x_names, x), (y_names, y)):
        for name, size in zip(names, tensor.shape, strict=True):
            sizes[name] = size if sizes.get(name, 1) == 1 else sizes[name]
    both = [name for name in x_names if name in y_names]
    batch, inner = [n for n in both if n in kept], [n for n in both if n not in kept]
    rows, columns = [n for n in x_names if n not in both], [n for n in y_names if n not in both]
    inner_sizes = [sizes[n] for n in inner]
    left = _arranged(x, x_names, [*batch, *rows, *inner])
    right = _arranged(y, y_names, [*batch, *inner, *columns])
    left = _with_sizes(left, len(batch) + len(rows), inner_sizes)
    right = _with_sizes(right, len(batch), inner_sizes)
    shape = [sizes[n] for n in (*batch, *rows, *columns)]
    n_batch = len(batch)
    left = reshape(left, (*left.shape[:n_batch], _size(x, x_names, rows), math.prod(inner_sizes)))
    right = reshape(right, (*right.shape[:n_batch], math.prod(inner_sizes), _size(y, y_names, columns)))
    product = matmul(left, right) if left.dtype.kind != "b" else matmul(left.astype("uint8"), right.astype("uint8")) > 0
    return reshape(product, shape), "".join((*batch, *rows, *columns))


def _size(x: Tensor, names: str, wanted: list[str]) -> int:
    return math.prod(x.shape[names.index(name)] for name in wanted)


def _arranged(x: Tensor, names: str, order: list[str]) -> Tensor:
    return permute_dims(x, tuple([names.index(name) for name in order]))


def _with_sizes(x: Tensor, first: int, sizes: list[int]) -> Tensor:
    """Return x with its axes from `first` on repeated to these sizes where they are 1."""
    from .shape import broadcast_to

    wanted = (*x.shape[:first], *sizes, *x.shape[first + len(sizes) :])
    return x if wanted == x.shape else broadcast_to(x, wanted)
