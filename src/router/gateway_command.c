#include "router/gateway_internal.h"

#include "base/alloc.h"
#include "tables/events.h"

#include <stdlib.h>

#define SECONDS_DIGITS 6

/* Who is to be answered; the same for each command. */
struct asker {
	gateway_answer_fn *answer;
	void *arg;
	uint64_t tag;
};

static bool retry(struct gateway *g, struct slice word, char **answer)
{
	char domain[DOMAIN_BYTES + 1];
	size_t count;

	if (!domain_prepare(word, domain)) {
		*answer = xasprintf("'%.*s' is not a domain", SLICE_ARGS(word));
		return false;
	}
	count = g->s2s ? s2s_port_retry(g->s2s, domain) : 0;
	*answer = count ? xasprintf("%s: trying again now", domain)
			: xasprintf("%s: nothing waits for it here", domain);
	return count > 0;
}

static bool close_stream(struct gateway *g, struct slice word, char **answer)
{
	char *xcoder = xstrndup(word.data, word.len);
	size_t count = g->s2s ? s2s_port_close(g->s2s, xcoder) : 0;

	*answer = count ? xasprintf("stream %s: closing", xcoder)
			: xasprintf("no stream has the xcoder %s", xcoder);
	free(xcoder);
	return count > 0;
}

static bool reset(struct gateway *g, struct slice word, char **answer)
{
	char *name = xstrndup(word.data, word.len);
	struct link_port *link = gateway_find_link(g, name);

	if (link)
		link_port_reset(link, "reset by hand");
	*answer = link ? xasprintf("link to %s: reset", name)
		       : xasprintf("no node is called %s here", name);
	free(name);
	return link != NULL;
}

static bool restart_router(struct gateway *g, struct slice word, char **answer)
{
	if (!g->config->gated) {
		*answer = xstrdup("only a home node's router works by a table");
		return false;
	}
	log_event(EVENT_ROUTER_RESTARTED, "rows=%zu", g->config->stored.count);
	gateway_load(g, true);
	gateway_set_routes(g);
	*answer = xasprintf("router: restarted, %zu row%s of xmpps2snodes loaded", g->loaded.count,
			    g->loaded.count == 1 ? "" : "s");
	return true;
}

/* Followed for a time */

static void on_watch_over(struct timer *timer)
{
	struct gateway *g = (void *)((char *)timer - offsetof(struct gateway, watch_over));
	uint64_t next_ms = watches_expire(&g->worker.watches, loop_now_ms(g->worker.loop));

	if (next_ms)
		loop_arm(g->worker.loop, &g->watch_over, next_ms);
}

static bool read_seconds(struct slice digits, unsigned *seconds)
{
	*seconds = 0;
	for (size_t i = 0; i < digits.len; i++) {
		if (digits.data[i] < '0' || digits.data[i] > '9')
			return false;
		*seconds = *seconds * 10 + (unsigned)(digits.data[i] - '0');
	}
	return digits.len && digits.len < SECONDS_DIGITS && *seconds <= WATCHES_SECONDS_MAX;
}

static bool is_xcoder(struct slice word)
{
	return word.len == 9 && strspn(word.data, "0123456789ABCDEF") >= word.len;
}

/* A domain, or the xcoder of a stream. */
static bool watch(struct gateway *g, const struct slice *words, char **answer)
{
	char target[DOMAIN_BYTES + 1];
	unsigned seconds;

	if (!read_seconds(words[2], &seconds)) {
		*answer = xasprintf("'%.*s' is no number of seconds up to %d", SLICE_ARGS(words[2]),
				    WATCHES_SECONDS_MAX);
		return false;
	}
	if (is_xcoder(words[1])) {
		snprintf(target, sizeof(target), "%.*s", SLICE_ARGS(words[1]));
	} else if (!domain_prepare(words[1], target)) {
		*answer = xasprintf("'%.*s' is neither a domain nor a stream's xcoder",
				    SLICE_ARGS(words[1]));
		return false;
	}
	if (!watches_set(&g->worker.watches, target, seconds, loop_now_ms(g->worker.loop))) {
		*answer = xasprintf("%d domains or streams are followed already", WATCHES_MAX);
		return false;
	}
	g->watch_over.fire = on_watch_over;
	on_watch_over(&g->watch_over);
	*answer = xasprintf(seconds ? "%s: followed for %u s" : "%s: not followed any more", target,
			    seconds);
	return true;
}

void gateway_forget_watches(struct gateway *g)
{
	g->worker.watches.count = 0;
	loop_disarm(g->worker.loop, &g->watch_over);
}

/* What happened with a domain */

