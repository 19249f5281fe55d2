"""The frame of the command line: exit codes, and an answer to --help that loads nothing heavy."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from wengert import errors
from wengert.cli.frame import exit_code

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.DataError("x"), 2),
        (errors.FileFormatError("x"), 2),
        (errors.ArgumentError("x"), 2),
        (errors.ShapeError("x"), 2),
        (errors.DivergedError("x"), 4),
        (errors.GradientError("x"), 1),
        (OSError("x"), 1),
        (ValueError("x"), 1),
    ],
)
def test_exit_codes(error: Exception, code: int) -> None:
    assert exit_code(error) == code


def python(program: str, *args: str) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", program, *args]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def test_help_loads_nothing_heavy() -> None:
    program = """
import json, sys
from wengert.cli import main
try:
    main()
finally:
    print(json.dumps(sorted({name.split(".")[0] for name in sys.modules} & {"matplotlib", "rich", "safetensors"})))
"""
    done = python(program, "--help")
    assert done.returncode == 0
    *text, loaded = done.stdout.splitlines()
    assert json.loads(loaded) == []
    assert all(any(line.split()[:1] == [command] for line in text) for command in ("train", "predict", "explain"))


def test_one_sentence_and_the_code_reach_the_shell() -> None:
    done = python("from wengert.cli import main; main()", "train", "no.csv", "--target", "y")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == ("wengert: train: there is no file 'no.csv'; give 'digits' or the path of a CSV file.\n")


def test_version() -> None:
    done = python("from wengert.cli import main; main()", "--version")
    assert done.stdout.startswith("wengert ")
