//! The registers in an exception message: x86_THREAD_STATE64 (struct x86_thread_state64, osfmk/mach/i386/_structs.h),
//! in 32-bit words.

use crate::inside::decide::Fault;
use crate::inside::machine::Machine;
use crate::shared::abi::*;

/// x86_THREAD_STATE64, osfmk/mach/i386/thread_status.h.
pub(crate) const FLAVOR: u32 = 4;
pub(crate) const COUNT: usize = 42;

/// The words of a thread's state.
pub(crate) type Words = [u32; COUNT];

/// Registers by their place, in 64-bit units: rax, rbx, rcx, rdx, rdi, rsi, rbp, rsp, r8 to r15, rip, rflags, segments.
const RAX: usize = 0;
const RBX: usize = 1;
const RDI: usize = 4;
const RBP: usize = 6;
const RSP: usize = 7;
const R13: usize = 13;
const RIP: usize = 16;
const RFLAGS: usize = 17;

/// The places in the order of wasmtrap_registers_t, which is DWARF's.
const DWARF_ORDER: [usize; 16] = [0, 3, 2, 1, 5, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

const DIRECTION_FLAG: u64 = 1 << 10;
const ALIGNMENT_CHECK: u64 = 1 << 18;

/// The vector state where there is no XSAVE.
pub(crate) const FXSAVE_SIZE: usize = 512;

/// Bytes that the vector state needs, a multiple of 64: from CPUID.1:ECX, and from CPUID.(0DH, 0):ECX, which there is
/// with XSAVE only. That is enough for all that the processor has, whatever the kernel turns on later (Intel's manual,
/// volume 1, 13.2; macOS turns AVX-512 on at its first use).
pub(crate) fn size_of_vectors(features: u32, largest_area: impl FnOnce() -> u32) -> usize {
    const OSXSAVE: u32 = 1 << 27;
    if features & OSXSAVE == 0 { FXSAVE_SIZE } else { (largest_area() as usize).next_multiple_of(64) }
}

/// A thread's state, and whether its program counter is behind the instruction that faulted.
pub(crate) struct State<'a> {
    words: &'a mut Words,
    pc_is_behind: bool,
}

impl<'a> State<'a> {
    pub(crate) fn new(words: &'a mut Words, pc_is_behind: bool) -> Self {
        Self { words, pc_is_behind }
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

    /// The instruction that faulted. `int3` is one byte long.
    pub(crate) fn pc(&self) -> usize {
        (self.get(RIP) as usize).wrapping_sub(usize::from(self.pc_is_behind))
    }

    /// Has the instruction run again, so that it faults again.
    pub(crate) fn run_again(&mut self) {
        self.set(RIP, self.pc() as u64);
        self.pc_is_behind = false;
    }

    /// Whether an indirect branch has come to the instruction, as far as the processor tells.
    pub(crate) fn came_by_branch(&self) -> bool {
        false
    }

    /// Has the thread enter the trampoline with the thread's record, on the stack whose top is `sp`. `kept` is where
    /// these words are kept, by which it is unwound.
    pub(crate) fn enter(&mut self, trampoline: usize, record: usize, kept: usize, sp: usize) {
        self.resume_at(trampoline, sp);
        for (register, value) in [(RDI, record), (RBX, record), (R13, kept), (RBP, 0)] {
            self.set(register, value as u64);
        }
    }
}

impl Machine for State<'_> {
    fn sp(&self) -> usize {
        self.get(RSP) as usize
    }

    fn fp(&self) -> usize {
        self.get(RBP) as usize
    }

    /// The thread's state has no error code of the processor; what can be told is whether the fetch failed.
    fn may_be_disturbed(&self) -> bool {
        true
    }

    fn access(&self, fault: &Fault) -> wasmtrap_access_t {
        if fault.address == Some(fault.pc) { WASMTRAP_ACCESS_EXECUTE } else { WASMTRAP_ACCESS_UNKNOWN }
    }

    fn write_registers(&self, registers: &mut wasmtrap_registers_t) {
        let mut sources = DWARF_ORDER.iter();
        for general in &mut registers.general {
            *general = sources.next().map_or(0, |&register| self.get(register));
        }
        registers.pc = self.pc() as u64;
        registers.flags = self.get(RFLAGS);
    }

    fn set_registers(&mut self, registers: &wasmtrap_registers_t) {
        for (general, register) in registers.general.iter().zip(DWARF_ORDER) {
            self.set(register, *general);
        }
        // An untouched pc stays the kernel's, which after a breakpoint is the next instruction.
        if registers.pc != self.pc() as u64 {
            self.set(RIP, registers.pc);
        }
        self.set(RFLAGS, registers.flags);
    }

    /// rax becomes `sp` too: the landing's unwind tables take it (`arch::protected_call`).
    fn resume_at(&mut self, pc: usize, sp: usize) {
        self.set(RAX, sp as u64);
        self.set(RIP, pc as u64);
        self.set(RSP, sp as u64);
        self.set(RFLAGS, self.get(RFLAGS) & !(DIRECTION_FLAG | ALIGNMENT_CHECK));
        self.pc_is_behind = false;
    }
}

#[cfg(test)]
#[path = "state_tests.rs"]
mod tests;
