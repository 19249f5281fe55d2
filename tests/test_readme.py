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


def example() -> tuple[str, str]:
    """The first Python block and the text block of its output that follows."""
    found = re.search(r"```python\n(.*?)```\n.*?```text\n(.*?)```", README, re.DOTALL)
    assert found is not None
    return found[1], found[2]


def test_example_prints_what_the_readme_shows(tmp_path: Path) -> None:
    code, output = example()
    script = tmp_path / "example.py"
    script.write_text(code, encoding="utf-8")
    done = subprocess.run([sys.executable, script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr, done.returncode) == (output, "", 0)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the notebook client's own dependencies
def test_example_in_a_notebook() -> None:
    code, output = example()
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    NotebookClient(book, timeout=120, kernel_name="python3").execute()
    streams = [item["text"] for item in book.cells[0].outputs if item["output_type"] == "stream"]
    assert "".join(streams) == output


def test_pictures_and_links_exist() -> None:
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", README):
        assert (ROOT / target).exists(), f"README links to {target}, which is not there"


def test_it_names_the_two_commands() -> None:
    assert "make demo" in README and "make test" in README
