/* What the library asks of the system, answered by a function of a test's. */
#ifndef IMPORTS_H
#define IMPORTS_H

/* Has the library call `function` where it has imported that name; `real` is what it has called before. */
void replace_import(const char *name, void (*function)(void), void (**real)(void));

#endif
