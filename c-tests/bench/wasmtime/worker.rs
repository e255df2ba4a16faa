//! Wasmtime as a contestant of `make bench` (the protocol is in ../workers/worker.h): typed calls that trap, and that
//! return, with the error dropped. The contestant with `_backtraces` has Wasmtime collect a backtrace for each error.
//!
//! Both packages run this source on the same compiled module; what differs is who has the signal handlers.

use std::hint::black_box;
use std::io::{BufRead, Write};
use std::time::Instant;

use wasmtime::{Config, Engine, Instance, Module, Store, TypedFunc};

#[path = "../../../adapters/wasmtime/shared/configuration.rs"]
mod configuration;
#[path = "../../../adapters/wasmtime/shared/container.rs"]
mod container;

const TRAPS: u32 = 400;
const FEWER_TRAPS: u32 = 150;
const CALLS: u32 = 20_000;

struct Row {
    name: &'static str,
    export: &'static str,
    times: u32,
    traps: bool,
}

const ROWS: [Row; 4] = [
    Row { name: "trap.roundtrip", export: "load_past_the_end", times: TRAPS, traps: true },
    Row { name: "trap.kinds.unreachable", export: "reach_the_unreachable", times: FEWER_TRAPS, traps: true },
    Row { name: "trap.kinds.division", export: "divide_by_zero", times: FEWER_TRAPS, traps: true },
    Row { name: "call.entry", export: "nothing", times: CALLS, traps: false },
];

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

    /// Calls a row's function `times` times.
    fn run(&mut self, number: usize, times: u32) {
        let function = &self.functions[number];
        for _ in 0..times {
            let result = black_box(function.call(&mut self.store, ()));
            assert_eq!(result.is_err(), ROWS[number].traps, "{}", ROWS[number].name);
        }
    }

    /// Nanoseconds a call.
    fn measure(&mut self, number: usize) -> f64 {
        let times = ROWS[number].times;
        self.run(number, times / 10);
        let start = Instant::now();
        self.run(number, times);
        start.elapsed().as_nanos() as f64 / f64::from(times)
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

/// The contestant `name` on the module of the command line.
pub fn serve(name: &str) -> Result<(), String> {
    let path = std::env::args().nth(1).ok_or("usage: PROGRAM MODULE")?;
    let file = std::fs::read(&path).map_err(|error| format!("{path}: {error}"))?;
    let mut contestants = contestants(name, &file)?;

    let mut output = std::io::stdout().lock();
    let mut say =
        |line: String| writeln!(output, "{line}").and_then(|()| output.flush()).map_err(|error| error.to_string());
    for contestant in &contestants {
        for row in &ROWS {
            say(format!("measure {} {}", row.name, contestant.name))?;
        }
        say(format!(
            "absent trap.kinds.overflow {} its code compares with the stack's limit: no fault",
            contestant.name
        ))?;
    }
    say("ready".to_string())?;
    for line in std::io::stdin().lock().lines() {
        let line = line.map_err(|error| error.to_string())?;
        let found = line.split_once(' ').and_then(|(row, contestant)| {
            let number = ROWS.iter().position(|known| known.name == row)?;
            let contestant = contestants.iter_mut().find(|known| known.name == contestant)?;
            Some(contestant.measure(number))
        });
        say(format!("{:.4}", found.ok_or_else(|| format!("there is no measure {line}"))?))?;
    }
    Ok(())
}
