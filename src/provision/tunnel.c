#include "provision/tunnel.h"

#include "base/alloc.h"
#include "provision/documents.h"
#include "provision/replica.h"
#include "tables/events.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#define TCP_MS 5000
#define REDIAL_FIRST_MS 1000
#define REDIAL_MOST_MS 30000
#define PACE_FIRST_MS 250 /* between two settings of a node: each is a revision in our store */
#define PACE_MOST_MS 30000

enum state { DOWN, CONNECTING, UP };
static const char *const state_names[] = { "down", "connecting", "up" };

struct tunnel {
	const struct tunnel_shared *shared;
	struct tunnel_node node;
	enum state state;
	uint64_t since_ms; /* in this state */
	struct ssh_tunnel *ssh;
	struct replica *replica;
	unsigned replica_silence_ms;
	unsigned failures;
	struct timer redial, timer; /* timer: the replica's */
	char why[300];		    /* it is down */
	char refusal[300];	    /* of settings, while it is up; empty: none */
	json_t *document;	    /* what we tell */
	json_t *other_document;	    /* what it told and control stored */
	json_t *asked_document;	    /* what control was asked about last */
	json_t *next_document;	    /* what it told meanwhile; the newest only */
	uint64_t next_revision;
	bool asking; /* control has not answered yet */
	uint64_t asked_ms;
	unsigned pace_ms;  /* control is not asked again before that */
	struct timer pace; /* the next waits for it */
	uint64_t revision; /* of document */
	uint64_t sent_ms;
};

static void pump(struct tunnel *t);

static struct replica_clock clock_of(const struct tunnel *t)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (struct replica_clock){ .now_ms = loop_now_ms(t->shared->loop),
				       .wall_ms =
					       now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000 };
}

static void enter(struct tunnel *t, enum state state)
{
	t->state = state;
	t->since_ms = loop_now_ms(t->shared->loop);
}

static const char *address_of(const struct tunnel *t)
{
	return t->node.address[0] ? t->node.address : "-";
}

/* The tunnel's life */

/* Doubles with each failure; half of it is random, so that many don't come back together. */
static uint64_t back_off_ms(unsigned failures)
{
	uint64_t wait = REDIAL_FIRST_MS;
	uint32_t random;

	while (failures-- > 1 && wait < REDIAL_MOST_MS)
		wait *= 2;
	if (wait > REDIAL_MOST_MS)
		wait = REDIAL_MOST_MS;
	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		abort();
	return wait / 2 + random % (wait / 2 + 1);
}

static void close_tunnel(struct tunnel *t, bool in_order)
{
	loop_disarm(t->shared->loop, &t->timer);
	if (t->replica)
		replica_closed(t->replica);
	if (in_order && t->ssh)
		ssh_tunnel_finish(&t->ssh);
	else
		ssh_tunnel_destroy(&t->ssh);
	t->refusal[0] = '\0';
}

/* It is over, for whatever reason. `how` NULL: for a reason of ours. */
static void lost(struct tunnel *t, bool in_order, const char *how, const char *why)
{
	bool was_up = t->state == UP;

	snprintf(t->why, sizeof(t->why), "%s%s%s", how ? how : "", how ? ": " : "", why);
	inquiries_fail_node(t->shared->inquiries, t->node.name, "the tunnel went down");
	log_event(was_up ? EVENT_TUNNEL_DOWN : EVENT_TUNNEL_FAILED,
		  "node=%s address=%s seconds=%" PRIu64 " why=\"%s\"", t->node.name, address_of(t),
		  (loop_now_ms(t->shared->loop) - t->since_ms) / 1000, t->why);
	close_tunnel(t, in_order);
	enter(t, DOWN);
	if (t->node.address[0])
		loop_arm(t->shared->loop, &t->redial, back_off_ms(++t->failures));
}

static void renew_replica(struct tunnel *t)
{
	const struct tunnel_shared *shared = t->shared;

	if (t->replica && t->replica_silence_ms == shared->silence_ms)
		return;
	replica_destroy(&t->replica);
	t->replica_silence_ms = shared->silence_ms;
	t->replica = replica_create(&(struct replica_options){ .node = shared->name,
							       .role = shared->role,
							       .release = shared->release,
							       .other_node = t->node.name,
							       .other_role = t->node.role,
							       .silence_ms = shared->silence_ms });
	if (t->document)
		replica_publish(t->replica, t->revision, t->document);
	if (shared->status)
		replica_report(t->replica, shared->status);
}

static void begin(struct tunnel *t)
{
	struct replica_clock clock = clock_of(t);

	renew_replica(t);
	replica_open(t->replica, &clock);
	pump(t);
}

