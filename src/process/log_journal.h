/*
 * Lines of the log as journald has them, by its own protocol: one datagram with a field a line.
 * MESSAGE is what stands behind the writer's name, so that `journalctl` shows the line as it would
 * be elsewhere; the fields SALLYPORT_... are what one filters by (docs/log.md).
 *
 * Not by sd_journal_sendv, which waits while journald does not read.
 */
#ifndef PROCESS_LOG_JOURNAL_H
#define PROCESS_LOG_JOURNAL_H

#include "admin/event_line.h"

/* A socket to journald if that reads what is written to `fd`, as $JOURNAL_STREAM tells; or -1. */
int log_journal_open(int fd);

enum log_journal_result {
	LOG_JOURNAL_SENT,
	LOG_JOURNAL_FULL, /* it does not read fast enough: the line is lost */
	LOG_JOURNAL_GONE, /* nobody is there: write to its stream instead */
};
enum log_journal_result log_journal_send(int journal, struct slice line,
					 const struct event_line *event);

#endif
