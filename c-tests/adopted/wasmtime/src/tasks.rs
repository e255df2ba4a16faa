//! Tasks: guests on fibers that pause in the middle and go on, on whichever thread takes them next.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Mutex;
use std::task::{Context, Poll, Waker};

use wasmtime::{Caller, Config, Linker, Module, Store};

use crate::kinds::{Exports, KINDS};
use crate::{engines, wasmtrap};

/// Pending once.
struct Pause(bool);

impl Future for Pause {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) { Poll::Ready(()) } else { Poll::Pending }
    }
}

pub type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// An instance of the module whose host functions are asynchronous: `act` pauses, and calls `act` on the fiber.
pub async fn instantiate(module: &Module, act: fn(u32)) -> (Store<()>, Exports) {
    let mut linker = Linker::new(module.engine());
    linker.func_wrap_async("host", "pause", |_: Caller<'_, ()>, (): ()| Box::new(Pause(false))).expect("host.pause");
    linker
        .func_wrap_async("host", "act", move |_: Caller<'_, ()>, (what,): (u32,)| {
            Box::new(async move {
                Pause(false).await;
                act(what);
            })
        })
        .expect("host.act");
    let mut store = Store::new(module.engine(), ());
    let instance = linker.instantiate_async(&mut store, module).await.expect("an instance");
    let exports = Exports::of(instance, &mut store);
    (store, exports)
}

/// A guest that traps in several ways, one after the other, and goes on each time.
async fn guest(module: Module, number: usize, traps: usize) {
    let (mut store, exports) = instantiate(&module, |_| ()).await;
    for trap in 0..traps {
        let kind = (number + trap) % KINDS.len();
        let pauses = 1 + (number % 5) as u32;
        let result = exports.run.call_async(&mut store, (kind as u32, pauses)).await;
        exports.check(&store, &result, kind, pauses);
        assert_eq!(exports.sum.call_async(&mut store, 4).await.expect("no trap"), 10);
    }
}

/// Polls tasks until they are done, each thread the one that has waited longest.
pub fn run(tasks: VecDeque<Task>, threads: usize) {
    let tasks = Mutex::new(tasks);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                wasmtrap::attach();
                let mut context = Context::from_waker(Waker::noop());
                loop {
                    let Some(mut task) = tasks.lock().expect("nobody has panicked").pop_front() else { break };
                    if task.as_mut().poll(&mut context).is_pending() {
                        tasks.lock().expect("nobody has panicked").push_back(task);
                    }
                }
            });
        }
    });
}

fn three_hundred(config: Config) {
    const TASKS: usize = 300;
    const TRAPS: usize = 5;
    let (adopted, engine) = engines::adopt(&engines::for_tasks(config));
    let module = engines::kinds_module(&engine);
    run((0..TASKS).map(|number| Box::pin(guest(module.clone(), number, TRAPS)) as Task).collect(), 4);
    adopted.check_that_the_library_is_in_front();
}

pub fn on_fibers() {
    three_hundred(engines::plain());
}

pub fn on_fibers_of_a_pool() {
    three_hundred(engines::pooling());
}

/// Tasks that are dropped where they pause: Wasmtime unwinds their fibers.
pub fn that_are_dropped() {
    let (_, engine) = engines::adopt(&engines::for_tasks(engines::pooling()));
    let module = engines::kinds_module(&engine);
    let mut context = Context::from_waker(Waker::noop());
    for number in 0..50 {
        let mut task: Task = Box::pin(guest(module.clone(), number, 2));
        for _ in 0..number % 7 {
            assert!(task.as_mut().poll(&mut context).is_pending());
        }
        drop(task);
        run(VecDeque::from([Box::pin(guest(module.clone(), number, 1)) as Task]), 1);
    }
}