static void on_opened(void *owner)
{
	begin(owner);
}

static void on_received(void *owner, struct slice bytes)
{
	struct tunnel *t = owner;
	struct replica_clock clock = clock_of(t);

	replica_feed(t->replica, bytes, &clock);
	pump(t);
}

static void on_ended(void *owner, enum ssh_end how, const char *why)
{
	lost(owner, false, ssh_end_name(how), why);
}

static const struct ssh_handler handler = {
	.opened = on_opened,
	.received = on_received,
	.ended = on_ended,
};

static void dial(struct tunnel *t)
{
	struct ssh_dial dial = { .host_pin = t->node.ssh_pin,
				 .user = t->shared->name,
				 .subsystem = SSH_PROVISIONING,
				 .tcp_ms = TCP_MS,
				 .login_ms = t->shared->login_ms,
				 .silence_ms = t->shared->silence_ms };

	if (!tunnel_address(t->node.address, &dial.to)) { /* settings are checked: our mistake */
		lost(t, false, NULL, "its address is none");
		return;
	}
	enter(t, CONNECTING);
	t->ssh = ssh_dial(t->shared->loop, t->shared->identity, &dial, &handler, t);
}

static void on_redial(struct timer *timer)
{
	dial((void *)((char *)timer - offsetof(struct tunnel, redial)));
}

static void on_timer(struct timer *timer)
{
	struct tunnel *t = (void *)((char *)timer - offsetof(struct tunnel, timer));
	struct replica_clock clock = clock_of(t);

	replica_timeout(t->replica, &clock);
	pump(t);
}

void tunnel_adopt(struct tunnel *t, struct ssh_tunnel *ssh, const char *from)
{
	if (t->ssh)
		lost(t, false, NULL, "the node opened another tunnel");
	loop_disarm(t->shared->loop, &t->redial);
	t->ssh = ssh;
	log_event(EVENT_SSH_ACCEPTED, "node=%s address=%s subsystem=" SSH_PROVISIONING,
		  t->node.name, from);
	ssh_tunnel_hand_over(ssh, &handler, t);
	enter(t, CONNECTING);
	begin(t);
}

/* Replication */

static void log_sent(struct tunnel *t)
{
	if (t->state != UP || !t->document ||
	    replica_published(t->replica) == replica_acknowledged(t->replica))
		return;
	t->sent_ms = loop_now_ms(t->shared->loop);
	log_event(EVENT_REPLICA_SENT, "node=%s revision=%" PRIu64, t->node.name, t->revision);
}

static void ready(struct tunnel *t)
{
	enter(t, UP);
	t->failures = 0;
	t->why[0] = '\0';
	log_event(EVENT_TUNNEL_UP, "node=%s role=%s address=%s direction=%s", t->node.name,
		  t->node.role, address_of(t), t->node.address[0] ? "out" : "in");
	log_sent(t);
}

static void acknowledged(struct tunnel *t, uint64_t revision)
{
	t->refusal[0] = '\0';
	log_event(EVENT_REPLICA_ACKNOWLEDGED, "node=%s revision=%" PRIu64 " ms=%" PRIu64,
		  t->node.name, revision, loop_now_ms(t->shared->loop) - t->sent_ms);
}

static void refused(struct tunnel *t, uint64_t revision, const char *whose, const char *why)
{
	snprintf(t->refusal, sizeof(t->refusal), "%s: %s", whose, why);
	log_event(EVENT_REPLICA_REFUSED, "node=%s revision=%" PRIu64 " why=\"%s\"", t->node.name,
		  revision, t->refusal);
}

static void refuse_theirs(struct tunnel *t, uint64_t revision, const char *why)
{
	refused(t, revision, "its settings are refused", why);
	replica_answer(t->replica, revision, false, why);
}

static void ask_control(struct tunnel *t);

/* Whoever changes its settings without end is heard ever more rarely. */
static void keep_pace(struct tunnel *t)
{
	uint64_t now_ms = loop_now_ms(t->shared->loop);

	if (!t->pace_ms || now_ms - t->asked_ms >= 2 * (uint64_t)t->pace_ms)
		t->pace_ms = PACE_FIRST_MS;
	else if (t->pace_ms < PACE_MOST_MS)
		t->pace_ms *= 2;
	t->asked_ms = now_ms;
}

/* One question at a time; what comes meanwhile replaces what waits. */
static void consider(struct tunnel *t)
{
	uint64_t gone_ms = loop_now_ms(t->shared->loop) - t->asked_ms;

	if (!t->next_document || t->asking || timer_is_armed(&t->pace))
		return;
	if (gone_ms < t->pace_ms)
		loop_arm(t->shared->loop, &t->pace, t->pace_ms - gone_ms);
	else
		ask_control(t);
}

