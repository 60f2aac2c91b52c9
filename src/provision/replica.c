#include "provision/replica.h"

#include "base/alloc.h"
#include "provision/json_lines.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define WORDS_MAX 64
#define STATUS_MAX 2   /* enum reply_status of ctl/protocol.h */
#define AGAIN_MS 60000 /* settings that were refused: the other's trouble may have passed */

enum state {
	DOWN,
	WAIT_HELLO, /* ours is said */
	OPEN,
	ENDED, /* until the driver says so */
};

struct replica {
	char *node, *role, *release, *other_node, *other_role;
	unsigned silence_ms;
	enum state state;
	struct json_lines lines;
	struct buffer output;
	struct replica_clock clock; /* as last told */
	uint64_t heard_ms;

	/* Ours. */
	json_t *document, *status;
	uint64_t published, acknowledged;
	uint64_t refused, refused_ms; /* on this tunnel; since when */

	/* Theirs. */
	json_t *other_status, *lent;
	uint64_t taken;

	/* The last ping, by both clocks. */
	struct replica_clock pinged;
	bool is_pinged, has_skew;
	int64_t ahead_ms;

	bool timer_due;	 /* to be asked of the driver */
	bool closed_due; /* likewise */
	bool too_large;	 /* our document */
	char why[256];
};

struct replica *replica_create(const struct replica_options *options)
{
	struct replica *r = xcalloc(1, sizeof(*r));

	r->node = xstrdup(options->node);
	r->role = xstrdup(options->role);
	r->release = xstrdup(options->release);
	r->other_node = xstrdup(options->other_node);
	r->other_role = xstrdup(options->other_role);
	r->silence_ms = options->silence_ms;
	return r;
}

void replica_destroy(struct replica **replica)
{
	struct replica *r = *replica;

	if (!r)
		return;
	json_lines_finish(&r->lines);
	buffer_finish(&r->output);
	json_decref(r->document);
	json_decref(r->status);
	json_decref(r->other_status);
	json_decref(r->lent);
	free(r->node);
	free(r->role);
	free(r->release);
	free(r->other_node);
	free(r->other_role);
	free(r);
	*replica = NULL;
}

static void close_tunnel(struct replica *r, const char *why)
{
	if (r->state == DOWN || r->state == ENDED)
		return;
	if (why != r->why)
		snprintf(r->why, sizeof(r->why), "%s", why);
	r->state = ENDED;
	r->closed_due = true;
}

/* Sending */

/* False: the line is longer than the other takes. */
static bool send_line(struct replica *r, json_t *object)
{
	size_t before = buffer_len(&r->output);
	struct buffer line = { 0 };
	bool fits;

	json_lines_write(before ? &line : &r->output, object);
	fits = buffer_len(before ? &line : &r->output) <= REPLICA_LINE_BYTES;
	if (!before && !fits)
		buffer_finish(&r->output);
	if (before && fits)
		buffer_append(&r->output, buffer_data(&line), buffer_len(&line));
	buffer_finish(&line);
	return fits;
}

static void send_hello(struct replica *r)
{
	send_line(r, json_pack("{s:s, s:i, s:o, s:s, s:s, s:I}", "type", "hello", "protocol",
			       REPLICA_PROTOCOL, "release", json_lines_text(r->release), "node",
			       r->node, "role", r->role, "taken", (json_int_t)r->taken));
}

static void send_settings(struct replica *r)
{
	if (r->state != OPEN || !r->document || r->published == r->acknowledged)
		return;
	if (!send_line(r, json_pack("{s:s, s:I, s:O}", "type", "settings", "revision",
				    (json_int_t)r->published, "document", r->document)))
		r->too_large = true;
}

static void send_status(struct replica *r)
{
	json_t *instead;

	if (r->state != OPEN || !r->status ||
	    send_line(r, json_pack("{s:s, s:O}", "type", "status", "document", r->status)))
		return;
	instead = json_pack("{s:s}", "error", "the status is longer than a line may be");
	send_line(r, json_pack("{s:s, s:o}", "type", "status", "document", instead));
}

static void send_ping(struct replica *r)
{
	r->pinged = r->clock;
	r->is_pinged = true;
	send_line(r, json_pack("{s:s, s:I}", "type", "ping", "clock_ms",
			       (json_int_t)r->clock.wall_ms));
}

