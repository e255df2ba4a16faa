//! macOS.

use core::ffi::{CStr, c_char, c_int, c_void};
use core::sync::atomic::{AtomicPtr, Ordering};

use crate::arch::{self, NoThreadPointer};
use crate::outside::error::{self, Failure, fail};
use crate::outside::platform::page_size;
pub(crate) use crate::outside::platform::posix::*;
use crate::outside::sanitizers::Entries;
use crate::shared::abi::WASMTRAP_ERR_UNSUPPORTED;
use crate::shared::activation::Activation;
use crate::shared::disposition::Disposition;
use crate::shared::thread::StackBounds;

/// The room that the kernel keeps for the main thread's stack, most of it inaccessible until the limit is raised
/// (create_unix_stack, bsd/kern/mach_loader.c; MAXSSIZ, bsd/*/vmparam.h).
const MAIN_STACK_SPACE: usize = 64 * 1024 * 1024;

/// What mmap is told of memory for a stack.
pub(crate) const STACK_MAPPING_FLAGS: c_int = libc::MAP_NORESERVE;

/// PTHREAD_CANCEL_DISABLE of <pthread.h>. Linux has the other value.
pub(crate) const CANCEL_DISABLE: c_int = 0;

/// Not needed: see `waits_for`.
pub(crate) fn kernel_thread() -> u32 {
    0
}

/// Whether no thread has this number any more. Not known here.
pub(crate) fn has_ended(_thread: u32) -> bool {
    false
}

/// Whether a signal waits for another thread. It cannot be told, and need not be: no signal is queued more than once.
pub(crate) fn waits_for(_thread: u32, _signal: c_int) -> Option<bool> {
    None
}

/// Gets ready what threads need: their own pointer, and the call of `leaving_for`.
pub(crate) fn set_up() -> Result<(), Failure> {
    find_sigreturn();
    find_sanitizers();
    arch::set_up().map_err(|reason| match reason {
        NoThreadPointer::NoKey(error) => error::system("pthread_key_create", error),
        NoThreadPointer::NotWhereExpected => fail(
            WASMTRAP_ERR_UNSUPPORTED,
            format_args!(
                "this version of macOS keeps a thread's values (pthread_setspecific) elsewhere than signal handlers of \
                 this library can read them"
            ),
        ),
    })
}

/// Whether a handler can be installed for this signal.
pub(crate) fn can_be_caught(signal: c_int) -> bool {
    (1..32).contains(&signal) && signal != libc::SIGKILL && signal != libc::SIGSTOP
}

/// Whether every thread of this process can be made to pass a barrier: `true`, because each call has its own
/// (`arch::barrier_of_a_call`), so that there is no need.
pub(crate) fn orders_threads() -> bool {
    true
}

/// Nothing: see above.
pub(crate) fn order_threads() -> Result<(), Failure> {
    Ok(())
}

/// Has every thread that is between the look and the jump of `arch::call_fault_handler` look again: nothing. On x86-64
/// the two are one instruction; on arm64 nobody can.
pub(crate) fn restart_jumps() {}

/// The size of the frame that the kernel pushes for a signal: at most that of sendsig on x86-64 (bsd/dev/i386/
/// unix_signal.c) with AVX-512 state, less than 4 KiB. Twice that is also the least that sigaltstack takes
/// (bsd/kern/kern_sig.c).
pub(crate) fn signal_frame_size() -> usize {
    8 * 1024
}

/// Whether the object that this code is in says itself that it is never unloaded: ours has no such mark.
pub(crate) fn stays_loaded() -> bool {
    false
}

/// The bounds of the stack that this thread was started on.
pub(crate) fn stack_bounds() -> StackBounds {
    // SAFETY: a thread may ask about itself.
    let (high, size) = unsafe {
        let this = libc::pthread_self();
        (libc::pthread_get_stackaddr_np(this).addr(), libc::pthread_get_stacksize_np(this))
    };
    let low = high.saturating_sub(size);
    // SAFETY: no arguments.
    let is_main = unsafe { libc::pthread_main_np() } != 0;
    // Nothing tells the guard that a thread was made with; by default it is a page.
    let margin = if is_main { MAIN_STACK_SPACE.saturating_sub(size).max(page_size()) } else { page_size() }.min(low);
    StackBounds { low, high, guard: page_size().min(low), margin, grows: false }
}

/// What the names in `find_sanitizers` stand for in this process, null where there is none.
static SANITIZERS: [AtomicPtr<c_void>; 3] = [const { AtomicPtr::new(core::ptr::null_mut()) }; 3];

