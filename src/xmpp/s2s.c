#include "xmpp/s2s_session.h"

#include "base/alloc.h"
#include "xmpp/namespaces.h"

#include <stdio.h>
#include <stdlib.h>

#define VALUE_BYTES 255 /* of one value of a peer's, in a note */

struct s2s_queued {
	struct s2s_queued *next;
	struct s2s_action action;
	char memory[];
};

void s2s_session_init(struct s2s_session *session, const struct s2s_timeouts *timeouts,
		      const struct stream_limits *limits)
{
	*session = (struct s2s_session){ .timeouts = *timeouts };
	session->reader = stream_reader_create(NS_SERVER, limits);
}

void s2s_session_finish(struct s2s_session *session)
{
	struct s2s_action action;

	while (s2s_pop(session, &action))
		;
	s2s_forget_asked(session);
	stream_reader_destroy(&session->reader);
	buffer_finish(&session->output);
}

/* Actions */

static struct slice keep(char **memory, struct slice bytes)
{
	struct slice kept = { *memory, bytes.len };

	if (bytes.data == NULL)
		return bytes;
	memcpy(*memory, bytes.data, bytes.len);
	(*memory)[bytes.len] = '\0';
	*memory += bytes.len + 1;
	return kept;
}

void s2s_push(struct s2s_session *session, const struct s2s_action *action)
{
	struct slice sender = slice_of(action->claim.sender_domain);
	struct slice target = slice_of(action->claim.target_domain);
	struct slice id = slice_of(action->claim.stream_id);
	size_t len = sender.len + target.len + id.len + action->key.len + action->text.len + 5;
	struct s2s_queued *queued = xmalloc(sizeof(*queued) + len);
	char *memory = queued->memory;

	queued->next = NULL;
	queued->action = *action;
	queued->action.claim.sender_domain = keep(&memory, sender).data;
	queued->action.claim.target_domain = keep(&memory, target).data;
	queued->action.claim.stream_id = keep(&memory, id).data;
	queued->action.key = keep(&memory, action->key);
	queued->action.text = keep(&memory, action->text);
	if (session->last)
		session->last->next = queued;
	else
		session->first = queued;
	session->last = queued;
}

bool s2s_pop(struct s2s_session *session, struct s2s_action *action)
{
	free(session->lent);
	session->lent = session->first;
	if (session->lent == NULL)
		return false;
	session->first = session->lent->next;
	if (session->first == NULL)
		session->last = NULL;
	*action = session->lent->action;
	return true;
}

struct s2s_action s2s_at_rest(struct s2s_session *session)
{
	struct s2s_action timer = { .type = S2S_TIMER, .seconds = 1 };
	uint64_t nearest = 0;

	for (size_t i = 0; i < nitems(session->due_ms); i++) {
		uint64_t due = session->due_ms[i];

		if (due != 0 && (nearest == 0 || due < nearest))
			nearest = due;
	}
	if (nearest == 0 || (session->armed_ms != 0 && session->armed_ms <= nearest))
		return (struct s2s_action){ .type = S2S_NONE };
	session->armed_ms = nearest;
	if (nearest > session->now_ms)
		timer.seconds = (unsigned)((nearest - session->now_ms + 999) / 1000);
	return timer;
}

struct s2s_action s2s_last(struct s2s_session *session)
{
	if (session->told)
		return (struct s2s_action){ .type = S2S_NONE };
	session->told = true;
	return (struct s2s_action){ .type = S2S_CLOSED,
				    .failure = session->failure,
				    .why = session->why };
}

void s2s_set_end(struct s2s_session *session, enum failure failure, const char *why)
{
	session->failure = failure;
	snprintf(session->why, sizeof(session->why), "%s", why ? why : "");
}

static struct slice cut(struct slice text, size_t len)
{
	return (struct slice){ text.data, text.len < len ? text.len : len };
}

void s2s_note(struct s2s_session *session, enum s2s_note note, struct slice text)
{
	s2s_push(session, &(struct s2s_action){ .type = S2S_NOTE,
						.note = note,
						.text = cut(text, S2S_NOTE_BYTES) });
}

