"""The plan of the house: imports point one way, files stay short, and `import wengert` stays light."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "wengert"
LONGEST_FILE = 450

# A module may import what has its own rank or a lower one. All that stands directly under wengert has a rank.
RANKS = {
    **dict.fromkeys(["settings", "dtypes", "errors"], 0),
    "record": 1,
    **dict.fromkeys(["ops", "random", "draws"], 2),
    **dict.fromkeys(["tensor", "operators", "views", "display", "exchange", "autodiff", "compiler"], 3),
    **dict.fromkeys(["namespace", "fft", "linalg", "inspection", "numpy_names", "methods"], 3),
    **dict.fromkeys(["nn", "optim", "train"], 4),
    **dict.fromkeys(["explanation", "interop", "datasets", "serialization", "classic"], 5),
    "applications": 6,
    **dict.fromkeys(["cli", "__main__"], 7),
}
# wengert/__init__.py gathers the public names of everything below the command line.
ROOT_RANK = 5

HEAVY = ["click", "rich", "matplotlib", "safetensors", "llvmlite", "asyncio", "unittest", "sklearn", "scipy"]


def sources() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def imports(tree: ast.Module, package: list[str], known: set[str]) -> Iterator[tuple[int, str]]:
    """(line, module directly under wengert) of each import of the package, "" for the root itself.

    `package` names the package the module stands in, as ["wengert", "ops"]; `known` the modules that exist,
    so that `from wengert import errors` is told from `from wengert import Tensor`.
    """
    skipped: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            skipped.update(inner for statement in node.body for inner in ast.walk(statement))
        if node in skipped:
            continue
        if isinstance(node, ast.Import):
            targets = [alias.name.split(".") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) + 1 - node.level] if node.level else []
            base = base + (node.module.split(".") if node.module else [])
            targets = [[*base, alias.name] for alias in node.names]
        else:
            continue
        for target in targets:
            if target[0] == "wengert":
                yield node.lineno, target[1] if len(target) > 1 and target[1] in known else ""


def upward_imports(text: str, place: str, known: set[str]) -> list[str]:
    """A line for each import in `text` that points against the order; `place` is the path under wengert."""
    parts = place.removesuffix(".py").split("/")
    rank = RANKS[parts[0]]
    found = imports(ast.parse(text), ["wengert", *parts[:-1]], known)
    return [
        f"{place}:{line} (rank {rank}) imports {target or 'the package root'}"
        for line, target in found
        if (RANKS[target] if target else ROOT_RANK) > rank
    ]


def modules() -> set[str]:
    return {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in sources()} - {"__init__"}


def test_every_module_has_a_rank() -> None:
    assert modules() - set(RANKS) == set()


def test_imports_point_one_way() -> None:
    known = modules()
    places = [path.relative_to(PACKAGE).as_posix() for path in sources()]
    found = [
        sentence
        for place in places
        if place != "__init__.py"
        for sentence in upward_imports((PACKAGE / place).read_text(encoding="utf-8"), place, known)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("place", "text", "wrong"),
    [
        ("ops/table.py", "from ..record import entry", False),
        ("ops/table.py", "from ..nn import Linear", True),
        ("ops/table.py", "from ..nn.module import Linear", True),
        ("ops/table.py", "from .. import nn", True),
        ("ops/table.py", "from .. import errors", False),
        ("ops/table.py", "from . import nn", False),
        ("ops/table.py", "from .nn import relu", False),
        ("ops/__init__.py", "from .reduce import total", False),
        ("ops/__init__.py", "from ..nn import Linear", True),
        ("tensor.py", "from .namespace import add", False),
        ("tensor.py", "from .optim import SGD", True),
        ("ops/table.py", "import wengert.nn as layers", True),
        ("ops/table.py", "import numpy, wengert.cli", True),
        ("ops/table.py", "from wengert import tensor", True),
        ("nn/losses.py", "from wengert import tensor", False),
        ("nn/losses.py", "from wengert import mean", True),
        ("explanation/tables.py", "from wengert import mean", False),
        ("ops/table.py", "def late():\n    from ..nn import Linear", True),
        ("ops/table.py", "if TYPE_CHECKING:\n    from ..tensor import Tensor", False),
        ("ops/table.py", "if typing.TYPE_CHECKING:\n    from ..tensor import Tensor", False),
        ("ops/table.py", "if TYPE_CHECKING:\n    pass\nelse:\n    from ..tensor import Tensor", True),
    ],
)
def test_the_check_of_the_imports(place: str, text: str, wrong: bool) -> None:
    known = set(RANKS)
    assert bool(upward_imports(text, place, known)) is wrong


def test_no_file_is_too_long() -> None:
    lengths = {path.name: len(path.read_text(encoding="utf-8").splitlines()) for path in sources()}
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_FILE} == {}


def test_importing_wengert_loads_nothing_heavy() -> None:
    program = "import json, sys, wengert; print(json.dumps([name.split('.')[0] for name in sys.modules]))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=PACKAGE.parent, capture_output=True, text=True, check=True
    )
    loaded = json.loads(done.stdout)
    assert "wengert" in loaded
    assert [name for name in HEAVY if name in loaded] == []
