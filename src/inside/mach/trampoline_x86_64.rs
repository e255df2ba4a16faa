//! The way into the embedder's fault handler and back, for a thread that the server has sent there.
//!
//! All general registers are in the thread's record already. What the handler could change beyond them, x87, MXCSR and
//! the vector registers, is kept here: all that XCR0 names, by XSAVE, so that it does not matter what the handler uses.

use core::arch::naked_asm;

use super::callback::asked;
use super::state::{FXSAVE_SIZE, size_of_vectors};
use crate::shared::thread::Thread;

pub(crate) fn entry_address() -> usize {
    entry as unsafe extern "C" fn() as usize
}

/// Where the exception that ends the callback comes from.
pub(crate) fn return_address() -> usize {
    come_back as unsafe extern "C" fn() as usize
}

/// Bytes that the vector state needs, a multiple of 64.
#[cfg(wasmtrap_mach)]
pub(crate) fn vector_state_size() -> usize {
    use core::arch::x86_64::{__cpuid, __cpuid_count};
    size_of_vectors(__cpuid(1).ecx, || __cpuid_count(0xd, 0).ecx)
}

/// Whether the vector state has a header, and more than the FXSAVE area.
#[cfg(wasmtrap_mach)]
pub(crate) fn has_extended_state() -> bool {
    vector_state_size() != FXSAVE_SIZE
}

/// MXCSR as the ABI starts a program with it.
const DEFAULT_MXCSR: u32 = 0x1f80;

/// Unwind tables that hold from the first instruction to the last: what is above is the code that faulted, as above a
/// signal handler. Engines take their backtraces in their handlers (Wasmer), and profilers anywhere.
///
/// The registers of that code are in the thread's record, at r13, in the order of `state::Words`. The rules are those
/// of DWARF 5, 6.4.2: DW_CFA_def_cfa_expression (0x0f) and DW_CFA_expression (0x10, the register), the length of the
/// expression, and in it DW_OP_breg13 (0x7d) with an offset in two bytes, and DW_OP_deref (0x06).
macro_rules! below_what_faulted {
    () => {
        concat!(
            ".cfi_signal_frame\n",
            ".cfi_escape 0x0f, 4, 0x7d, 0xb8, 0, 0x06\n", // the stack pointer
            ".cfi_escape 0x10, 0, 3, 0x7d, 0x80, 0\n",    // rax
            ".cfi_escape 0x10, 1, 3, 0x7d, 0x98, 0\n",    // rdx
            ".cfi_escape 0x10, 2, 3, 0x7d, 0x90, 0\n",    // rcx
            ".cfi_escape 0x10, 3, 3, 0x7d, 0x88, 0\n",    // rbx
            ".cfi_escape 0x10, 4, 3, 0x7d, 0xa8, 0\n",    // rsi
            ".cfi_escape 0x10, 5, 3, 0x7d, 0xa0, 0\n",    // rdi
            ".cfi_escape 0x10, 6, 3, 0x7d, 0xb0, 0\n",    // rbp
            ".cfi_escape 0x10, 7, 3, 0x7d, 0xb8, 0\n",    // rsp
            ".cfi_escape 0x10, 8, 3, 0x7d, 0xc0, 0\n",    // r8
            ".cfi_escape 0x10, 9, 3, 0x7d, 0xc8, 0\n",
            ".cfi_escape 0x10, 10, 3, 0x7d, 0xd0, 0\n",
            ".cfi_escape 0x10, 11, 3, 0x7d, 0xd8, 0\n",
            ".cfi_escape 0x10, 12, 3, 0x7d, 0xe0, 0\n",
            ".cfi_escape 0x10, 13, 3, 0x7d, 0xe8, 0\n",
            ".cfi_escape 0x10, 14, 3, 0x7d, 0xf0, 0\n",
            ".cfi_escape 0x10, 15, 3, 0x7d, 0xf8, 0\n", // r15
            ".cfi_escape 0x10, 16, 3, 0x7d, 0x80, 1\n", // rip
        )
    };
}

/// Entered with the thread's record in rdi and rbx, the words of its state in r13, nothing in rbp, and rsp at the top
/// of the callback stack, aligned to 64. Never returns.
#[unsafe(naked)]
unsafe extern "C" fn entry() {
    naked_asm!(
        ".cfi_startproc",
        below_what_faulted!(),
        "endbr64",
        "mov rcx, qword ptr [rbx + {size}]",
        "sub rsp, rcx",
        "mov r12, rsp",
        "cmp rcx, {fxsave_size}",
        "je 2f",
        // XRSTOR wants the unused part of the header (64 bytes after the FXSAVE area) to be zero.
        "xor eax, eax",
        "mov qword ptr [r12 + 512], rax",
        "mov qword ptr [r12 + 520], rax",
        "mov qword ptr [r12 + 528], rax",
        "mov qword ptr [r12 + 536], rax",
        "mov qword ptr [r12 + 544], rax",
        "mov qword ptr [r12 + 552], rax",
        "mov qword ptr [r12 + 560], rax",
        "mov qword ptr [r12 + 568], rax",
        "mov eax, -1",
        "mov edx, -1",
        "xsave64 [r12]",
        "jmp 3f",
        "2:",
        "fxsave64 [r12]",
        "3:",
        "fninit",
        "sub rsp, 16",
        "mov dword ptr [rsp], {default_mxcsr}",
        "ldmxcsr dword ptr [rsp]",
        "mov rdi, rbx",
        "mov rsi, r12",
        "call {asked}",
        "cmp qword ptr [rbx + {size}], {fxsave_size}",
        "je 4f",
        "mov eax, -1",
        "mov edx, -1",
        "xrstor64 [r12]",
        "jmp {come_back}",
        "4:",
        "fxrstor64 [r12]",
        "jmp {come_back}",
        ".cfi_endproc",
        size = const core::mem::offset_of!(Thread, backend.vector_state_size),
        fxsave_size = const FXSAVE_SIZE,
        default_mxcsr = const DEFAULT_MXCSR,
        asked = sym asked,
        come_back = sym come_back,
    )
}

/// The instruction by which the server knows that the callback is over.
#[unsafe(naked)]
unsafe extern "C" fn come_back() {
    naked_asm!(".cfi_startproc", below_what_faulted!(), "ud2", ".cfi_endproc")
}
