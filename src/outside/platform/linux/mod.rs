//! Linux.

mod dispositions;
mod memory_map;
mod own_object;
mod pending_signals;
mod proc_file;
#[cfg(target_arch = "aarch64")]
mod restartable_sequences;
mod sanitizers;

use core::ffi::{CStr, c_char};
use core::sync::atomic::{AtomicBool, Ordering};

use crate::arch;
use crate::outside::error::{self, Failure};
use crate::outside::platform::page_size;
pub(crate) use crate::outside::platform::posix::*;
use crate::shared::activation::Activation;
use crate::shared::state;
use crate::shared::thread::StackBounds;
pub(crate) use dispositions::*;
use memory_map::Area;
pub(crate) use own_object::stays_loaded;
pub(crate) use pending_signals::waits_for;
pub(crate) use sanitizers::sanitizer_entries;

/// The main thread's stack grows, up to a limit that may change while it runs. A fault this far below its top is the
/// stack's, whatever the limit is by then, if nothing else is mapped there. (The kernel means to keep as much free
/// below a stack, but its own choice of random places takes from it: mmap_base, mm/util.c.)
const GROWING_STACK_SPACE: usize = 128 * 1024 * 1024;

/// Arguments and environment, which lie above the stack, are at most three quarters of 8 MiB (bprm_stack_limits,
/// fs/exec.c).
const MOST_ARGUMENTS: usize = 8 * 1024 * 1024;

/// The kernel leaves this much unmapped under a stack that grows (stack_guard_gap, mm/mmap.c: 256 pages).
const GROWING_STACK_GAP: usize = 1024 * 1024;

/// What mmap is told of memory for a stack.
pub(crate) const STACK_MAPPING_FLAGS: libc::c_int = libc::MAP_NORESERVE | libc::MAP_STACK;

/// PTHREAD_CANCEL_DISABLE of <pthread.h>, in glibc and in musl.
pub(crate) const CANCEL_DISABLE: libc::c_int = 1;

/// The number by which the kernel knows this thread.
pub(crate) fn kernel_thread() -> u32 {
    // SAFETY: no arguments.
    unsafe { libc::gettid() as u32 }
}

/// Whether no thread of this process has this number any more. One that has got it since passes for it. In a process
/// that the library has not seen begin (vfork, or a system call without pthread_atfork's handlers) the numbers are
/// another one's, and none is told to have ended.
pub(crate) fn has_ended(thread: u32) -> bool {
    let process = state::PROCESS_ID.load(Ordering::Relaxed);
    // SAFETY: no signal, and no memory, is involved.
    let asked = unsafe {
        if libc::getpid() as u32 != process {
            return false;
        }
        libc::syscall(libc::SYS_tgkill, process, thread, 0)
    };
    asked != 0 && errno() == libc::ESRCH
}

/// Gets ready what threads and handlers need.
pub(crate) fn set_up() -> Result<(), Failure> {
    #[cfg(target_arch = "x86_64")]
    crate::inside::signals::kernel::set_rights_place(pkru_place());
    #[cfg(target_arch = "aarch64")]
    state::STREAMING_MODE.store(has_streaming_mode().into(), Ordering::Relaxed);
    #[cfg(target_arch = "aarch64")]
    restartable_sequences::set_up();
    if membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) == 0 {
        ORDERS_THREADS.store(true, Ordering::Relaxed);
    }
    Ok(())
}

/// Whether a handler can be installed for this signal, for all that libc and the kernel say.
pub(crate) fn can_be_caught(signal: libc::c_int) -> bool {
    let is_libcs_own = (32..libc::SIGRTMIN()).contains(&signal);
    (1..=libc::SIGRTMAX()).contains(&signal) && !is_libcs_own && signal != libc::SIGKILL && signal != libc::SIGSTOP
}

/// Whether every thread of this process can be made to pass a barrier. Before Linux 4.14, and where a filter of system
/// calls says no, it cannot.
pub(crate) fn orders_threads() -> bool {
    ORDERS_THREADS.load(Ordering::Relaxed)
}

