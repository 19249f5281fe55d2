"""History: the figures of a training, epoch by epoch."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import ArgumentError


@dataclass(eq=False, repr=False)
class History:
    """What `fit` measured. `history["loss"]` is a list with one number per epoch; names are in `history.columns`.

    Training figures are averages over an epoch while the parameters change, dropout at work; validation figures
    (`validation_loss`, ...) are measured after the epoch, dropout off.

    Attributes:
        columns: name -> one number per epoch: "epoch", "lr", "loss", the metrics, and validation's.
        best_epoch: the epoch with the smallest validation loss (without validation data, training loss); 0: none yet.
        interrupted: Ctrl-C ended the training.
        stopped_early: the validation loss had not improved for `patience` epochs.
        seconds: wall time of the training.

    >>> history = History()
    >>> history.add({"epoch": 1, "loss": 0.5})
    >>> history["loss"], history.to_jsonl()
    ([0.5], '{"epoch": 1, "loss": 0.5}\\n')
    """

    columns: dict[str, list[float]] = field(default_factory=dict)
    best_epoch: int = 0
    interrupted: bool = False
    stopped_early: bool = False
    seconds: float = 0.0

    def add(self, row: dict[str, float]) -> None:
        """Append the figures of one epoch."""
        for name, value in row.items():
            self.columns.setdefault(name, []).append(value)

    def __getitem__(self, name: str) -> list[float]:
        if name not in self.columns:
            raise ArgumentError(f"history has no {name!r}; it has {', '.join(self.columns) or 'no epoch yet'}.")
        return self.columns[name]

    def __len__(self) -> int:
        return max(map(len, self.columns.values()), default=0)

    @property
    def rows(self) -> list[dict[str, float]]:
        """The same figures, one dict per epoch."""
        return [{name: values[i] for name, values in self.columns.items()} for i in range(len(self))]

    @property
    def last(self) -> dict[str, float]:
        """The figures of the latest epoch."""
        return self.rows[-1] if len(self) else {}

    def to_jsonl(self, path: str | os.PathLike[str] | None = None) -> str:
        """Return one JSON object per epoch and line; write it to `path` too, if given."""
        text = "".join(json.dumps(row) + "\n" for row in self.rows)
        if path is not None:
            Path(path).write_text(text, encoding="utf-8")
        return text

    def __repr__(self) -> str:
        how = " (interrupted)" if self.interrupted else " (stopped early)" if self.stopped_early else ""
        figures = ", ".join(f"{name} {value:.4g}" for name, value in self.last.items() if name != "epoch")
        return f"History: {len(self)} epochs{how}" + (f", the last: {figures}" if figures else "")
