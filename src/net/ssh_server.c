#include "net/ssh_internal.h"

#include "base/alloc.h"
#include "tables/events.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LISTENERS_MAX 8
#define TRIES_MAX 3 /* wrong keys or passwords on one connection */

struct ssh_server {
	struct ssh_server_config config;
	ssh_bind bind; /* host key and algorithms */
	struct listener *listeners[LISTENERS_MAX];
	int fds[LISTENERS_MAX];
	size_t listeners_count;
	struct guest *guests; /* every connection that it accepted and that lives */
};

/* A connection that came in. */
struct guest {
	struct ssh_tunnel tunnel;
	struct ssh_server *server; /* NULL: it is gone */
	struct guest *next;
	struct ssh_server_callbacks_struct callbacks;
	char from[CONN_ADDRESS_TEXT], host[CONN_ADDRESS_TEXT]; /* with and without port */
	char *user;
	char pin[SSH_PIN_LEN + 1]; /* of the key that it logged in with; empty: by password */
	bool logged_in;
	char *subsystem; /* that it asked for and may have */
	unsigned tries, requests;
};

static struct guest *guest_of(struct ssh_tunnel *t)
{
	return (struct guest *)t; /* its first member */
}

static void log_refused(const struct guest *guest, const char *why, const char *what)
{
	log_event(EVENT_SSH_REFUSED, "from=%s user=%s why=\"%s%s%s\"", guest->from,
		  log_text(guest->user), why, what ? ": " : "", what ? what : "");
}

/* Answers to what the guest asks; called by libssh from inside ssh_drive. */

static int refuse_login(struct guest *guest, const char *why)
{
	log_refused(guest, why, NULL);
	if (++guest->tries >= TRIES_MAX)
		ssh_end_with(&guest->tunnel, SSH_END_LOGIN, "too many tries");
	return SSH_AUTH_DENIED;
}

static void know_user(struct guest *guest, const char *user)
{
	free(guest->user);
	guest->user = xstrdup(user);
}

static int on_key(ssh_session session, const char *user, struct ssh_key_struct *key, char state,
		  void *arg)
{
	struct guest *guest = arg;
	char pin[SSH_PIN_LEN + 1];

	know_user(guest, user);
	if (!guest->server || !ssh_pin_of(key, pin) ||
	    !guest->server->config.knows_key(guest->server->config.arg, user, pin))
		return refuse_login(guest, "no node of this name has this key");
	if (state == SSH_PUBLICKEY_STATE_NONE)
		return SSH_AUTH_SUCCESS; /* it may go on and prove that it has the key */
	if (state != SSH_PUBLICKEY_STATE_VALID)
		return refuse_login(guest, "the signature is wrong");
	memcpy(guest->pin, pin, sizeof(pin));
	guest->logged_in = true;
	return SSH_AUTH_SUCCESS;
}

static int on_password(ssh_session session, const char *user, const char *password, void *arg)
{
	struct guest *guest = arg;
	const struct ssh_server_config *config = guest->server ? &guest->server->config : NULL;

	know_user(guest, user);
	if (!config || !config->takes_passwords(config->arg))
		return refuse_login(guest, "no pairing code is out");
	if (!config->knows_password(config->arg, user, password))
		return refuse_login(guest, "wrong pairing code");
	guest->logged_in = true;
	return SSH_AUTH_SUCCESS;
}

/* NULL: what clients ask for that mean no harm. */
static void refuse_request(struct guest *guest, const char *what)
{
	if (what)
		log_refused(guest, "asks for", what);
	if (++guest->requests >= SSH_REQUESTS_MAX)
		ssh_end_with(&guest->tunnel, SSH_END_SUBSYSTEM, "it asks for too much");
}

