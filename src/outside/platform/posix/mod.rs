//! What Linux and macOS have in common: POSIX.

mod describe;
mod thread_key;

use core::cell::UnsafeCell;
use core::ffi::{CStr, c_char, c_int, c_void};

use super::page_size;
use super::this::{CANCEL_DISABLE, errno};
use crate::shared::abi::wasmtrap_trap_t;
pub(crate) use describe::{describe_object, describe_system};
pub(crate) use thread_key::{Key, MAKING_A_KEY, ThreadKey};

/// A trap has landed: nothing is left to be put in order.
pub(crate) fn has_landed(_trap: &wasmtrap_trap_t) {}

/// A page that can be read. What fails is told with its error number, unless it is for want of memory.
pub(crate) fn map_page() -> Result<*mut c_void, Option<(&'static str, i32)>> {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANON;
    // SAFETY: a new mapping.
    let page = unsafe { libc::mmap(core::ptr::null_mut(), page_size(), libc::PROT_READ, flags, -1, 0) };
    match page {
        libc::MAP_FAILED if errno() == libc::ENOMEM => Err(None),
        libc::MAP_FAILED => Err(Some(("mmap", errno()))),
        page => Ok(page),
    }
}

/// Makes a page of `map_page` inaccessible, or readable.
///
/// # Safety
/// It is one, and the caller's.
pub(crate) unsafe fn protect_page(page: *const c_void, inaccessible: bool) -> Result<(), (&'static str, i32)> {
    let rights = if inaccessible { libc::PROT_NONE } else { libc::PROT_READ };
    // SAFETY: the caller's promise.
    match unsafe { libc::mprotect(page.cast_mut(), page_size(), rights) } {
        0 => Ok(()),
        _ => Err(("mprotect", errno())),
    }
}

/// # Safety
/// As for `protect_page`; nobody uses it any more.
pub(crate) unsafe fn unmap_page(page: *const c_void) {
    // SAFETY: the caller's promise.
    unsafe { libc::munmap(page.cast_mut(), page_size()) };
}

/// Sends a signal to a thread that has not ended, by its `this_thread`. Returns an error number, or 0.
///
/// # Safety
/// It has not ended.
pub(crate) unsafe fn send_signal(thread: usize, signal: c_int) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { libc::pthread_kill(thread as libc::pthread_t, signal) }
}

/// A lock that fork handlers can hold.
pub(crate) struct Mutex(UnsafeCell<libc::pthread_mutex_t>);

// SAFETY: pthread's functions are made to be called by several threads.
unsafe impl Sync for Mutex {}

impl Mutex {
    pub(crate) const fn new() -> Self {
        Self(UnsafeCell::new(libc::PTHREAD_MUTEX_INITIALIZER))
    }

    pub(crate) fn lock(&self) {
        // SAFETY: the mutex was initialised statically and is never destroyed or moved (statics only).
        unsafe { libc::pthread_mutex_lock(self.0.get()) };
    }

    /// # Safety
    /// This thread holds the lock.
    pub(crate) unsafe fn unlock(&self) {
        // SAFETY: as for `lock`; the caller's promise.
        unsafe { libc::pthread_mutex_unlock(self.0.get()) };
    }
}

/// Sets whether this thread can be cancelled, and tells how that was before.
pub(crate) fn exchange_cancel_state(state: c_int) -> c_int {
    let mut earlier = CANCEL_DISABLE;
    // SAFETY: `earlier` is valid for a write. The state is a valid one, so there is no error.
    unsafe { pthread_setcancelstate(state, &raw mut earlier) };
    earlier
}

/// Lets another thread have the processor.
pub(crate) fn yield_processor() {
    // SAFETY: no arguments, no effect on memory.
    unsafe { libc::sched_yield() };
}

/// Sleeps for a moment.
pub(crate) fn nap() {
    let nap = libc::timespec { tv_sec: 0, tv_nsec: 50_000 };
    // SAFETY: `nap` is valid for a read; null means that the rest of an interrupted sleep is not wanted.
    unsafe { libc::nanosleep(&raw const nap, core::ptr::null_mut()) };
}

/// Fills the words with the system's random numbers, 256 bytes at the most. False if there are none.
pub(crate) fn fill_with_entropy(words: &mut [u64]) -> bool {
    // SAFETY: `words` is valid for writes of its size.
    unsafe { getentropy(words.as_mut_ptr().cast(), size_of_val(words)) == 0 }
}

/// A number that is another one at another time.
pub(crate) fn moment() -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `now` is valid for a write.
    unsafe { libc::clock_gettime(libc::CLOCK_REALTIME, &raw mut now) };
    (now.tv_nsec as u64) << 32 ^ now.tv_sec as u64
}

