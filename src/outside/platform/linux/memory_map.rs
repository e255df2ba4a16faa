//! What lies around an address, by /proc/self/maps (Documentation/filesystems/proc.rst, section 1.1): a line a mapping,
//! sorted by address, that begins with `low-high ` in hexadecimal digits.

use core::ops::ControlFlow;

use super::proc_file;

/// Memory that can be accessed, without a gap, in one mapping or several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Area {
    pub(crate) low: usize,
    /// One past its highest byte.
    pub(crate) high: usize,
    /// The end of what is mapped below it, be it accessible or not; 0 if nothing is.
    pub(crate) mapped_below: usize,
    /// The end of the accessible memory below it; 0 if there is none.
    pub(crate) accessible_below: usize,
}

impl Area {
    pub(crate) fn contains(&self, address: usize) -> bool {
        (self.low..self.high).contains(&address)
    }
}

/// The accessible memory that `address` is in; `None` if it is in none, or without /proc.
pub(crate) fn area_at(address: usize) -> Option<Area> {
    let mut reader = Reader::new(address);
    let take = |piece: &[u8]| {
        reader.take(piece);
        // What follows is above it: on the way to a stack of a thread, most of the text.
        if reader.is_past { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    // SAFETY: the path ends in NUL.
    let complete = unsafe { proc_file::read(c"/proc/self/maps".as_ptr(), take) };
    if complete { reader.found() } else { None }
}

#[derive(Clone, Copy)]
enum Place {
    Low,
    High,
    Permissions,
    Rest,
}

/// Reads the text in pieces of any size.
struct Reader {
    address: usize,
    /// The last accessible memory so far, or that of the address.
    area: Area,
    /// What the mappings so far end with.
    mapped: usize,
    accessible: usize,
    place: Place,
    number: usize,
    low: usize,
    high: usize,
    is_accessible: bool,
    /// The address's memory is known as far as it reaches.
    is_past: bool,
}

impl Reader {
    fn new(address: usize) -> Self {
        Self {
            address,
            area: Area::default(),
            mapped: 0,
            accessible: 0,
            place: Place::Low,
            number: 0,
            low: 0,
            high: 0,
            is_accessible: false,
            is_past: false,
        }
    }

    /// Not inlined, where the compiler would keep all fields in registers that it has not, from byte to byte.
    #[inline(never)]
    fn take(&mut self, piece: &[u8]) {
        let mut text = piece;
        loop {
            text = match self.place {
                Place::Low | Place::High => self.take_digits(text),
                Place::Permissions => text,
                // Most of a line: the name of a file.
                Place::Rest => from_line_end(text),
            };
            let Some((&byte, after)) = text.split_first() else { break };
            text = after;
            match (self.place, byte) {
                (_, b'\n') => (self.place, self.number) = (Place::Low, 0),
                (Place::Low, b'-') => (self.place, self.low, self.number) = (Place::High, self.number, 0),
                (Place::High, b' ') => {
                    (self.place, self.high, self.is_accessible) = (Place::Permissions, self.number, false);
                }
                (Place::Permissions, b'r' | b'w' | b'x') => self.is_accessible = true,
                (Place::Permissions, b'-') => (),
                (Place::Permissions, _) => {
                    self.place = Place::Rest;
                    self.add(self.low, self.high);
                }
                _ => (),
            }
        }
    }

    /// Takes what digits the text begins with, and returns what follows them.
    fn take_digits<'t>(&mut self, text: &'t [u8]) -> &'t [u8] {
        let (mut number, mut rest) = (self.number, text);
        while let Some((&byte, after)) = rest.split_first()
            && let Some(digit) = char::from(byte).to_digit(16)
        {
            (number, rest) = (number << 4 | digit as usize, after);
        }
        self.number = number;
        rest
    }

    fn add(&mut self, low: usize, high: usize) {
        if self.is_accessible {
            if low == self.area.high {
                self.area.high = high;
            } else if !self.area.contains(self.address) {
                self.area = Area { low, high, mapped_below: self.mapped, accessible_below: self.accessible };
            }
            self.accessible = high;
        }
        self.mapped = high;
        self.is_past = self.area.contains(self.address) && low >= self.area.high;
    }

    fn found(&self) -> Option<Area> {
        self.area.contains(self.address).then_some(self.area)
    }
}

/// What begins with the end of the line; empty if that is not in the text.
fn from_line_end(text: &[u8]) -> &[u8] {
    // SAFETY: reads no more than the text.
    let end = unsafe { libc::memchr(text.as_ptr().cast(), b'\n'.into(), text.len()) };
    if end.is_null() { &[] } else { text.get(end.addr() - text.as_ptr().addr()..).unwrap_or_default() }
}

#[cfg(test)]
#[path = "memory_map_tests.rs"]
mod tests;
