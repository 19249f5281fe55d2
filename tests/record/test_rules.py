"""The rules that keep deferred execution right: looks, replays, buffers, spent lists, keys, failures, marked steps."""

import gc
import math
import sys
import tracemalloc
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import wengert as w
from wengert.errors import GradientError, OutOfBoundsError
from wengert.record import interpreter, recorder, trie
from wengert.record.entry import Entry
from wengert.record.recorder import STATE


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the primitives that have been run, in order."""
    names: list[str] = []
    plain = interpreter._run

    def run(entry: Entry, *rest: Any) -> Any:
        names.append(entry.node.primitive.name)  # type: ignore[union-attr]
        return plain(entry, *rest)

    monkeypatch.setattr(interpreter, "_run", run)
    return names


@pytest.fixture(autouse=True)
def unknown_path() -> Iterator[None]:
    """Each test starts in a trie that has seen nothing, and with no garbage of others that records when collected."""
    gc.collect()
    w.synchronize()
    trie.TRIE.forget()
    STATE.segment = recorder.Segment(trie.TRIE.root, STATE.tracking, STATE.eager)
    yield
    assert STATE.tracking and not STATE.eager


def source(values: Any) -> Any:
    return w.tensor(values, dtype=w.float64, requires_grad=True)


# -- rule 2: segment and list are two things ---------------------------------------------------------------------


def test_nothing_runs_before_a_look_and_nothing_twice(ran: list[str]) -> None:
    x = w.tensor([1.0, 2.0])
    y = w.exp(x) + 1
    assert ran == []
    y.tolist(), repr(y), y.numpy(), y[0].item()
    assert ran == ["exp", "add", "getitem"]


def test_what_nothing_asks_for_is_not_run(ran: list[str]) -> None:
    x = w.tensor([1.0, 2.0])
    w.exp(x) * 3
    assert (x + 1).tolist() == [2, 3]
    assert ran == ["add"]


def test_a_value_demanded_late_is_replayed_once_and_saved_from_then_on(ran: list[str]) -> None:
    runs = []
    p = source([0.3, -0.2])
    optimizer = w.optim.SGD([p], lr=1e-12)
    for _ in range(3):
        loss = (w.tanh(p) * w.sin(p)).sum()
        loss.item()  # tanh(p) and sin(p) have no handles: they are let go
        loss.backward()
        del ran[:]
        p.grad.tolist()
        runs.append([name for name in ran if name in ("tanh", "sin")])
        optimizer.zero_grad()
        w.synchronize()
        recorder.mark_step({})
    assert sorted(runs[0]) == ["sin", "tanh"]
    assert runs[1:] == [[], []]
    np.testing.assert_allclose(loss.item(), sum(math.tanh(v) * math.sin(v) for v in (0.3, -0.2)), rtol=1e-11)


def test_looks_continue_on_one_path_and_a_second_run_makes_no_node() -> None:
    def program() -> None:
        x = w.tensor([1.0, 2.0])
        for _ in range(5):
            x = x * 2 + 1
            x.sum().item()
        recorder.mark_step({})

    program()
    size = trie.TRIE.size
    for _ in range(5):
        program()
    assert trie.TRIE.size == size


def test_backward_twice_and_after_a_look() -> None:
    p = source([1.0, 2.0])
    loss = (p * p * p).sum()
    loss.item()
    loss.backward()
    loss.backward()
    assert p.grad.tolist() == [6.0, 24.0]


def test_two_optimizers_share_a_list_as_a_gan_does() -> None:
    g, d = source([2.0]), source([3.0])
    for_g, for_d = w.optim.SGD([g], lr=0.1), w.optim.SGD([d], lr=0.1)
    fake = g * g  # 4
    d_loss = (fake.detach() * d).sum()
    d_loss.backward()
    for_d.step()  # d = 3 - 0.1 * 4
    assert d.item() == pytest.approx(2.6, rel=1e-15)
    g_loss = (fake * d).sum()  # the generator's entries survive the discriminator's step
    g_loss.backward()
    for_g.step()  # g = 2 - 0.1 * 2 * 2 * 2.6
    assert g.item() == pytest.approx(2.0 - 1.04, rel=1e-15)


# -- rule 3: buffers -----------------------------------------------------------------------------------------------


def test_buffers_are_read_only_for_good() -> None:
    x = w.tensor([1.0, 2.0])
    for values in (x.numpy(), (x + 1).numpy(), np.asarray(x.T), x[:1].numpy()):
        with pytest.raises(ValueError, match="read-only"):
            values[...] = 5
        with pytest.raises(ValueError, match="WRITEABLE"):
            values.setflags(write=True)


BIG = interpreter.REUSE_FROM_BYTES // 8


def test_big_buffers_are_written_over_where_nobody_has_them() -> None:
    x = w.tensor(np.ones(BIG))
    tracemalloc.start()
    try:
        y = x + 1.0
        for _ in range(20):
            y = y * 1.0
        y.numpy()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2.5 * 8 * BIG


def test_big_buffers_somebody_holds_are_not_written_over() -> None:
    x = w.tensor(np.arange(BIG, dtype=np.float64))
    start = x.numpy().copy()
    a = x + 1.0
    held = a.numpy()
    alias = a.detach()
    row = (a * 2.0).reshape(2, -1)[0]
    b = a * 3.0
    del a
    c = b - 1.0
    assert np.array_equal(c.numpy(), (start + 1) * 3 - 1)
    assert np.array_equal(held, start + 1)
    assert np.array_equal(alias.numpy(), start + 1)
    assert np.array_equal(row.numpy(), ((start + 1) * 2)[: BIG // 2])
    assert np.array_equal(b.numpy(), (start + 1) * 3)
    assert np.array_equal(x.numpy(), start)


def test_big_buffers_and_an_operand_that_is_used_twice() -> None:
    x = w.tensor(np.arange(BIG, dtype=np.float64))
    y = x * 2.0
    z = (y + y) * y - y
    del y
    start = np.arange(BIG) * 2.0
    assert np.array_equal(z.numpy(), (start + start) * start - start)


def test_a_kept_loss_does_not_keep_old_parameters() -> None:
    p = w.tensor(np.zeros(1 << 16), requires_grad=True)
    optimizer = w.optim.SGD([p], lr=0.1)
    losses, sizes = [], []
    tracemalloc.start()
    try:
        for _ in range(40):
            loss = ((p - 1.0) * (p - 1.0)).sum()
            losses.append(loss)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            w.synchronize()
            sizes.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert sizes[-1] - sizes[20] < 4 * (1 << 16)  # by then the path has its plan, and the plan its buffers
    assert [loss.item() for loss in losses] == sorted([loss.item() for loss in losses], reverse=True)


def test_a_spent_list_says_so_with_both_lines() -> None:
    p = source([1.0])
    optimizer = w.optim.SGD([p], lr=0.1)
    loss = (p * p).sum()
    backward_line = sys._getframe().f_lineno + 1
    loss.backward()
    optimizer.step()
    w.synchronize()
    pattern = (
        rf"differentiated by backward\(\) at test_rules.py:{backward_line} and spent by step\(\) at "
        rf"test_rules.py:{backward_line + 1}.*compute the result again"
    )
    with pytest.raises(GradientError, match=pattern):
        loss.backward()
    with pytest.raises(GradientError, match=pattern):
        w.gradients(loss, p)
    assert loss.item() == 1.0
    new = (p * p).sum()
    new.backward()
    assert new.item() == pytest.approx(0.64, rel=1e-12)


def test_a_list_without_the_updated_parameter_is_not_spent() -> None:
    p, q = source([1.0]), source([3.0])
    optimizer = w.optim.SGD([p], lr=0.1)
    both, other = (p * q).sum(), (q * q).sum()
    both.backward()
    other.backward()
    optimizer.step()
    w.synchronize()
    other.backward()
    assert q.grad.tolist() == [1.0 + 6.0 + 6.0]
    with pytest.raises(GradientError, match="spent"):
        both.backward()


def test_dropped_tensors_are_freed_at_once() -> None:
    x = source([1.0, 2.0])
    y = w.exp(x) * 2
    y.sum().backward()
    y.tolist()
    gone = [weakref.ref(each) for each in (x.grad, y)]
    x.grad = None
    del y
    assert [each() for each in gone] == [None, None]


# -- rule 4: keys --------------------------------------------------------------------------------------------------


def nodes(call: Any) -> Any:
    """Return the node that recording `call` on a new tensor ends on, always from the same place."""
    w.synchronize()
    STATE.segment = recorder.Segment(trie.TRIE.root, True, False)
    return call(w.tensor([1.0, 2.0])).entry.node


def test_parameters_of_other_type_or_bits_are_other_paths() -> None:
    values: list[Any] = [1, 1.0, 0.0, -0.0, math.nan, math.inf, 3, 3.0]
    found = [nodes(lambda x, v=v: w.clip(x, v, None)) for v in values]
    again = [nodes(lambda x, v=v: w.clip(x, v, None)) for v in values]
    assert len(set(found)) == len(values)
    assert again == found
    atoms = [trie.atom(v) for v in (1, True, 1.0, -0.0, 0.0, math.nan, slice(1), slice(True), (1,), (1.0,), None)]
    assert len(set(atoms)) == len(atoms)


def test_equal_parameters_of_other_type_give_their_own_values() -> None:
    x = w.tensor([1.0, -2.0])
    assert [float(1 / w.clip(x, v, None)[1]) for v in (0.0, 1.0)] == [math.inf, 1.0]
    assert str((w.tensor([4.0]) ** -0.0).tolist()) == "[1.0]"
    assert [x[i].shape for i in (0, slice(0, 1))] == [(), (1,)]


def test_operands_are_not_part_of_the_path() -> None:
    assert len({nodes(lambda x, v=v: x * v + v) for v in (1, 2.0, 0.5, -1.0)}) == 1
    assert len({nodes(lambda x, v=v: x**v) for v in (3.0, 4.0)}) == 2


def test_derivatives_are_not_part_of_the_path_and_modes_are() -> None:
    plain = nodes(lambda x: w.exp(x))
    assert nodes(lambda x: w.exp(x.requires_grad_())).primitive.name == "exp"
    with w.no_grad():
        off = nodes(lambda x: w.exp(x))
    assert nodes(lambda x: w.exp(x)) is plain
    assert off.spec is plain.spec


# -- rule 5: what may fail on values --------------------------------------------------------------------------------


def test_an_index_out_of_range_fails_inside_the_try_at_the_users_line() -> None:
    x = w.tensor([1.0, 2.0, 3.0], requires_grad=True)
    index = w.tensor([0, 1]) * 3
    y = x * 2
    with pytest.raises(IndexError, match=r"index 3 is out of range for axis 0 of shape \(3,\); use -3 to 2") as caught:
        y[index]
    assert isinstance(caught.value, OutOfBoundsError)
    lines = [(entry.path.name, entry.lineno) for entry in caught.traceback if "wengert/" not in str(entry.path)]
    assert lines[-1][0] == "test_rules.py"
    y.sum().backward()
    assert x.grad.tolist() == [2, 2, 2] and y.tolist() == [2, 4, 6]


def test_an_error_of_shape_leaves_what_was_recorded() -> None:
    x = w.tensor([1.0, 2.0])
    y = x + 1
    for wrong in (w.zeros(3), w.zeros((2, 3))):
        with pytest.raises(ValueError, match="broadcast"):
            y * wrong
    assert (y * 2).tolist() == [4, 6]


# -- rule 8: a step marks -------------------------------------------------------------------------------------------


def test_a_step_is_not_a_look_and_zero_grad_comes_before_its_execution(ran: list[str]) -> None:
    p = source([1.0, 2.0])
    optimizer = w.optim.SGD([p], lr=0.5)
    loss = (p * p).sum()
    loss.backward()
    optimizer.step()
    gradient = weakref.ref(p.grad)
    optimizer.zero_grad()
    assert ran == [] and gradient() is None
    loss.item()
    assert "subtract" in ran
    assert p.tolist() == [0.0, 0.0]
    again = len(ran)
    p.tolist()
    assert len(ran) == again


def test_the_first_record_after_a_step_executes_it(ran: list[str]) -> None:
    p = source([1.0, 2.0])
    optimizer = w.optim.SGD([p], lr=0.5)
    (p * p).sum().backward()
    optimizer.step()
    assert ran == []
    new = p + 1
    assert "subtract" in ran and "add" not in ran[-1:]
    assert new.tolist() == [1, 1]


def test_the_parameter_may_be_read_only_by_its_own_next_step(ran: list[str]) -> None:
    p = source([1.0])
    optimizer = w.optim.SGD([p], lr=0.25)
    for _ in range(3):
        optimizer.zero_grad()
        (p * p).sum().backward()
        optimizer.step()
    assert p.tolist() == [0.125]


# -- memory ----------------------------------------------------------------------------------------------------------


def grown(program: Any, rounds: int) -> int:
    """Return how many bytes are held after the second half of the rounds beyond those after the first half."""
    for _ in range(rounds // 2):
        program()
    gc.collect()
    tracemalloc.start()
    try:
        program()
        w.synchronize()
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(rounds // 2):
            program()
        w.synchronize()
        gc.collect()
        return tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()


def test_a_moving_average_of_two_thousand_steps_does_not_grow() -> None:
    p = w.tensor(np.ones(100), requires_grad=True)
    state = {"average": p.detach(), "total": 0.0}

    def step() -> None:
        loss = (p * p).mean()
        loss.backward()
        with w.no_grad():
            p.rebind(p - p.grad * 0.01)
        p.grad = None
        recorder.mark_step({})
        state["average"] = state["average"] * 0.99 + p.detach() * 0.01
        state["total"] += loss.item()

    assert grown(step, 2000) < 20_000
    assert state["average"].entry.inputs == () or len(STATE.segment.steps) < 50


def test_a_loop_that_never_looks_is_executed_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    x = w.tensor([1.0, 2.0])
    for _ in range(3 * trie.LONGEST_SEGMENT):
        x = x + 1
    assert len(STATE.segment.steps) <= trie.LONGEST_SEGMENT + 1
    assert x.tolist() == [1.0 + 3 * trie.LONGEST_SEGMENT, 2.0 + 3 * trie.LONGEST_SEGMENT]


def test_a_segment_that_holds_much_memory_is_executed(monkeypatch: pytest.MonkeyPatch, ran: list[str]) -> None:
    monkeypatch.setattr(recorder, "MOST_BYTES_HELD", 1000)
    total = w.zeros(10)
    for _ in range(100):
        total = total + w.ones(10)
    assert len(ran) > 80
    assert total.tolist() == [100] * 10


def test_the_trie_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trie.TRIE, "most_nodes", 100)
    x = w.tensor([1.0, 2.0])
    for number in range(500):
        assert (w.clip(x, float(number), None) + 1).tolist() == [max(number, 1) + 1, max(number, 2) + 1]
        assert trie.TRIE.size <= 101


def test_shapes_seen_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trie, "_MOST_SPECS", 50)
    for number in range(200):
        assert (w.zeros(number) + 1).shape == (number,)
    assert len(trie._SPECS) <= 51


# -- eager -----------------------------------------------------------------------------------------------------------


def test_eager_executes_at_once_and_ends_with_its_block(ran: list[str]) -> None:
    x = w.tensor([1.0, 2.0])
    with w.eager():
        y = x + 1
        assert ran == ["add"]
        with pytest.raises(KeyError), w.eager():
            raise KeyError
        y * 2
        assert ran == ["add", "multiply"]
    y * 3
    assert ran == ["add", "multiply"]


def test_a_record_that_breaks_its_promise_is_found_out() -> None:
    from wengert.ops.batching import Broadcast
    from wengert.ops.lowering import NumPy
    from wengert.ops.table import NoDerivative, Primitive
    from wengert.record.trie import spec_of

    liar = Primitive(
        name="liar",
        run=lambda x: x,
        infer=lambda spec: spec_of((7,), spec.dtype),
        derivative=NoDerivative("it is wrong"),
        lower=NumPy("it is wrong"),
        batch=Broadcast(),
    )
    with pytest.raises(AssertionError, match=r"'liar' of the table promised float32\[7\] and computed float32\[2\]"):
        recorder.record(liar, w.zeros(2)).numpy()


def test_entries_show_themselves() -> None:
    x = w.tensor([1.0, 2.0])
    y = x * 2
    assert repr(y.entry).startswith(f"w{y.entry.number} = multiply(w{x.entry.number}, w")
    assert repr(x.entry) == f"w{x.entry.number} = leaf() float32[2]"
