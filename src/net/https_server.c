#include "net/https_server.h"

#include "base/alloc.h"

#include <arpa/inet.h>
#include <assert.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
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
#include <sys/socket.h>
#include <unistd.h>

#define LISTENERS_MAX 8
/* libevent cuts off who says nothing while he takes a long answer; who is slow, on_time sees. */
#define LIBEVENT_TIMEOUT_S 86400
#define METHODS_ALL                                                                                \
	(EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_HEAD | EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE | \
	 EVHTTP_REQ_OPTIONS | EVHTTP_REQ_TRACE | EVHTTP_REQ_CONNECT | EVHTTP_REQ_PATCH)

/* Connections that live; libevent frees some of them after the server is gone. */
struct tally {
	struct https_server *server; /* NULL: gone */
	unsigned connections;
	struct connection *first, **last; /* as they came */
	size_t arriving;		  /* bytes of long requests that are not whole yet */
};

/* Lives as long as its SSL object. */
struct connection {
	struct connection *next, **link; /* link: what points here */
	struct tally *tally;
	struct bufferevent *bev;
	char from[INET6_ADDRSTRLEN]; /* of IPv6 the network; empty: not known yet */
	struct timer timer; /* for a request to arrive whole, or for an answer to be taken */
	size_t arrived;	    /* of the request that is on its way */
	size_t taken;	    /* of the answer, since the last look */
	bool waited;	    /* to be taken, at the last look */
	bool busy;	    /* with a request that is not answered yet */
	bool cut;
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
	struct loop_task newcomers; /* looks where they come from */
};

struct https_call {
	struct evhttp_request *request; /* NULL: who asked has gone */
	struct evhttp_uri *uri;
	char *from, *place;
	struct connection *connection;
	https_gone_fn *gone;
	void *gone_arg;
};

/* How many connections there are, libevent does not say; each has one SSL object. */
static int connection_index = -1;

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

/* What arrived is the owner's from now on, or gone. */
static void forget_arrived(struct connection *connection)
{
	if (connection->arrived > HTTPS_SHORT_BYTES)
		connection->tally->arriving -= connection->arrived;
	connection->arrived = 0;
}

static void on_ssl_freed(void *parent, void *data, CRYPTO_EX_DATA *ad, int index, long argl,
			 void *argp)
{
	struct connection *connection = data;
	struct tally *tally = connection ? connection->tally : NULL;

	if (!connection)
		return;
	*connection->link = connection->next;
	if (connection->next)
		connection->next->link = connection->link;
	else
		tally->last = connection->link;
	forget_arrived(connection);
	if (tally->server)
		loop_disarm(tally->server->config.loop, &connection->timer);
	free(connection);
	tally->connections--;
	if (!tally->server && !tally->connections)
		free(tally);
	else if (tally->server && tally->connections + 1 == tally->server->config.connections_max)
		accept_more(tally->server, true);
}

/* libevent sees the end, and frees all that belongs to it. */
static void cut_off(struct connection *connection, const char *why)
{
	const struct https_server_config *config = &connection->tally->server->config;
	int fd = bufferevent_getfd(connection->bev);

	if (connection->cut)
		return;
	connection->cut = true;
	if (fd >= 0)
		shutdown(fd, SHUT_RDWR);
	if (why && config->refused)
		config->refused(config->arg, connection->from, why);
}

static void await(struct connection *connection)
{
	const struct https_server_config *config = &connection->tally->server->config;

	loop_arm(config->loop, &connection->timer, (uint64_t)config->timeout_s * 1000);
}

/* Of its request, and of what it is told, piece by piece or whole. While the owner has the request
 * and says nothing, his deadline counts. */
static void on_time(struct timer *timer)
{
	struct connection *connection =
		(void *)((char *)timer - offsetof(struct connection, timer));
	bool waits = evbuffer_get_length(bufferevent_get_output(connection->bev)) > 0;
	bool stalls = connection->taken < HTTPS_PROGRESS_BYTES;

	if (waits ? connection->waited && stalls : !connection->waited && !connection->busy) {
		cut_off(connection, NULL);
		return;
	}
	connection->waited = waits;
	connection->taken = 0;
	await(connection);
}

static void on_taken(struct evbuffer *buffer, const struct evbuffer_cb_info *info, void *arg)
{
	struct connection *connection = arg;

	connection->taken += info->n_deleted;
}

static unsigned count_from(const struct tally *tally, const char *from, size_t *arriving)
{
	unsigned count = 0;

	*arriving = 0;
	for (const struct connection *c = tally->first; c; c = c->next) {
		if (strcmp(c->from, from) != 0)
			continue;
		count++;
		*arriving += c->arrived > HTTPS_SHORT_BYTES ? c->arrived : 0;
	}
	return count;
}

