#include "router/config.h"

#include "base/alloc.h"
#include "policy/majority.h"

#include <stdlib.h>

static const char *const role_names[] = {
	[ROLE_EDGE] = "edge",
	[ROLE_CORE] = "core",
	[ROLE_HOME] = "home",
};

static bool read_role(struct slice text, enum node_role *role)
{
	for (size_t i = 0; i < nitems(role_names); i++) {
		if (slice_is(text, role_names[i])) {
			*role = (enum node_role)i;
			return true;
		}
	}
	return false;
}

const char *node_role_name(enum node_role role)
{
	return role_names[role];
}

static char *text_of(struct slice field)
{
	return xstrndup(field.data, field.len);
}

static bool is_dash(struct slice field)
{
	return field.len == 0 || slice_is(field, "-");
}

static uint16_t number_of(struct slice field)
{
	unsigned value = 0;

	for (size_t i = 0; i < field.len && value <= UINT16_MAX; i++)
		value = value * 10 + (unsigned)(field.data[i] - '0');
	return (uint16_t)value;
}

static size_t size_of(const struct snapshot *snapshot, const char *name, size_t otherwise)
{
	return (size_t)snapshot_int(snapshot, name, (int64_t)otherwise);
}

static unsigned seconds_of(const struct snapshot *snapshot, const char *name, unsigned otherwise)
{
	return (unsigned)snapshot_int(snapshot, name, otherwise);
}

static void read_limits(struct config *config, const struct snapshot *s)
{
	struct stream_limits *before = &config->limits_before, *after = &config->limits_after;

	*before = stream_limits_before;
	*after = stream_limits_after;
	before->total_bytes = size_of(s, "limits.stanza_bytes_before_auth", before->total_bytes);
	before->stanza_bytes = size_of(s, "limits.stanza_bytes_before_auth", before->stanza_bytes);
	before->depth = size_of(s, "limits.depth_before_auth", before->depth);
	before->elements = size_of(s, "limits.elements_before_auth", before->elements);
	before->attributes = size_of(s, "limits.attributes_before_auth", before->attributes);
	before->name_bytes = size_of(s, "limits.name_bytes_before_auth", before->name_bytes);
	after->stanza_bytes = size_of(s, "limits.stanza_bytes", after->stanza_bytes);
	after->depth = size_of(s, "limits.depth", after->depth);
	after->elements = size_of(s, "limits.elements", after->elements);
	after->attributes = size_of(s, "limits.attributes", after->attributes);
	after->name_bytes = size_of(s, "limits.name_bytes", after->name_bytes);
	config->pair_limits = (struct queue_limits){
		size_of(s, "limits.queue_stanzas", 1000),
		size_of(s, "limits.queue_bytes", 4 << 20),
		seconds_of(s, "limits.queue_seconds", 60),
	};
	config->link_limits = (struct queue_limits){
		size_of(s, "limits.link_queue_stanzas", 20000),
		size_of(s, "limits.link_queue_bytes", 64 << 20),
		seconds_of(s, "limits.link_queue_seconds", 60),
	};
	config->verify_pending_max = seconds_of(s, "limits.verify_pending", 20);
	config->connections_max = seconds_of(s, "limits.connections", 8000);
	config->connections_per_address_max = seconds_of(s, "limits.connections_per_address", 100);
}

static void read_timeouts(struct config *config, const struct snapshot *s)
{
	config->timeouts = (struct s2s_timeouts){
		.step = seconds_of(s, "timeouts.step", 15),
		.dialback = seconds_of(s, "timeouts.dialback", 30),
		.verify = seconds_of(s, "timeouts.verify", 25),
		.authentication = seconds_of(s, "timeouts.authentication", 60),
		.idle = seconds_of(s, "timeouts.idle", 600),
	};
	config->timeout_tcp_s = seconds_of(s, "timeouts.tcp", 10);
	config->timeout_tls_s = seconds_of(s, "timeouts.tls", 15);
	config->timeout_shutdown_s = seconds_of(s, "timeouts.shutdown", 5);
}

static void read_route(struct config *config, const struct snapshot_record *r)
{
	char domain[DOMAIN_BYTES + 1];

	if (!policy_add_route(config->policy, r->fields[1], r->fields[2], number_of(r->fields[3]),
			      number_of(r->fields[4])))
		return;
	domain_prepare(r->fields[1], domain);
	config->static_domains =
		xrealloc(config->static_domains,
			 (config->static_routes_count + 1) * sizeof(config->static_domains[0]));
	config->static_domains[config->static_routes_count++] = xstrdup(domain);
}

