//! The registers in a signal's context: macOS on arm64 (`mcontext64`, XNU's bsd/arm/_mcontext.h).
//!
//! The program counter and the link register are plain addresses here: in a process that is arm64 and not arm64e the
//! kernel signs nothing (machine_thread_state_convert_to_user, osfmk/arm64/status.c). The word of flags after pstate,
//! which says so, is left as it came.

use libc::ucontext_t;

use super::aarch64_access;
use super::classify::Origin;
use crate::shared::abi::*;

/// Exception classes of the syndrome register (Arm ARM, ESR_EL1.EC).
const UNKNOWN_INSTRUCTION: u32 = 0x00;
const WAIT_INSTRUCTION: u32 = 0x01;
const VECTOR_INSTRUCTION: u32 = 0x07;
const SYSTEM_CALL: u32 = 0x15;
const SYSTEM_REGISTER: u32 = 0x18;
const MATRIX_INSTRUCTION: u32 = 0x1d;
const INSTRUCTION_ABORT: u32 = 0x20;
const MISALIGNED_PC: u32 = 0x22;
const DATA_ABORT: u32 = 0x24;
const MISALIGNED_SP: u32 = 0x26;
const FLOATING_POINT: u32 = 0x2c;
const BREAKPOINT_INSTRUCTION: u32 = 0x3c;

/// Of an abort's syndrome: the access was a write; the cause, and the one that is misalignment.
const WRITE: u32 = 1 << 6;
const CAUSE: u32 = 0x3f;
const MISALIGNMENT: u32 = 0x21;

/// PSTATE.BTYPE, which an indirect branch leaves behind.
const BRANCH_TYPE: u32 = 0b11 << 10;

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

    pub(crate) fn pc(&self) -> usize {
        self.0.__ss.__pc as usize
    }

    pub(crate) fn mask(&mut self) -> &mut libc::sigset_t {
        self.1
    }

    pub(crate) fn sp(&self) -> usize {
        self.0.__ss.__sp as usize
    }

    pub(crate) fn fp(&self) -> usize {
        self.0.__ss.__fp as usize
    }

    fn class(&self) -> u32 {
        self.0.__es.__esr >> 26
    }

    pub(crate) fn access(&self) -> wasmtrap_access_t {
        match self.class() {
            INSTRUCTION_ABORT => WASMTRAP_ACCESS_EXECUTE,
            DATA_ABORT if self.0.__es.__esr & WRITE != 0 => WASMTRAP_ACCESS_WRITE,
            DATA_ABORT => WASMTRAP_ACCESS_READ,
            _ => WASMTRAP_ACCESS_UNKNOWN,
        }
    }

    /// From the syndrome. An interrupt does not write that register, and yet XNU saves it with the others
    /// (SPILL_REGISTERS, osfmk/arm64/exception_asm.h): after an interrupt it tells of the processor's last exception,
    /// whosever that was. So an abort is believed only where the instruction can have caused it.
    pub(crate) fn origin(&self) -> Origin {
        match self.class() {
            INSTRUCTION_ABORT if self.0.__es.__far == self.0.__ss.__pc => Origin::Memory,
            DATA_ABORT if !self.instruction_explains_address() => Origin::Interrupt,
            DATA_ABORT if self.0.__es.__esr & CAUSE == MISALIGNMENT => Origin::Misaligned,
            DATA_ABORT => Origin::Memory,
            UNKNOWN_INSTRUCTION | WAIT_INSTRUCTION | VECTOR_INSTRUCTION | SYSTEM_REGISTER | MATRIX_INSTRUCTION => {
                Origin::Illegal
            }
            FLOATING_POINT => Origin::OtherArithmetic,
            BREAKPOINT_INSTRUCTION => Origin::Breakpoint,
            MISALIGNED_PC | MISALIGNED_SP => Origin::Fatal,
            SYSTEM_CALL => Origin::SystemCall,
            _ => Origin::Interrupt,
        }
    }

    fn instruction_explains_address(&self) -> bool {
        let pc = self.0.__ss.__pc;
        // SAFETY: whether it faulted or was interrupted, the thread was about to execute the instruction.
        let instruction = unsafe { (pc as *const u32).read() };
        aarch64_access::can_touch(instruction, self.0.__es.__far, pc, |number| match number {
            0..=28 => self.0.__ss.__x.get(number as usize).copied().unwrap_or(0),
            29 => self.0.__ss.__fp,
            30 => self.0.__ss.__lr,
            _ => self.0.__ss.__sp,
        })
    }

    pub(crate) fn write_registers(&self, registers: &mut wasmtrap_registers_t) {
        let state = &self.0.__ss;
        (registers.pc, registers.flags) = (state.__pc, u64::from(state.__cpsr));
        let known = state.__x.iter().chain([&state.__fp, &state.__lr, &state.__sp]);
        for (general, register) in registers.general.iter_mut().zip(known) {
            *general = *register;
        }
    }

    pub(crate) fn set_registers(&mut self, registers: &wasmtrap_registers_t) {
        let state = &mut self.0.__ss;
        let known = state.__x.iter_mut().chain([&mut state.__fp, &mut state.__lr, &mut state.__sp]);
        for (register, general) in known.zip(registers.general) {
            *register = general;
        }
        state.__pc = registers.pc;
        state.__cpsr = registers.flags as u32;
    }

    /// Lets the thread go on at `pc` with `sp`, in the state in which the ABI starts a function.
    pub(crate) fn resume_at(&mut self, pc: usize, sp: usize) {
        let state = &mut self.0.__ss;
        state.__pc = pc as u64;
        state.__sp = sp as u64;
        state.__cpsr &= !BRANCH_TYPE;
        // The landing ends a streaming mode if this says so; what XNU tells of it is not known.
        state.__x[12] = 0;
    }
}
