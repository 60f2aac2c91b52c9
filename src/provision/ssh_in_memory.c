/*
 * net/ssh.h without a network, for the test of the tunnels: the same rules about who is let in, and
 * the same order of events, between two ends in one loop. Nothing of it is in a program.
 */
#include "net/ssh.h"

#include "base/alloc.h"

#include <netinet/in.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LISTENERS_MAX 4

struct ssh_identity {
	char pin[SSH_PIN_LEN + 1];
};

struct ssh_tunnel {
	struct loop *loop;
	const struct ssh_handler *handler; /* NULL: the owner let go */
	void *owner;
	struct ssh_tunnel *other; /* NULL: gone */
	struct loop_task task;
	struct buffer inbox;
	bool opened_due, finishing;
	bool ended_due;
	enum ssh_end how;
	/* Of who dials. */
	const struct ssh_identity *identity;
	uint16_t port;
	char host_pin[SSH_PIN_LEN + 1], *user, *password, *subsystem;
	bool dialling;
};

struct ssh_server {
	struct ssh_server_config config;
	int fds[LISTENERS_MAX];
	size_t count;
	struct ssh_server *next;
};

static struct ssh_server *servers;

bool ssh_prepare(void)
{
	return true;
}

struct ssh_identity *ssh_identity_create(struct slice private_key, const char **why)
{
	struct ssh_identity *identity = xcalloc(1, sizeof(*identity));
	unsigned char digest[32];

	EVP_Digest(private_key.data, private_key.len, digest, NULL, EVP_sha256(), NULL);
	for (size_t i = 0; i < sizeof(digest); i++)
		snprintf(identity->pin + 2 * i, 3, "%02x", digest[i]);
	return identity;
}

void ssh_identity_destroy(struct ssh_identity **identity)
{
	free(*identity);
	*identity = NULL;
}

const char *ssh_identity_pin(const struct ssh_identity *identity)
{
	return identity->pin;
}

const char *ssh_end_name(enum ssh_end end)
{
	static const char *const names[] = { "tcp-refused", "tcp-unreachable", "timeout",
					     "host-key",    "login-refused",   "no-subsystem",
					     "protocol",    "closed",	       "lost" };

	return names[end];
}

static uint16_t port_of(const struct sockaddr_storage *address)
{
	return ntohs(((const struct sockaddr_in *)(const void *)address)->sin_port);
}

static bool serves(const struct ssh_server *server, uint16_t port)
{
	for (size_t i = 0; i < server->count; i++) {
		struct sockaddr_storage address;
		socklen_t len = sizeof(address);

		getsockname(server->fds[i], (struct sockaddr *)&address, &len);
		if (port_of(&address) == port)
			return true;
	}
	return false;
}

static void end(struct ssh_tunnel *t, enum ssh_end how)
{
	t->ended_due = true;
	t->how = how;
	loop_defer_to_next(t->loop, &t->task);
}

static void free_tunnel(struct ssh_tunnel *t)
{
	loop_undefer(t->loop, &t->task);
	buffer_finish(&t->inbox);
	free(t->user);
	free(t->password);
	free(t->subsystem);
	free(t);
}

static bool may_log_in(const struct ssh_server_config *c, const struct ssh_tunnel *t)
{
	if (!t->password)
		return c->knows_key(c->arg, t->user, t->identity->pin);
	return c->takes_passwords(c->arg) && c->knows_password(c->arg, t->user, t->password);
}

static void run(struct loop_task *task);

static void log_in(struct ssh_tunnel *t)
{
	struct ssh_server *server = servers;
	struct ssh_tunnel *far;

	t->dialling = false;
	while (server && !serves(server, t->port))
		server = server->next;
	if (!server) {
		end(t, SSH_END_REFUSED);
	} else if (strcmp(server->config.identity->pin, t->host_pin) != 0) {
		end(t, SSH_END_HOST_KEY);
	} else if (!may_log_in(&server->config, t)) {
		end(t, SSH_END_LOGIN);
	} else {
		far = xcalloc(1, sizeof(*far));
		far->loop = t->loop;
		far->task.run = run;
		far->other = t;
		t->other = far;
		t->opened_due = true;
		loop_defer_to_next(t->loop, &t->task);
		server->config.accepted(server->config.arg, far, t->subsystem, t->user,
					t->password ? NULL : t->identity->pin, "127.0.0.1:40000");
	}
}

