/*
 * Requests that are commands: which a path is, one table; asked of the desk, which judges who may;
 * and how its answers are told. Beside them what is read without a command, with the access of one
 * that tells the same.
 */
#include "admin/http_internal.h"

#include "admin/openmetrics.h"
#include "admin/series.h"
#include "base/alloc.h"
#include "base/base64.h"
#include "net/http_text.h"
#include "tables/events.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ASKS_MAX 64 /* requests that wait for the desk */
#define ASKS_PER_ACCOUNT 16
#define WORD_BYTES 1100		/* of a path or a value in a query: a domain in U-labels, encoded */
#define EVENTS_OF_AN_ANSWER 200 /* if nothing else is said */
#define MINUTES 60
#define MINUTES_MAX 360
#define BEHIND_BYTES ((size_t)16 << 20) /* of a file, that who asked has not taken */
#define NDJSON "application/x-ndjson"

/* A command whose answer is told by its data. */
struct route {
	const char *path; /* with a '/' at its end: what follows is the argument */
	const char *words[3];
	const char *type; /* of a file, whose name is the argument or `file`; NULL: data */
	const char *file;
};

static const struct route routes[] = {
	{ "status", { "status" } },
	{ "alarms", { "alarms" } },
	{ "routes", { "routes" } },
	{ "notifications", { "notifications" } },
	{ "home-servers", { "home-server", "list" } },
	{ "streams", { "streams" } },
	{ "domains", { "domains" } },
	{ "certificates", { "cert", "list" } },
	{ "accounts", { "account", "list" } },
	{ "settings", { "config", "show" } },
	{ "doctor", { "doctor" } },
	{ "diag", { "diag", "status" } },
	{ "why/", { "why" } },
	{ "diag/bundle", { "diag", "bundle" }, "application/gzip", "diagnostic.tar.gz" },
	{ "captures/", { "capture", "get" }, "application/x-pcapng" },
};

/* A request that waits for the desk. */
struct http_ask {
	struct http_ask *next;
	struct http_api *api;
	uint64_t number;
	uint64_t session; /* 0: none */
	char by[ACCOUNT_NAME_BYTES];
	struct https_call *call;
	enum { ASK_DATA, ASK_TEXT, ASK_FILE, ASK_COMMAND } kind;
	bool may;	  /* the command is within the session's access */
	const char *type; /* of a file or text */
	char *file;	  /* its name */
	bool begun;	  /* pieces have been told */
};

static struct http_ask *find(const struct http_api *api, uint64_t number)
{
	struct http_ask *ask = api->asks;

	while (ask && ask->number != number)
		ask = ask->next;
	return ask;
}

static void drop(struct http_ask *ask)
{
	struct http_ask **at = &ask->api->asks;

	while (*at != ask)
		at = &(*at)->next;
	*at = ask->next;
	free(ask->file);
	free(ask);
}

static void on_gone(void *arg)
{
	struct http_ask *ask = arg;

	desk_leave(ask->api->config.desk, ask->api, ask->number);
	if (ask->begun)
		https_stream_end(&ask->call);
	else
		https_reply(&ask->call, 503, NULL, NULL, (struct slice){ 0 });
	drop(ask);
}

/* Pieces */

static void begin_stream(struct http_ask *ask)
{
	char *disposition = xasprintf("attachment; filename=\"%s\"", ask->file ? ask->file : "");
	const char *const headers[] = { "Content-Disposition", disposition, NULL };

	http_stream(ask->call, ask->kind == ASK_FILE ? ask->type : NDJSON,
		    ask->kind == ASK_FILE ? headers : NULL, on_gone, ask);
	ask->begun = true;
	free(disposition);
}

static void send_bytes(struct http_ask *ask, struct buffer *bytes)
{
	https_stream_send(ask->call, (struct slice){ buffer_data(bytes), buffer_len(bytes) });
	buffer_finish(bytes);
}

/* {"base64":"..."} */
static void send_file_piece(struct http_ask *ask, const json_t *data)
{
	const char *text = json_string_value(json_object_get(data, "base64"));
	struct buffer bytes = { 0 };

	if (!text) /* it takes its time */
		return;
	if (!ask->begun)
		begin_stream(ask);
	base64_decode(&bytes, slice_of(text));
	send_bytes(ask, &bytes);
}

static void on_piece(void *arg, uint64_t number, struct slice text, json_t *data)
{
	struct http_ask *ask = find(arg, number);
	struct buffer line = { 0 };

	if (!ask)
		return;
	if (https_stream_waits(ask->call) > BEHIND_BYTES) {
		desk_leave(ask->api->config.desk, ask->api, number);
		https_stream_break(&ask->call);
		drop(ask);
		return;
	}
	if (ask->kind == ASK_FILE) {
		send_file_piece(ask, data);
		return;
	}
	if (!ask->begun)
		begin_stream(ask);
	reply_write_piece(&line, text, data);
	send_bytes(ask, &line);
}

