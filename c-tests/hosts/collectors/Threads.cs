// Mono, whose collector stops threads by signals, and which makes exceptions of the faults of its own code.
//
//     mono threads.exe MODE ROUNDS      MODE: plain, init or traps
//
// Threads keep lists that only their stacks refer to, and look after each round whether they are whole.
using System;
using System.Runtime.InteropServices;
using System.Threading;

class Node {
    public Node next;
    public long mark;
}

static class Threads {
    [DllImport("trapping")]
    static extern int trapping_init();
    [DllImport("trapping")]
    static extern int trapping_start();
    [DllImport("trapping")]
    static extern long trapping_run(long count);

    const int Nodes = 50, TrapsARound = 20, Workers = 2;
    static long lost, missed;
    static int working = Workers;

    static bool NullIsAnException(Node none) {
        try {
            return none.mark != 0;
        } catch (NullReferenceException) {
            return true;
        }
    }

    static void Work(long rounds, bool traps) {
        for (long i = 0; i < rounds; i++) {
            Node first = null;
            for (int n = 0; n < Nodes; n++) first = new Node { next = first, mark = i };
            if (traps) Interlocked.Add(ref missed, TrapsARound - trapping_run(TrapsARound));
            for (int n = 0; n < 4 * Nodes; n++) new Node { mark = -1 };
            int count = 0;
            Node node = first;
            while (node != null && node.mark == i) {
                node = node.next;
                count++;
            }
            if (count != Nodes || !NullIsAnException(null)) Interlocked.Increment(ref lost);
        }
        Interlocked.Decrement(ref working);
    }

    static int Main(string[] arguments) {
        bool traps = arguments[0] == "traps";
        long rounds = long.Parse(arguments[1]);
        if (arguments[0] != "plain" && (trapping_init() != 0 || trapping_start() != 0)) return 2;
        var threads = new Thread[Workers];
        for (int i = 0; i < Workers; i++) {
            threads[i] = new Thread(() => Work(rounds, traps));
            threads[i].Start();
        }
        long collections = 0;
        while (Volatile.Read(ref working) > 0) {
            GC.Collect();
            collections++;
            Thread.Yield();
        }
        foreach (var thread in threads) thread.Join();
        Console.WriteLine("{0} collections, {1} lists lost, {2} traps missed", collections, lost, missed);
        return lost == 0 && missed == 0 ? 0 : 1;
    }
}
