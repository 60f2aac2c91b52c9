#include "router/attempts.h"

#include "base/alloc.h"
#include "base/log_escape.h"
#include "base/map.h"
#include "ipc/snapshot.h"
#include "policy/domain.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define STEPS_FIRST 32 /* that are never left out */
#define XCODER_BYTES 12
#define WHY_BYTES 200

enum state { RUNNING, READY, FAILED, CLOSED };

struct step {
	uint32_t at_ms, took_ms;
	uint8_t who, step, verdict;
	char *text;
};

struct list {
	struct attempt *newest, *oldest;
};

struct attempt {
	struct attempts *all;
	struct domain *domain; /* NULL: unnamed so far, in all->unnamed */
	struct attempt *newer, *older;
	struct attempt **holder;
	char *local;
	char xcoder[XCODER_BYTES];
	bool out, was_ready, wanted;
	enum state state;
	enum failure failure;
	char *why;
	uint64_t began_ms, settled_ms, unix_ms;
	struct step *steps;
	size_t count, left_out, bytes;
};

struct domain {
	char *remote;
	struct domain *newer, *older;
	bool known;		 /* more than a claim speaks of it */
	struct list attempts[2]; /* in, out */
	enum failure failure;
	uint64_t failed_ms, stanzas;
	char *why;
};

/* In the order in which they were last talked to. */
struct order {
	struct domain *newest, *oldest;
	size_t count;
};

struct attempts {
	struct map domains;
	struct order strangers, known;
	struct list unnamed;
	size_t bytes;
};

static const char *const whos[] = { [ATTEMPT_US] = "us",
				    [ATTEMPT_PEER] = "peer",
				    [ATTEMPT_DNS] = "dns",
				    [ATTEMPT_POLICY] = "policy" };
static const char *const steps[] = {
	[STEP_POLICY] = "policy",     [STEP_DNS] = "dns",
	[STEP_TCP] = "tcp",	      [STEP_STREAM] = "stream",
	[STEP_FEATURES] = "features", [STEP_STARTTLS] = "starttls",
	[STEP_TLS] = "tls",	      [STEP_CERTIFICATE] = "certificate",
	[STEP_DIALBACK] = "dialback", [STEP_VERIFY] = "verify",
	[STEP_SASL] = "sasl",	      [STEP_READY] = "ready",
	[STEP_CLOSED] = "closed",
};
static const char *const verdicts[] = {
	[STEP_INFO] = "info", [STEP_OK] = "ok", [STEP_BAD] = "bad"
};
static const char *const states[] = {
	[RUNNING] = "running", [READY] = "ready", [FAILED] = "failed", [CLOSED] = "closed"
};

/* Attempts in lists */

static struct list *list_of(const struct attempt *a)
{
	return a->domain ? &a->domain->attempts[a->out] : &a->all->unnamed;
}

static void enlist(struct attempt *a)
{
	struct list *list = list_of(a);

	a->older = list->newest;
	*(list->newest ? &list->newest->newer : &list->oldest) = a;
	list->newest = a;
}

static void unlist(struct attempt *a)
{
	struct list *list = list_of(a);

	*(a->newer ? &a->newer->older : &list->newest) = a->older;
	*(a->older ? &a->older->newer : &list->oldest) = a->newer;
	a->newer = a->older = NULL;
}

static void drop_attempt(struct attempt *a)
{
	unlist(a);
	if (a->holder)
		*a->holder = NULL;
	for (size_t i = 0; i < a->count; i++)
		free(a->steps[i].text);
	a->all->bytes -= a->bytes;
	free(a->steps);
	free(a->local);
	free(a->why);
	free(a);
}

/* The oldest goes, but not the last that was ready. */
static void keep_few(struct domain *domain, bool out)
{
	struct attempt *victim = NULL;
	size_t count = 0;
	bool seen_ready = false;

	for (struct attempt *a = domain->attempts[out].newest; a; a = a->older) {
		bool stays = a->was_ready && !seen_ready;

		seen_ready = seen_ready || a->was_ready;
		victim = stays ? victim : a;
		count++;
	}
	if (count > ATTEMPTS_KEPT)
		drop_attempt(victim);
}

/* Domains */

