//! Wasmer's engines, and instances in them.

use wasmer::{Engine, Function, Instance, Module, Store, imports};

use crate::front::{self, Adopted};
use crate::kinds::{Guest, MODULE};

/// An engine. Wasmer installs its handlers with the process's first store.
pub fn start() -> Engine {
    let engine = Engine::default();
    let compiler = if cfg!(feature = "cranelift") { "cranelift" } else { "singlepass" };
    assert!(engine.deterministic_id().contains(compiler), "{}", engine.deterministic_id());
    drop(Store::new(engine.clone()));
    engine
}

/// An engine whose handlers are adopted.
pub fn adopt() -> (Adopted, Engine) {
    front::adopt(start)
}

/// The same for a client.
pub fn adopt_for(client: u32) -> (Adopted, Engine) {
    front::adopt_for(client, start)
}

pub fn kinds_module(engine: &Engine) -> Module {
    Module::new(engine, MODULE).expect("the module compiles")
}

/// An instance of the module in a store of its own, whose `act` calls `act`.
pub fn instantiate(engine: &Engine, module: &Module, act: impl Fn(u32) + Send + Sync + 'static) -> Guest {
    let mut store = Store::new(engine.clone());
    let imports = imports! {
        "host" => {
            "pause" => Function::new_typed(&mut store, || ()),
            "act" => Function::new_typed(&mut store, act),
        },
    };
    let instance = Instance::new(&mut store, module, &imports).expect("an instance");
    Guest::new(store, &instance)
}
