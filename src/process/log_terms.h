/*
 * What is logged for a time only ends on time: rows of log.levels and log.stanzas with an `until`
 * that has passed go, or become again what was there for good before; also if the node was down
 * meanwhile. It is a change like another, by "timer". While the node runs, an end is kept by its
 * own clock too, so that a calendar which is set back makes nothing last longer; and where the
 * store takes no change, what has ended is not in force all the same.
 */
#ifndef PROCESS_LOG_TERMS_H
#define PROCESS_LOG_TERMS_H

#include "base/log_level.h"
#include "net/loop.h"
#include "process/configure.h"

struct log_terms;
/* `configure` is lent. Looks at once. */
struct log_terms *log_terms_create(struct loop *loop, const struct configure *configure);
void log_terms_destroy(struct log_terms **terms);
void log_terms_changed(struct log_terms *terms); /* settings were; NULL is fine */
/* Levels of modules whose row has ended and is still there: for a child's snapshot, behind the
 * settings, and for this process. NULL is fine. */
void log_terms_levels(const struct log_terms *terms, struct buffer *snapshot);
void log_terms_apply(const struct log_terms *terms);

/* The row of log.levels for that module, freed by the caller, in the place of `old` (NULL: none);
 * until 0: for good. NULL: none is needed. */
char *log_terms_row(const char *old, const char *module, enum log_level level, int64_t until);

#endif
