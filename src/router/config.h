/*
 * The settings as the traffic process works by them: read whole from a snapshot, immutable, and
 * replaced whole. Certificates have become TLS contexts, lists a policy.
 */
#ifndef ROUTER_CONFIG_H
#define ROUTER_CONFIG_H

#include "ipc/snapshot.h"
#include "net/tls.h"
#include "policy/address.h"
#include "policy/policy.h"
#include "router/realm_table.h"
#include "xmpp/dialback.h"
#include "xmpp/s2s.h"
#include "xmpp/stream_reader.h"

/* The node's place between world and users; peers that stand further in are on the inside. */
enum node_role { ROLE_EDGE, ROLE_CORE, ROLE_HOME };
const char *node_role_name(enum node_role role);

struct config_node { /* a node that we link with */
	char *name;
	enum node_role role;
	char *address; /* "192.0.2.1:7400"; NULL: it dials us */
	char *pin;
};

struct config_attachment {    /* a server with users */
	char *name, *address; /* IP address */
	uint16_t port;
	char *component, *secret, *home_domain;
};

struct config_domain {
	char domain[DOMAIN_BYTES + 1];
	char *via; /* node; NULL: any */
};

struct config_edge {	     /* what an edge told the core last */
	char *node, *secret; /* the fingerprint of its dialback secret */
	bool enabled;
};

struct config_stanza_log { /* whole stanzas are logged */
	char domain[DOMAIN_BYTES + 1];
	int64_t until; /* seconds since 1970 */
};

struct queue_limits {
	size_t stanzas, bytes;
	unsigned seconds;
};

struct config {
	char *node_name;
	enum node_role role;
	struct policy *policy;
	struct dialback_secret *secret; /* NULL: none set */
	struct tls *stream_tls;		/* NULL: no certificate; STARTTLS cannot be offered */
	struct tls *link_tls;
	struct stream_limits limits_before, limits_after;
	struct queue_limits pair_limits, link_limits;
	struct s2s_timeouts timeouts;
	unsigned timeout_tcp_s, timeout_tls_s, timeout_shutdown_s;
	unsigned verify_pending_max, connections_max, connections_per_address_max;
	struct network *allowed_networks;
	size_t allowed_networks_count;
	struct config_node *nodes;
	size_t nodes_count;
	struct config_attachment *attachments;
	size_t attachments_count;
	struct config_domain *domains;
	size_t domains_count;
	bool uses_static_routes;
	char **static_domains; /* of each route, prepared; used or not */
	size_t static_routes_count;
	struct config_edge *edges;
	size_t edges_count;
	struct config_stanza_log *stanza_logs;
	size_t stanza_logs_count;
	struct realm_table stored; /* xmpps2snodes */
	bool gated; /* router.apply is set: the world is reached only by realms that are loaded */
	bool loads_live; /* whether the stored table is loaded whenever it changes */
	uint64_t revision;
	uint64_t logged, others; /* what the settings of the log say, and all others: as numbers */
	const char *fault; /* what keeps these settings from working, for people; NULL: nothing */
};

/* NULL and *why: something in it cannot be used; whoever has a config keeps it. */
struct config *config_create(const struct snapshot *snapshot, const char **why);
void config_destroy(struct config **config);
/* Whether `next` says something new of what is logged and of nothing else. */
bool config_differs_in_log_only(const struct config *config, const struct config *next);
/* Takes that over; `next` has then what was there before. */
void config_swap_log(struct config *config, struct config *next);
const struct config_node *config_find_node(const struct config *config, const char *name);
/* Whether the domain has a static route that is used. */
bool config_has_static_route(const struct config *config, const char *domain);
/* Whether stanzas for the world may go to that edge: its federation is on, and it makes the same
 * keys as most such edges do (policy/majority.h). Where no edge ever told anything, all may. */
bool config_uses_edge(const struct config *config, const char *name);

#endif
