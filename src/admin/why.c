#include "admin/why.h"

#include "admin/asks.h"
#include "admin/why_report.h"
#include "admin/why_text.h"
#include "base/alloc.h"
#include "ipc/wire.h"

#include <stdlib.h>

#define WHY_MS 5000    /* for traffic's own knowledge */
#define PROBE_MS 28000 /* it gives up after 25 s by itself */
#define NODES_MAX 16   /* edges that a core asks */

/* One request. First traffic says what it knows; then a probe is made, or the edges are asked. */
struct inquiry {
	struct inquiry *next;
	struct why *why;
	uint64_t number; /* the desk's */
	bool probes;
	bool probing; /* traffic makes one */
	char *domain, *from;
	json_t *report, *reports; /* ours; those of edges */
	size_t waits;		  /* for edges */
};

struct why {
	struct desk *desk;
	struct tunnels *tunnels;
	struct asks *asks;
	struct inquiry *open;
};

static struct inquiry *find(const struct why *why, uint64_t number)
{
	struct inquiry *inquiry = why->open;

	while (inquiry && inquiry->number != number)
		inquiry = inquiry->next;
	return inquiry;
}

static void free_inquiry(struct inquiry *inquiry)
{
	json_decref(inquiry->report);
	json_decref(inquiry->reports);
	free(inquiry->domain);
	free(inquiry->from);
	free(inquiry);
}

static void end(struct inquiry *inquiry)
{
	struct inquiry **link = &inquiry->why->open;

	while (*link != inquiry)
		link = &(*link)->next;
	*link = inquiry->next;
	free_inquiry(inquiry);
}

static void refuse(struct inquiry *inquiry, const char *text)
{
	struct desk *desk = inquiry->why->desk;
	uint64_t number = inquiry->number;

	end(inquiry);
	desk_answer(desk, number, REPLY_FAILED, text, NULL);
}

static bool says(const json_t *report, const char *key, const char *value)
{
	const char *text = json_string_value(json_object_get(report, key));

	return text && strcmp(text, value) == 0;
}

/* A probe that did not get there is a failure, so that scripts see it. */
static void answer(struct inquiry *inquiry)
{
	struct desk *desk = inquiry->why->desk;
	uint64_t number = inquiry->number;
	json_t *report = json_incref(inquiry->report);
	bool failed = inquiry->probes && !says(report, "verdict", "up");
	char *text = why_text(report);

	end(inquiry);
	desk_answer(desk, number, failed ? REPLY_FAILED : REPLY_DONE, text, report);
	free(text);
	json_decref(report);
}

/* Edges */

static json_t *silent_edge(const struct inquiry *inquiry, const struct tunnels_reply *reply)
{
	const char *why = reply->why ? reply->why : reply->text;
	char *headline = xasprintf("%s cannot tell: %s", reply->node, why ? why : "no answer");
	json_t *report = json_pack("{s:s, s:s, s:s, s:s, s:n, s:o}", "domain", inquiry->domain,
				   "node", reply->node, "role", "edge", "verdict", "never",
				   "failure", "headline", protocol_string(slice_of(headline)));

	free(headline);
	return report;
}

static void on_edge(void *arg, uint64_t number, const struct tunnels_reply *reply)
{
	struct inquiry *inquiry = find(arg, number);
	json_t *report;

	if (!inquiry)
		return;
	if (json_is_object(reply->data))
		report = why_heard(reply->data, reply->node,
				   json_string_value(json_object_get(inquiry->report, "domain")));
	else
		report = silent_edge(inquiry, reply);
	json_array_append_new(inquiry->reports, report);
	if (--inquiry->waits)
		return;
	inquiry->report = why_merge(inquiry->report, inquiry->reports);
	inquiry->reports = NULL;
	answer(inquiry);
}

/* True: some are asked. */
static bool ask_edges(struct inquiry *inquiry)
{
	const char *words[3] = { inquiry->probes ? "probe" : "why", inquiry->domain };
	char *from = inquiry->from ? xasprintf("from=%s", inquiry->from) : NULL;
	const json_t *edges = json_object_get(inquiry->report, "ask");
	uint64_t number = inquiry->number;
	json_t *edge;
	size_t i;

	words[2] = from;
	inquiry->reports = json_array();
	json_array_foreach(edges, i, edge) inquiry->waits +=
		i < NODES_MAX && says(edge, "role", "edge");
	if (!inquiry->waits || !says(inquiry->report, "role", "core")) {
		free(from);
		return false;
	}
	json_array_foreach(edges, i, edge)
	{
		if (i < NODES_MAX && says(edge, "role", "edge"))
			tunnels_ask(inquiry->why->tunnels,
				    json_string_value(json_object_get(edge, "node")), words,
				    from ? 3 : 2, inquiry->probes ? PROBE_MS + 2000 : WHY_MS,
				    number, on_edge, inquiry->why);
	}
	free(from);
	return true;
}

