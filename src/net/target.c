#include "net/target.h"

#include "base/alloc.h"
#include "net/dns_text.h"
#include "tables/events.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PORT_S2S 5269

/* One host whose addresses are looked up, in the order in which hosts are tried. */
struct host {
	struct target *target;
	char name[DOMAIN_BYTES + 1];
	uint16_t port;
	struct dns_query *queries[2]; /* AAAA, A */
	struct address addresses[TARGET_CANDIDATES_MAX];
	size_t count;
};

struct target {
	struct loop *loop;
	struct dns *dns;
	char domain[DOMAIN_BYTES + 1];
	char xcoder[16];
	struct target_rules rules;
	target_fn *found;
	void *arg;
	struct dns_query *srv;
	struct host *hosts;
	size_t hosts_count;
	unsigned pending; /* address questions without answer */
	bool is_static;	  /* routes: any address may be dialled */
	const char *method;
	uint64_t began_us;
	uint32_t srv_us, address_us;
	enum failure failure; /* what to say if no candidate is left */
	char why[400];
	struct loop_task later; /* answers that need no question */
};

#define NOTE_BYTES 1024

static void note(const struct target *t, bool good, uint32_t took_us, const char *text)
{
	if (t->rules.note)
		t->rules.note(t->arg, good, took_us, text);
}

static void note_answer(const struct target *t, const struct dns_answer *a)
{
	char text[NOTE_BYTES];

	if (!t->rules.note)
		return;
	dns_text(a, text, sizeof(text));
	note(t, dns_answer_is_usable(a), a->took_us, text);
}

static struct dns_query *ask(const struct target *t, enum dns_type type, const char *name,
			     dns_fn *answered, void *arg)
{
	struct dns_query *query = dns_ask(t->dns, type, name, answered, arg);

	if (t->rules.watched)
		dns_watch(query);
	return query;
}

static void free_target(struct target *t)
{
	for (size_t i = 0; i < t->hosts_count; i++) {
		dns_cancel(&t->hosts[i].queries[0]);
		dns_cancel(&t->hosts[i].queries[1]);
	}
	dns_cancel(&t->srv);
	loop_undefer(t->loop, &t->later);
	free(t->hosts);
	free(t);
}

void target_cancel(struct target **target)
{
	if (*target)
		free_target(*target);
	*target = NULL;
}

static void to_conn_address(const struct address *from, uint16_t port, struct conn_address *to)
{
	char text[ADDRESS_TEXT];

	address_text(from, text);
	conn_address_parse(to, text, port);
}

static void refuse(struct target *t, const struct host *host, const struct address *address,
		   const char *rule)
{
	char text[ADDRESS_TEXT];

	address_text(address, text);
	snprintf(t->why, sizeof(t->why), "%s names %.45s: %s", host->name, text, rule);
	t->failure = FAILURE_ADDRESS_REFUSED;
	note(t, false, 0, t->why);
	log_watched(t->rules.watched, EVENT_DNS_FAILED,
		    "xcoder=%s domain=%s host=%s address=%s why=\"%s\"", t->xcoder, t->domain,
		    log_text(host->name), text, rule);
}

static uint16_t port_of(const struct conn_address *a)
{
	const struct sockaddr_in *v4 = (const void *)&a->storage;
	const struct sockaddr_in6 *v6 = (const void *)&a->storage;

	return ntohs(a->storage.ss_family == AF_INET6 ? v6->sin6_port : v4->sin_port);
}

/* An IPv4 address in the form of IPv6 is that IPv4 address. */
static void host_of(const struct conn_address *a, struct in6_addr *host)
{
	const struct sockaddr_in *v4 = (const void *)&a->storage;
	const struct sockaddr_in6 *v6 = (const void *)&a->storage;

	memset(host, 0, sizeof(*host));
	if (a->storage.ss_family == AF_INET6) {
		*host = v6->sin6_addr;
	} else if (v4->sin_addr.s_addr != INADDR_ANY) {
		host->s6_addr[10] = host->s6_addr[11] = 0xff;
		memcpy(&host->s6_addr[12], &v4->sin_addr, sizeof(v4->sin_addr));
	}
}

static bool same_host(const struct conn_address *a, const struct conn_address *b)
{
	struct in6_addr host_a, host_b;

	host_of(a, &host_a);
	host_of(b, &host_b);
	return memcmp(&host_a, &host_b, sizeof(host_a)) == 0;
}

static bool is_any(const struct conn_address *a)
{
	struct in6_addr host;

	host_of(a, &host);
	return IN6_IS_ADDR_UNSPECIFIED(&host);
}

/* Whoever speaks to an address of the host itself does it from that address. Asks the kernel which
 * one it would take; nothing is sent. */
