//! Waiting until no reader can still see what has been replaced: the writers' half of `shared::readers`, where the
//! argument is written down.

use super::cancellation::CancellationWaits;
use super::platform;
use crate::shared::readers::{Counter, Readers};

/// Returns when every section that had begun when this was called has ended. What was taken out before, by a
/// sequentially consistent store, can be freed afterwards.
///
/// Sections are short (a lookup in a signal handler), so this is usually one look at each counter.
pub(crate) fn wait_until_unobserved(readers: &Readers) {
    let mut patience = Patience::default();
    wait_by(readers, || patience.pause());
}

/// The same, calling `pause` between two looks at a counter that is not 0.
///
/// The phase that is not current comes first: it can only drain. Then the phases change places, so that the other one
/// can only drain too.
pub(crate) fn wait_by<W: Counter, const SHARDS: usize>(readers: &Readers<W, SHARDS>, mut pause: impl FnMut()) {
    let current = readers.phase();
    wait_for_phase(readers, 1 - current, &mut pause);
    readers.set_phase(1 - current);
    wait_for_phase(readers, current, &mut pause);
}

fn wait_for_phase<W: Counter, const SHARDS: usize>(
    readers: &Readers<W, SHARDS>,
    phase: usize,
    pause: &mut impl FnMut(),
) {
    for sections in readers.sections(phase) {
        while sections() != 0 {
            pause();
        }
    }
}

/// How to wait for somebody who will be done at once, unless it has been taken off its processor.
#[derive(Default)]
pub(crate) struct Patience {
    pauses: u32,
}

impl Patience {
    /// Waits a little, and longer the more often it was called.
    pub(crate) fn pause(&mut self) {
        self.pauses = self.pauses.saturating_add(1);
        match self.pauses {
            0..200 => core::hint::spin_loop(),
            200..400 => platform::yield_processor(),
            // That never lets a thread of lower real-time priority run, sleeping does.
            _ => sleep_a_little(),
        }
    }

    /// The same, for what is not over in a few cycles.
    pub(crate) fn yield_to_others(&mut self) {
        self.pauses = self.pauses.max(380);
        self.pause();
    }
}

/// Sleeps without being a cancellation point, as nanosleep(2) is: the caller may hold a lock.
fn sleep_a_little() {
    let _whole = CancellationWaits::new();
    platform::nap();
}

#[cfg(test)]
#[path = "grace_period_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "grace_period_weak_memory_tests.rs"]
mod weak_memory_tests;
