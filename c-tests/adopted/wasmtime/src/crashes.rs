//! Crashes of the host in all places where Wasmtime has something on the stack, or nothing.

use wasmtime::{Engine, Module};

use crate::crash::{act, compare, prepare};
use crate::tasks::{self, Task};
use crate::{engines, front};

async fn on_a_fiber(module: Module, crash: u32) {
    let (mut store, exports) = tasks::instantiate(&module, act).await;
    exports.run.call_async(&mut store, (0, 1)).await.expect_err("no trap");
    let _ = exports.act.call_async(&mut store, crash).await;
}

const ON_A_FIBER: &str = "in a host function on a fiber";
const PLACES: [&str; 4] = ["outside", "in a host function", ON_A_FIBER, "on a thread"];

/// PLACE CRASH adopted|alone.
pub fn crash(arguments: &[String]) {
    let [place, crash, how] = arguments else { panic!("three arguments") };
    let number = prepare(crash);
    let config = if place == ON_A_FIBER { engines::for_tasks(engines::plain()) } else { engines::plain() };
    let start = || Engine::new(&config).expect("an engine");
    let engine = if how == "adopted" { front::adopt(start).1 } else { start() };
    let module = engines::kinds_module(&engine);
    if place == ON_A_FIBER {
        let mut task: Task = Box::pin(on_a_fiber(module, number));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        while task.as_mut().poll(&mut context).is_pending() {}
        return;
    }
    // A trap first, so that all is set up.
    let (mut store, exports) = engines::instantiate(&module, act);
    exports.run.call(&mut store, (0, 1)).expect_err("no trap");
    match place.as_str() {
        "outside" => act(number),
        "in a host function" => exports.act.call(&mut store, number).expect("no trap"),
        _ => std::thread::spawn(move || act(number)).join().expect("no panic"),
    }
}

pub fn end_the_process_as_without_the_library() {
    compare(&PLACES);
}
