//! Several copies of the library, and handlers that are none, go on top of each other in any order. Then a fault goes
//! once to each that lies below the one on top, and comes to the end.

use proptest::prelude::*;

use super::*;

const COPIES: usize = 3;
const STRANGERS: usize = 3;
/// What was there before all of them.
const FIRST: usize = 0x100;
const STRANGER: usize = 0x1000;
const COPY: usize = 0x10_0000;

fn disposition(handler: usize) -> &'static Disposition {
    Box::leak(Box::new(Disposition { handler, flags: 0, mask: 0, restorer: 0 }))
}

fn copy_of(handler: usize) -> Option<usize> {
    (handler >= COPY).then(|| (handler - COPY) / ENTRY_POINTS)
}

fn entry_of(copy: usize, entry: usize) -> usize {
    COPY + copy * ENTRY_POINTS + entry
}

struct Process {
    in_place: usize,
    layers: [Layers; COPIES],
    /// What each entry point of a copy forwards to.
    forwards_to: [[usize; ENTRY_POINTS]; COPIES],
    /// What each stranger found, and passes on to.
    remembers: [Option<usize>; STRANGERS],
}

impl Process {
    fn new() -> Self {
        Self {
            in_place: FIRST,
            layers: [Layers::new(); COPIES],
            forwards_to: [[libc::SIG_DFL; ENTRY_POINTS]; COPIES],
            remembers: [None; STRANGERS],
        }
    }

    fn rearm(&mut self, copy: usize) -> Result<(), Full> {
        let top = self.in_place;
        if copy_of(top) == Some(copy) {
            self.layers[copy].found_in_place((top - COPY) % ENTRY_POINTS);
            return Ok(());
        }
        let who = |handler| match copy_of(handler) {
            Some(owner) if owner == copy => Who::Ours((handler - COPY) % ENTRY_POINTS),
            Some(owner) => Who::Copy(owner, self.forwards_to[owner][(handler - COPY) % ENTRY_POINTS]),
            None => Who::Stranger,
        };
        if copy_of(top).is_some()
            && let Some(entry) = self.layers[copy].way_back(top, who, |entry| self.forwards_to[copy][entry])
        {
            self.layers[copy].found_in_place(entry);
            self.in_place = entry_of(copy, entry);
            return Ok(());
        }
        let step = self.layers[copy].go_over(disposition(top), copy_of(top).is_none())?;
        if let Some((entry, below)) = step.redirected {
            self.forwards_to[copy][entry] = below.handler;
        }
        self.forwards_to[copy][step.above] = top;
        self.layers[copy] = step.layers;
        self.in_place = entry_of(copy, step.above);
        Ok(())
    }

    fn install(&mut self, stranger: usize) {
        if self.in_place != STRANGER + stranger {
            self.remembers[stranger] = Some(self.in_place);
            self.in_place = STRANGER + stranger;
        }
    }

    /// Who is asked about a fault that nobody wants, in turn.
    fn asked(&self) -> Vec<usize> {
        let mut asked = Vec::new();
        let mut handler = self.in_place;
        while handler != FIRST && handler != libc::SIG_DFL && asked.len() < 100 {
            asked.push(handler);
            handler = match copy_of(handler) {
                Some(copy) => self.forwards_to[copy][(handler - COPY) % ENTRY_POINTS],
                None => self.remembers[handler - STRANGER].expect("it was installed"),
            };
        }
        asked
    }
}

#[test]
fn two_copies_in_turns_find_an_end() {
    let mut process = Process::new();
    for turn in 0..1000 {
        assert_eq!(process.rearm(turn % 2), Ok(()), "turn {turn}");
        let asked = process.asked();
        assert!(asked.len() <= 3, "{asked:x?}");
        if turn > 0 {
            assert!([0, 1].iter().all(|&copy| asked.iter().any(|&handler| copy_of(handler) == Some(copy))));
        }
    }
}

proptest! {
    #[test]
    fn copies_in_any_order_find_an_end(turns in prop::collection::vec(0..COPIES, 1..300)) {
        let mut process = Process::new();
        let mut seen = [false; COPIES];
        for &copy in &turns {
            seen[copy] = true;
            prop_assert_eq!(process.rearm(copy), Ok(()));
            let asked = process.asked();
            prop_assert!(asked.len() < 100, "a loop: {:x?}", asked);
            for copy in (0..COPIES).filter(|&copy| seen[copy]) {
                prop_assert!(asked.iter().any(|&handler| copy_of(handler) == Some(copy)), "{} is left out", copy);
            }
        }
    }

    /// A stranger that installs itself anew forgets what it had found before, and a copy that was there with it; but
    /// once the copies have gone on top again, everybody is asked, and nobody for ever.
    #[test]
    fn one_copy_and_strangers_find_an_end(turns in prop::collection::vec(0..STRANGERS, 1..60)) {
        let mut process = Process::new();
        process.rearm(0).expect("there is room");
        let mut seen = [false; STRANGERS];
        for &stranger in &turns {
            seen[stranger] = true;
            process.install(stranger);
            prop_assert_eq!(process.rearm(0), Ok(()));
            let asked = process.asked();
            prop_assert!(asked.len() < 100, "a loop: {:x?}", asked);
            for stranger in (0..STRANGERS).filter(|&stranger| seen[stranger]) {
                let times = asked.iter().filter(|&&handler| handler == STRANGER + stranger).count();
                prop_assert_eq!(times, 1, "stranger {}", stranger);
            }
        }
    }
}

// --- One step each ---------------------------------------------------------------------------------------------------

/// On top of a handler, and by which entry point.
fn over(layers: &mut Layers, handler: usize, again: bool) -> usize {
    let step = layers.go_over(disposition(handler), again).expect("there is room");
    *layers = step.layers;
    step.above
}

#[test]
fn an_entry_point_that_a_newer_handler_has_found_is_not_used_for_another() {
    let mut layers = Layers::new();
    let first = over(&mut layers, FIRST, false);
    let second = over(&mut layers, STRANGER, false);
    // The first is installed anew: nothing lies below the entry point any more that the stranger has found.
    let third = over(&mut layers, FIRST, true);
    assert!(third != first && third != second, "{first} {second} {third}");
}

#[test]
fn the_entry_point_that_whoever_is_on_top_has_found_is_not_used_for_him() {
    let mut layers = Layers::new();
    let first = over(&mut layers, FIRST, false);
    // He is installed once more, and has found the entry point above himself: it would lead to him for ever.
    assert_ne!(over(&mut layers, FIRST, true), first);
}

#[test]
fn what_lay_above_an_entry_point_that_was_put_back_is_gone() {
    let mut layers = Layers::new();
    let entries = [FIRST, STRANGER, STRANGER + 1].map(|handler| over(&mut layers, handler, false));
    assert_eq!(layers.depth(), 3);
    layers.found_in_place(entries[1]);
    assert_eq!(layers.depth(), 2);
    layers.found_in_place(ENTRY_POINTS);
    assert_eq!(layers.depth(), 2, "it is none of these");
    layers.taken_away(entries[1]);
    assert_eq!(layers.depth(), 1);
    layers.taken_away(entries[0]);
    assert_eq!(layers.depth(), 0);
}