/* Our own traffic */

static void ask_traffic(struct inquiry *inquiry, const char *verb, const char *more,
			unsigned timeout_ms)
{
	struct buffer body = { 0 };

	wire_put_u16(&body, more ? 4 : 3);
	wire_put_text(&body, verb);
	wire_put_text(&body, ""); /* the author, whom the desk has logged */
	wire_put_text(&body, inquiry->domain);
	if (more)
		wire_put_text(&body, more);
	asks_send(inquiry->why->asks, PROCESS_TRAFFIC, MESSAGE_COMMAND,
		  (struct slice){ buffer_data(&body), buffer_len(&body) }, timeout_ms,
		  inquiry->number);
	buffer_finish(&body);
}

/* What comes after our own knowledge, or after our own probe. */
static void go_on(struct inquiry *inquiry)
{
	if (inquiry->probes && !inquiry->probing && says(inquiry->report, "role", "edge")) {
		inquiry->probing = true;
		ask_traffic(inquiry, "probe", inquiry->from ? inquiry->from : "-", PROBE_MS);
	} else if (inquiry->probing || !ask_edges(inquiry)) {
		answer(inquiry);
	}
}

static void on_traffic(void *arg, uint64_t number, const struct ask_answer *said)
{
	struct inquiry *inquiry = find(arg, number);
	struct wire in = wire_read(said->body);
	uint8_t status = wire_get_u8(&in);
	struct slice body = wire_get_slice(&in);
	char *text;

	if (!inquiry)
		return;
	if (said->why)
		text = xasprintf("traffic %s", said->why);
	else if (!wire_is_done(&in))
		text = xstrdup("traffic answers what cannot be read");
	else if (status)
		text = xstrndup(body.data, body.len);
	else
		text = NULL;
	if (!text) {
		json_decref(inquiry->report);
		inquiry->report = why_report(body);
		if (!inquiry->report)
			text = xstrdup("traffic answers what cannot be read");
	}
	if (text)
		refuse(inquiry, text);
	else
		go_on(inquiry);
	free(text);
}

/* What people ask */

static struct inquiry *begin(struct why *why, const struct errand *errand, bool probes)
{
	struct inquiry *inquiry = xcalloc(1, sizeof(*inquiry));

	inquiry->next = why->open;
	inquiry->why = why;
	inquiry->number = errand->number;
	inquiry->probes = probes;
	inquiry->domain = xstrdup(errand->words[0]);
	why->open = inquiry;
	return inquiry;
}

static void run_why(void *arg, const struct errand *errand)
{
	ask_traffic(begin(arg, errand, false), "why", NULL, WHY_MS);
}

static void run_probe(void *arg, const struct errand *errand)
{
	struct inquiry *inquiry = begin(arg, errand, true);

	if (errand->count > 1 && strncmp(errand->words[1], "from=", 5) != 0) {
		refuse(inquiry, "after the domain there may be from=DOMAIN");
		return;
	}
	if (errand->count > 1)
		inquiry->from = xstrdup(errand->words[1] + 5);
	ask_traffic(inquiry, "why", NULL, WHY_MS);
}

static void on_gone(void *arg, uint64_t number)
{
	struct inquiry *inquiry = find(arg, number);

	if (inquiry)
		end(inquiry);
}

struct why *why_create(struct loop *loop, struct desk *desk, struct tunnels *tunnels)
{
	static const struct desk_part parts[] = { { "why", run_why, on_gone },
						  { "probe", run_probe, on_gone },
						  { NULL, NULL, NULL } };
	struct why *why = xcalloc(1, sizeof(*why));

	why->desk = desk;
	why->tunnels = tunnels;
	why->asks = asks_create(loop, on_traffic, why);
	desk_register(desk, parts, why);
	return why;
}

void why_destroy(struct why **why_ref)
{
	struct why *why = *why_ref;

	if (!why)
		return;
	*why_ref = NULL;
	asks_destroy(&why->asks);
	while (why->open) {
		struct inquiry *inquiry = why->open;

		why->open = inquiry->next;
		free_inquiry(inquiry);
	}
	free(why);
}

void why_reach(struct why *why, struct messenger *traffic)
{
	asks_reach(why->asks, PROCESS_TRAFFIC, traffic);
}

void why_take(struct why *why, const struct message *message)
{
	asks_take(why->asks, PROCESS_TRAFFIC, message);
}
