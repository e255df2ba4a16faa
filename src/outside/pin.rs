//! Keeping the library in memory.
//!
//! Signal dispositions, vectored handlers, thread-exit destructors and fork handlers point into the object that the
//! library is in. The shared library is linked with `-z nodelete` on Linux; other systems have no such mark, and the
//! static library may have been linked into a plug-in. So the object, whichever it is, is opened once more and never
//! closed, unless it has the mark: asking the dynamic linker takes a tenth of `wasmtrap_init`.

use core::sync::atomic::{AtomicBool, Ordering};

use super::platform;

/// Makes dlclose (FreeLibrary) leave this object where it is. Nothing to do if it is the program itself.
///
/// To be called without a lock of ours: it takes the loader's, which is held while a plug-in's constructor calls us.
pub(crate) fn pin() {
    static PINNED: AtomicBool = AtomicBool::new(false);
    if PINNED.load(Ordering::Relaxed) {
        return;
    }
    let stays = platform::stays_loaded() || platform::pin_object_of(pin as fn() as usize);
    PINNED.store(stays, Ordering::Relaxed);
}