/* One thing at a time: whatever is called may destroy the tunnel. */
static void run(struct loop_task *task)
{
	struct ssh_tunnel *t = (void *)((char *)task - offsetof(struct ssh_tunnel, task));
	struct buffer inbox = t->inbox;

	if (t->dialling) {
		log_in(t);
		return;
	}
	if (t->opened_due || buffer_len(&inbox))
		loop_defer_to_next(t->loop, &t->task);
	if (t->opened_due) {
		t->opened_due = false;
		t->handler->opened(t->owner);
	} else if (buffer_len(&inbox)) {
		t->inbox = (struct buffer){ 0 };
		if (t->handler)
			t->handler->received(t->owner, (struct slice){ buffer_data(&inbox),
								       buffer_len(&inbox) });
		buffer_finish(&inbox);
	} else if (t->ended_due && t->handler) {
		t->ended_due = false;
		t->handler->ended(t->owner, t->how, "in the test");
	}
}

struct ssh_tunnel *ssh_dial(struct loop *loop, const struct ssh_identity *identity,
			    const struct ssh_dial *dial, const struct ssh_handler *handler,
			    void *owner)
{
	struct ssh_tunnel *t = xcalloc(1, sizeof(*t));

	t->loop = loop;
	t->handler = handler;
	t->owner = owner;
	t->task.run = run;
	t->identity = identity;
	t->port = port_of(&dial->to.storage);
	snprintf(t->host_pin, sizeof(t->host_pin), "%s", dial->host_pin);
	t->user = xstrdup(dial->user);
	t->password = xstrdup(dial->password);
	t->subsystem = xstrdup(dial->subsystem);
	t->dialling = true;
	loop_defer_to_next(loop, &t->task);
	return t;
}

static void leave(struct ssh_tunnel **tunnel, enum ssh_end how)
{
	struct ssh_tunnel *t = *tunnel;

	*tunnel = NULL;
	if (!t)
		return;
	if (t->other) {
		t->other->other = NULL;
		end(t->other, how);
	}
	free_tunnel(t);
}

void ssh_tunnel_destroy(struct ssh_tunnel **tunnel)
{
	leave(tunnel, SSH_END_LOST);
}

void ssh_tunnel_finish(struct ssh_tunnel **tunnel)
{
	leave(tunnel, SSH_END_CLOSED);
}

void ssh_tunnel_send(struct ssh_tunnel *t, struct slice bytes)
{
	if (!t->other)
		return;
	buffer_append(&t->other->inbox, bytes.data, bytes.len);
	loop_defer_to_next(t->loop, &t->other->task);
}

void ssh_tunnel_hand_over(struct ssh_tunnel *t, const struct ssh_handler *handler, void *owner)
{
	t->handler = handler;
	t->owner = owner;
}

struct ssh_server *ssh_server_create(const struct ssh_server_config *config)
{
	struct ssh_server *server = xcalloc(1, sizeof(*server));

	server->config = *config;
	server->next = servers;
	servers = server;
	return server;
}

void ssh_server_destroy(struct ssh_server **server)
{
	struct ssh_server **link = &servers;

	if (!*server)
		return;
	while (*link != *server)
		link = &(*link)->next;
	*link = (*server)->next;
	for (size_t i = 0; i < (*server)->count; i++)
		close((*server)->fds[i]);
	free(*server);
	*server = NULL;
}

void ssh_server_listen(struct ssh_server *server, int fd)
{
	server->fds[server->count++] = fd;
}

void ssh_server_set_limits(struct ssh_server *server, unsigned login_ms, unsigned silence_ms,
			   unsigned connections_max, unsigned connections_per_address_max)
{
	server->config.login_ms = login_ms;
}
