#include "axl/client.h"

#include "axl/sync.h"
#include "axl/text_list.h"
#include "axl/wanted.h"
#include "base/alloc.h"
#include "tables/events.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define ASK_AGAIN_S 15 /* when control refused */
#define TEXT_BYTES 512

struct server {
	struct server *next;
	struct axl_client *client;
	uint64_t id;	 /* of the server, for refreshes */
	uint64_t number; /* of its settings: an answer to older ones finds nobody */
	char *name, *host, *user, *password, *pin;
	uint16_t port;
	enum https_verify verify;

	struct axl_sync *sync;
	bool working; /* a round is under way */
	bool again;   /* another has to follow */
	bool settled; /* the last round found the table as it should be */
	bool ended;   /* there was a round, until ended_ms */
	uint64_t ended_ms;
	enum axl_operation operation; /* of the request under way */
	enum axl_trouble trouble;
	char *why;
	struct timer timer; /* for the next round */
	bool listed;	    /* in the snapshot that is being applied */
};

struct refresh {
	struct refresh *next;
	uint64_t session;
	axl_refreshed_fn *refreshed;
	void *arg;
	struct buffer text;
	uint64_t *waits; /* ids of servers */
	size_t waits_count;
	bool failed;
};

struct axl_client {
	struct axl_client_config config;
	struct server *servers;
	uint64_t numbers;
	struct text_list wanted, written;
	char *trust;
	unsigned timeout_ms, refresh_s;

	uint64_t asking; /* tag; 0: control was asked nothing */
	struct text_list asked;
	bool unspread; /* the servers have not been told what changed: control answers first */
	struct timer ask_again;

	struct refresh *refreshes;
	struct loop_task task; /* answers those that are over */
};

static void pump(struct server *server);
static void care_for_written(struct axl_client *client);

static void begin(struct server *server)
{
	loop_disarm(server->client->config.loop, &server->timer);
	if (server->working) {
		server->again = true;
		return;
	}
	server->working = true;
	axl_sync_begin(server->sync);
	pump(server);
}

static void on_timer(struct timer *timer)
{
	begin((struct server *)((char *)timer - offsetof(struct server, timer)));
}

static size_t rows_of(const struct axl_client *client, struct text_list *rows)
{
	for (size_t i = 0; i < client->wanted.count; i++) {
		if (text_list_has(&client->written, client->wanted.items[i]))
			text_list_add(rows, client->wanted.items[i]);
	}
	return rows->count;
}

/* Only what is known to be ours afterwards may be written. */
static void spread(struct axl_client *client)
{
	struct text_list rows = { 0 };

	client->unspread = false;
	rows_of(client, &rows);
	for (struct server *s = client->servers; s; s = s->next) {
		s->settled = false;
		axl_sync_want(s->sync, (const char *const *)rows.items, rows.count,
			      (const char *const *)client->written.items, client->written.count);
	}
	text_list_finish(&rows);
	for (struct server *s = client->servers; s; s = s->next)
		begin(s);
}

static void ask_to_remember(struct axl_client *client)
{
	const char **words = xcalloc(client->asked.count + 1, sizeof(*words));

	for (size_t i = 0; i < client->asked.count; i++)
		words[i] = client->asked.items[i];
	client->asking = ++client->numbers;
	client->config.ask(client->config.arg, client->asking, "axl", words);
	free(words);
}

static bool all_are_settled(const struct axl_client *client)
{
	for (const struct server *s = client->servers; s; s = s->next) {
		if (!s->settled)
			return false;
	}
	return true;
}

/* Realms are remembered before their rows are written, and forgotten when no server has them. */
static void care_for_written(struct axl_client *client)
{
	const struct text_list *wanted = &client->wanted, *written = &client->written;
	bool more = client->servers && !text_list_covers(written, wanted);
	bool fewer = !text_list_covers(wanted, written) && all_are_settled(client);

	if (client->asking || timer_is_armed(&client->ask_again) || (!more && !fewer))
		return;
	text_list_finish(&client->asked);
	for (size_t i = 0; i < written->count; i++) {
		if (!fewer || text_list_has(wanted, written->items[i]))
			text_list_add(&client->asked, written->items[i]);
	}
	for (size_t i = 0; more && i < wanted->count; i++)
		text_list_add(&client->asked, wanted->items[i]);
	ask_to_remember(client);
}

