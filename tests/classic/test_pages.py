"""The pages on classic networks: their programs run as written and print what the page says they print.

Trainings of hundreds of steps end with slightly other numbers on other processors, so those of `auto` are compared
loosely.
"""

import re
from pathlib import Path

import pytest

PAGES = Path(__file__).parents[2] / "docs" / "classic"
PROGRAMS = {"art": 3, "auto": 2, "delta": 3, "hopfield": 2, "maps": 4, "radial": 2, "resonance": 6, "som": 3}
NUMBER = re.compile(r"-?\d+\.?\d*")


@pytest.mark.parametrize(("page", "programs"), PROGRAMS.items())
def test_a_page_prints_what_it_says(page: str, programs: int, capsys: pytest.CaptureFixture[str]) -> None:
    text = (PAGES / f"{page}.md").read_text(encoding="utf-8")
    examples = re.findall(r"```python\n(.*?)```(?:\n+```text\n(.*?)```)?", text, re.DOTALL)
    assert len(examples) == text.count("```python") == programs
    names: dict[str, object] = {}
    for program, shown in examples:
        exec(compile(program, page, "exec"), names)
        printed = capsys.readouterr().out
        if page == "auto":
            assert NUMBER.sub("#", printed).split() == NUMBER.sub("#", shown).split()
            found, expected = ([float(number) for number in NUMBER.findall(part)] for part in (printed, shown))
            assert found == pytest.approx(expected, rel=0.05, abs=2e-3)
        else:
            assert printed == shown
