//! What /proc tells of a process.

use std::fs;

fn status_field(tid: libc::pid_t, field: &str) -> Option<Vec<i64>> {
    let status = fs::read_to_string(format!("/proc/{tid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))?;
    Some(line.split_whitespace().filter_map(|number| number.parse().ok()).collect())
}

/// The process that a thread is in.
pub(crate) fn process_of(tid: libc::pid_t) -> Option<libc::pid_t> {
    status_field(tid, "Tgid")?.first().map(|pid| *pid as libc::pid_t)
}

pub(crate) fn parent_of(pid: libc::pid_t) -> Option<libc::pid_t> {
    status_field(pid, "PPid")?.first().map(|pid| *pid as libc::pid_t)
}

/// Effective user and group.
pub(crate) fn user_and_group(pid: libc::pid_t) -> (u32, u32) {
    let effective = |field| status_field(pid, field).and_then(|ids| ids.get(1).copied()).unwrap_or(0) as u32;
    (effective("Uid"), effective("Gid"))
}

pub(crate) fn thread_name(tid: libc::pid_t) -> String {
    let name = fs::read_to_string(format!("/proc/{tid}/comm")).unwrap_or_default();
    name.trim_end().to_owned()
}

/// Where the main thread's stack starts: its highest address. 0 if the process is gone. (proc(5), startstack.)
pub(crate) fn stack_start(pid: libc::pid_t) -> u64 {
    const FIELDS_BEFORE: usize = 27;
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name of the program, in parentheses, may have blanks and parentheses itself. It is the second field.
    let behind_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    behind_name.split_whitespace().nth(FIELDS_BEFORE - 2).and_then(|field| field.parse().ok()).unwrap_or(0)
}

/// The last part of the program's path.
pub(crate) fn program(pid: libc::pid_t) -> String {
    match fs::read_link(format!("/proc/{pid}/exe")) {
        Ok(path) => path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        Err(_) => thread_name(pid),
    }
}