static void on_ask_again(struct timer *timer)
{
	care_for_written(
		(struct axl_client *)((char *)timer - offsetof(struct axl_client, ask_again)));
}

/* Takes *now. */
static bool replace(struct text_list *list, struct text_list *now)
{
	bool changed = !text_list_covers(list, now) || !text_list_covers(now, list);

	text_list_finish(list);
	*list = *now;
	*now = (struct text_list){ 0 };
	return changed;
}

void axl_client_answer(struct axl_client *client, uint64_t tag, bool done, const char *text)
{
	bool grown;

	if (tag != client->asking)
		return;
	client->asking = 0;
	if (!done) {
		log_event(EVENT_AXL_FAILED, "why=\"realms cannot be stored: %s\"", text);
		loop_arm(client->config.loop, &client->ask_again, ASK_AGAIN_S * UINT64_C(1000));
		spread(client);
		return;
	}
	grown = !text_list_covers(&client->written, &client->asked);
	replace(&client->written, &client->asked);
	care_for_written(client);
	if (!client->asking && (grown || client->unspread))
		spread(client);
}

/* "the user name or password is wrong (401)", with the server's own words if there are some. */
static void describe(const struct server *server, char text[TEXT_BYTES])
{
	const char *why = server->why ? server->why : "";
	bool tells = *why && strncmp(why, "HTTP ", 5) != 0;

	snprintf(text, TEXT_BYTES, "%s%s%s", axl_trouble_cause(server->trouble), tells ? ": " : "",
		 tells ? why : "");
}

static void write_line(const struct server *server, struct buffer *out)
{
	struct text_list rows = { 0 };
	char text[TEXT_BYTES];
	size_t count = rows_of(server->client, &rows);

	text_list_finish(&rows);
	if (server->trouble == AXL_WELL) {
		buffer_printf(out, "%s: table is as it should be, %zu %s\n", server->name, count,
			      count == 1 ? "row" : "rows");
		return;
	}
	describe(server, text);
	buffer_printf(out, "%s: failed: %s. Fix: %s\n", server->name, text,
		      axl_trouble_fix(server->trouble));
}

static void refresh_ended(struct server *server, const char *removed)
{
	struct axl_client *client = server->client;

	for (struct refresh *r = client->refreshes; r; r = r->next) {
		for (size_t i = 0; i < r->waits_count; i++) {
			if (r->waits[i] != server->id)
				continue;
			r->waits[i] = r->waits[--r->waits_count];
			r->failed |= removed || server->trouble != AXL_WELL;
			if (removed)
				buffer_printf(&r->text, "%s: %s\n", server->name, removed);
			else
				write_line(server, &r->text);
			break;
		}
		if (!r->waits_count)
			loop_defer(client->config.loop, &client->task);
	}
}

/* One each time: the callback may destroy the client. */
static void answer_refreshes(struct loop_task *task)
{
	struct axl_client *client = (void *)((char *)task - offsetof(struct axl_client, task));
	struct refresh **at = &client->refreshes, *refresh;
	char *text;

	while (*at && (*at)->waits_count)
		at = &(*at)->next;
	refresh = *at;
	if (!refresh)
		return;
	*at = refresh->next;
	loop_defer(client->config.loop, &client->task);
	text = buffer_take_text(&refresh->text);
	refresh->refreshed(refresh->arg, refresh->session, !refresh->failed, text);
	free(text);
	free(refresh->waits);
	free(refresh);
}

static void note_trouble(struct server *server, enum axl_trouble trouble, const char *why)
{
	bool changed = trouble != server->trouble;
	char text[TEXT_BYTES];

	server->trouble = trouble;
	free(server->why);
	server->why = xstrdup(why);
	if (trouble == AXL_WELL || !changed)
		return;
	describe(server, text);
	log_event(EVENT_AXL_FAILED, "server=%s trouble=%s why=\"%s\" fix=\"%s\"",
		  log_text(server->name), axl_trouble_name(trouble), text,
		  axl_trouble_fix(trouble));
}

