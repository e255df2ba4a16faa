//! A signal that the kernel has not sent: what its handler would have been given, made from an exception and the
//! thread's state as sendsig makes it (bsd/dev/i386/unix_signal.c, bsd/dev/arm/unix_signal.c, xnu-11417.101.15).

use libc::{siginfo_t, ucontext_t};

use crate::inside::mach::state::Words;
pub(crate) use crate::inside::mach::translate::signal_of;
use crate::inside::signals::Made;

pub(crate) struct Frame {
    pub(crate) info: siginfo_t,
    pub(crate) context: ucontext_t,
    machine: libc::__darwin_mcontext64,
}

impl Frame {
    /// For a thread with this state and mask. `vectors` is where the trampoline has its other registers. The context
    /// points to the machine's part once [`settle`](Self::settle) was called.
    ///
    /// # Safety
    /// `vectors` is that.
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
        frame.info.si_addr = made.address.unwrap_or(pc) as *mut core::ffi::c_void;
        frame.context.uc_sigmask = mask as libc::sigset_t;
        frame.context.uc_mcsize = size_of::<libc::__darwin_mcontext64>();
        write_exception(&mut frame.machine, exception, made, pc);
        let state = (&raw mut frame.machine.__ss).cast::<Words>();
        // SAFETY: the structure is what the words are (osfmk/mach/*/_structs.h).
        unsafe { state.write_unaligned(*words) };
        // SAFETY: the caller's promise.
        unsafe { show_vectors(&mut frame.machine, vectors) };
        frame
    }

    /// What the thread goes on with; the mask is returned.
    ///
    /// # Safety
    /// As for `new`.
    pub(crate) unsafe fn read_back(&self, words: &mut Words, vectors: *mut u8) -> u64 {
        // SAFETY: as in `new`.
        *words = unsafe { (&raw const self.machine.__ss).cast::<Words>().read_unaligned() };
        // SAFETY: the caller's promise.
        unsafe { take_vectors(&self.machine, vectors) };
        super::kernel::mask_of(&self.context.uc_sigmask)
    }

    /// Where it stays.
    pub(crate) fn settle(&mut self) {
        self.context.uc_mcontext = &raw mut self.machine;
    }
}

const _: () = {
    #[cfg(target_arch = "x86_64")]
    type ThreadState = libc::__darwin_x86_thread_state64;
    #[cfg(target_arch = "aarch64")]
    type ThreadState = libc::__darwin_arm_thread_state64;
    assert!(size_of::<ThreadState>() == size_of::<Words>());
};

#[cfg(target_arch = "x86_64")]
use x86_64::*;
#[cfg(target_arch = "x86_64")]
mod x86_64 {
    use super::*;

    /// The FXSAVE area, which the float state has behind eight bytes of its own; and behind it the header of XSAVE,
    /// which begins with the components in use: x87 and SSE are the first two.
    const LEGACY_SIZE: usize = 512;
    const BEFORE: usize = 8;
    const X87_AND_SSE: u64 = 0b11;

    /// The trap number and the error code. What the access was is not known, but for a fetch.
    pub(super) fn write_exception(machine: &mut libc::__darwin_mcontext64, exception: i32, made: &Made, pc: usize) {
        const FROM_USER: u32 = 1 << 2;
        const FETCH: u32 = 1 << 4;
        let state = &mut machine.__es;
        (state.__trapno, state.__err) = match (exception, made.signal, made.code) {
            (1, libc::SIGSEGV, 0) => (13, 0),
            (1, ..) => (14, FROM_USER | if made.address == Some(pc) { FETCH } else { 0 }),
            (2, _, 0) => (12, 0),
            (2, ..) => (6, 0),
            (3, _, 7) => (0, 0),
            (3, _, 8) => (4, 0),
            (3, ..) => (19, 0),
            _ => (3, 0),
        };
        state.__faultvaddr = made.address.unwrap_or(0) as u64;
    }

    pub(super) unsafe fn show_vectors(machine: &mut libc::__darwin_mcontext64, vectors: *mut u8) {
        let area = (&raw mut machine.__fs).cast::<u8>().wrapping_add(BEFORE);
        // SAFETY: both have that much.
        unsafe { core::ptr::copy_nonoverlapping(vectors, area, LEGACY_SIZE) };
    }

    pub(super) unsafe fn take_vectors(machine: &libc::__darwin_mcontext64, vectors: *mut u8) {
        let area = (&raw const machine.__fs).cast::<u8>().wrapping_add(BEFORE);
        // SAFETY: as above.
        unsafe { core::ptr::copy_nonoverlapping(area, vectors, LEGACY_SIZE) };
        if crate::inside::mach::trampoline::has_extended_state() {
            let in_use = vectors.wrapping_add(LEGACY_SIZE).cast::<u64>();
            // SAFETY: the header follows. XSAVE has written both, whether they were in use or not.
            unsafe { in_use.write(in_use.read() | X87_AND_SSE) };
        }
    }
}

#[cfg(target_arch = "aarch64")]
use aarch64::*;
#[cfg(target_arch = "aarch64")]
mod aarch64 {
    use super::*;

    const REGISTERS_SIZE: usize = 512;

    /// The address, and the syndrome's class (Arm ARM, ESR_EL1.EC): what else it says is not in the message.
    pub(super) fn write_exception(machine: &mut libc::__darwin_mcontext64, exception: i32, made: &Made, pc: usize) {
        let class = match exception {
            1 if made.address == Some(pc) => 0x20,
            1 => 0x24,
            3 => 0x2c,
            6 => 0x3c,
            _ => 0,
        };
        machine.__es.__far = made.address.unwrap_or(0) as u64;
        machine.__es.__esr = class << 26;
    }

    pub(super) unsafe fn show_vectors(machine: &mut libc::__darwin_mcontext64, vectors: *mut u8) {
        let state = (&raw mut machine.__ns).cast::<u8>();
        // SAFETY: the registers, then FPSR and FPCR; each has a register's room in the area.
        unsafe {
            core::ptr::copy_nonoverlapping(vectors, state, REGISTERS_SIZE);
            machine.__ns.__fpsr = vectors.add(REGISTERS_SIZE).cast::<u32>().read();
            machine.__ns.__fpcr = vectors.add(REGISTERS_SIZE + 8).cast::<u32>().read();
        }
    }

    pub(super) unsafe fn take_vectors(machine: &libc::__darwin_mcontext64, vectors: *mut u8) {
        let state = (&raw const machine.__ns).cast::<u8>();
        // SAFETY: as above.
        unsafe {
            core::ptr::copy_nonoverlapping(state, vectors, REGISTERS_SIZE);
            vectors.add(REGISTERS_SIZE).cast::<u64>().write(machine.__ns.__fpsr.into());
            vectors.add(REGISTERS_SIZE + 8).cast::<u64>().write(machine.__ns.__fpcr.into());
        }
    }
}
