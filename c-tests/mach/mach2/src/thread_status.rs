//! `mach/thread_status.h`.

use core::ffi::c_int;

use crate::vm_types::natural_t;

pub type thread_state_t = *mut natural_t;
pub type thread_state_flavor_t = c_int;

// Statics rather than constants, as mach2 has them.
#[cfg(target_arch = "aarch64")]
mod aarch64 {
    use super::thread_state_flavor_t;

    pub static ARM_THREAD_STATE: thread_state_flavor_t = 1;
    pub static ARM_UNIFIED_THREAD_STATE: thread_state_flavor_t = ARM_THREAD_STATE;
    pub static THREAD_STATE_NONE: thread_state_flavor_t = 5;
    pub static ARM_THREAD_STATE64: thread_state_flavor_t = 6;
    pub static ARM_EXCEPTION_STATE64: thread_state_flavor_t = 7;
}

#[cfg(target_arch = "aarch64")]
pub use self::aarch64::*;

#[cfg(target_arch = "x86_64")]
mod x86_64 {
    use super::thread_state_flavor_t;

    pub static x86_THREAD_STATE32: thread_state_flavor_t = 1;
    pub static x86_THREAD_STATE64: thread_state_flavor_t = 4;
    pub static x86_FLOAT_STATE64: thread_state_flavor_t = 5;
    pub static x86_EXCEPTION_STATE64: thread_state_flavor_t = 6;
    pub static x86_THREAD_STATE: thread_state_flavor_t = 7;
    pub static THREAD_STATE_NONE: thread_state_flavor_t = 13;
}

#[cfg(target_arch = "x86_64")]
pub use self::x86_64::*;
