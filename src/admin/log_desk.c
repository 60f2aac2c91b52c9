#include "admin/log_desk.h"

#include "admin/asks.h"
#include "base/alloc.h"
#include "ipc/wire.h"
#include "tables/events.h"
#include "policy/domain.h"
#include "tables/events.h"

#include <ctype.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>

#define WATCH_MS 5000 /* for traffic to say that it watches */
#define XCODER_LEN 9
#define TRACE_STREAMS_MAX 64 /* of a domain whose lines are told apart by the stream alone */

/* Who waits for more lines. */
struct session {
	struct session *next;
	struct log_desk *desk;
	uint64_t number; /* of the errand */
	bool json;
	struct event_follower *follower;
	/* Of a trace; target NULL: it only follows. */
	char *target, *author;
	bool is_stream;
	char streams[TRACE_STREAMS_MAX][XCODER_LEN + 1]; /* a ring: those of the domain seen last */
	size_t stream_count;
	struct timer end;
	uint64_t end_ms;
};

struct log_desk {
	struct log_desk_config config;
	struct asks *asks;
	struct session *sessions;
	bool reached;
};

static void answer(struct log_desk *desk, uint64_t number, enum reply_status status,
		   const char *text)
{
	desk_answer(desk->config.desk, number, status, text, NULL);
}

static struct session *find(const struct log_desk *desk, uint64_t number)
{
	struct session *session = desk->sessions;

	while (session && session->number != number)
		session = session->next;
	return session;
}

static void tell_event(void *arg, uint64_t seq, struct slice line, const struct event_line *event)
{
	struct session *session = arg;
	json_t *data = session->json ? event_line_json(event, seq) : NULL;
	char *text = xstrndup(line.data, line.len);

	desk_tell(session->desk->config.desk, session->number, text, data);
	free(text);
	json_decref(data);
}

/* Watches */

/* How long the target is to be watched, for all who trace it; 0: no more. */
static uint64_t seconds_left(const struct log_desk *desk, const char *target)
{
	uint64_t now_ms = loop_now_ms(desk->config.loop), most_ms = 0;

	for (const struct session *s = desk->sessions; s; s = s->next) {
		if (s->target && strcasecmp(s->target, target) == 0 && s->end_ms > now_ms &&
		    s->end_ms - now_ms > most_ms)
			most_ms = s->end_ms - now_ms;
	}
	return (most_ms + 999) / 1000;
}

/* `number`: whose errand fails if it cannot be done; 0: nobody's. */
static void tell_traffic(struct log_desk *desk, const char *target, const char *author,
			 uint64_t number)
{
	char *seconds = xasprintf("%llu", (unsigned long long)seconds_left(desk, target));
	struct buffer body = { 0 };

	wire_put_u16(&body, 4);
	wire_put_text(&body, "watch");
	wire_put_text(&body, author);
	wire_put_text(&body, target);
	wire_put_text(&body, seconds);
	asks_send(desk->asks, PROCESS_TRAFFIC, MESSAGE_COMMAND,
		  (struct slice){ buffer_data(&body), buffer_len(&body) }, WATCH_MS, number);
	buffer_finish(&body);
	free(seconds);
}

static void close_session(struct log_desk *desk, struct session *session)
{
	struct session **at = &desk->sessions;

	while (*at != session)
		at = &(*at)->next;
	*at = session->next;
	event_log_unfollow(&session->follower);
	loop_disarm(desk->config.loop, &session->end);
	if (session->target && desk->reached)
		tell_traffic(desk, session->target, session->author, 0);
	free(session->target);
	free(session->author);
	free(session);
}

/* Ends it with an answer; where lines of JSON are read, an end is just that. */
static void end(struct session *session, enum reply_status status, const char *text)
{
	struct log_desk *desk = session->desk;
	uint64_t number = session->number;
	bool is_said = status != REPLY_DONE || !session->json;

	close_session(desk, session);
	answer(desk, number, status, is_said ? text : "");
}

static void on_traffic_answer(void *arg, uint64_t number, const struct ask_answer *said)
{
	struct log_desk *desk = arg;
	struct session *session = find(desk, number);
	struct wire in = wire_read(said->body);
	uint8_t status = wire_get_u8(&in);
	struct slice words = wire_get_slice(&in);
	char *text;

	if (!session || (!said->why && wire_is_done(&in) && !status))
		return;
	if (said->why && desk->reached)
		text = xasprintf("traffic %s", said->why);
	else if (said->why)
		text = xstrdup("traffic is not running: it is asked again when it is back");
	else
		text = xstrndup(words.data, words.len);
	if (!said->why || desk->reached)
		end(session, REPLY_FAILED, text);
	else if (!session->json)
		desk_tell(desk->config.desk, number, text, NULL);
	free(text);
}

