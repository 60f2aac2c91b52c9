#include "provision/meetings.h"

#include "base/alloc.h"
#include "provision/json_lines.h"
#include "provision/orders.h"
#include "provision/pairing.h"
#include "tables/events.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/random.h>

#define TCP_MS 5000
#define AXL_PASSWORD_BYTES 16

/* One pairing under way. */
struct meeting {
	struct meetings *meetings;
	struct meeting *next;
	bool dials;
	struct ssh_tunnel *ssh;
	struct pairing *pairing;
	struct timer limit;
	char from[CONN_ADDRESS_TEXT];
	bool again;  /* the settings had that node already */
	bool undone; /* or would be, were it not for that */

	struct orders orders; /* to control */
	unsigned asked;	      /* of them */
	char axl_password[2 * AXL_PASSWORD_BYTES + 1];

	/* Of a join. */
	struct pairing_code code;
	uint64_t session;
	tunnels_joined_fn *joined;
	void *arg;
	struct loop_task conclusion;
	bool over, done;
	char *text;
};

struct meetings {
	const struct tunnel_shared *shared;
	const struct meetings_self *self;
	struct issued *issued;
	struct meeting *list;
	meetings_known_fn *known;
	void *known_arg;
};

static void pump(struct meeting *m);

static void random_bytes(void *bytes, size_t len)
{
	if (getrandom(bytes, len, 0) != (ssize_t)len)
		abort();
}

/* A meeting's end */

static void destroy(struct meeting *m, bool in_order)
{
	struct loop *loop = m->meetings->shared->loop;
	struct meeting **link = &m->meetings->list;

	while (*link != m)
		link = &(*link)->next;
	*link = m->next;
	if (in_order && m->ssh)
		ssh_tunnel_finish(&m->ssh);
	else
		ssh_tunnel_destroy(&m->ssh);
	pairing_destroy(&m->pairing);
	loop_disarm(loop, &m->limit);
	loop_undefer(loop, &m->conclusion);
	questions_forget(m->meetings->shared->questions, m);
	orders_finish(&m->orders);
	explicit_bzero(m->axl_password, sizeof(m->axl_password));
	explicit_bzero(&m->code, sizeof(m->code));
	free(m->text);
	free(m);
}

static void on_conclusion(struct loop_task *task)
{
	struct meeting *m = (void *)((char *)task - offsetof(struct meeting, conclusion));

	if (m->joined)
		m->joined(m->arg, m->session, m->done, m->text);
	destroy(m, true);
}

/* Takes the text. What is left happens later, outside of whoever calls. */
static void conclude(struct meeting *m, bool done, char *text)
{
	m->over = true;
	m->done = done;
	m->text = text;
	loop_disarm(m->meetings->shared->loop, &m->limit);
	loop_defer(m->meetings->shared->loop, &m->conclusion);
}

static void failed(struct meeting *m, const char *why)
{
	log_event(EVENT_PAIRING_FAILED, "node=%s address=%s why=\"%s\"",
		  m->dials ? log_text(m->code.node) : "-", m->dials ? m->code.address : m->from,
		  why);
	if (m->again && m->undone)
		conclude(m, false,
			 xasprintf("%s. They were paired before: %s stays entered here, with the "
				   "keys of now",
				   why, m->orders.list[0][1]));
	else
		conclude(m, false, xstrdup(why));
}

/* What control is asked */

static void ask_next(struct meeting *m);

static void on_undone(void *arg, uint64_t number, bool done, const char *text)
{
	if (!done)
		log_event(EVENT_PAIRING_FAILED, "why=\"what was stored is still there: %s\"", text);
}

/* A node that was here before stays: what it told and its home server would go with it. */
static void undo(struct meeting *m, const char *node)
{
	struct meetings *meetings = m->meetings;

	m->undone = true;
	if (m->again)
		return;
	questions_ask(meetings->shared->questions, QUESTION_AUTHOR_PAIRING,
		      (const char *const[]){ "node-remove", node, NULL }, on_undone, meetings, 0);
}

