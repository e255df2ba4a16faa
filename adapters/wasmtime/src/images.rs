//! Memory images: the initial contents of a linear memory, mapped copy-on-write into every instance.
//!
//! Where the system gives nothing to make one of (no memfd, no file descriptor, no memory), there is none, which is not
//! an error: Wasmtime copies the contents instead.

#[cfg_attr(target_os = "linux", path = "images/linux.rs")]
#[cfg_attr(target_os = "macos", path = "images/macos.rs")]
mod this;

pub(crate) use this::{free, map_at, new};
