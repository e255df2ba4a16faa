//! Wasmer as a contestant of `make bench`: typed calls that trap, and that return, with the error dropped. Wasmer
//! collects a backtrace for each error.
//!
//! Both programs run this source; what differs is who has the signal handlers.

use std::hint::black_box;
use std::process::ExitCode;

use wasmer::{Engine, Instance, Module, Store, TypedFunction, imports};

#[path = "../workers/protocol.rs"]
mod protocol;

use protocol::ROWS;

struct Contestant {
    name: &'static str,
    store: Store,
    functions: Vec<TypedFunction<(), ()>>,
}

impl Contestant {
    fn new(name: &'static str, mut store: Store, module: &[u8]) -> Result<Self, Box<dyn std::error::Error>> {
        let module = Module::new(&store, module)?;
        let instance = Instance::new(&mut store, &module, &imports! {})?;
        let functions = ROWS.iter().map(|row| instance.exports.get_typed_function(&store, row.export));
        let functions = functions.collect::<Result<_, _>>()?;
        Ok(Self { name, store, functions })
    }
}

impl protocol::Contestant for Contestant {
    fn name(&self) -> &str {
        self.name
    }

    fn traps(&mut self, row: usize) -> bool {
        black_box(self.functions[row].call(&mut self.store)).is_err()
    }
}

/// A store. Wasmer installs its handlers with the process's first one.
pub fn start() -> Store {
    Store::new(Engine::default())
}

fn serve(name: &'static str, store: Store) -> Result<(), String> {
    let path = std::env::args().nth(1).ok_or("usage: PROGRAM MODULE")?;
    let file = std::fs::read(&path).map_err(|error| format!("{path}: {error}"))?;
    let contestant = Contestant::new(name, store, &file).map_err(|error| format!("{error:?}"))?;
    let absent = [("trap.kinds.overflow", "how deep the generated recursion is would be measured instead")];
    protocol::serve(vec![contestant], &absent)
}

/// The contestant `name` on the module of the command line.
pub fn run(name: &'static str, store: Store) -> ExitCode {
    match serve(name, store) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}
