//! The word of a run, and the table's arithmetic.

use std::sync::atomic::AtomicBool;

use super::*;

#[test]
fn every_index_has_a_place_of_its_own_in_one_piece() {
    let mut next = 0;
    for piece in 0..PIECES {
        assert_eq!(start_of_piece(piece), next);
        next += size_of_piece(piece);
    }
    for index in [0, 1, 63, 64, 65, 191, 192, 447, 448, next - 1] {
        let piece = (index / FIRST_PIECE + 1).ilog2() as usize;
        assert!((start_of_piece(piece)..start_of_piece(piece) + size_of_piece(piece)).contains(&index), "{index}");
    }
    assert!(place(next).is_none() && find(0).is_none() && find(u64::MAX).is_none());
}

/// A place of a piece that only tests put into the table. Each test uses its own.
pub(crate) fn a_run(index_in_piece: usize) -> (usize, &'static Run) {
    const PIECE: usize = 1;
    static PLACES: std::sync::OnceLock<usize> = std::sync::OnceLock::new();
    let places = *PLACES.get_or_init(|| {
        let places: Vec<Run> = (0..size_of_piece(PIECE)).map(|_| Run::new()).collect();
        let places = Box::leak(places.into_boxed_slice()).as_mut_ptr();
        publish_piece(PIECE, places);
        places.expose_provenance()
    });
    let index = start_of_piece(PIECE) + index_in_piece;
    let run = place(index).unwrap();
    assert_eq!(core::ptr::from_ref(run).addr(), places + index_in_piece * size_of::<Run>());
    (index, run)
}

#[test]
fn an_interrupt_is_set_once_and_taken_once() {
    let (index, run) = a_run(0);
    let number = run.number(index);
    assert_eq!(take(number), None);
    assert!(run.interrupt(7, 8) && is_pending(number));
    assert!(!run.interrupt(9, 10), "the first one stays");
    assert_eq!(take(number), Some(Taken { run: number, code: 7, payload: 8 }));
    assert_eq!(take(number), None);
    assert!(run.interrupt(11, 12) && run.cancel() && !run.cancel());
    assert_eq!(take(number), None);
}

#[test]
fn a_number_is_good_until_the_place_is_used_again() {
    let (index, run) = a_run(1);
    let before = run.number(index);
    assert!(run.interrupt(1, 2));
    run.renew();
    assert!(find(before).is_none() && take(before).is_none() && !is_pending(before));
    let after = run.number(index);
    assert_ne!(before, after);
    assert_eq!(take(after), None, "what was pending went with it");
    assert!(run.interrupt(3, 4));
    assert_eq!(take(before), None);
    assert_eq!(take(after), Some(Taken { run: after, code: 3, payload: 4 }));
}

#[test]
fn neither_half_of_the_word_reaches_into_the_other() {
    let (index, run) = a_run(2);
    run.word.store(GENERATION | !GENERATION & !PENDING, Ordering::Relaxed);
    let number = run.number(index);
    assert!(run.interrupt(1, 2));
    assert_eq!(run.number(index), number);
    assert_eq!(take(number), Some(Taken { run: number, code: 1, payload: 2 }));
    run.renew();
    assert_eq!(run.number(index), index as u64 + 1, "the generations begin anew");
}

/// Whoever is late in taking one finds another word, be it the last one's place that the next has taken.
#[test]
fn each_interrupt_is_told_from_those_before_it() {
    let (index, run) = a_run(4);
    let number = run.number(index);
    let words: std::collections::HashSet<u64> = (0..100)
        .map(|_| {
            assert!(run.interrupt(1, 2));
            let word = run.word.load(Ordering::Relaxed);
            assert!(run.cancel());
            word
        })
        .collect();
    assert_eq!(words.len(), 100);
    assert_eq!(run.number(index), number);
}

/// Tells the other threads of a test that one has ended, or has failed.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[test]
fn of_many_who_take_one_interrupt_one_gets_it_and_all_of_it() {
    let (index, run) = a_run(3);
    let number = run.number(index);
    const ROUNDS: u64 = 2000;
    // A look that begins while an interrupt is pending takes it, unless another one does.
    const LOOKS_AT_MOST: u64 = 1000;
    let (taken, looks) = (AtomicU64::new(0), AtomicU64::new(0));
    let done = AtomicBool::new(false);
    let mut cancelled = 0;
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let _ends = Ends(&done);
                while !done.load(Ordering::SeqCst) {
                    if let Some(Taken { code, payload, .. }) = take(number) {
                        assert_eq!(u64::from(code), payload & 0xffff_ffff);
                        taken.fetch_add(1, Ordering::SeqCst);
                    }
                    looks.fetch_add(1, Ordering::SeqCst);
                    std::thread::yield_now();
                }
            });
        }
        let _ends = Ends(&done);
        for round in 0..ROUNDS {
            assert!(run.interrupt(round as u32, round));
            cancelled += u64::from(round % 3 == 0 && run.cancel());
            let before = looks.load(Ordering::SeqCst);
            while is_pending(number) {
                assert!(!done.load(Ordering::SeqCst), "a thread that takes interrupts has failed");
                assert!(looks.load(Ordering::SeqCst) - before < LOOKS_AT_MOST, "nobody takes what is pending");
                std::thread::yield_now();
            }
        }
    });
    assert_eq!(taken.load(Ordering::SeqCst) + cancelled, ROUNDS);
}
