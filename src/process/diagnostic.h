/*
 * The diagnostic log of this node, one at a time: all lines of all its processes from a beginning
 * to an end, with every module at level debug meanwhile. It lies in memory of control's, bounded,
 * so that everything is as before when it ends, when its time is over, when it is full, and when
 * control is started again. No setting is changed.
 */
#ifndef PROCESS_DIAGNOSTIC_H
#define PROCESS_DIAGNOSTIC_H

#include "base/buffer.h"
#include "net/loop.h"

#include <stdbool.h>
#include <time.h>

#define DIAGNOSTIC_BYTES ((uint64_t)64 << 20)	 /* of lines; it ends there */
#define DIAGNOSTIC_PIECE_BYTES ((size_t)1 << 20) /* of it, at a time */

struct diagnostic;

struct diagnostic_config {
	struct loop *loop;
	/* Whether all modules log at debug was changed. */
	void (*verbosity)(void *arg);
	/* It ended by itself: whatever belongs to it should too. */
	void (*over)(void *arg);
	void *arg;
};

struct diagnostic_wish {
	const char *author;
	unsigned seconds;
	bool capture, secrets; /* what it comes with; only told */
	const char *domain;    /* NULL: none was named */
};

enum diagnostic_state { DIAGNOSTIC_NONE, DIAGNOSTIC_RUNNING, DIAGNOSTIC_KEPT };

struct diagnostic_facts {
	enum diagnostic_state state;
	time_t began, ends; /* ends: when it did, or will */
	uint64_t lines, bytes;
	bool capture, secrets;
	const char *author; /* lent; "" if there is none */
};

struct diagnostic *diagnostic_create(const struct diagnostic_config *config);
void diagnostic_destroy(struct diagnostic **diagnostic);

/* Replaces what is there. False and *why (allocated). */
bool diagnostic_start(struct diagnostic *diagnostic, const struct diagnostic_wish *wish,
		      char **why);
void diagnostic_stop(struct diagnostic *diagnostic, const char *why); /* not running: fine */
struct diagnostic_facts diagnostic_facts(const struct diagnostic *diagnostic);

/* A line of some process, without its end. Not running: nothing. */
void diagnostic_line(struct diagnostic *diagnostic, struct slice line);
/* At most DIAGNOSTIC_PIECE_BYTES from that place on, and the size of all. False and *why. */
bool diagnostic_read(struct diagnostic *diagnostic, uint64_t offset, struct buffer *out,
		     uint64_t *size, char **why);

/* Appends the records that raise the levels in a child's snapshot, while it runs. */
void diagnostic_levels(const struct diagnostic *diagnostic, struct buffer *snapshot);
/* Appends a record for the status (admin/status.h): diagnostic, if there is one. */
void diagnostic_report(const struct diagnostic *diagnostic, struct buffer *out);

#endif