/* What the driver says */

void replica_open(struct replica *r, const struct replica_clock *clock)
{
	replica_closed(r);
	r->clock = *clock;
	r->heard_ms = clock->now_ms;
	r->refused = 0;
	r->state = WAIT_HELLO;
	r->timer_due = true;
	send_hello(r);
}

void replica_closed(struct replica *r)
{
	json_lines_finish(&r->lines);
	buffer_finish(&r->output);
	r->state = DOWN;
	r->is_pinged = r->timer_due = r->closed_due = false;
}

void replica_feed(struct replica *r, struct slice bytes, const struct replica_clock *clock)
{
	r->clock = *clock;
	if (r->state == DOWN || r->state == ENDED)
		return;
	r->heard_ms = clock->now_ms;
	buffer_append(&r->lines.bytes, bytes.data, bytes.len);
}

void replica_timeout(struct replica *r, const struct replica_clock *clock)
{
	char why[64];

	r->clock = *clock;
	if (r->state == DOWN || r->state == ENDED)
		return;
	if (clock->now_ms - r->heard_ms >= r->silence_ms) {
		snprintf(why, sizeof(why), "it said nothing for %u ms", r->silence_ms);
		close_tunnel(r, why);
		return;
	}
	if (r->state == OPEN)
		send_ping(r);
	if (r->refused && clock->now_ms - r->refused_ms >= AGAIN_MS) {
		r->refused = 0;
		send_settings(r);
	}
	r->timer_due = true;
}

void replica_publish(struct replica *r, uint64_t revision, json_t *document)
{
	if (r->document && r->published == revision)
		return;
	json_incref(document);
	json_decref(r->document);
	r->document = document;
	r->published = revision;
	send_settings(r);
}

void replica_report(struct replica *r, json_t *status)
{
	json_incref(status);
	json_decref(r->status);
	r->status = status;
	send_status(r);
}

void replica_answer(struct replica *r, uint64_t revision, bool stored, const char *why)
{
	if (stored)
		r->taken = revision;
	if (r->state != OPEN)
		return; /* it is sent again with the next tunnel, and answered then */
	if (stored)
		send_line(r,
			  json_pack("{s:s, s:I}", "type", "ack", "revision", (json_int_t)revision));
	else
		send_line(r, json_pack("{s:s, s:I, s:o}", "type", "nak", "revision",
				       (json_int_t)revision, "why", json_lines_text(why)));
}

bool replica_ask(struct replica *r, uint64_t number, const char *const *words, size_t count)
{
	json_t *command = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(command, json_lines_text(words[i]));
	if (r->state == OPEN)
		return send_line(r, json_pack("{s:s, s:I, s:o}", "type", "ask", "id",
					      (json_int_t)number, "command", command));
	json_decref(command);
	return false;
}

bool replica_reply(struct replica *r, uint64_t number, unsigned status, const char *text,
		   json_t *data)
{
	json_t *line;

	if (r->state != OPEN)
		return false;
	line = json_pack("{s:s, s:I, s:i, s:o}", "type", "answer", "id", (json_int_t)number,
			 "status", (int)status, "text", json_lines_text(text));
	if (data)
		json_object_set(line, "data", data);
	if (send_line(r, line))
		return true;
	send_line(r, json_pack("{s:s, s:I, s:i, s:s}", "type", "answer", "id", (json_int_t)number,
			       "status", 1, "text", "the answer is longer than a line may be"));
	return false;
}

/* What the other says */

static struct replica_event event(enum replica_event_type type)
{
	return (struct replica_event){ .type = type };
}

static struct replica_event take_hello(struct replica *r, const json_t *line)
{
	const char *node = json_lines_string(line, "node"), *role = json_lines_string(line, "role");
	uint64_t protocol, taken;

