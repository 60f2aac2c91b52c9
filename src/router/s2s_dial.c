#include "router/s2s_pair.h"

#include "base/alloc.h"
#include "tables/events.h"

#include <stdlib.h>

#define RETRY_FIRST_MS 1000
#define RETRY_MOST_MS 60000
#define HOLD_MS 2000 /* after a failure that a retry cannot mend: refused without asking again */

void s2s_dial_set_why(struct s2s_pair *p, enum failure failure, const char *why)
{
	p->last_failure = failure;
	snprintf(p->why, sizeof(p->why), "%s", why ? why : "");
}

void s2s_dial_forget(struct s2s_pair *p)
{
	free(p->candidates);
	p->candidates = NULL;
	p->candidates_count = p->next_candidate = 0;
}

void s2s_dial_back_off(struct s2s_pair *p, enum failure failure, const char *why)
{
	bool retry = failure_rows[failure].retry;

	s2s_dial_set_why(p, failure, why);
	p->failures++;
	p->owner->tally.failed[1][failure]++;
	attempt_failed(p->name.attempt, s2s_pair_now_ms(p), failure, why);
	s2s_log(&p->name, EVENT_S2S_OUT_FAILED,
		"xcoder=%s local=%s peer=%s why=%s detail=\"%s\" waiting=%zu", p->name.xcoder,
		p->local, p->remote, failure_name(failure), p->why, p->waiting.count);
	s2s_log_state(&p->name, "PENDING", "DISCONNECTED", failure_name(failure));
	loop_arm(p->worker->loop, &p->retry,
		 retry ? worker_back_off_ms(p->failures, RETRY_FIRST_MS, RETRY_MOST_MS) : HOLD_MS);
	if (!retry)
		router_settle_all(p->worker->router, &p->waiting, LINK_REFUSED, failure);
	s2s_probe_ended(p);
}

void s2s_dial_failed(struct s2s_pair *p, enum failure failure, const char *why)
{
	s2s_dial_back_off(p, failure, why);
	s2s_questions_fail(&p->questions, failure);
}

/* No static address was reached: the last of them, and what became of it. */
static void note_dead_route(struct s2s_pair *p, const char *why)
{
	char address[CONN_ADDRESS_TEXT] = "no address", *text;

	if (p->reached || !config_has_static_route(p->worker->config, p->remote))
		return;
	if (p->candidates_count)
		conn_address_text(&p->candidates[p->candidates_count - 1].address, address);
	text = xasprintf("%s: %s", address, why);
	s2s_port_note_route(p->owner, p->remote, text);
	free(text);
}

void s2s_dial_next(struct s2s_pair *p, enum failure failure, const char *why)
{
	const struct target_candidate *candidate;
	char address[CONN_ADDRESS_TEXT];

	if (p->next_candidate == p->candidates_count) {
		note_dead_route(p, why);
		s2s_dial_forget(p);
		s2s_dial_failed(p, failure, why);
		return;
	}
	candidate = &p->candidates[p->next_candidate++];
	conn_address_text(&candidate->address, address);
	s2s_step(&p->name, ATTEMPT_US, STEP_TCP, STEP_INFO, "trying %s (%s)", address,
		 candidate->host);
	s2s_log(&p->name, EVENT_S2S_OUT_ATTEMPT,
		"xcoder=%s local=%s peer=%s host=%s address=%s after=%s", p->name.xcoder, p->local,
		p->remote, log_text(candidate->host), address, failure_name(failure));
	s2s_stream_dial(p, &candidate->address);
}

static void on_note(void *arg, bool good, uint32_t took_us, const char *text)
{
	struct s2s_pair *p = arg;

	attempt_note(p->name.attempt,
		     &(struct attempt_note){
			     .now_ms = s2s_pair_now_ms(p),
			     .took_ms = took_us ? took_us / 1000 : STEP_TOOK_UNKNOWN,
			     .who = ATTEMPT_DNS,
			     .step = STEP_DNS,
			     .verdict = good ? STEP_OK : STEP_BAD,
			     .text = slice_of(text),
		     });
}

static void on_found(void *arg, const struct target_answer *answer)
{
	struct s2s_pair *p = arg;

	p->target = NULL;
	if (answer->failure != FAILURE_NONE) {
		s2s_dial_failed(p, answer->failure, answer->why);
		return;
	}
	s2s_dial_forget(p);
	p->candidates = xmalloc(answer->count * sizeof(p->candidates[0]));
	memcpy(p->candidates, answer->candidates, answer->count * sizeof(p->candidates[0]));
	p->candidates_count = answer->count;
	p->reached = false;
	s2s_dial_next(p, FAILURE_NONE, NULL);
}

void s2s_dial_begin(struct s2s_pair *p)
{
	struct policy_decision decision = s2s_pair_decide(p);
	const struct config *config = p->worker->config;

	s2s_name_make(&p->name, s2s_pair_wants_ready(p));
	s2s_step(&p->name, ATTEMPT_POLICY, STEP_POLICY,
		 decision.refused == FAILURE_NONE ? STEP_OK : STEP_BAD, "%s and %s %s", p->local,
		 p->remote,
		 decision.refused != FAILURE_NONE ? failure_name(decision.refused)
		 : decision.routes_count	  ? "may talk, by a static route"
						  : "may talk, by the DNS");
	if (decision.refused != FAILURE_NONE) {
		s2s_dial_failed(p, decision.refused, failure_rows[decision.refused].text);
		return;
	}
	p->attempt_ms = s2s_pair_now_ms(p);
	p->stanzas = 0;
	p->target = target_find(p->worker->loop, p->worker->dns, p->remote, p->name.xcoder,
				&(struct target_rules){
					.routes = decision.routes,
					.routes_count = decision.routes_count,
					.allowed = config->allowed_networks,
					.allowed_count = config->allowed_networks_count,
					.own = p->worker->own,
					.own_count = p->worker->own_count,
					.random = worker_random,
					.note = on_note,
					.watched = s2s_is_watched(&p->name),
				},
				on_found, p);
}
