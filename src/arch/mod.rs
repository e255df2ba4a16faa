//! What only assembly can do: entering and leaving a protected call, the thread's own pointer, the signal entry points.

#[cfg_attr(target_arch = "x86_64", path = "x86_64.rs")]
#[cfg_attr(target_arch = "aarch64", path = "aarch64.rs")]
mod this;

pub(crate) use this::*;

// The thread's own pointer: one word of thread-local storage in the initial-exec model. It is there from the thread's
// first instruction on, so that a handler on a foreign thread reads null instead of allocating.
core::arch::global_asm!(
    r#"
    .pushsection .tbss.wasmtrap_thread, "awT", @nobits
    .globl wasmtrap_thread
    .hidden wasmtrap_thread
    .type wasmtrap_thread, @object
    .size wasmtrap_thread, 8
    .balign 8
wasmtrap_thread:
    .zero 8
    .popsection
    "#
);
