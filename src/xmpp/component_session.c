#include "xmpp/component_session.h"

#include "base/alloc.h"
#include "xmpp/component_answers.h"
#include "xmpp/namespaces.h"
#include "xmpp/number_ranges.h"
#include "xmpp/stream_farewell.h"
#include "xmpp/stream_reader.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define QUIET_MAX 2	 /* timeouts without a byte: one asks, one more gives up */
#define UNANSWERED_MAX 3 /* timeouts with bytes, but without the answer we asked for */

enum state { DOWN, WAIT_HEADER, WAIT_HANDSHAKE, WAIT_KIND, WAIT_HAD, READY, ENDING };

struct component_session {
	enum state state;
	char *name, *secret, *home_domain;
	char instance[COMPONENT_INSTANCE_LEN + 1];
	struct stream_limits limits;
	struct stream_reader *reader; /* of this connection */
	char *unguessable;	      /* likewise */
	struct buffer output;

	/* what we send */
	uint64_t sent;	/* the last number */
	uint64_t acked; /* settled up to here: delivered or uncertain */
	uint64_t asked; /* the last acknowledgement asked for is about what was sent up to here */
	bool asking;	/* and has not come yet; there is one at a time */

	/* the module, and what it sends */
	bool has_module;
	char module[COMPONENT_INSTANCE_LEN + 1];
	char server_s2s[4];
	bool has_next;
	uint64_t next;		      /* number of the stanza that follows */
	uint64_t had;		      /* the last one taken */
	struct number_ranges open;    /* taken, and not settled */
	struct number_ranges settled; /* not told yet */

	/* events to be told */
	unsigned timer;
	uint64_t delivered, uncertain;
	bool tells_delivered, tells_uncertain, tells_ready, tells_closed;
	enum component_fault fault;
	char *why;

	bool heard;	     /* anything since the last timeout */
	unsigned quiet;	     /* timeouts in a row without */
	unsigned unanswered; /* timeouts in a row with the same question open */
};

typedef struct component_event state_fn(struct component_session *s,
					const struct stanza_view *element);
static state_fn wait_header, wait_handshake, wait_kind, wait_had, ready;

static const struct {
	const char *name;
	state_fn *handle;
	unsigned seconds; /* how long the server may keep us here; READY: between looks */
} states[] = {
	[DOWN] = { "down", NULL, 0 },
	[WAIT_HEADER] = { "wait-header", wait_header, COMPONENT_SECONDS_STEP },
	[WAIT_HANDSHAKE] = { "wait-handshake", wait_handshake, COMPONENT_SECONDS_STEP },
	[WAIT_KIND] = { "wait-kind", wait_kind, COMPONENT_SECONDS_STEP },
	[WAIT_HAD] = { "wait-had", wait_had, COMPONENT_SECONDS_STEP },
	[READY] = { "ready", ready, COMPONENT_SECONDS_QUIET },
	[ENDING] = { "ending", ready, COMPONENT_SECONDS_STEP },
};

static const struct component_event nothing = { .type = COMPONENT_NONE };

struct component_session *component_session_create(const struct component_options *options)
{
	struct component_session *s = xcalloc(1, sizeof(*s));

	assert(strlen(options->instance) == COMPONENT_INSTANCE_LEN);
	s->name = xstrdup(options->name);
	s->secret = xstrdup(options->secret);
	s->home_domain = xstrdup(options->home_domain);
	memcpy(s->instance, options->instance, sizeof(s->instance));
	/* A stanza of a local user that passed a limit would end the stream for all of them, so
	 * these are above what the module and the doors let through. */
	s->limits = (struct stream_limits){
		.stanza_bytes = options->limit_stanza_bytes ? options->limit_stanza_bytes
							    : stream_limits_after.stanza_bytes,
		.depth = 80,
		.elements = 25000,
		.attributes = 80,
		.name_bytes = 1536,
	};
	return s;
}

