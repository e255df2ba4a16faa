//! arm64: osfmk/arm64/sleh.c (exceptions), osfmk/arm64/status.c (thread states), osfmk/mach/arm/thread_status.h.

use super::Fault;
use super::thread_state::long;
use crate::constants::*;
use crate::trace::{memory, ptrace};

/// The registers of a thread that is stopped (NT_PRSTATUS).
#[derive(Clone, Copy)]
pub(crate) struct Registers(pub(super) libc::user_regs_struct);

const NT_ARM_SYSTEM_CALL: i32 = 0x404;
/// The system call in which a thread waits: without arguments it waits for a signal.
const PARKED_IN: u64 = libc::SYS_ppoll as u64;
const NO_SYSTEM_CALL: i32 = -1;

pub(crate) const AUDIT_ARCH: u32 = 0xc000_00b7;

/// ARM_THREAD_STATE and ARM_THREAD_STATE64.
pub(super) const ANY_STATE: u32 = 1;
pub(super) const STATE: u32 = 6;
const ARM_THREAD_STATE32: u32 = 9;
const FLAVOR_MAX: u32 = 43;
/// ARM_THREAD_STATE64_COUNT
pub(super) const STATE_WORDS: usize = 68;
/// __DARWIN_ARM_THREAD_STATE64_FLAGS_NO_PTRAUTH: pointers in the state are not signed.
const NO_PTRAUTH: u32 = 1;
/// The condition flags, which are all of it that a program may set (PSR64_USER_MASK, osfmk/arm64/proc_reg.h).
const CPSR_USER: u32 = 0xf000_0000;

const EXC_ARM_UNDEFINED: i64 = 1;
const EXC_ARM_BREAKPOINT: i64 = 1;
const EXC_ARM_DA_ALIGN: i64 = 0x101;
const EXC_ARM_SP_ALIGN: i64 = 0x102;

/// VALID_THREAD_STATE_FLAVOR
pub(crate) fn is_valid_flavor(flavor: u32) -> bool {
    (ANY_STATE..=FLAVOR_MAX).contains(&flavor)
}

/// FLAVOR_MODIFIES_CORE_CPU_REGISTERS
pub(crate) fn changes_core_registers(flavor: u32) -> bool {
    matches!(flavor, ANY_STATE | STATE | ARM_THREAD_STATE32)
}

impl Registers {
    /// The operation and the address of its arguments (library/src/call.c).
    pub(crate) fn call_arguments(&self) -> (u64, u64) {
        (self.0.regs[0], self.0.regs[1])
    }

    /// The instruction with which the library calls.
    pub(crate) fn call_instruction(&self) -> u64 {
        self.0.pc - 4
    }

    /// Whether a thread that ends does so because it has asked for it, or for the end of its process.
    pub(crate) fn asks_for_the_end(&self) -> bool {
        [libc::SYS_exit, libc::SYS_exit_group].contains(&(self.0.regs[8] as i64))
    }

    fn replace_call(tid: libc::pid_t, number: i32) {
        ptrace::set_registers(tid, NT_ARM_SYSTEM_CALL, &number);
    }

    /// Skips the system call; the thread sees `result`.
    pub(crate) fn finish_call(&mut self, tid: libc::pid_t, result: i64) {
        Registers::replace_call(tid, NO_SYSTEM_CALL);
        self.0.regs[0] = result as u64;
    }

    /// The thread is to wait in the place of its call. Linux restarts it from x8.
    pub(crate) fn park(&mut self, tid: libc::pid_t) {
        Registers::replace_call(tid, PARKED_IN as i32);
        self.0.regs[8] = PARKED_IN;
        self.0.regs[..5].fill(0);
    }

    /// The thread, wherever it is, is to end itself.
    pub(crate) fn exit_at(&mut self, call_instruction: u64) {
        self.0.pc = call_instruction;
        self.0.regs[8] = libc::SYS_exit as u64;
        self.0.regs[0] = 0;
    }

    /// The words of the thread state.
    pub(super) fn words(&self) -> Vec<u32> {
        let longs = self.0.regs.iter().chain([&self.0.sp, &self.0.pc]);
        let words = longs.flat_map(|long| [*long as u32, (*long >> 32) as u32]);
        words.chain([self.0.pstate as u32 & CPSR_USER, NO_PTRAUTH]).collect()
    }

    /// saved_state64 from arm_thread_state64_t
    pub(super) fn set_words(&mut self, words: &[u32; STATE_WORDS]) -> Result<(), KernReturn> {
        let registers = self.0.regs.iter_mut().chain([&mut self.0.sp, &mut self.0.pc]);
        for (index, register) in registers.enumerate() {
            *register = long(words, index);
        }
        self.0.pstate = self.0.pstate & !u64::from(CPSR_USER) | u64::from(words[STATE_WORDS - 2] & CPSR_USER);
        Ok(())
    }
}

/// The exception of handle_abort, handle_uncategorized and handle_breakpoint for what Linux made a signal of.
pub(crate) fn fault(tid: libc::pid_t, signal: i32, code: i32, address: u64, registers: &Registers) -> Option<Fault> {
    let bad_access = |code: i64| Fault { exception: EXC_BAD_ACCESS, code, subcode: address as i64 };
    match (signal, code) {
        (libc::SIGSEGV, 1) => Some(bad_access(KERN_INVALID_ADDRESS.into())),
        (libc::SIGSEGV, 2) => Some(bad_access(KERN_PROTECTION_FAILURE.into())),
        (libc::SIGBUS, libc::BUS_ADRERR) => Some(bad_access(KERN_MEMORY_ERROR.into())),
        (libc::SIGBUS, libc::BUS_ADRALN) => {
            let code = if registers.0.sp & 15 != 0 { EXC_ARM_SP_ALIGN } else { EXC_ARM_DA_ALIGN };
            Some(bad_access(code))
        }
        (libc::SIGILL, _) => {
            let instruction = memory::read(tid, registers.0.pc, 4).unwrap_or_default();
            let subcode = instruction.iter().rev().fold(0, |word, byte| word << 8 | i64::from(*byte));
            Some(Fault { exception: EXC_BAD_INSTRUCTION, code: EXC_ARM_UNDEFINED, subcode })
        }
        (libc::SIGTRAP, _) => {
            let subcode = registers.0.pc as i64;
            Some(Fault { exception: EXC_BREAKPOINT, code: EXC_ARM_BREAKPOINT, subcode })
        }
        _ => None,
    }
}