static void why(struct gateway *g, const struct slice *words, const struct asker *asker)
{
	char domain[DOMAIN_BYTES + 1];
	struct buffer out = { 0 };
	char *text;

	if (!domain_prepare(words[1], domain)) {
		text = xasprintf("'%.*s' is not a domain", SLICE_ARGS(words[1]));
		asker->answer(asker->arg, asker->tag, false, slice_of(text));
		free(text);
		return;
	}
	gateway_why_begin(g, domain, &out);
	if (g->s2s)
		s2s_port_why(g->s2s, domain, &out);
	asker->answer(asker->arg, asker->tag, true,
		      (struct slice){ buffer_data(&out), buffer_len(&out) });
	buffer_finish(&out);
}

struct probing {
	struct gateway *gateway;
	struct asker asker;
	char domain[DOMAIN_BYTES + 1];
};

static void on_probed(void *arg, const struct slice *records)
{
	struct probing *probing = arg;
	struct buffer out = { 0 };

	if (records) {
		gateway_why_begin(probing->gateway, probing->domain, &out);
		buffer_append_slice(&out, *records);
		probing->asker.answer(probing->asker.arg, probing->asker.tag, true,
				      (struct slice){ buffer_data(&out), buffer_len(&out) });
		buffer_finish(&out);
	}
	free(probing);
}

/* The first federated domain; NULL: there is none. */
static const char *any_local(const struct gateway *g)
{
	for (size_t i = 0; i < g->config->domains_count; i++) {
		if (policy_is_federated(g->config->policy, g->config->domains[i].domain))
			return g->config->domains[i].domain;
	}
	return NULL;
}

static char *prepare_probe(const struct gateway *g, const struct slice *words,
			   char local[DOMAIN_BYTES + 1], char remote[DOMAIN_BYTES + 1])
{
	const char *any = any_local(g);

	if (!domain_prepare(words[1], remote))
		return xasprintf("'%.*s' is not a domain", SLICE_ARGS(words[1]));
	if (slice_is(words[2], "-") && !any)
		return xstrdup("no domain of ours is federated here");
	if (!domain_prepare(slice_is(words[2], "-") ? slice_of(any) : words[2], local) ||
	    !policy_is_local(g->config->policy, local))
		return xasprintf("'%.*s' is no domain of ours", SLICE_ARGS(words[2]));
	if (!g->s2s)
		return xstrdup("this node has no side to the world: an edge can be asked");
	return NULL;
}

static void probe(struct gateway *g, const struct slice *words, const struct asker *asker)
{
	char local[DOMAIN_BYTES + 1];
	struct probing *probing = xcalloc(1, sizeof(*probing));
	char *text = prepare_probe(g, words, local, probing->domain);

	probing->gateway = g;
	probing->asker = *asker;
	if (!text && !s2s_port_probe(g->s2s, local, probing->domain, on_probed, probing))
		text = xasprintf("%d probes run already, or the node is stopping", S2S_PROBES_MAX);
	if (!text)
		return;
	asker->answer(asker->arg, asker->tag, false, slice_of(text));
	free(text);
	free(probing);
}

static bool run_now(struct gateway *g, const struct slice *words, size_t count, char **answer)
{
	static const struct {
		const char *verb;
		size_t count; /* of words, with the verb */
		bool (*run)(struct gateway *g, struct slice word, char **answer);
	} commands[] = { { "retry", 2, retry },
			 { "close", 2, close_stream },
			 { "reset", 2, reset },
			 { "restart-router", 1, restart_router } };

	for (size_t i = 0; i < nitems(commands); i++) {
		if (count == commands[i].count && slice_is(words[0], commands[i].verb))
			return commands[i].run(g, words[count - 1], answer);
	}
	if (count == 3 && slice_is(words[0], "watch"))
		return watch(g, words, answer);
	*answer = xstrdup("traffic knows: retry DOMAIN, close XCODER, reset NODE, restart-router, "
			  "watch TARGET SECONDS, why DOMAIN, probe DOMAIN LOCAL|-");
	return false;
}

void gateway_command(struct gateway *g, const struct slice *words, size_t count,
		     gateway_answer_fn *answer, void *arg, uint64_t tag)
{
	struct asker asker = { answer, arg, tag };
	char *text = NULL;
	bool done;

	if (count == 2 && slice_is(words[0], "why")) {
		why(g, words, &asker);
	} else if (count == 3 && slice_is(words[0], "probe")) {
		probe(g, words, &asker);
	} else {
		done = run_now(g, words, count, &text);
		answer(arg, tag, done, slice_of(text));
		free(text);
	}
}
