/*
 * What the ports of one worker share: its loop, router, names and settings. A worker is one event
 * loop; workers share nothing that changes.
 */
#ifndef ROUTER_WORKER_H
#define ROUTER_WORKER_H

#include "net/conn.h"
#include "net/dns.h"
#include "net/loop.h"
#include "router/config.h"
#include "router/router.h"
#include "router/watches.h"

#define WORKER_LISTENERS_MAX 64

struct worker {
	struct loop *loop;
	struct router *router;
	struct dns *dns;
	const struct config *config; /* replaced whole; ports are told */
	struct watches watches;
	char instance[LINK_INSTANCE_LEN + 1];
	struct conn_address own[WORKER_LISTENERS_MAX]; /* where this node listens */
	size_t own_count;
	struct loop_task links_changed; /* deferred by whoever opens or loses a link, or hears
					 * over one what it reaches */
};

/* `len` random hex digits, upper or lower case, and a terminator. Aborts without randomness. */
void worker_random_hex(char *text, size_t len, bool upper);
/* Evenly in [0, bound); a candidates_random_fn. */
uint32_t worker_random(void *arg, uint32_t bound);
/* A wait before the next try: doubles with each failure from `first_ms` to `most_ms`, and half of
 * it is random, so that many who lost the same peer don't come back together. */
uint64_t worker_back_off_ms(unsigned failures, uint64_t first_ms, uint64_t most_ms);

/* A stanza with the addresses, id and type of one that may not be forwarded, and nothing inside:
 * for its bounce. */
struct stanza *worker_hollow(const struct stanza_view *view);

/* Writes a session's output to its connection; the session's buffer is then empty. */
void worker_write_out(struct conn *conn, struct buffer *output);

#endif
