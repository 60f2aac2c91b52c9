#include "ipc/channel.h"

#include "base/alloc.h"
#include "ipc/memfd.h"
#include "ipc/wire.h"
#include "tables/events.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEADER_BYTES 8
#define FLAG_BODY_IN_MEMFD 1 /* the body is the first descriptor */
#define FDS_MAX 2

struct packet {
	struct packet *next;
	int fds[FDS_MAX];
	size_t fds_count;
	size_t len;
	char bytes[];
};

struct channel {
	int fd;
	enum process self, other;
	bool gone;
	struct packet *first, **last;
	size_t queued_bytes;
	bool overflow_logged;
	/* what the last message lent */
	char *packet;
	int lent_fd;
	struct slice lent_map;
};

bool channel_pair(int fds[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) == 0;
}

struct channel *channel_create(int fd, enum process self, enum process other)
{
	struct channel *channel = xcalloc(1, sizeof(*channel));
	int size = 1 << 20;

	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	/* A packet is at most 64 KiB; the kernel's default holds only two or three of those. */
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	channel->fd = fd;
	channel->self = self;
	channel->other = other;
	channel->last = &channel->first;
	channel->lent_fd = -1;
	return channel;
}

static void close_fds(const int *fds, size_t count)
{
	for (size_t i = 0; i < count; i++)
		close(fds[i]);
}

static void drop_first(struct channel *channel)
{
	struct packet *packet = channel->first;

	channel->first = packet->next;
	if (!channel->first)
		channel->last = &channel->first;
	channel->queued_bytes -= packet->len;
	close_fds(packet->fds, packet->fds_count);
	free(packet);
}

/* Takes back what the last message lent. */
static void reclaim(struct channel *channel)
{
	if (channel->lent_fd >= 0)
		close(channel->lent_fd);
	channel->lent_fd = -1;
	memfd_unmap(channel->lent_map);
	channel->lent_map = (struct slice){ 0 };
	free(channel->packet);
	channel->packet = NULL;
}

void channel_destroy(struct channel **channel_ref)
{
	struct channel *channel = *channel_ref;

	if (!channel)
		return;
	*channel_ref = NULL;
	while (channel->first)
		drop_first(channel);
	reclaim(channel);
	close(channel->fd);
	free(channel);
}

static void refuse(const struct channel *channel, uint16_t type, const char *direction,
		   const char *why)
{
	log_event(EVENT_IPC_REFUSED, "message=%s type=%u %s=%s why=%s", message_name(type), type,
		  direction, process_name(channel->other), why);
}

static struct packet *make_packet(enum message_type type, uint32_t request, struct slice body,
				  int fd)
{
	bool apart = body.len > CHANNEL_PACKET_BYTES - HEADER_BYTES;
	struct buffer bytes = { 0 };
	struct packet *packet;

	wire_put_u16(&bytes, (uint16_t)type);
	wire_put_u16(&bytes, apart ? FLAG_BODY_IN_MEMFD : 0);
	wire_put_u32(&bytes, request);
	if (!apart && body.len)
		buffer_append(&bytes, body.data, body.len);
	packet = xmalloc(sizeof(*packet) + buffer_len(&bytes));
	*packet = (struct packet){ .len = buffer_len(&bytes) };
	memcpy(packet->bytes, buffer_data(&bytes), packet->len);
	buffer_finish(&bytes);
	if (apart)
		packet->fds[packet->fds_count++] = memfd_seal("message", body);
	if (fd >= 0)
		packet->fds[packet->fds_count++] = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	for (size_t i = 0; i < packet->fds_count; i++) {
		if (packet->fds[i] >= 0)
			continue;
		close_fds(packet->fds, i);
		if (i + 1 < packet->fds_count && packet->fds[i + 1] >= 0)
			close(packet->fds[i + 1]);
		free(packet);
		return NULL;
	}
	return packet;
}

