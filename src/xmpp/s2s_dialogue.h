/*
 * For tests: what a session does, as text. Events are one line each; notes and the timer are kept
 * apart, for most dialogues are about neither.
 */
#ifndef XMPP_S2S_DIALOGUE_H
#define XMPP_S2S_DIALOGUE_H

#include "xmpp/s2s.h"

#include <stdio.h>
#include <stdlib.h>

#define S2S_HEADER                                                                                 \
	"<?xml version='1.0'?><stream:stream xmlns='jabber:server' "                               \
	"xmlns:stream='http://etherx.jabber.org/streams' xmlns:db='jabber:server:dialback'"
#define S2S_DIALBACK_FEATURE "<dialback xmlns='urn:xmpp:features:dialback'><errors/></dialback>"
#define S2S_STREAM_ERROR(condition)                                                                \
	"<stream:error><" condition                                                                \
	" xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>"
#define S2S_DIALBACK_ERROR(type, condition)                                                        \
	"<error type='" type "'><" condition                                                       \
	" xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"

struct dialogue {
	struct buffer events, notes, wire;
	unsigned timer;
	uint64_t request; /* of the last event that has one */
	bool is_closed;
};

static inline void dialogue_claim(struct buffer *out, const struct s2s_action *action)
{
	buffer_printf(out, " %s>%s %s", action->claim.sender_domain, action->claim.target_domain,
		      action->claim.stream_id);
}

static inline void dialogue_add(struct dialogue *dialogue, const struct s2s_action *action)
{
	static const char *const verdicts[] = { "valid", "invalid", "error" };
	struct buffer *out = &dialogue->events;

	if (dialogue->is_closed && action->type != S2S_NONE)
		abort(); /* S2S_CLOSED is the last */
	switch (action->type) {
	case S2S_NONE:
		return;
	case S2S_TIMER:
		dialogue->timer = action->seconds;
		return;
	case S2S_NOTE:
		buffer_printf(&dialogue->notes, "%.*s\n", SLICE_ARGS(action->text));
		return;
	case S2S_START_TLS:
		buffer_append_text(out, "start-tls");
		break;
	case S2S_MAKE_KEY:
		buffer_append_text(out, "make-key");
		dialogue_claim(out, action);
		break;
	case S2S_CHECK_KEY:
	case S2S_VERIFY:
		buffer_append_text(out, action->type == S2S_VERIFY ? "verify" : "check-key");
		dialogue_claim(out, action);
		buffer_printf(out, " %.*s", SLICE_ARGS(action->key));
		dialogue->request = action->request;
		break;
	case S2S_VERIFIED:
		buffer_printf(out, "verified %u %s %s", (unsigned)action->request,
			      verdicts[action->verdict], failure_name(action->failure));
		break;
	case S2S_READY:
		buffer_append_text(out, "ready");
		dialogue_claim(out, action);
		break;
	case S2S_NOT_READY:
		buffer_printf(out, "not-ready %s", failure_name(action->failure));
		break;
	case S2S_STANZA:
		buffer_printf(out, "stanza %s>%s %.*s", action->claim.sender_domain,
			      action->claim.target_domain, SLICE_ARGS(action->stanza->bytes));
		break;
	case S2S_REFUSED:
		buffer_printf(out, "refused %s", action->why);
		break;
	case S2S_CLOSED:
		buffer_printf(out, "closed %s", failure_name(action->failure));
		dialogue->is_closed = true;
		break;
	}
	buffer_append_text(out, "\n");
}

static inline void dialogue_finish(struct dialogue *dialogue)
{
	buffer_finish(&dialogue->events);
	buffer_finish(&dialogue->notes);
	buffer_finish(&dialogue->wire);
}

/* Whether the buffer holds exactly this; it is empty afterwards. */
static inline bool dialogue_took(struct buffer *buffer, const char *text)
{
	struct slice held = { buffer_data(buffer) ? buffer_data(buffer) : "", buffer_len(buffer) };
	bool equal = slice_is(held, text);

	if (!equal)
		fprintf(stderr, "expected: %s\nbut it is: %.*s\n", text, SLICE_ARGS(held));
	buffer_consume(buffer, buffer_len(buffer));
	return equal;
}

static inline bool dialogue_has(const struct buffer *buffer, const char *text)
{
	return buffer_len(buffer) >= strlen(text) &&
	       memmem(buffer_data(buffer), buffer_len(buffer), text, strlen(text)) != NULL;
}

#endif