static void forget_stream(struct component_session *s)
{
	stream_reader_destroy(&s->reader);
	free(s->unguessable);
	s->unguessable = NULL;
	s->asking = s->has_next = s->heard = false;
	s->quiet = s->unanswered = 0;
	number_ranges_finish(&s->settled); /* the next hello tells it */
}

void component_session_destroy(struct component_session **session)
{
	struct component_session *s = *session;

	if (!s)
		return;
	forget_stream(s);
	OPENSSL_cleanse(s->secret, strlen(s->secret));
	free(s->secret);
	free(s->name);
	free(s->home_domain);
	free(s->why);
	number_ranges_finish(&s->open);
	buffer_finish(&s->output);
	free(s);
	*session = NULL;
}

static void enter(struct component_session *s, enum state state)
{
	s->state = state;
	s->timer = states[state].seconds;
}

/* What was sent and not acknowledged: nobody can know. */
static void give_up_sent(struct component_session *s)
{
	s->tells_uncertain = s->tells_uncertain || s->sent > s->acked;
	s->uncertain = s->sent;
	s->acked = s->sent;
}

/* The stream's end, for the reason `why`, which is taken. */
static struct component_event finish(struct component_session *s, enum component_fault fault,
				     char *why)
{
	free(s->why);
	s->why = why;
	s->fault = fault;
	s->tells_closed = true;
	s->tells_ready = false;
	if (!s->has_module && s->state >= READY)
		give_up_sent(s);
	enter(s, DOWN);
	return nothing;
}

__attribute__((format(printf, 4, 5))) static struct component_event
fail(struct component_session *s, enum component_fault fault, const char *condition,
     const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (s->state != ENDING)
		stream_farewell_write(&s->output, condition, text);
	return finish(s, fault, xasprintf("%s: %s", condition, text));
}

static struct slice attribute(const struct stanza_view *element, const char *name)
{
	return stanza_attribute(element, name, NULL);
}

static bool is_instance(struct slice text)
{
	if (text.len != COMPONENT_INSTANCE_LEN)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (!strchr("0123456789abcdef", text.data[i]) || !text.data[i])
			return false;
	}
	return true;
}

/* XEP-0114 section 3: lowercase hexadecimal of SHA-1 over the stream's id and the secret. */
static void write_handshake(struct component_session *s, struct slice id)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	struct buffer input = { 0 };

	/* from one block, so that no copy of the secret stays behind in a smaller one */
	buffer_reserve(&input, id.len + strlen(s->secret));
	buffer_append_slice(&input, id);
	buffer_append_text(&input, s->secret);
	if (EVP_Digest(buffer_data(&input), buffer_len(&input), digest, &len, EVP_sha1(), NULL) !=
	    1)
		abort(); /* as when memory runs out */
	OPENSSL_cleanse(buffer_data(&input), buffer_len(&input));
	buffer_finish(&input);
	buffer_append_text(&s->output, "<handshake>");
	for (unsigned i = 0; i < len; i++)
		buffer_printf(&s->output, "%02x", digest[i]);
	buffer_append_text(&s->output, "</handshake>");
}

static struct component_event wait_header(struct component_session *s,
					  const struct stanza_view *header)
{
	/* Without an id an error follows; a digest of the secret alone would give it away to
	 * who guesses offline. */
	if (header->id.len)
		write_handshake(s, header->id);
	enter(s, WAIT_HANDSHAKE);
	return nothing;
}

/* Asks for an acknowledgement of what was sent so far. */
static void ask(struct component_session *s)
{
	s->asking = true;
	s->asked = s->sent;
	s->unanswered = 0;
	if (s->has_module) {
		buffer_append_text(&s->output, "<a:r/>");
		return;
	}
	buffer_printf(&s->output, "<iq type='get' from='%s' to='%s' id='%s-%" PRIu64 "'>", s->name,
		      s->home_domain, s->unguessable, s->asked);
	buffer_append_text(&s->output, "<ping xmlns='" NS_PING "'/></iq>");
}

static void ask_if_due(struct component_session *s)
{
	if (!s->asking && s->sent > s->asked)
		ask(s);
}

