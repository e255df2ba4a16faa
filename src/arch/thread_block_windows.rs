//! The thread's environment block (TEB): gs leads to it on x86-64, x18 on arm64. The offsets are the same on both
//! (NT_TIB in <winnt.h>; TEB in Wine's include/winternl.h).

use core::arch::asm;

/// The bounds of the thread's stack: its end, how far down its pages go, and its lowest address.
pub(crate) const STACK_BASE: usize = 0x8;
pub(crate) const STACK_LIMIT: usize = 0x10;
pub(crate) const DEALLOCATION_STACK: usize = 0x1478;

/// A word of the block.
pub(super) fn read(offset: usize) -> usize {
    let word: usize;
    // SAFETY: reads a word that every thread has: the caller has its offset from above.
    unsafe {
        #[cfg(target_arch = "x86_64")]
        asm!("mov {0}, qword ptr gs:[{1}]", out(reg) word, in(reg) offset, options(nostack, readonly, preserves_flags));
        #[cfg(target_arch = "aarch64")]
        asm!("ldr {0}, [x18, {1}]", out(reg) word, in(reg) offset, options(nostack, readonly, preserves_flags));
    };
    word
}

/// The end of the stack that the thread runs on now.
pub(crate) fn stack_base() -> usize {
    read(STACK_BASE)
}

/// How far down its pages go by now.
pub(crate) fn stack_limit() -> usize {
    read(STACK_LIMIT)
}

/// Its lowest address.
pub(crate) fn deallocation_stack() -> usize {
    read(DEALLOCATION_STACK)
}

/// Notes how far down the pages of the stack go.
///
/// # Safety
/// They do.
pub(crate) unsafe fn set_stack_limit(limit: usize) {
    // SAFETY: the caller's promise.
    unsafe {
        #[cfg(target_arch = "x86_64")]
        asm!("mov qword ptr gs:[{0}], {1}", const STACK_LIMIT, in(reg) limit, options(nostack, preserves_flags));
        #[cfg(target_arch = "aarch64")]
        asm!("str {1}, [x18, #{0}]", const STACK_LIMIT, in(reg) limit, options(nostack, preserves_flags));
    };
}
