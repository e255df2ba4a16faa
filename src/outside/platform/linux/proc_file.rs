//! Reading what the kernel writes below /proc, without memory for the whole of a text.

use core::ffi::c_char;
use core::ops::ControlFlow;

/// Hands the text to `take`, in pieces of any size, until it has come to an end or `take` wants no more. Whether it
/// came to that: not if the file cannot be opened or read.
///
/// # Safety
/// The path ends in NUL.
pub(super) unsafe fn read(path: *const c_char, mut take: impl FnMut(&[u8]) -> ControlFlow<()>) -> bool {
    // SAFETY: the caller's promise.
    let file = unsafe { libc::open(path, libc::O_RDONLY | libc::O_CLOEXEC) };
    if file < 0 {
        return false;
    }
    let mut buffer = [0_u8; 1024];
    let complete = loop {
        // SAFETY: writes no more than the buffer holds.
        match unsafe { libc::read(file, buffer.as_mut_ptr().cast(), buffer.len()) } {
            0 => break true,
            length if length > 0 => {
                if take(buffer.get(..length as usize).unwrap_or_default()).is_break() {
                    break true;
                }
            }
            _ if super::errno() == libc::EINTR => (),
            _ => break false,
        }
    };
    // SAFETY: our own descriptor, closed once.
    unsafe { libc::close(file) };
    complete
}
