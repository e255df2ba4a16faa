//! What only assembly can do: entering and leaving a protected call, the thread's own pointer, the signal entry points.
//!
//! Instructions are in the file of the architecture; what assembler and linker want to be told (names of symbols,
//! sections, unwind tables) in that of the object format; where the thread's pointer is kept in that of the system.

#[cfg_attr(target_os = "linux", path = "elf.rs")]
#[cfg_attr(target_os = "macos", path = "mach_o.rs")]
mod object_format;
#[cfg_attr(target_arch = "x86_64", path = "x86_64.rs")]
#[cfg_attr(target_arch = "aarch64", path = "aarch64.rs")]
mod this;
#[cfg_attr(target_os = "linux", path = "thread_pointer_linux.rs")]
#[cfg_attr(target_os = "macos", path = "thread_pointer_macos.rs")]
mod thread_pointer;

pub(crate) use object_format::*;
pub(crate) use this::*;
pub(crate) use thread_pointer::*;