static void on_answer(void *arg, uint64_t number, bool done, const char *text)
{
	struct meeting *m = arg;

	if (done) {
		ask_next(m);
		return;
	}
	if (number > 0) /* the node was stored, its AXL service or account not */
		undo(m, m->orders.list[0][1]);
	pairing_stored(m->pairing, false, text && text[0] ? text : "control does not say why");
	pump(m);
}

static void ask_next(struct meeting *m)
{
	unsigned number = m->asked++;
	char **words = number < ORDERS_MAX ? m->orders.list[number] : NULL;

	if (words) {
		questions_ask(m->meetings->shared->questions, QUESTION_AUTHOR_PAIRING,
			      (const char *const *)words, on_answer, m, number);
		return;
	}
	pairing_stored(m->pairing, true, NULL);
	pump(m);
}

static void store(struct meeting *m, const struct pairing_self *other)
{
	struct meetings *meetings = m->meetings;

	if (m->dials && strcmp(other->ssh_pin, m->code.pin) != 0) {
		pairing_stored(m->pairing, false,
			       "the node names another SSH key than the one in the code");
		return;
	}
	m->again = meetings->known && meetings->known(meetings->known_arg, other->node);
	if (m->dials)
		orders_dialled(&m->orders, other, m->code.address);
	else
		orders_accepted(&m->orders, other, m->axl_password);
	m->asked = 0;
	ask_next(m);
}

/* What the pairing wants */

static char *success(const struct meeting *m, const struct pairing_self *other)
{
	struct buffer out = { 0 };

	buffer_printf(&out, "%s and %s know each other now. Entered here: node %s, role %s",
		      m->meetings->shared->name, other->node, other->node, other->role);
	if (m->dials) {
		char link[FORM_ENDPOINT_BYTES + 1];

		orders_address(other->link_address, m->code.address, link);
		buffer_printf(&out, ", link at %s, provisioning at %s", link, m->code.address);
	}
	if (m->dials && other->axl_port)
		buffer_printf(&out, "; home server %s, port %u, user %s, its certificate pinned",
			      other->node, other->axl_port, other->axl_user);
	buffer_printf(&out, ".%s",
		      m->again ? " They were paired before: the keys are replaced." : "");
	return buffer_take_text(&out);
}

static void succeeded(struct meeting *m, const struct pairing_self *other)
{
	log_event(EVENT_PAIRING_DONE, "node=%s role=%s address=%s again=%s", other->node,
		  other->role, m->dials ? m->code.address : m->from, m->again ? "yes" : "no");
	if (!m->dials)
		issued_void(m->meetings->issued, "it was used");
	conclude(m, true, success(m, other));
}

static void write_out(struct meeting *m)
{
	struct buffer *out = pairing_output(m->pairing);

	if (m->ssh && buffer_len(out))
		ssh_tunnel_send(m->ssh, (struct slice){ buffer_data(out), buffer_len(out) });
	if (buffer_len(out))
		explicit_bzero(buffer_data(out), buffer_len(out)); /* it may hold a password */
	buffer_finish(out);
}

static void pump(struct meeting *m)
{
	struct pairing_event event;

	while (!m->over && (event = pairing_next(m->pairing)).type != PAIRING_NONE) {
		switch (event.type) {
		case PAIRING_NONE:
			break;
		case PAIRING_STORE:
			store(m, event.other);
			break;
		case PAIRING_UNDO:
			undo(m, event.other->node);
			break;
		case PAIRING_DONE:
			succeeded(m, event.other);
			break;
		case PAIRING_FAILED:
			failed(m, event.why);
			break;
		}
	}
	write_out(m);
}

/* The tunnel's events */

static void on_opened(void *owner)
{
	pump(owner);
}

static void on_received(void *owner, struct slice bytes)
{
	struct meeting *m = owner;

	if (m->over)
		return;
	pairing_feed(m->pairing, bytes);
	pump(m);
}