/* False when the socket takes no more now, or never. */
static bool send_packet(struct channel *channel, struct packet *packet)
{
	struct iovec part = { packet->bytes, packet->len };
	struct msghdr head = { .msg_iov = &part, .msg_iovlen = 1 };
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * FDS_MAX)];
	} control = { 0 };

	if (packet->fds_count) {
		struct cmsghdr *rights;

		head.msg_control = control.bytes;
		head.msg_controllen = CMSG_SPACE(sizeof(int) * packet->fds_count);
		rights = CMSG_FIRSTHDR(&head);
		rights->cmsg_level = SOL_SOCKET;
		rights->cmsg_type = SCM_RIGHTS;
		rights->cmsg_len = CMSG_LEN(sizeof(int) * packet->fds_count);
		memcpy(CMSG_DATA(rights), packet->fds, sizeof(int) * packet->fds_count);
	}
	for (;;) {
		if (sendmsg(channel->fd, &head, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
			return true;
		if (errno == EINTR)
			continue;
		/* Too many descriptors in flight is temporary too. */
		if (errno != EAGAIN && errno != ENOBUFS && errno != ETOOMANYREFS)
			channel->gone = true;
		return false;
	}
}

void channel_flush(struct channel *channel)
{
	while (channel->first && !channel->gone && send_packet(channel, channel->first))
		drop_first(channel);
}

bool channel_send(struct channel *channel, enum message_type type, uint32_t request,
		  struct slice body, int fd)
{
	struct packet *packet;

	if (channel->gone)
		return false;
	if (!message_may_go((uint16_t)type, channel->self, channel->other) ||
	    message_has_fd((uint16_t)type) != (fd >= 0) || body.len > CHANNEL_BODY_BYTES) {
		refuse(channel, (uint16_t)type, "to", "not in the table of messages");
		return false;
	}
	if (channel->queued_bytes + body.len > CHANNEL_QUEUE_BYTES && channel->first) {
		if (!channel->overflow_logged)
			log_event(EVENT_IPC_OVERFLOW, "to=%s queued_bytes=%zu",
				  process_name(channel->other), channel->queued_bytes);
		channel->overflow_logged = true;
		return false;
	}
	channel->overflow_logged = false;
	packet = make_packet(type, request, body, fd);
	if (!packet)
		return false;
	*channel->last = packet;
	channel->last = &packet->next;
	channel->queued_bytes += packet->len;
	channel_flush(channel);
	return !channel->gone;
}

/* Reads a packet and the descriptors that came with it; 0 at the end, -1 for nothing now. */
static ssize_t read_packet(struct channel *channel, int fds[FDS_MAX], size_t *fds_count,
			   bool *truncated)
{
	struct iovec part = { channel->packet, CHANNEL_PACKET_BYTES };
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * FDS_MAX)];
	} control;
	struct msghdr head = { .msg_iov = &part,
			       .msg_iovlen = 1,
			       .msg_control = control.bytes,
			       .msg_controllen = sizeof(control.bytes) };
	ssize_t n;

	do
		n = recvmsg(channel->fd, &head, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	*fds_count = 0;
	if (n < 0) {
		if (errno == EAGAIN)
			return -1;
		return 0;
	}
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&head); c; c = CMSG_NXTHDR(&head, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		*fds_count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(fds, CMSG_DATA(c), *fds_count * sizeof(int));
	}
	*truncated = (head.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0;
	return n;
}

/* Fills *message from the packet; false and *why when it isn't one that may come here. */
static bool take_message(struct channel *channel, size_t len, int fds[FDS_MAX], size_t *fds_count,
			 struct message *message, const char **why)
{
	struct wire in = wire_read((struct slice){ channel->packet, len });
	uint16_t type = wire_get_u16(&in);
	uint16_t flags = wire_get_u16(&in);
	uint32_t request = wire_get_u32(&in);
	bool apart = flags == FLAG_BODY_IN_MEMFD;
	size_t expected = (message_has_fd(type) ? 1 : 0) + (apart ? 1 : 0);

	message->type = type;
	message->request = request;
	message->body = in.left;
	message->fd = -1;
	*why = "not in the table of messages";
	if (in.failed || !message_may_go(type, channel->other, channel->self))
		return false;
	*why = "malformed";
	if ((flags && !apart) || *fds_count != expected || (apart && in.left.len))
		return false;
	if (apart && !memfd_map(fds[0], CHANNEL_BODY_BYTES, &channel->lent_map, why))
		return false;
	if (apart) {
		message->body = channel->lent_map;
		close(fds[0]);
		fds[0] = fds[1];
		--*fds_count;
	}
	if (*fds_count) {
		message->fd = fds[0];
		channel->lent_fd = fds[0];
		*fds_count = 0;
	}
	return true;
}

enum channel_result channel_receive(struct channel *channel, struct message *message)
{
	for (;;) {
		const char *why = "cut short";
		int fds[FDS_MAX];
		size_t fds_count;
		bool truncated = false;
		ssize_t n;

		reclaim(channel);
		channel->packet = xmalloc(CHANNEL_PACKET_BYTES);
		n = read_packet(channel, fds, &fds_count, &truncated);
		if (n <= 0) {
			reclaim(channel);
			if (n == 0)
				channel->gone = true;
			return channel->gone ? CHANNEL_GONE : CHANNEL_AGAIN;
		}
		message->type = 0;
		if (!truncated &&
		    take_message(channel, (size_t)n, fds, &fds_count, message, &why)) {
			message->owner = channel;
			return CHANNEL_MESSAGE;
		}
		refuse(channel, (uint16_t)message->type, "from", why);
		close_fds(fds, fds_count);
	}
}

enum channel_result channel_wait(struct channel *channel, struct message *message, int timeout_ms)
{
	struct pollfd ready = { .fd = channel->fd, .events = POLLIN };
	enum channel_result result = channel_receive(channel, message);

	if (result != CHANNEL_AGAIN)
		return result;
	if (poll(&ready, 1, timeout_ms) <= 0)
		return CHANNEL_AGAIN;
	return channel_receive(channel, message);
}

int message_take_fd(struct message *message)
{
	int fd = message->fd;

	message->fd = -1;
	message->owner->lent_fd = -1;
	return fd;
}

int channel_fd(const struct channel *channel)
{
	return channel->fd;
}

bool channel_wants_write(const struct channel *channel)
{
	return channel->first && !channel->gone;
}
