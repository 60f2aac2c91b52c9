#include "xmpp/link_session.h"

#include "base/alloc.h"
#include "xmpp/link_fates.h"
#include "xmpp/namespaces.h"
#include "xmpp/number_ranges.h"
#include "xmpp/stream_farewell.h"
#include "xmpp/stream_reader.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define WORKERS_MAX 1024

/* Above every limit at the doors, so that what was let in, and written again on its way, never
 * closes a link. The peer's key is pinned: no tighter limits are needed before the link is open. */
static const struct stream_limits limits = {
	.stanza_bytes = LINK_STANZA_BYTES,
	.depth = 80,
	.elements = 25000,
	.attributes = 80,
	.name_bytes = 1536,
};

struct origins {
	char (*names)[LINK_INSTANCE_LEN + 1]; /* the first is k = 1 */
	size_t count;
	size_t current; /* index of the one in force, or `count` when there is none yet */
	uint64_t next;	/* number of the stanza that follows */
	bool exhausted; /* `next` would not fit */
};

enum state { CONNECTING, WAIT_HEADER, WAIT_FEATURES, WAIT_OPEN, WAIT_OPENED, OPEN, CLOSED };

struct link_session {
	enum state state;
	struct link_options options; /* its strings are the session's own */
	char *stream_id;
	struct stream_reader *reader;
	struct buffer output;

	char *peer_role;
	char peer_instance[LINK_INSTANCE_LEN + 1];
	unsigned peer_workers;
	bool peer_last;

	struct origins in, out;
	struct link_fates fates; /* not written yet */

	/* a <l:fate/> that is being handed out, range by range */
	struct link_action fate;
	struct number_ranges ranges;
	size_t ranges_given;
	char fate_origin[LINK_INSTANCE_LEN + 1];

	unsigned timer;	  /* seconds to arm, 0: nothing to tell */
	bool opened;	  /* to be told */
	bool heard;	  /* anything since the last timeout */
	unsigned silence; /* timeouts in a row without */

	char *why;
	bool peer_closed;
	bool told; /* LINK_CLOSED */
};

typedef struct link_action state_fn(struct link_session *s, const struct stanza_view *element);
static state_fn wait_header, wait_features, wait_open, wait_opened, open_link;

static const struct {
	const char *name;
	state_fn *handle;
	unsigned seconds; /* how long the peer may keep us here; OPEN: between looks at silence */
} states[] = {
	[CONNECTING] = { "connecting", NULL, 0 },
	[WAIT_HEADER] = { "wait-header", wait_header, LINK_SECONDS_STEP },
	[WAIT_FEATURES] = { "wait-features", wait_features, LINK_SECONDS_STEP },
	[WAIT_OPEN] = { "wait-open", wait_open, LINK_SECONDS_STEP },
	[WAIT_OPENED] = { "wait-opened", wait_opened, LINK_SECONDS_STEP },
	[OPEN] = { "open", open_link, LINK_SECONDS_PING },
	[CLOSED] = { "closed", NULL, 0 },
};

static const struct link_action nothing = { .type = LINK_NONE };

struct link_session *link_session_create(const struct link_options *options, const char *stream_id)
{
	struct link_session *s = xcalloc(1, sizeof(*s));

	assert(options->dials == (stream_id == NULL));
	assert(strlen(options->instance) == LINK_INSTANCE_LEN);
	s->options = *options;
	s->options.node = xstrdup(options->node);
	s->options.peer = xstrdup(options->peer);
	s->options.role = xstrdup(options->role);
	s->options.instance = xstrdup(options->instance);
	s->stream_id = xstrdup(stream_id);
	s->reader = stream_reader_create(NS_SERVER, &limits);
	return s;
}

void link_session_destroy(struct link_session **session)
{
	struct link_session *s = *session;

	if (!s)
		return;
	free((char *)(uintptr_t)s->options.node);
	free((char *)(uintptr_t)s->options.peer);
	free((char *)(uintptr_t)s->options.role);
	free((char *)(uintptr_t)s->options.instance);
	free(s->stream_id);
	free(s->peer_role);
	free(s->why);
	free(s->in.names);
	free(s->out.names);
	link_fates_finish(&s->fates);
	number_ranges_finish(&s->ranges);
	stream_reader_destroy(&s->reader);
	buffer_finish(&s->output);
	free(s);
	*session = NULL;
}

static void enter(struct link_session *s, enum state state)
{
	s->state = state;
	s->timer = states[state].seconds;
}

