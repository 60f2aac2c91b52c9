#include "admin/doctor_probe.h"

#include "base/alloc.h"
#include "net/target.h"
#include "policy/address.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum kind { RESOLVER, DOMAIN, ROUTE, PARTNER, HOME_SERVER };

/* One thing that is found out. */
struct item {
	struct doctor_probe *probe;
	enum kind kind;
	char name[DOMAIN_BYTES + 1];
	json_t *row; /* in the results; lent */
	bool is_over;
	struct dns_query *query;
	struct target *target;
	struct target_rules rules;
	struct policy_route route;
	struct target_candidate tries[DOCTOR_TRIES_MAX];
	size_t tries_count, tried;
	struct conn *conn;
	struct timer timer; /* of what is awaited on it */
	char heard[DOCTOR_HEARD_BYTES + 1];
	size_t heard_len;
	bool is_elsewhere; /* an address that failed may be ours all the same, seen from outside */
	struct buffer tales; /* what became of each address */
};

struct doctor_probe {
	struct loop *loop;
	struct dns *dns;
	json_t *plan, *results;
	doctor_probe_fn *done;
	void *arg;
	struct item *items;
	size_t count, open;
	struct timer timer; /* the deadline; at once when all is known */
	struct network everywhere[2];
	bool dns_lives; /* some question had an answer that proves something */
	bool dns_fails;
};

static struct item *item_of_timer(struct timer *timer)
{
	return (void *)((char *)timer - offsetof(struct item, timer));
}

static void close_item(struct item *item)
{
	loop_disarm(item->probe->loop, &item->timer);
	dns_cancel(&item->query);
	target_cancel(&item->target);
	conn_destroy(&item->conn);
	buffer_finish(&item->tales);
}

/* Takes the text. */
static void finish(struct item *item, const char *result, char *says)
{
	struct doctor_probe *probe = item->probe;

	if (item->kind == HOME_SERVER) {
		json_object_set_new(item->row, "result", json_string(says));
	} else {
		json_object_set_new(item->row, "result", json_string(result));
		json_object_set_new(item->row, "says", json_string(says));
	}
	free(says);
	item->is_over = true;
	close_item(item);
	if (--probe->open == 0)
		loop_arm(probe->loop, &probe->timer, 0);
}

/* Addresses, one after the other */

static void dial_next(struct item *item);

static bool is_private(const struct conn_address *address)
{
	static const char *const networks[] = { "10.0.0.0/8",	 "172.16.0.0/12", "192.168.0.0/16",
						"100.64.0.0/10", "fc00::/7",	  "fe80::/10" };
	char text[CONN_ADDRESS_TEXT], *port;
	struct address plain;
	struct network network;

	conn_address_text(address, text);
	port = strrchr(text, ':');
	*port = '\0';
	if (text[0] == '[')
		port[-1] = '\0';
	if (!address_read(slice_of(text[0] == '[' ? text + 1 : text), &plain))
		return false;
	for (size_t i = 0; i < nitems(networks); i++) {
		if (network_read(slice_of(networks[i]), &network) && network_has(&network, &plain))
			return true;
	}
	return false;
}

/* Whether we speak to a public address from a private one: then it may be that of the NAT before
 * us, which need not take what comes from behind. The kernel says; nothing is sent. */
