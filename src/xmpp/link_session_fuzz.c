#include "xmpp/link_session.h"

#include <stdlib.h>

#define INSTANCE "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static struct link_session *session;
static bool closed;

static void pull(void)
{
	struct link_action action;

	while ((action = link_session_next(session)).type != LINK_NONE) {
		if (closed) /* it was the last action */
			abort();
		closed = action.type == LINK_CLOSED;
		if (action.type == LINK_FATE && action.number > action.number_last)
			abort();
		if (action.type == LINK_STANZA) {
			link_session_fate(session, action.origin, action.number, LINK_REFUSED,
					  FAILURE_EXPIRED);
			link_session_send(session, action.origin, action.number,
					  action.stanza->bytes);
		}
	}
}

static void hear(const uint8_t *data, size_t len)
{
	while (len) {
		size_t now = len;
		char *room = link_session_room(session, &now);

		now = now < len ? now : len;
		memcpy(room, data, now);
		link_session_filled(session, now);
		pull();
		data += now;
		len -= now;
	}
}

/* The first byte: who dialled. A 0xff is never XML and stands for what else may happen. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool dials = size && data[0] % 2;
	struct link_options options = { .dials = dials,
					.node = dials ? "core-a" : "edge-a",
					.peer = dials ? "edge-a" : "core-a",
					.role = "edge",
					.instance = INSTANCE,
					.workers = 2 };

	closed = false;
	session = link_session_create(&options, dials ? NULL : "id1");
	link_session_connected(session);
	pull();
	for (size_t i = 1; i < size;) {
		const uint8_t *end = memchr(data + i, 0xff, size - i);
		size_t len = end ? (size_t)(end - (data + i)) : size - i;

		hear(data + i, len);
		i += len + 1;
		if (i >= size)
			break;
		switch (data[i++] % 4) {
		case 0:
			link_session_timeout(session);
			break;
		case 1:
			link_session_flush(session);
			break;
		case 2:
			link_session_close(session, "reset", NULL);
			break;
		default:
			link_session_closed(session, NULL);
		}
		pull();
	}
	link_session_destroy(&session);
	return 0;
}
