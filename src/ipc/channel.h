/*
 * A channel between two processes of the node: one typed message a packet, in order, with
 * perhaps a descriptor. A body too large for a packet travels as a sealed memfd, unseen by either
 * side. Never blocks but in channel_wait. The send queue is bounded; what the table of messages
 * does not allow is refused and logged, at both ends. It owns its socket but watches nothing:
 * net/messenger.h puts a channel on the loop.
 */
#ifndef IPC_CHANNEL_H
#define IPC_CHANNEL_H

#include "base/slice.h"
#include "ipc/messages.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHANNEL_PACKET_BYTES 65536	      /* one packet, header included */
#define CHANNEL_BODY_BYTES ((size_t)16 << 20) /* a body that travels as memfd */
#define CHANNEL_QUEUE_BYTES ((size_t)8 << 20) /* unsent; the other end is stuck if it is more */
#define CHANNEL_CONTROL_FD 3		      /* where a child finds its channel to control */

struct channel;

struct message {
	enum message_type type;
	uint32_t request;
	struct slice body; /* lent until the next call on this channel */
	int fd;		   /* -1: none. Closed by the next call unless taken */
	struct channel *owner;
};

enum channel_result {
	CHANNEL_MESSAGE,
	CHANNEL_AGAIN, /* nothing there now */
	CHANNEL_GONE,  /* the other end is closed or broken: for good */
};

bool channel_pair(int fds[2]); /* both close-on-exec */

/* Takes the socket. `self` is who we are, `other` who holds the other end. */
struct channel *channel_create(int fd, enum process self, enum process other);
void channel_destroy(struct channel **channel);

/*
 * Sends, or queues what the socket will not take. The body is copied, the descriptor (-1: none)
 * duplicated. False: refused by the table, the queue is full, or the other end is gone.
 */
bool channel_send(struct channel *channel, enum message_type type, uint32_t request,
		  struct slice body, int fd);
enum channel_result channel_receive(struct channel *channel, struct message *message);
/* Blocks until a message is there or the time is over (CHANNEL_AGAIN); for the start only. */
enum channel_result channel_wait(struct channel *channel, struct message *message, int timeout_ms);
int message_take_fd(struct message *message); /* the caller closes it */

int channel_fd(const struct channel *channel);
bool channel_wants_write(const struct channel *channel);
void channel_flush(struct channel *channel); /* sends what it can of the queue */

#endif
