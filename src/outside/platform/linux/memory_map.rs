//! What lies below an address, by /proc/self/maps (Documentation/filesystems/proc.rst, section 1.1): a line a mapping,
//! sorted by address, that begins with `low-high ` in hexadecimal digits.

/// The end of the last mapping that begins below `address` and does not reach it; 0 if there is none, `None` without
/// /proc.
pub(crate) fn end_below(address: usize) -> Option<usize> {
    // SAFETY: the path ends in NUL.
    let file = unsafe { libc::open(c"/proc/self/maps".as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC) };
    if file < 0 {
        return None;
    }
    let mut reader = Reader::new(address);
    let mut buffer = [0_u8; 1024];
    let complete = loop {
        // SAFETY: writes no more than the buffer holds.
        match unsafe { libc::read(file, buffer.as_mut_ptr().cast(), buffer.len()) } {
            0 => break true,
            length if length > 0 => reader.take(buffer.get(..length as usize).unwrap_or_default()),
            _ if super::errno() == libc::EINTR => (),
            _ => break false,
        }
    };
    // SAFETY: our own descriptor, closed once.
    unsafe { libc::close(file) };
    complete.then_some(reader.end)
}

#[derive(Clone, Copy)]
enum Place {
    Low,
    High,
    Rest,
}

/// Reads the text in pieces of any size.
struct Reader {
    address: usize,
    end: usize,
    place: Place,
    number: usize,
}

impl Reader {
    fn new(address: usize) -> Self {
        Self { address, end: 0, place: Place::Low, number: 0 }
    }

    fn take(&mut self, piece: &[u8]) {
        for &byte in piece {
            match (self.place, byte) {
                (_, b'\n') => (self.place, self.number) = (Place::Low, 0),
                (Place::Rest, _) => (),
                (Place::Low, b'-') => (self.place, self.number) = (Place::High, 0),
                (Place::High, b' ') => {
                    if self.number <= self.address {
                        self.end = self.number;
                    }
                    self.place = Place::Rest;
                }
                (_, digit) => {
                    let value = char::from(digit).to_digit(16).unwrap_or(0) as usize;
                    self.number = self.number << 4 | value;
                }
            }
        }
    }
}

#[cfg(test)]
#[path = "memory_map_tests.rs"]
mod tests;
