"""The page on Fuzzy ART: its programs run as written and print what it says they print."""

import contextlib
import io
import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "classic" / "art.md"


def test_the_page_prints_what_it_says() -> None:
    pairs = re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, object] = {}
    for program, printed in pairs:
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(program, names)
        assert out.getvalue() == printed
    assert len(pairs) == 3
