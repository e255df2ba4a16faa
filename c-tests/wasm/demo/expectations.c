#include "expectations.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Copies the column that starts at *line, without the spaces around it, and moves *line behind its bar. */
static int take_column(char **line, char *column, size_t size) {
  char *start = *line + strspn(*line, " ");
  char *stop = start + strcspn(start, "|\n");
  *line = *stop == '|' ? stop + 1 : stop;
  while (stop > start && stop[-1] == ' ') stop--;
  const size_t length = (size_t)(stop - start);
  if (length == 0 || length >= size) return 0;
  memcpy(column, start, length);
  column[length] = '\0';
  return 1;
}

static int parse(char *line, expectation_t *expected) {
  return take_column(&line, expected->called, sizeof expected->called) &&
         take_column(&line, expected->trap.trap, sizeof expected->trap.trap) &&
         take_column(&line, expected->trap.address, sizeof expected->trap.address) &&
         take_column(&line, expected->trap.access, sizeof expected->trap.access) &&
         take_column(&line, expected->trap.frames, sizeof expected->trap.frames);
}

size_t expectations_read(const char *path, expectation_t list[MAX_EXPECTATIONS]) {
  FILE *file = fopen(path, "r");
  if (file == NULL) {
    perror(path);
    exit(2);
  }
  char line[512], module[sizeof list->module] = "";
  size_t count = 0;
  for (int number = 1; fgets(line, sizeof line, file) != NULL; number++) {
    if (line[0] == '#' || line[0] == '\n' || sscanf(line, "[%15[a-z]]", module) == 1) continue;
    if (count == MAX_EXPECTATIONS || module[0] == '\0' || !parse(line, &list[count])) {
      fprintf(stderr, "%s:%d: not an expected trap, or one too many\n", path, number);
      exit(2);
    }
    strcpy(list[count].module, module);
    count++;
  }
  fclose(file);
  return count;
}
