#include "process/log_terms.h"

#include "base/alloc.h"
#include "ipc/snapshot.h"
#include "process/configure_internal.h"
#include "tables/events.h"

#include <inttypes.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>

#define LOOK_S 60 /* at least so often: clocks are set, and a disk that was full may not be */
#define FAR_S 3153600000 /* a hundred years */
#define AUTHOR "timer"

/* A row with an end, and when that is by our own clock. */
struct term {
	char *row;
	uint64_t due_ms;
};

struct log_terms {
	struct timer timer;
	struct loop *loop;
	const struct configure *configure;
	struct term *terms; /* as they stand in the settings: levels, then stanzas */
	size_t count;
	bool overdue; /* something has ended, and the store does not take it */
};

/* A row of log.levels: module, level, then perhaps until, and what it is for good. */
struct level_row {
	enum log_level level, lasting;
	int64_t until; /* 0: for good */
};

static enum log_level level_of(struct slice field)
{
	char *name = xstrndup(field.data, field.len);
	enum log_level level = LOG_LEVEL_INFO;

	log_level_read(name, &level);
	free(name);
	return level;
}

static int64_t seconds_of(struct slice field)
{
	char *text = xstrndup(field.data, field.len);
	int64_t seconds = strtoll(text, NULL, 10);

	free(text);
	return seconds;
}

static struct level_row read_level(const char *row)
{
	struct slice fields[SETTING_FIELDS_MAX];
	size_t count = row ? setting_split(setting_find("log.levels"), row, fields) : 0;
	struct level_row level = { LOG_LEVEL_INFO, LOG_LEVEL_INFO, 0 };

	if (count > 1)
		level.level = level_of(fields[1]);
	if (count > 2)
		level.until = seconds_of(fields[2]);
	level.lasting = !level.until ? level.level : LOG_LEVEL_INFO;
	if (count > 3)
		level.lasting = level_of(fields[3]);
	return level;
}

/* As the setting's choices are written. */
static const char *word(enum log_level level)
{
	static const char *const words[] = {
		[LOG_LEVEL_ERROR] = "error",
		[LOG_LEVEL_WARN] = "warn",
		[LOG_LEVEL_INFO] = "info",
		[LOG_LEVEL_DEBUG] = "debug",
	};

	return words[level];
}

char *log_terms_row(const char *old, const char *module, enum log_level level, int64_t until)
{
	enum log_level lasting = read_level(old).lasting;

	if (!until)
		return level == LOG_LEVEL_INFO ? NULL : xasprintf("%s %s", module, word(level));
	if (lasting == LOG_LEVEL_INFO)
		return xasprintf("%s %s %" PRId64, module, word(level), until);
	return xasprintf("%s %s %" PRId64 " %s", module, word(level), until, word(lasting));
}

/* Both clocks */

static uint64_t due_of(const struct log_terms *terms, const char *row, int64_t left_s)
{
	for (size_t i = 0; i < terms->count; i++) {
		if (strcmp(terms->terms[i].row, row) == 0)
			return terms->terms[i].due_ms;
	}
	left_s = left_s < 0 ? 0 : left_s > FAR_S ? FAR_S : left_s;
	return loop_now_ms(terms->loop) + (uint64_t)left_s * 1000;
}

static void forget(struct term *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(list[i].row);
	free(list);
}

static void remember_rows(const struct log_terms *terms, const char *name, int64_t now,
			  struct term *list, size_t *count)
{
	const struct setting *setting = setting_find(name);
	const struct setting_value *value = store_value(terms->configure->node->store, setting);
	size_t place = setting == setting_find("log.levels") ? 2 : 1;
	struct slice fields[SETTING_FIELDS_MAX];

	for (size_t i = 0; i < value->count; i++) {
		const char *row = value->entries[i];

		if (setting_split(setting, row, fields) <= place)
			continue;
		list[(*count)++] =
			(struct term){ xstrdup(row),
				       due_of(terms, row, seconds_of(fields[place]) - now) };
	}
}

