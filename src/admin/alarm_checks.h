/* What the alarms look at: one row for each, see alarms.h. */
#ifndef ADMIN_ALARM_CHECKS_H
#define ADMIN_ALARM_CHECKS_H

#include "admin/alarms.h"

struct alarm_view {
	const json_t *status;
	int64_t clock_s;
	enum alarm alarm; /* the one that is checked */
	/* It is so, about that subject; `seen` is taken. */
	void (*see)(const struct alarm_view *view, const char *subject, char *seen);
	void *arg;
};

enum { ALARM_ASKS_CONTROL = 1, ALARM_ASKS_TRAFFIC = 2 };

struct alarm_check {
	void (*check)(const struct alarm_view *view);
	unsigned asks; /* processes without whose answer nothing can be said */
	unsigned hold_ms;
};
extern const struct alarm_check alarm_checks[ALARM_COUNT];

#endif
