//! The Mach calls: from the number in a register to the function that answers it.

pub(crate) mod code_signing;
pub(crate) mod exception_ports;
pub(crate) mod host;
pub(crate) mod messages;
pub(crate) mod ports;
pub(crate) mod simulator;
pub(crate) mod threads;

use crate::constants::*;
use crate::ipc::port::{Flavor, KernelObject};
use crate::kernel::Kernel;
use crate::machine::Registers;
use crate::task::TaskId;
use crate::thread::ThreadId;

/// What became of a call.
pub(crate) enum Outcome {
    Done(KernReturn),
    /// The thread waits; something completes the call later.
    Blocked,
    /// The thread does not come back from it.
    Gone,
}

impl From<Result<(), KernReturn>> for Outcome {
    fn from(result: Result<(), KernReturn>) -> Outcome {
        Outcome::Done(result.err().unwrap_or(KERN_SUCCESS))
    }
}

/// Most that a call takes: the arguments of thread_swap_exception_ports.
const ARGUMENTS_MAX: usize = 10;

pub(crate) struct Call {
    pub(crate) thread: ThreadId,
    pub(crate) task: TaskId,
    arguments: [u64; ARGUMENTS_MAX],
}

type Handler = fn(&mut Kernel, &Call) -> Result<Outcome, KernReturn>;

struct Operation {
    name: &'static str,
    counts: bool,
    handler: Handler,
}

/// In the order of operations.def.
pub(crate) struct CallTable(Vec<Operation>);

const OPERATIONS: &str = include_str!("../../../library/src/operations.def");

impl CallTable {
    /// Every operation of the list has a handler, or the simulator does not start.
    pub(crate) fn new() -> CallTable {
        let operation = |line: &'static str| {
            let (kind, rest) = line.split_once('(')?;
            let counts = match kind {
                "KERNEL_CALL" => true,
                "LIBRARY_CALL" => false,
                _ => return None,
            };
            let name = rest.strip_suffix(')')?;
            let handler = handler(name).unwrap_or_else(|| panic!("operations.def names {name}, which has no handler"));
            Some(Operation { name, counts, handler })
        };
        CallTable(OPERATIONS.lines().filter_map(operation).collect())
    }
}

fn handler(name: &str) -> Option<Handler> {
    ports::handler(name)
        .or_else(|| messages::handler(name))
        .or_else(|| exception_ports::handler(name))
        .or_else(|| threads::handler(name))
        .or_else(|| code_signing::handler(name))
        .or_else(|| host::handler(name))
        .or_else(|| simulator::handler(name))
}

impl Kernel {
    /// A thread stands at the entry of a call.
    pub(crate) fn dispatch(&mut self, thread: ThreadId) -> Outcome {
        self.late_names_go();
        let Some(record) = self.threads.get_mut(&thread) else { return Outcome::Gone };
        let (tid, task) = (record.tid, record.task);
        let Some(registers) = Registers::of(tid) else { return Outcome::Gone };
        let (number, address) = registers.call_arguments();
        let Some(operation) = self.call_table.0.get(number as usize) else {
            return Outcome::Done(KERN_NOT_SUPPORTED);
        };
        let (name, counts, handler) = (operation.name, operation.counts, operation.handler);
        record.mach_calls += u64::from(counts);
        record.call_instruction = registers.call_instruction();
        let Some(bytes) = crate::trace::memory::read(tid, address, ARGUMENTS_MAX * 8) else {
            return Outcome::Done(KERN_INVALID_ADDRESS);
        };
        let mut arguments = [0; ARGUMENTS_MAX];
        for (argument, bytes) in arguments.iter_mut().zip(bytes.chunks_exact(8)) {
            *argument = bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte));
        }
        self.current_call = name;
        let call = Call { thread, task, arguments };
        handler(self, &call).unwrap_or_else(Outcome::Done)
    }

    pub(crate) fn put(&self, call: &Call, argument: usize, words: &[u32]) -> Result<(), KernReturn> {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        self.put_bytes(call, call.long(argument), &bytes)
    }

    pub(crate) fn put_bytes(&self, call: &Call, address: u64, bytes: &[u8]) -> Result<(), KernReturn> {
        if self.write_memory(call.thread, address, bytes) { Ok(()) } else { Err(KERN_INVALID_ADDRESS) }
    }

    pub(crate) fn get_words(&self, call: &Call, argument: usize, count: usize) -> Result<Vec<u32>, KernReturn> {
        let bytes = self.read_memory(call.thread, call.long(argument), count * 4).ok_or(KERN_INVALID_ADDRESS)?;
        Ok(bytes.chunks_exact(4).map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]])).collect())
    }

    /// The object of the kernel that a name stands for. MIG and the traps answer MACH_SEND_INVALID_DEST where the
    /// name is no send right at all.
    pub(crate) fn object_named(&mut self, call: &Call, argument: usize) -> Result<Option<KernelObject>, KernReturn> {
        let port = self.port_named(call.task, call.word(argument), TYPE_SEND).map_err(|_| MACH_SEND_INVALID_DEST)?;
        Ok(port.kernel_object())
    }

    /// convert_port_to_space: the first argument of most calls.
    pub(crate) fn space_argument(&mut self, call: &Call) -> Result<TaskId, KernReturn> {
        match self.object_named(call, 0)? {
            Some(KernelObject::Task(task, Flavor::Control)) => Ok(task),
            _ => Err(KERN_INVALID_TASK),
        }
    }

    /// convert_port_to_task
    pub(crate) fn task_argument(&mut self, call: &Call) -> Result<TaskId, KernReturn> {
        match self.object_named(call, 0)? {
            Some(KernelObject::Task(task, Flavor::Control)) => Ok(task),
            _ => Err(KERN_INVALID_ARGUMENT),
        }
    }

    /// convert_port_to_thread: with control, or to look only.
    pub(crate) fn thread_argument(&mut self, call: &Call, needed: Flavor) -> Result<ThreadId, KernReturn> {
        match self.object_named(call, 0)? {
            Some(KernelObject::Thread(thread, flavor)) if flavor == Flavor::Control || flavor == needed => Ok(thread),
            _ => Err(KERN_INVALID_ARGUMENT),
        }
    }
}

impl Call {
    pub(crate) fn long(&self, argument: usize) -> u64 {
        self.arguments[argument]
    }

    pub(crate) fn word(&self, argument: usize) -> u32 {
        self.arguments[argument] as u32
    }

    pub(crate) fn number(&self, argument: usize) -> i32 {
        self.arguments[argument] as i32
    }
}
