"""Between a training and the person at the keyboard: progress shown, and Ctrl-C taken up at a safe place."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

LINES = 10  # plain lines per training, about


class Silent:
    """Shows nothing, and is what the others are built on: `with` it, tell it of batches and epochs."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def batch(self, done: float) -> None:
        """Note the share of the epoch that is done."""

    def epoch(self, row: dict[str, float]) -> None:
        """Note the figures of an epoch."""

    def close(self) -> None:
        """Show what is still to be shown."""


class Lines(Silent):
    """One line every tenth of the epochs, and for the first and last."""

    def __init__(self, epochs: int):
        self.every, self.total = max(1, epochs // LINES), epochs
        self.waiting = ""

    def epoch(self, row: dict[str, float]) -> None:
        """Write a line now and then."""
        line = text(row, self.total)
        number = int(row["epoch"])
        if number == 1 or number % self.every == 0:
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
            self.waiting = ""
        else:
            self.waiting = line

    def close(self) -> None:
        """Write the last epoch, if it has not been."""
        if self.waiting:
            sys.stdout.write(self.waiting + "\n")


class Bar(Silent):
    """A bar over all epochs with the latest figures beside it."""

    def __init__(self, epochs: int):
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self.total, self.finished = epochs, 0
        self.bar: Progress = Progress(TextColumn("{task.description}"), BarColumn(bar_width=24), TimeRemainingColumn())
        self.task: TaskID = self.bar.add_task("training", total=epochs)

    def __enter__(self) -> Self:
        self.bar.start()
        return self

    def batch(self, done: float) -> None:
        """Move the bar."""
        self.bar.update(self.task, completed=self.finished + done)

    def epoch(self, row: dict[str, float]) -> None:
        """Move the bar and renew the figures."""
        self.finished = int(row["epoch"])
        self.bar.update(self.task, completed=self.finished, description=text(row, self.total))

    def close(self) -> None:
        """Leave the bar as it stands."""
        self.bar.stop()


def text(row: dict[str, float], epochs: int) -> str:
    """Return the figures of an epoch in one line, training and validation side by side.

    >>> text({"epoch": 3, "lr": 0.1, "loss": 0.25, "validation_loss": 0.5}, 10)
    'epoch  3/10  loss 0.2500 (validation 0.5000)'
    """
    parts = [f"epoch {int(row['epoch']):{len(str(epochs))}d}/{epochs}"]
    for name, value in row.items():
        if name in ("epoch", "lr") or name.startswith("validation_"):
            continue
        held = row.get(f"validation_{name}")
        parts.append(f"{name} {value:.4f}" + (f" (validation {held:.4f})" if held is not None else ""))
    return "  ".join(parts)


def shown(epochs: int, verbose: bool) -> Silent:
    """Return the progress that suits where output goes."""
    if not verbose:
        return Silent()
    return Bar(epochs) if sys.stdout.isatty() else Lines(epochs)


@contextmanager
def interruptible() -> Iterator[Callable[[], bool]]:
    """Note the first Ctrl-C, so that the batch at hand can be finished; a second one raises KeyboardInterrupt at once.

    Yields a function that tells whether it was pressed. Outside the main thread, or where the program handles Ctrl-C
    in its own way, nothing is changed.
    """
    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield lambda: False
        return
    seen = threading.Event()

    def note(number: int, frame: Any) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        seen.set()

    signal.signal(signal.SIGINT, note)
    try:
        yield seen.is_set
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
