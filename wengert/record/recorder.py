"""The recorder: operations append to a segment, and a look executes it.

Recording commits with one append. Everything else derives from it: the place in the trie is the node of the
last step, closing a segment is one store, and a segment that was closed and not yet executed is computed on
demand. So an exception between any two instructions (Ctrl-C, a tracing tool) leaves the engine usable.
Each thread records its own segment; entries may be shared between threads, for they never change.
"""

from __future__ import annotations

import operator
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from ..errors import GradientError, Line, WengertError, user_line
from . import interpreter
from .buffers import Array
from .entry import Entering, Entry, Handle, make_entry, next_number
from .interpreter import evaluate, settle, survivors
from .lists import Passes
from .trie import NO_EDGES, NOTHING, TRIE, Node, Params, atom

if TYPE_CHECKING:
    from ..ops.table import Primitive
    from ..tensor import Tensor

_new = object.__new__
_engine: Callable[[], Any]
_tensor: type[Any] = Handle  # `Tensor`, once `wengert.tensor` has bound it: it is made of operations, not they of it

SIGHTINGS = 4  # runs of a path before the compiler is asked what it would cost
MOST_BYTES_HELD = 1 << 28  # a segment is executed when the values that entered it hold this much memory


class Segment:
    """The entries recorded since values were last needed: the unit of execution."""

    virtual: ClassVar[bool] = False  # whether it has no values, see `virtual.Virtual`

    __slots__ = (
        "bytes_held",
        "eager",
        "end",
        "entered",
        "jumps",
        "leaping",
        "over",
        "pure",
        "sources",
        "steps",
        "tracking",
    )

    def __init__(self, start: Node, tracking: bool, eager: bool):
        self.steps = [make_entry(start, (), None, False)]
        self.entered: dict[Entry, int] = {}
        self.bytes_held = 0
        self.jumps: list[Any] = []  # the uses of leaps in it
        self.sources: list[Entry] = []  # those that entered and require a gradient
        self.leaping = False  # while a leap is recorded for the first time
        self.pure = True  # whether no list reaches back into an earlier segment
        self.over = False  # executed, and emptied
        self.end: Node | None = None  # once executed, the node that has the plan
        self.tracking, self.eager = True, eager
        if eager:
            self.mark("eager")
        if not tracking:
            self.set_tracking(False)

    def set_tracking(self, tracking: bool) -> None:
        """Turn derivatives on or off from the next step on; the mode is a step of the path."""
        self.mark(("tracking", tracking))
        self.tracking = tracking

    def mark(self, key: Any) -> None:
        """Append a step that computes nothing: a mode."""
        node = self.steps[-1].node
        child = node.edges.get(key)
        if child is None:
            child = TRIE.child(node, key, None, (), NOTHING)
        step = make_entry(child, (), None, False)
        if self.steps[-1].node is not node or not _appended(self.steps, step):  # as in `record`, which see
            self.mark(key)

    def enter(self, entry: Entry) -> int:
        """Bring a value from outside (a leaf, or an earlier segment's) into the path; return its position."""
        home: Any = entry.segment
        if home is not None and home.virtual and not home.encloses(self):
            interpreter.missing({entry})  # raises unless it is the same for all examples
        if not self.entered:  # whatever comes after an optimizer's step enters something first
            run_marked()
        steps, spec = self.steps, entry.node.spec
        node = steps[-1].node
        child = node.edges.get(spec)
        if child is None:
            child = TRIE.child(node, spec, None, (), spec)
        step = _new(Entering)
        step.node, step.inputs = child, (entry,)
        if entry.tracked:
            self.pure = self.pure and entry.is_source
            self.sources.append(entry)
        if steps[-1].node is not node or not _appended(steps, step):  # as in `record`, which see
            return self.enter(entry)
        self.entered[entry] = child.position
        self.bytes_held += spec.size * spec.dtype.itemsize
        return child.position

    def guard(self, primitive: Primitive, operands: tuple[Handle, ...], params: Params) -> None:
        """Look at the operands of a record that may fail on their values, and raise where it would."""
        guard: Any = primitive.guard
        guard(*[handle.entry for handle in operands], *params)

    def unknown(self, entry: Entry) -> WengertError:
        """Return the error for an entry that cannot be computed."""
        return GradientError(str(entry.spent))