static void on_bytes(struct evbuffer *buffer, const struct evbuffer_cb_info *info, void *arg)
{
	struct connection *connection = arg;
	struct tally *tally = connection->tally;
	size_t from_there;

	if (!info->n_added || !tally->server || connection->cut)
		return;
	if (connection->arrived > HTTPS_SHORT_BYTES)
		tally->arriving -= connection->arrived;
	connection->arrived += info->n_added;
	if (connection->arrived <= HTTPS_SHORT_BYTES)
		return;
	tally->arriving += connection->arrived;
	count_from(tally, connection->from, &from_there);
	if (connection->busy)
		cut_off(connection, "it sends on before its answer is there");
	else if (tally->arriving > HTTPS_ARRIVING_BYTES || from_there > HTTPS_ARRIVING_BYTES / 4)
		cut_off(connection, "too many long requests at once");
}

static bool find_out(struct connection *connection)
{
	union {
		struct sockaddr any;
		struct sockaddr_in ipv4;
		struct sockaddr_in6 ipv6;
	} peer = { 0 };
	socklen_t len = sizeof(peer);
	int fd = bufferevent_getfd(connection->bev);

	if (fd < 0 || getpeername(fd, &peer.any, &len) < 0)
		return false;
	/* Whoever has one of these 64 bits has them all; but what came by IPv4 is an address. */
	if (peer.any.sa_family == AF_INET6 && !IN6_IS_ADDR_V4MAPPED(&peer.ipv6.sin6_addr))
		memset(&peer.ipv6.sin6_addr.s6_addr[8], 0, 8);
	return inet_ntop(peer.any.sa_family,
			 peer.any.sa_family == AF_INET6 ? (void *)&peer.ipv6.sin6_addr
							: (void *)&peer.ipv4.sin_addr,
			 connection->from, sizeof(connection->from)) != NULL;
}

/* evhttp gives a connection its socket only after it was made. */
static void on_newcomers(struct loop_task *task)
{
	struct https_server *server =
		(void *)((char *)task - offsetof(struct https_server, newcomers));
	size_t arriving;

	for (struct connection *c = server->tally->first; c; c = c->next) {
		if (!*c->from && find_out(c) &&
		    count_from(server->tally, c->from, &arriving) >
			    server->config.connections_per_address)
			cut_off(c, "too many connections from this address");
	}
}

static struct bufferevent *make_connection(struct event_base *base, void *arg)
{
	struct https_server *server = arg;
	struct tally *tally = server->tally;
	SSL *ssl = tls_accepting(server->tls, NULL);
	struct connection *connection = xcalloc(1, sizeof(*connection));

	loop_read_clock(server->config.loop);
	connection->tally = tally;
	connection->timer.fire = on_time;
	connection->link = tally->last;
	*tally->last = connection;
	tally->last = &connection->next;
	SSL_set_ex_data(ssl, connection_index, connection);
	if (++tally->connections == server->config.connections_max)
		accept_more(server, false);
	connection->bev = bufferevent_openssl_socket_new(base, -1, ssl, BUFFEREVENT_SSL_ACCEPTING,
							 BEV_OPT_CLOSE_ON_FREE);
	evbuffer_add_cb(bufferevent_get_input(connection->bev), on_bytes, connection);
	evbuffer_add_cb(bufferevent_get_output(connection->bev), on_taken, connection);
	await(connection);
	loop_defer(server->config.loop, &server->newcomers);
	return connection->bev;
}

static void on_gone(struct evhttp_connection *connection, void *arg)
{
	struct https_call *call = arg;
	https_gone_fn *gone = call->gone;

	if (call->connection->tally->server)
		loop_read_clock(call->connection->tally->server->config.loop);
	/* A request that waits for its answer evhttp leaves to us, without its connection; unless
	 * the whole server goes. */
	if (!evhttp_request_get_connection(call->request))
		evhttp_request_free(call->request);
	call->request = NULL;
	call->connection = NULL;
	call->gone = NULL;
	if (gone)
		gone(call->gone_arg);
}

static struct connection *connection_of(struct evhttp_connection *connection)
{
	return SSL_get_ex_data(
		bufferevent_openssl_get_ssl(evhttp_connection_get_bufferevent(connection)),
		connection_index);
}

static void on_request(struct evhttp_request *request, void *arg)
{
	struct https_server *server = arg;
	struct evhttp_connection *connection = evhttp_request_get_connection(request);
	struct https_call *call = xcalloc(1, sizeof(*call));
	char *address = NULL;
	uint16_t port;

	loop_read_clock(server->config.loop);
	evhttp_connection_get_peer(connection, &address, &port);
	call->request = request;
	call->connection = connection_of(connection);
	call->connection->busy = true;
	forget_arrived(call->connection);
	call->from = xstrdup(address ? address : "-");
	if (!*call->connection->from)
		find_out(call->connection);
	call->place = xstrdup(call->connection->from);
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

	if (connection_index < 0)
		connection_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, on_ssl_freed);
	server->config = *config;
	server->tally = xcalloc(1, sizeof(*server->tally));
	server->tally->server = server;
	server->tally->last = &server->tally->first;
	server->newcomers.run = on_newcomers;
	server->http = evhttp_new(loop_base(config->loop));
	evhttp_set_bevcb(server->http, make_connection, server);
	evhttp_set_gencb(server->http, on_request, server);
	evhttp_set_allowed_methods(server->http, METHODS_ALL); /* the owner knows which */
	evhttp_set_max_headers_size(server->http, HTTPS_HEADERS_BYTES);
	evhttp_set_max_body_size(server->http, (ssize_t)config->body_bytes);
	evhttp_set_timeout(server->http, LIBEVENT_TIMEOUT_S);
	evhttp_set_default_content_type(server->http, NULL);
	return server;
}

