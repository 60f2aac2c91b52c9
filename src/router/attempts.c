#include "router/attempts_internal.h"

#include "base/alloc.h"
#include "base/log_escape.h"
#include "policy/domain.h"

#include <stdio.h>
#include <stdlib.h>

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
		for (struct attempt *a = domain->attempts[out].newest, *older; a; a = older) {
			older = a->older;
			drop_attempt(a);
		}
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

/* For one more. */
static void make_room(struct attempts *all)
{
	struct domain *stranger = all->strangers.oldest;

	if (all->domains.count >= ATTEMPTS_DOMAINS_MAX)
		drop_domain(all, stranger ? stranger : all->known.oldest);
	else if (all->strangers.count >= ATTEMPTS_STRANGERS_MAX)
		drop_domain(all, stranger);
}

static struct domain *find_domain(struct attempts *all, const char *remote)
{
	struct domain *domain = map_get(&all->domains, slice_of(remote));

	if (domain) {
		unlink_domain(all, domain);
		push_domain(all, domain);
		return domain;
	}
	make_room(all);
	domain = xcalloc(1, sizeof(*domain));
	domain->remote = xstrdup(remote);
	map_put(&all->domains, slice_of(remote), domain);
	push_domain(all, domain);
	all->bytes += domain_bytes(domain);
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
	if (!a->domain) {
		drop_attempt(a); /* nobody could ask for it */
	} else if (a->state == RUNNING) {
		a->state = CLOSED;
		a->settled_ms = a->began_ms + (a->count ? a->steps[a->count - 1].at_ms : 0);
	}
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

static bool completes_last(const struct attempt *a, const struct attempt_note *note)
{
	const struct step *last;

	if (!note->completes || !a->count)
		return false;
	last = &a->steps[a->count - 1];
	return last->step == note->step && last->verdict == STEP_INFO;
}

/* The step that the note completes, as it began; otherwise a new one. */
static struct step *step_for(struct attempt *a, const struct attempt_note *note)
{
	uint32_t at_ms = (uint32_t)(note->now_ms - a->began_ms);
	struct step *step;

	if (completes_last(a, note)) {
		step = &a->steps[a->count - 1];
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

static void blame(struct domain *domain, uint64_t now_ms, enum failure failure, const char *why)
{
	if (!domain || failure == FAILURE_NONE)
		return;
	domain->failure = failure;
	domain->failed_ms = now_ms;
	free(domain->why);
	domain->why = xstrdup(why);
}

/* Anybody may claim to be the domain: what comes of that says nothing while a stream of its own is
 * open. */
static bool is_hearsay(const struct attempt *a)
{
	if (a->out || a->was_ready || !a->domain)
		return false;
	for (const struct attempt *in = a->domain->attempts[false].newest; in; in = in->older) {
		if (in->state == READY)
			return true;
	}
	return false;
}

static void end(struct attempt *a, enum state state, uint64_t now_ms, enum failure failure,
		const char *why)
{
	a->state = state;
	if (!a->was_ready || state == FAILED)
		a->settled_ms = now_ms;
	set_end(a, failure, why);
	if (!is_hearsay(a))
		blame(a->domain, now_ms, failure, a->why);
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
	end(a, FAILED, now_ms, failure, why);
}

void attempt_closed(struct attempt *a, uint64_t now_ms, enum failure failure, const char *why)
{
	if (!a || a->state == FAILED || a->state == CLOSED)
		return;
	end(a, CLOSED, now_ms, failure, why);
}

void attempts_refused(struct attempts *all, const char *remote, uint64_t now_ms,
		      enum failure failure)
{
	struct domain *domain = find_domain(all, remote);

	get_known(all, domain);
	blame(domain, now_ms, failure, "");
}

void attempts_count(struct attempts *all, const char *remote, uint64_t stanzas)
{
	struct domain *domain = map_get(&all->domains, slice_of(remote));

	if (domain)
		domain->stanzas += stanzas;
}
