"""fit: mini-batches, an optimizer's steps, figures after every epoch. The loop one would write by hand, made safe."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from .. import nn, optim, random
from ..dtypes import DType, float32
from ..errors import ArgumentError, DivergedError
from ..nn import losses
from ..ops.identity import detach
from ..record.buffers import Array
from ..record.recorder import tracking, value_of
from ..tensor import Tensor
from . import metrics as metric_table
from .batches import Rows, check_classes, rows_of, split
from .history import History
from .native import Watch
from .progress import Silent, interruptible, shown

LOOK_EVERY = 64  # batches between looks at the losses: divergence is noticed, memory stays bounded

Loss = Callable[[Any, Tensor], Tensor]


def fit(
    model: nn.Module,
    data: Any,
    *,
    loss: str | Loss | None = None,
    optimizer: str | optim.Optimizer | None = None,
    epochs: int = 20,
    batch_size: int = 32,
    validation: Any = None,
    seed: int = 0,
    patience: int | None = None,
    schedule: str | Callable[[int], float] | None = None,
    metrics: Any = None,
    callbacks: Iterable[Callable[[History], object]] = (),
    verbose: bool = True,
) -> History:
    """Train a network, and return the figures of every epoch.

    data: (X, y) as arrays, tensors or lists, one row per example, or a data set with `.x` and `.y`.
    loss: a name ("cross_entropy", "binary_cross_entropy", "mean_squared_error", "sum_squared_error") or a function of
        (outputs, targets) that returns a scalar; None takes cross-entropy for integer y, mean squared error for floats.
    optimizer: an instance, "adam" (lr 1e-3, also what None takes), "adamw" (1e-3) or "sgd" (1e-2).
    epochs, batch_size: positive; the last batch of an epoch may be smaller.
    validation: a share of the rows, taken at random, or (X, y).
    seed: drives the order of rows, the share for validation, and dropout (`wengert.seed` drives initial weights).
    patience: stop when the validation loss (without validation data, the training loss) has not improved for this many
        epochs, and go back to the best parameters.
    schedule: "cosine", or a function from the number of the step to lr; lr is set back when `fit` returns.
    metrics: names ("accuracy", "mean_absolute_error", "r2") or functions of two arrays (outputs, targets).
    callbacks: called after each epoch with the history; a KeyboardInterrupt raised there ends the training.
    verbose: a progress bar in a terminal, some lines elsewhere.

    The network is left in evaluation mode. Ctrl-C ends the training after the batch at hand: the history has
    `interrupted` set, and the network the best parameters measured so far.
    Raises `DataError`, `ShapeError`, `DTypeError`, `ArgumentError` for what cannot be trained on, and `DivergedError`,
    with the network set back to the best parameters, when a loss is not finite.

    >>> import wengert
    >>> from wengert import nn
    >>> wengert.seed(0)
    >>> model = nn.Sequential(nn.Linear(2, 8), nn.Tansig(), nn.Linear(8, 2))
    >>> x, y = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0, 1, 1, 0]
    >>> adam = wengert.optim.Adam(model.parameters(), lr=0.05)
    >>> history = fit(model, (x, y), optimizer=adam, epochs=100, verbose=False)
    >>> history["accuracy"][-1]
    1.0
    """
    for name, value in (("epochs", epochs), ("batch_size", batch_size), ("patience", patience)):
        if value is not None and (not isinstance(value, int) or value < 1):
            raise ArgumentError(f"fit: {name} = {value!r} must be a positive integer.")
    training = _Training(model, optimizer, loss, data, validation, seed, batch_size, metrics)
    return training.run(epochs, patience, schedule, list(callbacks), shown(epochs, verbose))


class _Training:
    """One training: the settings made ready, and the loop over epochs."""

    def __init__(
        self,
        model: nn.Module,
        optimizer: str | optim.Optimizer | None,
        loss: str | Loss | None,
        data: Any,
        validation: Any,
        seed: int,
        batch_size: int,
        metrics: Any,
    ):
        dtype = _dtype_of(model)
        self.shuffling = random.Generator(seed, random.SHUFFLING)
        self.noise = random.Generator(seed, random.NOISE)
        self.rows, self.held = split(rows_of(data, dtype), validation, dtype, self.shuffling)
        name, self.loss = _loss_of(loss, self.rows)
        if name == "cross_entropy":
            check_classes(self.rows)
        self.metrics = metric_table.chosen(metrics, name)
        self.model, self.batch_size = model, batch_size
        self.optimizer = _optimizer_of(optimizer, list(model.parameters()))
        self.history = History()
        self.steps = 0
        self.least = math.inf  # the smallest monitored loss, and the parameters that had it
        self.best: dict[str, Array] | None = None
        self.watch = Watch(self.optimizer, self.rows, batch_size)
        self.safe = model.state_dict()  # the latest parameters known to be whole

    def run(
        self,
        epochs: int,
        patience: int | None,
        schedule: str | Callable[[int], float] | None,
        callbacks: list[Callable[[History], object]],
        progress: Silent,
    ) -> History:
        """Train for some epochs; whatever happens, leave the model whole, in evaluation mode."""
        history, lr = self.history, self.optimizer.lr
        per_epoch = -(-len(self.rows) // self.batch_size)
        rate = _schedule_of(schedule, lr, epochs * per_epoch)
        started = time.perf_counter()
        try:
            with progress, random.using(self.noise), interruptible() as interrupted:
                for epoch in range(1, epochs + 1):
                    self._epoch(epoch, rate, progress, interrupted)
                    progress.epoch(history.last)
                    for callback in callbacks:
                        callback(history)
                    self.watch.doubtful = bool(callbacks)
                    if patience is not None and epoch - history.best_epoch >= patience:
                        history.stopped_early = epoch < epochs
                        break
            if patience is not None:
                self._return_to_best()
        except KeyboardInterrupt:
            history.interrupted = True
            self._return_to_best()
        except DivergedError:
            self._return_to_best()
            raise
        finally:
            self.optimizer.lr = lr
            self.model.eval()
            history.seconds = time.perf_counter() - started
        return history

    def _return_to_best(self) -> None:
        self.model.load_state_dict(self.safe if self.best is None else self.best)
        self.optimizer.zero_grad()

    def _epoch(
        self,
        epoch: int,
        rate: Callable[[int], float] | None,
        progress: Silent,
        interrupted: Callable[[], bool],
    ) -> None:
        """Train on every row once, measure, and note the figures and the best parameters."""
        row = {"epoch": epoch, "lr": self.optimizer.lr if rate is None else rate(self.steps)}
        self.model.train()
        order = self.shuffling.permutation(len(self.rows))
        tally = _Tally(f" in epoch {epoch}")
        done = 0
        while done < len(self.rows):
            whole = (len(self.rows) - done) // self.batch_size
            if self.watch.repeat is not None and whole and not self.watch.doubtful:
                done += self._steps(order[done:], whole, rate, tally) * self.batch_size
            else:
                places = order[done : done + self.batch_size]
                self._one_step(places, rate, tally)
                done += len(places)
            if interrupted():
                self.safe = self.model.state_dict()
                raise KeyboardInterrupt
            if self.watch.repeat is not None or len(tally.waiting) >= LOOK_EVERY:
                tally.look()
                self.safe = self.model.state_dict()
                progress.batch(tally.rows / len(self.rows))
        row |= tally.figures(self.rows.y[order], self.metrics)
        self.safe = self.model.state_dict()
        if self.held is not None:
            tally = _Tally(f" in epoch {epoch}", "validation ")
            held = _measured(self.model, self.held, self.loss, self.metrics, self.batch_size, tally)
            row |= {f"validation_{name}": value for name, value in held.items()}
        self.history.add(row)
        monitored = row.get("validation_loss", row["loss"])
        if monitored < self.least:
            self.least, self.best, self.history.best_epoch = monitored, self.safe, epoch

    def _one_step(self, places: Array, rate: Callable[[int], float] | None, tally: _Tally) -> None:
        """Make one step on the rows at these places, as one would write it by hand."""
        if rate is not None:
            self.optimizer.lr = rate(self.steps)
        x, y = self.rows.batch(places)
        before = self.watch.before()
        kept = self._step(x, y)
        self.watch.after(before, (x, y), kept)
        tally.add(*kept, len(y))
        self.steps += 1

    def _steps(self, order: Array, most: int, rate: Callable[[int], float] | None, tally: _Tally) -> int:
        """Make some of the next steps in native code, as many as take about a tenth of a second; return how many."""
        n = min(most, self.watch.at_once)
        rates = None if rate is None else [rate(self.steps + k) for k in range(n)]
        losses, outputs = self.watch.steps(order[: n * self.batch_size].reshape(n, -1), rates)
        tally.add_steps(losses, outputs)
        self.steps += n
        return n

    def _step(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Learn from one batch; return its loss and outputs, cut off from the list."""
        outputs = self.model.forward(x)
        loss = _one_number(self.loss(outputs, y))
        self.optimizer.zero_grad()
        if loss.requires_grad:
            loss.backward()
        result = detach(loss), detach(outputs)  # before the step: they belong to the same segment
        if not self.steps:
            self._check_gradients()
        if any(x.grad is not None for x in self.optimizer.params):
            self.optimizer.step()
        return result

    def _check_gradients(self) -> None:
        """Warn where the first step would change nothing."""
        bars = [x.grad for x in self.optimizer.params if x.grad is not None]
        if not any(value_of(x_bar.entry).any() for x_bar in bars):
            warnings.warn(
                "fit: no parameter receives a gradient, so training changes nothing; look for detach, no_grad or a "
                "transfer function of slope 0 (hardlim) between the parameters and the loss.",
                stacklevel=5,
            )


