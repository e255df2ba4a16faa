//! The filter that stops a thread at its Mach calls and nowhere else.

use crate::machine::AUDIT_ARCH;

/// No system call of Linux: the one by which the library calls the simulated kernel (library/src/call.h).
pub(crate) const MACH_CALL: u32 = 0x6d_6163;

const LOAD_WORD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
const JUMP_IF_EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;
/// struct seccomp_data: the number comes first, then the architecture.
const NUMBER_AT: u32 = 0;
const ARCHITECTURE_AT: u32 = 4;

const fn step(code: u16, jt: u8, jf: u8, k: u32) -> libc::sock_filter {
    libc::sock_filter { code, jt, jf, k }
}

const FILTER: [libc::sock_filter; 6] = [
    step(LOAD_WORD, 0, 0, ARCHITECTURE_AT),
    step(JUMP_IF_EQUAL, 0, 2, AUDIT_ARCH),
    step(LOAD_WORD, 0, 0, NUMBER_AT),
    step(JUMP_IF_EQUAL, 1, 0, MACH_CALL),
    step(RETURN, 0, 0, libc::SECCOMP_RET_ALLOW),
    step(RETURN, 0, 0, libc::SECCOMP_RET_TRACE),
];

/// For this thread and all that it starts, for ever. Without privileges the kernel wants PR_SET_NO_NEW_PRIVS first.
pub(crate) fn install() -> bool {
    let program = libc::sock_fprog { len: FILTER.len() as u16, filter: FILTER.as_ptr().cast_mut() };
    // SAFETY: the kernel copies the program, which it does not write to; the rest are numbers.
    let load = || unsafe { libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER as usize, &program) == 0 };
    // SAFETY: numbers only.
    load() || unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 } && load()
}
