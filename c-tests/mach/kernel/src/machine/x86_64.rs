//! x86-64: osfmk/i386/trap.c (user_trap), osfmk/i386/pcb.c (thread states), osfmk/mach/i386/thread_status.h.

use super::Fault;
use super::thread_state::long;
use crate::constants::*;
use crate::trace::ptrace;

/// The registers of a thread that is stopped (NT_PRSTATUS).
#[derive(Clone, Copy)]
pub(crate) struct Registers(pub(super) libc::user_regs_struct);

/// The system call in which a thread waits: interruptible, without arguments.
const PARKED_IN: u64 = libc::SYS_pause as u64;
const NO_SYSTEM_CALL: u64 = !0;

pub(crate) const AUDIT_ARCH: u32 = 0xc000_003e;

const X86_THREAD_STATE32: u32 = 1;
const X86_THREAD_FULL_STATE64: u32 = 23;
const X86_INSTRUCTION_STATE: u32 = 24;
/// x86_THREAD_STATE and x86_THREAD_STATE64.
pub(super) const ANY_STATE: u32 = 7;
pub(super) const STATE: u32 = 4;
/// x86_THREAD_STATE64_COUNT
pub(super) const STATE_WORDS: usize = 42;

const EXC_I386_INVOP: i64 = 1;
const EXC_I386_DIV: i64 = 1;
const EXC_I386_EXTERR: i64 = 5;
const EXC_I386_SSEEXTERR: i64 = 8;
const EXC_I386_SGL: i64 = 1;
const EXC_I386_BPT: i64 = 2;
const EXC_I386_STKFLT: i64 = 12;
const EXC_I386_GPFLT: i64 = 13;

/// EFL_USER_CLEAR (IOPL, NT, RF) and EFL_USER_SET (IF): osfmk/i386/eflags.h.
const FLAGS_CLEARED: u64 = 0x3000 | 0x4000 | 0x1_0000;
const FLAGS_SET: u64 = 0x200;

/// VALID_THREAD_STATE_FLAVOR
pub(crate) fn is_valid_flavor(flavor: u32) -> bool {
    (X86_THREAD_STATE32..=X86_INSTRUCTION_STATE + 1).contains(&flavor)
}

/// FLAVOR_MODIFIES_CORE_CPU_REGISTERS: the thread states, in all sizes.
pub(crate) fn changes_core_registers(flavor: u32) -> bool {
    matches!(flavor, X86_THREAD_STATE32 | STATE | ANY_STATE | X86_THREAD_FULL_STATE64)
}

/// IS_USERADDR64_CANONICAL
fn is_canonical(address: u64) -> bool {
    let top = address as i64 >> 47;
    top == 0 || top == -1
}

impl Registers {
    /// The operation and the address of its arguments (library/src/call.c).
    pub(crate) fn call_arguments(&self) -> (u64, u64) {
        (self.0.rdi, self.0.rsi)
    }

    /// The instruction with which the library calls.
    pub(crate) fn call_instruction(&self) -> u64 {
        self.0.rip - 2
    }

    /// Whether a thread that ends does so because it has asked for it, or for the end of its process.
    pub(crate) fn asks_for_the_end(&self) -> bool {
        [libc::SYS_exit, libc::SYS_exit_group].contains(&(self.0.orig_rax as i64))
    }

    /// Skips the system call; the thread sees `result`.
    pub(crate) fn finish_call(&mut self, _tid: libc::pid_t, result: i64) {
        self.0.orig_rax = NO_SYSTEM_CALL;
        self.0.rax = result as u64;
    }

    /// The thread is to wait in the place of its call.
    pub(crate) fn park(&mut self, _tid: libc::pid_t) {
        self.0.orig_rax = PARKED_IN;
        self.0.rax = PARKED_IN;
    }

    /// The thread, wherever it is, is to end itself.
    pub(crate) fn exit_at(&mut self, call_instruction: u64) {
        self.0.rip = call_instruction;
        self.0.rax = libc::SYS_exit as u64;
        self.0.rdi = 0;
        self.0.orig_rax = NO_SYSTEM_CALL;
    }

