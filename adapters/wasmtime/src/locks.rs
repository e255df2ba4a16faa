//! Wasmtime's locks (feature `custom-sync-primitives`), each behind one word of its own.
//!
//! Wasmtime's word is zero before the first use and the address of a lock of pthreads from then on. It is made by
//! whoever comes first and freed by Wasmtime's word. They fail for want of memory only, which Wasmtime cannot be told.

use core::sync::atomic::{AtomicUsize, Ordering};

use crate::complaints::stop;
use crate::fork;

/// A lock of pthreads that Wasmtime's word can point to.
pub(crate) trait Lock {
    /// # Safety
    /// `lock` is valid for a write.
    unsafe fn init(lock: *mut Self) -> i32;
    /// # Safety
    /// `lock` was initialised and nobody holds it.
    unsafe fn destroy(lock: *mut Self);
}

impl Lock for libc::pthread_mutex_t {
    unsafe fn init(lock: *mut Self) -> i32 {
        // SAFETY: the caller's promise; null stands for the default attributes.
        unsafe { libc::pthread_mutex_init(lock, core::ptr::null()) }
    }
    unsafe fn destroy(lock: *mut Self) {
        // SAFETY: the caller's promise.
        unsafe { libc::pthread_mutex_destroy(lock) };
    }
}

impl Lock for libc::pthread_rwlock_t {
    unsafe fn init(lock: *mut Self) -> i32 {
        // SAFETY: as above.
        unsafe { libc::pthread_rwlock_init(lock, core::ptr::null()) }
    }
    unsafe fn destroy(lock: *mut Self) {
        // SAFETY: as above.
        unsafe { libc::pthread_rwlock_destroy(lock) };
    }
}

/// # Safety
/// `word` is a valid lock word of Wasmtime's.
unsafe fn atomic<'a>(word: *mut usize) -> &'a AtomicUsize {
    // SAFETY: the caller's promise; Wasmtime looks at its words through these functions only.
    unsafe { AtomicUsize::from_ptr(word) }
}

/// Takes the lock behind Wasmtime's word in one of the ways there are.
///
/// # Safety
/// `word` is a valid lock word of Wasmtime's, used with this kind of lock only.
pub(crate) unsafe fn acquire<L: Lock>(word: *mut usize, take: unsafe extern "C" fn(*mut L) -> libc::c_int) {
    fork::before_lock();
    // SAFETY: the caller's promise.
    unsafe { take(lock_of(word)) };
}

/// Releases it.
///
/// # Safety
/// As for `acquire`, which this thread has called.
pub(crate) unsafe fn release<L: Lock>(word: *mut usize, give: unsafe extern "C" fn(*mut L) -> libc::c_int) {
    // SAFETY: the caller's promise.
    unsafe { give(lock_of(word)) };
    fork::after_lock();
}

/// The lock behind Wasmtime's word, made if this is its first use.
///
/// # Safety
/// As for `acquire`.
unsafe fn lock_of<L: Lock>(word: *mut usize) -> *mut L {
    // SAFETY: the caller's promise.
    let word = unsafe { atomic(word) };
    match word.load(Ordering::Acquire) {
        0 => make(word),
        lock => lock as *mut L,
    }
}

#[cold]
fn make<L: Lock>(word: &AtomicUsize) -> *mut L {
    // SAFETY: malloc's memory is aligned for every type of C's, and checked before it is used.
    let lock = unsafe { libc::malloc(size_of::<L>()) }.cast::<L>();
    // SAFETY: as large as a lock, and nobody else's.
    if lock.is_null() || unsafe { L::init(lock) } != 0 {
        stop("no memory for a lock");
    }
    match word.compare_exchange(0, lock.addr(), Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) => lock,
        Err(earlier) => {
            // SAFETY: initialised above, and nobody else has seen it.
            unsafe { discard(lock) };
            earlier as *mut L
        }
    }
}

/// Frees the lock behind Wasmtime's word, if it was ever used.
///
/// # Safety
/// As for `acquire`; nobody holds the lock or will use it again.
pub(crate) unsafe fn free<L: Lock>(word: *mut usize) {
    // SAFETY: the caller's promise.
    let lock = unsafe { atomic(word) }.swap(0, Ordering::AcqRel) as *mut L;
    if !lock.is_null() {
        // SAFETY: made by `make`, and not in use.
        unsafe { discard(lock) };
    }
}

/// # Safety
/// `lock` came from `make` and is in no word.
unsafe fn discard<L: Lock>(lock: *mut L) {
    // SAFETY: the caller's promise.
    unsafe {
        L::destroy(lock);
        libc::free(lock.cast());
    }
}
