//! Virtual memory: mmap and its kin, with the table of code kept in step.
//!
//! Results are error numbers, which Wasmtime shows as "os error N".

use crate::code;

/// Wasmtime's WASMTIME_PROT_READ, _WRITE and _EXEC.
const PROTECTION: [(u32, libc::c_int); 3] = [(1, libc::PROT_READ), (2, libc::PROT_WRITE), (4, libc::PROT_EXEC)];
const EXEC: u32 = 4;

fn protection(flags: u32) -> libc::c_int {
    PROTECTION.iter().filter(|(flag, _)| flags & flag != 0).fold(libc::PROT_NONE, |all, (_, bit)| all | bit)
}

/// The error number of the system call that just failed.
pub(crate) fn errno() -> i32 {
    // SAFETY: the address of this thread's errno.
    #[cfg(target_os = "linux")]
    let place = unsafe { libc::__errno_location() };
    // SAFETY: as above.
    #[cfg(target_os = "macos")]
    let place = unsafe { libc::__error() };
    // SAFETY: it is valid as long as the thread.
    unsafe { *place }
}

/// Runs a system call that answers 0 or -1.
fn check(answer: libc::c_int) -> Result<(), i32> {
    if answer == 0 { Ok(()) } else { Err(errno()) }
}

/// # Safety
/// `address` is null, or `size` bytes there are the caller's to replace.
unsafe fn map(address: *mut u8, size: usize, flags: u32, fixed: libc::c_int) -> Result<*mut u8, i32> {
    // Reserved, not accounted: most of a linear memory is never touched. As Wasmtime's own mmap.rs does it.
    let kind = libc::MAP_PRIVATE | libc::MAP_ANON | libc::MAP_NORESERVE | fixed;
    // SAFETY: the caller's promise.
    let mapped = unsafe { libc::mmap(address.cast(), size, protection(flags), kind, -1, 0) };
    if mapped == libc::MAP_FAILED { Err(errno()) } else { Ok(mapped.cast()) }
}

/// A new mapping.
pub(crate) fn map_new(size: usize, flags: u32) -> Result<*mut u8, i32> {
    // SAFETY: nothing is replaced.
    unsafe { map(core::ptr::null_mut(), size, flags, 0) }
}

/// Fresh memory in place of what is there.
///
/// # Safety
/// The bytes are Wasmtime's, and nobody needs what is in them.
pub(crate) unsafe fn map_again(address: *mut u8, size: usize, flags: u32) -> Result<(), i32> {
    code::forget(address, size);
    // SAFETY: the caller's promise.
    unsafe { map(address, size, flags, libc::MAP_FIXED) }.map(|_| ())
}

/// # Safety
/// As for `map_again`, and nobody uses the addresses any more.
pub(crate) unsafe fn unmap(address: *mut u8, size: usize) -> Result<(), i32> {
    code::forget(address, size);
    // SAFETY: the caller's promise.
    check(unsafe { libc::munmap(address.cast(), size) })
}

/// Changes a mapping's protection. What becomes executable is code of Wasmtime's from then on.
///
/// # Safety
/// The bytes are Wasmtime's.
pub(crate) unsafe fn protect(address: *mut u8, size: usize, flags: u32) -> Result<(), i32> {
    if flags & EXEC == 0 {
        code::forget(address, size);
        // SAFETY: the caller's promise.
        return check(unsafe { libc::mprotect(address.cast(), size, protection(flags)) });
    }
    synchronize_instructions(address, size);
    // SAFETY: the caller's promise.
    check(unsafe { libc::mprotect(address.cast(), size, protection(flags)) })?;
    code::executable(address, size).inspect_err(|_| {
        // SAFETY: the caller's promise. Code whose traps nobody would know must not run.
        unsafe { libc::mprotect(address.cast(), size, libc::PROT_READ) };
    })
}

/// Makes code that was written as data visible to instruction fetches. Wasmtime does so itself only with its feature
/// `std` (code_memory.rs, `wasmtime_jit_icache_coherence`).
fn synchronize_instructions(address: *mut u8, size: usize) {
    #[cfg(all(target_arch = "aarch64", target_os = "linux"))]
    {
        let (start, end) = (address.addr(), address.addr() + size);
        let kinds: usize;
        // SAFETY: a register that user code may read.
        unsafe { core::arch::asm!("mrs {}, ctr_el0", out(reg) kinds, options(nomem, nostack, preserves_flags)) };
        let (data_line, instruction_line) = (4 << (kinds >> 16 & 15), 4 << (kinds & 15));
        for line in (start & !(data_line - 1)..end).step_by(data_line) {
            // SAFETY: cleans a line of memory that is mapped; changes nothing.
            unsafe { core::arch::asm!("dc cvau, {}", in(reg) line, options(nostack, preserves_flags)) };
        }
        // SAFETY: a barrier.
        unsafe { core::arch::asm!("dsb ish", options(nostack, preserves_flags)) };
        for line in (start & !(instruction_line - 1)..end).step_by(instruction_line) {
            // SAFETY: drops a line of the instruction cache; changes nothing.
            unsafe { core::arch::asm!("ic ivau, {}", in(reg) line, options(nostack, preserves_flags)) };
        }
        // SAFETY: barriers. Other processors pass one of their own before their threads are told of the code.
        unsafe { core::arch::asm!("dsb ish", "isb", options(nostack, preserves_flags)) };
    }
    #[cfg(all(target_arch = "aarch64", target_os = "macos"))]
    {
        unsafe extern "C" {
            fn sys_icache_invalidate(start: *mut core::ffi::c_void, length: usize);
        }
        // SAFETY: the bytes are mapped; nothing is changed (<libkern/OSCacheControl.h>).
        unsafe { sys_icache_invalidate(address.cast(), size) };
    }
    // x86-64 keeps its caches in step by itself.
    #[cfg(target_arch = "x86_64")]
    let _ = (address, size);
}

/// The system's page size.
pub(crate) fn page_size() -> usize {
    // SAFETY: no pointers. The system has one.
    usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(4096)
}
