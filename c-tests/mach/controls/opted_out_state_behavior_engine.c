/*
 * The counter-control for macOS 14: the engine of state_behavior_engine.c on a port that mach_port_construct has made
 * with MPO_PROVISIONAL_ID_PROT_OPTOUT. In 14.4 to 14.7 only such a port lives where a plain one kills.
 */
#define ENGINE_PORT_FLAGS 0x8000
#include "state_behavior_engine.c"
