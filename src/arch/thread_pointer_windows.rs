//! The thread's own pointer on Windows: a slot of TlsAlloc's, read without calling anything.
//!
//! A thread has 64 slots in its environment block, and an array of 1024 more that is allocated when the first of them
//! is set (TlsSlots and TlsExpansionSlots of TEB, <winternl.h>; Wine's include/winternl.h has them at the same
//! offsets). Go's runtime reads its slot so too. `set_up` tries once whether what is read is what TlsSetValue wrote.
//!
//! Invariant: `wasmtrap_thread_base` is 0, which reads as null on every thread, or both words lead to a slot that is
//! never freed.

use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use windows_sys::Win32::Foundation::GetLastError;
use windows_sys::Win32::System::Threading::{TLS_OUT_OF_INDEXES, TlsAlloc, TlsFree, TlsSetValue};

use super::thread_block;
use crate::shared::thread::Thread;

/// Offsets in the thread's environment block: its own address (NT_TIB's Self), and the two places of slots.
const SELF: usize = 0x30;
const SLOTS: usize = 0x1480;
const EXPANSION_SLOTS: usize = 0x1780;
const SLOT_COUNT: u32 = 64;

core::arch::global_asm!(
    ".pushsection .data",
    ".balign 8",
    ".globl wasmtrap_thread_base",
    "wasmtrap_thread_base:",
    ".quad 0",
    ".globl wasmtrap_thread_offset",
    "wasmtrap_thread_offset:",
    ".quad 0",
    ".popsection",
);

unsafe extern "C" {
    /// Where in the thread's block the address is that the slot's offset counts from.
    safe static wasmtrap_thread_base: AtomicUsize;
    /// The slot's offset from there.
    safe static wasmtrap_thread_offset: AtomicUsize;
}

/// Instructions that read it into the first register, with the help of the second. They may change the flags.
#[cfg(target_arch = "x86_64")]
macro_rules! load_thread {
    ($register:literal, $other:literal) => {
        concat!(
            "mov ",
            $register,
            ", qword ptr [rip + wasmtrap_thread_base]\ntest ",
            $register,
            ", ",
            $register,
            "\njz 40f\nmov ",
            $register,
            ", qword ptr gs:[",
            $register,
            "]\ntest ",
            $register,
            ", ",
            $register,
            "\njz 40f\nmov ",
            $other,
            ", qword ptr [rip + wasmtrap_thread_offset]\nmov ",
            $register,
            ", qword ptr [",
            $register,
            " + ",
            $other,
            "]\n40:"
        )
    };
}
/// The base is published after the offset, and is to be read before it.
#[cfg(target_arch = "aarch64")]
macro_rules! load_thread {
    ($register:literal, $other:literal) => {
        concat!(
            $crate::arch::address_of!($register, "wasmtrap_thread_base"),
            "\nldar ",
            $register,
            ", [",
            $register,
            "]\ncbz ",
            $register,
            ", 40f\nldr ",
            $register,
            ", [x18, ",
            $register,
            "]\ncbz ",
            $register,
            ", 40f\n",
            $crate::arch::address_of!($other, "wasmtrap_thread_offset"),
            "\nldr ",
            $other,
            ", [",
            $other,
            "]\nldr ",
            $register,
            ", [",
            $register,
            ", ",
            $other,
            "]\n40:"
        )
    };
}
pub(crate) use load_thread;

/// The slot.
static INDEX: AtomicU32 = AtomicU32::new(TLS_OUT_OF_INDEXES);

/// Why there is no thread pointer.
pub(crate) enum NoThreadPointer {
    /// TlsAlloc's error.
    NoSlot(u32),
    /// What was read is not what was written.
    NotWhereExpected,
}

/// Takes a slot and tries it. Called before any thread is attached, by one thread at a time or by several at once.
pub(crate) fn set_up() -> Result<(), NoThreadPointer> {
    if wasmtrap_thread_base.load(Ordering::Acquire) != 0 {
        return Ok(());
    }
    // SAFETY: no arguments.
    let index = unsafe { TlsAlloc() };
    if index == TLS_OUT_OF_INDEXES {
        // SAFETY: no arguments.
        return Err(NoThreadPointer::NoSlot(unsafe { GetLastError() }));
    }
    if INDEX.compare_exchange(TLS_OUT_OF_INDEXES, index, Ordering::AcqRel, Ordering::Acquire).is_err() {
        // Another thread was here first, and may still be about to publish it.
        // SAFETY: the slot is ours, and nobody uses it.
        unsafe { TlsFree(index) };
        while wasmtrap_thread_base.load(Ordering::Acquire) == 0 && INDEX.load(Ordering::Acquire) != TLS_OUT_OF_INDEXES {
            core::hint::spin_loop();
        }
        return if wasmtrap_thread_base.load(Ordering::Acquire) != 0 {
            Ok(())
        } else {
            Err(NoThreadPointer::NotWhereExpected)
        };
    }
    let (base, offset) = match index.checked_sub(SLOT_COUNT) {
        None => (SELF, SLOTS + index as usize * size_of::<usize>()),
        Some(index) => (EXPANSION_SLOTS, index as usize * size_of::<usize>()),
    };
    let mark = core::ptr::from_ref(&wasmtrap_thread_base).cast::<Thread>();
    // SAFETY: the slot is ours.
    let set = |value: *const Thread| unsafe { TlsSetValue(index, value.cast()) } != 0;
    let written = set(mark);
    let there = written && read(base, offset) == mark;
    let cleared = set(core::ptr::null());
    if there && cleared && read(base, offset).is_null() {
        wasmtrap_thread_offset.store(offset, Ordering::Relaxed);
        wasmtrap_thread_base.store(base, Ordering::Release);
        return Ok(());
    }
    INDEX.store(TLS_OUT_OF_INDEXES, Ordering::Release);
    // SAFETY: nobody has a value for it.
    unsafe { TlsFree(index) };
    Err(NoThreadPointer::NotWhereExpected)
}

/// What a thread finds there.
fn read(base: usize, offset: usize) -> *const Thread {
    let address = thread_block::read(base);
    if address == 0 {
        return core::ptr::null();
    }
    // SAFETY: the block, or the array that TlsSetValue has just written to, goes on as far as that.
    unsafe { core::ptr::with_exposed_provenance::<*const Thread>(address + offset).read() }
}

/// Sets this thread's record.
pub(crate) fn set_current_thread(thread: *const Thread) {
    let index = INDEX.load(Ordering::Acquire);
    if index != TLS_OUT_OF_INDEXES {
        // SAFETY: the slot is ours. It can only fail for want of memory for the array, and then the thread stays
        // foreign: it has no protected call that a trap could land in.
        unsafe { TlsSetValue(index, thread.cast()) };
    }
}
