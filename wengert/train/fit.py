"""`fit`: the training loop everybody writes, with its checks, history, early stopping and a safe Ctrl-C."""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from .. import nn, optim
from ..autodiff.transforms import no_grad
from ..errors import ArgumentError, DataError, DivergedError
from ..ops.operands import cast
from ..ops.reduce import argmax, sum
from ..random import GLOBAL, Generator
from .batches import Samples, samples_of, split_off
from .history import History
from .progress import Progress

LOSSES: dict[str, Callable[..., Any]] = {
    "cross_entropy": nn.cross_entropy,
    "binary_cross_entropy": nn.binary_cross_entropy,
    "mean_squared_error": nn.mean_squared_error,
    "sum_squared_error": nn.sum_squared_error,
}
OPTIMIZERS = {"adam": optim.Adam, "adamw": optim.AdamW, "sgd": optim.SGD}


def fit(
    model: nn.Module,
    data: Any,
    *,
    loss: str | Callable[..., Any] | None = None,
    optimizer: str | optim.Optimizer | None = None,
    epochs: int = 20,
    batch_size: int = 32,
    validation: float | Any | None = None,
    seed: int = 0,
    patience: int | None = None,
    schedule: Callable[[float], float] | None = None,
    callbacks: Sequence[Callable[[dict[str, Any]], Any]] = (),
    progress: bool = True,
) -> History:
    """Train a model on (X, y) in mini-batches and return the history, one row per epoch.

    model: called with (batch, ...) inputs. data: (X, y) as arrays or tensors, X (n, ...) real, y (n,) integer labels
    or real targets of the outputs' shape; or a `Dataset`. loss: a name or function of (outputs, targets); by default
    cross-entropy for labels, mean squared error for real targets. optimizer: an instance, a name, or None (Adam at
    0.001). validation: a part of the data (0.2) or its own (X, y). seed: for shuffling, dropout and the split;
    initialisation was drawn when the model was made (`wengert.seed`). patience: stop after so many epochs without a
    smaller validation loss, and go back to the best. schedule: the learning rate for each part of the training done
    (0 to 1). callbacks: called with each epoch's row.

    Ctrl-C ends the training after the batch at hand, with the best state so far and `history.interrupted`.
    Raises `DataError` for unusable data, `ArgumentError` for settings, `DivergedError` for a loss of NaN or infinity.

    >>> import wengert
    >>> from wengert import nn
    >>> model = nn.Sequential(nn.Linear(2, 8), nn.Tansig(), nn.Linear(8, 2))
    >>> X, y = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0, 1, 1, 0]
    >>> history = fit(
    ...     model, (X, y), optimizer=wengert.optim.Adam(model.parameters(), lr=0.1), epochs=60, progress=False
    ... )
    >>> history["accuracy"][-1]
    1.0
    """
    training, held_out = _prepared(data, validation, seed)
    _check(epochs, batch_size, patience, held_out)
    loop = _Loop(model, training, held_out, _loss(loss, training), _optimizer(optimizer, model), batch_size)
    with _seeded(seed), _interruptible() as interrupted, Progress(epochs, progress) as shown:
        loop.run(
            epochs, patience, schedule, Generator(seed, stream=1), [shown.epoch, *callbacks], interrupted
        )
    return loop.history


def evaluate(
    model: nn.Module, data: Any, *, loss: str | Callable[..., Any] | None = None, batch_size: int = 1024
) -> dict[str, float]:
    """Return the mean loss over the data, and for labels the accuracy, with the model in evaluation mode.

    >>> import wengert
    >>> sorted(evaluate(wengert.nn.Linear(1, 2), ([[1.0], [2.0]], [0, 1])))
    ['accuracy', 'loss']
    """
    samples = samples_of(data, "evaluate")
    return _evaluated(model, samples, _loss(loss, samples), batch_size)


def _evaluated(
    model: nn.Module, samples: Samples, loss: Callable[..., Any], batch_size: int
) -> dict[str, float]:
    call: Any = model  # any module: what its forward takes and returns is between the user and the loss
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        with no_grad():
            tally = _Tally(samples.classifies)
            for x, y in samples.batches(batch_size):
                outputs = call(x)
                tally.add(loss(outputs, y), outputs, y)
            return tally.means()
    finally:
        for module, mode in modes:
            module.training = mode


class _Tally:
    """Losses and hits of batches, looked at once, at the end."""

    def __init__(self, classifies: bool) -> None:
        self.classifies = classifies
        self.losses: list[Any] = []
        self.hits: list[Any] = []
        self.sizes: list[int] = []

    def add(self, loss: Any, outputs: Any, y: Any) -> None:
        """Note one batch."""
        self.losses.append(loss.detach())
        self.sizes.append(y.shape[0])
        if self.classifies and outputs.ndim == 2:
            self.hits.append(sum(cast(argmax(outputs.detach(), axis=1), y.dtype) == y))

    def means(self) -> dict[str, float]:
        """Return the mean loss and accuracy over all samples."""
        self.values = [float(loss) for loss in self.losses]
        n = math.fsum(self.sizes)
        found = {"loss": math.fsum(v * size for v, size in zip(self.values, self.sizes, strict=True)) / n}
        if self.hits:
            found["accuracy"] = math.fsum(int(hits) for hits in self.hits) / n
        return found


