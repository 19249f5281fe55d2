"""Splits: every row once, the sizes asked for, the same rows everywhere."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import KFold

from wengert.datasets import blocks, fixed_split, folds
from wengert.errors import ArgumentError

sizes = st.integers(2, 60)
seeds = st.integers(0, 2**32)


@given(n=sizes, fraction=st.floats(0.01, 0.99), seed=seeds)
def test_fixed_split_puts_every_row_on_one_side(n: int, fraction: float, seed: int) -> None:
    train, test = fixed_split(n, fraction, seed)
    assert sorted([*train, *test]) == list(range(n))
    assert list(train) == sorted(train)
    assert list(test) == sorted(test)
    assert len(train) >= 1
    assert len(test) >= 1
    if n * fraction >= 1 and n * (1 - fraction) >= 1:
        assert abs(len(test) - n * fraction) <= 0.5


def test_fixed_split_of_the_digits() -> None:
    train, test = fixed_split(1797)
    assert (len(train), len(test)) == (1438, 359)


def test_order_is_that_of_the_published_philox_stream() -> None:
    # The first words of NumPy's frozen Philox stream for this seed (its philox-testset-1.csv) begin ed, 58,
    # 4b, ee, 38, e2 in hexadecimal, so the rows in increasing order of their words are 4, 2, 1, 5, 0, 3.
    train, test = fixed_split(6, test_fraction=0.5, seed=0xDEADBEAF)
    assert (list(test), list(train)) == ([1, 2, 4], [0, 3, 5])
    held_out = [list(test) for _, test in folds(6, k=3, seed=0xDEADBEAF)]
    assert held_out == [[2, 4], [1, 5], [0, 3]]


def test_another_seed_gives_other_rows() -> None:
    tests = {tuple(fixed_split(100, seed=seed)[1]) for seed in range(20)}
    assert len(tests) == 20
    assert np.array_equal(fixed_split(100, seed=3)[1], fixed_split(100, seed=3)[1])


def test_every_row_is_held_out_about_equally_often() -> None:
    counts = np.zeros(10)
    for seed in range(1000):
        counts[fixed_split(10, test_fraction=0.3, seed=seed)[1]] += 1
    # Binomial(1000, 0.3) has standard deviation 14.5; five of them.
    assert np.abs(counts - 300).max() < 73


@given(n=sizes, data=st.data(), seed=seeds)
def test_folds_hold_out_every_row_once(n: int, data: st.DataObject, seed: int) -> None:
    k = data.draw(st.integers(2, n))
    pairs = folds(n, k, seed)
    assert sorted(row for _, test in pairs for row in test) == list(range(n))
    # The sizes that scikit-learn gives its folds.
    assert [len(test) for _, test in pairs] == [len(test) for _, test in KFold(k).split(np.zeros(n))]
    for train, test in pairs:
        assert sorted([*train, *test]) == list(range(n))
        assert list(train) == sorted(train)


def test_folds_are_shuffled() -> None:
    first = folds(100, 5, seed=0)[0][1]
    assert list(first) != list(range(20))
    assert list(first) != list(folds(100, 5, seed=1)[0][1])


@pytest.mark.parametrize(("n", "k"), [(10, 5), (11, 3), (1797, 5), (7, 7), (2, 2)])
def test_blocks_are_unshuffled_k_fold(n: int, k: int) -> None:
    theirs = list(KFold(k, shuffle=False).split(np.zeros(n)))
    ours = blocks(n, k)
    assert len(ours) == len(theirs)
    for (our_train, our_test), (their_train, their_test) in zip(ours, theirs, strict=True):
        assert np.array_equal(our_train, their_train)
        assert np.array_equal(our_test, their_test)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: fixed_split(1), "fixed_split: n=1 was given; pass a whole number of at least 2."),
        (lambda: fixed_split(9.5), "fixed_split: n=9.5 was given; pass a whole number of at least 2."),
        (lambda: fixed_split(9, 1.0), "fixed_split: test_fraction=1.0 was given; pass a share between"),
        (lambda: fixed_split(9, 0), "fixed_split: test_fraction=0 was given; pass a share between"),
        (lambda: fixed_split(9, -1), "fixed_split: test_fraction=-1 was given; pass a finite number"),
        (lambda: fixed_split(9, "most"), "fixed_split: test_fraction='most' was given; pass a finite number"),
        (lambda: fixed_split(9, seed=-1), "fixed_split: seed=-1 was given; pass a whole number"),
        (lambda: folds(9, 1), "folds: k=1 was given; pass a whole number of at least 2."),
        (lambda: folds(9, seed=True), "folds: seed=True was given; pass a whole number of at least 0."),
        (lambda: folds(4, 5), "folds: k=5 parts were asked of n=4 rows; pass a k of at most 4."),
        (lambda: blocks(4, 5), "blocks: k=5 parts were asked of n=4 rows; pass a k of at most 4."),
        (lambda: blocks("4"), "blocks: n='4' was given; pass a whole number of at least 2."),
    ],
)
def test_bad_arguments_get_one_sentence(call, sentence: str) -> None:
    with pytest.raises(ArgumentError, match=re.escape(sentence)) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_numpy_integers_count_as_whole_numbers() -> None:
    assert np.array_equal(fixed_split(np.int32(9))[1], fixed_split(9)[1])
