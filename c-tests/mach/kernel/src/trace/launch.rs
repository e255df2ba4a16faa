//! Starting the program, traced from its first instruction.

use std::ffi::{CString, OsString};
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::ptr;

use super::{ptrace, seccomp};

/// What a shell answers for a command that is not there.
const NOT_FOUND: i32 = 127;

/// The process number of `command`, which waits until it is seized, filters its system calls and becomes the program.
pub(crate) fn launch(command: Vec<OsString>) -> io::Result<libc::pid_t> {
    let words: Vec<CString> = command
        .into_iter()
        .map(|word| CString::new(word.into_vec()))
        .collect::<Result<_, _>>()
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
    let mut arguments: Vec<*const libc::c_char> = words.iter().map(|word| word.as_ptr()).collect();
    arguments.push(ptr::null());

    let mut ends = [0; 2];
    // SAFETY: the kernel writes two numbers there.
    if unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) } == -1 {
        return Err(io::Error::last_os_error());
    }
    let [wait_at, release] = ends;
    // SAFETY: this process has one thread, so that the child may do what it likes.
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        become_program(wait_at, release, &arguments);
    }
    let seized = pid > 0 && ptrace::seize(pid);
    let error = io::Error::last_os_error();
    // SAFETY: the descriptors are this function's own. Closing the last writing end releases the child.
    unsafe { (libc::close(wait_at), libc::close(release)) };
    if seized {
        return Ok(pid);
    }
    if pid > 0 {
        ptrace::kill_process(pid);
    }
    Err(error)
}

/// In the child.
fn become_program(wait_at: i32, release: i32, arguments: &[*const libc::c_char]) -> ! {
    let mut nothing = 0u8;
    // SAFETY: the descriptors are the child's own; the buffer is one byte; `arguments` ends with a null pointer. The
    // Rust runtime ignores SIGPIPE, which the program must not inherit.
    unsafe {
        libc::close(release);
        while libc::read(wait_at, ptr::from_mut(&mut nothing).cast(), 1) == -1 && errno() == libc::EINTR {}
        libc::signal(libc::SIGPIPE, libc::SIG_DFL);
    }
    if !seccomp::install() {
        eprintln!("simulated-xnu: no seccomp filter: {}", io::Error::last_os_error());
    } else {
        // SAFETY: as above.
        unsafe { libc::execvp(arguments[0], arguments.as_ptr()) };
        eprintln!("simulated-xnu: the program could not be started: {}", io::Error::last_os_error());
    }
    // SAFETY: ends the child without what the parent has registered for its own end.
    unsafe { libc::_exit(NOT_FOUND) }
}

fn errno() -> i32 {
    io::Error::last_os_error().raw_os_error().unwrap_or(0)
}
