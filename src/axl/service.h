/*
 * The AXL service of a home node, on HTTPS (libevent's evhttp): POST /axl/ and GET /axl. HTTP Basic
 * against axl.users; 401, 403 (the role is missing), 599 (schema version), 503 (more than
 * AXL_WAITING_MAX updates wait to be stored), 500 with a fault. Updates are stored by control
 * before they are answered, one after the other. Every request is one line in the log, without
 * password.
 */
#ifndef AXL_SERVICE_H
#define AXL_SERVICE_H

#include "axl/tables.h"
#include "ipc/snapshot.h"
#include "net/loop.h"

#define AXL_WAITING_MAX 8

struct axl_service;

struct axl_service_config {
	struct loop *loop;
	/* Asks control: verb rows-set, rows "PKID CP_ID"..., NULL ends them. Answered later, once.
	 */
	void (*ask)(void *arg, uint64_t tag, const char *author, const char *const *words);
	void *arg;
};

struct axl_service *axl_service_create(const struct axl_service_config *config);
void axl_service_destroy(struct axl_service **service);
void axl_service_listen(struct axl_service *service, int fd); /* takes it */
/* Certificate, users, versions and table from the settings. False and *why: nothing is changed. */
bool axl_service_apply(struct axl_service *service, const struct snapshot *snapshot,
		       const char **why);
void axl_service_answer(struct axl_service *service, uint64_t tag, bool done, const char *text);

/* For `sallyport run sql`: answered once, perhaps from inside; text is a table or a refusal. */
typedef void axl_sql_fn(void *arg, uint64_t session, bool done, const char *text);
void axl_service_run(struct axl_service *service, const char *author, const char *sql,
		     uint64_t session, axl_sql_fn *answered, void *arg);

#endif
