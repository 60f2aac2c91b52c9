/*
 * The sandbox of each process: one call, before the first byte from outside. Afterwards the
 * process runs as an unprivileged user with no capability and no way to get one, cannot be traced
 * or dumped, opens no file, runs no program, and makes only the system calls of its job.
 * A build with sanitizers allows a little more; nothing that the tests of the sandbox look for.
 */
#ifndef IPC_SANDBOX_H
#define IPC_SANDBOX_H

#include "ipc/messages.h"

#include <stdbool.h>

/*
 * `user` is whom to become if we are root (NULL: "sallyport" if it exists, else nobody). False and
 * *why: a wall is missing; the process must exit. Landlock may be absent from the kernel: seccomp
 * refuses opening files too. What was entered is logged.
 */
bool sandbox_enter(enum process process, const char *user, const char **why);

#endif
