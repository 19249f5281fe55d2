"""The page on auto-associative networks runs as written and prints what it shows.

Trainings of hundreds of steps end with slightly other numbers on other processors, so these are compared loosely.
"""

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "classic" / "auto.md"
NUMBER = re.compile(r"-?\d+\.?\d*")


def test_blocks_print_what_follows_them(capsys):
    text = PAGE.read_text(encoding="utf-8")
    examples = re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```", text, re.DOTALL)
    assert len(examples) == text.count("```python") == 2
    names: dict[str, object] = {}
    for code, output in examples:
        exec(compile(code, str(PAGE), "exec"), names)
        printed = capsys.readouterr().out
        assert NUMBER.sub("#", printed).split() == NUMBER.sub("#", output).split()
        found, shown = ([float(n) for n in NUMBER.findall(part)] for part in (printed, output))
        assert found == pytest.approx(shown, rel=0.05, abs=2e-3)