/* The answer to what we asked: everything up to `number` has been taken over. */
static void answered(struct component_session *s, uint64_t number)
{
	s->asking = false;
	s->unanswered = 0;
	if (number > s->acked) {
		s->acked = s->delivered = number;
		s->tells_delivered = true;
	}
}

static struct component_event wait_handshake(struct component_session *s,
					     const struct stanza_view *element)
{
	if (!stanza_is(element, "handshake", NS_COMPONENT))
		return fail(s, COMPONENT_FAULT_PROTOCOL, "undefined-condition",
			    "the handshake has not been answered");
	s->has_module = false;
	ask(s);
	enter(s, WAIT_KIND);
	return nothing;
}

static void become_ready(struct component_session *s)
{
	s->tells_ready = true;
	s->sent = s->asked = s->acked;
	s->heard = true;
	enter(s, READY);
}

/* Only the home domain knows the id, and only its answer counts. */
static bool is_ping_answer(const struct component_session *s, const struct stanza_view *stanza)
{
	size_t len = strlen(s->unguessable);
	uint64_t number;

	return s->asking && stanza->kind == STANZA_IQ &&
	       (slice_is(stanza->type, "result") || slice_is(stanza->type, "error")) &&
	       stanza->from.len == strlen(s->home_domain) &&
	       strncasecmp(stanza->from.data, s->home_domain, stanza->from.len) == 0 &&
	       stanza->id.len > len + 1 && memcmp(stanza->id.data, s->unguessable, len) == 0 &&
	       stanza->id.data[len] == '-' &&
	       number_read((struct slice){ stanza->id.data + len + 1, stanza->id.len - len - 1 },
			   &number) &&
	       number == s->asked;
}

static struct component_event take_numbered(struct component_session *s,
					    const struct stanza_view *stanza)
{
	uint64_t number = s->next;

	if (!s->has_next)
		return fail(s, COMPONENT_FAULT_PROTOCOL, "bad-format", "a stanza without a number");
	s->next++;
	if (number <= s->had)
		return nothing; /* a repeat */
	s->had = number;
	number_ranges_add(&s->open, number);
	if (s->open.count > COMPONENT_OPEN_MAX)
		return fail(s, COMPONENT_FAULT_PROTOCOL, "policy-violation",
			    "too many gaps between stanzas that are not settled");
	return (struct component_event){
		.type = COMPONENT_STANZA, .stanza = stanza, .origin = s->module, .number = number
	};
}

static void take_ping_answer(struct component_session *s)
{
	if (s->state == WAIT_KIND) {
		/* The hello would have come before: no module. What an earlier one had been given
		 * and not acknowledged stays unknown. */
		answered(s, s->acked);
		give_up_sent(s);
		become_ready(s);
		return;
	}
	answered(s, s->asked);
	if (s->state == READY)
		ask_if_due(s);
}

static struct component_event take_stanza(struct component_session *s,
					  const struct stanza_view *stanza)
{
	if (!component_is_asked(stanza, s->name)) {
		if (s->has_module)
			return take_numbered(s, stanza);
		return (struct component_event){ .type = COMPONENT_STANZA, .stanza = stanza };
	}
	if (!s->has_module && is_ping_answer(s, stanza)) {
		take_ping_answer(s);
	} else if (s->state != ENDING) {
		component_answer(&s->output, stanza);
	}
	return nothing;
}

static struct component_event unknown(struct component_session *s,
				      const struct stanza_view *element)
{
	return fail(s, COMPONENT_FAULT_PROTOCOL, "unsupported-stanza-type",
		    "an unexpected element <%.*s/>",
		    element->name.len > 64 ? 64 : (int)element->name.len, element->name.data);
}

/* Where the module stands: what became of ours when the last stream ended. */
static void resume(struct component_session *s, bool knows_us, uint64_t had)
{
	if (knows_us && had >= s->acked && had <= s->sent)
		answered(s, had);
	else
		give_up_sent(s);
}

static void write_hello(struct component_session *s)
{
	buffer_printf(&s->output, "<a:hello instance='%s' had='%" PRIu64 "' open='", s->instance,
		      s->had);
	number_ranges_write(&s->open, &s->output);
	buffer_append_text(&s->output, "'/>");
}