static void write_header(struct link_session *s)
{
	buffer_append_text(&s->output, "<stream:stream xmlns='" NS_SERVER
				       "' xmlns:stream='" NS_STREAMS "' xmlns:l='" NS_LINK "'");
	if (s->stream_id)
		buffer_printf(&s->output, " id='%s'", s->stream_id);
	buffer_printf(&s->output, " from='%s' to='%s' version='1.0' l:instance='%s'>",
		      s->options.node, s->options.peer, s->options.instance);
}

/* Closed for the reason `why`, which is taken; the first reason stays. */
static struct link_action finish(struct link_session *s, char *why)
{
	if (s->state == CLOSED) {
		free(why);
		return nothing;
	}
	s->why = why;
	enter(s, CLOSED);
	return nothing;
}

/* Tells the peer what it did wrong. An accepting side's error needs a stream to stand in. */
__attribute__((format(printf, 3, 4))) static struct link_action
fail(struct link_session *s, const char *condition, const char *format, ...)
{
	struct buffer why = { 0 };
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (s->state == WAIT_HEADER && !s->options.dials)
		write_header(s);
	stream_farewell_write(&s->output, condition, text);
	buffer_printf(&why, "%s: %s", condition, text);
	return finish(s, buffer_take_text(&why));
}

static bool is_instance(struct slice text)
{
	if (text.len != LINK_INSTANCE_LEN)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (!strchr("0123456789abcdef", text.data[i]) || !text.data[i])
			return false;
	}
	return true;
}

static void copy_instance(char to[LINK_INSTANCE_LEN + 1], struct slice text)
{
	memcpy(to, text.data, LINK_INSTANCE_LEN);
	to[LINK_INSTANCE_LEN] = '\0';
}

static bool is_node_name(struct slice name)
{
	if (!name.len || name.len > LINK_NAME_BYTES)
		return false;
	for (size_t i = 0; i < name.len; i++) {
		unsigned char c = (unsigned char)name.data[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		      c == '-' || c == '.'))
			return false;
	}
	return true;
}

static bool is_link(const struct stanza_view *element, const char *name)
{
	return stanza_is(element, name, NS_LINK);
}

static struct slice attribute(const struct stanza_view *element, const char *name)
{
	return stanza_attribute(element, name, NULL);
}

/* yes or no; `*value` is touched only then. */
static bool read_yes(struct slice text, bool *value)
{
	if (!slice_is(text, "yes") && !slice_is(text, "no"))
		return false;
	*value = slice_is(text, "yes");
	return true;
}

static struct link_action wait_header(struct link_session *s, const struct stanza_view *header)
{
	struct slice instance = stanza_attribute(header, "instance", NS_LINK);

	if (!slice_is(header->from, s->options.peer))
		return fail(s, "invalid-from", "its key is pinned for %s", s->options.peer);
	if (!slice_is(header->to, s->options.node))
		return fail(s, "host-unknown", "this is %s", s->options.node);
	if (!slice_is(attribute(header, "version"), "1.0"))
		return fail(s, "unsupported-version", "the version is not 1.0");
	if (!is_instance(instance))
		return fail(s, "bad-format", "the instance is not %d hexadecimal digits",
			    LINK_INSTANCE_LEN);
	copy_instance(s->peer_instance, instance);
	if (s->options.dials) {
		enter(s, WAIT_FEATURES);
		return nothing;
	}
	write_header(s);
	buffer_printf(&s->output,
		      "<stream:features><l:link role='%s' release='" SALLYPORT_RELEASE
		      "' workers='%u' stanza-bytes='%zu' last='%s'/></stream:features>",
		      s->options.role, s->options.workers, LINK_STANZA_BYTES,
		      s->options.last ? "yes" : "no");
	enter(s, WAIT_OPEN);
	return nothing;
}

/* What both <l:link/> and <l:open/> say. */
static bool read_node(struct link_session *s, const struct stanza_view *element)
{
	struct slice role = attribute(element, "role");

	if (!slice_is(role, "edge") && !slice_is(role, "core") && !slice_is(role, "home"))
		return false;
	if (!read_yes(attribute(element, "last"), &s->peer_last))
		return false;
	s->peer_role = xstrndup(role.data, role.len);
	return true;
}

static struct link_action wait_features(struct link_session *s, const struct stanza_view *element)
{
	struct stanza_view node;
	uint64_t workers, bytes;

