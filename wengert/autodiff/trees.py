"""Nested lists, tuples and dicts of tensors: taken apart into a flat list, and built again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

LEAF = object()


def flatten(tree: Any) -> tuple[list[Any], Any]:
    """Return the leaves in order, and the structure that `build` fills. None is a structure without leaves.

    >>> flatten({"a": 1, "b": (2, [3])})[0]
    [1, 2, 3]
    """
    leaves: list[Any] = []
    return leaves, _structure(tree, leaves)


def _structure(tree: Any, leaves: list[Any]) -> Any:
    if tree is None:
        return None
    if isinstance(tree, dict):
        return dict, list(tree), [_structure(item, leaves) for item in tree.values()]
    if isinstance(tree, list | tuple):
        return type(tree), None, [_structure(item, leaves) for item in tree]
    leaves.append(tree)
    return LEAF


def build(structure: Any, leaves: list[Any]) -> Any:
    """Return the tree of this structure with the given leaves.

    >>> leaves, structure = flatten({"a": 1, "b": (2, [3])})
    >>> build(structure, [10, 20, 30])
    {'a': 10, 'b': (20, [30])}
    """
    given = iter(leaves)
    return _build(structure, given)


def _build(structure: Any, leaves: Any) -> Any:
    if structure is None:
        return None
    if structure is LEAF:
        return next(leaves)
    kind, keys, items = structure
    parts = [_build(item, leaves) for item in items]
    if kind is dict:
        return dict(zip(keys, parts, strict=True))
    return kind(*parts) if hasattr(kind, "_fields") else kind(parts)


def map_leaves(function: Callable[[Any], Any], tree: Any) -> Any:
    """Return the tree with the function applied to every leaf.

    >>> map_leaves(lambda x: x + 1, [1, (2,)])
    [2, (3,)]
    """
    leaves, structure = flatten(tree)
    return build(structure, [function(leaf) for leaf in leaves])
