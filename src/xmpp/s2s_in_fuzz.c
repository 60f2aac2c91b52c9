#include "xmpp/s2s_in.h"

#include "base/alloc.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * The input is a dialogue: bytes of the peer's, with inputs of the driver's in between, each one
 * control character. What must hold: a pair is ready only by a valid verdict on its own claim,
 * stanzas are only of ready pairs, nothing follows S2S_CLOSED, output and notes are bounded, and
 * a session that is left alone ends.
 */
#define REQUESTS 64
#define PAIR_BYTES (2 * DOMAIN_BYTES + 2)

struct fuzz {
	struct s2s_in *in;
	struct policy *policies[2];
	char claims[REQUESTS][PAIR_BYTES]; /* by request */
	char valid[PAIR_BYTES];		   /* the claim that has just been found valid; or "" */
	uint64_t verify, check;		   /* the last requests */
	size_t output;
	bool is_closed;
};

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void print_pair(char pair[PAIR_BYTES], const struct dialback_claim *claim)
{
	snprintf(pair, PAIR_BYTES, "%s %s", claim->sender_domain, claim->target_domain);
}

static bool is_proven(const struct fuzz *fuzz, const struct dialback_claim *claim)
{
	struct dialback_claim pair;
	size_t place = 0;

	while (s2s_in_next_pair(fuzz->in, &place, &pair)) {
		if (strcmp(pair.sender_domain, claim->sender_domain) == 0 &&
		    strcmp(pair.target_domain, claim->target_domain) == 0)
			return true;
	}
	return false;
}

static void look_at(struct fuzz *fuzz, const struct s2s_action *action)
{
	char pair[PAIR_BYTES];

	must(!fuzz->is_closed || action->type == S2S_NONE);
	switch (action->type) {
	case S2S_VERIFY:
		fuzz->verify = action->request;
		print_pair(fuzz->claims[action->request % REQUESTS], &action->claim);
		break;
	case S2S_CHECK_KEY:
		fuzz->check = action->request;
		break;
	case S2S_READY:
		print_pair(pair, &action->claim);
		must(strcmp(pair, fuzz->valid) == 0);
		fuzz->valid[0] = '\0';
		break;
	case S2S_STANZA:
		must(action->stanza->kind != STANZA_OTHER && is_proven(fuzz, &action->claim));
		break;
	case S2S_NOTE:
		must(action->text.len <= 500);
		break;
	case S2S_TIMER:
		must(action->seconds > 0);
		break;
	case S2S_CLOSED:
		fuzz->is_closed = true;
		break;
	default:
		break;
	}
}

static void run(struct fuzz *fuzz)
{
	struct buffer *output = s2s_in_output(fuzz->in);
	struct s2s_action action;

	do {
		action = s2s_in_next(fuzz->in);
		look_at(fuzz, &action);
		fuzz->output += buffer_len(output);
		buffer_consume(output, buffer_len(output));
	} while (action.type != S2S_NONE);
}

static void driver_does(struct fuzz *fuzz, uint8_t what)
{
	switch (what) {
	case 1:
		s2s_in_secured(fuzz->in, &(struct s2s_tls){ .certificate_valid = true });
		break;
	case 2:
		memcpy(fuzz->valid, fuzz->claims[fuzz->verify % REQUESTS], PAIR_BYTES);
		s2s_in_verified(fuzz->in, fuzz->verify, S2S_VALID, FAILURE_NONE);
		break;
	case 3:
		s2s_in_verified(fuzz->in, fuzz->verify, S2S_INVALID, FAILURE_NONE);
		break;
	case 4:
		s2s_in_verified(fuzz->in, fuzz->verify, S2S_VERDICT_ERROR, FAILURE_TIMEOUT);
		break;
	case 5:
		s2s_in_key_checked(fuzz->in, fuzz->check, true);
		break;
	case 6:
		s2s_in_timeout(fuzz->in);
		break;
	case 7:
		s2s_in_set_policy(fuzz->in, fuzz->policies[1]);
		break;
	case 8:
		s2s_in_close(fuzz->in, "system-shutdown", FAILURE_SHUTDOWN);
		break;
	default:
		s2s_in_closed(fuzz->in, FAILURE_LOST, "reset");
	}
	run(fuzz);
	fuzz->valid[0] = '\0';
}

static void peer_sends(struct fuzz *fuzz, const uint8_t *bytes, size_t len)
{
	while (len > 0) {
		size_t room = len;
		char *to = s2s_in_room(fuzz->in, &room);

		room = room < len ? room : len;
		if (room == 0)
			return; /* after the end nothing is taken */
		memcpy(to, bytes, room);
		s2s_in_filled(fuzz->in, room);
		bytes += room;
		len -= room;
		run(fuzz);
	}
}

static struct policy *make_policy(enum security_mode security, const char *denied)
{
	struct policy *policy = policy_create();

	policy_set_enabled(policy, true);
	policy_set_privacy(policy, PRIVACY_DENY_LIST);
	policy_set_security(policy, security);
	policy_add_denied(policy, slice_of(denied));
	policy_add_local(policy, slice_of("a.example"), true);
	policy_add_local(policy, slice_of("b.example"), true);
	return policy;
}

static void is_left_alone(struct fuzz *fuzz)
{
	for (uint64_t i = 1; i < 100 && !fuzz->is_closed; i++) {
		s2s_in_tell_time(fuzz->in, 1000 + i * 1000000);
		s2s_in_timeout(fuzz->in);
		run(fuzz);
	}
	must(fuzz->is_closed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz fuzz = { .policies = { make_policy(size % 2 ? SECURITY_TLS_OPTIONAL
								: SECURITY_TLS_REQUIRED,
						       "d.example"),
					   make_policy(SECURITY_TLS_OPTIONAL, "c.example") } };

	fuzz.in = s2s_in_create(&(struct s2s_in_options){
		.policy = fuzz.policies[0],
		.stream_ids = { "0123456789ABCDEF0123456789ABCDEF", "2", "3" },
		.timeouts = { 10, 30, 20, 60, 300 },
		.verify_pending_max = 2 });
	s2s_in_tell_time(fuzz.in, 1000);
	for (size_t at = 0; at < size;) {
		size_t len = 0;

		while (at + len < size && data[at + len] > 9)
			len++;
		peer_sends(&fuzz, data + at, len);
		at += len;
		if (at < size && data[at] <= 9)
			driver_does(&fuzz, data[at]);
		at += at < size;
	}
	is_left_alone(&fuzz);
	must(fuzz.output <= 4096 + 64 * size);
	s2s_in_destroy(&fuzz.in);
	policy_destroy(&fuzz.policies[0]);
	policy_destroy(&fuzz.policies[1]);
	return 0;
}
