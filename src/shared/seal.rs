//! The seal of a protected call's frame: what dead stack memory does not have.
//!
//! A call that was left by longjmp leaves its frame behind as it is. What is called next writes over it, whatever it
//! likes, so that a trap must not land there: the program would go on where the last writer said. So `wasmtrap_call`
//! computes a sum over all words of its frame that control flow depends on, its return address and the frame's own
//! address among them, with keys that are secret and chosen anew in each process:
//!
//! ```text
//! seal = (word 0 + key 0) * (word 1 + key 1) + (word 2 + key 2) * (word 3 + key 3) + ...   modulo 2^64
//! ```
//!
//! This is the NH family of hash functions (Black, Halevi, Krawczyk, Krovetz, Rogaway: UMAC, CRYPTO '99, section 4)
//! with products modulo 2^64. Who knows all words but not the keys, and changes some, keeps the sum with a chance of
//! 2^(t - 64), where t is the number of low bits in which nothing has changed. It takes a multiplication for two words,
//! none of which waits for another: 2 to 3 ns of a call.
//!
//! The seal is taken off (0) when the call returns, traps or is passed by an exception. A frame that lies untouched in
//! a hole of somebody else's (an array that nobody has written to) has its seal still. Position tells it where it can
//! (`inside::land`), and the frame pointers of the code that runs.

use core::sync::atomic::{AtomicU64, Ordering};

use super::activation::Activation;
use crate::arch;

/// One for each word. Written once, before the first protected call; read by `wasmtrap_call`, in assembly.
pub(crate) static KEYS: [AtomicU64; arch::SEALED_WORDS] = [const { AtomicU64::new(0) }; arch::SEALED_WORDS];

/// What is added to the seal while the call is the innermost of a chain that is on no thread.
static DETACHED: AtomicU64 = AtomicU64::new(0);

/// Keys a seal over other words: [`of_words`].
static OTHER: [AtomicU64; 2] = [const { AtomicU64::new(0) }; 2];

/// How many random words [`set_keys`] wants.
pub(crate) const RANDOM_WORDS: usize = arch::SEALED_WORDS + 3;

/// Sets the keys. Once, and before there is a protected call.
pub(crate) fn set_keys(random: &[u64; RANDOM_WORDS]) {
    let places = KEYS.iter().chain([&DETACHED]).chain(&OTHER);
    for (place, word) in places.zip(random) {
        place.store(*word, Ordering::Relaxed);
    }
}

/// The seal that the frame's words call for.
///
/// # Safety
/// The frame of the activation, up to the return address of `wasmtrap_call`, can be read.
pub(crate) unsafe fn of(activation: *const Activation) -> u64 {
    // SAFETY: the caller's promise.
    let words = unsafe { arch::sealed_words(activation) };
    let mut sum = 0_u64;
    for (words, keys) in words.as_chunks::<2>().0.iter().zip(KEYS.as_chunks::<2>().0) {
        let [first, second] = words;
        let [first_key, second_key] = keys.each_ref().map(|key| key.load(Ordering::Relaxed));
        let product = first.wrapping_add(first_key).wrapping_mul(second.wrapping_add(second_key));
        sum = sum.wrapping_add(product);
    }
    sum
}

/// What a seal says of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// A protected call that has not ended, or memory that nobody has written to since it was one.
    Intact,
    /// The same of the innermost call of a chain that is on no thread.
    Detached,
    /// No protected call.
    Broken,
}

/// Looks at a frame.
///
/// # Safety
/// As for [`of`].
pub(crate) unsafe fn state(activation: *const Activation) -> State {
    // SAFETY: the caller's promise.
    let (found, expected) = unsafe { ((&raw const (*activation).seal).read(), of(activation)) };
    if found == 0 {
        State::Broken
    } else if found == expected {
        State::Intact
    } else if found == expected.wrapping_add(DETACHED.load(Ordering::Relaxed)) {
        State::Detached
    } else {
        State::Broken
    }
}

/// Seals a frame anew, after a change to it.
///
/// # Safety
/// The activation is alive.
pub(crate) unsafe fn renew(activation: *mut Activation, detached: bool) {
    let added = if detached { DETACHED.load(Ordering::Relaxed) } else { 0 };
    // SAFETY: the caller's promise.
    unsafe { (&raw mut (*activation).seal).write(of(activation).wrapping_add(added)) };
}

/// Takes the seal off.
///
/// # Safety
/// The activation is alive.
pub(crate) unsafe fn take_off(activation: *mut Activation) {
    // SAFETY: the caller's promise.
    unsafe { (&raw mut (*activation).seal).write(0) };
}

/// A seal over words of another kind, for values that the embedder keeps for us.
pub(crate) fn of_words(words: &[u64]) -> u64 {
    let [first, second] = OTHER.each_ref().map(|key| key.load(Ordering::Relaxed) | 1);
    words.iter().fold(second, |sum, word| (sum ^ word).wrapping_mul(first).rotate_left(29).wrapping_add(second))
}

#[cfg(test)]
#[path = "seal_tests.rs"]
pub(crate) mod tests;