static void on_pace(struct timer *timer)
{
	struct tunnel *t = (void *)((char *)timer - offsetof(struct tunnel, pace));

	consider(t);
	pump(t);
}

static void on_answer(void *arg, uint64_t revision, bool done, const char *text)
{
	struct tunnel *t = arg;

	t->asking = false;
	if (done) {
		t->refusal[0] = '\0';
		log_event(EVENT_REPLICA_TAKEN, "node=%s revision=%" PRIu64, t->node.name, revision);
		replica_answer(t->replica, revision, true, NULL);
		json_decref(t->other_document);
		t->other_document = json_incref(t->asked_document);
	} else {
		refuse_theirs(t, revision, text && text[0] ? text : "control does not say why");
	}
	consider(t);
	pump(t);
}

static void ask_control(struct tunnel *t)
{
	const char *why;
	char **words = document_read(t->next_document, t->shared->role, t->node.name, t->node.role,
				     t->next_revision, &why);

	keep_pace(t);
	json_decref(t->asked_document);
	t->asked_document = t->next_document;
	t->next_document = NULL;
	if (!words) {
		refuse_theirs(t, t->next_revision, why);
		return;
	}
	t->asking = true;
	questions_ask(t->shared->questions, t->node.name, (const char *const *)words, on_answer, t,
		      t->next_revision);
	document_free_words(words);
}

static void take_settings(struct tunnel *t, const struct replica_event *event)
{
	json_decref(t->next_document);
	t->next_document = json_incref(event->document);
	t->next_revision = event->revision;
	consider(t);
}

/* Questions */

static void hear(struct tunnel *t, const struct replica_event *event)
{
	const struct tunnel_shared *shared = t->shared;
	size_t count = json_array_size(event->document);
	const char **words;
	uint64_t number =
		shared->asked ? inquiries_hear(shared->inquiries, t->node.name, event->number) : 0;

	if (!number) {
		replica_reply(t->replica, event->number, 1,
			      shared->asked ? "too much is asked at the same time"
					    : "this node answers no questions",
			      NULL);
		return;
	}
	words = xcalloc(count, sizeof(*words));
	for (size_t i = 0; i < count; i++)
		words[i] = json_string_value(json_array_get(event->document, i));
	shared->asked(shared->arg, t->node.name, t->node.role, number, words, count);
	free(words);
}

static void take_reply(struct tunnel *t, const struct replica_event *event)
{
	inquiries_answer(t->shared->inquiries, event->number,
			 &(struct tunnels_reply){ .node = t->node.name,
						  .status = event->status,
						  .text = event->text,
						  .data = event->document });
}

static void write_out(struct tunnel *t)
{
	struct buffer *out = replica_output(t->replica);

	if (t->ssh && buffer_len(out))
		ssh_tunnel_send(t->ssh, (struct slice){ buffer_data(out), buffer_len(out) });
	buffer_finish(out);
}

/* Does what the replica asks for, until it asks for nothing. */
static void pump(struct tunnel *t)
{
	struct replica_event event;

	while (t->replica && (event = replica_next(t->replica)).type != REPLICA_NONE) {
		switch (event.type) {
		case REPLICA_NONE:
		case REPLICA_STATUS: /* the replica keeps it */
			break;
		case REPLICA_TIMER:
			loop_arm(t->shared->loop, &t->timer, event.ms);
			break;
		case REPLICA_READY:
			ready(t);
			break;
		case REPLICA_SETTINGS:
			take_settings(t, &event);
			break;
		case REPLICA_ACKED:
			acknowledged(t, event.revision);
			break;
		case REPLICA_NAKED:
			refused(t, event.revision, "refuses our settings", event.why);
			break;
		case REPLICA_ASK:
			hear(t, &event);
			break;
		case REPLICA_ANSWER:
			take_reply(t, &event);
			break;
		case REPLICA_CLOSED:
			write_out(t);
			lost(t, true, NULL, event.why);
			return;
		}
	}
	if (t->replica)
		write_out(t);
}

void tunnel_publish(struct tunnel *t, uint64_t revision, json_t *document)
{
	if (!document || (t->document && json_equal(t->document, document)))
		return;
	json_incref(document);
	json_decref(t->document);
	t->document = document;
	t->revision = revision;
	if (!t->replica)
		return;
	replica_publish(t->replica, revision, document);
	log_sent(t);
	pump(t);
}

void tunnel_report(struct tunnel *t)
{
	if (!t->replica)
		return;
	replica_report(t->replica, t->shared->status);
	pump(t);
}

