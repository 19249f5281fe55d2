"""Steps repeated in native code: the figures and parameters are those of the ordinary loop, bit for bit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import wengert as w
from wengert import nn, optim
from wengert.compiler import engine
from wengert.record import recorder
from wengert.train import native

ROWS, FEATURES, CLASSES = 203, 6, 3


@pytest.fixture(autouse=True)
def compiled_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A path is compiled as soon as it is known."""
    monkeypatch.setattr(recorder, "SIGHTINGS", 2)
    monkeypatch.setattr(engine, "STEP", 1e9)


@pytest.fixture
def repeats(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """How many steps each call of the native loop made."""
    made: list[int] = []
    steps = native.Watch.steps

    def counted(self: native.Watch, order: Any, rates: Any) -> Any:
        made.append(len(order))
        return steps(self, order, rates)

    monkeypatch.setattr(native.Watch, "steps", counted)
    yield made


def data(seed: int = 0) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    return rng.standard_normal((ROWS, FEATURES), dtype=np.float32), rng.integers(0, CLASSES, ROWS)


def network() -> nn.Module:
    w.seed(1)
    return nn.Sequential(nn.Linear(FEATURES, 7), nn.Tansig(), nn.Linear(7, CLASSES))


def trained(monkeypatch: pytest.MonkeyPatch, by_hand: bool, make: Callable[[Any], Any], **options: Any) -> list[Any]:
    """Everything a training leaves behind."""
    model = options.pop("model", network)()
    optimizer = make(model.parameters())
    with monkeypatch.context() as m:
        if by_hand:
            m.setattr(native.Watch, "_make", lambda *args: None)
        given = {"data": data(), "epochs": 5, "batch_size": 16, **options}
        history = w.fit(model, optimizer=optimizer, verbose=False, **given)
    figures = [{k: v for k, v in row.items() if k != "seconds"} for row in history.rows]
    state = {k: np.asarray(v) for k, v in optimizer.state_dict().items()}
    return [figures, model.state_dict(), state, history.best_epoch]


def same(one: Any, other: Any) -> bool:
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other, strict=True))
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other)
    return bool(one == other)


OPTIMIZERS: dict[str, Callable[[Any], Any]] = {
    "sgd": lambda p: optim.SGD(p, lr=0.1),
    "momentum": lambda p: optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True, weight_decay=0.01),
    "adam": lambda p: optim.Adam(p, lr=0.01),
    "adamw": lambda p: optim.AdamW(p, lr=0.01),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"schedule": "cosine"},
        {"validation": 0.2, "patience": 2, "epochs": 8},
        {"batch_size": 203},
        {"batch_size": 1},
    ],
    ids=["plain", "schedule", "validation", "whole", "single"],
)
def test_a_repeated_step_has_the_bits_of_the_ordinary_one(
    name: str, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch, repeats: list[int]
) -> None:
    if options.get("batch_size") == 203:
        options = {**options, "epochs": 12}
    by_hand = trained(monkeypatch, True, OPTIMIZERS[name], **options)
    assert not repeats
    assert same(trained(monkeypatch, False, OPTIMIZERS[name], **options), by_hand)
    assert sum(repeats) > 3


@pytest.mark.parametrize("loss", ["mean_squared_error", "binary_cross_entropy"])
def test_other_losses_and_float64(loss: str, monkeypatch: pytest.MonkeyPatch, repeats: list[int]) -> None:
    rng = np.random.default_rng(2)
    rows = rng.standard_normal((ROWS, FEATURES)), rng.random((ROWS, 2))

    def model() -> nn.Module:
        w.seed(3)
        return nn.Sequential(nn.Linear(FEATURES, 5, dtype=w.float64), nn.Logsig(), nn.Linear(5, 2, dtype=w.float64))

    options = {"data": rows, "loss": loss, "model": model}
    by_hand = trained(monkeypatch, True, OPTIMIZERS["adam"], **options)
    assert same(trained(monkeypatch, False, OPTIMIZERS["adam"], **options), by_hand)
    assert sum(repeats) > 3


def test_a_step_with_random_numbers_is_not_repeated(monkeypatch: pytest.MonkeyPatch, repeats: list[int]) -> None:
    def model() -> nn.Module:
        w.seed(1)
        return nn.Sequential(nn.Linear(FEATURES, 7), nn.Dropout(0.5), nn.Linear(7, CLASSES))

    by_hand = trained(monkeypatch, True, OPTIMIZERS["sgd"], model=model)
    assert same(trained(monkeypatch, False, OPTIMIZERS["sgd"], model=model), by_hand)
    assert not repeats


def test_a_loss_that_looks_is_not_repeated(monkeypatch: pytest.MonkeyPatch, repeats: list[int]) -> None:
    def loss(outputs: Any, labels: Any) -> Any:
        heavy = 2.0 if int(labels[0]) == 1 else 1.0
        return nn.losses.cross_entropy(outputs, labels) * heavy

    by_hand = trained(monkeypatch, True, OPTIMIZERS["sgd"], loss=loss)
    assert same(trained(monkeypatch, False, OPTIMIZERS["sgd"], loss=loss), by_hand)
    assert not repeats


