//! The restartable sequence of `arch::call_fault_handler`: whether threads can have one, and having them begin again.
//!
//! glibc registers an area of each thread's for them from 2.35 on, and tells where it is by two symbols. A thread can
//! have one area only, so that the library registers none: with musl there is none then, nor where glibc was told to
//! leave it to others (GLIBC_TUNABLES=glibc.pthread.rseq=0).

use core::ffi::CStr;
use core::sync::atomic::{AtomicBool, Ordering};

use super::membarrier;
use crate::shared::state::RESTARTABLE_SEQUENCES;

/// <linux/membarrier.h>; since Linux 5.10.
const MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ: usize = 1 << 7;
const MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ: usize = 1 << 8;

/// Whether sequences on other processors can be made to begin again.
static RESTARTS: AtomicBool = AtomicBool::new(false);

/// To be called without a lock of ours: it takes the loader's.
pub(super) fn set_up() {
    // By their names, not by weak references: those would bind the library to the glibc that has them. In a program
    // without a dynamic linker they are not found.
    let (offset, size) = (find(c"__rseq_offset"), find(c"__rseq_size"));
    if offset.is_null() || size.is_null() {
        return;
    }
    // SAFETY: `const ptrdiff_t __rseq_offset` and `const unsigned int __rseq_size` of glibc's <sys/rseq.h>.
    let (offset, size) = unsafe { (offset.cast::<isize>().read(), size.cast::<u32>().read()) };
    // 0 if the kernel has refused it.
    if size == 0 {
        return;
    }
    RESTARTABLE_SEQUENCES.store(offset, Ordering::Relaxed);
    RESTARTS.store(membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ) == 0, Ordering::Relaxed);
}

fn find(name: &CStr) -> *const libc::c_void {
    // SAFETY: a name that ends with a null.
    unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) }
}

/// Has every thread of this process that is in a sequence begin it again, and pass a memory barrier (ipi_rseq,
/// kernel/sched/membarrier.c), before this returns. False if that cannot be had.
pub(super) fn restart() -> bool {
    let restart = || membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ) == 0;
    // Nothing says that a forked child is registered.
    RESTARTS.load(Ordering::Relaxed)
        && (restart() || (membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ) == 0 && restart()))
}
