#include "axl/home_servers.h"

#include "base/alloc.h"
#include "tables/events.h"

#include <stdio.h>
#include <stdlib.h>

#define LOGINS_AGAIN 6 /* after 1, 2, 4, ... 32 s */

void home_server_describe(const struct home_server *server, char text[HOME_SERVER_TEXT])
{
	const char *why = server->why ? server->why : "";
	bool tells = *why && strncmp(why, "HTTP ", 5) != 0;

	snprintf(text, HOME_SERVER_TEXT, "%s%s%s", axl_trouble_cause(server->trouble),
		 tells ? ": " : "", tells ? why : "");
}

static void note_trouble(struct home_server *server, enum axl_trouble trouble, const char *why)
{
	bool changed = trouble != server->trouble;
	char text[HOME_SERVER_TEXT];

	server->trouble = trouble;
	free(server->why);
	server->why = xstrdup(why);
	if (trouble == AXL_WELL || !changed)
		return;
	home_server_describe(server, text);
	log_event(EVENT_AXL_FAILED, "server=%s trouble=%s why=\"%s\" fix=\"%s\"",
		  log_text(server->name), axl_trouble_name(trouble), text,
		  axl_trouble_fix(trouble));
}

static void pump(struct home_server *server);

void home_server_begin(struct home_server *server)
{
	loop_disarm(server->all->loop, &server->timer);
	if (server->working) {
		server->again = true;
		return;
	}
	server->working = true;
	axl_sync_begin(server->sync);
	server->fresh = true;
	pump(server);
}

static void on_timer(struct timer *timer)
{
	home_server_begin(
		(struct home_server *)((char *)timer - offsetof(struct home_server, timer)));
}

/* In how many seconds there is another round; 0: none. A 401 is final, as servers lock whoever goes
 * on, but our own nodes don't: one that was just paired may have the account a moment after us. */
static unsigned next_round_s(struct home_server *server, const struct axl_action *action)
{
	if (action->type == AXL_ACT_DONE)
		return server->all->refresh_s;
	if (action->trouble == AXL_LOGIN && server->paired && server->logins < LOGINS_AGAIN)
		return 1u << server->logins++;
	return action->retry_s;
}

static void end_round(struct home_server *server, const struct axl_action *action)
{
	struct home_servers *all = server->all;
	bool done = action->type == AXL_ACT_DONE;
	unsigned wait_s = next_round_s(server, action);

	server->working = false;
	server->ended = true;
	server->ended_ms = loop_now_ms(all->loop);
	if (done && (action->changed || server->trouble != AXL_WELL))
		log_event(EVENT_AXL_SYNCED, "server=%s version=%s changed=%u",
			  log_text(server->name), axl_sync_version(server->sync), action->changed);
	note_trouble(server, done ? AXL_WELL : action->trouble, done ? NULL : action->why);
	server->settled = done && !axl_sync_has_stale(server->sync);
	if (server->again) {
		server->again = false;
		home_server_begin(server);
		return;
	}
	if (wait_s)
		loop_arm(all->loop, &server->timer, wait_s * UINT64_C(1000));
	all->ended(all->arg, server, NULL);
}

static char *url_of(const struct home_server *server)
{
	bool v6 = strchr(server->host, ':') != NULL;

	return xasprintf("https://%s%s%s:%u/axl/", v6 ? "[" : "", server->host, v6 ? "]" : "",
			 server->port);
}

static void log_sent(const struct home_server *server)
{
	char *url = url_of(server);

	log_fields(EVENT_AXL_CALL, { "Action", "Send" }, { "URL", url },
		   { "Function", axl_operation_name(server->operation) });
	free(url);
}

/* The status speaks for itself unless there is a fault in the body. */
static void log_received(const struct home_server *server, const struct https_answer *answer,
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

static void act(struct home_server *server, const struct axl_action *action);

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
	struct home_servers *all = arg;
	struct home_server *server = all->first;
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

static void send_request(struct home_server *server, const struct axl_request *request)
{
	struct home_servers *all = server->all;
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
		.trust = slice_of(all->trust),
		.fresh = server->fresh,
		.timeout_ms = all->timeout_ms,
	};

	axl_request_write(&body, request);
	https.body = (struct slice){ buffer_data(&body), buffer_len(&body) };
	server->operation = request->operation;
	server->fresh = false;
	log_sent(server);
	https_client_send(all->https, &https, server->number, on_answer, all);
	buffer_finish(&body);
	free(action);
}

