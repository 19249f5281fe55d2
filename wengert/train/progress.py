"""Progress of a training: a bar on a terminal, plain lines elsewhere (files, notebooks, other programs)."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any


def describe(row: dict[str, Any]) -> str:
    """Return e.g. `loss 0.1234, accuracy 98.1 % | validation loss 0.2, accuracy 97.0 %`."""

    def part(prefix: str) -> str:
        text = f"{prefix.replace('_', ' ')}loss {row[prefix + 'loss']:.4f}"
        accuracy = row.get(prefix + "accuracy")
        return text if accuracy is None else f"{text}, accuracy {100 * accuracy:.1f} %"

    return part("") + (f" | {part('validation_')}" if "validation_loss" in row else "")


class Progress:
    """Shows epochs as they end; used as a context."""

    def __init__(self, epochs: int, shown: bool):
        self.epochs, self.shown = epochs, shown
        self.bar: Any = None

    def __enter__(self) -> Progress:
        if self.shown and sys.stdout.isatty():
            from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
            from rich.progress import Progress as Bar

            columns = (TextColumn("epoch"), MofNCompleteColumn(), BarColumn(), TimeRemainingColumn())
            self.bar = Bar(*columns, TextColumn("{task.description}"))
            self.task = self.bar.add_task("", total=self.epochs)
            self.bar.start()
        return self

    def epoch(self, row: dict[str, Any]) -> None:
        """Show the end of an epoch: every one on the bar, about ten in lines."""
        if self.bar is not None:
            self.bar.update(self.task, advance=1, description=describe(row))
        elif self.shown and (row["epoch"] in (1, self.epochs) or row["epoch"] % max(1, self.epochs // 10) == 0):
            sys.stdout.write(f"epoch {row['epoch']}/{self.epochs}: {describe(row)}\n")
            sys.stdout.flush()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.bar is not None:
            self.bar.stop()
