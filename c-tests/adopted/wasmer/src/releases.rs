//! An adopted Wasmer gets its signals back. It never takes its handlers away.

use wasmer::{Engine, Store};

use crate::engines;
use crate::wasmtrap::{self, OwnCode};

fn traps(engine: &Engine) {
    engines::instantiate(engine, &engines::kinds_module(engine), |_| ()).trap_in_each_way();
}

/// The library's own traps come by way of its handlers.
pub fn it_is_in_front() {
    let (adopted, engine) = engines::adopt();
    let ours = OwnCode::new();
    traps(&engine);
    wasmtrap::release(adopted.id);
    for _ in 0..5 {
        adopted.check_that_the_engine_is_in_front();
        traps(&engine);
        assert!(ours.traps(), "the library's own trap below Wasmer's handlers");
    }
    drop(engine);
    adopted.check_that_the_engine_is_in_front();
    assert!(ours.traps(), "the library's own trap without an engine");
}

/// It stays below the library.
pub fn the_library_goes_on_top() {
    let (adopted, engine) = engines::adopt();
    let ours = OwnCode::new();
    wasmtrap::release(adopted.id);
    wasmtrap::rearm();
    adopted.check_that_the_library_is_in_front();
    for _ in 0..5 {
        traps(&engine);
        assert!(ours.traps(), "the library's own trap");
    }
}

/// It is its client's.
pub fn its_client_is_closed() {
    let client = wasmtrap::open_client();
    let (adopted, engine) = engines::adopt_for(client);
    adopted.check_that_the_library_is_in_front();
    traps(&engine);
    wasmtrap::close_client(client);
    traps(&engine);
}

/// Whoever comes later has nothing to adopt, and an error says so. Neither does it harm what is adopted.
pub fn it_installs_its_handlers_once() {
    let (adopted, engine) = engines::adopt();
    for _ in 0..3 {
        let (status, store) = wasmtrap::try_to_adopt(|| Store::new(engine.clone()));
        assert_eq!(status, wasmtrap::NOT_FOUND);
        drop(store);
        adopted.check_that_the_library_is_in_front();
        traps(&engine);
    }
    wasmtrap::release(adopted.id);
    adopted.check_that_the_engine_is_in_front();
    let (status, _) = wasmtrap::try_to_adopt(|| Store::new(engine.clone()));
    assert_eq!(status, wasmtrap::NOT_FOUND);
    adopted.check_that_the_engine_is_in_front();
    traps(&engine);
}
