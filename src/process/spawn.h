/* One of our programs as a child: with its channel, its log pipe, and nothing else of ours. */
#ifndef PROCESS_SPAWN_H
#define PROCESS_SPAWN_H

#include <sys/types.h>

#define SPAWN_NOT_RUN 127 /* the exit status, as in shells, of a program that cannot be run */

/*
 * The descriptors stay the caller's; in the child they are CHANNEL_CONTROL_FD (ipc/channel.h), and
 * standard output and error. It dies with us, whatever we die of. -1: errno says why.
 */
pid_t spawn_program(const char *program, int channel, int log);

#endif