static size_t behind(void *arg, uint64_t number)
{
	const struct http_ask *ask = find(arg, number);

	return ask && ask->begun ? https_stream_waits(ask->call) : 0;
}

/* Answers */

static void end_stream(struct http_ask *ask, enum reply_status status, struct slice text,
		       json_t *data)
{
	struct buffer line = { 0 };

	if (ask->kind == ASK_FILE && status != REPLY_DONE) {
		log_event(EVENT_ADMIN_REFUSED, "from=\"%s\" file=\"%s\" why=\"%.*s\"",
			  https_from(ask->call), ask->file, SLICE_ARGS(text));
		https_stream_break(&ask->call);
		return;
	}
	if (ask->kind == ASK_COMMAND) {
		reply_write(&line, status, text, data);
		send_bytes(ask, &line);
	}
	https_stream_end(&ask->call);
}

/* What the desk refused or could not do. */
static void tell_failure(struct http_ask *ask, enum reply_status status, struct slice text)
{
	char *why = xstrndup(text.data, text.len);

	http_refuse(&ask->call,
		    !ask->may		      ? 403
		    : status == REPLY_UNKNOWN ? 400
					      : 503,
		    *why ? why : "the node could not do that");
	free(why);
}

static void tell_command(struct http_ask *ask, enum reply_status status, struct slice text,
			 json_t *data)
{
	struct buffer body = { 0 };

	reply_write(&body, status, text, data);
	http_reply(&ask->call, 200, HTTP_JSON, NULL,
		   (struct slice){ buffer_data(&body), buffer_len(&body) });
	buffer_finish(&body);
}

static void on_answer(void *arg, uint64_t number, enum reply_status status, struct slice text,
		      json_t *data)
{
	struct http_ask *ask = find(arg, number);

	if (!ask)
		return;
	if (ask->begun)
		end_stream(ask, status, text, data);
	else if (!ask->may || (status != REPLY_DONE && !data && ask->kind != ASK_COMMAND))
		tell_failure(ask, status, text);
	else if (ask->kind == ASK_COMMAND)
		tell_command(ask, status, text, data);
	else if (ask->kind == ASK_DATA)
		http_reply_json(&ask->call, 200, NULL, data ? json_incref(data) : json_object());
	else
		http_reply(&ask->call, 200, ask->type, NULL, text);
	drop(ask);
}

/* Asking */

/* NULL: there are too many, and the call is answered. `session` NULL: metrics by their token. */
static struct http_ask *open_ask(struct http_api *api, const struct session *session,
				 struct https_call *call, int kind)
{
	const char *by = session ? session->name : "";
	size_t count = 0, count_by = 0;
	struct http_ask *ask;

	for (ask = api->asks; ask; ask = ask->next) {
		count++;
		count_by += strcmp(ask->by, by) == 0;
	}
	if (count >= ASKS_MAX || count_by >= ASKS_PER_ACCOUNT) {
		http_refuse_for(&call, 1, "too many requests wait for an answer: try again");
		return NULL;
	}
	ask = xcalloc(1, sizeof(*ask));
	*ask = (struct http_ask){
		.next = api->asks, .api = api, .number = ++api->ask_numbers, .call = call
	};
	ask->kind = kind;
	ask->session = session ? session->number : 0;
	snprintf(ask->by, sizeof(ask->by), "%s", by);
	api->asks = ask;
	https_on_gone(call, on_gone, ask);
	return ask;
}

static void ask_desk(struct http_ask *ask, const struct visitor *visitor, const char **words,
		     size_t count)
{
	struct http_api *api = ask->api;
	struct desk_asker asker = { on_piece, on_answer, api, ask->number, behind };
	struct request request = { .words = words, .count = count, .json_wanted = true };
	size_t used;

	ask->may = !command_find(words, count, &used) || http_may(visitor->access, words, count);
	desk_ask(api->config.desk, &asker, visitor, &request);
}

static const struct route *find_route(const char *path, const char **argument)
{
	for (size_t i = 0; i < nitems(routes); i++) {
		size_t len = strlen(routes[i].path);

		*argument = NULL;
		if (strcmp(routes[i].path, path) == 0 && path[len - 1] != '/')
			return &routes[i];
		if (routes[i].path[len - 1] == '/' && strncmp(routes[i].path, path, len) == 0 &&
		    path[len] && !strchr(path + len, '/')) {
			*argument = path + len;
			return &routes[i];
		}
	}
	return NULL;
}

/* A file's name in a header must be one. */
static bool is_file_name(const char *name)
{
	return strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") ==
		       strlen(name) &&
	       *name != '.';
}