/* What people ask */

static struct session *open_session(struct log_desk *desk, const struct errand *errand,
				    const struct event_filter *filter, event_log_fn *take)
{
	struct session *session = xcalloc(1, sizeof(*session));

	session->follower = event_log_follow(desk->config.log, filter, take, session);
	if (!session->follower) {
		free(session);
		answer(desk, errand->number, REPLY_FAILED,
		       "too many others follow the log: try again");
		return NULL;
	}
	session->desk = desk;
	session->number = errand->number;
	session->json = errand->json;
	session->next = desk->sessions;
	desk->sessions = session;
	return session;
}

struct log_request {
	struct event_filter filter;
	size_t last;
	bool follow;
};

static bool read_last(const char *value, size_t *last, const char **why)
{
	size_t digits = strspn(value, "0123456789");

	*why = "not a number of lines, 10000 at most";
	if (!digits || digits > 5 || value[digits])
		return false;
	*last = (size_t)strtoul(value, NULL, 10);
	return *last <= EVENT_LOG_LIMIT_MAX;
}

static bool read_word(struct log_request *request, const char *word, const char **why)
{
	const char *equals = strchr(word, '=');
	char *key;
	bool read;

	if (strcmp(word, "--follow") == 0) {
		request->follow = true;
		return true;
	}
	if (!equals) {
		*why = "not KEY=VALUE";
		return false;
	}
	key = xstrndup(word, (size_t)(equals - word));
	read = strcmp(key, "last") == 0
		       ? read_last(equals + 1, &request->last, why)
		       : event_filter_set(&request->filter, key, equals + 1, time(NULL), why);
	free(key);
	return read;
}

/* False: it was answered why. */
static bool read_words(struct log_desk *desk, const struct errand *errand,
		       struct log_request *request)
{
	for (size_t i = 0; i < errand->count; i++) {
		const char *why;
		char *text;

		if (read_word(request, errand->words[i], &why))
			continue;
		text = xasprintf("%s: %s", errand->words[i], why);
		answer(desk, errand->number, REPLY_UNKNOWN, text);
		free(text);
		return false;
	}
	return true;
}

/* Who asked may go while it is told. */
static void tell_past(struct log_desk *desk, const struct errand *errand,
		      const struct log_request *request)
{
	json_t *past, *event;
	size_t i;
	char *text;

	if (!errand->json) {
		text = event_log_text(desk->config.log, &request->filter, 0, request->last);
		desk_tell(desk->config.desk, errand->number, text, NULL);
		free(text);
		return;
	}
	past = event_log_query(desk->config.log, &request->filter, 0, request->last);
	desk_tell(desk->config.desk, errand->number, "", NULL); /* it follows from now on */
	json_array_foreach(json_object_get(past, "events"), i, event)
		desk_tell(desk->config.desk, errand->number, "", event);
	json_decref(past);
}

static void run_log(void *arg, const struct errand *errand)
{
	struct log_desk *desk = arg;
	struct log_request request = { EVENT_FILTER_ALL, LOG_DESK_LINES, false };
	json_t *data;
	char *text;

	if (errand->visitor->access < ACCESS_ADMIN)
		request.filter.without = event_rows[EVENT_STANZA_LOGGED].location;
	if (!read_words(desk, errand, &request))
		return;
	if (request.follow) {
		if (open_session(desk, errand, &request.filter, tell_event))
			tell_past(desk, errand, &request);
		return;
	}
	data = errand->json ? event_log_query(desk->config.log, &request.filter, 0, request.last)
			    : NULL;
	text = data ? xstrdup("")
		    : event_log_text(desk->config.log, &request.filter, 0, request.last);
	desk_answer(desk->config.desk, errand->number, REPLY_DONE, text, data);
	json_decref(data);
	free(text);
}

static bool is_xcoder(const char *text)
{
	return strlen(text) == XCODER_LEN && strspn(text, "0123456789abcdefABCDEF") == XCODER_LEN;
}

/* As traffic and the log write it; what is neither, traffic refuses. */
static char *target_of(const char *word)
{
	char domain[DOMAIN_BYTES + 1], *target;

	if (!is_xcoder(word) && domain_prepare(slice_of(word), domain))
		return xstrdup(domain);
	target = xstrdup(word);
	for (char *c = target; is_xcoder(word) && *c; c++)
		*c = (char)toupper((unsigned char)*c);
	return target;
}

static bool is_known_stream(const struct session *session, struct slice xcoder)
{
	size_t known = session->stream_count < TRACE_STREAMS_MAX ? session->stream_count
								 : TRACE_STREAMS_MAX;

	for (size_t i = 0; i < known; i++) {
		if (slice_is(xcoder, session->streams[i]))
			return true;
	}
	return false;
}

