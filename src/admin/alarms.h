/*
 * The alarms: conditions over the status of the node (admin/status.h), one check for each row of
 * tables/alarms.h, and since when each has been so. What is raised is raised for as long as its
 * condition holds, and nothing else: an alarm can be neither acknowledged nor forgotten.
 *
 * A condition on what comes and goes by itself must hold for ALARMS_HOLD_MS before it is raised;
 * it is lowered at once. While a process does not answer, what it would say stays as it was. An
 * engine: no I/O, no clock.
 */
#ifndef ADMIN_ALARMS_H
#define ADMIN_ALARMS_H

#include "tables/alarms.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define ALARMS_HOLD_MS 3000	/* a link that is dialled again at once is no alarm */
#define ALARMS_REPLICA_MS 10000 /* for settings to be stored on another node's slow disk */
#define ALARMS_START_MS 5000	/* after our start, for links and tunnels to come up */
#define ALARMS_MAX 500		/* at a time; subjects are rows of settings, which may be many */
#define ALARMS_SEEN_BYTES 400

struct alarms;

struct alarms_now {
	uint64_t ms;	 /* monotonic */
	int64_t clock_s; /* since 1970 */
};

/* Lent until the next update. */
struct alarm_change {
	enum alarm alarm;
	const char *subject, *seen; /* one line each; the subject may be empty */
	bool raised;		    /* or lowered */
};

struct alarms *alarms_create(void);
void alarms_destroy(struct alarms **alarms);

/* The status is lent. */
void alarms_update(struct alarms *alarms, const json_t *status, const struct alarms_now *now);
/* What the last update raised and lowered, one after the other; false: that was all. */
bool alarms_next(struct alarms *alarms, struct alarm_change *change);

/* Those raised, in the order of the table: a list of {"number", "severity", "title", "subject",
 * "since", "seen", "cause", "fix"}. The caller's. */
json_t *alarms_list(const struct alarms *alarms);

#endif
