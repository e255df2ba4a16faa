//! Fork: a child finds none of Wasmtime's locks taken, and nothing half done behind them.
//!
//! A child has the locks of its parent's threads, but not the threads that would release them. Wasmtime takes a lock
//! for every trap and every new module, so that a fork in a process with busy threads would sooner or later have a
//! child that waits for ever. Here a fork waits until no thread is within any lock, and threads that come to one wait
//! for the fork: each thread passes a gate, as one reader of many, before its first lock, and the fork is the gate's
//! writer.
//!
//! A thread counts its locks, so that it never waits at the gate with a lock in its hands.

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicBool, Ordering};

use crate::threads;

struct Gate(UnsafeCell<libc::pthread_rwlock_t>);

// SAFETY: a lock is for many threads.
unsafe impl Sync for Gate {}

static GATE: Gate = Gate(UnsafeCell::new(libc::PTHREAD_RWLOCK_INITIALIZER));

/// Forks are watched for. Until then, which is before Wasmtime's first engine is made, nobody passes the gate.
static WATCHING: AtomicBool = AtomicBool::new(false);

/// Watches for forks. Once is enough; an error number if there is no memory for it.
///
/// After libwasmtrap has begun to, so that its locks are taken after the gate is closed (the handlers before a fork run
/// in the opposite order): a thread within the gate may be waiting for one of them.
pub(crate) fn watch() -> i32 {
    if WATCHING.load(Ordering::Acquire) {
        return 0;
    }
    // SAFETY: nobody uses it yet; the library is never unloaded, so that the functions stay.
    let error = unsafe {
        make_gate();
        pthread_atfork(Some(before), Some(after_in_parent), Some(after_in_child))
    };
    if error == 0 {
        WATCHING.store(true, Ordering::Release);
    }
    error
}

/// A thread comes to a lock.
pub(crate) fn before_lock() {
    let thread = threads::of_this_thread();
    let depth = thread.locks.get();
    if depth == 0 && WATCHING.load(Ordering::Acquire) {
        thread.passed_gate.set(true);
        // SAFETY: initialised, and never destroyed.
        unsafe { libc::pthread_rwlock_rdlock(GATE.0.get()) };
    }
    thread.locks.set(depth + 1);
}

/// A thread has released a lock.
pub(crate) fn after_lock() {
    let thread = threads::of_this_thread();
    let depth = thread.locks.get().saturating_sub(1);
    thread.locks.set(depth);
    if depth == 0 && thread.passed_gate.replace(false) {
        // SAFETY: `before_lock` took it.
        unsafe { libc::pthread_rwlock_unlock(GATE.0.get()) };
    }
}

/// Makes the gate anew. The writer goes first, so that busy threads cannot keep a fork waiting for ever: glibc has to
/// be asked for that.
///
/// # Safety
/// Nobody else uses it.
unsafe fn make_gate() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        unsafe extern "C" {
            fn pthread_rwlockattr_setkind_np(
                attributes: *mut libc::pthread_rwlockattr_t,
                kind: libc::c_int,
            ) -> libc::c_int;
        }
        /// PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP, <pthread.h>.
        const PREFER_WRITER: libc::c_int = 2;
        let mut attributes = core::mem::MaybeUninit::uninit();
        // SAFETY: initialised before it is used, and destroyed at the end; the gate is the caller's.
        unsafe {
            if libc::pthread_rwlockattr_init(attributes.as_mut_ptr()) == 0 {
                pthread_rwlockattr_setkind_np(attributes.as_mut_ptr(), PREFER_WRITER);
                libc::pthread_rwlock_init(GATE.0.get(), attributes.as_ptr());
                libc::pthread_rwlockattr_destroy(attributes.as_mut_ptr());
            }
        }
    }
    #[cfg(not(all(target_os = "linux", target_env = "gnu")))]
    // SAFETY: the caller's promise.
    unsafe {
        libc::pthread_rwlock_init(GATE.0.get(), core::ptr::null());
    }
}

/// Whether this thread forks from within a lock of Wasmtime's, which nothing can be done about.
fn forks_within_a_lock() -> bool {
    threads::of_this_thread().locks.get() != 0
}

extern "C" fn before() {
    if !forks_within_a_lock() {
        // SAFETY: initialised, and never destroyed.
        unsafe { libc::pthread_rwlock_wrlock(GATE.0.get()) };
    }
}

extern "C" fn after_in_parent() {
    if !forks_within_a_lock() {
        // SAFETY: `before` took it.
        unsafe { libc::pthread_rwlock_unlock(GATE.0.get()) };
    }
}

extern "C" fn after_in_child() {
    // Made anew rather than unlocked: not every system takes this thread for the one that locked it.
    // SAFETY: the only thread.
    unsafe { make_gate() };
}

unsafe extern "C" {
    fn pthread_atfork(
        prepare: Option<extern "C" fn()>,
        parent: Option<extern "C" fn()>,
        child: Option<extern "C" fn()>,
    ) -> libc::c_int;
}
