//! Every function of Wasmtime's `wasmtime-platform.h`, and nothing else: convert, hand on. Wasmtime's header, or
//! `runtime/vm/sys/custom/capi.rs` of its source, is the contract. Error codes are error numbers. What is not the same
//! in each release is in a module of its own.
#![allow(clippy::missing_safety_doc, reason = "the contract is Wasmtime's")]

use core::ffi::CStr;

use wasmtrap::capi;

use crate::complaints::complain;
use crate::traps::{Failure, TrapHandler};
use crate::{images, memory, traps};

#[cfg_attr(feature = "wasmtime-36", path = "capi/release_36.rs")]
#[cfg_attr(not(feature = "wasmtime-36"), path = "capi/release_48.rs")]
mod release;
pub use release::*;

fn status(result: Result<(), i32>) -> i32 {
    match result {
        Ok(()) => 0,
        Err(error) => error,
    }
}

/// Opens a client of libwasmtrap, which sets that up unless the host has, and sends its faults to `handler`.
///
/// Wasmtime drops the answer, so that a failure is said on standard error too. A host that wants to know calls
/// `wasmtrap_init` itself before it makes an engine.
#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_init_traps(handler: TrapHandler) -> i32 {
    match traps::init(handler) {
        Ok(()) => 0,
        Err(Failure::AnotherHandler) => {
            complain(format_args!("another Wasmtime in this process has its traps here; one can"));
            libc::EBUSY
        }
        Err(Failure::NoMemory) => {
            complain(format_args!("no memory to set up traps"));
            libc::ENOMEM
        }
        Err(Failure::Library(status)) => {
            // SAFETY: both are C strings of libwasmtrap's.
            let (name, why) = unsafe {
                (CStr::from_ptr(capi::wasmtrap_status_name(status)), CStr::from_ptr(capi::wasmtrap_last_error()))
            };
            let (name, why) = (name.to_str().unwrap_or(""), why.to_str().unwrap_or(""));
            complain(format_args!("traps cannot be set up: {name}: {why}"));
            libc::ENOTSUP
        }
    }
}

/// A new mapping.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtime_mmap_new(size: usize, flags: u32, address: *mut *mut u8) -> i32 {
    // SAFETY: Wasmtime's promise: it is valid for a write.
    status(memory::map_new(size, flags).map(|mapped| unsafe { address.write(mapped) }))
}

/// Fresh memory in place of what is there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtime_mmap_remap(address: *mut u8, size: usize, flags: u32) -> i32 {
    // SAFETY: the memory is Wasmtime's.
    status(unsafe { memory::map_again(address, size, flags) })
}

/// Takes a mapping away.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtime_munmap(address: *mut u8, size: usize) -> i32 {
    // SAFETY: the memory is Wasmtime's.
    status(unsafe { memory::unmap(address, size) })
}

/// Changes a mapping's protection.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtime_mprotect(address: *mut u8, size: usize, flags: u32) -> i32 {
    // SAFETY: the memory is Wasmtime's.
    status(unsafe { memory::protect(address, size, flags) })
}

/// The system's page size.
#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_page_size() -> usize {
    memory::page_size()
}

/// An image of these bytes; null, without an error, if there can be none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtime_memory_image_new(contents: *const u8, length: usize, image: *mut *mut u8) -> i32 {
    // SAFETY: Wasmtime's promise: the bytes are there during the call, and the place is valid for a write.
    unsafe { image.write(images::new(core::slice::from_raw_parts(contents, length))) };
    0
}

/// Maps an image copy-on-write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtime_memory_image_map_at(image: *mut u8, address: *mut u8, length: usize) -> i32 {
    // SAFETY: the memory is Wasmtime's, and so is the image.
    status(unsafe { images::map_at(image, address, length) })
}

/// Frees an image.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtime_memory_image_free(image: *mut u8) {
    // SAFETY: Wasmtime's promise: it came from wasmtime_memory_image_new and is not used again.
    unsafe { images::free(image) };
}
