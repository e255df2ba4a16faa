//! What the library knows of a thread that is attached.

use core::cell::Cell;
use core::sync::atomic::{AtomicU8, AtomicU32};

use super::backend::{BackendsTraps, ThreadHalf};
use super::calls::Calls;
use super::last_lookup::LastLookup;
use super::pending::PendingTraps;

/// A stack: `low` is its lowest usable byte, `high` one past its highest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(
    not(feature = "fuzzing"),
    allow(unreachable_pub, reason = "the fuzzer's door is open with the feature only")
)]
pub struct StackBounds {
    /// Lowest usable byte.
    pub low: usize,
    /// One past the highest usable byte.
    pub high: usize,
    /// Size of the area below `low` that is known to be this stack's guard.
    pub guard: usize,
    /// Size of the area below `low`, the guard included, in which nothing was accessible when it was looked at: a guard
    /// that somebody else has made, or what the stack may grow into.
    pub margin: usize,
    /// It is the process's first one, which grows as it is used, up to a limit that may change.
    pub grows: bool,
}

impl StackBounds {
    pub(crate) fn contains(&self, address: usize) -> bool {
        self.low <= address && address < self.high
    }
}

/// The farthest from the stack pointer that an overflow is found outside of a known guard. The frame may be made before
/// it is touched or after, so that it can be to either side. The kernel expects no larger frames either: it leaves as
/// much under a stack that grows (stack_guard_gap, mm/mmap.c).
const FARTHEST_OVERFLOW: usize = 1024 * 1024;

/// A stack with the stack pointer of code that runs on it.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(
    not(feature = "fuzzing"),
    allow(unreachable_pub, reason = "the fuzzer's door is open with the feature only")
)]
pub struct RunningStack {
    /// The stack.
    pub bounds: StackBounds,
    /// The stack pointer.
    pub sp: usize,
}

impl RunningStack {
    /// Whether a memory fault at `address` is an overflow of this stack: in its guard, or where its accessible part
    /// ends.
    ///
    /// Where that is, changes. A stack that grows can do so up to a limit, or until there is no memory, which may be
    /// anywhere in the potential stack; and the host may have made the lowest part of a stack a guard of its own. But
    /// all that lies above the stack pointer is in use, so that what is inaccessible near to it is the stack's end.
    /// Farther from it a fault in the potential stack is a wild access.
    pub(crate) fn overflowed_at(&self, address: usize) -> bool {
        let StackBounds { low, high, guard, margin, .. } = self.bounds;
        let in_guard = low.wrapping_sub(guard) <= address && address < low;
        let within = low.wrapping_sub(margin) <= address && address < high;
        in_guard || within && address.abs_diff(self.sp) <= FARTHEST_OVERFLOW
    }
}

/// The alternate signal stack that the library gave to a thread, this copy of it or another.
#[derive(Clone, Copy)]
#[cfg_attr(windows, allow(dead_code, reason = "there are none"))]
pub(crate) struct AlternateStack {
    /// The mapping: a guard page, the stack, and what copies of the library tell each other.
    pub(crate) mapping: *mut core::ffi::c_void,
    pub(crate) mapping_size: usize,
    /// What sigaltstack was told.
    pub(crate) base: *mut core::ffi::c_void,
    pub(crate) size: usize,
}

/// The library may no longer be set up.
pub(crate) const ATTENTION_SET_UP: u8 = 1;
/// Threads cannot be made to pass a barrier, so that each call takes the long way, which has one.
pub(crate) const ATTENTION_ALWAYS: u8 = 4;
/// The backend wants its part of the thread to be attached anew.
#[cfg_attr(not(wasmtrap_mach), allow(dead_code, reason = "a backend that is never there never says so"))]
pub(crate) const ATTENTION_BACKEND: u8 = 2;

/// The thread's protected calls are never on the fast path: a sanitizer wants them made in another way.
pub(crate) const ATTENTION_SANITIZER: u8 = 8;
/// The thread's alternate stack is not big enough, and was in use when that was seen.
pub(crate) const ATTENTION_STACK: u8 = 16;

/// A run of the thread may have been interrupted. Cleared by who looks whether one has.
pub(crate) const ATTENTION_INTERRUPT: u8 = 32;

/// What attaching the thread anew leaves as it is.
pub(crate) const LASTING_ATTENTION: u8 = ATTENTION_ALWAYS | ATTENTION_SANITIZER | ATTENTION_INTERRUPT;

/// A call of the embedder's fault handler.
#[derive(Clone, Copy)]
pub(crate) struct Asking {
    /// Where the library's handler had its frame; 0 if nobody is asked. A fault handler that has jumped out leaves it
    /// as it is.
    pub(crate) at: usize,
    /// Where the kernel wrote the context that it was given, of that the word that nobody reads; 0 if there is none.
    pub(crate) link: usize,
    /// What lies in both as long as that handler has not ended.
    pub(crate) mark: u64,
    /// The signal mask of the code that faulted, where a signal handler asks.
    pub(crate) mask: Option<u64>,
}

impl Asking {
    pub(crate) const NOBODY: Self = Self { at: 0, link: 0, mark: 0, mask: None };
}

