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

/// The program counter's column in DWARF's tables: its number in the ABI (aadwarf64), which LLVM's libunwind takes
/// (UNW_AARCH64_PC); libgcc has a number of its own for frames of signals (DWARF_ALT_FRAME_RETURN_COLUMN,
/// gcc/config/aarch64/aarch64.h), and no room at the ABI's.
const PC_COLUMN: u8 = if cfg!(target_vendor = "apple") { 32 } else { 96 };

/// Unwind tables that hold from the first instruction to the last: what is above is the code that faulted, as above a
/// signal handler. Engines take their backtraces in their handlers (Wasmer), and profilers anywhere.
///
/// The registers of that code are in the thread's record, at x20, in the order of `state::Words`; those of vectors are
/// not told. The rules are those of DWARF 5, 6.4.2: DW_CFA_def_cfa_expression (0x0f) and DW_CFA_expression (0x10, the
/// register), the length of the expression, and in it DW_OP_breg20 (0x84) with an offset in two bytes, and DW_OP_deref
/// (0x06).
macro_rules! below_what_faulted {
    () => {
        concat!(
            ".cfi_signal_frame\n",
            ".cfi_return_column {pc_column}\n",
            ".cfi_escape 0x0f, 4, 0x84, 0xf8, 1, 0x06\n", // the stack pointer
            ".cfi_escape 0x10, 0, 3, 0x84, 0x80, 0\n",    // x0
            ".cfi_escape 0x10, 1, 3, 0x84, 0x88, 0\n",
            ".cfi_escape 0x10, 2, 3, 0x84, 0x90, 0\n",
            ".cfi_escape 0x10, 3, 3, 0x84, 0x98, 0\n",
            ".cfi_escape 0x10, 4, 3, 0x84, 0xa0, 0\n",
            ".cfi_escape 0x10, 5, 3, 0x84, 0xa8, 0\n",
            ".cfi_escape 0x10, 6, 3, 0x84, 0xb0, 0\n",
            ".cfi_escape 0x10, 7, 3, 0x84, 0xb8, 0\n",
            ".cfi_escape 0x10, 8, 3, 0x84, 0xc0, 0\n",
            ".cfi_escape 0x10, 9, 3, 0x84, 0xc8, 0\n",
            ".cfi_escape 0x10, 10, 3, 0x84, 0xd0, 0\n",
            ".cfi_escape 0x10, 11, 3, 0x84, 0xd8, 0\n",
            ".cfi_escape 0x10, 12, 3, 0x84, 0xe0, 0\n",
            ".cfi_escape 0x10, 13, 3, 0x84, 0xe8, 0\n",
            ".cfi_escape 0x10, 14, 3, 0x84, 0xf0, 0\n",
            ".cfi_escape 0x10, 15, 3, 0x84, 0xf8, 0\n",
            ".cfi_escape 0x10, 16, 3, 0x84, 0x80, 1\n",
            ".cfi_escape 0x10, 17, 3, 0x84, 0x88, 1\n",
            ".cfi_escape 0x10, 18, 3, 0x84, 0x90, 1\n",
            ".cfi_escape 0x10, 19, 3, 0x84, 0x98, 1\n",
            ".cfi_escape 0x10, 20, 3, 0x84, 0xa0, 1\n",
            ".cfi_escape 0x10, 21, 3, 0x84, 0xa8, 1\n",
            ".cfi_escape 0x10, 22, 3, 0x84, 0xb0, 1\n",
            ".cfi_escape 0x10, 23, 3, 0x84, 0xb8, 1\n",
            ".cfi_escape 0x10, 24, 3, 0x84, 0xc0, 1\n",
            ".cfi_escape 0x10, 25, 3, 0x84, 0xc8, 1\n",
            ".cfi_escape 0x10, 26, 3, 0x84, 0xd0, 1\n",
            ".cfi_escape 0x10, 27, 3, 0x84, 0xd8, 1\n",
            ".cfi_escape 0x10, 28, 3, 0x84, 0xe0, 1\n",
            ".cfi_escape 0x10, 29, 3, 0x84, 0xe8, 1\n", // x29
            ".cfi_escape 0x10, 30, 3, 0x84, 0xf0, 1\n", // x30
            ".cfi_escape 0x10, 31, 3, 0x84, 0xf8, 1\n", // sp
            ".cfi_escape 0x10, {pc_column}, 3, 0x84, 0x80, 2\n",
        )
    };
}

/// Entered with the thread's record in x0 and x19, the words of its state in x20, nothing in fp and lr, and sp at the
/// top of the callback stack. Never returns.
#[unsafe(naked)]
unsafe extern "C" fn entry() {
    naked_asm!(
        ".cfi_startproc",
        below_what_faulted!(),
        "hint #36", // bti j
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
        pc_column = const PC_COLUMN,
        asked = sym asked,
        come_back = sym come_back,
    )
}

/// The instruction by which the server knows that the callback is over.
#[unsafe(naked)]
unsafe extern "C" fn come_back() {
    naked_asm!(
        ".cfi_startproc",
        below_what_faulted!(),
        "udf #0",
        ".cfi_endproc",
        pc_column = const PC_COLUMN,
    )
}