	if (!stanza_is(element, "features", NS_STREAMS) ||
	    !stanza_child(element, "link", NS_LINK, &node))
		return fail(s, "undefined-condition", "the features of a link are missing");
	if (!number_read(attribute(&node, "workers"), &workers) || !workers ||
	    workers > WORKERS_MAX || !number_read(attribute(&node, "stanza-bytes"), &bytes) ||
	    !read_node(s, &node))
		return fail(s, "bad-format", "the features of the link are malformed");
	if (bytes < LINK_STANZA_BYTES)
		return fail(s, "policy-violation", "it takes stanzas of %" PRIu64 " bytes only",
			    bytes);
	s->peer_workers = (unsigned)workers;
	buffer_printf(&s->output, "<l:open worker='0' role='%s' last='%s'/>", s->options.role,
		      s->options.last ? "yes" : "no");
	enter(s, WAIT_OPENED);
	return nothing;
}

static struct link_action opened(struct link_session *s)
{
	s->opened = true;
	enter(s, OPEN);
	return nothing;
}

static struct link_action wait_open(struct link_session *s, const struct stanza_view *element)
{
	uint64_t worker;

	if (!is_link(element, "open"))
		return fail(s, "undefined-condition", "the link is not open yet");
	if (!number_read(attribute(element, "worker"), &worker) || worker >= s->options.workers ||
	    !read_node(s, element))
		return fail(s, "bad-format", "<open/> is malformed");
	buffer_append_text(&s->output, "<l:opened/>");
	return opened(s);
}

static struct link_action wait_opened(struct link_session *s, const struct stanza_view *element)
{
	if (!is_link(element, "opened"))
		return fail(s, "undefined-condition", "the link is not open yet");
	return opened(s);
}

static bool has_name(const struct origins *origins, const char *name, size_t *index)
{
	for (size_t i = 0; i < origins->count; i++) {
		if (strcmp(origins->names[i], name) == 0) {
			*index = i;
			return true;
		}
	}
	return false;
}

static void add_name(struct origins *origins, const char *name)
{
	if (!origins->names)
		origins->names = xmalloc(LINK_ORIGINS_MAX * sizeof(*origins->names));
	if (origins->current == origins->count)
		origins->current++; /* none is in force, still */
	memcpy(origins->names[origins->count++], name, LINK_INSTANCE_LEN + 1);
}

static struct link_action take_origin(struct link_session *s, const struct stanza_view *element)
{
	struct slice instance = attribute(element, "i");
	char name[LINK_INSTANCE_LEN + 1];
	uint64_t k;
	size_t index;

	if (!number_read(attribute(element, "k"), &k) || k != s->in.count + 1 ||
	    !is_instance(instance))
		return fail(s, "bad-format", "<origin/> is malformed or out of turn");
	if (s->in.count == LINK_ORIGINS_MAX)
		return fail(s, "policy-violation", "more than %d origins", LINK_ORIGINS_MAX);
	copy_instance(name, instance);
	if (has_name(&s->in, name, &index))
		return fail(s, "bad-format", "<origin/> names one twice");
	add_name(&s->in, name);
	return nothing;
}

static struct link_action take_next(struct link_session *s, const struct stanza_view *element)
{
	uint64_t k, number;

	if (!number_read(attribute(element, "k"), &k) || !k || k > s->in.count ||
	    !number_read(attribute(element, "n"), &number))
		return fail(s, "bad-format", "<next/> is malformed or of an unknown origin");
	s->in.current = (size_t)k - 1;
	s->in.next = number;
	s->in.exhausted = false;
	return nothing;
}

static struct link_action take_stanza(struct link_session *s, const struct stanza_view *stanza)
{
	struct link_action action = { .type = LINK_STANZA, .stanza = stanza };

	if (s->in.current == s->in.count)
		return fail(s, "bad-format", "a stanza without an origin");
	if (s->in.exhausted)
		return fail(s, "bad-format", "the number of a stanza overflows");
	action.origin = s->in.names[s->in.current];
	action.number = s->in.next;
	s->in.exhausted = s->in.next == UINT64_MAX;
	s->in.next++;
	return action;
}

static struct link_action give_fate(struct link_session *s)
{
	struct number_range range = s->ranges.items[s->ranges_given++];

	s->fate.number = range.first;
	s->fate.number_last = range.last;
	if (s->ranges_given == s->ranges.count) {
		number_ranges_finish(&s->ranges);
		s->ranges_given = 0;
	}
	return s->fate;
}

