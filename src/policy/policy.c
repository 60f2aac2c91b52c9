#include "policy/policy.h"

#include "policy/address.h"

#include "base/alloc.h"
#include "base/map.h"

#include <stdlib.h>

struct local {
	bool federated;
};

struct route_list {
	struct policy_route *routes;
	size_t count;
};

struct policy {
	bool enabled, static_routes, verify_certificates;
	enum security_mode security;
	enum privacy_mode privacy;
	struct map allowed, denied; /* domain to something that is not NULL */
	struct map locals;	    /* domain to struct local */
	struct map routes;	    /* domain to struct route_list */
	struct map hosts;	    /* host to its own text: many routes share a host */
};

static const char *const security_names[] = {
	[SECURITY_TLS_REQUIRED] = "tls-required",
	[SECURITY_TLS_OPTIONAL] = "tls-optional",
	[SECURITY_NO_TLS] = "no-tls",
};

static const char *const privacy_names[] = {
	[PRIVACY_OFF] = "off",
	[PRIVACY_ALLOW_LIST] = "allow-list",
	[PRIVACY_DENY_LIST] = "deny-list",
};

bool security_mode_read(struct slice text, enum security_mode *mode)
{
	for (size_t i = 0; i < nitems(security_names); i++) {
		if (slice_is(text, security_names[i])) {
			*mode = (enum security_mode)i;
			return true;
		}
	}
	return false;
}

bool privacy_mode_read(struct slice text, enum privacy_mode *mode)
{
	for (size_t i = 0; i < nitems(privacy_names); i++) {
		if (slice_is(text, privacy_names[i])) {
			*mode = (enum privacy_mode)i;
			return true;
		}
	}
	return false;
}

struct policy *policy_create(void)
{
	struct policy *policy = xcalloc(1, sizeof(*policy));

	policy->verify_certificates = true;
	policy->security = SECURITY_TLS_REQUIRED;
	policy->privacy = PRIVACY_ALLOW_LIST;
	return policy;
}

static void free_values(struct map *map)
{
	size_t place = 0;
	void *value;

	while ((value = map_next(map, &place, NULL)))
		free(value);
	map_finish(map);
}

void policy_destroy(struct policy **policy)
{
	struct policy *p = *policy;
	struct route_list *list;
	size_t place = 0;

	if (!p)
		return;
	while ((list = map_next(&p->routes, &place, NULL)))
		free(list->routes);
	free_values(&p->routes);
	free_values(&p->hosts);
	free_values(&p->locals);
	map_finish(&p->allowed);
	map_finish(&p->denied);
	free(p);
	*policy = NULL;
}

void policy_set_enabled(struct policy *policy, bool enabled)
{
	policy->enabled = enabled;
}

void policy_set_security(struct policy *policy, enum security_mode mode)
{
	policy->security = mode;
}

void policy_set_privacy(struct policy *policy, enum privacy_mode mode)
{
	policy->privacy = mode;
}

void policy_set_static_routes(struct policy *policy, bool used)
{
	policy->static_routes = used;
}

void policy_set_verify_certificates(struct policy *policy, bool verify)
{
	policy->verify_certificates = verify;
}

static bool add_to_list(struct policy *policy, struct map *list, struct slice text)
{
	char domain[DOMAIN_BYTES + 1];

	if (!domain_prepare(text, domain))
		return false;
	map_put(list, slice_of(domain), policy);
	return true;
}

bool policy_add_allowed(struct policy *policy, struct slice domain)
{
	return add_to_list(policy, &policy->allowed, domain);
}

bool policy_add_denied(struct policy *policy, struct slice domain)
{
	return add_to_list(policy, &policy->denied, domain);
}

/* An address as address_text writes it, or a prepared name. */
static bool prepare_host(struct slice text, char host[DOMAIN_BYTES + 1])
{
	struct address address;
	size_t len;

	if (address_read(text, &address)) {
		address_text(&address, host);
		return true;
	}
	if (!domain_prepare(text, host))
		return false;
	len = strlen(host);
	if (host[0] == '[') {
		memmove(host, host + 1, len - 2);
		host[len - 2] = '\0';
	}
	return true;
}

static const char *keep_host(struct policy *policy, const char *host)
{
	char *kept = map_get(&policy->hosts, slice_of(host));

	if (!kept) {
		kept = xstrdup(host);
		map_put(&policy->hosts, slice_of(host), kept);
	}
	return kept;
}

