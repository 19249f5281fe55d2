"""What classic networks share: settings checked in one sentence, data of any kind, files."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest
from safetensors.numpy import save_file

import wengert
from wengert import classic
from wengert.classic import estimator
from wengert.classic.estimator import Estimator, choice, load, real, row_weights, whole
from wengert.errors import ArgumentError, DataError, FileFormatError


class Settings:
    def __init__(self, value: Any):
        self.value = value


@pytest.mark.parametrize("value", [0, -1, 2.0, "3", True, None, np.nan])
def test_what_is_no_whole_number_is_named(value: Any) -> None:
    with pytest.raises(ArgumentError, match=r"^Settings: value=.* was given; pass a whole number of at least 1\.$"):
        whole(Settings(value), "value")
    assert whole(Settings(np.int32(4)), "value") == 4


@pytest.mark.parametrize("value", [np.nan, np.inf, 1.5, "x", True, None, 1j])
def test_what_is_no_number_in_range_is_named(value: Any) -> None:
    with pytest.raises(ArgumentError, match=r"^Settings: value=.* was given; pass a share\.$"):
        real(Settings(value), "value", lambda v: v <= 1, "a share")
    assert real(Settings(np.float32(0.5)), "value", lambda v: v <= 1, "a share") == 0.5


def test_what_is_no_option_is_named() -> None:
    with pytest.raises(ArgumentError, match=r"^Settings: value=1 was given; pass one of 'a', True\.$"):
        choice(Settings(1), "value", ("a", True))
    assert choice(Settings(np.str_("a")), "value", ("a", True)) == "a"


class Sample(Estimator):
    """Takes whatever it is given."""

    def __init__(self, setting: Any = None):
        self.setting = setting

    def fit(self, X: Any, y: Any = None) -> "Sample":
        self.X_ = self._samples(X, reset=True)
        return self


@pytest.mark.parametrize(
    "rows",
    [
        [[1, 2], [3, 4]],
        np.array([[1, 2], [3, 4]]),
        wengert.tensor([[1, 2], [3, 4]]),
        pandas.DataFrame([[1, 2], [3, 4]]),
    ],
)
def test_rows_of_any_kind_become_one_array(rows: Any) -> None:
    if isinstance(rows, pandas.DataFrame):
        rows.columns = ["a", "b"]
    model = Sample().fit(rows)
    assert model.X_.dtype == np.float64
    assert model.X_.tolist() == [[1, 2], [3, 4]]
    assert model.n_features_in_ == 2
    assert list(getattr(model, "feature_names_in_", [])) == (["a", "b"] if isinstance(rows, pandas.DataFrame) else [])


def test_single_precision_stays() -> None:
    assert Sample().fit(wengert.tensor([[1.5]])).X_.dtype == np.float32


VALUES = [
    None, True, 3, 2.5, float("inf"), "text", np.float32(0.1), np.int64(7), np.bool_(True), (1, (2.0, "x")),
    [1, [None]],
    {"a": 1, 2: [3.5], (1, 2): "pair"}, np.arange(6).reshape(2, 3), np.array(["no", "yes"]), np.array(["a", 1], object),
    np.array(3.0), np.zeros((0, 4), np.float32), np.array([True, False]), Sample(setting=np.arange(3)),
]  # fmt: skip


def equal(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray):
        return isinstance(b, np.ndarray) and a.dtype == b.dtype and a.shape == b.shape and a.tolist() == b.tolist()
    if isinstance(a, Estimator):
        return type(a) is type(b) and all(equal(v, vars(b)[k]) for k, v in vars(a).items())
    return type(a) is type(b) and bool(a == b)


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_file_gives_back_what_was_saved(value: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimator, "Sample", Sample, raising=False)
    monkeypatch.setattr(Sample, "__module__", estimator.__name__)
    model = Sample(setting=value)
    model.save(tmp_path / "model.safetensors")
    assert equal(load(tmp_path / "model.safetensors").setting, value)


def test_what_no_file_can_hold_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=r"estimator\.setting is a function, which cannot be written"):
        Sample(setting=lambda: 0).save(tmp_path / "model.safetensors")
    assert list(tmp_path.iterdir()) == []


def described(path: Path, description: Any) -> Path:
    save_file({}, path, {"wengert.classic": json.dumps(description)})
    return path


def test_files_of_others_are_refused(tmp_path: Path) -> None:
    tensors = tmp_path / "tensors.safetensors"
    wengert.save({"a": wengert.tensor(1.0)}, tensors)
    with pytest.raises(FileFormatError, match="holds no classic network"):
        load(tensors)
    with pytest.raises(FileFormatError, match="cannot be read"):
        load(tmp_path / "nothing")
    with pytest.raises(FileFormatError, match="another version"):
        load(described(tmp_path / "a", {"format": 99, "estimator": None}))
    for home, name in [("estimator", "whole"), ("estimator", "BaseEstimator"), ("nowhere", "X"), ("estimator", "os")]:
        found = {"format": 1, "estimator": {"class": [home, name], "state": {}}}
        with pytest.raises(FileFormatError, match="no estimator of this version"):
            load(described(tmp_path / "b", found))
    with pytest.raises(FileFormatError, match="'other', which this version does not know"):
        load(described(tmp_path / "c", {"format": 1, "estimator": {"other": 1}}))


def test_a_cut_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    Sample(setting=np.arange(100)).save(path)
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(FileFormatError, match="no whole safetensors file"):
        load(path)


@pytest.mark.parametrize("given", [[0, 2.0], (0, 2), pandas.Series([0, 2]), wengert.tensor([0.0, 2.0])])
def test_weights_of_rows_of_any_kind(given: Any) -> None:
    found = row_weights(None, given, 2)
    assert found.tolist() == [0.0, 2.0] and found.dtype == np.float64


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ([1.0, 1.0], r"sample_weight has shape \(2,\); give one number for each of the 3 rows"),
        (np.ones((3, 1)), r"sample_weight has shape \(3, 1\); give one number"),
        ([1, -1, 1], "sample_weight holds a negative number; give numbers of at least 0, one of them above"),
        ([0, 0, 0], "sample_weight holds only zeros"),
        (-1.0, "sample_weight holds a negative number"),
    ],
)
def test_weights_of_rows_that_say_nothing_are_refused(given: Any, sentence: str) -> None:
    with pytest.raises(DataError, match=sentence):
        row_weights(None, given, 3)
    with pytest.raises(ValueError, match="sample_weight contains NaN"):
        row_weights(None, [1, 1, np.nan], 3)


def test_names_are_found_when_asked_for() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        classic.Nothing  # noqa: B018
    assert set(classic.__all__) >= {"SOM", "FuzzyART", "Perceptron", "load"}
