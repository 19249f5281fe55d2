"""`wengert apply`: what it prints, what it leaves behind, and the exit code of every way it can end."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.applications import standin
from wengert import applications
from wengert.applications import find
from wengert.cli import commands


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    yield


def wengert(*args: str) -> Result:
    result = CliRunner().invoke(commands(), list(args))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_list_names_all_with_family_and_licence() -> None:
    result = wengert("apply", "--list")
    assert result.exit_code == 0
    for name in applications.names():
        assert any(line.startswith(name) and find(name).family in line for line in result.stdout.splitlines())
        assert find(name).source.licence in result.stdout
    assert not Path("runs").exists()


def test_one_application_leaves_its_report() -> None:
    result = wengert("apply", "diagnosis", "--quick", "--seed", "3")
    assert result.exit_code == 0
    assert "tell a benign tumour" in result.stdout and "logistic regression" in result.stdout
    assert result.stdout.splitlines()[-1] == f"report {Path('runs', 'diagnosis-1', 'report.html')}"
    assert "not to be quoted" in result.stderr
    files = sorted(path.name for path in Path("runs/diagnosis-1").iterdir())
    assert files == ["comparison.png", "confusion.png", "numbers.json", "report.html"]
    assert json.loads(Path("runs/diagnosis-1/numbers.json").read_text(encoding="utf-8"))["seed"] == 3


def test_same_seed_same_figures() -> None:
    for place in ("a", "b"):
        assert wengert("apply", "diagnosis", "--quick", "--quiet", "--out", place).exit_code == 0
    first, second = (json.loads(Path(p, "numbers.json").read_text(encoding="utf-8"))["contests"] for p in ("a", "b"))
    for contest in (*first, *second):
        for each in contest["contestants"]:
            del each["training_seconds"]
    assert first == second


def test_all_writes_the_table_and_goes_on_without_missing_data(monkeypatch: pytest.MonkeyPatch) -> None:
    standin.remove(monkeypatch)
    monkeypatch.setattr(applications, "names", lambda: ("diagnosis", "olives"))
    result = wengert("apply", "--all", "--quick", "--quiet")
    assert result.exit_code == 0
    table = Path("runs/applications-1/table.md").read_text(encoding="utf-8")
    assert table in result.stdout
    assert "**multilayer perceptron (ours)**" in table and "| olives | *not run: the data set 'olive'" in table
    page = Path("runs/applications-1/report.html").read_text(encoding="utf-8")
    assert 'href="diagnosis/report.html"' in page and Path("runs/applications-1/diagnosis/report.html").exists()
    assert "olives was not run" in result.stderr


def test_where_a_baseline_wins_the_table_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    # Without anything of the network's worth, the baseline must be said to win.
    spoiled = find("diagnosis")
    majority = next(each for each in spoiled.entrants(True) if each.name == "majority")
    ours = replace(majority, name="spoiled", ours=True)
    entrants = (ours, *[each for each in spoiled.entrants(True) if not each.ours])
    bare = {"pictures": lambda outcome: {}, "findings": lambda outcome: []}
    monkeypatch.setattr(applications, "find", lambda name: replace(spoiled, entrants=lambda quick: entrants, **bare))
    result = wengert("apply", "diagnosis", "--quick", "--quiet")
    assert "The baseline logistic regression wins: ahead of spoiled by" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "name one application"),
        (["sonar", "--all"], "name one application"),
        (["sonnar"], "did you mean 'sonar'?"),
        (["xyz"], "they are sonar, diagnosis"),
        (["sonar", "--seed", "-1"], "not in the range"),
    ],
)
def test_bad_arguments(arguments: list[str], said: str) -> None:
    result = wengert("apply", *arguments)
    assert result.exit_code == 2 and said in result.stderr
    assert not Path("runs").exists()


def test_missing_data_is_a_sentence_and_exit_code_2(monkeypatch: pytest.MonkeyPatch) -> None:
    standin.remove(monkeypatch)
    result = wengert("apply", "olives", "--quiet")
    assert result.exit_code == 2 and not Path("runs").exists()
    (sentence,) = result.stderr.strip().splitlines()
    assert sentence.startswith("wengert: the data set 'olive'") and "pip install" in sentence


def test_a_folder_in_use_is_left_alone() -> None:
    Path("here").mkdir()
    Path("here/mine.txt").write_text("mine", encoding="utf-8")
    result = wengert("apply", "diagnosis", "--quick", "--out", "here")
    assert result.exit_code == 2 and "it exists already" in result.stderr
    assert [path.name for path in Path("here").iterdir()] == ["mine.txt"]