/* What is new is due as long from now as the calendar says now; what was there stays due. */
static void remember(struct log_terms *terms, int64_t now)
{
	struct store *store = terms->configure->node->store;
	size_t most = store_value(store, setting_find("log.levels"))->count +
		      store_value(store, setting_find("log.stanzas"))->count;
	struct term *list = xcalloc(most + 1, sizeof(*list));
	size_t count = 0;

	remember_rows(terms, "log.levels", now, list, &count);
	remember_rows(terms, "log.stanzas", now, list, &count);
	forget(terms->terms, terms->count);
	terms->terms = list;
	terms->count = count;
}

static bool has_ended(const struct log_terms *terms, const char *row, int64_t until, int64_t now)
{
	return until && (until <= now || due_of(terms, row, FAR_S) <= loop_now_ms(terms->loop));
}

/* By whichever clock it comes first. */
static void soonest(const struct log_terms *terms, const char *row, int64_t until, int64_t now,
		    int64_t *next)
{
	uint64_t left_ms = due_of(terms, row, FAR_S) - loop_now_ms(terms->loop);
	int64_t due = now + (int64_t)((left_ms + 999) / 1000);

	until = until < due ? until : due;
	if (!*next || until < *next)
		*next = until;
}

/* The rows in force, one after the other: what is planned must not move them. */

static bool plan_levels(struct log_terms *terms, struct plan *plan, int64_t now, int64_t *next,
			char **why)
{
	const struct setting *setting = setting_find("log.levels");
	struct store *store = terms->configure->node->store;
	const struct setting_value *value = store_value(store, setting);

	for (size_t i = 0; i < value->count; i++) {
		struct level_row level = read_level(value->entries[i]);
		size_t len = strcspn(value->entries[i], " ");
		char *module, *row;
		bool done;

		if (!level.until)
			continue;
		if (!has_ended(terms, value->entries[i], level.until, now)) {
			soonest(terms, value->entries[i], level.until, now, next);
			continue;
		}
		module = xstrndup(value->entries[i], len);
		row = log_terms_row(NULL, module, level.lasting, 0);
		done = row ? plan_put_row(plan, store, setting, row, why)
			   : plan_remove_row(plan, store, setting, module, why);
		free(row);
		free(module);
		if (!done)
			return false;
	}
	return true;
}

static bool plan_stanzas(struct log_terms *terms, struct plan *plan, int64_t now, int64_t *next,
			 char **why)
{
	const struct setting *setting = setting_find("log.stanzas");
	struct store *store = terms->configure->node->store;
	const struct setting_value *value = store_value(store, setting);

	for (size_t i = 0; i < value->count; i++) {
		struct slice fields[SETTING_FIELDS_MAX];
		int64_t until;
		char *domain;
		bool done;

		setting_split(setting, value->entries[i], fields);
		until = seconds_of(fields[1]);
		if (until && !has_ended(terms, value->entries[i], until, now)) {
			soonest(terms, value->entries[i], until, now, next);
			continue;
		}
		domain = xstrndup(fields[0].data, fields[0].len);
		done = plan_remove_row(plan, store, setting, domain, why);
		free(domain);
		if (!done)
			return false;
	}
	return true;
}

/* Says what is as before; the values in force are still the old ones. */
static void log_ends(const struct log_terms *terms, int64_t now)
{
	struct store *store = terms->configure->node->store;
	const struct setting_value *levels = store_value(store, setting_find("log.levels"));
	const struct setting_value *stanzas = store_value(store, setting_find("log.stanzas"));
	struct slice fields[SETTING_FIELDS_MAX];

	for (size_t i = 0; i < levels->count; i++) {
		struct level_row level = read_level(levels->entries[i]);

		if (has_ended(terms, levels->entries[i], level.until, now))
			log_event(EVENT_LOG_LEVEL, "module=%.*s level=%s by=\"" AUTHOR "\"",
				  (int)strcspn(levels->entries[i], " "), levels->entries[i],
				  log_level_name(level.lasting));
	}
	for (size_t i = 0; i < stanzas->count; i++) {
		int64_t until;

		setting_split(setting_find("log.stanzas"), stanzas->entries[i], fields);
		until = seconds_of(fields[1]);
		if (!until || has_ended(terms, stanzas->entries[i], until, now))
			log_event(EVENT_LOG_LEVEL, "stanzas=off domain=%.*s by=\"" AUTHOR "\"",
				  SLICE_ARGS(fields[0]));
	}
}

