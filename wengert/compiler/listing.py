"""A plan as text: its fused kernels as loops one can read."""

from __future__ import annotations

from ..ops.lowering import Elementwise, Reduction
from .fuse import Group, base_of
from .graph import LEAF, NUMPY, PRODUCT, REDUCTION, VIEW, Value
from .plan import Plan

INDICES = "ijklmnop"


def listing(plan: Plan) -> str:
    """Return the kernels of a plan, one after the other, as loops. Values are named after their place in the path."""
    lines = [
        f"{len(plan.fusion.groups)} kernels for {_count(plan)} entries, {plan.arena_bytes:,} bytes of scratch memory"
    ]
    for group in plan.fusion.groups:
        lines += ["", *_group(plan, group)]
    return "\n".join(lines)


def _count(plan: Plan) -> int:
    return sum(value.kind not in (LEAF, VIEW) for value in plan.graph.values)


def _shape(value: Value) -> str:
    return f"{value.spec.dtype.name}[{', '.join(map(str, value.spec.shape))}]"


def _group(plan: Plan, group: Group) -> list[str]:
    first = group.members[0]
    if group.kind == NUMPY:
        operands = ", ".join(_name(operand) for operand in first.operands)
        return [
            f"# {group.index}: by NumPy, for {first.why}",
            f"w{first.position} = {first.name}({operands})  # {_shape(first)}",
        ]
    if group.kind == REDUCTION:
        how = first.primitive.lower if first.primitive else None
        assert isinstance(how, Reduction)
        (operand,) = first.operands
        axes = ", ".join(map(str, first.axes))
        return [
            f"# {group.index}",
            f"w{first.position} = {how.how} of {_name(operand)} over axes {axes}  # {_shape(first)}",
        ]
    lines = [f"# {group.index}"]
    if group.kind == PRODUCT:
        a, b = first.operands
        lines.append(f"w{first.position} = {_name(a)} @ {_name(b)}  # {_shape(first)}")
        if len(group.members) == 1:
            return lines
        lines[-1] += ", in panels of rows; on each, while it is in the cache:"
    return lines + _loops(plan, group)


def _loops(plan: Plan, group: Group) -> list[str]:
    """Return the loop nest of a group: rows, and one loop over the columns for each sweep."""
    rows = len(group.shape) if group.rows is None else group.rows
    outer, inner = list(range(rows)), list(range(rows, len(group.shape)))
    members = [m for m in group.members if not (group.kind == PRODUCT and m is group.members[0])]
    lines, pad, sweep = [], "", dict[Value, int]()
    once = [m for m in members if m in group.guests]
    lines += [_statement(plan, group, m) for m in once]
    for axis in outer:
        lines.append(f"{pad}for {INDICES[axis]} in range({group.shape[axis]}):")
        pad += "    "
    for m in members:
        if m not in group.guests:
            before = max([sweep[base_of(o)] for o in m.operands if base_of(o) in sweep], default=0)
            sweep[m] = before + (m.kind == REDUCTION)
    for number in range(max(sweep.values(), default=0) + 1):
        now = [m for m in members if sweep.get(m) == number]
        row_level = [m for m in now if m.kind != REDUCTION and not _is_full(group, m, rows)]
        full = [m for m in now if _is_full(group, m, rows)]
        ends = [m for m in members if m.kind == REDUCTION and sweep.get(m) == number + 1]
        lines += [pad + _statement(plan, group, m) for m in row_level]
        if full or ends:
            deeper = pad
            for axis in inner:
                lines.append(f"{deeper}for {INDICES[axis]} in range({group.shape[axis]}):")
                deeper += "    "
            lines += [deeper + _statement(plan, group, m) for m in (*full, *ends)]
    return lines


def _is_full(group: Group, value: Value, rows: int) -> bool:
    axes = [axis for axis in group.axes[value] if axis is not None]
    return value.kind != REDUCTION and (group.rows is None or any(axis >= rows for axis in axes))


def _statement(plan: Plan, group: Group, value: Value) -> str:
    """Return what computes one element of a value."""
    primitive = value.primitive
    assert primitive is not None
    given = [_element(group, operand, value) for operand in value.operands]
    name = _element(group, value, value)
    stored = "  # stored" if value in plan.stored and value not in group.guests else ""
    if isinstance(primitive.lower, Reduction):
        sign = {"sum": "+=", "max": "max=", "min": "min="}[primitive.lower.how]
        return f"{name} {sign} {given[0]}{stored}"
    assert isinstance(primitive.lower, Elementwise)
    if primitive.name == "positive":
        return f"{name} = {given[0]}{stored}"
    text = (
        primitive.text.format(*given)
        if primitive.text
        else f"{primitive.name}({', '.join([*given, *map(str, value.params)])})"
    )
    return f"{name} = {text}{stored}"


def _element(group: Group, value: Value, user: Value) -> str:
    """Return the name of one element: of a value of this group by the loops' indices, of another by its own axes."""
    base = base_of(value)
    if base in group.axes:
        axes = [INDICES[axis] for axis in group.axes[base] if axis is not None]
    else:
        along = group.axes[user] if user.kind != REDUCTION else tuple(range(len(group.shape)))
        pairs = list(zip(reversed(along), reversed(value.spec.shape), strict=False))
        axes = [INDICES[axis] for axis, size in reversed(pairs) if axis is not None and size != 1]
    return f"w{base.position}[{','.join(axes)}]" if axes else f"w{base.position}"


def _name(value: Value) -> str:
    """Return the name of a whole value, through views."""
    if value.kind != VIEW:
        return f"w{value.position}"
    inner = _name(value.operands[-1])
    if value.name in ("alias", "detach"):
        return inner
    if value.name == "permute_dims" and inner.endswith(".T"):
        return inner[:-2]
    return f"{inner}.T" if value.name == "permute_dims" and len(value.spec.shape) == 2 else f"{value.name}({inner})"
