#include "net/ssh_internal.h"

#include "base/alloc.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum step { CONNECT, LOG_IN, OPEN_CHANNEL, OPEN_SUBSYSTEM };

struct client {
	struct ssh_tunnel tunnel;
	enum step step;
	char host_pin[SSH_PIN_LEN + 1];
	char *user, *password, *subsystem;
	ssh_key key;
	int tcp_error; /* that was known when it was dialled */
	unsigned login_ms, silence_ms;
	unsigned requests; /* it asked us for something */
};

static struct client *client_of(struct ssh_tunnel *t)
{
	return (struct client *)t; /* its first member */
}

static void release(struct ssh_tunnel *t)
{
	struct client *client = client_of(t);

	if (client->password)
		OPENSSL_cleanse(client->password, strlen(client->password));
	free(client->password);
	free(client->user);
	free(client->subsystem);
	ssh_key_free(client->key);
}

/* TCP */

/* What TCP has come to; reads the error of the socket, which that forgets. */
static bool is_connecting(struct client *client)
{
	struct sockaddr_storage peer;
	socklen_t peer_len = sizeof(peer), len = sizeof(client->tcp_error);
	int fd = client->tunnel.fd;

	if (client->tcp_error || getpeername(fd, (struct sockaddr *)&peer, &peer_len) == 0)
		return false;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &client->tcp_error, &len) < 0)
		client->tcp_error = errno;
	return !client->tcp_error;
}

static bool tcp_is_up(struct client *client)
{
	int error = client->tcp_error;

	if (error)
		ssh_end_with(&client->tunnel,
			     error == ECONNREFUSED ? SSH_END_REFUSED
			     : error == ETIMEDOUT  ? SSH_END_TIMEOUT
						   : SSH_END_UNREACHABLE,
			     strerror(error));
	return !error;
}

/* Nobody asks one who dialled for a channel, or anything else; libssh would keep it all for us. */
static int on_request(ssh_session session, ssh_message message, void *arg)
{
	struct client *client = arg;

	if (++client->requests >= SSH_REQUESTS_MAX)
		ssh_end_with(&client->tunnel, SSH_END_PROTOCOL, "it asks us for too much");
	return 1; /* libssh says no */
}

/* libssh speaks on the socket that is there, and looks no name up. */
static void make_session(struct client *client)
{
	struct ssh_tunnel *t = &client->tunnel;
	int no = 0;

	t->session = ssh_new();
	ssh_options_set(t->session, SSH_OPTIONS_PROCESS_CONFIG, &no);
	ssh_options_set(t->session, SSH_OPTIONS_HOST, "pinned");
	ssh_options_set(t->session, SSH_OPTIONS_USER, client->user);
	ssh_options_set(t->session, SSH_OPTIONS_FD, &t->fd);
	ssh_options_set(t->session, SSH_OPTIONS_KEY_EXCHANGE, SSH_KEX);
	ssh_options_set(t->session, SSH_OPTIONS_HOSTKEYS, SSH_KEYS);
	ssh_options_set(t->session, SSH_OPTIONS_PUBLICKEY_ACCEPTED_TYPES, SSH_KEYS);
	ssh_options_set(t->session, SSH_OPTIONS_CIPHERS_C_S, SSH_CIPHERS);
	ssh_options_set(t->session, SSH_OPTIONS_CIPHERS_S_C, SSH_CIPHERS);
	ssh_options_set(t->session, SSH_OPTIONS_HMAC_C_S, SSH_MACS);
	ssh_options_set(t->session, SSH_OPTIONS_HMAC_S_C, SSH_MACS);
	ssh_options_set(t->session, SSH_OPTIONS_COMPRESSION, SSH_COMPRESSION);
	ssh_set_message_callback(t->session, on_request, client);
	ssh_set_blocking(t->session, 0);
	t->stage = SSH_STAGE_LOGIN;
	loop_arm(t->loop, &t->timer, client->login_ms);
}

/* The steps: each true when it is done. One that fails has said how. */

static bool fail(struct client *client, enum ssh_end how, const char *why)
{
	ssh_end_with(&client->tunnel, how, why);
	return false;
}

/* Unless it just went away. */
static bool refused(struct client *client, enum ssh_end how, const char *why)
{
	int status = ssh_get_status(client->tunnel.session);

	if (status & (SSH_CLOSED | SSH_CLOSED_ERROR))
		return fail(client, SSH_END_LOST, "the connection broke during the login");
	return fail(client, how, why);
}

