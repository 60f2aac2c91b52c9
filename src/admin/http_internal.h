/* What the parts of the admin port share. */
#ifndef ADMIN_HTTP_INTERNAL_H
#define ADMIN_HTTP_INTERNAL_H

#include "admin/accounts.h"
#include "admin/http_api.h"
#include "admin/http_links.h"
#include "admin/http_session.h"
#include "admin/throttle.h"
#include "net/https_server.h"

#define HTTP_FORM_BYTES ((size_t)16 << 10)    /* of what strangers send, and of passwords */
#define HTTP_BODY_BYTES ((size_t)1 << 20)     /* of a command, but of a file of settings: */
#define HTTP_FILE_BYTES ((size_t)16 << 20)    /* as much as the control socket takes */
#define HTTP_UNTAKEN_BYTES ((size_t)32 << 20) /* by one address, before it gets more */
#define HTTP_LISTENERS_MAX 8
#define HTTP_COOKIE "__Host-sallyport"
#define HTTP_LIVE "/api/v1/live"
#define HTTP_JSON "application/json"

struct http_live;
struct http_ask;
struct http_wish;

struct http_api {
	struct http_api_config config;
	struct https_server *server;
	struct accounts *accounts;
	struct sessions *sessions;
	struct links *links;
	struct throttle *throttle;
	struct http_live *live;
	struct http_ask *asks; /* requests that wait for the desk */
	uint64_t ask_numbers;
	struct http_wish *wishes; /* what waits for a password to be looked at, or for control */
	uint64_t wish_numbers;
	struct timer sweep;
	char listeners[HTTP_LISTENERS_MAX][80]; /* "192.0.2.1:9443" */
	size_t listeners_count;
	char *node, *role, *metrics_token;
	char fingerprint[96]; /* SHA-256 of the certificate, as browsers show it */
	bool has_certificate;
	uint64_t lines_since_ms; /* what strangers cause in the log, within a second */
	unsigned lines, lines_left_out;
};

/* Whether one more line that a stranger causes may be logged: 10 in a second, so that nobody fills
 * a disk by knocking. How many were left out is told with the next. */
bool http_stranger_is_logged(struct http_api *api);

/* Answers (http_reply.c); each takes the call. `headers`: name, value, ..., NULL, or NULL. */
void http_reply(struct https_call **call, int status, const char *type, const char *const *headers,
		struct slice body);
void http_reply_json(struct https_call **call, int status, const char *const *headers,
		     json_t *json);					 /* takes the JSON */
void http_refuse(struct https_call **call, int status, const char *why); /* {"error":why} */
void http_refuse_for(struct https_call **call, unsigned seconds, const char *why); /* 429 */
void http_stream(struct https_call *call, const char *type, const char *const *headers,
		 https_gone_fn *gone, void *arg);

/* Who asks (http_login.c). NULL: nobody is logged in. */
const struct session *http_session_of(struct http_api *api, const struct https_call *call);
struct visitor http_visitor(const struct session *session, const struct https_call *call);
/* Whether the request comes from our own page, as far as the browser tells. */
bool http_is_same_origin(const struct https_call *call);
bool http_has_csrf(const struct session *session, const struct https_call *call);
/* Whether a command of these words is within the access. */
bool http_may(enum access access, const char *const *words, size_t count);

/* These answer the call, from inside or later. */
void http_login(struct http_api *api, struct https_call *call);
void http_welcome(struct http_api *api, struct https_call *call);
void http_logout(struct http_api *api, const struct session *session, struct https_call *call);
void http_password(struct http_api *api, const struct session *session, struct https_call *call);
void http_session_reply(struct http_api *api, const struct session *session,
			struct https_call *call);
void http_login_answer(struct http_api *api, uint64_t tag, bool done, const char *text);
void http_login_drop(struct http_api *api); /* what waits; the calls are cut off */
void http_admin_link(void *arg, const struct errand *errand);

/* Requests that are commands (http_routes.c): a GET of `path` behind /api/v1/, POST command, and
 * /metrics. */
void http_get(struct http_api *api, const struct session *session, const char *path,
	      struct https_call *call);
void http_command(struct http_api *api, const struct session *session, struct https_call *call);
void http_metrics(struct http_api *api, const struct session *session, struct https_call *call);
void http_routes_end_of(struct http_api *api, uint64_t session); /* what it waits for */
void http_routes_drop(struct http_api *api);

/* What of the log the query of a request wants, as far as its access goes. False: *why (allocated).
 */
bool http_filter(const struct session *session, const struct https_call *call,
		 struct event_filter *filter, char **why);

/* Live events (http_live.c). */
struct http_live *http_live_create(struct http_api *api);
void http_live_destroy(struct http_live **live);
void http_live_open(struct http_live *live, const struct session *session, struct https_call *call);
void http_live_end_of(struct http_live *live, uint64_t session);
void http_live_looked(struct http_live *live, const json_t *status);

/* The page (http_assets.c). False: there is no such file, and the call stays the caller's. */
bool http_asset(const struct http_api *api, struct https_call **call);

extern const unsigned char http_openapi[]; /* openapi.json */
extern const size_t http_openapi_len;

#endif