    /// The words of the thread state.
    pub(super) fn words(&self) -> Vec<u32> {
        let r = &self.0;
        let longs = [
            r.rax, r.rbx, r.rcx, r.rdx, r.rdi, r.rsi, r.rbp, r.rsp, r.r8, r.r9, r.r10, r.r11, r.r12, r.r13, r.r14,
            r.r15, r.rip, r.eflags, r.cs, r.fs, r.gs,
        ];
        longs.iter().flat_map(|long| [*long as u32, (*long >> 32) as u32]).collect()
    }

    /// set_thread_state64
    pub(super) fn set_words(&mut self, words: &[u32; STATE_WORDS]) -> Result<(), KernReturn> {
        if !is_canonical(long(words, 7)) || !is_canonical(long(words, 16)) {
            return Err(KERN_INVALID_ARGUMENT);
        }
        let r = &mut self.0;
        if long(words, 16) != r.rip {
            // Linux must not restart a system call that the thread does not come back to.
            r.orig_rax = NO_SYSTEM_CALL;
        }
        let general = [
            &mut r.rax, &mut r.rbx, &mut r.rcx, &mut r.rdx, &mut r.rdi, &mut r.rsi, &mut r.rbp, &mut r.rsp, &mut r.r8,
            &mut r.r9, &mut r.r10, &mut r.r11, &mut r.r12, &mut r.r13, &mut r.r14, &mut r.r15, &mut r.rip,
        ];
        for (index, register) in general.into_iter().enumerate() {
            *register = long(words, index);
        }
        // cs is not the caller's to choose; fs and gs are Linux's, whose thread pointer hangs on them.
        r.eflags = long(words, 17) & !FLAGS_CLEARED | FLAGS_SET;
        Ok(())
    }
}

/// MXCSR and the x87 status word of a thread (NT_PRFPREG, the FXSAVE area).
fn floating_point_status(tid: libc::pid_t) -> Option<(u32, u32)> {
    let area = ptrace::registers::<libc::user_fpregs_struct>(tid, ptrace::NT_PRFPREG)?;
    Some((area.mxcsr, u32::from(area.swd)))
}

/// The exception of user_trap for what Linux made a signal of. Linux tells the address and the kind; the processor's
/// error code it does not tell, so that subcodes of general protection faults are 0.
pub(crate) fn fault(tid: libc::pid_t, signal: i32, code: i32, address: u64, _: &Registers) -> Option<Fault> {
    const SI_KERNEL: i32 = 0x80;
    const FPE_FLTDIV: i32 = 3;
    let bad_access = |code: i64, address: u64| Fault { exception: EXC_BAD_ACCESS, code, subcode: address as i64 };
    let plain = |exception: u32, code: i64| Fault { exception, code, subcode: 0 };
    match (signal, code) {
        (libc::SIGSEGV, 1) => Some(bad_access(KERN_INVALID_ADDRESS.into(), address)),
        (libc::SIGSEGV, 2 | 4) => Some(bad_access(KERN_PROTECTION_FAILURE.into(), address)),
        (libc::SIGSEGV, SI_KERNEL) => Some(bad_access(EXC_I386_GPFLT, 0)),
        (libc::SIGBUS, libc::BUS_ADRERR) => Some(bad_access(KERN_MEMORY_ERROR.into(), address)),
        (libc::SIGBUS, SI_KERNEL) => Some(plain(EXC_BAD_INSTRUCTION, EXC_I386_STKFLT)),
        (libc::SIGILL, _) => Some(plain(EXC_BAD_INSTRUCTION, EXC_I386_INVOP)),
        (libc::SIGFPE, FPE_FLTDIV..) => {
            let (mxcsr, status) = floating_point_status(tid)?;
            let by_sse = mxcsr & 0x3f & !(mxcsr >> 7) != 0;
            let (code, subcode) = if by_sse { (EXC_I386_SSEEXTERR, mxcsr) } else { (EXC_I386_EXTERR, status) };
            Some(Fault { exception: EXC_ARITHMETIC, code, subcode: subcode.into() })
        }
        (libc::SIGFPE, _) => Some(plain(EXC_ARITHMETIC, EXC_I386_DIV)),
        (libc::SIGTRAP, SI_KERNEL | 1) => Some(plain(EXC_BREAKPOINT, EXC_I386_BPT)),
        (libc::SIGTRAP, 2 | 4) => Some(plain(EXC_BREAKPOINT, EXC_I386_SGL)),
        _ => None,
    }
}
