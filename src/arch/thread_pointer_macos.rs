//! The thread's own pointer on macOS: a thread-specific value of pthread, read without calling anything.
//!
//! A thread-local variable of Mach-O will not do: its first touch on a thread calls malloc, which a handler on a
//! foreign thread must not. pthread keeps a thread's values in an array of words, at which gs points on x86-64 and the
//! thread register on arm64 (_os_tsd_get_base, XNU's libsyscall/os/tsd.h); a key is an index into it. Go's runtime
//! reads its own values so too, and like it `set_up` tries once whether what is read is what pthread_setspecific
//! wrote.
//!
//! Invariant: `wasmtrap_thread_offset` is 0, which reads as null on every thread, or the offset of a key that is never
//! deleted.

use core::ffi::c_void;
use core::sync::atomic::{AtomicUsize, Ordering};

use crate::shared::thread::Thread;

core::arch::global_asm!(
    // In __data and not in __bss: ld64.lld takes sections to be in the order of their addresses, which a __bss before
    // others is not.
    ".pushsection __DATA,__data",
    ".globl _wasmtrap_thread_offset",
    ".private_extern _wasmtrap_thread_offset",
    ".balign 8",
    "_wasmtrap_thread_offset:",
    ".quad 0",
    ".popsection",
);

unsafe extern "C" {
    /// The value's place in the array, in bytes.
    safe static wasmtrap_thread_offset: AtomicUsize;
}

/// Instructions that read it into a register. They change the flags.
#[cfg(target_arch = "x86_64")]
macro_rules! load_thread {
    ($register:literal) => {
        concat!(
            "mov ",
            $register,
            ", qword ptr [rip + _wasmtrap_thread_offset]\ntest ",
            $register,
            ", ",
            $register,
            "\njz 40f\nmov ",
            $register,
            ", qword ptr gs:[",
            $register,
            "]\n40:"
        )
    };
}

/// Instructions that read it into a register, with the help of another one. The low bits of the thread register have
/// been a processor number.
#[cfg(target_arch = "aarch64")]
macro_rules! load_thread {
    ($register:literal, $other:literal) => {
        concat!(
            "adrp ",
            $register,
            ", _wasmtrap_thread_offset@PAGE\nldr ",
            $register,
            ", [",
            $register,
            ", _wasmtrap_thread_offset@PAGEOFF]\ncbz ",
            $register,
            ", 40f\nmrs ",
            $other,
            ", tpidrro_el0\nand ",
            $other,
            ", ",
            $other,
            ", #0xfffffffffffffff8\nldr ",
            $register,
            ", [",
            $other,
            ", ",
            $register,
            "]\n40:"
        )
    };
}
pub(crate) use load_thread;

/// The key, once `set_up` has made it.
fn key() -> Option<libc::pthread_key_t> {
    match wasmtrap_thread_offset.load(Ordering::Relaxed) {
        0 => None,
        offset => Some((offset / size_of::<usize>()) as libc::pthread_key_t),
    }
}

/// Why there is no thread pointer.
pub(crate) enum NoThreadPointer {
    /// pthread_key_create's error number.
    NoKey(i32),
    /// What was read is not what was written.
    NotWhereExpected,
}

/// Makes the key and tries it. Called before any thread is attached, by one thread at a time.
pub(crate) fn set_up() -> Result<(), NoThreadPointer> {
    if key().is_some() {
        return Ok(());
    }
    let mut key = 0;
    // SAFETY: `key` is valid for a write.
    match unsafe { libc::pthread_key_create(&raw mut key, Some(put_back)) } {
        0 => (),
        error => return Err(NoThreadPointer::NoKey(error)),
    }
    let mark = core::ptr::from_ref(&wasmtrap_thread_offset).cast::<Thread>();
    let set = |value: *const Thread| {
        // SAFETY: the key exists.
        unsafe { libc::pthread_setspecific(key, value.cast()) }
    };
    let written = set(mark) == 0;
    wasmtrap_thread_offset.store(key as usize * size_of::<usize>(), Ordering::Release);
    let there = super::current_thread();
    let cleared = set(core::ptr::null()) == 0;
    if written && cleared && there == mark && super::current_thread().is_null() {
        return Ok(());
    }
    wasmtrap_thread_offset.store(0, Ordering::Release);
    // SAFETY: the key exists, and nobody has a value for it.
    unsafe { libc::pthread_key_delete(key) };
    Err(NoThreadPointer::NotWhereExpected)
}

/// pthread clears a value before it calls the destructors in turn (_pthread_tsd_cleanup_key, libpthread's
/// pthread_tsd.c). What ends a thread's attachment is the destructor of another key, which may come later, and Wasm may
/// run in other destructors until then.
extern "C" fn put_back(thread: *mut c_void) {
    set_current_thread(thread.cast());
}

/// Sets this thread's record.
pub(crate) fn set_current_thread(thread: *const Thread) {
    if let Some(key) = key() {
        // SAFETY: the key exists. It can only fail for want of one.
        unsafe { libc::pthread_setspecific(key, thread.cast()) };
    }
}
