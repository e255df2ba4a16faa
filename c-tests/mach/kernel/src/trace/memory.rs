//! The memory of a traced process, as copyin and copyout see it: with the protections that the process itself has.

use std::ptr;

fn vectors(local: *mut u8, address: u64, length: usize) -> (libc::iovec, libc::iovec) {
    let here = libc::iovec { iov_base: local.cast(), iov_len: length };
    let there = libc::iovec { iov_base: ptr::without_provenance_mut(address as usize), iov_len: length };
    (here, there)
}

/// All of it, or nothing.
pub(crate) fn read(tid: libc::pid_t, address: u64, length: usize) -> Option<Vec<u8>> {
    let mut bytes = vec![0; length];
    if length == 0 {
        return Some(bytes);
    }
    let (here, there) = vectors(bytes.as_mut_ptr(), address, length);
    // SAFETY: writes at most `length` bytes to `bytes`; the other address is the other process's.
    let got = unsafe { libc::process_vm_readv(tid, &here, 1, &there, 1, 0) };
    (got == length as isize).then_some(bytes)
}

/// Whether all of it could be written.
pub(crate) fn write(tid: libc::pid_t, address: u64, bytes: &[u8]) -> bool {
    if bytes.is_empty() {
        return true;
    }
    let (here, there) = vectors(bytes.as_ptr().cast_mut(), address, bytes.len());
    // SAFETY: reads `bytes`, which is not written to; the other address is the other process's.
    let put = unsafe { libc::process_vm_writev(tid, &here, 1, &there, 1, 0) };
    put == bytes.len() as isize
}
