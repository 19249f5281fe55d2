"""Compressed files: errors and bits as asked for, files that stand alone, and peers that are given their best."""

import lzma

import numpy as np
import pytest

from wengert.classic import AutoAssociator
from wengert.classic.auto import codec, read_compressed, write_compressed
from wengert.classic.auto.files import principal_components
from wengert.errors import ArgumentError, DataError, FileFormatError


@pytest.fixture(scope="module")
def curve():
    """A noisy curve in four dimensions, and a network that knows it."""
    rng = np.random.default_rng(0)
    t = rng.uniform(-1, 1, 2000)
    x = np.column_stack([t, t**2, np.sin(3 * t), np.cos(3 * t)]) + 0.01 * rng.standard_normal((2000, 4))
    return x, AutoAssociator(1, (6,), random_state=0, epochs=150).fit(x[:400])


def scaled_error(x, again, model):
    return np.sqrt(np.square((again - x) / model.spread_).mean())


@pytest.mark.parametrize("error", [0.3, 0.1, 0.03])
def test_the_error_is_as_asked_for_and_the_file_as_large_as_said(curve, tmp_path, error):
    x, model = curve
    written = write_compressed(tmp_path / "x.wz", x, model, error=error)
    found = read_compressed(tmp_path / "x.wz")
    assert (tmp_path / "x.wz").stat().st_size == written.bytes
    assert scaled_error(x, found.X, model) == pytest.approx(written.error, rel=1e-3)
    assert 0.97 * error < written.error <= error
    assert found.X.shape == x.shape and found.X.dtype == x.dtype and found.names is None


def test_a_larger_error_takes_fewer_bytes_and_far_fewer_than_without_loss(curve, tmp_path):
    x, model = curve
    sizes = [write_compressed(tmp_path / "x.wz", x, model, error=error).bytes for error in (0.03, 0.1, 0.3)]
    assert sizes[0] > sizes[1] > sizes[2]
    assert sizes[0] < len(lzma.compress(x.tobytes(), preset=9)) / 10


@pytest.mark.parametrize("bits", [3.0, 6.0, 10.0])
def test_the_bits_are_as_asked_for(curve, tmp_path, bits):
    x, model = curve
    written = write_compressed(tmp_path / "x.wz", x, model, bits=bits)
    assert 0.8 * bits < written.bits <= bits
    assert scaled_error(x, read_compressed(tmp_path / "x.wz").X, model) == pytest.approx(written.error, rel=1e-3)


def test_unasked_the_error_is_one_per_cent_over_the_networks(curve, tmp_path):
    x, model = curve
    written = write_compressed(tmp_path / "x.wz", x, model)
    assert written.network_error == pytest.approx(scaled_error(x, model.reconstruct(x), model), rel=1e-9)
    assert written.network_error < written.error <= 1.0101 * written.network_error


def test_principal_components_get_as_many_bytes_and_their_best_number(curve, tmp_path):
    x, model = curve
    written = write_compressed(tmp_path / "x.wz", x, model)
    peer = principal_components(x, model, written.bytes)
    assert peer is not None and peer.bytes <= written.bytes
    assert written.error < peer.error / 3  # a curve is one number, and three or four straight ones
    # Against brute force over the number of components, with the quantiser as fine as the bytes allow.
    scaled = (x - model.centre_) / model.spread_
    best = np.inf
    for count in range(1, 5):
        mean = scaled.mean(axis=0)
        axes = np.linalg.svd(scaled - mean, full_matrices=False)[2][:count]
        for q in np.geomspace(0.05, 2, 60):
            numbers = np.rint((scaled - mean) @ axes.T / q).astype(int)
            if len(codec.squeezed(codec.packed(numbers))) <= written.bytes - 150:
                left = np.sqrt(np.square(numbers * q @ axes + mean - scaled).mean())
                best = min(best, left)
    assert peer.error <= 1.03 * best
    assert principal_components(x, model, 60) is None


def test_a_linear_network_is_no_better_than_principal_components(tmp_path):
    x = np.random.default_rng(1).standard_normal((600, 5)) @ np.diag([5, 3, 1, 0.3, 0.1])
    model = AutoAssociator(2, (), scaling="common", random_state=0).fit(x)
    written = write_compressed(tmp_path / "x.wz", x, model)
    peer = principal_components(x, model, written.bytes)
    assert peer is not None and peer.error <= 1.02 * written.error


