//! A signal that the kernel has not sent: what its handler would have been given, made from an exception and the
//! thread's state. For the simulated Mach kernel, whose engines are Linux's and expect Linux's signals.

use libc::{siginfo_t, ucontext_t};

use super::frame_registers as registers;
use crate::inside::mach::state::Words;
use crate::inside::signals::Made;

/// KERN_INVALID_ADDRESS, KERN_PROTECTION_FAILURE and KERN_MEMORY_ERROR of EXC_BAD_ACCESS.
const NOT_MAPPED: i64 = 1;
const PROTECTED: i64 = 2;
const MEMORY_ERROR: i64 = 10;

const SI_KERNEL: i32 = 0x80;

/// The signal that Linux makes of what this exception reports (arch/x86/kernel/traps.c and arch/x86/mm/fault.c; their
/// likes on arm64), as `classify` reads them.
pub(crate) fn signal_of(exception: i32, codes: [i64; 2]) -> Option<Made> {
    const INTEGER_DIVISION: i64 = 1;
    const INVALID_OPCODE: i64 = 1;
    let [code, subcode] = codes;
    let made = |signal, code, address| Some(Made { signal, code, address });
    let at = Some(subcode as usize);
    match (exception, code) {
        (1, NOT_MAPPED) => made(libc::SIGSEGV, 1, at),
        (1, PROTECTED) => made(libc::SIGSEGV, 2, at),
        (1, MEMORY_ERROR) => made(libc::SIGBUS, 2, at),
        // A general protection fault; the processor tells no address.
        (1, _) => made(libc::SIGSEGV, SI_KERNEL, Some(0)),
        (2, INVALID_OPCODE) if cfg!(target_arch = "x86_64") => made(libc::SIGILL, 2, None),
        (2, _) if cfg!(target_arch = "x86_64") => made(libc::SIGBUS, SI_KERNEL, Some(0)),
        (2, _) => made(libc::SIGILL, 1, None),
        (3, INTEGER_DIVISION) => made(libc::SIGFPE, 1, None),
        // Which one is in the state.
        (3, _) => made(libc::SIGFPE, 14, None),
        (6, _) if cfg!(target_arch = "x86_64") => made(libc::SIGTRAP, SI_KERNEL, Some(0)),
        (6, _) => made(libc::SIGTRAP, 1, None),
        _ => None,
    }
}

pub(crate) struct Frame {
    pub(crate) info: siginfo_t,
    pub(crate) context: ucontext_t,
}

impl Frame {
    /// For a thread with this state and mask. `vectors` is where the trampoline has its other registers.
    ///
    /// # Safety
    /// `vectors` is that, for as long as the frame is used.
    pub(crate) unsafe fn new(
        made: &Made,
        pc: usize,
        exception: i32,
        words: &Words,
        vectors: *mut u8,
        mask: u64,
    ) -> Self {
        // SAFETY: plain C structures, of which zeros are values.
        let mut frame: Self = unsafe { core::mem::zeroed() };
        frame.info.si_signo = made.signal;
        frame.info.si_code = made.code;
        let address = made.address.unwrap_or(pc);
        // SAFETY: si_addr is the first field behind the three numbers, aligned to 8 bytes (siginfo.h).
        unsafe { (&raw mut frame.info).cast::<u8>().add(16).cast::<usize>().write(address) };
        frame.context.uc_stack.ss_flags = libc::SS_DISABLE;
        // SAFETY: libc's sigset_t begins with the kernel's, and is larger.
        unsafe { (&raw mut frame.context.uc_sigmask).cast::<u64>().write(mask) };
        registers::write(&mut frame.context, words, exception, made);
        // SAFETY: the caller's promise.
        unsafe { registers::show_vectors(&mut frame.context, vectors) };
        frame
    }

    /// Where it stays.
    pub(crate) fn settle(&mut self) {}

    /// What the thread goes on with; the mask is returned.
    ///
    /// # Safety
    /// As for `new`.
    pub(crate) unsafe fn read_back(&self, words: &mut Words, vectors: *mut u8) -> u64 {
        registers::read(&self.context, words);
        // SAFETY: the caller's promise.
        unsafe { registers::take_vectors(&self.context, vectors) };
        super::kernel::mask_of(&self.context.uc_sigmask)
    }
}