	if (!node || !role || !json_lines_number(line, "protocol", &protocol)) {
		close_tunnel(r, "its hello lacks node, role or protocol");
	} else if (protocol != REPLICA_PROTOCOL) {
		snprintf(r->why, sizeof(r->why), "it speaks protocol %" PRIu64 ", we speak %d",
			 protocol, REPLICA_PROTOCOL);
		close_tunnel(r, r->why);
	} else if (strcmp(node, r->other_node) != 0 || strcmp(role, r->other_role) != 0) {
		snprintf(r->why, sizeof(r->why),
			 "it says it is %.63s (%.8s), but is pinned as %s "
			 "(%s)",
			 node, role, r->other_node, r->other_role);
		close_tunnel(r, r->why);
	} else {
		r->state = OPEN;
		if (json_lines_number(line, "taken", &taken) && taken != r->acknowledged)
			r->acknowledged = 0; /* it was started again, or made anew */
		send_ping(r);		     /* tells the clocks' distance at once */
		send_settings(r);
		send_status(r);
		return event(REPLICA_READY);
	}
	return event(REPLICA_NONE);
}

static json_t *lend_document(struct replica *r, const json_t *line)
{
	json_t *document = json_object_get(line, "document");

	if (!json_is_object(document))
		return NULL;
	r->lent = json_incref(document);
	return document;
}

static struct replica_event take_settings(struct replica *r, const json_t *line)
{
	struct replica_event e = { .type = REPLICA_SETTINGS };

	if (!json_lines_number(line, "revision", &e.revision) || e.revision == 0 ||
	    !(e.document = lend_document(r, line))) {
		close_tunnel(r, "its settings lack revision or document");
		return event(REPLICA_NONE);
	}
	return e;
}

static struct replica_event take_answer(struct replica *r, const json_t *line, bool stored)
{
	struct replica_event e = { .type = stored ? REPLICA_ACKED : REPLICA_NAKED };
	const char *why = json_lines_string(line, "why");

	if (!json_lines_number(line, "revision", &e.revision)) {
		close_tunnel(r, "its answer lacks the revision");
		return event(REPLICA_NONE);
	}
	/* Of an earlier one: the newest is on its way. Or said before. */
	if (!r->document || e.revision != r->published || e.revision == r->acknowledged ||
	    (!stored && e.revision == r->refused))
		return event(REPLICA_NONE);
	if (stored) {
		r->acknowledged = e.revision;
	} else {
		r->refused = e.revision;
		r->refused_ms = r->clock.now_ms;
		snprintf(r->why, sizeof(r->why), "%s", why ? why : "it does not say why");
		e.why = r->why;
	}
	return e;
}

static struct replica_event take_status(struct replica *r, const json_t *line)
{
	struct replica_event e = { .type = REPLICA_STATUS, .document = lend_document(r, line) };

	if (!e.document) {
		close_tunnel(r, "its status lacks the document");
		return event(REPLICA_NONE);
	}
	json_decref(r->other_status);
	r->other_status = json_incref(e.document);
	return e;
}

static bool is_words(const json_t *command)
{
	size_t index;
	json_t *word;

	json_array_foreach(command, index, word)
	{
		if (!json_is_string(word))
			return false;
	}
	return json_array_size(command) > 0 && json_array_size(command) <= WORDS_MAX;
}

static struct replica_event take_ask(struct replica *r, const json_t *line)
{
	struct replica_event e = { .type = REPLICA_ASK };

	e.document = json_object_get(line, "command");
	if (!json_lines_number(line, "id", &e.number) || !is_words(e.document)) {
		close_tunnel(r, "its question lacks an id or words");
		return event(REPLICA_NONE);
	}
	r->lent = json_incref(e.document);
	return e;
}

static struct replica_event take_reply(struct replica *r, json_t *line)
{
	struct replica_event e = { .type = REPLICA_ANSWER };
	uint64_t status;

	e.text = json_lines_string(line, "text");
	e.document = json_object_get(line, "data");
	if (!json_lines_number(line, "id", &e.number) || !e.text ||
	    !json_lines_number(line, "status", &status) || status > STATUS_MAX) {
		close_tunnel(r, "its answer lacks id, status or text");
		return event(REPLICA_NONE);
	}
	e.status = (unsigned)status;
	r->lent = json_incref(line);
	return e;
}

static void take_ping(struct replica *r, const json_t *line)
{
	const json_t *clock = json_object_get(line, "clock_ms");

	if (!json_is_integer(clock)) {
		close_tunnel(r, "its ping lacks the clock");
		return;
	}
	send_line(r,
		  json_pack("{s:s, s:I, s:I}", "type", "pong", "ping_ms", json_integer_value(clock),
			    "clock_ms", (json_int_t)r->clock.wall_ms));
}

#define CLOCK_MAX_MS (INT64_C(1) << 52) /* far beyond any date; differences cannot overflow */

