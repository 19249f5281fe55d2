"""NumPy's names: what they compute, against NumPy itself, and the sentence where something is not here."""

from typing import Any

import numpy
import pytest

import wengert
from wengert import numpy_names

M = numpy.arange(12.0).reshape(3, 4) % 5 - 1


def same(ours: Any, theirs: Any) -> None:
    if isinstance(theirs, tuple | list):
        assert len(ours) == len(theirs)
        for a, b in zip(ours, theirs, strict=True):
            same(a, b)
    else:
        ours, theirs = numpy.asarray(ours), numpy.asarray(theirs)
        assert ours.shape == theirs.shape
        assert ours.dtype.kind == theirs.dtype.kind
        numpy.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)


def test_every_name_is_there_and_one_of_numpy() -> None:
    for name in numpy_names.__all__:
        assert getattr(wengert, name) is not None
        assert hasattr(numpy, name)
        assert name in dir(wengert)


def test_no_remedy_is_for_what_is_there() -> None:
    for name, sentence in numpy_names.REMEDIES.items():
        with pytest.raises(AttributeError, match="module 'wengert' has no attribute"):
            getattr(wengert, name)
        for word in sentence.replace("(", " ").replace(",", " ").replace(")", " ").split():
            found: Any = wengert
            for part in word.rstrip(":.").removeprefix("wengert.").split(".") if word.startswith("wengert.") else ():
                found = getattr(found, part)


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("np.vectorize", "use wengert.vmap"),
        ("np.lexsort", "make a tensor of what numpy.lexsort gives"),
        ("np.random.rand", "rng = wengert.random.default_rng\\(seed\\) and rng.random"),
        ("np.random.gumbel", "no attribute 'gumbel'"),
        ("np.fft.fft2", "fftn\\(x, axes=\\(-2, -1\\)\\)"),
        ("np.linalg.cond", "svdvals"),
        ("np.linalg.other", "no attribute 'other'"),
        ("np.no_such_name", "no attribute 'no_such_name'.$"),
        ("x.flat", "use .ravel"),
        ("x.tofile", "no attribute 'tofile'.$"),
        ("x.vdot", "use wengert.vdot\\(x\\)"),
    ],
)
def test_what_is_not_here_says_what_to_write(expression: str, words: str) -> None:
    with pytest.raises(AttributeError, match=words):
        eval(expression, {"np": wengert, "x": wengert.ones(2)})


@pytest.mark.parametrize(
    "expression",
    [
        "x.ravel()", "x.dot(x.T)", "x.argsort()", "x.cumsum()", "x.cumsum(1)", "x.cumprod(axis=0)", "x.round(1)",
        "x.nonzero()", "x.repeat(2)", "x.repeat(2, axis=1)", "x.take([0, 5])", "x.take([1, 0], axis=1)", "x.nbytes",
        "x.diagonal()", "x.diagonal(1)", "x.trace()", "x.trace(-1)", "x.ptp()" if hasattr(M, "ptp") else "x.itemsize",
        "x.conjugate()", "x[0].searchsorted(2.0)", "x.std(0, ddof=1)", "x.var(ddof=1)", "x.astype(x.dtype, copy=False)",
        "np.concatenate([x, x], 1)", "np.amax(x, 0)", "np.amin(x, 1)", "np.where(x > 1)", "np.array(x, ndmin=3)",
        "np.pad(x, (1, 2))", "np.pad(x, [(1, 0), (0, 2)], 'edge')", "np.pad(x, 5, mode='symmetric')",
        "np.array_split(x, 3, axis=1)", "np.array_split(x, [1], axis=1)", "np.hsplit(x, 2)", "np.vsplit(x, 3)",
        "np.delete(x, [0, 2], axis=1)", "np.delete(x, slice(0, 2))", "np.rot90(x, 2)", "np.rot90(x, 3)",
        "np.rot90(x, 4)",
        "np.diag(x)", "np.diag(x, -1)", "np.diag(x[0], 2)", "np.diag(x[0], -1)", "np.transpose(x[None], (1, 0, 2))",
        "np.dot(x, 2.0)", "np.dot(x, np.stack([x.T, x.T]))", "np.inner(x, x)", "np.vdot(x, x)", "np.trace(x[None])",
        "np.average(x, 1, weights=x + 2)", "np.average(x)", "np.isclose(x, x + 1e-9)", "np.array_equal(x, x.T)",
        "np.isclose([np.inf, np.nan, 1.0], [np.inf, np.nan, np.inf])", "np.around(x * 77, -1)", "np.around(77, -1)",
        "np.unique(x)", "np.unique(np.asarray([np.nan, 1.0, np.nan]), return_counts=True)", "np.union1d(x, [77.0])",
        "np.intersect1d(x, [1.0, 9.0])", "np.digitize(x, x[0] * 0 + np.arange(4), right=True)", "np.argwhere(x > 1)",
        "np.linalg.norm(x)", "np.linalg.norm(x, 'nuc')", "np.linalg.norm(x, 1, axis=1)", "np.linalg.norm(x, -np.inf)",
        "np.linalg.norm(x, 2, axis=(1, 0), keepdims=True)", "np.linalg.norm(x[0], 3)", "np.linalg.norm(x[None])",
        "np.linalg.lstsq(x, x[:, :2])[0]", "np.linalg.lstsq(x.T, x[0])",
        "np.linalg.lstsq(x.T / 100, x[0])", "np.linalg.lstsq(np.concatenate([x.T, x.T], 1), x[0])[:3]",
        "np.linalg.lstsq(x.T * 1j, x[0])[:2]",
        "np.nan_to_num(np.asarray([np.inf, -np.inf, np.nan, 1.0], dtype=np.float64))", "np.tril_indices(3, -1)",
        "np.size(x, 1)",
        "np.correlate(x[0], x[1, :2], 'full')", "np.heaviside(x, 0.5)", "np.logspace(0, 1, 3, dtype=np.float64)",
    ],
)  # fmt: skip
def test_it_is_what_numpy_computes(expression: str) -> None:
    ours = eval(expression, {"np": wengert, "x": wengert.tensor(M)})
    same(ours, eval(expression, {"np": numpy, "x": M}))


