/*
 * The log in control: every line of its own and of its children comes here, goes out
 * (process/log_output.h) and on to manage (process/log_feed.h). What is no line of ours becomes the
 * event process.said, so that all that goes on is one, whatever it holds.
 */
#ifndef PROCESS_LOG_SINK_H
#define PROCESS_LOG_SINK_H

#include "process/log_feed.h"

struct log_sink;

/* Lines come here from now on, and are written to `fd`. */
struct log_sink *log_sink_create(int fd);
void log_sink_destroy(struct log_sink **sink);			  /* they go to stderr again */
void log_sink_set(struct log_sink *sink, bool json, size_t keep); /* log.format, events.keep */
/* Each line, lent, without its end; it must not log. NULL: nobody. */
void log_sink_tap(struct log_sink *sink, void (*line)(void *arg, struct slice line), void *arg);
struct log_feed *log_sink_feed(struct log_sink *sink);

#endif
