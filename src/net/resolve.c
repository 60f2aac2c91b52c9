#include "net/resolve.h"

#include "base/alloc.h"
#include "net/dns_packet.h"
#include "tables/events.h"

#include <stdlib.h>
#include <unbound-event.h>
#include <unbound.h>

#define CLASS_IN 1

struct resolve {
	struct loop *loop;
	struct ub_ctx *unbound; /* NULL: no server to ask */
	struct resolve_query *queries;
	size_t count;
};

struct resolve_query {
	struct resolve *resolve;
	struct resolve_query *next, **link;
	struct dns_question question;
	resolve_fn *answered;
	void *arg;
	int unbound_id;
	bool asking; /* libunbound has it */
	struct timer deadline;
	struct dns_answer answer;
	struct loop_task deliver; /* libunbound may answer inside the call that asks it */
};

static const int rr_types[] = { [DNS_SRV] = 33, [DNS_A] = 1, [DNS_AAAA] = 28 };

static const char *const options[][2] = {
	{ "use-syslog:", "no" },
	{ "do-not-query-localhost:", "no" },
	/* Otherwise an empty zone of its own; `nodefault` is ignored. */
	{ "local-zone:", "test. transparent" },
	{ "msg-cache-size:", "16m" },
	{ "rrset-cache-size:", "32m" },
	/* Waiting for a domain to come to life must not take long after it did. */
	{ "cache-max-negative-ttl:", "60" },
	/* We ask a resolver, not the authorities: asking it for each label in turn hides nothing
	 * from it and costs a round trip a label. */
	{ "qname-minimisation:", "no" },
	/* A library's default is 16 questions at a time, 2 of them over TCP. */
	{ "outgoing-range:", "512" },
	{ "num-queries-per-thread:", "1024" },
	{ "outgoing-num-tcp:", "64" },
	/* How long to wait at least before asking again, in ms. A resolver that answers from its
	 * cache in 1 ms and must go out for the next name takes 300: the default of 50 would throw
	 * three answers away before it took one. */
	{ "infra-cache-min-rtt:", "600" },
	/* A server that was down is found again when it is back, not after a quarter of an hour. */
	{ "infra-host-ttl:", "60" },
	{ "infra-keep-probing:", "yes" },
};

static void stop(struct resolve_query *query)
{
	if (query->asking)
		ub_cancel(query->resolve->unbound, query->unbound_id);
	query->asking = false;
}

static void forget(struct resolve_query *query)
{
	struct resolve *resolve = query->resolve;

	stop(query);
	loop_disarm(resolve->loop, &query->deadline);
	loop_undefer(resolve->loop, &query->deliver);
	*query->link = query->next;
	if (query->next)
		query->next->link = query->link;
	resolve->count--;
}

static void free_query(struct resolve_query *query)
{
	dns_wire_free_answer(&query->answer);
	free(query);
}

static void deliver(struct loop_task *task)
{
	struct resolve_query *query =
		(void *)((char *)task - offsetof(struct resolve_query, deliver));

	forget(query);
	query->answered(query->arg, &query->answer);
	free_query(query);
}

static void answer_later(struct resolve_query *query, enum dns_status status, const char *why)
{
	query->answer = (struct dns_answer){ .type = query->question.type, .status = status };
	query->answer.why = xstrdup(why);
	loop_defer(query->resolve->loop, &query->deliver);
}

static void on_deadline(struct timer *timer)
{
	struct resolve_query *query =
		(void *)((char *)timer - offsetof(struct resolve_query, deadline));

	if (!query->asking)
		return; /* the answer came in the same wake-up */
	stop(query);
	answer_later(query, DNS_TIMED_OUT, NULL);
}

static void read_packet(struct resolve_query *query, struct slice packet)
{
	size_t cut;

	dns_packet_read(packet, &query->question, &query->answer, &cut);
	if (cut)
		log_event(EVENT_DNS_CUT, "name=%s type=%s used=%zu cut=%zu", query->question.name,
			  dns_type_name(query->question.type), query->answer.count, cut);
	loop_defer(query->resolve->loop, &query->deliver);
}

/* `rcode` says only why there is no packet; a packet has its own. A bogus answer has data too. */
static void on_answer(void *arg, int rcode, void *packet, int len, int security, char *why_bogus,
		      int was_ratelimited)
{
	struct resolve_query *query = arg;
	enum { SECURITY_BOGUS = 1, SECURITY_SECURE = 2 };

	query->asking = false;
	if (security == SECURITY_BOGUS) {
		answer_later(query, DNS_BOGUS_ANSWER, why_bogus);
	} else if (rcode || !packet || len <= 0) {
		answer_later(query, DNS_SERVFAIL,
			     dns_packet_rcode_name(rcode ? (unsigned)rcode : 2));
	} else {
		read_packet(query, (struct slice){ packet, (size_t)len });
		query->answer.secure = security == SECURITY_SECURE;
	}
}

