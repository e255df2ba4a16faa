//! Who lies below which of our entry points, for one signal, the oldest first.
//!
//! Each layer remembers which entry point lies right above it, and which one whoever installed it had found, and so may
//! call, or put back. An entry point that nobody remembers can be used again.

use crate::shared::disposition::{self, Disposition, ENTRY_POINTS};

/// A disposition that lies below one of our entry points.
#[derive(Clone, Copy)]
struct Layer {
    disposition: &'static Disposition,
    /// Our entry point that forwards to it.
    above: usize,
    /// Our entry point that was in place when it was installed over us; [`NOTHING`] for what was there before us.
    found: usize,
}

/// No entry point. No `Option`, with which no layer would be something else than zeros, and all layers a part of the
/// library's file.
const NOTHING: usize = ENTRY_POINTS;

#[derive(Clone, Copy)]
pub(super) struct Layers {
    layers: [Option<Layer>; ENTRY_POINTS],
    depth: usize,
}

/// How to go on top of something. Nothing has been done yet.
#[derive(Clone, Copy)]
pub(super) struct Step {
    /// What the layers are then.
    pub(super) layers: Layers,
    /// The entry point to go there with.
    pub(super) above: usize,
    /// An entry point that forwards to something else from then on.
    pub(super) redirected: Option<(usize, &'static Disposition)>,
}

/// There are as many handlers below as can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Full;

/// What can be found out about a handler.
pub(super) enum Who {
    /// Our entry point.
    Ours(usize),
    /// Another copy of this library, by a number, and the handler that this one forwards to.
    Copy(usize, usize),
    Stranger,
}

/// Copies that are told apart. More are strangers.
const COPIES: usize = 8;

/// No chain of handlers is longer.
const LONGEST: usize = 64;

impl Layers {
    pub(super) const fn new() -> Self {
        Self { layers: [None; ENTRY_POINTS], depth: 0 }
    }

    fn iter(&self) -> impl Iterator<Item = &Layer> {
        self.layers.iter().take(self.depth).flatten()
    }

    pub(super) fn depth(&self) -> usize {
        self.depth
    }

    /// Notes that this entry point of ours is in place: who was above it has put it back and gone.
    pub(super) fn found_in_place(&mut self, entry: usize) {
        let index = self.iter().position(|layer| layer.above == entry);
        self.depth = index.map_or(self.depth, |index| index + 1);
    }

    /// Notes that this entry point of ours has been taken away, and what lay below it put back.
    pub(super) fn taken_away(&mut self, entry: usize) {
        self.found_in_place(entry);
        self.depth = self.depth.saturating_sub(1);
    }

    /// How to go on top of `below`, which somebody has installed over us. `again`: if it lies below already, that is
    /// because he has installed it once more, and found us where we are.
    pub(super) fn go_over(&self, below: &'static Disposition, again: bool) -> Result<Step, Full> {
        let mut layers = *self;
        let found = layers.depth.checked_sub(1).and_then(|top| layers.layers.get(top).copied().flatten());
        let found = found.map(|top| top.above);
        let redirected = if again { layers.take_out(below.handler) } else { None };
        let above = layers.free_entry(found).ok_or(Full)?;
        let place = layers.layers.get_mut(layers.depth).ok_or(Full)?;
        *place = Some(Layer { disposition: below, above, found: found.unwrap_or(NOTHING) });
        layers.depth += 1;
        Ok(Step { layers, above, redirected })
    }

    /// Takes out the layer of a handler that has been installed anew, on top of us. The one below it takes its place.
    fn take_out(&mut self, handler: usize) -> Option<(usize, &'static Disposition)> {
        let index = self.iter().position(|layer| layer.disposition.handler == handler)?;
        let taken = self.layers.get(index).copied().flatten()?;
        let below = index.checked_sub(1).and_then(|below| self.layers.get_mut(below)).and_then(Option::as_mut);
        // What it had found in its first installation, if that was before ours, is not known to us.
        let forwards_to = below.map_or(&disposition::DEFAULT, |below| {
            below.above = taken.above;
            below.disposition
        });
        for next in index..self.depth {
            let moved = self.layers.get(next + 1).copied().flatten();
            if let Some(place) = self.layers.get_mut(next) {
                *place = moved;
            }
        }
        self.depth -= 1;
        Some((taken.above, forwards_to))
    }

    /// An entry point that no other handler remembers. Whoever is on top remembers what it found, even if nothing of
    /// ours lies above that any more.
    fn free_entry(&self, found: Option<usize>) -> Option<usize> {
        let in_use =
            |entry| found == Some(entry) || self.iter().any(|layer| layer.above == entry || layer.found == entry);
        (0..ENTRY_POINTS).find(|&entry| !in_use(entry))
    }

    /// The entry point of ours to put back in place of `top`, a handler of another copy of this library. Two copies
    /// that go on top of each other in turns would pile up without end if each did so with something new:
    ///
    /// - one that `top` leads to, if each copy above it lies below it as well: nobody is left out then;
    /// - else one that stands above `top` from earlier.
    ///
    /// `who` tells of a handler; `forwards_to`, where our entry point leads.
    pub(super) fn way_back(
        &self,
        top: usize,
        who: impl Fn(usize) -> Who,
        forwards_to: impl Fn(usize) -> usize,
    ) -> Option<usize> {
        let next = |handler| match who(handler) {
            Who::Ours(entry) => Some(forwards_to(entry)),
            Who::Copy(_, below) => Some(below),
            Who::Stranger => None,
        };
        let mut left_out = [None; COPIES];
        let mut first_of_ours = None;
        let standing_above = self.iter().filter(|layer| layer.disposition.handler == top).last().map(|top| top.above);
        let mut handler = Some(top);
        for _ in 0..LONGEST {
            let Some(now) = handler else { break };
            match who(now) {
                Who::Ours(entry) => first_of_ours = first_of_ours.or(Some(entry)),
                Who::Copy(copy, _) if first_of_ours.is_none() => {
                    if !left_out.contains(&Some(copy)) {
                        *left_out.iter_mut().find(|place| place.is_none())? = Some(copy);
                    }
                }
                Who::Copy(copy, _) => {
                    left_out.iter_mut().filter(|place| **place == Some(copy)).for_each(|place| *place = None);
                }
                Who::Stranger => break,
            }
            if first_of_ours.is_some() && left_out.iter().all(Option::is_none) {
                return first_of_ours;
            }
            handler = next(now);
        }
        // `top` does not lead to it: they would go in circles, and the above would have found all who are in them.
        standing_above
    }
}

#[cfg(test)]
#[path = "layers_tests.rs"]
mod tests;