static struct link_action take_fate(struct link_session *s, const struct stanza_view *element)
{
	struct slice origin = attribute(element, "o");
	struct slice why = attribute(element, "why");
	struct link_action action = { .type = LINK_FATE, .origin = s->fate_origin };

	if (!is_instance(origin) || !link_fate_read(attribute(element, "is"), &action.fate))
		return fail(s, "bad-format", "<fate/> is malformed");
	if (action.fate == LINK_REFUSED && why.data)
		action.failure = failure_read(why.data, why.len);
	if ((action.fate == LINK_REFUSED) != (action.failure != FAILURE_NONE))
		return fail(s, "bad-format", "<fate/> has a reason that is not known here");
	if (!number_ranges_read(&s->ranges, attribute(element, "n")))
		return fail(s, "bad-format", "<fate/> has no list of numbers");
	copy_instance(s->fate_origin, origin);
	s->fate = action;
	return give_fate(s);
}

static struct link_action take_realms(struct link_session *s, const struct stanza_view *element)
{
	struct slice names = attribute(element, "names");
	size_t start = 0, count = 0;

	if (!names.data)
		return fail(s, "bad-format", "<realms/> without names");
	for (size_t i = 0; names.len && i <= names.len; i++) {
		if (i < names.len && names.data[i] != ' ')
			continue;
		if (!is_node_name((struct slice){ names.data + start, i - start }))
			return fail(s, "bad-format", "<realms/> has a malformed name");
		if (++count > LINK_REALMS_MAX)
			return fail(s, "policy-violation", "more than %d realms", LINK_REALMS_MAX);
		start = i + 1;
	}
	return (struct link_action){ .type = LINK_REALMS, .names = names };
}

static struct link_action open_link(struct link_session *s, const struct stanza_view *element)
{
	if (element->kind != STANZA_OTHER)
		return take_stanza(s, element);
	if (is_link(element, "fate"))
		return take_fate(s, element);
	if (is_link(element, "next"))
		return take_next(s, element);
	if (is_link(element, "origin"))
		return take_origin(s, element);
	if (is_link(element, "realms"))
		return take_realms(s, element);
	if (is_link(element, "pong"))
		return nothing; /* that it came was all it says */
	if (is_link(element, "ping")) {
		buffer_append_text(&s->output, "<l:pong/>");
		return nothing;
	}
	return fail(s, "unsupported-stanza-type", "an unknown element <%.*s/>",
		    element->name.len > 64 ? 64 : (int)element->name.len, element->name.data);
}

static struct link_action take_error(struct link_session *s, const struct stanza_view *element)
{
	char condition[STREAM_CONDITION_LEN + 1];
	struct buffer why = { 0 };

	buffer_append_text(&why, "the peer says ");
	stream_farewell_read(element, condition, &why);
	s->peer_closed = strcmp(condition, "system-shutdown") == 0;
	stream_farewell_write(&s->output, NULL, NULL);
	return finish(s, buffer_take_text(&why));
}

/* What means the same in every state is settled here, at the one door for what the peer sends. */
static struct link_action read_event(struct link_session *s, bool *more)
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
		return fail(s, stream_error_name(error), "%s", why);
	case STREAM_FOOTER:
		s->peer_closed = true;
		stream_farewell_write(&s->output, NULL, NULL);
		return finish(s, xstrdup("the peer ended the stream"));
	case STREAM_HEADER:
		break;
	case STREAM_ELEMENT:
		if (stream_farewell_is_error(element))
			return take_error(s, element);
		break;
	}
	return states[s->state].handle(s, element);
}

static struct link_action give_opened(struct link_session *s)
{
	s->opened = false;
	return (struct link_action){ .type = LINK_OPENED,
				     .peer_role = s->peer_role,
				     .peer_instance = s->peer_instance,
				     .peer_last = s->peer_last,
				     .peer_workers = s->peer_workers };
}

static struct link_action give_closed(struct link_session *s)
{
	if (s->told)
		return nothing;
	s->told = true;
	return (struct link_action){ .type = LINK_CLOSED,
				     .why = s->why,
				     .peer_closed = s->peer_closed };
}

struct link_action link_session_next(struct link_session *s)
{
	struct link_action action = nothing;
	bool more = true;

