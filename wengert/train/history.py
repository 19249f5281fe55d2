"""History: what happened in each epoch of a training."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any


@dataclass
class History:
    """One row per epoch: `epoch` (from 1), `loss`, `accuracy` (classification), the same with `validation_` in
    front where there is a validation set, `lr`, and `seconds` since the start.

    >>> history = History()
    >>> history.rows.append({"epoch": 1, "loss": 0.5})
    >>> history["loss"], len(history)
    ([0.5], 1)
    """

    rows: list[dict[str, Any]] = field(default_factory=list)
    best_epoch: int | None = None  # of the smallest validation loss
    stopped_early: bool = False
    interrupted: bool = False

    def __getitem__(self, name: str) -> list[Any]:
        return [row[name] for row in self.rows]

    def __len__(self) -> int:
        return len(self.rows)

    def to_jsonl(self) -> str:
        """Return one line of JSON per epoch."""
        return "".join(json.dumps(row) + "\n" for row in self.rows)
