//! simulated-xnu: runs a program as a process of macOS, as far as Mach is concerned, on Linux.
//!
//!     simulated-xnu --profile=ordinary [--report=FILE] -- program arguments...
//!     simulated-xnu --list-profiles       the kinds of host
//!     simulated-xnu --policy[=all]        who may set which exception port, cell by cell
//!
//! `--like-a-mac` adds two things that a program for Linux does not reckon with: a protected page is SIGBUS, and the
//! name of an ended thread's port is still there when the thread has been joined.
//!
//! The program and all that it starts are traced (ptrace). Their Mach calls come from libsimulated_mach.so as one
//! system call that Linux does not have, at which a seccomp filter stops them. Their faults stop them before the signal
//! is delivered, which is where XNU asks exception ports. All else is the real Linux kernel's: scheduling, memory,
//! signals and what they do, and nothing else is slowed down.
//!
//! `trace` deals with Linux, `ipc` and `exceptions` are Mach's, `calls` is the way in, `machine` knows the registers,
//! `profile` says on what kind of host the program is, `program` what the kernel makes of its signature. The exit
//! status is the program's.
//!
//! What a Mac has and this has not:
//! - The processor's error code, which Linux does not tell a tracer: subcodes of general protection faults are 0, and
//!   there are no exception states (x86_EXCEPTION_STATE64).
//! - A fault whose signal the thread has blocked: the exception is delivered as on a Mac, but Linux has set the
//!   signal's
//!   disposition to SIG_DFL before anybody is asked (kernel/signal.c, force_sig_info_to_task).
//! - Processes that outlive the program: they are killed with it (PTRACE_O_EXITKILL).
//! - ptrace in the program: it is traced already.

mod calls;
mod constants;
mod exceptions;
mod guard;
mod ipc;
mod kernel;
mod machine;
mod profile;
mod program;
mod report;
mod task;
mod thread;
mod trace;

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::process::ExitCode;

use exceptions::policy::{self, Cells};
use kernel::Kernel;
use profile::{PROFILES, Profile};

const USAGE: &str = "\
usage: simulated-xnu --profile=NAME [--like-a-mac] [--report=FILE] [--] program arguments...
       simulated-xnu --list-profiles
       simulated-xnu --policy[=all]";
/// Of the simulator itself, as `env` and `timeout` have it.
const CANNOT_RUN: u8 = 125;

struct Options {
    profile: Profile,
    like_a_mac: bool,
    report: Option<File>,
    command: Vec<OsString>,
}

enum Request {
    Run(Box<Options>),
    ListProfiles,
    PrintPolicy(Cells),
}

fn parse(arguments: impl Iterator<Item = OsString>) -> Result<Request, String> {
    let mut arguments = arguments.peekable();
    let mut profile = None;
    let mut report = None;
    let mut like_a_mac = false;
    while let Some(argument) = arguments.next_if(|argument| argument.to_string_lossy().starts_with('-')) {
        let text = argument.to_string_lossy();
        if text == "--" {
            break;
        } else if text == "--list-profiles" {
            return Ok(Request::ListProfiles);
        } else if text == "--policy" {
            return Ok(Request::PrintPolicy(Cells::InCommon));
        } else if text == "--policy=all" {
            return Ok(Request::PrintPolicy(Cells::All));
        } else if let Some(name) = text.strip_prefix("--profile=") {
            profile = Some(Profile::named(name).ok_or_else(|| format!("no profile is called {name}"))?);
        } else if text == "--like-a-mac" {
            like_a_mac = true;
        } else if let Some(path) = text.strip_prefix("--report=") {
            let file = OpenOptions::new().append(true).create(true).open(path);
            report = Some(file.map_err(|error| format!("{path}: {error}"))?);
        } else {
            return Err(format!("{text} is no option\n{USAGE}"));
        }
    }
    let command: Vec<OsString> = arguments.collect();
    match profile {
        Some(profile) if !command.is_empty() => {
            Ok(Request::Run(Box::new(Options { profile, like_a_mac, report, command })))
        }
        _ => Err(USAGE.to_owned()),
    }
}

fn main() -> ExitCode {
    let options = match parse(std::env::args_os().skip(1)) {
        Ok(Request::ListProfiles) => {
            PROFILES.iter().for_each(|profile| println!("{profile}"));
            return ExitCode::SUCCESS;
        }
        Ok(Request::PrintPolicy(cells)) => return print_policy(cells),
        Ok(Request::Run(options)) => options,
        Err(message) => {
            eprintln!("simulated-xnu: {message}");
            return ExitCode::from(CANNOT_RUN);
        }
    };
    let Options { profile, like_a_mac, report, command } = *options;
    let status = trace::launch::launch(command).and_then(|program| {
        let mut kernel = Kernel::new(profile, like_a_mac, report);
        kernel.adopt(program);
        trace::signals::handle_signals(program);
        kernel.run(program)
    });
    match status {
        Ok(status) if libc::WIFEXITED(status) => ExitCode::from(libc::WEXITSTATUS(status) as u8),
        Ok(status) => end_as(libc::WTERMSIG(status)),
        Err(error) => {
            eprintln!("simulated-xnu: {error}");
            ExitCode::from(CANNOT_RUN)
        }
    }
}

/// What is written to nobody any more is no failure.
fn print_policy(cells: Cells) -> ExitCode {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    match policy::print(cells, &mut out).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            eprintln!("simulated-xnu: {error}");
            ExitCode::from(CANNOT_RUN)
        }
        _ => ExitCode::SUCCESS,
    }
}

/// Dies of the signal that the program has died of, without a core of its own.
fn end_as(signal: i32) -> ExitCode {
    let no_core = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: changes how this process ends, and ends it; it has nothing left to do.
    unsafe {
        libc::setrlimit(libc::RLIMIT_CORE, &no_core);
        libc::signal(signal, libc::SIG_DFL);
        libc::raise(signal);
    }
    ExitCode::from(128 + signal as u8)
}
