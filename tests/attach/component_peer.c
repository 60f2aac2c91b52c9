/*
 * The gateway's side of an attachment, driven by lines on standard input, for the tests of our
 * modules against real servers: component_session over a plain socket, and what a router does
 * with it. Each event is a line on standard output.
 *
 *   component_peer ADDRESS PORT COMPONENT SECRET HOME_DOMAIN INSTANCE
 *
 *   connect | close | cut         open the stream, end it in order, drop the connection
 *   send XML                      kept until its fate is known; sent when the session is ready
 *   hold | release | settle N     keep what comes unsettled; settle all that is held, or one
 */
#include "base/alloc.h"
#include "xmpp/component_session.h"
#include "xmpp/stanza.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct kept {
	char *xml; /* NULL: settled */
};

struct peer {
	struct component_session *session;
	struct sockaddr_in address;
	int fd;		      /* -1: not connected */
	int64_t deadline_ms;  /* of the session's timer; 0: not armed */
	struct kept *kept;    /* number n at n - 1 */
	uint64_t count, sent; /* numbered; sent on this stream up to here */
	bool holds;
	uint64_t *held; /* numbers of the module's stanzas */
	size_t held_count;
	char origin[COMPONENT_INSTANCE_LEN + 1];
	unsigned openings;
};

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void cut(struct peer *p)
{
	if (p->fd < 0)
		return;
	close(p->fd);
	p->fd = -1;
}

static void connect_peer(struct peer *p)
{
	char unguessable[64];

	p->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (connect(p->fd, (struct sockaddr *)&p->address, sizeof(p->address)) < 0) {
		printf("refused %s\n", strerror(errno));
		cut(p);
		return;
	}
	snprintf(unguessable, sizeof(unguessable), "test-%d-%u-%" PRId64, (int)getpid(),
		 p->openings++, now_ms());
	component_session_open(p->session, unguessable);
}

static void send_waiting(struct peer *p)
{
	while (component_session_is_ready(p->session) && p->sent < p->count) {
		const char *xml = p->kept[p->sent++].xml;

		/* settled ones lie before what READY names, so there is none here */
		component_session_send(p->session, p->sent, slice_of(xml));
	}
}

static void settle_ours(struct peer *p, uint64_t up_to)
{
	for (uint64_t n = 0; n < up_to; n++) {
		free(p->kept[n].xml);
		p->kept[n].xml = NULL;
	}
}

static void take_stanza(struct peer *p, const struct component_event *event)
{
	printf("stanza %s %" PRIu64 " %.*s\n", event->origin ? event->origin : "-", event->number,
	       SLICE_ARGS(event->stanza->bytes));
	if (!event->origin)
		return;
	snprintf(p->origin, sizeof(p->origin), "%s", event->origin);
	if (!p->holds) {
		component_session_settle(p->session, event->origin, event->number);
		return;
	}
	p->held = xrealloc(p->held, (p->held_count + 1) * sizeof(*p->held));
	p->held[p->held_count++] = event->number;
}

static void pull(struct peer *p)
{
	for (;;) {
		struct component_event event = component_session_next(p->session);

		switch (event.type) {
		case COMPONENT_NONE:
			return;
		case COMPONENT_TIMER:
			p->deadline_ms = now_ms() + event.seconds * 1000;
			break;
		case COMPONENT_READY:
			printf("ready %" PRIu64 " module=%d s2s=%s\n", event.number,
			       component_session_has_module(p->session),
			       component_session_server_s2s(p->session));
			p->sent = event.number - 1;
			send_waiting(p);
			break;
		case COMPONENT_STANZA:
			take_stanza(p, &event);
			break;
		case COMPONENT_DELIVERED:
			printf("delivered %" PRIu64 "\n", event.number);
			settle_ours(p, event.number);
			break;
		case COMPONENT_UNCERTAIN:
			printf("uncertain %" PRIu64 "\n", event.number);
			settle_ours(p, event.number);
			break;
		case COMPONENT_STATUS:
			printf("s2s %s\n", component_session_server_s2s(p->session));
			break;
		case COMPONENT_CLOSED:
			printf("closed %d %s\n", (int)event.fault, event.why);
			p->deadline_ms = 0;
			cut(p);
			break;
		}
	}
}

