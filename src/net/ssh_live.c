/*
 * Both sides of our SSH, for the tests against OpenSSH's; not installed.
 *
 *   ssh_live pin KEY_FILE
 *   ssh_live serve KEY_FILE USER_PIN CODE PER_ADDRESS
 *       as a host that knows "core-a" by this pin, with this pairing code out ("-": none), and
 *       echoes until it is told "good bye"; prints its port, then a line for each that got in
 *   ssh_live dial KEY_FILE HOST_PIN PORT USER SUBSYSTEM BYTES SILENCE_MS
 *       sends so many bytes and waits for them to come back, then for the end; prints each step
 */
#include "base/alloc.h"
#include "net/ssh.h"
#include "tables/events.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KEY_BYTES 4096
#define PIECE ((size_t)1 << 20) /* under way at a time */

static struct loop *loop;

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "ssh_live: %s\n", what);
	exit(2);
}

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
}

static struct ssh_identity *read_identity(const char *path)
{
	char text[KEY_BYTES];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof(text));
	const char *why = "cannot read the key";
	struct ssh_identity *identity = NULL;

	if (len >= 0)
		identity = ssh_identity_create((struct slice){ text, (size_t)len }, &why);
	if (!identity)
		die(why);
	close(fd);
	return identity;
}

/* The host */

struct guest {
	struct ssh_tunnel *tunnel;
};

struct rules {
	const char *pin, *code; /* NULL: no code is out */
};

static void echo(void *owner, struct slice bytes)
{
	struct guest *guest = owner;

	if (memmem(bytes.data, bytes.len, "good bye", 8)) {
		ssh_tunnel_finish(&guest->tunnel);
		free(guest);
	} else {
		ssh_tunnel_send(guest->tunnel, bytes);
	}
}

static void let_go(void *owner, enum ssh_end how, const char *why)
{
	struct guest *guest = owner;

	say("gone %s %s", ssh_end_name(how), why);
	ssh_tunnel_destroy(&guest->tunnel);
	free(guest);
}

static void take_in(void *arg, struct ssh_tunnel *tunnel, const char *subsystem, const char *user,
		    const char *pin, const char *from)
{
	static const struct ssh_handler handler = { .received = echo, .ended = let_go };
	struct guest *guest = xcalloc(1, sizeof(*guest));

	say("accepted %s %s %s", subsystem, user, pin ? pin : "-");
	guest->tunnel = tunnel;
	ssh_tunnel_hand_over(tunnel, &handler, guest);
}

static bool knows_key(void *arg, const char *user, const char *pin)
{
	return strcmp(user, "core-a") == 0 && strcmp(pin, ((struct rules *)arg)->pin) == 0;
}

static bool takes_passwords(void *arg)
{
	return ((struct rules *)arg)->code != NULL;
}

static bool knows_password(void *arg, const char *user, const char *password)
{
	return strcmp(password, ((struct rules *)arg)->code) == 0;
}

static int listen_somewhere(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (bind(fd, (struct sockaddr *)&at, len) < 0 || listen(fd, 64) < 0 ||
	    getsockname(fd, (struct sockaddr *)&at, &len) < 0)
		die("cannot listen");
	say("port %u", ntohs(at.sin_port));
	return fd;
}

static int serve(char **args)
{
	struct ssh_identity *identity = read_identity(args[0]);
	struct rules rules = { args[1], strcmp(args[2], "-") == 0 ? NULL : args[2] };
	const struct ssh_server_config config = {
		.loop = loop,
		.identity = identity,
		.login_ms = 10000,
		.silence_ms = 30000,
		.connections_max = 100,
		.connections_per_address_max = (unsigned)strtoul(args[3], NULL, 10),
		.knows_key = knows_key,
		.takes_passwords = takes_passwords,
		.knows_password = knows_password,
		.accepted = take_in,
		.arg = &rules,
	};
	struct ssh_server *server = ssh_server_create(&config);

	ssh_server_listen(server, listen_somewhere());
	loop_run(loop); /* until it is killed */
	ssh_server_destroy(&server);
	ssh_identity_destroy(&identity);
	return 0;
}

/* The guest */

struct caller {
	struct ssh_tunnel *tunnel;
	size_t bytes, sent, came;
	bool differs;
};

static char byte_at(size_t i)
{
	return (char)(i * 2654435761u >> 13);
}

static void send_more(struct caller *c)
{
	char *piece = xmalloc(PIECE);
	size_t len = 0;

	while (len < PIECE && c->sent < c->bytes && c->sent - c->came < PIECE)
		piece[len++] = byte_at(c->sent++);
	ssh_tunnel_send(c->tunnel, (struct slice){ piece, len });
	free(piece);
}

static void on_opened(void *owner)
{
	say("opened");
	send_more(owner);
}

static void on_received(void *owner, struct slice bytes)
{
	struct caller *c = owner;

	for (size_t i = 0; i < bytes.len; i++)
		c->differs |= bytes.data[i] != byte_at(c->came++);
	if (c->came == c->bytes)
		say("echoed %zu %s", c->came, c->differs ? "differs" : "identical");
	else if (c->sent - c->came < PIECE / 2)
		send_more(c);
}

static void on_ended(void *owner, enum ssh_end how, const char *why)
{
	struct caller *c = owner;

	say("ended %s %s", ssh_end_name(how), why);
	ssh_tunnel_destroy(&c->tunnel);
	loop_stop(loop);
}

static int dial(char **args)
{
	static const struct ssh_handler handler = { on_opened, on_received, on_ended };
	struct ssh_identity *identity = read_identity(args[0]);
	struct caller caller = { .bytes = strtoul(args[5], NULL, 10) };
	struct ssh_dial dial = { .host_pin = args[1],
				 .user = args[3],
				 .subsystem = args[4],
				 .tcp_ms = 2000,
				 .login_ms = 10000,
				 .silence_ms = (unsigned)strtoul(args[6], NULL, 10) };

	if (!conn_address_parse(&dial.to, "127.0.0.1", (uint16_t)strtoul(args[2], NULL, 10)))
		die("not an address");
	caller.tunnel = ssh_dial(loop, identity, &dial, &handler, &caller);
	loop_run(loop);
	ssh_identity_destroy(&identity);
	return 0;
}

static int print_pin(char **args)
{
	struct ssh_identity *identity = read_identity(args[0]);

	say("%s", ssh_identity_pin(identity));
	ssh_identity_destroy(&identity);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int args;
		int (*run)(char **args);
	} ways[] = { { "pin", 1, print_pin }, { "serve", 4, serve }, { "dial", 7, dial } };
	int status = 2;

	if (!ssh_prepare())
		die("libssh cannot start");
	log_init("live", "ssh_live");
	loop = loop_create();
	for (size_t i = 0; i < nitems(ways); i++) {
		if (argc == ways[i].args + 2 && strcmp(argv[1], ways[i].name) == 0)
			status = ways[i].run(argv + 2);
	}
	loop_destroy(&loop);
	return status;
}
