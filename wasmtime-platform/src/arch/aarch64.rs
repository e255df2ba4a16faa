//! arm64, AAPCS64.

/// Where the trampoline expects the handler's arguments: x19 to x22.
pub(super) const ARGUMENTS: [usize; 4] = [19, 20, 21, 22];
/// Where it expects the handler: x23.
pub(super) const HANDLER: usize = 23;
/// sp.
pub(super) const STACK_POINTER: usize = 31;

/// Room for q0 to q31.
pub(super) const STATE_SIZE: usize = 32 * 16;
/// What the stack pointer must have.
pub(super) const STATE_ALIGNMENT: usize = 16;

/// Every processor is alike in what there is to keep.
pub(crate) fn prepare() {}

/// One more register, and its value: none.
pub(super) fn mode() -> Option<(usize, usize)> {
    None
}

/// The trampoline. Unwinders stop at it: what is further out has not called anything. The condition flags are among the
/// general registers (pstate).
#[unsafe(naked)]
pub(super) unsafe extern "C" fn trampoline() {
    core::arch::naked_asm!(
        "20:",
        ".cfi_startproc",
        ".cfi_undefined x30",
        "hint #36", // bti j
        "stp q0, q1, [sp]",
        "stp q2, q3, [sp, #32]",
        "stp q4, q5, [sp, #64]",
        "stp q6, q7, [sp, #96]",
        "stp q8, q9, [sp, #128]",
        "stp q10, q11, [sp, #160]",
        "stp q12, q13, [sp, #192]",
        "stp q14, q15, [sp, #224]",
        "stp q16, q17, [sp, #256]",
        "stp q18, q19, [sp, #288]",
        "stp q20, q21, [sp, #320]",
        "stp q22, q23, [sp, #352]",
        "stp q24, q25, [sp, #384]",
        "stp q26, q27, [sp, #416]",
        "stp q28, q29, [sp, #448]",
        "stp q30, q31, [sp, #480]",
        "mrs x24, fpcr",
        "mrs x25, fpsr",
        "mov x0, x19",
        "mov x1, x20",
        "mov x2, x21",
        "mov x3, x22",
        "blr x23",
        "msr fpcr, x24",
        "msr fpsr, x25",
        "ldp q0, q1, [sp]",
        "ldp q2, q3, [sp, #32]",
        "ldp q4, q5, [sp, #64]",
        "ldp q6, q7, [sp, #96]",
        "ldp q8, q9, [sp, #128]",
        "ldp q10, q11, [sp, #160]",
        "ldp q12, q13, [sp, #192]",
        "ldp q14, q15, [sp, #224]",
        "ldp q16, q17, [sp, #256]",
        "ldp q18, q19, [sp, #288]",
        "ldp q20, q21, [sp, #320]",
        "ldp q22, q23, [sp, #352]",
        "ldp q24, q25, [sp, #384]",
        "ldp q26, q27, [sp, #416]",
        "ldp q28, q29, [sp, #448]",
        "ldp q30, q31, [sp, #480]",
        "udf #0",
        ".cfi_endproc",
        ".org 20b + {size}",
        size = const super::TRAMPOLINE_SIZE,
    )
}

/// This thread's storage (`threads::elf`).
#[cfg(target_os = "linux")]
pub(crate) fn thread_storage() -> *const crate::threads::Thread {
    let thread;
    // SAFETY: the thread's base address plus the variable's offset, which the dynamic linker has put there.
    unsafe {
        core::arch::asm!(
            "adrp {0}, :gottprel:wasmtrap_wasmtime_thread",
            "ldr {0}, [{0}, :gottprel_lo12:wasmtrap_wasmtime_thread]",
            "mrs {1}, tpidr_el0",
            "add {0}, {0}, {1}",
            out(reg) thread,
            out(reg) _,
            options(nostack, readonly, pure, preserves_flags)
        );
    }
    thread
}
