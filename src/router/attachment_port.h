/*
 * The port to a server that has the users: drives its component stream
 * (xmpp/component_session.h). One session for the attachment's life; connections come and go under
 * it. A plain TCP connection: it is meant for the same host or a network of its own.
 */
#ifndef ROUTER_ATTACHMENT_PORT_H
#define ROUTER_ATTACHMENT_PORT_H

#include "net/conn.h"
#include "router/worker.h"

struct attachment_port;

struct attachment_port *attachment_port_create(struct worker *worker,
					       const struct config_attachment *attachment);
void attachment_port_destroy(struct attachment_port **port); /* what it holds is settled as lost */
/* Whether it was made from the same settings; else make another. */
bool attachment_port_is(const struct attachment_port *port,
			const struct config_attachment *attachment);
/* It is no longer in the settings: closes; unused once everything that it brought is settled. */
void attachment_port_remove(struct attachment_port *port);
bool attachment_port_is_unused(const struct attachment_port *port);
/* The node stops: no more stanzas are taken, and what was not sent is refused; what was may still
 * be acknowledged. */
void attachment_port_drain(struct attachment_port *port);
bool attachment_port_is_drained(const struct attachment_port *port);
void attachment_port_shut_down(struct attachment_port *port);

struct port *attachment_port_port(struct attachment_port *port);
const char *attachment_port_home_domain(const struct attachment_port *port);
const char *attachment_port_name(const struct attachment_port *port);
size_t attachment_port_waiting(const struct attachment_port *port); /* stanzas, not sent yet */
void attachment_port_status(const struct attachment_port *port, struct buffer *out);

#endif
