#include "router/attempts_internal.h"

#include "ipc/snapshot.h"

#include <inttypes.h>
#include <stdio.h>

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
