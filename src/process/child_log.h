/*
 * The log lines of one child: read from its pipe on the loop, forwarded to the log line by line.
 * What is no line of ours, or says that another process wrote it, becomes the event process.said:
 * a child that was taken over cannot speak for others.
 * The pipe's far end does not block either: what nobody reads in time is dropped and counted
 * there (base/log.h).
 */
#ifndef PROCESS_CHILD_LOG_H
#define PROCESS_CHILD_LOG_H

#include "base/buffer.h"
#include "ipc/messages.h"
#include "net/loop.h"

struct child_log {
	struct loop_io io;
	bool open;
	struct buffer lines; /* the beginning of the next one */
	enum process process;
	void (*line)(void *arg, struct slice line);
	void *arg;
};

/* Takes the descriptor. `line` may be NULL. */
void child_log_open(struct child_log *log, struct loop *loop, enum process process, int fd,
		    void (*line)(void *arg, struct slice line), void *arg);
/* Reads what is still there. Not open: fine. */
void child_log_close(struct child_log *log);

#endif
