"""The digits in the wheel are the UCI test part, whole and in its order, with its licence beside it."""

import gzip
import hashlib
from importlib import resources

import numpy as np
import sklearn.datasets

from wengert.datasets import load_digits

FILES = resources.files("wengert.datasets")


def test_text_is_the_published_file_byte_for_byte() -> None:
    text = gzip.decompress(FILES.joinpath("digits.csv.gz").read_bytes())
    # SHA-256 and size of `optdigits.tes` as the UCI repository serves it.
    assert len(text) == 264_712
    digest = hashlib.sha256(text).hexdigest()
    assert digest == "6ebb3d2fee246a4e99363262ddf8a00a3c41bee6014c373ed9d9216ba7f651b8"


def test_container_is_reproducible() -> None:
    header = FILES.joinpath("digits.csv.gz").read_bytes()[:10]
    flags, time_stamp = header[3], header[4:8]
    assert flags == 0  # no file name, no comment
    assert time_stamp == bytes(4)


def test_agrees_with_scikit_learn() -> None:
    ours, theirs = load_digits(), sklearn.datasets.load_digits()
    assert np.array_equal(ours.x, theirs.data)
    assert np.array_equal(ours.y, theirs.target)
    assert ours.feature_names == tuple(theirs.feature_names)
    assert ours.target_names == tuple(str(name) for name in theirs.target_names)


def test_kinds_of_numbers() -> None:
    digits = load_digits()
    assert (digits.x.dtype, digits.x.shape) == (np.float32, (1797, 64))
    assert (digits.y.dtype, digits.y.shape) == (np.int64, (1797,))
    assert (digits.x.min(), digits.x.max()) == (0, 16)
    assert np.array_equal(digits.x, np.round(digits.x))
    assert digits.task == "classification"
    assert len(digits) == 1797


def test_class_counts_are_the_published_ones() -> None:
    # `optdigits.names`, section 9, column of the writer-independent test set.
    published = [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert np.bincount(load_digits().y).tolist() == published


def test_arrays_are_new_at_every_call() -> None:
    load_digits().x[:] = -1
    assert load_digits().x.min() == 0


def test_licence_travels_with_the_data() -> None:
    licence = FILES.joinpath("digits.LICENSE.md").read_text(encoding="utf-8")
    for words in ["E. Alpaydin", "C. Kaynak", "1998", "10.24432/C50P49", "CC BY 4.0"]:
        assert words in licence
    assert "10.24432/C50P49" in load_digits().note