static void act(struct home_server *server, const struct axl_action *action)
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

static void pump(struct home_server *server)
{
	struct axl_action action = axl_sync_next(server->sync);

	act(server, &action);
}

static void clear_settings(struct home_server *server)
{
	free(server->host);
	free(server->user);
	if (server->password)
		explicit_bzero(server->password, strlen(server->password));
	free(server->password);
	free(server->pin);
}

static void free_server(struct home_server *server)
{
	loop_disarm(server->all->loop, &server->timer);
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

static bool is_unchanged(const struct home_server *server, const struct snapshot_record *record,
			 uint16_t port)
{
	const struct slice *fields = record->fields;

	return server->host && slice_is(fields[2], server->host) && server->port == port &&
	       slice_is(fields[4], server->user) && slice_is(fields[5], server->password) &&
	       server->verify == verify_of(fields[6]) &&
	       slice_equals(slice_of(server->pin), fields[7]);
}

/* What was under way with the old settings is nobody's any more. */
static void renew(struct home_server *server)
{
	loop_disarm(server->all->loop, &server->timer);
	axl_sync_destroy(&server->sync);
	server->sync = axl_sync_create();
	server->number = ++server->all->numbers;
	server->working = server->again = server->settled = false;
	server->logins = 0;
}

static struct home_server *server_of(struct home_servers *all, struct slice name)
{
	struct home_server **at = &all->first, *server;

	while (*at && !slice_is(name, (*at)->name))
		at = &(*at)->next;
	if (*at)
		return *at;
	server = *at = xcalloc(1, sizeof(*server));
	server->all = all;
	server->id = ++all->numbers;
	server->name = xstrndup(name.data, name.len);
	server->timer.fire = on_timer;
	return server;
}

/* home_servers NAME HOST PORT USER PASSWORD VERIFY [PIN]. Returns whether something is new. */
static bool take_server(struct home_servers *all, const struct snapshot_record *record,
			bool trust_changed)
{
	struct home_server *server = server_of(all, record->fields[1]);
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

static bool take_servers(struct home_servers *all, const struct snapshot *snapshot,
			 bool trust_changed)
{
	struct snapshot_record record;
	struct home_server **at;
	bool changed = false;

	for (struct home_server *s = all->first; s; s = s->next)
		s->listed = false;
	for (size_t place = 0; snapshot_each(snapshot, "home_servers", &place, &record);) {
		if (record.count >= 7)
			changed |= take_server(all, &record, trust_changed);
	}
	for (at = &all->first; *at;) {
		struct home_server *server = *at;

		if (server->listed) {
			at = &server->next;
			continue;
		}
		*at = server->next;
		all->ended(all->arg, server, "was removed from home_servers");
		free_server(server);
		changed = true;
	}
	return changed;
}

/* Pairing names the home server as the node. */
static void note_paired(struct home_servers *all, const struct snapshot *snapshot)
{
	struct snapshot_record r;

	for (struct home_server *s = all->first; s; s = s->next)
		s->paired = false;
	for (size_t place = 0; snapshot_each(snapshot, "nodes", &place, &r);) {
		for (struct home_server *s = all->first; s && r.count > 2; s = s->next)
			s->paired |=
				slice_is(r.fields[1], s->name) && slice_is(r.fields[2], "home");
	}
}

static bool take_trust(struct home_servers *all, const struct snapshot *snapshot)
{
	struct slice trust = snapshot_text(snapshot, "axl.trust");

	if (slice_equals(slice_of(all->trust), trust))
		return false;
	free(all->trust);
	all->trust = trust.data ? xstrndup(trust.data, trust.len) : NULL;
	return true;
}

bool home_servers_apply(struct home_servers *all, const struct snapshot *snapshot)
{
	bool changed = take_trust(all, snapshot);

	all->timeout_ms = (unsigned)snapshot_int(snapshot, "timeouts.axl", 10) * 1000;
	all->refresh_s = (unsigned)snapshot_int(snapshot, "axl.refresh", 300);
	changed |= take_servers(all, snapshot, changed);
	note_paired(all, snapshot);
	return changed;
}

void home_servers_finish(struct home_servers *all)
{
	while (all->first) {
		struct home_server *server = all->first;

		all->first = server->next;
		free_server(server);
	}
	free(all->trust);
	all->trust = NULL;
}
