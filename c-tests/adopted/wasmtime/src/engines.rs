//! Wasmtime's engines, and instances in them.

use wasmtime::{Caller, Config, Engine, Linker, Module, PoolingAllocationConfig, Store};

use crate::front::{self, Adopted};
use crate::kinds::{Exports, MODULE};

/// Wasmtime's defaults, with garbage collection, which Wasmtime 36 has off.
pub fn plain() -> Config {
    let mut config = Config::new();
    config.wasm_function_references(true).wasm_gc(true);
    config
}

/// As many instances and stacks as there are tasks (`tasks`), in pools.
pub fn pooling() -> Config {
    const INSTANCES: u32 = 310;
    let mut pool = PoolingAllocationConfig::new();
    pool.total_core_instances(INSTANCES).total_stacks(INSTANCES);
    // Two of the module, and one for its garbage.
    pool.total_memories(3 * INSTANCES).max_memories_per_module(2);
    pool.total_tables(2 * INSTANCES).max_tables_per_module(2).total_gc_heaps(INSTANCES);
    let mut config = plain();
    config.allocation_strategy(pool);
    config
}

/// For tasks. Wasmtime 36 runs them in engines that are made for them, and nothing else there.
pub fn for_tasks(mut config: Config) -> Config {
    #[allow(deprecated, reason = "newer ones need no such word")]
    config.async_support(true);
    config
}

/// An engine whose handlers are adopted.
pub fn adopt(config: &Config) -> (Adopted, Engine) {
    front::adopt(|| Engine::new(config).expect("an engine"))
}

/// The same for a client.
pub fn adopt_for(client: u32, config: &Config) -> (Adopted, Engine) {
    front::adopt_for(client, || Engine::new(config).expect("an engine"))
}

pub fn kinds_module(engine: &Engine) -> Module {
    Module::new(engine, MODULE).expect("the module compiles")
}

/// An instance of the module whose host functions are synchronous: `act` calls `act`.
pub fn instantiate(module: &Module, act: fn(u32)) -> (Store<()>, Exports) {
    let mut linker = Linker::new(module.engine());
    linker.func_wrap("host", "pause", || {}).expect("host.pause");
    linker.func_wrap("host", "act", move |_: Caller<'_, ()>, what: u32| act(what)).expect("host.act");
    let mut store = Store::new(module.engine(), ());
    let instance = linker.instantiate(&mut store, module).expect("an instance");
    let exports = Exports::of(instance, &mut store);
    (store, exports)
}
