//! In static thread-local storage: there from a thread's first instruction on, with nothing to allocate or free.

use super::Thread;
use crate::arch;

core::arch::global_asm!(
    r#"
    .pushsection .tbss.wasmtrap_wasmtime_thread, "awT", @nobits
    .globl wasmtrap_wasmtime_thread
    .hidden wasmtrap_wasmtime_thread
    .type wasmtrap_wasmtime_thread, @object
    .size wasmtrap_wasmtime_thread, {size}
    .balign {alignment}
wasmtrap_wasmtime_thread:
    .zero {size}
    .popsection
    "#,
    size = const size_of::<Thread>(),
    alignment = const align_of::<Thread>(),
);

/// This thread's own, which there always is.
pub(crate) fn current() -> Option<&'static Thread> {
    Some(current_or_new())
}

/// This thread's own.
pub(crate) fn current_or_new() -> &'static Thread {
    // SAFETY: the storage above, which is as large and as aligned as a `Thread`, all-zero at first, which is a valid
    // one, and there as long as the thread: never null. The reference does not leave the thread: `Thread` is not Sync.
    unsafe {
        let storage = arch::thread_storage();
        core::hint::assert_unchecked(!storage.is_null());
        &*storage
    }
}
