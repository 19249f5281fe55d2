"""What the record asks of the compiler: a plan for a path that is hot, and one entry run alone.

A path is promoted when interpreting it as often as it was seen would have cost more than compiling what it needs and
nobody has compiled yet. Both are estimates from the path itself, never times, so a program is promoted at the same
place in every run.
"""

from __future__ import annotations

from ..record.buffers import Array
from ..record.trie import Node
from . import kernels
from .alone import run as alone
from .plan import Plan, entering
from .repeat import Repeat

STEP = 4e-6  # seconds: one entry, interpreted
ELEMENT = 5e-10  # seconds: one of its elements, written to memory and read again
KERNEL = 2e-3  # seconds: one kernel, compiled
ASSEMBLY = 60e-6  # seconds: one entry, placed in a plan


def promoted(node: Node) -> Plan | None:
    """Return the plan of a path if it is worth having by now, with its kernels compiled; else None."""
    if not node.kept or node.sightings & (node.sightings - 1):
        return None
    interpreting = node.sightings * _once(node)
    if interpreting < node.position * ASSEMBLY:
        return None
    plan = Plan(node, node.kept)
    missing = kernels.missing(plan.structures())
    if interpreting < len(missing) * KERNEL:
        return None
    for structure in missing:
        kernels.address_of(structure)
    return plan


def _once(end: Node) -> float:
    """Return about how many seconds fusing saves in one run of a path."""
    seconds, node = 0.0, end
    while node.parent is not None and node.position > 0:
        if node.primitive is not None:
            seconds += STEP + ELEMENT * node.spec.size
        node = node.parent
    return seconds


def repeated(
    end: Node,
    states: list[tuple[int, int]],
    streams: dict[int, Array],
    numbers: list[int],
    logs: list[int],
    constants: dict[int, Array],
) -> Repeat | None:
    """Return the repetition of a path, or None where a part of it is not compiled. Arguments as for `Repeat`."""
    plan = Plan(end, [after for _, after in states] + logs)
    try:
        return Repeat(plan, states, streams, numbers, logs, constants)
    except ValueError:
        return None


__all__ = ["alone", "entering", "promoted", "repeated"]
