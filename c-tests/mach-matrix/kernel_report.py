"""What the simulated kernel reports of each process at its end (--report), and whether that is in order.

A process may leave behind, when it ends without wasmtrap_shutdown:

- the send right to its own task, which it was born with;
- where the library is set up with Mach ports: the port set, the server's control port, and a port for each thread that
  is still attached, each of these ports with one receive right and one send right;
- where the end comes upon a thread that is in the middle of taking or giving back its port (only one thread does that
  at a time, under a lock), the rights that a call has just handed out to it;
- a send-once right, if it ends while the server answers an exception; or a dead name in its place, where the thread of
  that exception has gone on by a signal meanwhile.

(A program that makes no Mach call has what the kernel has given it, whatever that is: it is not the library's.)

Nothing else: no further reference to a right, no port of a thread that has ended. And whatever it did, it has violated
no rule that could have killed it.
"""

import json

# More threads than any program of the harness has at its end; each may be attached.
MOST_THREADS = 32
# What one call hands out at most: a right for each type of exception that the library takes.
MOST_HANDED_OUT = 4


def complaints(process):
    """What is wrong with a process's line of the report.

    >>> born = {"receive": 0, "send_names": 1, "send_references": 1, "send_once": 0, "port_sets": 0, "dead_names": 0,
    ...         "dead_references": 0}
    >>> set_up = dict(born, receive=3, send_names=4, send_references=4, port_sets=1)
    >>> def end(rights, calls=7, violations=(), cut_short=1, **others):
    ...     return complaints({"rights": dict(rights, **others), "mach_calls": {"a": calls}, "violations": violations,
    ...                        "threads_cut_short": cut_short})
    >>> end(born), end(set_up), end(set_up, dead_names=1, dead_references=1)
    ([], [], [])
    >>> end(set_up, send_references=5), end(set_up, send_references=5, calls=0)
    (['5 references to 4 send rights'], [])
    >>> end(set_up, send_references=5, cut_short=2), end(set_up, send_references=9, cut_short=2)
    ([], ['9 references to 4 send rights'])
    >>> end(set_up, receive=2)
    ['4 send rights, but 2 ports and the task']
    >>> end(set_up, send_once=1, dead_names=1, dead_references=1)
    ['1 send-once rights and 1 references to dead names: more than one reply']
    >>> end(born, dead_names=1, dead_references=1)
    ['0 send-once rights and 1 references to dead names, and no server']
    >>> end(set_up, receive=1001, send_names=1002, send_references=1002)
    ['1001 ports: more than a process has threads']
    >>> end(born, violations=[{"violation": "SEND_INVALID_NAME", "call": "mach_msg", "fatal": False}])
    ['SEND_INVALID_NAME by mach_msg']
    """
    found = [f"{violation['violation']} by {violation['call']}" for violation in process["violations"]]
    if not any(process["mach_calls"].values()):
        return found
    rights = process["rights"]
    # The server is always cut short.
    handed_out = MOST_HANDED_OUT if process["threads_cut_short"] > 1 else 0
    if not 0 <= rights["send_references"] - rights["send_names"] <= handed_out:
        found.append(f"{rights['send_references']} references to {rights['send_names']} send rights")
    if rights["send_names"] != rights["receive"] + 1:
        found.append(f"{rights['send_names']} send rights, but {rights['receive']} ports and the task")
    if rights["port_sets"] != (1 if rights["receive"] else 0):
        found.append(f"{rights['port_sets']} port sets for {rights['receive']} ports")
    replies = f"{rights['send_once']} send-once rights and {rights['dead_references']} references to dead names"
    if rights["send_once"] + rights["dead_references"] > 1:
        found.append(f"{replies}: more than one reply")
    elif rights["send_once"] + rights["dead_references"] == 1 and not rights["receive"]:
        found.append(f"{replies}, and no server")
    if rights["receive"] > 1 + MOST_THREADS:
        found.append(f"{rights['receive']} ports: more than a process has threads")
    return found


class KernelReport:
    """The processes of one run: how many there were, what they sent to exception ports, and what was wrong."""

    def __init__(self, path):
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        processes = [json.loads(line) for line in lines]
        self.processes = len(processes)
        self.exceptions = sum(process["exceptions"]["thread"] for process in processes)
        self.complaints = [f"process {process['pid']} ({process['program']}): {complaint}"
                           for process in processes for complaint in complaints(process)]
        if not processes:
            self.complaints.append("the kernel has reported no process")
