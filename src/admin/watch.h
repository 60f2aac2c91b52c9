/*
 * Watches the node for its alarms: every 2 s, and when told that something changed, it asks control
 * and traffic for a brief status, adds what manage itself knows, runs the alarms (admin/alarms.h)
 * and logs what was raised and lowered. What came of it goes to the node's others by `report`.
 */
#ifndef ADMIN_WATCH_H
#define ADMIN_WATCH_H

#include "base/buffer.h"
#include "net/messenger.h"

#include <jansson.h>

#define WATCH_EVERY_MS 2000

struct series;
struct watch;

struct watch_config {
	struct loop *loop;
	const char *release; /* told to the other nodes, and in the status */
	/* Appends manage's own records (admin/status.h). NULL: it has none. */
	void (*records)(void *arg, struct buffer *out);
	/* What the other nodes reported last, by node; the reference is handed over. NULL: none. */
	json_t *(*others)(void *arg);
	/*
	 * Ours for the other nodes, after each look; lent. NULL: there are none.
	 * {"node","role","release","revision","federation":true|false,"link_listeners":[...],
	 *  "alarms":[{"number","severity","title","subject","seen"}]}
	 */
	void (*report)(void *arg, json_t *document);
	/* The brief status, complete, after each look; lent. NULL: nobody wants it. */
	void (*looked)(void *arg, const json_t *status);
	void *arg;
};

struct watch *watch_create(const struct watch_config *config);
void watch_destroy(struct watch **watch);

/* How control or traffic are reached; NULL: not at all. The messenger stays the caller's. */
void watch_reach(struct watch *watch, enum process process, struct messenger *messenger);
/* Each message of theirs that may be a reply. */
void watch_take(struct watch *watch, enum process from, const struct message *message);
/* Something changed: it looks soon, however often it is told. */
void watch_poke(struct watch *watch);

/* What it saw, for charts (admin/series.h); lent. */
const struct series *watch_series(const struct watch *watch);

/*
 * A status to which control and traffic have been added is made whole: manage's records, the other
 * nodes ("others"), the release, certificates' "ends" and "days" left, the verdict, and the alarms,
 * as of now ("alarms").
 */
void watch_complete(struct watch *watch, json_t *status);

#endif
