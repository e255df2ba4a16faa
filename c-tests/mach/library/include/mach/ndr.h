/* NDR_record_t, as <mach/ndr.h> of macOS has it. */
#ifndef MACH_NDR_H
#define MACH_NDR_H

typedef struct {
  unsigned char mig_vers;
  unsigned char if_vers;
  unsigned char reserved1;
  unsigned char mig_encoding;
  unsigned char int_rep;
  unsigned char char_rep;
  unsigned char float_rep;
  unsigned char reserved2;
} NDR_record_t;

extern const NDR_record_t NDR_record;

#endif
