#include "net/dns.h"

#include "base/alloc.h"
#include "base/map.h"
#include "net/dns_wire.h"
#include "net/messenger.h"
#include "tables/events.h"

#include <stdlib.h>

struct dns {
	struct loop *loop;
	enum process self;
	struct messenger *resolver; /* NULL: none now */
	struct map queries;	    /* by their request number's bytes */
	uint32_t last_request;
};

struct dns_query {
	struct dns *dns;
	uint32_t request;
	char *name;
	struct dns_question question;
	bool impossible; /* the DNS cannot hold such a name, so it isn't there */
	dns_fn *answered;
	void *arg;
	bool watched;
	bool sent; /* to the resolver that we have now */
	uint64_t asked_us;
	struct timer deadline;
};

static const char *const type_names[] = {
	[DNS_SRV] = "SRV",
	[DNS_A] = "A",
	[DNS_AAAA] = "AAAA",
};

static const char *const status_names[] = {
	[DNS_FOUND] = "found",
	[DNS_ABSENT] = "absent",
	[DNS_EMPTY] = "empty",
	[DNS_SERVFAIL] = "servfail",
	[DNS_TIMED_OUT] = "timed-out",
	[DNS_BOGUS_ANSWER] = "bogus",
	[DNS_UNAVAILABLE] = "unavailable",
};

const char *dns_type_name(enum dns_type type)
{
	return type_names[type];
}

const char *dns_status_name(enum dns_status status)
{
	return status_names[status];
}

static struct slice key_of(const uint32_t *request)
{
	return (struct slice){ (const char *)request, sizeof(*request) };
}

static void log_answer(const struct dns_answer *answer, bool watched)
{
	enum event_id event;

	switch (answer->status) {
	case DNS_FOUND:
	case DNS_ABSENT:
	case DNS_EMPTY:
		event = EVENT_DNS_ANSWER;
		break;
	case DNS_BOGUS_ANSWER:
		event = EVENT_DNS_BOGUS;
		break;
	default:
		event = EVENT_DNS_FAILED;
	}
	log_watched(watched, event,
		    "name=%s type=%s status=%s records=%zu ttl=%u secure=%d us=%u why=\"%s\"",
		    answer->name, dns_type_name(answer->type), dns_status_name(answer->status),
		    answer->count, answer->ttl_s, answer->secure, answer->took_us,
		    answer->why ? answer->why : "");
}

static void forget(struct dns_query *query)
{
	map_remove(&query->dns->queries, key_of(&query->request));
	loop_disarm(query->dns->loop, &query->deadline);
}

static void free_query(struct dns_query *query)
{
	free(query->name);
	free(query);
}

/* The callback may destroy everything but the query, which nobody else can find any more. */
static void finish(struct dns_query *query, struct dns_answer *answer)
{
	answer->type = query->question.type;
	answer->name = query->name;
	answer->took_us = (uint32_t)(loop_clock_us() - query->asked_us);
	forget(query);
	log_answer(answer, query->watched);
	query->answered(query->arg, answer);
	free_query(query);
}

static void on_deadline(struct timer *timer)
{
	struct dns_query *query = (void *)((char *)timer - offsetof(struct dns_query, deadline));
	struct dns_answer answer = { .status = query->impossible ? DNS_ABSENT
					       : query->sent	 ? DNS_TIMED_OUT
								 : DNS_UNAVAILABLE };

	finish(query, &answer);
}

static void send_query(struct dns_query *query)
{
	uint64_t gone_ms = (loop_clock_us() - query->asked_us) / 1000;
	struct buffer body = { 0 };

	if (query->impossible)
		return;
	query->question.timeout_ms =
		gone_ms < DNS_TIMEOUT_MS ? DNS_TIMEOUT_MS - (uint32_t)gone_ms : 1;
	dns_wire_put_query(&body, &query->question);
	query->sent = messenger_send(query->dns->resolver, MESSAGE_QUERY, query->request,
				     (struct slice){ buffer_data(&body), buffer_len(&body) }, -1);
	buffer_finish(&body);
}

static void on_message(void *arg, struct message *message)
{
	struct dns *dns = arg;
	struct dns_query *query = map_get(&dns->queries, key_of(&message->request));
	struct dns_answer answer;

	if (message->type != MESSAGE_ANSWER || !query)
		return; /* it was cancelled, or its time is over */
	if (!dns_wire_get_answer(message->body, &answer) || answer.type != query->question.type) {
		dns_wire_free_answer(&answer);
		answer = (struct dns_answer){ .status = DNS_SERVFAIL,
					      .why = xstrdup(
						      "the resolver process talks nonsense") };
	}
	finish(query, &answer);
	dns_wire_free_answer(&answer);
}

static void on_gone(void *arg)
{
	struct dns *dns = arg;
	struct dns_query *query;
	size_t place = 0;

	messenger_destroy(&dns->resolver);
	while ((query = map_next(&dns->queries, &place, NULL)))
		query->sent = false;
	log_event(EVENT_RESOLVER_LOST, "outstanding=%zu", dns->queries.count);
}

static const struct messenger_handler handler = { on_message, on_gone };

void dns_set_resolver(struct dns *dns, int resolver_fd)
{
	struct dns_query *query;
	size_t place = 0;

	messenger_destroy(&dns->resolver);
	dns->resolver = messenger_create(dns->loop, resolver_fd, dns->self, PROCESS_RESOLVER,
					 &handler, dns);
	while ((query = map_next(&dns->queries, &place, NULL)))
		send_query(query);
}

struct dns *dns_create(struct loop *loop, enum process self, int resolver_fd)
{
	struct dns *dns = xcalloc(1, sizeof(*dns));

	dns->loop = loop;
	dns->self = self;
	if (resolver_fd >= 0)
		dns_set_resolver(dns, resolver_fd);
	return dns;
}

void dns_destroy(struct dns **dns_ref)
{
	struct dns *dns = *dns_ref;
	struct dns_query *query;

	if (!dns)
		return;
	*dns_ref = NULL;
	for (size_t place = 0; (query = map_next(&dns->queries, &place, NULL));)
		dns_cancel(&query);
	map_finish(&dns->queries);
	messenger_destroy(&dns->resolver);
	free(dns);
}

struct dns_query *dns_ask(struct dns *dns, enum dns_type type, const char *name, dns_fn *answered,
			  void *arg)
{
	struct dns_query *query = xcalloc(1, sizeof(*query));

	query->dns = dns;
	query->name = xstrdup(name);
	query->question.type = type;
	query->impossible = !dns_name_is_plain(slice_of(name));
	if (!query->impossible)
		memcpy(query->question.name, name, strlen(name));
	query->answered = answered;
	query->arg = arg;
	query->asked_us = loop_clock_us();
	query->deadline.fire = on_deadline;
	do
		query->request = ++dns->last_request;
	while (map_get(&dns->queries, key_of(&query->request)));
	map_put(&dns->queries, key_of(&query->request), query);
	loop_arm(dns->loop, &query->deadline, query->impossible ? 0 : DNS_TIMEOUT_MS);
	if (dns->resolver)
		send_query(query);
	return query;
}

void dns_watch(struct dns_query *query)
{
	query->watched = true;
}

void dns_cancel(struct dns_query **query_ref)
{
	struct dns_query *query = *query_ref;

	if (!query)
		return;
	*query_ref = NULL;
	forget(query);
	free_query(query);
}
