//! `mach/mach_init.h`.

use crate::mach_types::thread_port_t;

unsafe extern "C" {
    pub fn mach_thread_self() -> thread_port_t;
}