@pytest.mark.parametrize("dtype", ["u1", "i2", "f4", "f8", "?", "i8"])
def test_shapes_and_dtypes_come_back(tmp_path, dtype):
    rng = np.random.default_rng(0)
    x = (rng.uniform(0, 1, (30, 1, 1)) * np.ones((30, 2, 3)) * 100 > 20) if dtype == "?" else None
    if x is None:
        x = (rng.uniform(0, 1, (30, 1, 1)) * np.full((30, 2, 3), 120)).astype(dtype)
    model = AutoAssociator(1, (), random_state=0).fit(x.reshape(30, 6).astype(float))
    write_compressed(tmp_path / "x.wz", x, model, error=0.001)
    again = read_compressed(tmp_path / "x.wz").X
    assert again.shape == x.shape and again.dtype == x.dtype
    np.testing.assert_allclose(again.astype(float), x.astype(float), atol=1)


def test_large_offsets_keep_their_precision(tmp_path):
    """Half precision cannot hold a million and a thousandth: the decoder is stored wider where it must."""
    t = np.linspace(0, 1, 300)
    x = np.column_stack([1e6 + 1e-3 * t, -5 + t, 1e-9 * t**2])
    model = AutoAssociator(1, (4,), random_state=0, epochs=100).fit(x)
    write_compressed(tmp_path / "x.wz", x, model, error=0.01)
    assert scaled_error(x, read_compressed(tmp_path / "x.wz").X, model) <= 0.01


def test_a_column_that_never_changes_comes_back_as_it_was(curve, tmp_path):
    x = np.column_stack([curve[0][:300], np.full(300, 0.1), np.full(300, 1234.5678)])
    model = AutoAssociator(1, (6,), random_state=0, epochs=30).fit(x)
    write_compressed(tmp_path / "x.wz", x, model, error=0.5)
    again = read_compressed(tmp_path / "x.wz").X
    np.testing.assert_allclose(again[:, 4:], x[:, 4:], rtol=1e-3)
    assert (again[:, 4:] == again[0, 4:]).all() and (again[:, :4] != again[0, :4]).any()
    write_compressed(tmp_path / "x.wz", x[:, 4:], AutoAssociator(1, ()).fit(x[:, 4:]))
    assert np.array_equal(read_compressed(tmp_path / "x.wz").X, x[:, 4:])


def test_turned_codes_give_the_same_rows_and_are_uncorrelated():
    """And a step in any of them moves a row equally far, on average: checked by differences."""
    x = np.random.default_rng(0).standard_normal((300, 3)) @ np.random.default_rng(1).standard_normal((3, 6))
    model = AutoAssociator(3, (5,), transfer="logsig", random_state=0, epochs=30).fit(x)
    codes = model.compress(x)
    decoder = codec.Decoder(*model.decoder(), model.centre_, model.spread_)
    turned, new = decoder.turned(codes)
    np.testing.assert_allclose(turned.rows(new), decoder.rows(codes), atol=1e-9)
    covariance = np.cov(new.T)
    np.testing.assert_allclose(covariance - np.diag(covariance.diagonal()), 0, atol=1e-9 * covariance.max())
    assert (np.diff(covariance.diagonal()) <= 0).all()
    moved = [(turned.scaled(new + 1e-6 * one) - turned.scaled(new - 1e-6 * one)) / 2e-6 for one in np.eye(3)]
    metric = np.einsum("knd,lnd->kl", moved, moved) / len(x)
    np.testing.assert_allclose(metric, np.eye(3), atol=1e-6)


def test_codes_in_which_nothing_moves_are_left_out():
    decoder = codec.Decoder([(np.array([[1.0, 2.0], [2.0, 4.0]]), np.zeros(2))], ("purelin",), np.zeros(2), np.ones(2))
    codes = np.random.default_rng(0).standard_normal((50, 2))
    turned, new = decoder.turned(codes)
    assert new.shape == (50, 1)
    np.testing.assert_allclose(turned.rows(new), decoder.rows(codes), atol=1e-12)


def test_rows_in_order_are_stored_by_differences():
    t = np.linspace(0, 1, 4000)
    numbers = np.rint(500 * np.column_stack([t + 0.01 * np.sin(90 * t), np.sin(3 * t)])).astype(np.int64)
    mixed = np.random.default_rng(0).permutation(numbers)
    assert codec.packed(numbers)[0] == 1 and codec.packed(mixed)[0] == 0
    np.testing.assert_array_equal(codec.unpacked(codec.packed(numbers), 4000, 2), numbers)
    plain = len(codec.squeezed(codec._columns(numbers, 0)))
    assert len(codec.squeezed(codec.packed(numbers))) < 0.7 * plain


