//! Errors: a status for the program, a sentence for the person.
//!
//! The sentence is kept per thread (pthread_setspecific), not in thread-local storage: a thread that never fails needs
//! no room for it, and a library that is loaded late must be sparing with static thread-local storage.

use core::ffi::{CStr, c_char, c_void};
use core::fmt;

use super::fork;
use super::platform::{self, ThreadKey};
use super::text::Text;
use crate::shared::abi::*;

/// A call that failed. Its sentence has been written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) struct Failure(wasmtrap_status_t);

impl Failure {
    pub(crate) fn status(self) -> wasmtrap_status_t {
        self.0
    }
}

/// A thread's sentence. All-zero is an empty one, of a process that no fork has made.
struct Sentence {
    text: Text<512>,
    /// What [`fork::generation`] was when it was this thread's. An older one is another thread's, which has not come
    /// along into this process.
    generation: usize,
}

static NO_MEMORY: &CStr = c"out of memory, and none left to say of what";

static KEY: ThreadKey = ThreadKey::new(forget);

extern "C" fn forget(sentence: *mut c_void) {
    // SAFETY: came from calloc in `place`; at the thread's end nobody holds it.
    unsafe { libc::free(sentence) };
}

/// Has this thread's sentence exist, so that [`fail`] needs no memory. For calls that take a lock, before they do:
/// malloc may be the host's, and may wait for a thread that waits for the lock. Where there is no memory, `fail` tries
/// once more.
pub(crate) fn make_room() {
    let _ = place(true);
}

/// Notes why a call fails. With a lock held, [`make_room`] has been called.
pub(crate) fn fail(status: wasmtrap_status_t, sentence: fmt::Arguments<'_>) -> Failure {
    if let Some(place) = place(true) {
        place.text.clear();
        // Bounded text takes everything.
        let _ = fmt::Write::write_fmt(&mut place.text, sentence);
    }
    Failure(status)
}

/// This thread's sentence.
fn place(create: bool) -> Option<&'static mut Sentence> {
    let key = KEY.get().ok()?;
    let mut found = key.value();
    if found.is_null() && create {
        // SAFETY: all-zero is an empty text.
        found = unsafe { libc::calloc(1, size_of::<Sentence>()) };
        // Without room for it in the thread, the memory goes back.
        if !found.is_null() && key.set_value(found) != 0 {
            // SAFETY: came from calloc above.
            unsafe { libc::free(found) };
            return None;
        }
    }
    // SAFETY: null or this thread's sentence, to which nobody else has a reference while a call of the API runs. Nobody
    // else has one either that was left behind (`fork::may_leave_values_behind`), or has freed it: glibc takes a value
    // from the thread before it calls `forget`.
    let sentence = unsafe { found.cast::<Sentence>().as_mut() }?;
    let generation = fork::generation();
    if sentence.generation != generation {
        sentence.text.clear();
        sentence.generation = generation;
    }
    Some(sentence)
}

/// In a forked child, on its one thread: its sentence is kept. `next` makes the generation another one.
pub(crate) fn keep_in_child(next: impl FnOnce()) {
    let sentence = place(false);
    next();
    if let Some(sentence) = sentence {
        sentence.generation = fork::generation();
    }
}

/// The sentence of the last call of this thread that failed.
pub(crate) fn last() -> *const c_char {
    match place(false) {
        Some(sentence) => sentence.text.as_c_str(),
        None if KEY.get().is_err() => NO_MEMORY.as_ptr(),
        None => c"".as_ptr(),
    }
}

pub(crate) fn null(name: &str) -> Failure {
    fail(WASMTRAP_ERR_INVALID_ARGUMENT, format_args!("{name} is NULL"))
}

pub(crate) fn invalid(sentence: fmt::Arguments<'_>) -> Failure {
    fail(WASMTRAP_ERR_INVALID_ARGUMENT, sentence)
}

pub(crate) fn struct_size(name: &str, given: usize, expected: usize) -> Failure {
    fail(
        WASMTRAP_ERR_STRUCT_SIZE,
        format_args!("{name}->struct_size is {given}, but the structure has {expected} bytes in this version"),
    )
}

pub(crate) fn not_initialized() -> Failure {
    fail(
        WASMTRAP_ERR_NOT_INITIALIZED,
        format_args!("wasmtrap_init has not been called, or wasmtrap_shutdown has been called since"),
    )
}

pub(crate) fn no_memory(what: fmt::Arguments<'_>) -> Failure {
    fail(WASMTRAP_ERR_NO_MEMORY, format_args!("out of memory: no room for {what}"))
}

/// A call of the operating system failed with `errno`. Not with a lock held: strerror_r may load a catalogue of
/// messages, which takes memory.
pub(crate) fn system(call: &str, errno: i32) -> Failure {
    let mut text = [0_u8; 128];
    let described = platform::describe_error(errno, &mut text);
    let text = CStr::from_bytes_until_nul(&text).ok().and_then(|text| text.to_str().ok()).unwrap_or("?");
    let text = if described { text } else { "unknown error" };
    fail(WASMTRAP_ERR_SYSTEM, format_args!("{call} failed: {text} (errno {errno})"))
}

/// The same in words that need no memory: with a lock held.
#[cfg_attr(windows, allow(dead_code, reason = "nothing that is called there under a lock fails but for memory"))]
pub(crate) fn system_under_lock(call: fmt::Arguments<'_>, errno: i32) -> Failure {
    fail(WASMTRAP_ERR_SYSTEM, format_args!("{call} failed: errno {errno}"))
}
