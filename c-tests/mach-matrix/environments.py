"""The environments of the matrix: host profiles of the simulated kernel, what the library must make of each, and which
tests run there.

A group of tests is a column: the C and C++ programs with the shared library and with the static one, the WebAssembly
runtime's, the specification's suite, and Python's. `brief` leaves out the programs of the C harness that do the same
thing tens of thousands of times (ENDURANCE), which are seconds each in a traced process.
"""

import dataclasses

ENDURANCE = {
    "bad_input/refused_calls_disturb_no_other_thread", "fault_handler/the_fault_handler_may_jump_out",
    "forwarding/a_handler_may_jump_out_ten_thousand_times", "fork/children_of_a_busy_process_trap",
    "stacks/the_alternate_stack_is_never_used_up", "threads/many_threads_trap_at_once",
    "threads/ranges_come_and_go_while_threads_trap", "threads/ten_thousand_threads_leave_nothing_behind",
    "threads/init_and_shutdown_race_with_calls", "clients/clients_come_and_go_in_every_order",
    "interruption/nothing_is_lost_and_nothing_comes_late", "interruption/no_instruction_loses_one",
    "adoption/many_threads_fault_in_adopted_engines",
}

# The code is the same in the shared library and in the static one, and in a hardened process and in another: what takes
# a minute runs once.
ORDINARY = ("c-shared", "c-static brief", "adapter")
HARDENED_TOO = ("c-shared", "adapter", "spec", "python")
BRIEF = ("c-shared brief",)


@dataclasses.dataclass(frozen=True)
class Environment:
    """A profile; the backend that AUTO must take; the word for EXCEPTION_PORTS (c-tests/capi/support/host.h); what the
    description must give as the reason."""

    profile: str
    takes: str
    ports: str
    why: str
    # The groups with AUTO, with WASMTRAP_BACKEND=signals and with =mach. Where Mach ports cannot be had, `mach` is an
    # error with the same reason, which is looked at in any case.
    auto: tuple = BRIEF
    signals: tuple = ()
    mach: tuple = ()
    # Programs whose promise this environment does not allow, and why.
    without: dict = dataclasses.field(default_factory=dict)

    def groups(self, asked):
        return getattr(self, asked)


NOT_HARDENED = "they are safe here: the process is not hardened"
HARDENED = "they are safe here: the process is hardened, and the behavior that is used, EXCEPTION_STATE, is one"
OPTED_OUT = ("they are safe here: the process is hardened, and the ports that are used with EXCEPTION_STATE are "
             "opted out")


def with_ports(profile, why=NOT_HARDENED, **kwargs):
    return Environment(profile, "mach", "all", why, **kwargs)


def with_most_ports(profile, **kwargs):
    return Environment(profile, "mach", "most", NOT_HARDENED, **kwargs)


def without_ports(profile, why, **kwargs):
    return Environment(profile, "signals", "none", why, **kwargs)


ENVIRONMENTS = [
    with_ports("ordinary", auto=ORDINARY, signals=("c-shared brief", "adapter"), mach=("adapter",)),
    with_ports("apple-python-15", HARDENED, auto=HARDENED_TOO, signals=("c-shared brief", "adapter"),
               mach=("adapter",)),
    with_ports("apple-python-13", "macOS 13 and before have no rule about behaviors"),
    with_ports("apple-python-14.4", OPTED_OUT, auto=("c-shared brief", "adapter"), mach=("adapter",)),
    with_ports("apple-python-26", HARDENED),
    # The others of 14, and those whom the rules spare: one code path more or less in the library, not in the harness.
    with_ports("apple-python-14.0", OPTED_OUT, auto=("adapter",)),
    with_ports("apple-python-14.2", OPTED_OUT, auto=("adapter",)),
    with_ports("apple-python-14.6", OPTED_OUT, auto=("adapter",)),
    with_ports("ordinary-11", auto=("adapter",)),
    with_ports("ordinary-14.4", auto=("adapter",)),
    with_ports("plugin-host-14.4", OPTED_OUT, auto=("adapter",)),
    with_ports("library-validation-off-15", HARDENED, auto=("adapter",)),
    with_ports("sip-off-14.6", OPTED_OUT, auto=("adapter",)),
    with_ports("developer-mode-off"),
    with_ports("crash-reporter", auto=("c-shared brief", "adapter")),
    with_ports("debugger", without={
        "traps/a_breakpoint_is_a_trap_only_on_request": "this debugger takes every breakpoint that nobody else takes",
        "leaving/a_single_step_goes_on": "and every single step, which is an EXC_BREAKPOINT too",
        "not_traps/a_debug_exception_is_not_a_trap": "the same",
        "forwarding/an_earlier_handler_starts_as_the_kernel_starts_it": "the same",
        "forwarding/what_a_sandbox_refuses_neither_loops_nor_kills": "the same",
    }),
    with_most_ports("interrupted", auto=("c-shared", "adapter")),
    with_most_ports("bypassed", auto=("c-shared brief", "adapter")),
    with_most_ports("ports-run-out"),
    without_ports("sandboxed", "the kernel refuses exception ports to this process: "
                               "thread_swap_exception_ports returned 0x8 (KERN_NO_ACCESS)"),
    # Signals, as there, for one more reason each.
    without_ports("hardened-only-one-exception-port", "has the entitlement com.apple.security.only-one-exception-port",
                  auto=("adapter",)),
    without_ports("translated", "the process is translated by Rosetta", auto=("adapter",)),
]
