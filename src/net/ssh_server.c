#include "net/ssh_guest.h"

#include "base/alloc.h"
#include "tables/events.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *too_many(const struct ssh_server *server, const char *host)
{
	unsigned all = 0, same = 0;

	for (const struct ssh_guest *guest = server->guests; guest; guest = guest->next) {
		all++;
		same += strcmp(guest->host, host) == 0;
	}
	return same >= server->config.connections_per_address_max
		       ? "limits.ssh_connections_per_address is reached"
	       : all >= server->config.connections_max ? "limits.ssh_connections is reached"
						       : NULL;
}

static void on_accepted(void *owner, int fd, const struct conn_address *from)
{
	struct ssh_server *server = owner;
	struct ssh_guest *guest = xcalloc(1, sizeof(*guest));
	const char *why;

	guest->server = server;
	conn_address_text(from, guest->from);
	memcpy(guest->host, guest->from, sizeof(guest->host));
	*strrchr(guest->host, ':') = '\0';
	why = too_many(server, guest->host);
	guest->tunnel.session = ssh_new();
	ssh_set_blocking(guest->tunnel.session, 0);
	if (!why && ssh_bind_accept_fd(server->bind, guest->tunnel.session, fd) != SSH_OK)
		why = ssh_get_error(server->bind);
	if (why) {
		ssh_guest_log_refused(guest, why, NULL);
		ssh_free(guest->tunnel.session);
		close(fd);
		free(guest);
		return;
	}
	log_event(EVENT_SSH_ACCEPTED, "from=%s", guest->from);
	ssh_set_blocking(guest->tunnel.session, 0);
	ssh_options_set(guest->tunnel.session, SSH_OPTIONS_COMPRESSION, SSH_COMPRESSION);
	guest->next = server->guests;
	server->guests = guest;
	ssh_guest_receive(guest, fd);
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
	if (server->listeners_count == SSH_LISTENERS_MAX) {
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
	struct ssh_guest *next;

	for (struct ssh_guest *guest = server->guests; guest; guest = next) {
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
