"""The machine: its instruction set, and machine code from LLVM's representation, loaded into this process."""

from __future__ import annotations

from functools import cache
from typing import Any

from .ir import Module

class Machine:
    """LLVM's code generator for one instruction set."""

    def __init__(self, cpu: str, features: str, triple: str):
        import llvmlite.binding as llvm

        self.llvm, self.cpu, self.features, self.triple = llvm, cpu, features, triple
        self.target: Any = llvm.Target.from_triple(triple).create_target_machine(
            cpu=cpu, features=features, opt=3, reloc="pic", codemodel="default", jit=True
        )
        has = set(features.split(","))
        self.vector_bits = 512 if "+avx512f" in has else 256 if "+avx2" in has else 128
        self.attributes = f'"prefer-vector-width"="{self.vector_bits}"'

    def object_code(self, module: Module) -> bytes:
        """Compile a module to the bytes of an object file."""
        llvm = self.llvm
        parsed = llvm.parse_assembly(module.text(self.attributes))
        parsed.triple, parsed.data_layout = self.triple, str(self.target.target_data)
        builder = llvm.create_pass_builder(self.target, llvm.create_pipeline_tuning_options(speed_level=2))
        passes = llvm.create_new_module_pass_manager()
        add_passes(passes)
        passes.run(parsed, builder)
        return bytes(self.target.emit_object(parsed))


def add_passes(passes: Any) -> None:
    """Add the passes that kernels need: slots into registers, and tidying; the code is written as it is to run."""
    passes.add_sroa_pass()
    passes.add_instruction_combine_pass()
    passes.add_simplify_cfg_pass()


@cache
def host() -> Machine:
    """Return the machine this process runs on; LLVM is loaded now."""
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return Machine(llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten(), llvm.get_process_triple())


_LOADED: list[Any] = []  # engines own the code, which is used until the process ends


def load(code: bytes, names: list[str]) -> dict[str, int]:
    """Load an object file and return the addresses of its functions."""
    llvm = host().llvm
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), host().target)
    engine.add_object_file(llvm.object_file.ObjectFileRef.from_data(code))
    engine.finalize_object()
    _LOADED.append(engine)
    return {name: engine.get_function_address(name) for name in names}


def compiled(module: Module, names: list[str]) -> dict[str, int]:
    """Compile a module, or find it compiled before, and return the addresses of its functions."""
    return load(host().object_code(module), names)
