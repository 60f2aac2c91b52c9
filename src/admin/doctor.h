/*
 * Doctor: looks at what a node knows of itself (admin/status.h) and at what was found out actively
 * (admin/doctor_probe.h), and names each symptom of tables/symptoms.h that is there, with what was
 * seen, the cause and the fix. One cause is one finding: what only follows from another finding is
 * listed with that one, not beside it. A healthy system gives none. An engine: no I/O, no clock.
 *
 * A node looks at itself alone:
 *	{"node":{"name","role"},"findings":[FINDING],"checks":[CHECK],"facts":{...}}
 * and a core puts together what all nodes found. What people read, and with "facts" what a node
 *says to the core that asks it:
 *	{"verdict","looked_ms","nodes":[{"name","role","reached","why"}],"findings","checks"}
 *
 *	FINDING	{"symptom","node","severity","title","subject","seen","cause","fix","command",
 *		 "consequences":[{"symptom","node","subject","title"}]}
 *	CHECK	{"symptom","name","node","result":"ok|found|skipped","why"}
 */
#ifndef ADMIN_DOCTOR_H
#define ADMIN_DOCTOR_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define DOCTOR_FINDINGS_MAX 100 /* of a node; more are the same thing over and over */
#define DOCTOR_SEEN_BYTES 600
#define DOCTOR_RECENT_S 600 /* a partner's failure that nothing followed is old news then */

/*
 * What has to be found out actively, as the status has it:
 *	{"domains":[NAME],"routes":[NAME],"partners":[NAME],"home_servers":[{"name","address"}],
 *	 "own":[ADDRESS]}
 * The caller's.
 */
json_t *doctor_plan(const json_t *status);

struct doctor_sight {
	const json_t *status; /* of this node, complete */
	const json_t *probes; /* see admin/doctor_probe.h; NULL: nothing was found out */
	const char *release;
};
/* What this node finds wrong with itself. The caller's. */
json_t *doctor_look(const struct doctor_sight *sight);

/* Whom a core asked: the report, as that node's doctor_unite gave it, or why there is none. */
struct doctor_other {
	const char *name, *role;
	const json_t *report; /* it comes from that node: anything may be in it */
	const char *why;      /* NULL: there is a report */
	const char *tunnel;   /* what is wrong with its tunnel; NULL: that is up */
};
/* All together. The caller's. */
json_t *doctor_unite(const json_t *own, const struct doctor_other *others, size_t count,
		     unsigned looked_ms);
/* The same for a terminal, worst first. The caller's. */
char *doctor_text(const json_t *united);

#endif
