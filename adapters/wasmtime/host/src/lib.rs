//! A WebAssembly host with a C interface: Wasmtime on libwasmtrap (`include/wasmtime_host.h`).
//!
//! `capi` has the functions and converts; the rest is one idea a file. What C holds is a `Box` whose contents are kept
//! alive by reference counts, so that the order in which C frees things does not matter. Wasmtime is entered through
//! `store::Store::enter` only, which keeps two threads from using a store at once.

mod capi;
#[path = "../../shared/configuration.rs"]
mod configuration;
#[path = "../../shared/container.rs"]
mod container;
mod engine;
mod errors;
mod host_functions;
mod instances;
#[cfg_attr(feature = "wasmtime-36", path = "release_36.rs")]
#[cfg_attr(not(feature = "wasmtime-36"), path = "release_48.rs")]
mod release;
mod store;
mod values;
mod wasmtrap;