static void read_lists(struct config *config, const struct snapshot *s)
{
	struct snapshot_record r;

	for (size_t place = 0; snapshot_each(s, "federation.allow_list", &place, &r);)
		policy_add_allowed(config->policy, r.fields[1]);
	for (size_t place = 0; snapshot_each(s, "federation.deny_list", &place, &r);)
		policy_add_denied(config->policy, r.fields[1]);
	for (size_t place = 0; snapshot_each(s, "federation.static_routes", &place, &r);)
		read_route(config, &r);
}

static bool read_policy(struct config *config, const struct snapshot *s,
			enum security_mode *security, const char **why)
{
	enum privacy_mode privacy = PRIVACY_ALLOW_LIST;
	struct slice text;

	config->policy = policy_create();
	text = snapshot_text(s, "federation.security_mode");
	if (text.data && !security_mode_read(text, security)) {
		*why = "federation.security_mode is none that this release knows";
		return false;
	}
	text = snapshot_text(s, "federation.privacy_mode");
	if (text.data && !privacy_mode_read(text, &privacy)) {
		*why = "federation.privacy_mode is none that this release knows";
		return false;
	}
	/* A home node has no such setting: it follows its table. */
	policy_set_enabled(config->policy,
			   snapshot_flag(s, "federation.enabled", config->role == ROLE_HOME));
	policy_set_security(config->policy, *security);
	policy_set_privacy(config->policy, privacy);
	config->uses_static_routes = snapshot_flag(s, "federation.use_static_routes", false);
	policy_set_static_routes(config->policy, config->uses_static_routes);
	policy_set_verify_certificates(
		config->policy, snapshot_flag(s, "federation.verify_server_certificates", true));
	read_lists(config, s);
	return true;
}

static void read_domains(struct config *config, const struct snapshot *s)
{
	struct snapshot_record r;

	for (size_t place = 0; snapshot_each(s, "domains", &place, &r);) {
		struct config_domain *domain;

		if (!policy_add_local(config->policy, r.fields[1], slice_is(r.fields[2], "on")))
			continue;
		config->domains = xrealloc(config->domains, (config->domains_count + 1) *
								    sizeof(config->domains[0]));
		domain = &config->domains[config->domains_count++];
		domain_prepare(r.fields[1], domain->domain);
		domain->via = is_dash(r.fields[3]) ? NULL : text_of(r.fields[3]);
	}
}

static void read_nodes(struct config *config, const struct snapshot *s)
{
	struct snapshot_record r;

	for (size_t place = 0; snapshot_each(s, "nodes", &place, &r);) {
		struct config_node *node;
		enum node_role role;

		if (!read_role(r.fields[2], &role))
			continue;
		config->nodes = xrealloc(config->nodes,
					 (config->nodes_count + 1) * sizeof(config->nodes[0]));
		node = &config->nodes[config->nodes_count++];
		node->name = text_of(r.fields[1]);
		node->role = role;
		node->address = is_dash(r.fields[3]) ? NULL : text_of(r.fields[3]);
		node->pin = text_of(r.fields[4]);
	}
}

static void read_stanza_logs(struct config *config, const struct snapshot *s)
{
	struct snapshot_record r;

	for (size_t place = 0; snapshot_each(s, "log.stanzas", &place, &r);) {
		struct config_stanza_log *log;
		char *until = text_of(r.fields[2]);

		config->stanza_logs =
			xrealloc(config->stanza_logs,
				 (config->stanza_logs_count + 1) * sizeof(config->stanza_logs[0]));
		log = &config->stanza_logs[config->stanza_logs_count];
		log->until = strtoll(until, NULL, 10);
		config->stanza_logs_count += domain_prepare(r.fields[1], log->domain);
		free(until);
	}
}

static void read_edges(struct config *config, const struct snapshot *s)
{
	struct snapshot_record r;

	for (size_t place = 0; snapshot_each(s, "edges", &place, &r);) {
		config->edges = xrealloc(config->edges,
					 (config->edges_count + 1) * sizeof(config->edges[0]));
		config->edges[config->edges_count++] =
			(struct config_edge){ .node = text_of(r.fields[1]),
					      .secret = text_of(r.fields[4]),
					      .enabled = slice_is(r.fields[3], "on") };
	}
}

