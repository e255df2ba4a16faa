//! The seal of a protected call's frame: what dead stack memory does not have.
//!
//! A call that was left by longjmp leaves its frame behind as it is. What is called next writes over it, whatever it
//! likes, so that a trap must not land there: the program would go on where the last writer said. So `wasmtrap_call`
//! computes a sum over all words of its frame that control flow depends on, its return address and the frame's own
//! address among them, with keys that are secret and chosen anew in each process:
//!
//! ```text
//! chain of a half = (...((word 0 * key 1 + word 1) * key 2 + word 2) * ...) * key 0
//! seal            = chain of the first half + chain of the second half + one more key   modulo 2^64
//! ```
//!
//! A key is odd, so that no multiplication loses a bit. Who knows all words but not the keys, and changes some of them
//! or the seal, keeps the two in agreement with a chance of at most 2^(t - 63), where t is the number of low bits in
//! which no word has changed. For take, of the words that have changed in bit t, the first of its half. What its chain
//! has come to with it differs in bit t too, and in none below. The chain's next key multiplies that, and the keys
//! after it, being odd, take nothing from it. So whatever the other keys are, the difference is made up for by one
//! value of that key modulo 2^(64 - t), and 2^(t - 63) is the share that one value has of the odd ones.
//!
//! It takes one multiplication and one addition a word, each with its operand from where the word or the key lies, and
//! the two halves do not wait for each other.
//!
//! The seal is taken off (0) when the call returns, traps or is passed by an exception. A frame that lies untouched in
//! a hole of somebody else's (an array that nobody has written to) has its seal still. Position tells it where it can
//! (`inside::land`), and the frame pointers of the code that runs.

use core::sync::atomic::{AtomicU64, Ordering};

use super::activation::Activation;
use crate::arch;

/// One for each word, and the one that is added. Written once, before the first protected call; read by
/// `wasmtrap_call`, in assembly.
pub(crate) static KEYS: [AtomicU64; arch::SEALED_WORDS + 1] = [const { AtomicU64::new(0) }; arch::SEALED_WORDS + 1];

/// How many words each chain takes.
const HALF: usize = arch::SEALED_WORDS / 2;

const _: () = assert!(arch::SEALED_WORDS == 2 * HALF);

/// What is added to the seal while the call is the innermost of a chain that is on no thread.
static DETACHED: AtomicU64 = AtomicU64::new(0);

/// Keys a seal over other words: [`of_words`].
static OTHER: [AtomicU64; 2] = [const { AtomicU64::new(0) }; 2];

/// How many random words [`set_keys`] wants.
pub(crate) const RANDOM_WORDS: usize = arch::SEALED_WORDS + 4;

/// Sets the keys. Once, and before there is a protected call.
pub(crate) fn set_keys(random: &[u64; RANDOM_WORDS]) {
    let places = KEYS.iter().chain([&DETACHED]).chain(&OTHER);
    for (place, word) in places.zip(random) {
        place.store(*word | 1, Ordering::Relaxed);
    }
}

/// The seal that the frame's words call for.
///
/// # Safety
/// The frame of the activation, up to the return address of `wasmtrap_call`, can be read.
pub(crate) unsafe fn of(activation: *const Activation) -> u64 {
    // SAFETY: the caller's promise.
    let words = unsafe { arch::sealed_words(activation) };
    let key = |index: usize| KEYS[index].load(Ordering::Relaxed);
    // The two by turns: each step waits for the one before it.
    let (mut first, mut second) = (words[0], words[HALF]);
    for index in 1..HALF {
        first = first.wrapping_mul(key(index)).wrapping_add(words[index]);
        second = second.wrapping_mul(key(HALF + index)).wrapping_add(words[HALF + index]);
    }
    let [first, second] = [first.wrapping_mul(key(0)), second.wrapping_mul(key(HALF))];
    first.wrapping_add(second).wrapping_add(key(2 * HALF))
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
