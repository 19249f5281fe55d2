"""The page on self-organizing maps runs as written and prints what it shows."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "classic" / "som.md"


def test_blocks_print_what_follows_them(capsys):
    examples = re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(examples) == PAGE.read_text(encoding="utf-8").count("```python") == 3
    names: dict[str, object] = {}
    for code, output in examples:
        exec(compile(code, str(PAGE), "exec"), names)
        assert capsys.readouterr().out == output
