/*
 * The third-party module: libspng, which has one entry, `png_decompress(in, in_size, out, out_size, grey)`, beside the
 * malloc of its memory. It checks the format, and trusts the pointers and sizes that it is given.
 */
#ifndef PNG_DECODER_H
#define PNG_DECODER_H

#include "wasmtrap.h"

/* Reads the picture that make_sample.py has made. Exits if that fails. */
void png_decoder_load_sample(const char *path);

/* Registers the module. */
wasmtrap_status_t png_decoder_set_up(void);

/* Decodes the picture in a new instance: WASMTRAP_OK, `*right` says whether every pixel is the right one. */
wasmtrap_status_t png_decoder_decode(int *right, wasmtrap_trap_t *trap);

/* For png_decoder_decode_wrongly: the picture's second half is past the end of the memory, and `in_size` counts it. */
#define PNG_DECODER_INPUT_CUT_OFF 1
/* The buffer for the pixels starts a hundred lines before the end of the memory. */
#define PNG_DECODER_OUTPUT_TOO_SMALL 2
wasmtrap_status_t png_decoder_decode_wrongly(int how, wasmtrap_trap_t *trap);

/* "256 x 192 pixels, 58994 bytes", say. */
const char *png_decoder_about_sample(void);

#endif