static int on_subsystem(ssh_session session, ssh_channel channel, const char *name, void *arg)
{
	struct guest *guest = arg;
	const char *allowed = *guest->pin ? SSH_PROVISIONING : SSH_PAIRING;

	if (guest->subsystem || strcmp(name, allowed) != 0) {
		log_refused(guest, "not its subsystem", log_text(name));
		refuse_request(guest, NULL);
		return SSH_ERROR;
	}
	guest->subsystem = xstrdup(name);
	return SSH_OK;
}

/* libssh asks nobody else about it, and answers nothing. */
static void on_agent(ssh_session session, ssh_channel channel, void *arg)
{
	refuse_request(arg, "its agent");
}

/* None of the others that a channel could be asked for is set: on_rest refuses them. */
static ssh_channel on_channel(ssh_session session, void *arg)
{
	struct guest *guest = arg;
	struct ssh_tunnel *t = &guest->tunnel;

	if (t->channel || !guest->logged_in) {
		refuse_request(guest, "a second channel");
		return NULL;
	}
	t->channel = ssh_channel_new(session);
	t->channel_callbacks.channel_subsystem_request_function = on_subsystem;
	t->channel_callbacks.channel_auth_agent_req_function = on_agent;
	ssh_watch_channel(t);
	return t->channel;
}

static const char *kind_of(ssh_message message)
{
	static const struct {
		int type, subtype;
		const char *name;
	} kinds[] = {
		{ SSH_REQUEST_CHANNEL, SSH_CHANNEL_REQUEST_SHELL, "a shell" },
		{ SSH_REQUEST_CHANNEL, SSH_CHANNEL_REQUEST_EXEC, "a command" },
		{ SSH_REQUEST_CHANNEL, SSH_CHANNEL_REQUEST_PTY, "a terminal" },
		{ SSH_REQUEST_CHANNEL, SSH_CHANNEL_REQUEST_ENV, "an environment variable" },
		{ SSH_REQUEST_CHANNEL, SSH_CHANNEL_REQUEST_X11, "X11" },
		{ SSH_REQUEST_CHANNEL, SSH_CHANNEL_REQUEST_SUBSYSTEM, "a subsystem" },
		{ SSH_REQUEST_CHANNEL_OPEN, SSH_CHANNEL_DIRECT_TCPIP, "forwarding" },
		{ SSH_REQUEST_CHANNEL_OPEN, SSH_CHANNEL_SESSION, "a second channel" },
		{ SSH_REQUEST_GLOBAL, SSH_GLOBAL_REQUEST_TCPIP_FORWARD, "forwarding" },
		{ SSH_REQUEST_AUTH, SSH_AUTH_METHOD_NONE, NULL },
		{ SSH_REQUEST_SERVICE, -1, NULL },
	};

	for (size_t i = 0; i < nitems(kinds); i++) {
		if (kinds[i].type == ssh_message_type(message) &&
		    kinds[i].subtype == ssh_message_subtype(message))
			return kinds[i].name;
	}
	return "what is not offered";
}

/* What no other callback has taken. */
static int on_rest(ssh_session session, ssh_message message, void *arg)
{
	struct guest *guest = arg;

	if (ssh_message_type(message) == SSH_REQUEST_AUTH &&
	    ssh_message_subtype(message) != SSH_AUTH_METHOD_NONE)
		refuse_login(guest, "a way to log in that is not offered");
	else
		refuse_request(guest, kind_of(message));
	return 1; /* libssh says no */
}

/* GSSAPI, which libssh would do by itself: files, name servers, and all that for any stranger. */

static ssh_string on_gssapi(ssh_session session, const char *user, int n_oid, ssh_string *oids,
			    void *arg)
{
	know_user(arg, user);
	refuse_login(arg, "a way to log in that is not offered");
	return NULL;
}

static int on_gssapi_token(ssh_session session, ssh_string input_token, ssh_string *output_token,
			   void *arg)
{
	return SSH_ERROR;
}

/* Its way in */