fn find_sanitizers() {
    let names = [c"__asan_handle_no_return", c"__asan_unpoison_memory_region", c"__tsan_func_exit"];
    for (place, name) in SANITIZERS.iter().zip(names) {
        // SAFETY: looks a name up.
        place.store(unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) }, Ordering::Relaxed);
    }
}

pub(crate) fn sanitizer_entries() -> Entries {
    let [handle_no_return, unpoison, func_exit] = &SANITIZERS;
    let (handle_no_return, unpoison) = (handle_no_return.load(Ordering::Relaxed), unpoison.load(Ordering::Relaxed));
    // SAFETY: null, for which the option is none, or a function of that form (sanitizer/asan_interface.h; the last is
    // never called).
    unsafe {
        Entries {
            asan_handle_no_return: core::mem::transmute::<*mut c_void, Option<unsafe extern "C" fn()>>(
                handle_no_return,
            ),
            asan_unpoison_memory_region: core::mem::transmute::<
                *mut c_void,
                Option<unsafe extern "C" fn(*const c_void, usize)>,
            >(unpoison),
            tsan_func_exit: core::mem::transmute::<*mut c_void, Option<unsafe extern "C" fn()>>(
                func_exit.load(Ordering::Relaxed),
            ),
        }
    }
}

/// The lowest byte of a stack that can be counted on now.
pub(crate) fn lowest_usable(stack: &StackBounds) -> usize {
    stack.low
}

/// Copies memory of this process that may not be there. False if any of it is not, or if the kernel refuses.
pub(crate) fn read_memory(from: usize, into: &mut [u8]) -> bool {
    let mut size = 0;
    // SAFETY: writes no more than `into` holds; what cannot be read is an error.
    let result = unsafe {
        mach2::vm::mach_vm_read_overwrite(
            mach2::traps::mach_task_self(),
            from as u64,
            into.len() as u64,
            into.as_mut_ptr().addr() as u64,
            &raw mut size,
        )
    };
    result == mach2::kern_return::KERN_SUCCESS && size == into.len() as u64
}

type Sigreturn = unsafe extern "C" fn(*mut c_void, c_int, usize) -> c_int;

/// libsystem_kernel's system call, null if it is gone.
static SIGRETURN: AtomicPtr<c_void> = AtomicPtr::new(core::ptr::null_mut());

fn find_sigreturn() {
    // SAFETY: looks a name up.
    let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"__sigreturn".as_ptr()) };
    SIGRETURN.store(found, Ordering::Relaxed);
}

/// Tells the kernel that the thread goes back to the stack of `activation`. XNU does not look at the stack pointer: to
/// it a thread that has left a handler without returning is on its alternate stack for ever, so that no other signal
/// finds it free, not even for a stack overflow. siglongjmp ends that by the same call (_sigunaltstack, libplatform's
/// setjmp).
///
/// May run in a signal handler of the host's.
pub(crate) fn leaving_for(activation: *const Activation) {
    /// Of bsd/dev/*/unix_signal.c: sigreturn only clears the thread's SS_ONSTACK.
    const RESET_ALTERNATE_STACK: c_int = 0x8000_0000_u32 as c_int;
    // SAFETY: all-zero is a valid stack_t to write into.
    let mut now: libc::stack_t = unsafe { core::mem::zeroed() };
    // SAFETY: reads only, into `now`.
    let known = unsafe { libc::sigaltstack(core::ptr::null(), &raw mut now) } == 0;
    let is_on_it = known && now.ss_flags & libc::SS_ONSTACK != 0;
    let stays_on_it = activation.addr().wrapping_sub(now.ss_sp.addr()) < now.ss_size;
    let sigreturn = SIGRETURN.load(Ordering::Relaxed);
    if is_on_it && !stays_on_it && !sigreturn.is_null() {
        // SAFETY: the function has had this form since it was made (libsyscall's sigreturn.s); with this style it looks
        // at nothing else.
        unsafe {
            let sigreturn = core::mem::transmute::<*mut c_void, Sigreturn>(sigreturn);
            sigreturn(core::ptr::null_mut(), RESET_ALTERNATE_STACK, 0);
        }
    }
}

/// In a disposition's mask.
pub(crate) const EVERY_SIGNAL: u64 = u32::MAX as u64;

