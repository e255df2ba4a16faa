//! The thread's own pointer on Linux: one word of thread-local storage in the initial-exec model. It is there from the
//! thread's first instruction on, so that a handler on a foreign thread reads null instead of allocating.
//!
//! musl's loader refuses that model to libraries that are loaded late ("initial-exec TLS resolves to dynamic
//! definition", ldso/dynlink.c), so on x86-64 the word is found by a descriptor there. That allocates nothing either:
//! dlopen gives every thread its room before it returns (install_new_tls, the same file).

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

/// Instructions that read it into rax. They call a function that keeps all other registers
/// (src/thread/x86_64/tlsdesc.s), which the linker leaves out of a program.
#[cfg(all(target_arch = "x86_64", target_env = "musl"))]
macro_rules! load_thread {
    ("rax") => {
        concat!($crate::arch::find_thread!(), "\nmov rax, qword ptr fs:[rax]")
    };
}

/// Instructions that find its place in rax, as an offset to fs.
#[cfg(all(target_arch = "x86_64", target_env = "musl"))]
macro_rules! find_thread {
    () => {
        "lea rax, [rip + wasmtrap_thread@TLSDESC]\ncall qword ptr [rax + wasmtrap_thread@TLSCALL]"
    };
}
#[cfg(all(target_arch = "x86_64", target_env = "musl"))]
pub(crate) use find_thread;

/// Instructions that read it into a register.
#[cfg(all(target_arch = "x86_64", not(target_env = "musl")))]
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
    #[cfg(all(target_arch = "x86_64", target_env = "musl"))]
    unsafe {
        asm!(find_thread!(), "mov qword ptr fs:[rax], {0}", in(reg) thread, out("rax") _);
    }
    // SAFETY: as above.
    #[cfg(all(target_arch = "x86_64", not(target_env = "musl")))]
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
