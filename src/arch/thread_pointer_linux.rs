//! The thread's own pointer on Linux: one word of thread-local storage in the initial-exec model. It is there from the
//! thread's first instruction on, so that a handler on a foreign thread reads null instead of allocating.

use core::arch::asm;

use crate::shared::thread::Thread;

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

/// Instructions that read it into a register.
#[cfg(target_arch = "x86_64")]
macro_rules! load_thread {
    ($register:literal) => {
        concat!(
            "mov ",
            $register,
            ", qword ptr [rip + wasmtrap_thread@GOTTPOFF]\nmov ",
            $register,
            ", qword ptr fs:[",
            $register,
            "]"
        )
    };
}

/// Instructions that read it into a register, with the help of another one.
#[cfg(target_arch = "aarch64")]
macro_rules! load_thread {
    ($register:literal, $other:literal) => {
        concat!(
            "adrp ",
            $register,
            ", :gottprel:wasmtrap_thread\nldr ",
            $register,
            ", [",
            $register,
            ", :gottprel_lo12:wasmtrap_thread]\nmrs ",
            $other,
            ", tpidr_el0\nldr ",
            $register,
            ", [",
            $other,
            ", ",
            $register,
            "]"
        )
    };
}
pub(crate) use load_thread;

/// Sets this thread's record.
pub(crate) fn set_current_thread(thread: *const Thread) {
    // SAFETY: writes the word defined above.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        asm!(
            "mov {0}, qword ptr [rip + wasmtrap_thread@GOTTPOFF]",
            "mov qword ptr fs:[{0}], {1}",
            out(reg) _,
            in(reg) thread,
            options(nostack, preserves_flags)
        );
    }
    // SAFETY: as above.
    #[cfg(target_arch = "aarch64")]
    unsafe {
        asm!(
            "adrp {0}, :gottprel:wasmtrap_thread",
            "ldr {0}, [{0}, :gottprel_lo12:wasmtrap_thread]",
            "mrs {1}, tpidr_el0",
            "str {2}, [{1}, {0}]",
            out(reg) _,
            out(reg) _,
            in(reg) thread,
            options(nostack, preserves_flags)
        );
    }
}
