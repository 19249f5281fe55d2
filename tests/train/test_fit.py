"""fit: it learns, repeats itself bit by bit, stops in time, survives Ctrl-C, and says what is wrong with data."""

import functools
import json
import math
import os
import signal
import sys
import threading

import numpy as np
import pytest

import wengert as w
from wengert import nn, optim
from wengert.datasets import moons, sine, xor
from wengert.errors import ArgumentError, DataError, DivergedError, DTypeError, ShapeError
from wengert.train import evaluate, fit

quiet = functools.partial(fit, verbose=False)


def network(n_in=2, n_out=2, hidden=16, seed=0):
    w.seed(seed)
    return nn.Sequential(nn.Linear(n_in, hidden), nn.Tansig(), nn.Linear(hidden, n_out))


def adam(model, lr=0.02):
    return optim.Adam(model.parameters(), lr=lr)


def dropping(seed=0):
    w.seed(seed)
    return nn.Sequential(nn.Linear(2, 8), nn.Tansig(), nn.Dropout(0.3), nn.Linear(8, 2))


def values(model):
    return {name: x.tobytes() for name, x in model.state_dict().items()}


MOONS = moons(120, noise=0.1, seed=1)
X, Y = MOONS.x, MOONS.y


def test_xor():
    model = network(hidden=8)
    history = quiet(model, xor(), optimizer=adam(model, 0.1), epochs=80)
    assert history["accuracy"][-1] == 1 and history["loss"][-1] < 0.05
    assert model(xor().x).argmax(axis=1).tolist() == xor().y.tolist()


def test_moons_with_validation_side_by_side():
    model = network()
    history = quiet(model, MOONS, optimizer=adam(model), epochs=60, validation=0.25)
    assert history["validation_accuracy"][-1] >= 0.9
    assert list(history.columns) == [
        "epoch", "lr", "loss", "accuracy", "validation_loss", "validation_accuracy",
    ]  # fmt: skip
    assert len(history) == 60 and history["epoch"] == list(range(1, 61)) and history.seconds > 0


def test_regression():
    data = sine()
    model = network(data.x.shape[1], 1)
    history = quiet(model, data, optimizer=adam(model), epochs=100, metrics=("r2", "mean_absolute_error"))
    assert history["r2"][-1] > 0.7 and history["mean_absolute_error"][-1] < history["mean_absolute_error"][0]