bool tunnel_is_up(const struct tunnel *t)
{
	return t->state == UP;
}

void tunnel_ask(struct tunnel *t, uint64_t number, const char *const *words, size_t count)
{
	if (t->state != UP)
		inquiries_fail(t->shared->inquiries, number, "the tunnel is down");
	else if (!replica_ask(t->replica, number, words, count))
		inquiries_fail(t->shared->inquiries, number, "the question is too long");
	else
		write_out(t);
}

void tunnel_reply(struct tunnel *t, uint64_t theirs, unsigned status, const char *text,
		  json_t *data)
{
	if (t->state != UP)
		return;
	replica_reply(t->replica, theirs, status, text, data);
	write_out(t);
}

/* Settings and status */

struct tunnel *tunnel_create(const struct tunnel_shared *shared, const struct tunnel_node *node,
			     unsigned wait_ms)
{
	struct tunnel *t = xcalloc(1, sizeof(*t));

	t->shared = shared;
	t->node = *node;
	t->redial.fire = on_redial;
	t->timer.fire = on_timer;
	t->pace.fire = on_pace;
	snprintf(t->why, sizeof(t->why), "it has not dialled yet");
	enter(t, DOWN);
	if (node->address[0])
		loop_arm(shared->loop, &t->redial, wait_ms);
	return t;
}

void tunnel_destroy(struct tunnel **tunnel, const char *why)
{
	struct tunnel *t = *tunnel;

	if (!t)
		return;
	if (t->ssh)
		lost(t, false, NULL, why);
	loop_disarm(t->shared->loop, &t->redial);
	loop_disarm(t->shared->loop, &t->timer);
	loop_disarm(t->shared->loop, &t->pace);
	questions_forget(t->shared->questions, t);
	replica_destroy(&t->replica);
	json_decref(t->document);
	json_decref(t->other_document);
	json_decref(t->asked_document);
	json_decref(t->next_document);
	free(t);
	*tunnel = NULL;
}

const struct tunnel_node *tunnel_node(const struct tunnel *t)
{
	return &t->node;
}

void tunnel_move(struct tunnel *t, const char *address)
{
	if (strcmp(t->node.address, address) == 0)
		return;
	if (t->ssh)
		lost(t, false, NULL, "the node's address was changed");
	snprintf(t->node.address, sizeof(t->node.address), "%s", address);
	loop_disarm(t->shared->loop, &t->redial);
	t->failures = 0;
	if (address[0])
		dial(t);
}

static char *skew_text(const struct tunnel *t)
{
	int64_t ahead_ms;

	if (!t->replica || !replica_skew(t->replica, &ahead_ms))
		return xstrdup("");
	return xasprintf("%" PRId64, ahead_ms);
}

static char *heard_text(const struct tunnel *t)
{
	if (!t->replica)
		return xstrdup("");
	return xasprintf("%" PRIu64, loop_now_ms(t->shared->loop) - replica_heard_ms(t->replica));
}

void tunnel_status(const struct tunnel *t, struct buffer *out)
{
	char *seconds = xasprintf("%" PRIu64, (loop_now_ms(t->shared->loop) - t->since_ms) / 1000);
	char *ours = xasprintf("%" PRIu64, t->document ? t->revision : 0);
	char *acknowledged_text =
		xasprintf("%" PRIu64, t->replica ? replica_acknowledged(t->replica) : 0);
	char *theirs = xasprintf("%" PRIu64, t->replica ? replica_taken(t->replica) : 0);
	char *heard = heard_text(t), *skew = skew_text(t);

	snapshot_add(out, &(struct snapshot_record){
				  12,
				  { slice_of("tunnel"), slice_of(t->node.name),
				    slice_of(t->node.role), slice_of(state_names[t->state]),
				    slice_of(t->node.address[0] ? "out" : "in"), slice_of(seconds),
				    slice_of(t->state == UP ? t->refusal : t->why), slice_of(ours),
				    slice_of(acknowledged_text), slice_of(theirs), slice_of(heard),
				    slice_of(skew) } });
	free(seconds);
	free(ours);
	free(acknowledged_text);
	free(theirs);
	free(heard);
	free(skew);
}

const json_t *tunnel_other_status(const struct tunnel *t)
{
	return t->replica ? replica_other_status(t->replica) : NULL;
}

const json_t *tunnel_other_document(const struct tunnel *t)
{
	return t->other_document;
}

bool tunnel_address(const char *text, struct conn_address *address)
{
	char ip[FORM_ENDPOINT_BYTES + 1];
	uint16_t port;

	return form_endpoint(text, ip, &port) && conn_address_parse(address, ip, port);
}
