/* What doctor looks at on a node, see doctor.h. */
#ifndef ADMIN_DOCTOR_CHECKS_H
#define ADMIN_DOCTOR_CHECKS_H

#include "base/buffer.h"
#include "tables/symptoms.h"

#include <jansson.h>
#include <stdbool.h>
#include <string.h>

struct doctor_view {
	const json_t *status, *probes; /* probes: never NULL */
	const char *node, *role;
	/* It is so, about that subject; `seen` is taken. `severity`: NULL for the symptom's own. */
	void (*see)(const struct doctor_view *view, enum symptom symptom, const char *severity,
		    const char *subject, char *seen);
	void *arg;
};

enum {
	DOCTOR_EDGE = 1,
	DOCTOR_CORE = 2,
	DOCTOR_HOME = 4,
	DOCTOR_ALL = DOCTOR_EDGE | DOCTOR_CORE | DOCTOR_HOME
};

/* Who can find a symptom, and what that asks for: without it the check is skipped. */
struct doctor_check {
	unsigned roles;	     /* 0: no node by itself */
	const char *process; /* whose answer it needs; NULL: none */
	const char *probe;   /* whose results it needs, in `probes`; NULL: none */
};
extern const struct doctor_check doctor_checks[SYMPTOM_COUNT];

void doctor_check_node(const struct doctor_view *view);	    /* what status and alarms say */
void doctor_check_domains(const struct doctor_view *view);  /* our own names in DNS, certificate */
void doctor_check_partners(const struct doctor_view *view); /* what became of attempts */

/* Of JSON that may be anything: "" for what is no text. */
static inline const char *doctor_text_of(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value ? value : "";
}

static inline bool doctor_is(const json_t *object, const char *key, const char *value)
{
	return strcmp(doctor_text_of(object, key), value) == 0;
}

/* Whether a word stands in a list of words with commas or spaces between. */
bool doctor_lists(const char *list, const char *word);
/* The federated domain that this one lies below, as chat domains do; or NULL. */
const char *doctor_parent(const struct doctor_view *view, const char *domain);

#endif
