"""Memory for what a plan computes on the way: one block, in which values share places that are never needed at once."""

from __future__ import annotations

ALIGNMENT = 64  # bytes: a cache line, and the widest vector


def rounded(size: int) -> int:
    """Return a size in whole cache lines."""
    return -(-size // ALIGNMENT) * ALIGNMENT


def arranged(lives: list[tuple[int, int, int]]) -> tuple[list[int], int]:
    """Return an offset for each (bytes, first use, last use), both inclusive, and the bytes needed for all.

    Larger values are placed first, each at the lowest offset where nothing that lives at the same time is.

    >>> arranged([(64, 0, 1), (64, 1, 2), (64, 2, 3)])
    ([0, 64, 0], 128)
    """
    offsets = [0] * len(lives)
    placed: list[tuple[int, int, int, int]] = []  # offset, end, first, last; by offset
    total = 0
    for i in sorted(range(len(lives)), key=lambda i: (-lives[i][0], lives[i][1])):
        size, first, last = lives[i]
        size, offset = rounded(size), 0
        for start, end, born, dead in placed:
            if born <= last and first <= dead:
                if start - offset >= size:
                    break
                offset = max(offset, end)
        offsets[i] = offset
        placed.append((offset, offset + size, first, last))
        placed.sort()
        total = max(total, offset + size)
    return offsets, total
