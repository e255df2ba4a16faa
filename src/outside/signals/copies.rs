//! Other copies of this library in the process: another shared object, or one that is linked statically. Each is a
//! stranger to the other, but for one thing: an entry point tells what it forwards to (see `layers`).
//!
//! A mark follows the end of an entry point, and a jump follows the mark: to the function that tells it.

use crate::arch::{ENTRY_MARK, JUMP_SIZE, jump_target};
use crate::outside::platform;

/// As far as the mark and the jump are looked for. An entry point is shorter.
const REACH: usize = 128;

/// Another copy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Copy {
    /// Its function of this kind: `inside::signals::entry::forwards_to`.
    forwards_to: usize,
}

impl Copy {
    /// The copy that a handler belongs to, which may be this one; `None` if it is none's.
    pub(super) fn of(handler: usize) -> Option<Self> {
        if handler == libc::SIG_DFL || handler == libc::SIG_IGN {
            return None;
        }
        let mut code = [0_u8; REACH];
        let length = platform::read_code(handler, &mut code);
        let code = code.get(..length)?;
        let is_mark = |start: &usize| code.get(*start..).and_then(<[u8]>::first_chunk) == Some(&ENTRY_MARK);
        let end = (0..REACH).find(is_mark)? + ENTRY_MARK.len() + JUMP_SIZE;
        Some(Self { forwards_to: jump_target(handler.wrapping_add(end), *code.get(..end)?.last_chunk()?) })
    }

    /// Which copy it is.
    pub(super) fn number(self) -> usize {
        self.forwards_to
    }

    /// The handler that one of its entry points forwards to.
    pub(super) fn forwards_to(self, entry_point: usize, signal: libc::c_int) -> usize {
        // SAFETY: the mark is followed by a jump to a function of this kind, in every version of this library.
        let ask = unsafe {
            core::mem::transmute::<usize, unsafe extern "C" fn(usize, libc::c_int) -> usize>(self.forwards_to)
        };
        // SAFETY: it may be asked about any address, at any time.
        unsafe { ask(entry_point, signal) }
    }
}

#[cfg(test)]
mod tests {
    use super::Copy;
    use crate::inside::signals::entry;
    use crate::shared::disposition::{self, Disposition};

    #[test]
    fn entry_points_of_one_copy_are_known_as_such() {
        let copy = Copy::of(entry::ALL[0] as usize);
        assert_eq!(copy.map(Copy::number), Some(entry::forwards_to as unsafe extern "C" fn(_, _) -> _ as usize));
        assert!(entry::ALL.iter().all(|&entry| Copy::of(entry as usize) == copy));
    }

    #[test]
    fn they_tell_what_they_forward_to() {
        static BELOW: Disposition = Disposition { handler: 4711, flags: 0, mask: 0, restorer: 0 };
        disposition::set_below(3, libc::SIGTRAP, &BELOW);
        let entry = entry::ALL[3] as usize;
        assert_eq!(Copy::of(entry).expect("ours").forwards_to(entry, libc::SIGTRAP), 4711);
    }

    #[test]
    fn other_handlers_belong_to_none() {
        let function = they_tell_what_they_forward_to as fn() as usize;
        // Of the last two there is no memory.
        for handler in [libc::SIG_DFL, libc::SIG_IGN, function, 4096, usize::MAX - 8] {
            assert_eq!(Copy::of(handler), None, "{handler:#x}");
        }
    }
}
