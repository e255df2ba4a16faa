//! Fork: the child goes on with the same registrations and handlers, and with one thread.
//!
//! The locks are taken before the fork, in the order in which the rest of the library takes them, so that the child
//! finds nothing half done.

use super::{error, library, platform, registry, threads};
use crate::shared::state;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Watches for forks. To be called without a lock: it takes libc's own, which a fork holds while it runs our handlers
/// (glibc before 2.36, nptl/register-atfork.c).
pub(crate) fn watch() -> Result<(), i32> {
    static WATCHES: AtomicBool = AtomicBool::new(false);
    if WATCHES.load(Ordering::Acquire) {
        return Ok(());
    }
    // Threads that come here at once each have the handlers called once more, which `Forker` allows for.
    platform::at_fork(before, after_in_parent, after_in_child)?;
    WATCHES.store(true, Ordering::Release);
    Ok(())
}

/// The thread that forks. Each handler may be called more than once for a fork, and not at all on one side of it if it
/// was registered meanwhile.
struct Forker {
    /// The thread that has taken the locks; 0 if none has.
    thread: AtomicUsize,
    /// How often `before` has been called for this fork. Only that thread looks at it.
    depth: AtomicUsize,
}

static FORKER: Forker = Forker { thread: AtomicUsize::new(0), depth: AtomicUsize::new(0) };

impl Forker {
    fn this_thread() -> usize {
        platform::this_thread()
    }

    fn is_this_thread(&self) -> bool {
        self.thread.load(Ordering::Relaxed) == Self::this_thread()
    }

    /// Counts one more call of `before`, once this thread is known to fork.
    fn enter(&self) {
        self.thread.store(Self::this_thread(), Ordering::Relaxed);
        self.depth.store(self.depth.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    /// Whether this was the last of the calls after the fork, so that the locks are to be released.
    fn leave(&self) -> bool {
        if !self.is_this_thread() {
            return false;
        }
        let depth = self.depth.load(Ordering::Relaxed) - 1;
        self.depth.store(depth, Ordering::Relaxed);
        if depth == 0 {
            self.thread.store(0, Ordering::Relaxed);
        }
        depth == 0
    }
}

/// How many forks lie between this process and the one that has set the library up.
static GENERATION: AtomicUsize = AtomicUsize::new(0);

/// The same: another number in a child than in its parent.
pub(crate) fn generation() -> usize {
    GENERATION.load(Ordering::Relaxed)
}

/// Whether a value that a thread finds under a key of ours may be another thread's, which has not come along. In a
/// child glibc gives new threads the stacks of those, and clears the values of a stack if they are in use
/// (`specific_used` in reclaim_stacks). That flag falls at a thread's end before the first destructor is called and the
/// first value cleared (nptl_deallocate_tsd.c): the value of a thread that was just there at the fork comes again.
pub(crate) fn may_leave_values_behind() -> bool {
    generation() != 0
}

/// Notes which process this is.
pub(crate) fn note_process() {
    state::PROCESS_ID.store(platform::process_id(), Ordering::Relaxed);
}

extern "C" fn before() {
    if FORKER.is_this_thread() {
        return FORKER.enter();
    }
    library::lock_for_fork();
    threads::list::lock_for_fork();
    registry::lock_for_fork();
    FORKER.enter();
}

extern "C" fn after_in_parent() {
    if !FORKER.leave() {
        return;
    }
    // SAFETY: `before` took them.
    unsafe {
        registry::unlock_after_fork_in_parent();
        threads::list::unlock_after_fork_in_parent();
        library::unlock_after_fork_in_parent();
    }
}

extern "C" fn after_in_child() {
    note_process();
    error::keep_in_child(|| GENERATION.store(generation() + 1, Ordering::Relaxed));
    if !FORKER.leave() {
        return;
    }
    // SAFETY: `before` took them, on the thread that this one is the image of.
    unsafe {
        registry::unlock_after_fork_in_child();
        let orphans = threads::list::unlock_after_fork_in_child();
        library::unlock_after_fork_in_child();
        // free may be the host's: not with a lock held.
        drop(orphans);
    }
}