static void ignore_answer(void *arg, int rcode, void *packet, int len, int security,
			  char *why_bogus, int was_ratelimited)
{
}

static void start(struct resolve_query *query)
{
	int result;

	if (!query->resolve->unbound) {
		answer_later(query, DNS_UNAVAILABLE, "no DNS server is configured");
		return;
	}
	query->asking = true;
	result = ub_resolve_event(query->resolve->unbound, query->question.name,
				  rr_types[query->question.type], CLASS_IN, query, on_answer,
				  &query->unbound_id);
	if (result) {
		query->asking = false;
		answer_later(query, DNS_SERVFAIL, ub_strerror(result));
	}
}

/* One at a time, without comments: the library takes single records. */
static int add_anchors(struct ub_ctx *unbound, const char *lines)
{
	int failed = 0;

	while (*lines && !failed) {
		char *record = xstrndup(lines, strcspn(lines, ";\n"));

		if (record[strspn(record, " \t\r")])
			failed = ub_ctx_add_ta(unbound, record);
		free(record);
		lines += strcspn(lines, "\n");
		lines += *lines == '\n';
	}
	return failed;
}

static int set_up(struct ub_ctx *unbound, const struct resolve_config *config)
{
	int failed = ub_ctx_debugout(unbound, NULL); /* it logs in a grammar of its own */
	int id;

	for (size_t i = 0; i < nitems(options) && !failed; i++)
		failed = ub_ctx_set_option(unbound, options[i][0], options[i][1]);
	if (!failed)
		failed = ub_ctx_set_option(unbound, "module-config:",
					   config->trust_anchors ? "validator iterator"
								 : "iterator");
	for (size_t i = 0; i < config->servers_count && !failed; i++)
		failed = ub_ctx_set_fwd(unbound, config->servers[i]);
	if (!failed && config->trust_anchors)
		failed = add_anchors(unbound, config->trust_anchors);
	/* The first question ends the setting up, with the errors of it; none leaves the process.
	 */
	if (!failed)
		failed = ub_resolve_event(unbound, "localhost", rr_types[DNS_A], CLASS_IN, NULL,
					  ignore_answer, &id);
	return failed;
}

bool resolve_configure(struct resolve *resolve, const struct resolve_config *config,
		       const char **why)
{
	struct ub_ctx *unbound = NULL;
	int failed = 0;

	if (config->servers_count) {
		unbound = ub_ctx_create_event(loop_base(resolve->loop));
		failed = unbound ? set_up(unbound, config) : UB_NOMEM;
	}
	if (failed) {
		*why = ub_strerror(failed);
		ub_ctx_delete(unbound);
		return false;
	}
	/* Deleting a context answers what is open with SERVFAIL, whatever its header says. */
	for (struct resolve_query *q = resolve->queries; q; q = q->next) {
		if (q->asking)
			ub_cancel(resolve->unbound, q->unbound_id);
	}
	ub_ctx_delete(resolve->unbound);
	resolve->unbound = unbound;
	for (struct resolve_query *q = resolve->queries; q; q = q->next) {
		if (q->asking) {
			q->asking = false;
			start(q);
		}
	}
	return true;
}

struct resolve *resolve_create(struct loop *loop)
{
	struct resolve *resolve = xcalloc(1, sizeof(*resolve));

	resolve->loop = loop;
	return resolve;
}

void resolve_destroy(struct resolve **resolve_ref)
{
	struct resolve *resolve = *resolve_ref;

	if (!resolve)
		return;
	*resolve_ref = NULL;
	for (struct resolve_query *q = resolve->queries, *next; q; q = next) {
		next = q->next;
		resolve_cancel(&q);
	}
	ub_ctx_delete(resolve->unbound);
	free(resolve);
}

struct resolve_query *resolve_ask(struct resolve *resolve, const struct dns_question *question,
				  resolve_fn *answered, void *arg)
{
	struct resolve_query *query = xcalloc(1, sizeof(*query));
	uint32_t timeout_ms =
		question->timeout_ms < DNS_TIMEOUT_MS ? question->timeout_ms : DNS_TIMEOUT_MS;

	query->resolve = resolve;
	query->question = *question;
	query->answered = answered;
	query->arg = arg;
	query->deliver.run = deliver;
	query->deadline.fire = on_deadline;
	query->next = resolve->queries;
	if (query->next)
		query->next->link = &query->next;
	query->link = &resolve->queries;
	resolve->queries = query;
	loop_arm(resolve->loop, &query->deadline, timeout_ms);
	if (++resolve->count > RESOLVE_OUTSTANDING_MAX)
		answer_later(query, DNS_SERVFAIL, "too many questions at a time");
	else
		start(query);
	return query;
}

void resolve_cancel(struct resolve_query **query_ref)
{
	struct resolve_query *query = *query_ref;

	if (!query)
		return;
	*query_ref = NULL;
	forget(query);
	free_query(query);
}
