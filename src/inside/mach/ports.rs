//! Putting a thread's earlier exception ports back, so that the kernel itself delivers to their owner.

use mach2::kern_return::KERN_SUCCESS;
use mach2::thread_act::thread_set_exception_ports;

use crate::shared::thread::Thread;

/// Puts back what the thread had before us, where that may be set. True if that is now in place.
///
/// # Safety
/// The thread's earlier ports do not change meanwhile: it is this thread, or it waits in the kernel for the server, or
/// the server has ended and the caller holds the lock of the threads' list.
pub(crate) unsafe fn put_back(thread: &Thread) -> bool {
    let mach = &thread.backend;
    // SAFETY: the caller's promise.
    let earlier = unsafe { &*mach.earlier.get() };
    let mut all = true;
    for entry in earlier.iter() {
        // What may not be set leaves nobody in place: the next level gets it.
        let (port, behavior, flavor) =
            if entry.may_be_set() { (entry.port, entry.behavior, entry.flavor) } else { (0, EXCEPTION_DEFAULT, 0) };
        // SAFETY: names of rights that this task has; the kernel keeps a right of its own.
        let code = unsafe { thread_set_exception_ports(mach.thread_port.get(), entry.mask, port, behavior, flavor) };
        all &= code == KERN_SUCCESS;
    }
    mach.stepped_aside.set(true);
    all
}

/// Any behavior will do where there is no port.
pub(crate) const EXCEPTION_DEFAULT: i32 = mach2::exception_types::EXCEPTION_DEFAULT as i32;
