/* A signal handler that lets the thread go on behind its fault, and counts. */
#ifndef GOING_ON_H
#define GOING_ON_H

#include "faults.h"

/* How often it has run, and the program counter that it saw last. */
extern volatile int signals;
extern volatile uint64_t signal_pc;

/* For this signal, from now on; the fault's place is `place`. */
void go_on_behind(int signal, fault_place_t *place);

#endif
