"""Saving and loading: round trips, agreement with the safetensors library, damaged files, places not writable."""

import os
import stat

import numpy as np
import pytest
import safetensors.numpy

import wengert as w
from wengert import nn, serialization
from wengert.errors import ArgumentError, FileFormatError, ShapeError


def model():
    return nn.Sequential(nn.Standardize([1.0, 2.0], [1.0, 3.0]), nn.Linear(2, 3), nn.Tansig(), nn.Linear(3, 1))


def test_module_round_trip(tmp_path):
    path = tmp_path / "net.safetensors"
    one, other = model(), model()
    w.save(one, path)
    found = w.load(path, other)
    assert list(found) == sorted(one.state_dict())
    for name, value in one.state_dict().items():
        np.testing.assert_array_equal(other.state_dict()[name], value)
        assert other.state_dict()[name].dtype == value.dtype
    assert other[1].weight.requires_grad and other[1].weight.is_leaf


def test_dict_round_trip_keeps_dtypes_and_shapes(tmp_path):
    path = tmp_path / "some.safetensors"
    given = {
        "f": np.array([[1.5, -0.0], [np.nan, np.inf]]),
        "i": np.array([-1, 2], np.int16),
        "b": np.array([True, False]),
        "scalar": np.float32(3.0),
        "empty": np.zeros((0, 4), np.float32),
        "transposed": np.arange(6.0).reshape(2, 3).T,
        "tensor": w.tensor([1.0], requires_grad=True),
    }
    w.save(given, path)
    found = w.load(path)
    for name, value in given.items():
        plain = value.detach().numpy() if isinstance(value, w.Tensor) else np.asarray(value)
        assert found[name].dtype == plain.dtype and found[name].shape == plain.shape
        assert found[name].numpy().tobytes() == plain.tobytes()
        assert not found[name].requires_grad
    outside = safetensors.numpy.load_file(path)
    np.testing.assert_array_equal(outside["transposed"], given["transposed"])


def test_files_of_others_are_read(tmp_path):
    path = tmp_path / "theirs.safetensors"
    safetensors.numpy.save_file({"a": np.arange(3, dtype=np.float32)}, path)
    assert w.load(path)["a"].tolist() == [0.0, 1.0, 2.0]
    assert serialization.read_metadata(path) == {}


def test_metadata(tmp_path):
    path = tmp_path / "net.safetensors"
    w.save({"a": [1.0]}, path, metadata={"recipe": "digits"})
    assert serialization.read_metadata(path) == {"recipe": "digits"}
    with pytest.raises(ArgumentError, match="metadata 'epochs' must map a text to a text"):
        w.save({"a": [1.0]}, path, metadata={"epochs": 3})


def test_nothing_else_is_left_in_the_folder_and_the_mode_is_usual(tmp_path):
    path = tmp_path / "net.safetensors"
    w.save(model(), path)
    w.save(model(), path)
    assert os.listdir(tmp_path) == ["net.safetensors"]
    usual = tmp_path / "usual"
    usual.touch()
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(usual.stat().st_mode)


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "net.safetensors"
    w.save({"a": [1.0]}, path)

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(FileFormatError, match=r"cannot be written .No space left on device.; choose a folder"):
        w.save({"a": [2.0]}, path)
    assert w.load(path)["a"].tolist() == [1.0] and os.listdir(tmp_path) == ["net.safetensors"]


def test_folders_that_cannot_be_written_to(tmp_path):
    (tmp_path / "file").touch()
    for place in (tmp_path / "missing" / "x", tmp_path / "file" / "x"):
        with pytest.raises(FileFormatError, match="cannot be written"):
            w.save({"a": [1.0]}, place)


def test_every_truncation_is_noticed(tmp_path):
    path = tmp_path / "net.safetensors"
    net = model()
    w.save(net, path)
    whole, before = path.read_bytes(), net.state_dict()
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        with pytest.raises(FileFormatError, match="is no whole safetensors file"):
            w.load(path, net)
    path.write_bytes(whole + b"more")
    with pytest.raises(FileFormatError, match=f"has {len(whole) + 4} bytes and should have {len(whole)}"):
        w.load(path)
    assert all((net.state_dict()[name] == value).all() for name, value in before.items())


@pytest.mark.parametrize(
    "change",
    [
        lambda c: b"\xff" * 8 + c[8:],  # an absurd header length
        lambda c: c[:8] + b"x" + c[9:],  # no JSON
        lambda c: c.replace(b"F32", b"Q99"),  # an unknown dtype
        lambda c: c.replace(b'"shape":[2]', b'"shape":[3]'),  # shape and bytes disagree
        lambda c: c.replace(b"data_offsets", b"data_offsetz"),
        lambda c: (2).to_bytes(8, "little") + b"[]",  # JSON, but no object
    ],
)
def test_damage_is_noticed(tmp_path, change):
    path = tmp_path / "net.safetensors"
    w.save({"a": w.ones(2)}, path)
    damaged = change(path.read_bytes())
    assert damaged != path.read_bytes()
    path.write_bytes(damaged)
    with pytest.raises(FileFormatError, match=r"net.safetensors is no whole safetensors file: .*; it was cut off"):
        w.load(path)


def test_missing_file(tmp_path):
    with pytest.raises(FileFormatError, match=r"cannot be read .No such file"):
        w.load(tmp_path / "missing")
    with pytest.raises(FileFormatError, match="cannot be read"):
        serialization.read_metadata(tmp_path)


def test_a_file_of_another_network(tmp_path):
    path = tmp_path / "net.safetensors"
    w.save(nn.Linear(2, 3), path)
    with pytest.raises(ShapeError, match=r"weight has shape \(3, 5\) and was given \(3, 2\)"):
        w.load(path, nn.Linear(5, 3))
    with pytest.raises(ArgumentError, match=r"missing 0.weight, 0.bias; unexpected bias, weight"):
        w.load(path, nn.Sequential(nn.Linear(2, 3)))


@pytest.mark.parametrize(("thing", "sentence"), [([1.0], "a list cannot be saved"), ({1: [1.0]}, "the name 1")])
def test_what_cannot_be_saved(tmp_path, thing, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        w.save(thing, tmp_path / "x")
    assert not os.listdir(tmp_path)
