//! Who is in front: whose handlers the kernel calls for faults.

use std::mem::MaybeUninit;

use crate::wasmtrap;

/// The signals for which engines have handlers on Linux.
const SIGNALS: &[i32] = if cfg!(target_arch = "x86_64") {
    &[libc::SIGSEGV, libc::SIGILL, libc::SIGFPE]
} else {
    &[libc::SIGSEGV, libc::SIGILL]
};

/// The handlers that the kernel calls now.
fn handlers() -> Vec<usize> {
    let handler = |&signal| {
        let mut action = MaybeUninit::uninit();
        // SAFETY: it writes the action.
        unsafe {
            assert_eq!(libc::sigaction(signal, std::ptr::null(), action.as_mut_ptr()), 0);
            action.assume_init().sa_sigaction
        }
    };
    SIGNALS.iter().map(handler).collect()
}

/// An adopted engine.
pub struct Adopted {
    pub id: u64,
    its_own: Vec<usize>,
}

impl Adopted {
    /// Looks whether the library is in front of the engine's handlers.
    #[track_caller]
    pub fn check_that_the_library_is_in_front(&self) {
        for (now, its_own) in handlers().iter().zip(&self.its_own) {
            assert_ne!(now, its_own, "a handler of the engine's is in place");
        }
        assert!(wasmtrap::is_in_front(), "{}", wasmtrap::describe());
    }

    /// Looks whether the engine's own handlers are in place.
    #[track_caller]
    pub fn check_that_the_engine_is_in_front(&self) {
        assert_eq!(handlers(), self.its_own);
        assert!(!wasmtrap::is_in_front(), "{}", wasmtrap::describe());
    }
}

/// Has an engine installed its handlers, by `start`; and what that gave.
fn start_it<T>(start: impl FnOnce() -> T) -> (T, Vec<usize>) {
    let before = handlers();
    let started = start();
    let its_own = handlers();
    for (before, its_own) in before.iter().zip(&its_own) {
        assert_ne!(before, its_own, "the engine has installed no handler");
    }
    (started, its_own)
}

/// Adopts the engine that `start` starts.
pub fn adopt<T>(start: impl FnOnce() -> T) -> (Adopted, T) {
    let (id, (started, its_own)) = wasmtrap::adopt(|| start_it(start));
    let adopted = Adopted { id, its_own };
    adopted.check_that_the_library_is_in_front();
    (adopted, started)
}

/// The same for a client.
pub fn adopt_for<T>(client: u32, start: impl FnOnce() -> T) -> (Adopted, T) {
    let (id, (started, its_own)) = wasmtrap::adopt_for(client, || start_it(start));
    (Adopted { id, its_own }, started)
}
