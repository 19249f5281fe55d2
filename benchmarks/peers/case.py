"""A case: one piece of work as one library does it, ready to be checked and timed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Case:
    """One piece of work in one library.

    run: does the work n times and returns when every value has been computed. It may return the seconds that count;
        None lets the caller's clock count.
    check: what the library computed, by name, for comparison with the others. Called once, before any `run`.
    per: how many steps one unit of the work holds (an epoch of 64 batches: 64).
    notes: figures to print below the table, such as the longest single program.
    """

    run: Callable[[int], float | None]
    check: Callable[[], dict[str, list[float]]]
    per: int = 1
    notes: dict[str, float] = field(default_factory=dict)
