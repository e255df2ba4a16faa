//! All attached threads: for shutdown, which must not happen under a protected call, and for the description.

use core::ptr::NonNull;
use core::sync::atomic::Ordering;

use super::{alternate_stack, chains, record};
use crate::arch;
use crate::outside::exceptions;
use crate::outside::lock::{Guard, Locked};
use crate::outside::platform;
use crate::outside::runs;
use crate::shared::seal;
use crate::shared::thread::{ATTENTION_SET_UP, Thread};

/// The attached threads.
pub(crate) struct List {
    first: *const Thread,
    count: usize,
    /// How many there are when it is time to look for those that have ended.
    next_look: usize,
}

/// So many threads are not worth a look.
const FEW: usize = 64;

impl List {
    /// Shows all attached threads. Whoever has the list holds its lock.
    pub(crate) fn each(&self, mut look: impl FnMut(&Thread)) {
        let mut link = self.first;
        // SAFETY: under the lock, all records on the list are alive.
        while let Some(thread) = unsafe { link.as_ref() } {
            link = thread.next.get();
            look(thread);
        }
    }
}

// SAFETY: the records are reached under the lock only, and then only their links and their chain.
unsafe impl Send for List {}

static LIST: Locked<List> = Locked::new(List { first: core::ptr::null(), count: 0, next_look: FEW });

pub(super) fn lock() -> Guard<'static, List> {
    LIST.lock()
}

/// Lets `look` see the attached threads, none of which comes or goes meanwhile.
pub(crate) fn locked<R>(look: impl FnOnce(&List) -> R) -> R {
    look(&LIST.lock())
}

impl List {
    /// Puts a thread on the list, by the pointer that its record was made with: a forked child frees it by that.
    ///
    /// # Safety
    /// The record is alive, and on no list.
    pub(super) unsafe fn enter(&mut self, record: NonNull<Thread>) {
        // SAFETY: the caller's promise.
        let thread = unsafe { record.as_ref() };
        thread.next.set(self.first);
        thread.prev.set(core::ptr::null());
        // SAFETY: under the lock, all records on the list are alive.
        if let Some(next) = unsafe { self.first.as_ref() } {
            next.prev.set(record.as_ptr());
        }
        self.first = record.as_ptr();
        self.count += 1;
    }

    /// Takes a thread off the list.
    pub(super) fn leave(&mut self, thread: &Thread) {
        // SAFETY: under the lock, all records on the list are alive.
        match unsafe { thread.prev.get().as_ref() } {
            Some(prev) => prev.next.set(thread.next.get()),
            None => self.first = thread.next.get(),
        }
        // SAFETY: as above.
        if let Some(next) = unsafe { thread.next.get().as_ref() } {
            next.prev.set(thread.prev.get());
        }
        self.count -= 1;
    }

    /// Takes off the threads that have ended all the same: a destructor of thread-specific values attaches its thread
    /// anew, and in pthread's last round (PTHREAD_DESTRUCTOR_ITERATIONS) ours is not called again; or a thread ends by
    /// the system call, without destructors. Now and then, so that a thread has not much to do when it is attached.
    #[must_use]
    pub(super) fn take_ended(&mut self) -> Orphans {
        let mut orphans = Orphans { first: core::ptr::null() };
        if self.count < self.next_look {
            return orphans;
        }
        let mut link = self.first;
        // SAFETY: under the lock, all records on the list are there.
        while let (record, Some(thread)) = (link, unsafe { link.as_ref() }) {
            link = thread.next.get();
            if platform::has_ended(thread.kernels_number.load(Ordering::Relaxed)) {
                runs::thread_ends(thread);
                self.leave(thread);
                orphans.add(record, thread);
            }
        }
        self.next_look = FEW.max(2 * self.count);
        orphans
    }
}

/// Has every thread look, before its next protected call, whether the library is still set up.
pub(crate) fn call_for_attention() {
    LIST.lock().each(|thread| _ = thread.attention.fetch_or(ATTENTION_SET_UP, Ordering::SeqCst));
}

pub(crate) fn count() -> usize {
    LIST.lock().count
}

/// Whether a thread is inside a protected call.
///
/// Of another thread's calls that were left by longjmp only some can be told: where it is on its stack is not known, so
/// a call counts as long as its frame has the seal.
pub(crate) fn any_inside() -> bool {
    if let Some(thread) = super::current() {
        chains::forget_left_calls(thread, arch::stack_pointer());
    }
    let mut inside = false;
    LIST.lock().each(|thread| inside |= is_inside(thread));
    inside
}

