//! Wasmer, as it is: it installs signal handlers of its own, and the library adopts them.

use std::process::ExitCode;

use wasmer::{Function, Instance, Module, RuntimeError, Store, TypedFunction, imports};

#[path = "../../support/crashes.rs"]
mod crash;
#[path = "../../support/front.rs"]
mod front;
#[path = "../../support/tap.rs"]
mod tap;
#[path = "../../support/wasmtrap.rs"]
mod wasmtrap;

use wasmtrap::OwnCode;

/// A function for each kind of trap; their argument is 0.
const MODULE: &str = include_str!("kinds.wat");

/// What each function traps with, as Wasmer's trap codes are called.
const KINDS: [(&str, &str); 12] = [
    ("load", "HeapAccessOutOfBounds"),
    ("store", "HeapAccessOutOfBounds"),
    ("fill", "HeapAccessOutOfBounds"),
    ("unreachable", "UnreachableCodeReached"),
    ("divide", "IntegerDivisionByZero"),
    ("overflow", "IntegerOverflow"),
    ("convert", "BadConversionToInteger"),
    ("past_the_table", "TableAccessOutOfBounds"),
    ("empty", "IndirectCallToNull"),
    ("wrong_type", "BadSignature"),
    ("recurse", "StackOverflow"),
    ("misaligned", "UnalignedAtomic"),
];

/// The first store is what installs Wasmer's handlers.
fn adopt() -> (front::Adopted, Store) {
    front::adopt(Store::default)
}

fn instantiate(store: &mut Store, act: fn(u32)) -> Instance {
    let module = Module::new(&*store, MODULE).expect("the module compiles");
    let imports = imports! { "host" => { "act" => Function::new_typed(store, act) } };
    Instance::new(store, &module, &imports).expect("an instance")
}

fn function(instance: &Instance, store: &Store, name: &str) -> TypedFunction<u32, u32> {
    instance.exports.get_typed_function(store, name).expect(name)
}

#[track_caller]
fn check(result: Result<u32, RuntimeError>, (kind, expected): (&str, &str)) {
    let error = result.expect_err("no trap");
    let code = error.clone().to_trap();
    assert_eq!(code.map(|code| format!("{code:?}")).as_deref(), Some(expected), "{kind}: {error:?}");
}

fn each_kind(store: &mut Store, rounds: usize) {
    let instance = instantiate(store, |_| ());
    for _ in 0..rounds {
        for kind in KINDS {
            let result = function(&instance, store, kind.0).call(store, 0);
            check(result, kind);
        }
    }
    assert_eq!(function(&instance, store, "add").call(store, 41).expect("no trap"), 42);
}

fn every_kind_of_trap() {
    let (adopted, mut store) = adopt();
    let ours = OwnCode::new();
    for _ in 0..20 {
        each_kind(&mut store, 1);
        assert!(ours.traps(), "the library's own trap");
    }
    adopted.check_that_the_library_is_in_front();
}

fn on_threads() {
    let (adopted, _store) = adopt();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                wasmtrap::attach();
                let ours = OwnCode::new();
                for _ in 0..10 {
                    each_kind(&mut Store::default(), 2);
                    assert!(ours.traps(), "the library's own trap");
                }
            });
        }
    });
    adopted.check_that_the_library_is_in_front();
}

/// A guest calls the host, which calls another guest, which traps.
fn below_host_functions() {
    fn inner(kind: u32) {
        let mut store = Store::default();
        let instance = instantiate(&mut store, |_| ());
        let kind = KINDS[kind as usize % KINDS.len()];
        let result = function(&instance, &store, kind.0).call(&mut store, 0);
        check(result, kind);
    }
    let (_, mut store) = adopt();
    let instance = instantiate(&mut store, inner);
    for kind in 0..KINDS.len() as u32 {
        assert_eq!(function(&instance, &store, "act").call(&mut store, kind).expect("no trap"), kind);
    }
}

fn after_fork() {
    let (_, mut store) = adopt();
    each_kind(&mut store, 1);
    // SAFETY: this process has this thread only.
    match unsafe { libc::fork() } {
        0 => {
            each_kind(&mut store, 2);
            let status = i32::from(!OwnCode::new().traps());
            // SAFETY: the child ends.
            unsafe { libc::_exit(status) };
        }
        child => {
            let mut status = 0;
            // SAFETY: a place for a number.
            assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
            assert_eq!(status, 0, "how the child has ended");
        }
    }
}

fn released() {
    let (adopted, mut store) = adopt();
    let ours = OwnCode::new();
    wasmtrap::release(adopted.id);
    adopted.check_that_the_engine_is_in_front();
    each_kind(&mut store, 1);
    assert!(ours.traps(), "the library's own trap below Wasmer's handlers");
    wasmtrap::rearm();
    adopted.check_that_the_library_is_in_front();
    each_kind(&mut store, 1);
    assert!(ours.traps(), "the library's own trap");
}

fn its_client_is_closed() {
    let client = wasmtrap::open_client();
    let (adopted, mut store) = front::adopt_for(client, Store::default);
    adopted.check_that_the_library_is_in_front();
    each_kind(&mut store, 1);
    wasmtrap::close_client(client);
    each_kind(&mut store, 1);
}

/// PLACE CRASH adopted|alone.
fn crash_in_a_place(arguments: &[String]) {
    let [place, name, how] = arguments else { panic!("three arguments") };
    let number = crash::prepare(name);
    let mut store = if how == "adopted" { adopt().1 } else { Store::default() };
    let instance = instantiate(&mut store, crash::act);
    check(function(&instance, &store, KINDS[0].0).call(&mut store, 0), KINDS[0]);
    match place.as_str() {
        "outside" => crash::act(number),
        "in a host function" => _ = function(&instance, &store, "act").call(&mut store, number),
        _ => std::thread::spawn(move || crash::act(number)).join().expect("no panic"),
    }
}

fn crashes() {
    crash::compare(&["outside", "in a host function", "on a thread"]);
}

fn main() -> ExitCode {
    let cases: &[tap::Case] = &[
        ("every kind of trap", every_kind_of_trap),
        ("traps on several threads", on_threads),
        ("traps below host functions", below_host_functions),
        ("traps after fork", after_fork),
        ("released", released),
        ("released as its client is closed", its_client_is_closed),
        ("crashes end the process as without the library", crashes),
    ];
    tap::run(cases, &[("--crash", crash_in_a_place)])
}
