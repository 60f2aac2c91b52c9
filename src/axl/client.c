#include "axl/client.h"

#include "axl/home_servers.h"
#include "axl/text_list.h"
#include "axl/wanted.h"
#include "base/alloc.h"
#include "tables/events.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define ASK_AGAIN_S 15 /* when control refused */

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
	struct home_servers servers;
	uint64_t numbers; /* of questions to control */
	struct text_list wanted, written;

	uint64_t asking; /* tag; 0: control was asked nothing */
	struct text_list asked;
	bool unspread; /* the servers have not been told what changed: control answers first */
	struct timer ask_again;

	struct refresh *refreshes;
	struct loop_task task; /* answers those that are over */
};

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
	for (struct home_server *s = client->servers.first; s; s = s->next) {
		s->settled = false;
		axl_sync_want(s->sync, (const char *const *)rows.items, rows.count,
			      (const char *const *)client->written.items, client->written.count);
	}
	text_list_finish(&rows);
	for (struct home_server *s = client->servers.first; s; s = s->next)
		home_server_begin(s);
}

static void ask_to_remember(struct axl_client *client)
{
	const char **words = xcalloc(client->asked.count + 2, sizeof(*words));

	words[0] = "realms-written";
	for (size_t i = 0; i < client->asked.count; i++)
		words[i + 1] = client->asked.items[i];
	client->asking = ++client->numbers;
	client->config.ask(client->config.arg, client->asking, "axl", words);
	free(words);
}

static bool all_are_settled(const struct axl_client *client)
{
	for (const struct home_server *s = client->servers.first; s; s = s->next) {
		if (!s->settled)
			return false;
	}
	return true;
}

/* Realms are remembered before their rows are written, and forgotten when no server has them. */
static void care_for_written(struct axl_client *client)
{
	const struct text_list *wanted = &client->wanted, *written = &client->written;
	bool more = client->servers.first && !text_list_covers(written, wanted);
	bool fewer =
		!client->unspread && !text_list_covers(wanted, written) && all_are_settled(client);

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

static void write_line(const struct axl_client *client, const struct home_server *server,
		       struct buffer *out)
{
	struct text_list rows = { 0 };
	char text[HOME_SERVER_TEXT];
	size_t count = rows_of(client, &rows);

	text_list_finish(&rows);
	if (server->trouble == AXL_WELL) {
		buffer_printf(out, "%s: table is as it should be, %zu %s\n", server->name, count,
			      count == 1 ? "row" : "rows");
		return;
	}
	home_server_describe(server, text);
	buffer_printf(out, "%s: failed: %s. Fix: %s\n", server->name, text,
		      axl_trouble_fix(server->trouble));
}

static void refresh_ended(struct axl_client *client, const struct home_server *server,
			  const char *removed)
{
	for (struct refresh *r = client->refreshes; r; r = r->next) {
		for (size_t i = 0; i < r->waits_count; i++) {
			if (r->waits[i] != server->id)
				continue;
			r->waits[i] = r->waits[--r->waits_count];
			r->failed |= removed || server->trouble != AXL_WELL;
			if (removed)
				buffer_printf(&r->text, "%s: %s\n", server->name, removed);
			else
				write_line(client, server, &r->text);
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

void axl_client_apply(struct axl_client *client, const struct snapshot *snapshot)
{
	struct text_list wanted = { 0 }, written = { 0 };
	bool changed = home_servers_apply(&client->servers, snapshot);

	axl_wanted(snapshot, &wanted);
	axl_written(snapshot, &written);
	changed |= replace(&client->wanted, &wanted);
	changed |= replace(&client->written, &written);
	if (!changed)
		return;
	client->unspread = true;
	care_for_written(client);
	if (!client->asking)
		spread(client);
}

static void on_ended(void *arg, struct home_server *server, const char *removed)
{
	struct axl_client *client = arg;

	refresh_ended(client, server, removed);
	if (!removed)
		care_for_written(client);
}

struct axl_client *axl_client_create(const struct axl_client_config *config)
{
	struct axl_client *client = xcalloc(1, sizeof(*client));

	client->config = *config;
	client->servers = (struct home_servers){
		.loop = config->loop, .https = config->https, .ended = on_ended, .arg = client
	};
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
	home_servers_finish(&client->servers);
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
	for (struct home_server *s = client->servers.first; s; s = s->next) {
		if (name && strcmp(s->name, name) != 0)
			continue;
		refresh->waits = xrealloc(refresh->waits,
					  (refresh->waits_count + 1) * sizeof(*refresh->waits));
		refresh->waits[refresh->waits_count++] = s->id;
		home_server_begin(s);
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

static void add_record(const struct axl_client *client, const struct home_server *server,
		       struct buffer *out)
{
	struct text_list rows = { 0 };
	struct buffer ours = { 0 }, foreign = { 0 };
	const char *const *others;
	size_t others_count = axl_sync_foreign(server->sync, &others);
	uint64_t now_ms = loop_now_ms(client->config.loop);
	char address[300], seconds[24] = "-", text[HOME_SERVER_TEXT] = "";
	struct snapshot_record record = { 10, { slice_of("home-server") } };
	bool well = server->trouble == AXL_WELL;

	rows_of(client, &rows);
	join(&ours, REALM_COMPONENT ".", (const char *const *)rows.items, rows.count);
	join(&foreign, "", others, others_count);
	snprintf(address, sizeof(address), "%s:%u", server->host, server->port);
	if (server->ended)
		snprintf(seconds, sizeof(seconds), "%" PRIu64, (now_ms - server->ended_ms) / 1000);
	if (!well)
		home_server_describe(server, text);
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
	for (const struct home_server *s = client->servers.first; s; s = s->next)
		add_record(client, s, out);
}
