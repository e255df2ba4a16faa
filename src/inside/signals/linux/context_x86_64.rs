//! The registers in a signal's context: Linux on x86-64 (`struct sigcontext_64`,
//! arch/x86/include/uapi/asm/sigcontext.h).

use libc::ucontext_t;

use super::classify::Origin;
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

/// Trap numbers of the processor, as the kernel leaves them in the context (arch/x86/include/asm/trapnr.h).
const TRAP_BREAKPOINT: i64 = 3;
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

pub(crate) struct Context<'a>(&'a mut ucontext_t);

impl<'a> Context<'a> {
    pub(crate) fn new(context: &'a mut ucontext_t) -> Self {
        Self(context)
    }

    /// Whether the structure is a signal's context at all: a zeroed one, which a test or a careless caller may bring, has
    /// neither a program counter nor a stack.
    pub(crate) fn is_one(context: &mut ucontext_t) -> bool {
        let context = Context::new(context);
        context.pc() != 0 || context.sp() != 0
    }

    pub(crate) fn as_raw(&self) -> &ucontext_t {
        self.0
    }

    fn get(&self, register: i32) -> i64 {
        self.0.uc_mcontext.gregs.get(register as usize).copied().unwrap_or(0)
    }

    fn set(&mut self, register: i32, value: i64) {
        if let Some(place) = self.0.uc_mcontext.gregs.get_mut(register as usize) {
            *place = value;
        }
    }

    /// The instruction that faulted. The processor reports a breakpoint after its one byte.
    pub(crate) fn pc(&self) -> usize {
        let pc = self.get(libc::REG_RIP) as usize;
        if self.get(libc::REG_TRAPNO) == TRAP_BREAKPOINT { pc.wrapping_sub(1) } else { pc }
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
    /// general protection faults are.
    pub(crate) fn origin(&self) -> Origin {
        match self.get(libc::REG_TRAPNO) {
            TRAP_BREAKPOINT => Origin::Breakpoint,
            _ => Origin::Other,
        }
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

    /// Lets the thread go on at `pc` with `sp`, in the state in which the ABI starts a function.
    pub(crate) fn resume_at(&mut self, pc: usize, sp: usize) {
        self.set(libc::REG_RIP, pc as i64);
        self.set(libc::REG_RSP, sp as i64);
        self.set(libc::REG_EFL, self.get(libc::REG_EFL) & !(DIRECTION_FLAG | ALIGNMENT_CHECK));
    }
}
