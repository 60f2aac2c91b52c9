/*
 * The admin port: HTTPS for people, their page and their programs. The page's files, accounts and
 * sessions, the JSON API (docs/api.md), live events, metrics. What is read and what is changed goes
 * through the desk as a command, so who may do what is judged in one place; what a request is
 * called there is a table (http_routes.c).
 *
 * Everybody who reaches the port may knock, so all is bounded: connections by address
 * (net/https_server.h), bodies, passwords in line, sessions, requests that wait. Passwords, tokens
 * and cookies are never logged.
 */
#ifndef ADMIN_HTTP_API_H
#define ADMIN_HTTP_API_H

#include "admin/assets.h"
#include "admin/desk.h"
#include "admin/event_log.h"
#include "admin/watch.h"
#include "ipc/snapshot.h"

struct http_api;

struct http_api_config {
	struct loop *loop;
	struct desk *desk;	  /* lent: the verb admin-link is registered there */
	struct watch *watch;	  /* lent */
	struct event_log *events; /* lent */
	const char *release;
	const struct asset *assets; /* the page */
	size_t assets_count;
	/* Asks control: verbs account-add, account-password (process/configure.h), in the name of
	 * `author`; NULL ends the words. Answered later, once, by http_api_answer. */
	void (*ask)(void *arg, uint64_t tag, const char *author, const char *const *words);
	void *arg;
};

struct http_api *http_api_create(const struct http_api_config *config);
void http_api_destroy(struct http_api **api);	    /* before the desk; what is open is cut off */
void http_api_listen(struct http_api *api, int fd); /* takes it */
/* False and *why: nothing is changed. */
bool http_api_apply(struct http_api *api, const struct snapshot *snapshot, const char **why);
void http_api_answer(struct http_api *api, uint64_t tag, bool done, const char *text);
/* After each look of the watch: the brief status, lent. */
void http_api_looked(struct http_api *api, const json_t *status);

#endif
