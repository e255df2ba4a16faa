//! The registers in a signal's context: macOS on x86-64 (`mcontext64`, XNU's bsd/i386/_mcontext.h).

use core::sync::atomic::Ordering::SeqCst;
use core::sync::atomic::compiler_fence;

use libc::ucontext_t;

use super::classify::Origin;
use crate::shared::abi::*;

/// Trap numbers of the processor, and one of XNU's own, as the kernel leaves them in the exception state
/// (osfmk/i386/trap.h). They are as new as the context: every entry into the kernel writes its own
/// (osfmk/x86_64/idt64.s), an interrupt its vector.
const DIVIDE_ERROR: u16 = 0;
const BREAKPOINT: u16 = 3;
const OVERFLOW: u16 = 4;
const INVALID_OPCODE: u16 = 6;
const STACK_FAULT: u16 = 12;
const GENERAL_PROTECTION: u16 = 13;
const PAGE_FAULT: u16 = 14;
const FLOATING_POINT_ERROR: u16 = 16;
const SSE_FLOAT_ERROR: u16 = 19;
const PROCESSORS_TRAPS: core::ops::Range<u16> = 0..32;
const SYSTEM_CALL: u16 = 0x85;

/// Bits of a page fault's error code.
const PAGE_FAULT_WRITE: u32 = 1 << 1;
const PAGE_FAULT_FETCH: u32 = 1 << 4;

const DIRECTION_FLAG: u64 = 1 << 10;
const ALIGNMENT_CHECK: u64 = 1 << 18;

/// The registers, and the signal mask that the thread goes on with.
pub(crate) struct Context<'a>(&'a mut libc::__darwin_mcontext64, &'a mut libc::sigset_t);

impl<'a> Context<'a> {
    pub(crate) fn new(context: &'a mut ucontext_t, _signal: libc::c_int, _code: i32) -> Self {
        // SAFETY: a signal's context points to the machine's part of it, which is as long on the stack as itself.
        Self(unsafe { &mut *context.uc_mcontext }, &mut context.uc_sigmask)
    }

    /// Whether the structure is a signal's context at all: a zeroed one, which a test or a careless caller may bring,
    /// does not point to registers. Nothing is followed before that is known.
    pub(crate) fn is_one(context: &mut ucontext_t) -> bool {
        if context.uc_mcontext.is_null() || !context.uc_mcontext.is_aligned() {
            return false;
        }
        let context = Context::new(context, 0, 0);
        context.pc() != 0 || context.sp() != 0
    }

    /// The instruction that faulted. The processor reports a breakpoint after its one byte.
    pub(crate) fn pc(&self) -> usize {
        let pc = self.0.__ss.__rip as usize;
        if self.0.__es.__trapno == BREAKPOINT { pc.wrapping_sub(1) } else { pc }
    }

    pub(crate) fn mask(&mut self) -> &mut libc::sigset_t {
        self.1
    }

    pub(crate) fn sp(&self) -> usize {
        self.0.__ss.__rsp as usize
    }

    pub(crate) fn fp(&self) -> usize {
        self.0.__ss.__rbp as usize
    }

    pub(crate) fn access(&self) -> wasmtrap_access_t {
        let error = self.0.__es.__err;
        match self.0.__es.__trapno {
            PAGE_FAULT if error & PAGE_FAULT_FETCH != 0 => WASMTRAP_ACCESS_EXECUTE,
            PAGE_FAULT if error & PAGE_FAULT_WRITE != 0 => WASMTRAP_ACCESS_WRITE,
            PAGE_FAULT => WASMTRAP_ACCESS_READ,
            _ => WASMTRAP_ACCESS_UNKNOWN,
        }
    }

    pub(crate) fn origin(&self) -> Origin {
        match self.0.__es.__trapno {
            PAGE_FAULT => Origin::Memory,
            GENERAL_PROTECTION | STACK_FAULT => Origin::MemorySomewhere,
            INVALID_OPCODE => Origin::Illegal,
            DIVIDE_ERROR | OVERFLOW => Origin::IntegerDivision,
            FLOATING_POINT_ERROR | SSE_FLOAT_ERROR => Origin::OtherArithmetic,
            BREAKPOINT => Origin::Breakpoint,
            SYSTEM_CALL => Origin::SystemCall,
            trap if PROCESSORS_TRAPS.contains(&trap) => Origin::Fatal,
            _ => Origin::Interrupt,
        }
    }

    pub(crate) fn write_registers(&self, registers: &mut wasmtrap_registers_t) {
        let state = &self.0.__ss;
        // The order of wasmtrap_registers_t, which is DWARF's.
        let known = [
            state.__rax,
            state.__rdx,
            state.__rcx,
            state.__rbx,
            state.__rsi,
            state.__rdi,
            state.__rbp,
            state.__rsp,
            state.__r8,
            state.__r9,
            state.__r10,
            state.__r11,
            state.__r12,
            state.__r13,
            state.__r14,
            state.__r15,
        ];
        let mut sources = known.iter();
        for general in &mut registers.general {
            *general = sources.next().map_or(0, |register| *register);
        }
        (registers.pc, registers.flags) = (self.pc() as u64, state.__rflags);
    }

    pub(crate) fn set_registers(&mut self, registers: &wasmtrap_registers_t) {
        // An untouched pc stays the kernel's, which after a breakpoint is the next instruction.
        let pc_is_new = registers.pc != self.pc() as u64;
        let state = &mut self.0.__ss;
        let known = [
            &mut state.__rax,
            &mut state.__rdx,
            &mut state.__rcx,
            &mut state.__rbx,
            &mut state.__rsi,
            &mut state.__rdi,
            &mut state.__rbp,
            &mut state.__rsp,
            &mut state.__r8,
            &mut state.__r9,
            &mut state.__r10,
            &mut state.__r11,
            &mut state.__r12,
            &mut state.__r13,
            &mut state.__r14,
            &mut state.__r15,
        ];
        for (register, general) in known.into_iter().zip(registers.general) {
            *register = general;
        }
        if pc_is_new {
            state.__rip = registers.pc;
        }
        state.__rflags = registers.flags;
    }

    /// Lets the thread go on at `pc` with `sp`, in the state in which the ABI starts a function. rax becomes `sp` too,
    /// and before all else: the landing's unwind tables take it (`arch::protected_call`).
    pub(crate) fn resume_at(&mut self, pc: usize, sp: usize) {
        let state = &mut self.0.__ss;
        state.__rax = sp as u64;
        compiler_fence(SeqCst);
        state.__rip = pc as u64;
        state.__rsp = sp as u64;
        state.__rflags &= !(DIRECTION_FLAG | ALIGNMENT_CHECK);
    }
}
