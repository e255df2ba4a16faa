//! ptrace(2), call by call. A thread that has died meanwhile makes a call fail, which is no error here: its end is
//! reported by waitpid.

use std::mem::MaybeUninit;
use std::ptr;

pub(crate) const NT_PRSTATUS: i32 = 1;
#[cfg(target_arch = "x86_64")]
pub(crate) const NT_PRFPREG: i32 = 2;

const OPTIONS: i32 = libc::PTRACE_O_TRACEFORK
    | libc::PTRACE_O_TRACEVFORK
    | libc::PTRACE_O_TRACECLONE
    | libc::PTRACE_O_TRACEEXEC
    | libc::PTRACE_O_TRACEEXIT
    | libc::PTRACE_O_TRACESECCOMP
    | libc::PTRACE_O_EXITKILL;

fn request(request: libc::c_uint, tid: libc::pid_t, address: usize, data: usize) -> bool {
    // SAFETY: these requests take numbers, not pointers, and change nothing in this process.
    unsafe { libc::ptrace(request as _, tid, address, data) != -1 }
}

pub(crate) fn seize(tid: libc::pid_t) -> bool {
    request(libc::PTRACE_SEIZE as _, tid, 0, OPTIONS as usize)
}

/// Goes on, with a signal or 0.
pub(crate) fn go_on(tid: libc::pid_t, signal: i32) -> bool {
    request(libc::PTRACE_CONT as _, tid, 0, signal as usize)
}

/// Lets a group-stop last until SIGCONT.
pub(crate) fn listen(tid: libc::pid_t) -> bool {
    request(libc::PTRACE_LISTEN as _, tid, 0, 0)
}

/// The thread stops soon, whatever it does.
pub(crate) fn interrupt(tid: libc::pid_t) -> bool {
    request(libc::PTRACE_INTERRUPT as _, tid, 0, 0)
}

pub(crate) fn kill_process(pid: libc::pid_t) {
    // SAFETY: sends a signal to another process.
    unsafe { libc::kill(pid, libc::SIGKILL) };
}

/// The signal that a thread in signal-delivery-stop is about to get.
pub(crate) fn signal_information(tid: libc::pid_t) -> Option<libc::siginfo_t> {
    let mut information = MaybeUninit::<libc::siginfo_t>::zeroed();
    // SAFETY: the kernel writes a siginfo_t there, and nothing else.
    let got = unsafe { libc::ptrace(libc::PTRACE_GETSIGINFO, tid, 0, information.as_mut_ptr()) };
    // SAFETY: zeroed at first, and filled in by the kernel where it succeeded.
    (got != -1).then(|| unsafe { information.assume_init() })
}

/// Makes another signal of the one that a thread in signal-delivery-stop is about to get, with its address.
pub(crate) fn turn_signal_into(tid: libc::pid_t, signal: i32, code: i32) -> bool {
    let Some(mut information) = signal_information(tid) else { return false };
    information.si_signo = signal;
    information.si_code = code;
    // SAFETY: the kernel reads a siginfo_t there.
    unsafe { libc::ptrace(libc::PTRACE_SETSIGINFO, tid, 0, ptr::from_mut(&mut information)) != -1 }
}

/// A register set, whole. `T` is the C structure of the set `kind`, of integers only.
pub(crate) fn registers<T: Copy>(tid: libc::pid_t, kind: i32) -> Option<T> {
    let mut set = MaybeUninit::<T>::zeroed();
    let mut vector = libc::iovec { iov_base: set.as_mut_ptr().cast(), iov_len: size_of::<T>() };
    // SAFETY: the kernel writes at most iov_len bytes to iov_base.
    let got = unsafe { libc::ptrace(libc::PTRACE_GETREGSET, tid, kind as usize, ptr::from_mut(&mut vector)) };
    // SAFETY: `T` is made of integers, for which all bytes are valid.
    (got != -1).then(|| unsafe { set.assume_init() })
}

pub(crate) fn set_registers<T: Copy>(tid: libc::pid_t, kind: i32, set: &T) -> bool {
    let mut vector = libc::iovec { iov_base: ptr::from_ref(set).cast_mut().cast(), iov_len: size_of::<T>() };
    // SAFETY: the kernel reads at most iov_len bytes from iov_base.
    unsafe { libc::ptrace(libc::PTRACE_SETREGSET, tid, kind as usize, ptr::from_mut(&mut vector)) != -1 }
}
