//! The registers in an exception's context: x86-64.

use windows_sys::Win32::System::Diagnostics::Debug::{
    CONTEXT, CONTEXT_CONTROL_AMD64, CONTEXT_EXCEPTION_ACTIVE_AMD64, CONTEXT_EXCEPTION_REPORTING_AMD64,
    CONTEXT_EXCEPTION_REQUEST_AMD64, CONTEXT_FLAGS, CONTEXT_INTEGER_AMD64, CONTEXT_SERVICE_ACTIVE_AMD64,
};

use crate::arch;
use crate::inside::decide::Fault;
use crate::inside::machine::Machine;
use crate::shared::abi::*;

/// The registers that a trap needs and sets, of a thread that is suspended.
pub(super) const REGISTERS: CONTEXT_FLAGS = CONTEXT_CONTROL_AMD64 | CONTEXT_INTEGER_AMD64;
/// Asks whether the kernel is about to go on with a copy of them; it has answered; and it is.
pub(super) const ASKS_WHETHER_BUSY: CONTEXT_FLAGS = CONTEXT_EXCEPTION_REQUEST_AMD64;
pub(super) const TELLS_WHETHER_BUSY: CONTEXT_FLAGS = CONTEXT_EXCEPTION_REPORTING_AMD64;
pub(super) const BUSY: CONTEXT_FLAGS = CONTEXT_EXCEPTION_ACTIVE_AMD64 | CONTEXT_SERVICE_ACTIVE_AMD64;

const DIRECTION_FLAG: u32 = 1 << 10;
const ALIGNMENT_CHECK: u32 = 1 << 18;

/// The registers, and what the exception's record says of the access.
pub(crate) struct Context<'a>(&'a mut CONTEXT, wasmtrap_access_t);

impl<'a> Context<'a> {
    pub(crate) fn new(context: &'a mut CONTEXT, access: wasmtrap_access_t) -> Self {
        Self(context, access)
    }

    /// The instruction that faulted. That is so for a breakpoint too: the kernel puts the program counter back to it.
    pub(crate) fn pc(&self) -> usize {
        self.0.Rip as usize
    }
}

impl Machine for Context<'_> {
    fn sp(&self) -> usize {
        self.0.Rsp as usize
    }

    fn fp(&self) -> usize {
        self.0.Rbp as usize
    }

    fn access(&self, _fault: &Fault) -> wasmtrap_access_t {
        self.1
    }

    fn write_registers(&self, registers: &mut wasmtrap_registers_t) {
        let context = &self.0;
        // The order of wasmtrap_registers_t, which is DWARF's.
        let known = [
            context.Rax,
            context.Rdx,
            context.Rcx,
            context.Rbx,
            context.Rsi,
            context.Rdi,
            context.Rbp,
            context.Rsp,
            context.R8,
            context.R9,
            context.R10,
            context.R11,
            context.R12,
            context.R13,
            context.R14,
            context.R15,
        ];
        let mut sources = known.iter();
        for general in &mut registers.general {
            *general = sources.next().map_or(0, |register| *register);
        }
        (registers.pc, registers.flags) = (context.Rip, u64::from(context.EFlags));
    }

    fn set_registers(&mut self, registers: &wasmtrap_registers_t) {
        let context = &mut self.0;
        let known = [
            &mut context.Rax,
            &mut context.Rdx,
            &mut context.Rcx,
            &mut context.Rbx,
            &mut context.Rsi,
            &mut context.Rdi,
            &mut context.Rbp,
            &mut context.Rsp,
            &mut context.R8,
            &mut context.R9,
            &mut context.R10,
            &mut context.R11,
            &mut context.R12,
            &mut context.R13,
            &mut context.R14,
            &mut context.R15,
        ];
        for (register, general) in known.into_iter().zip(registers.general) {
            *register = general;
        }
        (context.Rip, context.EFlags) = (registers.pc, registers.flags as u32);
    }

    /// The handler has the rights of the code that it interrupted.
    fn can_read_arguments(&self) -> bool {
        true
    }

    /// Below the activation the frame of `wasmtrap_call` goes on, with the registers that it saves and the room that
    /// every function has for its callees.
    fn resume_at(&mut self, pc: usize, sp: usize) {
        let context = &mut self.0;
        context.Rip = pc as u64;
        context.Rsp = sp.wrapping_sub(arch::BELOW_ACTIVATION) as u64;
        context.EFlags &= !(DIRECTION_FLAG | ALIGNMENT_CHECK);
    }
}