fn is_inside(thread: &Thread) -> bool {
    (0..thread.calls.depth.load(Ordering::Acquire)).any(|index| {
        let activation = thread.calls.get(index);
        // The thread's own stack is there as long as the thread is on the list. Of another one nobody knows.
        let on_own_stack = thread.own_stack.get().contains(activation.addr())
            && thread.own_stack.get().contains(activation.addr() + arch::FRAME_SIZE - 1);
        // A call that is about to be entered counts.
        // SAFETY: it can be read.
        !on_own_stack || unsafe { seal::state(activation) } == seal::State::Intact
    })
}

pub(crate) fn lock_for_fork() {
    LIST.acquire();
}

/// # Safety
/// `lock_for_fork` took the lock on this thread.
pub(crate) unsafe fn unlock_after_fork_in_parent() {
    // SAFETY: the caller's promise.
    unsafe { LIST.release() };
}

/// The records of threads that do not exist: in a forked child, or any more.
pub(crate) struct Orphans {
    /// A list by their `next`.
    first: *const Thread,
}

impl Orphans {
    fn add(&mut self, record: *const Thread, thread: &Thread) {
        thread.next.set(self.first);
        self.first = record;
    }
}

/// Frees what belonged to them: when this is dropped, which must be without a lock of the library.
impl Drop for Orphans {
    fn drop(&mut self) {
        // SAFETY: the records were taken off the list of those that are alive, and not freed yet.
        while let (record, Some(thread)) = (self.first, unsafe { self.first.as_ref() }) {
            self.first = thread.next.get();
            // By the pointer that the record was made with: memory must not be freed by a reference's.
            // SAFETY: its thread does not exist here; not null.
            unsafe {
                alternate_stack::free(thread);
                record::free(NonNull::new_unchecked(record.cast_mut()));
            }
        }
    }
}

/// Returns what the child is to free once all locks are released.
///
/// # Safety
/// `lock_for_fork` took the lock on the thread that this one is the image of.
#[must_use]
pub(crate) unsafe fn unlock_after_fork_in_child() -> Orphans {
    // SAFETY: the caller's promise: the lock is held, and no guard exists.
    let list = unsafe { LIST.value_while_acquired() };
    let this = arch::current_thread();
    let mut link = core::mem::take(&mut list.first);
    list.count = 0;
    let mut orphans = Orphans { first: core::ptr::null() };
    // SAFETY: records on the list are alive: their threads were when the fork happened.
    while let (record, Some(thread)) = (link, unsafe { link.as_ref() }) {
        link = thread.next.get();
        if core::ptr::eq(record, this) {
            thread.next.set(core::ptr::null());
            thread.prev.set(core::ptr::null());
            list.first = record;
            list.count = 1;
            exceptions::forget_thread(thread);
            // What was on its way to it is the parent's.
            thread.signals_sent.store(0, Ordering::SeqCst);
            thread.kernels_number.store(platform::kernel_thread(), Ordering::Relaxed);
            continue;
        }
        runs::thread_ends(thread);
        orphans.add(record, thread);
    }
    // SAFETY: the caller's promise.
    unsafe { LIST.release() };
    orphans
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inside::land::tests::{Stack, WORDS, thread};

    #[test]
    fn a_frame_on_the_threads_own_stack_counts_if_it_has_the_seal() {
        const FRAME_WORDS: usize = arch::FRAME_SIZE / size_of::<u64>();
        const AT: usize = 200;
        let mut stack = Stack::new();
        let calls = [stack.call(AT)];
        // The stack's own ends: around the frame as closely as can be, and through it.
        for (low, high, on_own_stack) in [
            (AT, AT + FRAME_WORDS, true),
            (0, WORDS, true),
            (AT + 1, WORDS, false),
            (0, AT + FRAME_WORDS - 1, false),
            (0, AT, false),
        ] {
            let bounds = stack.bounds(low, high);
            let thread = thread(bounds, bounds, &calls);
            // SAFETY: a frame's memory.
            unsafe { seal::renew(calls[0], false) };
            assert!(is_inside(&thread), "{low} {high}");
            // SAFETY: as above.
            unsafe { seal::take_off(calls[0]) };
            assert_eq!(is_inside(&thread), !on_own_stack, "{low} {high}");
        }
    }
}
