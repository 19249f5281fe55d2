"""The machine: code that LLVM made, or the cache kept, computes what the module says."""

import ctypes
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from wengert.compiler import cpu
from wengert.compiler.cache import Cache
from wengert.compiler.ir import F32, F64, I64, PTR, Module, Type
from wengert.compiler.runner import write_runner
from wengert.errors import WengertError

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cache]:
    """An empty cache, and statistics from zero."""
    folder = Cache(tmp_path / "kept")
    monkeypatch.setattr(cpu, "the_cache", lambda: folder)
    monkeypatch.setattr(cpu, "STATISTICS", cpu.Statistics())
    yield folder


def scaling(factor: float, type: Type = F64, name: str = "scale") -> Module:
    """`scale(array, begin, end)`: multiply, 16 at a time."""
    module = Module()
    f = module.function(name, [PTR, I64, I64])
    vector = Type(type.element, 16)
    with f.loop(f.args[1], f.args[2], 16) as i:
        place = f.at(f.args[0], i, type.element)
        f.store(f.load(place, vector) * factor, place)
    f.do("ret void")
    return module


def call(address: int, array: np.ndarray) -> None:
    ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)(address)(array.ctypes.data, 0, len(array))


@pytest.mark.parametrize(("type", "dtype"), [(F32, np.float32), (F64, np.float64)])
def test_code_computes(type: Type, dtype: type) -> None:
    array = np.arange(64).astype(dtype)
    call(cpu.compiled(scaling(0.1, type), ["scale"])["scale"], array)
    np.testing.assert_array_equal(array, np.arange(64).astype(dtype) * dtype(0.1))


def test_the_second_time_it_is_found(kept: Cache) -> None:
    first = cpu.compiled(scaling(3.0), ["scale"])["scale"]
    assert (cpu.STATISTICS.compiled, cpu.STATISTICS.found) == (1, 0)
    assert cpu.STATISTICS.compiling > 0
    spent = cpu.STATISTICS.compiling
    second = cpu.compiled(scaling(3.0), ["scale"])["scale"]
    assert (cpu.STATISTICS.compiled, cpu.STATISTICS.found, cpu.STATISTICS.compiling) == (1, 1, spent)
    cpu.compiled(scaling(4.0), ["scale"])
    assert (cpu.STATISTICS.compiled, cpu.STATISTICS.found) == (2, 1)
    for address in (first, second):  # both stay loaded
        array = np.ones(16)
        call(address, array)
        np.testing.assert_array_equal(array, np.full(16, 3.0))


def test_a_damaged_entry_is_compiled_again(kept: Cache) -> None:
    cpu.compiled(scaling(5.0), ["scale"])
    (path,) = kept.folder.iterdir()
    whole = path.read_bytes()
    path.write_bytes(whole[:-100] + bytes(100))
    array = np.ones(16)
    call(cpu.compiled(scaling(5.0), ["scale"])["scale"], array)
    assert array[0] == 5.0
    assert (cpu.STATISTICS.compiled, cpu.STATISTICS.found) == (2, 0)
    assert path.read_bytes() == whole


def test_object_code_is_a_function_of_the_module() -> None:
    assert cpu.host().object_code(scaling(6.0)) == cpu.host().object_code(scaling(6.0))
    assert cpu.host().object_code(scaling(6.0)) != cpu.host().object_code(scaling(7.0))