static bool is_behind_nat(const struct conn_address *to)
{
	struct conn_address from = { .len = sizeof(from.storage) };
	int fd = socket(to->storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool known = fd >= 0 && connect(fd, (const struct sockaddr *)&to->storage, to->len) == 0 &&
		     getsockname(fd, (struct sockaddr *)&from.storage, &from.len) == 0;

	if (fd >= 0)
		close(fd);
	return known && is_private(&from) && !is_private(to);
}

static bool is_listener(const struct item *item, const char *address)
{
	size_t index;
	json_t *own;

	json_array_foreach(json_object_get(item->probe->plan, "own"), index, own)
	{
		if (strcmp(json_string_value(own), address) == 0)
			return true;
	}
	return false;
}

/* What became of the address that was tried last, in words; then the next. */
static void tell(struct item *item, const char *words, bool reached)
{
	const struct target_candidate *try = &item->tries[item->tried - 1];
	char address[CONN_ADDRESS_TEXT];

	conn_address_text(&try->address, address);
	buffer_printf(&item->tales, "%s%s (%s) %s%s", buffer_len(&item->tales) ? "; " : "", address,
		      try->host, words,
		      item->kind == DOMAIN && is_listener(item, address)
			      ? ", though this node listens there"
			      : "");
	item->is_elsewhere |= !reached && is_behind_nat(&try->address);
	loop_disarm(item->probe->loop, &item->timer);
	conn_destroy(&item->conn);
	dial_next(item);
}

static void succeed(struct item *item, const char *words)
{
	const struct target_candidate *try = &item->tries[item->tried - 1];
	char address[CONN_ADDRESS_TEXT];

	conn_address_text(&try->address, address);
	finish(item, "ok", xasprintf("%s (%s) %s", address, try->host, words));
}

static void on_connected(void *owner)
{
	struct item *item = owner;
	struct buffer *out;

	if (item->kind != DOMAIN) {
		succeed(item, "takes connections");
		return;
	}
	out = conn_out(item->conn);
	buffer_printf(out,
		      "<?xml version='1.0'?><stream:stream xmlns='jabber:server' "
		      "xmlns:stream='http://etherx.jabber.org/streams' "
		      "xmlns:db='jabber:server:dialback' to='%s' version='1.0'>",
		      item->name);
	conn_flush(item->conn);
	loop_arm(item->probe->loop, &item->timer, DOCTOR_TALK_MS);
}

static char *on_room(void *owner, size_t *len)
{
	struct item *item = owner;

	*len = DOCTOR_HEARD_BYTES - item->heard_len;
	return item->heard + item->heard_len;
}

static bool says_from(const struct item *item)
{
	char with[DOMAIN_BYTES + 16];

	snprintf(with, sizeof(with), " from='%s'", item->name);
	if (strstr(item->heard, with))
		return true;
	snprintf(with, sizeof(with), " from=\"%s\"", item->name);
	return strstr(item->heard, with);
}

/* A server speaks for the domain if it opens the stream in its name and does not end it. */
static void on_filled(void *owner, size_t len)
{
	struct item *item = owner;

	item->heard_len += len;
	item->heard[item->heard_len] = '\0';
	if (strstr(item->heard, "<host-unknown"))
		tell(item, "answers that it does not serve the domain (host-unknown)", true);
	else if (strstr(item->heard, ":features") && says_from(item))
		succeed(item, "answers for the domain");
	else if (strstr(item->heard, ":features"))
		tell(item, "answers for another domain", true);
	else if (strstr(item->heard, "<stream:error"))
		tell(item, "refuses the stream with an error", true);
	else if (item->heard_len == DOCTOR_HEARD_BYTES)
		tell(item, "answers with what is not a stream for the domain", true);
}

static void on_secured(void *owner)
{
}

static void on_ended(void *owner, enum conn_end how, const char *why)
{
	struct item *item = owner;

	switch (how) {
	case CONN_REFUSED:
		tell(item, "refuses connections", false);
		break;
	case CONN_UNREACHABLE:
		tell(item, "cannot be reached", false);
		break;
	case CONN_TIMEOUT:
		tell(item, "does not answer", false);
		break;
	default:
		tell(item, "takes a connection and closes it", true);
	}
}

static void on_silence(struct timer *timer)
{
	tell(item_of_timer(timer), "takes a connection and says nothing", true);
}

static void dial_next(struct item *item)
{
	static const struct conn_handler handler = { on_connected, on_room, on_filled, on_secured,
						     on_ended };

	if (item->tried == item->tries_count) {
		char *tales = buffer_take_text(&item->tales);

		if (item->kind == DOMAIN && item->is_elsewhere)
			finish(item, "unknown",
			       xasprintf("%s; the address may be that of the NAT before this node, "
					 "which cannot be told from here",
					 tales));
		else
			finish(item, "bad", xstrdup(tales));
		free(tales);
		return;
	}
	item->heard_len = 0;
	item->conn = conn_dial(item->probe->loop, &item->tries[item->tried++].address,
			       DOCTOR_DIAL_MS, &handler, item);
}

/* Names */

static void note_dns(struct doctor_probe *probe, enum failure failure)
{
	if (failure == FAILURE_DNS_FAILED)
		probe->dns_fails = true;
	else
		probe->dns_lives = true;
}

static void not_found(struct item *item, const struct target_answer *answer)
{
	const char *what = answer->failure == FAILURE_NO_SUCH_DOMAIN
				   ? "no record _xmpp-server._tcp, and no address either"
			   : answer->failure == FAILURE_NO_SERVICE
				   ? "its record _xmpp-server._tcp says that there is no service"
				   : failure_name(answer->failure);

	/* The resolver's own failure says nothing of the record. */
	finish(item, answer->failure == FAILURE_DNS_FAILED ? "unknown" : "bad",
	       xasprintf("%s%s%s", what, answer->why ? ": " : "", answer->why ? answer->why : ""));
}

static void on_found(void *arg, const struct target_answer *answer)
{
	struct item *item = arg;

	item->target = NULL;
	if (item->kind != HOME_SERVER)
		note_dns(item->probe, answer->failure);
	if (answer->failure) {
		not_found(item, answer);
		return;
	}
	for (size_t i = 0; i < answer->count && i < DOCTOR_TRIES_MAX; i++)
		item->tries[item->tries_count++] = answer->candidates[i];
	if (item->kind == PARTNER) {
		item->tried = 1;
		succeed(item, strcmp(answer->method, "SRV") == 0 ? "is found by its SRV record"
								 : "is found by its address");
	} else {
		dial_next(item);
	}
}

static void on_top_level(void *arg, const struct dns_answer *answer)
{
	struct item *item = arg;
	bool proven = answer->status == DNS_FOUND || answer->status == DNS_ABSENT ||
		      answer->status == DNS_EMPTY;

	item->query = NULL;
	note_dns(item->probe, proven ? FAILURE_NONE : FAILURE_DNS_FAILED);
	finish(item, "ok", xasprintf("%s: %s", answer->name, dns_status_name(answer->status)));
}

/* "192.0.2.1:8443", "[2001:db8::1]:8443", "cups.example.net:8443" */
static void find_home_server(struct item *item, const char *address)
{
	const char *port = strrchr(address, ':');
	size_t len = port ? (size_t)(port - address) : strlen(address);
	char host[DOMAIN_BYTES + 1];

	if (len > 2 && address[0] == '[') {
		address++;
		len -= 2;
	}
	snprintf(host, sizeof(host), "%.*s", (int)len, address);
	snprintf(item->name, sizeof(item->name), "%s", host);
	item->route = (struct policy_route){ .host = item->name,
					     .port = (uint16_t)(port ? atoi(port + 1) : 0) };
	item->rules.routes = &item->route;
	item->rules.routes_count = 1;
}

static uint32_t first(void *arg, uint32_t below)
{
	return 0; /* which of equals comes first does not matter here */
}

static void find(struct item *item)
{
	struct doctor_probe *probe = item->probe;

	if (item->kind == RESOLVER) {
		const char *dot = strrchr(item->name, '.');

		/* A question that gives nothing away, and that every resolver can answer. */
		item->query =
			dns_ask(probe->dns, DNS_A, dot ? dot + 1 : item->name, on_top_level, item);
		return;
	}
	item->rules.allowed = probe->everywhere;
	item->rules.allowed_count = nitems(probe->everywhere);
	item->rules.random = first;
	item->target = target_find(probe->loop, probe->dns, item->name, "doctor", &item->rules,
				   on_found, item);
}

/* The plan */

static void add(struct doctor_probe *probe, enum kind kind, json_t *row)
{
	struct item *item = &probe->items[probe->count++];
	const char *domain = json_string_value(json_object_get(row, "domain"));

	*item = (struct item){ .probe = probe, .kind = kind, .row = row };
	item->timer.fire = on_silence;
	if (domain)
		snprintf(item->name, sizeof(item->name), "%s", domain);
}

static void add_list(struct doctor_probe *probe, enum kind kind, const char *name)
{
	const json_t *planned = json_object_get(probe->plan, name);
	json_t *list = json_array(), *entry;
	size_t index;

	json_array_foreach(planned, index, entry)
	{
		json_t *row = kind == HOME_SERVER
				      ? json_pack("{s:O}", "name", json_object_get(entry, "name"))
				      : json_pack("{s:O}", "domain", entry);

		json_array_append_new(list, row);
		add(probe, kind, row);
		if (kind == HOME_SERVER)
			find_home_server(&probe->items[probe->count - 1],
					 json_string_value(json_object_get(entry, "address")));
	}
	if (json_array_size(list))
		json_object_set_new(probe->results, name, list);
	else
		json_decref(list);
}

/* If nothing that was asked had an answer, it is the resolver, whatever each question says. */
static void judge_resolver(struct doctor_probe *probe)
{
	json_t *resolver = json_object_get(probe->results, "resolver");

	if (!resolver)
		return;
	if (probe->dns_fails && !probe->dns_lives) {
		json_object_set_new(resolver, "result", json_string("bad"));
		json_object_set_new(
			resolver, "says",
			json_string("none of the names that were looked up had an answer"));
	}
}

static void on_end(struct timer *timer)
{
	struct doctor_probe *probe = (void *)((char *)timer - offsetof(struct doctor_probe, timer));

	for (size_t i = 0; i < probe->count; i++) {
		if (!probe->items[i].is_over)
			finish(&probe->items[i], "unknown", xstrdup("not known in time"));
	}
	loop_disarm(probe->loop, &probe->timer);
	judge_resolver(probe);
	probe->done(probe->arg, probe->results);
}

static size_t planned(const json_t *plan, const char *name)
{
	return json_array_size(json_object_get(plan, name));
}

struct doctor_probe *doctor_probe_create(struct loop *loop, struct dns *dns, const json_t *plan,
					 doctor_probe_fn *done, void *arg)
{
	struct doctor_probe *probe = xcalloc(1, sizeof(*probe));

	*probe = (struct doctor_probe){ .loop = loop,
					.dns = dns,
					.plan = json_deep_copy(plan),
					.results = json_object(),
					.done = done,
					.arg = arg,
					.timer.fire = on_end };
	network_read(slice_of("0.0.0.0/0"), &probe->everywhere[0]);
	network_read(slice_of("::/0"), &probe->everywhere[1]);
	probe->items = xcalloc(1 + planned(plan, "domains") + planned(plan, "routes") +
				       planned(plan, "partners") + planned(plan, "home_servers"),
			       sizeof(*probe->items));
	if (planned(plan, "domains")) {
		json_t *row = json_pack("{s:O}", "domain",
					json_array_get(json_object_get(plan, "domains"), 0));

		json_object_set_new(probe->results, "resolver", row);
		add(probe, RESOLVER, row);
	}
	add_list(probe, DOMAIN, "domains");
	add_list(probe, ROUTE, "routes");
	add_list(probe, PARTNER, "partners");
	add_list(probe, HOME_SERVER, "home_servers");
	probe->open = probe->count;
	loop_arm(loop, &probe->timer, probe->count ? DOCTOR_PROBE_MS : 0);
	for (size_t i = 0; i < probe->count; i++)
		find(&probe->items[i]);
	return probe;
}

void doctor_probe_destroy(struct doctor_probe **probe_ref)
{
	struct doctor_probe *probe = *probe_ref;

	if (!probe)
		return;
	*probe_ref = NULL;
	for (size_t i = 0; i < probe->count; i++)
		close_item(&probe->items[i]);
	loop_disarm(probe->loop, &probe->timer);
	json_decref(probe->plan);
	json_decref(probe->results);
	free(probe->items);
	free(probe);
}
