//! Keeping the library in memory.
//!
//! Signal dispositions, thread-exit destructors and fork handlers point into the object that the library is in. The
//! shared library is linked with `-z nodelete` on Linux; macOS has no such mark, and the static library may have been
//! linked into a plug-in. So the object, whichever it is, is opened once more and never closed.

use core::ffi::c_void;
use core::sync::atomic::{AtomicBool, Ordering};

/// Makes dlclose leave this object where it is. Nothing to do if it is the program itself.
///
/// To be called without a lock of ours: it takes the loader's, which is held while a plug-in's constructor calls us.
pub(crate) fn pin() {
    static PINNED: AtomicBool = AtomicBool::new(false);
    if PINNED.load(Ordering::Relaxed) {
        return;
    }
    PINNED.store(pin_object_of(pin as fn() as usize), Ordering::Relaxed);
}

/// The same of the object that has a function. False if that is the program itself, or not known.
///
/// To be called without a lock of ours, too.
pub(crate) fn pin_object_of(function: usize) -> bool {
    // SAFETY: all-zero is a valid Dl_info; dladdr fills it in for an address of an object.
    let mut info: libc::Dl_info = unsafe { core::mem::zeroed() };
    // SAFETY: `info` is valid for a write.
    if unsafe { libc::dladdr(function as *const c_void, &raw mut info) } == 0 || info.dli_fname.is_null() {
        return false;
    }
    // The handle is given up on purpose. For the program itself there is none by its name, and no need.
    // SAFETY: the name is the loader's own; NOLOAD finds what is loaded already and runs no code.
    let handle = unsafe { libc::dlopen(info.dli_fname, libc::RTLD_LAZY | libc::RTLD_NOLOAD | libc::RTLD_NODELETE) };
    !handle.is_null()
}
