#include "router/link_port.h"

#include "base/alloc.h"
#include "tables/events.h"

#include <stdlib.h>
#include <unistd.h>

#define GUESTS_MAX 32 /* connections whose key is not seen yet; each costs a TLS handshake */
#define HANDSHAKE_MS 5000

/* A connection that came in and has not shown yet whose it is. */
struct guest {
	struct link_listener *listener;
	struct conn *conn;
	struct guest *next, **link;
	char from[CONN_ADDRESS_TEXT];
};

struct link_listener {
	struct worker *worker;
	struct listener *listener;
	link_find_fn *find;
	void *arg;
	struct guest *guests;
	size_t count;
};

static void dismiss(struct guest *guest)
{
	conn_destroy(&guest->conn);
	*guest->link = guest->next;
	if (guest->next)
		guest->next->link = guest->link;
	guest->listener->count--;
	free(guest);
}

static void refuse(struct guest *guest, const char *pin, const char *why)
{
	log_event(EVENT_LINK_REFUSED, "address=%s pin=%s why=\"%s\"", guest->from, pin, why);
	dismiss(guest);
}

/* A guest that speaks before TLS is up has nothing to say. */
static char *on_room(void *owner, size_t *len)
{
	static char nothing[1];

	*len = sizeof(nothing);
	return nothing;
}

static void on_filled(void *owner, size_t len)
{
	refuse(owner, "-", "it speaks without TLS");
}

static void on_secured(void *owner)
{
	struct guest *guest = owner;
	char pin[TLS_PIN_LEN + 1] = "-";
	struct link_port *port = NULL;

	if (!tls_is_link(conn_tls(guest->conn)))
		refuse(guest, pin, "it does not ask for the protocol sallyport-link");
	else if (tls_peer_pin(conn_tls(guest->conn), pin) &&
		 (port = guest->listener->find(guest->listener->arg, pin)))
		link_port_adopt(port, &guest->conn);
	else
		refuse(guest, pin,
		       "no node is paired with this key: sallyport pair here, join there");
	if (port)
		dismiss(guest);
}

static void on_ended(void *owner, enum conn_end how, const char *why)
{
	refuse(owner, "-", why);
}

static const struct conn_handler handler = {
	.room = on_room,
	.filled = on_filled,
	.secured = on_secured,
	.ended = on_ended,
};

static void on_accepted(void *owner, int fd, const struct conn_address *from)
{
	struct link_listener *listener = owner;
	struct guest *guest;

	if (listener->count >= GUESTS_MAX) {
		close(fd);
		return;
	}
	guest = xcalloc(1, sizeof(*guest));
	guest->listener = listener;
	conn_address_text(from, guest->from);
	guest->next = listener->guests;
	guest->link = &listener->guests;
	if (guest->next)
		guest->next->link = &guest->next;
	listener->guests = guest;
	listener->count++;
	guest->conn = conn_accept(listener->worker->loop, fd, &handler, guest);
	conn_start_tls(guest->conn, tls_accepting(listener->worker->config->link_tls, NULL),
		       HANDSHAKE_MS);
}

struct link_listener *link_listener_create(struct worker *worker, int fd, link_find_fn *find,
					   void *arg)
{
	struct link_listener *listener = xcalloc(1, sizeof(*listener));

	listener->worker = worker;
	listener->find = find;
	listener->arg = arg;
	listener->listener = listener_create(worker->loop, fd, on_accepted, listener);
	return listener;
}

void link_listener_destroy(struct link_listener **listener_ref)
{
	struct link_listener *listener = *listener_ref;

	if (!listener)
		return;
	*listener_ref = NULL;
	for (struct guest *guest = listener->guests, *next; guest; guest = next) {
		next = guest->next;
		dismiss(guest);
	}
	listener_destroy(&listener->listener);
	free(listener);
}
