#include "net/https_server.h"

#include "base/alloc.h"

#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

#define LISTENERS_MAX 8
#define METHODS_ALL                                                                                \
	(EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_HEAD | EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE | \
	 EVHTTP_REQ_OPTIONS | EVHTTP_REQ_TRACE | EVHTTP_REQ_CONNECT | EVHTTP_REQ_PATCH)

/* Connections that live; libevent frees some of them after the server is gone. */
struct tally {
	struct https_server *server; /* NULL: gone */
	unsigned connections;
};

struct https_server {
	struct https_server_config config;
	struct evhttp *http;
	struct tls *tls;
	struct evhttp_bound_socket *sockets[LISTENERS_MAX];
	size_t sockets_count;
	int waiting[LISTENERS_MAX]; /* until there is a certificate */
	size_t waiting_count;
	struct tally *tally;
};

struct https_call {
	struct evhttp_request *request; /* NULL: who asked has gone */
	struct evhttp_uri *uri;
	char *from;
};

/* How many connections there are, libevent does not say; each has one SSL object. */
static int tally_index = -1;

static void accept_more(struct https_server *server, bool more)
{
	for (size_t i = 0; i < server->sockets_count; i++) {
		struct evconnlistener *listener =
			evhttp_bound_socket_get_listener(server->sockets[i]);

		if (more)
			evconnlistener_enable(listener);
		else
			evconnlistener_disable(listener);
	}
}

static void on_ssl_freed(void *parent, void *data, CRYPTO_EX_DATA *ad, int index, long argl,
			 void *argp)
{
	struct tally *tally = data;

	if (!tally)
		return;
	tally->connections--;
	if (!tally->server && !tally->connections)
		free(tally);
	else if (tally->server && tally->connections + 1 == tally->server->config.connections_max)
		accept_more(tally->server, true);
}

static struct bufferevent *make_connection(struct event_base *base, void *arg)
{
	struct https_server *server = arg;
	SSL *ssl = tls_accepting(server->tls, NULL);

	SSL_set_ex_data(ssl, tally_index, server->tally);
	if (++server->tally->connections == server->config.connections_max)
		accept_more(server, false);
	return bufferevent_openssl_socket_new(base, -1, ssl, BUFFEREVENT_SSL_ACCEPTING,
					      BEV_OPT_CLOSE_ON_FREE);
}

static void on_gone(struct evhttp_connection *connection, void *arg)
{
	struct https_call *call = arg;

	call->request = NULL;
}

static void on_request(struct evhttp_request *request, void *arg)
{
	struct https_server *server = arg;
	struct evhttp_connection *connection = evhttp_request_get_connection(request);
	struct https_call *call = xcalloc(1, sizeof(*call));
	char *address = NULL;
	uint16_t port;

	evhttp_connection_get_peer(connection, &address, &port);
	call->request = request;
	call->from = xstrdup(address ? address : "-");
	call->uri = evhttp_uri_parse(evhttp_request_get_uri(request));
	evhttp_connection_set_closecb(connection, on_gone, call);
	if (call->uri && evhttp_uri_get_path(call->uri))
		server->config.request(server->config.arg, call);
	else
		https_reply(&call, HTTP_BADREQUEST, "text/plain", NULL,
			    slice_of("the address cannot be read\n"));
}

struct https_server *https_server_create(const struct https_server_config *config)
{
	struct https_server *server = xcalloc(1, sizeof(*server));

	if (tally_index < 0)
		tally_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, on_ssl_freed);
	server->config = *config;
	server->tally = xcalloc(1, sizeof(*server->tally));
	server->tally->server = server;
	server->http = evhttp_new(loop_base(config->loop));
	evhttp_set_bevcb(server->http, make_connection, server);
	evhttp_set_gencb(server->http, on_request, server);
	evhttp_set_allowed_methods(server->http, METHODS_ALL); /* the owner knows which */
	evhttp_set_max_headers_size(server->http, HTTPS_HEADERS_BYTES);
	evhttp_set_max_body_size(server->http, (ssize_t)config->body_bytes);
	evhttp_set_timeout(server->http, (int)config->timeout_s);
	evhttp_set_default_content_type(server->http, NULL);
	return server;
}

void https_server_destroy(struct https_server **server_ref)
{
	struct https_server *server = *server_ref;

	if (!server)
		return;
	*server_ref = NULL;
	server->tally->server = NULL;
	if (!server->tally->connections)
		free(server->tally); /* else the last of them does */
	evhttp_free(server->http);
	for (size_t i = 0; i < server->waiting_count; i++)
		close(server->waiting[i]);
	tls_destroy(&server->tls);
	free(server);
}