static void welcome(struct guest *guest)
{
	const struct ssh_server_config *config = &guest->server->config;

	ssh_is_open(&guest->tunnel, config->silence_ms);
	config->accepted(config->arg, &guest->tunnel, guest->subsystem, guest->user,
			 *guest->pin ? guest->pin : NULL, guest->from);
}

static void go_on(struct ssh_tunnel *t)
{
	struct guest *guest = guest_of(t);

	if (!t->event) {
		int result = ssh_handle_key_exchange(t->session);

		if (result == SSH_ERROR)
			ssh_end_with(t, SSH_END_PROTOCOL, ssh_get_error(t->session));
		if (result != SSH_OK)
			return;
		ssh_start_event(t);
	}
	if (ssh_event_dopoll(t->event, 0) == SSH_ERROR ||
	    ssh_get_status(t->session) & (SSH_CLOSED | SSH_CLOSED_ERROR)) {
		ssh_end_with(t, SSH_END_LOST,
			     guest->logged_in ? "it closed without a subsystem"
					      : "it closed before it was logged in");
		return;
	}
	if (t->stage == SSH_STAGE_LOGIN && guest->subsystem && guest->server)
		welcome(guest);
}

/* What libssh says may be the guest's own words. */
static void log_end(const struct guest *guest)
{
	const struct ssh_tunnel *t = &guest->tunnel;

	if (t->how == SSH_END_PROTOCOL)
		log_refused(guest, "not SSH as we know it", log_text(t->why));
	else
		log_refused(guest, t->why, NULL);
}

static void release(struct ssh_tunnel *t)
{
	struct guest *guest = guest_of(t);

	if (guest->server) {
		struct guest **at = &guest->server->guests;

		while (*at != guest)
			at = &(*at)->next;
		*at = guest->next;
	}
	if (t->stage == SSH_STAGE_ENDED && !guest->subsystem)
		log_end(guest);
	free(guest->user);
	free(guest->subsystem);
}

static const char *too_many(const struct ssh_server *server, const char *host)
{
	unsigned all = 0, same = 0;

	for (const struct guest *guest = server->guests; guest; guest = guest->next) {
		all++;
		same += strcmp(guest->host, host) == 0;
	}
	return same >= server->config.connections_per_address_max
		       ? "limits.ssh_connections_per_address is reached"
	       : all >= server->config.connections_max ? "limits.ssh_connections is reached"
						       : NULL;
}

static void receive(struct guest *guest, int fd)
{
	struct ssh_tunnel *t = &guest->tunnel;
	const struct ssh_server_config *config = &guest->server->config;

	guest->callbacks.userdata = guest;
	guest->callbacks.auth_pubkey_function = on_key;
	guest->callbacks.auth_password_function = on_password;
	guest->callbacks.channel_open_request_session_function = on_channel;
	guest->callbacks.gssapi_select_oid_function = on_gssapi;
	guest->callbacks.gssapi_accept_sec_ctx_function = on_gssapi_token;
	ssh_callbacks_init(&guest->callbacks);
	ssh_set_server_callbacks(t->session, &guest->callbacks);
	ssh_set_message_callback(t->session, on_rest, guest);
	ssh_set_auth_methods(
		t->session,
		SSH_AUTH_METHOD_PUBLICKEY |
			(config->takes_passwords(config->arg) ? SSH_AUTH_METHOD_PASSWORD : 0));
	t->stage = SSH_STAGE_LOGIN;
	t->log_in = go_on;
	t->release = release;
	ssh_begin(t, config->loop, fd, config->login_ms);
	loop_defer(config->loop, &t->later);
}

