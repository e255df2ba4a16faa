//! A seal holds for the frame that it was made for, where it was made, and for nothing else.

use super::*;

/// Memory as a frame of `wasmtrap_call` has it.
#[repr(align(16))]
#[derive(Clone)]
struct Frame([u64; WORDS]);

const WORDS: usize = arch::FRAME_SIZE / 8;

/// The keys of all tests, which run in one process.
pub(crate) fn set_any_keys() {
    // Half of them even: `set_keys` has to make odd ones of them.
    set_keys(&core::array::from_fn(|index| 0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(index as u64 + 1)));
}

impl Frame {
    fn sealed() -> Box<Self> {
        set_any_keys();
        let mut frame = Box::new(Self(core::array::from_fn(|index| 0x1000 + index as u64)));
        // SAFETY: a frame's memory.
        unsafe { renew(frame.activation(), false) };
        frame
    }

    fn activation(&mut self) -> *mut Activation {
        let words = &raw mut self.0;
        words.expose_provenance();
        words.cast()
    }

    fn state(&mut self) -> State {
        // SAFETY: a frame's memory.
        unsafe { state(self.activation()) }
    }
}

#[test]
fn a_sealed_frame_is_intact_until_its_seal_is_taken_off() {
    let mut frame = Frame::sealed();
    assert_eq!(frame.state(), State::Intact);
    // SAFETY: a frame's memory.
    unsafe { renew(frame.activation(), true) };
    assert_eq!(frame.state(), State::Detached);
    // SAFETY: as above.
    unsafe { take_off(frame.activation()) };
    assert_eq!(frame.state(), State::Broken);
}

#[test]
fn a_change_to_any_word_that_control_flow_depends_on_breaks_it() {
    let covered = |index: usize| {
        let mut frame = Frame::sealed();
        // To the highest: what is multiplied by odd keys keeps each of its bits in what it comes to.
        (0..64).all(|bit| {
            frame.0[index] ^= 1 << bit;
            let broken = frame.state() == State::Broken;
            frame.0[index] ^= 1 << bit;
            broken
        })
    };
    let words = (0..WORDS).filter(|&index| covered(index)).count();
    // The frame's own address is in none of its words, and the seal is.
    assert_eq!(words, arch::SEALED_WORDS);
}

#[test]
fn two_changes_that_would_leave_a_plain_sum_as_it_was_break_it() {
    let is_covered = |index: usize| {
        let mut frame = Frame::sealed();
        frame.0[index] ^= 1;
        frame.state() == State::Broken
    };
    // The seal is among them: nobody knows by how much it changes with a word.
    let covered: Vec<usize> = (0..WORDS).filter(|&index| is_covered(index)).collect();
    for &first in &covered {
        for &second in &covered {
            for change in [1, 0x40, 1 << 40] {
                let mut frame = Frame::sealed();
                frame.0[first] = frame.0[first].wrapping_add(change);
                frame.0[second] = frame.0[second].wrapping_sub(change);
                let expected = if first == second { State::Intact } else { State::Broken };
                assert_eq!(frame.state(), expected, "words {first} and {second}, by {change:#x}");
                // Both in the same direction, as where two halves cancel each other.
                let mut frame = Frame::sealed();
                frame.0[first] = frame.0[first].wrapping_add(change);
                frame.0[second] = frame.0[second].wrapping_add(change);
                assert_eq!(frame.state(), State::Broken, "words {first} and {second}, by {change:#x} each");
            }
        }
    }
}

#[test]
fn a_copy_elsewhere_is_no_frame() {
    let mut frame = Frame::sealed();
    let mut copy = frame.clone();
    assert_eq!(frame.state(), State::Intact);
    assert_eq!(copy.state(), State::Broken);
}

#[test]
fn memory_of_one_value_is_no_frame() {
    let _ = Frame::sealed();
    for value in [0, u64::MAX, 0x4141_4141_4141_4141, 0x7fff_0000_1000] {
        let mut frame = Box::new(Frame([value; WORDS]));
        assert_eq!(frame.state(), State::Broken, "{value:#x}");
    }
}

#[test]
fn a_seal_over_other_words_depends_on_each_and_on_their_order() {
    set_any_keys();
    let plain = of_words(&[1, 2, 3]);
    assert_eq!(plain, of_words(&[1, 2, 3]));
    for words in [[0, 2, 3], [1, 0, 3], [1, 2, 0], [2, 1, 3], [1, 3, 2], [3, 2, 1]] {
        assert_ne!(plain, of_words(&words), "{words:?}");
    }
    for bit in 0..64 {
        assert_ne!(plain, of_words(&[1 ^ 1 << bit, 2, 3]), "{bit}");
        assert_ne!(plain, of_words(&[1, 2, 3 ^ 1 << bit]), "{bit}");
    }
    // The keys have their part in it: without them one bit would change one bit.
    assert!((of_words(&[0]) ^ of_words(&[1])).count_ones() > 8);
    assert_ne!(of_words(&[]), of_words(&[0]));
    assert_ne!(of_words(&[0]), of_words(&[0, 0]));
}
