"""WebAssembly traps as Python exceptions."""

import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, NamedTuple, Optional, Union, final

_Number = Union[int, float]
_FaultKind = Literal["memory", "illegal", "arithmetic", "breakpoint"]

CODE_NONE: int
CODE_STACK_OVERFLOW: int
CODE_MEMORY_OUT_OF_BOUNDS: int
CODE_HEAP_MISALIGNED: int
CODE_TABLE_OUT_OF_BOUNDS: int
CODE_INDIRECT_CALL_TO_NULL: int
CODE_BAD_SIGNATURE: int
CODE_INTEGER_OVERFLOW: int
CODE_INTEGER_DIVISION_BY_ZERO: int
CODE_BAD_CONVERSION_TO_INTEGER: int
CODE_UNREACHABLE: int
CODE_INTERRUPT: int
CODE_UNDEFINED_ELEMENT: int
CODE_NULL_REFERENCE: int
CODE_ARRAY_OUT_OF_BOUNDS: int
CODE_ALLOCATION_TOO_LARGE: int
CODE_CAST_FAILURE: int
CODE_EXPECTED_SHARED_MEMORY: int
CODE_UNCAUGHT_EXCEPTION: int
CODE_OUT_OF_FUEL: int
CODE_UNHANDLED_TAG: int
CODE_CONTINUATION_ALREADY_CONSUMED: int
CODE_USER: int

def version() -> str: ...
def init(
    backend: Literal["auto", "mach_ports", "signals"] = "auto",
    *,
    macos_use_mach_ports: Optional[bool] = None,
    fault_kinds: Optional[Iterable[_FaultKind]] = None,
    alternate_stack_size: int = 0,
    allow_fallback: bool = False,
) -> None: ...
def backend() -> Literal["mach_ports", "signals"]: ...
def describe() -> str: ...
def check() -> tuple[_FaultKind, ...]: ...
def rearm() -> None: ...
def load(path: Union[str, bytes, os.PathLike[str], os.PathLike[bytes]], /) -> Module: ...
def code_name(code: int, /) -> str: ...

class Error(Exception):
    status: Optional[int]
    status_name: Optional[str]

class Trap(Exception):
    code: int
    name: str
    module: Optional[str]
    offset: Optional[int]
    address: Optional[int]
    access: Optional[Literal["read", "write", "execute", "unknown"]]
    frames: tuple[Frame, ...]
    truncated: bool
    source: Optional[Literal["fault", "raise"]]
    payload: int
    def __init__(self, *args: Any, code: int = 0, payload: int = 0) -> None: ...

class Frame(NamedTuple):
    pc: int
    function: Optional[str]
    offset: Optional[int]
    module: Optional[str]

class Signature(NamedTuple):
    params: tuple[str, ...]
    results: tuple[str, ...]

@final
class Module:
    @property
    def name(self) -> str: ...
    @property
    def path(self) -> Union[str, bytes, os.PathLike[str], os.PathLike[bytes]]: ...
    @property
    def exports(self) -> dict[str, Signature]: ...
    @property
    def imports(self) -> dict[tuple[str, str], Signature]: ...
    @property
    def memories(self) -> tuple[str, ...]: ...
    def instantiate(
        self, imports: Optional[Mapping[str, Mapping[str, Callable[..., Any]]]] = None, /
    ) -> Instance: ...

@final
class Instance:
    @property
    def module(self) -> Module: ...
    def call(self, name: str, /, *args: _Number) -> Union[None, _Number, tuple[_Number, ...]]: ...
    def memory(self, name: Optional[str] = None, /) -> Memory: ...

@final
class Memory:
    @property
    def size(self) -> int: ...
    def read(self, address: int, length: int, /) -> bytes: ...
    def write(self, address: int, data: Union[bytes, bytearray, memoryview], /) -> None: ...
    def grow(self, pages: int, /) -> int: ...
