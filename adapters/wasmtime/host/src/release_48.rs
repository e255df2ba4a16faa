//! What is not the same in each release of Wasmtime: as it is in 48 and later.

use wasmtime::{Config, Error, ThrownException};

#[cfg(feature = "wasmtime-50")]
pub(crate) use wasmtime::HeapTopType;
#[cfg(not(feature = "wasmtime-50"))]
pub(crate) use wasmtime::HeapType as HeapTopType;
pub(crate) use wasmtime::bail;

pub(crate) fn is_exception(error: &Error) -> bool {
    error.is::<ThrownException>()
}

pub(crate) fn is_out_of_memory(error: &Error) -> bool {
    error.is::<wasmtime::error::OutOfMemory>()
}

pub(crate) fn without_backtraces(config: &mut Config) {
    config.wasm_backtrace_max_frames(None);
}
