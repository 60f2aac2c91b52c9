/* What is stored because another node, a home server's client or our own AXL says so. */
#include "process/configure_internal.h"

#include "base/alloc.h"

#include <openssl/crypto.h>
#include <stdlib.h>

#define ROWS_MAX 1000 /* of xmpps2snodes: one for each edge */

/* The words as one row; the caller's. */
static char *row_of(const char *const *words, size_t count)
{
	struct buffer row = { 0 };

	for (size_t i = 0; i < count; i++)
		buffer_printf(&row, "%s%s", i ? " " : "", words[i]);
	return buffer_take_text(&row);
}

static bool put_words(struct order *order, struct plan *plan, const char *setting,
		      const char *const *words, size_t count, char **why)
{
	char *row = row_of(words, count);
	bool done = plan_put_row(plan, order_store(order), setting_find(setting), row, why);

	free(row);
	return done;
}

static bool finish(struct order *order, struct plan *plan, bool planned, char **why)
{
	if (planned)
		return order_carry_out(order, plan, why);
	plan_finish(plan);
	return false;
}

static bool put_one(struct order *order, const char *setting, size_t count, char **why)
{
	struct plan plan = { 0 };

	return finish(order, &plan, put_words(order, &plan, setting, order->words, count, why),
		      why);
}

/* Federation is on at a core while it is on at any of its edges. */
static bool follow_edges(struct order *order, struct plan *plan, char **why)
{
	const struct setting *edges = setting_find("edges");
	const struct setting_value *value = plan_value(plan, order_store(order), edges);
	const char *word = "off";

	if (!order_has(order, edges))
		return true;
	for (size_t i = 0; i < value->count; i++) {
		struct slice fields[SETTING_FIELDS_MAX];

		setting_split(edges, value->entries[i], fields);
		if (slice_is(fields[2], "on"))
			word = "on";
	}
	return plan_set(plan, setting_find("federation.enabled"), &word, 1, why);
}

bool order_edge_told(struct order *order, char **why)
{
	struct plan plan = { 0 };
	bool planned;

	if (!plan_row(&plan, order_store(order), setting_find("nodes"), order->words[0])) {
		*why = xasprintf("%s: no such node", order->words[0]);
		return false;
	}
	planned = put_words(order, &plan, "edges", order->words, 4, why) &&
		  follow_edges(order, &plan, why);
	return finish(order, &plan, planned, why);
}

/* On a node with routes of its own, the domains of a core lead to that core. */
static char *told_domain(const struct order *order, const char *word)
{
	bool is_last = order_has(order, setting_find("router.apply"));

	return is_last ? xstrdup(word) : xasprintf("%s %s", word, order->words[0]);
}

static bool is_told(const char *domain, size_t len, char *const *told, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (strncmp(told[i], domain, len) == 0 && told[i][len] == ' ')
			return true;
	}
	return false;
}

/* Rows that are not this core's, and whose domain it does not tell of. */
static size_t keep_others(const struct order *order, char **rows, size_t count)
{
	const struct setting *domains = setting_find("domains");
	const struct setting_value *old = store_value(order_store(order), domains);
	size_t told = count;

	if (order_has(order, setting_find("router.apply")))
		return count;
	for (size_t i = 0; i < old->count; i++) {
		struct slice fields[SETTING_FIELDS_MAX] = { 0 };

		setting_split(domains, old->entries[i], fields);
		if (!slice_is(fields[2], order->words[0]) &&
		    !is_told(fields[0].data, fields[0].len, rows, told))
			rows[count++] = xstrdup(old->entries[i]);
	}
	return count;
}

bool order_domains_told(struct order *order, char **why)
{
	const struct setting *domains = setting_find("domains");
	size_t most = order->count - 2 + store_value(order_store(order), domains)->count;
	char **rows = xcalloc(most + 1, sizeof(*rows));
	struct plan plan = { 0 };
	size_t count = 0;
	bool planned;

	for (size_t i = 2; i < order->count; i++)
		rows[count++] = told_domain(order, order->words[i]);
	count = keep_others(order, rows, count);
	planned = count ? plan_set(&plan, domains, (const char *const *)rows, count, why)
			: plan_reset(&plan, domains, why);
	while (count)
		free(rows[--count]);
	free(rows);
	return finish(order, &plan, planned, why);
}

