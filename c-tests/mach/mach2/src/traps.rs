//! `mach/mach_traps.h`.

use crate::port::mach_port_t;

unsafe extern "C" {
    static mach_task_self_: mach_port_t;
}

pub unsafe fn mach_task_self() -> mach_port_t {
    // SAFETY: set when the library is loaded, and never again.
    unsafe { mach_task_self_ }
}

pub unsafe fn current_task() -> mach_port_t {
    // SAFETY: as above.
    unsafe { mach_task_self() }
}
