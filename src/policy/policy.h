/*
 * Who may talk to whom, and how: one decision over two prepared domains, made from the settings,
 * before DNS. Immutable once built; no I/O. The same object serves the edge (both directions),
 * the core and the home node.
 *
 * Names in lists match exactly: no wildcards, and a domain's entry says nothing about the domains
 * below it. Only the list of the privacy mode in force is read. While static routes are used, a
 * domain that has one counts as allowed; it doesn't outweigh the deny list, because whoever denies
 * a domain means it, while a route may just have been left behind.
 */
#ifndef POLICY_POLICY_H
#define POLICY_POLICY_H

#include "policy/domain.h"
#include "tables/failures.h"

#include <stdbool.h>
#include <stdint.h>

enum security_mode { SECURITY_TLS_REQUIRED, SECURITY_TLS_OPTIONAL, SECURITY_NO_TLS };
enum privacy_mode { PRIVACY_OFF, PRIVACY_ALLOW_LIST, PRIVACY_DENY_LIST };
bool security_mode_read(struct slice text, enum security_mode *mode); /* "tls-required", ... */
bool privacy_mode_read(struct slice text, enum privacy_mode *mode);   /* "off", "allow-list", ... */

struct policy;

/* Building: create, set, add; then only look. Domains are prepared here; false: not a domain. */
struct policy *policy_create(void); /* federation off, TLS required, allow list empty */
void policy_destroy(struct policy **policy);
void policy_set_enabled(struct policy *policy, bool enabled);
void policy_set_security(struct policy *policy, enum security_mode mode);
void policy_set_privacy(struct policy *policy, enum privacy_mode mode);
void policy_set_static_routes(struct policy *policy, bool used);
void policy_set_verify_certificates(struct policy *policy, bool verify);
bool policy_add_allowed(struct policy *policy, struct slice domain);
bool policy_add_denied(struct policy *policy, struct slice domain);
/* `host` is an address literal, in brackets or not, or a name; routes of one domain are tried by
 * priority, lowest first, equal ones as they were added. False also: port 0. */
bool policy_add_route(struct policy *policy, struct slice domain, struct slice host, uint16_t port,
		      uint16_t priority);
/* A domain or chat alias that the inside serves; federated or not, nobody outside may claim it.
 * Added twice: the last call counts. */
bool policy_add_local(struct policy *policy, struct slice domain, bool federated);

struct policy_route {
	const char *host; /* a prepared name, or what address_read reads (no brackets) */
	uint16_t port, priority;
};

struct policy_decision {
	enum failure refused; /* FAILURE_NONE: they may talk */
	enum security_mode security;
	/* of their server when we dial: chain and name must be valid. Never without TLS. */
	bool verify_certificate;
	/* Static routes, sorted, lent by the policy; they beat DNS. None when refused. */
	const struct policy_route *routes;
	size_t routes_count;
};

/* May the local domain and the remote domain talk? Both prepared. */
struct policy_decision policy_decide(const struct policy *policy, const char *local_domain,
				     const char *remote_domain);
/*
 * What a stanza breaks by coming from that side of a node, whoever checked it before: from outside
 * only senders that are not ours, to domains that we federate; from inside the reverse. Domains are
 * prepared. NULL: nothing; else the rule for the log, and *failure.
 */
const char *policy_broken_rule(const struct policy *policy, bool from_inside,
			       const char *sender_domain, const char *target_domain,
			       enum failure *failure);
bool policy_is_local(const struct policy *policy, const char *domain); /* federated or not */
bool policy_is_federated(const struct policy *policy, const char *domain);
bool policy_is_enabled(const struct policy *policy);

#endif
