#include "admin/watch.h"

#include "admin/alarms.h"
#include "admin/asks.h"
#include "admin/series.h"
#include "admin/status.h"
#include "base/alloc.h"
#include "ipc/snapshot.h"
#include "ipc/wire.h"
#include "tables/events.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ANSWER_MS 1500 /* below WATCH_EVERY_MS: one look at a time */
#define POKE_MS 100    /* what changes together is looked at once */
#define DAY_S 86400
#define REPORTED_MAX 50 /* alarms; a line of the tunnel carries them */

struct watch {
	struct watch_config config;
	struct asks *asks;
	struct alarms *alarms;
	struct series *series;
	struct timer timer;
	json_t *status; /* of the look that is under way; NULL: none is */
	unsigned waits; /* for so many answers to it */
	bool again;	/* poked meanwhile */
};

static void on_answer(void *arg, uint64_t tag, const struct ask_answer *answer);

static void look(struct watch *watch)
{
	static const enum process asked[] = { PROCESS_CONTROL, PROCESS_TRAFFIC };
	struct buffer body = { 0 };

	wire_put_u8(&body, 1); /* brief */
	watch->status = status_begin();
	watch->waits = nitems(asked);
	watch->again = false;
	for (size_t i = 0; i < nitems(asked); i++)
		asks_send(watch->asks, asked[i], MESSAGE_STATUS,
			  (struct slice){ buffer_data(&body), buffer_len(&body) }, ANSWER_MS, 0);
	buffer_finish(&body);
}

static void on_timer(struct timer *timer)
{
	look((void *)((char *)timer - offsetof(struct watch, timer)));
}

struct watch *watch_create(const struct watch_config *config)
{
	struct watch *watch = xcalloc(1, sizeof(*watch));

	watch->config = *config;
	watch->asks = asks_create(config->loop, on_answer, watch);
	watch->alarms = alarms_create();
	watch->series = series_create();
	watch->timer.fire = on_timer;
	loop_arm(config->loop, &watch->timer, POKE_MS);
	return watch;
}

void watch_destroy(struct watch **watch_ref)
{
	struct watch *watch = *watch_ref;

	if (!watch)
		return;
	*watch_ref = NULL;
	loop_disarm(watch->config.loop, &watch->timer);
	asks_destroy(&watch->asks);
	alarms_destroy(&watch->alarms);
	series_destroy(&watch->series);
	json_decref(watch->status);
	free(watch);
}

void watch_reach(struct watch *watch, enum process process, struct messenger *messenger)
{
	asks_reach(watch->asks, process, messenger);
}

void watch_take(struct watch *watch, enum process from, const struct message *message)
{
	asks_take(watch->asks, from, message);
}

void watch_poke(struct watch *watch)
{
	if (!watch->again && !watch->status)
		loop_arm(watch->config.loop, &watch->timer, POKE_MS);
	watch->again = true;
}

static void log_changes(struct watch *watch)
{
	struct alarm_change change;

	while (alarms_next(watch->alarms, &change)) {
		const struct alarm_row *row = &alarm_rows[change.alarm];

		if (change.raised)
			log_event(EVENT_ALARM_RAISED,
				  "id=%u severity=%s title=\"%s\" subject=\"%s\" seen=\"%s\"",
				  row->number, row->severity, row->title, change.subject,
				  change.seen);
		else
			log_event(EVENT_ALARM_LOWERED, "id=%u title=\"%s\" subject=\"%s\"",
				  row->number, row->title, change.subject);
	}
}

static void add_own(struct watch *watch, json_t *status)
{
	struct buffer records = { 0 };

	if (!watch->config.records)
		return;
	snapshot_begin(&records, 0, 0);
	watch->config.records(watch->config.arg, &records);
	if (!status_add(status, PROCESS_MANAGE,
			(struct slice){ buffer_data(&records), buffer_len(&records) }))
		status_silent(status, PROCESS_MANAGE, "reports what cannot be read");
	buffer_finish(&records);
}

const struct series *watch_series(const struct watch *watch)
{
	return watch->series;
}