/// Keeps the object at this address in memory for ever. Whether that is seen to.
pub(crate) fn pin_object_of(address: usize) -> bool {
    // SAFETY: all-zero is a valid Dl_info; dladdr fills it in for an address of this object.
    let mut info: libc::Dl_info = unsafe { core::mem::zeroed() };
    // SAFETY: `info` is valid for a write.
    if unsafe { libc::dladdr(address as *const c_void, &raw mut info) } == 0 || info.dli_fname.is_null() {
        return false;
    }
    // The handle is given up on purpose. For the program itself there is none by its name, and no need.
    // SAFETY: the name is the loader's own; NOLOAD finds what is loaded already and runs no code.
    let handle = unsafe { libc::dlopen(info.dli_fname, libc::RTLD_LAZY | libc::RTLD_NOLOAD | libc::RTLD_NODELETE) };
    !handle.is_null()
}

/// Memory by malloc, null if there is none. The alignment is a power of two and no less than a pointer's size.
#[cfg(all(feature = "c-library", panic = "abort", not(test)))]
pub(crate) fn allocate(alignment: usize, size: usize) -> *mut u8 {
    let mut memory = core::ptr::null_mut();
    // SAFETY: the alignment is as posix_memalign wants it; `memory` is valid for a write.
    match unsafe { libc::posix_memalign(&raw mut memory, alignment, size) } {
        0 => memory.cast(),
        _ => core::ptr::null_mut(),
    }
}

/// # Safety
/// Came from `allocate`.
#[cfg(all(feature = "c-library", panic = "abort", not(test)))]
pub(crate) unsafe fn free(memory: *mut u8) {
    // SAFETY: the caller's promise.
    unsafe { libc::free(memory.cast()) };
}

/// Writes to standard error, as far as that can be.
pub(crate) fn write_to_stderr(bytes: &[u8]) {
    // SAFETY: the bytes are there.
    unsafe { libc::write(libc::STDERR_FILENO, bytes.as_ptr().cast(), bytes.len()) };
}

pub(crate) fn process_id() -> u32 {
    // SAFETY: no arguments.
    unsafe { libc::getpid() as u32 }
}

/// An address or a number that no other live thread has, and not 0; a forked child's only thread keeps its own.
pub(crate) fn this_thread() -> usize {
    // SAFETY: no arguments.
    unsafe { libc::pthread_self() as usize }
}

/// Has these functions run before and after forks, for ever.
pub(crate) fn at_fork(
    before: extern "C" fn(),
    after_in_parent: extern "C" fn(),
    after_in_child: extern "C" fn(),
) -> Result<(), i32> {
    // SAFETY: the library is never unloaded, so that the functions stay.
    match unsafe { pthread_atfork(Some(before), Some(after_in_parent), Some(after_in_child)) } {
        0 => Ok(()),
        error => Err(error),
    }
}

pub(super) fn told_page_size() -> Option<usize> {
    // SAFETY: no memory is involved.
    usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).ok()
}

/// The words for an error number, ending in NUL. False if there are none.
pub(crate) fn describe_error(errno: i32, text: &mut [u8]) -> bool {
    text.fill(0);
    let room = text.len().saturating_sub(1);
    // SAFETY: the buffer has the length that is given; libc binds the POSIX form, which writes into it. The last byte
    // stays 0.
    unsafe { libc::strerror_r(errno, text.as_mut_ptr().cast(), room) == 0 }
}

/// The object that an address is in, its base, and the symbol at that very address.
pub(super) fn object_of(address: usize) -> Option<(&'static CStr, usize, Option<&'static CStr>)> {
    // SAFETY: all-zero is a valid Dl_info to write into.
    let mut info: libc::Dl_info = unsafe { core::mem::zeroed() };
    // SAFETY: dladdr only looks the address up.
    let known = unsafe { libc::dladdr(address as *const c_void, &raw mut info) } != 0;
    if !known || info.dli_fname.is_null() {
        return None;
    }
    // SAFETY: the loader's own strings.
    let string = |text: *const c_char| unsafe { CStr::from_ptr(text) };
    let symbol = (!info.dli_sname.is_null() && info.dli_saddr.addr() == address).then(|| string(info.dli_sname));
    Some((string(info.dli_fname), info.dli_fbase.addr(), symbol))
}

unsafe extern "C" {
    fn pthread_setcancelstate(state: c_int, earlier: *mut c_int) -> c_int;
    fn pthread_atfork(
        prepare: Option<extern "C" fn()>,
        parent: Option<extern "C" fn()>,
        child: Option<extern "C" fn()>,
    ) -> c_int;
    // Of every libc here; crate libc has no binding for musl's.
    fn getentropy(buffer: *mut c_void, length: usize) -> c_int;
}
