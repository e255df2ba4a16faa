//! The system calls of the forwarding path, made directly: libc's wrappers touch errno, which belongs to the code that
//! was interrupted.

use core::sync::atomic::Ordering;

use libc::{siginfo_t, ucontext_t};

use super::earlier_handler;
use crate::arch::system_call;
use crate::shared::disposition::Disposition;
use crate::shared::state;
use crate::shared::thread::StackBounds;

#[cfg(target_arch = "x86_64")]
pub(crate) use super::rights::set_place as set_rights_place;

/// What rt_sigaction takes on x86-64 and arm64.
#[repr(C)]
pub(crate) struct KernelAction {
    pub(crate) handler: usize,
    pub(crate) flags: u64,
    pub(crate) restorer: usize,
    pub(crate) mask: u64,
}

/// The kernel's sigset_t is 64 bits.
const SIGSET_SIZE: usize = 8;

/// A set of signals in the kernel's form: signal n is bit n - 1.
pub(crate) fn mask_of(set: &libc::sigset_t) -> u64 {
    // SAFETY: libc's sigset_t begins with the kernel's, and is larger.
    unsafe { core::ptr::from_ref(set).cast::<u64>().read() }
}

/// Has a set be that of all signals, and returns what it was.
pub(crate) fn block_all(set: &mut libc::sigset_t) -> u64 {
    // SAFETY: as above.
    unsafe { core::ptr::from_mut(set).cast::<u64>().replace(u64::MAX) }
}

/// Whether SA_RESETHAND has an effect on this signal: on each.
pub(crate) fn can_be_reset(_signal: libc::c_int) -> bool {
    true
}

/// Whether this thread sent the signal to itself from inside a signal handler on its alternate stack.
pub(crate) fn raised_in_handler(info: &siginfo_t, context: &mut ucontext_t) -> bool {
    // SAFETY: si_pid is set for signals that a process sent, which SI_TKILL says.
    info.si_code == libc::SI_TKILL
        && unsafe { info.si_pid() } as u32 == state::PROCESS_ID.load(Ordering::Relaxed)
        && earlier_handler::was_on_alternate_stack(context)
}

/// Whether a signal's information is of this signal.
pub(crate) fn is_of(info: &siginfo_t, signal: libc::c_int) -> bool {
    info.si_signo == signal
}

/// Whether this is the first process of a container, or of the machine.
pub(crate) fn is_init() -> bool {
    state::PROCESS_ID.load(Ordering::Relaxed) == 1
}

/// The kernel has refused a system call: a seccomp filter does, and nothing else where the arguments are right.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Refused;

fn accepted(result: isize) -> Result<(), Refused> {
    if result == 0 { Ok(()) } else { Err(Refused) }
}

/// What the kernel does for a signal.
pub(crate) fn action(signal: libc::c_int) -> Result<KernelAction, i32> {
    let mut action = KernelAction { handler: 0, flags: 0, restorer: 0, mask: 0 };
    // SAFETY: the kernel writes `action`.
    let result = unsafe {
        system_call(libc::SYS_rt_sigaction, [signal as usize, 0, core::ptr::from_mut(&mut action).addr(), SIGSET_SIZE])
    };
    if result == 0 { Ok(action) } else { Err(-result as i32) }
}

/// Has the kernel do this for a signal.
pub(crate) fn set_action(signal: libc::c_int, action: &KernelAction) -> Result<(), i32> {
    // SAFETY: the kernel reads `action`.
    let result = unsafe {
        system_call(libc::SYS_rt_sigaction, [signal as usize, core::ptr::from_ref(action).addr(), 0, SIGSET_SIZE])
    };
    if result == 0 { Ok(()) } else { Err(-result as i32) }
}

/// The handler of a signal now; `None` where a filter does not let us know.
pub(crate) fn handler_of(signal: libc::c_int) -> Option<usize> {
    action(signal).ok().map(|action| action.handler)
}

