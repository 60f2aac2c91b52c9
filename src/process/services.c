#include "process/services.h"

#include "admin/diag.h"
#include "admin/doctor_part.h"
#include "admin/why.h"
#include "admin/accounts.h"
#include "admin/http_api.h"
#include "axl/client.h"
#include "axl/service.h"
#include "base/alloc.h"
#include "net/ssh.h"
#include "provision/tunnels.h"
#include "tables/events.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct services {
	struct services_config config;
	struct dns *dns;
	struct https_client *https;
	struct tunnels *tunnels;
	struct diag *diag;
	struct doctor *doctor;
	struct why *why;
	struct axl_client *axl_client;
	struct http_api *web;
	struct axl_service *axl_service; /* NULL: the settings know no table here */
};

bool services_prepare(const char **why)
{
	if (!ssh_prepare()) {
		*why = "libssh cannot start";
		return false;
	}
	if (!https_prepare()) {
		*why = "libcurl cannot start";
		return false;
	}
	if (!accounts_prepare()) {
		*why = "libsodium cannot start";
		return false;
	}
	return true;
}

/* What the parts ask of control, and its answers on the way back. */

static void answer_tunnels(void *arg, uint64_t tag, bool done, const char *text)
{
	tunnels_answer(((struct services *)arg)->tunnels, tag, done, text);
}

static void answer_client(void *arg, uint64_t tag, bool done, const char *text)
{
	axl_client_answer(((struct services *)arg)->axl_client, tag, done, text);
}

static void answer_service(void *arg, uint64_t tag, bool done, const char *text)
{
	axl_service_answer(((struct services *)arg)->axl_service, tag, done, text);
}

static void answer_diag(void *arg, uint64_t tag, bool done, const char *text)
{
	diag_answer(((struct services *)arg)->diag, tag, done, text);
}

static void ask_for_diag(void *arg, uint64_t tag, const char *author, const char *const *words)
{
	struct services *services = arg;

	orders_send(services->config.orders, author, words, tag, answer_diag, services);
}

static void answer_web(void *arg, uint64_t tag, bool done, const char *text)
{
	http_api_answer(((struct services *)arg)->web, tag, done, text);
}

static void ask_for_web(void *arg, uint64_t tag, const char *author, const char *const *words)
{
	struct services *services = arg;

	orders_send(services->config.orders, author, words, tag, answer_web, services);
}

static void ask_for_tunnels(void *arg, uint64_t tag, const char *author, const char *const *words)
{
	struct services *services = arg;

	orders_send(services->config.orders, author, words, tag, answer_tunnels, services);
}

static void ask_for_client(void *arg, uint64_t tag, const char *author, const char *const *words)
{
	struct services *services = arg;

	orders_send(services->config.orders, author, words, tag, answer_client, services);
}

static void ask_for_service(void *arg, uint64_t tag, const char *author, const char *const *words)
{
	struct services *services = arg;

	orders_send(services->config.orders, author, words, tag, answer_service, services);
}

/* What people ask */

static void answer_command(void *arg, uint64_t number, bool done, const char *text)
{
	struct services *services = arg;

	desk_answer(services->config.desk, number, done ? REPLY_DONE : REPLY_FAILED, text, NULL);
}

static void pair(void *arg, const struct errand *errand)
{
	struct services *services = arg;
	char *text = NULL;
	bool done = tunnels_pair(services->tunnels, errand->words, errand->count, &text);

	answer_command(services, errand->number, done, text);
	free(text);
}

static void join(void *arg, const struct errand *errand)
{
	struct services *services = arg;

	tunnels_join(services->tunnels, errand->words[0], errand->number, answer_command, services);
}

static void refresh(void *arg, const struct errand *errand)
{
	struct services *services = arg;

	axl_client_refresh(services->axl_client, errand->count ? errand->words[0] : NULL,
			   errand->number, answer_command, services);
}

static void run_sql(void *arg, const struct errand *errand)
{
	struct services *services = arg;

	if (services->axl_service)
		axl_service_run(services->axl_service, errand->visitor->name, errand->words[0],
				errand->number, answer_command, services);
	else
		answer_command(services, errand->number, false,
			       "this node has no table xmpps2snodes: it is a home node's");
}

/* What a core asks through its tunnel. It is inside, so it may look at edges and home nodes; none
 * of them may look at a core (docs/decisions.md). */

static void reply_to_node(void *arg, uint64_t number, enum reply_status status, struct slice text,
			  json_t *data)
{
	struct services *services = arg;
	char *copy = xstrndup(text.data, text.len);

	tunnels_reply(services->tunnels, number, status, copy, data);
	free(copy);
}

/* A node gets the end of an answer alone. */
static void pass_over_piece(void *arg, uint64_t number, struct slice text, json_t *data)
{
}

