//! Thread states by flavor, the same on every machine: the state itself, or a header that says which state follows
//! (x86_THREAD_STATE, ARM_THREAD_STATE).

use super::{ANY_STATE, Registers, STATE, STATE_WORDS};
use crate::constants::{KERN_INVALID_ARGUMENT, KernReturn};
use crate::trace::ptrace;

/// Flavor and count.
const HEADER_WORDS: usize = 2;

/// The `index`th number of 64 bits.
pub(super) fn long(words: &[u32], index: usize) -> u64 {
    u64::from(words[index * 2]) | u64::from(words[index * 2 + 1]) << 32
}

impl Registers {
    /// Of a thread that is stopped.
    pub(crate) fn of(tid: libc::pid_t) -> Option<Registers> {
        ptrace::registers(tid, ptrace::NT_PRSTATUS).map(Registers)
    }

    pub(crate) fn apply(&self, tid: libc::pid_t) -> bool {
        ptrace::set_registers(tid, ptrace::NT_PRSTATUS, &self.0)
    }

    /// machine_thread_get_state
    pub(crate) fn state(&self, flavor: u32) -> Option<Vec<u32>> {
        match flavor {
            STATE => Some(self.words()),
            ANY_STATE => Some([STATE, STATE_WORDS as u32].into_iter().chain(self.words()).collect()),
            _ => None,
        }
    }

    /// machine_thread_set_state. What is longer than a state is taken for as much as one is.
    pub(crate) fn set_state(&mut self, flavor: u32, words: &[u32]) -> Result<(), KernReturn> {
        let words = match (flavor, words) {
            (STATE, words) => words,
            (ANY_STATE, [STATE, count, rest @ ..]) if *count as usize == STATE_WORDS => rest,
            _ => return Err(KERN_INVALID_ARGUMENT),
        };
        self.set_words(words.first_chunk().ok_or(KERN_INVALID_ARGUMENT)?)
    }

    /// How many words a state of this flavor has (_MachineStateCount).
    pub(crate) fn state_words(flavor: u32) -> usize {
        match flavor {
            STATE => STATE_WORDS,
            ANY_STATE => STATE_WORDS + HEADER_WORDS,
            _ => 0,
        }
    }
}