void s2s_refused(struct s2s_session *session, const char *why)
{
	s2s_push(session, &(struct s2s_action){ .type = S2S_REFUSED, .why = why });
}

bool s2s_offended(struct s2s_session *session, const char *why)
{
	s2s_refused(session, why);
	return ++session->offences < S2S_OFFENCES_MAX;
}

void s2s_set_due(struct s2s_session *session, enum s2s_due due, unsigned seconds)
{
	session->due_ms[due] = seconds ? session->now_ms + (uint64_t)seconds * 1000 : 0;
}

bool s2s_is_due(const struct s2s_session *session, enum s2s_due due)
{
	return session->due_ms[due] != 0 && session->due_ms[due] <= session->now_ms;
}

/* Streams */

static void write_attribute(struct buffer *out, const char *name, struct slice value)
{
	if (value.data == NULL)
		return;
	buffer_printf(out, " %s='", name);
	buffer_append_xml(out, value);
	buffer_append_text(out, "'");
}

/* The prefixes are the customary ones: ejabberd 23.01 knows the stream by its prefix, and
 * XEP-0220 2 by tradition the dialback. No xml:lang: it would be added to every stanza. */
void s2s_write_header(struct buffer *out, const struct s2s_header *header)
{
	buffer_append_text(out, "<?xml version='1.0'?><stream:stream xmlns='" NS_SERVER
				"' xmlns:stream='" NS_STREAMS "' xmlns:db='" NS_DIALBACK "'");
	write_attribute(out, "id", slice_of(header->id));
	write_attribute(out, "from", slice_of(header->from));
	write_attribute(out, "to", slice_of(header->to));
	buffer_append_text(out, header->version ? " version='1.0'>" : ">");
}

void s2s_write_end(struct buffer *out, const char *condition)
{
	if (condition)
		buffer_printf(out,
			      "<stream:error><%s xmlns='" NS_STREAM_ERRORS "'/></stream:error>",
			      condition);
	buffer_append_text(out, "</stream:stream>");
}

void s2s_read_stream_error(struct s2s_session *session, const struct stanza_view *element,
			   struct slice *condition, char why[S2S_WHY_BYTES])
{
	struct buffer text = { 0 };
	struct stanza_view child;
	size_t place = 0;

	s2s_note(session, S2S_NOTE_PEER_ERROR, element->bytes);
	*condition = slice_of("undefined-condition");
	while (stanza_next_child(element, &place, &child)) {
		if (stanza_is(&child, "text", NS_STREAM_ERRORS))
			stanza_text(&child, &text);
		else if (slice_is(child.ns, NS_STREAM_ERRORS))
			*condition = child.name;
	}
	snprintf(why, S2S_WHY_BYTES, "stream error %.*s%s%.*s", SLICE_ARGS(cut(*condition, 40)),
		 buffer_len(&text) ? ": " : "",
		 SLICE_ARGS(cut((struct slice){ buffer_data(&text), buffer_len(&text) }, 160)));
	buffer_finish(&text);
}

bool s2s_has_version(const struct stanza_view *header)
{
	struct slice version = stanza_attribute(header, "version", NULL);
	bool above = false;

	for (size_t i = 0; i < version.len && version.data[i] != '.'; i++) {
		if (version.data[i] < '0' || version.data[i] > '9')
			return false;
		above |= version.data[i] != '0';
	}
	return above;
}

bool s2s_domain(struct slice text, char domain[DOMAIN_BYTES + 1])
{
	return text.data != NULL && text.len <= JID_PART_BYTES && domain_prepare(text, domain);
}

/* Dialback */

static const char *error_type(struct slice condition)
{
	static const struct {
		const char *condition, *type;
	} rows[] = {
		{ "bad-request", "modify" },	     { "not-acceptable", "modify" },
		{ "policy-violation", "modify" },    { "resource-constraint", "wait" },
		{ "remote-server-timeout", "wait" }, { "forbidden", "auth" },
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		if (slice_is(condition, rows[i].condition))
			return rows[i].type;
	}
	return "cancel";
}

