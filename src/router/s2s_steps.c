#include "router/s2s_internal.h"

#include "base/alloc.h"

#include <stdarg.h>
#include <stdio.h>

static void __attribute__((format(printf, 3, 0)))
step(const struct s2s_name *name, struct attempt_note note, const char *format, va_list args)
{
	char text[1024];

	if (!name->attempt)
		return;
	vsnprintf(text, sizeof(text), format, args);
	note.now_ms = loop_now_ms(name->port->worker->loop);
	note.took_ms = STEP_TOOK_UNKNOWN;
	note.text = slice_of(text);
	attempt_note(name->attempt, &note);
}

void s2s_step(const struct s2s_name *name, enum attempt_who who, enum attempt_step kind,
	      enum attempt_verdict verdict, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	step(name, (struct attempt_note){ .who = who, .step = kind, .verdict = verdict }, format,
	     args);
	va_end(args);
}

void s2s_step_done(const struct s2s_name *name, enum attempt_who who, enum attempt_step kind,
		   enum attempt_verdict verdict, const char *format, ...)
{
	struct attempt_note note = { .who = who, .step = kind, .verdict = verdict };
	va_list args;

	note.completes = true;
	va_start(args, format);
	step(name, note, format, args);
	va_end(args);
}

static bool contains(struct slice text, const char *part)
{
	return text.len && memmem(text.data, text.len, part, strlen(part));
}

/* Of a dialback element, by its type: a question has none. */
static enum attempt_verdict answer_in(struct slice text)
{
	static const char *const bad[] = { "type='invalid'", "type=\"invalid\"", "type='error'",
					   "type=\"error\"" };

	if (contains(text, "type='valid'") || contains(text, "type=\"valid\""))
		return STEP_OK;
	for (size_t i = 0; i < nitems(bad); i++) {
		if (contains(text, bad[i]))
			return STEP_BAD;
	}
	return STEP_INFO;
}

void s2s_step_of_note(const struct s2s_name *name, enum s2s_note note, struct slice text)
{
	bool sent = note == S2S_NOTE_SENT || note == S2S_NOTE_VERIFY_SENT ||
		    (note == S2S_NOTE_FEATURES && !name->out);
	struct attempt_note told = {
		.now_ms = loop_now_ms(name->port->worker->loop),
		.took_ms = STEP_TOOK_UNKNOWN,
		.who = sent ? ATTEMPT_US : ATTEMPT_PEER,
		.text = text,
	};

	switch (note) {
	case S2S_NOTE_STREAM_OPEN:
		told.step = STEP_STREAM;
		break;
	case S2S_NOTE_FEATURES:
		told.step = STEP_FEATURES;
		break;
	case S2S_NOTE_PEER_ERROR:
		told.step = STEP_STREAM;
		told.verdict = STEP_BAD;
		break;
	case S2S_NOTE_DIALBACK_TIMER:
	case S2S_NOTE_DIALBACK_ONLY:
		return;
	default:
		told.step = contains(text, ":verify") ? STEP_VERIFY : STEP_DIALBACK;
		told.verdict = answer_in(text);
		/* What the peer says of a key that somebody showed us is no fault of this stream.
		 */
		if (note == S2S_NOTE_VERIFY_RECEIVED && told.verdict == STEP_BAD)
			told.verdict = STEP_INFO;
	}
	attempt_note(name->attempt, &told);
}

void s2s_step_certificate(const struct s2s_name *name, const struct tls_peer *peer, bool valid,
			  bool required)
{
	const char *then = required ? "" : "; dialback decides";

	if (valid)
		s2s_step(name, ATTEMPT_US, STEP_CERTIFICATE, STEP_OK, "%s",
			 name->out ? "valid, chain and name" : "its chain is valid");
	else
		s2s_step(name, ATTEMPT_US, STEP_CERTIFICATE, required ? STEP_BAD : STEP_INFO,
			 "%s%s%s", peer->has_certificate ? "not valid: " : "the peer shows none",
			 peer->has_certificate && peer->why ? peer->why : "", then);
}

void s2s_step_asked(const struct s2s_port *port, const struct dialback_claim *claim, bool valid)
{
	const struct s2s_pair *pair =
		s2s_pair_find(port, claim->sender_domain, claim->target_domain);

	if (pair)
		s2s_pair_note_asked(pair, claim->stream_id, valid);
	for (size_t i = 0; i < S2S_PROBES_MAX; i++) {
		if (port->probes[i])
			s2s_pair_note_asked(port->probes[i], claim->stream_id, valid);
	}
}
