//! Wasmtime's custom platform on libwasmtrap: the functions of its `wasmtime-platform.h`.
//!
//! Wasmtime without its feature `std` asks the embedder for traps, thread-local storage, virtual memory and locks by
//! some twenty C functions. Here they are; traps come through libwasmtrap's fault handler, so that whatever backend
//! that has (signals, Mach ports) is Wasmtime's too.
//!
//! How a trap gets to Wasmtime:
//!
//! ```text
//! fault in compiled code ──► libwasmtrap ──► traps::fault_handler ──► RESUME at arch::trampoline
//!                                            (what a handler may)     (ordinary context again)
//!                                                                        │
//!     entry into Wasm, with the trap ◄── Wasmtime's own handler ◄────────┘
//!                                             │ returns: not a trap of Wasm
//!                                             ▼
//!                                        all registers back, the instruction faults again, FORWARD
//! ```
//!
//! Wasmtime's handler takes a lock, allocates, and leaves by jumping into compiled code. So it is not run inside a
//! signal handler, which would stay half left behind it (the signal blocked, on macOS the alternate stack in use for
//! ever, the rounding mode reset), but after it, on the stack of the code that faulted: Wasmtime's own library calls
//! run there too, below the limit that it gives to Wasm.
//!
//! Only faults in code that Wasmtime has made executable (`code`) come that far, so that a crash elsewhere never runs
//! into Wasmtime's lock, and never looks at a thread-local.
#![cfg_attr(all(not(test), panic = "abort", feature = "c-library"), no_std)]
#![warn(missing_docs)]

extern crate alloc;

mod arch;
pub mod capi;
mod code;
mod complaints;
mod fork;
mod images;
#[cfg(not(feature = "wasmtime-36"))]
mod locks;
mod memory;
mod threads;
mod traps;
