//! Prints the library's table of the exception port policy: `README.md` tells the form. With `--readme` the part of it
//! that the project's README shows.

// The printing needs the answers only; the rest of it is the backend's.
#[allow(dead_code)]
#[path = "../../../src/outside/mach/policy.rs"]
mod policy;

use policy::{Answer, Behavior, Call, Port, Release};

const RELEASES: [(Release, &str); 7] = [
    (Release::MacOs13, "13"),
    (Release::MacOs14_0, "14.0"),
    (Release::MacOs14_2, "14.2"),
    (Release::MacOs14_4, "14.4"),
    (Release::MacOs14_6, "14.6"),
    (Release::MacOs15, "15"),
    (Release::MacOs26, "26"),
];

const BEHAVIORS: [(Behavior, &str); 5] = [
    (Behavior::Default, "EXCEPTION_DEFAULT"),
    (Behavior::State, "EXCEPTION_STATE"),
    (Behavior::StateIdentity, "EXCEPTION_STATE_IDENTITY"),
    (Behavior::IdentityProtected, "EXCEPTION_IDENTITY_PROTECTED"),
    (Behavior::StateIdentityProtected, "EXCEPTION_STATE_IDENTITY_PROTECTED"),
];

const PORTS: [(Port, Call, &str); 4] = [
    (Port::Plain, Call::Set, "plain"),
    (Port::OptedOut, Call::Set, "opted-out"),
    (Port::Plain, Call::Swap, "plain, swapped"),
    (Port::OptedOut, Call::Swap, "opted-out, swapped"),
];

fn word(answer: Answer) -> &'static str {
    match answer {
        Answer::Allowed => "allowed",
        Answer::Telemetry => "telemetry",
        Answer::Fatal => "fatal",
        Answer::Refused => "refused",
    }
}

fn print_all() {
    for (release, name) in RELEASES {
        for (behavior, behavior_name) in BEHAVIORS {
            for (port, call, port_name) in PORTS {
                for (is_hardened, host) in [(true, "hardened"), (false, "ordinary")] {
                    let answer = word(release.answer(behavior, port, call, is_hardened));
                    println!("{name} | {behavior_name} | {port_name} | {host} | {answer}");
                }
            }
        }
    }
}

/// Lines of Markdown: what hardened processes are answered.
fn print_for_readme() {
    let plural = |name| match name {
        "13" => "11 to 13",
        "14.0" => "14.0, 14.1",
        "14.2" => "14.2, 14.3",
        "14.4" => "14.4, 14.5",
        "14.6" => "14.6, 14.7",
        "26" => "26 (taken as 15)",
        other => other,
    };
    let reader_s = |answer| match answer {
        Answer::Allowed => "allowed",
        Answer::Telemetry => "allowed, reported to Apple",
        Answer::Fatal => "**killed**",
        Answer::Refused => "an error code",
    };
    for (release, name) in RELEASES {
        let plain = |behavior| reader_s(release.answer(behavior, Port::Plain, Call::Set, true));
        let used = release.answer(Behavior::State, release.port_to_use(), release.call_to_use(), true);
        let how = match release.port_to_use() {
            Port::Plain => "a plain port",
            Port::OptedOut => "a port that is opted out",
        };
        println!(
            "| {} | {} | {} | {} | {how}: {} |",
            plural(name),
            plain(Behavior::Default),
            plain(Behavior::State),
            plain(Behavior::IdentityProtected),
            reader_s(used),
        );
    }
}

fn main() {
    match std::env::args().nth(1).as_deref() {
        None => print_all(),
        Some("--readme") => print_for_readme(),
        Some(other) => {
            eprintln!("{other} is no option");
            std::process::exit(2);
        }
    }
}
