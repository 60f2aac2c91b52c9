/*
 * The home servers as the settings have them, and a round (axl/sync.h) with each: when it is begun,
 * when it is time again, what is sent and what came back, and the log of it.
 */
#ifndef AXL_HOME_SERVERS_H
#define AXL_HOME_SERVERS_H

#include "axl/sync.h"
#include "ipc/snapshot.h"
#include "net/https_client.h"

#define HOME_SERVER_TEXT 512

struct home_servers;

struct home_server {
	struct home_server *next;
	struct home_servers *all;
	uint64_t id;	 /* of the server, for refreshes */
	uint64_t number; /* of its settings: an answer to older ones finds nobody */
	char *name, *host, *user, *password, *pin;
	uint16_t port;
	enum https_verify verify;

	struct axl_sync *sync;
	bool working; /* a round is under way */
	bool fresh;   /* and its first request comes now */
	bool again;   /* another has to follow */
	bool settled; /* the last round found the table as it should be */
	bool ended;   /* there was a round, until ended_ms */
	uint64_t ended_ms;
	enum axl_operation operation; /* of the request under way */
	enum axl_trouble trouble;
	char *why;
	struct timer timer; /* for the next round */
	bool paired;	    /* the service of one of our nodes */
	unsigned logins;    /* refused, of those that are tried again */
	bool listed;	    /* in the snapshot that is being applied */
};

struct home_servers {
	struct loop *loop;
	struct https_client *https; /* lent */
	/* A round is over and no other begins at once, or (`removed` set) never will. */
	void (*ended)(void *arg, struct home_server *server, const char *removed);
	void *arg;

	struct home_server *first;
	uint64_t numbers;
	char *trust;
	unsigned timeout_ms, refresh_s;
};

/* home_servers, axl.trust, axl.refresh and timeouts.axl. True: something is new; rounds with what
 * is new are not begun yet, those of old settings are over. */
bool home_servers_apply(struct home_servers *all, const struct snapshot *snapshot);
void home_servers_finish(struct home_servers *all);
void home_server_begin(struct home_server *server); /* under way: another follows */
/* "the user name or password is wrong (401)", with the server's own words if there are some. */
void home_server_describe(const struct home_server *server, char text[HOME_SERVER_TEXT]);

#endif
