//! Wasmer, as it is: it installs signal handlers of its own, and the library adopts them.

use std::process::ExitCode;

mod beside;
#[path = "../../support/crashes.rs"]
mod crash;
mod crashes;
mod engines;
#[path = "../../support/front.rs"]
mod front;
mod kinds;
#[path = "../../support/mach.rs"]
mod mach;
mod releases;
#[path = "../../support/tap.rs"]
mod tap;
mod traps;
#[path = "../../support/wasmtrap.rs"]
mod wasmtrap;

const CASES: &[tap::Case] = &[
    ("every kind of trap", traps::each_kind),
    ("traps on several threads", traps::on_threads),
    ("traps below host functions", traps::below_host_functions),
    ("faults that the host mends", traps::that_the_host_mends),
    ("traps after fork", traps::after_fork),
    ("Wasmtime is adopted after it", beside::wasmtime_comes_after),
    ("Wasmtime is adopted before it", beside::wasmtime_comes_before),
    ("one is released, the other one stays", beside::one_is_released),
    ("released, it is in front for good", releases::it_is_in_front),
    ("released, with the library on top", releases::the_library_goes_on_top),
    ("released as its client is closed", releases::its_client_is_closed),
    ("it installs its handlers once", releases::it_installs_its_handlers_once),
    ("crashes end the process as without the library", crashes::end_the_process_as_without_the_library),
];

fn main() -> ExitCode {
    tap::run(CASES, &[("--crash", crashes::crash)])
}
