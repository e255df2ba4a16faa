//! The secret that seals are made with: random words, chosen once for a process and kept by its forked children.

use core::sync::atomic::{AtomicBool, Ordering};

use super::platform;
use crate::shared::seal;

/// Chooses it, the first time. The caller holds the set-up's lock, and nothing is sealed before.
pub(crate) fn choose() {
    static CHOSEN: AtomicBool = AtomicBool::new(false);
    if CHOSEN.swap(true, Ordering::Relaxed) {
        return;
    }
    let mut words = [0_u64; seal::RANDOM_WORDS];
    if !platform::fill_with_entropy(&mut words) {
        without_entropy(&mut words);
    }
    seal::set_keys(&words);
}

/// A filter of system calls, or a kernel before Linux 3.17, has no random numbers for us. Dead frames are still told
/// from living ones by this; only somebody who knows where this process keeps its memory, and when it started, could
/// make a frame that passes.
fn without_entropy(words: &mut [u64]) {
    let now = platform::moment();
    let mut state = (&raw const now).addr() as u64 ^ now;
    state ^= (choose as fn() as usize as u64).rotate_left(20);
    for word in words {
        // SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, OOPSLA 2014).
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = state;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        *word = mixed ^ mixed >> 31;
    }
}