def evaluate(
    model: nn.Module,
    data: Any,
    *,
    loss: str | Loss | None = None,
    batch_size: int = 1024,
    metrics: Any = None,
) -> dict[str, float]:
    """Return the mean loss per row and the metrics of a network on data, in evaluation mode.

    Arguments and errors as for `fit`. The network is left in the mode it was in.

    >>> sorted(evaluate(nn.Linear(1, 2), ([[1.0], [2.0]], [0, 1])))
    ['accuracy', 'loss']
    """
    rows = rows_of(data, _dtype_of(model))
    name, function = _loss_of(loss, rows)
    modes = [(module, module.training) for module in model.modules()]
    try:
        return _measured(model, rows, function, metric_table.chosen(metrics, name), batch_size, _Tally())
    finally:
        for module, mode in modes:
            module.training = mode


def _measured(
    model: nn.Module,
    rows: Rows,
    loss: Loss,
    metrics: dict[str, metric_table.Metric],
    batch_size: int,
    tally: _Tally,
) -> dict[str, float]:
    """Return loss and metrics on rows that are not trained on; leave the model in evaluation mode."""
    model.eval()
    with tracking(False):
        for x, y in rows.batches(batch_size):
            outputs = model.forward(x)
            tally.add(_one_number(loss(outputs, y)), outputs, len(y))
            if len(tally.waiting) >= LOOK_EVERY:
                tally.look()
    return tally.figures(rows.y, metrics)