static char *reason(const struct meeting *m, enum ssh_end how, const char *why)
{
	if (!m->dials)
		return xasprintf("the other node went away: %s: %s", ssh_end_name(how), why);
	switch (how) {
	case SSH_END_REFUSED:
	case SSH_END_UNREACHABLE:
	case SSH_END_TIMEOUT:
		return xasprintf("%s cannot be reached at %s: %s: %s", m->code.node,
				 m->code.address, ssh_end_name(how), why);
	case SSH_END_HOST_KEY:
		return xasprintf("the host key at %s differs from the one in the code: another "
				 "machine answers there, or %s has a new key; ask for a new code "
				 "with sallyport pair on %s",
				 m->code.address, m->code.node, m->code.node);
	case SSH_END_LOGIN:
		return xasprintf("the code is wrong, used or too old: ask for a new one with "
				 "sallyport pair on %s",
				 m->code.node);
	case SSH_END_SUBSYSTEM:
	case SSH_END_PROTOCOL:
	case SSH_END_CLOSED:
	case SSH_END_LOST:
		break;
	}
	return xasprintf("pairing with %s broke off: %s: %s", m->code.node, ssh_end_name(how), why);
}

static void on_ended(void *owner, enum ssh_end how, const char *why)
{
	struct meeting *m = owner;
	char *text = reason(m, how, why);

	ssh_tunnel_destroy(&m->ssh);
	pairing_closed(m->pairing, text);
	free(text);
	pump(m);
}

static const struct ssh_handler handler = {
	.opened = on_opened,
	.received = on_received,
	.ended = on_ended,
};

static void on_limit(struct timer *timer)
{
	struct meeting *m = (void *)((char *)timer - offsetof(struct meeting, limit));

	ssh_tunnel_destroy(&m->ssh);
	pairing_closed(m->pairing, "the other node did not go on within 60 s");
	pump(m);
}

/* A meeting's beginning */

static struct meeting *begin(struct meetings *meetings, bool dials)
{
	struct meeting *m = xcalloc(1, sizeof(*m));

	m->meetings = meetings;
	m->dials = dials;
	m->conclusion.run = on_conclusion;
	m->limit.fire = on_limit;
	m->next = meetings->list;
	meetings->list = m;
	loop_arm(meetings->shared->loop, &m->limit, MEETING_MS);
	return m;
}

static void begin_pairing(struct meeting *m)
{
	const struct meetings *meetings = m->meetings;
	char name[sizeof(meetings->shared->name)], role[sizeof(meetings->shared->role)];
	char link_pin[SSH_PIN_LEN + 1], ssh_pin[SSH_PIN_LEN + 1], axl_pin[SSH_PIN_LEN + 1];
	char link[FORM_ENDPOINT_BYTES + 1];
	struct pairing_self self = {
		.node = name, .role = role, .link_pin = link_pin, .ssh_pin = ssh_pin
	};

	memcpy(name, meetings->shared->name, sizeof(name));
	memcpy(role, meetings->shared->role, sizeof(role));
	memcpy(link_pin, meetings->self->link_pin, sizeof(link_pin));
	snprintf(ssh_pin, sizeof(ssh_pin), "%s", ssh_identity_pin(meetings->shared->identity));
	if (!m->dials) {
		memcpy(link, meetings->issued->link, sizeof(link));
		self.link_address = link;
	}
	if (!m->dials && meetings->self->axl_pin[0]) {
		memcpy(axl_pin, meetings->self->axl_pin, sizeof(axl_pin));
		self.axl_port = meetings->issued->axl_port;
		self.axl_password = m->axl_password;
		self.axl_pin = axl_pin;
	}
	m->pairing = pairing_create(&self, m->dials, m->dials ? m->code.node : NULL);
}

static void make_axl_password(struct meeting *m)
{
	unsigned char random[AXL_PASSWORD_BYTES];

	random_bytes(random, sizeof(random));
	for (size_t i = 0; i < sizeof(random); i++)
		snprintf(m->axl_password + 2 * i, 3, "%02x", random[i]);
	explicit_bzero(random, sizeof(random));
}

