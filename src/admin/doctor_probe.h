/*
 * What doctor finds out actively: looks up the federated domains' own records and speaks to where
 * they lead, looks up partners whose records failed, tries whether DNS would do where a static
 * route is dead, and whether a home server's port takes connections. Of what answers at most
 * DOCTOR_HEARD_BYTES are read, and only searched: it may be a stranger.
 *
 * Results, from a plan as of doctor_plan:
 *	{"resolver":{"result","says"}, "domains":[{"domain","result","says"}],
 *	 "routes":[{"domain","result","says"}], "partners":[{"domain","result","says"}],
 *	 "home_servers":[{"name","result":"...in words"}]}
 * result: "ok", "bad", or "unknown" where nothing can be said. A list that is empty in the plan is
 * not there. Answered once, from the loop, within DOCTOR_PROBE_MS: what is not known then is said
 * to be unknown.
 */
#ifndef ADMIN_DOCTOR_PROBE_H
#define ADMIN_DOCTOR_PROBE_H

#include "net/dns.h"

#include <jansson.h>

#define DOCTOR_PROBE_MS 13000 /* more than a question to the DNS and a connection take */
#define DOCTOR_DIAL_MS 3000   /* of each address */
#define DOCTOR_TALK_MS 3000   /* for an answer to a stream header */
#define DOCTOR_TRIES_MAX 4    /* addresses of one domain */
#define DOCTOR_HEARD_BYTES 1024

struct doctor_probe;

/* The results are lent; the probe must be destroyed then, or before. */
typedef void doctor_probe_fn(void *arg, json_t *results);

struct doctor_probe *doctor_probe_create(struct loop *loop, struct dns *dns, const json_t *plan,
					 doctor_probe_fn *done, void *arg);
void doctor_probe_destroy(struct doctor_probe **probe);

#endif