static void asked_by_node(void *arg, const char *from, const char *role, uint64_t number,
			  const char *const *words, size_t count)
{
	struct services *services = arg;
	struct visitor visitor = { .access = ACCESS_ADMIN, .is_node = true, .from = "tunnel" };
	struct desk_asker asker = { pass_over_piece, reply_to_node, services, number };
	const char **lent;

	if (strcmp(role, "core") != 0) {
		tunnels_reply(services->tunnels, number, REPLY_FAILED,
			      "a core asks edges and home nodes; nobody asks a core", NULL);
		return;
	}
	lent = xcalloc(count, sizeof(*lent));
	memcpy(lent, words, count * sizeof(*lent));
	snprintf(visitor.name, sizeof(visitor.name), "node %s", from);
	desk_ask(services->config.desk, &asker, &visitor,
		 &(struct request){ .words = lent, .count = count, .json_wanted = true });
	free(lent);
}

static const struct desk_part parts[] = {
	{ "pair", pair, NULL },	  { "join", join, NULL }, { "refresh", refresh, NULL },
	{ "sql", run_sql, NULL }, { NULL, NULL, NULL },
};

/* Life */

struct services *services_create(const struct services_config *config)
{
	struct services *services = xcalloc(1, sizeof(*services));

	services->config = *config;
	services->dns = dns_create(config->loop, PROCESS_MANAGE, -1);
	services->https = https_client_create(config->loop, services->dns);
	services->tunnels = tunnels_create(&(struct tunnels_config){ .loop = config->loop,
								     .release = config->release,
								     .ask = ask_for_tunnels,
								     .asked = asked_by_node,
								     .arg = services });
	services->axl_client = axl_client_create(&(struct axl_client_config){
		config->loop, services->https, ask_for_client, services });
	services->why = why_create(config->loop, config->desk, services->tunnels);
	services->diag =
		diag_create(&(struct diag_config){ config->loop, config->desk, services->tunnels,
						   config->release, ask_for_diag, services });
	desk_register(config->desk, parts, services);
	services->doctor = doctor_create(&(struct doctor_config){
		config->loop, config->desk, services->dns, services->tunnels, config->release });
	services->web = http_api_create(&(struct http_api_config){ .loop = config->loop,
								   .desk = config->desk,
								   .watch = config->watch,
								   .events = config->events,
								   .release = config->release,
								   .assets = assets,
								   .assets_count = assets_count,
								   .ask = ask_for_web,
								   .arg = services });
	return services;
}

void services_destroy(struct services **services_ref)
{
	struct services *services = *services_ref;

	if (!services)
		return;
	*services_ref = NULL;
	http_api_destroy(&services->web); /* it asks the others */
	doctor_destroy(&services->doctor);
	axl_service_destroy(&services->axl_service);
	https_client_destroy(&services->https); /* it answers the AXL client */
	axl_client_destroy(&services->axl_client);
	diag_destroy(&services->diag);
	tunnels_destroy(&services->tunnels);
	why_destroy(&services->why);
	dns_destroy(&services->dns);
	free(services);
}

void services_reach_traffic(struct services *services, struct messenger *traffic)
{
	why_reach(services->why, traffic);
}

void services_take_traffic(struct services *services, const struct message *message)
{
	why_take(services->why, message);
}

void services_set_resolver(struct services *services, int fd)
{
	dns_set_resolver(services->dns, fd);
}

static void need_axl_service(struct services *services)
{
	if (!services->axl_service)
		services->axl_service = axl_service_create(&(struct axl_service_config){
			services->config.loop, ask_for_service, services });
}

bool services_listen(struct services *services, const char *service, int fd)
{
	if (strcmp(service, "provision") == 0) {
		tunnels_listen(services->tunnels, fd);
	} else if (strcmp(service, "axl") == 0) {
		need_axl_service(services);
		axl_service_listen(services->axl_service, fd);
	} else if (strcmp(service, "admin") == 0) {
		http_api_listen(services->web, fd);
	} else {
		return false;
	}
	return true;
}

void services_apply(struct services *services, struct snapshot **snapshot)
{
	const char *why;

	if (snapshot_text(*snapshot, "axl.certificate").data)
		need_axl_service(services);
	if (services->axl_service && !axl_service_apply(services->axl_service, *snapshot, &why))
		log_event(EVENT_SNAPSHOT_REFUSED, "service=axl why=\"%s\"", why);
	if (!http_api_apply(services->web, *snapshot, &why))
		log_event(EVENT_SNAPSHOT_REFUSED, "service=admin why=\"%s\"", why);
	axl_client_apply(services->axl_client, *snapshot);
	diag_apply(services->diag, *snapshot);
	if (!tunnels_apply(services->tunnels, snapshot, &why)) {
		log_event(EVENT_SNAPSHOT_REFUSED, "service=provision why=\"%s\"", why);
		snapshot_destroy(snapshot);
	}
}

void services_status(struct services *services, struct buffer *out)
{
	tunnels_status(services->tunnels, out);
	axl_client_status(services->axl_client, out);
}

void services_looked(struct services *services, const json_t *status)
{
	http_api_looked(services->web, status);
}

json_t *services_others(struct services *services)
{
	return tunnels_others(services->tunnels);
}

void services_report(struct services *services, json_t *status)
{
	tunnels_report(services->tunnels, status);
}
