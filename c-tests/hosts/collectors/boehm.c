/* libgc (Boehm, Demers, Weiser), which stops threads by a signal and takes the stack pointer that its handler has.
 *
 *     boehm MODE ROUNDS      MODE: plain, init or traps
 *
 * Threads keep lists that only their stacks refer to, and look after each round whether a node of theirs has been
 * finalised or overwritten, while another thread collects without end. */
#define GC_THREADS
#include <gc.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trapping.h"

enum { WORKERS = 2, NODES = 50, TRAPS_A_ROUND = 20 };

typedef struct node_t {
  struct node_t *next;
  size_t mark;
} node_t;

static long rounds;
static int traps;
static int working = WORKERS;
static long lost, missed;

static node_t *new_list(size_t mark) {
  node_t *first = NULL;
  for (int i = 0; i < NODES; i++) {
    node_t *node = GC_MALLOC(sizeof *node);
    node->next = first;
    node->mark = mark;
    first = node;
  }
  return first;
}

/* Takes the place of what was freed. */
static void litter(void) {
  for (int i = 0; i < 4 * NODES; i++) memset(GC_MALLOC(sizeof(node_t)), 0xaa, sizeof(node_t));
}

static void *work(void *unused) {
  for (long i = 0; i < rounds; i++) {
    node_t *volatile list = new_list((size_t)i);
    if (traps) __atomic_fetch_add(&missed, TRAPS_A_ROUND - trapping_run(TRAPS_A_ROUND), __ATOMIC_RELAXED);
    litter();
    int count = 0;
    for (const node_t *node = list; count < NODES; node = node->next) {
      if (node == NULL || node->mark != (size_t)i) {
        __atomic_fetch_add(&lost, 1, __ATOMIC_RELAXED);
        break;
      }
      count++;
    }
  }
  __atomic_fetch_sub(&working, 1, __ATOMIC_RELAXED);
  return unused;
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  rounds = atol(argv[2]);
  traps = strcmp(argv[1], "traps") == 0;
  GC_INIT();
  GC_allow_register_threads();
  if (strcmp(argv[1], "plain") != 0 && (trapping_init() != 0 || trapping_start() != 0)) return 2;
  pthread_t threads[WORKERS];
  for (int i = 0; i < WORKERS; i++) {
    if (pthread_create(&threads[i], NULL, work, NULL) != 0) return 2;
  }
  while (__atomic_load_n(&working, __ATOMIC_RELAXED) > 0) {
    GC_gcollect();
    sched_yield();
  }
  for (int i = 0; i < WORKERS; i++) pthread_join(threads[i], NULL);
  printf("%ld collections, %ld lists lost, %ld traps missed\n", (long)GC_get_gc_no(), lost, missed);
  return lost != 0 || missed != 0;
}
