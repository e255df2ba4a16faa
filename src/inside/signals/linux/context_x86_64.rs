//! The registers in a signal's context: Linux on x86-64 (`struct sigcontext_64`,
//! arch/x86/include/uapi/asm/sigcontext.h).

use core::arch::asm;
use core::sync::atomic::Ordering::SeqCst;
use core::sync::atomic::compiler_fence;

use libc::ucontext_t;

use super::classify::{ILL_ILLOPC, Origin};
use super::protection_x86_64;
use super::rights;
use crate::shared::abi::*;

/// `gregs` in the order of wasmtrap_registers_t, which is DWARF's.
const DWARF_ORDER: [i32; 16] = [
    libc::REG_RAX,
    libc::REG_RDX,
    libc::REG_RCX,
    libc::REG_RBX,
    libc::REG_RSI,
    libc::REG_RDI,
    libc::REG_RBP,
    libc::REG_RSP,
    libc::REG_R8,
    libc::REG_R9,
    libc::REG_R10,
    libc::REG_R11,
    libc::REG_R12,
    libc::REG_R13,
    libc::REG_R14,
    libc::REG_R15,
];

/// Trap numbers of the processor, as the kernel leaves them in the context (arch/x86/include/asm/trapnr.h): that of the
/// thread's last exception, which a signal of another making has nothing to do with.
const TRAP_BREAKPOINT: i64 = 3;
const TRAP_STACK_SEGMENT: i64 = 12;
const TRAP_GENERAL_PROTECTION: i64 = 13;
const TRAP_PAGE_FAULT: i64 = 14;

/// Bits of a page fault's error code (arch/x86/include/asm/trap_pf.h).
const PAGE_FAULT_WRITE: i64 = 1 << 1;
const PAGE_FAULT_FETCH: i64 = 1 << 4;

const DIRECTION_FLAG: i64 = 1 << 10;
const ALIGNMENT_CHECK: i64 = 1 << 18;

/// Where a context has the address of its x87 and extended state: right after the registers (`fpstate` of the kernel's
/// structure). libc has a name for it with glibc alone.
pub(super) const fn extended_state_place(context: *mut ucontext_t) -> *mut *mut u8 {
    const OFFSET: usize = core::mem::offset_of!(ucontext_t, uc_mcontext) + 23 * size_of::<u64>();
    context.wrapping_byte_add(OFFSET).cast()
}

/// That state.
pub(super) fn extended_state(context: &ucontext_t) -> *const u8 {
    // SAFETY: within the context, and aligned like its registers.
    unsafe { *extended_state_place(core::ptr::from_ref(context).cast_mut()) }
}

pub(crate) struct Context<'a> {
    raw: &'a mut ucontext_t,
    /// The code is SI_KERNEL.
    forced: bool,
    /// SIGILL with a code that Linux does not use here (`classify::ILL_ILLOPC`).
    illegal_by_another_code: bool,
    /// The processor reports a breakpoint after its one byte.
    pc_is_behind: bool,
}

impl<'a> Context<'a> {
    /// Of this signal with this code.
    pub(crate) fn new(raw: &'a mut ucontext_t, signal: libc::c_int, code: i32) -> Self {
        const SI_KERNEL: i32 = 0x80;
        let illegal_by_another_code = signal == libc::SIGILL && code == ILL_ILLOPC;
        let mut context = Self { raw, forced: code == SI_KERNEL, illegal_by_another_code, pc_is_behind: false };
        context.pc_is_behind =
            signal == libc::SIGTRAP && context.forced && context.get(libc::REG_TRAPNO) == TRAP_BREAKPOINT;
        context
    }

    /// Whether the structure is a signal's context at all: a zeroed one, which a test or a careless caller may bring,
    /// has neither a program counter nor a stack.
    pub(crate) fn is_one(context: &mut ucontext_t) -> bool {
        let context = Context::new(context, 0, 0);
        context.pc() != 0 || context.sp() != 0
    }

    pub(crate) fn as_raw(&self) -> &ucontext_t {
        self.raw
    }

    fn get(&self, register: i32) -> i64 {
        self.raw.uc_mcontext.gregs.get(register as usize).copied().unwrap_or(0)
    }

    fn set(&mut self, register: i32, value: i64) {
        if let Some(place) = self.raw.uc_mcontext.gregs.get_mut(register as usize) {
            *place = value;
        }
    }

    /// The instruction that faulted.
    pub(crate) fn pc(&self) -> usize {
        (self.get(libc::REG_RIP) as usize).wrapping_sub(usize::from(self.pc_is_behind))
    }

    /// The signal mask that the thread goes on with.
    pub(crate) fn mask(&mut self) -> &mut libc::sigset_t {
        &mut self.raw.uc_sigmask
    }

    pub(crate) fn sp(&self) -> usize {
        self.get(libc::REG_RSP) as usize
    }

    pub(crate) fn fp(&self) -> usize {
        self.get(libc::REG_RBP) as usize
    }

    pub(crate) fn access(&self) -> wasmtrap_access_t {
        let error = self.get(libc::REG_ERR);
        match self.get(libc::REG_TRAPNO) {
            TRAP_PAGE_FAULT if error & PAGE_FAULT_FETCH != 0 => WASMTRAP_ACCESS_EXECUTE,
            TRAP_PAGE_FAULT if error & PAGE_FAULT_WRITE != 0 => WASMTRAP_ACCESS_WRITE,
            TRAP_PAGE_FAULT => WASMTRAP_ACCESS_READ,
            _ => WASMTRAP_ACCESS_UNKNOWN,
        }
    }

