/* For tests: a node in a folder of its own, and what control is asked there. */
#ifndef PROCESS_CONFIGURE_STAGE_H
#define PROCESS_CONFIGURE_STAGE_H

#include "process/configure.h"

struct stage {
	char folder[40];
	struct bootstrap bootstrap;
	struct node node;
	struct configure configure;
	bool tried;	  /* it was a dry run that asks traffic */
	char *candidate;  /* the settings that it would be asked about, as stage_lines */
	unsigned changed; /* SEEN_BY_... bits since the last question */
	int log;	  /* a memfd with the log lines */
	char *text;	  /* of the last answer */
};

int stage_set_up(void **state, const struct role *role);
int stage_tear_down(void **state);

/* Words up to a NULL, the verb first; the author is "root". The status of the answer. */
int stage_ask(struct stage *stage, const char *const *words);
#define ASK(stage, ...) stage_ask(stage, (const char *const[]){ __VA_ARGS__, NULL })

/* A snapshot as lines of its fields, with bars between them. */
char *stage_lines(struct slice snapshot);
bool stage_logged(const struct stage *stage, const char *text);

#endif