static void write_dialback(struct buffer *out, const struct s2s_dialback *element)
{
	buffer_printf(out, "<db:%.*s", SLICE_ARGS(element->name));
	write_attribute(out, "from", element->from);
	write_attribute(out, "id", element->id);
	write_attribute(out, "to", element->to);
	write_attribute(out, "type", element->type);
	if (element->key.len == 0 && element->condition.len == 0) {
		buffer_append_text(out, "/>");
		return;
	}
	buffer_append_text(out, ">");
	if (element->key.len > 0)
		buffer_append_xml(out, element->key);
	if (element->condition.len > 0)
		buffer_printf(out, "<error type='%s'><%.*s xmlns='" NS_STANZA_ERRORS "'/></error>",
			      error_type(element->condition), SLICE_ARGS(element->condition));
	buffer_printf(out, "</db:%.*s>", SLICE_ARGS(element->name));
}

/* The key shortened, and what a peer chose cut. A short key isn't shown whole either. */
static void note_shortened(struct s2s_session *session, const struct s2s_dialback *element,
			   enum s2s_note note)
{
	struct s2s_dialback shown = *element;
	struct buffer text = { 0 };
	char key[DIALBACK_SHORT_LEN + sizeof("...")];
	size_t len = element->key.len / 2;

	shown.from = cut(element->from, VALUE_BYTES);
	shown.id = cut(element->id, VALUE_BYTES);
	shown.to = cut(element->to, VALUE_BYTES);
	shown.type = cut(element->type, VALUE_BYTES);
	shown.condition = cut(element->condition, VALUE_BYTES);
	if (element->key.len > 0) {
		len = len < DIALBACK_SHORT_LEN ? len : DIALBACK_SHORT_LEN;
		snprintf(key, sizeof(key), "%.*s...", (int)len, element->key.data);
		shown.key = slice_of(key);
	}
	write_dialback(&text, &shown);
	s2s_note(session, note, (struct slice){ buffer_data(&text), buffer_len(&text) });
	buffer_finish(&text);
}

void s2s_send_dialback(struct s2s_session *session, const struct s2s_dialback *element,
		       enum s2s_note note)
{
	write_dialback(&session->output, element);
	note_shortened(session, element, note);
}

void s2s_note_dialback(struct s2s_session *session, const struct stanza_view *element,
		       enum s2s_note note)
{
	struct buffer key = { 0 };

	s2s_read_key(element, &key);
	note_shortened(session,
		       &(struct s2s_dialback){ .name = element->name,
					       .from = element->from,
					       .id = element->id,
					       .to = element->to,
					       .type = element->type,
					       .key = { buffer_data(&key), buffer_len(&key) },
					       .condition = s2s_dialback_condition(element) },
		       note);
	buffer_finish(&key);
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* XEP-0220's own examples have white space around the key. */
void s2s_read_key(const struct stanza_view *element, struct buffer *key)
{
	struct buffer text = { 0 };
	const char *start, *end;

	stanza_text(element, &text);
	start = buffer_data(&text);
	end = start ? start + buffer_len(&text) : NULL;
	while (start != end && is_space(*start))
		start++;
	while (start != end && is_space(end[-1]))
		end--;
	if (start != end)
		buffer_append(key, start, (size_t)(end - start));
	buffer_finish(&text);
}

struct slice s2s_dialback_condition(const struct stanza_view *element)
{
	struct stanza_view error, child;
	size_t place = 0;

	if (!stanza_child(element, "error", NULL, &error))
		return (struct slice){ 0 };
	while (stanza_next_child(&error, &place, &child)) {
		if (slice_is(child.ns, NS_STANZA_ERRORS) && !slice_is(child.name, "text"))
			return child.name;
	}
	return (struct slice){ 0 };
}

/* What a peer wrote for a name is repeated, so that it knows its question again: prepared or not,
 * it compares what it wrote. What is no domain isn't repeated. */
static struct slice repeatable(struct slice text)
{
	char domain[DOMAIN_BYTES + 1];

