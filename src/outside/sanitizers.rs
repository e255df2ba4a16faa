//! Sanitizers that the process runs under. A trap drops frames of instrumented code that do not return, and a sanitizer
//! that sees longjmp do the same does not see ours: it has to be told.
//!
//! - AddressSanitizer keeps the stack around the locals of a frame poisoned until the frame returns. What was dropped
//!   is unpoisoned, and `__asan_handle_no_return` ends the frames that it keeps in the heap
//!   (detect_stack_use_after_return). That function alone is not enough here: it looks at the stack from where it is
//!   called up (UnpoisonDefaultStack, compiler-rt/lib/asan/asan_rtl.cpp), and a fault has landed above the dropped
//!   frames by then.
//! - ThreadSanitizer keeps a stack of return addresses of its own (65,536 of them, lib/tsan/rtl/tsan_defs.h), and
//!   counts the signal handlers that it has called for the process. Both are put back by its longjmp alone, to what
//!   they were at the setjmp (LongJmp, lib/tsan/rtl/tsan_interceptors_posix.cpp); there is no entry for that. So each
//!   protected call of such a process is made within a setjmp, and a longjmp follows its trap.

use core::ffi::c_void;

use super::platform;
use crate::shared::activation::Activation;
use crate::shared::thread::Thread;

/// What the sanitizers of this process have to be called; a null function for each that is not there.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Entries {
    pub(crate) asan_handle_no_return: Option<unsafe extern "C" fn()>,
    pub(crate) asan_unpoison_memory_region: Option<unsafe extern "C" fn(*const c_void, usize)>,
    /// Never called: it tells that there is a ThreadSanitizer.
    pub(crate) tsan_func_exit: Option<unsafe extern "C" fn()>,
}

/// Whether protected calls have to be made by `arch::call_within_a_jump`.
pub(crate) fn need_jumps() -> bool {
    platform::sanitizer_entries().tsan_func_exit.is_some()
}

/// Frames between the stack pointer `from` and a protected call of this thread are dropped, or have been. Outside of
/// any handler of ours: the sanitizers' own code may do anything.
pub(crate) fn frames_are_dropped(thread: &Thread, from: usize, to: *const Activation) {
    let entries = platform::sanitizer_entries();
    let (Some(handle_no_return), Some(unpoison)) = (entries.asan_handle_no_return, entries.asan_unpoison_memory_region)
    else {
        return;
    };
    let stack = thread.stack.get();
    // A stack overflow comes from below it.
    let from = from.max(stack.low);
    if stack.contains(to.addr()) && from < to.addr() {
        // SAFETY: nothing but shadow memory is written, which every part of a stack has.
        unsafe { unpoison(core::ptr::with_exposed_provenance(from), to.addr() - from) };
    }
    // SAFETY: may be called anywhere.
    unsafe { handle_no_return() };
}