class _Tally:
    """The losses and outputs of one pass over the data, looked at some batches at a time."""

    def __init__(self, when: str = "", what: str = ""):
        self.when, self.what = when, what
        self.waiting: list[tuple[Tensor, Tensor, int]] = []
        self.outputs: list[Array] = []
        self.total, self.rows, self.batches = 0.0, 0, 0

    def add(self, loss: Tensor, outputs: Tensor, n: int) -> None:
        """Note one batch of n rows."""
        self.waiting.append((loss, outputs, n))

    def add_steps(self, losses: Array, outputs: Array) -> None:
        """Note batches that have been computed already: their losses, and outputs of shape (batches, rows, ...)."""
        self.look()
        for loss in losses.tolist():
            self._count(loss, outputs.shape[1])
        self.outputs.append(outputs.reshape(-1, *outputs.shape[2:]))

    def look(self) -> None:
        """Look at the batches noted. Raises `DivergedError` where a loss is not finite."""
        for loss, outputs, n in self.waiting:
            self._count(float(value_of(loss.entry).item()), n)
            self.outputs.append(value_of(outputs.entry))
        self.waiting = []

    def _count(self, loss: float, n: int) -> None:
        self.batches += 1
        if not math.isfinite(loss):
            raise DivergedError(
                f"the {self.what}loss is {loss}{self.when}, batch {self.batches}: training has diverged; "
                "lower the learning rate, or standardise the data."
            )
        self.total += loss * n
        self.rows += n

    def figures(self, y: Array, metrics: dict[str, metric_table.Metric]) -> dict[str, float]:
        """Return the mean loss per row, and the metrics; y: the targets in the order of the batches."""
        self.look()
        outputs = np.concatenate(self.outputs)
        return {"loss": self.total / self.rows} | {name: f(outputs, y) for name, f in metrics.items()}


