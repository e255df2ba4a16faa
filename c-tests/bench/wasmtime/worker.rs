//! Wasmtime as a contestant of `make bench`: typed calls that trap, and that return, with the error dropped. The
//! contestant with `_backtraces` has Wasmtime collect a backtrace for each error.
//!
//! All programs run this source on the same compiled module; what differs is who has the signal handlers.

use std::hint::black_box;
use std::process::ExitCode;

use wasmtime::{Config, Engine, Instance, Module, Store, TypedFunc};

#[path = "../../../adapters/wasmtime/shared/configuration.rs"]
mod configuration;
#[path = "../../../adapters/wasmtime/shared/container.rs"]
mod container;
#[path = "../workers/protocol.rs"]
mod protocol;

use protocol::ROWS;

/// An instance in a store of its own, with the functions of the rows.
struct Contestant {
    name: String,
    store: Store<()>,
    functions: Vec<TypedFunc<(), ()>>,
}

impl Contestant {
    fn new(name: String, config: &Config, module: &[u8]) -> wasmtime::Result<Self> {
        let engine = Engine::new(config)?;
        // SAFETY: the compiler of c-tests/wasmtime made the file, and its digest is right.
        let module = unsafe { Module::deserialize(&engine, module)? };
        let mut store = Store::new(&engine, ());
        let instance = Instance::new(&mut store, &module, &[])?;
        let functions = ROWS.iter().map(|row| instance.get_typed_func(&mut store, row.export));
        let functions = functions.collect::<wasmtime::Result<_>>()?;
        Ok(Self { name, store, functions })
    }
}

impl protocol::Contestant for Contestant {
    fn name(&self) -> &str {
        &self.name
    }

    fn traps(&mut self, row: usize) -> bool {
        black_box(self.functions[row].call(&mut self.store, ())).is_err()
    }
}

fn contestants(name: &str, file: &[u8]) -> Result<Vec<Contestant>, String> {
    let module = container::unpack(file)?;
    let mut config = configuration::configuration();
    let mut contestant = |suffix, frames: usize| {
        config.wasm_backtrace_max_frames(frames.try_into().ok());
        Contestant::new(format!("{name}{suffix}"), &config, module).map_err(|error| format!("{error:?}"))
    };
    Ok(vec![contestant("", 0)?, contestant("_backtraces", 20)?])
}

fn serve(name: &str) -> Result<(), String> {
    let path = std::env::args().nth(1).ok_or("usage: PROGRAM MODULE")?;
    let file = std::fs::read(&path).map_err(|error| format!("{path}: {error}"))?;
    let absent = [
        ("trap.kinds.overflow", "its code compares with the stack's limit, which is far away"),
        ("trap.kinds.raise", "its code makes such a trap by a fault, as in trap.kinds.unreachable"),
    ];
    protocol::serve(contestants(name, &file)?, &absent)
}

/// The contestant `name` on the module of the command line.
pub fn run(name: &str) -> ExitCode {
    match serve(name) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}
