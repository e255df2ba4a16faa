//! What the simulated Mach kernel (c-tests/mach) has counted, where this runs in it.

use std::ffi::c_int;

use crate::wasmtrap;

/// simulated_exceptions_t.
#[repr(C)]
#[derive(Default)]
struct Exceptions {
    thread_level: u64,
    thread_level_handled: u64,
    task_level: u64,
    task_level_handled: u64,
    became_signals: u64,
    violations: u64,
    behaviors_counted: u64,
}

/// How many exceptions have come to threads' ports, and to the task's; None where faults are signals.
pub fn exceptions() -> Option<(u64, u64)> {
    if !wasmtrap::describe().contains("backend: Mach exception ports") {
        assert_ne!(std::env::var("WASMTRAP_BACKEND").as_deref(), Ok("mach"), "{}", wasmtrap::describe());
        return None;
    }
    // SAFETY: the symbol is this function, and it fills in the counts.
    unsafe {
        let found = libc::dlsym(libc::RTLD_DEFAULT, c"simulated_exceptions".as_ptr());
        assert!(!found.is_null(), "Mach ports, and no simulated kernel");
        let count = std::mem::transmute::<*mut libc::c_void, unsafe extern "C" fn(*mut Exceptions) -> c_int>(found);
        let mut now = Exceptions::default();
        assert_eq!(count(&mut now), 0);
        Some((now.thread_level_handled, now.task_level))
    }
}

/// Nothing has come to the task's port since, and something to the threads'.
#[track_caller]
pub fn check_that_the_task_has_heard_of_none(before: Option<(u64, u64)>) {
    if let (Some(before), Some(after)) = (before, exceptions()) {
        assert!(after.0 > before.0, "no exception has come to a thread's port");
        assert_eq!(after.1, before.1, "exceptions that came to the task's port");
    }
}
