#include "process/services.h"

#include "axl/client.h"
#include "axl/service.h"
#include "base/alloc.h"
#include "net/ssh.h"
#include "provision/tunnels.h"
#include "tables/events.h"

#include <stdlib.h>
#include <string.h>

struct services {
	struct services_config config;
	struct dns *dns;
	struct https_client *https;
	struct tunnels *tunnels;
	struct axl_client *axl_client;
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

/* Life */

struct services *services_create(const struct services_config *config)
{
	struct services *services = xcalloc(1, sizeof(*services));

	services->config = *config;
	services->dns = dns_create(config->loop, PROCESS_MANAGE, -1);
	services->https = https_client_create(config->loop, services->dns);
	services->tunnels = tunnels_create(&(struct tunnels_config){ config->loop, config->release,
								     ask_for_tunnels, services });
	services->axl_client = axl_client_create(&(struct axl_client_config){
		config->loop, services->https, ask_for_client, services });
	return services;
}

void services_destroy(struct services **services_ref)
{
	struct services *services = *services_ref;

	if (!services)
		return;
	*services_ref = NULL;
	axl_service_destroy(&services->axl_service);
	https_client_destroy(&services->https); /* it answers the AXL client */
	axl_client_destroy(&services->axl_client);
	tunnels_destroy(&services->tunnels);
	dns_destroy(&services->dns);
	free(services);
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
	axl_client_apply(services->axl_client, *snapshot);
	if (!tunnels_apply(services->tunnels, snapshot, &why)) {
		log_event(EVENT_SNAPSHOT_REFUSED, "service=provision why=\"%s\"", why);
		snapshot_destroy(snapshot);
	}
}

/* What people ask */

static void answer_command(void *arg, uint64_t session, bool done, const char *text)
{
	struct services *services = arg;

	services->config.answer(services->config.arg, session, done, text);
}

static void pair(struct services *services, uint64_t session, const char *author,
		 const char *const *arguments, size_t count)
{
	char *text = NULL;
	bool done = tunnels_pair(services->tunnels, arguments, count, &text);

	answer_command(services, session, done, text);
	free(text);
}

static void join(struct services *services, uint64_t session, const char *author,
		 const char *const *arguments, size_t count)
{
	tunnels_join(services->tunnels, arguments[0], session, answer_command, services);
}

static void refresh(struct services *services, uint64_t session, const char *author,
		    const char *const *arguments, size_t count)
{
	axl_client_refresh(services->axl_client, count ? arguments[0] : NULL, session,
			   answer_command, services);
}

static void run_sql(struct services *services, uint64_t session, const char *author,
		    const char *const *arguments, size_t count)
{
	if (services->axl_service)
		axl_service_run(services->axl_service, author, arguments[0], session,
				answer_command, services);
	else
		answer_command(services, session, false,
			       "this node has no table xmpps2snodes: it is a home node's");
}

void services_command(struct services *services, uint64_t session, const char *author,
		      const char *verb, const char *const *arguments, size_t count)
{
	static const struct {
		const char *verb;
		void (*run)(struct services *services, uint64_t session, const char *author,
			    const char *const *arguments, size_t count);
	} commands[] = {
		{ "pair", pair },
		{ "join", join },
		{ "refresh", refresh },
		{ "sql", run_sql },
	};

	for (size_t i = 0; i < nitems(commands); i++) {
		if (strcmp(commands[i].verb, verb) == 0) {
			commands[i].run(services, session, author, arguments, count);
			return;
		}
	}
	answer_command(services, session, false, "manage does not know this command");
}

void services_status(struct services *services, struct buffer *out)
{
	tunnels_status(services->tunnels, out);
	axl_client_status(services->axl_client, out);
}

json_t *services_others(struct services *services)
{
	return tunnels_others(services->tunnels);
}

void services_report(struct services *services, json_t *status)
{
	tunnels_report(services->tunnels, status);
}
