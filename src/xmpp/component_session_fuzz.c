#include "xmpp/component_session.h"

#include "xmpp/stanza.h"

#include <stdlib.h>

#define INSTANCE "99999999999999999999999999999999"

static struct component_session *session;
static uint64_t sent, settled;

static void take_fate(uint64_t number)
{
	if (number <= settled || number > sent) /* each number has one fate */
		abort();
	settled = number;
}

static void pull(void)
{
	struct component_event event;

	while ((event = component_session_next(session)).type != COMPONENT_NONE) {
		switch (event.type) {
		case COMPONENT_DELIVERED:
		case COMPONENT_UNCERTAIN:
			take_fate(event.number);
			break;
		case COMPONENT_READY:
			if (event.number != settled + 1)
				abort();
			for (uint64_t n = event.number; n <= sent; n++)
				component_session_send(session, n, slice_of("<iq/>"));
			break;
		case COMPONENT_STANZA:
			if (event.number % 3)
				component_session_settle(session, event.origin, event.number);
			break;
		default:
			break;
		}
	}
}

static void happen(uint8_t what)
{
	switch (what % 6) {
	case 0:
		component_session_timeout(session);
		break;
	case 1:
		component_session_flush(session);
		break;
	case 2:
		component_session_close(session);
		break;
	case 3:
		if (component_session_is_ready(session))
			component_session_send(session, ++sent, slice_of("<iq/>"));
		break;
	case 4:
		component_session_settle(session, "cccccccccccccccccccccccccccccccc", what / 6);
		break;
	default:
		component_session_closed(session);
		pull();
		component_session_open(session, "0123456789abcdef");
	}
	pull();
}

/* A 0xff is never XML and stands for what else may happen. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	sent = settled = 0;
	session = component_session_create(
		&(struct component_options){ .name = "gateway.home.example",
					     .secret = "s3cret",
					     .home_domain = "home.example",
					     .instance = INSTANCE });
	component_session_open(session, "0123456789abcdef");
	for (size_t i = 0; i < size;) {
		const uint8_t *end = memchr(data + i, 0xff, size - i);
		size_t len = end ? (size_t)(end - (data + i)) : size - i;

		component_session_feed(session, (const char *)data + i, len);
		pull();
		i += len + 1;
		if (i < size)
			happen(data[i++]);
	}
	component_session_destroy(&session);
	return 0;
}
