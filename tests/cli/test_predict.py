"""`wengert predict`: the same answers as the network, for files whose columns are found by name."""

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from wengert import nn
from wengert.cli import commands
from wengert.cli.runs import load_run
from wengert.datasets import load_digits


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("predict") / "digits"
    done = CliRunner().invoke(commands(), ["train", "digits", "--epochs", "1", "--quiet", "--out", str(place)])
    assert done.exit_code == 0
    return place


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Five digits as a table, the columns in another order, and one too many."""
    data = load_digits()
    path = tmp_path / "images.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["who", *data.feature_names[::-1]])
        writer.writerows([["me", *row[::-1].astype(int).tolist()] for row in data.x[:5]])
    return path


def predict(*args: object) -> Result:
    return CliRunner().invoke(commands(), ["predict", *map(str, args)])


def test_answers_are_the_networks(run: Path, images: Path) -> None:
    result = predict(run, images)
    assert result.exit_code == 0
    assert result.stderr == "note: columns not read: 'who'\n"
    table = list(csv.DictReader(result.stdout.splitlines()))
    model = load_run(run).model
    scores = model(load_digits().x[:5])
    shares = nn.softmax(scores).detach().numpy()
    assert [row["line"] for row in table] == ["2", "3", "4", "5", "6"]
    assert [int(row["digit"]) for row in table] == shares.argmax(axis=1).tolist()
    found = np.array([[float(row[f"p({digit})"]) for digit in range(10)] for row in table])
    np.testing.assert_allclose(found, shares, rtol=2e-5, atol=1e-9)  # printed to six digits


def test_out_is_written_whole(run: Path, images: Path, tmp_path: Path) -> None:
    out = tmp_path / "answers.csv"
    assert predict(run, images, "--out", out).stdout == ""
    assert out.read_text(encoding="utf-8") == predict(run, images).stdout
    nowhere = predict(run, images, "--out", tmp_path / "no" / "answers.csv")
    assert nowhere.exit_code == 2
    assert "cannot be written" in nowhere.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["answers.csv", "images.csv"]


def truncate(run: Path) -> None:
    file = run / "parameters.safetensors"
    file.write_bytes(file.read_bytes()[:-1000])


def corrupt(run: Path) -> None:
    file = run / "parameters.safetensors"
    file.write_bytes(b"\xff" * 64 + file.read_bytes()[64:])


def empty(run: Path) -> None:
    (run / "parameters.safetensors").write_bytes(b"")


def lose_parameters(run: Path) -> None:
    (run / "parameters.safetensors").unlink()


def lose_settings(run: Path) -> None:
    (run / "settings.json").unlink()


def cut_settings(run: Path) -> None:
    file = run / "settings.json"
    file.write_text(file.read_text(encoding="utf-8")[:200], encoding="utf-8")


def changed(run: Path, **entries: object) -> None:
    file = run / "settings.json"
    content = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps({**content, **entries}), encoding="utf-8")


def other_layout(run: Path) -> None:
    layout = json.loads((run / "settings.json").read_text(encoding="utf-8"))["layout"]
    changed(run, layout={**layout, "hidden": [7]})


def unknown_transfer(run: Path) -> None:
    layout = json.loads((run / "settings.json").read_text(encoding="utf-8"))["layout"]
    changed(run, layout={**layout, "transfer": "wobble"})


def no_schema(run: Path) -> None:
    changed(run, schema={})


def newer_format(run: Path) -> None:
    changed(run, format=99)


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (truncate, "parameters.safetensors"),
        (corrupt, "parameters.safetensors"),
        (empty, "parameters.safetensors"),
        (lose_parameters, "parameters.safetensors"),
        (lose_settings, "settings.json cannot be read"),
        (cut_settings, "settings.json is no JSON"),
        (other_layout, "does not fit the network"),
        (unknown_transfer, "no transfer function 'wobble'"),
        (no_schema, "does not describe a network"),
        (newer_format, "has format 99"),
    ],
)
def test_damaged_runs(run: Path, images: Path, tmp_path: Path, damage: Callable[[Path], None], expected: str) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(run, copy)
    damage(copy)
    result = predict(copy, images)
    assert (result.exit_code, result.stdout) == (2, "")
    assert expected in result.stderr and len(result.stderr.splitlines()) == 1


def test_bad_files(run: Path, images: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    other.write_text("a,b\n1,2\n", encoding="utf-8")
    broken = tmp_path / "broken.csv"
    broken.write_text(images.read_text(encoding="utf-8").replace("me,", "me,x", 1), encoding="utf-8")
    for arguments, expected in (
        ((tmp_path / "none", images), "is no run folder"),
        ((run, tmp_path / "none.csv"), "cannot be read"),
        ((run, other), "lacks 'pixel_0_0'"),
    ):
        result = predict(*arguments)
        assert (result.exit_code, result.stdout) == (2, "")
        assert expected in result.stderr and len(result.stderr.splitlines()) == 1
    # One unusable row of five is left out, and said.
    result = predict(run, broken)
    assert result.exit_code == 0
    assert "skipped 1 of 5 rows: line 2" in result.stderr
    assert [line.split(",")[0] for line in result.stdout.splitlines()] == ["line", "3", "4", "5", "6"]