def test_sorting_and_filling_write_to_the_tensor_and_through_views() -> None:
    x = wengert.tensor([[3, 1, 2], [9, 7, 8]])
    row = x[0]
    assert row.sort() is None
    assert x.tolist() == [[1, 2, 3], [9, 7, 8]]
    x.sort(axis=0)
    x.ravel().fill(4)
    assert row.tolist() == [4, 4, 4]


def test_a_label_is_found_by_its_value() -> None:
    labels = wengert.tensor([2, 7, 2])
    assert len(set(labels)) == 2
    assert {2: "a", 7: "b"}[labels[1]] == "b"  # type: ignore[index]
    assert len({wengert.tensor(1.0), wengert.tensor(1.0)}) == 2  # parameters are told apart


def test_derivatives_flow_through_array_and_lstsq() -> None:
    grad = wengert.grad(lambda x: wengert.array([[x * x, 1.0], [2.0, x]]).sum())
    assert grad(wengert.tensor(3.0)).item() == 7
    a, b = numpy.array([[1.0, 2.0], [0.5, 3.0], [2.0, 1.0]]), numpy.array([1.0, 2.0, 4.0])

    def first(a: Any) -> Any:
        return wengert.linalg.lstsq(a, b).x[0]

    def normal(a: Any) -> Any:
        return wengert.linalg.solve(a.mT @ a, a.mT @ wengert.tensor(b))[0]

    same(wengert.grad(first)(wengert.tensor(a)), wengert.grad(normal)(wengert.tensor(a)))


def test_random_tensors_by_numpys_names() -> None:
    rng, again = wengert.random.default_rng(4), wengert.random.default_rng(4)
    draws = [rng.random(1000), rng.normal(2.0, 3.0, (500, 2)), rng.integers(1, 7, size=600), rng.standard_normal(3)]
    same(draws, [again.random(1000), again.normal(2.0, 3.0, (500, 2)), again.integers(1, 7, 600), again.normal(size=3)])
    assert draws[0].dtype == draws[1].dtype == wengert.float32
    assert 0.45 < draws[0].mean().item() < 0.55
    assert draws[1].mean().item() == pytest.approx(2, abs=0.4)
    assert set(draws[2].tolist()) == {1, 2, 3, 4, 5, 6}
    assert rng.random().shape == ()
    assert rng.uniform(wengert.tensor([0.0, 5.0]), [1.0, 6.0]).shape == (2,)
    deck = wengert.arange(20)
    rng.shuffle(deck)
    assert deck.tolist() != list(range(20))
    assert sorted(deck.tolist()) == sorted(rng.permutation(20).tolist()) == list(range(20))
    assert rng.permutation(wengert.zeros((3, 2))).shape == (3, 2)
    assert set(rng.choice([5, 6], 50, p=wengert.tensor([1.0, 0.0])).tolist()) == {5}
    assert sorted(rng.choice(4, 4, replace=False).tolist()) == [0, 1, 2, 3]
    assert rng.poisson(3.0, 5).shape == rng.binomial(3, 0.5, 5).shape == rng.exponential(size=5).shape == (5,)
    assert rng.integers(3, endpoint=True, size=200).max().item() == 3
    assert wengert.random.default_rng().random().item() != wengert.random.default_rng().random().item()
    assert "seed=4" in repr(rng)


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("np.where(x > 0, x)", "pass two"),
        ("np.pad(x, 1, mode='mean')", "'mean' must be"),
        ("np.pad(x[:0], 1, mode='edge')", "no elements"),
        ("np.diag(np.zeros((1, 1, 1)))", "vector or a matrix"),
        ("np.vsplit(x, 1)", "two axes"),
        ("np.array_split(x, 0)", "at least 1"),
        ("np.average(np.zeros((2, 3)), weights=x)", "do not fit"),
        ("np.digitize(x, [2.0, 1.0])", "ascend"),
        ("np.select([x > 0], [])", "one for each"),
        ("np.correlate(x[:1], x)", "exchange"),
        ("np.linalg.norm(np.zeros((1, 1, 1)), 2)", "one axis"),
        ("np.linalg.lstsq(x, x)", "must be"),
        ("np.linalg.solve(np.zeros((2, 2)), x)", "singular"),
        ("np.random.default_rng(0).shuffle([1])", "permutation"),
        ("np.random.default_rng(0).choice(2, p=[0.5, 0.2])", "sum"),
        ("np.random.default_rng(0).choice(2, p=[1.0])", "shape"),
    ],
)
def test_what_does_not_fit_is_said(expression: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        eval(expression, {"np": wengert, "x": wengert.ones(2)})
    assert issubclass(wengert.linalg.LinAlgError, ValueError)