static bool is_of_this_host(const struct conn_address *a)
{
	struct conn_address from = { .len = sizeof(from.storage) };
	int fd = socket(a->storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool is = fd >= 0 && connect(fd, (const struct sockaddr *)&a->storage, a->len) == 0 &&
		  getsockname(fd, (struct sockaddr *)&from.storage, &from.len) == 0 &&
		  same_host(&from, a);

	if (fd >= 0)
		close(fd);
	return is;
}

static bool is_own(const struct target_rules *rules, const struct conn_address *a)
{
	for (size_t i = 0; i < rules->own_count; i++) {
		const struct conn_address *own = &rules->own[i];

		if (port_of(own) == port_of(a) &&
		    (is_any(own) ? is_of_this_host(a) : same_host(own, a)))
			return true;
	}
	return false;
}

/* Why a public record may not lead there; NULL: it may. */
static const char *refused(const struct target *t, const struct address *address, uint16_t port)
{
	const char *rule = address_refused(address, port, t->rules.allowed, t->rules.allowed_count);
	struct conn_address to;

	if (rule)
		return rule;
	to_conn_address(address, port, &to);
	return is_own(&t->rules, &to) ? "a listener of this node itself" : NULL;
}

static size_t collect(struct target *t, struct target_candidate *candidates)
{
	size_t count = 0;

	for (size_t i = 0; i < t->hosts_count; i++) {
		struct host *host = &t->hosts[i];

		addresses_interleave(host->addresses, host->count);
		for (size_t k = 0; k < host->count && count < TARGET_CANDIDATES_MAX; k++) {
			const char *rule =
				t->is_static ? NULL : refused(t, &host->addresses[k], host->port);

			if (rule) {
				refuse(t, host, &host->addresses[k], rule);
				continue;
			}
			to_conn_address(&host->addresses[k], host->port,
					&candidates[count].address);
			snprintf(candidates[count].host, sizeof(candidates[count].host), "%s",
				 host->name);
			count++;
		}
	}
	return count;
}

/* Answers and is gone. */
static void answer(struct target *t)
{
	struct target_candidate candidates[TARGET_CANDIDATES_MAX];
	size_t count = collect(t, candidates);
	char timings[96];
	double total = (double)(loop_clock_us() - t->began_us) / 1e6;
	struct target_answer result = {
		.failure = count ? FAILURE_NONE : t->failure,
		.why = t->why[0] ? t->why : NULL,
		.candidates = candidates,
		.count = count,
		.method = t->method,
		.timings = timings,
	};

	/* All questions were answered well, and yet there is nobody to dial. */
	if (!count && (t->failure == FAILURE_NO_SUCH_DOMAIN || t->failure == FAILURE_NO_SERVICE))
		note(t, false, 0, t->why[0] ? t->why : failure_rows[t->failure].text);
	if (t->srv_us)
		snprintf(timings, sizeof(timings), "TOTAL:%.6f SRV:%.6f", total, t->srv_us / 1e6);
	else
		snprintf(timings, sizeof(timings), "TOTAL:%.6f %s:%.6f", total, t->method,
			 t->address_us / 1e6);
	if (count)
		log_watched(t->rules.watched, EVENT_DNS_RESOLVED,
			    "xcoder=%s resolved dialback address for host=%s method=%s "
			    "dns-timings=(%s)",
			    t->xcoder, t->domain, t->method, timings);
	else
		log_watched(t->rules.watched, EVENT_DNS_FAILED,
			    "xcoder=%s domain=%s why=%s %s dns-timings=(%s)", t->xcoder, t->domain,
			    failure_name(t->failure), t->why, timings);
	t->found(t->arg, &result);
	free_target(t);
}

static void answer_later(struct target *t)
{
	loop_defer(t->loop, &t->later);
}

static void on_later(struct loop_task *task)
{
	answer((struct target *)((char *)task - offsetof(struct target, later)));
}

static void note_failure(struct target *t, const struct dns_answer *a)
{
	t->failure = a->status == DNS_BOGUS_ANSWER ? FAILURE_DNS_BOGUS : FAILURE_DNS_FAILED;
	snprintf(t->why, sizeof(t->why), "%s: %s%s%s", log_text(a->name),
		 dns_status_name(a->status), a->why ? ": " : "", a->why ? log_text(a->why) : "");
}

static void take_addresses(struct host *host, const struct dns_answer *a)
{
	struct target *t = host->target;

	note_answer(t, a);
	if (a->took_us > t->address_us)
		t->address_us = a->took_us;
	for (size_t i = 0; i < a->count && host->count < TARGET_CANDIDATES_MAX; i++)
		host->addresses[host->count++] = a->addresses[i];
	if (a->status != DNS_FOUND && a->status != DNS_ABSENT && a->status != DNS_EMPTY)
		note_failure(t, a);
	if (--t->pending == 0)
		answer(t);
}

static void on_aaaa(void *arg, const struct dns_answer *a)
{
	struct host *host = arg;

	host->queries[0] = NULL;
	take_addresses(host, a);
}

static void on_a(void *arg, const struct dns_answer *a)
{
	struct host *host = arg;

	host->queries[1] = NULL;
	take_addresses(host, a);
}

/* Looks the hosts' addresses up, all at once; literals need no question. */
static void look_up_hosts(struct target *t)
{
	for (size_t i = 0; i < t->hosts_count; i++) {
		struct host *host = &t->hosts[i];
		size_t len = strlen(host->name);
		struct slice text = { host->name, len };

		if (len > 2 && host->name[0] == '[')
			text = (struct slice){ host->name + 1, len - 2 };
		host->target = t;
		if (address_read(text, &host->addresses[0])) {
			host->count = 1;
			continue;
		}
		t->pending += 2;
		host->queries[0] = ask(t, DNS_AAAA, host->name, on_aaaa, host);
		host->queries[1] = ask(t, DNS_A, host->name, on_a, host);
	}
	if (!t->pending)
		answer_later(t);
}

static void add_host(struct target *t, const char *name, uint16_t port)
{
	struct host *host;

	if (t->hosts_count == TARGET_HOSTS_MAX)
		return;
	host = &t->hosts[t->hosts_count++];
	snprintf(host->name, sizeof(host->name), "%s", name);
	host->port = port;
}

static void use_srv(struct target *t, const struct dns_answer *a)
{
	t->method = "SRV";
	if (srv_says_no_service(a->srv, a->count)) {
		t->failure = FAILURE_NO_SERVICE;
		answer_later(t);
		return;
	}
	srv_sort(a->srv, a->count, t->rules.random, t->rules.random_arg);
	for (size_t i = 0; i < a->count; i++)
		add_host(t, a->srv[i].target, a->srv[i].port);
	/* RFC 6120 3.2.1: the records are there, so their hosts' absence is a fault, not a
	 * reason to try the domain's own address. */
	snprintf(t->why, sizeof(t->why), "the SRV record's host has no address");
	look_up_hosts(t);
}

static void on_srv(void *arg, const struct dns_answer *a)
{
	struct target *t = arg;

	t->srv = NULL;
	t->srv_us = a->took_us ? a->took_us : 1;
	switch (a->status) {
	case DNS_FOUND:
		use_srv(t, a);
		break;
	case DNS_ABSENT:
	case DNS_EMPTY: /* proven: only then the domain's own address (peers.md, pain 7) */
		t->method = "A";
		add_host(t, t->domain, PORT_S2S);
		look_up_hosts(t);
		break;
	default:
		note_failure(t, a);
		answer_later(t);
	}
	note_answer(t, a); /* its records are sorted now */
}

static void ask_srv(struct target *t)
{
	char *name = xasprintf("_xmpp-server._tcp.%s", t->domain);

	t->srv = ask(t, DNS_SRV, name, on_srv, t);
	free(name);
}

struct target *target_find(struct loop *loop, struct dns *dns, const char *domain,
			   const char *xcoder, const struct target_rules *rules, target_fn *found,
			   void *arg)
{
	struct target *t = xcalloc(1, sizeof(*t));

	t->loop = loop;
	t->dns = dns;
	snprintf(t->domain, sizeof(t->domain), "%s", domain);
	snprintf(t->xcoder, sizeof(t->xcoder), "%s", xcoder);
	t->rules = *rules;
	t->found = found;
	t->arg = arg;
	t->began_us = loop_clock_us();
	t->failure = FAILURE_NO_SUCH_DOMAIN;
	t->hosts = xcalloc(TARGET_HOSTS_MAX, sizeof(t->hosts[0]));
	t->later.run = on_later;
	log_watched(rules->watched, EVENT_DNS_LOOKUP,
		    "xcoder=%s Starting resolver lookup for "
		    "'%s:puny=%s:service=_xmpp-server._tcp:defport=0'",
		    t->xcoder, t->domain, t->domain);
	if (rules->routes_count) {
		t->method = "STATIC";
		t->is_static = true;
		for (size_t i = 0; i < rules->routes_count; i++)
			add_host(t, rules->routes[i].host, rules->routes[i].port);
		look_up_hosts(t);
	} else if (domain_is_address(domain)) {
		t->method = "A";
		add_host(t, domain, PORT_S2S);
		look_up_hosts(t);
	} else {
		ask_srv(t);
	}
	return t;
}
