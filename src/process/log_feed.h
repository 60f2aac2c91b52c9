/*
 * The last lines of the log, which control keeps for manage: each goes there once, in order and in
 * batches, and all of them again when manage was started anew. While it does not read, nothing
 * waits but the lines themselves; those that had to make room before they were told are counted,
 * and the log says so.
 */
#ifndef PROCESS_LOG_FEED_H
#define PROCESS_LOG_FEED_H

#include "base/slice.h"
#include "net/loop.h"

#include <stdint.h>

#define LOG_FEED_TICK_MS 50 /* a line waits so long for others */
#define LOG_FEED_BATCH_BYTES ((size_t)256 << 10)
#define LOG_FEED_TELL_MS 10000 /* between two lines that say how many were lost */

struct log_feed;

struct log_feed_config {
	struct loop *loop;
	/* Whether manage is there and has taken what it was sent. */
	bool (*ready)(void *arg);
	bool (*send)(void *arg, struct slice body); /* of a MESSAGE_EVENT; false: not now */
	void *arg;
};

struct log_feed *log_feed_create(size_t keep); /* keeps lines from now on */
void log_feed_destroy(struct log_feed **feed);
void log_feed_keep(struct log_feed *feed, size_t keep);
void log_feed_add(struct log_feed *feed, struct slice line);

/* There is a loop from now on. With NULL there is none any more. */
void log_feed_serve(struct log_feed *feed, const struct log_feed_config *config);
/* Manage was started: it gets all that there is. */
void log_feed_start(struct log_feed *feed);

#endif
