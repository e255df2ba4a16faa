//! Text of bounded length that needs no allocation and always ends in NUL.

use core::ffi::{CStr, c_char};
use core::fmt;

use super::cancellation::CancellationWaits;
use super::platform;

/// At most `N - 1` bytes; what does not fit is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Text<const N: usize> {
    bytes: [u8; N],
    length: usize,
}

impl<const N: usize> Text<N> {
    pub(crate) const fn new() -> Self {
        Self { bytes: [0; N], length: 0 }
    }

    pub(crate) fn clear(&mut self) {
        self.bytes = [0; N];
        self.length = 0;
    }

    /// All of it, if it was not cut within a character.
    pub(crate) fn as_str(&self) -> &str {
        self.bytes.get(..self.length).and_then(|bytes| core::str::from_utf8(bytes).ok()).unwrap_or("?")
    }

    pub(crate) fn as_c_str(&self) -> *const c_char {
        self.bytes.as_ptr().cast()
    }

    pub(crate) fn write_to_stderr(&self) {
        let _whole = CancellationWaits::new();
        platform::write_to_stderr(self.bytes.get(..self.length).unwrap_or_default());
    }
}

impl<const N: usize> fmt::Write for Text<N> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = self.bytes.iter_mut().take(N.saturating_sub(1)).skip(self.length);
        for (place, byte) in room.zip(text.bytes()) {
            *place = byte;
            self.length += 1;
        }
        Ok(())
    }
}

/// Counts all of a text and keeps what fits the caller's buffer, ending it in NUL.
pub(crate) struct CallerBuffer {
    buffer: *mut u8,
    capacity: usize,
    length: usize,
}

impl CallerBuffer {
    /// # Safety
    /// `buffer` is valid for writes of `capacity` bytes as long as the result lives; it may be null if that is 0.
    pub(crate) unsafe fn new(buffer: *mut u8, capacity: usize) -> Self {
        Self { buffer, capacity, length: 0 }
    }

    /// Ends the text and tells its whole length.
    pub(crate) fn finish(self) -> usize {
        if let Some(last) = self.capacity.checked_sub(1) {
            // SAFETY: the index is below the capacity.
            unsafe { self.buffer.add(self.length.min(last)).write(0) };
        }
        self.length
    }
}

impl fmt::Write for CallerBuffer {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            if self.length + 1 < self.capacity {
                // SAFETY: the index is below the capacity.
                unsafe { self.buffer.add(self.length).write(byte) };
            }
            self.length += 1;
        }
        Ok(())
    }
}

/// Writes a C string.
pub(crate) fn write_c(out: &mut impl fmt::Write, text: &CStr) -> fmt::Result {
    for chunk in text.to_bytes().utf8_chunks() {
        out.write_str(chunk.valid())?;
        if !chunk.invalid().is_empty() {
            out.write_char(char::REPLACEMENT_CHARACTER)?;
        }
    }
    Ok(())
}