class _Setting:
    """How operations are recorded from some place on, and the setting around it."""

    __slots__ = ("eager", "outer", "tracking")

    def __init__(self, tracking: bool, eager: bool, outer: _Setting | None):
        self.tracking, self.eager, self.outer = tracking, eager, outer


class _State(threading.local):
    """What the recorder knows in each thread."""

    def __init__(self) -> None:
        self.setting = _Setting(True, False, None)
        self.marked: tuple[Segment, dict[Entry, Line]] | None = None
        self.segment = Segment(TRIE.root, tracking=True, eager=False)
        self.passes = Passes()
        self.looks = 0  # how often a value was asked for
        self.guards: list[tuple[Callable[[Array], None], Entry]] | None = (
            None  # checks of values, where they are wanted
        )

    @property
    def tracking(self) -> bool:
        """Whether derivatives are recorded."""
        return self.setting.tracking

    @property
    def eager(self) -> bool:
        """Whether every operation is executed as it is recorded."""
        return self.setting.eager


STATE = _State()


def bind(tensor: type[Any], engine: Callable[[], Any]) -> None:
    """Tell the recorder which class to hand out, and how to get hold of the compiler when there is need of it."""
    global _tensor, _engine
    _tensor, _engine = tensor, engine
    interpreter.bind(engine)


def engine() -> Any:
    """Return the compiler."""
    return _engine()


def wrap(entry: Entry) -> Tensor:
    """Return a new tensor naming this entry."""
    tensor = _new(_tensor)
    tensor.entry, tensor.grad, tensor.base, tensor.views = entry, None, None, None
    return tensor  # type: ignore[no-any-return]  # the bound class is Tensor


def _appended(steps: list[Entry], step: Entry) -> bool:
    """Append a step; tell whether it came to stand where its node says, and take it back if it did not."""
    steps.append(step)
    if len(steps) == step.node.position + 1:
        return True
    if steps[-1] is step:
        steps.pop()
    return False


def record(primitive: Primitive, *operands: Handle, params: Params = ()) -> Tensor:
    """Append one operation and return the tensor that names it.

    On a path seen before this is one look-up; else shape and dtype are inferred, and errors of shape and
    dtype are raised, here, at the user's line.
    """
    if primitive.guard is not None:  # it may fail on values: they are looked at now, inside the user's `try`
        STATE.segment.guard(primitive, operands, params)
    segment = STATE.segment
    entered, steps = segment.entered.get, segment.steps
    if len(operands) == 2:  # most operations; written out, as all below, for this is the hottest place of all
        a, b = operands[0].entry, operands[1].entry
        inputs: tuple[Entry, ...] = a, b
        tracked = a.tracked or b.tracked
        key: Any = (
            primitive,
            a.node.position if a.segment is segment else entered(a) or segment.enter(a),
            b.node.position if b.segment is segment else entered(b) or segment.enter(b),
        )
    else:
        inputs, tracked = tuple([handle.entry for handle in operands]), False
        places: list[Any] = [primitive]
        for a in inputs:
            tracked = tracked or a.tracked
            places.append(a.node.position if a.segment is segment else entered(a) or segment.enter(a))
        key = tuple(places)
    if params:
        key = key, atom(params)
    here = steps[-1].node
    node = here.edges.get(key)
    if node is None:
        spec = primitive.infer(*[entry.node.spec for entry in inputs], *params)
        at = tuple([e.node.position if e.segment is segment else segment.entered[e] for e in inputs])
        node = TRIE.child(here, key, primitive, params, spec, halts=STATE.eager, operands=at)
    entry = _new(Entry)
    entry.number = next_number()
    entry.node = node
    entry.inputs = inputs
    entry.segment = segment
    entry.value = None
    entry.tracked = tracked and segment.tracking and node.carries
    tensor = _new(_tensor)
    tensor.entry = entry
    tensor.grad = tensor.base = tensor.views = None
    # Where a `__del__` that the garbage collector called has recorded or looked meanwhile, it is done again. Under a
    # tool that traces lines that can happen even between asking and appending, so the place is compared once more.
    if steps[-1].node is not here or segment.over or not _appended(steps, entry):
        return record(primitive, *operands, params=params)
    if primitive.view and (node.spec.shape or primitive.name != "getitem" or Ellipsis in params[0]):
        _link(tensor, operands[0])  # in NumPy, too, x[0, 0] is no view and x[0, 0, ...] is one
    if node.halts or segment.bytes_held > MOST_BYTES_HELD:
        execute()
    return tensor  # type: ignore[no-any-return]  # the bound class is Tensor


