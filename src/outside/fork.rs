//! Fork: the child goes on with the same registrations and handlers, and with one thread.
//!
//! The locks are taken before the fork, in the order in which the rest of the library takes them, so that the child
//! finds nothing half done.

use super::{library, registry, threads};
use crate::shared::state;
use core::sync::atomic::Ordering;

/// Watches for forks, once per process.
pub(crate) fn watch() -> i32 {
    // SAFETY: the library is never unloaded, so that the functions stay.
    unsafe { pthread_atfork(Some(before), Some(after_in_parent), Some(after_in_child)) }
}

/// Notes which process this is.
pub(crate) fn note_process() {
    // SAFETY: no arguments.
    state::PROCESS_ID.store(unsafe { libc::getpid() } as u32, Ordering::Relaxed);
}

extern "C" fn before() {
    library::lock_for_fork();
    threads::lock_for_fork();
    registry::lock_for_fork();
}

extern "C" fn after_in_parent() {
    // SAFETY: `before` took them.
    unsafe {
        registry::unlock_after_fork_in_parent();
        threads::unlock_after_fork_in_parent();
        library::unlock_after_fork_in_parent();
    }
}

extern "C" fn after_in_child() {
    note_process();
    // SAFETY: `before` took them, on the thread that this one is the image of.
    unsafe {
        registry::unlock_after_fork_in_child();
        threads::unlock_after_fork_in_child();
        library::unlock_after_fork_in_child();
    }
}

unsafe extern "C" {
    fn pthread_atfork(
        prepare: Option<extern "C" fn()>,
        parent: Option<extern "C" fn()>,
        child: Option<extern "C" fn()>,
    ) -> libc::c_int;
}
