/*
 * What people ask for beside the whole status: parts of it, as text and as data. The verbs are
 * those of COMMAND_STATUS in ctl/grammar.c: "alarms", "routes", "notifications", "home-servers",
 * "streams", "domains", "certificates", "accounts", "metrics".
 */
#ifndef ADMIN_STATUS_VIEWS_H
#define ADMIN_STATUS_VIEWS_H

#include <jansson.h>
#include <stdbool.h>

/* `filter`: rows in which this text occurs; NULL: all. Both are the caller's. False: whom this is
 * about does not answer; text says so, data is NULL; it is with "metrics", too. */
bool status_view(const json_t *status, const char *verb, const char *filter, char **text,
		 json_t **data);

#endif
