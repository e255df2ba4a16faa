//! WASI commands on an adopted Wasmtime: they write, trap and exit, on the thread's own stack and on fibers.
#![allow(dead_code, reason = "not all of what the programs share is used here")]

use std::process::ExitCode;

#[path = "../../support/front.rs"]
mod front;
#[path = "../../support/tap.rs"]
mod tap;
#[path = "../../support/wasmtrap.rs"]
mod wasmtrap;

use wasmtime::{Config, Engine, Linker, Module, Store, Trap};
use wasmtime_wasi::p1::{self, WasiP1Ctx};
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;
use wasmtime_wasi::{I32Exit, WasiCtxBuilder};

use front::Adopted;

/// A command that says what it is going to do, sleeps for a moment, and does it: its argument's first letter says what.
const COMMAND: &str = r#"(module
    (import "wasi_snapshot_preview1" "args_sizes_get" (func $args_sizes_get (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "args_get" (func $args_get (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll_oneoff (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
    (memory (export "memory") 1 1)
    (func $ok (param i32) (if (local.get 0) (then (call $proc_exit (i32.const 99)))))
    (func $deeper (param i32) (result i32) (i32.add (i32.const 1) (call $deeper (local.get 0))))
    (func (export "_start") (local $what i32)
        (call $ok (call $args_get (i32.const 16) (i32.const 64)))
        (local.set $what (i32.load8_u (i32.load (i32.const 16))))
        (i32.store8 (i32.const 256) (local.get $what))
        (i32.store (i32.const 0) (i32.const 256))
        (i32.store (i32.const 4) (i32.const 1))
        (call $ok (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
        ;; One subscription: the monotonic clock, a millisecond from now.
        (i32.store (i32.const 528) (i32.const 1))
        (i64.store (i32.const 536) (i64.const 1000000))
        (call $ok (call $poll_oneoff (i32.const 512) (i32.const 1024) (i32.const 1) (i32.const 1100)))
        (if (i32.eq (local.get $what) (i32.const 0x65)) (then (call $proc_exit (i32.const 7))))
        (if (i32.eq (local.get $what) (i32.const 0x6c)) (then (drop (i32.load (i32.const 65536)))))
        (if (i32.eq (local.get $what) (i32.const 0x75)) (then unreachable))
        (if (i32.eq (local.get $what) (i32.const 0x64))
            (then (drop (i32.div_s (i32.const 1) (i32.load (i32.const 2048))))))
        (if (i32.eq (local.get $what) (i32.const 0x72)) (then (drop (call $deeper (i32.const 0)))))
        ;; The bytes to write are outside of the memory: the host finds out, and there is no fault.
        (if (i32.eq (local.get $what) (i32.const 0x66))
            (then
                (i32.store (i32.const 0) (i32.const 65530))
                (i32.store (i32.const 4) (i32.const 100))
                (call $proc_exit (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))))"#;

/// The command's first letter, and how it ends.
const ENDS: &[(&str, End)] = &[
    ("load", End::Trap(Trap::MemoryOutOfBounds)),
    ("unreachable", End::Trap(Trap::UnreachableCodeReached)),
    ("divide", End::Trap(Trap::IntegerDivisionByZero)),
    ("recurse", End::Trap(Trap::StackOverflow)),
    ("exit", End::Exit(7)),
    ("fault of the host's", End::Error("Pointer out of bounds")),
    ("nothing", End::Return),
];

enum End {
    Trap(Trap),
    Exit(i32),
    /// wasmtime-wasi's own.
    Error(&'static str),
    Return,
}

struct Command {
    adopted: Adopted,
    engine: Engine,
    module: Module,
}

impl Command {
    fn new() -> Self {
        let (adopted, engine) = front::adopt(|| Engine::new(&Config::new()).expect("an engine"));
        let module = Module::new(&engine, COMMAND).expect("the module compiles");
        Self { adopted, engine, module }
    }

    fn store(&self, what: &str) -> (Store<WasiP1Ctx>, MemoryOutputPipe) {
        let output = MemoryOutputPipe::new(100);
        let context = WasiCtxBuilder::new().arg(what).stdout(output.clone()).build_p1();
        (Store::new(&self.engine, context), output)
    }

    fn check(what: &str, end: &End, result: wasmtime::Result<()>, output: &MemoryOutputPipe) {
        match (end, &result) {
            (End::Return, Ok(())) => {}
            (End::Trap(trap), Err(error)) => assert_eq!(error.downcast_ref::<Trap>(), Some(trap), "{what}: {error:?}"),
            (End::Exit(code), Err(error)) => {
                assert_eq!(error.downcast_ref::<I32Exit>().map(|exit| exit.0), Some(*code), "{what}: {error:?}");
            }
            (End::Error(words), Err(error)) => assert!(format!("{error:?}").contains(words), "{what}: {error:?}"),
            _ => panic!("{what}: {result:?}"),
        }
        assert_eq!(output.contents(), what.as_bytes()[..1], "what it has written before");
    }

    /// Each end, some times over.
    fn run_all(&self) {
        let mut linker = Linker::new(&self.engine);
        p1::add_to_linker_sync(&mut linker, |context| context).expect("WASI");
        for (what, end) in (0..10).flat_map(|_| ENDS) {
            let (mut store, output) = self.store(what);
            let instance = linker.instantiate(&mut store, &self.module).expect("an instance");
            let start = instance.get_typed_func::<(), ()>(&mut store, "_start").expect("_start");
            Self::check(what, end, start.call(&mut store, ()), &output);
        }
    }

    /// The same on a fiber, which leaves its thread while it sleeps.
    async fn run_on_a_fiber(self: std::sync::Arc<Self>, what: &'static str, end: &'static End) {
        let mut linker = Linker::new(&self.engine);
        p1::add_to_linker_async(&mut linker, |context| context).expect("WASI");
        let (mut store, output) = self.store(what);
        let instance = linker.instantiate_async(&mut store, &self.module).await.expect("an instance");
        let start = instance.get_typed_func::<(), ()>(&mut store, "_start").expect("_start");
        Self::check(what, end, start.call_async(&mut store, ()).await, &output);
    }
}

fn on_the_threads_own_stack() {
    let command = Command::new();
    let ours = wasmtrap::OwnCode::new();
    command.run_all();
    assert!(ours.traps(), "the library's own trap");
    command.adopted.check_that_the_library_is_in_front();
}

fn on_threads() {
    let command = Command::new();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                wasmtrap::attach();
                command.run_all();
            });
        }
    });
    command.adopted.check_that_the_library_is_in_front();
}

fn on_fibers() {
    let command = std::sync::Arc::new(Command::new());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(3)
        .on_thread_start(wasmtrap::attach)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let tasks: Vec<_> = (0..20)
            .flat_map(|_| ENDS)
            .map(|(what, end)| tokio::spawn(command.clone().run_on_a_fiber(what, end)))
            .collect();
        for task in tasks {
            task.await.expect("no panic");
        }
    });
    command.adopted.check_that_the_library_is_in_front();
}

const CASES: &[tap::Case] = &[
    ("commands on the thread's own stack", on_the_threads_own_stack),
    ("commands on several threads", on_threads),
    ("140 commands on fibers", on_fibers),
];

fn main() -> ExitCode {
    tap::run(CASES, &[])
}
