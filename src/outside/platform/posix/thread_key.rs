//! A thread-specific value with a destructor, whose key is made at its first use.

use core::ffi::c_void;
use core::num::NonZeroUsize;

use once_cell::race::OnceNonZeroUsize;

/// What makes a key, for an error's sentence.
pub(crate) const MAKING_A_KEY: &str = "pthread_key_create";

/// A key that exists.
#[derive(Clone, Copy)]
pub(crate) struct Key(libc::pthread_key_t);

impl Key {
    /// This thread's value, null if it has none.
    pub(crate) fn value(self) -> *mut c_void {
        // SAFETY: the key exists.
        unsafe { libc::pthread_getspecific(self.0) }
    }

    /// Sets this thread's value. Returns an error number, or 0.
    pub(crate) fn set_value(self, value: *const c_void) -> i32 {
        // SAFETY: the key exists.
        unsafe { libc::pthread_setspecific(self.0, value) }
    }
}

/// Never deleted: the library is never unloaded, so that the destructor stays.
pub(crate) struct ThreadKey {
    /// The key plus one, since 0 is a key too.
    made: OnceNonZeroUsize,
    destructor: extern "C" fn(*mut c_void),
}

impl ThreadKey {
    pub(crate) const fn new(destructor: extern "C" fn(*mut c_void)) -> Self {
        Self { made: OnceNonZeroUsize::new(), destructor }
    }

    /// The key, or the error number of pthread_key_create.
    pub(crate) fn get(&self) -> Result<Key, i32> {
        let make = || {
            let mut key = 0;
            // SAFETY: `key` is valid for a write.
            match unsafe { libc::pthread_key_create(&raw mut key, Some(self.destructor)) } {
                0 => NonZeroUsize::new(key as usize + 1).ok_or(0),
                error => Err(error),
            }
        };
        self.made.get_or_try_init(make).map(|made| Key((made.get() - 1) as libc::pthread_key_t))
    }
}