static void note_s2s(struct component_session *s, const struct stanza_view *element)
{
	struct slice s2s = attribute(element, "s2s");

	snprintf(s->server_s2s, sizeof(s->server_s2s), "%s",
		 slice_is(s2s, "yes")  ? "yes"
		 : slice_is(s2s, "no") ? "no"
				       : "");
}

static struct component_event take_status(struct component_session *s,
					  const struct stanza_view *status)
{
	char before[sizeof(s->server_s2s)];

	memcpy(before, s->server_s2s, sizeof(before));
	note_s2s(s, status);
	if (strcmp(before, s->server_s2s) == 0)
		return nothing;
	return (struct component_event){ .type = COMPONENT_STATUS };
}

static struct component_event take_hello(struct component_session *s,
					 const struct stanza_view *hello)
{
	struct slice module = attribute(hello, "instance");
	bool is_same, knows_us = slice_is(attribute(hello, "peer"), s->instance);
	uint64_t had = 0;

	if (!is_instance(module) || (knows_us && !number_read(attribute(hello, "had"), &had)))
		return fail(s, COMPONENT_FAULT_PROTOCOL, "bad-format", "<hello/> is malformed");
	is_same = slice_is(module, s->module);
	resume(s, knows_us && is_same, had);
	if (!is_same) {
		memcpy(s->module, module.data, COMPONENT_INSTANCE_LEN);
		number_ranges_finish(&s->open);
		s->had = 0;
	}
	note_s2s(s, hello);
	s->has_module = true;
	write_hello(s);
	ask(s);
	enter(s, WAIT_HAD);
	return nothing;
}

static struct component_event wait_kind(struct component_session *s,
					const struct stanza_view *element)
{
	if (element->kind != STANZA_OTHER)
		return take_stanza(s, element);
	if (stanza_is(element, "hello", NS_ATTACH))
		return take_hello(s, element);
	return unknown(s, element);
}

static struct component_event take_next(struct component_session *s,
					const struct stanza_view *element)
{
	uint64_t number;

	if (!number_read(attribute(element, "n"), &number) || !number || number > INT64_MAX)
		return fail(s, COMPONENT_FAULT_PROTOCOL, "bad-format", "<next/> is malformed");
	s->next = number;
	s->has_next = true;
	return nothing;
}

static struct component_event wait_had(struct component_session *s,
				       const struct stanza_view *element)
{
	if (element->kind != STANZA_OTHER)
		return take_stanza(s, element);
	if (stanza_is(element, "next", NS_ATTACH))
		return take_next(s, element);
	if (stanza_is(element, "status", NS_ATTACH))
		return take_status(s, element);
	if (!stanza_is(element, "had", NS_ATTACH))
		return unknown(s, element);
	/* The module knows us now. How far it is was in its hello. */
	answered(s, s->acked);
	become_ready(s);
	return nothing;
}

static struct component_event take_had(struct component_session *s,
				       const struct stanza_view *element)
{
	uint64_t number;

	if (!number_read(attribute(element, "n"), &number) || number > s->sent)
		return fail(s, COMPONENT_FAULT_PROTOCOL, "bad-format", "<had/> is malformed");
	if (s->asking && s->asked > s->acked && number < s->asked)
		return fail(s, COMPONENT_FAULT_PROTOCOL, "undefined-condition",
			    "the module lost stanzas");
	answered(s, number);
	if (s->state == READY)
		ask_if_due(s);
	return nothing;
}

/* The stream stands. When it is ending we have sent our footer and only listen. */
static struct component_event ready(struct component_session *s, const struct stanza_view *element)
{
	if (element->kind != STANZA_OTHER)
		return take_stanza(s, element);
	if (s->has_module && stanza_is(element, "next", NS_ATTACH))
		return take_next(s, element);
	if (s->has_module && stanza_is(element, "had", NS_ATTACH))
		return take_had(s, element);
	if (s->has_module && stanza_is(element, "status", NS_ATTACH))
		return take_status(s, element);
	return unknown(s, element);
}

