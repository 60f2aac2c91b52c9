/* What attempts.c, which keeps them, and attempts_write.c, which tells of them, share. */
#ifndef ROUTER_ATTEMPTS_INTERNAL_H
#define ROUTER_ATTEMPTS_INTERNAL_H

#include "base/map.h"
#include "router/attempts.h"

#define STEPS_FIRST 32 /* that are never left out */
#define XCODER_BYTES 12
#define WHY_BYTES 200

enum state { RUNNING, READY, FAILED, CLOSED };

struct step {
	uint32_t at_ms, took_ms;
	uint8_t who, step, verdict;
	char *text;
};

struct list {
	struct attempt *newest, *oldest;
};

struct attempt {
	struct attempts *all;
	struct domain *domain; /* NULL: unnamed so far, in all->unnamed */
	struct attempt *newer, *older;
	struct attempt **holder;
	char *local;
	char xcoder[XCODER_BYTES];
	bool out, was_ready, wanted;
	enum state state;
	enum failure failure;
	char *why;
	uint64_t began_ms, settled_ms, unix_ms;
	struct step *steps;
	size_t count, left_out, bytes;
};

struct domain {
	char *remote;
	struct domain *newer, *older;
	bool known;		 /* more than a claim speaks of it */
	struct list attempts[2]; /* in, out */
	enum failure failure;
	uint64_t failed_ms, stanzas;
	char *why;
};

/* In the order in which they were last talked to. */
struct order {
	struct domain *newest, *oldest;
	size_t count;
};

struct attempts {
	struct map domains;
	struct order strangers, known;
	struct list unnamed;
	size_t bytes;
};

#endif