static ORDERS_THREADS: AtomicBool = AtomicBool::new(false);

/// Has every thread of this process pass a memory barrier before this returns, if [`orders_threads`] says so:
/// membarrier(2), which takes a few microseconds.
pub(crate) fn order_threads() -> Result<(), Failure> {
    if !orders_threads() || membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) == 0 {
        return Ok(());
    }
    // Nothing says that a forked child is registered.
    if membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) == 0 && membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) == 0 {
        return Ok(());
    }
    Err(error::system_under_lock(format_args!("membarrier"), errno()))
}

/// Has every thread that is between the look and the jump of `arch::call_fault_handler` look again before this returns,
/// where that can be had. On x86-64 the two are one instruction: the barrier is enough.
pub(crate) fn restart_jumps() {
    #[cfg(target_arch = "aarch64")]
    if restartable_sequences::restart() {
        return;
    }
    // What has been loaded of the old function is behind its jump now, or is loaded again.
    let _: Result<(), Failure> = order_threads();
}

/// <linux/membarrier.h>
const MEMBARRIER_CMD_PRIVATE_EXPEDITED: usize = 1 << 3;
const MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED: usize = 1 << 4;

fn membarrier(command: usize) -> libc::c_long {
    // SAFETY: no memory is involved.
    unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) }
}

/// HWCAP2_SME (arch/arm64/include/uapi/asm/hwcap.h).
#[cfg(target_arch = "aarch64")]
fn has_streaming_mode() -> bool {
    const HWCAP2_SME: libc::c_ulong = 1 << 23;
    // SAFETY: no memory is involved.
    unsafe { libc::getauxval(libc::AT_HWCAP2) & HWCAP2_SME != 0 }
}

/// Where a signal frame has the rights by protection keys: CPUID.(0DH, 9):EBX, if the kernel has turned them on
/// (CPUID.(7, 0):ECX, bit 4). Intel's manual, volume 1, 13.2.
///
/// A virtual machine's host answers cpuid, which takes some microseconds each time. So what the kernel has enabled is
/// looked at first, of which XCR0 tells without it (fpu__init_cpu_xstate, arch/x86/kernel/fpu/xstate.c): bit 9 is there
/// if the processor has the keys and XSAVE is in use, without which Linux has no keys (cpuid_deps,
/// arch/x86/kernel/cpu/cpuid-deps.c). Where the bit is set, there are the leaves, too.
#[cfg(target_arch = "x86_64")]
fn pkru_place() -> usize {
    use core::arch::x86_64::{__cpuid, __cpuid_count};
    const OSXSAVE: u32 = 1 << 27;
    const OSPKE: u32 = 1 << 4;
    const XCR0_PKRU: u32 = 1 << 9;
    if __cpuid(1).ecx & OSXSAVE == 0 || arch::enabled_state() & XCR0_PKRU == 0 || __cpuid_count(7, 0).ecx & OSPKE == 0 {
        return 0;
    }
    __cpuid_count(0xd, 9).ebx as usize
}

/// The size of the frame that the kernel pushes for a signal, with all vector state (AT_MINSIGSTKSZ; before Linux 5.14
/// x86-64 did not tell, and the constant is too small for AVX-512).
pub(crate) fn signal_frame_size() -> usize {
    const AT_MINSIGSTKSZ: libc::c_ulong = 51;
    const WHEN_UNKNOWN: usize = 8 * 1024;
    // SAFETY: no memory is involved.
    match unsafe { libc::getauxval(AT_MINSIGSTKSZ) } as usize {
        0 => WHEN_UNKNOWN,
        size => size,
    }
}