/* Behind those of the same priority. */
static void insert_route(struct route_list *list, struct policy_route route)
{
	size_t at = list->count++;

	list->routes = xrealloc(list->routes, list->count * sizeof(*list->routes));
	for (; at > 0 && list->routes[at - 1].priority > route.priority; at--)
		list->routes[at] = list->routes[at - 1];
	list->routes[at] = route;
}

bool policy_add_route(struct policy *policy, struct slice domain, struct slice host, uint16_t port,
		      uint16_t priority)
{
	char prepared[DOMAIN_BYTES + 1], prepared_host[DOMAIN_BYTES + 1];
	struct route_list *list;

	if (port == 0 || !domain_prepare(domain, prepared) || !prepare_host(host, prepared_host))
		return false;
	list = map_get(&policy->routes, slice_of(prepared));
	if (!list) {
		list = xcalloc(1, sizeof(*list));
		map_put(&policy->routes, slice_of(prepared), list);
	}
	insert_route(list,
		     (struct policy_route){ keep_host(policy, prepared_host), port, priority });
	return true;
}

bool policy_add_local(struct policy *policy, struct slice domain, bool federated)
{
	char prepared[DOMAIN_BYTES + 1];
	struct local *local;

	if (!domain_prepare(domain, prepared))
		return false;
	local = xmalloc(sizeof(*local));
	local->federated = federated;
	free(map_put(&policy->locals, slice_of(prepared), local));
	return true;
}

static const struct route_list *routes_to(const struct policy *policy, const char *domain)
{
	return policy->static_routes ? map_get(&policy->routes, slice_of(domain)) : NULL;
}

static enum failure refused_by_list(const struct policy *policy, const char *domain)
{
	switch (policy->privacy) {
	case PRIVACY_ALLOW_LIST:
		return map_get(&policy->allowed, slice_of(domain)) || routes_to(policy, domain)
			       ? FAILURE_NONE
			       : FAILURE_NOT_ON_ALLOW_LIST;
	case PRIVACY_DENY_LIST:
		return map_get(&policy->denied, slice_of(domain)) ? FAILURE_ON_DENY_LIST
								  : FAILURE_NONE;
	case PRIVACY_OFF:
		break;
	}
	return FAILURE_NONE;
}

static enum failure refused(const struct policy *policy, const char *local_domain,
			    const char *remote_domain)
{
	if (!policy->enabled)
		return FAILURE_FEDERATION_OFF;
	if (!policy_is_federated(policy, local_domain))
		return FAILURE_NOT_FEDERATED;
	if (policy_is_local(policy, remote_domain))
		return FAILURE_OWN_DOMAIN;
	return refused_by_list(policy, remote_domain);
}

struct policy_decision policy_decide(const struct policy *policy, const char *local_domain,
				     const char *remote_domain)
{
	struct policy_decision decision = {
		.refused = refused(policy, local_domain, remote_domain),
		.security = policy->security,
		.verify_certificate =
			policy->verify_certificates && policy->security != SECURITY_NO_TLS,
	};
	const struct route_list *list = routes_to(policy, remote_domain);

	if (list && decision.refused == FAILURE_NONE) {
		decision.routes = list->routes;
		decision.routes_count = list->count;
	}
	return decision;
}

bool policy_is_local(const struct policy *policy, const char *domain)
{
	return map_get(&policy->locals, slice_of(domain)) != NULL;
}

bool policy_is_federated(const struct policy *policy, const char *domain)
{
	const struct local *local = map_get(&policy->locals, slice_of(domain));

	return local && local->federated;
}

bool policy_is_enabled(const struct policy *policy)
{
	return policy->enabled;
}

const char *policy_broken_rule(const struct policy *policy, bool from_inside,
			       const char *sender_domain, const char *target_domain,
			       enum failure *failure)
{
	const char *ours = from_inside ? sender_domain : target_domain;
	const char *foreign = from_inside ? target_domain : sender_domain;

	*failure = FAILURE_FEDERATION_OFF;
	if (!policy_is_enabled(policy))
		return "federation is off on this node";
	*failure = FAILURE_RULE_BROKEN;
	if (!from_inside && policy_is_local(policy, foreign))
		return "a domain of ours as sender from outside";
	if (!from_inside && !policy_is_federated(policy, ours))
		return "a target that is not federated here";
	if (from_inside && !policy_is_local(policy, ours))
		return "a sender that is not ours from inside";
	if (from_inside && policy_is_local(policy, foreign)) {
		*failure = FAILURE_OWN_DOMAIN;
		return "a target of ours from inside";
	}
	if (from_inside && !policy_is_federated(policy, ours)) {
		*failure = FAILURE_NOT_FEDERATED;
		return "a sender that is not federated";
	}
	return NULL;
}