    /// What only the context can tell about where a signal came from: `int3` is reported with si_code SI_KERNEL, as
    /// general protection faults are, and as what the kernel forces upon a thread for other reasons.
    pub(crate) fn origin(&self) -> Origin {
        match self.get(libc::REG_TRAPNO) {
            _ if self.illegal_by_another_code && self.instruction_is_none() => Origin::Undefined,
            _ if !self.forced => Origin::Other,
            TRAP_BREAKPOINT if self.pc_is_behind => Origin::Breakpoint,
            TRAP_GENERAL_PROTECTION if self.instruction_may_be_refused() => Origin::GeneralProtection,
            TRAP_STACK_SEGMENT if self.instruction_may_be_refused() => Origin::StackSegment,
            _ => Origin::Other,
        }
    }

    /// Whether the instruction is `ud2`, `ud1` or `ud0`.
    #[cold]
    fn instruction_is_none(&self) -> bool {
        let pc = self.pc() as *const u8;
        // SAFETY: the processor was about to execute what is there, as in `instruction_may_be_refused`; no instruction
        // that begins with this byte is shorter than two.
        let byte = |index| unsafe { pc.wrapping_add(index).read_volatile() };
        with_all_rights(|| byte(0) == 0x0f && matches!(byte(1), 0x0b | 0xb9 | 0xff))
    }

    #[cold]
    fn instruction_may_be_refused(&self) -> bool {
        /// Registers by their number in encodings.
        const ENCODED: [i32; 16] = [
            libc::REG_RAX,
            libc::REG_RCX,
            libc::REG_RDX,
            libc::REG_RBX,
            libc::REG_RSP,
            libc::REG_RBP,
            libc::REG_RSI,
            libc::REG_RDI,
            libc::REG_R8,
            libc::REG_R9,
            libc::REG_R10,
            libc::REG_R11,
            libc::REG_R12,
            libc::REG_R13,
            libc::REG_R14,
            libc::REG_R15,
        ];
        let pc = self.get(libc::REG_RIP);
        if pc >> 47 != 0 {
            // A jump to no address, which some processors report at its end; or the kernel's own page.
            return true;
        }
        let mut next = pc as *const u8;
        let byte = || {
            // SAFETY: whether it faulted or was interrupted, the thread was about to execute the instruction, so that
            // its bytes are mapped, and on this architecture what can be executed can be read, with the rights below.
            let byte = unsafe { next.read_volatile() };
            next = next.wrapping_add(1);
            byte
        };
        let register = |number: u8| ENCODED.get(usize::from(number)).map_or(0, |&register| self.get(register) as u64);
        with_all_rights(|| protection_x86_64::can_fault(byte, register))
    }

    pub(crate) fn write_registers(&self, registers: &mut wasmtrap_registers_t) {
        // Whole arrays, which the compiler takes apart: as a loop this is a quarter of the handler's instructions.
        if let Some((known, others)) = registers.general.split_first_chunk_mut() {
            *known = DWARF_ORDER.map(|register| self.get(register) as u64);
            others.fill(0);
        }
        registers.pc = self.pc() as u64;
        registers.flags = self.get(libc::REG_EFL) as u64;
    }

    pub(crate) fn set_registers(&mut self, registers: &wasmtrap_registers_t) {
        for (general, register) in registers.general.iter().zip(DWARF_ORDER) {
            self.set(register, *general as i64);
        }
        // An untouched pc stays the kernel's, which after a breakpoint is the next instruction.
        if registers.pc != self.pc() as u64 {
            self.set(libc::REG_RIP, registers.pc as i64);
        }
        self.set(libc::REG_EFL, registers.flags as i64);
    }

    /// Lets the thread go on at `pc` with `sp`, in the state in which the ABI starts a function. rax becomes `sp` too,
    /// and before all else: the landing's unwind tables take it (`arch::protected_call`).
    pub(crate) fn resume_at(&mut self, pc: usize, sp: usize) {
        self.pc_is_behind = false;
        self.set(libc::REG_RAX, sp as i64);
        compiler_fence(SeqCst);
        self.set(libc::REG_RIP, pc as i64);
        self.set(libc::REG_RSP, sp as i64);
        self.set(libc::REG_EFL, self.get(libc::REG_EFL) & !(DIRECTION_FLAG | ALIGNMENT_CHECK));
    }
}

/// Runs `f` with all rights by protection keys: memory that can only be executed is memory with a key of its own.
fn with_all_rights<T>(f: impl FnOnce() -> T) -> T {
    if rights::place() == 0 {
        return f();
    }
    let before = read_rights();
    write_rights(0);
    let result = f();
    write_rights(before);
    result
}

fn read_rights() -> u32 {
    let rights: u32;
    // SAFETY: the kernel has turned protection keys on, or there would be no place for them in its frames.
    unsafe { asm!("rdpkru", in("ecx") 0, out("eax") rights, out("edx") _, options(nomem, nostack, preserves_flags)) };
    rights
}

fn write_rights(rights: u32) {
    // SAFETY: as above. No compiler moves an access to memory over this.
    unsafe { asm!("wrpkru", in("eax") rights, in("ecx") 0, in("edx") 0, options(nostack, preserves_flags)) };
}

#[cfg(test)]
#[path = "context_x86_64_tests.rs"]
mod tests;
