/*
 * What manage does beside hearing people at the control socket: the web page and its API, the
 * tunnels to our other nodes, and AXL, as service and as client. Which of it there is follows from
 * the listeners and the settings; what it needs stored, it asks of control.
 */
#ifndef PROCESS_SERVICES_H
#define PROCESS_SERVICES_H

#include "admin/desk.h"
#include "admin/event_log.h"
#include "ipc/snapshot.h"
#include "process/orders.h"

#include <jansson.h>

struct services;

struct services_config {
	struct loop *loop;
	struct orders *orders;	  /* lent */
	struct desk *desk;	  /* lent: what people ask of it is registered there */
	struct watch *watch;	  /* lent */
	struct event_log *events; /* lent */
	const char *release;
};

/* Before the sandbox: what the libraries must open and cannot later. False and *why. */
bool services_prepare(const char **why);

struct services *services_create(const struct services_config *config);
void services_destroy(struct services **services);
/* How traffic is reached, NULL: not at all; and each of its messages that may be a reply. */
void services_reach_traffic(struct services *services, struct messenger *traffic);
void services_take_traffic(struct services *services, const struct message *message);
void services_set_resolver(struct services *services, int fd); /* takes the channel */
/* Takes the socket; false: no service of that name is here, and the socket stays the caller's. */
bool services_listen(struct services *services, const char *service, int fd);
/* Takes the snapshot, and frees it one day. */
void services_apply(struct services *services, struct snapshot **snapshot);

/* Appends our records for the status (provision/tunnels.h, axl/client.h). */
void services_status(struct services *services, struct buffer *out);
void services_looked(struct services *services, const json_t *status); /* after each of watch */
json_t *services_others(struct services *services);		       /* as tunnels_others */
void services_report(struct services *services, json_t *status);       /* as tunnels_report */

#endif