def test_a_frozen_layer_stays(monkeypatch: pytest.MonkeyPatch, repeats: list[int]) -> None:
    def model() -> nn.Module:
        net = network()
        first = next(iter(net.parameters()))
        first.requires_grad = False
        return net

    before = model().state_dict()
    make = lambda p: optim.SGD([x for x in p if x.requires_grad], lr=0.1)  # noqa: E731
    by_hand = trained(monkeypatch, True, make, model=model)
    repeated = trained(monkeypatch, False, make, model=model)
    assert same(repeated, by_hand)
    assert sum(repeats) > 3
    name = next(iter(before))
    assert np.array_equal(repeated[1][name], before[name])


def test_a_wrong_label_is_reported_as_by_the_ordinary_loop(repeats: list[int]) -> None:
    x, y = data()
    y[-1] = CLASSES  # met in some epoch's last batches
    with pytest.raises(w.errors.ArgumentError, match=f"label {CLASSES} is out of range"):
        w.fit(network(), (x, y), epochs=9, batch_size=16, verbose=False)
    assert not repeats


def test_divergence_is_noticed_and_the_network_set_back(repeats: list[int]) -> None:
    x, y = data()
    model = nn.Sequential(nn.Linear(FEATURES, 4), nn.Linear(4, CLASSES))
    with pytest.raises(w.errors.DivergedError, match="training has diverged"):
        w.fit(
            model,
            (x * 1e10, np.asarray(y, np.float32)[:, None] * np.ones((1, CLASSES), np.float32)),
            optimizer=optim.SGD(model.parameters(), lr=1e9),
            epochs=50,
            batch_size=16,
            verbose=False,
        )
    assert all(np.isfinite(value).all() for value in model.state_dict().values())


def test_a_callback_may_change_the_network(monkeypatch: pytest.MonkeyPatch, repeats: list[int]) -> None:
    def run(by_hand: bool) -> Any:
        net = network()

        def halve(history: Any) -> None:
            with w.no_grad():
                for p in net.parameters():
                    p *= 0.5

        return trained(monkeypatch, by_hand, OPTIMIZERS["momentum"], model=lambda: net, callbacks=[halve])

    assert same(run(False), run(True))
    assert sum(repeats) > 3


def test_values_handed_out_are_not_written_over(repeats: list[int]) -> None:
    net = network()
    kept: list[tuple[Any, Any]] = []

    def keep(history: Any) -> None:
        for p in net.parameters():
            values = p.detach().numpy()
            kept.append((values, values.copy()))

    w.fit(net, data(), epochs=6, batch_size=16, verbose=False, callbacks=[keep])
    assert sum(repeats) > 3
    assert all(np.array_equal(values, copy) for values, copy in kept)


def test_a_callback_may_freeze_a_layer(monkeypatch: pytest.MonkeyPatch, repeats: list[int]) -> None:
    def run(by_hand: bool) -> Any:
        net = network()

        def freeze(history: Any) -> None:
            if len(history) == 3:
                first = next(iter(net.parameters()))
                first.requires_grad, first.grad = False, None

        return trained(monkeypatch, by_hand, OPTIMIZERS["adam"], model=lambda: net, callbacks=[freeze], epochs=7)

    assert same(run(False), run(True))
    assert sum(repeats) > 3


def test_what_a_step_reads_after_writing_is_not_overwritten() -> None:
    """The old value is needed by a kernel that comes after the one that makes the new: two sets of buffers."""
    from wengert.compiler.plan import Plan
    from wengert.compiler.repeat import may_overwrite

    def path(*wanted: Any) -> tuple[Any, list[int]]:
        positions = [x.entry.node.position for x in wanted]
        node = wanted[-1].entry.node
        w.synchronize()
        return node, positions

    a, g = w.ones((6, 6)), w.ones((6, 6))
    new = a - g * 0.5
    end, (position,) = path(new)
    assert may_overwrite(Plan(end, [position]), 4, position)  # g and 0.5 entered first, and made the third entry
    b = w.ones((6, 6))
    new = b - (b @ b) * 0.5  # the product reads all of b while its rows are being updated
    end, (position,) = path(new)
    assert not may_overwrite(Plan(end, [position]), 1, position)
    c = w.ones((6, 6))
    new = c - c.T  # element (i, j) needs the old (j, i)
    end, (position,) = path(new)
    assert not may_overwrite(Plan(end, [position]), 1, position)
    d = w.ones((6, 6))
    new = d * 2.0
    late = (d @ d).sum(axis=0)
    end, (first, _) = path(new, late)
    assert not may_overwrite(Plan(end, [first, late.entry.node.position]), 1, first)