/// Puts a disposition in place that the kernel has told of, and returns what was there.
pub(crate) fn put_in_place(signal: libc::c_int, wanted: &Disposition) -> Result<Disposition, Refused> {
    let &Disposition { handler, flags, mask, restorer } = wanted;
    let action = KernelAction { handler, flags: flags as u32 as u64, restorer, mask };
    let mut before = KernelAction { handler: 0, flags: 0, restorer: 0, mask: 0 };
    let (wanted, place) = (core::ptr::from_ref(&action).addr(), core::ptr::from_mut(&mut before).addr());
    // SAFETY: the kernel reads the one and writes the other.
    accepted(unsafe { system_call(libc::SYS_rt_sigaction, [signal as usize, wanted, place, SIGSET_SIZE]) })?;
    let KernelAction { handler, flags, restorer, mask } = before;
    Ok(Disposition { handler, flags: flags as libc::c_int, mask, restorer })
}

/// Sets a signal to SIG_DFL or SIG_IGN, as far as that is ours to set: where somebody sits between sigaction and the
/// kernel (`outside::signals`), and calls ours from a handler of his own, he is told so, and his handler stays. He has
/// the last word then, as without us.
pub(crate) fn set_plain_disposition(signal: libc::c_int, handler: usize) -> Result<(), Refused> {
    if is_kept_by_another(signal) == Some(true) && tell(signal, handler) && is_kept_by_another(signal).is_some() {
        return Ok(());
    }
    set_action(signal, &KernelAction { handler, flags: 0, restorer: 0, mask: 0 }).map_err(|_| Refused)
}

/// Whether sigaction says that a handler of ours is in place, and the kernel has another one; `None` if the kernel has
/// none.
fn is_kept_by_another(signal: libc::c_int) -> Option<bool> {
    let now = action(signal).ok()?.handler;
    if now == libc::SIG_DFL || now == libc::SIG_IGN {
        return None;
    }
    // SAFETY: all-zero is a valid sigaction to write into.
    let mut told: libc::sigaction = unsafe { core::mem::zeroed() };
    let known = keeping_errno(|| {
        // SAFETY: reads only, into `told`.
        unsafe { libc::sigaction(signal, core::ptr::null(), &raw mut told) == 0 }
    });
    Some(known && is_ours_but_another(told.sa_sigaction, now))
}

/// Whether the handler that sigaction tells of is ours, and the one that the kernel has is another one.
fn is_ours_but_another(told: usize, now: usize) -> bool {
    told != now && super::super::entry::ALL.iter().any(|&ours| ours as usize == told)
}

/// Tells sigaction of SIG_DFL or SIG_IGN.
fn tell(signal: libc::c_int, handler: usize) -> bool {
    // SAFETY: all-zero is a valid sigaction.
    let mut action: libc::sigaction = unsafe { core::mem::zeroed() };
    action.sa_sigaction = handler;
    keeping_errno(|| {
        // SAFETY: POSIX lets a handler call it. What an interposer looks up at its first call, it has: it was called
        // when ours was installed.
        unsafe { libc::sigaction(signal, &raw const action, core::ptr::null_mut()) == 0 }
    })
}

/// Runs `f` and puts errno back, which belongs to the code that was interrupted.
fn keeping_errno<T>(f: impl FnOnce() -> T) -> T {
    // SAFETY: points to this thread's errno.
    let errno = unsafe { libc::__errno_location() };
    // SAFETY: as above; the place stays the same.
    let before = unsafe { *errno };
    let result = f();
    // SAFETY: as above.
    unsafe { *errno = before };
    result
}

/// Sets this thread's signal mask and returns the one before.
pub(crate) fn set_mask(mask: u64) -> Result<u64, Refused> {
    let mut before = 0_u64;
    // SAFETY: the kernel reads one word and writes the other.
    accepted(unsafe {
        system_call(
            libc::SYS_rt_sigprocmask,
            [
                libc::SIG_SETMASK as usize,
                core::ptr::from_ref(&mask).addr(),
                core::ptr::from_mut(&mut before).addr(),
                SIGSET_SIZE,
            ],
        )
    })?;
    Ok(before)
}

