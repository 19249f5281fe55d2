"""Leaps: what is recorded as one edge is what would be recorded step by step, to the bit, whatever comes between."""

import gc
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import numpy as np
import pytest

import wengert as w
from wengert.autodiff import reverse
from wengert.compiler import engine
from wengert.errors import GradientError, ShapeError
from wengert.optim import optimizer
from wengert.record import interpreter, leaps, lists, recorder, trie
from wengert.record.recorder import STATE

Program = Callable[[], list[Any]]


def forget() -> None:
    """Forget every path."""
    w.synchronize()
    trie.TRIE.forget()
    STATE.segment = recorder.Segment(trie.TRIE.root, STATE.tracking, STATE.eager)


@pytest.fixture(autouse=True)
def unknown_path() -> Iterator[None]:
    """What other tests have recorded, and garbage of theirs that records when collected, must not matter here."""
    gc.collect()
    forget()
    yield
    assert STATE.tracking and not STATE.eager


@pytest.fixture
def jumps(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many steps each leap made so far has leapt over."""
    sizes: list[int] = []

    class Counted(leaps.Jump):
        __slots__ = ()

        def __init__(self, leap: leaps.Leap, *rest: Any):
            sizes.append(len(leap.nodes))
            super().__init__(leap, *rest)

    monkeypatch.setattr(leaps, "Jump", Counted)
    return sizes


@contextmanager
def step_by_step() -> Iterator[None]:
    """Record every step, as if each path were new."""
    forget()
    with pytest.MonkeyPatch.context() as patch:
        for module in (leaps, reverse, optimizer):
            patch.setattr(module, "leap", lambda key, operands, body, tracks=False: body())
        yield
    forget()


def from_the_start() -> None:
    """Begin a path anew, as after an optimizer's step: looks alone lead further down the same path."""
    recorder.mark_step({})


def same_as_step_by_step(program: Program, jumps: list[int], monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Check that a program computes the same bits with leaps, interpreted and compiled early, and without."""
    with step_by_step():
        expected = program()
    assert jumps == []
    assert program() == expected
    leapt = len(jumps)
    assert leapt > 0 and max(jumps) > 1
    forget()
    monkeypatch.setattr(engine, "STEP", 1e9)  # every path is worth compiling when it has been seen a few times
    assert program() == expected
    assert len(jumps) >= 2 * leapt
    return expected


class Classifier:
    """A small network, a batch, and the steps of its training."""

    def __init__(self, dtype: Any = w.float32) -> None:
        rng = np.random.default_rng(3)
        first, second = [
            w.nn.Linear(m, n, init=lambda shape: rng.normal(size=shape), dtype=dtype) for m, n in ((4, 5), (5, 3))
        ]
        self.net = w.nn.Sequential(first, w.nn.Tanh(), second)
        self.params = list(self.net.parameters())
        self.x = w.tensor(rng.normal(size=(6, 4)), dtype=dtype)
        self.y = w.tensor(rng.integers(0, 3, 6))

    def loss(self) -> Any:
        return w.nn.cross_entropy(self.net(self.x), self.y)

    def state(self) -> list[Any]:
        return [p.tolist() for p in self.params]


OPTIMIZERS: dict[str, Callable[[Any], Any]] = {
    "SGD": lambda params: w.optim.SGD(params, lr=0.3),
    "momentum": lambda params: w.optim.SGD(params, lr=0.1, momentum=0.9, weight_decay=1e-3),
    "nesterov": lambda params: w.optim.SGD(params, lr=0.1, momentum=0.9, nesterov=True),
    "Adam": lambda params: w.optim.Adam(params, lr=0.02),
    "AdamW": lambda params: w.optim.AdamW(params, lr=0.02, weight_decay=0.1),
}


# -- training -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_gradients_and_steps(name: str, dtype: str, jumps: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    def program() -> list[Any]:
        model = Classifier(dtype)
        optimizer = OPTIMIZERS[name](model.params)
        found: list[Any] = []
        for step in range(30):
            optimizer.zero_grad()
            loss = model.loss()
            loss.backward()
            if step % 7 == 3:
                found.append([p.grad.tolist() for p in model.params])
            optimizer.step()
            found.append(loss)
        return [each.item() if isinstance(each, w.Tensor) else each for each in found] + model.state()

    found = same_as_step_by_step(program, jumps, monkeypatch)
    assert found[-5] < found[0] and len(jumps) > 2 * 20 * 5  # two layers, the loss, backward and step


def test_gradients_of_leaps_against_differences() -> None:
    model = Classifier(w.float64)
    for _ in range(3):
        from_the_start()
        for p in model.params:
            p.grad = None
        model.loss().backward()
    for p in model.params:
        slopes = p.grad.numpy()
        for place in [(0,) * p.ndim, (-1,) * p.ndim]:
            ends, start = [], p.detach().numpy()
            for h in (1e-6, -1e-6):
                values = start.copy()
                values[place] += h
                p.rebind_leaf(w.tensor(values))
                ends.append(model.loss().item())
            p.rebind_leaf(w.tensor(start))
            assert slopes[place] == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-6, abs=1e-9)


def test_a_schedule_takes_effect_and_makes_no_node(jumps: list[int]) -> None:
    target = np.array([1.0, -2.0, 0.5])
    p, plain = w.tensor(np.zeros(3), requires_grad=True), np.zeros(3)
    t, optimizer = w.tensor(target), w.optim.SGD([p], lr=1.0)
    schedule, sizes = w.optim.cosine(0.3, 100, warmup=10), []
    for step in range(100):
        optimizer.lr = schedule(step)
        optimizer.zero_grad()
        ((p - t) * (p - t)).sum().backward()
        optimizer.step()
        plain = plain - ((plain - target) + (plain - target)) * schedule(step)
        sizes.append(trie.TRIE.size)
        if step in (50, 98, 99):
            assert p.tolist() == plain.tolist()
    assert sizes[10:50] == [sizes[10]] * 40 and sizes[51:98] == [sizes[51]] * 47
    assert len(jumps) > 150


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_rate_of_every_optimizer_is_an_input(name: str) -> None:
    def run(rates: Callable[[int], float]) -> tuple[list[Any], int]:
        model = Classifier(w.float64)
        optimizer, sizes = OPTIMIZERS[name](model.params), []
        for step in range(20):
            optimizer.lr = rates(step)
            optimizer.zero_grad()
            model.loss().backward()
            optimizer.step()
            sizes.append(trie.TRIE.size)
        assert sizes[5:] == [sizes[5]] * 15
        return model.state(), sizes[-1]

    changing, size = run(lambda step: 0.1 / (step + 1))
    assert run(lambda step: 0.1 / (step + 1)) == (changing, size)
    constant, after = run(lambda step: 0.1)
    assert constant != changing and after == size
    with step_by_step():
        assert run(lambda step: 0.1 / (step + 1))[0] == changing


@pytest.mark.parametrize(
    ("name", "attribute", "value"),
    [
        ("momentum", "momentum", 0.5),
        ("momentum", "weight_decay", 0.0),
        ("momentum", "nesterov", True),
        ("Adam", "betas", (0.5, 0.9)),
        ("Adam", "eps", 0.1),
        ("AdamW", "weight_decay", 0.5),
    ],
)
def test_a_setting_changed_between_steps_takes_effect(
    name: str, attribute: str, value: Any, jumps: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def program(change: bool = True) -> list[Any]:
        model = Classifier()
        optimizer = OPTIMIZERS[name](model.params)
        plain = getattr(optimizer, attribute)
        for step in range(24):
            if change:
                setattr(optimizer, attribute, value if 8 <= step < 16 else plain)
            optimizer.zero_grad()
            model.loss().backward()
            optimizer.step()
        return model.state()

    changed = same_as_step_by_step(program, jumps, monkeypatch)
    assert program(change=False) != changed


def test_settings_of_an_optimizer_of_ones_own_take_effect() -> None:
    class Sign(w.optim.Optimizer):
        scale = 1.0

        def updated(self, i: int, x: Any, x_bar: Any) -> Any:
            return x - w.sign(x_bar) * (self.lr * self.scale), ()

    p = w.tensor([8.0], dtype=w.float64, requires_grad=True)
    optimizer = Sign([p], lr=0.5)
    for step in range(8):
        optimizer.lr, optimizer.scale = (0.5 if step < 4 else 0.25), (1.0 if step % 2 else 2.0)
        optimizer.zero_grad()
        (p * p).sum().backward()
        optimizer.step()
    assert p.tolist() == [8.0 - 4 * 0.5 * 1.5 - 4 * 0.25 * 1.5]


def test_gradients_are_accumulated(jumps: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    def program() -> list[Any]:
        model = Classifier(w.float64)
        optimizer = OPTIMIZERS["momentum"](model.params)
        found: list[Any] = []
        for step in range(24):
            optimizer.zero_grad()
            for part in range(1 + step % 3):
                rows = w.nn.cross_entropy(model.net(model.x[2 * part : 2 * part + 2]), model.y[2 * part : 2 * part + 2])
                rows.backward()
            if step == 20:
                (w.nn.cross_entropy(model.net(model.x), model.y) * -3.0).backward()  # the mean over all, once more
                found += [float(abs(p.grad.numpy()).max()) for p in model.params]
            optimizer.step()
        return found + model.state()

    found = same_as_step_by_step(program, jumps, monkeypatch)
    assert max(found[:4]) < 1e-14  # three means over two rows each, less three times the mean over all six


def test_parameters_frozen_or_without_a_gradient(jumps: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    def program() -> list[Any]:
        model = Classifier()
        optimizer = OPTIMIZERS["Adam"](model.params)
        found: list[Any] = []
        for step in range(30):
            optimizer.zero_grad()
            model.params[0].requires_grad = not 10 <= step < 15
            model.loss().backward()
            if step % 4 == 0:
                model.params[1].grad = None
            before = [p.tolist() for p in model.params[:2]] if step in (12, 20) else []
            optimizer.step()
            if before:
                found.append([p.tolist() == old for p, old in zip(model.params[:2], before, strict=True)])
        return [*found, optimizer.steps, *model.state()]

    found = same_as_step_by_step(program, jumps, monkeypatch)
    assert found[:3] == [[True, True], [False, True], [25, 22, 30, 30]]


def test_parameters_the_loss_does_not_depend_on(jumps: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    def program() -> list[Any]:
        model, other = Classifier(), w.tensor([5.0, 7.0], requires_grad=True)
        optimizer = OPTIMIZERS["nesterov"]([*model.params, other])
        for step in range(20):
            optimizer.zero_grad()
            loss = model.loss()
            (loss + other.sum() * 0.5 if step % 3 == 0 else loss).backward()
            assert (other.grad is None) == (step % 3 != 0)
            optimizer.step()
        return [other.tolist(), *model.state()]

    same_as_step_by_step(program, jumps, monkeypatch)


def test_parameters_of_two_dtypes(jumps: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    def program() -> list[Any]:
        a, b = (w.tensor([1.0, 2.0], dtype=dtype, requires_grad=True) for dtype in (w.float32, w.float64))
        optimizer = OPTIMIZERS["AdamW"]([a, b])
        for _ in range(12):
            optimizer.zero_grad()
            (w.tanh(a).sum() + (w.sin(b) * a).sum()).backward()
            optimizer.step()
        assert (a.dtype, b.dtype) == (w.float32, w.float64)
        return [a.tolist(), b.tolist()]

    same_as_step_by_step(program, jumps, monkeypatch)


def test_two_optimizers_as_in_a_gan(jumps: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    def program() -> list[Any]:
        rng = np.random.default_rng(1)
        init = lambda shape: rng.normal(size=shape)  # noqa: E731
        maker, judge = w.nn.Linear(2, 3, init=init), w.nn.Linear(3, 1, init=init)
        for_maker = w.optim.Adam(maker.parameters(), lr=0.05)
        for_judge = w.optim.SGD(judge.parameters(), lr=0.1, momentum=0.5)
        noise, real, found = w.tensor(rng.normal(size=(4, 2))).astype("float32"), w.ones((4, 3)), []
        for step in range(25):
            fake = maker(noise)
            for_judge.zero_grad()
            (w.nn.softplus(judge(fake.detach())).mean() + w.nn.softplus(-judge(real)).mean()).backward()
            for_judge.step()
            for_maker.zero_grad()
            loss = w.nn.softplus(-judge(fake)).mean()
            loss.backward()
            for_maker.step()
            if step % 6 == 5:
                found.append(loss.item())
        return [*found, *[p.tolist() for p in (*maker.parameters(), *judge.parameters())]]

    same_as_step_by_step(program, jumps, monkeypatch)


# -- looks, second walks, explanation ------------------------------------------------------------------------------


def test_looks_at_random_places_change_nothing(jumps: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    def program(seed: int | None = None) -> list[Any]:
        rng = np.random.default_rng(seed)
        model = Classifier()
        optimizer, losses = OPTIMIZERS["Adam"](model.params), []

        def perhaps(*looks: Callable[[], Any]) -> None:
            if seed is not None and rng.random() < 0.4:
                looks[rng.integers(len(looks))]()

        for _ in range(25):
            optimizer.zero_grad()
            z = model.net(model.x)
            perhaps(z.tolist, model.params[1].tolist, w.synchronize)
            loss = w.nn.cross_entropy(z, model.y)
            perhaps(loss.item, z.tolist, lambda loss=loss: repr(loss))
            loss.backward()
            perhaps(loss.item, model.params[0].grad.tolist, model.params[3].grad.numpy, w.synchronize)
            optimizer.step()
            perhaps(loss.item, model.params[2].tolist, z.tolist, model.params[0].grad.tolist, w.synchronize)
            losses.append(loss)
        return [*[loss.item() for loss in losses], *model.state()]

    plain = same_as_step_by_step(program, jumps, monkeypatch)
    for seed in range(6):
        assert program(seed) == plain, f"looks drawn from seed {seed}"


def test_gradients_and_a_second_backward_spell_a_leap_out(jumps: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    def program() -> list[Any]:
        model, found = Classifier(w.float64), []
        for step in range(8):
            from_the_start()
            for p in model.params:
                p.grad = None
            h = w.tanh(model.net[0](model.x))
            z = model.net[2](h)
            loss = w.nn.cross_entropy(z, model.y)
            loss.backward()
            once = [p.grad.tolist() for p in model.params]
            bars = w.gradients(loss, [h, z, *model.params])
            assert [bar.tolist() for bar in bars[2:]] == once
            if step % 2:
                loss.backward()
                np.testing.assert_array_equal(model.params[0].grad.numpy(), 2 * np.array(once[0]))
            found += [bars[0].tolist(), bars[1].tolist(), *once]
        exponentials = np.exp(z.detach().numpy())
        truth = (exponentials / exponentials.sum(1, keepdims=True) - np.eye(3)[model.y.numpy()]) / 6
        np.testing.assert_allclose(bars[1].numpy(), truth, rtol=1e-12, atol=1e-16)
        return found

    same_as_step_by_step(program, jumps, monkeypatch)


def test_the_derivative_of_a_derivative(jumps: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    def program() -> list[Any]:
        model, found = Classifier(w.float64), []
        weight = model.params[0]
        for _ in range(6):
            from_the_start()
            for p in model.params:
                p.grad = None
            model.loss().backward(create_graph=True)
            penalty = (weight.grad * weight.grad).sum()
            first, weight.grad = weight.grad.detach(), None
            penalty.backward()
            found += [first.tolist(), weight.grad.tolist()]
        return found

    found = same_as_step_by_step(program, jumps, monkeypatch)
    slope, curved = (np.array(each) for each in found[-2:])
    model, ends = Classifier(w.float64), []
    start = model.params[0].detach().numpy()
    for h in (1e-6, -1e-6):  # along the gradient, half the penalty's slope is the difference of gradients
        model.params[0].rebind_leaf(w.tensor(start + h * slope))
        model.params[0].grad = None
        model.loss().backward()
        ends.append(model.params[0].grad.numpy())
    np.testing.assert_allclose(curved, (ends[0] - ends[1]) / 1e-6, rtol=1e-5, atol=1e-9)


def test_a_look_before_backward_computes_nothing_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "STEP", 1e9)
    ran: list[str] = []
    plain = interpreter._run

    def run(entry: Any, *rest: Any) -> Any:
        ran.append(entry.primitive.name)
        return plain(entry, *rest)

    monkeypatch.setattr(interpreter, "_run", run)
    model = Classifier()
    optimizer, counts = OPTIMIZERS["Adam"](model.params), []
    for _ in range(40):
        del ran[:]
        optimizer.zero_grad()
        loss = model.loss()
        loss.item()
        loss.backward()
        optimizer.step()
        w.synchronize()
        counts.append(len(ran))
    assert counts[0] > 50 and counts[-5:] == [0] * 5


def test_the_list_of_a_leap_has_every_entry(jumps: list[int]) -> None:
    model = Classifier()
    made = []
    for _ in range(3):
        from_the_start()
        entries = lists.lines([model.loss().entry])
        place = {entry: i for i, entry in enumerate(entries)}
        for i, entry in enumerate(entries):
            assert all(place[operand] < i for operand in entry.inputs if operand.tracked)
        names = [entry.primitive.name if entry.primitive else "" for entry in entries]
        made.append((names, [[place.get(operand) for operand in entry.inputs] for entry in entries]))
    assert len(jumps) == 6 and made[1] == made[2] == made[0]
    assert made[0][0].count("matmul") == 2 and "tanh" in made[0][0]


def test_a_table_is_the_same_with_leaps(jumps: list[int]) -> None:
    net = Classifier(w.float64).net

    def f(x: Any) -> Any:
        return w.nn.cross_entropy(net(x), np.array([2, 0]))

    point = [[0.1, -0.2, 0.3, 0.4], [1.0, 0.5, 0.0, -1.0]]
    with step_by_step():
        expected = str(w.explain(f)(point))
    tables = []
    for _ in range(3):
        from_the_start()
        tables.append(str(w.explain(f)(point)))
    assert tables == [expected] * 3
    assert len(jumps) > 4 and "w7 = w1 @ w6" in expected and "w9 = tanh(w8)" in expected


# -- keys: what makes another path ---------------------------------------------------------------------------------


def test_parameters_shapes_and_modes_are_other_leaps() -> None:
    z = w.tensor(np.linspace(-1, 1, 12).reshape(4, 3), requires_grad=True)
    soft = w.tensor(np.full((4, 3), [0.5, 0.25, 0.25]))

    def truth(z: Any, smoothing: float) -> float:
        target = soft.numpy()[: len(z)] * (1 - smoothing) + smoothing / 3
        return float(-(target * (z - np.log(np.exp(z).sum(1, keepdims=True)))).sum() / len(z))

    for _ in range(4):
        from_the_start()
        for smoothing in (0.0, 0.1, 0.5):
            for rows in (4, 2):
                loss = w.nn.cross_entropy(z[:rows], soft[:rows], label_smoothing=smoothing)
                assert loss.requires_grad
                assert loss.item() == pytest.approx(truth(z.detach().numpy()[:rows], smoothing), rel=1e-13)
                with w.no_grad():
                    assert not w.nn.cross_entropy(z[:rows], soft[:rows], label_smoothing=smoothing).requires_grad
                assert not w.nn.cross_entropy(z.detach()[:rows], soft[:rows]).requires_grad


def test_parameters_of_one_value_and_other_names_are_other_leaps() -> None:
    @leaps.composite
    def line(x: Any, *, slope: float = 1.0, shift: float = 0.0) -> Any:
        return x * slope + shift

    x = w.tensor([1.0, 2.0])
    for _ in range(3):
        from_the_start()
        assert line(x, slope=2.0).tolist() == [2.0, 4.0]
        from_the_start()
        assert line(x, shift=2.0).tolist() == [3.0, 4.0]


def test_operands_given_twice_or_exchanged() -> None:
    rng = np.random.default_rng(0)
    a, b = (w.tensor(rng.normal(size=(3, 3)), requires_grad=True) for _ in range(2))
    wanted = {(0, 1): (a, b), (1, 0): (b, a), (0, 0): (a, a)}
    for _ in range(3):
        for x, y in wanted.values():
            from_the_start()
            a + b  # both are in the path now, a first
            linear = w.nn.layers._linear(x, y)  # type: ignore[attr-defined]
            np.testing.assert_allclose(linear.detach().numpy(), x.detach().numpy() @ y.detach().numpy().T, rtol=1e-14)


def test_new_values_from_outside_are_seen_by_a_known_leap(jumps: list[int]) -> None:
    net = w.nn.Linear(2, 1, dtype=w.float64)
    optimizer = w.optim.SGD(net.parameters(), lr=0.5, momentum=0.5)
    for step in range(6):
        optimizer.zero_grad()
        state = {"weight": np.array([[float(step), 1.0]]), "bias": np.array([0.0])}
        net.load_state_dict(state)
        optimizer.load_state_dict({"lr": 0.5, "steps": [1, 1], "velocity.0": [[2.0, 0.0]], "velocity.1": [4.0]})
        net([[1.0, 10.0]]).sum().backward()
        optimizer.step()
        assert net.weight.tolist() == [[step - 0.5 * 2.0, 1.0 - 0.5 * 10.0]]
        assert net.bias.tolist() == [0.0 - 0.5 * 3.0]
    assert len(jumps) > 10


# -- memory --------------------------------------------------------------------------------------------------------


class Training:
    """Steps of a training, one after the other, that may keep what they make."""

    def __init__(self, keep: bool) -> None:
        self.model, self.kept = Classifier(), list[Any]()
        self.optimizer, self.keep = OPTIMIZERS["Adam"](self.model.params), keep

    def steps(self, count: int) -> None:
        for _ in range(count):
            self.optimizer.zero_grad()
            z = self.model.net(self.model.x)
            loss = w.nn.cross_entropy(z, self.model.y)
            loss.backward()
            self.optimizer.step()
            if self.keep:
                self.kept += [loss, z]
        w.synchronize()


@pytest.fixture
def no_collection() -> Iterator[None]:
    """Only counting of references may free what these tests make."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("keep", [False, True])
def test_objects_do_not_pile_up(
    keep: bool, compiled: bool, no_collection: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not compiled:
        monkeypatch.setattr(recorder, "SIGHTINGS", 1 << 30)
    training = Training(keep)
    training.steps(400)
    before = len(gc.get_objects())
    training.steps(600)
    grown = len(gc.get_objects()) - before
    most = 20 if keep else 0  # per step, for a loss, a prediction, and the emptied segment they were made in
    assert grown < 600 * most + 100
    assert len(training.kept) == 2000 * keep
    assert sum(hasattr(each.entry, "spent") for each in training.kept) == len(training.kept)


@pytest.mark.parametrize("compiled", [False, True])
def test_kept_results_do_not_hold_old_parameters(
    compiled: bool, no_collection: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not compiled:
        monkeypatch.setattr(recorder, "SIGHTINGS", 1 << 30)
    training, values = Training(keep=True), []
    for _ in range(60):
        training.steps(1)
        values.append([weakref.ref(p.entry.value) for p in training.model.params])
    alive = {id(value) for references in values for each in references if (value := each()) is not None}
    assert len(alive) <= 4 * len(training.model.params)  # a plan keeps a few buffers to write to again
    losses = [loss.item() for loss in training.kept[::2]]
    assert losses == sorted(losses, reverse=True)
    with pytest.raises(GradientError, match="spent by step"):
        training.kept[0].backward()


# -- what goes wrong in the middle ---------------------------------------------------------------------------------


def test_errors_between_leaps_change_nothing(jumps: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    def program(wrong: bool = False) -> list[Any]:
        model = Classifier()
        optimizer = OPTIMIZERS["nesterov"](model.params)
        for step in range(20):
            optimizer.zero_grad()
            if wrong and step % 4 == 1:
                with pytest.raises(ShapeError):
                    model.net(model.x[:, :3])
            z = model.net(model.x)
            if wrong and step % 3 == 0:
                with pytest.raises(ShapeError):
                    w.nn.cross_entropy(z, model.y[:2])
                with pytest.raises(ValueError, match="label"):
                    w.nn.cross_entropy(z, model.y + 1)
            loss = w.nn.cross_entropy(z, model.y)
            if wrong and step % 5 == 0:
                with pytest.raises(GradientError):
                    z.backward()
                with pytest.raises(GradientError):
                    loss.detach().backward()
            loss.backward()
            optimizer.step()
        return model.state()

    expected = same_as_step_by_step(program, jumps, monkeypatch)
    assert program(wrong=True) == expected


def test_a_composite_that_fails_is_recorded_when_it_works(jumps: list[int]) -> None:
    fails = True

    @leaps.composite
    def doubled(x: Any) -> Any:
        y = w.exp(x)
        if fails:
            raise KeyError("fails")
        return y * 2

    x = w.tensor([0.0, 1.0], dtype=w.float64, requires_grad=True)
    for _ in range(3):
        from_the_start()
        with pytest.raises(KeyError):
            doubled(x)
    fails = False
    for _ in range(4):
        from_the_start()
        x.grad, y = None, doubled(x)
        y.sum().backward()
        np.testing.assert_allclose(y.detach().numpy(), 2 * np.exp([0.0, 1.0]), rtol=1e-15)
        np.testing.assert_allclose(x.grad.numpy(), 2 * np.exp([0.0, 1.0]), rtol=1e-15)
    assert len(jumps) == 6


class Struck(Exception):
    """Raised by a tracing function."""


def struck_at(k: int, program: Callable[[], Any]) -> bool:
    """Raise at the k-th line of `leaps` that the program executes; tell whether it has so many."""
    left = k

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal left
        if frame.f_code.co_filename != leaps.__file__:
            return None
        if event == "line":
            left -= 1
            if left < 0:
                sys.settrace(None)
                raise Struck
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        program()
    except Struck:
        return True
    finally:
        sys.settrace(before)
    return False


@pytest.mark.parametrize("known", [False, True])
def test_an_exception_at_any_line_leaves_the_engine_usable(known: bool, jumps: list[int]) -> None:
    x = np.array([[1.0, 2.0], [3.0, -4.0]])
    inputs = w.tensor(x)
    net = w.nn.Linear(2, 2, init=lambda shape: np.eye(2), dtype=w.float64)
    optimizer = w.optim.SGD(net.parameters(), lr=0.125, momentum=0.5)
    made: list[tuple[Any, Any]] = []

    def step() -> None:
        optimizer.zero_grad()
        weight, bias = np.array(net.weight.tolist()), np.array(net.bias.tolist())  # type: ignore[union-attr]
        z = net(inputs)
        made.append((z, x @ weight.T + bias))
        loss = (z * z).sum() * 0.5
        loss.backward()
        w.gradients(loss, z)
        optimizer.step()

    k = 0
    while True:
        from_the_start()
        net.load_state_dict({"weight": np.eye(2), "bias": np.zeros(2)})
        if not known:
            forget()
        elif not k:
            for _ in range(2):
                step()
                net.load_state_dict({"weight": np.eye(2), "bias": np.zeros(2)})
        if not struck_at(k, step):
            break
        net.load_state_dict({"weight": 2 * np.eye(2), "bias": np.ones(2)})
        optimizer.zero_grad()
        y = net(inputs)
        (y * y).sum().backward()
        np.testing.assert_array_equal(y.detach().numpy(), 2 * x + 1)
        np.testing.assert_array_equal(net.weight.grad.numpy(), 2 * (2 * x + 1).T @ x)
        for z, value in made:
            np.testing.assert_allclose(z.detach().numpy(), value, rtol=1e-14)
        made.clear()
        k += 1
    del jumps[:]
    for _ in range(3):
        step()
    assert len(jumps) > 4, "leaps are no longer made"
    assert k > 150


@pytest.mark.parametrize("looks", [False, True])
def test_what_is_recorded_while_a_leap_is_made(looks: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A `__del__` may record, or look, between any two lines."""
    model, other, plain, busy = Classifier(w.float64), w.tensor([1.0]), leaps.wrap, False
    made: list[Any] = []

    def interrupted(entry: Any) -> Any:
        nonlocal busy
        if not busy and len(made) < 4:
            busy = True
            made.append(other * 3.0)
            if looks:
                made[-1].tolist()
            busy = False
        return plain(entry)

    expected = model.loss().item()
    for _ in range(4):
        from_the_start()
        monkeypatch.setattr(leaps, "wrap", interrupted)
        loss = model.loss()
        monkeypatch.setattr(leaps, "wrap", plain)
        assert loss.item() == expected
    assert [each.tolist() for each in made] == [[3.0]] * 4


# -- threads -------------------------------------------------------------------------------------------------------


def in_threads(work: Callable[[], Any], count: int = 4) -> list[Any]:
    """Run `work` in threads that start together, with many changes between them; return the results."""
    start, found, before = threading.Barrier(count), list[Any](), sys.getswitchinterval()

    def run() -> None:
        start.wait()
        try:
            found.append(work())
        except BaseException as error:
            found.append(error)

    threads = [threading.Thread(target=run) for _ in range(count)]
    sys.setswitchinterval(1e-5)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    return found


def test_threads_find_the_same_paths(jumps: list[int]) -> None:
    def work() -> list[Any]:
        training = Training(keep=True)
        training.steps(40)
        return [*training.model.state(), *[each.tolist() for each in training.kept]]

    with step_by_step():
        expected = work()
    for _ in range(3):
        forget()
        assert in_threads(work) == [expected] * 4
    assert len(jumps) > 3 * 4 * 30 * 5


def test_threads_spell_out_one_leap(jumps: list[int]) -> None:
    model = Classifier(w.float64)
    for _ in range(6):
        from_the_start()
        loss = model.loss()
        found = in_threads(lambda loss=loss: [bar.tolist() for bar in w.gradients(loss, model.params)])
        loss.backward()
        assert found == [[p.grad.tolist() for p in model.params]] * 4
        for p in model.params:
            p.grad = None
    assert len(jumps) >= 10