	while (more && action.type == LINK_NONE) {
		if (s->state == CLOSED)
			return give_closed(s);
		if (s->opened)
			return give_opened(s);
		if (s->timer) {
			action.type = LINK_TIMER;
			action.seconds = s->timer;
			s->timer = 0;
		} else if (s->ranges.count) {
			action = give_fate(s);
		} else if (s->state == CONNECTING) {
			more = false;
		} else {
			action = read_event(s, &more);
		}
	}
	return action;
}

void link_session_connected(struct link_session *s)
{
	if (s->state != CONNECTING)
		return;
	if (s->options.dials)
		write_header(s);
	enter(s, WAIT_HEADER);
}

char *link_session_room(struct link_session *s, size_t *len)
{
	return stream_reader_room(s->reader, len);
}

void link_session_filled(struct link_session *s, size_t len)
{
	s->heard = true;
	stream_reader_filled(s->reader, len);
}

/* LINK_SECONDS_PING passed with the link open: is the peer alive? */
static void look_at_silence(struct link_session *s)
{
	s->silence = s->heard ? 0 : s->silence + 1;
	s->heard = false;
	/* What was heard last may be one look older than the first silent one. */
	if ((s->silence + 1) * LINK_SECONDS_PING >= LINK_SECONDS_DEAD) {
		fail(s, "connection-timeout", "silent for up to %d seconds", LINK_SECONDS_DEAD);
		return;
	}
	if (s->silence == 1)
		buffer_append_text(&s->output, "<l:ping/>");
	s->timer = LINK_SECONDS_PING;
}

void link_session_timeout(struct link_session *s)
{
	if (s->state == OPEN)
		look_at_silence(s);
	else if (s->state != CLOSED && s->state != CONNECTING)
		fail(s, "connection-timeout", "no answer within %d seconds in %s",
		     LINK_SECONDS_STEP, states[s->state].name);
}

void link_session_closed(struct link_session *s, const char *why)
{
	finish(s, xstrdup(why ? why : "the connection ended"));
}

void link_session_close(struct link_session *s, const char *condition, const char *text)
{
	if (s->state == CLOSED)
		return;
	link_session_flush(s);
	if (s->state == WAIT_HEADER && !s->options.dials)
		write_header(s);
	if (s->state != CONNECTING)
		stream_farewell_write(&s->output, condition, text);
	finish(s, xstrdup(text ? text : condition ? condition : "closed here"));
}

struct buffer *link_session_output(struct link_session *s)
{
	return &s->output;
}

bool link_session_is_open(const struct link_session *s)
{
	return s->state == OPEN;
}

const char *link_session_state(const struct link_session *s)
{
	return states[s->state].name;
}

/* Puts `origin` in force; false when one more name would be too many. */
static bool switch_origin(struct link_session *s, const char *origin)
{
	struct origins *out = &s->out;

	if (out->current < out->count && strcmp(out->names[out->current], origin) == 0)
		return true;
	if (!has_name(out, origin, &out->current)) {
		if (out->count == LINK_ORIGINS_MAX)
			return false;
		add_name(out, origin);
		out->current = out->count - 1;
		buffer_printf(&s->output, "<l:origin k='%zu' i='%s'/>", out->count, origin);
	}
	out->exhausted = true; /* a run begins */
	return true;
}

void link_session_send(struct link_session *s, const char *origin, uint64_t number,
		       struct slice stanza)
{
	struct origins *out = &s->out;

	assert(strlen(origin) == LINK_INSTANCE_LEN);
	if (s->state != OPEN)
		return;
	if (!switch_origin(s, origin)) {
		link_session_close(s, NULL, "this stream has named all the origins it may");
		return;
	}
	if (out->exhausted || out->next != number)
		buffer_printf(&s->output, "<l:next k='%zu' n='%" PRIu64 "'/>", out->current + 1,
			      number);
	buffer_append_slice(&s->output, stanza);
	out->next = number + 1;
	out->exhausted = number == UINT64_MAX;
}

void link_session_fate(struct link_session *s, const char *origin, uint64_t number,
		       enum link_fate fate, enum failure failure)
{
	assert((fate == LINK_REFUSED) == (failure != FAILURE_NONE));
	if (s->state == OPEN)
		link_fates_add(&s->fates, &s->output, origin, number, fate, failure);
}

void link_session_realms(struct link_session *s, const char *names)
{
	if (s->state == OPEN)
		buffer_printf(&s->output, "<l:realms names='%s'/>", names);
}

void link_session_flush(struct link_session *s)
{
	if (s->state == OPEN)
		link_fates_write(&s->fates, &s->output);
}
