//! Runs: protected calls that other threads can interrupt, by a number that outlives them.
//!
//! A run has a place in a table, which handlers read: the frame of its call has the number, and the table has the
//! interrupt, if there is one. Places are used again, under other numbers; their memory is never given back.
//!
//! Whoever changes a run holds the lock of the threads' list, but for the thread that takes an interrupt: it needs
//! none, because it may be in a signal handler. All that the two can meet in is one word:
//!
//! ```text
//! generation of the place (32 bits) | how many interrupts there have been (31 bits) | one is pending (1 bit)
//! ```
//!
//! Code and payload are written while nothing is pending, and read before the bit is taken away. Who takes it away has
//! found the same generation and the same count before and after: the code and the payload are that interrupt's, and
//! nobody else has taken it.

use core::sync::atomic::{AtomicPtr, AtomicU8, AtomicU32, AtomicU64, Ordering};

use super::abi::{wasmtrap_code_t, wasmtrap_run_t};
use super::thread::Thread;

/// A run's place in the table.
#[repr(C)]
pub(crate) struct Run {
    /// See above. Its lowest bit is looked at in assembly.
    pub(crate) word: AtomicU64,
    payload: AtomicU64,
    /// The thread that its call is on; null unless it is on one.
    pub(crate) thread: AtomicPtr<Thread>,
    code: AtomicU32,
    /// The next place that is free; see `outside::runs`.
    pub(crate) next_free: AtomicU32,
    /// One of the below.
    pub(crate) life: AtomicU8,
}

/// It is open, and has not been called.
pub(crate) const FRESH: u8 = 0;
/// Its call is on a thread.
pub(crate) const ON_THREAD: u8 = 1;
/// Its call is on a chain that is on no thread.
pub(crate) const DETACHED: u8 = 2;
/// Its call has ended.
pub(crate) const OVER: u8 = 3;
/// There is no run: the place is free, and the number that it has now has not been given out.
pub(crate) const NOBODYS: u8 = 4;

/// The bit of the word that says that an interrupt is pending.
pub(crate) const PENDING: u64 = 1;

const COUNT: u64 = 2;

/// The generation: the same half of a run's number and of its word.
const GENERATION: u64 = 0xffff_ffff_0000_0000;

const ONE_GENERATION: u64 = 1 << 32;

/// How many places the first piece of the table has; each further one has twice as many as the one before.
const FIRST_PIECE: usize = 64;

/// How many pieces there can be: for four million runs.
pub(crate) const PIECES: usize = 16;

static TABLE: [AtomicPtr<Run>; PIECES] = [const { AtomicPtr::new(core::ptr::null_mut()) }; PIECES];

/// How many places a piece has.
pub(crate) fn size_of_piece(piece: usize) -> usize {
    FIRST_PIECE << piece
}

/// The index of a piece's first place.
pub(crate) fn start_of_piece(piece: usize) -> usize {
    size_of_piece(piece) - FIRST_PIECE
}

/// Adds a piece, whose places are in use from now on.
pub(crate) fn publish_piece(piece: usize, places: *mut Run) {
    if let Some(slot) = TABLE.get(piece) {
        slot.store(places, Ordering::Release);
    }
}

/// The place with that index.
pub(crate) fn place(index: usize) -> Option<&'static Run> {
    let piece = (index / FIRST_PIECE + 1).checked_ilog2()? as usize;
    let places = TABLE.get(piece)?.load(Ordering::Acquire);
    // SAFETY: a piece has as many places as its index says, and is never given back.
    (!places.is_null()).then(|| unsafe { &*places.add(index - start_of_piece(piece)) })
}

impl Run {
    pub(crate) const fn new() -> Self {
        Self {
            word: AtomicU64::new(0),
            payload: AtomicU64::new(0),
            thread: AtomicPtr::new(core::ptr::null_mut()),
            code: AtomicU32::new(0),
            next_free: AtomicU32::new(0),
            life: AtomicU8::new(NOBODYS),
        }
    }

    /// The number by which the place with that index is known now.
    pub(crate) fn number(&self, index: usize) -> wasmtrap_run_t {
        self.word.load(Ordering::Relaxed) & GENERATION | (index as u64 + 1)
    }

    /// Ends the run, and makes the place fit for another one. With the lock.
    pub(crate) fn renew(&self) {
        let before = self.word.load(Ordering::Relaxed);
        self.life.store(NOBODYS, Ordering::Relaxed);
        self.word.store((before & GENERATION).wrapping_add(ONE_GENERATION), Ordering::SeqCst);
    }

    /// Has an interrupt pend, if none does. With the lock. Whether it was this one.
    pub(crate) fn interrupt(&self, code: wasmtrap_code_t, payload: u64) -> bool {
        let before = self.word.load(Ordering::SeqCst);
        if before & PENDING != 0 {
            return false;
        }
        self.code.store(code, Ordering::Relaxed);
        self.payload.store(payload, Ordering::Relaxed);
        let count = before.wrapping_add(COUNT) & !GENERATION;
        self.word.store(before & GENERATION | count | PENDING, Ordering::SeqCst);
        true
    }

    /// Takes back what is pending. Whether something was.
    pub(crate) fn cancel(&self) -> bool {
        self.word.fetch_and(!PENDING, Ordering::SeqCst) & PENDING != 0
    }
}

/// The place of a run that is open. With the lock.
pub(crate) fn find_open(number: wasmtrap_run_t) -> Option<(usize, &'static Run)> {
    find(number).filter(|(_, run)| run.life.load(Ordering::Relaxed) != NOBODYS)
}

/// The place that has this number now. Its run need not be open, unless the number was given out and not closed since.
pub(crate) fn find(number: wasmtrap_run_t) -> Option<(usize, &'static Run)> {
    let index = ((number & !GENERATION) as usize).checked_sub(1)?;
    let run = place(index)?;
    ((run.word.load(Ordering::SeqCst) ^ number) & GENERATION == 0).then_some((index, run))
}

/// Whether an interrupt of the run is pending.
#[cfg(test)]
fn is_pending(number: wasmtrap_run_t) -> bool {
    find(number).is_some_and(|(_, run)| run.word.load(Ordering::SeqCst) & PENDING != 0)
}

/// An interrupt that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Taken {
    /// Whose it was.
    #[cfg_attr(not(windows), allow(dead_code, reason = "for who may have to give it back"))]
    pub(crate) run: wasmtrap_run_t,
    pub(crate) code: wasmtrap_code_t,
    pub(crate) payload: u64,
}

/// Takes the interrupt that is pending, if one is.
pub(crate) fn take(number: wasmtrap_run_t) -> Option<Taken> {
    let (_, run) = find(number)?;
    let word = run.word.load(Ordering::SeqCst);
    if (word ^ number) & GENERATION != 0 || word & PENDING == 0 {
        return None;
    }
    let (code, payload) = (run.code.load(Ordering::Relaxed), run.payload.load(Ordering::Relaxed));
    let taken = Taken { run: number, code, payload };
    run.word.compare_exchange(word, word & !PENDING, Ordering::SeqCst, Ordering::Relaxed).ok()?;
    Some(taken)
}

#[cfg(test)]
#[path = "runs_tests.rs"]
pub(crate) mod tests;
