//! A lock that fork can hold: the writers' side of everything that handlers read.
//!
//! The system's own (pthread's mutex where there are forks), because pthread_atfork needs to take it before a fork and
//! to release it on both sides of one, which a lock that is bound to a guard's lifetime cannot do. Handlers never take
//! it.

use core::cell::UnsafeCell;
use core::ops::{Deref, DerefMut};

use super::platform::Mutex;

/// A value that only the holder of its lock can reach.
pub(crate) struct Locked<T> {
    mutex: Mutex,
    value: UnsafeCell<T>,
}

// SAFETY: the value is reached through a guard only, and the mutex lets one guard exist at a time.
unsafe impl<T: Send> Sync for Locked<T> {}

impl<T> Locked<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self { mutex: Mutex::new(), value: UnsafeCell::new(value) }
    }

    /// Waits for the lock. A thread that holds it already would wait for ever.
    pub(crate) fn lock(&self) -> Guard<'_, T> {
        self.acquire();
        Guard { locked: self }
    }

    /// Takes the lock without a guard: for pthread_atfork's first handler.
    pub(crate) fn acquire(&self) {
        self.mutex.lock();
    }

    /// Releases what [`acquire`](Self::acquire) took.
    ///
    /// # Safety
    /// This thread (in a forked child: its image) took the lock by `acquire` and has no guard.
    pub(crate) unsafe fn release(&self) {
        // SAFETY: the caller holds the lock.
        unsafe { self.mutex.unlock() };
    }

    /// The value, without taking the lock.
    ///
    /// # Safety
    /// This thread holds the lock by `acquire`, and no guard exists.
    #[allow(clippy::mut_from_ref, reason = "the lock, not the borrow, makes it exclusive")]
    pub(crate) unsafe fn value_while_acquired(&self) -> &mut T {
        // SAFETY: the caller holds the lock.
        unsafe { &mut *self.value.get() }
    }
}

/// The lock is held as long as this lives.
pub(crate) struct Guard<'a, T> {
    locked: &'a Locked<T>,
}

impl<T> Deref for Guard<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        // SAFETY: the lock is held.
        unsafe { &*self.locked.value.get() }
    }
}

impl<T> DerefMut for Guard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the lock is held, and `&mut self` says that no other borrow through this guard exists.
        unsafe { &mut *self.locked.value.get() }
    }
}

impl<T> Drop for Guard<'_, T> {
    fn drop(&mut self) {
        // SAFETY: this guard took the lock.
        unsafe { self.locked.release() };
    }
}
