/*
 * The resolver process's work: answers questions by libunbound on the loop. Each question has a
 * deadline, since libunbound gives up late. Answers arrive from the loop, never from inside
 * resolve_ask. All that it needs from files is handed to it.
 */
#ifndef NET_RESOLVE_H
#define NET_RESOLVE_H

#include "net/dns_wire.h"
#include "net/loop.h"

#define RESOLVE_SERVERS_MAX 8
#define RESOLVE_SERVER_BYTES 64
#define RESOLVE_OUTSTANDING_MAX 4096 /* questions; more fail at once: another process runs wild */

struct resolve;
struct resolve_query;

struct resolve_config {
	char servers[RESOLVE_SERVERS_MAX][RESOLVE_SERVER_BYTES]; /* "10.0.0.53", "10.0.0.53@5353" */
	size_t servers_count;	   /* none: every answer is DNS_UNAVAILABLE */
	const char *trust_anchors; /* lines of a zone file; NULL: no validation */
};

struct resolve *resolve_create(struct loop *loop);
void resolve_destroy(struct resolve **resolve); /* callbacks are not called any more */

/*
 * From now on asks these; what is outstanding is asked again, within its deadlines. False and
 * *why: everything is as it was. Not from inside a callback.
 */
bool resolve_configure(struct resolve *resolve, const struct resolve_config *config,
		       const char **why);

/* The query is no more when the callback is called. */
typedef void resolve_fn(void *arg, const struct dns_answer *answer);
struct resolve_query *resolve_ask(struct resolve *resolve, const struct dns_question *question,
				  resolve_fn *answered, void *arg);
void resolve_cancel(struct resolve_query **query); /* the callback is not called; NULL is fine */

#endif