	return s2s_domain(text, domain) ? text : (struct slice){ 0 };
}

void s2s_refuse_dialback(struct s2s_session *session, const struct stanza_view *element,
			 const char *condition, const char *why)
{
	bool repeats_id =
		slice_is(element->name, "verify") && element->id.len <= S2S_STREAM_ID_BYTES;

	s2s_send_dialback(
		session,
		&(struct s2s_dialback){ .name = element->name,
					.from = repeatable(element->to),
					.id = repeats_id ? element->id : (struct slice){ 0 },
					.to = repeatable(element->from),
					.type = slice_of("error"),
					.condition = slice_of(condition) },
		S2S_NOTE_SENT);
	s2s_refused(session, why);
}

struct s2s_asked *s2s_ask(struct s2s_session *session, const struct stanza_view *element,
			  const char *sender, const char *target)
{
	bool is_verify = slice_is(element->name, "verify");
	struct slice id = is_verify ? element->id : (struct slice){ 0 };
	size_t len =
		element->from.len + element->to.len + id.len + strlen(sender) + strlen(target) + 5;
	struct s2s_asked *asked = xmalloc(sizeof(*asked) + len);
	char *memory = asked->memory;

	asked->request = ++session->last_request;
	asked->name = is_verify ? "verify" : "result";
	asked->from = keep(&memory, element->from);
	asked->to = keep(&memory, element->to);
	asked->id = keep(&memory, id);
	asked->sender = keep(&memory, slice_of(sender)).data;
	asked->target = keep(&memory, slice_of(target)).data;
	asked->next = session->asked;
	session->asked = asked;
	session->asked_count++;
	return asked;
}

struct s2s_asked *s2s_find_asked(struct s2s_session *session, const char *name, uint64_t request)
{
	struct s2s_asked *asked = session->asked;

	while (asked && (asked->request != request || strcmp(asked->name, name) != 0))
		asked = asked->next;
	return asked;
}

void s2s_answer(struct s2s_session *session, struct s2s_asked **asked, const char *type,
		const char *condition)
{
	struct s2s_asked **link = &session->asked;

	s2s_send_dialback(session,
			  &(struct s2s_dialback){ .name = slice_of((*asked)->name),
						  .from = (*asked)->to,
						  .id = (*asked)->id,
						  .to = (*asked)->from,
						  .type = slice_of(type),
						  .condition = slice_of(condition) },
			  S2S_NOTE_SENT);
	while (*link != *asked)
		link = &(*link)->next;
	*link = (*asked)->next;
	session->asked_count--;
	free(*asked);
	*asked = NULL;
}

void s2s_forget_asked(struct s2s_session *session)
{
	while (session->asked) {
		struct s2s_asked *asked = session->asked;

		session->asked = asked->next;
		free(asked);
	}
	session->asked_count = 0;
}

static size_t checks(const struct s2s_session *session)
{
	size_t count = 0;

	for (const struct s2s_asked *asked = session->asked; asked; asked = asked->next)
		count += strcmp(asked->name, "verify") == 0;
	return count;
}

void s2s_take_question(struct s2s_session *session, const struct stanza_view *element,
		       const char *sender, const char *target)
{
	struct buffer key = { 0 };
	struct s2s_asked *asked;

	if (element->id.len == 0 || element->id.len > S2S_STREAM_ID_BYTES) {
		s2s_refuse_dialback(session, element, "bad-request", "db:verify without stream id");
		return;
	}
	if (checks(session) >= S2S_CHECKS_MAX) {
		s2s_refuse_dialback(session, element, "resource-constraint",
				    "too many db:verify at a time");
		return;
	}
	s2s_read_key(element, &key);
	asked = s2s_ask(session, element, sender, target);
	s2s_push(session,
		 &(struct s2s_action){ .type = S2S_CHECK_KEY,
				       .request = asked->request,
				       .claim = { asked->sender, asked->target, asked->id.data },
				       .key = { buffer_data(&key), buffer_len(&key) } });
	buffer_finish(&key);
}

void s2s_key_checked(struct s2s_session *session, uint64_t request, bool valid)
{
	struct s2s_asked *asked = s2s_find_asked(session, "verify", request);

	if (asked)
		s2s_answer(session, &asked, valid ? "valid" : "invalid", NULL);
}