static void write_out(struct peer *p)
{
	struct buffer *out = component_session_output(p->session);

	while (p->fd >= 0 && buffer_len(out)) {
		ssize_t len = send(p->fd, buffer_data(out), buffer_len(out), MSG_NOSIGNAL);

		if (len <= 0) {
			cut(p);
			component_session_closed(p->session);
			return;
		}
		buffer_consume(out, (size_t)len);
	}
}

static void read_in(struct peer *p)
{
	char bytes[16384];
	ssize_t len = recv(p->fd, bytes, sizeof(bytes), 0);

	if (len > 0) {
		component_session_feed(p->session, bytes, (size_t)len);
	} else {
		cut(p);
		component_session_closed(p->session);
	}
}

static void obey(struct peer *p, char *line)
{
	line[strcspn(line, "\n")] = '\0';
	if (strcmp(line, "connect") == 0) {
		connect_peer(p);
	} else if (strcmp(line, "close") == 0) {
		component_session_close(p->session);
	} else if (strcmp(line, "cut") == 0) {
		cut(p);
		component_session_closed(p->session);
	} else if (strncmp(line, "send ", 5) == 0) {
		p->kept = xrealloc(p->kept, (p->count + 1) * sizeof(*p->kept));
		p->kept[p->count++].xml = xstrdup(line + 5);
		send_waiting(p);
	} else if (strcmp(line, "hold") == 0) {
		p->holds = true;
	} else if (strcmp(line, "release") == 0) {
		p->holds = false;
		for (size_t i = 0; i < p->held_count; i++)
			component_session_settle(p->session, p->origin, p->held[i]);
		p->held_count = 0;
	} else if (strncmp(line, "settle ", 7) == 0) {
		component_session_settle(p->session, p->origin, strtoull(line + 7, NULL, 10));
	} else {
		printf("what? %s\n", line);
	}
}

static void wake(struct peer *p)
{
	struct pollfd fds[] = { { .fd = STDIN_FILENO, .events = POLLIN },
				{ .fd = p->fd, .events = POLLIN } };
	int64_t wait = p->deadline_ms ? p->deadline_ms - now_ms() : -1;
	static char line[1 << 20];

	if (p->deadline_ms && wait < 0)
		wait = 0;
	poll(fds, 2, (int)wait);
	if (p->deadline_ms && now_ms() >= p->deadline_ms) {
		p->deadline_ms = 0;
		component_session_timeout(p->session);
	}
	if (fds[1].revents)
		read_in(p);
	pull(p);
	/* unbuffered, so that poll sees every line */
	if (fds[0].revents) {
		if (!fgets(line, sizeof(line), stdin))
			exit(0);
		obey(p, line);
	}
	pull(p);
	component_session_flush(p->session);
	write_out(p);
	pull(p);
}

int main(int argc, char **argv)
{
	struct peer peer = { .fd = -1 };

	if (argc != 7) {
		fprintf(stderr, "usage: component_peer ADDRESS PORT COMPONENT SECRET HOME_DOMAIN "
				"INSTANCE\n");
		return 2;
	}
	setvbuf(stdin, NULL, _IONBF, 0);
	setvbuf(stdout, NULL, _IOLBF, 0);
	peer.address.sin_family = AF_INET;
	peer.address.sin_port = htons((uint16_t)atoi(argv[2]));
	inet_pton(AF_INET, argv[1], &peer.address.sin_addr);
	peer.session = component_session_create(&(struct component_options){
		.name = argv[3],
		.secret = argv[4],
		.home_domain = argv[5],
		.instance = argv[6],
	});
	for (;;)
		wake(&peer);
}
