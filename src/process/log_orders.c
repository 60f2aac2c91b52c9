/* What people ask of the log: levels and stanzas, for a time. */
#include "process/configure_internal.h"

#include "base/alloc.h"
#include "base/utc.h"
#include "process/log_terms.h"
#include "tables/events.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#define LEVEL_S 3600
#define LEVEL_MAX_S 2592000 /* thirty days */
#define STANZAS_S 600
#define STANZAS_MAX_S 3600 /* what people write is in them */

/* for=SECONDS behind the others; without it what is usual. False and *why. */
static bool read_seconds(const struct order *order, size_t at, int64_t usual, int64_t max,
			 int64_t *seconds, char **why)
{
	const char *text;
	size_t digits;

	*seconds = usual;
	if (order->count <= at)
		return true;
	text = order->words[at];
	if (strncmp(text, "for=", 4) == 0) {
		text += 4;
		digits = strspn(text, "0123456789");
		*seconds = digits && digits < 10 && !text[digits] ? strtoll(text, NULL, 10) : -1;
		if (*seconds >= 0 && *seconds <= max)
			return true;
	}
	*why = xasprintf("%s: not for=SECONDS, %" PRId64 " at most", order->words[at], max);
	return false;
}

/* "2026-11-24T13:00:00Z", or "-": for good. */
static void until_text(int64_t until, char text[UTC_BYTES])
{
	snprintf(text, UTC_BYTES, "-");
	if (until)
		utc_text(until, text);
}

static void answer(struct order *order, const char *what, const char *until)
{
	bool ends = strcmp(until, "-") != 0;

	buffer_finish(&order->out);
	buffer_printf(&order->out, "%s, %s%s\n", what, ends ? "until " : "for good",
		      ends ? until : "");
}

static bool put_level(struct order *order, struct plan *plan, const char *module,
		      enum log_level level, int64_t until, char **why)
{
	const struct setting *setting = setting_find("log.levels");
	const char *old = plan_row(plan, order_store(order), setting, module);
	char *row = log_terms_row(old, module, level, until);
	bool done = row ? plan_put_row(plan, order_store(order), setting, row, why)
			: plan_remove_row(plan, order_store(order), setting, module, why);

	free(row);
	return done;
}

static bool is_module(const char *name)
{
	for (enum event_module m = 0; m < EVENT_MODULE_COUNT; m++) {
		if (strcmp(event_module_name(m), name) == 0)
			return true;
	}
	return false;
}

static bool plan_levels(struct order *order, struct plan *plan, enum log_level level, int64_t until,
			char **why)
{
	const char *module = order->words[0];

	if (is_module(module))
		return put_level(order, plan, module, level, until, why);
	if (strcmp(module, "all") != 0) {
		*why = xasprintf("%s: no such module: docs/log.md and sallyport-log(5) have "
				 "them",
				 module);
		return false;
	}
	for (enum event_module m = 0; m < EVENT_MODULE_COUNT; m++) {
		if (!put_level(order, plan, event_module_name(m), level, until, why))
			return false;
	}
	return true;
}

bool order_log_level(struct order *order, char **why)
{
	char until[UTC_BYTES], *what;
	struct plan plan = { 0 };
	enum log_level level;
	int64_t seconds, end;

	if (!log_level_read(order->words[1], &level)) {
		*why = xasprintf("%s: not error, warn, info or debug", order->words[1]);
		return false;
	}
	if (!read_seconds(order, 2, LEVEL_S, LEVEL_MAX_S, &seconds, why))
		return false;
	end = seconds ? (int64_t)time(NULL) + seconds : 0;
	if (!plan_levels(order, &plan, level, end, why)) {
		plan_finish(&plan);
		return false;
	}
	if (!order_carry_out(order, &plan, why))
		return false;
	until_text(end, until);
	log_event(EVENT_LOG_LEVEL, "module=%s level=%s until=%s by=\"%s\"", order->words[0],
		  log_level_name(level), until, order->author);
	what = xasprintf("%s: %s", order->words[0], log_level_name(level));
	answer(order, what, until);
	free(what);
	return true;
}

static bool end_stanzas(struct order *order, char **why)
{
	const struct setting *setting = setting_find("log.stanzas");
	struct plan plan = { 0 };

	if (!plan_reset(&plan, setting, why) || !order_carry_out(order, &plan, why)) {
		plan_finish(&plan);
		return false;
	}
	log_event(EVENT_LOG_LEVEL, "stanzas=off by=\"%s\"", order->author);
	buffer_finish(&order->out);
	buffer_append_text(&order->out, "no stanzas are logged\n");
	return true;
}

bool order_log_stanzas(struct order *order, char **why)
{
	const struct setting *setting = setting_find("log.stanzas");
	char until[UTC_BYTES], *row, *what;
	struct plan plan = { 0 };
	int64_t seconds, end;
	bool planned;

	if (strcmp(order->words[0], "off") == 0 && order->count == 1)
		return end_stanzas(order, why);
	if (!read_seconds(order, 1, STANZAS_S, STANZAS_MAX_S, &seconds, why))
		return false;
	if (!seconds) {
		*why = xstrdup("for=0: stanzas are logged for a time only; `off` ends it");
		return false;
	}
	end = (int64_t)time(NULL) + seconds;
	row = xasprintf("%s %" PRId64, order->words[0], end);
	planned = plan_put_row(&plan, order_store(order), setting, row, why);
	free(row);
	if (!planned || !order_carry_out(order, &plan, why)) {
		plan_finish(&plan);
		return false;
	}
	until_text(end, until);
	log_event(EVENT_LOG_LEVEL, "stanzas=on domain=%s until=%s by=\"%s\"",
		  log_text(order->words[0]), until, order->author);
	what = xasprintf("stanzas to and from %s are logged", order->words[0]);
	answer(order, what, until);
	free(what);
	return true;
}
