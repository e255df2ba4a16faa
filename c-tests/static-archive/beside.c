/* A program with two Rust libraries in it: the trap, and Rust code that allocates and unwinds. */
#define main trap
#include "../packaging/trap.c"
#undef main

/* beside/lib.rs: the length of a vector of `count` elements, -1 after a panic. */
extern long beside(long count);

int main(void)
{
    if (beside(1000) != 1000 || beside(-1) != -1)
        return 3;
    return trap();
}
