"""The numbered examples run as they stand, and print what they say; one for each application."""

import re
import runpy
from pathlib import Path

import pytest

from tests.applications import standin
from wengert.applications import names

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.py"))


def test_one_for_each_application() -> None:
    assert [path.stem.split("_", 1)[1] for path in EXAMPLES] == list(names())
    assert [int(path.stem.split("_")[0]) for path in EXAMPLES] == list(range(1, len(EXAMPLES) + 1))
    for path in EXAMPLES:
        text = path.read_text(encoding="utf-8")
        assert f"`wengert apply {path.stem.split('_', 1)[1]}`" in text and len(text.splitlines()) <= 35


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example_runs(path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    standin.install(monkeypatch)
    runpy.run_path(str(path), run_name="__main__")
    printed = capsys.readouterr().out
    assert re.search(r"\d", printed) and len(printed.splitlines()) >= 2


@pytest.mark.parametrize("path", [path for path in EXAMPLES if "DataError" in path.read_text(encoding="utf-8")])
def test_example_without_its_data_says_what_to_do(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    standin.remove(monkeypatch)
    with pytest.raises(SystemExit, match="pip install"):
        runpy.run_path(str(path), run_name="__main__")


def test_the_page_shows_what_runs(capsys: pytest.CaptureFixture[str]) -> None:
    page = (Path(__file__).parents[2] / "docs" / "applications.md").read_text(encoding="utf-8")
    ((code, shown),) = re.findall(r"```python\n(.*?)```\n.*?```text\n(.*?)```", page, re.DOTALL)
    exec(compile(code, "applications.md", "exec"), {})
    printed = capsys.readouterr().out
    # Another instruction set may move a vowel or two.
    ours, theirs = ([float(n) for n in re.findall(r"[\d.]+(?=%)", text)] for text in (printed, shown))
    assert ours == pytest.approx(theirs, abs=4) and len(ours) == 4
    for name in names():
        assert f"| {name}: " in page or f"| {name} |" in page