/* Nodes */

static bool is_other(const struct order *order, char **why)
{
	if (strcmp(order->words[0], order->configure->node->bootstrap->name) != 0)
		return true;
	*why = xasprintf("%s: this node's own name; two nodes cannot have the same",
			 order->words[0]);
	return false;
}

bool order_node_pair(struct order *order, char **why)
{
	return is_other(order, why) && put_one(order, "nodes", order->count, why);
}

bool order_node_add(struct order *order, char **why)
{
	const struct plan none = { 0 };

	if (plan_row(&none, order_store(order), setting_find("nodes"), order->words[0])) {
		*why = xasprintf("%s: there is a node of this name", order->words[0]);
		return false;
	}
	return order_node_pair(order, why);
}

/* An edge has the domains of its cores by their words alone; elsewhere people or one core set them.
 */
static bool forget_domains(struct order *order, struct plan *plan, char **why)
{
	const struct setting *domains = setting_find("domains");
	const struct setting_value *old = store_value(order_store(order), domains);
	const char **rows;
	size_t count = 0;
	bool planned;

	if (order_has(order, setting_find("edges")) ||
	    order_has(order, setting_find("router.apply")))
		return true;
	rows = xcalloc(old->count + 1, sizeof(*rows));
	for (size_t i = 0; i < old->count; i++) {
		struct slice fields[SETTING_FIELDS_MAX] = { 0 };

		setting_split(domains, old->entries[i], fields);
		if (!slice_is(fields[2], order->words[0]))
			rows[count++] = old->entries[i];
	}
	planned =
		count ? plan_set(plan, domains, rows, count, why) : plan_reset(plan, domains, why);
	free(rows);
	return planned;
}

/* With all that it told, and the accounts that were made at its pairing. */
bool order_node_remove(struct order *order, char **why)
{
	static const char *const tables[] = { "nodes", "edges", "home_servers", "axl.users" };
	const char *name = order->words[0];
	struct plan plan = { 0 };
	bool planned = true;

	if (!plan_row(&plan, order_store(order), setting_find("nodes"), name)) {
		*why = xasprintf("%s: no such node", name);
		return false;
	}
	for (size_t i = 0; i < nitems(tables) && planned; i++) {
		const struct setting *table = setting_find(tables[i]);

		if (order_has(order, table))
			planned = plan_remove_row(&plan, order_store(order), table, name, why);
	}
	planned = planned && forget_domains(order, &plan, why) && follow_edges(order, &plan, why);
	return finish(order, &plan, planned, why);
}

bool order_node_list(struct order *order, char **why)
{
	const struct setting *nodes = setting_find("nodes");
	const struct setting_value *value = store_value(order_store(order), nodes);

	for (size_t i = 0; i < value->count; i++) {
		struct slice fields[SETTING_FIELDS_MAX] = { 0 };
		size_t count = setting_split(nodes, value->entries[i], fields);

		for (size_t f = 0; f < count; f++) {
			if (f > 1)
				buffer_printf(&order->out, " %s=", nodes->fields[f].name);
			else if (f == 1)
				buffer_append_text(&order->out, " ");
			buffer_append_slice(&order->out, fields[f]);
		}
		buffer_append_text(&order->out, "\n");
	}
	return true;
}

/* AXL */

bool order_home_server_put(struct order *order, char **why)
{
	return put_one(order, "home_servers", order->count, why);
}

bool order_axl_user_put(struct order *order, char **why)
{
	return put_one(order, "axl.users", order->count, why);
}

static bool set_all(struct order *order, const char *name, char **why)
{
	const struct setting *setting = setting_find(name);
	struct plan plan = { 0 };
	bool planned = order->count ? plan_set(&plan, setting, order->words, order->count, why)
				    : plan_reset(&plan, setting, why);

	return finish(order, &plan, planned, why);
}

bool order_realms_written(struct order *order, char **why)
{
	return set_all(order, "axl.realms", why);
}

