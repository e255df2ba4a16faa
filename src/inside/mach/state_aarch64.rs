//! The registers in an exception message: ARM_THREAD_STATE64 (struct arm_thread_state64, osfmk/mach/arm/_structs.h), in
//! 32-bit words. The last one, `__flags`, says whether pointers are signed, and stays as it came.

use crate::inside::decide::Fault;
use crate::inside::machine::Machine;
use crate::shared::abi::*;

/// ARM_THREAD_STATE64, osfmk/mach/arm/thread_status.h.
pub(crate) const FLAVOR: u32 = 6;
pub(crate) const COUNT: usize = 68;

/// The words of a thread's state.
pub(crate) type Words = [u32; COUNT];

/// Registers by their place, in 64-bit units: x0 to x28, fp, lr, sp, pc; then cpsr, in half of one.
const FP: usize = 29;
const LR: usize = 30;
const SP: usize = 31;
const PC: usize = 32;
const CPSR_WORD: usize = 66;

/// How the last branch was made (PSTATE.BTYPE): a trap arrives by none.
const BRANCH_TYPE: u32 = 3 << 10;

/// A thread's state. The program counter is always at the instruction that faulted.
pub(crate) struct State<'a> {
    words: &'a mut Words,
}

impl<'a> State<'a> {
    pub(crate) fn new(words: &'a mut Words, _pc_is_behind: bool) -> Self {
        Self { words }
    }

    fn get(&self, register: usize) -> u64 {
        let word = |index| u64::from(self.words.get(index).copied().unwrap_or(0));
        word(2 * register) | word(2 * register + 1) << 32
    }

    fn set(&mut self, register: usize, value: u64) {
        for (half, place) in self.words.iter_mut().skip(2 * register).take(2).enumerate() {
            *place = (value >> (32 * half)) as u32;
        }
    }

    fn cpsr(&self) -> u32 {
        self.words.get(CPSR_WORD).copied().unwrap_or(0)
    }

    fn set_cpsr(&mut self, value: u32) {
        if let Some(place) = self.words.get_mut(CPSR_WORD) {
            *place = value;
        }
    }

    pub(crate) fn pc(&self) -> usize {
        self.get(PC) as usize
    }

    /// Has the instruction run again, so that it faults again: it will.
    pub(crate) fn run_again(&mut self) {}

    /// Whether an indirect branch has come to the instruction, as far as the processor tells.
    pub(crate) fn came_by_branch(&self) -> bool {
        self.cpsr() & BRANCH_TYPE != 0
    }

    /// Has the thread enter the trampoline with the thread's record, on the stack whose top is `sp`. `kept` is where
    /// these words are kept, by which it is unwound.
    pub(crate) fn enter(&mut self, trampoline: usize, record: usize, kept: usize, sp: usize) {
        self.resume_at(trampoline, sp);
        for (register, value) in [(0, record), (19, record), (20, kept), (FP, 0), (LR, 0)] {
            self.set(register, value as u64);
        }
    }
}

impl Machine for State<'_> {
    fn sp(&self) -> usize {
        self.get(SP) as usize
    }

    fn fp(&self) -> usize {
        self.get(FP) as usize
    }

    /// The thread's state has no syndrome register; what can be told is whether the fetch failed.
    fn may_be_disturbed(&self) -> bool {
        true
    }

    fn access(&self, fault: &Fault) -> wasmtrap_access_t {
        if fault.address == Some(fault.pc) { WASMTRAP_ACCESS_EXECUTE } else { WASMTRAP_ACCESS_UNKNOWN }
    }

    /// x0 to x30 and sp are in the order of wasmtrap_registers_t already.
    fn write_registers(&self, registers: &mut wasmtrap_registers_t) {
        for (register, general) in registers.general.iter_mut().enumerate() {
            *general = self.get(register);
        }
        registers.pc = self.get(PC);
        registers.flags = u64::from(self.cpsr());
    }

    fn set_registers(&mut self, registers: &wasmtrap_registers_t) {
        for (register, general) in registers.general.iter().enumerate() {
            self.set(register, *general);
        }
        self.set(PC, registers.pc);
        self.set_cpsr(registers.flags as u32);
    }

    fn resume_at(&mut self, pc: usize, sp: usize) {
        self.set(PC, pc as u64);
        self.set(SP, sp as u64);
        self.set_cpsr(self.cpsr() & !BRANCH_TYPE);
    }
}

#[cfg(test)]
#[path = "state_tests.rs"]
mod tests;