def _one_number(loss: Any) -> Tensor:
    if not isinstance(loss, Tensor) or loss.size != 1:
        shape = f"shape {loss.shape}" if isinstance(loss, Tensor) else f"a {type(loss).__name__}"
        raise ArgumentError(f"fit: the loss returned {shape}; it must return a tensor with one number.")
    return loss


def _dtype_of(model: Any) -> DType:
    """Return the dtype of the network's parameters, which its inputs are brought to."""
    if not isinstance(model, nn.Module):
        raise ArgumentError(f"fit: the model is a {type(model).__name__}; give an nn.Module.")
    return next((x.dtype for x in model.parameters()), float32)


def _loss_of(loss: str | Loss | None, rows: Rows) -> tuple[str, Loss]:
    if loss is None:
        loss = "cross_entropy" if rows.y.dtype.kind in "iu" else "mean_squared_error"
    if callable(loss):
        name = getattr(loss, "__name__", "")
        if name not in losses.BY_NAME:  # a function of the user's own: labels still have an accuracy
            name = "cross_entropy" if rows.y.dtype.kind in "iu" else ""
        return name, loss
    if loss not in losses.BY_NAME:
        raise ArgumentError(f"fit: loss {loss!r} is unknown; use one of {', '.join(losses.BY_NAME)}, or a function.")
    return loss, losses.BY_NAME[loss]


def _optimizer_of(optimizer: str | optim.Optimizer | None, parameters: list[Tensor]) -> optim.Optimizer:
    if isinstance(optimizer, optim.Optimizer):
        own = {id(x) for x in parameters}
        if not any(id(x) in own for x in optimizer.params):
            raise ArgumentError(
                "fit: the optimizer holds none of the model's parameters; make it from model.parameters()."
            )
        return optimizer
    if not parameters:
        raise ArgumentError("fit: the model has no parameters; store layers and parameters as attributes of it.")
    if optimizer in (None, "adam"):
        return optim.Adam(parameters)
    if optimizer == "adamw":
        return optim.AdamW(parameters)
    if optimizer == "sgd":
        return optim.SGD(parameters, lr=0.01)
    raise ArgumentError(f"fit: optimizer {optimizer!r} is unknown; use 'adam', 'adamw', 'sgd', or an instance.")


def _schedule_of(schedule: Any, lr: float, steps: int) -> Callable[[int], float] | None:
    if schedule is None or callable(schedule):
        return schedule  # type: ignore[no-any-return]  # the caller's own function
    if schedule == "cosine":
        return optim.cosine(lr, steps)
    raise ArgumentError(f"fit: schedule {schedule!r} is unknown; use 'cosine', or a function of the step.")
