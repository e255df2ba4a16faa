//! Traps of guests that run on the thread's own stack.

use wasmtime::{Caller, Config, Linker, Memory, MemoryType, Module, Store, Trap};

use crate::kinds::KINDS;
use crate::wasmtrap::{self, OwnCode};
use crate::{engines, mach, tap};

/// Each kind, some times over.
fn each_kind(module: &Module, rounds: usize) {
    let (mut store, exports) = engines::instantiate(module, |_| ());
    for _ in 0..rounds {
        for kind in 0..KINDS.len() {
            let result = exports.run.call(&mut store, (kind as u32, 3));
            exports.check(&store, &result, kind, 3);
        }
    }
    assert_eq!(exports.sum.call(&mut store, 4).expect("no trap"), 10);
}

fn with(config: &Config) {
    let (adopted, engine) = engines::adopt(config);
    let module = engines::kinds_module(&engine);
    let ours = OwnCode::new();
    let before = mach::exceptions();
    for _ in 0..20 {
        each_kind(&module, 1);
        assert!(ours.traps(), "the library's own trap");
    }
    mach::check_that_the_task_has_heard_of_none(before);
    adopted.check_that_the_library_is_in_front();
}

pub fn plain() {
    with(&engines::plain());
}

pub fn in_a_pool() {
    with(&engines::pooling());
}

/// Wasmtime's compiled code asks nothing, so that each access past the end is a fault.
pub fn on_threads() {
    let (adopted, engine) = engines::adopt(&engines::plain());
    let module = engines::kinds_module(&engine);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                wasmtrap::attach();
                let ours = OwnCode::new();
                for _ in 0..10 {
                    each_kind(&module, 2);
                    assert!(ours.traps(), "the library's own trap");
                }
            });
        }
    });
    adopted.check_that_the_library_is_in_front();
}

/// Memory that is shared, whose accesses may be misaligned.
pub fn in_shared_memory() {
    const MODULE: &str = r#"(module
        (memory (import "host" "memory") 1 1 shared)
        (func (export "run") (param i32) (drop (i32.atomic.load (local.get 0)))))"#;
    let mut config = engines::plain();
    config.wasm_threads(true);
    // With the word above Wasmtime 36 has them.
    #[cfg(not(feature = "wasmtime-36"))]
    config.shared_memory(true);
    let (_, engine) = engines::adopt(&config);
    let module = Module::new(&engine, MODULE).expect("the module compiles");
    let mut store = Store::new(&engine, ());
    let memory = wasmtime::SharedMemory::new(&engine, MemoryType::shared(1, 1)).expect("a memory");
    let mut linker = Linker::new(&engine);
    linker.define(&store, "host", "memory", memory).expect("host.memory");
    let instance = linker.instantiate(&mut store, &module).expect("an instance");
    let run = instance.get_typed_func::<u32, ()>(&mut store, "run").expect("run");
    for _ in 0..20 {
        run.call(&mut store, 16).expect("no trap");
        for (address, expected) in [(65536, Trap::MemoryOutOfBounds), (2, Trap::HeapMisaligned)] {
            let error = run.call(&mut store, address).expect_err("no trap");
            assert_eq!(error.downcast_ref::<Trap>(), Some(&expected), "{error:?}");
        }
    }
}

/// A guest calls the host, which calls a guest, which traps; the host goes on.
pub fn below_host_functions() {
    let (_, engine) = engines::adopt(&engines::plain());
    let module = engines::kinds_module(&engine);
    let mut linker = Linker::new(&engine);
    linker.func_wrap("host", "pause", || {}).expect("host.pause");
    let inner = module.clone();
    linker
        .func_wrap("host", "act", move |_: Caller<'_, ()>, depth: u32| {
            let (mut store, exports) = engines::instantiate(&inner, |_| ());
            let kind = depth as usize % KINDS.len();
            let result = exports.run.call(&mut store, (kind as u32, 2));
            exports.check(&store, &result, kind, 2);
        })
        .expect("host.act");
    let mut store = Store::new(&engine, ());
    let instance = linker.instantiate(&mut store, &module).expect("an instance");
    let act = instance.get_typed_func::<u32, ()>(&mut store, "act").expect("act");
    for depth in 0..2 * KINDS.len() as u32 {
        act.call(&mut store, depth).expect("no trap");
    }
}

/// The host's own handler of a store, which Wasmtime asks first: it opens the page and has the access made again.
pub fn that_the_host_mends() {
    const MODULE: &str = r#"(module
        (memory (import "host" "memory") 2 2)
        (func (export "load") (param i32) (result i32) (i32.load (local.get 0))))"#;
    use wasmtime::unix::StoreExt;
    let (_, engine) = engines::adopt(&engines::plain());
    let module = Module::new(&engine, MODULE).expect("the module compiles");
    let mut store = Store::new(&engine, ());
    let memory = Memory::new(&mut store, MemoryType::new(2, Some(2))).expect("a memory");
    memory.write(&mut store, 65536, &77_u32.to_le_bytes()).expect("in bounds");
    let page = memory.data_ptr(&store).addr() + 65536;
    let protect = move |protection| {
        // SAFETY: the second half of the memory, which nobody but the guest looks at.
        unsafe { libc::mprotect(page as *mut libc::c_void, 65536, protection) == 0 }
    };
    // SAFETY: mprotect is a system call, which signal handlers may make.
    unsafe {
        store.set_signal_handler(move |_, siginfo, _| {
            let address = (*siginfo).si_addr().addr();
            (page..page + 65536).contains(&address) && protect(libc::PROT_READ | libc::PROT_WRITE)
        });
    }
    let instance = wasmtime::Instance::new(&mut store, &module, &[memory.into()]).expect("an instance");
    let load = instance.get_typed_func::<u32, u32>(&mut store, "load").expect("load");
    for _ in 0..10 {
        assert!(protect(libc::PROT_NONE));
        assert_eq!(load.call(&mut store, 65536).expect("the host mends it"), 77);
        let error = load.call(&mut store, 131072).expect_err("no trap");
        assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::MemoryOutOfBounds), "{error:?}");
    }
}

/// A guest that traps on a stack of its own making (the stack-switching proposal).
#[cfg(all(target_arch = "x86_64", not(feature = "wasmtime-36")))]
pub fn on_a_guests_own_stack() {
    const MODULE: &str = r#"(module
        (type $function (func (param i32)))
        (type $continuation (cont $function))
        (memory 1 1)
        (func $load (param i32) (drop (i32.load (local.get 0))))
        (elem declare func $load)
        (func (export "run") (param i32)
            (resume $continuation (local.get 0) (cont.new $continuation (ref.func $load)))))"#;
    let mut config = engines::plain();
    config.wasm_stack_switching(true);
    let (_, engine) = engines::adopt(&config);
    let module = Module::new(&engine, MODULE).expect("the module compiles");
    let mut store = Store::new(&engine, ());
    let instance = wasmtime::Instance::new(&mut store, &module, &[]).expect("an instance");
    let run = instance.get_typed_func::<u32, ()>(&mut store, "run").expect("run");
    for _ in 0..20 {
        run.call(&mut store, 0).expect("no trap");
        let error = run.call(&mut store, 65536).expect_err("no trap");
        assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::MemoryOutOfBounds), "{error:?}");
    }
}

/// In a child of a process with one thread.
pub fn after_fork() {
    let (_, engine) = engines::adopt(&engines::plain());
    let module = engines::kinds_module(&engine);
    each_kind(&module, 1);
    tap::in_a_child(|| {
        each_kind(&module, 2);
        OwnCode::new().traps()
    });
    each_kind(&module, 1);
}