/// Runs `f` with this signal mask. Where the kernel refuses to set it, `f` runs with the mask as it is, which blocks no
/// less if the kernel called us.
pub(crate) fn with_mask(mask: u64, f: impl FnOnce()) {
    let before = set_mask(mask);
    f();
    if let Ok(before) = before {
        // What was allowed a moment ago is now. If not, rt_sigreturn puts the mask back at the end of the outermost
        // handler.
        let _: Result<u64, Refused> = set_mask(before);
    }
}

/// Whether a word of this thread's memory can be written to: the kernel writes the signal mask there.
pub(crate) fn is_writable(place: usize) -> Result<bool, Refused> {
    let bad_address = -(libc::EFAULT as isize);
    // SAFETY: writes one word below the stack pointer of the code that was interrupted, or none.
    match unsafe { system_call(libc::SYS_rt_sigprocmask, [libc::SIG_BLOCK as usize, 0, place, SIGSET_SIZE]) } {
        0 => Ok(true),
        error if error == bad_address => Ok(false),
        _ => Err(Refused),
    }
}

/// Blocks a signal until the handler returns.
pub(crate) fn block(signal: libc::c_int) -> Result<(), Refused> {
    let set = 1_u64 << (signal - 1);
    // SAFETY: the kernel reads one word.
    accepted(unsafe {
        system_call(
            libc::SYS_rt_sigprocmask,
            [libc::SIG_BLOCK as usize, core::ptr::from_ref(&set).addr(), 0, SIGSET_SIZE],
        )
    })
}

/// Does what SIG_DFL does to a fault that is about to come again, without a system call: the kernel sets the default
/// action itself for a fault whose signal is blocked (force_sig_info_to_task, kernel/signal.c).
pub(crate) fn let_the_fault_end_the_process(signal: libc::c_int, context: &mut ucontext_t) -> Result<(), Refused> {
    // SAFETY: libc's sigset_t begins with the kernel's, and is larger.
    unsafe { *(&raw mut context.uc_sigmask).cast::<u64>() |= 1 << (signal - 1) };
    Ok(())
}

/// Whether memory can be read. The kernel copies a set of signals before it looks at what to do with it
/// (SYSCALL_DEFINE4(rt_sigprocmask), kernel/signal.c: EFAULT, else EINVAL for an unknown `how`). Where the answer is
/// another one, a filter's of system calls say, nothing speaks against it.
#[inline(never)] // rare, and system calls stay in one place
pub(crate) fn can_read(address: usize, length: usize) -> bool {
    const NO_HOW: usize = 3;
    let last = address + length - SIGSET_SIZE;
    // The frame of a call is smaller than a page: its first and its last words tell.
    [address, last].into_iter().all(|word| {
        // SAFETY: the kernel looks at the memory and changes nothing.
        unsafe { system_call(libc::SYS_rt_sigprocmask, [NO_HOW, word, 0, SIGSET_SIZE]) != -(libc::EFAULT as isize) }
    })
}

/// Sends this thread a signal with the information of the one at hand, to arrive when it is no longer blocked.
pub(crate) fn send_again(signal: libc::c_int, info: &libc::siginfo_t) -> Result<(), Refused> {
    // SAFETY: no memory is involved.
    let (process, thread) = unsafe { (system_call(libc::SYS_getpid, [0; 4]), system_call(libc::SYS_gettid, [0; 4])) };
    // Where a filter refuses to tell them, they are negative.
    if process <= 0 || thread <= 0 {
        return Err(Refused);
    }
    let (process, thread, signal) = (process as usize, thread as usize, signal as usize);
    // SAFETY: the kernel reads `info`. It lets a process send anything to itself (do_rt_tgsigqueueinfo).
    let with_information = accepted(unsafe {
        system_call(libc::SYS_rt_tgsigqueueinfo, [process, thread, signal, core::ptr::from_ref(info).addr()])
    });
    // Its number is the most of it.
    // SAFETY: no memory is involved.
    with_information.or_else(|_| accepted(unsafe { system_call(libc::SYS_tgkill, [process, thread, signal, 0]) }))
}

/// The lowest byte of a stack that is mapped while code further in than that runs on it.
pub(crate) fn lowest_mapped(stack: &StackBounds) -> usize {
    stack.low
}

#[cfg(test)]
#[path = "kernel_tests.rs"]
mod tests;
