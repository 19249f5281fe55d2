"""The machine: its instruction set, and machine code from LLVM's representation, loaded into this process.

LLVM is imported when the first kernel is wanted. Object code comes from the cache on disk if it is there.
"""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from ..errors import WengertError
from .cache import digest, the_cache
from .ir import Module

# The code is written as it is to run: slots become registers, and it is tidied. LLVM's own pipelines (speed level 1
# or 2) take many times as long for kernels that are no faster.
PASSES = ("sroa", "instruction_combine", "simplify_cfg")
CODEGEN = 3  # LLVM's level of optimization in selecting instructions and registers


class Machine:
    """LLVM's code generator for one instruction set; of another machine it compiles but does not load."""

    def __init__(self, cpu: str, features: str, triple: str):
        self.llvm = llvm = llvmlite()
        self.cpu, self.features, self.triple = cpu, features, triple
        self.target: Any = llvm.Target.from_triple(triple).create_target_machine(
            cpu=cpu, features=features, opt=CODEGEN, reloc="pic", codemodel="default", jit=True
        )
        has = set(features.split(","))
        self.vector_bits = 512 if "+avx512f" in has else 256 if "+avx2" in has else 128
        self.attributes = f'"prefer-vector-width"="{self.vector_bits}"'

    def key(self, text: str) -> str:
        """Return the cache's name for a module's code on this machine; it holds whatever can change that code."""
        library = sys.modules[__name__.partition(".")[0]].__version__
        version = ".".join(map(str, self.llvm.llvm_version_info))
        how = f"{','.join(PASSES)} {CODEGEN}"
        return digest([library, version, how, self.triple, self.cpu, self.features, text])

    def object_code(self, module: Module) -> bytes:
        """Compile a module to the bytes of an object file."""
        return self.object_code_of(module.text(self.attributes))

    def object_code_of(self, text: str) -> bytes:
        """Compile a module's text to the bytes of an object file."""
        llvm = self.llvm
        parsed = llvm.parse_assembly(text)
        parsed.triple, parsed.data_layout = self.triple, str(self.target.target_data)
        parsed.verify()
        builder = llvm.create_pass_builder(self.target, llvm.create_pipeline_tuning_options(speed_level=2))
        passes = llvm.create_new_module_pass_manager()
        add_passes(passes)
        passes.run(parsed, builder)
        return bytes(self.target.emit_object(parsed))


def add_passes(passes: Any) -> None:
    """Add the passes that kernels need."""
    for name in PASSES:
        getattr(passes, f"add_{name}_pass")()


def llvmlite() -> Any:
    """Return LLVM."""
    try:
        import llvmlite.binding as llvm
    except ImportError as error:
        raise WengertError(
            "Compiling needs llvmlite, which cannot be imported; install it with `pip install llvmlite`, "
            "or run under wengert.eager(), which does not compile."
        ) from error
    return llvm


@cache
def host() -> Machine:
    """Return the machine this process runs on; LLVM is loaded now."""
    llvm = llvmlite()
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return Machine(llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten(), llvm.get_process_triple())


@cache
def foreign(name: str) -> Machine:
    """Return a machine to compile for without running: haswell, x86-64 or aarch64 (ValueError where LLVM lacks it)."""
    llvm = llvmlite()
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    cpu, features, triple = {
        "haswell": ("haswell", "+avx2,+fma", "x86_64-unknown-linux-gnu"),
        "x86-64": ("x86-64", "+sse2", "x86_64-unknown-linux-gnu"),
        "aarch64": ("generic", "+neon", "aarch64-unknown-linux-gnu"),
    }[name]
    try:
        return Machine(cpu, features, triple)
    except RuntimeError as error:
        raise ValueError(f"This LLVM does not compile for {name}: {error}") from error


@dataclass
class Statistics:
    """What compiling has cost this process."""

    compiled: int = 0  # modules LLVM compiled
    compiling: float = 0.0  # seconds that took
    found: int = 0  # modules whose code was in the cache
    loading: float = 0.0  # seconds to link code into the process


STATISTICS = Statistics()
_NUMBERS = itertools.count()
_LOADED: list[Any] = []  # what owns the code, which is used until the process ends


@cache
def _linker() -> Any:
    return host().llvm.create_lljit_compiler(host().target)


def load(code: bytes, names: Sequence[str]) -> dict[str, int]:
    """Load an object file and return the addresses of its functions; each load has its own variables."""
    start = time.perf_counter()
    library = host().llvm.JITLibraryBuilder().add_object_img(code).add_current_process()
    for name in names:
        library.export_symbol(name)
    tracker = library.link(_linker(), f"wengert{next(_NUMBERS)}")
    _LOADED.append(tracker)
    STATISTICS.loading += time.perf_counter() - start
    return {name: tracker[name] for name in names}


def compiled(module: Module, names: Sequence[str]) -> dict[str, int]:
    """Compile a module, or find it compiled before, and return the addresses of its functions."""
    machine, keep = host(), the_cache()
    text = module.text(machine.attributes)
    key = machine.key(text)
    code = keep.get(key)
    if code is None:
        start = time.perf_counter()
        code = machine.object_code_of(text)
        STATISTICS.compiling += time.perf_counter() - start
        STATISTICS.compiled += 1
        keep.put(key, code)
    else:
        STATISTICS.found += 1
    return load(code, names)
