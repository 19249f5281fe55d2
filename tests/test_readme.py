"""The README's promises: its example runs verbatim and prints what it shows, in a script and in a notebook."""

import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


# Each Python block, and the text block of its output that follows.
EXAMPLES: list[tuple[str, str]] = re.findall(r"```python\n(.*?)```\n.*?```text\n(.*?)```", README, re.DOTALL)


def test_there_are_examples() -> None:
    assert len(EXAMPLES) == 2


@pytest.mark.parametrize(("code", "output"), EXAMPLES)
def test_example_prints_what_the_readme_shows(code: str, output: str, tmp_path: Path) -> None:
    script = tmp_path / "example.py"
    script.write_text(code, encoding="utf-8")
    done = subprocess.run([sys.executable, script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr, done.returncode) == (output, "", 0)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the notebook client's own dependencies
@pytest.mark.parametrize(("code", "output"), EXAMPLES)
def test_example_in_a_notebook(code: str, output: str) -> None:
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    NotebookClient(book, timeout=120, kernel_name="python3").execute()
    streams = [item["text"] for item in book.cells[0].outputs if item["output_type"] == "stream"]
    assert "".join(streams) == output


def test_pictures_and_links_exist() -> None:
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", README):
        assert (ROOT / target).exists(), f"README links to {target}, which is not there"


def test_it_names_the_two_commands() -> None:
    assert "make demo" in README and "make test" in README
