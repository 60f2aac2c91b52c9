#include "net/ssh_guest.h"

#include "base/alloc.h"
#include "tables/events.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRIES_MAX 3	    /* wrong keys or passwords on one connection */
#define TOLD_PER_SECOND 100 /* refusals that are logged: strangers must not fill the disk */

static struct ssh_guest *guest_of(struct ssh_tunnel *t)
{
	return (struct ssh_guest *)t; /* its first member */
}

static bool may_tell(struct ssh_server *server)
{
	uint64_t now_ms = loop_now_ms(server->config.loop);

	if (now_ms - server->telling_since_ms >= 1000) {
		server->telling_since_ms = now_ms;
		server->told = 0;
	}
	if (server->told == TOLD_PER_SECOND) {
		server->untold++;
		return false;
	}
	server->told++;
	return true;
}

void ssh_guest_log_refused(const struct ssh_guest *guest, const char *why, const char *what)
{
	struct ssh_server *server = guest->server;
	char untold[32] = "";

	if (server && !may_tell(server))
		return;
	if (server && server->untold)
		snprintf(untold, sizeof(untold), " untold=%u", server->untold);
	log_event(EVENT_SSH_REFUSED, "from=%s user=%s why=\"%s%s%s\"%s", guest->from,
		  log_text(guest->user), why, what ? ": " : "", what ? what : "", untold);
	if (server)
		server->untold = 0;
}

/* Answers to what the guest asks; called by libssh from inside ssh_drive. */

/* It is shown out, and what it sent in the same breath counts for nothing: no further try. */
static bool is_over(const struct ssh_guest *guest)
{
	return guest->tunnel.stage == SSH_STAGE_ENDED;
}

static int refuse_login(struct ssh_guest *guest, const char *why)
{
	ssh_guest_log_refused(guest, why, NULL);
	if (++guest->tries >= TRIES_MAX)
		ssh_end_with(&guest->tunnel, SSH_END_LOGIN, "too many tries");
	return SSH_AUTH_DENIED;
}

static void know_user(struct ssh_guest *guest, const char *user)
{
	free(guest->user);
	guest->user = xstrdup(user);
}

static int on_key(ssh_session session, const char *user, struct ssh_key_struct *key, char state,
		  void *arg)
{
	struct ssh_guest *guest = arg;
	char pin[SSH_PIN_LEN + 1];

	if (is_over(guest))
		return SSH_AUTH_DENIED;
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
	struct ssh_guest *guest = arg;
	const struct ssh_server_config *config = guest->server ? &guest->server->config : NULL;

	if (is_over(guest))
		return SSH_AUTH_DENIED;
	know_user(guest, user);
	if (!config || !config->takes_passwords(config->arg))
		return refuse_login(guest, "no pairing code is out");
	if (!config->knows_password(config->arg, user, password))
		return refuse_login(guest, "wrong pairing code");
	guest->logged_in = true;
	return SSH_AUTH_SUCCESS;
}

/* NULL: what clients ask for that mean no harm. */
static void refuse_request(struct ssh_guest *guest, const char *what)
{
	if (what)
		ssh_guest_log_refused(guest, "asks for", what);
	if (++guest->requests >= SSH_REQUESTS_MAX)
		ssh_end_with(&guest->tunnel, SSH_END_SUBSYSTEM, "it asks for too much");
}

static int on_subsystem(ssh_session session, ssh_channel channel, const char *name, void *arg)
{
	struct ssh_guest *guest = arg;
	const char *allowed = *guest->pin ? SSH_PROVISIONING : SSH_PAIRING;

	if (is_over(guest))
		return SSH_ERROR;
	if (guest->subsystem || strcmp(name, allowed) != 0) {
		ssh_guest_log_refused(guest, "not its subsystem", log_text(name));
		refuse_request(guest, NULL);
		return SSH_ERROR;
	}
	guest->subsystem = xstrdup(name);
	return SSH_OK;
}

/* libssh asks nobody else about it, and answers nothing. */
static void on_agent(ssh_session session, ssh_channel channel, void *arg)
{
	if (!is_over(arg))
		refuse_request(arg, "its agent");
}

/* None of the others that a channel could be asked for is set: on_rest refuses them. */
static ssh_channel on_channel(ssh_session session, void *arg)
{
	struct ssh_guest *guest = arg;
	struct ssh_tunnel *t = &guest->tunnel;

	if (is_over(guest))
		return NULL;
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
	struct ssh_guest *guest = arg;

	if (is_over(guest))
		return 1;
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
	if (is_over(arg))
		return NULL;
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

static void welcome(struct ssh_guest *guest)
{
	const struct ssh_server_config *config = &guest->server->config;

	ssh_is_open(&guest->tunnel, config->silence_ms);
	config->accepted(config->arg, &guest->tunnel, guest->subsystem, guest->user,
			 *guest->pin ? guest->pin : NULL, guest->from);
}

static void go_on(struct ssh_tunnel *t)
{
	struct ssh_guest *guest = guest_of(t);

	if (!t->event) {
		int result = ssh_handle_key_exchange(t->session);

		if (result == SSH_ERROR)
			ssh_end_with(t, SSH_END_PROTOCOL, ssh_why_no_keys(t->session));
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
static void log_end(const struct ssh_guest *guest)
{
	const struct ssh_tunnel *t = &guest->tunnel;

	if (t->how == SSH_END_PROTOCOL)
		ssh_guest_log_refused(guest, "not SSH as we know it", log_text(t->why));
	else
		ssh_guest_log_refused(guest, t->why, NULL);
}

static void release(struct ssh_tunnel *t)
{
	struct ssh_guest *guest = guest_of(t);

	if (guest->server) {
		struct ssh_guest **at = &guest->server->guests;

		while (*at != guest)
			at = &(*at)->next;
		*at = guest->next;
	}
	if (t->stage == SSH_STAGE_ENDED && !guest->subsystem)
		log_end(guest);
	free(guest->user);
	free(guest->subsystem);
}

void ssh_guest_receive(struct ssh_guest *guest, int fd)
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
