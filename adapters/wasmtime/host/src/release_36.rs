//! What is not the same in each release of Wasmtime: as it is in 36.

use wasmtime::{Config, Error};

/// Returns with an error in these words.
macro_rules! bail {
    ($($words:tt)*) => {
        return Err(wasmtime::Error::msg(format!($($words)*)))
    };
}
pub(crate) use bail;
pub(crate) use wasmtime::HeapType as HeapTopType;

/// It has no exceptions.
pub(crate) fn is_exception(_error: &Error) -> bool {
    false
}

/// It aborts instead.
pub(crate) fn is_out_of_memory(_error: &Error) -> bool {
    false
}

pub(crate) fn without_backtraces(config: &mut Config) {
    config.wasm_backtrace(false);
}
