//! Whether a signal waits for another thread, by the line SigPnd of /proc/self/task/TID/status, which is of the signals
//! that were sent to that thread: a mask in hexadecimal digits (Documentation/filesystems/proc.rst, table 1-2). No
//! system call tells it of any thread but the caller.

use core::fmt::Write;
use core::ops::ControlFlow;

use super::proc_file;
use crate::outside::text::Text;

/// None if it cannot be told: without /proc, or if the thread has ended.
pub(crate) fn waits_for(thread: u32, signal: libc::c_int) -> Option<bool> {
    let mut path = Text::<64>::new();
    write!(path, "/proc/self/task/{thread}/status").ok()?;
    let mut reader = Reader::new();
    let take = |piece: &[u8]| {
        reader.take(piece);
        if reader.is_through { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    // SAFETY: the path ends in NUL.
    unsafe { proc_file::read(path.as_c_str(), take) };
    let mask = reader.found()?;
    Some(mask >> (signal - 1) & 1 != 0)
}

/// What the line begins with.
const NAME: &[u8] = b"\nSigPnd:\t";

/// Reads the text in pieces of any size.
struct Reader {
    /// How many bytes of the name have come.
    matched: usize,
    mask: u64,
    is_through: bool,
}

impl Reader {
    const fn new() -> Self {
        Self { matched: 0, mask: 0, is_through: false }
    }

    fn take(&mut self, piece: &[u8]) {
        for &byte in piece {
            if self.is_through {
                return;
            }
            match NAME.get(self.matched) {
                Some(&wanted) if wanted == byte => self.matched += 1,
                // No other byte of the name is the first one.
                Some(_) => self.matched = usize::from(NAME.first() == Some(&byte)),
                None => match char::from(byte).to_digit(16) {
                    Some(digit) => self.mask = self.mask << 4 | u64::from(digit),
                    None => self.is_through = true,
                },
            }
        }
    }

    fn found(&self) -> Option<u64> {
        self.is_through.then_some(self.mask)
    }
}

#[cfg(test)]
#[path = "pending_signals_tests.rs"]
mod tests;