static void on_accepted(void *owner, int fd, const struct conn_address *from)
{
	struct ssh_server *server = owner;
	struct guest *guest = xcalloc(1, sizeof(*guest));
	const char *why;

	conn_address_text(from, guest->from);
	memcpy(guest->host, guest->from, sizeof(guest->host));
	*strrchr(guest->host, ':') = '\0';
	why = too_many(server, guest->host);
	guest->tunnel.session = ssh_new();
	ssh_set_blocking(guest->tunnel.session, 0);
	if (!why && ssh_bind_accept_fd(server->bind, guest->tunnel.session, fd) != SSH_OK)
		why = ssh_get_error(server->bind);
	if (why) {
		log_refused(guest, why, NULL);
		ssh_free(guest->tunnel.session);
		close(fd);
		free(guest);
		return;
	}
	log_event(EVENT_SSH_ACCEPTED, "from=%s", guest->from);
	ssh_set_blocking(guest->tunnel.session, 0);
	ssh_options_set(guest->tunnel.session, SSH_OPTIONS_COMPRESSION, SSH_COMPRESSION);
	guest->server = server;
	guest->next = server->guests;
	server->guests = guest;
	receive(guest, fd);
}

static ssh_bind make_bind(const struct ssh_identity *identity)
{
	ssh_bind bind = ssh_bind_new();
	bool no = false;

	ssh_bind_options_set(bind, SSH_BIND_OPTIONS_PROCESS_CONFIG, &no);
	ssh_bind_options_set(bind, SSH_BIND_OPTIONS_IMPORT_KEY, ssh_identity_key(identity));
	ssh_bind_options_set(bind, SSH_BIND_OPTIONS_KEY_EXCHANGE, SSH_KEX);
	ssh_bind_options_set(bind, SSH_BIND_OPTIONS_HOSTKEY_ALGORITHMS, SSH_KEYS);
	ssh_bind_options_set(bind, SSH_BIND_OPTIONS_PUBKEY_ACCEPTED_KEY_TYPES, SSH_KEYS);
	ssh_bind_options_set(bind, SSH_BIND_OPTIONS_CIPHERS_C_S, SSH_CIPHERS);
	ssh_bind_options_set(bind, SSH_BIND_OPTIONS_CIPHERS_S_C, SSH_CIPHERS);
	ssh_bind_options_set(bind, SSH_BIND_OPTIONS_HMAC_C_S, SSH_MACS);
	ssh_bind_options_set(bind, SSH_BIND_OPTIONS_HMAC_S_C, SSH_MACS);
	return bind;
}

struct ssh_server *ssh_server_create(const struct ssh_server_config *config)
{
	struct ssh_server *server = xcalloc(1, sizeof(*server));

	server->config = *config;
	server->bind = make_bind(config->identity);
	return server;
}

void ssh_server_listen(struct ssh_server *server, int fd)
{
	if (server->listeners_count == LISTENERS_MAX) {
		close(fd);
		return;
	}
	server->fds[server->listeners_count] = fd;
	server->listeners[server->listeners_count++] =
		listener_create(server->config.loop, fd, on_accepted, server);
}

void ssh_server_set_limits(struct ssh_server *server, unsigned login_ms, unsigned silence_ms,
			   unsigned connections_max, unsigned connections_per_address_max)
{
	server->config.login_ms = login_ms;
	server->config.silence_ms = silence_ms;
	server->config.connections_max = connections_max;
	server->config.connections_per_address_max = connections_per_address_max;
}

/* Those that have no owner yet go with it. */
static void dismiss(struct ssh_server *server)
{
	struct guest *next;

	for (struct guest *guest = server->guests; guest; guest = next) {
		struct ssh_tunnel *t = &guest->tunnel;

		next = guest->next;
		guest->server = NULL;
		if (t->stage == SSH_STAGE_LOGIN)
			ssh_tunnel_destroy(&t);
	}
}

void ssh_server_destroy(struct ssh_server **server_ref)
{
	struct ssh_server *server = *server_ref;

	if (!server)
		return;
	*server_ref = NULL;
	for (size_t i = 0; i < server->listeners_count; i++) {
		listener_destroy(&server->listeners[i]);
		close(server->fds[i]);
	}
	dismiss(server);
	ssh_bind_free(server->bind);
	free(server);
}