void https_server_destroy(struct https_server **server_ref)
{
	struct https_server *server = *server_ref;

	if (!server)
		return;
	*server_ref = NULL;
	loop_undefer(server->config.loop, &server->newcomers);
	for (struct connection *c = server->tally->first; c; c = c->next)
		loop_disarm(server->config.loop, &c->timer);
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

const char *https_query(const struct https_call *call)
{
	return evhttp_uri_get_query(call->uri);
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

const char *https_place(const struct https_call *call)
{
	return call->place;
}

size_t https_untaken(const struct https_call *call)
{
	const struct connection *first = call->connection ? call->connection->tally->first : NULL;
	size_t bytes = 0;

	for (const struct connection *c = first; c; c = c->next) {
		if (strcmp(c->from, call->place) == 0)
			bytes += evbuffer_get_length(bufferevent_get_output(c->bev));
	}
	return bytes;
}

/* The bytes of base64 text as text without NUL; the caller's, who wipes it. */
static char *decode(const char *text)
{
	size_t len = strlen(text);
	char *bytes;
	int count;

	if (len % 4 || len > (size_t)4 * HTTPS_FIELD_BYTES)
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

/* Answers */

static void add_headers(struct evhttp_request *request, const char *type,
			const char *const *headers)
{
	struct evkeyvalq *out = evhttp_request_get_output_headers(request);

	if (type)
		evhttp_add_header(out, "Content-Type", type);
	evhttp_add_header(out, "X-Content-Type-Options", "nosniff");
	for (size_t i = 0; headers && headers[i]; i += 2)
		evhttp_add_header(out, headers[i], headers[i + 1]);
	if (!evhttp_find_header(out, "Cache-Control"))
		evhttp_add_header(out, "Cache-Control", "no-store");
}

/* The connection may hear its next request; from now on it has to take what it asked for. */
static void release(struct https_call *call)
{
	struct connection *connection = call->connection;

	assert(connection); /* there is a request */
	evhttp_connection_set_closecb(evhttp_request_get_connection(call->request), NULL, NULL);
	connection->busy = false;
	connection->waited = false;
	if (connection->tally->server)
		await(connection);
}

static void free_call(struct https_call *call)
{
	if (call->uri)
		evhttp_uri_free(call->uri);
	free(call->from);
	free(call->place);
	free(call);
}

void https_on_gone(struct https_call *call, https_gone_fn *gone, void *arg)
{
	call->gone = gone;
	call->gone_arg = arg;
}

void https_reply(struct https_call **call_ref, int status, const char *type,
		 const char *const *headers, struct slice body)
{
	struct https_call *call = *call_ref;
	struct evhttp_request *request = call->request;

	*call_ref = NULL;
	if (request) {
		struct evbuffer *bytes = evbuffer_new();

		release(call);
		add_headers(request, type, headers);
		evbuffer_add(bytes, body.data, body.len);
		evhttp_send_reply(request, status, NULL, bytes);
		evbuffer_free(bytes);
	}
	free_call(call);
}

void https_stream_begin(struct https_call *call, const char *type, const char *const *headers,
			https_gone_fn *gone, void *arg)
{
	if (!call->request)
		return;
	https_on_gone(call, gone, arg);
	add_headers(call->request, type, headers);
	evhttp_send_reply_start(call->request, HTTP_OK, NULL);
}

void https_stream_send(struct https_call *call, struct slice piece)
{
	struct evbuffer *bytes;

	if (!call->request || !piece.len)
		return;
	bytes = evbuffer_new();
	evbuffer_add(bytes, piece.data, piece.len);
	evhttp_send_reply_chunk(call->request, bytes);
	evbuffer_free(bytes);
}

size_t https_stream_waits(const struct https_call *call)
{
	return call->connection ? evbuffer_get_length(bufferevent_get_output(call->connection->bev))
				: 0;
}

void https_stream_end(struct https_call **call_ref)
{
	struct https_call *call = *call_ref;

	*call_ref = NULL;
	if (call->request) {
		release(call);
		evhttp_send_reply_end(call->request);
	}
	free_call(call);
}

void https_stream_break(struct https_call **call)
{
	if ((*call)->connection) {
		https_on_gone(*call, NULL, NULL);
		cut_off((*call)->connection, NULL);
	}
	https_stream_end(call);
}
