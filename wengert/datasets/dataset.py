"""What every data set in this package is: a table of numbers, its target, and the names that go with them."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """A table with its target.

    Attributes:
        name: short name, as the command line spells it.
        x: features, shape (rows, features), float32, in the units the data came in.
        y: target. Classification: class numbers, shape (rows,), int64, each an index into `target_names`.
            Regression: shape (rows, 1), float32, the shape a network with one output unit returns.
        feature_names: one name per column of `x`.
        target_names: one name per class, or the one name of the regression target.
        task: "classification" or "regression".
        note: one or two sentences on where the data comes from.

    Two data sets compare equal only when they are the same object: arrays have no single truth value.

    >>> from wengert.datasets import xor
    >>> xor()
    Dataset 'xor': 4 rows, 2 features, 2 classes
    """

    name: str
    x: npt.NDArray[np.float32]
    y: npt.NDArray[Any]
    feature_names: tuple[str, ...]
    target_names: tuple[str, ...]
    task: Literal["classification", "regression"]
    note: str

    def __len__(self) -> int:
        return len(self.x)

    def __repr__(self) -> str:
        rows, features = self.x.shape
        target = f"{len(self.target_names)} classes" if self.task == "classification" else "regression"
        return f"Dataset {self.name!r}: {rows} rows, {features} feature{'s' * (features != 1)}, {target}"
