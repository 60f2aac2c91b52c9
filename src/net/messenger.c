#include "net/messenger.h"

#include "base/alloc.h"
#include "tables/events.h"

#include <stdlib.h>

#define MESSAGES_A_TURN 64 /* then others get theirs */

struct messenger {
	struct loop *loop;
	struct channel *channel;
	struct loop_io io;
	const struct messenger_handler *handler;
	void *arg;
	enum process other;
	bool gone;
	bool *destroyed; /* set while a handler runs */
};

static void lose(struct messenger *messenger)
{
	messenger->gone = true;
	messenger->destroyed = NULL;
	loop_unwatch(&messenger->io);
	log_event(EVENT_IPC_GONE, "to=%s", process_name(messenger->other));
	messenger->handler->gone(messenger->arg);
}

static void on_ready(struct loop_io *io, bool readable, bool writable)
{
	struct messenger *messenger = (void *)((char *)io - offsetof(struct messenger, io));
	bool destroyed = false;
	struct message message;

	if (writable)
		channel_flush(messenger->channel);
	messenger->destroyed = &destroyed;
	for (int i = 0; i < MESSAGES_A_TURN && readable; i++) {
		switch (channel_receive(messenger->channel, &message)) {
		case CHANNEL_AGAIN:
			readable = false;
			break;
		case CHANNEL_GONE:
			lose(messenger);
			return;
		case CHANNEL_MESSAGE:
			messenger->handler->message(messenger->arg, &message);
			if (destroyed)
				return;
		}
	}
	messenger->destroyed = NULL;
	loop_watch(messenger->loop, io, true, channel_wants_write(messenger->channel));
}

struct messenger *messenger_adopt(struct loop *loop, struct channel **channel, enum process other,
				  const struct messenger_handler *handler, void *arg)
{
	struct messenger *messenger = xcalloc(1, sizeof(*messenger));

	messenger->loop = loop;
	messenger->channel = *channel;
	*channel = NULL;
	messenger->handler = handler;
	messenger->arg = arg;
	messenger->other = other;
	messenger->io.ready = on_ready;
	messenger->io.fd = channel_fd(messenger->channel);
	loop_watch(loop, &messenger->io, true, channel_wants_write(messenger->channel));
	return messenger;
}

struct messenger *messenger_create(struct loop *loop, int fd, enum process self, enum process other,
				   const struct messenger_handler *handler, void *arg)
{
	struct channel *channel = channel_create(fd, self, other);

	return messenger_adopt(loop, &channel, other, handler, arg);
}

void messenger_destroy(struct messenger **messenger_ref)
{
	struct messenger *messenger = *messenger_ref;

	if (!messenger)
		return;
	*messenger_ref = NULL;
	if (messenger->destroyed)
		*messenger->destroyed = true;
	loop_unwatch(&messenger->io);
	channel_destroy(&messenger->channel);
	free(messenger);
}

bool messenger_send(struct messenger *messenger, enum message_type type, uint32_t request,
		    struct slice body, int fd)
{
	bool sent;

	if (messenger->gone)
		return false;
	sent = channel_send(messenger->channel, type, request, body, fd);
	if (channel_wants_write(messenger->channel))
		loop_watch(messenger->loop, &messenger->io, true, true);
	return sent;
}

bool messenger_is_behind(const struct messenger *messenger)
{
	return channel_wants_write(messenger->channel);
}