impl Disposition {
    /// Whether a signal that has this one is handled as with `other`, whoever has set them.
    pub(crate) fn does_the_same(&self, other: &Self) -> bool {
        (self.handler, self.flags) == (other.handler, other.flags)
    }
}

/// What a signal does: by libSystem's sigaction, since the system call is no interface here.
pub(crate) fn kernel_disposition(signal: c_int) -> Result<Disposition, i32> {
    // SAFETY: all-zero is a valid sigaction to write into.
    let mut now: libc::sigaction = unsafe { core::mem::zeroed() };
    // SAFETY: reads only, into `now`.
    match unsafe { libc::sigaction(signal, core::ptr::null(), &raw mut now) } {
        0 => Ok(Disposition {
            handler: now.sa_sigaction,
            flags: now.sa_flags,
            mask: u64::from(now.sa_mask),
            restorer: 0,
        }),
        _ => Err(errno()),
    }
}

pub(crate) fn set_kernel_disposition(signal: c_int, wanted: &Disposition) -> Result<(), i32> {
    let &Disposition { handler, flags, mask, .. } = wanted;
    let action = libc::sigaction { sa_sigaction: handler, sa_mask: mask as libc::sigset_t, sa_flags: flags };
    // SAFETY: either ours or what was in place earlier.
    match unsafe { libc::sigaction(signal, &raw const action, core::ptr::null_mut()) } {
        0 => Ok(()),
        _ => Err(errno()),
    }
}

/// What sigaction says.
pub(crate) fn told_disposition(signal: c_int) -> Result<Disposition, i32> {
    kernel_disposition(signal)
}

/// Has sigaction set it.
pub(crate) fn tell_disposition(signal: c_int, wanted: &Disposition) -> Result<(), i32> {
    set_kernel_disposition(signal, wanted)
}

/// A sigaction that is another's than libSystem's. The loader's interposing (__DATA,__interpose) does not show in its
/// address.
pub(crate) fn foreign_sigaction() -> Option<usize> {
    None
}

/// Copies what can be read of the code at `address`, and returns how much that is.
pub(crate) fn read_code(address: usize, code: &mut [u8]) -> usize {
    let mut length = 0;
    let to = code.as_mut_ptr().addr() as u64;
    // SAFETY: the kernel writes no more than `code` holds, and says how much that was. Of a range that is not mapped as
    // a whole it copies nothing.
    let result = unsafe {
        mach2::vm::mach_vm_read_overwrite(
            mach2::traps::mach_task_self(),
            address as u64,
            code.len() as u64,
            to,
            &raw mut length,
        )
    };
    if result == 0 { length as usize } else { 0 }
}

/// The path of the program, as far as it fits; `path` ends in NUL then.
pub(crate) fn executable_path(path: &mut [u8]) {
    path.fill(0);
    let mut size = path.len() as u32;
    // SAFETY: no more than `size` bytes are written, with the NUL, or nothing if the path is longer.
    unsafe { _NSGetExecutablePath(path.as_mut_ptr().cast(), &raw mut size) };
}

/// The value of an environment variable; null if there is none, or if the process has more rights than who started it.
/// `_room` is for systems that copy it.
pub(crate) fn environment_variable(name: &CStr, _room: &mut [u8]) -> *const c_char {
    // SAFETY: no arguments; the name ends in NUL.
    unsafe { if libc::issetugid() != 0 { core::ptr::null() } else { libc::getenv(name.as_ptr()) } }
}

/// errno of the last call that failed.
pub(crate) fn errno() -> i32 {
    // SAFETY: points to this thread's errno.
    unsafe { *libc::__error() }
}

unsafe extern "C" {
    fn _NSGetExecutablePath(path: *mut c_char, size: *mut u32) -> c_int;
}

// libSystem has the compiler's runtime with C's personality routine (for __attribute__((cleanup))) and the unwinder.
unsafe extern "C" {
    pub(crate) fn __gcc_personality_v0();
    pub(crate) fn _Unwind_Resume(exception: *mut c_void) -> !;
}

// setjmp returns twice: for assembly only. These are libSystem's, or a sanitizer's in front of them. Not `_setjmp`:
// here longjmp takes for granted that the mask was saved, and ThreadSanitizer does not know `_longjmp`.
unsafe extern "C" {
    #[link_name = "sigsetjmp"]
    pub(crate) fn set_jump(jump: *mut c_void, save_mask: c_int) -> c_int;
    #[link_name = "siglongjmp"]
    pub(crate) fn jump(jump: *mut c_void, value: c_int) -> !;
}