static void ask_route(struct http_api *api, const struct session *session,
		      const struct route *route, const char *argument, struct https_call *call)
{
	struct visitor visitor = http_visitor(session, call);
	const char *words[5];
	char word[WORD_BYTES];
	size_t count = 0;
	struct http_ask *ask;

	if (argument && !http_decode(slice_of(argument), word, sizeof(word))) {
		http_refuse(&call, 400, "what follows in the path cannot be read");
		return;
	}
	if (argument && route->type && !is_file_name(word)) {
		http_refuse(&call, 400, "that is no name of a capture");
		return;
	}
	ask = open_ask(api, session, call, route->type ? ASK_FILE : ASK_DATA);
	if (!ask)
		return;
	while (route->words[count]) {
		words[count] = route->words[count];
		count++;
	}
	if (argument)
		words[count++] = word;
	if (route->type) { /* the file that the command line would write */
		ask->type = route->type;
		ask->file = xstrdup(route->file ? route->file : word);
		words[count++] = ask->file;
	}
	ask_desk(ask, &visitor, words, count);
}

/* What is read without a command */

/* Of an access that it takes; false: the call is answered. */
static bool may_read(const struct session *session, const char *word, struct https_call **call)
{
	if (http_may(session->access, &word, 1))
		return true;
	log_event(EVENT_ADMIN_REFUSED,
		  "by=\"%s\" from=\"%s\" command=\"%s\" why=\"not with its "
		  "access\"",
		  session->name, https_from(*call), word);
	http_refuse(call, 403, "operators and administrators may read that");
	return false;
}

/* A whole number in the query, or the default; false: it is none, or out of bounds. */
static bool number_of(const struct https_call *call, const char *name, uint64_t least,
		      uint64_t most, uint64_t *number)
{
	char text[24];
	size_t digits;

	if (!http_query(https_query(call), name, text, sizeof(text)))
		return true;
	digits = strspn(text, "0123456789");
	if (!digits || digits > 18 || text[digits])
		return false;
	*number = strtoull(text, NULL, 10);
	return *number >= least && *number <= most;
}

static void reply_series(struct http_api *api, const struct session *session,
			 struct https_call *call)
{
	uint64_t minutes = MINUTES;

	if (!may_read(session, "status", &call))
		return;
	if (!number_of(call, "minutes", 1, MINUTES_MAX, &minutes))
		http_refuse(&call, 400, "minutes: not a number between 1 and 360");
	else
		http_reply_json(
			&call, 200, NULL,
			series_json(watch_series(api->config.watch), (int)minutes, time(NULL)));
}

bool http_filter(const struct session *session, const struct https_call *call,
		 struct event_filter *filter, char **why)
{
	static const char *const keys[] = {
		"domain", "stream", "module", "level", "text", "since"
	};
	char value[EVENT_LOG_FILTER_BYTES];
	const char *flaw;

	*filter = EVENT_FILTER_ALL;
	if (session->access < ACCESS_ADMIN) /* what people write is for administrators */
		filter->without = event_rows[EVENT_STANZA_LOGGED].location;
	for (size_t i = 0; i < nitems(keys); i++) {
		if (!http_query(https_query(call), keys[i], value, sizeof(value)) || !*value)
			continue;
		if (event_filter_set(filter, keys[i], value, time(NULL), &flaw))
			continue;
		*why = xasprintf("%s: %s", keys[i], flaw);
		return false;
	}
	return true;
}

static void reply_log(struct http_api *api, const struct session *session, struct https_call *call)
{
	uint64_t last = EVENTS_OF_AN_ANSWER, before = 0;
	struct event_filter filter;
	char *why = NULL;

	if (!may_read(session, "log", &call))
		return;
	if (!number_of(call, "last", 1, EVENT_LOG_LIMIT_MAX, &last))
		http_refuse(&call, 400, "last: not a number between 1 and 10000");
	else if (!number_of(call, "before", 0, INT64_MAX, &before))
		http_refuse(&call, 400, "before: not the number of an event");
	else if (!http_filter(session, call, &filter, &why))
		http_refuse(&call, 400, why);
	else
		http_reply_json(&call, 200, NULL,
				event_log_query(api->config.events, &filter, before, last));
	free(why);
}

void http_get(struct http_api *api, const struct session *session, const char *path,
	      struct https_call *call)
{
	const char *argument;
	const struct route *route = find_route(path, &argument);

	if (route)
		ask_route(api, session, route, argument, call);
	else if (strcmp(path, "session") == 0)
		http_session_reply(api, session, call);
	else if (strcmp(path, "series") == 0)
		reply_series(api, session, call);
	else if (strcmp(path, "log") == 0)
		reply_log(api, session, call);
	else if (strcmp(path, "live") == 0)
		http_live_open(api->live, session, call);
	else if (strcmp(path, "openapi.json") == 0)
		http_reply(&call, 200, HTTP_JSON, NULL,
			   (struct slice){ (const char *)http_openapi, http_openapi_len });
	else
		http_refuse(&call, 404, "there is nothing of that name");
}

