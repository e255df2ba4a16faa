/* Three clients open and close in every order, again and again, while threads of each trap in its code: no trap is lost
 * or taken for another's, and nothing is left behind. */
#include <pthread.h>
#include <string.h>

#include "host.h"
#include "meeting.h"

enum { CLIENTS = 3, ORDERS = 6, ROUNDS = 12, TRAPS = 40, THREADS = 2 };

static const int orders[ORDERS][CLIENTS] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
static const char *const names[CLIENTS] = {"first", "second", "third"};

/* Where all clients' threads meet. */
static meeting_t meeting = MEETING_OF(CLIENTS);
static wasm_code_t code[CLIENTS];
static volatile int wrong;

static wasmtrap_verdict_t trap_with_user(wasmtrap_fault_t *fault, void *user) {
  fault->trap_code = WASMTRAP_CODE_USER + *(const unsigned *)user;
  return WASMTRAP_VERDICT_TRAP;
}

typedef struct user_t {
  unsigned number;
} user_t;

static void note(int good, unsigned number, int what) {
  if (!good && __atomic_fetch_add(&wrong, 1, __ATOMIC_RELAXED) == 0) tap_note("client %u: check %d", number, what);
}

static void trap_in(unsigned number) {
  wasmtrap_trap_t trap;
  note(host_call(&code[number], NULL, &trap) == WASMTRAP_TRAPPED, number, 1);
  note(trap.code == WASMTRAP_CODE_USER + number, number, 2);
}

typedef struct guest_t {
  unsigned number;
  volatile int stop;
} guest_t;

static void *trap_until_told(void *guest) {
  guest_t *const self = guest;
  do {
    trap_in(self->number);
  } while (!self->stop);
  return NULL;
}

/* One client's life: it opens, its threads trap, and it closes when the others, in this order, have or have not. */
static void *live(void *user) {
  user_t *const self = user;
  for (int round = 0; round < ROUNDS * ORDERS; round++) {
    const int *const order = orders[round % ORDERS];
    int place = 0;
    while (order[place] != (int)self->number) place++;
    wasmtrap_client_t client = 0;
    const wasmtrap_client_desc_t desc = {.struct_size = sizeof desc, .name = names[self->number]};
    note(wasmtrap_client_open(&desc, &client) == WASMTRAP_OK, self->number, 3);
    const wasmtrap_code_desc_t range = {.struct_size = sizeof range, .start = code[self->number].start,
                                        .length = code[self->number].length, .client = client};
    uint64_t id = 0;
    note(wasmtrap_code_register(&range, &id) == WASMTRAP_OK, self->number, 4);
    note(wasmtrap_client_set_fault_handler(client, trap_with_user, &self->number, 0) == WASMTRAP_OK, self->number, 5);
    guest_t guests[THREADS];
    pthread_t threads[THREADS];
    for (int index = 0; index < THREADS; index++) {
      guests[index] = (guest_t){.number = self->number};
      must(pthread_create(&threads[index], NULL, trap_until_told, &guests[index]) == 0);
    }
    for (int count = 0; count < TRAPS; count++) trap_in(self->number);
    /* The first in the order goes while both others' threads trap, the last alone. */
    for (int turn = 0; turn < CLIENTS; turn++) {
      meet(&meeting);
      if (turn == place) {
        for (int index = 0; index < THREADS; index++) guests[index].stop = 1;
        for (int index = 0; index < THREADS; index++) must(pthread_join(threads[index], NULL) == 0);
        wasmtrap_status_t status = wasmtrap_client_close(client);
        note(status == WASMTRAP_OK, self->number, 6);
        note(wasmtrap_client_close(client) == WASMTRAP_ERR_UNKNOWN_ID, self->number, 7);
      } else if (turn < place) {
        for (int count = 0; count < TRAPS; count++) trap_in(self->number);
      }
      meet(&meeting);
    }
  }
  return NULL;
}

int main(void) {
  for (int number = 0; number < CLIENTS; number++) code[number] = wasm_compile(&wasm_unreachable);
  user_t users[CLIENTS];
  pthread_t threads[CLIENTS];
  for (unsigned number = 0; number < CLIENTS; number++) {
    users[number].number = number;
    must(pthread_create(&threads[number], NULL, live, &users[number]) == 0);
  }
  for (int number = 0; number < CLIENTS; number++) must(pthread_join(threads[number], NULL) == 0);
  same(wrong, 0, "what went wrong in %d rounds of each of %d orders", ROUNDS, ORDERS);
  wasmtrap_backend_t backend = 0;
  same(wasmtrap_backend(&backend), WASMTRAP_ERR_NOT_INITIALIZED, "nothing is left of the set-up");
  return tap_done();
}
