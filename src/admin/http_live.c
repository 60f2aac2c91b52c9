/*
 * Live events (server-sent events, WHATWG HTML 9.2): the status when it changes, alarms, and the
 * log by a filter. A view ends with its session. Who does not keep up misses a status, which the
 * next replaces; of the log nothing is left out, so he is cut off, and comes again.
 */
#include "admin/http_internal.h"

#include "base/alloc.h"
#include "net/http_text.h"
#include "tables/events.h"

#include <stdlib.h>
#include <string.h>

#define VIEWS_MAX 256
#define VIEWS_PER_SESSION 8 /* windows of one browser */
#define COMMENT_MS 15000    /* so that whatever is between does not take it for dead */
#define LATE_BYTES ((size_t)256 << 10)
#define BEHIND_BYTES ((size_t)2 << 20) /* then it is cut off */

struct view {
	struct view *next;
	struct http_live *live;
	struct https_call *call;
	uint64_t session;
	struct event_follower *follower;
	bool late; /* it has missed a status */
};

struct http_live {
	struct http_api *api;
	struct view *views;
	size_t count;
	char *status, *alarms; /* as told last; NULL: nothing was seen yet */
	struct timer comment;
};

static void close_view(struct view *view)
{
	struct http_live *live = view->live;
	struct view **at = &live->views;

	while (*at != view)
		at = &(*at)->next;
	*at = view->next;
	live->count--;
	event_log_unfollow(&view->follower);
	https_stream_end(&view->call);
	free(view);
}

static void on_gone(void *arg)
{
	close_view(arg);
}

static void send_text(struct view *view, const char *event, const char *data)
{
	char *text = xasprintf("event: %s\ndata: %s\n\n", event, data);

	https_stream_send(view->call, slice_of(text));
	free(text);
}

static void on_comment(struct timer *timer)
{
	struct http_live *live = (void *)((char *)timer - offsetof(struct http_live, comment));
	struct view *next;

	for (struct view *view = live->views; view; view = next) {
		next = view->next;
		if (https_stream_waits(view->call) > BEHIND_BYTES)
			close_view(view);
		else
			https_stream_send(view->call, slice_of(": \n\n"));
	}
	loop_arm(live->api->config.loop, &live->comment, COMMENT_MS);
}

struct http_live *http_live_create(struct http_api *api)
{
	struct http_live *live = xcalloc(1, sizeof(*live));

	live->api = api;
	live->comment.fire = on_comment;
	loop_arm(api->config.loop, &live->comment, COMMENT_MS);
	return live;
}

void http_live_destroy(struct http_live **live_ref)
{
	struct http_live *live = *live_ref;

	if (!live)
		return;
	*live_ref = NULL;
	while (live->views)
		close_view(live->views);
	loop_disarm(live->api->config.loop, &live->comment);
	free(live->status);
	free(live->alarms);
	free(live);
}

void http_live_end_of(struct http_live *live, uint64_t session)
{
	struct view *next;

	for (struct view *view = live->views; view; view = next) {
		next = view->next;
		if (view->session == session)
			close_view(view);
	}
}

/* The status */

static char *brief(const json_t *status)
{
	static const char *const left_out[] = { "streams", "queues", "peers" };
	json_t *copy = json_copy((json_t *)(uintptr_t)status);
	char *text;

	for (size_t i = 0; i < nitems(left_out); i++)
		json_object_del(copy, left_out[i]);
	text = json_dumps(copy, JSON_COMPACT);
	json_decref(copy);
	return text;
}

/* Whether it is another; takes the text. */
static bool replace(char **kept, char *text)
{
	bool changed = !*kept || strcmp(*kept, text) != 0;

	free(*kept);
	*kept = text;
	return changed;
}

void http_live_looked(struct http_live *live, const json_t *status)
{
	const json_t *alarms = json_object_get(status, "alarms");
	bool changed, alarmed;

	if (!live->views) { /* the first is told what was seen last, as of then */
		free(live->status);
		free(live->alarms);
		live->status = brief(status);
		live->alarms = alarms ? json_dumps(alarms, JSON_COMPACT) : xstrdup("[]");
		return;
	}
	changed = replace(&live->status, brief(status));
	alarmed = replace(&live->alarms, alarms ? json_dumps(alarms, JSON_COMPACT) : xstrdup("[]"));
	for (struct view *view = live->views; view; view = view->next) {
		bool slow = https_stream_waits(view->call) > LATE_BYTES;

		if (!slow && (changed || view->late))
			send_text(view, "status", live->status);
		if (!slow && (alarmed || view->late))
			send_text(view, "alarms", live->alarms);
		view->late = slow && (changed || alarmed || view->late);
	}
}

/* The log */

static void on_event(void *arg, uint64_t seq, struct slice line, const struct event_line *event)
{
	struct view *view = arg;
	json_t *json;
	char *text;

	if (https_stream_waits(view->call) > BEHIND_BYTES) {
		close_view(view);
		return;
	}
	json = event_line_json(event, seq);
	text = json_dumps(json, JSON_COMPACT);
	send_text(view, "log", text);
	free(text);
	json_decref(json);
}

/* Whether it follows, if it wants to; false: the call is answered. */
static bool follow(struct view *view, const struct session *session, bool *follows)
{
	const char *words[] = { "log" };
	struct event_filter filter;
	char wanted[8] = "", *why = NULL;

	*follows = false;
	if (!http_query(https_query(view->call), "log", wanted, sizeof(wanted)) ||
	    strcmp(wanted, "1") != 0)
		return true;
	if (!http_may(session->access, words, nitems(words))) {
		http_refuse(&view->call, 403, "operators and administrators may read the log");
		return false;
	}
	if (!http_filter(session, view->call, &filter, &why)) {
		http_refuse(&view->call, 400, why);
		free(why);
		return false;
	}
	view->follower = event_log_follow(view->live->api->config.events, &filter, on_event, view);
	if (!view->follower)
		http_refuse_for(&view->call, 10, "too many others follow the log: try again");
	*follows = view->follower != NULL;
	return *follows;
}

static size_t count_of(const struct http_live *live, uint64_t session)
{
	size_t count = 0;

	for (const struct view *view = live->views; view; view = view->next)
		count += view->session == session;
	return count;
}

void http_live_open(struct http_live *live, const struct session *session, struct https_call *call)
{
	struct view *view;
	bool follows;

	if (live->count == VIEWS_MAX || count_of(live, session->number) == VIEWS_PER_SESSION) {
		http_refuse_for(&call, 10, "too many live views are open");
		return;
	}
	view = xcalloc(1, sizeof(*view));
	view->live = live;
	view->call = call;
	view->session = session->number;
	if (!follow(view, session, &follows)) {
		free(view);
		return;
	}
	view->next = live->views;
	live->views = view;
	live->count++;
	log_event(EVENT_ADMIN_REQUEST, "by=\"%s\" from=\"%s\" command=\"live%s\"", session->name,
		  https_from(call), follows ? " log" : "");
	http_stream(call, "text/event-stream", NULL, on_gone, view);
	if (live->status)
		send_text(view, "status", live->status);
	if (live->alarms)
		send_text(view, "alarms", live->alarms);
}