static void end_round(struct server *server, const struct axl_action *action)
{
	struct axl_client *client = server->client;
	bool done = action->type == AXL_ACT_DONE;

	server->working = false;
	server->ended = true;
	server->ended_ms = loop_now_ms(client->config.loop);
	if (done && (action->changed || server->trouble != AXL_WELL))
		log_event(EVENT_AXL_SYNCED, "server=%s version=%s changed=%u",
			  log_text(server->name), axl_sync_version(server->sync), action->changed);
	note_trouble(server, done ? AXL_WELL : action->trouble, done ? NULL : action->why);
	server->settled = done && !axl_sync_has_stale(server->sync);
	if (server->again) {
		server->again = false;
		begin(server);
		return;
	}
	if (done)
		loop_arm(client->config.loop, &server->timer, client->refresh_s * UINT64_C(1000));
	else if (action->retry_s)
		loop_arm(client->config.loop, &server->timer, action->retry_s * UINT64_C(1000));
	refresh_ended(server, NULL);
	care_for_written(client);
}

static char *url_of(const struct server *server)
{
	bool v6 = strchr(server->host, ':') != NULL;

	return xasprintf("https://%s%s%s:%u/axl/", v6 ? "[" : "", server->host, v6 ? "]" : "",
			 server->port);
}

static void log_sent(const struct server *server)
{
	char *url = url_of(server);

	log_fields(EVENT_AXL_CALL, { "Action", "Send" }, { "URL", url },
		   { "Function", axl_operation_name(server->operation) });
	free(url);
}

/* The status speaks for itself unless there is a fault in the body. */
static void log_received(const struct server *server, const struct https_answer *answer,
			 const struct axl_action *action)
{
	bool answered = answer->end == HTTPS_ANSWERED;
	bool has_words = action->type == AXL_ACT_FAILED && action->why && *action->why &&
			 (!answered || answer->status == 200 || answer->status == 500);
	char *url = url_of(server), status[24];

	snprintf(status, sizeof(status), "%ld", answer->status);
	log_fields(EVENT_AXL_CALL, { "Action", "Receive" }, { "URL", url },
		   { "Function", axl_operation_name(server->operation) },
		   { "Status", answered ? status : NULL },
		   { "Reason", has_words ? action->why : "None" });
	free(url);
}

static void act(struct server *server, const struct axl_action *action);

static void on_answer(void *arg, uint64_t number, const struct https_answer *answer)
{
	static const enum axl_trouble troubles[] = {
		[HTTPS_NO_ADDRESS] = AXL_NO_ADDRESS,
		[HTTPS_REFUSED] = AXL_REFUSED,
		[HTTPS_UNREACHABLE] = AXL_UNREACHABLE,
		[HTTPS_TIMEOUT] = AXL_TIMEOUT,
		[HTTPS_TLS] = AXL_TLS,
		[HTTPS_PROTOCOL] = AXL_GIBBERISH,
	};
	struct axl_client *client = arg;
	struct server *server = client->servers;
	struct axl_action action;

	while (server && server->number != number)
		server = server->next;
	if (!server)
		return;
	if (answer->end == HTTPS_ANSWERED)
		axl_sync_answer(server->sync, answer->status, answer->body);
	else
		axl_sync_trouble(server->sync, troubles[answer->end], answer->why);
	action = axl_sync_next(server->sync);
	log_received(server, answer, &action);
	act(server, &action);
}

static void send_request(struct server *server, const struct axl_request *request)
{
	struct axl_client *client = server->client;
	struct buffer body = { 0 };
	char *action = xasprintf("SOAPAction: \"CUCM:DB ver=%s %s\"", request->version,
				 axl_operation_name(request->operation));
	const char *const headers[] = { "Content-Type: text/xml; charset=utf-8", action, NULL };
	struct https_request https = {
		.host = server->host,
		.port = server->port,
		.path = "/axl/",
		.user = server->user,
		.password = server->password,
		.headers = headers,
		.verify = server->verify,
		.pin = server->pin,
		.trust = slice_of(client->trust),
		.timeout_ms = client->timeout_ms,
	};

	axl_request_write(&body, request);
	https.body = (struct slice){ buffer_data(&body), buffer_len(&body) };
	server->operation = request->operation;
	log_sent(server);
	https_client_send(client->config.https, &https, server->number, on_answer, client);
	buffer_finish(&body);
	free(action);
}

static void act(struct server *server, const struct axl_action *action)
{
	switch (action->type) {
	case AXL_ACT_NONE:
		break;
	case AXL_ACT_SEND:
		send_request(server, action->request);
		break;
	case AXL_ACT_DONE:
	case AXL_ACT_FAILED:
		end_round(server, action);
		break;
	}
}

static void pump(struct server *server)
{
	struct axl_action action = axl_sync_next(server->sync);

	act(server, &action);
}