/* When each certificate ends, for people. */
static void add_ends(json_t *certificates, int64_t now_s)
{
	json_t *certificate;
	size_t index;

	json_array_foreach(certificates, index, certificate)
	{
		const json_t *end = json_object_get(certificate, "not_after");
		time_t end_s = (time_t)json_integer_value(end);
		char date[40];
		struct tm parts;

		if (!json_is_integer(end) || !gmtime_r(&end_s, &parts) ||
		    !strftime(date, sizeof(date), "%Y-%m-%d", &parts))
			continue;
		json_object_set_new(certificate, "ends", json_string(date));
		json_object_set_new(certificate, "days",
				    json_integer((end_s - now_s) / DAY_S - (end_s < now_s)));
	}
}

void watch_complete(struct watch *watch, json_t *status)
{
	const struct alarms_now now = { loop_now_ms(watch->config.loop), (int64_t)time(NULL) };
	json_t *others = watch->config.others ? watch->config.others(watch->config.arg) : NULL;

	add_own(watch, status);
	if (others)
		json_object_set_new(status, "others", others);
	json_object_set_new(status, "release", json_string(watch->config.release));
	add_ends(json_object_get(status, "certificates"), now.clock_s);
	alarms_update(watch->alarms, status, &now);
	log_changes(watch);
	json_object_set_new(status, "alarms", alarms_list(watch->alarms));
	status_judge(status);
}

static bool has(const json_t *row, const char *key, const char *value)
{
	const char *text = json_string_value(json_object_get(row, key));

	return text && strcmp(text, value) == 0;
}

/* A home node has no switch of its own: it federates what its core says. */
static bool federates(const json_t *status)
{
	size_t index;
	json_t *domain;

	if (!has(json_object_get(status, "node"), "role", "home"))
		return has(json_object_get(status, "settings"), "federation.enabled", "on");
	json_array_foreach(json_object_get(status, "domains"), index, domain)
	{
		if (has(domain, "federation", "on"))
			return true;
	}
	return false;
}

static json_t *alarms_in_short(const json_t *alarms)
{
	static const char *const keys[] = { "number", "severity", "title", "subject", "seen" };
	json_t *list = json_array(), *alarm;
	size_t index;

	json_array_foreach(alarms, index, alarm)
	{
		json_t *shortened = json_object();

		for (size_t i = 0; i < nitems(keys); i++)
			json_object_set(shortened, keys[i], json_object_get(alarm, keys[i]));
		json_array_append_new(list, shortened);
		if (index + 1 == REPORTED_MAX)
			break;
	}
	return list;
}

static json_t *link_listeners(const json_t *status)
{
	json_t *list = json_array(), *listener;
	size_t index;

	json_array_foreach(json_object_get(status, "listeners"), index, listener)
	{
		if (has(listener, "service", "link"))
			json_array_append(list, json_object_get(listener, "address"));
	}
	return list;
}

/* For the other nodes, unless control, which knows who we are, is silent. */
static void report(struct watch *watch, const json_t *status)
{
	const json_t *node = json_object_get(status, "node");
	json_t *document;

	if (!watch->config.report || !json_object_get(node, "name"))
		return;
	document = json_pack("{s:O, s:O, s:s, s:O, s:b, s:o, s:o}", "node",
			     json_object_get(node, "name"), "role", json_object_get(node, "role"),
			     "release", watch->config.release, "revision",
			     json_object_get(status, "revision"), "federation", federates(status),
			     "link_listeners", link_listeners(status), "alarms",
			     alarms_in_short(json_object_get(status, "alarms")));
	watch->config.report(watch->config.arg, document);
	json_decref(document);
}

static void on_answer(void *arg, uint64_t tag, const struct ask_answer *answer)
{
	struct watch *watch = arg;

	if (answer->why)
		status_silent(watch->status, answer->from, answer->why);
	else if (!status_add(watch->status, answer->from, answer->body))
		status_silent(watch->status, answer->from, "answers what cannot be read");
	if (--watch->waits)
		return;
	watch_complete(watch, watch->status);
	series_take(watch->series, watch->status, time(NULL));
	report(watch, watch->status);
	if (watch->config.looked)
		watch->config.looked(watch->config.arg, watch->status);
	json_decref(watch->status);
	watch->status = NULL;
	loop_arm(watch->config.loop, &watch->timer, watch->again ? POKE_MS : WATCH_EVERY_MS);
}
