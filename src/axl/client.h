/*
 * The core's care for its home servers' tables: a round (axl/sync.h) for each in home_servers when
 * settings change, when asked, after each axl.refresh, and after each trouble that may pass. Logs
 * each call in the documented form:
 *
 *	Module="network.axl" Level="INFO" Action="Send" URL="https://cups.example.net:8443/axl/"
 *	Function="executeSQLQuery"
 *	Module="network.axl" ... Action="Receive" ... Function="executeSQLQuery" Status="401"
 *	Reason="None"
 *
 * Wanted are the realms of edges in `nodes` whose federation is on by `edges`, and whose secret is
 * the one that most of them have (the first edge's, if as many have another); realms that were
 * written stay in axl.realms until they are gone from every home server.
 */
#ifndef AXL_CLIENT_H
#define AXL_CLIENT_H

#include "ipc/snapshot.h"
#include "net/https_client.h"

struct axl_client;

struct axl_client_config {
	struct loop *loop;
	struct https_client
		*https; /* lent; to be destroyed before the axl_client, as it answers it */
	/* Asks control: verb realms-written, REALM...; NULL ends them. Answered later, once. */
	void (*ask)(void *arg, uint64_t tag, const char *author, const char *const *words);
	void *arg;
};

struct axl_client *axl_client_create(const struct axl_client_config *config);
void axl_client_destroy(struct axl_client **client);
/* The snapshot is lent until it returns. */
void axl_client_apply(struct axl_client *client, const struct snapshot *snapshot);
void axl_client_answer(struct axl_client *client, uint64_t tag, bool done, const char *text);

/* For `sallyport home-server refresh [NAME]` (NULL: all): answered once, later, when the rounds are
 * over; text has a line for each. */
typedef void axl_refreshed_fn(void *arg, uint64_t session, bool done, const char *text);
void axl_client_refresh(struct axl_client *client, const char *name, uint64_t session,
			axl_refreshed_fn *refreshed, void *arg);

/*
 * Appends records for the status:
 *	home-server NAME ADDRESS STATE TROUBLE WHY VERSION SECONDS ROWS FOREIGN
 * state: "ready" (all as it should be), "working", "failed"; seconds since the last round ended;
 * rows: cp_ids that should be there, space between; foreign: of somebody else, likewise.
 */
void axl_client_status(const struct axl_client *client, struct buffer *out);

#endif
