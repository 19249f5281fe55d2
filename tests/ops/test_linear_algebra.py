"""Linear algebra: values beside NumPy and SciPy, derivatives that depend on no sign or phase beside differences."""

from typing import Any

import numpy as np
import pytest

import wengert as w
from wengert import linalg

RNG = np.random.default_rng(3)


def drawn(*shape: int, complex: bool = False) -> np.ndarray[Any, Any]:
    x = RNG.normal(size=shape)
    return x + 1j * RNG.normal(size=shape) if complex else x


def positive(*shape: int, complex: bool = False) -> np.ndarray[Any, Any]:
    x = drawn(*shape, complex=complex)
    return x @ np.conj(np.swapaxes(x, -1, -2)) + np.eye(shape[-1]) * np.arange(1, shape[-1] + 1)


both = pytest.mark.parametrize("complex", [False, True], ids=["real", "complex"])


@both
@pytest.mark.parametrize("shape", [(4, 4), (2, 3, 3), (1, 1), (0, 0), (2, 0, 0)])
def test_square_matrices_are_numpys(shape: tuple[int, ...], complex: bool) -> None:
    x = drawn(*shape, complex=complex) + 3 * np.eye(shape[-1])
    t = w.tensor(x)
    right = drawn(*shape[:-1], 2, complex=complex)
    pairs = [
        (linalg.det(t), np.linalg.det(x)),
        (linalg.inv(t), np.linalg.inv(x)),
        (linalg.solve(t, w.tensor(right)), np.linalg.solve(x, right)),
        (linalg.matrix_power(t, 3), np.linalg.matrix_power(x, 3)),
        (linalg.matrix_power(t, -2), np.linalg.matrix_power(x, -2)),
        (linalg.matrix_power(t, 0), np.linalg.matrix_power(x, 0)),
        (linalg.slogdet(t).sign, np.linalg.slogdet(x)[0]),
        (linalg.slogdet(t).logabsdet, np.linalg.slogdet(x)[1]),
        (linalg.trace(t), np.trace(x, axis1=-2, axis2=-1)),
        (
            linalg.cholesky(w.tensor(positive(*shape, complex=complex) * 0 + np.eye(shape[-1]))),
            x * 0 + np.eye(shape[-1]),
        ),
    ]
    for found, expected in pairs:
        np.testing.assert_allclose(found.numpy(), expected, rtol=1e-10, atol=1e-12)
        assert found.dtype == np.asarray(expected).dtype


