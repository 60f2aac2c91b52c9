/*
 * What people ask of the log: `sallyport log`, which may follow, and `sallyport trace`, which has
 * traffic log a domain or a stream whatever the levels are, and follows it; the watch ends with
 * who asked. Levels and stanzas are control's (process/log_orders.c).
 */
#ifndef ADMIN_LOG_DESK_H
#define ADMIN_LOG_DESK_H

#include "admin/desk.h"
#include "admin/event_log.h"

#define LOG_DESK_TRACES_MAX 8
#define LOG_DESK_TRACE_S 300	   /* if nothing else is said */
#define LOG_DESK_TRACE_MAX_S 86400 /* traffic ends it then, whatever becomes of us */
#define LOG_DESK_LINES 100	   /* of `log`, if nothing else is said */

struct log_desk;

struct log_desk_config {
	struct loop *loop;
	struct desk *desk;     /* lent: the verbs log and trace are registered there */
	struct event_log *log; /* lent */
};

struct log_desk *log_desk_create(const struct log_desk_config *config);
void log_desk_destroy(struct log_desk **log_desk); /* before the desk and the log, and when nobody
						      can ask any more */
/* Whoever follows is answered, from the loop: it ends. */
void log_desk_finish(struct log_desk *log_desk);
/* How traffic is reached; NULL: not at all. The messenger stays the caller's. A new one is told
 * what is watched. */
void log_desk_reach(struct log_desk *log_desk, struct messenger *traffic);
/* Each message of traffic that may be a reply. */
void log_desk_take(struct log_desk *log_desk, const struct message *message);

#endif
