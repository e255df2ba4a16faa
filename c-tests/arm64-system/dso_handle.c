/* The one thing of the compiler's start-up files (crtbeginS.o) that the library needs: what it is known by to libc's
 * pthread_atfork. It is linked without those files where its branch targets are enforced: they have none in Debian 12.
 * */
extern void *const __dso_handle __attribute__((visibility("hidden")));
void *const __dso_handle = (void *)&__dso_handle;
