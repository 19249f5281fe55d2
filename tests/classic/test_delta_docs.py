"""The pages on single neurons and on Hopfield's memory: their programs print what the pages say."""

import contextlib
import io
import re
from pathlib import Path

import pytest

PAGES = Path(__file__).parents[2] / "docs" / "classic"


@pytest.mark.parametrize("page", ["delta.md", "hopfield.md"])
def test_programs_print_what_the_page_says(page):
    blocks = re.findall(r"```python\n(.*?)```\n```text\n(.*?)```", (PAGES / page).read_text(encoding="utf-8"), re.S)
    names: dict[str, object] = {}
    for program, wanted in blocks:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(program, names)
        assert printed.getvalue() == wanted
    assert len(blocks) == (3 if page == "delta.md" else 2)
