/*
 * What people ask control about diagnostic logs and captures: verbs of MESSAGE_CONFIG whose answers
 * may come later, since a process has to begin or to end first. Who may ask was judged by manage.
 *
 *	capture-start INTERFACE [file NAME] [count N] [size N|all] [port N] [for=SECONDS]
 *	capture-stop
 *	capture-part NAME OFFSET	"SIZE BASE64": from there on, at most CAPTURE_PIECE_BYTES
 *	diag-start [capture] [secrets] [for=SECONDS] [domain=DOMAIN]
 *	diag-mark TEXT
 *	diag-stop
 *	diag-status	"STATE BEGAN ENDS LINES BYTES CAPTURE SECRETS AUTHOR", - for no author
 *	diag-part log|capture OFFSET	as capture-part
 */
#ifndef PROCESS_DIAG_ORDERS_H
#define PROCESS_DIAG_ORDERS_H

#include "process/captures.h"
#include "process/diagnostic.h"
#include "process/listeners.h"
#include "process/node.h"

struct diag_orders;

struct diag_orders_config {
	struct loop *loop;
	const struct node *node; /* lent, as the others */
	const struct listeners *listeners;
	struct supervisor *supervisor;
	struct captures *captures;
	void (*verbosity)(void *arg); /* as of diagnostic_config */
	void *arg;
};

struct diag_orders *diag_orders_create(const struct diag_orders_config *config);
void diag_orders_destroy(struct diag_orders **orders);
/* False: none of these verbs, and not answered. */
bool diag_orders_take(struct diag_orders *orders, const struct message *message);
struct diagnostic *diag_orders_diagnostic(struct diag_orders *orders);

#endif