static void take_pong(struct replica *r, const json_t *line)
{
	const json_t *ping = json_object_get(line, "ping_ms"),
		     *clock = json_object_get(line, "clock_ms");
	int64_t theirs = json_integer_value(clock), round_ms;

	if (!json_is_integer(ping) || !json_is_integer(clock) || theirs < -CLOCK_MAX_MS ||
	    theirs > CLOCK_MAX_MS) {
		close_tunnel(r, "its pong lacks the clocks");
		return;
	}
	if (!r->is_pinged || json_integer_value(ping) != r->pinged.wall_ms)
		return; /* to an earlier one */
	round_ms = (int64_t)(r->clock.now_ms - r->pinged.now_ms);
	r->ahead_ms = theirs - (r->pinged.wall_ms + round_ms / 2);
	r->has_skew = true;
	r->is_pinged = false;
}

static struct replica_event take_line(struct replica *r, json_t *line)
{
	const char *type = json_lines_string(line, "type");

	if (!type)
		close_tunnel(r, "a line has no type");
	else if (strcmp(type, "hello") == 0 && r->state == WAIT_HELLO)
		return take_hello(r, line);
	else if (strcmp(type, "hello") == 0 || r->state == WAIT_HELLO)
		close_tunnel(r, "hello is the first line, and no other");
	else if (strcmp(type, "settings") == 0)
		return take_settings(r, line);
	else if (strcmp(type, "ack") == 0 || strcmp(type, "nak") == 0)
		return take_answer(r, line, type[0] == 'a');
	else if (strcmp(type, "status") == 0)
		return take_status(r, line);
	else if (strcmp(type, "ask") == 0)
		return take_ask(r, line);
	else if (strcmp(type, "answer") == 0)
		return take_reply(r, line);
	else if (strcmp(type, "ping") == 0)
		take_ping(r, line);
	else if (strcmp(type, "pong") == 0)
		take_pong(r, line);
	return event(REPLICA_NONE);
}

/* The next event that the lines make. */
static struct replica_event read_lines(struct replica *r)
{
	struct replica_event e = { 0 };
	const char *why;
	json_t *line;

	while (e.type == REPLICA_NONE && (r->state == WAIT_HELLO || r->state == OPEN)) {
		switch (json_lines_next(&r->lines, REPLICA_LINE_BYTES, &line, &why)) {
		case JSON_LINES_MORE:
			return e;
		case JSON_LINES_OBJECT:
			e = take_line(r, line);
			json_decref(line);
			break;
		case JSON_LINES_BROKEN:
			snprintf(r->why, sizeof(r->why), "a line %s", why);
			close_tunnel(r, r->why);
			break;
		}
	}
	return e;
}

struct replica_event replica_next(struct replica *r)
{
	struct replica_event e = { 0 };

	json_decref(r->lent);
	r->lent = NULL;
	if (r->too_large) {
		r->too_large = false;
		e = (struct replica_event){ .type = REPLICA_NAKED,
					    .revision = r->published,
					    .why = "they are longer than a line may be" };
	} else if (r->timer_due) {
		r->timer_due = false;
		e = (struct replica_event){ .type = REPLICA_TIMER, .ms = (r->silence_ms + 2) / 3 };
	} else {
		e = read_lines(r);
	}
	if (e.type == REPLICA_NONE && r->closed_due) {
		r->closed_due = false;
		e = (struct replica_event){ .type = REPLICA_CLOSED, .why = r->why };
	}
	return e;
}

struct buffer *replica_output(struct replica *r)
{
	return &r->output;
}

bool replica_is_open(const struct replica *r)
{
	return r->state == OPEN;
}

uint64_t replica_published(const struct replica *r)
{
	return r->published;
}

uint64_t replica_acknowledged(const struct replica *r)
{
	return r->acknowledged;
}

uint64_t replica_taken(const struct replica *r)
{
	return r->taken;
}

const json_t *replica_other_status(const struct replica *r)
{
	return r->other_status;
}

uint64_t replica_heard_ms(const struct replica *r)
{
	return r->heard_ms;
}

bool replica_skew(const struct replica *r, int64_t *ahead_ms)
{
	if (r->has_skew)
		*ahead_ms = r->ahead_ms;
	return r->has_skew;
}
