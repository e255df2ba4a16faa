//! The way into the embedder's fault handler and back, for a thread that the server has sent there.
//!
//! All general registers are in the thread's record already. What the handler could change beyond them, the vector
//! registers with FPSR and FPCR, is kept here.

use core::arch::naked_asm;

use super::callback::asked;

pub(crate) fn entry_address() -> usize {
    entry as unsafe extern "C" fn() as usize
}

/// Where the exception that ends the callback comes from.
pub(crate) fn return_address() -> usize {
    come_back as unsafe extern "C" fn() as usize
}

/// Bytes that the vector state needs: q0 to q31, FPSR and FPCR.
#[cfg(wasmtrap_mach)]
pub(crate) fn vector_state_size() -> usize {
    32 * 16 + 16
}

/// Entered with the thread's record in x0 and sp at the top of the callback stack. Never returns: there is no frame
/// above it.
#[unsafe(naked)]
unsafe extern "C" fn entry() {
    naked_asm!(
        ".cfi_startproc",
        ".cfi_undefined x30",
        "hint #36", // bti j
        "mov x29, xzr",
        "mov x30, xzr",
        "mov x19, x0",
        "sub sp, sp, #528",
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
        "mrs x9, fpsr",
        "mrs x10, fpcr",
        "str x9, [sp, #512]",
        "str x10, [sp, #520]",
        "msr fpcr, xzr",
        "mov x0, x19",
        "mov x1, sp",
        "bl {asked}",
        "ldr x9, [sp, #512]",
        "ldr x10, [sp, #520]",
        "msr fpsr, x9",
        "msr fpcr, x10",
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
        "b {come_back}",
        ".cfi_endproc",
        asked = sym asked,
        come_back = sym come_back,
    )
}

/// The instruction by which the server knows that the callback is over.
#[unsafe(naked)]
unsafe extern "C" fn come_back() {
    naked_asm!(".cfi_startproc", ".cfi_undefined x30", "udf #0", ".cfi_endproc")
}
