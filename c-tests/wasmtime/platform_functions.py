"""The functions that Wasmtime asks a custom platform for, as the crate wasmtime that the host is built with declares
them. Its wasmtime-platform.h is made of the same file.
"""

import re

import crates


def asked_for(cargo, host="host"):
    """All but those of fibers, which Wasmtime has itself on these processors."""
    source = crates.folders(cargo, host)["wasmtime"] / "src/runtime/vm/sys/custom/capi.rs"
    return {name for name in re.findall(r"pub fn (wasmtime_\w+)", source.read_text()) if "fiber" not in name}