static enum component_fault fault_of(const char *condition)
{
	static const struct {
		const char *condition;
		enum component_fault fault;
	} rows[] = {
		{ "conflict", COMPONENT_FAULT_CONFLICT },
		{ "not-authorized", COMPONENT_FAULT_SECRET },
		{ "host-unknown", COMPONENT_FAULT_HOST },
		{ "system-shutdown", COMPONENT_FAULT_NONE },
		{ "reset", COMPONENT_FAULT_NONE },
		{ "connection-timeout", COMPONENT_FAULT_SILENT },
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		if (strcmp(rows[i].condition, condition) == 0)
			return rows[i].fault;
	}
	return COMPONENT_FAULT_PROTOCOL;
}

static struct component_event take_error(struct component_session *s,
					 const struct stanza_view *element)
{
	char condition[STREAM_CONDITION_LEN + 1];
	struct buffer why = { 0 };

	buffer_append_text(&why, "the home server says ");
	stream_farewell_read(element, condition, &why);
	if (s->state != ENDING)
		stream_farewell_write(&s->output, NULL, NULL);
	return finish(s, fault_of(condition), buffer_take_text(&why));
}

/* What means the same in every state is settled here, at the one door for what the server sends. */
static struct component_event read_event(struct component_session *s, bool *more)
{
	const struct stanza_view *element = NULL;
	const char *why = NULL;
	enum stream_error error;

	switch (stream_reader_next(s->reader, &element)) {
	case STREAM_MORE:
		*more = false;
		return nothing;
	case STREAM_ERROR:
		error = stream_reader_error(s->reader, &why);
		return fail(s, COMPONENT_FAULT_PROTOCOL, stream_error_name(error), "%s", why);
	case STREAM_FOOTER:
		if (s->state != ENDING)
			stream_farewell_write(&s->output, NULL, NULL);
		return finish(s, COMPONENT_FAULT_NONE, xstrdup("the home server ended the stream"));
	case STREAM_HEADER:
		break;
	case STREAM_ELEMENT:
		if (stream_farewell_is_error(element))
			return take_error(s, element);
		break;
	}
	return states[s->state].handle(s, element);
}

/* Takes a flag: true once. */
static bool taken(bool *flag)
{
	bool was = *flag;

	*flag = false;
	return was;
}

/* What has been settled inside, in an order that never lets one event make another untrue. */
static struct component_event give(struct component_session *s)
{
	struct component_event event = nothing;

	if (taken(&s->tells_delivered)) {
		event.type = COMPONENT_DELIVERED;
		event.number = s->delivered;
	} else if (taken(&s->tells_uncertain)) {
		event.type = COMPONENT_UNCERTAIN;
		event.number = s->uncertain;
	} else if (taken(&s->tells_ready)) {
		event.type = COMPONENT_READY;
		event.number = s->acked + 1;
	} else if (taken(&s->tells_closed)) {
		event.type = COMPONENT_CLOSED;
		event.fault = s->fault;
		event.why = s->why;
	} else if (s->timer) {
		event.type = COMPONENT_TIMER;
		event.seconds = s->timer;
		s->timer = 0;
	}
	return event;
}

struct component_event component_session_next(struct component_session *s)
{
	struct component_event event = give(s);
	bool more = true;

	while (event.type == COMPONENT_NONE && more && s->state != DOWN) {
		event = read_event(s, &more);
		if (event.type == COMPONENT_NONE)
			event = give(s);
	}
	return event;
}

void component_session_open(struct component_session *s, const char *unguessable)
{
	assert(s->state == DOWN && strlen(unguessable) >= 16);
	forget_stream(s);
	buffer_finish(&s->output);
	s->reader = stream_reader_create(NS_COMPONENT, &s->limits);
	s->unguessable = xstrdup(unguessable);
	buffer_append_text(&s->output,
			   "<stream:stream xmlns='" NS_COMPONENT "' xmlns:stream='" NS_STREAMS
			   "' xmlns:a='" NS_ATTACH "' to='");
	buffer_append_xml(&s->output, slice_of(s->name));
	buffer_append_text(&s->output, "'>");
	enter(s, WAIT_HEADER);
}

