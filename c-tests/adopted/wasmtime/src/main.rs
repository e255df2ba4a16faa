//! Wasmtime with its default features, as it is: it installs signal handlers of its own, and the library adopts them.

use std::process::ExitCode;

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
mod tasks;
mod traps;
#[path = "../../support/wasmtrap.rs"]
mod wasmtrap;

const CASES: &[tap::Case] = &[
    ("every kind of trap", traps::plain),
    ("every kind of trap, with the pooling allocator", traps::in_a_pool),
    ("traps on several threads", traps::on_threads),
    ("traps in shared memory", traps::in_shared_memory),
    ("traps below host functions", traps::below_host_functions),
    ("faults that the host mends", traps::that_the_host_mends),
    #[cfg(all(target_arch = "x86_64", not(feature = "wasmtime-36")))]
    ("traps on a guest's own stack", traps::on_a_guests_own_stack),
    ("traps after fork", traps::after_fork),
    ("300 tasks on fibers", tasks::on_fibers),
    ("300 tasks on fibers of a pool", tasks::on_fibers_of_a_pool),
    ("tasks that are dropped", tasks::that_are_dropped),
    ("released, it unloads its handlers", releases::it_unloads_its_handlers),
    ("it does not do so while it is adopted", releases::not_while_it_is_adopted),
    ("released, with the library on top", releases::the_library_goes_on_top),
    ("released as its client is closed", releases::its_client_is_closed),
    ("it installs its handlers once", releases::it_installs_its_handlers_once),
    ("crashes end the process as without the library", crashes::end_the_process_as_without_the_library),
];

fn main() -> ExitCode {
    let programs: &[(&str, fn(&[String]))] =
        &[("--crash", crashes::crash), ("--unload-while-adopted", releases::unload_while_adopted)];
    tap::run(CASES, programs)
}
