#include "admin/http_internal.h"

#include "base/alloc.h"
#include "tables/events.h"

#include <arpa/inet.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS_MAX 512
#define CONNECTIONS_PER_ADDRESS 64 /* an office behind one address, each page with a live view */
#define TIMEOUT_S 30
#define STRANGERS_LINES 10 /* in the log, within a second */
#define SWEEP_MS 5000
#define API "/api/v1/"

static const struct desk_part parts[] = {
	{ "admin-link", http_admin_link, NULL },
	{ NULL, NULL, NULL },
};

/* Requests */

static bool is_post(const struct https_call *call)
{
	return strcmp(https_method(call), "POST") == 0;
}

static void refuse_post(struct http_api *api, const struct session *session,
			struct https_call *call, const char *why)
{
	if (session || http_stranger_is_logged(api))
		log_event(EVENT_ADMIN_REFUSED, "by=\"%s\" from=\"%s\" why=\"%s\"",
			  session ? session->name : "-", https_from(call), why);
	http_refuse(&call, 403, why);
}

static void post(struct http_api *api, const char *path, struct https_call *call)
{
	const struct session *session = http_session_of(api, call);
	bool is_command = strcmp(path, "command") == 0;

	if (!http_is_same_origin(call))
		refuse_post(api, session, call, "the request comes from another site");
	else if (https_body(call).len > HTTP_FORM_BYTES && !(session && is_command))
		http_refuse(&call, 413, "that is too long");
	else if (strcmp(path, "login") == 0)
		http_login(api, call);
	else if (strcmp(path, "welcome") == 0)
		http_welcome(api, call);
	else if (!session)
		http_refuse(&call, 401, "log in first");
	else if (!http_has_csrf(session, call))
		refuse_post(api, session, call,
			    "X-Sallyport-CSRF is missing, or another session's");
	else if (is_command)
		http_command(api, session, call);
	else if (strcmp(path, "password") == 0)
		http_password(api, session, call);
	else if (strcmp(path, "logout") == 0)
		http_logout(api, session, call);
	else
		http_refuse(&call, 404, "there is nothing of that name to post to");
}

static void get(struct http_api *api, const char *path, struct https_call *call)
{
	const struct session *session = http_session_of(api, call);

	if (session)
		http_get(api, session, path, call);
	else
		http_refuse(&call, 401, "log in first");
}

static void on_request(void *arg, struct https_call *call)
{
	struct http_api *api = arg;
	const char *path = https_path(call), *method = https_method(call);
	bool is_api = strncmp(path, API, strlen(API)) == 0;

	if (https_untaken(call) > HTTP_UNTAKEN_BYTES)
		http_refuse_for(&call, 1, "take the answers to your other requests first");
	else if (!is_post(call) && strcmp(method, "GET") != 0)
		http_refuse(&call, 405, "GET and POST are what is understood here");
	else if (is_api && is_post(call))
		post(api, path + strlen(API), call);
	else if (is_api)
		get(api, path + strlen(API), call);
	else if (is_post(call))
		http_refuse(&call, 405, "GET is what is understood here");
	else if (strcmp(path, "/metrics") == 0)
		http_metrics(api, http_session_of(api, call), call);
	else if (!http_asset(api, &call))
		http_refuse(&call, 404, "there is no such page");
}

bool http_stranger_is_logged(struct http_api *api)
{
	uint64_t now_ms = loop_now_ms(api->config.loop);

	if (now_ms - api->lines_since_ms >= 1000) {
		if (api->lines_left_out)
			log_event(EVENT_ADMIN_REFUSED,
				  "by=\"-\" why=\"strangers knock\" left_out=%u",
				  api->lines_left_out);
		api->lines_since_ms = now_ms;
		api->lines = api->lines_left_out = 0;
	}
	if (api->lines++ < STRANGERS_LINES)
		return true;
	api->lines_left_out++;
	return false;
}

static void on_refused(void *arg, const char *from, const char *why)
{
	if (!http_stranger_is_logged(arg))
		return;
	log_event(EVENT_ADMIN_REFUSED, "by=\"-\" from=\"%s\" why=\"%s\"", from, why);
}

/* Sessions */

static void on_session_ended(void *arg, const struct session *session, const char *why)
{
	struct http_api *api = arg;

	log_event(EVENT_ADMIN_LOGOUT, "by=\"%s\" from=\"%s\" why=\"%s\"", session->name,
		  session->from, why);
	http_live_end_of(api->live, session->number);
	http_routes_end_of(api, session->number);
}

static void sweep(struct http_api *api)
{
	sessions_sweep(api->sessions, api->accounts, loop_now_ms(api->config.loop));
	loop_arm(api->config.loop, &api->sweep, SWEEP_MS);
}

static void on_sweep(struct timer *timer)
{
	sweep((void *)((char *)timer - offsetof(struct http_api, sweep)));
}

/* Life */

static struct throttle *make_throttle(void)
{
	unsigned char key[THROTTLE_KEY_BYTES];

	randombytes_buf(key, sizeof(key));
	return throttle_create(key);
}

struct http_api *http_api_create(const struct http_api_config *config)
{
	struct http_api *api = xcalloc(1, sizeof(*api));