def test_the_key_holds_all_that_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    host = cpu.host()
    names = [host.key("text"), host.key("text 2")]
    for attribute in ("cpu", "features", "triple"):
        with monkeypatch.context() as patch:
            patch.setattr(host, attribute, getattr(host, attribute) + "x")
            names.append(host.key("text"))
    for place, value in (
        (cpu, ("PASSES", ("sroa",))),
        (cpu, ("CODEGEN", 1)),
        (sys.modules["wengert"], ("__version__", "9")),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(place, *value)
            names.append(host.key("text"))
    with monkeypatch.context() as patch:
        patch.setattr(host.llvm, "llvm_version_info", (1, 2, 3))
        names.append(host.key("text"))
    assert len(set(names)) == len(names) == 9
    assert host.key("text") == names[0]


def test_each_load_has_its_own_variables() -> None:
    module = Module()
    module.declare_text("@count = internal global i64 0")
    f = module.function("next", [], "i64")
    one = f.line("load i64, ptr @count", I64) + 1
    f.do(f"store {one}, ptr @count")
    f.do(f"ret {one}")
    first, second = (ctypes.CFUNCTYPE(ctypes.c_int64)(cpu.compiled(module, ["next"])["next"]) for _ in range(2))
    assert [first(), first(), second(), first(), second()] == [1, 2, 1, 3, 2]


def test_code_may_call_what_the_process_has() -> None:
    module = Module()
    module.declare_text("declare i64 @strlen(ptr)")
    f = module.function("length", [PTR], "i64")
    f.do(f"ret {f.line(f'call i64 @strlen({f.args[0]})', I64)}")
    address = cpu.compiled(module, ["length"])["length"]
    assert ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_char_p)(address)(b"four") == 4


def test_a_module_that_is_wrong_is_refused(kept: Cache) -> None:
    module = Module()
    f = module.function("wrong", [I64], "i64")
    f.do("ret i64 %nowhere")
    with pytest.raises(RuntimeError, match="nowhere"):
        cpu.compiled(module, ["wrong"])
    unterminated = Module()
    unterminated.function("wrong", [I64], "i64").do(f"br label %{'entry'}")
    with pytest.raises(RuntimeError, match="entry"):
        cpu.compiled(unterminated, ["wrong"])
    assert list(kept.folder.iterdir()) == []


# -- other machines ------------------------------------------------------------------------------------------------


@pytest.fixture(params=["haswell", "x86-64", "aarch64"])
def machine(request: pytest.FixtureRequest) -> cpu.Machine:
    try:
        return cpu.foreign(request.param)
    except ValueError as error:
        pytest.skip(str(error))


def test_other_machines_compile(machine: cpu.Machine) -> None:
    number = {"x86_64": 62, "aarch64": 183}[machine.triple.split("-")[0]]  # of the ELF header
    assert machine.vector_bits == (256 if machine.cpu == "haswell" else 128)
    for module in (scaling(2.0), scaling(2.0, F32), write_runner(machine.triple)):
        code = machine.object_code(module)
        assert code[:4] == b"\x7fELF"
        assert int.from_bytes(code[18:20], "little") == number


def test_they_use_the_registers_they_have(machine: cpu.Machine) -> None:
    parsed = machine.llvm.parse_assembly(scaling(2.0).text(machine.attributes))
    parsed.triple, parsed.data_layout = machine.triple, str(machine.target.target_data)
    assembly = machine.target.emit_assembly(parsed)
    assert {name: name in assembly for name in ("%zmm", "%ymm", "v0.2d")} == {
        "%zmm": False,
        "%ymm": machine.cpu == "haswell",
        "v0.2d": machine.cpu == "generic",
    }


# -- LLVM comes late -----------------------------------------------------------------------------------------------


def test_without_llvm_there_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "llvmlite.binding", None)
    with pytest.raises(WengertError, match="pip install llvmlite"):
        cpu.llvmlite()


def python(program: str, **environment: str) -> object:
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_llvm_is_not_imported_before_it_is_needed() -> None:
    program = """
import json, sys
from wengert.compiler import cache, cpu, ir, pool, runner
pool.num_threads()
before = "llvmlite" in sys.modules
cpu.host()
print(json.dumps([before, "llvmlite" in sys.modules]))
"""
    assert python(program) == [False, True]


def test_the_next_process_compiles_nothing(tmp_path: Path) -> None:
    program = """
import json
from wengert.compiler import cpu, pool
pool.the_pool()
print(json.dumps([cpu.STATISTICS.compiled, cpu.STATISTICS.found]))
"""
    folder = str(tmp_path / "processes")
    assert [python(program, WENGERT_CACHE_DIR=folder) for _ in range(2)] == [[1, 0], [0, 1]]
    assert python(program, WENGERT_CACHE_DIR=folder, WENGERT_CACHE="0") == [1, 0]