/// The bounds of the stack that this thread was started on. Nothing is known of it where the bounds are empty.
pub(crate) fn stack_bounds() -> StackBounds {
    // The process's first thread: not that which was started with it in a child that another thread has forked.
    // SAFETY: no arguments.
    let is_first = unsafe { libc::getpid() == libc::gettid() };
    // The kernel has put random bytes at the top of the stack that the process was started on (getauxval(3)).
    // SAFETY: no memory is involved.
    let top = unsafe { libc::getauxval(libc::AT_RANDOM) } as usize;
    let initial = if is_first { memory_map::area_at(top) } else { None };
    // Where that is known, glibc is not asked: it reads the same file, by its streams, which takes much longer.
    if let Some(stack) = initial
        && stack.contains(arch::stack_pointer())
    {
        return growing_stack(StackBounds { high: stack.high, ..StackBounds::default() }, initial);
    }
    let told = bounds_by_pthread();
    let on_it = match initial {
        _ if told.high == 0 => true,
        Some(stack) => stack.contains(told.high - 1),
        None => told.low <= top && top < told.high.saturating_add(MOST_ARGUMENTS),
    };
    if is_first && on_it {
        return growing_stack(told, initial);
    }
    if told.guard != 0 || told.high == 0 {
        return StackBounds { margin: told.guard, ..told };
    }
    // A stack of the host's, which may have made a guard below it.
    let free = memory_map::area_at(told.low)
        .filter(|area| area.low == told.low)
        .map_or(0, |area| area.low - area.accessible_below);
    StackBounds { margin: free.min(GROWING_STACK_GAP), ..told }
}

/// What the thread library knows of this thread's stack. Without /proc, glibc does not know the main thread's; musl
/// knows how much of that is mapped by now (pthread_getattr_np).
fn bounds_by_pthread() -> StackBounds {
    let mut bounds = StackBounds::default();
    // SAFETY: all-zero memory is good enough for pthread_getattr_np to write into.
    let mut attributes: libc::pthread_attr_t = unsafe { core::mem::zeroed() };
    // SAFETY: `attributes` is valid for a write.
    if unsafe { libc::pthread_getattr_np(libc::pthread_self(), &raw mut attributes) } == 0 {
        let (mut low, mut size, mut guard) = (core::ptr::null_mut(), 0, 0);
        // SAFETY: initialised above; the places are valid for writes; destroyed once.
        unsafe {
            if libc::pthread_attr_getstack(&raw const attributes, &raw mut low, &raw mut size) == 0 {
                bounds.low = low.addr();
                bounds.high = low.addr() + size;
            }
            if libc::pthread_attr_getguardsize(&raw const attributes, &raw mut guard) == 0 {
                bounds.guard = guard.min(bounds.low);
            }
            libc::pthread_attr_destroy(&raw mut attributes);
        }
    }
    bounds
}

/// The stack that the process was started on: what the thread library knows of it, if anything, and what is mapped of
/// it, if that is known.
fn growing_stack(told: StackBounds, mapped: Option<Area>) -> StackBounds {
    let here = arch::stack_pointer();
    // It ends less than a page above what is in use here plus the program's arguments and environment.
    let high = if told.high != 0 { told.high } else { here.saturating_add(page_size()) };
    let by_limit = growth_limit().map(|limit| high.saturating_sub(limit));
    let (low, free) = match mapped {
        Some(mapped) => {
            // Up to a guard in its way, but not near to what can be accessed (expand_downwards, mm/mmap.c).
            let end = mapped.mapped_below.max(mapped.accessible_below + GROWING_STACK_GAP);
            let low = by_limit.unwrap_or(0).max(end).min(mapped.low);
            (low, low.saturating_sub(mapped.accessible_below))
        }
        None => match (told.high, by_limit) {
            // What lies below it is not known, but the kernel keeps it free.
            (_, Some(low)) => (low.min(here), low.min(here)),
            (0, None) => return StackBounds::default(),
            (_, None) => (told.low, 0),
        },
    };
    let margin = GROWING_STACK_SPACE.saturating_sub(high - low).max(GROWING_STACK_GAP).min(free);
    StackBounds { low, high, guard: 0, margin, grows: true }
}