	api->config = *config;
	api->server = https_server_create(&(struct https_server_config){
		.loop = config->loop,
		.body_bytes = HTTP_FILE_BYTES,
		.timeout_s = TIMEOUT_S,
		.connections_max = CONNECTIONS_MAX,
		.connections_per_address = CONNECTIONS_PER_ADDRESS,
		.request = on_request,
		.refused = on_refused,
		.arg = api,
	});
	api->accounts = accounts_create(config->loop);
	api->sessions = sessions_create(on_session_ended, api);
	api->links = links_create();
	api->throttle = make_throttle();
	api->live = http_live_create(api);
	api->sweep.fire = on_sweep;
	loop_arm(config->loop, &api->sweep, SWEEP_MS);
	desk_register(config->desk, parts, api);
	return api;
}

static void forget_token(struct http_api *api)
{
	if (api->metrics_token)
		sodium_memzero(api->metrics_token, strlen(api->metrics_token));
	free(api->metrics_token);
	api->metrics_token = NULL;
}

void http_api_destroy(struct http_api **api_ref)
{
	struct http_api *api = *api_ref;

	if (!api)
		return;
	*api_ref = NULL;
	http_live_destroy(&api->live);
	http_routes_drop(api);
	accounts_destroy(&api->accounts);
	http_login_drop(api);
	https_server_destroy(&api->server);
	loop_disarm(api->config.loop, &api->sweep);
	sessions_destroy(&api->sessions);
	links_destroy(&api->links);
	throttle_destroy(&api->throttle);
	forget_token(api);
	free(api->node);
	free(api->role);
	free(api);
}

/* As it stands in an address bar; of a socket that hears all addresses the node's name. */
static void describe(struct http_api *api, int fd, char *text, size_t size)
{
	union {
		struct sockaddr any;
		struct sockaddr_in ipv4;
		struct sockaddr_in6 ipv6;
	} at = { 0 };
	socklen_t len = sizeof(at);
	char address[INET6_ADDRSTRLEN] = "";
	const char *node = api->node ? api->node : "localhost";
	unsigned port;

	getsockname(fd, &at.any, &len);
	port = ntohs(at.any.sa_family == AF_INET6 ? at.ipv6.sin6_port : at.ipv4.sin_port);
	if (at.any.sa_family == AF_INET6 && !IN6_IS_ADDR_UNSPECIFIED(&at.ipv6.sin6_addr)) {
		inet_ntop(AF_INET6, &at.ipv6.sin6_addr, address, sizeof(address));
		snprintf(text, size, "[%s]:%u", address, port);
	} else if (at.any.sa_family == AF_INET && at.ipv4.sin_addr.s_addr != INADDR_ANY) {
		inet_ntop(AF_INET, &at.ipv4.sin_addr, address, sizeof(address));
		snprintf(text, size, "%s:%u", address, port);
	} else {
		snprintf(text, size, "%s:%u", node, port);
	}
}

void http_api_listen(struct http_api *api, int fd)
{
	if (api->listeners_count == HTTP_LISTENERS_MAX) {
		log_event(EVENT_LISTENER_FAILED, "service=admin why=\"more than %d addresses\"",
			  HTTP_LISTENERS_MAX);
		close(fd);
		return;
	}
	describe(api, fd, api->listeners[api->listeners_count],
		 sizeof(api->listeners[api->listeners_count]));
	api->listeners_count++;
	https_server_listen(api->server, fd);
}

/* Settings */

static char *copy_of(struct slice text)
{
	return text.data ? xstrndup(text.data, text.len) : NULL;
}

/* "AA:BB:...", of the first certificate; it was read before. */
static void know_fingerprint(struct http_api *api, struct slice pem)
{
	BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.len);
	X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	if (certificate)
		X509_digest(certificate, EVP_sha256(), digest, &len);
	*api->fingerprint = '\0';
	for (unsigned i = 0; i < len; i++)
		snprintf(api->fingerprint + 3 * (size_t)i, 4, "%02X%s", digest[i],
			 i + 1 < len ? ":" : "");
	X509_free(certificate);
	BIO_free(bio);
}

bool http_api_apply(struct http_api *api, const struct snapshot *snapshot, const char **why)
{
	struct slice certificate = snapshot_text(snapshot, "admin.certificate");
	struct tls *tls;
	uint64_t now_ms = loop_now_ms(api->config.loop);

	tls = tls_create_https(certificate, snapshot_text(snapshot, "admin.private_key"), why);
	if (!tls)
		return false;
	https_server_use(api->server, &tls);
	know_fingerprint(api, certificate);
	api->has_certificate = true;
	free(api->node);
	free(api->role);
	api->node = copy_of(snapshot_text(snapshot, "node.name"));
	api->role = copy_of(snapshot_text(snapshot, "node.role"));
	forget_token(api);
	api->metrics_token = copy_of(snapshot_text(snapshot, "admin.metrics_token"));
	accounts_apply(api->accounts, snapshot);
	links_keep(api->links, api->accounts);
	sessions_bound(api->sessions, (size_t)snapshot_int(snapshot, "limits.sessions", 100),
		       (uint64_t)snapshot_int(snapshot, "timeouts.session", 3600) * 1000, now_ms);
	sweep(api);
	return true;
}

void http_api_answer(struct http_api *api, uint64_t tag, bool done, const char *text)
{
	http_login_answer(api, tag, done, text);
}

void http_api_looked(struct http_api *api, const json_t *status)
{
	http_live_looked(api->live, status);
}