void component_session_feed(struct component_session *s, const char *bytes, size_t len)
{
	if (s->state == DOWN)
		return;
	s->heard = true;
	stream_reader_feed(s->reader, bytes, len);
}

/* COMPONENT_SECONDS_QUIET passed with the stream ready: is the server alive, does it answer? */
static void look_at_quiet(struct component_session *s)
{
	s->quiet = s->heard ? 0 : s->quiet + 1;
	s->heard = false;
	if (s->asking)
		s->unanswered++;
	if (s->quiet == QUIET_MAX || s->unanswered == UNANSWERED_MAX) {
		fail(s, COMPONENT_FAULT_SILENT, "connection-timeout", "no answer within %d seconds",
		     QUIET_MAX * COMPONENT_SECONDS_QUIET);
		return;
	}
	if (s->quiet && !s->asking)
		ask(s);
	s->timer = COMPONENT_SECONDS_QUIET;
}

void component_session_timeout(struct component_session *s)
{
	if (s->state == READY)
		look_at_quiet(s);
	else if (s->state == ENDING)
		finish(s, COMPONENT_FAULT_NONE, xstrdup("closed here"));
	else if (s->state != DOWN)
		fail(s, COMPONENT_FAULT_SILENT, "connection-timeout",
		     "no answer within %d seconds in %s", COMPONENT_SECONDS_STEP,
		     states[s->state].name);
}

void component_session_closed(struct component_session *s)
{
	if (s->state == ENDING)
		finish(s, COMPONENT_FAULT_NONE, xstrdup("closed here"));
	else if (s->state != DOWN)
		finish(s, COMPONENT_FAULT_NONE,
		       xasprintf("the connection ended in %s", states[s->state].name));
}

void component_session_close(struct component_session *s)
{
	if (s->state == DOWN || s->state == ENDING)
		return;
	component_session_flush(s);
	stream_farewell_write(&s->output, NULL, NULL);
	s->tells_ready = false;
	enter(s, ENDING);
}

struct buffer *component_session_output(struct component_session *s)
{
	return &s->output;
}

bool component_session_is_ready(const struct component_session *s)
{
	return s->state == READY;
}

bool component_session_has_module(const struct component_session *s)
{
	return s->has_module;
}

const char *component_session_server_s2s(const struct component_session *s)
{
	return s->has_module ? s->server_s2s : "";
}

const char *component_session_state(const struct component_session *s)
{
	return states[s->state].name;
}

void component_session_send(struct component_session *s, uint64_t number, struct slice stanza)
{
	assert(s->state == READY && number == s->sent + 1);
	s->sent = number;
	if (!s->has_module) {
		buffer_append_slice(&s->output, stanza);
		return;
	}
	buffer_printf(&s->output, "<a:s n='%" PRIu64 "'>", number);
	buffer_append_slice(&s->output, stanza);
	buffer_append_text(&s->output, "</a:s>");
}

static void write_settled(struct component_session *s)
{
	if (!s->settled.count)
		return;
	buffer_append_text(&s->output, "<a:settled n='");
	number_ranges_write(&s->settled, &s->output);
	buffer_append_text(&s->output, "'/>");
	number_ranges_finish(&s->settled);
}

void component_session_settle(struct component_session *s, const char *origin, uint64_t number)
{
	/* A former module's stanzas are forgotten on its side already. */
	if (!origin || strcmp(origin, s->module) != 0 || !number_ranges_has(&s->open, number))
		return;
	number_ranges_remove(&s->open, number);
	if (s->state != READY && s->state != WAIT_HAD)
		return; /* the next hello tells it */
	if (s->settled.count == NUMBER_RANGES_MAX)
		write_settled(s);
	number_ranges_add(&s->settled, number);
}

void component_session_flush(struct component_session *s)
{
	if (s->state != READY)
		return;
	write_settled(s);
	ask_if_due(s);
}
