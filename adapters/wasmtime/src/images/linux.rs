//! A sealed memfd. The handle is its file descriptor plus one, so that it is never null.

use crate::memory::errno;

fn descriptor(image: *mut u8) -> libc::c_int {
    (image.addr() - 1) as libc::c_int
}

/// A new image of these bytes, null if there can be none.
pub(crate) fn new(contents: &[u8]) -> *mut u8 {
    // SAFETY: the name is a C string.
    let fd = unsafe { libc::memfd_create(c"wasm-memory-image".as_ptr(), libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING) };
    if fd < 0 {
        return core::ptr::null_mut();
    }
    if !fill(fd, contents) {
        // SAFETY: ours alone.
        unsafe { libc::close(fd) };
        return core::ptr::null_mut();
    }
    // Nobody writes to it any more, which is what mappings of it rely on. Without seals it would work as well.
    // SAFETY: numbers only.
    unsafe {
        libc::fcntl(
            fd,
            libc::F_ADD_SEALS,
            libc::F_SEAL_GROW | libc::F_SEAL_SHRINK | libc::F_SEAL_WRITE | libc::F_SEAL_SEAL,
        )
    };
    core::ptr::without_provenance_mut(fd as usize + 1)
}

/// Writes it all; false if there is no room.
fn fill(fd: libc::c_int, mut contents: &[u8]) -> bool {
    while !contents.is_empty() {
        // SAFETY: the bytes are there.
        let written = unsafe { libc::write(fd, contents.as_ptr().cast(), contents.len()) };
        match usize::try_from(written) {
            Ok(0) => return false,
            Ok(written) => contents = contents.get(written..).unwrap_or_default(),
            Err(_) if errno() == libc::EINTR => {}
            Err(_) => return false,
        }
    }
    true
}

/// # Safety
/// `image` came from `new`; the `length` bytes at `address` are Wasmtime's to replace.
pub(crate) unsafe fn map_at(image: *mut u8, address: *mut u8, length: usize) -> Result<(), i32> {
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    let kind = libc::MAP_PRIVATE | libc::MAP_FIXED;
    // SAFETY: the caller's promise.
    let mapped = unsafe { libc::mmap(address.cast(), length, protection, kind, descriptor(image), 0) };
    if mapped == libc::MAP_FAILED { Err(errno()) } else { Ok(()) }
}

/// Mappings of the image keep its contents.
///
/// # Safety
/// `image` came from `new` and is not used again.
pub(crate) unsafe fn free(image: *mut u8) {
    // SAFETY: the caller's promise.
    unsafe { libc::close(descriptor(image)) };
}
