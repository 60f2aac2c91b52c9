/*
 * The log lines of one child: read from its pipe on the loop, forwarded to stderr line by line.
 * The pipe's far end does not block either: what nobody reads in time is dropped and counted
 * there (base/log.h).
 */
#ifndef PROCESS_CHILD_LOG_H
#define PROCESS_CHILD_LOG_H

#include "base/buffer.h"
#include "net/loop.h"

struct child_log {
	struct loop_io io;
	bool open;
	struct buffer lines; /* the beginning of the next one */
	void (*line)(void *arg, struct slice line);
	void *arg;
};

/* Takes the descriptor. `line` may be NULL. */
void child_log_open(struct child_log *log, struct loop *loop, int fd,
		    void (*line)(void *arg, struct slice line), void *arg);
/* Reads what is still there. Not open: fine. */
void child_log_close(struct child_log *log);

#endif
