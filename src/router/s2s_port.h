/*
 * The port to the world: drives the server-to-server streams (xmpp/s2s_in.h, xmpp/s2s_out.h).
 *
 * Out: one stream for each domain pair, dialled when a stanza or a question of dialback needs it;
 * what waits is bounded in stanzas, bytes and seconds. What TCP has acknowledged is settled as
 * written; what was in flight when a stream broke is uncertain, what was not yet handed to the
 * kernel goes out again on the next. In: listening sockets, limits for each address, stanzas of
 * proven pairs handed to the router. Dialback: the keys of this node, and questions about keys
 * that were shown to it.
 */
#ifndef ROUTER_S2S_PORT_H
#define ROUTER_S2S_PORT_H

#include "router/effects.h"
#include "router/worker.h"

struct s2s_port;

struct s2s_port *s2s_port_create(struct worker *worker);
void s2s_port_destroy(struct s2s_port **port);
void s2s_port_listen(struct s2s_port *port, int fd); /* the descriptor stays the caller's */

/* The worker's config was replaced; the old one may go after this. Looks at each stream once and
 * closes those that may not be any more. */
void s2s_port_apply(struct s2s_port *port);
/* What it would do with that config. */
void s2s_port_try(const struct s2s_port *port, const struct config *candidate,
		  struct effects *effects);
/* Closes all streams with system-shutdown; what waits is refused. */
void s2s_port_shut_down(struct s2s_port *port);
bool s2s_port_is_drained(const struct s2s_port *port); /* nothing waits for TCP's acknowledgement */
bool s2s_port_is_quiet(const struct s2s_port *port);   /* no stream is left */

struct port *s2s_port_port(struct s2s_port *port);
/* For people. How many pairs or streams it concerned. */
size_t s2s_port_retry(struct s2s_port *port, const char *remote_domain);
size_t s2s_port_close(struct s2s_port *port, const char *xcoder);

/* Appends the records `queue`, `retry`, `attempt` and `step` of that domain (router/gateway.h). */
void s2s_port_why(const struct s2s_port *port, const char *remote, struct buffer *out);
/*
 * Tries to reach the domain by a stream of its own, up to authentication, and closes it. Answered
 * once, from inside or later, with the records of that attempt; NULL: the port is destroyed. False:
 * too many are under way, or the node is stopping.
 */
#define S2S_PROBES_MAX 4
#define S2S_PROBE_MS 25000
typedef void s2s_probed_fn(void *arg, const struct slice *records);
bool s2s_port_probe(struct s2s_port *port, const char *local, const char *remote,
		    s2s_probed_fn *probed, void *arg);
void s2s_port_status(const struct s2s_port *port, bool brief, struct buffer *out);

#endif
