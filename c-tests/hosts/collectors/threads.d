/* D's runtime, whose collector stops threads by a signal.
 *
 *     threads MODE ROUNDS      MODE: plain, init or traps
 *
 * Threads keep lists that only their stacks refer to, and look after each round whether they are whole. */
import core.atomic;
import core.memory : GC;
import core.thread;
import core.time : usecs;
import std.conv : to;
import std.stdio : writefln;

extern (C) int trapping_init();
extern (C) int trapping_start();
extern (C) long trapping_run(long count);

class Node {
    Node next;
    size_t mark;
}

enum nodes = 50, trapsARound = 20, workers = 2;

shared long lost, missed, started, working = workers;
shared bool done;

// The threads that help to mark are none of those that are stopped.
extern (C) __gshared string[] rt_options = ["gcopt=parallel:0"];

void litter() {
    foreach (i; 0 .. 4 * nodes) {
        auto other = new Node;
        other.mark = size_t.max;
    }
}

void work(long rounds, bool traps) {
    atomicOp!"+="(started, 1);
    foreach (i; 0 .. rounds) {
        Node first;
        foreach (n; 0 .. nodes) {
            auto node = new Node;
            node.next = first;
            node.mark = i;
            first = node;
        }
        if (traps) atomicOp!"+="(missed, trapsARound - trapping_run(trapsARound));
        litter();
        int count;
        for (auto node = first; count < nodes; node = node.next, count++) {
            if (node is null || node.mark != i) {
                atomicOp!"+="(lost, 1);
                break;
            }
        }
    }
    atomicOp!"-="(working, 1);
    while (!atomicLoad(done)) Thread.yield();
}

int main(string[] arguments) {
    immutable rounds = arguments[2].to!long;
    immutable traps = arguments[1] == "traps";
    if (arguments[1] != "plain" && (trapping_init() != 0 || trapping_start() != 0)) return 2;
    Thread[] threads;
    foreach (i; 0 .. workers) threads ~= new Thread(() => work(rounds, traps)).start();
    // No collection while threads start or end.
    while (atomicLoad(started) < workers) Thread.yield();
    long collections;
    while (atomicLoad(working) > 0) {
        GC.collect();
        collections++;
        // Time to wake up: stopped again at once, a thread may be waited for in vain (druntime 2.100).
        Thread.sleep(200.usecs);
    }
    atomicStore(done, true);
    foreach (thread; threads) thread.join();
    writefln("%d collections, %d lists lost, %d traps missed", collections, atomicLoad(lost), atomicLoad(missed));
    return lost != 0 || missed != 0;
}