static bool connect_session(struct client *client)
{
	ssh_session session = client->tunnel.session;
	int result = ssh_connect(session);
	char pin[SSH_PIN_LEN + 1] = "";
	ssh_key key = NULL;

	if (result == SSH_AGAIN)
		return false;
	if (result != SSH_OK)
		return fail(client, SSH_END_PROTOCOL, ssh_why_no_keys(session));
	if (ssh_get_server_publickey(session, &key) == SSH_OK)
		ssh_pin_of(key, pin);
	ssh_key_free(key);
	if (strcmp(pin, client->host_pin) != 0)
		return fail(client, SSH_END_HOST_KEY, "it shows another host key than the pinned");
	return true;
}

static bool log_in(struct client *client)
{
	ssh_session session = client->tunnel.session;
	int result = client->password ? ssh_userauth_password(session, NULL, client->password)
				      : ssh_userauth_publickey(session, NULL, client->key);

	if (result == SSH_AUTH_AGAIN)
		return false;
	if (result == SSH_AUTH_SUCCESS)
		return true;
	if (result == SSH_AUTH_ERROR)
		return refused(client, SSH_END_PROTOCOL, ssh_get_error(session));
	return refused(client, SSH_END_LOGIN,
		       client->password
			       ? "it does not take our password"
			       : "it does not take our key: it does not know us (any more)");
}

static bool open_channel(struct client *client)
{
	struct ssh_tunnel *t = &client->tunnel;
	int result;

	if (!t->channel) {
		t->channel = ssh_channel_new(t->session);
		ssh_watch_channel(t);
	}
	result = ssh_channel_open_session(t->channel);
	if (result != SSH_OK && result != SSH_AGAIN)
		return refused(client, SSH_END_SUBSYSTEM, ssh_get_error(t->session));
	return result == SSH_OK;
}

static bool open_subsystem(struct client *client)
{
	struct ssh_tunnel *t = &client->tunnel;
	int result = ssh_channel_request_subsystem(t->channel, client->subsystem);

	if (result != SSH_OK && result != SSH_AGAIN)
		return refused(client, SSH_END_SUBSYSTEM, "it does not offer us this subsystem");
	if (result == SSH_OK && t->stage == SSH_STAGE_LOGIN) {
		ssh_start_event(t);
		ssh_is_open(t, client->silence_ms);
	}
	return result == SSH_OK;
}

static void go_on(struct ssh_tunnel *t)
{
	static bool (*const steps[])(struct client * client) = {
		[CONNECT] = connect_session,
		[LOG_IN] = log_in,
		[OPEN_CHANNEL] = open_channel,
		[OPEN_SUBSYSTEM] = open_subsystem,
	};
	struct client *client = client_of(t);

	if (t->stage == SSH_STAGE_TCP) {
		if (is_connecting(client)) {
			loop_watch(t->loop, &t->io, false, true);
			return;
		}
		if (!tcp_is_up(client))
			return;
		make_session(client);
	}
	while (t->stage == SSH_STAGE_LOGIN && steps[client->step](client))
		client->step++;
}

struct ssh_tunnel *ssh_dial(struct loop *loop, const struct ssh_identity *identity,
			    const struct ssh_dial *dial, const struct ssh_handler *handler,
			    void *owner)
{
	struct client *client = xcalloc(1, sizeof(*client));
	struct ssh_tunnel *t = &client->tunnel;
	const struct sockaddr *to = (const struct sockaddr *)&dial->to.storage;
	int fd = socket(to->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || (connect(fd, to, dial->to.len) < 0 && errno != EINPROGRESS))
		client->tcp_error = errno;
	memcpy(client->host_pin, dial->host_pin, strnlen(dial->host_pin, SSH_PIN_LEN));
	client->user = xstrdup(dial->user);
	client->password = dial->password ? xstrdup(dial->password) : NULL;
	client->subsystem = xstrdup(dial->subsystem);
	client->key = ssh_identity_key(identity);
	client->login_ms = dial->login_ms;
	client->silence_ms = dial->silence_ms;
	t->stage = SSH_STAGE_TCP;
	t->dialled = true;
	t->log_in = go_on;
	t->release = release;
	t->handler = handler;
	t->owner = owner;
	ssh_begin(t, loop, fd, dial->tcp_ms);
	loop_defer(loop, &t->later);
	return t;
}