class _Loop:
    """One training: the parts that every epoch needs."""

    def __init__(
        self,
        model: nn.Module,
        training: Samples,
        held_out: Samples | None,
        loss: Callable[..., Any],
        optimizer: optim.Optimizer,
        batch_size: int,
    ):
        self.model, self.training, self.held_out = model, training, held_out
        self.loss, self.optimizer, self.batch_size = loss, optimizer, batch_size
        self.history = History()
        self.best: tuple[float, dict[str, Any]] | None = None

    def run(
        self,
        epochs: int,
        patience: int | None,
        schedule: Callable[[float], float] | None,
        shuffling: Generator,
        callbacks: Sequence[Callable[[dict[str, Any]], Any]],
        interrupted: Callable[[], bool],
    ) -> None:
        """Train, and go back to the best state where that is promised."""
        start = time.monotonic()
        try:
            for epoch in range(1, epochs + 1):
                row = {"epoch": epoch, **self.epoch(epoch, epochs, schedule, shuffling, interrupted)}
                row |= {"lr": self.optimizer.lr, "seconds": round(time.monotonic() - start, 3)}
                self.history.rows.append(row)
                self._compare(row)
                for callback in callbacks:
                    callback(row)
                if patience is not None and epoch - (self.history.best_epoch or 0) >= patience:
                    self.history.stopped_early = True
                    break
        except KeyboardInterrupt:
            self.history.interrupted = True
        finally:
            self.model.eval()
        if self.best is not None and (patience is not None or self.history.interrupted):
            self.model.load_state_dict(self.best[1])

    def epoch(
        self,
        epoch: int,
        epochs: int,
        schedule: Callable[[float], float] | None,
        shuffling: Generator,
        interrupted: Callable[[], bool],
    ) -> dict[str, float]:
        """Train on every sample once; return the means over the epoch, and over the validation set after it."""
        call: Any = self.model.train()
        tally = _Tally(self.training.classifies)
        n_batches = math.ceil(len(self.training.x) / self.batch_size)
        order = shuffling.permutation(len(self.training.x))
        for i, (x, y) in enumerate(self.training.batches(self.batch_size, order)):
            if schedule is not None:
                self.optimizer.lr = schedule((epoch - 1 + i / n_batches) / epochs)
            outputs = call(x)
            loss = self.loss(outputs, y)
            tally.add(loss, outputs, y)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            if interrupted():
                raise KeyboardInterrupt
        found = tally.means()
        for i, value in enumerate(tally.values):
            if not math.isfinite(value):
                raise DivergedError(
                    f"fit: the loss became {value} in epoch {epoch}, batch {i + 1}; use a smaller learning rate (it is "
                    f"{self.optimizer.lr:g}) or standardise the inputs."
                )
        if self.held_out is not None:
            held = _evaluated(self.model, self.held_out, self.loss, max(self.batch_size, 1024))
            found |= {f"validation_{name}": value for name, value in held.items()}
        return found

    def _compare(self, row: dict[str, Any]) -> None:
        """Remember the state of the smallest validation loss; buffers never change, so this copies nothing."""
        if "validation_loss" in row and (self.best is None or row["validation_loss"] < self.best[0]):
            self.best = row["validation_loss"], self.model.state_dict()
            self.history.best_epoch = row["epoch"]


def _prepared(data: Any, validation: Any, seed: int) -> tuple[Samples, Samples | None]:
    samples = samples_of(data)
    if samples.classifies and np.unique(samples.y).size < 2:
        raise DataError(
            f"fit: all {len(samples.y)} labels are {samples.y.flat[0]}; there must be at least two classes."
        )
    if validation is None:
        return samples, None
    if isinstance(validation, int | float):
        return split_off(samples, validation, seed)
    return samples, samples_of(validation, "fit (validation)")


def _check(epochs: int, batch_size: int, patience: int | None, held_out: Samples | None) -> None:
    for name, value in (("epochs", epochs), ("batch_size", batch_size), ("patience", patience)):
        if value is not None and (not isinstance(value, int) or value < 1):
            raise ArgumentError(f"fit: {name} is {value!r}; it must be a whole number, 1 or more.")
    if patience is not None and held_out is None:
        raise ArgumentError("fit: patience needs a validation set; give validation=0.2 or (X, y).")


def _loss(loss: str | Callable[..., Any] | None, samples: Samples) -> Callable[..., Any]:
    if loss is None:
        return nn.cross_entropy if samples.classifies else nn.mean_squared_error
    if isinstance(loss, str):
        if loss not in LOSSES:
            raise ArgumentError(
                f"fit: loss {loss!r} is not there; use one of {', '.join(LOSSES)}, or a function."
            )
        return LOSSES[loss]
    return loss


def _optimizer(optimizer: str | optim.Optimizer | None, model: nn.Module) -> optim.Optimizer:
    if isinstance(optimizer, optim.Optimizer):
        return optimizer
    name = optimizer or "adam"
    if name not in OPTIMIZERS:
        raise ArgumentError(
            f"fit: optimizer {name!r} is not there; use one of {', '.join(OPTIMIZERS)}, or an instance."
        )
    made: optim.Optimizer = OPTIMIZERS[name](model.parameters(), lr=1e-2 if name == "sgd" else 1e-3)
    return made


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Draw dropout from this training's seed; afterwards the global stream goes on where it was."""
    before = GLOBAL.state()
    GLOBAL.restore(Generator(seed, stream=3).state())
    try:
        yield
    finally:
        GLOBAL.restore(before)


@contextmanager
def _interruptible() -> Iterator[Callable[[], bool]]:
    """Note the first Ctrl-C instead of raising it in the middle of a step; a second one raises as usual."""
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    seen = threading.Event()
    before = signal.getsignal(signal.SIGINT)

    def note(number: int, frame: Any) -> None:
        signal.signal(signal.SIGINT, before)
        seen.set()

    signal.signal(signal.SIGINT, note)
    try:
        yield seen.is_set
    finally:
        signal.signal(signal.SIGINT, before)
