"""`wengert train`: what it prints, what it leaves behind, and the exit code of every way it can end."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from safetensors.numpy import load_file

from wengert.cli import commands
from wengert.cli import training as training_module
from wengert.datasets import fixed_split, load_digits

RUN_FILES = ["loss.png", "metrics.jsonl", "parameters.safetensors", "settings.json"]
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    yield


def wengert(*args: str) -> Result:
    result = CliRunner().invoke(commands(), list(args))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def one_sentence(result: Result) -> str:
    """The last line on stderr, once it is sure that there is no traceback and nothing was left behind."""
    assert "Traceback" not in result.output
    assert not Path("runs").exists()
    assert [path.name for path in Path().iterdir() if path.name.startswith(".")] == []
    return result.stderr.strip().splitlines()[-1]


def write_flowers(path: str, *, extra: tuple[str, ...] = ()) -> None:
    """A table with two numbers, one text and a target that the numbers decide."""
    rng = np.random.default_rng(0)
    lines = ["length,width,colour,sort"]
    for row in range(120):
        tall = row % 2
        length, width = rng.normal(3 + 4 * tall, 0.3), rng.normal(100 - 50 * tall, 3)
        lines.append(f"{length:.3f},{width:.2f},{'red' if row % 3 else 'blue'},{'tall' if tall else 'small'}")
    Path(path).write_text("\n".join([*lines, *extra]) + "\n", encoding="utf-8")


def settings(run: str) -> dict:  # type: ignore[type-arg]
    return json.loads(Path(run, "settings.json").read_text(encoding="utf-8"))


def test_digits_leave_a_whole_run_folder() -> None:
    result = wengert("train", "digits", "--epochs", "2")
    assert result.exit_code == 0
    assert "training 1294 rows, validation 144, test 359" in result.stdout
    assert "19,210" in result.stdout  # 64 * 256 + 256 + 256 * 10 + 10
    files = sorted(path.name for path in Path("runs/digits-1").iterdir())
    assert files == sorted([*RUN_FILES, "confusion.png", "mistakes.png", "weights.png"])
    assert all(path.read_bytes().startswith(PNG) for path in Path("runs/digits-1").glob("*.png"))
    metrics = [json.loads(line) for line in Path("runs/digits-1/metrics.jsonl").read_text().splitlines()]
    assert [row["epoch"] for row in metrics] == [1, 2]
    assert {"loss", "accuracy", "validation_loss", "validation_accuracy"} <= metrics[0].keys()
    measured = settings("runs/digits-1")["test"]
    assert measured["rows"] == 359 and measured["accuracy"] > 0.9
    assert f"test accuracy {100 * measured['accuracy']:.1f} % ({measured['correct']} of 359" in result.stdout
    # The numbers in the file, put through NumPy by hand, give the accuracy that was reported.
    data, test = load_digits(), fixed_split(1797)[1]
    p = {name: value.astype(np.float64) for name, value in load_file("runs/digits-1/parameters.safetensors").items()}
    hidden = np.maximum((data.x[test] - p["0.mean"]) / p["0.std"] @ p["1.weight"].T + p["1.bias"], 0)
    scores = hidden @ p["4.weight"].T + p["4.bias"]
    assert (scores.argmax(axis=1) == data.y[test]).sum() == measured["correct"]


@pytest.mark.parametrize(
    ("toy", "pictures"),
    [
        ("xor", ["confusion.png", "decision.png"]),
        ("moons", ["confusion.png", "decision.png"]),
        ("spiral", ["confusion.png", "decision.png"]),
        ("sine", ["fit.png"]),
    ],
)
def test_toys_have_their_pictures(toy: str, pictures: list[str]) -> None:
    result = wengert("train", "--data", toy, "--epochs", "2", "--quiet", "--out", "here")
    assert result.exit_code == 0
    assert sorted(path.name for path in Path("here").iterdir()) == sorted([*RUN_FILES, *pictures])
    assert len(result.stdout.splitlines()) == 2


def test_xor_is_learned() -> None:
    # No linear model gets more than three corners of four.
    assert wengert("train", "--data", "xor", "--epochs", "50", "--gate", "0.9").exit_code == 0


def test_sine_is_learned_to_its_noise() -> None:
    assert wengert("train", "--data", "sine", "--epochs", "60").exit_code == 0
    measured = settings("runs/sine-1")["test"]
    # The noise has standard deviation 0.1, the sine itself 0.71.
    assert measured["root_mean_squared_error"] < 0.15
    assert 0.6 < measured["baseline_root_mean_squared_error"] < 0.85


def test_a_table_is_standardised_inside_the_network() -> None:
    write_flowers("flowers.csv", extra=("oops,1,red,tall", "4.0,,blue,tall"))
    result = wengert("train", "flowers.csv", "--target", "sort", "--epochs", "20", "--lr", "0.05")
    assert result.exit_code == 0
    assert "note: skipped 1 of 122 rows: line 122" in result.stderr
    assert "'oops' is not a number" in result.stderr
    assert "column 'width': 1 missing" in result.stderr
    assert "always answering" in result.stdout
    assert settings("runs/flowers-1")["test"]["accuracy"] == 1.0
    parameters = load_file("runs/flowers-1/parameters.safetensors")
    assert parameters["0.mean"].shape == (4,)  # length, width, colour=blue, colour=red
    assert 4 < parameters["0.mean"][0] < 6 and 70 < parameters["0.mean"][1] < 80


def test_a_regression_table_answers_in_units_of_the_target() -> None:
    rng = np.random.default_rng(1)
    rows = [f"{x},{z},{5000 + 300 * x - 50 * z}" for x, z in rng.uniform(0, 10, (200, 2)).tolist()]
    Path("line.csv").write_text("\n".join(["x,z,price", *rows]), encoding="utf-8")
    result = wengert("train", "line.csv", "--target", "price", "--hidden", "", "--epochs", "60", "--lr", "0.1")
    assert result.exit_code == 0
    measured = settings("runs/line-1")["test"]
    assert measured["root_mean_squared_error"] < 10 < measured["baseline_root_mean_squared_error"]
    Path("new.csv").write_text("z,x\n0,0\n10,10\n", encoding="utf-8")
    answer = wengert("predict", "runs/line-1", "new.csv")
    table = list(csv.DictReader(answer.stdout.splitlines()))
    assert [float(row["price"]) for row in table] == pytest.approx([5000, 7500], abs=20)
    assert Path("runs/line-1/fit.png").read_bytes().startswith(PNG)


def parameters_of(*arguments: str, seed: str, out: str) -> bytes:
    done = wengert("train", *arguments, "--epochs", "1", "--quiet", "--seed", seed, "--out", out)
    assert done.exit_code == 0
    return Path(out, "parameters.safetensors").read_bytes()


def test_the_same_seed_gives_the_same_bits() -> None:
    digits = ["digits", "--hidden", "16"]
    assert parameters_of(*digits, seed="7", out="a") == parameters_of(*digits, seed="7", out="b")
    toy = ["--data", "moons"]
    assert parameters_of(*toy, seed="7", out="c") != parameters_of(*toy, seed="8", out="d")


def test_run_folders_are_numbered() -> None:
    for number in (1, 2):
        result = wengert("train", "--data", "xor", "--epochs", "1", "--quiet")
        assert result.stdout.splitlines()[-1] == f"run folder {Path('runs', f'xor-{number}')}"
    assert sorted(path.name for path in Path("runs").iterdir()) == ["xor-1", "xor-2"]


def test_gate() -> None:
    failed = wengert("train", "--data", "spiral", "--epochs", "1", "--gate", "0.999", "--out", "here")
    assert failed.exit_code == 3
    assert "gate failed: the test accuracy is 0." in failed.stderr
    assert Path("here/settings.json").exists()  # what failed can be looked at
    assert wengert("train", "--data", "spiral", "--epochs", "1", "--gate", "0.1").exit_code == 0


def test_divergence() -> None:
    result = wengert("train", "--data", "sine", "--hidden", "", "--lr", "1e25", "--epochs", "3")
    assert result.exit_code == 4
    assert "diverged" in one_sentence(result)


def test_cross_validation_prints_both_means() -> None:
    short = ["--epochs", "1", "--hidden", "16", "--batch-size", "512", "--quiet"]
    result = wengert("train", "digits", "--cross-validate", *short)
    assert result.exit_code == 0
    first, second = result.stdout.splitlines()
    assert first.startswith("5 shuffled folds: mean accuracy ")
    assert second.startswith("5 contiguous blocks (by writer): mean accuracy ")
    assert not Path("runs").exists()
    refused = wengert("train", "--data", "sine", "--cross-validate", "--out", "x")
    assert refused.exit_code == 2 and "leave out --out" in one_sentence(refused)


def test_cross_validation_of_a_regression_and_its_figures() -> None:
    result = wengert("train", "--data", "sine", "--cross-validate", "--epochs", "2")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert sum(line.startswith("5 shuffled folds, ") for line in lines) == 5
    assert lines[-1].startswith("5 shuffled folds: mean root mean square error ")


def interrupting(original: Callable[..., object]) -> Callable[..., object]:
    """`fit` with a Ctrl-C that arrives after the second epoch."""

    def fit(*args: object, **settings: object) -> object:
        def interrupt(history: object) -> None:
            if len(history) == 2:  # type: ignore[arg-type]
                raise KeyboardInterrupt

        return original(*args, **settings, callbacks=[interrupt])

    return fit


def test_ctrl_c_saves_the_best_so_far(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_module, "fit", interrupting(training_module.fit))
    result = wengert("train", "--data", "moons", "--epochs", "50")
    assert result.exit_code == 130
    assert "interrupted; the best state so far was saved" in result.stderr
    found = settings("runs/moons-1")
    assert (found["interrupted"], found["epochs"]) == (True, 2)
    Path("new.csv").write_text("x1,x2\n0,1\n", encoding="utf-8")
    assert wengert("predict", "runs/moons-1", "new.csv").exit_code == 0


def test_ctrl_c_in_a_cross_validation_saves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_module, "fit", interrupting(training_module.fit))
    result = wengert("train", "--data", "moons", "--cross-validate")
    assert result.exit_code == 130
    assert one_sentence(result) == "wengert: interrupted; nothing was saved."


def test_a_real_ctrl_c() -> None:
    program = "from wengert.cli import main; main()"
    command = [sys.executable, "-u", "-c", program, "train", "--data", "moons", "--epochs", "100000", "--out", "run"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    for line in process.stdout:  # the first epoch has been reported: it is inside the training
        if line.startswith("epoch"):
            break
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted; the best state so far was saved" in errors
    assert settings("run")["interrupted"] is True


BAD_TABLES = {
    "text.csv": ("name\nhello\n", "text.csv"),
    "empty.csv": ("", "is empty"),
    "one.csv": ("x,y\n" + "".join(f"{i},a\n" for i in range(20)), "holds 'a' only"),
    "nan.csv": ("x,y\n" + "".join(f"{i},{'nan' if i == 4 else i * 0.5}\n" for i in range(20)), "line 6"),
    "inf.csv": ("x,y\n" + "".join(f"{i},{'inf' if i == 4 else i * 0.5}\n" for i in range(20)), "line 6"),
    "short.csv": ("x,y\n1,2\n3,5\n", "2 usable rows"),
    "binary.csv": (b"\x89PNG\xff\xfe\x00", "not UTF-8"),
    "numbers.csv": ("1,2\n3,4\n", "put the names into the first line"),
    "holes.csv": ("x,y\n" + "".join(f"{'inf' if i < 9 else i},{i % 2}\n" for i in range(20)), "column 'x'"),
}


@pytest.mark.parametrize("name", BAD_TABLES)
def test_bad_tables(name: str) -> None:
    content, expected = BAD_TABLES[name]
    Path(name).write_bytes(content if isinstance(content, bytes) else content.encode())
    result = wengert("train", name, "--target", "y")
    assert result.exit_code == 2
    sentence = one_sentence(result)
    assert expected in sentence and sentence.startswith("wengert: ")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["missing.csv", "--target", "y"], "there is no file 'missing.csv'"),
        (["flowers.csv", "--target", "sorts"], "no column 'sorts'"),
        (["flowers.csv"], "needs --target COLUMN"),
        (["flowers.csv", "--target", "sort", "--task", "regression"], "regression expects numbers"),
        (["moons"], "write 'wengert train --data moons'"),
        ([], "name one thing to learn"),
        (["digits", "--data", "xor"], "name one thing to learn"),
        (["digits", "--target", "y"], "belong to a CSV file"),
        (["--data", "rings"], "'rings' is not one of"),
        (["--data", "xor", "--hidden", "8,x"], "divided by commas"),
        (["--data", "xor", "--hidden", "0"], "divided by commas"),
        (["--data", "xor", "--epochs", "0"], "0 is not in the range"),
        (["--data", "xor", "--lr", "0"], "not in the range"),
        (["--data", "xor", "--seed", "-1"], "not in the range"),
        (["--data", "sine", "--gate", "0.9"], "leave it out"),
        (["--data", "xor", "--gate", "98"], "not in the range"),
        (["--data", "xor", "--epochs", "1", "--out", "flowers.csv"], "it exists already"),
        (["--data", "xor", "--epochs", "1", "--out", "flowers.csv/run"], "cannot be made"),
        (["--data", "xor", "--epochs", "1", "--out", "/proc/nowhere/run"], "cannot be made"),
    ],
)
def test_bad_arguments(arguments: list[str], expected: str) -> None:
    write_flowers("flowers.csv")
    result = wengert("train", *arguments)
    assert result.exit_code == 2
    assert expected in one_sentence(result)


def test_a_folder_in_use_is_left_alone() -> None:
    Path("here").mkdir()
    Path("here/mine.txt").write_text("mine", encoding="utf-8")
    result = wengert("train", "--data", "xor", "--epochs", "1", "--out", "here")
    assert result.exit_code == 2
    assert "it exists already" in one_sentence(result)
    assert [path.name for path in Path("here").iterdir()] == ["mine.txt"]


def test_a_failure_while_drawing_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    from wengert.cli import gallery

    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(gallery, "draw", full)
    result = wengert("train", "--data", "xor", "--epochs", "1")
    assert result.exit_code == 1
    assert "No space left on device" in one_sentence(result)
