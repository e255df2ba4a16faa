//! What Wasmtime 48 and later ask for, and 36 does not: thread-locals by a number, and locks.

use crate::{locks, threads};

/// A word of this thread's.
#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_tls_get(slot: usize) -> *mut u8 {
    threads::get(slot)
}

/// Sets a word of this thread's.
#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_tls_set(slot: usize, value: *mut u8) {
    threads::set(slot, value);
}

/// A function for each of what Wasmtime does with a lock word.
macro_rules! lock_functions {
    ($($(#[$comment:meta])* $name:ident: $action:ident $call:path),* $(,)?) => {
        $(
            $(#[$comment])*
            #[unsafe(no_mangle)]
            pub unsafe extern "C" fn $name(lock: *mut usize) {
                // SAFETY: Wasmtime's promise: a word that it uses as this kind of lock, in a right order.
                unsafe { locks::$action(lock, $call) };
            }
        )*
    };
}

lock_functions! {
    /// Waits for an exclusive lock.
    wasmtime_sync_lock_acquire: acquire libc::pthread_mutex_lock,
    /// Releases it.
    wasmtime_sync_lock_release: release libc::pthread_mutex_unlock,
    /// Waits for a lock as a reader.
    wasmtime_sync_rwlock_read: acquire libc::pthread_rwlock_rdlock,
    /// Releases it.
    wasmtime_sync_rwlock_read_release: release libc::pthread_rwlock_unlock,
    /// Waits for a lock as its writer.
    wasmtime_sync_rwlock_write: acquire libc::pthread_rwlock_wrlock,
    /// Releases it.
    wasmtime_sync_rwlock_write_release: release libc::pthread_rwlock_unlock,
}

/// Frees an exclusive lock, if it was ever used.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtime_sync_lock_free(lock: *mut usize) {
    // SAFETY: Wasmtime's promise: nobody holds it or will use it again.
    unsafe { locks::free::<libc::pthread_mutex_t>(lock) };
}

/// Frees a lock for readers and a writer, if it was ever used.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtime_sync_rwlock_free(lock: *mut usize) {
    // SAFETY: as above.
    unsafe { locks::free::<libc::pthread_rwlock_t>(lock) };
}