static void read_table(struct config *config, const struct snapshot *s)
{
	struct slice apply = snapshot_text(s, "router.apply");
	struct snapshot_record r;

	config->gated = apply.data != NULL;
	config->loads_live = !slice_is(apply, "restart");
	for (size_t place = 0; snapshot_each(s, "xmpps2snodes", &place, &r);)
		realm_table_add(&config->stored, r.fields[2]);
}

static void read_attachments(struct config *config, const struct snapshot *s)
{
	struct snapshot_record r;

	for (size_t place = 0; snapshot_each(s, "attachments", &place, &r);) {
		struct config_attachment *a;

		config->attachments =
			xrealloc(config->attachments,
				 (config->attachments_count + 1) * sizeof(config->attachments[0]));
		a = &config->attachments[config->attachments_count++];
		a->name = text_of(r.fields[1]);
		a->address = text_of(r.fields[3]);
		a->port = number_of(r.fields[4]);
		a->component = text_of(r.fields[5]);
		a->secret = text_of(r.fields[6]);
		a->home_domain = text_of(r.fields[7]);
	}
}

static void read_networks(struct config *config, const struct snapshot *s)
{
	struct snapshot_record r;

	for (size_t place = 0; snapshot_each(s, "dial.allowed_networks", &place, &r);) {
		struct network network;

		if (!network_read(r.fields[1], &network))
			continue;
		config->allowed_networks = xrealloc(config->allowed_networks,
						    (config->allowed_networks_count + 1) *
							    sizeof(config->allowed_networks[0]));
		config->allowed_networks[config->allowed_networks_count++] = network;
	}
}

/* Settings that can be taken, and on an edge cannot work. */
static const char *find_fault(const struct config *config, enum security_mode security)
{
	if (config->role != ROLE_EDGE || !policy_is_enabled(config->policy))
		return NULL;
	if (!config->stream_tls && security == SECURITY_TLS_REQUIRED)
		return "federation.security_mode is tls-required and tls.certificate is not set";
	if (!config->secret)
		return "federation.dialback_secret is not set";
	return NULL;
}

static bool read_secrets(struct config *config, const struct snapshot *s, const char **why)
{
	struct slice certificate = snapshot_text(s, "tls.certificate");
	struct slice link_certificate = snapshot_text(s, "link.certificate");
	struct slice secret = snapshot_text(s, "federation.dialback_secret");

	if (secret.len) {
		struct slice previous = snapshot_text(s, "federation.dialback_secret_previous");
		char *now = text_of(secret), *before = previous.len ? text_of(previous) : NULL;

		config->secret = dialback_secret_create(now, before);
		explicit_bzero(now, secret.len);
		free(now);
		if (before)
			explicit_bzero(before, previous.len);
		free(before);
	}
	if (certificate.len) {
		config->stream_tls =
			tls_create_stream(certificate, snapshot_text(s, "tls.private_key"),
					  snapshot_text(s, "tls.trust"), why);
		if (!config->stream_tls)
			return false;
	}
	if (!link_certificate.len) {
		*why = "link.certificate is missing";
		return false;
	}
	config->link_tls =
		tls_create_link(link_certificate, snapshot_text(s, "link.private_key"), why);
	return config->link_tls != NULL;
}

/* FNV-1a, with the length, so that fields do not run into each other. */
static uint64_t mix(uint64_t sum, struct slice field)
{
	static const uint64_t prime = 0x100000001b3;

	for (size_t i = 0; i < field.len; i++)
		sum = (sum ^ (unsigned char)field.data[i]) * prime;
	return (sum ^ field.len) * prime;
}

static void sum_up(struct config *config, const struct snapshot *s)
{
	static const uint64_t offset = 0xcbf29ce484222325;
	struct snapshot_record r;

	config->logged = config->others = offset;
	for (size_t place = 0; snapshot_next(s, &place, &r);) {
		bool logs =
			slice_is(r.fields[0], "log.levels") || slice_is(r.fields[0], "log.stanzas");
		uint64_t *sum = logs ? &config->logged : &config->others;

		for (size_t i = 0; i < r.count; i++)
			*sum = mix(*sum, r.fields[i]);
		*sum = mix(*sum, slice_of("\n"));
	}
}