@pytest.mark.parametrize("most", [1, 200, 60_000, 5_000_000, 1 << 40])
def test_whole_numbers_of_every_width_are_packed(most):
    numbers = np.random.default_rng(most).integers(-most, most + 1, (50, 3))
    body = codec.packed(numbers)
    np.testing.assert_array_equal(codec.unpacked(body, 50, 3), numbers)
    assert codec.restored(codec.squeezed(body), len(body)) == body


def test_the_coder_is_close_to_the_entropy():
    numbers = np.rint(np.random.default_rng(0).standard_normal((4000, 6)) * [3, 5, 8, 13, 20, 30]).astype(int)
    assert codec.entropy(numbers) == pytest.approx(
        4000 / 8 * np.log2(np.array([3, 5, 8, 13, 20, 30]) * 4.133).sum(), rel=0.01
    )
    assert len(codec.squeezed(codec.packed(numbers))) < 1.06 * codec.entropy(numbers)


# -- files that are not as they should be ---------------------------------------------------------------------------


def test_every_damage_is_one_sentence(curve, tmp_path):
    x, model = curve
    path = tmp_path / "x.wz"
    write_compressed(path, x[:200], model, error=0.3, names=["a", "b", "c", "d"])
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    damaged = [whole[:n] for n in (0, 3, 7, 8, 15, 19, 20, 21, len(whole) // 2, len(whole) - 1)]
    damaged += [whole + b"x", b"PK\3\4" + whole]
    for at in [*range(20), *rng.integers(20, len(whole), 60)]:
        changed = bytearray(whole)
        changed[at] ^= 1 << rng.integers(8)
        damaged.append(bytes(changed))
    for content in damaged:
        path.write_bytes(content)
        with pytest.raises(FileFormatError, match=r"^expand: .*x\.wz (is|has) .*\.$"):
            read_compressed(path)
    path.write_bytes(whole[:7] + b"\2" + whole[8:])
    with pytest.raises(FileFormatError, match="has version 2, and this program reads 1"):
        read_compressed(path)
    with pytest.raises(FileFormatError, match="cannot be read"):
        read_compressed(tmp_path / "none.wz")


def test_contents_that_contradict_themselves_are_refused(curve, tmp_path, monkeypatch):
    """With a right checksum: a description that claims other sizes, or a transfer function there is not."""
    x, model = curve
    for before, after in (
        (b'"shape":[200,4]', b'"shape":[900,4]'),
        (b"tansig", b"tanhhh"),
        (b"<f2", b"|O8"),
        (b'"sizes":[1', b'"sizes":[9'),
    ):

        def squeezed(body, before=before, after=after):
            return codec.squeezed(body.replace(before, after))

        monkeypatch.setattr("wengert.classic.auto.files.squeezed", squeezed)
        write_compressed(tmp_path / "x.wz", x[:200], model, error=0.3)
        with pytest.raises(FileFormatError, match="is damaged"):
            read_compressed(tmp_path / "x.wz")
        monkeypatch.undo()


def test_what_cannot_be_done_is_said(curve, tmp_path):
    x, model = curve
    path = tmp_path / "x.wz"
    with pytest.raises(DataError, match=r"the network's own error is .* and 0.0001 was asked for"):
        write_compressed(path, x, model, error=1e-4)
    with pytest.raises(DataError, match="allow more bits"):
        write_compressed(path, x, model, bits=1e-3)
    for settings, said in (
        ({"error": 0.1, "bits": 3}, "pass one of them"),
        ({"error": -1}, "error=-1 was given"),
        ({"bits": np.nan}, "bits=nan"),
        ({"names": ["a"]}, "1 names for 4 columns"),
    ):
        with pytest.raises(ArgumentError, match=said):
            write_compressed(path, x, model, **settings)
    with pytest.raises(ArgumentError, match="rows of 2 numbers were given for a network of 4 inputs"):
        write_compressed(path, x[:, :2], model)
    with pytest.raises(ArgumentError, match="pass rows of numbers"):
        write_compressed(path, np.array(["a"]), model)
    with pytest.raises(ArgumentError, match="pass a fitted AutoAssociator"):
        write_compressed(path, x, "network")
    with pytest.raises(FileFormatError, match="cannot be written"):
        write_compressed(tmp_path / "none" / "x.wz", x, model)
    assert not path.exists()