static struct order *order_of(struct attempts *all, const struct domain *domain)
{
	return domain->known ? &all->known : &all->strangers;
}

static void unlink_domain(struct attempts *all, struct domain *domain)
{
	struct order *order = order_of(all, domain);

	*(domain->newer ? &domain->newer->older : &order->newest) = domain->older;
	*(domain->older ? &domain->older->newer : &order->oldest) = domain->newer;
	domain->newer = domain->older = NULL;
	order->count--;
}

static void push_domain(struct attempts *all, struct domain *domain)
{
	struct order *order = order_of(all, domain);

	domain->older = order->newest;
	*(order->newest ? &order->newest->newer : &order->oldest) = domain;
	order->newest = domain;
	order->count++;
}

static size_t domain_bytes(const struct domain *domain)
{
	return sizeof(*domain) + 2 * strlen(domain->remote);
}

static void drop_domain(struct attempts *all, struct domain *domain)
{
	for (size_t out = 0; out < 2; out++) {
		while (domain->attempts[out].newest)
			drop_attempt(domain->attempts[out].newest);
	}
	unlink_domain(all, domain);
	map_remove(&all->domains, slice_of(domain->remote));
	all->bytes -= domain_bytes(domain);
	free(domain->remote);
	free(domain->why);
	free(domain);
}

/* The one to go first, other than `but`; NULL: there is none. */
static struct domain *least(const struct order *order, const struct domain *but)
{
	return order->oldest && order->oldest == but ? but->newer : order->oldest;
}

/* Unnamed connections go first, then what was only claimed. What is in use stays. */
static bool drop_least(struct attempts *all, const struct attempt *but, const struct domain *of)
{
	struct attempt *victim = all->unnamed.oldest;
	struct domain *domain;

	victim = victim == but ? victim->newer : victim;
	if (victim) {
		drop_attempt(victim);
		return true;
	}
	domain = least(&all->strangers, of);
	domain = domain ? domain : least(&all->known, of);
	if (domain)
		drop_domain(all, domain);
	return domain != NULL;
}

static void make_room(struct attempts *all, const struct domain *but)
{
	struct domain *domain = least(&all->strangers, but);

	if (all->domains.count > ATTEMPTS_DOMAINS_MAX)
		drop_domain(all, domain ? domain : least(&all->known, but));
	else if (all->strangers.count > ATTEMPTS_STRANGERS_MAX)
		drop_domain(all, domain);
}

static struct domain *find_domain(struct attempts *all, const char *remote)
{
	struct domain *domain = map_get(&all->domains, slice_of(remote));

	if (domain) {
		unlink_domain(all, domain);
		push_domain(all, domain);
		return domain;
	}
	domain = xcalloc(1, sizeof(*domain));
	domain->remote = xstrdup(remote);
	map_put(&all->domains, slice_of(remote), domain);
	push_domain(all, domain);
	all->bytes += domain_bytes(domain);
	make_room(all, domain);
	return domain;
}

static void get_known(struct attempts *all, struct domain *domain)
{
	if (domain->known)
		return;
	unlink_domain(all, domain);
	domain->known = true;
	push_domain(all, domain);
}

struct attempts *attempts_create(void)
{
	return xcalloc(1, sizeof(struct attempts));
}

void attempts_destroy(struct attempts **all_ref)
{
	struct attempts *all = *all_ref;

	if (!all)
		return;
	*all_ref = NULL;
	while (all->unnamed.newest)
		drop_attempt(all->unnamed.newest);
	while (all->known.newest)
		drop_domain(all, all->known.newest);
	while (all->strangers.newest)
		drop_domain(all, all->strangers.newest);
	map_finish(&all->domains);
	free(all);
}

/* An attempt's life */

static void file(struct attempt *a, const char *remote)
{
	a->domain = *remote ? find_domain(a->all, remote) : NULL;
	enlist(a);
	if (!a->domain)
		return;
	if (a->wanted)
		get_known(a->all, a->domain);
	keep_few(a->domain, a->out);
}