def _link(view: Handle, base: Handle) -> None:
    """Note that `view` shows elements of `base`, for `wengert.views`."""
    view.base = (base, view.entry.node.primitive, view.entry.node.params)
    views = base.views
    if views is None:
        base.views = [weakref.ref(view)]
    else:
        if len(views) & (len(views) - 1) == 0:  # at each power of two, forget the dead
            views[:] = [reference for reference in views if reference() is not None]
        views.append(weakref.ref(view))


def execute() -> None:
    """Execute everything this thread has recorded; the next segment begins a path anew."""
    run_marked()
    holder: Any = STATE
    while holder.segment.virtual:  # those have no values: what lies beneath them is executed
        holder = holder.segment
    segment = holder.segment
    if len(segment.steps) > 1 or segment.eager != STATE.eager:
        holder.segment = Segment(TRIE.root, STATE.tracking, STATE.eager)
        _run(segment)


def _run(segment: Segment) -> None:
    """Execute a closed segment: by the plan of its path, if there is one by now, else entry by entry."""
    node = segment.steps[-1].node
    plan = node.plan
    if plan is not None and not STATE.eager:
        _run_plan(segment, node, plan)
    else:
        for entry in segment.entered:
            if entry.value is None:
                _demand(entry)  # next time on this path it is saved
        kept = survivors(segment)
        evaluate(kept)
        settle(segment.steps)
        if not STATE.eager and node.edges is not NO_EDGES:
            if not node.sightings:
                node.line = str(user_line())
                TRIE.ends.append(node)
            node.sightings += 1
            if node.sightings > 1:  # the first time, what recorded it step by step may still hold some
                node.kept = node.kept.union([entry.node.position for entry in kept])
            if node.sightings >= SIGHTINGS:
                plan = _engine().promoted(node)
                node.plan = plan or node.plan  # another thread may have had one made
    segment.end = node
    segment.over = True
    segment.entered.clear()  # each entry holds its segment, which must not hold all the others
    segment.sources.clear()
    segment.jumps.clear()
    segment.steps = segment.steps[:1]  # a pass of `backward()` may keep the others


def _run_plan(segment: Segment, node: Node, plan: Any) -> None:
    """Execute a segment by its plan. What a plan leaves behind is a growing union of what its runs were asked for."""
    steps = segment.steps
    if not _quiet(plan, segment):
        kept = {entry.node.position for entry in survivors(segment)}
        if not kept <= node.kept:
            node.kept = node.kept.union(kept)
            node.plan = plan = plan.extended(node)
    entering = [steps[position].inputs[0] for position in plan.entering]
    late = [entry for entry in entering if entry.value is None]
    if late:
        for entry in late:
            _demand(entry)
        evaluate(late)
    values = plan.run([entry.value for entry in entering])
    for position, value in zip(plan.wanted, values, strict=True):
        entry = steps[position]
        if entry.segment is None:  # it was leapt over
            next(jump for jump in segment.jumps if jump.covers(position)).values[position] = value
        else:
            entry.value = value
            if not entry.tracked or entry.node.source:
                entry.cut()


