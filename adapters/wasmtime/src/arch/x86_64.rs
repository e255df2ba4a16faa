//! x86-64, System V ABI.

use core::arch::x86_64::__cpuid;
use core::sync::atomic::{AtomicU32, Ordering};

use wasmtrap::abi::wasmtrap_registers_t;

/// Where the trampoline expects the handler's arguments, by DWARF number: rbx, r12, r13, r14.
pub(super) const ARGUMENTS: [usize; 4] = [3, 12, 13, 14];
/// Where it expects the handler: r15.
pub(super) const HANDLER: usize = 15;
/// rsp.
pub(super) const STACK_POINTER: usize = 7;

/// The components of the XSAVE area that are kept: x87, SSE, AVX and the three of AVX-512. Others (protection keys,
/// shadow stacks, tiles) are not for compiled Rust code to change.
const COMPONENTS: u32 = 0b1110_0111;
/// Room for them in the standard format: ZMM16 to ZMM31 come last, at 1664 on Intel's processors, lower on AMD's.
const AREA: usize = 1664 + 1024;
/// And for what is given in eax, kept behind the area.
pub(super) const STATE_SIZE: usize = AREA + 64;
/// What XSAVE asks for.
pub(super) const STATE_ALIGNMENT: usize = 64;

/// What the trampoline is given in eax (DWARF number 0): the components to keep, and-ed by the processor with those
/// that the system has enabled; 0 where there is no XSAVE, and then nothing beyond what FXSAVE keeps. Asked once,
/// because cpuid is slow: a virtual machine's host has to answer it.
static MODE: AtomicU32 = AtomicU32::new(0);

/// Looks at the processor, before the first trap.
pub(crate) fn prepare() {
    const OSXSAVE: u32 = 1 << 27;
    #[allow(unused_unsafe, reason = "not every Rust that builds this has it as a safe function")]
    // SAFETY: every x86-64 processor has it, and this leaf.
    let has_xsave = unsafe { __cpuid(1) }.ecx & OSXSAVE != 0;
    MODE.store(if has_xsave { COMPONENTS } else { 0 }, Ordering::Relaxed);
}

/// One more register, and its value.
pub(super) fn mode() -> Option<(usize, usize)> {
    Some((0, MODE.load(Ordering::Relaxed) as usize))
}

/// Readies the registers for the way there. The trampoline has no use for rcx and r11: as a system call leaves them,
/// the kernel goes back by `sysret` instead of `iretq` (do_syscall_64, arch/x86/entry/, since Linux 6.7 syscall_64.c,
/// before that common.c), which saves some 50 ns. It does not with the resume flag, which a fault has set.
pub(super) fn ready(registers: &mut wasmtrap_registers_t) {
    const RESUME_FLAG: u64 = 1 << 16;
    const RCX: usize = 2;
    const R11: usize = 11;
    registers.flags &= !RESUME_FLAG;
    registers.general[RCX] = registers.pc;
    registers.general[R11] = registers.flags;
}

/// The trampoline. Unwinders stop at it: what is further out has not called anything.
///
/// The area's header must be zero where XSAVE does not write it, or XRSTOR faults.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn trampoline() {
    core::arch::naked_asm!(
        "20:",
        ".cfi_startproc",
        ".cfi_undefined rip",
        "endbr64",
        "cld",
        "mov dword ptr [rsp + {mode}], eax",
        "test eax, eax",
        "jz 3f",
        "mov esi, eax",
        "xor eax, eax",
        "lea rdi, [rsp + {header}]",
        "mov ecx, 8",
        "rep stosq",
        "mov eax, esi",
        "xor edx, edx",
        "xsave64 [rsp]",
        "call 4f",
        "mov eax, dword ptr [rsp + {mode}]",
        "xor edx, edx",
        "xrstor64 [rsp]",
        "ud2",
        "3:",
        "fxsave64 [rsp]",
        "call 4f",
        "fxrstor64 [rsp]",
        "ud2",
        "4:",
        "sub rsp, 8",
        "mov rdi, rbx",
        "mov rsi, r12",
        "mov edx, r13d",
        "mov rcx, r14",
        "call r15",
        "add rsp, 8",
        "ret",
        ".cfi_endproc",
        ".org 20b + {size}",
        mode = const AREA,
        header = const 512,
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
            "mov {0}, qword ptr fs:[0]",
            "add {0}, qword ptr [rip + wasmtrap_wasmtime_thread@GOTTPOFF]",
            out(reg) thread,
            options(nostack, readonly, pure)
        );
    }
    thread
}

/// Calls `callback(payload, callee)` in a frame that has all that a function preserves, and tells by `jump` where that
/// frame is. `bool` comes back in al.
#[cfg(feature = "wasmtime-36")]
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn call_with_a_way_back(
    jump: *mut *const u8,
    callback: extern "C" fn(*mut u8, *mut u8) -> bool,
    payload: *mut u8,
    callee: *mut u8,
) -> bool {
    core::arch::naked_asm!(
        ".cfi_startproc",
        "endbr64",
        "push rbp",
        ".cfi_def_cfa_offset 16",
        ".cfi_offset rbp, -16",
        "mov rbp, rsp",
        ".cfi_def_cfa_register rbp",
        "push rbx",
        "push r12",
        "push r13",
        "push r14",
        "push r15",
        ".cfi_offset rbx, -24",
        ".cfi_offset r12, -32",
        ".cfi_offset r13, -40",
        ".cfi_offset r14, -48",
        ".cfi_offset r15, -56",
        "sub rsp, 8",
        "stmxcsr [rsp]",
        "fnstcw [rsp + 4]",
        "mov [rdi], rsp",
        "mov rax, rsi",
        "mov rdi, rdx",
        "mov rsi, rcx",
        "call rax",
        "lea rsp, [rbp - 40]",
        "pop r15",
        "pop r14",
        "pop r13",
        "pop r12",
        "pop rbx",
        "pop rbp",
        ".cfi_def_cfa rsp, 8",
        "ret",
        ".cfi_endproc",
    )
}

/// Returns false from the call of `call_with_a_way_back` whose frame this is.
#[cfg(feature = "wasmtime-36")]
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn go_back(frame: *const u8) -> ! {
    core::arch::naked_asm!(
        "endbr64",
        "mov rsp, rdi",
        "ldmxcsr [rsp]",
        "fldcw [rsp + 4]",
        "add rsp, 8",
        "pop r15",
        "pop r14",
        "pop r13",
        "pop r12",
        "pop rbx",
        "pop rbp",
        "xor eax, eax",
        "ret",
    )
}
