/*
 * The port to another node of ours: drives its link (xmpp/link_session.h) over TLS with pinned
 * keys. It outlives connections: what was sent and not settled when one ends is sent again on the
 * next, in order; when a node that is the last to remember comes back as another instance, what
 * its predecessor was given is uncertain (design: Custody, rules 3 and 4).
 */
#ifndef ROUTER_LINK_PORT_H
#define ROUTER_LINK_PORT_H

#include "net/conn.h"
#include "router/effects.h"
#include "router/worker.h"

struct link_port;

/* For the node of that name in the worker's config; dials it if it has an address. */
struct link_port *link_port_create(struct worker *worker, const struct config_node *node);
void link_port_destroy(struct link_port **port); /* what it holds is settled as lost */
/* The settings changed: NULL when the node is no longer in them (the link closes). A changed pin
 * or address closes the connection; anything else leaves it. */
void link_port_apply(struct link_port *port, const struct config_node *node);
/* What link_port_apply would do. */
void link_port_try(const struct link_port *port, const struct config_node *node,
		   struct effects *effects);
/* A connection that came in and showed this node's pin. Replaces the one there is. */
void link_port_adopt(struct link_port *port, struct conn **conn);
/* What was not given to the node yet will not be: the senders hear of it. */
void link_port_refuse_waiting(struct link_port *port, enum failure failure);
/* In order, as the node stops. */
void link_port_shut_down(struct link_port *port);
/* Closes the connection; a dialled one is tried again at once. For people. */
void link_port_reset(struct link_port *port, const char *why);

struct port *link_port_port(struct link_port *port);
const char *link_port_name(const struct link_port *port);
bool link_port_is_open(const struct link_port *port);
enum node_role link_port_role(const struct link_port *port);
/* Tells the other node which realms are reached through us, unless this connection's node knows.
 * Not open: nothing is told. */
void link_port_tell_realms(struct link_port *port, const char *names);
/* What the other node told last, over this connection or an earlier one; NULL: it never did. */
const char *link_port_realms(const struct link_port *port);
/* Until when what waits for the link has not waited too long: 0, it is open. */
uint64_t link_port_patience_ms(const struct link_port *port);
bool link_port_is_unused(const struct link_port *port); /* removed, and nobody waits for a fate */
/* Appends a record for `sallyport status`. */
void link_port_status(const struct link_port *port, struct buffer *out);

/* Accepts links on a listening socket, and finds whose they are by the key they show. */
struct link_listener;
typedef struct link_port *link_find_fn(void *arg, const char *pin);
struct link_listener *link_listener_create(struct worker *worker, int fd, link_find_fn *find,
					   void *arg);
void link_listener_destroy(struct link_listener **listener);

#endif
