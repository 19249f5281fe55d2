"""The page on ART1 and ART2-A: its programs run as written and print what it says they print."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "classic" / "resonance.md"


def test_the_page_prints_what_it_says():
    text = PAGE.read_text(encoding="utf-8")
    pairs = re.findall(r"```python\n(.*?)```(?:\n\n```text\n(.*?)```)?", text, re.DOTALL)
    names: dict[str, object] = {}
    for program, printed in pairs:
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(program, names)
        assert out.getvalue() == printed
    assert len(pairs) == 6
