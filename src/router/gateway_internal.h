/*
 * What the files of the gateway share: gateway.c (its life and settings), gateway_command.c (what
 * people ask of it), gateway_routes.c (which port a domain leaves by), gateway_status.c,
 * gateway_try.c, gateway_why.c (what it knows about a domain, and of stanzas that are logged).
 */
#ifndef ROUTER_GATEWAY_INTERNAL_H
#define ROUTER_GATEWAY_INTERNAL_H

#include "router/attachment_port.h"
#include "router/gateway.h"
#include "router/link_port.h"
#include "router/s2s_port.h"

struct gateway {
	struct worker worker;
	struct config *config;
	struct s2s_port *s2s; /* NULL: this node has no side to the world */
	struct link_listener *link_listeners[8];
	size_t link_listeners_count;
	struct link_port **links;
	size_t links_count;
	struct attachment_port **attachments;
	size_t attachments_count;
	struct realm_table loaded; /* xmpps2snodes as the router works by it */
	bool has_loaded;
	struct timer watch_over;	       /* worker.watches: the next end */
	struct router_stanza_log *stanza_logs; /* the router's */
	struct timer patience;		       /* a link that is down counts as one until then */
	struct timer quiet;
	bool inside_closed; /* as the node stops: attachments and links */
	uint64_t stop_by_ms;
	void (*done)(void *arg);
	void *done_arg;
};

struct link_port *gateway_find_link(const struct gateway *gateway, const char *name);
/* Whether the settings have this attachment. */
bool gateway_wants(const struct config *config, const struct attachment_port *port);

/* Sets what happens when links open, close or tell realms. */
void gateway_watch_links(struct gateway *gateway);
/* Takes the stored table as the one to work by, when that is due; `restart`: it is. */
void gateway_load(struct gateway *gateway, bool restart);
void gateway_set_routes(struct gateway *gateway);
/* Begins an answer about a domain: the records `node`, `domain`, `fault`, `policy`, `way`, `ask`.
 */
void gateway_why_begin(const struct gateway *gateway, const char *remote, struct buffer *out);
void gateway_set_stanza_logs(struct gateway *gateway);
/* Whether one of the links that lead to the world reaches a realm of the table. */
bool gateway_reaches(const struct gateway *gateway, const struct realm_table *table);

#endif