static void clear_settings(struct server *server)
{
	free(server->host);
	free(server->user);
	if (server->password)
		explicit_bzero(server->password, strlen(server->password));
	free(server->password);
	free(server->pin);
}

static void free_server(struct server *server)
{
	loop_disarm(server->client->config.loop, &server->timer);
	axl_sync_destroy(&server->sync);
	clear_settings(server);
	free(server->name);
	free(server->why);
	free(server);
}

static char *field(const struct snapshot_record *record, size_t i)
{
	return i < record->count ? xstrndup(record->fields[i].data, record->fields[i].len) : NULL;
}

static enum https_verify verify_of(struct slice text)
{
	return slice_is(text, "ca")    ? HTTPS_VERIFY_CA
	       : slice_is(text, "off") ? HTTPS_VERIFY_OFF
				       : HTTPS_VERIFY_PIN;
}

static bool is_unchanged(const struct server *server, const struct snapshot_record *record,
			 uint16_t port)
{
	const struct slice *fields = record->fields;

	return server->host && slice_is(fields[2], server->host) && server->port == port &&
	       slice_is(fields[4], server->user) && slice_is(fields[5], server->password) &&
	       server->verify == verify_of(fields[6]) &&
	       slice_equals(slice_of(server->pin), fields[7]);
}

/* What was under way with the old settings is nobody's any more. */
static void renew(struct server *server)
{
	loop_disarm(server->client->config.loop, &server->timer);
	axl_sync_destroy(&server->sync);
	server->sync = axl_sync_create();
	server->number = ++server->client->numbers;
	server->working = server->again = server->settled = false;
}

static struct server *server_of(struct axl_client *client, struct slice name)
{
	struct server **at = &client->servers, *server;

	while (*at && !slice_is(name, (*at)->name))
		at = &(*at)->next;
	if (*at)
		return *at;
	server = *at = xcalloc(1, sizeof(*server));
	server->client = client;
	server->id = ++client->numbers;
	server->name = xstrndup(name.data, name.len);
	server->timer.fire = on_timer;
	return server;
}

/* home_servers NAME HOST PORT USER PASSWORD VERIFY [PIN]. Returns whether something is new. */
static bool take_server(struct axl_client *client, const struct snapshot_record *record,
			bool trust_changed)
{
	struct server *server = server_of(client, record->fields[1]);
	char *port_text = field(record, 3);
	uint16_t port = (uint16_t)strtoul(port_text, NULL, 10);

	free(port_text);
	server->listed = true;
	if (is_unchanged(server, record, port) &&
	    !(trust_changed && server->verify == HTTPS_VERIFY_CA))
		return false;
	clear_settings(server);
	server->host = field(record, 2);
	server->port = port;
	server->user = field(record, 4);
	server->password = field(record, 5);
	server->verify = verify_of(record->fields[6]);
	server->pin = field(record, 7);
	renew(server);
	return true;
}

static bool take_servers(struct axl_client *client, const struct snapshot *snapshot,
			 bool trust_changed)
{
	struct snapshot_record record;
	struct server **at;
	bool changed = false;

	for (struct server *s = client->servers; s; s = s->next)
		s->listed = false;
	for (size_t place = 0; snapshot_each(snapshot, "home_servers", &place, &record);) {
		if (record.count >= 7)
			changed |= take_server(client, &record, trust_changed);
	}
	for (at = &client->servers; *at;) {
		struct server *server = *at;

		if (server->listed) {
			at = &server->next;
			continue;
		}
		*at = server->next;
		refresh_ended(server, "was removed from home_servers");
		free_server(server);
		changed = true;
	}
	return changed;
}

static bool take_trust(struct axl_client *client, const struct snapshot *snapshot)
{
	struct slice trust = snapshot_text(snapshot, "axl.trust");

	if (slice_equals(slice_of(client->trust), trust))
		return false;
	free(client->trust);
	client->trust = trust.data ? xstrndup(trust.data, trust.len) : NULL;
	return true;
}

void axl_client_apply(struct axl_client *client, const struct snapshot *snapshot)
{
	struct text_list wanted = { 0 }, written = { 0 };
	bool changed = take_trust(client, snapshot);

	client->timeout_ms = (unsigned)snapshot_int(snapshot, "timeouts.axl", 10) * 1000;
	client->refresh_s = (unsigned)snapshot_int(snapshot, "axl.refresh", 300);
	changed = take_servers(client, snapshot, changed);
	axl_wanted(snapshot, &wanted);
	axl_written(snapshot, &written);
	changed |= replace(&client->wanted, &wanted);
	changed |= replace(&client->written, &written);
	if (!changed)
		return;
	care_for_written(client);
	client->unspread = true;
	if (!client->asking)
		spread(client);
}

