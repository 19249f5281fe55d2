"""Complex numbers: NumPy's values, PyTorch's conjugate convention, both modes of every record."""

from typing import Any

import numpy as np
import pytest

import wengert as w

Z = np.array([1 + 2j, -0.5 + 0.25j, 3 - 1j])


def test_python_and_numpy_numbers_bring_their_dtype() -> None:
    assert w.tensor(1j).dtype == w.complex64
    assert w.tensor(Z).dtype == w.complex128
    assert (w.tensor([1.0]) * 1j).dtype == w.complex64
    assert (w.tensor([1.0], dtype=w.float64) + 1j).dtype == w.complex128
    assert (w.tensor([1]) * 1j).dtype == w.complex64
    assert w.zeros(2, dtype=complex).dtype == w.complex64
    assert complex(w.tensor(1 + 2j)) == 1 + 2j and w.tensor(1 + 2j).item() == 1 + 2j
    assert "1.+2.j" in repr(w.tensor([1 + 2j]))


PARTS = {"real": np.real, "imag": np.imag, "conj": np.conj, "abs": np.abs, "angle": np.angle}


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
@pytest.mark.parametrize("name", PARTS)
def test_parts_are_numpys(name: str, dtype: str) -> None:
    z = Z.astype(dtype)
    found = getattr(w, name)(w.tensor(z)).numpy()
    np.testing.assert_allclose(found, PARTS[name](z), rtol=1e-6, strict=True)


def test_real_numbers_have_parts_too() -> None:
    x = w.tensor([1.0, -2.0])
    assert w.real(x) is x and w.conj(x) is x
    np.testing.assert_allclose(w.angle(x).numpy(), [0, np.pi], rtol=1e-6)
    with pytest.raises(w.errors.DTypeError, match="no imaginary part"):
        w.imag(x)


@pytest.mark.parametrize("name", ["max", "min", "argmax", "maximum", "less", "floor", "erf", "relu", "clip", "atan2"])
def test_what_complex_numbers_do_not_have_is_refused(name: str) -> None:
    z = w.tensor(Z)
    args: tuple[Any, ...] = (z, z) if name in ("maximum", "less", "atan2") else (z, 0, 1) if name == "clip" else (z,)
    with pytest.raises(w.errors.DTypeError, match="complex"):
        getattr(w, name)(*args)


# PyTorch 2.13.0, torch.autograd.grad of the real function at z = 0.3 - 0.7j (complex128).
TORCH = {
    "abs(z)": (lambda z: abs(z), 0.3939192985791677 - 0.9191450300180578j),
    "real(z * z)": (lambda z: w.real(z * z), 0.6 + 1.4j),
    "imag(z * z)": (lambda z: w.imag(z * z), -1.4 + 0.6j),
    "abs(exp(z)) ** 2": (lambda z: abs(w.exp(z)) ** 2, 3.6442376007810177 + 0j),
}


@pytest.mark.parametrize("name", TORCH)
def test_gradients_follow_pytorchs_convention(name: str) -> None:
    f, expected = TORCH[name]
    found = w.grad(f)(w.tensor(0.3 - 0.7j, dtype=w.complex128)).item()
    assert abs(found - expected) < 1e-12


def test_steepest_descent_in_the_plane_finds_the_minimum() -> None:
    """z - lr * grad must go downhill: the convention that makes it so is d/da + i d/db."""
    z = w.tensor(2 + 2j, dtype=w.complex128)
    for _ in range(60):
        z = z - 0.1 * w.grad(lambda z: abs(z - (1 - 1j)) ** 2)(z)
    assert abs(z.item() - (1 - 1j)) < 1e-4


def test_a_real_operand_of_a_complex_function_has_a_real_gradient() -> None:
    x = w.tensor([0.3, 0.2], dtype=w.float64)
    found = w.grad(lambda x: w.real((x * (1 + 2j)) ** 2).sum())(x)
    np.testing.assert_allclose(found.numpy(), 2 * x.numpy() * ((1 + 2j) ** 2).real)
    assert found.dtype == w.float64


def test_a_complex_result_has_no_gradient_of_its_own() -> None:
    z = w.tensor(1 + 2j, requires_grad=True)
    with pytest.raises(w.errors.GradientError, match=r"complex.*real or imag part"):
        (z * z).backward()
    with pytest.raises(w.errors.GradientError, match="one real number"):
        w.grad(lambda z: z * z)(w.tensor(1 + 2j))


FUNCTIONS = {
    "product and quotient": lambda z, u: (z * u + 1) / (u - 3),
    "power": lambda z, u: w.pow(z + 3, u),
    "matrix": lambda z, u: z[None] @ u[:, None] + w.vecdot(z, u),
    "where": lambda z, u: w.where(w.tensor([True, False, True]), z, u * u),
    "mean, var, std, norm": lambda z, u: w.mean(z) + w.var(u) + w.std(z) + w.norm(u),
    "prod and scans": lambda z, u: w.prod(z) + w.cumulative_sum(u) * w.cumulative_prod(z),
    "indexing": lambda z, u: w.stack([z[::-1], u])[..., [0, 0, 2]],
    "signs": lambda z, u: w.sign(z) * abs(u),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_both_modes_to_second_order(name: str) -> None:
    w.check_gradients(FUNCTIONS[name], (w.tensor(Z), w.tensor(Z[::-1] * 0.5 + 0.1j)), order=2)


def test_half_precision_is_there() -> None:
    x = w.tensor(np.array([1.5, 2.5], np.float16))
    y = w.exp(x) * 2
    assert y.dtype == w.float16
    np.testing.assert_allclose(y.numpy(), 2 * np.exp([1.5, 2.5]), rtol=2e-3)
    assert (x + w.tensor([1.0])).dtype == w.float32
