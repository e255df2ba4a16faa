//! Traps of guests.

use wasmer::{Instance, Memory, MemoryType, Module, Store, TypedFunction, imports};
use wasmer_types::TrapCode;

use crate::kinds::KINDS;
use crate::wasmtrap::{self, OwnCode};
use crate::{engines, mach, tap};

pub fn each_kind() {
    let (adopted, engine) = engines::adopt();
    let module = engines::kinds_module(&engine);
    let ours = OwnCode::new();
    let before = mach::exceptions();
    for _ in 0..20 {
        engines::instantiate(&engine, &module, |_| ()).trap_in_each_way();
        assert!(ours.traps(), "the library's own trap");
    }
    mach::check_that_the_task_has_heard_of_none(before);
    adopted.check_that_the_library_is_in_front();
}

/// Each with an instance of its own.
pub fn on_threads() {
    let (adopted, engine) = engines::adopt();
    let module = engines::kinds_module(&engine);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                wasmtrap::attach();
                let ours = OwnCode::new();
                let mut guest = engines::instantiate(&engine, &module, |_| ());
                for _ in 0..10 {
                    guest.trap_in_each_way();
                    assert!(ours.traps(), "the library's own trap");
                }
            });
        }
    });
    adopted.check_that_the_library_is_in_front();
}

/// A guest calls the host, which calls a guest, which traps; the host goes on.
pub fn below_host_functions() {
    let (_, engine) = engines::adopt();
    let module = engines::kinds_module(&engine);
    let inner = (engine.clone(), module.clone());
    let mut outer = engines::instantiate(&engine, &module, move |depth| {
        engines::instantiate(&inner.0, &inner.1, |_| ()).trap(depth as usize % KINDS.len(), 2);
    });
    for depth in 0..2 * KINDS.len() as u32 {
        outer.act(depth).expect("no trap");
        outer.trap(depth as usize % KINDS.len(), 1);
    }
}

/// The host's own handler of a store, which Wasmer asks first: it opens the page and has the access made again.
pub fn that_the_host_mends() {
    const MODULE: &str = r#"(module
        (memory (import "host" "memory") 2 2)
        (func (export "load") (param i32) (result i32) (i32.load (local.get 0))))"#;
    let (_, engine) = engines::adopt();
    let module = Module::new(&engine, MODULE).expect("the module compiles");
    let mut store = Store::new(engine);
    let memory = Memory::new(&mut store, MemoryType::new(2, Some(2), false)).expect("a memory");
    let view = memory.view(&store);
    view.write(65536, &77_u32.to_le_bytes()).expect("in bounds");
    let page = view.data_ptr().addr() + 65536;
    let protect = move |protection| {
        // SAFETY: the second half of the memory, which nobody but the guest looks at.
        unsafe { libc::mprotect(page as *mut libc::c_void, 65536, protection) == 0 }
    };
    // mprotect is a system call, which signal handlers may make.
    store.set_trap_handler(Some(Box::new(move |_, siginfo, _| {
        // SAFETY: of a signal whose siginfo_t has an address.
        let address = unsafe { (*siginfo).si_addr() }.addr();
        (page..page + 65536).contains(&address) && protect(libc::PROT_READ | libc::PROT_WRITE)
    })));
    let imports = imports! { "host" => { "memory" => memory } };
    let instance = Instance::new(&mut store, &module, &imports).expect("an instance");
    let load: TypedFunction<u32, u32> = instance.exports.get_typed_function(&store, "load").expect("load");
    for _ in 0..10 {
        assert!(protect(libc::PROT_NONE));
        assert_eq!(load.call(&mut store, 65536).expect("the host mends it"), 77);
        let error = load.call(&mut store, 131072).expect_err("no trap");
        assert_eq!(error.clone().to_trap(), Some(TrapCode::HeapAccessOutOfBounds), "{error:?}");
    }
}

/// In a child of a process with one thread.
pub fn after_fork() {
    let (_, engine) = engines::adopt();
    let module = engines::kinds_module(&engine);
    let mut guest = engines::instantiate(&engine, &module, |_| ());
    guest.trap_in_each_way();
    tap::in_a_child(|| {
        guest.trap_in_each_way();
        engines::instantiate(&engine, &module, |_| ()).trap_in_each_way();
        OwnCode::new().traps()
    });
    guest.trap_in_each_way();
}