/* Commands */

static bool is_file(const struct session *session, const struct request *request)
{
	return session->access == ACCESS_ADMIN && request->count >= 2 &&
	       strcmp(request->words[0], "config") == 0 && strcmp(request->words[1], "apply") == 0;
}

void http_command(struct http_api *api, const struct session *session, struct https_call *call)
{
	struct slice body = https_body(call);
	struct visitor visitor = http_visitor(session, call);
	const struct command *command;
	struct request request;
	struct http_ask *ask;
	const char *why;
	size_t used;

	if (body.len > HTTP_BODY_BYTES && session->access != ACCESS_ADMIN) {
		http_refuse(&call, 413, "that is too long");
		return;
	}
	if (!request_read(&request, body, &why)) {
		http_refuse(&call, 400, why);
		return;
	}
	command = command_find(request.words, request.count, &used);
	if (body.len > HTTP_BODY_BYTES && !is_file(session, &request)) {
		http_refuse(&call, 413, "that is too long: only a file of settings may be");
	} else if (command && command->saves) {
		http_refuse(&call, 400, "its answer is a file, which a GET of its path brings");
	} else {
		ask = open_ask(api, session, call, ASK_COMMAND);
		if (ask)
			ask_desk(ask, &visitor, request.words, request.count);
	}
	request_finish(&request);
}

/* Metrics */

/* Equal in a time that tells nothing of either. */
static bool is_token(const struct http_api *api, const char *said)
{
	unsigned char a[crypto_generichash_BYTES], b[crypto_generichash_BYTES];

	if (!api->metrics_token)
		return false;
	crypto_generichash(a, sizeof(a), (const unsigned char *)said, strlen(said), NULL, 0);
	crypto_generichash(b, sizeof(b), (const unsigned char *)api->metrics_token,
			   strlen(api->metrics_token), NULL, 0);
	return sodium_memcmp(a, b, sizeof(a)) == 0;
}

static void refuse_metrics(struct http_api *api, struct https_call *call, const char *key)
{
	static const char *const headers[] = { "WWW-Authenticate", "Bearer", NULL };

	if (key)
		throttle_fail(api->throttle, key, loop_now_ms(api->config.loop));
	if (http_stranger_is_logged(api))
		log_event(EVENT_ADMIN_REFUSED,
			  "by=\"-\" from=\"%s\" command=\"metrics\" why=\"%s\"", https_from(call),
			  key ? "a wrong token" : "no token");
	http_reply_json(&call, 401, headers,
			json_pack("{s:s}", "error",
				  "metrics want the token of admin.metrics_token as Bearer, or a "
				  "session"));
}

void http_metrics(struct http_api *api, const struct session *session, struct https_call *call)
{
	static const char scheme[] = "Bearer ";
	const char *header = https_header(call, "Authorization"), *words[] = { "metrics" };
	struct visitor visitor = { .access = ACCESS_VIEW, .name = "metrics" };
	char key[80];
	struct http_ask *ask;
	unsigned wait;

	snprintf(key, sizeof(key), "metrics %s", https_place(call));
	snprintf(visitor.from, sizeof(visitor.from), "%s", https_from(call));
	if (session) {
		visitor = http_visitor(session, call);
	} else if (!header || strncmp(header, scheme, strlen(scheme)) != 0) {
		refuse_metrics(api, call, NULL);
		return;
	} else {
		wait = throttle_wait_s(api->throttle, key, loop_now_ms(api->config.loop));
		if (wait) {
			http_refuse_for(&call, wait, "too many wrong tokens: wait");
			return;
		}
		if (!is_token(api, header + strlen(scheme))) {
			refuse_metrics(api, call, key);
			return;
		}
		throttle_forget(api->throttle, key);
	}
	ask = open_ask(api, session, call, ASK_TEXT);
	if (!ask)
		return;
	ask->type = OPENMETRICS_TYPE;
	ask_desk(ask, &visitor, words, nitems(words));
}

/* Before its answer. */
static void end_ask(struct http_ask *ask, int status, const char *why)
{
	desk_leave(ask->api->config.desk, ask->api, ask->number);
	if (ask->begun)
		https_stream_break(&ask->call);
	else
		http_refuse(&ask->call, status, why);
	drop(ask);
}

void http_routes_end_of(struct http_api *api, uint64_t session)
{
	struct http_ask *next;

	for (struct http_ask *ask = api->asks; ask; ask = next) {
		next = ask->next;
		if (ask->session == session)
			end_ask(ask, 401, "the session has ended");
	}
}

void http_routes_drop(struct http_api *api)
{
	while (api->asks)
		end_ask(api->asks, 503, "the node is stopping");
}
