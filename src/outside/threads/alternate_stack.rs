//! The alternate signal stack: giving a thread one that is big enough, and putting back what it had.

use core::ffi::c_void;
use core::sync::atomic::{AtomicUsize, Ordering};

use crate::outside::error::{self, Failure};
use crate::outside::platform;
use crate::shared::thread::{AlternateStack, Thread};

/// What our own handler needs of an alternate stack beyond the kernel's frame; what forwarding needs is up to the
/// handlers below.
const HANDLER_NEEDS: usize = 4 * 1024;

/// Set by wasmtrap_init.
static SIZE: AtomicUsize = AtomicUsize::new(0);

pub(crate) fn set_size(size: usize) {
    SIZE.store(size, Ordering::Relaxed);
}

/// For one more client: what is asked for most is what threads get from now on.
pub(crate) fn raise_size(size: usize) {
    SIZE.fetch_max(size, Ordering::Relaxed);
}

/// The size that wasmtrap_init was asked for.
pub(super) fn size() -> usize {
    SIZE.load(Ordering::Relaxed)
}

/// Gives the thread an alternate signal stack, unless it has one that is big enough.
pub(super) fn give(thread: &Thread) -> Result<(), Failure> {
    // SAFETY: all-zero is a valid stack_t to write into.
    let mut earlier: libc::stack_t = unsafe { core::mem::zeroed() };
    // SAFETY: reads only, into `earlier`.
    if unsafe { libc::sigaltstack(core::ptr::null(), &raw mut earlier) } != 0 {
        return Err(error::system("sigaltstack", error::errno()));
    }
    let needed = platform::signal_frame_size() + HANDLER_NEEDS;
    if earlier.ss_flags & libc::SS_DISABLE == 0 && earlier.ss_size >= needed {
        return Ok(());
    }
    if let Some(kept) = thread.alternate_stack.get() {
        return use_stack(&kept);
    }
    let mapped = map_stack(size().max(needed), "an alternate signal stack")?;
    let stack =
        AlternateStack { mapping: mapped.mapping, mapping_size: mapped.mapping_size, base: mapped.base, earlier };
    match use_stack(&stack) {
        Ok(()) => {
            thread.alternate_stack.set(Some(stack));
            Ok(())
        }
        Err(failure) => {
            // SAFETY: the mapping was made above, and nothing uses it.
            unsafe { libc::munmap(stack.mapping, stack.mapping_size) };
            Err(failure)
        }
    }
}

/// A stack with an inaccessible page below it.
pub(super) struct MappedStack {
    pub(super) mapping: *mut c_void,
    pub(super) mapping_size: usize,
    pub(super) base: *mut c_void,
}

pub(super) fn map_stack(size: usize, what: &str) -> Result<MappedStack, Failure> {
    let page = platform::page_size();
    let size = (size + page - 1) & !(page - 1);
    let mapping_size = page + size;
    let no_memory = || error::no_memory(format_args!("{what} of {size} bytes"));
    // SAFETY: a fresh mapping; nothing is overwritten.
    let mapping = unsafe {
        libc::mmap(
            core::ptr::null_mut(),
            mapping_size,
            libc::PROT_NONE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | platform::STACK_MAPPING_FLAGS,
            -1,
            0,
        )
    };
    if mapping == libc::MAP_FAILED {
        return Err(no_memory());
    }
    // The lowest page stays inaccessible: an overflow must not run into other memory.
    let base = mapping.wrapping_byte_add(page);
    // SAFETY: within the mapping.
    if unsafe { libc::mprotect(base, size, libc::PROT_READ | libc::PROT_WRITE) } != 0 {
        let failure = no_memory();
        // SAFETY: the mapping was made above, and nothing uses it.
        unsafe { libc::munmap(mapping, mapping_size) };
        return Err(failure);
    }
    Ok(MappedStack { mapping, mapping_size, base })
}

fn use_stack(stack: &AlternateStack) -> Result<(), Failure> {
    let size = stack.mapping_size - (stack.base.addr() - stack.mapping.addr());
    let stack = libc::stack_t { ss_sp: stack.base, ss_flags: 0, ss_size: size };
    // SAFETY: the stack is mapped and stays so until it is taken back.
    match unsafe { libc::sigaltstack(&raw const stack, core::ptr::null_mut()) } {
        0 => Ok(()),
        _ => Err(error::system("sigaltstack", error::errno())),
    }
}

/// Whether the thread's alternate stack could be taken back.
#[derive(PartialEq, Eq)]
pub(super) enum TakenBack {
    Yes,
    /// The thread runs on it.
    InUse,
    /// Somebody else's is in its place; they may mean to put ours back.
    Covered,
}

pub(super) fn take_back(thread: &Thread) -> TakenBack {
    let Some(stack) = thread.alternate_stack.get() else { return TakenBack::Yes };
    // SAFETY: all-zero is a valid stack_t to write into.
    let mut now: libc::stack_t = unsafe { core::mem::zeroed() };
    // SAFETY: reads only, into `now`.
    unsafe { libc::sigaltstack(core::ptr::null(), &raw mut now) };
    if now.ss_flags & libc::SS_ONSTACK != 0 && now.ss_sp == stack.base {
        return TakenBack::InUse;
    }
    if now.ss_flags & libc::SS_DISABLE == 0 && now.ss_sp != stack.base {
        return TakenBack::Covered;
    }
    // SAFETY: what the thread had before; whoever set it up answers for it.
    if unsafe { libc::sigaltstack(&raw const stack.earlier, core::ptr::null_mut()) } != 0 {
        // The earlier one may be too small for the kernel by now: none at all, then.
        let none = libc::stack_t { ss_sp: core::ptr::null_mut(), ss_flags: libc::SS_DISABLE, ss_size: 0 };
        // SAFETY: disabling needs no memory.
        unsafe { libc::sigaltstack(&raw const none, core::ptr::null_mut()) };
    }
    // SAFETY: our mapping, which is no signal stack any more.
    unsafe { libc::munmap(stack.mapping, stack.mapping_size) };
    thread.alternate_stack.set(None);
    TakenBack::Yes
}

/// Frees the stack of a thread that has no more use for it.
///
/// # Safety
/// The thread has ended, or its signal stack is another.
pub(super) unsafe fn free(thread: &Thread) {
    if let Some(stack) = thread.alternate_stack.take() {
        // SAFETY: our mapping, and the caller's promise.
        unsafe { libc::munmap(stack.mapping, stack.mapping_size) };
    }
}
