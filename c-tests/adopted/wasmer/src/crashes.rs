//! Crashes of the host in all places where Wasmer has something on the stack, or nothing.

use crate::crash::{act, compare, prepare};
use crate::engines;

const PLACES: [&str; 3] = ["outside", "in a host function", "on a thread"];

/// PLACE CRASH adopted|alone.
pub fn crash(arguments: &[String]) {
    let [place, crash, how] = arguments else { panic!("three arguments") };
    let number = prepare(crash);
    let engine = if how == "adopted" { engines::adopt().1 } else { engines::start() };
    // A trap first, so that all is set up.
    let mut guest = engines::instantiate(&engine, &engines::kinds_module(&engine), act);
    guest.trap(0, 1);
    match place.as_str() {
        "outside" => act(number),
        "in a host function" => guest.act(number).expect("no trap"),
        _ => std::thread::spawn(move || act(number)).join().expect("no panic"),
    }
}

pub fn end_the_process_as_without_the_library() {
    compare(&PLACES);
}
