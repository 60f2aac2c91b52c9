/*
 * What the supervisor's test starts under the names of our programs: it tells on stderr what it is
 * given, and behaves as the record ("test.behaviour", ...) of its snapshot says.
 */
#include "ipc/startup.h"
#include "ipc/wire.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static enum process who(const char *path)
{
	for (enum process p = 0; p < PROCESS_COUNT; p++) {
		if (strstr(path, process_program(p)))
			return p;
	}
	exit(99);
}

static void tell_snapshot(const struct snapshot *snapshot)
{
	fprintf(stderr, "snapshot %llu\n", (unsigned long long)snapshot_generation(snapshot));
}

/* Traffic asks the resolver over each channel it gets, so that the channel is seen to work. */
static void meet(enum process self, enum process peer, int fd)
{
	struct channel *channel = channel_create(fd, self, peer);

	fprintf(stderr, "peer %s\n", process_name(peer));
	if (self == PROCESS_TRAFFIC)
		channel_send(channel, MESSAGE_QUERY, 7, slice_of("hello"), -1);
	if (self == PROCESS_RESOLVER) {
		struct message message;

		if (channel_wait(channel, &message, 2000) == CHANNEL_MESSAGE)
			fprintf(stderr, "query %.*s\n", SLICE_ARGS(message.body));
	}
}

static void handle(enum process self, struct message *message, bool stubborn)
{
	struct snapshot *snapshot;
	const char *why;

	switch (message->type) {
	case MESSAGE_SNAPSHOT:
		snapshot = snapshot_open(message->fd, &why);
		tell_snapshot(snapshot);
		snapshot_destroy(&snapshot);
		break;
	case MESSAGE_PEER:
		meet(self, (enum process)message->body.data[0], message_take_fd(message));
		break;
	case MESSAGE_SHUTDOWN:
		if (!stubborn)
			_exit(0);
		break;
	default:
		fprintf(stderr, "unexpected %s\n", message_name((uint16_t)message->type));
	}
}

static void begin(enum process self, struct startup *startup)
{
	tell_snapshot(startup->snapshot);
	for (size_t i = 0; i < startup->listeners_count; i++)
		fprintf(stderr, "listener %s\n", startup->listeners[i].name);
	for (enum process p = 0; p < PROCESS_COUNT; p++) {
		if (startup->peers[p] >= 0)
			meet(self, p, startup->peers[p]);
	}
}

int main(int argc, char **argv)
{
	enum process self = who(argv[0]);
	struct startup startup;
	struct message message;
	struct slice behaviour;
	const char *why;

	if (!startup_receive(&startup, self, &why)) {
		fprintf(stderr, "no start: %s\n", why);
		return 98;
	}
	begin(self, &startup);
	behaviour = snapshot_text(startup.snapshot, "test.behaviour");
	if (slice_is(behaviour, "exit"))
		_exit(3);
	if (slice_is(behaviour, "crash"))
		raise(SIGABRT); /* sanitizers leave that alone */
	if (slice_is(behaviour, "chatter")) {
		for (int i = 0; i < 20000; i++)
			fprintf(stderr, "line %d\n", i);
	}
	startup_ready(startup.control);
	for (;;) {
		switch (channel_wait(startup.control, &message, 10000)) {
		case CHANNEL_MESSAGE:
			handle(self, &message, slice_is(behaviour, "stubborn"));
			break;
		default:
			_exit(97);
		}
	}
}