@both
@pytest.mark.parametrize("shape", [(3, 5), (5, 3), (2, 4, 4), (2, 3, 1)])
def test_decompositions_multiply_back(shape: tuple[int, ...], complex: bool) -> None:
    x = drawn(*shape, complex=complex)
    m, n = shape[-2:]
    k = min(m, n)
    t = w.tensor(x)
    for mode, inner in (("reduced", k), ("complete", m)):
        q, r = (part.numpy() for part in linalg.qr(t, mode=mode))
        assert q.shape == (*shape[:-1], inner) and r.shape == (*shape[:-2], inner, n)
        np.testing.assert_allclose(q @ r, x, atol=1e-12)
        np.testing.assert_allclose(
            np.conj(np.swapaxes(q, -1, -2)) @ q, np.broadcast_to(np.eye(inner), (*shape[:-2], inner, inner)), atol=1e-12
        )
        np.testing.assert_array_equal(r, np.triu(r))
    for full in (False, True):
        u, s, vh = (part.numpy() for part in linalg.svd(t, full_matrices=full))
        assert u.shape == (*shape[:-2], m, m if full else k) and vh.shape == (*shape[:-2], n if full else k, n)
        np.testing.assert_allclose((u[..., :k] * s[..., None, :]) @ vh[..., :k, :], x, atol=1e-12)
        np.testing.assert_allclose(s, np.linalg.svd(x, compute_uv=False), rtol=1e-12)
        assert s.dtype == np.float64
    np.testing.assert_allclose(linalg.pinv(t).numpy(), np.linalg.pinv(x), atol=1e-10)
    assert linalg.matrix_rank(t).tolist() == np.linalg.matrix_rank(x).tolist()
    for ord in ("fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf):
        found = linalg.matrix_norm(t, ord=ord)
        np.testing.assert_allclose(found.numpy(), np.linalg.norm(x, ord, axis=(-2, -1)), rtol=1e-12)


@both
def test_eigenvalues_are_numpys(complex: bool) -> None:
    x = positive(2, 4, 4, complex=complex)
    values, vectors = (part.numpy() for part in linalg.eigh(w.tensor(x)))
    np.testing.assert_allclose(values, np.linalg.eigvalsh(x), rtol=1e-12)
    np.testing.assert_allclose(x @ vectors, vectors * values[:, None, :], atol=1e-11)
    y = drawn(2, 4, 4, complex=complex)
    values, vectors = (part.numpy() for part in linalg.eig(w.tensor(y)))
    np.testing.assert_allclose(y @ vectors, vectors * values[:, None, :], atol=1e-12)
    np.testing.assert_allclose(
        np.sort_complex(linalg.eigvals(w.tensor(y)).numpy()[0]), np.sort_complex(np.linalg.eigvals(y[0]))
    )
    low = linalg.cholesky(w.tensor(x)).numpy()
    np.testing.assert_allclose(low, np.linalg.cholesky(x), atol=1e-12)
    np.testing.assert_allclose(linalg.cholesky(w.tensor(x), upper=True).numpy(), np.conj(np.swapaxes(low, -1, -2)))


@pytest.mark.parametrize("ord", [0, 1, 2, 3, 0.5, -1, -2, np.inf, -np.inf])
@both
def test_vector_norms_are_numpys(ord: float, complex: bool) -> None:
    x = drawn(3, 4, complex=complex)
    for axis in (0, -1):
        found = linalg.vector_norm(w.tensor(x), ord=ord, axis=axis)
        np.testing.assert_allclose(found.numpy(), np.linalg.norm(x, ord, axis=axis), rtol=1e-12)
    whole = linalg.vector_norm(w.tensor(x), ord=ord, keepdims=True)
    np.testing.assert_allclose(whole.numpy(), np.linalg.norm(x.ravel(), ord).reshape(1, 1), rtol=1e-12)


LADDER = w.tensor(np.diag([1.0, 5.0, 9.0]))


def hermitian(x: Any) -> Any:
    return x @ x.mT.conj() + w.tensor(np.diag([1.0, 4.0, 9.0]))


GAUGE_FREE = {
    "projector of eigh": lambda x: (lambda v: v[:, :1] @ v[:, :1].mT.conj())(linalg.eigh(hermitian(x)).eigenvectors),
    "eigh times values": lambda x: (lambda p: (p[1] * w.exp(p[0] * 0.1)) @ p[1].mT.conj())(linalg.eigh(hermitian(x))),
    "svd polar": lambda x: (lambda p: p[0] @ p[2])(linalg.svd(x + 2 * w.eye(3), full_matrices=False)),
    "svd tall": lambda x: (lambda p: (p[0] * w.sin(p[1])) @ p[2])(linalg.svd(x[:, :2], full_matrices=False)),
    "svd wide": lambda x: (lambda p: (p[0] * w.sin(p[1])) @ p[2])(linalg.svd(x[:2], full_matrices=False)),
    "qr projector": lambda x: (lambda q: q @ q.mT.conj())(linalg.qr(x[:, :2]).Q),
    "qr wide": lambda x: w.abs(linalg.qr(x[:2] + 2 * w.eye(2, 3)).R) ** 2,
    "cholesky": lambda x: linalg.cholesky(hermitian(x)),
    "eig trace": lambda x: linalg.eigvals(x + LADDER) ** 2,
    "eig projector": lambda x: (lambda p: p[1] @ (p[0][:, None] * linalg.inv(p[1])))(linalg.eig(x + LADDER)),
    "nuclear norm": lambda x: linalg.matrix_norm(x, ord="nuc"),
    "spectral norm": lambda x: linalg.matrix_norm(x, ord=2),
    "slogdet": lambda x: linalg.slogdet(x + 4 * w.eye(3)).logabsdet,
}  # fmt: skip


@both
@pytest.mark.parametrize("name", GAUGE_FREE)
def test_derivatives_where_vectors_may_turn(name: str, complex: bool) -> None:
    x = np.random.default_rng(8).normal(size=(3, 3))
    x = x + 1j * np.random.default_rng(9).normal(size=(3, 3)) if complex else x
    w.check_gradients(GAUGE_FREE[name], (w.tensor(x),), order=2)


@pytest.mark.parametrize("rank", [0, 1, 2])
def test_the_determinant_of_a_singular_matrix_has_its_derivative(rank: int) -> None:
    x = np.diag([2.0, 3.0, 5.0][:rank] + [0.0] * (3 - rank))
    cofactors = {0: np.zeros((3, 3)), 1: np.zeros((3, 3)), 2: np.diag([0.0, 0.0, 6.0])}[rank]
    np.testing.assert_allclose(w.grad(linalg.det)(w.tensor(x)).numpy(), cofactors, atol=1e-12)


def test_what_has_no_solution_says_so_at_once() -> None:
    singular = w.tensor([[1.0, 2.0], [2.0, 4.0]])
    with pytest.raises(w.errors.ArgumentError, match=r"solve: a matrix is singular.*pinv"):
        linalg.inv(singular)
    with pytest.raises(w.errors.ArgumentError, match="not positive definite"):
        linalg.cholesky(w.tensor([[1.0, 2.0], [2.0, 1.0]]))
    with pytest.raises(w.errors.ShapeError, match=r"det: shape \(2, 3\) does not hold square matrices"):
        linalg.det(w.ones((2, 3)))
    with pytest.raises(w.errors.GradientError, match="completion has no derivative"):
        w.grad(lambda x: linalg.svd(x).U.sum())(w.tensor([[1.0], [2.0]]))


def test_products() -> None:
    a, b = drawn(2, 3, 4), drawn(4, 3, 5)
    np.testing.assert_allclose(
        w.tensordot(w.tensor(a), w.tensor(b), axes=[[1, 2], [1, 0]]).numpy(), np.tensordot(a, b, [[1, 2], [1, 0]])
    )
    np.testing.assert_allclose(w.tensordot(w.tensor(a), w.tensor(b), axes=0).numpy(), np.tensordot(a, b, 0))
    np.testing.assert_allclose(w.kron(w.tensor(a[0]), w.tensor(b[0])).numpy(), np.kron(a[0], b[0]))
    np.testing.assert_allclose(
        linalg.cross(w.tensor(a), w.tensor(a[:1] * 2 + 1), axis=-2).numpy(), np.cross(a, a[:1] * 2 + 1, axis=-2)
    )
    for offset in (-1, 0, 2):
        np.testing.assert_array_equal(
            linalg.diagonal(w.tensor(a), offset=offset).numpy(), np.diagonal(a, offset, -2, -1)
        )


EINSUMS = [
    "ij,jk->ik", "ij,jk", "ii", "ii->i", "ij->ji", "ij,ij->", "bij,bjk->bik", "...ij,...jk->...ik", "i,j->ij", "i,i",
    "abc,cd,de->abe", "ijk,jil->kl", "ij,kj,lj->ikl", "aab->b", "a,a,a->", "ab,bc,ca", "i...->...",
    "ij...,jk...->ik...",
]  # fmt: skip
SIZES = dict(zip("abcdeijkl", [2, 3, 4, 2, 5, 3, 4, 2, 3], strict=True)) | {"a": 2}


@pytest.mark.parametrize("subscripts", EINSUMS)
def test_einsum_is_numpys(subscripts: str) -> None:
    terms = subscripts.split("->")[0].split(",")
    shapes = [
        [size for part in term.replace("...", ".") for size in ([2, 3] if part == "." else [SIZES[part]])]
        for term in terms
    ]
    arrays = [drawn(*shape) for shape in shapes]
    expected = np.einsum(subscripts, *arrays)
    tensors = tuple(map(w.tensor, arrays))
    for optimize in ("greedy", "optimal", np.einsum_path(subscripts, *arrays)[0]):
        found = w.einsum(subscripts, *tensors, optimize=optimize).numpy()
        assert found.shape == expected.shape
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)
    w.check_gradients(lambda *x: w.einsum(subscripts, *x), tensors, order=1)


@pytest.mark.parametrize(
    ("subscripts", "shapes", "match"),
    [
        ("ij,jk->ik", [(2, 3)], "names 2 tensors, and 1 were given"),
        ("ij->k", [(2, 3)], "letters of the operands"),
        ("ij,jk->ik", [(2, 3), (4, 5)], "axes 'j' have 3 and 4"),
        ("i->i", [(2, 3)], "one letter an axis"),
        ("i1->i", [(2, 3)], "only letters"),
    ],
)
def test_einsum_refuses_in_a_sentence(subscripts: str, shapes: list[tuple[int, ...]], match: str) -> None:
    with pytest.raises((w.errors.ArgumentError, w.errors.ShapeError), match=match):
        w.einsum(subscripts, *map(w.ones, shapes))