bool order_rows_set(struct order *order, char **why)
{
	if (order->count <= ROWS_MAX)
		return set_all(order, "xmpps2snodes", why);
	*why = xasprintf("xmpps2snodes: more than %d rows", ROWS_MAX);
	return false;
}

/* "HOST:PORT", an IPv6 address in brackets: split in place. */
static bool split_address(char *text, char **host, char **port)
{
	char *colon = strrchr(text, ':');

	if (!colon || colon == text)
		return false;
	*colon = '\0';
	*port = colon + 1;
	*host = text;
	if (text[0] == '[' && colon[-1] == ']') {
		colon[-1] = '\0';
		*host = text + 1;
	}
	return true;
}

struct home_server {
	const char *address, *user, *password, *verify;
};

static bool read_home_server(const struct order *order, struct home_server *server, char **why)
{
	const struct {
		const char *key;
		const char **value;
	} keys[] = { { "address=", &server->address },
		     { "user=", &server->user },
		     { "password=", &server->password },
		     { "verify=", &server->verify } };

	for (size_t i = 1; i < order->count; i++) {
		bool known = false;

		for (size_t k = 0; k < nitems(keys); k++) {
			if (strncmp(order->words[i], keys[k].key, strlen(keys[k].key)) == 0) {
				*keys[k].value = order->words[i] + strlen(keys[k].key);
				known = true;
			}
		}
		if (!known) {
			*why = xstrdup("after the name come address=HOST:PORT, user=, password= "
				       "and perhaps verify=");
			return false;
		}
	}
	if (server->address && server->user && server->password)
		return true;
	*why = xasprintf("%s is missing", !server->address ? "address=HOST:PORT"
					  : !server->user  ? "user="
							   : "password=");
	return false;
}

bool order_home_server_add(struct order *order, char **why)
{
	struct home_server server = { .verify = "ca" };
	char *address, *host, *port;
	bool is_pin, done = false;

	if (!read_home_server(order, &server, why))
		return false;
	address = xstrdup(server.address);
	is_pin = strcmp(server.verify, "ca") != 0 && strcmp(server.verify, "off") != 0;
	if (split_address(address, &host, &port)) {
		const char *words[] = { order->words[0],
					host,
					port,
					server.user,
					server.password,
					is_pin ? "pin" : server.verify,
					server.verify };
		struct order put = *order;

		put.words = words;
		put.count = is_pin ? 7 : 6;
		done = order_home_server_put(&put, why);
		order->out = put.out;
	} else {
		*why = xasprintf("'%s' is not HOST:PORT", server.address);
	}
	free(address);
	return done;
}

bool order_home_server_password(struct order *order, char **why)
{
	const struct setting *servers = setting_find("home_servers");
	const struct plan none = { 0 };
	const char *row = plan_row(&none, order_store(order), servers, order->words[0]);
	struct slice fields[SETTING_FIELDS_MAX];
	char *words[SETTING_FIELDS_MAX];
	struct order put = *order;
	size_t count;
	bool done;

	if (!row) {
		*why = xasprintf("%s: no such home server", order->words[0]);
		return false;
	}
	count = setting_split(servers, row, fields);
	for (size_t i = 0; i < count; i++)
		words[i] =
			i == 4 ? xstrdup(order->words[1]) : xstrndup(fields[i].data, fields[i].len);
	put.words = (const char *const *)words;
	put.count = count;
	done = order_home_server_put(&put, why);
	order->out = put.out;
	for (size_t i = 0; i < count; i++) {
		OPENSSL_cleanse(words[i], strlen(words[i]));
		free(words[i]);
	}
	return done;
}

bool order_home_server_remove(struct order *order, char **why)
{
	const struct setting *servers = setting_find("home_servers");
	struct plan plan = { 0 };

	if (!plan_row(&plan, order_store(order), servers, order->words[0])) {
		*why = xasprintf("%s: no such home server", order->words[0]);
		return false;
	}
	return finish(order, &plan,
		      plan_remove_row(&plan, order_store(order), servers, order->words[0], why),
		      why);
}
