"""The page on radial networks runs as written and prints what it shows."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "classic" / "radial.md"


def test_blocks_print_what_follows_them(capsys):
    text = PAGE.read_text(encoding="utf-8")
    examples = re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```", text, re.DOTALL)
    assert len(examples) == text.count("```python") == 2
    names: dict[str, object] = {}
    for code, output in examples:
        exec(compile(code, str(PAGE), "exec"), names)
        assert capsys.readouterr().out == output
