"""Ways of dividing the rows of a table: one fixed test set, shuffled folds, contiguous blocks.

The shuffles depend on nothing but `n` and `seed`. They sort the raw words of the Philox counter generator:
NumPy promises not to change that stream, but not the order that `Generator.permutation` returns.
"""

import numpy as np
import numpy.typing as npt

from ..errors import ArgumentError
from .arguments import level, whole

Rows = npt.NDArray[np.intp]
Split = tuple[Rows, Rows]


def fixed_split(n: int, test_fraction: float = 0.2, seed: int = 0) -> Split:
    """Train and test row numbers for a table of `n` rows: the same rows for the same arguments, anywhere.

    Args:
        n: rows of the table, at least 2.
        test_fraction: share of the rows held out, between 0 and 1, both excluded. The number of test rows is
            rounded to the nearest whole number, and each side gets at least one row.
        seed: whole number, zero or larger.

    Returns:
        (train, test): row numbers in increasing order, int64, every row in exactly one of them.

    Raises:
        ArgumentError: an argument is out of its range.

    >>> train, test = fixed_split(10, test_fraction=0.2, seed=0)
    >>> len(train), len(test)
    (8, 2)
    """
    n = whole("fixed_split", "n", n, least=2)
    fraction = level("fixed_split", "test_fraction", test_fraction)
    if not 0 < fraction < 1:
        wanted = "pass a share between 0 and 1, such as 0.2"
        raise ArgumentError(f"fixed_split: test_fraction={test_fraction!r} was given; {wanted}.")
    held_out = min(max(round(n * fraction), 1), n - 1)
    order = _shuffled("fixed_split", n, seed)
    return np.sort(order[held_out:]), np.sort(order[:held_out])


def folds(n: int, k: int = 5, seed: int = 0) -> tuple[Split, ...]:
    """Shuffled k-fold cross-validation: `k` (train, test) pairs whose test parts divide the rows.

    Args:
        n: rows of the table.
        k: number of folds, from 2 to `n`; their sizes differ by at most one row.
        seed: whole number, zero or larger.

    Returns:
        `k` pairs of row numbers, each in increasing order, int64.

    Raises:
        ArgumentError: an argument is out of its range.

    >>> [len(test) for train, test in folds(11, k=5)]
    [3, 2, 2, 2, 2]
    """
    n, k = _check("folds", n, k)
    return _pairs(_shuffled("folds", n, seed), k)


def blocks(n: int, k: int = 5) -> tuple[Split, ...]:
    """Cross-validation over contiguous blocks of the original order: `k` (train, test) pairs.

    Where rows come in groups (the digits come writer by writer) this is the honest test, because the rows of
    one group stay mostly on one side.

    Args:
        n: rows of the table.
        k: number of blocks, from 2 to `n`; their sizes differ by at most one row.

    Returns:
        `k` pairs of row numbers, each in increasing order, int64.

    Raises:
        ArgumentError: an argument is out of its range.

    >>> for train, test in blocks(5, k=2):
    ...     print(train, test)
    [3 4] [0 1 2]
    [0 1 2] [3 4]
    """
    n, k = _check("blocks", n, k)
    return _pairs(np.arange(n), k)


def _check(function: str, n: int, k: int) -> tuple[int, int]:
    n, k = whole(function, "n", n, least=2), whole(function, "k", k, least=2)
    if k > n:
        raise ArgumentError(f"{function}: k={k} parts were asked of n={n} rows; pass a k of at most {n}.")
    return n, k


def _shuffled(function: str, n: int, seed: int) -> Rows:
    words = np.random.Philox(whole(function, "seed", seed, least=0)).random_raw(n)
    return np.argsort(words, kind="stable")


def _pairs(order: Rows, k: int) -> tuple[Split, ...]:
    parts = np.array_split(order, k)
    return tuple((np.sort(np.concatenate(parts[:i] + parts[i + 1 :])), np.sort(part)) for i, part in enumerate(parts))
