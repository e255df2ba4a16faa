/*
 * Traps for hosts of any language, by functions that need no structures.
 */
#ifndef TRAPPING_H
#define TRAPPING_H

/* wasmtrap_init with the defaults; its status. Further calls change nothing. */
int trapping_init(void);

/* Registers code that traps. After trapping_init, once; 0 if it went well. */
int trapping_start(void);

/* Makes `count` traps by faults on this thread; how many of them came out as they should. */
long trapping_run(long count);

#endif