struct axl_client *axl_client_create(const struct axl_client_config *config)
{
	struct axl_client *client = xcalloc(1, sizeof(*client));

	client->config = *config;
	client->ask_again.fire = on_ask_again;
	client->task.run = answer_refreshes;
	return client;
}

void axl_client_destroy(struct axl_client **client_ref)
{
	struct axl_client *client = *client_ref;

	if (!client)
		return;
	*client_ref = NULL;
	while (client->servers) {
		struct server *server = client->servers;

		client->servers = server->next;
		free_server(server);
	}
	while (client->refreshes) {
		struct refresh *refresh = client->refreshes;

		client->refreshes = refresh->next;
		buffer_finish(&refresh->text);
		free(refresh->waits);
		free(refresh);
	}
	loop_disarm(client->config.loop, &client->ask_again);
	loop_undefer(client->config.loop, &client->task);
	text_list_finish(&client->wanted);
	text_list_finish(&client->written);
	text_list_finish(&client->asked);
	free(client->trust);
	free(client);
}

void axl_client_refresh(struct axl_client *client, const char *name, uint64_t session,
			axl_refreshed_fn *refreshed, void *arg)
{
	struct refresh *refresh = xcalloc(1, sizeof(*refresh));

	refresh->session = session;
	refresh->refreshed = refreshed;
	refresh->arg = arg;
	refresh->next = client->refreshes;
	client->refreshes = refresh;
	for (struct server *s = client->servers; s; s = s->next) {
		if (name && strcmp(s->name, name) != 0)
			continue;
		refresh->waits = xrealloc(refresh->waits,
					  (refresh->waits_count + 1) * sizeof(*refresh->waits));
		refresh->waits[refresh->waits_count++] = s->id;
		begin(s);
	}
	if (refresh->waits_count)
		return;
	refresh->failed = true;
	if (name)
		buffer_printf(&refresh->text, "home_servers has no %s\n", name);
	else
		buffer_append_text(&refresh->text, "home_servers is empty\n");
	loop_defer(client->config.loop, &client->task);
}

static void join(struct buffer *out, const char *before, const char *const *texts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		buffer_printf(out, "%s%s%s", i ? " " : "", before, texts[i]);
}

static void add_record(const struct server *server, struct buffer *out)
{
	struct text_list rows = { 0 };
	struct buffer ours = { 0 }, foreign = { 0 };
	const char *const *others;
	size_t others_count = axl_sync_foreign(server->sync, &others);
	uint64_t now_ms = loop_now_ms(server->client->config.loop);
	char address[300], seconds[24] = "-", text[TEXT_BYTES] = "";
	struct snapshot_record record = { 10, { slice_of("home-server") } };
	bool well = server->trouble == AXL_WELL;

	rows_of(server->client, &rows);
	join(&ours, REALM_COMPONENT ".", (const char *const *)rows.items, rows.count);
	join(&foreign, "", others, others_count);
	snprintf(address, sizeof(address), "%s:%u", server->host, server->port);
	if (server->ended)
		snprintf(seconds, sizeof(seconds), "%" PRIu64, (now_ms - server->ended_ms) / 1000);
	if (!well)
		describe(server, text);
	record.fields[1] = slice_of(server->name);
	record.fields[2] = slice_of(address);
	record.fields[3] = slice_of(!well ? "failed" : server->settled ? "ready" : "working");
	record.fields[4] = slice_of(axl_trouble_name(server->trouble));
	record.fields[5] = slice_of(text);
	record.fields[6] = slice_of(axl_sync_version(server->sync));
	record.fields[7] = slice_of(seconds);
	record.fields[8] = (struct slice){ buffer_data(&ours), buffer_len(&ours) };
	record.fields[9] = (struct slice){ buffer_data(&foreign), buffer_len(&foreign) };
	snapshot_add(out, &record);
	text_list_finish(&rows);
	buffer_finish(&ours);
	buffer_finish(&foreign);
}

void axl_client_status(const struct axl_client *client, struct buffer *out)
{
	for (const struct server *s = client->servers; s; s = s->next)
		add_record(s, out);
}