/* A line about a domain, or about one of its streams: not each names the domain too. */
static void tell_traced(void *arg, uint64_t seq, struct slice line, const struct event_line *event)
{
	struct session *session = arg;
	bool named, known = is_known_stream(session, event->xcoder);

	named = session->is_stream
			? event->xcoder.len == XCODER_LEN &&
				  strncasecmp(event->xcoder.data, session->target, XCODER_LEN) == 0
			: event_line_names(event, session->target);
	if (named && !known && !session->is_stream && event->xcoder.len == XCODER_LEN) {
		char *place = session->streams[session->stream_count++ % TRACE_STREAMS_MAX];

		memcpy(place, event->xcoder.data, XCODER_LEN);
	}
	if (named || known)
		tell_event(session, seq, line, event);
}

static bool read_seconds(const struct errand *errand, uint64_t *seconds)
{
	const char *text = errand->count > 1 ? errand->words[1] : "for=300";
	size_t digits;

	_Static_assert(LOG_DESK_TRACE_S == 300, "as above");
	if (strncmp(text, "for=", 4) != 0)
		return false;
	text += 4;
	digits = strspn(text, "0123456789");
	*seconds = digits && digits < 6 && !text[digits] ? strtoull(text, NULL, 10) : 0;
	return *seconds && *seconds <= LOG_DESK_TRACE_MAX_S;
}

static size_t count_traces(const struct log_desk *desk)
{
	size_t count = 0;

	for (const struct session *s = desk->sessions; s; s = s->next)
		count += s->target != NULL;
	return count;
}

static void on_end(struct timer *timer)
{
	end((void *)((char *)timer - offsetof(struct session, end)), REPLY_DONE,
	    "the trace ends here: its time is over");
}

static void run_trace(void *arg, const struct errand *errand)
{
	struct event_filter all = EVENT_FILTER_ALL;
	struct log_desk *desk = arg;
	struct session *session;
	uint64_t seconds;

	all.without = event_rows[EVENT_STANZA_LOGGED].location;
	if (!read_seconds(errand, &seconds)) {
		answer(desk, errand->number, REPLY_UNKNOWN, "not for=SECONDS, from 1 to 86400");
		return;
	}
	if (count_traces(desk) == LOG_DESK_TRACES_MAX) {
		answer(desk, errand->number, REPLY_FAILED, "8 traces run already: end one of them");
		return;
	}
	session = open_session(desk, errand, &all, tell_traced);
	if (!session)
		return;
	session->target = target_of(errand->words[0]);
	session->author = xstrdup(errand->visitor->name);
	session->is_stream = is_xcoder(session->target);
	session->end.fire = on_end;
	session->end_ms = loop_now_ms(desk->config.loop) + seconds * 1000;
	loop_arm(desk->config.loop, &session->end, seconds * 1000);
	desk_tell(desk->config.desk, session->number, "", NULL);
	tell_traffic(desk, session->target, session->author, session->number);
}

static void on_gone(void *arg, uint64_t number)
{
	struct log_desk *desk = arg;
	struct session *session = find(desk, number);

	if (session)
		close_session(desk, session);
}

static const struct desk_part parts[] = {
	{ "log", run_log, on_gone },
	{ "trace", run_trace, on_gone },
	{ NULL, NULL, NULL },
};

/* Life */

struct log_desk *log_desk_create(const struct log_desk_config *config)
{
	struct log_desk *desk = xcalloc(1, sizeof(*desk));

	desk->config = *config;
	desk->asks = asks_create(config->loop, on_traffic_answer, desk);
	desk_register(config->desk, parts, desk);
	return desk;
}

static void on_stop(struct timer *timer)
{
	end((void *)((char *)timer - offsetof(struct session, end)), REPLY_DONE, "the node stops");
}

void log_desk_finish(struct log_desk *desk)
{
	for (struct session *s = desk->sessions; s; s = s->next) {
		s->end.fire = on_stop;
		loop_arm(desk->config.loop, &s->end, 0);
	}
}

void log_desk_destroy(struct log_desk **desk)
{
	if (!*desk)
		return;
	while ((*desk)->sessions)
		close_session(*desk, (*desk)->sessions);
	asks_destroy(&(*desk)->asks);
	free(*desk);
	*desk = NULL;
}

void log_desk_reach(struct log_desk *desk, struct messenger *traffic)
{
	asks_reach(desk->asks, PROCESS_TRAFFIC, traffic);
	desk->reached = traffic != NULL;
	for (struct session *s = desk->sessions; s && traffic; s = s->next) {
		if (s->target)
			tell_traffic(desk, s->target, s->author, s->number);
	}
}

void log_desk_take(struct log_desk *desk, const struct message *message)
{
	asks_take(desk->asks, PROCESS_TRAFFIC, message);
}
