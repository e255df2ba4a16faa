//! An adopted Wasmtime gets its signals back.

use wasmtime::Engine;

use crate::kinds::KINDS;
use crate::wasmtrap::{self, OwnCode};
use crate::{engines, tap};

fn traps(engine: &Engine) {
    let module = engines::kinds_module(engine);
    let (mut store, exports) = engines::instantiate(&module, |_| ());
    for kind in 0..KINDS.len() {
        let result = exports.run.call(&mut store, (kind as u32, 2));
        exports.check(&store, &result, kind, 2);
    }
}

fn unload(engine: Engine) {
    // SAFETY: nothing of it is left, and no other thread has used it. It ends the process where the handlers of the
    // kernel are not Wasmtime's.
    unsafe { engine.unload_process_handlers() };
}

/// Its handlers are in place as it has installed them, and it takes them away; and so once more.
pub fn it_unloads_its_handlers() {
    for _ in 0..3 {
        let (adopted, engine) = engines::adopt(&engines::plain());
        let ours = OwnCode::new();
        traps(&engine);
        wasmtrap::release(adopted.id);
        adopted.check_that_the_engine_is_in_front();
        traps(&engine);
        assert!(ours.traps(), "the library's own trap below Wasmtime's handlers");
        unload(engine);
        assert!(ours.traps(), "the library's own trap");
        wasmtrap::rearm();
        assert!(wasmtrap::is_in_front(), "{}", wasmtrap::describe());
        assert!(ours.traps(), "the library's own trap after wasmtrap_rearm");
    }
}

/// It stays below the library.
pub fn the_library_goes_on_top() {
    let (adopted, engine) = engines::adopt(&engines::plain());
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
    let (adopted, engine) = engines::adopt_for(client, &engines::plain());
    adopted.check_that_the_library_is_in_front();
    traps(&engine);
    wasmtrap::close_client(client);
    traps(&engine);
    unload(engine);
}

/// Its handlers are installed with the first engine: a later one has nothing to adopt, and an error says so. Neither
/// does that harm what is adopted.
pub fn it_installs_its_handlers_once() {
    let (adopted, engine) = engines::adopt(&engines::plain());
    let (status, later) = wasmtrap::try_to_adopt(|| Engine::new(&engines::plain()).expect("an engine"));
    assert_eq!(status, wasmtrap::NOT_FOUND);
    adopted.check_that_the_library_is_in_front();
    traps(&engine);
    traps(&later);
}

/// What `its_handlers_are_not_its_own` runs: Wasmtime takes its handlers away, or not, while it is adopted.
pub fn unload_while_adopted(_: &[String]) {
    let (_, engine) = engines::adopt(&engines::plain());
    unload(engine);
}

/// While it is adopted its handlers are not in place: it says so, and ends the process. That is why there is a release.
pub fn not_while_it_is_adopted() {
    let output = tap::run_self(&["--unload-while-adopted"]);
    assert_eq!(tap::end_of(&output), format!("signal {}", libc::SIGABRT));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("was not the last signal handler to be installed"), "{said}");
}