/// An attached thread. Only its own thread, and handlers on it, touch the fields, but for `calls`, which others may
/// look at, `attention`, which others may set, and the list links, which belong to the list's lock. Shared references
/// only: handlers come at any time.
///
/// In this order, because arm64's loads of a byte reach no farther than 4095 bytes (LDRB, immediate): the assembly of
/// `wasmtrap_call` reads what comes before the records of traps.
#[repr(C)]
pub(crate) struct Thread {
    /// The protected calls that it is in.
    pub(crate) calls: Calls,
    /// No two records of a process have the same.
    pub(crate) serial: u64,
    /// Not 0 if something has to be looked at before the next protected call: ATTENTION_*. Read by `wasmtrap_call`, in
    /// assembly.
    pub(crate) attention: AtomicU8,
    /// The stack that the thread runs on now.
    pub(crate) stack: Cell<StackBounds>,
    /// The stack that it was started on.
    pub(crate) own_stack: Cell<StackBounds>,
    pub(crate) alternate_stack: Cell<Option<AlternateStack>>,
    /// The fault signals that were blocked until the thread was attached, by their index in `disposition::SIGNALS`.
    pub(crate) lifted: Cell<u32>,
    /// The same for the signal of interrupts.
    pub(crate) lifted_interrupts: Cell<bool>,
    /// For other threads, which send it that signal.
    pub(crate) handle: usize,
    /// By which the kernel knows it; another one in a forked child.
    pub(crate) kernels_number: AtomicU32,
    /// How many runs are on it. Changed with the list's lock.
    pub(crate) runs: AtomicU32,
    /// How many signals of interrupts were sent to the thread since one of them has come.
    pub(crate) signals_sent: AtomicU32,
    /// The embedder's fault handler, if it was called on this thread and has not returned.
    pub(crate) asking: Cell<Asking>,
    /// The signal mask that a raise out of the fault handler still has to put back, on the stack of its protected call.
    pub(crate) mask_to_put_back: Cell<u64>,
    /// The adopted engine whose faults these are now, by its id; 0 if nobody has said so.
    pub(crate) adopted: Cell<u64>,
    /// What wasmtrap_raise has found of its caller.
    pub(crate) last_lookup: LastLookup,
    /// The backend's part.
    #[cfg_attr(not(wasmtrap_mach), allow(dead_code, reason = "there is nothing in it"))]
    pub(crate) backend: ThreadHalf,
    pub(crate) next: Cell<*const Thread>,
    pub(crate) prev: Cell<*const Thread>,
    /// Written by handlers on this thread, and read by what they land in.
    pub(crate) pending: PendingTraps,
    /// The same of traps that the backend makes for this thread.
    #[cfg_attr(not(wasmtrap_mach), allow(dead_code, reason = "there is nothing in it"))]
    pub(crate) backends_pending: BackendsTraps,
}

impl Thread {
    /// Of a thread that was started on this stack. To be settled where it is going to stay.
    #[inline(always)] // written in its place: it is larger than a stack may have room for
    pub(crate) fn new(serial: u64, own_stack: StackBounds, handle: usize, backend: ThreadHalf) -> Self {
        Self {
            calls: Calls::new(),
            serial,
            attention: AtomicU8::new(0),
            stack: Cell::new(own_stack),
            own_stack: Cell::new(own_stack),
            alternate_stack: Cell::new(None),
            lifted: Cell::new(0),
            lifted_interrupts: Cell::new(false),
            handle,
            kernels_number: AtomicU32::new(0),
            runs: AtomicU32::new(0),
            signals_sent: AtomicU32::new(0),
            asking: Cell::new(Asking::NOBODY),
            mask_to_put_back: Cell::new(0),
            adopted: Cell::new(0),
            last_lookup: LastLookup::new(),
            backend,
            next: Cell::new(core::ptr::null()),
            prev: Cell::new(core::ptr::null()),
            pending: PendingTraps::new(),
            backends_pending: BackendsTraps::new(),
        }
    }

    /// Puts a record into use, where it is going to stay.
    ///
    /// # Safety
    /// `thread` is valid, and does not move from now on. Nobody uses it yet.
    pub(crate) unsafe fn settle(thread: *mut Self) {
        // SAFETY: the caller's promise.
        unsafe {
            Calls::settle(&raw mut (*thread).calls);
            PendingTraps::settle(&raw mut (*thread).pending);
            BackendsTraps::settle(&raw mut (*thread).backends_pending);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attaching_anew_ends_no_attention_but_its_own() {
        let lasting = [ATTENTION_ALWAYS, ATTENTION_SANITIZER, ATTENTION_INTERRUPT];
        let ended = [ATTENTION_SET_UP, ATTENTION_BACKEND, ATTENTION_STACK];
        assert!(lasting.iter().all(|bit| LASTING_ATTENTION & bit != 0));
        assert!(ended.iter().all(|bit| LASTING_ATTENTION & bit == 0));
        let bits = lasting.iter().chain(&ended);
        assert_eq!(bits.clone().sum::<u8>(), bits.fold(0, |all, bit| all | bit), "each has a bit of its own");
    }
}
