//! Behind a thread-specific key: a thread-local variable of Mach-O is allocated at its first look, wherever that is.
//!
//! The key is made before Wasmtime's first thread-local is set; before that, and on threads that Wasmtime does not
//! know, there is nothing. pthread_getspecific reads one word of the thread's own (libpthread, src/pthread_tsd.c).

use core::ffi::c_void;
use core::sync::atomic::{AtomicUsize, Ordering};

use super::Thread;
use crate::complaints::stop;

/// The key plus one, 0 before there is one.
static KEY: AtomicUsize = AtomicUsize::new(0);

/// This thread's own, if it has one.
pub(crate) fn current() -> Option<&'static Thread> {
    let key = KEY.load(Ordering::Acquire).checked_sub(1)?;
    // SAFETY: the key is never deleted; its value is null or what `current_or_new` has put there, which stays until the
    // thread's end.
    unsafe { libc::pthread_getspecific(key as libc::pthread_key_t).cast::<Thread>().as_ref() }
}

/// This thread's own, made if it has none. Wasmtime cannot be told that there is no memory for it.
pub(crate) fn current_or_new() -> &'static Thread {
    if let Some(thread) = current() {
        return thread;
    }
    let key = key();
    // SAFETY: fresh memory, all-zero, which is a valid `Thread`; freed by the key's destructor.
    unsafe {
        let thread = libc::calloc(1, size_of::<Thread>()).cast::<Thread>();
        if thread.is_null() || libc::pthread_setspecific(key, thread.cast()) != 0 {
            stop("no memory for a thread's local storage");
        }
        &*thread
    }
}

/// The key, made at the first use. Of two threads that make one at once, one throws its own away.
fn key() -> libc::pthread_key_t {
    if let Some(key) = KEY.load(Ordering::Acquire).checked_sub(1) {
        return key as libc::pthread_key_t;
    }
    let mut key = 0;
    // SAFETY: `key` is valid for a write; the library is never unloaded, so that the destructor stays.
    if unsafe { libc::pthread_key_create(&raw mut key, Some(free)) } != 0 {
        stop("no thread-specific key is left");
    }
    match KEY.compare_exchange(0, key as usize + 1, Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) => key,
        Err(earlier) => {
            // SAFETY: nobody else has seen it.
            unsafe { libc::pthread_key_delete(key) };
            (earlier - 1) as libc::pthread_key_t
        }
    }
}

unsafe extern "C" fn free(thread: *mut c_void) {
    // SAFETY: came from calloc, and the thread has no use for it any more.
    unsafe { libc::free(thread) };
}