static bool is_full(const struct meetings *meetings)
{
	size_t count = 0;

	for (const struct meeting *m = meetings->list; m; m = m->next)
		count++;
	return count >= MEETINGS_MAX;
}

static bool is_in_use(const struct meetings *meetings)
{
	for (const struct meeting *m = meetings->list; m; m = m->next) {
		if (!m->dials && !m->over)
			return true;
	}
	return false;
}

static void turn_away(struct ssh_tunnel *ssh, const char *from, const char *why)
{
	struct buffer line = { 0 };

	log_event(EVENT_PAIRING_FAILED, "address=%s why=\"%s\"", from, why);
	json_lines_write(&line, json_pack("{s:s, s:s}", "type", "refused", "why", why));
	ssh_tunnel_send(ssh, (struct slice){ buffer_data(&line), buffer_len(&line) });
	buffer_finish(&line);
	ssh_tunnel_finish(&ssh);
}

void meetings_accept(struct meetings *meetings, struct ssh_tunnel *ssh, const char *from)
{
	struct meeting *m;

	if (!meetings->issued->out) {
		turn_away(ssh, from, "the code is used or too old");
		return;
	}
	if (is_in_use(meetings) || is_full(meetings)) {
		turn_away(ssh, from, "somebody else is using the code at this moment");
		return;
	}
	m = begin(meetings, false);
	m->ssh = ssh;
	snprintf(m->from, sizeof(m->from), "%s", from);
	if (meetings->self->axl_pin[0])
		make_axl_password(m);
	begin_pairing(m);
	ssh_tunnel_hand_over(ssh, &handler, m);
}

static void dial(struct meeting *m)
{
	const struct tunnel_shared *shared = m->meetings->shared;
	struct ssh_dial dial = { .host_pin = m->code.pin,
				 .user = ISSUED_USER,
				 .password = m->code.secret,
				 .subsystem = SSH_PAIRING,
				 .tcp_ms = TCP_MS,
				 .login_ms = shared->login_ms,
				 .silence_ms = MEETING_MS };

	if (!tunnel_address(m->code.address, &dial.to)) {
		failed(m, "the code has an address that is none");
		return;
	}
	m->ssh = ssh_dial(shared->loop, shared->identity, &dial, &handler, m);
}

void meetings_join(struct meetings *meetings, const char *text, uint64_t session,
		   tunnels_joined_fn *joined, void *arg)
{
	bool full = is_full(meetings);
	struct meeting *m = begin(meetings, true);
	struct pairing_event event;
	const char *why;

	m->session = session;
	m->joined = joined;
	m->arg = arg;
	if (!code_read(text, &m->code, &why)) {
		conclude(m, false, xasprintf("the code %s", why));
		return;
	}
	if (!meetings->shared->identity) {
		failed(m, "the settings are not here yet: try again");
		return;
	}
	if (full) {
		failed(m, "eight pairings are under way: wait until one of them is over");
		return;
	}
	begin_pairing(m);
	event = pairing_next(m->pairing);
	if (event.type == PAIRING_FAILED) /* a node of our role does not join */
		failed(m, event.why);
	else
		dial(m);
}

void meetings_set_known(struct meetings *meetings, meetings_known_fn *known, void *arg)
{
	meetings->known = known;
	meetings->known_arg = arg;
}

struct meetings *meetings_create(const struct tunnel_shared *shared,
				 const struct meetings_self *self, struct issued *issued)
{
	struct meetings *meetings = xcalloc(1, sizeof(*meetings));

	meetings->shared = shared;
	meetings->self = self;
	meetings->issued = issued;
	return meetings;
}

void meetings_destroy(struct meetings **meetings)
{
	if (!*meetings)
		return;
	for (struct meeting *m = (*meetings)->list, *next; m; m = next) {
		next = m->next;
		destroy(m, false);
	}
	free(*meetings);
	*meetings = NULL;
}
