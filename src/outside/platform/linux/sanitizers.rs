//! The sanitizers' entries, as weak references: where a process has none, the dynamic linker, or the linker of a static
//! program, leaves nulls.

use crate::arch::define_label;
use crate::outside::sanitizers::Entries;

core::arch::global_asm!(
    ".pushsection .data.rel.ro.wasmtrap_sanitizers, \"aw\", @progbits",
    ".balign 8",
    define_label!("wasmtrap_sanitizer_entries"),
    ".weak __asan_handle_no_return",
    ".8byte __asan_handle_no_return",
    ".weak __asan_unpoison_memory_region",
    ".8byte __asan_unpoison_memory_region",
    ".weak __tsan_func_exit",
    ".8byte __tsan_func_exit",
    ".popsection",
);

unsafe extern "C" {
    static wasmtrap_sanitizer_entries: Entries;
}

pub(crate) fn sanitizer_entries() -> Entries {
    // SAFETY: the table above, which nobody writes to once it is relocated.
    unsafe { wasmtrap_sanitizer_entries }
}
