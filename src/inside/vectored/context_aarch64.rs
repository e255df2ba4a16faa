//! The registers in an exception's context: arm64.

/// The context of this processor; that of arm64 where the unit tests run on another one.
#[cfg(target_arch = "aarch64")]
use windows_sys::Win32::System::Diagnostics::Debug::CONTEXT;
use windows_sys::Win32::System::Diagnostics::Debug::{
    CONTEXT_CONTROL_ARM64, CONTEXT_EXCEPTION_ACTIVE_ARM64, CONTEXT_EXCEPTION_REPORTING_ARM64,
    CONTEXT_EXCEPTION_REQUEST_ARM64, CONTEXT_FLAGS, CONTEXT_INTEGER_ARM64, CONTEXT_SERVICE_ACTIVE_ARM64,
};

#[cfg(not(target_arch = "aarch64"))]
use windows_sys::Win32::System::Diagnostics::Debug::ARM64_NT_CONTEXT as CONTEXT;

use crate::inside::decide::Fault;
use crate::inside::machine::Machine;
use crate::shared::abi::*;

// Either is what the comments in <winnt.h> say of ARM64_NT_CONTEXT.
const _: () = assert!(core::mem::offset_of!(CONTEXT, Cpsr) == 0x4 && core::mem::offset_of!(CONTEXT, Anonymous) == 0x8);
const _: () = assert!(core::mem::offset_of!(CONTEXT, Sp) == 0x100 && core::mem::offset_of!(CONTEXT, Pc) == 0x108);
const _: () = assert!(size_of::<CONTEXT>() == 0x390);

/// The registers that a trap needs and sets, of a thread that is suspended. x18 has a flag of its own
/// (CONTEXT_ARM64_X18 of <winnt.h>), without which the kernel leaves it alone.
pub(super) const REGISTERS: CONTEXT_FLAGS = CONTEXT_CONTROL_ARM64 | CONTEXT_INTEGER_ARM64;
/// Asks whether the kernel is about to go on with a copy of them; it has answered; and it is.
pub(super) const ASKS_WHETHER_BUSY: CONTEXT_FLAGS = CONTEXT_EXCEPTION_REQUEST_ARM64;
pub(super) const TELLS_WHETHER_BUSY: CONTEXT_FLAGS = CONTEXT_EXCEPTION_REPORTING_ARM64;
pub(super) const BUSY: CONTEXT_FLAGS = CONTEXT_EXCEPTION_ACTIVE_ARM64 | CONTEXT_SERVICE_ACTIVE_ARM64;

/// How the last branch was made (PSTATE.BTYPE): a trap arrives by none.
const BRANCH_TYPE: u32 = 3 << 10;

const FRAME_POINTER: usize = 29;
/// Has the thread's block, and is not the program's to change.
const PLATFORM_REGISTER: usize = 18;
const STACK_POINTER: usize = 31;

/// The registers, and what the exception's record says of the access.
pub(crate) struct Context<'a>(&'a mut CONTEXT, wasmtrap_access_t);

impl<'a> Context<'a> {
    pub(crate) fn new(context: &'a mut CONTEXT, access: wasmtrap_access_t) -> Self {
        Self(context, access)
    }

    /// The instruction that faulted, also for a breakpoint.
    pub(crate) fn pc(&self) -> usize {
        self.0.Pc as usize
    }

    /// x0 to x30.
    fn general(&self) -> &[u64; 31] {
        // SAFETY: both parts of the union are the same 31 words.
        unsafe { &self.0.Anonymous.X }
    }

    fn general_mut(&mut self) -> &mut [u64; 31] {
        // SAFETY: as above.
        unsafe { &mut self.0.Anonymous.X }
    }
}

impl Machine for Context<'_> {
    fn sp(&self) -> usize {
        self.0.Sp as usize
    }

    fn fp(&self) -> usize {
        self.general()[FRAME_POINTER] as usize
    }

    fn access(&self, _fault: &Fault) -> wasmtrap_access_t {
        self.1
    }

    fn write_registers(&self, registers: &mut wasmtrap_registers_t) {
        for (general, register) in registers.general.iter_mut().zip(self.general()) {
            *general = *register;
        }
        registers.general[STACK_POINTER] = self.0.Sp;
        (registers.pc, registers.flags) = (self.0.Pc, u64::from(self.0.Cpsr));
    }

    fn set_registers(&mut self, registers: &wasmtrap_registers_t) {
        for (number, (register, general)) in self.general_mut().iter_mut().zip(registers.general).enumerate() {
            if number != PLATFORM_REGISTER {
                *register = general;
            }
        }
        self.0.Sp = registers.general[STACK_POINTER];
        (self.0.Pc, self.0.Cpsr) = (registers.pc, registers.flags as u32);
    }

    /// The handler has the rights of the code that it interrupted.
    fn can_read_arguments(&self) -> bool {
        true
    }

    /// The stack pointer of a protected call is at its activation.
    fn resume_at(&mut self, pc: usize, sp: usize) {
        (self.0.Pc, self.0.Sp) = (pc as u64, sp as u64);
        self.0.Cpsr &= !BRANCH_TYPE;
    }
}

#[cfg(test)]
#[path = "context_aarch64_tests.rs"]
mod tests;