static void serve(struct https_server *server, int fd)
{
	int on = 1;

	/* evhttp writes head and body apart; accepted sockets have what the listening one has. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	server->sockets[server->sockets_count++] =
		evhttp_accept_socket_with_handle(server->http, fd);
}

void https_server_use(struct https_server *server, struct tls **tls)
{
	tls_destroy(&server->tls);
	server->tls = *tls;
	*tls = NULL;
	for (size_t i = 0; i < server->waiting_count; i++)
		serve(server, server->waiting[i]);
	server->waiting_count = 0;
}

void https_server_listen(struct https_server *server, int fd)
{
	if (server->sockets_count + server->waiting_count == LISTENERS_MAX)
		close(fd);
	else if (server->tls)
		serve(server, fd);
	else
		server->waiting[server->waiting_count++] = fd;
}

/* What was asked */

const char *https_method(const struct https_call *call)
{
	switch (evhttp_request_get_command(call->request)) {
	case EVHTTP_REQ_GET:
		return "GET";
	case EVHTTP_REQ_POST:
		return "POST";
	default:
		return "other";
	}
}

const char *https_path(const struct https_call *call)
{
	return evhttp_uri_get_path(call->uri);
}

const char *https_header(const struct https_call *call, const char *name)
{
	return evhttp_find_header(evhttp_request_get_input_headers(call->request), name);
}

struct slice https_body(const struct https_call *call)
{
	struct evbuffer *body = evhttp_request_get_input_buffer(call->request);
	size_t len = evbuffer_get_length(body);

	return (struct slice){ (const char *)evbuffer_pullup(body, -1), len };
}

const char *https_from(const struct https_call *call)
{
	return call->from;
}

/* The bytes of base64 text as text without NUL; the caller's, who wipes it. */
static char *decode(const char *text)
{
	size_t len = strlen(text);
	char *bytes;
	int count;

	if (len % 4 || len > 4 * HTTPS_FIELD_BYTES)
		return NULL;
	bytes = xcalloc(1, len / 4 * 3 + 1);
	count = EVP_DecodeBlock((unsigned char *)bytes, (const unsigned char *)text, (int)len);
	for (size_t i = 1; i <= 2 && count > 0 && len >= i && text[len - i] == '='; i++)
		count--;
	if (count > 0 && !memchr(bytes, '\0', (size_t)count)) {
		bytes[count] = '\0';
		return bytes;
	}
	free(bytes);
	return NULL;
}

bool https_login(const struct https_call *call, char user[HTTPS_FIELD_BYTES + 1],
		 char password[HTTPS_FIELD_BYTES + 1])
{
	static const char scheme[] = "Basic ";
	const char *header = https_header(call, "Authorization");
	char *both, *colon;
	bool read;

	if (!header || strncasecmp(header, scheme, strlen(scheme)) != 0)
		return false;
	both = decode(header + strlen(scheme));
	if (!both)
		return false;
	colon = strchr(both, ':');
	read = colon && (size_t)(colon - both) <= HTTPS_FIELD_BYTES &&
	       strlen(colon + 1) <= HTTPS_FIELD_BYTES;
	if (read) {
		*colon = '\0';
		memcpy(user, both, strlen(both) + 1);
		memcpy(password, colon + 1, strlen(colon + 1) + 1);
		*colon = ':';
	}
	OPENSSL_cleanse(both, strlen(both));
	free(both);
	return read;
}

void https_reply(struct https_call **call_ref, int status, const char *type,
		 const char *const *headers, struct slice body)
{
	struct https_call *call = *call_ref;
	struct evhttp_request *request = call->request;

	*call_ref = NULL;
	if (request) {
		struct evkeyvalq *out = evhttp_request_get_output_headers(request);
		struct evbuffer *bytes = evbuffer_new();

		evhttp_connection_set_closecb(evhttp_request_get_connection(request), NULL, NULL);
		evhttp_add_header(out, "Content-Type", type);
		evhttp_add_header(out, "Cache-Control", "no-store");
		evhttp_add_header(out, "X-Content-Type-Options", "nosniff");
		for (size_t i = 0; headers && headers[i]; i += 2)
			evhttp_add_header(out, headers[i], headers[i + 1]);
		evbuffer_add(bytes, body.data, body.len);
		evhttp_send_reply(request, status, NULL, bytes);
		evbuffer_free(bytes);
	}
	if (call->uri)
		evhttp_uri_free(call->uri);
	free(call->from);
	free(call);
}
