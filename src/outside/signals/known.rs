//! Dispositions that handlers can look at for ever.

use core::ptr::NonNull;

use crate::outside::allocation;
use crate::outside::error::{self, Failure};
use crate::shared::disposition::{Disposition, SIGNALS};

struct Node {
    disposition: Disposition,
    next: *const Node,
}

/// Every disposition that was ever found: few, since each is a function that somebody installed. Never freed.
pub(super) struct Known {
    first: *const Node,
}

// SAFETY: the nodes are reached through the list, thus by the holder of its lock; what they hold never changes.
unsafe impl Send for Known {}

/// Memory for what a change to the dispositions may find: allocated before a lock of the library is taken, because
/// malloc may be the host's, and freed after all have been released.
pub(crate) struct Room {
    nodes: [Option<NonNull<Node>>; 2 * SIGNALS.len()],
}

impl Room {
    pub(crate) fn new() -> Result<Self, Failure> {
        let mut room = Self { nodes: [None; 2 * SIGNALS.len()] };
        for place in &mut room.nodes {
            let node = allocation::allocate().map_err(|_| error::no_memory(format_args!("signal dispositions")))?;
            *place = Some(node);
        }
        Ok(room)
    }

    fn take(&mut self) -> Option<NonNull<Node>> {
        self.nodes.iter_mut().find_map(Option::take)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        while let Some(node) = self.take() {
            // SAFETY: allocated by `new`, and not given to anybody.
            unsafe { allocation::release(node) };
        }
    }
}

impl Known {
    pub(super) const fn new() -> Self {
        Self { first: core::ptr::null() }
    }

    /// This disposition, to be looked at for ever. The same for the same, so that going on top of each other again and
    /// again costs nothing. `None` if there is no room left, of which there is some for each signal.
    pub(super) fn remember(&mut self, disposition: Disposition, room: &mut Room) -> Option<&'static Disposition> {
        let mut link = self.first;
        // SAFETY: nodes are never freed, and nobody else has the list.
        while let Some(node) = unsafe { link.as_ref() } {
            if node.disposition == disposition {
                return Some(&node.disposition);
            }
            link = node.next;
        }
        let place = room.take()?;
        // SAFETY: fresh memory of the right size and alignment, which is never freed.
        let node = unsafe {
            place.write(Node { disposition, next: self.first });
            place.as_ref()
        };
        self.first = node;
        Some(&node.disposition)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outside::allocation::accounting;

    #[test]
    fn what_is_not_taken_of_the_room_is_freed() {
        let before = accounting::live();
        drop(Room::new().expect("there is memory"));
        assert_eq!(accounting::live(), before);

        let mut room = Room::new().expect("there is memory");
        let mut known = Known::new();
        let disposition = Disposition { handler: 4711, flags: 0, mask: 0, restorer: 0 };
        let first = known.remember(disposition, &mut room).expect("there is room");
        let again = known.remember(disposition, &mut room).expect("there is room");
        assert!(core::ptr::eq(first, again), "the same for the same");
        drop(room);
        assert_eq!(accounting::live(), before + 1, "it is kept for ever");
        assert_eq!(*first, disposition);
    }
}