/// How large the stack that grows may become; `None` if there is no limit.
fn growth_limit() -> Option<usize> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is valid for a write.
    let known = unsafe { libc::getrlimit(libc::RLIMIT_STACK, &raw mut limit) } == 0;
    (known && limit.rlim_cur != libc::RLIM_INFINITY).then_some(limit.rlim_cur as usize)
}

/// The lowest byte of a stack that can be counted on now. For one that grows: what the limit is at the moment, or
/// without one, what the kernel keeps free below a stack.
pub(crate) fn lowest_usable(stack: &StackBounds) -> usize {
    if !stack.grows {
        return stack.low;
    }
    let size = growth_limit().unwrap_or(GROWING_STACK_SPACE);
    stack.low.max(stack.high.saturating_sub(size))
}

/// Copies memory of this process that may not be there. False if any of it is not, or if the kernel refuses.
pub(crate) fn read_memory(from: usize, into: &mut [u8]) -> bool {
    let local = libc::iovec { iov_base: into.as_mut_ptr().cast(), iov_len: into.len() };
    let remote = libc::iovec { iov_base: from as *mut core::ffi::c_void, iov_len: into.len() };
    // SAFETY: writes no more than `into` holds; what cannot be read is an error.
    unsafe {
        libc::process_vm_readv(libc::getpid(), &raw const local, 1, &raw const remote, 1, 0) == into.len() as isize
    }
}

/// The thread leaves its frames for that of `activation`, which is alive. The kernel looks at the stack pointer itself.
#[cfg_attr(not(target_arch = "aarch64"), allow(unused_variables, reason = "there is nothing else to leave"))]
pub(crate) fn leaving_for(activation: *const Activation) {
    #[cfg(target_arch = "aarch64")]
    // SAFETY: the caller's promise.
    if let Some(activation) = unsafe { activation.as_ref() } {
        arch::forget_dropped_za(activation);
    }
}

/// The path of the program, as far as it fits; `path` ends in NUL then.
pub(crate) fn executable_path(path: &mut [u8]) {
    let Some(length) = path.len().checked_sub(1) else { return };
    path.fill(0);
    // SAFETY: no more than the given length is written; the last byte stays 0.
    unsafe { libc::readlink(c"/proc/self/exe".as_ptr(), path.as_mut_ptr().cast(), length) };
}

/// The value of an environment variable; null if there is none, or if the process has more rights than who started it.
/// `_room` is for systems that copy it.
pub(crate) fn environment_variable(name: &CStr, _room: &mut [u8]) -> *const c_char {
    // SAFETY: the name ends in NUL.
    unsafe { secure_getenv(name.as_ptr()) }
}

/// errno of the last call that failed.
pub(crate) fn errno() -> i32 {
    // SAFETY: points to this thread's errno.
    unsafe { *libc::__errno_location() }
}

unsafe extern "C" {
    fn secure_getenv(name: *const c_char) -> *mut c_char;
}

// The compiler's runtime has C's personality routine (for __attribute__((cleanup))) and the unwinder. With musl both
// may be missing (`arch`'s tables say so), because there they come with C++ alone: an exception that passes has brought
// them.
#[cfg_attr(not(target_env = "musl"), link(name = "gcc_s"))]
#[cfg_attr(target_env = "musl", link(name = "c"))] // which crate libc leaves to the standard library
unsafe extern "C" {
    pub(crate) fn __gcc_personality_v0();
    pub(crate) fn _Unwind_Resume(exception: *mut core::ffi::c_void) -> !;
}

// setjmp returns twice: for assembly only. These are the C library's, or a sanitizer's in front of them. `_setjmp` has
// no second parameter: it never saves the signal mask, and longjmp restores none then.
unsafe extern "C" {
    #[link_name = "_setjmp"]
    pub(crate) fn set_jump(jump: *mut core::ffi::c_void, save_mask: libc::c_int) -> libc::c_int;
    #[link_name = "longjmp"]
    pub(crate) fn jump(jump: *mut core::ffi::c_void, value: libc::c_int) -> !;
}
