//! What crate `mach2` is on macOS, on Linux: the same module paths, names and types, as far as the tests of libwasmtrap
//! use them. The functions are those of libsimulated_mach.so, which calls the simulated Mach kernel
//! (c-tests/mach/kernel).
#![no_std]
#![allow(non_camel_case_types, non_upper_case_globals, reason = "the names are Mach's")]
#![allow(clippy::missing_safety_doc, reason = "the functions are those of <mach/*.h>, described there")]

#[cfg(not(target_os = "linux"))]
compile_error!("on macOS, use mach2 itself");

pub mod boolean;
pub mod exc;
pub mod exception_types;
pub mod kern_return;
pub mod mach_init;
pub mod mach_port;
pub mod mach_types;
pub mod message;
pub mod mig;
pub mod ndr;
pub mod notify;
pub mod port;
pub mod structs;
pub mod task;
pub mod thread_act;
pub mod thread_status;
pub mod traps;
pub mod vm_types;
