"""Real handwritten digits: the UCI 8 x 8 test images, shipped in the wheel with their licence note."""

import os

import numpy as np

from .dataset import Dataset

DIGITS_FILE = os.path.join(os.path.dirname(__file__), "digits.csv.gz")
NOTE = (
    "Optical Recognition of Handwritten Digits, test part: E. Alpaydin and C. Kaynak, UCI Machine Learning "
    "Repository, 1998, https://doi.org/10.24432/C50P49, licence CC BY 4.0 (see digits.LICENSE.md)."
)


def load_digits() -> Dataset:
    """The 1,797 handwritten digits of the test part of the UCI set, 8 x 8 pixels each.

    The original order is kept. It goes writer by writer (13 people), so contiguous blocks
    (`wengert.datasets.blocks`) ask how a network does on hands it has not seen, and shuffled folds do not.

    Returns:
        A classification `Dataset`: `x` of shape (1797, 64), float32, the raw whole pixel values 0 (paper) to
        16 (ink), row after row of the image; `y` of shape (1797,), int64, the digit. The arrays are new at
        every call.

    Source: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning
    Repository, 1998, https://doi.org/10.24432/C50P49. Each pixel counts the inked points in a 4 x 4 square of
    a 32 x 32 bitmap.

    >>> digits = load_digits()
    >>> digits
    Dataset 'digits': 1797 rows, 64 features, 10 classes
    >>> shades = np.array(list(" .:+#"))
    >>> for row in digits.x[0].reshape(8, 8):
    ...     print("|" + "".join(shades[(row / 4).astype(int)]) + "|")
    |  .+:   |
    |  ++:+. |
    |  +  :: |
    | .+  :: |
    | .:  :: |
    | .:  +. |
    |  +.:+  |
    |  .+:   |
    """
    table = np.loadtxt(DIGITS_FILE, delimiter=",", dtype=np.uint8)
    return Dataset(
        name="digits",
        x=table[:, :-1].astype(np.float32),
        y=table[:, -1].astype(np.int64),
        feature_names=tuple(f"pixel_{row}_{column}" for row in range(8) for column in range(8)),
        target_names=tuple(str(digit) for digit in range(10)),
        task="classification",
        note=NOTE,
    )