static void look(struct log_terms *terms)
{
	struct configure_try try = { 0 };
	struct order order = { .configure = terms->configure, .author = AUTHOR, .try = &try };
	struct plan plan = { 0 };
	int64_t now = (int64_t)time(NULL), next = 0, left_s;
	char *why = NULL;
	bool done, was_overdue = terms->overdue;

	remember(terms, now);
	done = plan_levels(terms, &plan, now, &next, &why) &&
	       plan_stanzas(terms, &plan, now, &next, &why);
	if (done && plan.count) {
		log_ends(terms, now);
		done = order_carry_out(&order, &plan, &why);
	}
	plan_finish(&plan);
	terms->overdue = !done;
	if (!done) {
		log_event(EVENT_CONFIG_REFUSED, "author=" AUTHOR " why=\"%s\"", why);
		next = now + LOOK_S;
	}
	if (!done && !was_overdue) /* log_terms_levels() has something to say now */
		terms->configure->changed(terms->configure->arg,
					  SEEN_BY_TRAFFIC | SEEN_BY_MANAGE | SEEN_BY_RESOLVER);
	free(why);
	buffer_finish(&order.out);
	left_s = next - now;
	if (next && !timer_is_armed(&terms->timer))
		loop_arm(terms->loop, &terms->timer,
			 (uint64_t)(left_s < LOOK_S ? left_s : LOOK_S) * 1000);
}

/* Calls `take` for each module whose row has ended. */
static void each_ended(const struct log_terms *terms,
		       void (*take)(void *arg, const char *module, enum log_level level), void *arg)
{
	const struct setting_value *levels;
	int64_t now = (int64_t)time(NULL);

	if (!terms || !terms->overdue)
		return;
	levels = store_value(terms->configure->node->store, setting_find("log.levels"));
	for (size_t i = 0; i < levels->count; i++) {
		const char *row = levels->entries[i];
		struct level_row level = read_level(row);
		char *module;

		if (!has_ended(terms, row, level.until, now))
			continue;
		module = xstrndup(row, strcspn(row, " "));
		take(arg, module, level.lasting);
		free(module);
	}
}

static void add_level(void *arg, const char *module, enum log_level level)
{
	snapshot_add(arg, &(struct snapshot_record){ 3,
						     { slice_of("log.levels"), slice_of(module),
						       slice_of(word(level)) } });
}

void log_terms_levels(const struct log_terms *terms, struct buffer *snapshot)
{
	each_ended(terms, add_level, snapshot);
}

static void apply_level(void *arg, const char *module, enum log_level level)
{
	log_set_level(module, level);
}

void log_terms_apply(const struct log_terms *terms)
{
	each_ended(terms, apply_level, NULL);
}

static void on_timer(struct timer *timer)
{
	look((void *)((char *)timer - offsetof(struct log_terms, timer)));
}

/* Never from inside of a change: a look may make one of its own. */
void log_terms_changed(struct log_terms *terms)
{
	if (terms)
		loop_arm(terms->loop, &terms->timer, 0);
}

struct log_terms *log_terms_create(struct loop *loop, const struct configure *configure)
{
	struct log_terms *terms = xcalloc(1, sizeof(*terms));

	terms->loop = loop;
	terms->configure = configure;
	terms->timer.fire = on_timer;
	log_terms_changed(terms);
	return terms;
}

void log_terms_destroy(struct log_terms **terms)
{
	if (!*terms)
		return;
	loop_disarm((*terms)->loop, &(*terms)->timer);
	forget((*terms)->terms, (*terms)->count);
	free(*terms);
	*terms = NULL;
}
