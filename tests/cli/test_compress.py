"""`wengert compress` and `wengert expand`: tables go in and come out, and what is wrong is said in one sentence."""

import csv
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from wengert.cli import commands
from wengert.cli.compress import _decimals


def wengert(*args: object) -> Result:
    return CliRunner().invoke(commands(), list(map(str, args)))


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A curve with noise in four columns, printed with different numbers of digits."""
    rng = np.random.default_rng(0)
    t = rng.uniform(-1, 1, 600)
    path = tmp_path / "table.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["time, s", "height", "count", "speed"])
        for a in t:
            writer.writerow([f"{a:.3f}", f"{a * a:.2f}", int(50 + 40 * np.sin(3 * a)), f"{np.cos(3 * a):.4f}"])
    return path


def test_a_table_comes_back_with_its_names_and_digits(table: Path, tmp_path: Path) -> None:
    packed, again = tmp_path / "table.wz", tmp_path / "again.csv"
    done = wengert("compress", table, "-o", packed, "--code", 1, "--mapping", 6, "--error", 0.05, "--epochs", 120)
    assert done.exit_code == 0, done.output
    assert wengert("expand", packed, "-o", again).exit_code == 0
    before, after = (list(csv.reader(path.read_text(encoding="utf-8").splitlines())) for path in (table, again))
    assert after[0] == ["time, s", "height", "count", "speed"] and len(after) == len(before)
    assert [[_decimals(cell) for cell in row] for row in after[1:]] == [[3, 2, 0, 4]] * 600
    old, new = (np.array(rows[1:], float) for rows in (before, after))
    error = np.sqrt(np.square((new - old) / old.std(axis=0)).mean())
    assert error < 0.055  # rounding to the digits of the table adds a little
    assert packed.stat().st_size < table.stat().st_size / 12


def test_size_and_error_are_printed_beside_principal_components(table: Path, tmp_path: Path) -> None:
    done = wengert("compress", table, "-o", tmp_path / "t.wz", "--code", 1, "--mapping", 6, "--epochs", 120)
    lines = done.stdout.splitlines()
    size = (tmp_path / "t.wz").stat().st_size
    assert any(line.startswith(f"{table}: 600 rows of 4 columns") and "lzma" in line for line in lines)
    (network,) = (line for line in lines if line.startswith("network 4-6-1-6-4: "))
    assert network.startswith(f"network 4-6-1-6-4: {size:,} bytes (1/")
    (peer,) = (line for line in lines if "principal components: " in line)
    sizes = [int(line.split(": ")[1].split(" bytes")[0].replace(",", "")) for line in (network, peer)]
    errors = [float(line.rsplit(" ", 1)[1]) for line in (network, peer)]
    assert sizes[1] <= sizes[0] and errors[0] < errors[1]
    assert "do better here" not in done.stderr


def test_where_principal_components_win_it_is_said(tmp_path: Path) -> None:
    x = np.random.default_rng(0).standard_normal((300, 6)) * [9, 7, 1, 1, 1, 1]
    np.save(tmp_path / "x.npy", x)
    options = ["--code", 2, "--mapping", 2, "--epochs", 2, "--scaling", "common"]
    done = wengert("compress", tmp_path / "x.npy", "-o", tmp_path / "x.wz", *options)
    assert done.exit_code == 0
    assert "principal components do better here" in done.stderr


def test_arrays_keep_shape_and_dtype(tmp_path: Path) -> None:
    images = (np.random.default_rng(0).uniform(0, 1, (40, 1, 1)) * np.arange(6).reshape(2, 3) * 16).astype(np.uint8)
    np.save(tmp_path / "images.npy", images)
    done = wengert("compress", tmp_path / "images.npy", "-o", tmp_path / "i.wz", "--mapping", "", "--quiet")
    assert (done.exit_code, done.output) == (0, "")
    assert wengert("expand", tmp_path / "i.wz", "-o", tmp_path / "again.npy").stdout.startswith("40 rows written to ")
    again = np.load(tmp_path / "again.npy")
    assert again.shape == images.shape and again.dtype == np.uint8
    assert np.abs(again.astype(int) - images).max() <= 1
    assert wengert("expand", tmp_path / "i.wz", "-o", tmp_path / "again.csv").exit_code == 0
    np.testing.assert_array_equal(np.loadtxt(tmp_path / "again.csv", delimiter=","), again.reshape(40, 6))


def test_a_table_without_names_comes_back_without_names(tmp_path: Path) -> None:
    rows = np.linspace(0, 1, 50)[:, None] * [1.0, 2.0]
    np.savetxt(tmp_path / "bare.csv", rows, fmt="%.4f", delimiter=",")
    assert (
        wengert("compress", tmp_path / "bare.csv", "-o", tmp_path / "b.wz", "--mapping", "", "--quiet").exit_code == 0
    )
    wengert("expand", tmp_path / "b.wz", "-o", tmp_path / "again.csv")
    again = np.loadtxt(tmp_path / "again.csv", delimiter=",")
    assert again.shape == (50, 2)
    np.testing.assert_allclose(again, rows, atol=0.01)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,b\n1,2\n3,x\n", "line 3, column 'b': 'x' is no finite number"),
        ("a,b\n1,2\n3,\n", "line 3, column 'b': '' is no finite number"),
        ("a,b\n", "has a header and no rows"),
        ("", "is empty"),
        ("a,b\n1,2\n3,4\n5,6\n7,8\n9,10\n1,2,3\n", "every row must be whole"),
    ],
)
def test_tables_that_cannot_be_compressed(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "bad.csv").write_text(text, encoding="utf-8")
    done = wengert("compress", tmp_path / "bad.csv", "-o", tmp_path / "bad.wz")
    assert done.exit_code == 2 and said in done.stderr and done.stderr.count("\n") == 1
    assert not (tmp_path / "bad.wz").exists()


def test_other_things_that_cannot_be_done(table: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "line.npy", np.arange(5.0))
    np.save(tmp_path / "large.npy", np.array([[1e300, 1.0], [-1e300, 2.0]]))
    np.save(tmp_path / "holes.npy", np.array([[1.0, np.nan], [2.0, 3.0]]))
    (tmp_path / "text.npy").write_bytes(b"hello")
    cases = [
        (["compress", tmp_path / "line.npy", "-o", tmp_path / "x"], "expected rows of numbers"),
        (["compress", tmp_path / "holes.npy", "-o", tmp_path / "x"], "no finite numbers"),
        (["compress", tmp_path / "text.npy", "-o", tmp_path / "x"], "cannot be read as an array"),
        (["compress", tmp_path / "none.csv", "-o", tmp_path / "x"], "none.csv"),
        (["compress", table, "-o", table], "that is the table itself"),
        (["compress", table, "-o", tmp_path], "that is a folder"),
        (["compress", table, "-o", tmp_path / "none" / "x"], "there is no folder"),
        (["compress", table, "-o", tmp_path / "x", "--error", 0.1, "--bits", 4], "give one of them"),
        (["compress", table, "-o", tmp_path / "x", "--code", 5], "a row has 4 numbers"),
        (["compress", tmp_path / "large.npy", "-o", tmp_path / "x"], "numbers beyond 1e+150"),
        (["compress", table, "-o", tmp_path / "x", "--error", 1e-6, "--epochs", 2, "--quiet"], "was asked for"),
        (["expand", table, "-o", tmp_path / "x.csv"], "is no file that `wengert compress` wrote"),
        (["expand", tmp_path / "none.wz", "-o", tmp_path / "x.csv"], "cannot be read"),
        (["expand", table, "-o", tmp_path / "x.txt"], "must end in .csv or .npy"),
    ]
    for args, said in cases:
        done = wengert(*args)
        assert done.exit_code == 2 and said in done.stderr, (args, done.output)