bool config_differs_in_log_only(const struct config *config, const struct config *next)
{
	return config->others == next->others && config->logged != next->logged;
}

void config_swap_log(struct config *config, struct config *next)
{
	struct config_stanza_log *logs = config->stanza_logs;
	size_t count = config->stanza_logs_count;

	config->stanza_logs = next->stanza_logs;
	config->stanza_logs_count = next->stanza_logs_count;
	config->logged = next->logged;
	config->revision = next->revision;
	next->stanza_logs = logs;
	next->stanza_logs_count = count;
}

struct config *config_create(const struct snapshot *snapshot, const char **why)
{
	struct config *config = xcalloc(1, sizeof(*config));
	enum security_mode security = SECURITY_TLS_REQUIRED;

	config->revision = snapshot_revision(snapshot);
	config->node_name = text_of(snapshot_text(snapshot, "node.name"));
	*why = "node.role is none that this release knows";
	if (!read_role(snapshot_text(snapshot, "node.role"), &config->role) ||
	    !read_policy(config, snapshot, &security, why) ||
	    !read_secrets(config, snapshot, why)) {
		config_destroy(&config);
		return NULL;
	}
	read_limits(config, snapshot);
	read_timeouts(config, snapshot);
	read_domains(config, snapshot);
	read_nodes(config, snapshot);
	read_stanza_logs(config, snapshot);
	read_edges(config, snapshot);
	read_table(config, snapshot);
	read_attachments(config, snapshot);
	read_networks(config, snapshot);
	sum_up(config, snapshot);
	config->fault = find_fault(config, security);
	return config;
}

void config_destroy(struct config **config_ref)
{
	struct config *config = *config_ref;

	if (!config)
		return;
	*config_ref = NULL;
	for (size_t i = 0; i < config->nodes_count; i++) {
		free(config->nodes[i].name);
		free(config->nodes[i].address);
		free(config->nodes[i].pin);
	}
	for (size_t i = 0; i < config->attachments_count; i++) {
		struct config_attachment *a = &config->attachments[i];

		explicit_bzero(a->secret, strlen(a->secret));
		free(a->name);
		free(a->address);
		free(a->component);
		free(a->secret);
		free(a->home_domain);
	}
	for (size_t i = 0; i < config->domains_count; i++)
		free(config->domains[i].via);
	for (size_t i = 0; i < config->edges_count; i++) {
		free(config->edges[i].node);
		free(config->edges[i].secret);
	}
	for (size_t i = 0; i < config->static_routes_count; i++)
		free(config->static_domains[i]);
	realm_table_finish(&config->stored);
	free(config->static_domains);
	free(config->stanza_logs);
	free(config->edges);
	free(config->nodes);
	free(config->attachments);
	free(config->domains);
	free(config->allowed_networks);
	free(config->node_name);
	policy_destroy(&config->policy);
	dialback_secret_destroy(&config->secret);
	tls_destroy(&config->stream_tls);
	tls_destroy(&config->link_tls);
	free(config);
}

const struct config_node *config_find_node(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->nodes_count; i++) {
		if (strcmp(config->nodes[i].name, name) == 0)
			return &config->nodes[i];
	}
	return NULL;
}

bool config_has_static_route(const struct config *config, const char *domain)
{
	for (size_t i = 0; config->uses_static_routes && i < config->static_routes_count; i++) {
		if (strcmp(config->static_domains[i], domain) == 0)
			return true;
	}
	return false;
}

static const struct config_edge *enabled_edge(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->edges_count; i++) {
		if (config->edges[i].enabled && strcmp(config->edges[i].node, name) == 0)
			return &config->edges[i];
	}
	return NULL;
}

bool config_uses_edge(const struct config *config, const char *name)
{
	const struct config_edge *edge = enabled_edge(config, name), *other;
	struct slice *secrets, common;
	size_t count = 0;

	if (!config->edges_count || !edge)
		return !config->edges_count;
	secrets = xcalloc(config->nodes_count, sizeof(*secrets));
	for (size_t i = 0; i < config->nodes_count; i++) {
		other = enabled_edge(config, config->nodes[i].name);
		if (other)
			secrets[count++] = slice_of(other->secret);
	}
	common = majority(secrets, count);
	free(secrets);
	return slice_is(common, edge->secret);
}