def _quiet(plan: Any, segment: Segment) -> bool:
    """Tell whether no handle names an entry that the plan does not leave behind.

    As many references are expected to each as its steps make; that is found out once for each way of recording the
    path (step by step, or by which leaps).
    """
    steps = segment.steps
    way = tuple([jump.leap for jump in segment.jumps])
    known = plan.quiet.get(way)
    if known is None:
        uses = interpreter.own_uses(segment)
        wanted = set(plan.wanted)
        places = [p for p, step in enumerate(steps) if step.segment is segment and p not in wanted]
        get = operator.itemgetter(*places) if len(places) > 1 else lambda steps: [steps[p] for p in places]
        once_more = interpreter.IN_STEPS_ONLY + 1  # what `get` returns refers to them as well
        known = plan.quiet[way] = get, [uses[p] + once_more for p in places]
    get, expected = known
    return bool(interpreter.reference_counts(get(steps)) == expected)


def _demand(entry: Entry) -> None:
    """Note that a value was asked for after its segment had run, so that it is kept from now on."""
    entry.node.demanded = True
    end = None if entry.segment is None else entry.segment.end
    if end is not None and entry.node.position not in end.kept:
        end.kept = end.kept.union([entry.node.position])
        if end.plan is not None:
            end.plan = end.plan.extended(end)


def value_of(entry: Entry) -> Array:
    """Return an entry's value: this is the look that everything was deferred for."""
    STATE.looks += 1
    if entry.value is None:
        if STATE.segment.virtual:
            interpreter.missing({entry})  # raises where it differs from example to example
        execute()
        if entry.value is None:
            _demand(entry)
            evaluate([entry])
    value = entry.value
    assert value is not None
    return value


def mark_step(updated: dict[Entry, Line]) -> None:
    """Close the segment after an optimizer's step; it is executed by the next record or look, not now.

    `updated` maps the sources whose values the step replaced to the line where it did. Lists that depend on
    them and have been differentiated are spent: they are cut once the step has been executed.
    """
    run_marked()
    segment = STATE.segment
    STATE.segment = Segment(TRIE.root, STATE.tracking, STATE.eager)
    STATE.marked = segment, updated


def run_marked() -> None:
    """Execute the segment that an optimizer's step has closed, and cut the lists it spent."""
    if STATE.marked is not None:
        segment, updated = STATE.marked
        STATE.marked = None
        _run(segment)
        STATE.passes.spend(updated)


class _Block:
    """A `with` block under another setting.

    An exception can strike inside `__exit__` itself (Ctrl-C does); then the setting ends when the interrupted
    frames are let go, and with them this object.
    """

    _setting: _Setting | None = None  # while the block is entered

    def __init__(self, *, tracking: bool | None = None, eager: bool | None = None):
        self._tracking, self._eager = tracking, eager

    def __enter__(self) -> None:
        outer = STATE.setting
        tracking = outer.tracking if self._tracking is None else self._tracking
        eager = outer.eager if self._eager is None else self._eager
        self._setting = _Setting(tracking, eager, outer)
        STATE.setting = self._setting
        follow()

    def __exit__(self, *exception: object) -> None:
        self._leave()

    def __del__(self) -> None:
        if self._setting is not None:
            self._leave()

    def _leave(self) -> None:
        """Return to the setting around the block, unless an outer one has ended already."""
        each: _Setting | None = STATE.setting
        while each is not None and each is not self._setting:
            each = each.outer
        if each is not None and each.outer is not None:
            STATE.setting = each.outer
        follow()
        self._setting = None


def follow() -> None:
    """Record as the setting says from now on."""
    setting = STATE.setting
    if STATE.segment.eager != setting.eager:
        execute()
    if STATE.segment.tracking != setting.tracking:
        STATE.segment.set_tracking(setting.tracking)


def tracking(on: bool) -> AbstractContextManager[None]:
    """Turn derivatives on or off for the operations recorded inside."""
    return _Block(tracking=on)


@contextmanager
def eager() -> Iterator[None]:
    """Execute every operation as it is recorded, as NumPy does; the bits are the same as deferred.

    >>> import wengert
    >>> with wengert.eager():
    ...     print((wengert.tensor([1.0, 2.0]) * 3).numpy())
    [3. 6.]
    """
    with _Block(eager=True):
        yield
