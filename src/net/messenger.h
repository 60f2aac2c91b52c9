/*
 * A channel (ipc/channel.h) on the loop: messages and the other end's death arrive as calls from
 * the loop, never from inside messenger_send. After `gone` nothing more arrives and sending
 * fails; the owner destroys the messenger, in `gone` if it likes.
 */
#ifndef NET_MESSENGER_H
#define NET_MESSENGER_H

#include "ipc/channel.h"
#include "net/loop.h"

struct messenger;

struct messenger_handler {
	/* Lent until it returns; take the descriptor with message_take_fd. May destroy. */
	void (*message)(void *arg, struct message *message);
	void (*gone)(void *arg);
};

/* Takes the socket. */
struct messenger *messenger_create(struct loop *loop, int fd, enum process self, enum process other,
				   const struct messenger_handler *handler, void *arg);
/* Takes a channel that was used before the loop ran (startup.control). */
struct messenger *messenger_adopt(struct loop *loop, struct channel **channel, enum process other,
				  const struct messenger_handler *handler, void *arg);
void messenger_destroy(struct messenger **messenger);
bool messenger_send(struct messenger *messenger, enum message_type type, uint32_t request,
		    struct slice body, int fd);
/* Whether something that was sent waits for the other end. */
bool messenger_is_behind(const struct messenger *messenger);

#endif