def test_full_batch_is_the_loop_one_would_write():
    model, mine = network(), network()
    quiet(model, (X, Y), optimizer=optim.SGD(model.parameters(), lr=0.5), epochs=5, batch_size=len(X), seed=3)
    optimizer = optim.SGD(mine.parameters(), lr=0.5)
    for _ in range(5):
        optimizer.zero_grad()
        nn.cross_entropy(mine(X), Y).backward()
        optimizer.step()
    for name, value in model.state_dict().items():  # the rows come in another order, so sums round differently
        np.testing.assert_allclose(value, mine.state_dict()[name], rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("make", [network, dropping])
def test_the_same_seed_gives_the_same_bits(make):
    results = []
    for seed in (5, 5, 6):
        model = make()
        history = quiet(model, MOONS, epochs=4, batch_size=16, validation=0.2, seed=seed)
        results.append((values(model), history.rows))
    assert results[0] == results[1] and results[0][0] != results[2][0]


def test_the_users_random_numbers_are_left_alone():
    w.seed(9)
    expected = nn.Linear(2, 2).weight.tolist()
    model = dropping()
    w.seed(9)
    quiet(model, MOONS, epochs=1)
    assert nn.Linear(2, 2).weight.tolist() == expected


def test_eager_training_has_the_same_bits():
    model, eager = dropping(), dropping()
    quiet(model, MOONS, epochs=2)
    with w.eager():
        quiet(eager, MOONS, epochs=2)
    assert values(model) == values(eager)


def test_every_row_is_seen_once_an_epoch_and_the_last_batch_is_kept():
    seen = []

    class Watching(nn.Module):
        def __init__(self):
            self.inner = nn.Linear(1, 1)

        def forward(self, x):
            seen.append(x.numpy()[:, 0].tolist())
            return self.inner(x)

    x = np.arange(10, dtype=np.float32)[:, None]
    quiet(Watching(), (x, x * 0), epochs=2, batch_size=4)
    assert [len(batch) for batch in seen] == [4, 4, 2] * 2
    first, second = seen[0] + seen[1] + seen[2], seen[3] + seen[4] + seen[5]
    assert sorted(first) == sorted(second) == x[:, 0].tolist() and first != second != x[:, 0].tolist()


def test_a_share_for_validation_is_held_out():
    parts = {"train": set(), "validation": set()}

    class Watching(nn.Module):
        def __init__(self):
            self.inner = nn.Linear(1, 1)

        def forward(self, x):
            parts["train" if self.training else "validation"].update(x.numpy()[:, 0].tolist())
            return self.inner(x)

    x = np.arange(20, dtype=np.float32)[:, None]
    quiet(Watching(), (x, x * 0), epochs=2, validation=0.3, batch_size=8)
    assert len(parts["validation"]) == 6 and len(parts["train"]) == 14
    assert not parts["train"] & parts["validation"]


def test_figures_are_means_over_rows():
    model = nn.Sequential(nn.Linear(1, 1))
    model.load_state_dict({"0.weight": [[0.0]], "0.bias": [0.0]})
    y = np.array([[1.0], [2.0], [3.0]], np.float32)
    sgd = optim.SGD(model.parameters(), lr=1e-30)  # so small that nothing moves
    history = quiet(model, (y * 0, y), optimizer=sgd, epochs=1, batch_size=2, validation=(y * 0, y))
    assert history["loss"] == history["validation_loss"] == [pytest.approx(14 / 3, rel=1e-6)]
    assert history["mean_absolute_error"] == history["validation_mean_absolute_error"] == [2.0]


def test_early_stopping_returns_to_the_best():
    model = network(hidden=64)
    states = []
    small = (X[:12], 1 - Y[:12])  # wrong labels: the longer it learns them, the worse it validates
    history = quiet(
        model, small, optimizer=adam(model, 0.01), epochs=60, validation=(X[40:], Y[40:]), patience=3,
        callbacks=[lambda h: states.append(values(model))],
    )  # fmt: skip
    losses = history["validation_loss"]
    assert history.stopped_early and len(history) < 60
    assert history.best_epoch == 1 + losses.index(min(losses)) == len(history) - 3
    assert values(model) == states[history.best_epoch - 1] != states[-1]
    assert evaluate(model, (X[40:], Y[40:]))["loss"] == pytest.approx(min(losses), rel=1e-6)


def test_patience_without_validation_watches_the_training_loss():
    model = network()
    history = quiet(model, MOONS, epochs=10, patience=2)
    assert not history.stopped_early and len(history) == 10 and history.best_epoch == 10


def test_ctrl_c_keeps_the_best():
    model, states = network(), []

    def press(history):
        states.append(values(model))
        if len(history) == 6:
            raise KeyboardInterrupt

    history = quiet(model, MOONS, optimizer=adam(model, 0.5), epochs=50, validation=0.3, callbacks=[press])
    assert history.interrupted and len(history) == 6 and "interrupted" in repr(history)
    assert values(model) == states[history.best_epoch - 1]
    model(X).sum().backward()  # the engine and the network go on
    assert model[0].weight.grad is not None


@pytest.mark.parametrize("at", [1, 7])
def test_a_signal_ends_after_the_batch_at_hand(at):
    """Without a whole epoch there is no best: the parameters of the last whole batch stay."""
    counts, before = [], signal.getsignal(signal.SIGINT)

    class Pressed(nn.Module):
        def __init__(self):
            w.seed(0)
            self.inner = nn.Linear(2, 2)

        def forward(self, x):
            counts.append(len(x.tolist()))
            if len(counts) == at:
                os.kill(os.getpid(), signal.SIGINT)
            return self.inner(x)

    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        model = Pressed()
        history = quiet(model, (X, Y), batch_size=4, epochs=9)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
    assert history.interrupted and not len(history) and counts == [4] * at and not model.training
    other, order = Pressed(), w.random.Generator(0, w.random.SHUFFLING).permutation(len(X))
    optimizer = optim.Adam(other.parameters())
    for k in range(at):
        rows = order[4 * k : 4 * k + 4]
        optimizer.zero_grad()
        nn.cross_entropy(other.inner(X[rows]), Y[rows]).backward()
        optimizer.step()
    assert values(other) == values(model)


def test_an_interrupt_inside_a_step_returns_to_whole_parameters(monkeypatch):
    """A second Ctrl-C can come anywhere: the parameters are those of the last look, here after 4 batches."""
    monkeypatch.setattr(sys.modules["wengert.train.fit"], "LOOK_EVERY", 4)
    calls = []

    class Broken(nn.Module):
        def __init__(self):
            w.seed(0)
            self.inner = nn.Linear(2, 2)

        def forward(self, x):
            calls.append(values(self))
            if len(calls) == 7:
                raise KeyboardInterrupt
            return self.inner(x)

    model = Broken()
    assert quiet(model, MOONS, batch_size=4, epochs=9).interrupted
    assert values(model) == calls[4] != calls[6]
    assert all(p.grad is None for p in model.parameters())


def test_training_in_another_thread_has_the_same_bits():
    model, other = dropping(), dropping()
    quiet(model, MOONS, epochs=2)
    thread = threading.Thread(target=quiet, args=(other, MOONS), kwargs={"epochs": 2})
    thread.start()
    thread.join()
    assert values(model) == values(other)


def test_figures_of_many_batches_are_looked_at_on_the_way(monkeypatch):
    model = network()
    at_once = evaluate(model, MOONS, batch_size=7)
    monkeypatch.setattr(sys.modules["wengert.train.fit"], "LOOK_EVERY", 3)
    assert evaluate(model, MOONS, batch_size=7) == at_once


def test_divergence_is_named_and_the_network_set_back():
    x = np.linspace(-1, 1, 12, dtype=np.float32)[:, None]
    model, states = nn.Linear(1, 1), []
    sgd = optim.SGD(model.parameters(), lr=1e12)
    with pytest.raises(DivergedError, match=r"the loss is (inf|nan) in epoch \d+, batch \d+: training has diverged"):
        quiet(model, (x, 3 * x), optimizer=sgd, epochs=50, callbacks=[lambda h: states.append(values(model))])
    assert all(np.isfinite(value).all() for value in model.state_dict().values())
    assert issubclass(DivergedError, ArithmeticError)


def test_divergence_in_a_later_batch_is_counted():
    x = np.ones((6, 1), np.float32)
    calls = []

    def loss(y, target):
        calls.append(1)
        return nn.mean_squared_error(y, target) * (math.nan if len(calls) == 5 else 1.0)

    with pytest.raises(DivergedError, match="the loss is nan in epoch 2, batch 2"):
        quiet(nn.Linear(1, 1), (x, x), loss=loss, batch_size=2, epochs=3)


def test_validation_may_diverge_too():
    x = np.ones((6, 1), np.float32)
    held = (x * 1e38, x * -1e38)
    with pytest.raises(DivergedError, match="the validation loss is inf in epoch 1, batch 1"):
        quiet(nn.Linear(1, 1), (x, x), validation=held, epochs=1)


def test_schedule_sets_lr_at_every_step_and_gives_it_back():
    asked = []
    model = network()
    optimizer = adam(model, 0.3)

    def schedule(step):
        asked.append(step)
        return 0.1 / (1 + step)

    history = quiet(model, (X[:10], Y[:10]), optimizer=optimizer, batch_size=4, epochs=2, schedule=schedule)
    assert sorted(set(asked)) == list(range(6)) and optimizer.lr == 0.3
    assert history["lr"] == [0.1, 0.1 / 4]


def test_cosine_falls_from_lr():
    model = network()
    history = quiet(model, MOONS, optimizer=adam(model, 0.1), epochs=10, schedule="cosine")
    truth = [0.05 * (1 + math.cos(math.pi * k / 10)) for k in range(10)]
    assert history["lr"] == pytest.approx(truth, rel=1e-12)


def test_modes_during_and_after():
    modes = []

    class Watching(nn.Module):
        def __init__(self):
            self.inner = nn.Linear(2, 2)

        def forward(self, x):
            modes.append(self.training)
            return self.inner(x)

    model = Watching()
    quiet(model, MOONS, epochs=1, batch_size=90, validation=0.1)
    assert modes == [True, True, False] and not model.training
    model.train()
    evaluate(model, MOONS)
    assert model.training and modes[-1] is False


@pytest.mark.parametrize("loss", ["cross_entropy", nn.cross_entropy, None, functools.partial(nn.cross_entropy)])
def test_losses_by_name_and_function(loss):
    history = quiet(network(), MOONS, loss=loss, epochs=1)
    assert list(history.columns) == ["epoch", "lr", "loss", "accuracy"]


def test_a_partial_loss_is_used_with_its_settings():
    smooth = functools.partial(nn.cross_entropy, label_smoothing=0.5)
    model = network()
    assert evaluate(model, MOONS, loss=smooth)["loss"] == pytest.approx(smooth(model(X), Y).item(), rel=1e-6)


@pytest.mark.parametrize("y", [Y.astype(np.float32)[:, None], (Y > 0)[:, None]])
def test_binary_cross_entropy_has_an_accuracy(y):
    model = network(n_out=1)
    history = quiet(model, (X, y), loss="binary_cross_entropy", optimizer=adam(model), epochs=20)
    assert history["accuracy"][-1] > 0.75


def test_probabilities_as_targets():
    history = quiet(network(), (X, np.eye(2, dtype=np.float32)[Y]), loss="cross_entropy", epochs=30)
    assert history["accuracy"][-1] > 0.6


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd", None])
def test_optimizers_by_name(optimizer):
    model = network()
    before = values(model)
    quiet(model, MOONS, optimizer=optimizer, epochs=1)
    assert values(model) != before


def test_tensors_lists_and_data_sets_are_taken():
    results = []
    for data in (MOONS, (X, Y), [w.tensor(X), w.tensor(Y)], (X.tolist(), Y.tolist()), (X.astype(np.float64), Y)):
        model = network()
        quiet(model, data, epochs=1)
        results.append(values(model))
    assert all(result == results[0] for result in results)


def test_float64_networks_get_float64_rows():
    model = network().astype(w.float64)
    quiet(model, MOONS, epochs=1)
    assert model(X.astype(np.float64)).dtype == w.float64 and model[0].weight.dtype == w.float64


def test_the_callers_arrays_stay_theirs():
    x, y = X.copy(), Y.copy()
    quiet(network(), (x, y), epochs=1, validation=(x, y))
    assert x.flags.writeable and (x == X).all() and (y == Y).all()


def test_history_as_lines(tmp_path):
    history = quiet(network(), MOONS, epochs=3)
    text = history.to_jsonl(tmp_path / "metrics.jsonl")
    assert [json.loads(line) for line in text.splitlines()] == history.rows
    assert (tmp_path / "metrics.jsonl").read_text() == text and history.last == history.rows[-1]
    assert repr(history).startswith("History: 3 epochs, the last: lr 0.001, loss ")
    with pytest.raises(ArgumentError, match="history has no 'los'; it has epoch, lr, loss, accuracy"):
        history["los"]


def test_plain_lines_where_there_is_no_terminal(capsys):
    fit(network(), MOONS, epochs=25, validation=0.2)
    lines = capsys.readouterr().out.splitlines()
    assert [int(line.split("/")[0].removeprefix("epoch")) for line in lines] == [1, *range(2, 25, 2), 25]
    assert "(validation " in lines[0] and "accuracy" in lines[0]
    quiet(network(), MOONS, epochs=2)
    assert capsys.readouterr().out == ""


def test_a_bar_in_a_terminal(capsys, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setattr(sys.modules["wengert.train.fit"], "LOOK_EVERY", 2)
    fit(network(), MOONS, epochs=3, batch_size=8)
    assert "epoch 3/3  loss" in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["detached", "slope 0"])
def test_warns_when_no_parameter_receives_a_gradient(kind):
    class Cut(nn.Module):
        def __init__(self):
            self.inner = nn.Linear(2, 2)

        def forward(self, x):
            y = self.inner(x)
            return y.detach() if kind == "detached" else nn.hardlim(y)

    model = Cut()
    before = values(model)
    with pytest.warns(UserWarning, match="no parameter receives a gradient") as caught:
        quiet(model, MOONS, epochs=2)
    assert len(caught) == 1 and values(model) == before


BAD = X.copy()
BAD[7, 1] = np.nan
ENDLESS = np.ones((4, 1), np.float32)
ENDLESS[2] = np.inf


@pytest.mark.parametrize(
    ("data", "error", "sentence"),
    [
        ((BAD, Y), DataError, r"data X holds nan in row 7, column 1 \(counted from 0\)"),
        ((X[:4], ENDLESS), DataError, "data y holds inf in row 2, column 0"),
        ((X[:0], Y[:0]), DataError, r"data is empty: X has shape \(0, 2\)"),
        ((X, Y * 0), DataError, "every label is 0: one class only"),
        ((X, Y[:-1]), ShapeError, r"data X has shape \(120, 2\) and y \(119,\); both need one row per example"),
        ((1.0, 2.0), ShapeError, "both need one row per example"),
        ((X[:, 0], Y), ShapeError, r"give \(rows, features\), as X\[:, None\]"),
        (([[1.0], [1.0, 2.0]], [0, 1]), ShapeError, "data X is ragged"),
        ((np.array([["a"], ["b"]]), [0, 1]), DTypeError, "data X holds <U1, not numbers"),
        ((X, Y.astype(object)), DTypeError, "data y holds object"),
        (X, ArgumentError, r"data is a ndarray; give \(X, y\)"),
        ((X, Y, Y), ArgumentError, r"data is a tuple; give \(X, y\)"),
        ((X, Y + 1), ArgumentError, "label 2 is out of range: 2 classes are numbered 0 to 1"),
        ((X, Y.astype(np.float32)), ShapeError, r"outputs have shape \(32, 2\) and targets \(32,\)"),
        ((X[:, :1], Y), ShapeError, r"Linear\(2, 16\): x has shape \(32, 1\)"),
    ],
)
def test_bad_data_gets_one_sentence(data, error, sentence):
    model = network()
    before = values(model)
    with pytest.raises(error, match=sentence):
        quiet(model, data, epochs=1)
    assert values(model) == before


@pytest.mark.parametrize(
    ("settings", "error", "sentence"),
    [
        ({"epochs": 0}, ArgumentError, "epochs = 0 must be a positive integer"),
        ({"batch_size": 2.5}, ArgumentError, "batch_size = 2.5 must be a positive integer"),
        ({"patience": 0}, ArgumentError, "patience = 0 must be a positive integer"),
        ({"loss": "best"}, ArgumentError, "loss 'best' is unknown; use one of binary_cross_entropy"),
        ({"loss": lambda y, t: y}, ArgumentError, r"the loss returned shape \(32, 2\); it must return a tensor"),
        ({"loss": lambda y, t: 1.0}, ArgumentError, "the loss returned a float"),
        ({"optimizer": "best"}, ArgumentError, "optimizer 'best' is unknown; use 'adam'"),
        ({"optimizer": optim.Adam(nn.Linear(1, 1).parameters())}, ArgumentError, "none of the model's parameters"),
        ({"schedule": "best"}, ArgumentError, "schedule 'best' is unknown"),
        ({"metrics": "best"}, ArgumentError, "metric 'best' is unknown; use one of accuracy"),
        ({"validation": 1.0}, ArgumentError, "validation 1.0 of 120 rows leaves nothing on one side"),
        ({"validation": 0.001}, ArgumentError, "leaves nothing on one side"),
        ({"validation": (X[:, :1], Y)}, ShapeError, "validation rows have shapes .* they must be alike"),
        ({"validation": (BAD, Y)}, DataError, "validation X holds nan in row 7"),
        ({"seed": -1}, ArgumentError, "seed -1 is out of range"),
    ],
)
def test_bad_settings_get_one_sentence(settings, error, sentence):
    with pytest.raises(error, match=sentence):
        quiet(network(), MOONS, **{"epochs": 1, **settings})


def test_models_refused():
    with pytest.raises(ArgumentError, match="the model is a function; give an nn"):
        quiet(lambda x: x, MOONS)
    with pytest.raises(ArgumentError, match="the model has no parameters; store layers"):
        quiet(nn.Sequential(nn.Tansig()), MOONS)


def test_metrics_of_ones_own():
    def errors(outputs, targets):
        return float((outputs.argmax(1) != targets).sum())

    history = quiet(network(), MOONS, epochs=1, metrics=[errors, "accuracy"])
    assert history["accuracy"][0] == pytest.approx(1 - history["errors"][0] / len(X), rel=1e-12)