void attempt_begin(struct attempts *all, struct attempt **holder, const struct attempt_start *start)
{
	struct attempt *a;

	attempt_release(holder);
	a = xcalloc(1, sizeof(*a));
	*a = (struct attempt){
		.all = all,
		.holder = holder,
		.local = xstrdup(start->local),
		.out = start->out,
		.wanted = start->wanted,
		.began_ms = start->now_ms,
		.unix_ms = start->unix_ms,
		.bytes = sizeof(*a) + DOMAIN_BYTES,
	};
	snprintf(a->xcoder, sizeof(a->xcoder), "%s", start->xcoder);
	*holder = a;
	all->bytes += a->bytes;
	file(a, start->remote);
	while (all->bytes > ATTEMPTS_BYTES_MAX && drop_least(all, a, a->domain))
		;
}

void attempt_name(struct attempt *a, const char *local, const char *remote)
{
	if (!a || a->was_ready)
		return;
	if (*local && strcmp(a->local, local) != 0) {
		free(a->local);
		a->local = xstrdup(local);
	}
	if (!*remote || (a->domain && strcmp(a->domain->remote, remote) == 0))
		return;
	unlist(a);
	file(a, remote);
}

void attempt_release(struct attempt **holder)
{
	struct attempt *a = *holder;

	if (!a)
		return;
	*holder = NULL;
	a->holder = NULL;
	if (!a->domain)
		drop_attempt(a); /* nobody could ask for it */
}

static char *escaped(struct slice text, size_t size)
{
	char *copy = xmalloc(size + 1);
	size_t len = log_escape(copy, size, text, false);
	char *kept = xstrndup(copy, len);

	free(copy);
	return kept;
}

static size_t step_bytes(const struct step *step)
{
	return sizeof(*step) + strlen(step->text) + 1;
}

/* One in the middle goes, so that beginning and end are there. */
static void leave_one_out(struct attempt *a)
{
	struct step *step = &a->steps[STEPS_FIRST];

	a->bytes -= step_bytes(step);
	a->all->bytes -= step_bytes(step);
	free(step->text);
	memmove(step, step + 1, (--a->count - STEPS_FIRST) * sizeof(*step));
	a->left_out++;
}

/* The step that the note completes, as it began; otherwise a new one. */
static struct step *step_for(struct attempt *a, const struct attempt_note *note)
{
	struct step *step = a->count ? &a->steps[a->count - 1] : NULL;
	uint32_t at_ms = (uint32_t)(note->now_ms - a->began_ms);

	if (note->completes && step && step->step == note->step && step->verdict == STEP_INFO) {
		a->bytes -= step_bytes(step);
		a->all->bytes -= step_bytes(step);
		free(step->text);
		step->took_ms = at_ms - step->at_ms;
		return step;
	}
	if (a->count == ATTEMPTS_STEPS_MAX)
		leave_one_out(a);
	a->steps = xrealloc(a->steps, (a->count + 1) * sizeof(*step));
	step = &a->steps[a->count++];
	step->at_ms = at_ms;
	step->took_ms = note->took_ms;
	return step;
}

void attempt_note(struct attempt *a, const struct attempt_note *note)
{
	struct step *step;

	if (!a)
		return;
	step = step_for(a, note);
	*step = (struct step){
		.at_ms = step->at_ms,
		.took_ms = step->took_ms,
		.who = (uint8_t)note->who,
		.step = (uint8_t)note->step,
		.verdict = (uint8_t)note->verdict,
		.text = escaped(note->text, ATTEMPTS_TEXT_BYTES),
	};
	a->bytes += step_bytes(step);
	a->all->bytes += step_bytes(step);
	while (a->all->bytes > ATTEMPTS_BYTES_MAX && drop_least(a->all, a, a->domain))
		;
}

static void set_end(struct attempt *a, enum failure failure, const char *why)
{
	a->failure = failure;
	free(a->why);
	a->why = escaped(slice_of(why ? why : ""), WHY_BYTES);
}

static void blame(struct attempt *a, uint64_t now_ms)
{
	struct domain *domain = a->domain;

	if (!domain || a->failure == FAILURE_NONE)
		return;
	domain->failure = a->failure;
	domain->failed_ms = now_ms;
	free(domain->why);
	domain->why = xstrdup(a->why);
}

void attempt_ready(struct attempt *a, uint64_t now_ms)
{
	if (!a || a->state == READY)
		return;
	a->state = READY;
	a->was_ready = true;
	a->settled_ms = now_ms;
	set_end(a, FAILURE_NONE, NULL);
	if (a->domain) {
		a->domain->failure = FAILURE_NONE;
		get_known(a->all, a->domain);
	}
}

void attempt_failed(struct attempt *a, uint64_t now_ms, enum failure failure, const char *why)
{
	if (!a || a->state == FAILED || a->state == CLOSED)
		return;
	a->state = FAILED;
	a->settled_ms = now_ms;
	set_end(a, failure, why);
	blame(a, now_ms);
}

void attempt_closed(struct attempt *a, uint64_t now_ms, enum failure failure, const char *why)
{
	if (!a || a->state == FAILED || a->state == CLOSED)
		return;
	a->state = CLOSED;
	if (!a->was_ready)
		a->settled_ms = now_ms;
	set_end(a, failure, why);
	blame(a, now_ms);
}

void attempts_count(struct attempts *all, const char *remote, uint64_t stanzas)
{
	struct domain *domain = map_get(&all->domains, slice_of(remote));

	if (domain)
		domain->stanzas += stanzas;
}

/* Telling */

static void add(struct buffer *out, size_t count, const char *const *fields)
{
	struct snapshot_record record = { .count = count };

	for (size_t i = 0; i < count; i++)
		record.fields[i] = slice_of(fields[i]);
	snapshot_add(out, &record);
}

static void write_step(struct buffer *out, const struct step *step)
{
	char at[12], took[12] = "";

	snprintf(at, sizeof(at), "%" PRIu32, step->at_ms);
	if (step->took_ms != STEP_TOOK_UNKNOWN)
		snprintf(took, sizeof(took), "%" PRIu32, step->took_ms);
	add(out, 7,
	    (const char *[]){ "step", at, took, whos[step->who], steps[step->step],
			      verdicts[step->verdict], step->text });
}

static void write_left_out(struct buffer *out, const struct attempt *a)
{
	char text[48];

	if (!a->left_out)
		return;
	snprintf(text, sizeof(text), "%zu steps are left out here", a->left_out);
	write_step(out, &(struct step){ .at_ms = a->steps[STEPS_FIRST].at_ms,
					.took_ms = STEP_TOOK_UNKNOWN,
					.step = a->steps[STEPS_FIRST].step,
					.text = text });
}

void attempt_write(const struct attempt *a, uint64_t now_ms, struct buffer *out)
{
	char began[24], took[24];

	snprintf(began, sizeof(began), "%" PRIu64, a->unix_ms);
	snprintf(took, sizeof(took), "%" PRIu64,
		 (a->state == RUNNING ? now_ms : a->settled_ms) - a->began_ms);
	add(out, 10,
	    (const char *[]){ "attempt", a->out ? "out" : "in", a->local,
			      a->domain ? a->domain->remote : "", a->xcoder, began, took,
			      states[a->state],
			      a->failure == FAILURE_NONE ? "" : failure_name(a->failure),
			      a->why ? a->why : "" });
	for (size_t i = 0; i < a->count; i++) {
		if (i == STEPS_FIRST)
			write_left_out(out, a);
		write_step(out, &a->steps[i]);
	}
}

bool attempts_write(const struct attempts *all, const char *remote, uint64_t now_ms,
		    struct buffer *out)
{
	const struct domain *domain = map_get(&all->domains, slice_of(remote));
	const struct attempt *at[2];

	if (!domain)
		return false;
	at[0] = domain->attempts[0].newest;
	at[1] = domain->attempts[1].newest;
	while (at[0] || at[1]) {
		size_t turn = !at[0] ? 1 : !at[1] ? 0 : at[1]->began_ms >= at[0]->began_ms;

		attempt_write(at[turn], now_ms, out);
		at[turn] = at[turn]->older;
	}
	return true;
}

bool attempts_next(const struct attempts *all, const void **place, struct attempts_domain *view)
{
	const struct domain *last = *place, *domain = last ? last->older : all->known.newest;

	if (!domain && (!last || last->known))
		domain = all->strangers.newest;
	*place = domain;
	if (!domain)
		return false;
	*view = (struct attempts_domain){ domain->remote, domain->failure, domain->failed_ms,
					  domain->why ? domain->why : "", domain->stanzas };
	return true;
}
